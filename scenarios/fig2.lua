-- CN103516675A, Fig. 2: the method as the application server sees it (S201 to
-- S203).
--
--   S201  the AS receives a terminal's request to use a SIP-URI
--   S202  it gets a SIP-URI from the management platform: the apply message,
--         whose body is empty ([0080]), and the answer
--   S203  it binds the SIP-URI to the terminal's real number, and passes it on
--
-- What is bound is what is charged: whatever is done with the SIP-URI counts
-- for the real number until it is released ([0087]).
--
-- Run it:  build/bin/sipshare run scenarios/fig2.lua

local bed = testbed {}
bed:expect_steps "S201..S203"

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000002",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" }
expect(#bed.appserver:bindings()).is(0)

local alice = bed:terminal { number = "+8613800138000", secret = "s3cret" }
local bob = bed:terminal { number = "+8613900139000", secret = "hush" }
local leases = {}

-- Both at once: each gets a SIP-URI of its own.
bed:parallel(function()
	alice:login()
	leases.alice = alice:request_uri() -- S201 to S203
end, function()
	bob:login()
	leases.bob = bob:request_uri()
end)
expect(leases.alice.uri).is_not(leases.bob.uri)

local bound = {}
for _, binding in ipairs(bed.appserver:bindings()) do
	bound[binding.number] = binding.uri
end
expect(bound["+8613800138000"]).is(leases.alice.uri)
expect(bound["+8613900139000"]).is(leases.bob.uri)
