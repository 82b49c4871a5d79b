-- The platform is killed (kill -9) after the reclaim notice (S410) and before it
-- deregisters the SIP-URI (S413): first before it has answered the notice
-- (S411), then, with the next lease, after that, while its REGISTER is still
-- on its way at the P-CSCF.
--
-- The end state: `reclaiming` was on disk. The AS repeats its notice, which is
-- then the same as once; the platform deregisters when it is back. No
-- SIP-URI is idle before the IMS has said so (S414).

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

-- before S411
local first = alice:request_uri()
alice:register()
bed.faults:kill {
	actor = "platform",
	at = { event = "lease.state", to = "reclaiming" },
}
local released = bed:spawn(function()
	pcall(function()
		alice:release() -- S409, S410: here it dies
	end)
end)
bed.faults:wait { actor = "platform" }
bed.faults:restart { actor = "platform" }
released:wait()
alice:release() -- it had no answer: repeated, it is the same as once
expect(count "idle"):becomes(2, 5) -- the pool is whole again
expect(#bed.scscf:registrations()).is(0)

-- after S411, before S413 has reached the IMS
local second = alice:request_uri()
expect(second.uri).is_not(first.uri) -- round robin
alice:register()
bed.faults:pause {
	actor = "pcscf",
	at = { proto = "sip", method = "REGISTER" },
}
alice:release() -- S409 to S412
bed.faults:wait { actor = "pcscf" } -- it holds S413
bed.faults:kill { actor = "platform" }
bed.faults:resume { actor = "pcscf" }
bed.faults:restart { actor = "platform" }
expect(count "idle"):becomes(2, 5) -- the pool is whole again
expect(#bed.scscf:registrations()).is(0)
