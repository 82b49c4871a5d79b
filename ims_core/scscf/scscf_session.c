/* Requests other than REGISTER: which procedure one belongs to, and those
 * inside a dialog (TS 24.229 5.4.3.1) */
#include "ims_core/scscf/scscf_session.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>

#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"

/** A session for a request that has come; its irq is the session's */
struct scscf_session *scscf_session_new(struct scscf *scscf,
					nta_incoming_t *irq, const sip_t *sip)
{
	struct scscf_session *s = su_home_new(sizeof(*s));

	if (!s)
		abort();

	s->scscf = scscf;
	s->irq = irq;
	s->sip = sip;
	s->next = scscf->sessions;
	s->at = &scscf->sessions;
	if (s->next)
		s->next->at = &s->next;
	scscf->sessions = s;

	return s;
}

static void session_free(struct scscf_session *s)
{
	*s->at = s->next;
	if (s->next)
		s->next->at = s->at;
	su_home_unref(s->home);
}

/** The S-CSCF goes away; its endpoint drops the requests */
void scscf_sessions_free(struct scscf *scscf)
{
	while (scscf->sessions)
		session_free(scscf->sessions);
}

static void refuse(struct scscf_session *s)
{
	s->refusal.agent = s->scscf->origin_host;
	sipep_reject(s->irq, &s->refusal);
	session_free(s);
}

/** Say why a session goes nowhere; 0, as scscf_session_routes() returns it */
size_t scscf_session_nowhere(struct scscf_session *s, int status,
			     const char *phrase, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	s->refusal = (struct sipep_refusal){
		.status = status,
		.phrase = phrase,
		.text = su_vsprintf(s->home, fmt, ap),
	};
	va_end(ap);

	return 0;
}

/** Refuse the request; s is gone */
void scscf_session_refuse(struct scscf_session *s, int status,
			  const char *phrase, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	s->refusal = (struct sipep_refusal){
		.status = status,
		.phrase = phrase,
		.text = su_vsprintf(s->home, fmt, ap),
	};
	va_end(ap);
	refuse(s);
}

/** The response on its way back; with the final one the session is over. arg
 * is the session */
void scscf_session_answered(int status, msg_t *msg, sip_t *sip, void *arg)
{
	(void)msg;
	(void)sip;
	if (status >= 200)
		session_free(arg);
}

/** To the next AS that wants it; when none is left, onward */
size_t scscf_session_routes(struct scscf_session *s,
			    const struct sipep_route **routesp)
{
	size_t n = scscf_isc_routes(s, routesp);

	if (n)
		return n;

	return s->session_case == CASE_ORIGINATING
		       ? scscf_orig_routes(s, routesp)
		       : scscf_term_routes(s, routesp);
}

/** Send the request on; s is gone when it is answered */
void scscf_session_go(struct scscf_session *s)
{
	const struct sipep_route *routes = NULL;
	size_t n = scscf_session_routes(s, &routes);

	if (!n)
		refuse(s);
	else if (sipep_fork(s->scscf->ep, s->irq, routes, n))
		session_free(s);
}

/* Along the route set (RFC 3261 16.12): each dialog that we are in the way of
 * names us in its Routes */
static void rx_in_dialog(const struct scscf *scscf, nta_incoming_t *irq,
			 const sip_t *sip)
{
	const sip_route_t *next = sipep_next_route(scscf->ep, sip);
	const struct sipep_refusal no_dialog = {
		SIP_481_NO_TRANSACTION, scscf->origin_host,
		"no Route names this S-CSCF: the request is not along the "
		"route set of a dialog that it knows of"
	};
	su_home_t home[1] = { SU_HOME_INIT(home) };
	char *uri = url_as_string(home, next ? next->r_url
					     : sip->sip_request->rq_url);
	char *next_hop = ims_next_hop(uri, sip);
	const struct sipep_route route = { .next_hop = next ? next_hop : uri };

	if (sipep_own_route(scscf->ep, sip))
		(void)sipep_forward(scscf->ep, irq, &route);
	else
		sipep_reject(irq, &no_dialog);
	free(next_hop);
	su_home_deinit(home);
}

/** Take in a request that is no REGISTER: the Route that brought it here, ours,
 * says what for (5.4.3.1) */
void scscf_session_rx(struct scscf *scscf, nta_incoming_t *irq,
		      const sip_t *sip)
{
	const url_t *own = sipep_own_route(scscf->ep, sip);
	bool is_orig = own && own->url_user && !strcmp(own->url_user, "orig");
	struct scscf_session *s;

	if (sipep_is_in_dialog(sip) ||
	    sip->sip_request->rq_method == sip_method_ack) {
		rx_in_dialog(scscf, irq, sip);
		return;
	}

	s = scscf_session_new(scscf, irq, sip);
	if (own && scscf_isc_returns(s, own))
		scscf_session_go(s);
	else if (own && url_has_param(own, "odi"))
		scscf_session_refuse(s, SIP_403_FORBIDDEN,
				     "the odi names no session (any more): an "
				     "AS sends a request on before it answers "
				     "the one that it got");
	else if (is_orig) /* the Service-Route */
		scscf_orig_rx(s);
	else
		scscf_term_rx(s);
}
