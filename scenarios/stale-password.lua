-- Who held a SIP-URI before still knows its password. What is that worth?
--
-- Each lease has a password of its own: after the deregistration (S413, S414)
-- the platform makes a new one, and has the BOSS give it to the HSS before the
-- SIP-URI is idle again. The HSS tells the S-CSCF (RTR, TS 29.228 6.1.3), which
-- drops registration and challenges. So an earlier holder's REGISTER gets 403,
-- also when its 401 was answered before the change.
--
-- The earlier holder here is Mallory: a UE that was given the SIP-URI's first
-- password by hand, as one who wrote it down would have it.
--
-- Run it:  build/bin/sipshare run scenarios/stale-password.lua

local bed = testbed { max_use = 0.2 }
bed:expect_steps "S401..S414, S501..S521"
local uri = "sip:+8657110000001@ims.test"

local function state()
	return bed.platform:uri(uri).state
end

local function refused(who)
	expect_error(function()
		who:register()
	end, "403")
end

bed.boss:open_accounts {
	list = {
		{ number = "+8657110000001", uri = uri, password = "first-holder" },
	},
}
bed.boss:sync { by = "message" }

local alice = bed:terminal { number = "+8613800138000", secret = "s3cret" }
alice:login()
expect(alice:request_uri().uri).is(uri)
alice:register()
expect(alice.state).is "registered"

-- In mid-registration: Mallory is challenged while the first lease lasts, but
-- the 401 is long on its way. Meanwhile the lease ends ([0115]), and the
-- password is changed.
local mallory = bed:account {
	number = "+8613600136000",
	uri = uri,
	password = "first-holder",
}
bed.faults:delay { to = "terminal", proto = "sip", status = 401, s = 1.5 }
local attempt = bed:spawn(function()
	refused(mallory)
end)
alice:call_end()
expect(state):becomes("idle", 1.3) -- S413, S414, and the new password
attempt:wait()

-- From the beginning: challenged with the new password's hash, and refused.
refused(mallory)

-- The next holder is not disturbed, neither by Mallory's tries ...
local bob = bed:terminal { number = "+8613900139000", secret = "hush" }
bob:login()
expect(bob:request_uri().uri).is(uri)
bob:register()
refused(mallory)
expect(bob.state).is "registered"
expect(#bed.scscf:registrations()).is(1)

-- ... nor by what is left of them at the release.
bob:release()
expect(state):becomes("idle", 2)
expect(#bed.scscf:registrations()).is(0)
refused(mallory)
