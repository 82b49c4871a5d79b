/** @file fake_as.h  An application server that answers as told
 *
 * As usual: a login gives a token; a use request gives lease 1, whose password
 * and P-CSCF are the test's; release and call-end are answered 200. The reply
 * fields change that for as long as they are set.
 */
#ifndef SIPSHARE_TESTS_FAKE_AS_H
#define SIPSHARE_TESTS_FAKE_AS_H

#include "tests/fake/fake_platform.h"

/** The test looks into it and sets the replies */
struct fake_as {
	struct https_server *server;
	char url[64];
	struct fake_reply login, uri, release, call_end;
	int logins, uris, releases, call_ends; /**< that came */
	int lose; /**< so many of the next requests are not answered */
	const char *password;
	char proxy[80];
	int expires_s, max_use_s;
	char last_body[512], last_authorization[128];
};

struct fake_as *fake_as_new(struct element *el, const char *dir);
struct fake_as *fake_as_free(struct fake_as *fa);

#endif
