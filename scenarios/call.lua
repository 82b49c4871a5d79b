-- A call between two terminals that have borrowed their SIP-URIs.
--
-- Neither Alice nor Bob has an IMS account. Each holds a SIP-URI of the pool,
-- and each calls under its own real number: the calling terminal writes it in
-- the number-display field, which in SIP is the display name of From ([0112]),
--
--     From: "+8613800138000" <sip:+8657110000001@ims.test>
--
-- and that is what the called terminal shows its user. The way of an INVITE:
--
--   terminal A -> P-CSCF -> S-CSCF (originating) -> AS -> S-CSCF -> I-CSCF
--     -> S-CSCF (terminating) -> P-CSCF -> terminal B
--
-- The AS stands in the way because A's profile says so (initial filter
-- criterion): it checks the number that is displayed, and it knows who holds
-- which SIP-URI, so that a call to a real number finds its borrower.
--
-- "The call works" means that sound crossed: each terminal sends a tone (G.711
-- over RTP, a packet each 20 ms) and counts what it receives.
--
-- Run it:  build/bin/sipshare run scenarios/call.lua

local bed = testbed {
	timers = {
		["call-ring"] = 0.5, -- s that a called terminal rings
		["sip-transaction"] = 3, -- s: 64*T1, where nobody answers at all
	},
}
bed:expect_steps "S401..S414, S501..S521"

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000003",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "file" }
expect(function()
	return bed.platform:pool().size
end):becomes(3, 2)

-- A terminal that has borrowed a SIP-URI: S402 to S407
local function borrower(number)
	local terminal = bed:terminal { number = number, secret = "s3cret" }
	terminal:login()
	terminal:request_uri()
	return terminal
end

local alice = borrower "+8613800138000"
local bob = borrower "+8613900139000"
local carol = borrower "+8613700137000"
alice:register() -- S408
bob:register()

local function state(who)
	return function()
		return who:call_state().state
	end
end

local function hears(who)
	return function()
		return who:call_state().rtp_received >= 5
	end
end

local function talk()
	expect(state(alice)):becomes("confirmed", 2)
	expect(state(bob)):becomes("confirmed", 2)
	expect(hears(alice)):becomes(true, 2)
	expect(hears(bob)):becomes(true, 2)
end

local function over()
	expect(state(alice)):becomes("terminated", 2)
	expect(state(bob)):becomes("terminated", 2)
end

-- 1. Alice calls Bob by his SIP-URI, and ends the call.
expect(alice:call(bob.uri).status).is(200)
talk()
expect(bob:call_state().shown).is "+8613800138000" -- [0112]
alice:hangup()
over()

-- 2. Bob calls Alice by her real number. The AS knows which SIP-URI she holds.
expect(bob:call("tel:+8613800138000").status).is(200)
talk()
expect(alice:call_state().shown).is "+8613900139000"
alice:hangup() -- the called side
over()

-- 3. Alice gives up while it rings: CANCEL, 487.
bob:answer_mode "ring"
alice:start_call(bob.uri)
expect(state(bob)):becomes("early", 2)
expect(alice:cancel().status).is(487)
over()

-- 4. Bob lets it ring and answers in the end.
alice:start_call(bob.uri)
expect(state(bob)):becomes("early", 2)
bob:answer()
talk()
bob:hangup()
over()

-- 5. Bob does not answer: 480 after a while.
expect(alice:call(bob.uri).status).is(480)

-- 6. Bob does not want to: 486, 603.
bob:answer_mode "busy"
expect(alice:call(bob.uri).status).is(486)
bob:answer_mode "decline"
expect(alice:call(bob.uri).status).is(603)

-- 7. A second call for who has one: busy; or, if Bob lets calls wait, it rings
-- beside the first (TS 24.615), and answering it ends the first.
carol:register()
bob:answer_mode "auto"
expect(alice:call(bob.uri).status).is(200)
expect(carol:call(bob.uri).status).is(486)
bob:answer_mode "waiting"
carol:start_call(bob.uri)
expect(function()
	local waiting = bob:call_state().waiting
	return waiting and waiting.shown
end):becomes("+8613700137000", 2)
bob:answer()
expect(state(alice)):becomes("terminated", 2)
expect(hears(carol)):becomes(true, 2)
carol:hangup()
expect(state(bob)):becomes("terminated", 2)

-- 8. Nobody there: a SIP-URI that is no account, a number that nobody has, and
-- a terminal that holds a SIP-URI but has not registered it.
expect(alice:call("sip:+8657119999999@ims.test").status).is(404)
expect(alice:call("tel:+8613611136111").status).is(404)
local held = bob.uri
bob:release()
expect(function()
	return bed.platform:uri(held).state
end):becomes("idle", 2)
expect(alice:call(held).status).is(480)

-- 9. Carol's terminal is gone without a word: no answer at all, 408.
carol:answer_mode "none"
expect(alice:call(carol.uri).status).is(408)

-- 10. Who gives its SIP-URI back (S409) ends its call first; and after that
-- nothing is left of either in the terminal's memory.
carol:answer_mode "auto"
carol:hangup() -- what is left of 9
expect(alice:call(carol.uri).status).is(200)
expect(hears(carol)):becomes(true, 2)
alice:release()
expect(state(carol)):becomes("terminated", 2)
expect(alice:call_state().state).is "idle"
expect(alice:memory().holds_secret).is(false)
carol:release()
expect(function()
	return bed.platform:pool().counts.idle
end):becomes(3, 2)
