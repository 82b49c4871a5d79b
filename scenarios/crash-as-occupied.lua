-- The AS is killed (kill -9) after the platform has marked a SIP-URI occupied
-- ([0085]) and before it has answered (S406): the platform is stopped there.
--
-- The end state: that the AS asked, and by which key, was on its disk before it
-- asked. When it is back it asks again by the same key and gets that lease, no
-- second one; the terminal, which had no answer, asks again and gets it too.

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

bed.faults:pause {
	actor = "platform",
	at = { event = "lease.state", to = "occupied" },
}
local asked = bed:spawn(function()
	pcall(function()
		alice:request_uri() -- S403 to S405
	end)
end)
bed.faults:wait { actor = "platform" }
bed.faults:kill { actor = "appserver" }
bed.faults:resume { actor = "platform" } -- its answer reaches nobody
asked:wait()
bed.faults:restart { actor = "appserver" }

local lease = alice:request_uri() -- the login has outlived it too
expect(lease.lease_id).is(1)
expect(bed.platform:pool().counts.occupied).is(1)
expect(#bed.appserver:bindings()).is(1)
alice:register()
alice:release()
expect(count "idle"):becomes(2, 5) -- the pool is whole again
