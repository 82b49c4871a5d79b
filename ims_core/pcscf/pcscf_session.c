/* Requests other than REGISTER at the P-CSCF (TS 24.229 5.2.6, 5.2.7): those
 * that a UE begins, those that begin for a UE, and those inside a dialog. The
 * P-CSCF stays in the way by Record-Route and keeps no state of dialogs. */
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

/** A request under way; owned by the P-CSCF's list until it is answered */
struct pcscf_session {
	su_home_t home[1];
	struct pcscf_session *next, **at;
	struct pcscf *pcscf;
	char *identity; /* whom we assert: the caller, or who was called */
	char *routes;   /* Service-Route; of a caller */
	char *charging; /* P-Charging-Vector; of a called UE kept from it */
};

static struct pcscf_session *session_new(struct pcscf *pcscf)
{
	struct pcscf_session *s = su_home_new(sizeof(*s));

	if (!s)
		abort();

	s->pcscf = pcscf;
	s->next = pcscf->sessions;
	s->at = &pcscf->sessions;
	if (s->next)
		s->next->at = &s->next;
	pcscf->sessions = s;

	return s;
}

static void session_free(struct pcscf_session *s)
{
	*s->at = s->next;
	if (s->next)
		s->next->at = s->at;
	su_home_unref(s->home);
}

/** The P-CSCF goes away */
void pcscf_sessions_free(struct pcscf *pcscf)
{
	while (pcscf->sessions)
		session_free(pcscf->sessions);
}

static void refuse(const struct pcscf *pcscf, nta_incoming_t *irq, int status,
		   const char *phrase, const char *text)
{
	const struct sipep_refusal refusal = { status, phrase, pcscf->addr,
					       text };

	sipep_reject(irq, &refusal);
}

static void assert_identity(const struct pcscf_session *s, msg_t *msg,
			    sip_t *sip)
{
	char *text = xasprintf("<%s>", s->identity);

	(void)sip_add_make(msg, sip, sip_p_asserted_identity_class, text);
	free(text);
}

/* What charges and asserts within the network is not a UE's business; with
 * Privacy: id neither is who calls (RFC 3323 4.2, RFC 3325 9.3) */
static void remove_network(msg_t *msg, sip_t *sip)
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
	if (sip)
		remove_network(msg, sip);
	if (status >= 200)
		session_free(arg);
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
	struct pcscf_session *s = session_new(pcscf);
	const sip_route_t *first;
	struct sipep_route route = { .prepare = prepare_from_ue,
				     .response = answered_to_ue,
				     .arg = s };
	char *first_uri, *next_hop;

	s->identity = choose_identity(s->home, reg, sip);
	/* "Service-Route: <…>" is a Route's value as well */
	s->routes = su_strdup(s->home,
			      reg->service_route ? reg->service_route : "");
	first = sip_route_make(s->home, s->routes);
	if (!first) {
		refuse(pcscf, irq, SIP_403_FORBIDDEN,
		       "the registration gave no Service-Route; REGISTER "
		       "again");
		session_free(s);
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
		session_free(s);
	free(next_hop);
}

/* --- a request begins for a UE (5.2.6.4) --- */

static void prepare_to_ue(msg_t *msg, sip_t *sip, void *arg)
{
	const struct pcscf_session *s = arg;

	remove_network(msg, sip);
	sipep_record_route(s->pcscf->ep, msg, sip, "term");
}

/* 5.2.6.4.4: the called UE's identity is the network's word, too */
static void answered_by_ue(int status, msg_t *msg, sip_t *sip, void *arg)
{
	struct pcscf_session *s = arg;

	if (sip) {
		pcscf_remove_forged(msg, sip);
		ims_header_remove(msg, sip, "P-Preferred-Identity");
		if (status > 100 && status < 300)
			assert_identity(s, msg, sip);
		if (s->charging)
			ims_header_add(msg, sip, "P-Charging-Vector",
				       s->charging);
	}
	if (status >= 200)
		session_free(s);
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
		refuse(pcscf, irq, SIP_480_TEMPORARILY_UNAVAILABLE,
		       "the contact in the Request-URI is not registered "
		       "through this P-CSCF (any more)");
		return;
	}

	s = session_new(pcscf);
	s->identity = choose_called(s->home, reg, sip);
	s->charging =
		su_strdup(s->home, ims_header_get(sip, "P-Charging-Vector"));
	route.arg = s;
	route.next_hop = url_as_string(s->home, sip->sip_request->rq_url);
	if (sipep_forward(pcscf->ep, irq, &route))
		session_free(s);
}

/* --- inside a dialog (5.2.6.3.4, 5.2.6.4.5): along the route set --- */

static void prepare_inner_from_ue(msg_t *msg, sip_t *sip, void *arg)
{
	(void)arg;
	pcscf_remove_forged(msg, sip);
	ims_header_remove(msg, sip, "P-Preferred-Identity");
}

static void prepare_inner_to_ue(msg_t *msg, sip_t *sip, void *arg)
{
	(void)arg;
	remove_network(msg, sip);
}

static void inner_answered_to_ue(int status, msg_t *msg, sip_t *sip, void *arg)
{
	(void)status;
	(void)arg;
	if (sip)
		remove_network(msg, sip);
}

static void inner_answered_by_ue(int status, msg_t *msg, sip_t *sip, void *arg)
{
	(void)status;
	(void)arg;
	if (sip)
		pcscf_remove_forged(msg, sip);
}

/* With a Route behind ours it goes into the network, without one to the UE */
static void rx_in_dialog(const struct pcscf *pcscf, nta_incoming_t *irq,
			 const sip_t *sip)
{
	const sip_route_t *next = sipep_next_route(pcscf->ep, sip);
	struct sipep_route route = { .prepare = prepare_inner_to_ue,
				     .response = inner_answered_by_ue };
	su_home_t home[1] = { SU_HOME_INIT(home) };
	char *next_hop;

	if (!sipep_own_route(pcscf->ep, sip)) {
		refuse(pcscf, irq, SIP_481_NO_TRANSACTION,
		       "no Route names this P-CSCF: the request is not along "
		       "the route set of a dialog that it knows of");
		return;
	}
	next_hop = url_as_string(home,
				 next ? next->r_url : sip->sip_request->rq_url);
	route.next_hop = next_hop;
	if (next) {
		next_hop = ims_next_hop(next_hop, sip);
		route.next_hop = next_hop;
		route.prepare = prepare_inner_from_ue;
		route.response = inner_answered_to_ue;
	}
	(void)sipep_forward(pcscf->ep, irq, &route);
	if (next)
		free(next_hop);
	su_home_deinit(home);
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
	const url_t *own = sipep_own_route(pcscf->ep, sip);
	bool is_term = own && own->url_user && !strcmp(own->url_user, "term");
	bool is_server = pcscf_reg_is_server(pcscf, source);
	bool is_inner = sipep_is_in_dialog(sip);
	const struct pcscf_reg *reg = NULL;

	if (!is_inner && !is_server)
		reg = pcscf_reg_of(pcscf, source, sip);
	if (is_inner && (is_server || pcscf_reg_is_source(pcscf, source)))
		rx_in_dialog(pcscf, irq, sip);
	else if (is_server && is_term)
		rx_to_ue(pcscf, irq, sip);
	else if (reg)
		rx_from_ue(pcscf, irq, sip, reg);
	else
		refuse(pcscf, irq, SIP_403_FORBIDDEN,
		       "the sender is not registered from this address; "
		       "REGISTER first");
	free(source);
}
