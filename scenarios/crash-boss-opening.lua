-- The BOSS is killed (kill -9) while accounts are opened and given to the platform
-- (S401). The HSS makes the passwords of a range, and keeps only hashes of them:
-- once they are lost, nobody can ever register with these accounts.
--
--   1. the HSS has opened a range, and its answer dies with the BOSS. The sync
--      carries the opening on: the accounts exist, so they get passwords that were
--      on the BOSS's disk before the HSS was asked (ChangePassword)
--   2. the same with a list, and the opening is asked for again
--   3. the BOSS has learned what the HSS opened; it dies before the sync
--   4. it dies while the platform has the batch and has not said so
--   5. its request dies with the HSS, too: a sync without an HSS is told that and
--      gives nothing; with one, it carries the opening on
--
-- The end state each time: HSS, BOSS and platform hold the same accounts with the
-- same passwords: a terminal registers with each. Once the platform has confirmed
-- an account, the BOSS has forgotten its password.

local bed = testbed {
	store = "file",
	idle_within = 5, -- s, I5: after the last release or fault
	timers = { retry = 0.1, dereg_retry = 0.1 },
}
local faults = bed.faults

local function range(n)
	return {
		first = "+8657110000" .. n .. "1",
		last = "+8657110000" .. n .. "2",
		rule = "sip:{number}@ims.test",
	}
end
local function list(n)
	local accounts = {}
	for i = 1, 2 do
		local number = "+8657110000" .. n .. i
		accounts[i] = { number = number, uri = "sip:" .. number .. "@ims.test" }
	end
	return { list = accounts }
end

-- Ask the BOSS for something that it will not live to answer
local function dies_of(verb)
	local asked = bed:spawn(function()
		expect_error(verb, "boss")
	end)
	faults:wait { actor = "boss" }
	asked:wait()
	faults:restart { actor = "boss" }
end

local function sync()
	return bed.boss:sync({ by = "message" }).count
end

-- 1. A range; the HSS's answer is held at the BOSS
faults:kill { actor = "boss", at = { proto = "http", status = 200 } }
dies_of(function()
	bed.boss:open_accounts(range "10")
end)
expect(#bed.hss:users()).is(2)
expect(sync()).is(2)

-- 2. A list
faults:kill { actor = "boss", at = { proto = "http", status = 200 } }
dies_of(function()
	bed.boss:open_accounts(list "20")
end)
expect(#bed.hss:users()).is(4)
expect(bed.boss:open_accounts(list "20").opened).is(2)
expect(bed.boss:open_accounts(list "20").opened).is(0) -- exist, and are known
expect(sync()).is(2)

-- 3. Opened, and before the sync
expect(bed.boss:open_accounts(range("30")).opened).is(2)
faults:kill { actor = "boss" }
faults:restart { actor = "boss" }

-- 4. ... and in the midst of it
faults:kill { actor = "boss", at = { proto = "http", status = 200 } }
dies_of(function()
	sync()
end)
expect(bed.platform:pool().size).is(6)
expect(sync()).is(2) -- known to the platform, and confirmed
expect(sync()).is(0)

-- 5. The HSS is stopped while it holds the request
faults:pause {
	actor = "hss",
	at = { proto = "http", method = "POST", path = "/provisioning" },
}
local asked = bed:spawn(function()
	expect_error(function()
		bed.boss:open_accounts(range "40")
	end, "boss")
end)
faults:wait { actor = "hss" }
faults:kill { actor = "boss" }
faults:kill { actor = "hss" } -- and the request dies with it
asked:wait()
faults:restart { actor = "boss" }
expect_error(sync, "interrupted") -- no HSS: told, and nothing is given
faults:restart { actor = "hss" }
expect(#bed.hss:users()).is(6)
expect(sync()).is(2) -- carried on
expect(#bed.hss:users()).is(8)

-- Every account is one to register with
local pool = bed.platform:pool()
expect(pool.size).is(8)
for i = 1, pool.size do
	local ue = bed:terminal {
		number = "+861380013800" .. i,
		secret = "s3cret",
	}
	ue:login() -- S402
	ue:request_uri()
	expect(function()
		return (pcall(function()
			ue:register() -- S408; the CSCFs look for the HSS
		end))
	end):becomes(true, 5)
	ue:release()
end
expect(function()
	return bed.platform:pool().counts.idle
end):becomes(8, 5)
