-- The AS is killed (kill -9) in the release: once when it has decided to give the
-- SIP-URI back and not yet told the platform (S410), once when the platform's
-- response has come (S411) and the terminal's (S412) has not gone.
--
-- The end state: the terminal, which had no answer, repeats its release, and it
-- is the same as once: the platform has one reclaim, or a notice for a
-- lease that has ended, and the pool is whole.

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

local function count(state)
	return function()
		return bed.platform:pool().counts[state]
	end
end

local alice = bed:terminal { number = "+8613800138000", secret = "s3cret" }
alice:login() -- S402

-- before S410
alice:request_uri()
alice:register()
bed.faults:kill {
	actor = "appserver",
	at = { event = "fsm", machine = "as.binding", to = "releasing" },
}
local released = bed:spawn(function()
	pcall(function()
		alice:release() -- S409
	end)
end)
bed.faults:wait { actor = "appserver" }
released:wait()
bed.faults:restart { actor = "appserver" }
alice:release()
expect(count "idle"):becomes(2, 5) -- the pool is whole again
expect(#bed.appserver:bindings()).is(0)

-- after S411
alice:request_uri()
alice:register()
bed.faults:kill {
	actor = "appserver",
	at = { proto = "http", method = "DELETE", status = 200 },
}
released = bed:spawn(function()
	pcall(function()
		alice:release()
	end)
end)
bed.faults:wait { actor = "appserver" }
released:wait()
bed.faults:restart { actor = "appserver" }
alice:release()
expect(count "idle"):becomes(2, 5) -- the pool is whole again
expect(function()
	return #bed.appserver:bindings()
end):becomes(0, 2)
expect(alice:memory().holds_secret).is(false)
