/* The life of a binding: the state machine of one real number */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "appserver/appserver_binding.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/https.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/timer.h"
#include "common/trace.h"

static void wipe_text(char **textp)
{
	if (*textp)
		OPENSSL_cleanse(*textp, strlen(*textp));
	free(*textp);
	*textp = NULL;
}

/** Forget all but the number */
void as_binding_clear(struct as_binding *b)
{
	wipe_text(&b->uri);
	wipe_text(&b->impi);
	wipe_text(&b->password);
	wipe_text(&b->key);
	b->lease_id = b->expires_s = 0;
	b->deadline_ms = 0;
	b->reg = AS_REG_NEVER;
	b->retries = 0;
}

/* The number uses the SIP-URI no more */
static void unbind(struct as_binding *b, const char *why)
{
	as_uri_remove(b);
	if (!b->is_bound)
		return;

	b->is_bound = false;
	trace_event(b->as->el->trace, "as.unbound",
		    json_pack("{s:s, s:s, s:I, s:s}", "number", b->number,
			      "uri", b->uri, "lease_id",
			      (json_int_t)b->lease_id, "why", why));
}

static void to_none(struct as_binding *b)
{
	as_binding_clear(b);
	fsm_goto(b->fsm, AS_NONE);
}

/* ---- none ---- */

static void new_key(struct as_binding *b)
{
	enum { KEY_BYTES = 16 };
	unsigned char bytes[KEY_BYTES];
	char hex[2 * KEY_BYTES + 1];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		abort(); /* no entropy: nothing of TLS would work either */
	for (size_t i = 0; i < KEY_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	xstrset(&b->key, hex);
}

static void none(void *obj, int event, void *data)
{
	struct as_binding *b = obj;

	switch (event) {
	case AS_EV_WANT_URI: /* S201: [0079] */
		as_wait(b, AS_WANT_URI, data);
		new_key(b);
		fsm_goto(b->fsm, AS_REQUESTED);
		as_store_requested(b);
		break;
	case AS_EV_WANT_RELEASE: /* repeated: its answer was lost */
		as_reply(data, AS_WANT_RELEASE, b);
		break;
	default:
		as_refuse(data, 404, "uses no SIP-URI", b);
	}
}

/* ---- requested ---- */

/* An older lease of the same SIP-URI has ended at the platform unknown to us:
 * lease ids only grow, so the newer one is right */
static void supersede(const struct as_binding *b)
{
	struct as_binding *old = as_binding_of_uri(b->as, b->uri);

	if (old && old->lease_id < b->lease_id)
		(void)fsm_event(old->fsm, AS_EV_SUPERSEDED, NULL);
}

static void on_lease(struct as_binding *b, const struct as_answer *answer)
{
	if (answer->outcome == AS_UNKNOWN) {
		/* it may have been lent: ask again, by the same key */
		as_reply_all(b, AS_WANT_URI, answer);
		as_reply_all(b, AS_WANT_RELEASE, answer);
		as_timer_retry(b);
		return;
	}
	if (answer->outcome == AS_REFUSED) {
		as_store_none(b, false);
		to_none(b);
		as_reply_all(b, AS_WANT_URI, answer);
		as_reply_all(b, AS_WANT_RELEASE, NULL);
		return;
	}
	xstrset(&b->uri, answer->lease.uri);
	xstrset(&b->password, answer->lease.password);
	/* TS 23.003 13.3: by default user@realm of the public identity */
	xstrset(&b->impi, answer->lease.impi ? answer->lease.impi
					     : answer->lease.uri + 4);
	b->lease_id = answer->lease.lease_id;
	b->expires_s = as_wall_ms() / 1000 + answer->lease.expires_s;
	b->retries = 0;
	supersede(b);
	as_store_bound(b);
}

static void begin_release(struct as_binding *b, const char *why)
{
	/* the AS has looked up what to free: [0116] */
	log_info("appserver %s: %s goes back to the platform: %s", b->number,
		 b->uri, why);
	as_uri_remove(b);
	fsm_goto(b->fsm, AS_RELEASING);
	/* whoever comes next must find no call of this lease */
	as_calls_end(b, as_timer_is_limit(b) ? "lease-limit" : "lease-ended");
	as_store_releasing(b);
}

static void set_deadline(struct as_binding *b, int64_t deadline_ms)
{
	b->deadline_ms = deadline_ms;
	as_timer_arm(b);
	as_store_deadline(b);
}

/* [0115]: the maximum use time begins when no call is up: before that, the
 * SIP-URI is in use for what it was lent for */
static void start_timer(struct as_binding *b)
{
	if (b->calls) {
		set_deadline(b, AS_AFTER_CALL);
		return;
	}
	set_deadline(b, as_wall_ms() + timer_value_ms(TIMER_MAX_USE));
	trace_event(b->as->el->trace, "as.timer-started",
		    json_pack("{s:s, s:s, s:i}", "number", b->number, "uri",
			      b->uri, "max_use_s",
			      as_timer_left_s(b->deadline_ms)));
}

static void cancel_timer(struct as_binding *b, int64_t deadline_ms)
{
	if (b->deadline_ms > 0)
		trace_event(b->as->el->trace, "as.timer-cancelled",
			    json_pack("{s:s, s:s}", "number", b->number, "uri",
				      b->uri));
	if (b->deadline_ms)
		set_deadline(b, deadline_ms);
}

/* The platform lent it, but it cannot be bound: give it back */
static void not_kept(struct as_binding *b, int err)
{
	char *text = xasprintf("the platform %s lent %s, which another number "
			       "uses; see the application server's log",
			       b->as->platform, b->uri);
	const struct as_answer taken = { .status = 502, .text = text };

	as_reply_all(b, AS_WANT_URI, err == EEXIST ? &taken : &as_broken_store);
	free(text);
	fsm_goto(b->fsm, AS_RELEASING);
	as_tx_reclaim(b);
}

/* S407, S203: [0086], [0087] */
static void on_kept(struct as_binding *b, int err)
{
	if (err) {
		not_kept(b, err);
		return;
	}
	fsm_goto(b->fsm, AS_BOUND);
	as_uri_add(b);
	b->is_bound = true;
	as_timer_arm(b);
	trace_event(b->as->el->trace, "as.bound",
		    json_pack("{s:s, s:s, s:I}", "number", b->number, "uri",
			      b->uri, "lease_id", (json_int_t)b->lease_id));
	/* nobody was there to be told: as after a call-end, until the terminal
	 * asks again */
	if (!as_reply_all(b, AS_WANT_URI, NULL) &&
	    !as_has_waiter(b, AS_WANT_RELEASE))
		start_timer(b);
	if (as_has_waiter(b, AS_WANT_RELEASE))
		begin_release(b, "released while it was asked for");
}

/* It is under way, but the terminal is not kept waiting for it */
static void tell_late(struct as_binding *b)
{
	char *text = xasprintf("the platform %s has not answered yet; ask "
			       "again",
			       b->as->platform);
	const struct as_answer late = { .status = 504, .text = text };

	as_reply_all(b, AS_WANT_URI, &late);
	as_reply_all(b, AS_WANT_RELEASE, &late);
	free(text);
}

/* Who asks again is not kept waiting for the pause to end */
static void ask_now(struct as_binding *b)
{
	if (b->turn == AS_PAUSE)
		as_tx_lease(b);
}

static void requested(void *obj, int event, void *data)
{
	struct as_binding *b = obj;

	switch (event) {
	case AS_EV_STORED:
		if (!*(int *)data) {
			as_tx_lease(b); /* S404 */
			break;
		}
		to_none(b);
		as_reply_all(b, AS_WANT_URI, &as_broken_store);
		as_reply_all(b, AS_WANT_RELEASE, NULL);
		break;
	case AS_EV_LEASE:
		on_lease(b, data);
		break;
	case AS_EV_KEPT:
		on_kept(b, *(int *)data);
		break;
	case AS_EV_WANT_URI:
		as_wait(b, AS_WANT_URI, data);
		ask_now(b);
		break;
	case AS_EV_WANT_RELEASE:
		as_wait(b, AS_WANT_RELEASE, data);
		ask_now(b);
		break;
	case AS_EV_WANT_CALL_END:
		as_refuse(data, 409,
			  "has no SIP-URI yet: it is being asked for", b);
		break;
	default: /* AS_EV_DUE */
		if (b->turn == AS_PLATFORM)
			tell_late(b);
		ask_now(b);
	}
}

/* ---- bound ---- */

static void on_timed(struct as_binding *b, int err)
{
	if (err && as_has_waiter(b, AS_WANT_CALL_END))
		b->deadline_ms = 0; /* it will be asked for again */
	as_reply_all(b, AS_WANT_CALL_END, err ? &as_broken_store : NULL);
}

/* S409 by call-end: [0115]. Repeated, it does not begin anew */
static void on_call_end(struct as_binding *b, struct https_req *req)
{
	if (b->deadline_ms && !as_has_waiter(b, AS_WANT_CALL_END)) {
		as_reply(req, AS_WANT_CALL_END, b);
		return;
	}
	as_wait(b, AS_WANT_CALL_END, req);
	if (!b->deadline_ms)
		start_timer(b);
}

/* A terminal that vanished: its lease ends with its registration, but not
 * under a call that is up */
static void on_vanished(struct as_binding *b)
{
	if (b->reg != AS_REG_ON)
		return; /* not of this lease: a late notice */

	b->reg = AS_REG_ENDED;
	if (b->calls)
		as_store_reg(b);
	else
		begin_release(b, "registration ended");
}

static void on_registered(struct as_binding *b)
{
	if (b->reg == AS_REG_ON)
		return;

	b->reg = AS_REG_ON;
	as_store_reg(b);
}

static void on_call_over(struct as_binding *b)
{
	if (b->calls)
		return;

	if (b->reg == AS_REG_ENDED)
		begin_release(b, "registration ended");
	else if (b->deadline_ms == AS_AFTER_CALL)
		start_timer(b);
}

static void on_due(struct as_binding *b)
{
	if (!as_timer_is_due(b))
		as_timer_arm(b);
	else
		begin_release(b, as_timer_is_limit(b) ? "lease expired"
						      : "max-use");
}

static void bound(void *obj, int event, void *data)
{
	struct as_binding *b = obj;

	switch (event) {
	case AS_EV_WANT_URI: /* asked twice: the same one */
		as_reply(data, AS_WANT_URI, b);
		cancel_timer(b, 0);
		break;
	case AS_EV_WANT_RELEASE: /* S409: [0114] */
		as_wait(b, AS_WANT_RELEASE, data);
		begin_release(b, "released");
		break;
	case AS_EV_WANT_CALL_END:
		on_call_end(b, data);
		break;
	case AS_EV_TIMED:
		on_timed(b, *(int *)data);
		break;
	case AS_EV_SUPERSEDED:
		unbind(b, "superseded");
		b->reg = AS_REG_NEVER;
		b->deadline_ms = 0;
		as_calls_end(b, "lease-ended");
		as_store_none(b, false);
		to_none(b);
		break;
	case AS_EV_CALL_MADE: /* the terminal goes on: as if not said */
		cancel_timer(b, 0);
		break;
	case AS_EV_CALL_GOT: /* not its doing: the time begins anew later */
		cancel_timer(b, AS_AFTER_CALL);
		break;
	case AS_EV_CALL_OVER:
		on_call_over(b);
		break;
	case AS_EV_REGISTERED:
		on_registered(b);
		break;
	case AS_EV_DEREGISTERED:
		on_vanished(b);
		break;
	default: /* AS_EV_DUE */
		on_due(b);
	}
}

/* ---- releasing ---- */

static void on_reclaimed(struct as_binding *b, const struct as_answer *answer)
{
	if (answer->outcome != AS_DONE) {
		as_reply_all(b, AS_WANT_RELEASE, answer);
		as_timer_retry(b);
		return;
	}
	unbind(b, "released");
	as_store_none(b, true);
}

static void releasing(void *obj, int event, void *data)
{
	struct as_binding *b = obj;

	switch (event) {
	case AS_EV_STORED:
		/* S410. If it is not on disk, a restart will find it bound,
		 * and the terminal's next release sets that right */
		as_tx_reclaim(b);
		break;
	case AS_EV_TIMED:
		as_reply_all(b, AS_WANT_CALL_END, NULL);
		break;
	case AS_EV_CALL_OVER: /* by begin_release() */
		break;
	case AS_EV_RECLAIMED:
		on_reclaimed(b, data);
		break;
	case AS_EV_GONE: /* S412 */
		to_none(b);
		as_reply_all(b, AS_WANT_RELEASE, NULL);
		break;
	case AS_EV_WANT_URI:
		as_refuse(data, 409,
			  "is giving its SIP-URI back: ask again soon", b);
		break;
	case AS_EV_WANT_RELEASE:
		as_wait(b, AS_WANT_RELEASE, data);
		if (b->turn == AS_PAUSE)
			as_tx_reclaim(b);
		break;
	case AS_EV_WANT_CALL_END:
		https_reply_json(data, 200, json_pack("{s:i}", "max_use_s", 0));
		break;
	default: /* AS_EV_DUE */
		if (b->turn == AS_PLATFORM)
			tell_late(b);
		else if (b->turn == AS_PAUSE)
			as_tx_reclaim(b);
	}
}

#define WANTS                                                                  \
	(FSM_BIT(AS_EV_WANT_URI) | FSM_BIT(AS_EV_WANT_RELEASE) |               \
	 FSM_BIT(AS_EV_WANT_CALL_END))

#define CALLS                                                                  \
	(FSM_BIT(AS_EV_CALL_MADE) | FSM_BIT(AS_EV_CALL_GOT) |                  \
	 FSM_BIT(AS_EV_CALL_OVER))

static const struct fsm_state states[AS_STATE_N] = {
	[AS_NONE] = { "none", WANTS, FSM_BIT(AS_REQUESTED), TIMER_NONE, none },
	[AS_REQUESTED] = { "requested",
			   WANTS | FSM_BIT(AS_EV_STORED) |
				   FSM_BIT(AS_EV_LEASE) | FSM_BIT(AS_EV_KEPT) |
				   FSM_BIT(AS_EV_DUE),
			   FSM_BIT(AS_NONE) | FSM_BIT(AS_BOUND) |
				   FSM_BIT(AS_RELEASING),
			   TIMER_NONE, requested },
	[AS_BOUND] = { "bound",
		       WANTS | CALLS | FSM_BIT(AS_EV_TIMED) |
			       FSM_BIT(AS_EV_SUPERSEDED) | FSM_BIT(AS_EV_DUE) |
			       FSM_BIT(AS_EV_REGISTERED) |
			       FSM_BIT(AS_EV_DEREGISTERED),
		       FSM_BIT(AS_NONE) | FSM_BIT(AS_RELEASING), TIMER_NONE,
		       bound },
	[AS_RELEASING] = { "releasing",
			   WANTS | FSM_BIT(AS_EV_STORED) |
				   FSM_BIT(AS_EV_TIMED) |
				   FSM_BIT(AS_EV_CALL_OVER) |
				   FSM_BIT(AS_EV_RECLAIMED) |
				   FSM_BIT(AS_EV_GONE) | FSM_BIT(AS_EV_DUE),
			   FSM_BIT(AS_NONE), TIMER_NONE, releasing },
};

static const char *const event_names[AS_EVENT_N] = {
	[AS_EV_WANT_URI] = "SIP-URI use request",
	[AS_EV_WANT_RELEASE] = "release request",
	[AS_EV_WANT_CALL_END] = "call-end",
	[AS_EV_STORED] = "stored",
	[AS_EV_LEASE] = "lease",
	[AS_EV_KEPT] = "lease stored",
	[AS_EV_RECLAIMED] = "reclaimed",
	[AS_EV_GONE] = "removed",
	[AS_EV_TIMED] = "deadline stored",
	[AS_EV_SUPERSEDED] = "superseded",
	[AS_EV_CALL_MADE] = "call made",
	[AS_EV_CALL_GOT] = "call received",
	[AS_EV_CALL_OVER] = "call over",
	[AS_EV_REGISTERED] = "registered",
	[AS_EV_DEREGISTERED] = "deregistered",
	[AS_EV_DUE] = "due",
};

const struct fsm_def as_machine = { "as.binding", states,     AS_STATE_N,
				    event_names,  AS_EVENT_N, AS_EV_DUE };
