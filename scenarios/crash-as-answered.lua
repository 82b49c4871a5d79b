-- The AS is killed (kill -9) after the platform has answered (S406) and before the
-- AS has bound the SIP-URI (S407): the answer has come, and dies with it.
--
-- The end state: the AS that has come back asks again by the same key, gets the
-- same lease and binds it; the terminal asks again and gets it.

local bed = testbed {
	store = "file",
	idle_within = 5, -- s, I5: after the last release or fault
	timers = { retry = 0.1, dereg_retry = 0.1 },
}

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000002",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" } -- S401

local function count(state)
	return function()
		return bed.platform:pool().counts[state]
	end
end

local alice = bed:terminal { number = "+8613800138000", secret = "s3cret" }
alice:login() -- S402

bed.faults:kill {
	actor = "appserver",
	at = { proto = "http", status = 201, path = "/v1/leases" },
}
local asked = bed:spawn(function()
	pcall(function()
		alice:request_uri() -- S403 to S406
	end)
end)
bed.faults:wait { actor = "appserver" }
asked:wait()
bed.faults:restart { actor = "appserver" }

local lease = alice:request_uri()
expect(lease.lease_id).is(1)
expect(bed.platform:pool().counts.occupied).is(1)
expect(#bed.appserver:bindings()).is(1)
alice:register()
alice:release()
expect(count "idle"):becomes(2, 5) -- the pool is whole again
