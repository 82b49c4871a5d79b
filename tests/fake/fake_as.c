#include "tests/fake/fake_as.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/https.h"
#include "common/mem.h"

/* Whether the test has said something else than "as usual" */
static bool is_told(struct fake_as *fa, struct https_req *req,
		    const struct fake_reply *reply)
{
	size_t len = 0;
	const char *body = https_req_body(req, &len);
	const char *auth = https_req_header(req, "Authorization");
	char seconds[16];

	snprintf(fa->last_body, sizeof(fa->last_body), "%.*s", (int)len,
		 body ? body : "");
	snprintf(fa->last_authorization, sizeof(fa->last_authorization), "%s",
		 auth ? auth : "");
	if (reply->is_silent || fa->lose > 0) {
		fa->lose--;
		return true;
	}
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

static void on_login(struct https_req *req, void *arg)
{
	struct fake_as *fa = arg;

	fa->logins++;
	if (!is_told(fa, req, &fa->login))
		https_reply_json(req, 200,
				 json_pack("{s:s, s:i}", "token", "t0ken",
					   "expires_s", 3600));
}

static void on_uri(struct https_req *req, void *arg)
{
	struct fake_as *fa = arg;

	fa->uris++;
	if (!is_told(fa, req, &fa->uri))
		https_reply_json(
			req, 200,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i}", "uri",
				  "sip:+8657110000001@ims.test", "impi",
				  "+8657110000001@ims.test", "password",
				  fa->password, "realm", "ims.test", "proxy",
				  fa->proxy, "lease_id", 1, "expires_s",
				  fa->expires_s));
}

static void on_release(struct https_req *req, void *arg)
{
	struct fake_as *fa = arg;

	fa->releases++;
	if (!is_told(fa, req, &fa->release))
		https_reply_json(req, 200, json_object());
}

static void on_call_end(struct https_req *req, void *arg)
{
	struct fake_as *fa = arg;

	fa->call_ends++;
	if (!is_told(fa, req, &fa->call_end))
		https_reply_json(
			req, 200,
			json_pack("{s:i}", "max_use_s", fa->max_use_s));
}

static const struct https_route routes[] = {
	{ "POST", "/v1/login", on_login },
	{ "POST", "/v1/sip-uri", on_uri },
	{ "POST", "/v1/release", on_release },
	{ "POST", "/v1/call-end", on_call_end },
	{ NULL, NULL, NULL },
};

/** @param dir Holds appserver.pem */
struct fake_as *fake_as_new(struct element *el, const char *dir)
{
	struct fake_as *fa = xcalloc(1, sizeof(*fa));
	char *cert = xasprintf("%s/appserver.pem", dir);
	const struct https_server_cfg cfg = { .listen = "127.0.0.1:0",
					      .cert_file = cert };
	char *reason = NULL;

	fa->password = "pw-1";
	fa->expires_s = 86400;
	fa->max_use_s = 30;
	snprintf(fa->proxy, sizeof(fa->proxy), "sip:127.0.0.1:9");
	ck_assert_msg(
		!https_server_new(&fa->server, el, &cfg, routes, fa, &reason),
		"%s", reason);
	snprintf(fa->url, sizeof(fa->url), "https://%s",
		 https_server_addr(fa->server));
	free(cert);

	return fa;
}

struct fake_as *fake_as_free(struct fake_as *fa)
{
	if (fa) {
		https_server_free(fa->server);
		free(fa);
	}

	return NULL;
}
