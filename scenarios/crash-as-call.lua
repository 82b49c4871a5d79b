-- The AS is killed (kill -9) in a call.
--
-- The end state: sound goes on, for it never passed the AS. The call has a
-- charging record with the cause as-restart, under the number that was bound when
-- it began; who hangs up is told that the AS knows nothing of the call any more
-- (481), and is free for the next one. The bindings are what they were. A call is
-- charged up to when it was last known to be up: here that is when it was answered
-- (timer cdr-interim).

local bed = testbed {
	store = "file",
	idle_within = 5, -- s, I5: after the last release or fault
	timers = { retry = 0.1, dereg_retry = 0.1 },
}

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000002",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" } -- S401

local function user(number)
	local ue = bed:terminal { number = number, secret = "s3cret" }
	ue:login()
	ue:request_uri()
	ue:register()
	return ue
end
local alice, bob = user "+8613800138000", user "+8613900139000"

local function call_is(ue, state)
	expect(function()
		return ue:call_state().state
	end):becomes(state, 5)
end

local function sound_goes_on(ue)
	local had = ue:call_state().rtp_received
	expect(function()
		return ue:call_state().rtp_received >= had + 3
	end):becomes(true, 5)
end

local function crash()
	bed.faults:kill { actor = "appserver" }
	bed.faults:restart { actor = "appserver" }
end

-- in a call
bob:answer_mode "auto"
expect(alice:call("tel:+8613900139000").status).is(200)
call_is(bob, "confirmed")
crash()
sound_goes_on(alice)
sound_goes_on(bob)
alice:hangup()
bob:hangup()
call_is(alice, "terminated")
call_is(bob, "terminated")
expect(#bed.appserver:bindings()).is(2)

-- and the next one, to the end
expect(alice:call("tel:+8613900139000").status).is(200)
alice:hangup()
call_is(bob, "terminated")

alice:release()
bob:release()
expect(function()
	return bed.platform:pool().counts.idle
end):becomes(2, 5) -- the pool is whole again
