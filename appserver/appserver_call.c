/* One call through the AS (RFC 7092 3.2: a back-to-back user agent that leaves
 * the media alone): the state machine of both legs.
 *
 * What the standards leave open:
 * - The callee's 2xx is acknowledged when the caller's ACK has come, which may
 *   hold the answer to an offer in that 2xx (RFC 3264 4, RFC 3261 13.2.1).
 * - A BYE is answered at once (RFC 3261 15.1.2) and passed on; if both hang up
 *   at once, each BYE is answered and each answer, or none, ends its leg.
 * - Each step that charging rests on is on disk before it is passed on. */
#include <string.h>
#include <strings.h>

#include "appserver/appserver_call.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/log.h"
#include "common/mem.h"

enum as_call_state {
	CALL_INVITED,    /**< its CDR is on its way to disk */
	CALL_PROCEEDING, /**< the callee is invited */
	CALL_ANSWERING,  /**< 2xx came; its time is on its way to disk */
	CALL_ANSWERED,   /**< 2xx passed on; the caller's ACK is awaited */
	CALL_UP,
	CALL_CLOSING, /**< ended before the ACK, without which the caller
			   must get no BYE (RFC 3261 15) */
	CALL_ENDING,  /**< BYE's answers are awaited */
	CALL_CANCELLING,
	CALL_OVER,
	CALL_STATE_N
};

#define BOTH (FSM_BIT(AS_NEAR) | FSM_BIT(AS_FAR))

/* Reason (RFC 3326) of what the AS ends by itself */
static void give_reason(struct as_call *call, const char *cause)
{
	xstrset(&call->reason, !strncmp(cause, "lease", 5)
				       ? "SIP;cause=503;text=\"lease ended\""
				       : "SIP;cause=503;text=\"server stops\"");
}

/* All is said on both legs */
static void over(struct as_call *call)
{
	fsm_goto(call->fsm, CALL_OVER);
	as_call_over(call);
}

/* Answer the caller's INVITE, and charge no more */
static void refuse(struct as_call *call, int status, const char *phrase,
		   const char *cause)
{
	as_call_tx_status(call, status, phrase);
	as_call_charge_end(call, status, cause);
}

/* BYE to these, and wait for what they answer */
static void hang_up(struct as_call *call, unsigned sides)
{
	call->open = sides;
	fsm_goto(call->fsm, CALL_ENDING);
	for (int side = AS_NEAR; side < AS_SIDE_N; side++)
		if (sides & FSM_BIT(side))
			as_call_tx_bye(call, (enum as_side)side);
}

/* One side has no more to say */
static void closed(struct as_call *call, enum as_side side)
{
	call->open &= ~FSM_BIT(side);
	if (!call->open)
		over(call);
}

/* Of a BYE: that the user does not exist any more for the network is what its
 * S-CSCF says (TS 24.229 5.4.5.1.2) */
static const char *bye_cause(const struct as_call *call)
{
	bool is_gone = call->reason && !strncasecmp(call->reason, "SIP", 3) &&
		       strstr(call->reason, "cause=480");

	return is_gone ? "deregistered" : "normal";
}

/* ---- invited ---- */

static void invited(void *obj, int event, void *data)
{
	struct as_call *call = obj;

	switch (event) {
	case AS_CALL_EV_KEPT:
		if (!*(int *)data && !as_call_tx_invite(call)) {
			fsm_goto(call->fsm, CALL_PROCEEDING);
			return;
		}
		refuse(call, 500, "Cannot Store or Forward the Call", "failed");
		break;
	case AS_CALL_EV_END:
		give_reason(call, data);
		refuse(call, 480, "Ended by the Application Server", data);
		break;
	default: /* AS_CALL_EV_CANCEL, AS_CALL_EV_BYE_NEAR */
		refuse(call, 487, "Request Terminated", "cancelled");
	}
	over(call);
}

/* ---- proceeding ---- */

static const char *cause_of(int status)
{
	static const struct {
		int status;
		const char *cause;
	} causes[] = {
		{ 403, "refused-403" }, { 404, "not-found" },
		{ 408, "no-answer" },   { 480, "unavailable" },
		{ 486, "busy" },        { 487, "no-answer" },
		{ 504, "unreachable" }, { 600, "busy" },
		{ 603, "declined" },    { 604, "not-found" },
	};

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].status == status)
			return causes[i].cause;

	return "failed";
}

static void cancel(struct as_call *call, int status, const char *phrase,
		   const char *cause)
{
	as_call_tx_cancel(call);
	refuse(call, status, phrase, cause);
	fsm_goto(call->fsm, CALL_CANCELLING);
}

static void proceeding(void *obj, int event, void *data)
{
	struct as_call *call = obj;

	switch (event) {
	case AS_CALL_EV_PROVISIONAL:
		as_call_tx_response(call);
		break;
	case AS_CALL_EV_ANSWER:
		fsm_goto(call->fsm, CALL_ANSWERING);
		as_cdr_answer(call);
		break;
	case AS_CALL_EV_REFUSAL:
		as_call_tx_response(call);
		as_call_charge_end(call, *(int *)data, cause_of(*(int *)data));
		over(call);
		break;
	case AS_CALL_EV_END:
		give_reason(call, data);
		cancel(call, 480, "Ended by the Application Server", data);
		break;
	case AS_CALL_EV_TIMEOUT:
		cancel(call, 408, "No Answer", "no-answer");
		break;
	default: /* AS_CALL_EV_CANCEL; AS_CALL_EV_BYE_NEAR: RFC 3261 15 */
		cancel(call, 487, "Request Terminated", "cancelled");
	}
}

/* The callee answers while it is being cancelled (RFC 3261 9.1) */
static void cancelling(void *obj, int event, void *data)
{
	struct as_call *call = obj;

	(void)data;
	if (event == AS_CALL_EV_ANSWER) {
		as_call_tx_ack(call);
		hang_up(call, FSM_BIT(AS_FAR));
	} else if (event == AS_CALL_EV_REFUSAL || event == AS_CALL_EV_TIMEOUT) {
		over(call);
	}
}

/* ---- answered ---- */

/* The callee has answered, the caller does not know */
static void answer_unused(struct as_call *call, int status, const char *phrase,
			  const char *cause)
{
	refuse(call, status, phrase, cause);
	as_call_tx_ack(call);
	hang_up(call, FSM_BIT(AS_FAR));
}

static void answering(void *obj, int event, void *data)
{
	struct as_call *call = obj;

	switch (event) {
	case AS_CALL_EV_KEPT:
		if (*(int *)data)
			log_error("appserver call %s: the answer is not on "
				  "disk",
				  call->cdr->call_id);
		fsm_goto(call->fsm, CALL_ANSWERED);
		as_call_tx_response(call);
		break;
	case AS_CALL_EV_END:
		give_reason(call, data);
		answer_unused(call, 480, "Ended by the Application Server",
			      data);
		break;
	case AS_CALL_EV_BYE_FAR:
		refuse(call, 480, "Hung Up", "normal");
		as_call_tx_ack(call);
		over(call);
		break;
	default: /* AS_CALL_EV_CANCEL, AS_CALL_EV_BYE_NEAR */
		answer_unused(call, 487, "Request Terminated", "cancelled");
	}
}

/* Nothing more to the callee; the caller's BYE waits for its ACK */
static void close_near(struct as_call *call, unsigned open)
{
	call->open = open;
	fsm_goto(call->fsm, CALL_CLOSING);
	as_call_tx_ack(call);
	if (open & FSM_BIT(AS_FAR))
		as_call_tx_bye(call, AS_FAR);
}

static void answered(void *obj, int event, void *data)
{
	struct as_call *call = obj;

	switch (event) {
	case AS_CALL_EV_ACK:
		as_call_tx_ack(call);
		fsm_goto(call->fsm, CALL_UP);
		break;
	case AS_CALL_EV_NO_ACK: /* RFC 3261 13.3.1.4 */
		as_call_charge_end(call, 200, "no-ack");
		as_call_tx_ack(call);
		hang_up(call, BOTH);
		break;
	case AS_CALL_EV_BYE_NEAR:
		as_call_charge_end(call, 200, bye_cause(call));
		as_call_tx_ack(call);
		hang_up(call, FSM_BIT(AS_FAR));
		break;
	case AS_CALL_EV_BYE_FAR:
		as_call_charge_end(call, 200, bye_cause(call));
		close_near(call, FSM_BIT(AS_NEAR));
		break;
	default: /* AS_CALL_EV_END */
		give_reason(call, data);
		as_call_charge_end(call, 200, data);
		close_near(call, BOTH);
	}
}

static void closing(void *obj, int event, void *data)
{
	struct as_call *call = obj;

	(void)data;
	if (event == AS_CALL_EV_ACK || event == AS_CALL_EV_NO_ACK) {
		as_call_tx_bye(call, AS_NEAR);
		fsm_goto(call->fsm, CALL_ENDING);
	} else if (event == AS_CALL_EV_BYE_NEAR) {
		fsm_goto(call->fsm, CALL_ENDING);
		closed(call, AS_NEAR);
	} else if (event == AS_CALL_EV_DONE_FAR) {
		call->open &= ~FSM_BIT(AS_FAR);
	}
}

/* ---- up ---- */

static void up(void *obj, int event, void *data)
{
	struct as_call *call = obj;

	switch (event) {
	case AS_CALL_EV_BYE_NEAR:
		as_call_charge_end(call, 200, bye_cause(call));
		hang_up(call, FSM_BIT(AS_FAR));
		break;
	case AS_CALL_EV_BYE_FAR:
		as_call_charge_end(call, 200, bye_cause(call));
		hang_up(call, FSM_BIT(AS_NEAR));
		break;
	case AS_CALL_EV_NO_ACK: /* to a re-INVITE's 2xx */
		as_call_charge_end(call, 200, "no-ack");
		hang_up(call, BOTH);
		break;
	case AS_CALL_EV_END:
		give_reason(call, data);
		as_call_charge_end(call, 200, data);
		hang_up(call, BOTH);
		break;
	default: /* AS_CALL_EV_TIMEOUT: it is still up */
		as_cdr_seen(call->cdr);
		fsm_timer_ms(call->fsm, timer_value_ms(TIMER_CDR_INTERIM));
	}
}

static void ending(void *obj, int event, void *data)
{
	struct as_call *call = obj;

	(void)data;
	if (event == AS_CALL_EV_DONE_NEAR)
		closed(call, AS_NEAR);
	else if (event == AS_CALL_EV_DONE_FAR)
		closed(call, AS_FAR);
	else if (event == AS_CALL_EV_TIMEOUT)
		over(call);
	/* the other side's own BYE crossed ours: it has been answered, and ours
	 * will be, too */
}

static void nothing(void *obj, int event, void *data)
{
	(void)obj;
	(void)event;
	(void)data;
}

/* ---- the table ---- */

#define EV(name) FSM_BIT(AS_CALL_EV_##name)
#define ANY (FSM_BIT(AS_CALL_EVENT_N) - 1)
#define CALLER_LEAVES (EV(CANCEL) | EV(BYE_NEAR) | EV(END))

static const struct fsm_state states[CALL_STATE_N] = {
	[CALL_INVITED] = { "invited", EV(KEPT) | CALLER_LEAVES,
			   FSM_BIT(CALL_PROCEEDING) | FSM_BIT(CALL_OVER),
			   TIMER_NONE, invited },
	[CALL_PROCEEDING] = { "proceeding",
			      EV(PROVISIONAL) | EV(ANSWER) | EV(REFUSAL) |
				      EV(TIMEOUT) | CALLER_LEAVES,
			      FSM_BIT(CALL_ANSWERING) |
				      FSM_BIT(CALL_CANCELLING) |
				      FSM_BIT(CALL_OVER),
			      TIMER_CALL_ANSWER, proceeding },
	[CALL_ANSWERING] = { "answering",
			     EV(KEPT) | EV(BYE_FAR) | CALLER_LEAVES,
			     FSM_BIT(CALL_ANSWERED) | FSM_BIT(CALL_ENDING) |
				     FSM_BIT(CALL_OVER),
			     TIMER_NONE, answering },
	[CALL_ANSWERED] = { "answered",
			    EV(ACK) | EV(NO_ACK) | EV(BYE_NEAR) | EV(BYE_FAR) |
				    EV(END),
			    FSM_BIT(CALL_UP) | FSM_BIT(CALL_CLOSING) |
				    FSM_BIT(CALL_ENDING),
			    TIMER_NONE, answered },
	[CALL_UP] = { "up",
		      EV(BYE_NEAR) | EV(BYE_FAR) | EV(NO_ACK) | EV(END) |
			      EV(TIMEOUT),
		      FSM_BIT(CALL_ENDING), TIMER_CDR_INTERIM, up },
	[CALL_CLOSING] = { "closing",
			   EV(ACK) | EV(NO_ACK) | EV(BYE_NEAR) | EV(BYE_FAR) |
				   EV(DONE_FAR) | EV(END),
			   FSM_BIT(CALL_ENDING), TIMER_NONE, closing },
	[CALL_ENDING] = { "ending", ANY, FSM_BIT(CALL_OVER),
			  TIMER_SIP_TRANSACTION, ending },
	[CALL_CANCELLING] = { "cancelling", ANY,
			      FSM_BIT(CALL_ENDING) | FSM_BIT(CALL_OVER),
			      TIMER_SIP_TRANSACTION, cancelling },
	[CALL_OVER] = { "over", ANY, 0, TIMER_NONE, nothing },
};

static const char *const event_names[AS_CALL_EVENT_N] = {
	[AS_CALL_EV_KEPT] = "stored",
	[AS_CALL_EV_PROVISIONAL] = "provisional",
	[AS_CALL_EV_ANSWER] = "answer",
	[AS_CALL_EV_REFUSAL] = "refusal",
	[AS_CALL_EV_CANCEL] = "cancel",
	[AS_CALL_EV_ACK] = "ack",
	[AS_CALL_EV_NO_ACK] = "no ack",
	[AS_CALL_EV_BYE_NEAR] = "bye of the caller",
	[AS_CALL_EV_BYE_FAR] = "bye of the callee",
	[AS_CALL_EV_DONE_NEAR] = "caller has ended",
	[AS_CALL_EV_DONE_FAR] = "callee has ended",
	[AS_CALL_EV_END] = "to be ended",
	[AS_CALL_EV_TIMEOUT] = "timeout",
};

static const struct fsm_def machine = { "as.call",       states,
					CALL_STATE_N,    event_names,
					AS_CALL_EVENT_N, AS_CALL_EV_TIMEOUT };

/**
 * The INVITE has been looked at: charging first, then it goes on
 *
 * @param refusal Phrase of the 403 that it gets instead; NULL: none
 */
void as_call_start(struct as_call *call, const char *refusal)
{
	call->fsm = fsm_new(call->as->el->loop, call->as->el->trace, &machine,
			    call->cdr->call_id, call);
	as_cdr_begin(call);
	if (!refusal)
		return;

	refuse(call, 403, refusal, "refused-403");
	over(call);
}

/** Tell the call what has happened */
void as_call_tell(struct as_call *call, enum as_call_event event, void *data)
{
	(void)fsm_event(call->fsm, (int)event, data);
}

/** Whether requests of its dialog may cross */
bool as_call_is_up(const struct as_call *call)
{
	return fsm_state(call->fsm) == CALL_UP;
}

/** Whether its dialog is gone, or going */
bool as_call_is_ending(const struct as_call *call)
{
	return fsm_state(call->fsm) >= CALL_CLOSING;
}
