#include "tests/fake/https_guest.h"

#include <string.h>

#include <check.h>

#include "common/loop.h"

struct tls_peer *guest;

void guest_setup(void)
{
	bench_setup();
	guest = NULL;
}

void guest_teardown(void)
{
	guest = tls_peer_free(guest);
	bench_teardown();
}

void guest_none(void)
{
	bench_serve(true, 0);
	bench_client(bench.cert, bench.ca);
}

bool guest_is_open(const void *arg)
{
	return ((const struct tls_peer *)arg)->is_open;
}

bool guest_is_closed(const void *arg)
{
	return ((const struct tls_peer *)arg)->is_closed;
}

bool guest_has_kept(const void *arg)
{
	(void)arg;
	return bench.kept != NULL;
}

void guest_has(const char *text, const char *wanted)
{
	ck_assert_msg(text && strstr(text, wanted), "\"%s\" is not in \"%s\"",
		      wanted, text ? text : "(null)");
}

void guest_open(size_t body_max)
{
	bench_serve(true, body_max);
	guest = tls_peer_connect(bench.loop, https_server_addr(bench.server),
				 bench.cert);
	bench_run_until(guest_is_open, guest);
}
