/* REGISTER comes in at the S-CSCF (TS 24.229 5.4.1.1, 5.4.1.2): whose it is,
 * and which procedure it belongs to. S505, S515: [0094] [0104] */
#include <string.h>

#include <sofia-sip/sip_status.h>

#include "common/fsm.h"
#include "ims_core/scscf/scscf_auth.h"
#include "ims_core/scscf/scscf_reg.h"

/* The challenge that a REGISTER answers: its nonce is ours, and of that user */
static struct scscf_auth *find_challenge(const struct scscf_register *rq)
{
	const struct ims_credentials *cred = &rq->cred;
	struct scscf_auth *auth;

	if (!rq->has_cred || !cred->nonce || !cred->response ||
	    !*cred->response)
		return NULL;

	auth = scscf_auth_find(rq->scscf, cred->nonce);

	return auth && !strcmp(auth->reg->impu, rq->impu) ? auth : NULL;
}

/**
 * Take in a REGISTER
 *
 * @param rq Answered at once or later, and gone then
 */
void scscf_rx_register(struct scscf_register *rq)
{
	const char *malformed = scscf_contacts_malformed(rq->sip);
	struct scscf_auth *auth;

	rq->impu = ims_impu(rq->home, rq->sip->sip_to->a_url);
	if (!rq->impu)
		malformed = "To holds no public identity (sip:user@domain or "
			    "tel:number)";
	if (malformed) {
		scscf_refuse(rq, SIP_400_BAD_REQUEST, "%s", malformed);
		return;
	}

	rq->impi = ims_impi(rq->home, rq->sip);
	rq->has_cred = ims_credentials_get(&rq->cred, rq->home, rq->sip);
	if (rq->has_cred && rq->cred.nonce &&
	    scscf_auth_is_revoked(rq->scscf, rq->impu, rq->cred.nonce)) {
		scscf_auth_trace(rq, "refused", VERDICT_REVOKED);
		scscf_refuse(rq, SIP_403_FORBIDDEN, "%s: %s", rq->impu,
			     scscf_verdict_text(VERDICT_REVOKED));
		return;
	}
	auth = find_challenge(rq);
	if (!auth) {
		scscf_challenge(rq);
		return;
	}
	/* RFC 3261 10.2.4: one REGISTER at a time */
	if (fsm_event(auth->fsm, AUTH_EV_RX_REGISTER, rq))
		scscf_refuse(rq, SIP_500_INTERNAL_SERVER_ERROR,
			     "an earlier REGISTER with these credentials still "
			     "waits for the HSS; try again in some seconds");
}
