-- A lease has a hard limit. What becomes of a call that is up when it comes?
--
-- The application server ends it: BYE to both, with the header
-- Reason: SIP;cause=503;text="lease ended". The charging record says
-- lease-limit. Only then is the SIP-URI given back, deregistered, and idle.
-- The other side's lease has its own limit.
--
-- Run it:  build/bin/sipshare run scenarios/lease-limit.lua

local bed = testbed { timers = { lease_limit = param("limit", 2) } }

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
local alice, bob = user "+8613800138000", user "+8613900139000"
bob:answer_mode "auto"

expect(alice:call("tel:+8613900139000").status).is(200)
expect(alice:call_state().state).is "confirmed"

local function call_of(ue)
	return function()
		return ue:call_state().state
	end
end
expect(call_of(alice)):becomes("terminated", 5)
expect(call_of(bob)):becomes("terminated", 5)
expect(function()
	return bed.platform:pool().counts.idle
end):becomes(2, 5)
expect(#bed.appserver:bindings()).is(0)
