/* REGISTER at the I-CSCF (TS 24.229 5.3.1): ask the HSS who serves the user,
 * then send it there, or refuse it */
#include <errno.h>
#include <stdlib.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_status.h>

#include "common/element.h"
#include "common/ims_headers.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/trace.h"
#include "ims_core/icscf/icscf_core.h"

/* rq is gone on return; text is freed */
static void refuse(struct icscf_register *rq, int status, const char *phrase,
		   char *text)
{
	const struct icscf_refusal refusal = { status, phrase, text };

	log_info("icscf %s: %d %s: %s", rq->impu, status, phrase, text);
	icscf_sip_refuse(rq, &refusal);
	free(text);
}

/**
 * Start the user registration status query (5.3.1.2) for the REGISTER that the
 * P-CSCF passed on. S502, S512: [0091] [0101]; S503, S513: [0092] [0102]
 *
 * @param rq Freed here, or when it is forwarded or refused
 */
void icscf_register_start(struct icscf_register *rq)
{
	const sip_t *sip = rq->sip;
	const char *visited = ims_header_get(sip, "P-Visited-Network-ID");

	rq->impu = ims_impu(rq->home, sip->sip_to->a_url);
	if (!rq->impu) {
		rq->impu = su_strdup(rq->home, "?");
		refuse(rq, SIP_400_BAD_REQUEST,
		       xasprintf("To holds no public identity "
				 "(sip:user@domain or tel:number)"));
		return;
	}
	rq->impi = ims_impi(rq->home, sip);
	if (visited && *visited == '"')
		rq->visited_network = msg_unquote_dup(rq->home, visited);
	else
		rq->visited_network = su_strdup(
			rq->home, visited ? visited : rq->icscf->realm);
	icscf_cx_query(rq, ims_is_deregister(sip) ? CX_DE_REGISTRATION
						  : CX_REGISTRATION);
}

/* 5.3.1.3: the query was not answered, or by an HSS that cannot say */
static void refuse_unanswered(struct icscf_register *rq, int err)
{
	const char *why = err == ETIMEDOUT  ? "gave no answer in time"
			  : err == ENOTCONN ? "is not connected"
					    : "sent an answer that cannot be "
					      "read";

	refuse(rq, SIP_480_TEMPORARILY_UNAVAILABLE,
	       xasprintf("the HSS at %s %s; see whether it runs, then "
			 "register again",
			 rq->icscf->hss, why));
}

static bool is_success(const struct cx_result *r)
{
	return r->code >= 2000 && r->code < 3000;
}

/** What the HSS's refusal means to the one who reads the 403 */
struct explanation {
	uint32_t code; /* experimental */
	const char *phrase, *text;
};

static const struct explanation explanations[] = {
	{ CX_ERROR_USER_UNKNOWN, "Forbidden - User unknown",
	  "the user is not known to the HSS; open the account first" },
	{ CX_ERROR_IDENTITIES_DONT_MATCH, "Forbidden - Identities don't match",
	  "the private identity (username) does not belong to the public "
	  "identity in To" },
	{ CX_ERROR_IDENTITY_NOT_REGISTERED,
	  "Forbidden - Identity not registered",
	  "the public identity is not registered, there is nothing to "
	  "deregister" },
	{ CX_ERROR_ROAMING_NOT_ALLOWED, "Forbidden - Roaming not allowed",
	  "the user may not roam in this visited network" },
	{ 0, sip_403_Forbidden, "the HSS refused" },
};

static const struct explanation *explain(const struct cx_result *r)
{
	const struct explanation *e = explanations;

	while (e->code && (e->code != r->code || !r->is_experimental))
		e++;

	return e;
}

/* 5.3.1.3: a negative answer is 403; the HSS's own trouble is 480 */
static void refuse_result(struct icscf_register *rq, const struct cx_result *r)
{
	bool is_trouble = !r->is_experimental &&
			  (r->code < 5000 || r->code == CX_UNABLE_TO_COMPLY);
	const struct explanation *e = explain(r);

	if (is_trouble)
		refuse(rq, SIP_480_TEMPORARILY_UNAVAILABLE,
		       xasprintf("the HSS at %s cannot answer: %s (%u)",
				 rq->icscf->hss, cx_result_name(r),
				 (unsigned)r->code));
	else
		refuse(rq, 403, e->phrase,
		       xasprintf("%s: %s (%s, %u)", rq->impu, e->text,
				 cx_result_name(r), (unsigned)r->code));
}

/**
 * The HSS's answer, or its lack (5.3.1.2, 5.3.1.3). S504, S514: [0093],
 * [0103]
 *
 * @param rq Forwarded or refused, and gone on return
 */
void icscf_register_rx_uaa(struct icscf_register *rq, int err,
			   const struct cx_uaa *uaa)
{
	const char *scscf;

	if (err) {
		refuse_unanswered(rq, err);
		return;
	}
	if (!is_success(&uaa->result)) {
		refuse_result(rq, &uaa->result);
		return;
	}

	scscf = uaa->server_name;
	if (!scscf)
		scscf = icscf_select(rq->icscf, uaa->mandatory_caps,
				     uaa->cap_n);
	if (!scscf) {
		refuse(rq, SIP_600_BUSY_EVERYWHERE,
		       xasprintf("no S-CSCF has the capabilities that the HSS "
				 "asks for; give the I-CSCF one with --scscf"));
		return;
	}
	rq->server_name = su_strdup(rq->home, scscf);
	trace_event(rq->icscf->el->trace, "icscf.selected",
		    json_pack("{s:s, s:s}", "impu", rq->impu, "scscf", scscf));
	icscf_sip_forward(rq);
}
