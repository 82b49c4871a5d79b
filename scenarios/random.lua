-- Random users and random faults. Three terminals ask, register and give back
-- as they like, while elements are killed, paused, lose or delay messages at
-- points that are drawn too. Whatever happens, the invariants I1 to I6 hold,
-- and when all elements are up again, so does the pool: nothing is lost.
--
-- The seed draws users and faults, and which element acts next: time is virtual
-- and one message at a time is acted on, so that the same seed goes the same way,
-- and one that fails fails again:
--   build/bin/sipshare run --seed 7 --set steps=20 scenarios/random.lua

local seed = param("seed", 1)
local steps = param("steps", 6)
math.randomseed(seed)

local bed = testbed {
	seed = seed,
	store = "file",
	max_use = 0.3,
	idle_within = 10, -- s, I5: after the last release or fault
	timers = { retry = 0.1, retry_max = 0.5, dereg_retry = 0.1 },
}
bed:log("seed " .. seed .. ", steps " .. steps)

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000003",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" } -- S401

local users = {}
for i = 1, 3 do
	users[i] = bed:terminal {
		number = "+861380013800" .. i,
		secret = "s3cret" .. i,
	}
	users[i]:login() -- S402
end

local function one_of(list)
	return list[math.random(#list)]
end

-- Where an element can be struck: at a decision, or at a message received.
local function http(method, path)
	return { proto = "http", method = method, path = path }
end
local function cx(method)
	return { proto = "diameter", method = method }
end
local points = {
	platform = {
		{ event = "lease.state", to = "occupied" },
		{ event = "lease.state", to = "reclaiming" },
		{ event = "lease.state", to = "idle" },
		http("POST", "/v1/leases"),
		http("DELETE", "/v1/leases"),
		{ proto = "sip", status = 200 },
		{ proto = "sip", status = 401 },
	},
	appserver = {
		{ event = "as.bound" },
		{ event = "as.unbound" },
		{ event = "fsm", machine = "as.binding", to = "requested" },
		{ event = "fsm", machine = "as.binding", to = "releasing" },
		http("POST", "/v1/sip-uri"),
		http("POST", "/v1/release"),
		{ proto = "http", status = 201 },
		{ proto = "http", method = "DELETE", status = 200 },
	},
	hss = { cx "UAR", cx "MAR", cx "SAR" },
	boss = { http("POST", "/v1/password"), { proto = "http", status = 200 } },
	pcscf = {
		{ proto = "sip", method = "REGISTER" },
		{ proto = "sip", status = 200 },
	},
	scscf = { { proto = "sip", method = "REGISTER" }, cx "SAA" },
}
-- what it has answered is on disk: it can be killed at any time
local durable = { "platform", "appserver", "hss", "boss" }
local all = { "platform", "appserver", "hss", "boss", "pcscf", "scscf" }

local function draw_fault()
	local actor = one_of(all)
	local kind = one_of { "kill", "kill", "pause", "lose", "now" }

	if kind == "kill" or kind == "now" then
		actor = one_of(durable)
	end
	local at = one_of(points[actor])
	if bed.faults:left { actor = actor } > 0 then
		return -- one waits for its point there
	end
	if bed.faults:state { actor = actor } ~= "up" then
		return
	end
	if kind == "now" then
		bed.faults:kill { actor = actor }
	elseif kind == "lose" and actor == "pcscf" then
		-- over UDP, so it is sent again (RFC 3261 17.1.2.2)
		bed.faults:drop {
			to = actor,
			proto = at.proto,
			method = at.method,
			status = at.status,
		}
	elseif kind == "kill" then
		bed.faults:kill { actor = actor, at = at }
	else
		bed.faults:pause { actor = actor, at = at }
	end
end

-- Who is down comes back, who is paused goes on, all the while.
local is_over = false
local function repair()
	for _, actor in ipairs(all) do
		local state = bed.faults:state { actor = actor }
		if state == "down" then
			bed.faults:restart { actor = actor }
		elseif state == "paused" then
			bed.faults:resume { actor = actor }
		end
	end
end

bed:spawn(function()
	expect(function()
		repair()
		return is_over
	end):becomes(true, 600)
end)

-- What a user may want, by the terminal's state; it may be refused.
local wishes = {
	["logged-in"] = { "request_uri" },
	released = { "request_uri" },
	leased = { "register", "register", "release" },
	registered = { "release", "release", "call_end", "register" },
}

local function play(user, verb)
	pcall(function()
		user[verb](user)
	end)
end

for step = 1, steps do
	local user = one_of(users)
	local wish = wishes[user.state]
	if math.random() < 0.7 then
		draw_fault()
	end
	if wish then
		local verb = one_of(wish)
		bed:log(step .. ": " .. user.number .. " " .. verb)
		play(user, verb)
	end
end

-- All give back what they have; the pool is whole.
for _, user in ipairs(users) do
	expect(function()
		if user.state == "leased" or user.state == "registered" then
			play(user, "release")
		end
		return user.state == "leased" or user.state == "registered"
	end):becomes(false, 20)
end
expect(function()
	local ok, idle = pcall(function()
		return bed.platform:pool().counts.idle
	end)
	return ok and idle
end):becomes(3, 20)
expect(function()
	local ok, n = pcall(function()
		return #bed.appserver:bindings()
	end)
	return ok and n
end):becomes(0, 20)
is_over = true
bed:log "the pool is whole"
