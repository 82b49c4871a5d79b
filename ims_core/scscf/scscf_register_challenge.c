/* A REGISTER that is not authenticated (TS 24.229 5.4.1.2.1): ask the HSS for
 * authentication data, then challenge the UE with 401 */
#include <stdio.h>
#include <stdlib.h>

#include <sofia-sip/sip_status.h>

#include "common/fsm.h"
#include "common/mem.h"
#include "ims_core/scscf/scscf_auth.h"
#include "ims_core/scscf/scscf_reg.h"

/**
 * Challenge the sender of a REGISTER
 *
 * @param rq Without credentials, or with some that name no nonce of ours; it
 *           waits for the HSS
 */
void scscf_challenge(struct scscf_register *rq)
{
	struct scscf_reg *reg = scscf_reg_get(rq->scscf, rq->impu);
	struct scscf_auth *auth = scscf_auth_new(reg, rq->impi);

	(void)fsm_event(auth->fsm, AUTH_EV_RX_REGISTER, rq);
}

/** START: the data is asked for, one MAR a challenge. S506: [0095] */
void scscf_challenge_start(void *obj, int event, void *data)
{
	struct scscf_auth *auth = obj;

	(void)event;
	auth->rq = data;
	fsm_goto(auth->fsm, AUTH_WAIT_MAA);
	scscf_cx_tx_mar(auth);
}

/* Keep the HA1s of the algorithms that we offer; false: there is none */
static bool take_items(struct scscf_auth *auth, const struct cx_maa *maa)
{
	const struct scscf *scscf = auth->reg->scscf;
	bool has_any = false;

	for (size_t i = 0; i < maa->item_n; i++) {
		const struct cx_auth_item *item = &maa->items[i];
		enum digest_alg alg;

		if (!item->ha1 || digest_alg_parse(&alg, item->algorithm) ||
		    !scscf->is_offered[alg])
			continue;
		snprintf(auth->ha1[alg].hex, sizeof(auth->ha1[alg].hex), "%s",
			 item->ha1);
		auth->ha1[alg].is_set = true;
		if (item->realm)
			xstrset(&auth->realm, item->realm);
		has_any = true;
	}
	if (!auth->realm)
		auth->realm = xstrdup(scscf->realm);

	return has_any;
}

/* One WWW-Authenticate an algorithm, the strongest first (RFC 8760 2.4) */
static char *make_challenges(const struct scscf_auth *auth, bool is_stale)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort();
	for (int alg = DIGEST_ALG_N - 1; alg >= 0; alg--) {
		if (!auth->ha1[alg].is_set)
			continue;
		fprintf(f,
			"WWW-Authenticate: Digest realm=\"%s\", nonce=\"%s\", "
			"algorithm=%s, qop=\"auth\"%s\r\n",
			auth->realm, auth->nonce,
			digest_alg_name((enum digest_alg)alg),
			is_stale ? ", stale=true" : "");
	}
	fclose(f);

	return text;
}

static enum scscf_verdict why(const struct scscf_register *rq, bool is_stale)
{
	const struct scscf_auth *old;

	if (!rq->has_cred || !rq->cred.response || !*rq->cred.response)
		return VERDICT_NONE;

	old = rq->cred.nonce ? scscf_auth_find(rq->scscf, rq->cred.nonce)
			     : NULL;
	if (!old)
		return VERDICT_UNKNOWN_NONCE;

	return is_stale ? VERDICT_REPLAYED : VERDICT_OTHER_ALGORITHM;
}

/* S508: [0097] */
static void tx_401(struct scscf_auth *auth, struct scscf_register *rq)
{
	bool is_stale = scscf_auth_is_stale(auth, rq);
	enum scscf_verdict reason = why(rq, is_stale);
	struct scscf_answer answer = { SIP_401_UNAUTHORIZED, NULL,
				       scscf_verdict_text(reason) };
	char *challenges;

	scscf_auth_set_nonce(auth);
	challenges = make_challenges(auth, is_stale);
	answer.headers = challenges;
	scscf_auth_trace(rq, is_stale ? "stale" : "challenged", reason);
	scscf_answer(rq, &answer);
	free(challenges);
}

/* No data: the user's fault is 403, ours or the HSS's 504 and 500 */
static void refuse(struct scscf_auth *auth, struct scscf_register *rq,
		   const struct scscf_cx_answer *answer)
{
	const struct cx_result *result =
		answer->maa ? &answer->maa->result : NULL;
	char *trouble = scscf_cx_trouble(rq->scscf, answer->err, result);
	struct scscf_reg *reg = auth->reg;

	if (answer->err)
		scscf_refuse(rq, SIP_504_GATEWAY_TIME_OUT, "%s", trouble);
	else if (result->is_experimental)
		scscf_refuse(rq, SIP_403_FORBIDDEN, "%s", trouble);
	else
		scscf_refuse(rq, SIP_500_INTERNAL_SERVER_ERROR, "%s", trouble);
	free(trouble);
	scscf_auth_end(auth);
	scscf_reg_forget_if_idle(reg);
}

/** WAIT_MAA: challenge with what the HSS gave, or refuse. S507: [0096] */
void scscf_challenge_wait_maa(void *obj, int event, void *data)
{
	const struct scscf_cx_answer *answer = data;
	struct scscf_auth *auth = obj;
	struct scscf_register *rq = auth->rq;
	struct scscf_reg *reg = auth->reg;

	(void)event;
	auth->rq = NULL;
	if (answer->err || answer->maa->result.is_experimental ||
	    answer->maa->result.code != CX_SUCCESS) {
		refuse(auth, rq, answer);
		return;
	}
	if (!take_items(auth, answer->maa)) {
		scscf_refuse(rq, SIP_500_INTERNAL_SERVER_ERROR,
			     "the HSS at %s gave no HA1 for an algorithm that "
			     "this S-CSCF offers; see --digest",
			     rq->scscf->hss);
		scscf_auth_end(auth);
		scscf_reg_forget_if_idle(reg);
		return;
	}
	tx_401(auth, rq);
	fsm_goto(auth->fsm, AUTH_WAIT_AUTH);
}
