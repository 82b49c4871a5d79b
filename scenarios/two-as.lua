-- Two application servers at one platform: who lends, and who is asked in a call?
--
-- The patent has an AS ask the platform for a SIP-URI with an empty message
-- (S404), so that nothing keeps a second AS from asking too. Alice and Bob log in
-- at the first, Carol and Dave at the second; the pool has three SIP-URIs.
--
-- What must hold: no SIP-URI is given to both; what one AS gives back the other
-- may lend; a real number is found from either side; each call is checked
-- ([0112]) and charged ([0087]) by one AS, the caller's; an AS that is killed
-- takes down the service of its own users alone, and is what it was afterwards.
--
-- In a call the S-CSCF sends the INVITE through both AS, in the order of the
-- filter criteria. Each acts for the SIP-URIs and numbers that it has bound, and
-- passes on what is another's:
--
--   terminal A -> P-CSCF -> S-CSCF -> AS -> S-CSCF -> AS 2 -> S-CSCF -> I-CSCF
--     -> S-CSCF -> P-CSCF -> terminal B
--
-- Run it:  build/bin/sipshare run scenarios/two-as.lua

local bed = testbed {
	appservers = 2,
	store = "file", -- bindings outlive the kill
	idle_within = 5, -- s, I5: after the last release or fault
	timers = { retry = 0.1, dereg_retry = 0.1 },
}
bed:expect_steps "S401..S414, S501..S521"

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000003",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" } -- S401

local ALICE, BOB = "+8613800138000", "+8613900139000"
local CAROL, DAVE = "+8613700137000", "+8613600136000"

local function terminal(number, appserver)
	local t = bed:terminal {
		number = number,
		secret = "s" .. number,
		appserver = appserver,
	}
	t:login() -- S402
	return t
end

local alice = terminal(ALICE, "appserver")
local bob = terminal(BOB, "appserver")
local carol = terminal(CAROL, "appserver2")
local dave = terminal(DAVE, "appserver2")

-- 1. Both AS ask at once (S404): three SIP-URIs, no two the same.
local uris = {}
bed:parallel(function()
	uris.alice = alice:request_uri().uri
end, function()
	uris.bob = bob:request_uri().uri
end, function()
	uris.carol = carol:request_uri().uri
end)
expect(uris.alice ~= uris.bob).is(true)
expect(uris.alice ~= uris.carol).is(true)
expect(uris.bob ~= uris.carol).is(true)
expect(#bed.appserver:bindings()).is(2)
expect(#bed.appserver2:bindings()).is(1)
alice:register() -- S408; S520 goes to both
bob:register()
carol:register()

-- 2. None is left for Dave at AS 2, till Bob gives his back at AS 1.
expect_error(function()
	dave:request_uri()
end, "pool%-exhausted")
bob:release()
expect(function()
	return bed.platform:uri(uris.bob).state
end):becomes("idle", 2)
uris.dave = dave:request_uri().uri
expect(uris.dave).is(uris.bob)
dave:register()

-- 3. Calls from either side to the other, by the number and by the SIP-URI.
local function state(who)
	return function()
		return who:call_state().state
	end
end

local function calls(from, to, by)
	expect(from:call(by).status).is(200)
	expect(state(to)):becomes("confirmed", 2)
	expect(to:call_state().shown).is(from.number) -- [0112]
	from:hangup()
	expect(state(from)):becomes("terminated", 2)
	expect(state(to)):becomes("terminated", 2)
end

calls(alice, carol, "tel:" .. CAROL) -- AS 1 passes the number on to AS 2
calls(carol, alice, "tel:" .. ALICE) -- AS 1 knows it, and not the caller
calls(carol, dave, "tel:" .. DAVE)
calls(alice, dave, dave.uri)
calls(dave, alice, alice.uri)

-- A number that nobody has, from either side: the last AS makes it an account,
-- and the HSS knows of none.
expect(alice:call("tel:+8613611136111").status).is(404)
expect(carol:call("tel:+8613611136111").status).is(404)

-- A number that is not the caller's is replaced by its own AS.
local forged = dave:call { to = "tel:" .. ALICE, display = "+861095588" }
expect(forged.status).is(200)
expect(alice:call_state().shown).is(DAVE)
dave:hangup()
expect(state(alice)):becomes("terminated", 2)

-- 4. AS 1 is killed (kill -9). Those of AS 2 go on: they call each other, give
-- back and borrow. Whose caller Alice is nobody can say: 403, not free of charge.
local before = bed.appserver:bindings()
bed.faults:kill { actor = "appserver" }
calls(carol, dave, "tel:" .. DAVE)
calls(carol, alice, alice.uri)
expect(alice:call(carol.uri).status).is(403)
dave:release()
expect(function()
	return bed.platform:uri(uris.dave).state
end):becomes("idle", 2)
expect(dave:request_uri().uri).is(uris.dave)
dave:register()

-- 5. AS 1 is back, and its bindings are what they were.
bed.faults:restart { actor = "appserver" }
local after = bed.appserver:bindings()
expect(#after).is(#before)
expect(after[1].number).is(ALICE)
expect(after[1].uri).is(before[1].uri)
expect(after[1].lease_id).is(before[1].lease_id)
expect(after[1].state).is "bound"
calls(alice, carol, "tel:" .. CAROL)
calls(dave, alice, "tel:" .. ALICE)

-- 6. AS 2 is killed. Alice, whom AS 1 charges, goes on; for Carol there is no
-- call now, for nobody would check and charge it.
bed.faults:kill { actor = "appserver2" }
calls(alice, carol, carol.uri)
expect(carol:call(alice.uri).status).is(504)
bed.faults:restart { actor = "appserver2" }
expect(#bed.appserver2:bindings()).is(2)
calls(carol, alice, alice.uri)

-- 7. Both give back, and the pool is whole again.
alice:release() -- S409 to S412
carol:release()
dave:release()
expect(function()
	return bed.platform:pool().counts.idle
end):becomes(3, 2)
expect(#bed.appserver:bindings()).is(0)
expect(#bed.appserver2:bindings()).is(0)
