-- The AS is killed (kill -9) after the IMS has deregistered the SIP-URI (S414)
-- and before it is idle: the platform is stopped while it holds that answer.
--
-- The end state: what is left to do is the platform's, so the SIP-URI is idle
-- while the AS is down. The AS that has come back binds it to nobody, and lends it
-- again when it is asked, by the login that it gave before.

local bed = testbed {
	store = "file",
	idle_within = 5, -- s, I5: after the last release or fault
	timers = { retry = 0.1, dereg_retry = 0.1 },
}
local faults = bed.faults

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000001",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" } -- S401

local function is_whole()
	expect(function()
		return bed.platform:pool().counts.idle
	end):becomes(1, 5)
end

local alice = bed:terminal { number = "+8613800138000", secret = "s3cret" }
alice:login() -- S402

local first = alice:request_uri()
alice:register()
faults:pause {
	actor = "platform",
	at = { proto = "sip", status = 200, method = "REGISTER" },
}
alice:release() -- S409 to S412
faults:wait { actor = "platform" } -- it holds S414
faults:kill { actor = "appserver" }
faults:resume { actor = "platform" }
is_whole()
faults:restart { actor = "appserver" }
expect(#bed.appserver:bindings()).is(0)
expect(alice:memory().holds_secret).is(false)

local second = alice:request_uri()
expect(second.uri).is(first.uri)
expect(second.lease_id).is(first.lease_id + 1)
expect(#bed.appserver:bindings()).is(1)
alice:register()
alice:release()
is_whole()
expect(#bed.appserver:bindings()).is(0)
