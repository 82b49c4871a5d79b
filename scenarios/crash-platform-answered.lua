-- The platform is killed (kill -9) after it has answered the AS (S406) and before
-- the AS has bound the SIP-URI to the real number (S407): the AS is stopped
-- while it holds the answer.
--
-- The end state: the AS binds the lease that it was given; the platform that
-- has come back knows of it, for it was on disk before it was answered. One
-- SIP-URI is lent, once, and taken back like any other.

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
	actor = "appserver",
	at = { proto = "http", status = 201, path = "/v1/leases" },
}
local lease
local asked = bed:spawn(function()
	lease = alice:request_uri() -- S403 to S406
end)
bed.faults:wait { actor = "appserver" }
bed.faults:kill { actor = "platform" }
bed.faults:restart { actor = "platform" }
expect(bed.platform:pool().counts.occupied).is(1)
bed.faults:resume { actor = "appserver" }
asked:wait() -- S407

expect(bed.platform:uri(lease.uri).lease_id).is(lease.lease_id)
expect(#bed.appserver:bindings()).is(1)
alice:register() -- S408
alice:release() -- S409 to S412
expect(count "idle"):becomes(2, 5) -- the pool is whole again
