#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/cx_core.h"
#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/timer.h"

/** One request of ours. It lives until its answer, or what stands for one,
 * came: so a forgotten one is still told apart from an unasked one. */
struct cx_call {
	struct cx_call *next, **linkp; /* linkp: what points here */
	uint32_t command;
	union cx_cb cb;
	void *arg;
	bool is_forgotten;
	struct timer *timer; /* of a call that cannot be sent at all */
};

/** Any answer */
union answer {
	struct cx_uaa uaa;
	struct cx_maa maa;
	struct cx_saa saa;
	struct cx_lia lia;
	struct cx_rta rta;
};

static const struct cx_field *answer_fields(uint32_t command)
{
	switch (command) {
	case DIA_UA:
		return cx_uaa_fields;
	case DIA_MA:
		return cx_maa_fields;
	case DIA_SA:
		return cx_saa_fields;
	case DIA_LI:
		return cx_lia_fields;
	default:
		return cx_rta_fields;
	}
}

static void tell(const struct cx_call *call, int err, const union answer *a)
{
	switch (call->command) {
	case DIA_UA:
		call->cb.uaa(err, a ? &a->uaa : NULL, call->arg);
		break;
	case DIA_MA:
		call->cb.maa(err, a ? &a->maa : NULL, call->arg);
		break;
	case DIA_SA:
		call->cb.saa(err, a ? &a->saa : NULL, call->arg);
		break;
	case DIA_LI:
		call->cb.lia(err, a ? &a->lia : NULL, call->arg);
		break;
	default:
		call->cb.rta(err, a ? &a->rta : NULL, call->arg);
		break;
	}
}

static struct cx_call *call_new(struct cx_calls *calls, uint32_t command,
				union cx_cb cb, void *arg)
{
	struct cx_call *call = xcalloc(1, sizeof(*call));

	call->command = command;
	call->cb = cb;
	call->arg = arg;
	call->next = calls->first;
	call->linkp = &calls->first;
	if (call->next)
		call->next->linkp = &call->next;
	calls->first = call;

	return call;
}

static void call_free(struct cx_call *call)
{
	timer_free(call->timer);
	free(call);
}

/* Out of the list first: the callback may free the list's owner */
static void finish(struct cx_call *call, int err, const union answer *answer)
{
	*call->linkp = call->next;
	if (call->next)
		call->next->linkp = call->linkp;
	if (!call->is_forgotten)
		tell(call, err, answer);
	call_free(call);
}

static void on_answer(int err, const struct dia_msg *msg, void *arg)
{
	struct cx_call *call = arg;
	union answer answer = { 0 };
	char *text = NULL;

	if (!err && msg->code != call->command) {
		log_warn("cx: the answer to a %s is a %s",
			 dia_command_name(call->command, true),
			 dia_msg_name(msg));
		err = EBADMSG;
	}
	if (!err)
		text = cx_decode(&answer, answer_fields(call->command), msg);
	finish(call, err, err ? NULL : &answer);
	free(text);
}

/** Send a request; b was begun by dia_peer_start_request() */
void cx_call_tx(struct cx_calls *calls, struct dia_peer *peer,
		struct dia_build *b, uint32_t command, union cx_cb cb,
		void *arg)
{
	dia_peer_tx_request(peer, b, on_answer,
			    call_new(calls, command, cb, arg));
}

static void on_refused(void *arg)
{
	finish(arg, ENOTCONN, NULL);
}

/** There is no peer to send to: ENOTCONN, from the loop */
void cx_call_refuse(struct cx_calls *calls, struct element *el,
		    uint32_t command, union cx_cb cb, void *arg)
{
	struct cx_call *call = call_new(calls, command, cb, arg);

	call->timer = timer_new(el->loop, on_refused, call);
	timer_start_ms(call->timer, 0);
}

/** arg's owner goes away: its answers are dropped when they come */
void cx_calls_forget(struct cx_calls *calls, const void *arg)
{
	for (struct cx_call *call = calls->first; call; call = call->next)
		call->is_forgotten |= call->arg == arg;
}

/** Free all calls; the peers that they wait for are freed already */
void cx_calls_free(struct cx_calls *calls)
{
	while (calls->first) {
		struct cx_call *call = calls->first;

		calls->first = call->next;
		call_free(call);
	}
}
