/* A UE's calls: who may be called, who rings, who waits, what is kept */
#include <errno.h>
#include <stdlib.h>

#include "common/element.h"
#include "common/fsm.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/trace.h"
#include "terminal/terminal_call_parts.h"
#include "terminal/terminal_core.h"

/** Who waits for a call; owned by it */
struct call_waiter {
	struct call_waiter *next;
	bool until_end; /* not told that the call is up */
	call_done_cb *cb;
	void *arg;
};

/** A copy of what a peer wrote, fit for logs and traces: what is no UTF-8 loses
 * its odd octets */
char *ue_call_text(const char *text)
{
	char *copy = xstrdup(text);
	json_t *utf8 = json_string(text);

	for (char *p = copy; *p && !utf8; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	json_decref(utf8);

	return copy;
}

/** Tell those who need not wait any longer. A callback may add another */
void ue_call_tell_waiters(struct ue_call *call, bool has_ended)
{
	struct call_waiter *all = call->waiters, *w;

	call->waiters = NULL;
	while ((w = all)) {
		all = w->next;
		if (has_ended || !w->until_end) {
			w->cb(call, w->arg);
			free(w);
			continue;
		}
		w->next = call->waiters;
		call->waiters = w;
	}
}

static struct ue_call *call_free(struct ue_call *call)
{
	struct call_waiter *w;

	if (!call)
		return NULL;

	while ((w = call->waiters)) {
		call->waiters = w->next;
		w->cb(NULL, w->arg);
		free(w);
	}
	ue_call_sip_free(call->sip);
	rtp_free(call->rtp);
	fsm_free(call->fsm);
	free(call->sdp);
	free(call->peer);
	free(call->shown);
	free(call->call_id);
	free(call->reason);
	free(call);

	return NULL;
}

/** The place of what has ended is taken: what waits comes to it */
void ue_call_leave(struct ue_call *call)
{
	struct ue *ue = call->ue;

	call_free(ue->ended);
	ue->ended = call;
	if (ue->waiting == call) {
		ue->waiting = NULL;
		return;
	}
	ue->call = ue->waiting;
	ue->waiting = NULL;
	if (ue->call && ue->takes_waiting)
		(void)ue_call_tell(ue->call, CALL_EV_ANSWER, NULL);
	ue->takes_waiting = false;
}

/* A call with its socket; NULL with the reason */
static struct ue_call *call_new(struct ue *ue, const char *peer,
				const char *shown, char **reasonp)
{
	struct ue_call *call = xcalloc(1, sizeof(*call));

	call->ue = ue;
	call->peer = xstrdup(peer);
	call->shown = xstrdup(shown);
	call->fsm = ue_call_fsm_new(call);
	if (!ue_call_media_open(call, reasonp))
		return call;

	return call_free(call);
}

/**
 * Call somebody
 *
 * @param callp   The call, its UE's; borrowed
 * @param to      "sip:…" or "tel:…"
 * @param display What to write in the number-display field ([0112]); NULL:
 *                the real number
 * @param reasonp On failure: a sentence, the caller's to free
 *
 * @return 0; EPROTO where the UE cannot call now; EBUSY where it has a call;
 *         EINVAL where to or display is none
 */
int ue_call_dial(struct ue_call **callp, struct ue *ue, const char *to,
		 const char *display, char **reasonp)
{
	struct ue_call *call;
	int err;

	if (!ue->is_registered) {
		*reasonp = xasprintf("call by %s is not possible now: it is "
				     "%s, and not registered",
				     ue->number, fsm_name(ue->fsm));
		return EPROTO;
	}
	if (ue->call) {
		*reasonp = xasprintf("call by %s is not possible now: it has "
				     "a call with %s, which is %s",
				     ue->number, ue->call->peer,
				     fsm_name(ue->call->fsm));
		return EBUSY;
	}
	call = call_new(ue, to, "", reasonp);
	if (!call)
		return EMFILE;

	call->is_outgoing = true;
	call->sdp = ue_call_media_offer(call);
	err = ue_call_sip_dial(call, to, display ? display : ue->number,
			       reasonp);
	if (err) {
		call_free(call);
		return err;
	}
	ue->call = call;
	*callp = call;

	return ue_call_tell(call, CALL_EV_DIAL, NULL);
}

/* Whether this UE takes one more call; 0, or the status to refuse with */
static int find_place(struct ue_call ***placep, struct ue *ue)
{
	bool may_wait = ue->answer_mode == UE_ANSWER_WAITING && ue->call &&
			!ue->waiting && ue_call_is(ue->call, CALL_CONFIRMED);

	if (!ue->is_registered)
		return 480;
	if (ue->answer_mode == UE_ANSWER_DECLINE)
		return 603;
	if (ue->answer_mode == UE_ANSWER_BUSY || (ue->call && !may_wait))
		return 486;

	*placep = ue->call ? &ue->waiting : &ue->call;

	return 0;
}

static void trace_refused(const struct ue *ue, const struct call_invite *invite,
			  int status)
{
	trace_event(ue->terminal->el->trace, "ue.call",
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "number",
			      ue->number, "state", "refused", "peer",
			      invite->peer, "shown", invite->shown, "direction",
			      "in", "status", status, "call", invite->call_id));
}

/**
 * An INVITE came for a UE. What was shown to its user is what From's display
 * name says ([0112])
 *
 * @param statusp Written where there is no call: what to refuse with
 *
 * @return The call, its UE's, in idle; or NULL
 */
struct ue_call *ue_call_incoming(int *statusp, struct ue *ue,
				 const struct call_invite *invite)
{
	struct ue_call **place = NULL, *call = NULL;
	int status = find_place(&place, ue);
	char *reason = NULL;

	if (!status) {
		call = call_new(ue, invite->peer, invite->shown, &reason);
		status = call ? ue_call_media_offered(&call->sdp, call,
						      &invite->offer)
			      : 500;
	}
	if (status) {
		log_warn("terminal ue%u %s: INVITE of %s refused: %d%s%s",
			 ue->id, ue->number, invite->peer, status,
			 reason ? ": " : "", reason ? reason : "");
		trace_refused(ue, invite, status);
		free(reason);
		call_free(call);
		*statusp = status;
		return NULL;
	}
	call->call_id = xstrdup(invite->call_id);
	call->is_silent = ue->answer_mode == UE_ANSWER_NONE;
	call->is_auto =
		ue->answer_mode == UE_ANSWER_AUTO ||
		(ue->answer_mode == UE_ANSWER_WAITING && place == &ue->call);
	*place = call;

	return call;
}

/** Call back once: when the call is up (unless until_end), or has ended */
void ue_call_wait(struct ue_call *call, bool until_end, call_done_cb *cb,
		  void *arg)
{
	struct call_waiter *w = xcalloc(1, sizeof(*w));

	w->until_end = until_end;
	w->cb = cb;
	w->arg = arg;
	w->next = call->waiters;
	call->waiters = w;
}

/* Tell the active call, and wait first: it may end at once */
static int tell_and_wait(struct ue *ue, enum call_event ev, call_done_cb *cb,
			 void *arg)
{
	ue_call_wait(ue->call, true, cb, arg);

	return ue_call_tell(ue->call, ev, NULL);
}

/**
 * Answer the call that rings. If it waits beside another, that one is ended
 * first (TS 24.615 4.5.5.3)
 *
 * @param cb Called once, when the call is up or has ended
 *
 * @return 0, or EPROTO where none rings
 */
int ue_answer(struct ue *ue, call_done_cb *cb, void *arg)
{
	if (ue->waiting) {
		ue->takes_waiting = true;
		ue_call_wait(ue->waiting, false, cb, arg);
		return ue_call_tell(ue->call, CALL_EV_HANGUP, NULL);
	}
	if (!ue->call || !ue_call_is(ue->call, CALL_EARLY))
		return EPROTO;

	ue_call_wait(ue->call, false, cb, arg);

	return ue_call_tell(ue->call, CALL_EV_ANSWER, NULL);
}

/**
 * End the active call, whatever it is at
 *
 * @param cb Called once, when it has ended
 *
 * @return 0, or EPROTO where there is none
 */
int ue_hangup(struct ue *ue, call_done_cb *cb, void *arg)
{
	return ue->call ? tell_and_wait(ue, CALL_EV_HANGUP, cb, arg) : EPROTO;
}

/**
 * Give up calling
 *
 * @param cb Called once, when the call has ended; or it was answered first,
 *           and then ended
 *
 * @return 0, or EPROTO where no INVITE is out
 */
int ue_cancel(struct ue *ue, call_done_cb *cb, void *arg)
{
	if (!ue->call || !(ue_call_is(ue->call, CALL_CALLING) ||
			   ue_call_is(ue->call, CALL_PROCEEDING)))
		return EPROTO;

	return tell_and_wait(ue, CALL_EV_CANCEL, cb, arg);
}

static void end_politely(struct ue_call *call)
{
	int status = 480;

	/* one that is being ended already is left to that */
	if (call && !ue_call_is(call, CALL_CANCELLING) &&
	    !ue_call_is(call, CALL_TERMINATING))
		(void)ue_call_tell(call, CALL_EV_HANGUP, &status);
}

/** The lease is given back: end its calls first, by BYE, CANCEL or 480 */
void ue_calls_end(struct ue *ue)
{
	ue->takes_waiting = false;
	end_politely(ue->waiting);
	end_politely(ue->call);
}

/** The lease is over: end its calls, wait for nothing, keep nothing of them */
void ue_calls_forget(struct ue *ue)
{
	ue_calls_end(ue);
	if (ue->waiting)
		ue_call_end(ue->waiting);
	if (ue->call) {
		/* better a BYE before the ACK than none (RFC 3261 15) */
		if (ue_call_is(ue->call, CALL_ACCEPTED))
			ue_call_sip_bye(ue->call);
		ue_call_end(ue->call);
	}
	ue->ended = call_free(ue->ended);
}
