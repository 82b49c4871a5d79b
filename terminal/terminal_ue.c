#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/https.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/sipreg.h"
#include "common/timer.h"
#include "common/trace.h"
#include "terminal/terminal_call.h"
#include "terminal/terminal_core.h"
#include "terminal/terminal_lease.h"

/* A request whose answer is lost is sent again: the AS takes all of them as
 * often as they come, and answers the same */
enum { TRIES_MAX = 3 };

static const char *const op_names[] = {
	[UE_EV_LOGIN] = "login",       [UE_EV_REQUEST] = "SIP-URI use request",
	[UE_EV_REGISTER] = "register", [UE_EV_RELEASE] = "release",
	[UE_EV_CALL_END] = "call-end",
};

/** What is done on an event, and the state it is done in */
static const struct {
	enum ue_state state;
	void (*tx)(struct ue *ue);
} ops[] = {
	[UE_EV_LOGIN] = { UE_LOGGING_IN, ue_tx_login },
	[UE_EV_REQUEST] = { UE_REQUESTING, ue_tx_request },
	[UE_EV_REGISTER] = { UE_REGISTERING, ue_register },
	[UE_EV_RELEASE] = { UE_RELEASING, ue_tx_release },
	[UE_EV_CALL_END] = { UE_ENDING, ue_tx_call_end },
};

/* Tell who waits; result is stolen, or NULL */
static void finish(struct ue *ue, json_t *result, const char *error)
{
	ue_done_cb *done = ue->done;

	ue->done = NULL;
	if (error)
		log_warn("terminal ue%u %s %s: %s", ue->id, ue->number,
			 fsm_name(ue->fsm), error);
	if (done)
		done(result, error, ue->done_arg);
	json_decref(result);
}

/* Into a state where the UE waits for what it is told, or for the end of its
 * registration or lease */
static void rest(struct ue *ue, enum ue_state state)
{
	int64_t due_us = ue->limit_us;

	fsm_goto(ue->fsm, (int)state);
	if (!ue->lease)
		return;

	if (state == UE_REGISTERED && ue->refresh_us < due_us)
		due_us = ue->refresh_us;
	due_us -= clock_now_us();
	fsm_timer_ms(ue->fsm, due_us > 0 ? (due_us + 999) / 1000 : 0);
}

static void begin(struct ue *ue, enum ue_event op)
{
	ue->op = op;
	ue->back = (enum ue_state)fsm_state(ue->fsm);
	ue->tries = 0;
	/* what is given back is not used any longer */
	if (op == UE_EV_RELEASE)
		ue_calls_end(ue);
	fsm_goto(ue->fsm, (int)ops[op].state);
	ops[op].tx(ue);
}

static void on_due(struct ue *ue)
{
	bool has_ended = fsm_state(ue->fsm) == UE_ENDED;

	if (clock_now_us() < ue->limit_us) {
		begin(ue, UE_EV_REGISTER);
		return;
	}
	ue_forget(ue, has_ended ? "max-use" : "expired");
	rest(ue, UE_RELEASED);
}

static void at_rest(void *obj, int event, void *data)
{
	struct ue *ue = obj;

	(void)data;
	if (event == UE_EV_DUE)
		on_due(ue);
	else
		begin(ue, (enum ue_event)event);
}

static void fail(struct ue *ue, const char *error)
{
	rest(ue, ue->back);
	finish(ue, NULL, error);
}

static void fail_by_as(struct ue *ue, const struct https_resp *resp)
{
	const char *url = ue_appserver(ue);
	char text[256], *error;

	if (!resp->status) {
		error = xasprintf("%s failed: %s", op_names[ue->op],
				  https_resp_reason(resp, text, sizeof(text)));
	} else if (resp->status == 503 && resp->retry_after_s) {
		trace_event(ue->terminal->el->trace, "ue.pool-exhausted",
			    json_pack("{s:s, s:i}", "number", ue->number,
				      "retry_after_s", resp->retry_after_s));
		error = xasprintf("pool-exhausted: %s refused by %s: %s; "
				  "Retry-After: %d s",
				  op_names[ue->op], url,
				  https_resp_reason(resp, text, sizeof(text)),
				  resp->retry_after_s);
	} else {
		error = xasprintf("%s refused by %s: %s", op_names[ue->op], url,
				  https_resp_reason(resp, text, sizeof(text)));
	}
	fail(ue, error);
	free(error);
}

/* Whether a 200 came. If not, it is dealt with: the request goes out again, or
 * the operation fails */
static bool is_answered(struct ue *ue, int event, const struct https_resp *resp)
{
	if (event == UE_EV_DUE) {
		ops[ue->op].tx(ue);
		return false;
	}
	if (!resp->status && ++ue->tries < TRIES_MAX &&
	    !ue->terminal->is_draining) {
		fsm_timer_ms(ue->fsm, timer_value_ms(TIMER_RETRY)
					      << (ue->tries - 1));
		return false;
	}
	if (resp->status == 200)
		return true;

	fail_by_as(ue, resp);

	return false;
}

static void logging_in(void *obj, int event, void *data)
{
	struct ue *ue = obj;
	char *reason = NULL;

	if (!is_answered(ue, event, data))
		return;

	if (ue_recv_token(ue, data, &reason)) {
		fail(ue, reason);
		free(reason);
		return;
	}
	/* a login renewed while it holds a SIP-URI changes nothing else */
	rest(ue, ue->lease ? ue->back : UE_LOGGED_IN);
	finish(ue, NULL, NULL);
}

static void requesting(void *obj, int event, void *data)
{
	struct ue *ue = obj;
	char *reason = NULL;

	if (!is_answered(ue, event, data))
		return;

	if (ue_recv_lease(ue, data, &reason)) {
		fail(ue, reason);
		free(reason);
		return;
	}
	rest(ue, UE_LEASED);
	finish(ue,
	       json_pack("{s:s, s:I, s:i}", "uri", ue->lease->uri, "lease_id",
			 (json_int_t)ue->lease->lease_id, "expires_s",
			 ue->lease->expires_s),
	       NULL);
}

static void on_result(struct ue *ue, const struct sipreg_result *result)
{
	char *error;

	if (result->status == 200) {
		ue_registered(ue, result);
		rest(ue, UE_REGISTERED);
		finish(ue,
		       json_pack("{s:i, s:i}", "status", result->status,
				 "expires_s", result->expires_s),
		       NULL);
		return;
	}
	error = xasprintf("register refused by %s: %d %s", ue->lease->proxy,
			  result->status, result->phrase);
	/* a registration whose refresh was refused is none */
	ue->back = UE_LEASED;
	ue->is_registered = false;
	ue->sipreg = sipreg_free(ue->sipreg);
	fail(ue, error);
	free(error);
}

static void registering(void *obj, int event, void *data)
{
	struct ue *ue = obj;
	enum ue_event later;

	if (event != UE_EV_RESULT) {
		/* a refresh is the UE's own doing: who asks meanwhile is not
		 * refused for it */
		ue->later = (enum ue_event)event;
		return;
	}
	later = ue->later;
	ue->later = UE_EVENT_N;
	if (later != UE_EVENT_N) {
		ue_done_cb *done = ue->done;

		ue->done = NULL;
		on_result(ue, data);
		ue->done = done;
		begin(ue, later);
		return;
	}
	on_result(ue, data);
}

static void ending(void *obj, int event, void *data)
{
	struct ue *ue = obj;
	char *reason = NULL;
	int max_use_s = 0;
	int64_t until_us;

	if (!is_answered(ue, event, data))
		return;

	if (ue_recv_max_use(&max_use_s, ue, data, &reason)) {
		fail(ue, reason);
		free(reason);
		return;
	}
	/* the AS reclaims by itself then ([0115]); no answer will tell */
	until_us = clock_now_us() + max_use_s * 1000000LL;
	if (until_us < ue->limit_us)
		ue->limit_us = until_us;
	rest(ue, UE_ENDED);
	finish(ue, json_pack("{s:i}", "max_use_s", max_use_s), NULL);
}

static void releasing(void *obj, int event, void *data)
{
	struct ue *ue = obj;

	if (!is_answered(ue, event, data))
		return;

	/* S412: [0120], [0137] */
	ue_forget(ue, "released");
	rest(ue, UE_RELEASED);
	finish(ue, NULL, NULL);
}

#define AT_REST                                                                \
	(FSM_BIT(UE_LOGGED_OUT) | FSM_BIT(UE_LOGGED_IN) | FSM_BIT(UE_LEASED) | \
	 FSM_BIT(UE_REGISTERED) | FSM_BIT(UE_ENDED) | FSM_BIT(UE_RELEASED))
#define GIVES_BACK (FSM_BIT(UE_EV_RELEASE) | FSM_BIT(UE_EV_CALL_END))
#define AWAITS_AS (FSM_BIT(UE_EV_ANSWER) | FSM_BIT(UE_EV_DUE))

/* design: logged-out, logged-in, leased, registered, …, released */
static const struct fsm_state states[UE_STATE_N] = {
	[UE_LOGGED_OUT] = { "logged-out", FSM_BIT(UE_EV_LOGIN),
			    FSM_BIT(UE_LOGGING_IN), TIMER_NONE, at_rest },
	[UE_LOGGING_IN] = { "logging-in", AWAITS_AS, AT_REST, TIMER_NONE,
			    logging_in },
	[UE_LOGGED_IN] = { "logged-in",
			   FSM_BIT(UE_EV_LOGIN) | FSM_BIT(UE_EV_REQUEST),
			   FSM_BIT(UE_LOGGING_IN) | FSM_BIT(UE_REQUESTING),
			   TIMER_NONE, at_rest },
	[UE_REQUESTING] = { "requesting", AWAITS_AS, AT_REST, TIMER_NONE,
			    requesting },
	[UE_LEASED] = { "leased",
			FSM_BIT(UE_EV_LOGIN) | FSM_BIT(UE_EV_REQUEST) |
				FSM_BIT(UE_EV_REGISTER) | GIVES_BACK |
				FSM_BIT(UE_EV_DUE),
			FSM_BIT(UE_LOGGING_IN) | FSM_BIT(UE_REQUESTING) |
				FSM_BIT(UE_REGISTERING) | FSM_BIT(UE_ENDING) |
				FSM_BIT(UE_RELEASING) | FSM_BIT(UE_RELEASED),
			TIMER_NONE, at_rest },
	[UE_REGISTERING] = { "registering", FSM_BIT(UE_EV_RESULT) | GIVES_BACK,
			     FSM_BIT(UE_LEASED) | FSM_BIT(UE_REGISTERED),
			     TIMER_NONE, registering },
	[UE_REGISTERED] = { "registered",
			    FSM_BIT(UE_EV_LOGIN) | FSM_BIT(UE_EV_REGISTER) |
				    GIVES_BACK | FSM_BIT(UE_EV_DUE),
			    FSM_BIT(UE_LOGGING_IN) | FSM_BIT(UE_REGISTERING) |
				    FSM_BIT(UE_ENDING) | FSM_BIT(UE_RELEASING) |
				    FSM_BIT(UE_RELEASED),
			    TIMER_NONE, at_rest },
	[UE_ENDING] = { "ending", AWAITS_AS, AT_REST, TIMER_NONE, ending },
	[UE_ENDED] = { "ended",
		       FSM_BIT(UE_EV_LOGIN) | FSM_BIT(UE_EV_REQUEST) |
			       FSM_BIT(UE_EV_RELEASE) | FSM_BIT(UE_EV_DUE),
		       FSM_BIT(UE_LOGGING_IN) | FSM_BIT(UE_REQUESTING) |
			       FSM_BIT(UE_REGISTERED) | FSM_BIT(UE_RELEASING) |
			       FSM_BIT(UE_RELEASED),
		       TIMER_NONE, at_rest },
	[UE_RELEASING] = { "releasing", AWAITS_AS, AT_REST, TIMER_NONE,
			   releasing },
	[UE_RELEASED] = { "released",
			  FSM_BIT(UE_EV_LOGIN) | FSM_BIT(UE_EV_REQUEST),
			  FSM_BIT(UE_LOGGING_IN) | FSM_BIT(UE_REQUESTING),
			  TIMER_NONE, at_rest },
};

static const char *const event_names[UE_EVENT_N] = { "login",    "request",
						     "register", "release",
						     "call-end", "answer",
						     "result",   "due" };

static const struct fsm_def machine = { "terminal.ue", states,     UE_STATE_N,
					event_names,   UE_EVENT_N, UE_EV_DUE };

/**
 * Tell a UE to do something
 *
 * @param op   UE_EV_LOGIN to UE_EV_CALL_END
 * @param cb   Called once when it is done or has failed; not before this
 *             returns, and not if this fails
 *
 * @return 0, EBUSY if it does something else, EPROTO if its state does not
 *         allow it; ue_why_not() says it as a sentence
 */
int ue_start(struct ue *ue, enum ue_event op, ue_done_cb *cb, void *arg)
{
	int err;

	if (ue->done)
		return EBUSY;

	ue->done = cb;
	ue->done_arg = arg;
	err = fsm_event(ue->fsm, (int)op, NULL);
	if (err)
		ue->done = NULL;

	return err;
}

/** Why ue_start() would not; the caller's to free */
char *ue_why_not(const struct ue *ue, enum ue_event op)
{
	return xasprintf("%s of %s is not possible now: it is %s", op_names[op],
			 ue->number, fsm_name(ue->fsm));
}

static int by_number(const void *a, const void *b)
{
	return strcmp(((const struct ue *)a)->number,
		      ((const struct ue *)b)->number);
}

/** A UE, logged out; NULL if there is one of that number */
struct ue *ue_new(struct terminal *t, const char *number, const char *secret)
{
	struct ue *ue;

	if (ue_find(t, number))
		return NULL;

	ue = xcalloc(1, sizeof(*ue));
	ue->terminal = t;
	ue->number = xstrdup(number);
	ue->secret = xstrdup(secret);
	ue->id = ++t->last_id;
	t->by_id = xrealloc(t->by_id, t->last_id * sizeof(struct ue *));
	t->by_id[ue->id - 1] = ue;
	ue->later = UE_EVENT_N;
	ue->fsm = fsm_new(t->el->loop, t->el->trace, &machine, number, ue);
	if (!tsearch(ue, &t->ues, by_number))
		abort(); /* out of memory, as common/mem.h does */

	return ue;
}

static void wipe_text(char *text)
{
	if (text)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
}

/** Free, and wipe what is secret; who waits is told */
struct ue *ue_free(struct ue *ue)
{
	if (!ue)
		return NULL;

	finish(ue, NULL, ue->done ? "the terminal ends" : NULL);
	ue_forget(ue, "ends");
	ue_calls_forget(ue);
	ue->terminal->by_id[ue->id - 1] = NULL;
	tdelete(ue, &ue->terminal->ues, by_number);
	fsm_free(ue->fsm);
	wipe_text(ue->secret);
	free(ue->appserver);
	wipe_text(ue->token);
	free(ue->number);
	free(ue);

	return NULL;
}

/** The UE of a real number; borrowed, or NULL */
struct ue *ue_find(const struct terminal *t, const char *number)
{
	const struct ue key = { .number = (char *)number };
	struct ue *const *found = tfind(&key, &t->ues, by_number);

	return found ? *found : NULL;
}

/** The UE whose Contact is "ue<id>"; borrowed, or NULL */
struct ue *ue_find_id(const struct terminal *t, unsigned id)
{
	return id >= 1 && id <= t->last_id ? t->by_id[id - 1] : NULL;
}

/** Where it logs in: the URL */
const char *ue_appserver(const struct ue *ue)
{
	return ue->appserver ? ue->appserver : ue->terminal->appserver;
}

/**
 * A call goes through the network: the SIP-URI is in use again, and the time
 * that the call-end message started ([0115]) is off, as it is at the AS, which
 * has seen the INVITE
 */
void ue_in_use(struct ue *ue)
{
	if (fsm_state(ue->fsm) != UE_ENDED)
		return;

	ue->limit_us = ue->lease->limit_us;
	rest(ue, UE_REGISTERED);
}
