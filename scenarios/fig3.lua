-- CN103516675A, Fig. 3: the method as the management platform sees it (S301 to
-- S304).
--
--   S301  it receives the batch of SIP-URIs from BOSS, and keeps it
--   S302  it receives the AS's apply message (unit 021)
--   S303  it picks an idle SIP-URI and marks it occupied (unit 022)
--   S304  it sends the SIP-URI and its password to the AS (unit 023)
--
-- Two policies: round robin starts behind the last one given and passes over
-- the occupied ones ([0082]); the idle queue gives what has been idle longest
-- ([0083]). See the difference:
--   build/bin/sipshare run scenarios/fig3.lua
--   build/bin/sipshare run scenarios/fig3.lua --policy idle-queue

local bed = testbed { policy = "round-robin" }
bed:expect_steps "S301..S304"

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000002",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" } -- S301

local pool = bed.platform:pool()
expect(pool.size).is(2)
expect(pool.counts.idle).is(2)

local alice = bed:terminal { number = "+8613800138000", secret = "s3cret" }
alice:login()
local lease = alice:request_uri() -- S302 to S304
expect(bed.platform:uri(lease.uri).state).is "occupied"
expect(bed.platform:pool().counts.idle).is(1)

local bob = bed:terminal { number = "+8613900139000", secret = "hush" }
bob:login()
local other = bob:request_uri()
expect(other.uri).is_not(lease.uri)

-- The pool is empty now: a third user is told so, and nothing is half bound.
local carol = bed:terminal { number = "+8613700137000", secret = "carol" }
carol:login()
expect_error(function()
	carol:request_uri()
end, "503")
expect(#bed.appserver:bindings()).is(2)
