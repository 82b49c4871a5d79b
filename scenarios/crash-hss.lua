-- The HSS is killed (kill -9) four times: when it has opened accounts and not
-- answered the BOSS, between the two halves of a registration (the 401 was
-- answered, Fig. 5), while the terminal is registered, and while the platform
-- deregisters (S413). What it does at each point of a lease is in
-- crash-hss-lease.lua.
--
-- The end state: accounts that are asked for again are opened, with a password that
-- the BOSS knows; accounts and registration state were on disk before they were
-- answered (SAA), so the second half of the registration and the deregistration
-- go well when it is back; nothing is idle before the IMS has said so.

local bed = testbed {
	store = "file",
	idle_within = 5, -- s, I5: after the last release or fault
	timers = { retry = 0.1, dereg_retry = 0.1 },
}

-- on disk, and not answered
local range = {
	first = "+8657110000001",
	last = "+8657110000002",
	rule = "sip:{number}@ims.test",
}
bed.faults:kill { actor = "hss", at = { event = "hss.account-opened" } }
expect_error(function()
	bed.boss:open_accounts(range)
end, "OpenAccountsByRange")
bed.faults:restart { actor = "hss" }
expect(#bed.hss:users()).is(2)
expect(bed.boss:open_accounts(range).opened).is(2)
bed.boss:sync { by = "message" } -- S401

local function count(state)
	return function()
		return bed.platform:pool().counts[state]
	end
end

local alice = bed:terminal { number = "+8613800138000", secret = "s3cret" }
alice:login() -- S402

local lease = alice:request_uri()

-- between S510 and S511: the terminal holds its 401
bed.faults:pause {
	actor = "terminal",
	at = { proto = "sip", status = 401 },
}
local registered = bed:spawn(function()
	-- the CSCFs need a moment to find it again: refused until then
	expect(function()
		return pcall(function()
			alice:register() -- S408
		end)
	end):becomes(true, 5)
end)
bed.faults:wait { actor = "terminal" }
bed.faults:kill { actor = "hss" }
bed.faults:restart { actor = "hss" }
bed.faults:resume { actor = "terminal" }
registered:wait()
expect(alice.state).is "registered"

-- registered
bed.faults:kill { actor = "hss" }
bed.faults:restart { actor = "hss" }
for _, user in ipairs(bed.hss:users()) do
	if user.impu == lease.uri then
		expect(user.state).is "REGISTERED"
	end
end

-- S413 finds no HSS, until it is back
bed.faults:kill { actor = "hss" }
alice:release() -- S409 to S412
expect(bed.platform:uri(lease.uri).state).is "reclaiming"
bed.faults:restart { actor = "hss" }
expect(count "idle"):becomes(2, 5) -- the pool is whole again
expect(#bed.scscf:registrations()).is(0)
