-- The AS is killed (kill -9) after it has bound the SIP-URI: once before it could
-- answer the terminal (S407), once after that and before the REGISTER (S408).
--
-- The end state: the binding was on disk before it was answered. The same number
-- gets the same SIP-URI, the registration goes well without the AS but for its
-- third-party REGISTER (S520), and the release finds what to give back.

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

-- bound, not answered
bed.faults:kill { actor = "appserver", at = { event = "as.bound" } }
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

-- answered, not registered
bed.faults:kill { actor = "appserver" }
alice:register() -- S408; S520 finds nobody
bed.faults:restart { actor = "appserver" }
local bindings = bed.appserver:bindings()
expect(#bindings).is(1)
expect(bindings[1].uri).is(lease.uri)
expect(bindings[1].lease_id).is(lease.lease_id)
expect(bindings[1].state).is "bound"
alice:release()
expect(count "idle"):becomes(2, 5) -- the pool is whole again
