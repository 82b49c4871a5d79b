/* What terminals ask of the AS over HTTPS */
#include <stdlib.h>

#include "appserver/appserver_core.h"
#include "common/addr.h"
#include "common/https.h"
#include "common/json.h"
#include "common/mem.h"

enum { BODY_MAX = 4096 };

/* S402, S403, S409: the real number that each request holds. NULL: the request
 * has been answered */
static const char *need_number(struct https_req *req, const json_t *body)
{
	char *reason = NULL;
	const char *number = json_need_string(body, "number", &reason);

	if (!number) {
		https_reply_error(req, 400, "%s", reason);
		free(reason);
	} else if (!as_is_number(number)) {
		https_reply_error(req, 400,
				  "the field \"number\" must be an E.164 "
				  "number as +8613800138000; it is \"%.40s\"",
				  number);
		number = NULL;
	}

	return number;
}

/* The body as JSON, the caller's; NULL: the request has been answered */
static json_t *need_body(const struct appserver *as, struct https_req *req)
{
	size_t len = 0;
	const char *text = https_req_body(req, &len);
	char *reason = NULL;
	json_t *body;

	if (!as->is_ready) {
		https_req_add_header(req, "Retry-After", "1");
		https_reply_error(req, 503,
				  "the application server is starting");
		return NULL;
	}
	body = json_read(text ? text : "", len, &reason);
	if (!body)
		https_reply_error(req, 400, "%s", reason);
	free(reason);

	return body;
}

/* S402 */
static void on_login(struct https_req *req, void *arg)
{
	const struct appserver *as = arg;
	json_t *body = need_body(as, req);
	const char *number = body ? need_number(req, body) : NULL;
	const char *secret;
	char *reason = NULL;

	if (!number)
		goto out;

	secret = json_need_string(body, "secret", &reason);
	if (secret)
		as_login_rx(as->login, req, number, secret);
	else
		https_reply_error(req, 400, "%s", reason);
	free(reason);

out:
	json_decref(body);
}

static void on_want(struct appserver *as, struct https_req *req,
		    enum as_want want)
{
	json_t *body = need_body(as, req);
	const char *number = body ? need_number(req, body) : NULL;
	char *reason = NULL;
	int status;

	if (!number)
		goto out;

	status = as_session_check(as->login,
				  https_req_header(req, "Authorization"),
				  number, &reason);
	if (!status) {
		as_binding_rx(as, number, want, req);
		goto out;
	}
	if (status == 401) /* RFC 9110 11.6.1, RFC 6750 3 */
		https_req_add_header(req, "WWW-Authenticate",
				     "Bearer realm=\"appserver\"");
	https_reply_error(req, status, "%s", reason);
	free(reason);

out:
	json_decref(body);
}

/* S403, S201 */
static void on_sip_uri(struct https_req *req, void *arg)
{
	on_want(arg, req, AS_WANT_URI);
}

/* S409 */
static void on_release(struct https_req *req, void *arg)
{
	on_want(arg, req, AS_WANT_RELEASE);
}

/* S409, the other way */
static void on_call_end(struct https_req *req, void *arg)
{
	on_want(arg, req, AS_WANT_CALL_END);
}

static const struct https_route routes[] = {
	{ "POST", "/v1/login", on_login },
	{ "POST", "/v1/sip-uri", on_sip_uri },
	{ "POST", "/v1/release", on_release },
	{ "POST", "/v1/call-end", on_call_end },
	{ NULL, NULL, NULL },
};

/** Listen for terminals, and be able to call the platform */
int as_https_open(struct appserver *as, const struct appserver_cfg *cfg,
		  char **reasonp)
{
	/* terminals show a token, the platform wants a certificate */
	const struct https_server_cfg server = { .listen = cfg->https,
						 .cert_file = cfg->cert,
						 .body_max = BODY_MAX };
	char host[ADDR_TEXT_LEN];
	const struct https_client_cfg client = {
		.cert_file = cfg->cert,
		.ca_file = cfg->ca,
		.bind = addr_own_host(host, cfg->https, cfg->platform)
	};
	int err = https_client_new(&as->client, as->el, &client, reasonp);

	if (err)
		return err;

	return https_server_new(&as->https, as->el, &server, routes, as,
				reasonp);
}

/** Where terminals reach the AS, as https_server_addr() gives it */
const char *as_https_addr(const struct appserver *as)
{
	return https_server_addr(as->https);
}
