/* Client to the SIP-URI management platform (HTTPS, mutual TLS) */
#include <stdlib.h>
#include <string.h>

#include "appserver/appserver_binding.h"
#include "common/fsm.h"
#include "common/https.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"

enum { TEXT_LEN = 256 };

/* Tell the binding; text is freed */
static void tell(struct as_binding *b, enum as_event event,
		 struct as_answer *answer, char *text)
{
	answer->text = text;
	b->turn = AS_OURS;
	if (text)
		log_warn("appserver %s: %s", b->number, text);
	(void)fsm_event(b->fsm, (int)event, answer);
	free(text);
}

/* Nothing came, or what came is no sense */
static char *explain(const struct as_binding *b, const char *what,
		     const struct https_resp *resp)
{
	char text[TEXT_LEN];

	https_resp_reason(resp, text, sizeof(text));
	if (!resp->status)
		return xasprintf("the platform did not answer the %s: %s", what,
				 text);

	return xasprintf("the platform %s refused the %s: %s", b->as->platform,
			 what, text);
}

/* S406: [0084]. The lease borrows from body; NULL, or what is wrong with it */
static char *read_lease(struct as_lease *lease, const json_t *body)
{
	static const int64_t positive[] = { 1, INT32_MAX };
	static const int64_t ids[] = { 1, INT64_MAX };
	char *reason = NULL;

	lease->uri = json_need_string(body, "uri", &reason);
	if (lease->uri && strncmp(lease->uri, "sip:", 4) != 0)
		return xasprintf("the field \"uri\" is no SIP-URI: %s",
				 lease->uri);
	if (lease->uri)
		lease->password = json_need_string(body, "password", &reason);
	if (lease->password &&
	    !json_need_int(&lease->lease_id, body, "lease_id", ids, &reason))
		(void)json_need_int(&lease->expires_s, body, "expires_s",
				    positive, &reason);
	lease->impi = json_find_string(body, "impi");

	return reason;
}

static char *read_leased(const struct as_binding *b, struct as_lease *lease,
			 const struct https_resp *resp, json_t **bodyp)
{
	char *reason = NULL, *text;

	*bodyp = json_read(resp->body ? resp->body : "", resp->len, &reason);
	if (*bodyp)
		reason = read_lease(lease, *bodyp);
	if (!reason)
		return NULL;

	text = xasprintf("the platform %s gave no usable lease: %s",
			 b->as->platform, reason);
	free(reason);

	return text;
}

static void on_lease(const struct https_resp *resp, void *arg)
{
	struct as_answer answer = { .outcome = AS_REFUSED, .status = 502 };
	struct as_binding *b = arg;
	json_t *body = NULL;
	char *text;

	if (resp->status == 201 || resp->status == 200)
		text = read_leased(b, &answer.lease, resp, &body);
	else
		text = explain(b, "request for a SIP-URI", resp);
	if (!text)
		answer.outcome = AS_DONE;
	if (!resp->status) {
		answer.outcome = AS_UNKNOWN;
		answer.status = 504;
	} else if (resp->status == 503) {
		answer.status = 503;
		answer.retry_after_s =
			resp->retry_after_s ? resp->retry_after_s : 1;
	}
	tell(b, AS_EV_LEASE, &answer, text);
	json_decref(body);
}

static void call(struct as_binding *b, const struct https_call *what,
		 https_resp_cb *cb)
{
	https_client_call(b->as->client, what, cb, b);
}

/**
 * Apply for a SIP-URI: an empty body. S404, S202: [0080]
 *
 * The key makes a repeated request draw the same lease. AS_EV_LEASE follows.
 */
void as_tx_lease(struct as_binding *b)
{
	char *url = xasprintf("%s/v1/leases", b->as->platform);
	const struct https_call post = {
		.method = "POST",
		.url = url,
		.headers = { "Idempotency-Key", b->key },
	};

	as_timer_answer(b);
	call(b, &post, on_lease);
	free(url);
}

/* S411: [0119]. Not known there (404), or lent again since (409): either way
 * the number has it no more */
static void on_reclaimed(const struct https_resp *resp, void *arg)
{
	struct as_answer answer = { .outcome = AS_DONE, .status = 502 };
	struct as_binding *b = arg;
	char *text = NULL;

	if (resp->status != 200 && resp->status != 204)
		text = explain(b, "reclaim notice", resp);
	if (!resp->status)
		answer.status = 504;
	if (text && resp->status != 404 && resp->status != 409)
		answer.outcome = AS_UNKNOWN;
	tell(b, AS_EV_RECLAIMED, &answer, text);
}

/** Reclaim notice with the SIP-URI. S410: [0118]. AS_EV_RECLAIMED follows */
void as_tx_reclaim(struct as_binding *b)
{
	char *url = xasprintf("%s/v1/leases/%lld", b->as->platform,
			      (long long)b->lease_id);
	json_t *body = json_pack("{s:s}", "uri", b->uri);
	char *text = json_dumps(body, JSON_COMPACT);
	const struct https_call del = { .method = "DELETE",
					.url = url,
					.type = "application/json",
					.body = text,
					.len = strlen(text) };

	as_timer_answer(b);
	call(b, &del, on_reclaimed);
	json_decref(body);
	free(text);
	free(url);
}
