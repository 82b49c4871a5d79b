-- The second ending of S409: the call-end message, and the maximum use time
-- after it ([0115]). Where the text is silent, this is what is built:
--
--   * call-end while the call is still up: the time begins when it is over;
--   * a new call before the time has passed: the timer is cancelled, and it
--     takes another call-end to end the use.
--
-- Nobody looks at a clock here: Carol and Dave send call-end as well, and when
-- their SIP-URIs are idle again, the maximum use time has passed.
--
-- Run it:  build/bin/sipshare run scenarios/call-end-timer.lua

local bed = testbed { max_use = param("max_use", 0.5) }
bed:expect_steps "S409/call-end, S410..S414"

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000005",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" }

local function user(number)
	local ue = bed:terminal { number = number, secret = "s3cret" }
	ue:login()
	local lease = ue:request_uri()
	ue:register()
	return ue, function()
		return bed.platform:uri(lease.uri).state
	end
end
local bob = user "+8613900139000"
bob:answer_mode "auto"

local function call_is(ue, state)
	expect(function()
		return ue:call_state().state
	end):becomes(state, 2)
end

-- Call-end in the call. The time does not run while they talk ...
local alice, alice_has = user "+8613800138000"
local carol, carol_has = user "+8613600136000"
expect(alice:call("tel:+8613900139000").status).is(200)
alice:call_end()
carol:call_end()
expect(carol_has):becomes("idle", 5)
expect(alice_has()).is "occupied"
call_is(alice, "confirmed")

-- ... and does when they have hung up.
bob:hangup()
call_is(alice, "terminated")
expect(alice_has()).is "occupied"
expect(alice_has):becomes("idle", 5)

-- A new call before the time has passed.
local erin, erin_has = user "+8613500135000"
local dave, dave_has = user "+8613700137000"
erin:call_end()
dave:call_end()
expect(erin:call("tel:+8613900139000").status).is(200)
erin:hangup()
call_is(bob, "terminated")
expect(dave_has):becomes("idle", 5)
expect(erin_has()).is "occupied"
erin:call_end()
expect(erin_has):becomes("idle", 5)

bob:release()
expect(function()
	return bed.platform:pool().counts.idle
end):becomes(5, 5)
