-- CN103516675A, Fig. 5 alone: registration with the IMS (S501 to S521).
--
-- The terminal knows its SIP-URI and password from a lease. It registers by
-- SIP Digest: the first REGISTER goes without credentials and is challenged
-- (401), the second holds the answer to the challenge.
--
--   terminal -> pcscf -> icscf -> scscf     REGISTER      S501 S502 S505
--   icscf <-> hss    which S-CSCF?          UAR, UAA      S503 S504
--   scscf <-> hss    how to authenticate?   MAR, MAA      S506 S507
--   scscf -> ... -> terminal                401           S508 S509 S510
--   the same again with credentials                       S511 to S515
--   scscf <-> hss    he is here now         SAR, SAA      S516
--   scscf -> ... -> terminal                200           S517 S518 S519
--   scscf <-> appserver  third-party REGISTER             S520 S521
--
-- Run it:  build/bin/sipshare run scenarios/registration.lua

local bed = testbed {}
bed:expect_steps "S501..S521"

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000001",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" }

local alice = bed:terminal { number = "+8613800138000", secret = "s3cret" }
alice:login()
local lease = alice:request_uri()

local answer = alice:register()
expect(answer.status).is(200)
expect(alice.state).is "registered"

-- The S-CSCF holds the registration, and the HSS knows which S-CSCF that is.
local registered = bed.scscf:registrations()
expect(#registered).is(1)
expect(registered[1].impu).is(lease.uri)
expect(bed.hss:users()[1].scscf).matches "^sip:"
