#include "common/element.h"
#include "common/fsm.h"
#include "common/timer.h"
#include "common/trace.h"
#include "terminal/terminal_call_parts.h"
#include "terminal/terminal_core.h"

static void trace_state(const struct ue_call *call, const char *state)
{
	trace_event(call->ue->terminal->el->trace, "ue.call",
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s*}", "number",
			      call->ue->number, "state", state, "peer",
			      call->peer, "shown", call->shown, "direction",
			      call->is_outgoing ? "out" : "in", "status",
			      call->status, "call", call->call_id));
}

static void go(struct ue_call *call, enum call_state state)
{
	fsm_goto(call->fsm, (int)state);
	trace_state(call, fsm_name(call->fsm));
}

static void set_reason(struct ue_call *call, int status, const char *text)
{
	if (!call->status)
		call->status = status;
	if (!call->reason)
		call->reason = ue_call_text(text);
}

/** The call is over: its dialog and its sound go, its record stays */
void ue_call_end(struct ue_call *call)
{
	ue_call_media_close(call);
	call->sip = ue_call_sip_free(call->sip);
	go(call, CALL_TERMINATED);
	ue_call_leave(call);
	ue_call_tell_waiters(call, true);
}

static void bye(struct ue_call *call)
{
	go(call, CALL_TERMINATING);
	ue_call_sip_bye(call);
}

static void up(struct ue_call *call)
{
	call->status = 200;
	go(call, CALL_CONFIRMED);
	ue_call_media_talk(call);
	ue_call_tell_waiters(call, false);
}

static void idle(void *obj, int event, void *data)
{
	struct ue_call *call = obj;

	(void)data;
	if (event == CALL_EV_DIAL) {
		go(call, CALL_CALLING);
		return;
	}
	go(call, CALL_EARLY);
	if (call->is_silent)
		fsm_timer_ms(call->fsm, timer_value_ms(TIMER_CALL_NO_ANSWER));
	else if (call->is_auto)
		fsm_timer_ms(call->fsm, 0);
	if (call->is_silent)
		ue_call_sip_silence(call);
	else
		ue_call_sip_ring(call, call == call->ue->waiting);
}

static void cancel(struct ue_call *call)
{
	go(call, CALL_CANCELLING);
	ue_call_sip_cancel(call);
}

/* By the other side, or, as its Reason says, for it (RFC 3326) */
static void ended_by_peer(struct ue_call *call, const char *text)
{
	set_reason(call, 200, text ? text : "ended by the peer");
	ue_call_end(call);
}

static void on_progress(struct ue_call *call, const struct call_response *resp)
{
	/* its SDP is the answer already, if a reliable one or the 200 does not
	 * say another (RFC 3261 13.2.1) */
	if (resp->body.text)
		(void)ue_call_media_answered(call, &resp->body);
	if (resp->status > 100)
		ue_in_use(call->ue);
	if (fsm_state(call->fsm) == CALL_CALLING)
		go(call, CALL_PROCEEDING);
}

static void on_answered(struct ue_call *call, const struct call_response *resp)
{
	ue_in_use(call->ue);
	if (!ue_call_media_answered(call, &resp->body)) {
		up(call);
		return;
	}
	/* RFC 3261 13.2.2.4: ACK was sent; what cannot be used is ended */
	set_reason(call, 488, "the SDP answer cannot be used");
	bye(call);
}

/* The INVITE is out: calling, proceeding */
static void calling(void *obj, int event, void *data)
{
	const struct call_response *resp = data;
	struct ue_call *call = obj;

	if (event == CALL_EV_DUE)
		set_reason(call, 408, "no answer in time");
	if (event != CALL_EV_RX_RESPONSE) {
		cancel(call);
		return;
	}
	if (resp->status < 200) {
		on_progress(call, resp);
	} else if (resp->status < 300) {
		on_answered(call, resp);
	} else {
		set_reason(call, resp->status, resp->phrase);
		ue_call_end(call);
	}
}

static void cancelling(void *obj, int event, void *data)
{
	const struct call_response *resp = data;
	struct ue_call *call = obj;

	if (event == CALL_EV_DUE) {
		/* RFC 3261 9.1: after 64*T1 it is taken as cancelled */
		set_reason(call, 487, "cancelled; no answer to it in time");
		ue_call_end(call);
	} else if (event == CALL_EV_RX_RESPONSE && resp->status >= 300) {
		set_reason(call, resp->status, resp->phrase);
		ue_call_end(call);
	} else if (event == CALL_EV_RX_RESPONSE && resp->status >= 200) {
		/* the 200 crossed the CANCEL (RFC 3261 9.1) */
		set_reason(call, 487, "answered while it was cancelled");
		bye(call);
	}
}

/* Called, and the user is alerted. data of CALL_EV_HANGUP: the status */
static void early(void *obj, int event, void *data)
{
	const int *statusp = data;
	struct ue_call *call = obj;
	int status = 0;

	if (event == CALL_EV_ANSWER ||
	    (event == CALL_EV_DUE && call->is_auto)) {
		go(call, CALL_ACCEPTED);
		ue_call_sip_accept(call);
		return;
	}
	if (event == CALL_EV_DUE)
		status = 480; /* RFC 3261 21.4.18 */
	else if (event == CALL_EV_HANGUP)
		status = statusp ? *statusp : 603;
	else if (event == CALL_EV_RX_BYE)
		status = 487; /* RFC 3261 15.1.2 */
	if (status)
		ue_call_sip_refuse(call, status);
	set_reason(call, status ? status : 487,
		   status && status != 487 ? "not answered"
					   : "the caller gave up");
	ue_call_end(call);
}

/* The 200 is out. No BYE before its ACK came, or could have (RFC 3261 15) */
static void accepted(void *obj, int event, void *data)
{
	struct ue_call *call = obj;

	switch (event) {
	case CALL_EV_HANGUP:
		call->hangs_up = true;
		break;
	case CALL_EV_RX_BYE:
		ended_by_peer(call, data);
		break;
	case CALL_EV_RX_ACK:
		if (call->awaits_answer && ue_call_media_answered(call, data)) {
			set_reason(call, 488, "the SDP answer cannot be used");
			bye(call);
			break;
		}
		up(call);
		if (call->hangs_up)
			bye(call);
		break;
	default:
		/* RFC 3261 13.3.1.4 */
		set_reason(call, 408, "no ACK in time");
		bye(call);
	}
}

static void confirmed(void *obj, int event, void *data)
{
	struct ue_call *call = obj;

	switch (event) {
	case CALL_EV_RX_ACK: /* of a re-INVITE */
		if (call->awaits_answer && ue_call_media_answered(call, data))
			bye(call);
		break;
	case CALL_EV_RX_BYE:
		ended_by_peer(call, data);
		break;
	case CALL_EV_NO_ACK:
		set_reason(call, 408, "no ACK in time");
		bye(call);
		break;
	default:
		set_reason(call, 200, "ended here");
		bye(call);
	}
}

static void terminating(void *obj, int event, void *data)
{
	const struct call_response *resp = data;
	struct ue_call *call = obj;

	/* whatever is answered, or if nothing is, the dialog is over (RFC 3261
	 * 15.1.1). A BYE that crosses ours ends nothing more */
	if (event == CALL_EV_DUE ||
	    (event == CALL_EV_RX_RESPONSE && resp->status >= 200))
		ue_call_end(call);
}

static void terminated(void *obj, int event, void *data)
{
	(void)obj;
	(void)event;
	(void)data;
}

#define RX_DIALOG                                                              \
	(FSM_BIT(CALL_EV_RX_ACK) | FSM_BIT(CALL_EV_RX_BYE) |                   \
	 FSM_BIT(CALL_EV_NO_ACK))
#define GIVES_UP                                                               \
	(FSM_BIT(CALL_EV_CANCEL) | FSM_BIT(CALL_EV_HANGUP) |                   \
	 FSM_BIT(CALL_EV_DUE) | FSM_BIT(CALL_EV_RX_RESPONSE))
#define ENDS (FSM_BIT(CALL_TERMINATING) | FSM_BIT(CALL_TERMINATED))

/* RFC 3261 13, 15; TS 24.229 5.1.3, 5.1.4 */
static const struct fsm_state states[CALL_STATE_N] = {
	[CALL_IDLE] = { "idle",
			FSM_BIT(CALL_EV_DIAL) | FSM_BIT(CALL_EV_RX_INVITE),
			FSM_BIT(CALL_CALLING) | FSM_BIT(CALL_EARLY) |
				FSM_BIT(CALL_TERMINATED),
			TIMER_NONE, idle },
	[CALL_CALLING] = { "calling", GIVES_UP,
			   FSM_BIT(CALL_PROCEEDING) | FSM_BIT(CALL_CANCELLING) |
				   FSM_BIT(CALL_CONFIRMED) | ENDS,
			   TIMER_CALL_NO_ANSWER, calling },
	[CALL_PROCEEDING] = { "proceeding", GIVES_UP,
			      FSM_BIT(CALL_CANCELLING) |
				      FSM_BIT(CALL_CONFIRMED) | ENDS,
			      TIMER_CALL_NO_ANSWER, calling },
	[CALL_CANCELLING] = { "cancelling", GIVES_UP, ENDS,
			      TIMER_SIP_TRANSACTION, cancelling },
	[CALL_EARLY] = { "early",
			 FSM_BIT(CALL_EV_ANSWER) | FSM_BIT(CALL_EV_HANGUP) |
				 FSM_BIT(CALL_EV_DUE) |
				 FSM_BIT(CALL_EV_RX_CANCEL) |
				 FSM_BIT(CALL_EV_RX_BYE),
			 FSM_BIT(CALL_ACCEPTED) | FSM_BIT(CALL_TERMINATED),
			 TIMER_CALL_RING, early },
	[CALL_ACCEPTED] = { "accepted", FSM_BIT(CALL_EV_HANGUP) | RX_DIALOG,
			    FSM_BIT(CALL_CONFIRMED) | ENDS, TIMER_NONE,
			    accepted },
	[CALL_CONFIRMED] = { "confirmed", FSM_BIT(CALL_EV_HANGUP) | RX_DIALOG,
			     ENDS, TIMER_NONE, confirmed },
	[CALL_TERMINATING] = { "terminating",
			       FSM_BIT(CALL_EV_HANGUP) | RX_DIALOG |
				       FSM_BIT(CALL_EV_DUE) |
				       FSM_BIT(CALL_EV_RX_RESPONSE),
			       FSM_BIT(CALL_TERMINATED), TIMER_SIP_TRANSACTION,
			       terminating },
	[CALL_TERMINATED] = { "terminated", 0, 0, TIMER_NONE, terminated },
};

static const char *const event_names[CALL_EVENT_N] = {
	"dial", "answer", "cancel", "hangup", "INVITE", "response",
	"ACK",  "CANCEL", "BYE",    "no-ACK", "due"
};

static const struct fsm_def machine = { "terminal.call", states,
					CALL_STATE_N,    event_names,
					CALL_EVENT_N,    CALL_EV_DUE };

/** The machine of a call, in idle */
struct fsm *ue_call_fsm_new(struct ue_call *call)
{
	const struct element *el = call->ue->terminal->el;

	return fsm_new(el->loop, el->trace, &machine, call->ue->number, call);
}

/** Tell a call something; 0, or EPROTO: not in its state */
int ue_call_tell(struct ue_call *call, enum call_event ev, void *data)
{
	return fsm_event(call->fsm, (int)ev, data);
}

bool ue_call_is(const struct ue_call *call, enum call_state state)
{
	return fsm_state(call->fsm) == (int)state;
}
