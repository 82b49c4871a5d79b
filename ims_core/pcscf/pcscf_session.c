/* Requests other than REGISTER at the P-CSCF (TS 24.229 5.2.6, 5.2.7): those
 * that a UE begins and those that begin for a UE. The P-CSCF stays in the way
 * by Record-Route, and saves the dialogs that come of them; what is inside one
 * is pcscf_dialog.c's. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>

#include "common/element.h"
#include "common/ims_headers.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "common/trace.h"
#include "ims_core/pcscf/pcscf_reg.h"
#include "ims_core/pcscf/pcscf_session.h"

/** A request that has come; sip lives as long as its server transaction */
struct pcscf_session *pcscf_session_new(struct pcscf *pcscf, const sip_t *sip)
{
	struct pcscf_session *s = su_home_new(sizeof(*s));

	if (!s)
		abort();

	s->pcscf = pcscf;
	s->sip = sip;
	s->first.table = pcscf->dialogs;
	s->first.request = sip;
	s->next = pcscf->sessions;
	s->at = &pcscf->sessions;
	if (s->next)
		s->next->at = &s->next;
	pcscf->sessions = s;

	return s;
}

/** It is answered */
void pcscf_session_free(struct pcscf_session *s)
{
	dialog_first_drop(&s->first);
	*s->at = s->next;
	if (s->next)
		s->next->at = s->at;
	su_home_unref(s->home);
}

/** The P-CSCF goes away */
void pcscf_sessions_free(struct pcscf *pcscf)
{
	while (pcscf->sessions)
		pcscf_session_free(pcscf->sessions);
}

/** Answer a request with a Warning; an ACK is dropped */
void pcscf_refuse(const struct pcscf *pcscf, nta_incoming_t *irq, int status,
		  const char *phrase, const char *text)
{
	const struct sipep_refusal refusal = { status, phrase, pcscf->addr,
					       text };

	sipep_reject(irq, &refusal);
}

static const char not_registered[] =
	"the sender is not registered from this address; REGISTER first";

static void assert_identity(const struct pcscf_session *s, msg_t *msg,
			    sip_t *sip)
{
	char *text = xasprintf("<%s>", s->identity);

	(void)sip_add_make(msg, sip, sip_p_asserted_identity_class, text);
	free(text);
}

/** What charges and asserts within the network is not a UE's business; with
 * Privacy: id neither is who calls (RFC 3323 4.2, RFC 3325 9.3) */
void pcscf_remove_network(msg_t *msg, sip_t *sip)
{
	const sip_privacy_t *privacy = sip->sip_privacy;
	bool is_private =
		privacy && msg_params_find(privacy->priv_values, "id") != NULL;

	ims_header_remove(msg, sip, "P-Charging-Vector");
	ims_header_remove(msg, sip, "P-Charging-Function-Addresses");
	ims_header_remove(msg, sip, "P-Served-User");
	if (is_private)
		ims_header_remove(msg, sip, "P-Asserted-Identity");
}

/* --- a UE begins (5.2.6.3) --- */

static void prepare_from_ue(msg_t *msg, sip_t *sip, void *arg)
{
	const struct pcscf_session *s = arg;
	char *icid = ims_charging_vector(s->pcscf->realm);

	pcscf_remove_forged(msg, sip);
	ims_header_remove(msg, sip, "P-Preferred-Identity");
	/* the way that the registration gave, whatever the UE wrote */
	ims_header_remove(msg, sip, "Route");
	(void)sip_add_make(msg, sip, sip_route_class, s->routes);
	assert_identity(s, msg, sip);
	ims_header_add(msg, sip, "P-Charging-Vector", icid);
	sipep_record_route(s->pcscf->ep, msg, sip, "orig");
	free(icid);
}

static void answered_to_ue(int status, msg_t *msg, sip_t *sip, void *arg)
{
	struct pcscf_session *s = arg;

	dialog_first_rx(&s->first, status, sip);
	if (sip)
		pcscf_remove_network(msg, sip);
	if (status >= 200)
		pcscf_session_free(s);
}

/* P-Preferred-Identity may choose among those that are registered */
static char *choose_identity(su_home_t *home, const struct pcscf_reg *reg,
			     const sip_t *sip)
{
	const sip_p_preferred_identity_t *ppi = sip_p_preferred_identity(sip);
	char *preferred = ppi ? ims_impu(home, ppi->ppid_url) : NULL;

	if (preferred && pcscf_reg_implies(reg, preferred))
		return preferred;

	return pcscf_reg_identity(reg, home);
}

static void rx_from_ue(struct pcscf *pcscf, nta_incoming_t *irq,
		       const sip_t *sip, const struct pcscf_reg *reg)
{
	struct pcscf_session *s = pcscf_session_new(pcscf, sip);
	const sip_route_t *first;
	struct sipep_route route = { .prepare = prepare_from_ue,
				     .response = answered_to_ue,
				     .arg = s };
	char *first_uri, *next_hop;

	s->identity = choose_identity(s->home, reg, sip);
	s->first.impu = su_strdup(s->home, reg->user->impu);
	/* "Service-Route: <…>" is a Route's value as well */
	s->routes = su_strdup(s->home,
			      reg->service_route ? reg->service_route : "");
	first = sip_route_make(s->home, s->routes);
	if (!first) {
		pcscf_refuse(pcscf, irq, SIP_403_FORBIDDEN,
			     "the registration gave no Service-Route; REGISTER "
			     "again");
		pcscf_session_free(s);
		return;
	}
	trace_event(pcscf->el->trace, "pcscf.asserted",
		    json_pack("{s:s, s:s, s:s}", "identity", s->identity,
			      "method", sip->sip_request->rq_method_name,
			      "call_id", sip->sip_call_id->i_id));
	first_uri = url_as_string(s->home, first->r_url);
	next_hop = ims_next_hop(first_uri, sip);
	route.next_hop = next_hop;
	if (sipep_forward(pcscf->ep, irq, &route))
		pcscf_session_free(s);
	free(next_hop);
}

/* --- a request begins for a UE (5.2.6.4) --- */

static void prepare_to_ue(msg_t *msg, sip_t *sip, void *arg)
{
	const struct pcscf_session *s = arg;

	pcscf_remove_network(msg, sip);
	sipep_record_route(s->pcscf->ep, msg, sip, "term");
}

/* The library puts each new one on top: the last one first */
static void put_routes(msg_t *msg, sip_t *sip, const sip_record_route_t *rr)
{
	sip_record_route_t one;

	if (!rr)
		return;

	put_routes(msg, sip, rr->r_next);
	one = *rr;
	one.r_next = NULL;
	(void)sip_add_dup(msg, sip, (sip_header_t *)&one);
}

/* 5.2.6.4.4: of a dialog that begins the way back is as the INVITE came, and
 * not as the UE says */
static void restore_routes(const struct pcscf_session *s, int status,
			   msg_t *msg, sip_t *sip)
{
	char *own = xasprintf("<sip:term@%s;lr>", s->pcscf->addr);

	ims_header_remove(msg, sip, "Record-Route");
	if (status > 100 && status < 300 && sipep_begins_dialog(s->sip)) {
		put_routes(msg, sip, s->sip->sip_record_route);
		(void)sip_add_make(msg, sip, sip_record_route_class, own);
	}
	free(own);
}

/* 5.2.6.4.4: the called UE's identity is the network's word, too */
static void answered_by_ue(int status, msg_t *msg, sip_t *sip, void *arg)
{
	struct pcscf_session *s = arg;

	if (sip) {
		pcscf_remove_forged(msg, sip);
		ims_header_remove(msg, sip, "P-Preferred-Identity");
		restore_routes(s, status, msg, sip);
		if (status > 100 && status < 300)
			assert_identity(s, msg, sip);
		if (s->charging)
			ims_header_add(msg, sip, "P-Charging-Vector",
				       s->charging);
	}
	dialog_first_rx(&s->first, status, sip);
	if (status >= 200)
		pcscf_session_free(s);
}

/* Who was called is the identity asserted, if it is of that registration */
static char *choose_called(su_home_t *home, const struct pcscf_reg *reg,
			   const sip_t *sip)
{
	const char *called = ims_header_get(sip, "P-Called-Party-ID");
	const sip_route_t *id = called ? sip_route_make(home, called) : NULL;
	char *impu = id ? ims_impu(home, id->r_url) : NULL;

	return impu && pcscf_reg_implies(reg, impu)
		       ? impu
		       : pcscf_reg_identity(reg, home);
}

static void rx_to_ue(struct pcscf *pcscf, nta_incoming_t *irq, const sip_t *sip)
{
	const struct pcscf_reg *reg = pcscf_reg_at(pcscf, sip);
	struct sipep_route route = { .prepare = prepare_to_ue,
				     .response = answered_by_ue };
	struct pcscf_session *s;

	if (!reg) {
		pcscf_refuse(pcscf, irq, SIP_480_TEMPORARILY_UNAVAILABLE,
			     "the contact in the Request-URI is not registered "
			     "through this P-CSCF (any more)");
		return;
	}

	s = pcscf_session_new(pcscf, sip);
	s->identity = choose_called(s->home, reg, sip);
	s->first.impu = su_strdup(s->home, reg->user->impu);
	s->first.is_called = true;
	s->charging =
		su_strdup(s->home, ims_header_get(sip, "P-Charging-Vector"));
	route.arg = s;
	route.next_hop = url_as_string(s->home, sip->sip_request->rq_url);
	if (sipep_forward(pcscf->ep, irq, &route))
		pcscf_session_free(s);
}

/* An ACK that belongs to no dialog is dropped, not answered */
static void rx_inner(struct pcscf *pcscf, nta_incoming_t *irq, const sip_t *sip,
		     const char *source)
{
	if (pcscf_reg_is_server(pcscf, source))
		pcscf_dialog_rx_to_ue(pcscf, irq, sip);
	else if (pcscf_reg_is_source(pcscf, source))
		pcscf_dialog_rx_from_ue(pcscf, irq, sip, source);
	else
		pcscf_refuse(pcscf, irq, SIP_403_FORBIDDEN, not_registered);
}

static void rx_first(struct pcscf *pcscf, nta_incoming_t *irq, const sip_t *sip,
		     const char *source)
{
	const url_t *own = sipep_own_route(pcscf->ep, sip);
	bool is_term = own && own->url_user && !strcmp(own->url_user, "term");
	bool is_server = pcscf_reg_is_server(pcscf, source);
	const struct pcscf_reg *reg =
		is_server ? NULL : pcscf_reg_of(pcscf, source, sip);

	if (!reg && !(is_server && is_term))
		pcscf_refuse(pcscf, irq, SIP_403_FORBIDDEN, not_registered);
	else if (sipep_begins_dialog(sip) && dialog_is_full(pcscf->dialogs))
		pcscf_refuse(pcscf, irq, SIP_503_SERVICE_UNAVAILABLE,
			     "as many dialogs as this P-CSCF can keep are up; "
			     "try again later");
	else if (reg)
		rx_from_ue(pcscf, irq, sip, reg);
	else
		rx_to_ue(pcscf, irq, sip);
}

/**
 * Take in a request that is no REGISTER
 *
 * Only who has registered gets further (5.2.6.3), and towards a UE only what
 * comes from an S-CSCF that some registration named.
 */
void pcscf_session_rx(struct pcscf *pcscf, nta_incoming_t *irq,
		      const sip_t *sip)
{
	char *source = pcscf_source(sip);

	if (sipep_is_in_dialog(sip) ||
	    sip->sip_request->rq_method == sip_method_ack)
		rx_inner(pcscf, irq, sip, source);
	else
		rx_first(pcscf, irq, sip, source);
	free(source);
}

/** A 2xx that comes again: nobody asserts anything in it (any more) */
void pcscf_session_rx_again(msg_t *msg, sip_t *sip, void *arg)
{
	const struct pcscf *pcscf = arg;

	dialog_rx_again(pcscf->dialogs, sip);
	pcscf_remove_forged(msg, sip);
}
