-- The network ends a registration while a call is up.
--
-- BOSS changes a password, or closes an account, at the HSS. The HSS tells the
-- S-CSCF (RTR, TS 29.228 6.1.3), and with the registration end the sessions of
-- its user (TS 24.229 5.4.1.5): the S-CSCF, which has kept the dialogs of its
-- users, sends a BYE in both directions (5.4.5.1.2), with the header
-- Reason: SIP;cause=480;text="deregistered by the network". The application
-- server passes it on to the other leg, and the charging record says
-- deregistered. Alice, who has borrowed her SIP-URI, pays till then and no
-- longer; her own registration stays.
--
-- Run it:  build/bin/sipshare run scenarios/deregistered-call.lua

local bed = testbed {}
local DAVE = "sip:+8657110000008@ims.test"
local ERIN = "sip:+8657110000009@ims.test"

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000001",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" }
bed.boss:open_accounts {
	list = {
		{ number = "+8657110000008", uri = DAVE, password = "dave's" },
		{ number = "+8657110000009", uri = ERIN, password = "erin's" },
	},
}

-- Alice borrows; Dave and Erin have accounts of their own.
local alice = bed:terminal { number = "+8613800138000", secret = "s3cret" }
alice:login()
alice:request_uri()
alice:register()
local function owner(number, uri, password)
	local ue = bed:account {
		number = number,
		uri = uri,
		password = password,
	}
	ue:register()
	return ue
end
local dave = owner("+8613500135000", DAVE, "dave's")
local erin = owner("+8613600136000", ERIN, "erin's")

local function is_up(ue)
	expect(function()
		return ue:call_state().state
	end):becomes("confirmed", 2)
end

local function has_ended(ue)
	expect(function()
		return ue:call_state().state
	end):becomes("terminated", 2)
	expect(ue:call_state().reason).is "deregistered by the network"
end

-- 1. The called user's password is changed.
dave:answer_mode "auto"
expect(alice:call(DAVE).status).is(200)
is_up(dave)
bed.boss:change_password(DAVE)
has_ended(alice)
has_ended(dave)
expect_error(function()
	dave:register()
end, "403")

-- 2. The calling user's account is closed.
alice:answer_mode "auto"
expect(erin:call(alice.uri).status).is(200)
is_up(alice)
bed.boss:close_account(ERIN)
has_ended(alice)
has_ended(erin)
expect(#bed.scscf:registrations()).is(1)

alice:release()
expect(function()
	return bed.platform:pool().counts.idle
end):becomes(1, 2)
