/* Requests that cross the AS: how a message of one leg becomes one of the
 * other (RFC 7092 3.2), and what is sent inside the call's dialogs (RFC 3261
 * 12.2, 14) */
#include <string.h>

#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tagarg.h>

#include "appserver/appserver_call_sip.h"
#include "common/ims_headers.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/sipep.h"

#define DROP(msg, sip, field)                                                  \
	while ((sip)->field)                                                   \
	(void)sip_header_remove(msg, sip, (sip_header_t *)(sip)->field)

/* RFC 3262 is between two neighbours, and we do not play it */
static void drop_100rel(msg_t *msg, sip_t *sip)
{
	const sip_supported_t *s = sip->sip_supported;
	char *left = NULL;

	if (!s || !sip_has_supported(s, "100rel"))
		return;

	for (; s; s = s->k_next)
		for (size_t i = 0; s->k_items && s->k_items[i]; i++)
			if (strcasecmp(s->k_items[i], "100rel") != 0)
				left = su_sprintf(msg_home(msg), "%s%s%s",
						  left ? left : "",
						  left ? ", " : "",
						  s->k_items[i]);
	DROP(msg, sip, sip_supported);
	if (left)
		(void)sip_header_insert(msg, sip,
					(sip_header_t *)sip_supported_make(
						msg_home(msg), left));
}

/* What names one dialog or one hop and means nothing on the other leg */
static void drop_own(msg_t *msg, sip_t *sip)
{
	DROP(msg, sip, sip_via);
	DROP(msg, sip, sip_record_route);
	DROP(msg, sip, sip_from);
	DROP(msg, sip, sip_to);
	DROP(msg, sip, sip_call_id);
	DROP(msg, sip, sip_cseq);
	DROP(msg, sip, sip_rseq);
	DROP(msg, sip, sip_rack);
}

static bool is_target_refresh(sip_method_t method)
{
	return method == sip_method_invite || method == sip_method_update;
}

/** Our own Contact: in-dialog requests of both sides come here */
sip_contact_t *as_legs_contact(const struct as_legs *legs, su_home_t *home)
{
	return sip_contact_format(home, "<sip:%s>", sipep_addr(legs->sip));
}

/**
 * The request of one leg, for the other: all that is not of its dialog or hop
 *
 * @return The caller's; Route, Request-URI and dialog are still to be given
 */
msg_t *as_cross_request(const struct as_cross *cross)
{
	msg_t *received = nta_incoming_getrequest(cross->irq);
	msg_t *msg = msg_copy(received);
	sip_t *sip = sip_object(msg);
	su_home_t *home = msg_home(msg);
	unsigned long hops = 70;

	msg_destroy(received);
	if (sip->sip_max_forwards)
		hops = sip->sip_max_forwards->mf_count - 1;
	DROP(msg, sip, sip_max_forwards);
	(void)sip_header_insert(
		msg, sip,
		(sip_header_t *)sip_max_forwards_format(home, "%lu", hops));
	drop_own(msg, sip);
	drop_100rel(msg, sip);
	if (is_target_refresh(sip->sip_request->rq_method)) {
		DROP(msg, sip, sip_contact);
		(void)sip_header_insert(
			msg, sip,
			(sip_header_t *)as_legs_contact(cross->legs, home));
	}

	return msg;
}

/* The library copies the Record-Route of the request into a message that has
 * headers already in the wrong order: one by one, the last first, it is right
 * (RFC 3261 12.1.1) */
static void turn_record_route(msg_t *msg, sip_t *sip)
{
	sip_record_route_t *all =
		sip_record_route_dup(msg_home(msg), sip->sip_record_route);

	DROP(msg, sip, sip_record_route);
	while (all) {
		sip_record_route_t **last = &all, *one;

		while ((*last)->r_next)
			last = &(*last)->r_next;
		one = *last;
		*last = NULL;
		(void)sip_header_insert(msg, sip, (sip_header_t *)one);
	}
}

/** Pass the response received last back to where the request came from */
void as_cross_response(const struct as_cross *cross)
{
	sip_method_t method = nta_outgoing_method(cross->orq);
	int status = nta_outgoing_status(cross->orq);
	msg_t *received = nta_outgoing_getresponse(cross->orq);
	msg_t *msg;
	sip_t *sip;

	if (!received || nta_is_internal_msg(received)) {
		msg_destroy(received);
		nta_incoming_treply(cross->irq, SIP_504_GATEWAY_TIME_OUT,
				    SIPTAG_REASON_STR("SIP;cause=504;text=\"no "
						      "answer from the next "
						      "hop\""),
				    TAG_END());
		return;
	}
	msg = msg_copy(received);
	msg_destroy(received);
	sip = sip_object(msg);
	drop_own(msg, sip);
	if (status < 300 && is_target_refresh(method)) {
		DROP(msg, sip, sip_contact);
		(void)sip_header_insert(msg, sip,
					(sip_header_t *)as_legs_contact(
						cross->legs, msg_home(msg)));
	}
	if (nta_incoming_complete_response(cross->irq, msg, status,
					   sip->sip_status->st_phrase,
					   TAG_END())) {
		msg_destroy(msg);
		return;
	}
	turn_record_route(msg, sip);
	nta_incoming_mreply(cross->irq, msg);
}

/** Keep the ACK that irq's callback is called for: it may have a body */
void as_cross_keep_ack(struct as_cross *cross)
{
	msg_destroy(cross->ack);
	cross->ack = nta_incoming_getrequest_ackcancel(cross->irq);
}

/**
 * Acknowledge the far 2xx. The library repeats it for each repeated 2xx
 * (RFC 3261 13.2.2.4)
 */
void as_cross_ack(struct as_cross *cross)
{
	const struct as_leg *leg = &cross->legs->leg[!cross->from];
	msg_t *msg = nta_msg_create(sipep_agent(cross->legs->sip), 0);
	const sip_t *body = cross->ack ? sip_object(cross->ack) : NULL;
	sip_t *sip = sip_object(msg);
	sip_cseq_t *cseq = sip_cseq_create(
		msg_home(msg), nta_outgoing_cseq(cross->orq), SIP_METHOD_ACK);

	(void)sip_header_insert(msg, sip, (sip_header_t *)cseq);
	if (body && body->sip_payload) {
		(void)sip_add_dup(msg, sip,
				  (sip_header_t *)body->sip_content_type);
		(void)sip_add_dup(msg, sip, (sip_header_t *)body->sip_payload);
	}
	if (nta_msg_request_complete(msg, leg->nta, SIP_METHOD_ACK, NULL))
		msg_destroy(msg);
	else
		nta_outgoing_destroy(as_leg_tx(leg, msg, NULL, NULL));
}

/** Send a request that is complete but for its next hop; NULL: not sent */
nta_outgoing_t *as_leg_tx(const struct as_leg *leg, msg_t *msg,
			  nta_response_f *cb, nta_outgoing_magic_t *magic)
{
	const sip_t *sip = sip_object(msg);
	const url_t *hop = sip->sip_route ? sip->sip_route->r_url
					  : sip->sip_request->rq_url;
	nta_outgoing_t *orq =
		nta_outgoing_mcreate(sipep_agent(leg->legs->sip), cb, magic,
				     (const url_string_t *)hop, msg, TAG_END());

	if (!orq) {
		log_warn("appserver call: a request cannot be sent on");
		msg_destroy(msg);
	}

	return orq;
}

/** A request that came on one leg and is to cross */
struct as_cross *as_cross_new(struct as_legs *legs, enum as_side from,
			      nta_incoming_t *irq)
{
	struct as_cross *cross = xcalloc(1, sizeof(*cross));

	cross->legs = legs;
	cross->from = from;
	cross->irq = irq;
	cross->next = legs->crosses;
	legs->crosses = cross;

	return cross;
}

/** Free; what is not answered gets 500 */
struct as_cross *as_cross_free(struct as_cross *cross)
{
	struct as_cross **p = &cross->legs->crosses;

	while (*p != cross)
		p = &(*p)->next;
	*p = cross->next;
	nta_incoming_destroy(cross->irq);
	nta_outgoing_destroy(cross->orq);
	msg_destroy(cross->ack);
	free(cross);

	return NULL;
}

/* ---- while the call is up ---- */

static void refresh(const struct as_leg *leg, const sip_t *sip)
{
	if (sip && sip->sip_contact)
		(void)nta_leg_client_reroute(leg->nta, NULL, sip->sip_contact,
					     0);
}

static int on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq,
		       const sip_t *sip)
{
	struct as_cross *cross = (struct as_cross *)magic;
	sip_method_t method = nta_outgoing_method(orq);
	int status = nta_outgoing_status(orq);

	if (status < 300 && is_target_refresh(method))
		refresh(&cross->legs->leg[!cross->from], sip);
	as_cross_response(cross);
	/* a 2xx to a re-INVITE waits for its ACK */
	if (status >= 300 || (status >= 200 && method != sip_method_invite))
		as_cross_free(cross);

	return 0;
}

/* ACK, CANCEL or neither of a re-INVITE */
static int on_ack_cancel(nta_incoming_magic_t *magic, nta_incoming_t *irq,
			 const sip_t *sip)
{
	struct as_cross *cross = (struct as_cross *)magic;
	struct as_call *call = cross->legs->call;

	if (sip && sip->sip_request->rq_method == sip_method_cancel) {
		/* the other side's final response will come back */
		nta_outgoing_cancel(cross->orq);
		return 0;
	}
	if (nta_incoming_status(irq) >= 300)
		return 0;
	if (sip)
		as_cross_keep_ack(cross);
	as_cross_ack(cross);
	as_cross_free(cross);
	if (!sip) /* RFC 3261 14.2 */
		as_call_tell(call, AS_CALL_EV_NO_ACK, NULL);

	return 0;
}

/* RFC 3261 14.1, 14.2; RFC 3311 5.2 */
static bool has_offer_pending(const struct as_legs *legs)
{
	for (const struct as_cross *c = legs->crosses; c; c = c->next)
		if (c != legs->invite && c->orq &&
		    is_target_refresh(nta_outgoing_method(c->orq)))
			return true;

	return false;
}

static void cross(struct as_leg *from, nta_incoming_t *irq, const sip_t *sip)
{
	const struct as_leg *to = &from->legs->leg[!from->side];
	sip_request_t *rq = sip->sip_request;
	struct as_cross *cross = as_cross_new(from->legs, from->side, irq);
	msg_t *msg = as_cross_request(cross);
	sip_t *out = sip_object(msg);

	DROP(msg, out, sip_route);
	nta_incoming_bind(irq, on_ack_cancel, (nta_incoming_magic_t *)cross);
	if (is_target_refresh(rq->rq_method))
		refresh(from, sip);
	if (nta_msg_request_complete(msg, to->nta, rq->rq_method,
				     rq->rq_method_name, NULL))
		msg_destroy(msg);
	else
		cross->orq = as_leg_tx(to, msg, on_response,
				       (nta_outgoing_magic_t *)cross);
	if (!cross->orq)
		as_cross_free(cross);
}

static void rx_bye(const struct as_leg *leg, nta_incoming_t *irq,
		   const sip_t *sip)
{
	struct as_call *call = leg->legs->call;
	char *reason = NULL;

	nta_incoming_treply(irq, SIP_200_OK, TAG_END());
	if (sip->sip_reason && !call->reason) {
		reason = sip_header_as_string(leg->legs->home,
					      (sip_header_t *)sip->sip_reason);
		xstrset(&call->reason, reason);
	}
	as_call_tell(call,
		     leg->side == AS_NEAR ? AS_CALL_EV_BYE_NEAR
					  : AS_CALL_EV_BYE_FAR,
		     NULL);
}

/** A request came in the dialog of a leg */
int as_leg_rx(nta_leg_magic_t *magic, nta_leg_t *nta, nta_incoming_t *irq,
	      const sip_t *sip)
{
	struct as_leg *leg = (struct as_leg *)magic;
	const struct as_call *call = leg->legs->call;
	sip_method_t method = sip->sip_request->rq_method;

	(void)nta;
	if (sipep_refuse(leg->legs->sip, irq, sip)) {
		nta_incoming_destroy(irq);
		return 0;
	}
	if (method == sip_method_bye)
		rx_bye(leg, irq, sip);
	else if (as_call_is_ending(call))
		nta_incoming_treply(irq, SIP_481_NO_TRANSACTION, TAG_END());
	else if (!as_call_is_up(call))
		nta_incoming_treply(irq, 500, "Call Not Answered Yet",
				    SIPTAG_RETRY_AFTER_STR("1"), TAG_END());
	else if (is_target_refresh(method) && has_offer_pending(leg->legs))
		nta_incoming_treply(irq, SIP_491_REQUEST_PENDING, TAG_END());
	else {
		cross(leg, irq, sip);
		return 0;
	}
	nta_incoming_destroy(irq);

	return 0;
}
