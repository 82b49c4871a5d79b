/* Requests inside a dialog at the P-CSCF (TS 24.229 5.2.6.3.5, 5.2.6.3.9,
 * 5.2.6.4.5, 5.2.6.4.9). A UE's goes on if the UE is an end of a dialog that
 * the P-CSCF has saved, and along the saved route set, whatever it wrote. The
 * network's comes along the route set that the network keeps.
 *
 * What the standard leaves open: a dialog that nobody knows gets 481 (RFC 3261
 * 12.2.2), one that is others' the 403 of 5.2.6.3.5 item 1. */
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>

#include "common/element.h"
#include "common/ims_headers.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "ims_core/pcscf/pcscf_session.h"

/* The answer on its way back; arg is the session */
static void answered(struct pcscf_session *s, int status, const sip_t *sip)
{
	dialog_rx_answer(s->pcscf->dialogs, s->sip, status, sip);
	if (status >= 200)
		pcscf_session_free(s);
}

/* An ACK has no answer */
static void forward(struct pcscf_session *s, nta_incoming_t *irq,
		    const struct sipep_route *route)
{
	bool is_ack = s->sip->sip_request->rq_method == sip_method_ack;

	if (!is_ack)
		dialog_rx_request(s->pcscf->dialogs, s->sip);
	if (sipep_forward(s->pcscf->ep, irq, route) || is_ack)
		pcscf_session_free(s);
}

/* --- from a UE --- */

static void prepare_from_ue(msg_t *msg, sip_t *sip, void *arg)
{
	const struct pcscf_session *s = arg;

	pcscf_remove_forged(msg, sip);
	ims_header_remove(msg, sip, "P-Preferred-Identity");
	/* 5.2.6.3.5 item 2 b, 5.2.6.3.9: of both choices, 400 or the saved
	 * list, the one that ends the UE's call after all */
	ims_header_remove(msg, sip, "Route");
	if (*s->routes)
		(void)sip_add_make(msg, sip, sip_route_class, s->routes);
}

static void answered_to_ue(int status, msg_t *msg, sip_t *sip, void *arg)
{
	if (sip)
		pcscf_remove_network(msg, sip);
	answered(arg, status, sip);
}

static void forward_from_ue(struct pcscf *pcscf, nta_incoming_t *irq,
			    const sip_t *sip, const struct dialog *d)
{
	struct pcscf_session *s = pcscf_session_new(pcscf, sip);
	const sip_route_t *first;
	struct sipep_route route = { .prepare = prepare_from_ue,
				     .response = answered_to_ue,
				     .arg = s };
	char *next_hop;

	s->routes = su_strdup(s->home, d->end[DIALOG_PEER].routes);
	first = sip_route_make(s->home, s->routes);
	next_hop = ims_next_hop(
		url_as_string(s->home,
			      first ? first->r_url : sip->sip_request->rq_url),
		sip);
	route.next_hop = next_hop;
	forward(s, irq, &route);
	free(next_hop);
}

/** Whoever sends it has registered from source */
void pcscf_dialog_rx_from_ue(struct pcscf *pcscf, nta_incoming_t *irq,
			     const sip_t *sip, const char *source)
{
	const struct dialog *d = dialog_find(pcscf->dialogs, sip, DIALOG_USER);
	sip_method_t method = sip->sip_request->rq_method;
	bool is_ending = method == sip_method_bye || method == sip_method_ack;

	if (!d || (dialog_is_closing(d) && !is_ending))
		pcscf_refuse(pcscf, irq, SIP_481_NO_TRANSACTION,
			     "no dialog with this Call-ID and these tags "
			     "goes through this P-CSCF (any more)");
	else if (!pcscf_reg_is_known(pcscf, dialog_impu(d), source))
		pcscf_refuse(pcscf, irq, SIP_403_FORBIDDEN,
			     "the dialog is another UE's");
	else
		forward_from_ue(pcscf, irq, sip, d);
}

/* --- to a UE --- */

static void prepare_to_ue(msg_t *msg, sip_t *sip, void *arg)
{
	(void)arg;
	pcscf_remove_network(msg, sip);
}

static void answered_by_ue(int status, msg_t *msg, sip_t *sip, void *arg)
{
	if (sip)
		pcscf_remove_forged(msg, sip);
	answered(arg, status, sip);
}

/** From an S-CSCF: with a Route behind ours to that, which is another hop of
 * the network or a UE's own proxy, without one to the UE */
void pcscf_dialog_rx_to_ue(struct pcscf *pcscf, nta_incoming_t *irq,
			   const sip_t *sip)
{
	const sip_route_t *next = sipep_next_route(pcscf->ep, sip);
	struct pcscf_session *s;
	struct sipep_route route = { .prepare = prepare_to_ue,
				     .response = answered_by_ue };

	if (!sipep_own_route(pcscf->ep, sip)) {
		pcscf_refuse(pcscf, irq, SIP_481_NO_TRANSACTION,
			     "no Route names this P-CSCF: the request is not "
			     "along the route set of a dialog that it knows "
			     "of");
		return;
	}
	s = pcscf_session_new(pcscf, sip);
	route.arg = s;
	route.next_hop = url_as_string(
		s->home, next ? next->r_url : sip->sip_request->rq_url);
	forward(s, irq, &route);
}
