-- The platform is killed (kill -9) after it has marked a SIP-URI occupied
-- (S405, [0085]) and before it has answered the AS (S406).
--
-- What was decided is on disk before anything else happens. The AS never heard
-- of it: it repeats its apply message by the same key, and the platform that
-- has come back answers with the lease that it made before it died.
--
-- The end state: one lease, the same SIP-URI, lent once; after the release
-- the whole pool is idle.

local bed = testbed {
	store = "file",
	idle_within = 5, -- s, I5: after the last release or fault
}
bed:expect_steps "S401..S414, S501..S521"

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000002",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" } -- S401

local alice = bed:terminal { number = "+8613800138000", secret = "s3cret" }
alice:login() -- S402

bed.faults:kill {
	actor = "platform",
	at = { event = "lease.state", to = "occupied" },
}
local asked = bed:spawn(function()
	pcall(function()
		alice:request_uri() -- S403 to S405: here it dies
	end)
end)
bed.faults:wait { actor = "platform" }
bed.faults:restart { actor = "platform" }
asked:wait()

-- one is lent, and nobody but Alice can have it
local pool = bed.platform:pool()
expect(pool.counts.occupied).is(1)
expect(pool.counts.idle).is(1)
local lease = alice:request_uri() -- S406, S407
expect(bed.platform:uri(lease.uri).lease_id).is(lease.lease_id)
expect(lease.lease_id).is(1)
expect(bed.platform:pool().counts.occupied).is(1)
alice:register() -- S408

alice:release() -- S409 to S412
expect(function()
	return bed.platform:pool().counts.idle
end):becomes(2, 5) -- S413, S414
