-- The BOSS is killed (kill -9) at each point of a lease. Only the new password
-- after a lease (platform to BOSS to HSS) needs it, so up to there everything goes
-- on as if it were there.
--
--   1. after occupied, before the answer   the lease is given all the same
--   2. after the answer, before the binding   it is bound all the same
--   3. after the binding, before REGISTER   registered without it
--   4. in a call   sound goes on, hanging up works, the record is right
--   5. after the release, before the deregistration   deregistered without it
--   6. after the deregistration, before idle   `reclaiming`, not idle, until
--      the BOSS is back: the HSS has to have the new password first
--
-- The end state each time: one lease, bound once; the pool is whole within 5 s.
-- A BOSS that dies with the new password under way is in crash-boss.lua.

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

local function count(state)
	return function()
		return bed.platform:pool().counts[state]
	end
end

local function crash()
	faults:kill { actor = "boss" }
	faults:restart { actor = "boss" }
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

-- 3. S407, before S408
faults:kill { actor = "boss" }
alice:register() -- S408
bob:register()

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
faults:restart { actor = "boss" }
bob:answer_mode "auto"
expect(alice:call("tel:+8613900139000").status).is(200)
call_is(bob, "confirmed")
faults:kill { actor = "boss" }
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

-- 5. S411, before S413: the platform is stopped there
faults:restart { actor = "boss" }
faults:pause {
	actor = "platform",
	at = { event = "lease.state", to = "reclaiming" },
}
local released = bed:spawn(function()
	bob:release() -- S409 to S412
end)
faults:wait { actor = "platform" }
faults:kill { actor = "boss" }
faults:resume { actor = "platform" } -- S413, S414: without it
released:wait()
expect(function()
	return #bed.scscf:registrations()
end):becomes(1, 5) -- Alice's
expect(bed.platform:pool().counts.reclaiming).is(1)
faults:restart { actor = "boss" }
expect(count "idle"):becomes(1, 5)

-- 6. S414, before idle: the platform holds the answer of the IMS
faults:pause {
	actor = "platform",
	at = { proto = "sip", status = 200, method = "REGISTER" },
}
alice:release()
faults:wait { actor = "platform" }
expect(#bed.scscf:registrations()).is(0)
faults:kill { actor = "boss" }
faults:resume { actor = "platform" } -- it finds no BOSS, until it is back
expect(bed.platform:pool().counts.reclaiming).is(1)
faults:restart { actor = "boss" }
expect(count "idle"):becomes(2, 5) -- the pool is whole again
expect(#bed.appserver:bindings()).is(0)

-- The next holders have the password that the HSS has
alice:request_uri()
bob:request_uri()
alice:register()
bob:register()
alice:release()
bob:release()
expect(count "idle"):becomes(2, 5)
