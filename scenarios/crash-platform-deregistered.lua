-- The platform is killed (kill -9) after the IMS has deregistered the SIP-URI and
-- before it is marked idle: once when the 200 (S414) has come, and dies with it;
-- once, with the next lease, when the HSS has the new password already.
--
-- The end state: on disk it is `reclaiming` still, so the platform that has come
-- back goes on from there, and what the IMS is told twice is the same as once.
-- Then it is idle; it was not lent in between.

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

alice:request_uri()
alice:register()
bed.faults:kill {
	actor = "platform",
	at = { proto = "sip", status = 200, method = "REGISTER" },
}
alice:release() -- S409 to S412
bed.faults:wait { actor = "platform" } -- it had S414, but not acted on it
expect(#bed.scscf:registrations()).is(0)
bed.faults:restart { actor = "platform" }
expect(count "idle"):becomes(2, 5) -- the pool is whole again

-- the new password has been set
alice:request_uri()
alice:register()
bed.faults:kill {
	actor = "platform",
	at = { event = "platform.password-changed" },
}
alice:release()
bed.faults:wait { actor = "platform" }
bed.faults:restart { actor = "platform" }
expect(count "idle"):becomes(2, 5)

-- both can be lent again, and only once
local bob = bed:terminal { number = "+8613900139000", secret = "hush" }
bob:login()
alice:login()
local hers, his = alice:request_uri(), bob:request_uri()
expect(hers.uri).is_not(his.uri)
expect(bed.platform:pool().counts.occupied).is(2)
