-- More users than SIP-URIs. The patent is silent on it; what is built:
--
-- Without a waiting list the platform answers the apply message (S404) with 503
-- and a Retry-After, which the AS passes on; the terminal says pool-exhausted,
-- and nothing is half bound. With one (`platform --waiting-max N`) up to N apply
-- messages wait for a SIP-URI to become idle, first come, first served.
--
-- Run it:  build/bin/sipshare run scenarios/exhaustion.lua
--          build/bin/sipshare run scenarios/exhaustion.lua --set waiting=0

local waiting = param("waiting", 1)
local bed = testbed {
	options = { platform = { ["waiting-max"] = waiting } },
}

bed.boss:open_accounts {
	first = "+8657110000001",
	last = "+8657110000001",
	rule = "sip:{number}@ims.test",
}
bed.boss:sync { by = "message" }

local function terminal(number)
	local t = bed:terminal { number = number, secret = "s" .. number }
	t:login()
	return t
end

local alice = terminal("+8613800138000")
local bob = terminal("+8613900139000")
local carol = terminal("+8613700137000")
local lease = alice:request_uri()
alice:register()

-- Bob waits, if he may; for Carol there is no room.
local bobs
local asked = waiting > 0 and bed:spawn(function()
	bobs = bob:request_uri()
end)
expect(function()
	return bed.platform:pool().waiting
end):becomes(waiting, 2)
expect_error(function()
	carol:request_uri()
end, "pool%-exhausted")
expect_error(function()
	carol:request_uri()
end, "Retry%-After")
expect(#bed.appserver:bindings() <= 1 + waiting).is(true)

-- Alice gives it back: who has waited gets it, with a password of its own.
alice:release()
if waiting > 0 then
	asked:wait()
	expect(bobs.uri).is(lease.uri)
	expect(bobs.lease_id > lease.lease_id).is(true)
	bob:register()
	expect(bob.state).is "registered"
	bob:release()
end
expect(function()
	return bed.platform:uri(lease.uri).state
end):becomes("idle", 2)

-- And now there is one for Carol.
expect(carol:request_uri().uri).is(lease.uri)
carol:release()
expect(function()
	return bed.platform:uri(lease.uri).state
end):becomes("idle", 2)
