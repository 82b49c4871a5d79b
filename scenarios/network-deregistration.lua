-- The network ends a registration without the user: the account is closed.
--
-- BOSS closes the account at the HSS (SOAP). The HSS tells the S-CSCF that has
-- the user (RTR, TS 29.228 6.1.3), which drops registration and challenges,
-- tells the P-CSCF (NOTIFY of the reg event package, RFC 3680: terminated) and
-- the AS (third-party REGISTER with Expires 0, TS 24.229 5.4.1.7), and confirms
-- (RTA). Only then does BOSS hear that the account is closed.
--
-- Run it:  build/bin/sipshare run scenarios/network-deregistration.lua

local bed = testbed {}
bed:expect_steps "S501..S521"
local uri = "sip:+8657110000009@ims.test"

bed.boss:open_accounts {
	list = { { number = "+8657110000009", uri = uri, password = "own" } },
}
local dave = bed:account {
	number = "+8613500135000",
	uri = uri,
	password = "own",
}
dave:register()
expect(dave.state).is "registered"
expect(#bed.scscf:registrations()).is(1)

bed.boss:close_account(uri)
expect(#bed.scscf:registrations()).is(0)
expect(#bed.hss:users()).is(0)
expect_error(function()
	dave:register()
end, "403")
