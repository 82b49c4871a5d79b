-- The platform is killed (kill -9) after the SIP-URI was bound (S407) and before
-- the terminal registers with it (S408).
--
-- The end state: registration needs no platform, so it goes well while the
-- platform is down. A release meanwhile is not lost: the AS repeats its reclaim
-- notice (S410) until the platform is back, and then the SIP-URI is idle again.

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

local lease = alice:request_uri() -- S403 to S407
bed.faults:kill { actor = "platform" }
alice:register() -- S408: S501 to S521 pass it by
local released = bed:spawn(function()
	pcall(function()
		alice:release() -- S409, S410: nobody answers
	end)
end)
expect(function()
	return bed.appserver:bindings()[1].state
end):becomes("releasing", 2)
bed.faults:restart { actor = "platform" }
expect(bed.platform:uri(lease.uri).lease_id).is(lease.lease_id)
released:wait()
alice:release() -- it had no answer: repeated, it is the same as once
expect(count "idle"):becomes(2, 5) -- the pool is whole again
expect(#bed.appserver:bindings()).is(0)
