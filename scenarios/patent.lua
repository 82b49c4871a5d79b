-- CN103516675A, Fig. 4 as a whole: the life of a shared SIP-URI.
--
-- Eight processes talk over real protocols: SOAP, HTTPS, SIP and Diameter. A
-- terminal without an IMS account borrows a SIP-URI, registers with it under
-- its own real number, and gives it back for the next one.
--
--   S401           BOSS opens accounts at the HSS and gives them to the platform
--   S402 to S407   the terminal logs in, asks for a SIP-URI and gets one
--   S408           it registers with the IMS: S501 to S521 are inside (Fig. 5)
--   S409 to S412   it gives the SIP-URI back; its memory is wiped
--   S413, S414     the platform deregisters it, and it is idle again
--
-- Run it:  build/bin/sipshare run scenarios/patent.lua
-- A line of the ladder is a message or a step inside an actor, with its id.

local bed = testbed {
	policy = "round-robin", -- [0082]; "idle-queue" is [0083]
	max_use = param("max_use", 0.3), -- s that a SIP-URI may be used after a call
}
bed:expect_steps "S401..S414, S501..S521"
bed:expect_steps "S401/range, S401/list, S401/file, S401/message, S401/import"
bed:expect_steps "S409/release, S409/call-end"

local function pool_size()
	return bed.platform:pool().size
end

local function state_of(lease)
	return function()
		return bed.platform:uri(lease.uri).state
	end
end

-- S401, way (a): a number range, and the rule that makes a SIP-URI of a number.
-- The batch goes to the platform as a text file.
bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000003",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "file" }
expect(pool_size):becomes(3, 2)

-- S401, way (b): a text file that names each user's number and SIP-URI. The
-- batch goes to the platform as a message.
bed.boss:open_accounts {
	list = {
		{ number = "+8657110000011", uri = "sip:+8657110000011@ims.test" },
		{ number = "+8657110000012", uri = "sip:lending.desk@ims.test" },
	},
}
bed.boss:sync { by = "message" }
expect(pool_size):becomes(5, 2)

-- First user, first ending: a release request ([0114]).
local alice = bed:terminal { number = "+8613800138000", secret = "s3cret" }
alice:login() -- S402
local first = alice:request_uri() -- S403 to S407
expect(bed.platform:uri(first.uri).state).is "occupied" -- [0085]
alice:register() -- S408, S501 to S521
expect(alice.state).is "registered"
expect(alice:memory().holds_secret).is(true)
alice:release() -- S409 to S412
expect(alice:memory().holds_secret).is(false)
expect(state_of(first)):becomes("idle", 2) -- S413, S414

-- Second user, second ending: the call-end message ([0115]). The AS waits the
-- maximum use time, then takes the SIP-URI back by itself.
local bob = bed:terminal { number = "+8613900139000", secret = "hush" }
bob:login()
local second = bob:request_uri()
expect(second.uri).is_not(first.uri) -- round robin goes on behind the last one
bob:register()
bob:call_end()
expect(state_of(second)):becomes("idle", 2)
expect(function()
	return bob:memory().holds_secret
end):becomes(false, 2)

-- Nobody holds anything any more.
expect(#bed.appserver:bindings()).is(0)
expect(#bed.scscf:registrations()).is(0)
