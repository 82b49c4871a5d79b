-- The platform is killed (kill -9) in a call.
--
-- The end state: it takes no part in the call, so sound goes on, hanging up works
-- and the record (as.cdr, cdr.csv) is right, all without it. A release meanwhile
-- is not lost: the AS repeats its reclaim notice (S410). The platform that has come
-- back knows both leases, reclaims both, and the pool is whole.

local bed = testbed {
	store = "file",
	idle_within = 5, -- s, I5: after the last release or fault
	timers = { retry = 0.1, dereg_retry = 0.1 },
}
local faults = bed.faults

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

-- in a call, and to its end
bob:answer_mode "auto"
expect(alice:call("tel:+8613900139000").status).is(200)
call_is(bob, "confirmed")
faults:kill { actor = "platform" }
sound_goes_on(alice)
sound_goes_on(bob)
faults:pause {
	actor = "appserver",
	at = {
		event = "as.cdr",
		number = "+8613800138000",
		callee_number = "+8613900139000",
		lease_id = 1,
		callee_lease_id = 2,
		cause = "normal",
	},
}
alice:hangup()
faults:wait { actor = "appserver" } -- it has written that very record
faults:resume { actor = "appserver" }
call_is(bob, "terminated")

-- the next one: it comes back in it, to the leases that it gave
alice:answer_mode "auto"
expect(bob:call("tel:+8613800138000").status).is(200)
call_is(alice, "confirmed")
faults:restart { actor = "platform" }
expect(bed.platform:pool().counts.occupied).is(2)
sound_goes_on(alice)
bob:hangup()
call_is(alice, "terminated")

-- killed in a call that ends with the release: told at last
expect(alice:call("tel:+8613900139000").status).is(200)
call_is(bob, "confirmed")
faults:kill { actor = "platform" }
local released = bed:spawn(function()
	pcall(function()
		alice:release() -- S409, S410: nobody answers
	end)
end)
call_is(bob, "terminated")
faults:restart { actor = "platform" }
released:wait()
alice:release() -- it had no answer: repeated, it is the same as once
bob:release()
expect(function()
	return bed.platform:pool().counts.idle
end):becomes(2, 5) -- the pool is whole again
expect(#bed.appserver:bindings()).is(0)
