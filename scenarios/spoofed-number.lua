-- A terminal may write any number in the number-display field ([0112]). What
-- does the called user see, and who pays?
--
-- The application server is in the path of each call. It compares the field
-- with the real number that the caller's SIP-URI is bound to. A foreign number
-- is replaced by the bound one, or the call is refused with 403, by policy:
--
--   build/bin/sipshare run scenarios/spoofed-number.lua
--   build/bin/sipshare run --set refuse=yes scenarios/spoofed-number.lua
--
-- Either way the bound number is charged ([0087]).

local refuse = param("refuse", "no") == "yes"
local bed = testbed { number_policy = refuse and "refuse" or "replace" }

local ALICE, BOB, BANK = "+8613800138000", "+8613900139000", "+861095588"

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000002",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" }

local function user(number)
	local ue = bed:terminal { number = number, secret = "s3cret" }
	ue:login()
	ue:request_uri()
	ue:register()
	return ue
end
local alice, bob = user(ALICE), user(BOB)
bob:answer_mode "auto"

-- Under her own number: Bob sees it. She calls the number that she knows of
-- him; the application server knows which SIP-URI it stands for.
expect(alice:call("tel:" .. BOB).status).is(200)
expect(bob:call_state().shown).is(ALICE)
alice:hangup()
expect(function()
	return bob:call_state().state
end):becomes("terminated", 2)

-- Under the bank's number.
local forged = alice:call { to = "tel:" .. BOB, display = BANK }
if refuse then
	expect(forged.status).is(403)
else
	expect(forged.status).is(200)
	expect(bob:call_state().shown).is(ALICE)
	alice:hangup()
end

alice:release()
bob:release()
expect(function()
	return bed.platform:pool().counts.idle
end):becomes(2, 2)
