/* The registration of a public identity (TS 24.229 5.4.1): its state machine,
 * and the table of all */
#include "ims_core/scscf/scscf_reg.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/element.h"
#include "common/fsm.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/trace.h"
#include "ims_core/scscf/scscf_auth.h"
#include "ims_core/scscf/scscf_profile.h"
#include "ims_core/scscf/scscf_reg_event.h"
#include "ims_core/scscf/scscf_release.h"

static void not_registered(void *obj, int event, void *data);
static void registered(void *obj, int event, void *data);

static const struct fsm_state states[REG_STATE_N] = {
	[REG_NOT_REGISTERED] = {
		.name = "NOT_REGISTERED",
		.accepts = FSM_BIT(REG_EV_BOUND) | FSM_BIT(REG_EV_UNBOUND) |
			   FSM_BIT(REG_EV_TERMINATED),
		.next = FSM_BIT(REG_REGISTERED),
		.action = not_registered,
	},
	[REG_REGISTERED] = {
		.name = "REGISTERED",
		.accepts = FSM_BIT(REG_EV_BOUND) | FSM_BIT(REG_EV_UNBOUND) |
			   FSM_BIT(REG_EV_TERMINATED) |
			   FSM_BIT(REG_EV_EXPIRED),
		.next = FSM_BIT(REG_NOT_REGISTERED),
		.timer = TIMER_REG_EXPIRES,
		.action = registered,
	},
};

static const char *const events[REG_EV_N] = { "BOUND", "UNBOUND", "TERMINATED",
					      "EXPIRED" };

static const struct fsm_def def = { .name = "scscf.reg",
				    .states = states,
				    .state_n = REG_STATE_N,
				    .events = events,
				    .event_n = REG_EV_N,
				    .timeout_event = REG_EV_EXPIRED };

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct scscf_reg *)a)->impu,
		      ((const struct scscf_reg *)b)->impu);
}

/** The registration of a public identity; NULL: nothing is known of it */
struct scscf_reg *scscf_reg_find(const struct scscf *scscf, const char *impu)
{
	const struct scscf_reg key = { .impu = (char *)impu };
	struct scscf_reg **found = tfind(&key, &scscf->regs, compare);

	return found ? *found : NULL;
}

/** The registration of a public identity, made where there was none */
struct scscf_reg *scscf_reg_get(struct scscf *scscf, const char *impu)
{
	struct scscf_reg *reg = scscf_reg_find(scscf, impu);

	if (reg)
		return reg;

	reg = xcalloc(1, sizeof(*reg));
	reg->scscf = scscf;
	reg->impu = xstrdup(impu);
	reg->fsm = fsm_new(scscf->el->loop, scscf->el->trace, &def, impu, reg);
	tsearch(reg, &scscf->regs, compare);

	return reg;
}

/** What a walk over the table looks for */
struct search {
	const char *impi;
	struct scscf_reg *found;
};

static void look(const void *node, VISIT which, void *arg)
{
	struct scscf_reg *reg = *(struct scscf_reg *const *)node;
	struct search *s = arg;

	if (s->found || (which != postorder && which != leaf))
		return;
	if (reg->impi && s->impi && !strcmp(reg->impi, s->impi))
		s->found = reg;
}

/** A registration made by a private identity; NULL: there is none (left) */
struct scscf_reg *scscf_reg_of(const struct scscf *scscf, const char *impi)
{
	struct search s = { impi, NULL };

	twalk_r(scscf->regs, look, &s);

	return s.found;
}

bool scscf_reg_is_registered(const struct scscf_reg *reg)
{
	return fsm_state(reg->fsm) == REG_REGISTERED;
}

/** Something happened to the registration; reg may be gone */
void scscf_reg_event(struct scscf_reg *reg, int event)
{
	(void)fsm_event(reg->fsm, event, NULL);
}

static void change(struct scscf_reg *reg, int to)
{
	const char *from = fsm_name(reg->fsm);

	fsm_goto(reg->fsm, to);
	trace_event(reg->scscf->el->trace, "scscf.registration",
		    json_pack("{s:s, s:s, s:s}", "impu", reg->impu, "from",
			      from, "to", fsm_name(reg->fsm)));
}

/* Who has a challenge still to answer when all is deregistered, or used one
 * before the network ended it, is not asked again: its password may have been
 * changed meanwhile. Expiry says nothing of the kind. */
static bool is_revoked(const struct scscf_auth *auth, int event)
{
	int state = fsm_state(auth->fsm);

	if (state == AUTH_PASSED)
		return event == REG_EV_TERMINATED;

	return state == AUTH_WAIT_AUTH && event != REG_EV_EXPIRED;
}

/* A REGISTER that waits for the HSS gets no answer from it any more */
static void refuse_waiting(const struct scscf_reg *reg,
			   struct scscf_register *rq, bool was_right)
{
	if (was_right)
		scscf_auth_trace(rq, "refused", VERDICT_REVOKED);
	scscf_refuse(rq, was_right ? 403 : 500,
		     was_right ? "Forbidden" : "Server Internal Error",
		     "%s was deregistered in the meantime; register again",
		     reg->impu);
}

/** Forget each challenge of an identity, because of that event. Some nonces
 * are kept: whoever answers gets 403 */
void scscf_reg_end_auths(struct scscf_reg *reg, int event)
{
	while (reg->auths) {
		struct scscf_auth *auth = reg->auths;
		struct scscf_register *rq = auth->rq;
		bool was_right = fsm_state(auth->fsm) == AUTH_WAIT_SAA;

		if (is_revoked(auth, event))
			scscf_auth_revoke(auth);
		auth->rq = NULL;
		scscf_auth_end(auth);
		if (rq)
			refuse_waiting(reg, rq, was_right);
	}
}

static void reg_free(void *arg)
{
	struct scscf_reg *reg = arg;

	fsm_free(reg->fsm);
	scscf_contacts_free(reg);
	scscf_profile_free(reg->profile);
	free(reg->impi);
	free(reg->impu);
	free(reg);
}

/** Free what is neither registered nor challenged, once the stack has
 * unwound */
void scscf_reg_forget_if_idle(struct scscf_reg *reg)
{
	if (scscf_reg_is_registered(reg) || reg->auths)
		return;

	tdelete(reg, &reg->scscf->regs, compare);
	loop_defer(reg->scscf->el->loop, reg_free, reg);
}

static void not_registered(void *obj, int event, void *data)
{
	struct scscf_reg *reg = obj;

	(void)data;
	if (event == REG_EV_BOUND) {
		change(reg, REG_REGISTERED);
		fsm_timer_ms(reg->fsm, scscf_contacts_first_ms(reg));
		return;
	}
	scscf_reg_end_auths(reg, event);
	scscf_reg_forget_if_idle(reg);
}

static void end(struct scscf_reg *reg, int event)
{
	static const char *const reasons[REG_EV_N] = {
		[REG_EV_BOUND] = SCSCF_REASON_EXPIRED,
		[REG_EV_UNBOUND] = SCSCF_REASON_USER,
		[REG_EV_TERMINATED] = SCSCF_REASON_NETWORK,
		[REG_EV_EXPIRED] = SCSCF_REASON_EXPIRED,
	};

	/* before the P-CSCF is told (5.4.1.5) */
	scscf_release(reg, NULL, reasons[event]);
	change(reg, REG_NOT_REGISTERED);
	scscf_reg_event_ended(reg, event);
	scscf_contacts_free(reg);
	scscf_reg_end_auths(reg, event);
	scscf_reg_forget_if_idle(reg);
}

static void registered(void *obj, int event, void *data)
{
	struct scscf_reg *reg = obj;

	(void)data;
	if (event == REG_EV_EXPIRED) {
		scscf_contacts_drop_expired(reg);
		if (!reg->contacts)
			scscf_deregister_expired(reg);
	}
	if (event == REG_EV_UNBOUND || event == REG_EV_TERMINATED ||
	    !reg->contacts)
		end(reg, event);
	else
		fsm_timer_ms(reg->fsm, scscf_contacts_first_ms(reg));
	if (event == REG_EV_BOUND && reg->contacts)
		scscf_reg_event_bound(reg);
}

static void list(const void *node, VISIT which, void *arg)
{
	const struct scscf_reg *reg = *(struct scscf_reg *const *)node;
	const struct scscf_contact *c = reg->contacts;
	int64_t left_s = c ? scscf_contacts_last_s(reg) : 0;

	if (which != postorder && which != leaf)
		return;
	json_array_append_new(arg,
			      json_pack("{s:s, s:s, s:I, s:s?}", "impu",
					reg->impu, "state", fsm_name(reg->fsm),
					"expires_s", (json_int_t)left_s,
					"contact", c ? c->uri : NULL));
}

/** All registrations: [{impu, state, expires_s, contact}] */
json_t *scscf_regs_json(const struct scscf *scscf)
{
	json_t *all = json_array();

	twalk_r(scscf->regs, list, all);

	return all;
}

static void drop(void *arg)
{
	struct scscf_reg *reg = arg;

	while (reg->auths)
		scscf_auth_end(reg->auths);
	reg_free(reg);
}

/** Free all; the SIP endpoint and its REGISTERs are gone already */
void scscf_regs_free(struct scscf *scscf)
{
	tdestroy(scscf->regs, drop);
	scscf->regs = NULL;
}
