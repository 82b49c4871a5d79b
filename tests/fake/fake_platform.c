#include "tests/fake/fake_platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/https.h"
#include "common/mem.h"

static void look(struct fake_platform *fp, struct https_req *req)
{
	size_t len = 0;
	const char *body = https_req_body(req, &len);
	const char *peer = https_req_peer_name(req);

	snprintf(fp->last_path, sizeof(fp->last_path), "%s",
		 https_req_path(req));
	snprintf(fp->last_body, sizeof(fp->last_body), "%.*s", (int)len,
		 body ? body : "");
	snprintf(fp->last_peer, sizeof(fp->last_peer), "%s", peer ? peer : "");
	fp->last_body_len = len;
}

/* Whether the test has said something else than "as usual" */
static bool is_told(struct https_req *req, const struct fake_reply *reply)
{
	char seconds[16];

	if (reply->is_silent)
		return true;
	if (!reply->status)
		return false;

	if (reply->retry_after_s) {
		snprintf(seconds, sizeof(seconds), "%d", reply->retry_after_s);
		https_req_add_header(req, "Retry-After", seconds);
	}
	https_reply(req, reply->status, "application/json", reply->body,
		    reply->body ? strlen(reply->body) : 0);

	return true;
}

static int lease_of(struct fake_platform *fp, const char *key)
{
	int i = 0;

	while (i < fp->lent && strcmp(fp->keys[i], key) != 0)
		i++;
	ck_assert_int_lt(i, FAKE_LEASES_MAX);
	if (i == fp->lent)
		snprintf(fp->keys[fp->lent++], sizeof(fp->keys[i]), "%s", key);

	return i + 1;
}

static void on_lease(struct https_req *req, void *arg)
{
	struct fake_platform *fp = arg;
	const char *key = https_req_header(req, "Idempotency-Key");
	char uri[64], password[32];
	int id;

	fp->leases++;
	look(fp, req);
	if (is_told(req, &fp->lease))
		return;

	ck_assert_ptr_nonnull(key);
	id = lease_of(fp, key);
	if (fp->lease.is_lost)
		return;

	snprintf(uri, sizeof(uri), "sip:+86571100%05d@ims.test", id);
	snprintf(password, sizeof(password), "pw-%d", id);
	https_reply_json(req, 201,
			 json_pack("{s:s, s:s, s:i, s:i}", "uri", uri,
				   "password", password, "lease_id", id,
				   "expires_s", fp->expires_s));
}

static void on_reclaim(struct https_req *req, void *arg)
{
	struct fake_platform *fp = arg;

	fp->reclaims++;
	look(fp, req);
	if (!is_told(req, &fp->reclaim) && !fp->reclaim.is_lost)
		https_reply_json(req, 200, json_object());
}

static const struct https_route routes[] = {
	{ "POST", "/v1/leases", on_lease },
	{ "DELETE", "/v1/leases/", on_reclaim },
	{ NULL, NULL, NULL },
};

/**
 * A platform that takes clients of the CA in dir alone
 *
 * @param dir    Holds platform.pem and ca.pem
 * @param listen "127.0.0.1:0", or where an earlier one was
 */
struct fake_platform *fake_platform_new(struct element *el, const char *dir,
					const char *listen)
{
	struct fake_platform *fp = xcalloc(1, sizeof(*fp));
	char *cert = xasprintf("%s/platform.pem", dir);
	char *ca = xasprintf("%s/ca.pem", dir);
	const struct https_server_cfg cfg = { .listen = listen,
					      .cert_file = cert,
					      .ca_file = ca };
	char *reason = NULL;

	fp->el = el;
	fp->expires_s = 86400;
	ck_assert_msg(
		!https_server_new(&fp->server, el, &cfg, routes, fp, &reason),
		"%s", reason);
	snprintf(fp->url, sizeof(fp->url), "https://%s",
		 https_server_addr(fp->server));
	free(cert);
	free(ca);

	return fp;
}

struct fake_platform *fake_platform_free(struct fake_platform *fp)
{
	if (fp) {
		https_server_free(fp->server);
		free(fp);
	}

	return NULL;
}
