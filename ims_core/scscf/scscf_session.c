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
#include "ims_core/scscf/scscf_release.h"

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
	s->first.table = scscf->dialogs;
	s->first.request = sip;
	s->next = scscf->sessions;
	s->at = &scscf->sessions;
	if (s->next)
		s->next->at = &s->next;
	scscf->sessions = s;

	return s;
}

static void session_free(struct scscf_session *s)
{
	dialog_first_drop(&s->first);
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

/** The response on its way back; with the final one the session is over. Of a
 * call the dialog is kept that comes of it. arg is the session */
void scscf_session_answered(int status, msg_t *msg, sip_t *sip, void *arg)
{
	struct scscf_session *s = arg;
	bool is_call = s->sip->sip_request->rq_method == sip_method_invite;

	(void)msg;
	s->first.impu = is_call && !s->is_diverted ? s->impu : NULL;
	s->first.is_called = s->session_case != CASE_ORIGINATING;
	dialog_first_rx(&s->first, status, sip);
	if (status >= 200)
		session_free(s);
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

/* --- inside a dialog --- */

static void inner_answered(int status, msg_t *msg, sip_t *sip, void *arg)
{
	struct scscf_session *s = arg;

	(void)msg;
	dialog_rx_answer(s->scscf->dialogs, s->sip, status, sip);
	if (status >= 200)
		session_free(s);
}

/* We have sent BYE, or the other side is gone: both ends know soon */
static bool is_closing(const struct scscf *scscf, const sip_t *sip)
{
	for (int from = DIALOG_USER; from < DIALOG_SIDE_N; from++) {
		const struct dialog *d = dialog_find(scscf->dialogs, sip,
						     (enum dialog_side)from);

		if (d && dialog_is_closing(d))
			return true;
	}

	return false;
}

static void forward_inner(struct scscf *scscf, nta_incoming_t *irq,
			  const sip_t *sip)
{
	const sip_route_t *next = sipep_next_route(scscf->ep, sip);
	struct scscf_session *s = scscf_session_new(scscf, irq, sip);
	char *uri = url_as_string(s->home, next ? next->r_url
						: sip->sip_request->rq_url);
	char *next_hop = ims_next_hop(uri, sip);
	const struct sipep_route route = { .next_hop = next ? next_hop : uri,
					   .response = inner_answered,
					   .arg = s };
	bool is_ack = sip->sip_request->rq_method == sip_method_ack;

	if (!is_ack)
		dialog_rx_request(scscf->dialogs, sip);
	if (sipep_forward(scscf->ep, irq, &route) || is_ack)
		session_free(s);
	free(next_hop);
	if (is_ack)
		scscf_release_late(scscf, sip);
}

/* Along the route set (RFC 3261 16.12): each dialog that we are in the way of
 * names us in its Routes. One that we release gets 481 (5.4.5.1.2), but a BYE
 * may pass: whoever has had another says so */
static void rx_in_dialog(struct scscf *scscf, nta_incoming_t *irq,
			 const sip_t *sip)
{
	sip_method_t method = sip->sip_request->rq_method;
	bool is_ending = method == sip_method_bye || method == sip_method_ack;
	struct sipep_refusal no_dialog = {
		SIP_481_NO_TRANSACTION, scscf->origin_host,
		"no Route names this S-CSCF: the request is not along the "
		"route set of a dialog that it knows of"
	};

	if (!sipep_own_route(scscf->ep, sip)) {
		sipep_reject(irq, &no_dialog);
	} else if (!is_ending && is_closing(scscf, sip)) {
		no_dialog.text = "the session is being released";
		sipep_reject(irq, &no_dialog);
	} else {
		forward_inner(scscf, irq, sip);
	}
}

/** A 2xx passes that is no transaction's; arg is the S-CSCF */
void scscf_session_rx_again(msg_t *msg, sip_t *sip, void *arg)
{
	const struct scscf *scscf = arg;

	(void)msg;
	dialog_rx_again(scscf->dialogs, sip);
}

/** Is a user registered here? */
bool scscf_session_is_served(const struct scscf *scscf, const char *impu)
{
	const struct scscf_reg *reg = scscf_reg_serving(scscf, impu);

	return reg && scscf_reg_is_registered(reg);
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
	if (sipep_begins_dialog(sip) && dialog_is_full(scscf->dialogs))
		scscf_session_refuse(s, SIP_503_SERVICE_UNAVAILABLE,
				     "as many dialogs as this S-CSCF can keep "
				     "are up; try again later");
	else if (own && scscf_isc_returns(s, own))
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
