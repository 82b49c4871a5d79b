/** @file appserver_call_sip.h  The legs of a call, as the SIP library has them
 *
 * What appserver_call_sip.c (the call's INVITE and its end) and
 * appserver_dialog_sip.c (requests that cross while it is up) share.
 */
#ifndef SIPSHARE_APPSERVER_CALL_SIP_H
#define SIPSHARE_APPSERVER_CALL_SIP_H

#include <sofia-sip/nta.h>

#include "appserver/appserver_call.h"

/** A request that crosses: a server and a client transaction. Owned by the
 * legs */
struct as_cross {
	struct as_cross *next;
	struct as_legs *legs;
	enum as_side from;
	nta_incoming_t *irq;
	nta_outgoing_t *orq; /**< NULL: not sent yet */
	msg_t *ack;          /**< the caller's, for its body; NULL: none */
};

/** One leg */
struct as_leg {
	struct as_legs *legs;
	enum as_side side;
	nta_leg_t *nta;
	nta_outgoing_t *bye; /**< sent and not answered; NULL: none */
};

/** Owned by the call */
struct as_legs {
	su_home_t home[1];
	struct as_call *call;
	struct sipep *sip;
	struct as_leg leg[AS_SIDE_N];
	struct as_cross *invite; /**< the first of crosses: the call's own */
	struct as_cross *crosses;
};

/* appserver_call_sip.c */
void as_call_rx_invite(struct appserver *as, nta_incoming_t *irq,
		       const sip_t *sip);

/* appserver_dialog_sip.c */
int as_leg_rx(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *irq,
	      const sip_t *sip);
struct as_cross *as_cross_new(struct as_legs *legs, enum as_side from,
			      nta_incoming_t *irq);
struct as_cross *as_cross_free(struct as_cross *cross);
msg_t *as_cross_request(const struct as_cross *cross);
void as_cross_response(const struct as_cross *cross);
void as_cross_ack(struct as_cross *cross);
void as_cross_keep_ack(struct as_cross *cross);
nta_outgoing_t *as_leg_tx(const struct as_leg *leg, msg_t *msg,
			  nta_response_f *cb, nta_outgoing_magic_t *magic);
sip_contact_t *as_legs_contact(const struct as_legs *legs, su_home_t *home);

#endif
