-- A terminal that vanishes: its battery is empty, it says nothing any more.
--
-- The patent is silent on it; S409 never comes. But the IMS registration is not
-- refreshed, and expires. The S-CSCF tells the AS by a third-party REGISTER with
-- Expires 0 (TS 24.229 5.4.1.7), and the AS, seeing that no call is up, reclaims
-- the SIP-URI (S410). The lease's hard limit is the other end it could have.
--
-- Run it:  build/bin/sipshare run scenarios/vanished-terminal.lua

local bed = testbed {
	timers = {
		reg_expires = 1, -- s that the S-CSCF grants at most
		reg_min_expires = 1,
		reg_refresh = 0.5,
	},
}
bed:expect_steps "S401..S408, S410, S411, S413, S414"

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000001",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" }

local alice = bed:terminal { number = "+8613800138000", secret = "s3cret" }
alice:login()
local lease = alice:request_uri()
alice:register()
expect(#bed.scscf:registrations()).is(1)

bed.faults:kill { actor = "terminal" }
expect(function()
	return bed.platform:uri(lease.uri).state
end):becomes("idle", 5) -- S410, S411, S413, S414
expect(#bed.scscf:registrations()).is(0)
expect(#bed.appserver:bindings()).is(0)
