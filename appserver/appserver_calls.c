/* All calls of the AS, and what they and the leases are to each other */
#include <stdlib.h>
#include <string.h>

#include "appserver/appserver_binding.h"
#include "appserver/appserver_call.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"

/* party[side] has, or has not any more, a call up under its lease */
static void tell_user(struct as_call *call, enum as_side side, bool has_begun)
{
	struct as_binding *b = call->user[side];

	if (!b)
		return;

	b->calls += has_begun ? 1 : -1;
	if (!has_begun)
		call->user[side] = NULL;
	(void)fsm_event(b->fsm,
			!has_begun        ? AS_EV_CALL_OVER
			: side == AS_NEAR ? AS_EV_CALL_MADE
					  : AS_EV_CALL_GOT,
			NULL);
}

/**
 * A new call, charged from now on; the leases of both sides know of it
 *
 * @param party Caller and callee; taken over
 */
struct as_call *as_call_new(struct appserver *as, const char *call_id,
			    struct as_party party[AS_SIDE_N])
{
	struct as_call *call = xcalloc(1, sizeof(*call));
	struct as_cdr *cdr = xcalloc(1, sizeof(*cdr));

	cdr->as = as;
	cdr->call_id = xstrdup(call_id);
	cdr->start_ms = as_wall_ms();
	/* ids only grow, over restarts too */
	if (as->last_call_id < cdr->start_ms)
		as->last_call_id = cdr->start_ms;
	cdr->id = ++as->last_call_id;
	call->as = as;
	call->id = cdr->id;
	call->cdr = cdr;
	call->next = as->calls;
	as->calls = call;
	for (int side = AS_NEAR; side < AS_SIDE_N; side++) {
		cdr->party[side] = party[side];
		party[side] = (struct as_party){ 0 };
		call->user[side] = as_binding_of_uri(as, cdr->party[side].uri);
		tell_user(call, (enum as_side)side, true);
	}

	return call;
}

/** The call of a CDR; NULL: it is over */
struct as_call *as_call_find(const struct appserver *as, int64_t id)
{
	struct as_call *call = as->calls;

	while (call && call->id != id)
		call = call->next;

	return call;
}

/** How many calls a SIP-URI has made that are not ended */
int as_calls_made_by(const struct appserver *as, const char *uri)
{
	int n = 0;

	for (const struct as_call *call = as->calls; call; call = call->next)
		n += call->cdr && !strcmp(call->cdr->party[AS_NEAR].uri, uri);

	return n;
}

/** From now on the call is not charged, and is none of its leases' */
void as_call_charge_end(struct as_call *call, int status, const char *cause)
{
	struct as_cdr *cdr = call->cdr;

	if (!cdr)
		return;

	call->cdr = NULL;
	as_cdr_end(cdr, status, cause);
	tell_user(call, AS_NEAR, false);
	tell_user(call, AS_FAR, false);
}

/* It is in the list of calls no more */
static void call_free(struct as_call *call)
{
	as_legs_free(call->legs);
	as_cdr_free(call->cdr);
	fsm_free(call->fsm);
	free(call->shown);
	free(call->from);
	free(call->target);
	free(call->reason);
	free(call);
}

static void sweep(void *arg)
{
	struct appserver *as = arg;
	struct as_call **p = &as->calls;

	as->is_sweeping = false;
	while (*p) {
		struct as_call *call = *p;

		if (!call->is_over || call->pending) {
			p = &call->next;
			continue;
		}
		*p = call->next;
		call_free(call);
	}
}

/** Both legs are at their end: freed when this turn has unwound */
void as_call_over(struct as_call *call)
{
	struct appserver *as = call->as;

	call->is_over = true;
	if (!as->is_sweeping)
		timer_start_ms(as->sweep, 0);
	as->is_sweeping = true;
}

/** The lease has ended: so do the calls under it. cause: of their CDRs */
void as_calls_end(struct as_binding *b, const char *cause)
{
	for (struct as_call *call = b->as->calls; call; call = call->next)
		if (call->user[AS_NEAR] == b || call->user[AS_FAR] == b)
			as_call_tell(call, AS_CALL_EV_END, (void *)cause);
}

/** Before the AS goes: each call is ended, and its CDR completed */
void as_calls_end_all(struct appserver *as)
{
	char cause[] = "as-shutdown";

	for (struct as_call *call = as->calls; call; call = call->next)
		if (call->cdr)
			as_call_tell(call, AS_CALL_EV_END, cause);
}

/** Make what calls need; as_calls_free() undoes it */
void as_calls_open(struct appserver *as)
{
	as->sweep = timer_new(as->el->loop, sweep, as);
}

/** Free all; nothing is said to anyone. The store must be gone, the agent not
 */
void as_calls_free(struct appserver *as)
{
	while (as->calls) {
		struct as_call *call = as->calls;

		as->calls = call->next;
		call_free(call);
	}
	as->sweep = timer_free(as->sweep);
}
