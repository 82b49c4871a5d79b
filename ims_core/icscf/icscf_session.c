/* Requests for a user at the I-CSCF (TS 24.229 5.3.2): ask the HSS where the
 * user is (LIR, LIA), and send them to that S-CSCF. The I-CSCF does not record
 * a route: it sees the first request of a dialog only. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>

#include "common/element.h"
#include "common/ims_headers.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "common/trace.h"
#include "ims_core/icscf/icscf_core.h"

static void forget(struct icscf_session *s)
{
	*s->at = s->next;
	if (s->next)
		s->next->at = s->at;
	su_home_unref(s->home);
}

/** End it without an answer: the I-CSCF goes away */
void icscf_session_drop(struct icscf_session *s)
{
	cx_forget(s->icscf->cx, s);
	sipep_drop(s->irq);
	forget(s);
}

/* s is gone on return; text is freed */
static void refuse(struct icscf_session *s, int status, const char *phrase,
		   char *text)
{
	const struct sipep_refusal refusal = { status, phrase,
					       s->icscf->origin_host, text };

	sipep_reject(s->irq, &refusal);
	free(text);
	forget(s);
}

/* 5.3.2.1: a telephone number in a SIP URI is asked for, and goes on, as the
 * tel URI that it is (RFC 3261 19.1.6); NULL: it is none */
static char *number_of(su_home_t *home, const url_t *url)
{
	char kind[8] = "";

	if (url->url_type != url_sip || !url->url_user ||
	    url->url_user[0] != '+' || !url->url_params)
		return NULL;
	(void)url_param(url->url_params, "user", kind, sizeof(kind));
	if (strcasecmp(kind, "phone") != 0)
		return NULL;

	return su_sprintf(home, "tel:%.*s", (int)strcspn(url->url_user, ";"),
			  url->url_user);
}

/**
 * Start the location query (5.3.2.1)
 *
 * @param irq Answered at once, or once the HSS has said where the user is
 */
void icscf_session_rx(struct icscf *icscf, nta_incoming_t *irq,
		      const sip_t *sip)
{
	const url_t *url = sip->sip_request->rq_url;
	struct icscf_session *s = su_home_new(sizeof(*s));

	if (!s)
		abort();
	s->icscf = icscf;
	s->irq = irq;
	s->sip = sip;
	s->next = icscf->sessions;
	s->at = &icscf->sessions;
	if (s->next)
		s->next->at = &s->next;
	icscf->sessions = s;
	s->number = number_of(s->home, url);
	s->impu = s->number ? s->number : ims_impu(s->home, url);
	if (sipep_is_in_dialog(sip) ||
	    sip->sip_request->rq_method == sip_method_ack)
		refuse(s, SIP_481_NO_TRANSACTION,
		       xasprintf("an I-CSCF is in no dialog's route set"));
	else if (!s->impu)
		refuse(s, SIP_404_NOT_FOUND,
		       xasprintf("the Request-URI holds no public identity "
				 "(sip:user@domain or tel:number)"));
	else
		icscf_cx_locate(s);
}

/* 5.3.2.1: the query was not answered, or by an HSS that cannot say */
static void refuse_unanswered(struct icscf_session *s, int err)
{
	const char *why = err == ETIMEDOUT  ? "gave no answer in time"
			  : err == ENOTCONN ? "is not connected"
					    : "sent an answer that cannot be "
					      "read";

	refuse(s, SIP_504_GATEWAY_TIME_OUT,
	       xasprintf("the HSS at %s %s; see whether it runs", s->icscf->hss,
			 why));
}

static void refuse_result(struct icscf_session *s, const struct cx_result *r)
{
	if (r->is_experimental && r->code == CX_ERROR_USER_UNKNOWN)
		refuse(s, SIP_404_NOT_FOUND,
		       xasprintf("%s is not known to the HSS", s->impu));
	else if (r->is_experimental &&
		 r->code == CX_ERROR_IDENTITY_NOT_REGISTERED)
		refuse(s, SIP_480_TEMPORARILY_UNAVAILABLE,
		       xasprintf("%s is not registered", s->impu));
	else
		refuse(s, SIP_500_INTERNAL_SERVER_ERROR,
		       xasprintf("the HSS at %s cannot say where %s is: %s "
				 "(%u)",
				 s->icscf->hss, s->impu, cx_result_name(r),
				 (unsigned)r->code));
}

static void prepare(msg_t *msg, sip_t *sip, void *arg)
{
	const struct icscf_session *s = arg;
	char *route = xasprintf("<%s;lr>", s->server_name);

	if (s->number)
		ims_request_uri_set(msg, sip, s->number);
	ims_route_push(msg, sip, route);
	free(route);
}

static void forward(struct icscf_session *s)
{
	char *next_hop = ims_next_hop(s->server_name, s->sip);
	const struct sipep_route route = { .next_hop = next_hop,
					   .prepare = prepare,
					   .arg = s };

	trace_event(s->icscf->el->trace, "icscf.located",
		    json_pack("{s:s, s:s, s:s}", "impu", s->impu, "scscf",
			      s->server_name, "call_id",
			      s->sip->sip_call_id->i_id));
	/* prepare is called at once; on failure 500 was answered */
	(void)sipep_forward(s->icscf->ep, s->irq, &route);
	free(next_hop);
	forget(s);
}

/**
 * The HSS's answer, or its lack (5.3.2.1)
 *
 * @param s Forwarded or refused, and gone on return; one that was cancelled
 *          meanwhile has its answer already
 */
void icscf_session_rx_lia(struct icscf_session *s, int err,
			  const struct cx_lia *lia)
{
	const struct cx_result *r;
	const char *scscf;

	if (err) {
		refuse_unanswered(s, err);
		return;
	}
	r = &lia->result;
	if (r->code !=
	    (r->is_experimental ? CX_UNREGISTERED_SERVICE : CX_SUCCESS)) {
		refuse_result(s, r);
		return;
	}

	scscf = lia->server_name;
	if (!scscf)
		scscf = icscf_select(s->icscf, NULL, 0);
	if (!scscf) {
		refuse(s, SIP_480_TEMPORARILY_UNAVAILABLE,
		       xasprintf("the HSS names no S-CSCF for %s, and --scscf "
				 "gives none",
				 s->impu));
		return;
	}
	s->server_name = su_strdup(s->home, scscf);
	forward(s);
}
