-- The HSS is killed (kill -9) at each point of a lease. It takes part in the
-- registration and the deregistration alone, so everything else goes on as if it
-- were there; what needs it is refused, is told so, and goes well when it is back.
--
--   1. after occupied, before the answer   the lease is given all the same
--   2. after the answer, before the binding   it is bound all the same
--   3. after the binding, before REGISTER   without an HSS: 480, nothing is
--      half registered; with it again: registered
--   4. in a call   sound goes on, hanging up works, the record is right; a new
--      call is refused until the HSS is back
--   5. after the release, before the deregistration   `reclaiming` until it is
--      back, then idle
--   6. after the deregistration, before idle   `reclaiming` until it has the new
--      password: killed before it is asked, and when it has it and has not said so
--
-- The end state each time: one lease, bound once; the pool is whole within 5 s.
-- crash-hss.lua has the points within a registration.

local bed = testbed {
	store = "file",
	idle_within = 5, -- s, I5: after the last release or fault
	timers = { retry = 0.1, dereg_retry = 0.1 },
}
local faults = bed.faults

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000003",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" } -- S401

local function count(state)
	return function()
		return bed.platform:pool().counts[state]
	end
end

local function crash()
	faults:kill { actor = "hss" }
	faults:restart { actor = "hss" }
end

-- The CSCFs need a moment to find an HSS that is back: refused until then
local function becomes_registered(ue)
	expect(function()
		return (pcall(function()
			ue:register() -- S408
		end))
	end):becomes(true, 5)
	expect(ue.state).is "registered"
end

local function is_whole()
	expect(count "idle"):becomes(3, 5)
	expect(#bed.appserver:bindings()).is(0)
	expect(#bed.scscf:registrations()).is(0)
end

local alice = bed:terminal { number = "+8613800138000", secret = "s3cret" }
local bob = bed:terminal { number = "+8613900139000", secret = "hush" }
alice:login() -- S402
bob:login()

-- 1. [0085], before S406: the platform is stopped there
faults:pause {
	actor = "platform",
	at = { event = "lease.state", to = "occupied" },
}
local asked = bed:spawn(function()
	alice:request_uri() -- S403 to S407
end)
faults:wait { actor = "platform" }
crash()
faults:resume { actor = "platform" }
asked:wait()

-- 2. S406, before S407: the AS is stopped while it holds the answer
faults:pause {
	actor = "appserver",
	at = { proto = "http", status = 201, path = "/v1/leases" },
}
asked = bed:spawn(function()
	bob:request_uri()
end)
faults:wait { actor = "appserver" }
crash()
faults:resume { actor = "appserver" }
asked:wait()
expect(#bed.appserver:bindings()).is(2)
expect(bed.platform:pool().counts.occupied).is(2)
becomes_registered(bob)

-- 3. S407, before S408
faults:kill { actor = "hss" }
expect_error(function()
	alice:register()
end, "480")
expect(alice.state).is_not "registered"
expect(#bed.scscf:registrations()).is(1) -- Bob's
faults:restart { actor = "hss" }
becomes_registered(alice)

-- 4. In a call
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
bob:answer_mode "auto"
expect(alice:call("tel:+8613900139000").status).is(200)
call_is(bob, "confirmed")
faults:kill { actor = "hss" }
sound_goes_on(alice)
sound_goes_on(bob)
faults:pause {
	actor = "appserver",
	at = {
		event = "as.cdr",
		number = "+8613800138000",
		callee_number = "+8613900139000",
		cause = "normal",
	},
}
alice:hangup()
faults:wait { actor = "appserver" } -- it has written that very record
faults:resume { actor = "appserver" }
call_is(bob, "terminated")
expect(alice:call("tel:+8613900139000").status).is(504)
faults:restart { actor = "hss" }
expect(function()
	return alice:call("tel:+8613900139000").status
end):becomes(200, 5)
alice:hangup()
call_is(bob, "terminated")

-- 5. S411, before S413
local lease = bob.uri
faults:pause {
	actor = "platform",
	at = { event = "lease.state", to = "reclaiming" },
}
local released = bed:spawn(function()
	bob:release() -- S409 to S412
end)
faults:wait { actor = "platform" }
faults:kill { actor = "hss" }
faults:resume { actor = "platform" } -- S413 finds no HSS
released:wait()
expect(bed.platform:uri(lease).state).is "reclaiming"
faults:restart { actor = "hss" }
expect(function()
	return bed.platform:uri(lease).state
end):becomes("idle", 5)

-- 6. S414, before idle: the new password cannot be set
faults:pause {
	actor = "platform",
	at = { proto = "sip", status = 200, method = "REGISTER" },
}
lease = alice.uri
alice:release()
faults:wait { actor = "platform" } -- it holds S414
faults:kill { actor = "hss" }
faults:resume { actor = "platform" }
expect(bed.platform:uri(lease).state).is "reclaiming"
faults:restart { actor = "hss" }
is_whole()

-- ... and has been set, but nobody was told: it is set again
alice:request_uri()
becomes_registered(alice)
faults:kill { actor = "hss", at = { event = "hss.password-changed" } }
alice:release()
faults:wait { actor = "hss" }
expect(bed.platform:pool().counts.reclaiming).is(1)
faults:restart { actor = "hss" }
is_whole()

-- The next holders have the password that the HSS has
alice:request_uri()
bob:request_uri()
becomes_registered(alice)
becomes_registered(bob)
expect(bed.platform:pool().counts.occupied).is(2)
alice:release()
bob:release()
is_whole()
