/* Requests of terminals that wait for the platform or the disk, and what they
 * are answered */
#include <stdio.h>
#include <stdlib.h>

#include "appserver/appserver_binding.h"
#include "common/https.h"
#include "common/mem.h"

static void on_req_gone(void *arg)
{
	struct as_waiter *w = arg;

	w->req = NULL;
}

/** Keep req until as_reply_all(); it may go away meanwhile */
void as_wait(struct as_binding *b, enum as_want want, struct https_req *req)
{
	struct as_waiter *w = xcalloc(1, sizeof(*w));
	struct as_waiter **endp = &b->waiters;

	while (*endp)
		endp = &(*endp)->next;
	w->want = want;
	w->req = req;
	*endp = w;
	https_req_on_gone(req, on_req_gone, w);
}

/** Whether any wait for this */
bool as_has_waiter(const struct as_binding *b, enum as_want want)
{
	const struct as_waiter *w = b->waiters;

	while (w && w->want != want)
		w = w->next;

	return w;
}

static void reply_refusal(struct https_req *req, const struct as_answer *why)
{
	char seconds[16];

	if (why->retry_after_s) {
		snprintf(seconds, sizeof(seconds), "%d", why->retry_after_s);
		https_req_add_header(req, "Retry-After", seconds);
	}
	https_reply_error(req, why->status, "%s", why->text);
}

/* S407, S203: [0086] */
static void reply_uri(struct https_req *req, const struct as_binding *b)
{
	https_reply_json(req, 200,
			 json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:i}", "uri",
				   b->uri, "impi", b->impi, "password",
				   b->password, "realm", b->as->realm, "proxy",
				   b->as->proxy, "lease_id",
				   (json_int_t)b->lease_id, "expires_s",
				   as_timer_left_s(b->expires_s * 1000)));
}

/** Answer req with what it wants, from what b holds */
void as_reply(struct https_req *req, enum as_want want,
	      const struct as_binding *b)
{
	switch (want) {
	case AS_WANT_URI:
		reply_uri(req, b);
		break;
	case AS_WANT_RELEASE: /* S412: [0120] */
		https_reply_json(req, 200, json_pack("{s:b}", "released", 1));
		break;
	case AS_WANT_CALL_END:
		https_reply_json(req, 200,
				 json_pack("{s:i}", "max_use_s",
					   as_timer_left_s(b->deadline_ms)));
		break;
	}
}

/**
 * Answer all that wait for one thing
 *
 * @param refusal What they are told; NULL: what they want
 *
 * @return How many were there to hear it
 */
int as_reply_all(struct as_binding *b, enum as_want want,
		 const struct as_answer *refusal)
{
	struct as_waiter **p = &b->waiters;
	int heard = 0;

	while (*p) {
		struct as_waiter *w = *p;

		if (w->want != want) {
			p = &w->next;
			continue;
		}
		*p = w->next;
		if (w->req && refusal)
			reply_refusal(w->req, refusal);
		else if (w->req)
			as_reply(w->req, want, b);
		heard += w->req ? 1 : 0;
		free(w);
	}

	return heard;
}

/** Answer "<number> <what>" */
void as_refuse(struct https_req *req, int status, const char *what,
	       const struct as_binding *b)
{
	char *text = xasprintf("%s %s", b->number, what);
	const struct as_answer why = { .status = status, .text = text };

	reply_refusal(req, &why);
	free(text);
}

const struct as_answer as_broken_store = {
	.status = 500,
	.text = "the application server could not store it; see its log",
};
