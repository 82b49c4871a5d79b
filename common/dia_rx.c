#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/dia_peer_core.h"
#include "common/dia_pending.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/hold.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/trace.h"

/** A received message that waits; owned by the hold queue. The peer lists it,
 * and takes itself out when it is freed */
struct dia_held {
	struct dia_held *next;
	struct dia_peer *peer; /* NULL: gone in the meantime */
	unsigned generation;
	struct dia_msg msg;
	uint8_t *data;
};

static void trace_received(struct dia_peer *peer, const void *data, size_t len)
{
	const struct trace_msg traced = { .proto = TRACE_DIAMETER,
					  .dir = TRACE_RECV,
					  .transport = "tcp",
					  .local = peer->local,
					  .remote = peer->remote,
					  .data = data,
					  .len = len };

	trace_message(peer->el->trace, &traced);
}

/**
 * Log, trace, and if it is a request answer, a message with a fault
 *
 * @param msg Its AVPs need not be readable, but its length must be true
 */
void dia_malformed(struct dia_peer *peer, const struct dia_msg *msg,
		   const struct dia_fault *fault)
{
	log_warn("diameter %s %s: %s refused with %u %s: %s", peer->remote,
		 peer->peer_host, dia_msg_name(msg), fault->result,
		 dia_result_name(fault->result, false), fault->text);
	trace_event(peer->el->trace, "diameter.malformed",
		    json_pack("{s:s, s:s, s:s, s:i, s:s}", "peer", peer->remote,
			      "host", peer->peer_host, "message",
			      dia_msg_name(msg), "result", (int)fault->result,
			      "what", fault->text));
	if (dia_is_request(msg))
		dia_peer_tx_error(peer, msg, fault);
}

/* What follows cannot be told apart any more: answer and close (7.1.5) */
static void unframed(struct dia_peer *peer, const uint8_t *data, size_t len,
		     int err)
{
	struct dia_fault fault;
	struct dia_msg msg;

	trace_received(peer, data, len < DIA_MSG_MAX ? len : DIA_MSG_MAX);
	dia_header(&msg, data);
	if (err == EPROTONOSUPPORT)
		dia_fault_set(&fault, DIA_UNSUPPORTED_VERSION,
			      "version is %u, not 1", msg.version);
	else
		dia_fault_set(&fault, DIA_INVALID_MESSAGE_LENGTH,
			      "message length is %u, not a multiple of 4 from "
			      "%d to %d",
			      msg.length, DIA_HEADER_LEN, DIA_MSG_MAX);
	msg.length = DIA_HEADER_LEN; /* what is there to be read */
	dia_malformed(peer, &msg, &fault);
	dia_peer_lost(peer, "what it sends is no Diameter");
}

static enum dia_event event_of(const struct dia_msg *msg)
{
	bool is_request = dia_is_request(msg);

	switch (msg->code) {
	case DIA_CE:
		return is_request ? DIA_EV_CER : DIA_EV_CEA;
	case DIA_DW:
		return is_request ? DIA_EV_DWR : DIA_EV_DWA;
	case DIA_DP:
		return is_request ? DIA_EV_DPR : DIA_EV_DPA;
	default:
		return DIA_EV_MESSAGE;
	}
}

static bool is_before_open(const struct dia_peer *peer)
{
	int state = fsm_state(peer->fsm);

	return state == DIA_CLOSED || state == DIA_WAIT_I_CEA;
}

/* The base protocol's messages are judged here; the application's when they
 * are acted on, since they may be held before */
static int judge(struct dia_fault *fault, const struct dia_msg *msg,
		 enum dia_event event)
{
	if (dia_is_request(msg) && msg->flags & DIA_ERROR) {
		dia_fault_set(fault, DIA_INVALID_HDR_BITS,
			      "a request has the E bit");
		return EBADMSG;
	}

	return event == DIA_EV_MESSAGE ? 0 : dia_check(fault, msg);
}

static void rx_message(struct dia_peer *peer, struct dia_msg *msg)
{
	enum dia_event event = event_of(msg);
	int state = fsm_state(peer->fsm);
	struct dia_fault fault;

	if (judge(&fault, msg, event)) {
		dia_malformed(peer, msg, &fault);
		if (is_before_open(peer))
			dia_peer_lost(peer, "its capabilities are malformed");
		return;
	}
	if (state == DIA_WAIT_I_CEA && event != DIA_EV_CEA)
		event = DIA_EV_NON_CEA;
	if (state == DIA_CLOSED && event != DIA_EV_CER) {
		log_warn("diameter %s: first message is a %s, not a CER",
			 peer->remote, dia_msg_name(msg));
		dia_peer_lost(peer, "its first message is no CER");
		return;
	}
	(void)fsm_event(peer->fsm, (int)event, msg);
}

/**
 * Octets came: take one message of them
 *
 * @return Octets taken, 0 if more are needed, -1 if the connection is over
 */
ssize_t dia_rx(const uint8_t *data, size_t len, void *arg)
{
	struct dia_peer *peer = arg;
	struct dia_msg msg;
	size_t frame = 0;
	int err = dia_frame(data, len, &frame);

	if (err == EAGAIN || (!err && len < frame))
		return 0;

	if (err) {
		unframed(peer, data, len, err);
		return -1;
	}

	trace_received(peer, data, frame);
	dia_watchdog_alive(peer);
	dia_header(&msg, data);
	rx_message(peer, &msg);

	return peer->stream ? (ssize_t)frame : -1;
}

static bool is_for(const struct dia_avp *avp, const char *name)
{
	return avp->len == strlen(name) &&
	       !strncasecmp((const char *)avp->data, name, avp->len);
}

/* We are no agent: what is not for us cannot be passed on (RFC 6733 6.1) */
static int check_destination(struct dia_fault *fault,
			     const struct dia_peer *peer,
			     const struct dia_msg *msg)
{
	struct dia_avp avp;

	if (dia_find(&avp, dia_iter_msg(msg), AVP_DESTINATION_REALM) &&
	    !is_for(&avp, peer->origin_realm)) {
		dia_fault_set(fault, DIA_REALM_NOT_SERVED,
			      "Destination-Realm is not %s",
			      peer->origin_realm);
		return EBADMSG;
	}
	if (dia_find(&avp, dia_iter_msg(msg), AVP_DESTINATION_HOST) &&
	    !is_for(&avp, peer->origin_host)) {
		dia_fault_set(fault, DIA_UNABLE_TO_DELIVER,
			      "Destination-Host is not %s", peer->origin_host);
		return EBADMSG;
	}

	return 0;
}

static int check_request(struct dia_fault *fault, const struct dia_peer *peer,
			 const struct dia_msg *msg)
{
	int err;

	if (!dia_command_find(msg->code) || !peer->ops->serves(msg->code)) {
		dia_fault_set(fault, DIA_COMMAND_UNSUPPORTED,
			      "command %u is not served here", msg->code);
		return EBADMSG;
	}
	if (msg->application != DIA_APP_CX) {
		dia_fault_set(fault, DIA_APPLICATION_UNSUPPORTED,
			      "application %u is not %d (Cx)", msg->application,
			      DIA_APP_CX);
		return EBADMSG;
	}
	err = dia_check(fault, msg);

	return err ? err : check_destination(fault, peer, msg);
}

static void act_on_answer(struct dia_peer *peer, const struct dia_msg *msg)
{
	struct dia_fault fault;
	int err = dia_check(&fault, msg);

	if (err)
		dia_malformed(peer, msg, &fault);
	if (dia_pending_answer(peer->pending, msg->hop_by_hop, err,
			       err ? NULL : msg))
		return;

	log_warn("diameter %s: %s with hop-by-hop %08x is late or was not "
		 "asked for: dropped",
		 peer->remote, dia_msg_name(msg), msg->hop_by_hop);
	trace_event(peer->el->trace, "diameter.unmatched",
		    json_pack("{s:s, s:s}", "peer", peer->remote, "message",
			      dia_msg_name(msg)));
}

static void act(struct dia_peer *peer, const struct dia_msg *msg)
{
	struct dia_fault fault;

	if (!dia_is_request(msg))
		act_on_answer(peer, msg);
	else if (check_request(&fault, peer, msg))
		dia_malformed(peer, msg, &fault);
	else
		peer->ops->request(peer, msg, peer->arg);
}

static void forget_held(struct dia_held *held)
{
	struct dia_held **p = &held->peer->held;

	while (*p && *p != held)
		p = &(*p)->next;
	if (*p)
		*p = held->next;
}

/* It was released or dropped; the peer, or the connection, may be another */
static void on_hold_done(bool is_dropped, void *arg)
{
	struct dia_held *held = arg;
	struct dia_peer *peer = held->peer;

	if (peer)
		forget_held(held);
	if (is_dropped && peer)
		dia_pending_resume(peer->pending, held->msg.hop_by_hop);
	else if (!peer || peer->generation != held->generation || !peer->stream)
		log_warn("diameter: the peer of a %s that was held is gone: "
			 "dropped",
			 dia_msg_name(&held->msg));
	else
		act(peer, &held->msg);
	free(held->data);
	free(held);
}

/**
 * A message of the application came. It may be held, as every protocol's; the
 * base protocol's are not, or a connection would die under who steps.
 */
void dia_rx_application(struct dia_peer *peer, const struct dia_msg *msg)
{
	struct dia_held *held = xcalloc(1, sizeof(*held));
	char what[32];

	(void)snprintf(what, sizeof(what), "diameter %s", dia_msg_name(msg));
	held->peer = peer;
	held->generation = peer->generation;
	if (!hold_message(peer->el->hold, what, peer->remote, on_hold_done,
			  held)) {
		free(held);
		act(peer, msg);
		return;
	}
	held->data = xmemdup(msg->raw, msg->length);
	dia_header(&held->msg, held->data);
	held->next = peer->held;
	peer->held = held;
	if (!dia_is_request(msg))
		(void)dia_pending_pause(peer->pending, msg->hop_by_hop);
}

/** The peer goes away: what it has in the queue has no peer any more */
void dia_held_orphan(struct dia_peer *peer)
{
	for (struct dia_held *held = peer->held; held; held = held->next)
		held->peer = NULL;
	peer->held = NULL;
}
