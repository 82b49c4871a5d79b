/** @file terminal_call_parts.h  Between the parts of a call
 *
 * terminal_calls.c has a UE's calls, terminal_call.c the states of one,
 * terminal_call_media.c its SDP and RTP, terminal_call_sip.c its messages.
 */
#ifndef SIPSHARE_TERMINAL_CALL_PARTS_H
#define SIPSHARE_TERMINAL_CALL_PARTS_H

#include <sofia-sip/nta.h>
#include <sofia-sip/sip.h>

#include "terminal/terminal_call.h"

/** States of a call: those of the dialog (RFC 3261 12), and before it of the
 * INVITE's transaction (17.1.1.2; RFC 6026 7.1 for "accepted") */
enum call_state {
	CALL_IDLE,
	CALL_CALLING,
	CALL_PROCEEDING,
	CALL_CANCELLING,  /**< 487 awaited, or the 200 that crossed */
	CALL_EARLY,       /**< called: the user is alerted */
	CALL_ACCEPTED,    /**< called: 200 sent, ACK awaited */
	CALL_CONFIRMED,   /**< up */
	CALL_TERMINATING, /**< BYE sent */
	CALL_TERMINATED,
	CALL_STATE_N
};

/** The first four are what the user can tell a call */
enum call_event {
	CALL_EV_DIAL,
	CALL_EV_ANSWER,
	CALL_EV_CANCEL,
	CALL_EV_HANGUP,
	CALL_EV_RX_INVITE,
	CALL_EV_RX_RESPONSE, /**< to INVITE or BYE; data: call_response */
	CALL_EV_RX_ACK,      /**< data: call_body, or NULL */
	CALL_EV_RX_CANCEL,
	CALL_EV_RX_BYE,
	CALL_EV_NO_ACK,
	CALL_EV_DUE,
	CALL_EVENT_N
};

/** A message's SDP; borrowed. text NULL: none */
struct call_body {
	const char *text;
	size_t len;
};

/** An INVITE that came; borrowed */
struct call_invite {
	const char *peer;  /**< asserted caller, else From's URI */
	const char *shown; /**< From's display name */
	const char *call_id;
	struct call_body offer;
};

/** A response; borrowed */
struct call_response {
	int status;
	const char *phrase;
	struct call_body body;
};

/* terminal_calls.c */
void ue_call_leave(struct ue_call *call);
char *ue_call_text(const char *text);
void ue_call_tell_waiters(struct ue_call *call, bool has_ended);

/* terminal_call.c */
struct fsm *ue_call_fsm_new(struct ue_call *call);
int ue_call_tell(struct ue_call *call, enum call_event ev, void *data);
bool ue_call_is(const struct ue_call *call, enum call_state state);
void ue_call_end(struct ue_call *call);

/* terminal_call_media.c */
int ue_call_media_open(struct ue_call *call, char **reasonp);
void ue_call_media_close(struct ue_call *call);
char *ue_call_media_offer(struct ue_call *call);
int ue_call_media_offered(char **answerp, struct ue_call *call,
			  const struct call_body *offer);
int ue_call_media_answered(struct ue_call *call,
			   const struct call_body *answer);
void ue_call_media_talk(struct ue_call *call);

/* terminal_call_sip.c */
void ue_sip_invite(struct ue *ue, nta_incoming_t *irq, const sip_t *sip);
int ue_call_sip_dial(struct ue_call *call, const char *to, const char *display,
		     char **reasonp);
void ue_call_sip_cancel(struct ue_call *call);
void ue_call_sip_bye(struct ue_call *call);
void ue_call_sip_ring(struct ue_call *call, bool is_waiting);
void ue_call_sip_silence(struct ue_call *call);
void ue_call_sip_accept(struct ue_call *call);
void ue_call_sip_refuse(struct ue_call *call, int status);
struct ue_call_sip *ue_call_sip_free(struct ue_call_sip *sip);

#endif
