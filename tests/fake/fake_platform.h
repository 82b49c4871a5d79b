/** @file fake_platform.h  A platform that lends as it should, or as told
 *
 * As usual: a POST of a new Idempotency-Key lends the next SIP-URI, of a known
 * one the same again; a DELETE is answered 200. The reply fields change that
 * for as long as they are set.
 */
#ifndef SIPSHARE_TESTS_FAKE_PLATFORM_H
#define SIPSHARE_TESTS_FAKE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>

struct element;
struct https_server;

/** What is answered instead; all 0: as usual */
struct fake_reply {
	int status;
	const char *body;
	int retry_after_s;
	bool is_silent; /**< no answer at all */
	bool is_lost;   /**< done as usual, but not answered */
};

enum { FAKE_LEASES_MAX = 32 };

/** The test looks into it and sets the replies */
struct fake_platform {
	struct element *el;
	struct https_server *server;
	char url[64];
	struct fake_reply lease, reclaim;
	int expires_s; /**< of leases */
	char keys[FAKE_LEASES_MAX][64];
	int lent;     /**< different keys so far */
	int leases;   /**< POSTs that came */
	int reclaims; /**< DELETEs that came */
	char last_path[128], last_body[512], last_peer[64];
	size_t last_body_len;
};

struct fake_platform *fake_platform_new(struct element *el, const char *dir,
					const char *listen);
struct fake_platform *fake_platform_free(struct fake_platform *fp);

#endif
