-- A SIP-URI that is given back before its holder ever registered with it.
--
-- The platform deregisters it all the same (S413, [0121]), for it cannot know.
-- The IMS answers 403: the HSS does not have the identity as registered (TS
-- 24.229 5.3.1.3). That could be a refusal too, so the platform registers the
-- SIP-URI from its own address, by its password, and deregisters it: the 200 to
-- that is the confirmation (S414, [0122]), and the SIP-URI is idle again.
--
-- Run it:  build/bin/sipshare run scenarios/unused-lease.lua

local bed = testbed {}
bed:expect_steps "S401..S414"

local function state_of(lease)
	return function()
		return bed.platform:uri(lease.uri).state
	end
end

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000001",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" }

-- First an ordinary life.
local alice = bed:terminal { number = "+8613800138000", secret = "s3cret" }
alice:login()
local first = alice:request_uri()
alice:register()
alice:release()
expect(state_of(first)):becomes("idle", 2)

-- Then one without S408.
local bob = bed:terminal { number = "+8613900139000", secret = "hush" }
bob:login()
local second = bob:request_uri()
expect(second.uri).is(first.uri)
expect(#bed.scscf:registrations()).is(0)
bob:release() -- S409 to S412
expect(state_of(second)):becomes("idle", 2) -- S413, S414
expect(#bed.scscf:registrations()).is(0)

-- It is whole: the next holder registers with it as ever.
alice:login()
local third = alice:request_uri()
expect(third.uri).is(first.uri)
alice:register()
expect(alice.state).is "registered"
alice:release()
expect(state_of(third)):becomes("idle", 2)
