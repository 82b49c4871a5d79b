-- The BOSS is killed (kill -9) while a SIP-URI is on its way back to idle: the IMS
-- has deregistered it (S414), and the platform asks the BOSS for a new password.
-- Once before the BOSS has told the HSS, once when the HSS has answered and the
-- platform has not heard of it.
--
-- The end state: the SIP-URI stays `reclaiming` as long as it is not certain
-- that the HSS has the new password; the platform repeats its request until
-- the BOSS is back, and then it is idle. An old password opens nothing.

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

-- asked, not acted on
alice:request_uri()
alice:register()
bed.faults:kill {
	actor = "boss",
	at = { proto = "http", method = "POST", path = "/v1/password" },
}
alice:release() -- S409 to S412
bed.faults:wait { actor = "boss" }
expect(bed.platform:pool().counts.reclaiming).is(1)
bed.faults:restart { actor = "boss" }
expect(count "idle"):becomes(2, 5) -- the pool is whole again

-- done at the HSS, not answered
alice:request_uri()
alice:register()
bed.faults:kill { actor = "boss", at = { proto = "http", status = 200 } }
alice:release()
bed.faults:wait { actor = "boss" }
expect(bed.platform:pool().counts.reclaiming).is(1)
bed.faults:restart { actor = "boss" }
expect(count "idle"):becomes(2, 5)

-- what was lent is right at the HSS: it can be registered again
alice:request_uri()
alice:register()
alice:release()
expect(count "idle"):becomes(2, 5)
