-- CN103516675A, Fig. 1: the method as the terminal sees it (S101 to S103).
--
--   S101  the terminal sends a request to use a SIP-URI, with its real number
--   S102  it receives the SIP-URI that the AS has got from the platform, and
--         keeps it in memory ([0129])
--   S103  it registers with the IMS by that SIP-URI
--
-- Its units: 011 sends, 012 receives, 013 registers (Fig. 6); 014 wipes the
-- SIP-URI from memory in the end (Fig. 7).
--
-- Run it:  build/bin/sipshare run scenarios/fig1.lua

local bed = testbed {}
bed:expect_steps "S101..S103"

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000002",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" }

local alice = bed:terminal { number = "+8613800138000", secret = "s3cret" }
expect(alice.state).is "logged-out"
alice:login()
expect(alice:memory().holds_secret).is(false)

local lease = alice:request_uri() -- S101, S102
expect(lease.uri).matches "^sip:.*@ims%.test$"
expect(alice.uri).is(lease.uri)
expect(alice:memory().holds_secret).is(true)

alice:register() -- S103
expect(alice.state).is "registered"

-- Asked twice, it has the same SIP-URI: one real number, one lease.
expect(#bed.appserver:bindings()).is(1)

alice:release()
expect(alice:memory().holds_secret).is(false)
