/* A REGISTER that answers a challenge: judge it, tell the HSS, answer 200 and
 * tell the application servers (TS 24.229 5.4.1.2.2; its failures 5.4.1.2.3;
 * deregistration by the user 5.4.1.4) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>

#include "common/fsm.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "common/timer.h"
#include "ims_core/scscf/scscf_auth.h"
#include "ims_core/scscf/scscf_profile.h"
#include "ims_core/scscf/scscf_reg.h"

/* RFC 3327 5.3: the Path comes back as it came */
static void put_path(FILE *f, su_home_t *home, const sip_path_t *path)
{
	for (; path; path = path->r_next)
		fprintf(f, "Path: %s\r\n",
			sip_header_as_string(home, (const sip_header_t *)path));
}

/* What a 200 carries: all bindings, and how the UE is to route from now on */
static char *make_headers(const struct scscf_reg *reg,
			  struct scscf_register *rq)
{
	const struct scscf_profile *profile = reg->profile;
	char *contacts = scscf_contacts_text(reg);
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort();
	fputs(contacts, f);
	free(contacts);
	if (reg->contacts) {
		put_path(f, rq->home, rq->sip->sip_path);
		fprintf(f, "Service-Route: <sip:orig@%s;lr>\r\n",
			sipep_addr(rq->scscf->ep));
	}
	for (size_t i = 0; reg->contacts && profile && i < profile->impu_n; i++)
		fprintf(f, "%s<%s>%s",
			i ? ", " : "P-Associated-URI: ", profile->impus[i],
			i + 1 == profile->impu_n ? "\r\n" : "");
	fclose(f);

	return text;
}

/* S517: [0106] */
static void tx_200(const struct scscf_reg *reg, struct scscf_register *rq)
{
	char *headers = make_headers(reg, rq);
	const struct scscf_answer answer = { SIP_200_OK, headers, NULL };

	scscf_answer(rq, &answer);
	free(headers);
}

/* The REGISTER is done: bindings, 200, and the news to the AS. Whether auth
 * and reg live on depends on whether a contact is left */
static void complete(struct scscf_auth *auth, struct scscf_register *rq)
{
	struct scscf_reg *reg = auth->reg;
	msg_t *msg = msg_ref_create(rq->msg);
	bool was_registered = scscf_reg_is_registered(reg);
	struct scscf_news news = { .type = was_registered ? REG_TYPE_RE
							  : REG_TYPE_INITIAL,
				   .sip = rq->sip };

	scscf_contacts_apply(reg, rq->sip);
	if (reg->contacts) {
		fsm_goto(auth->fsm, AUTH_PASSED);
		xstrset(&reg->impi, auth->impi);
		scscf_reg_event(reg, REG_EV_BOUND);
		tx_200(reg, rq);
		news.expires_s = (int)scscf_contacts_last_s(reg);
		scscf_third_party_register(reg, &news);
	} else {
		news.type = REG_TYPE_DE;
		tx_200(reg, rq);
		if (was_registered)
			scscf_third_party_register(reg, &news);
		scscf_reg_event(reg, REG_EV_UNBOUND);
	}
	msg_destroy(msg);
}

static void ask_hss(struct scscf_auth *auth, struct scscf_register *rq)
{
	bool was_registered = scscf_reg_is_registered(auth->reg);
	enum cx_sat type = CX_USER_DEREGISTRATION;

	if (scscf_contacts_will_remain(auth->reg, rq->sip))
		type = was_registered ? CX_RE_REGISTRATION
				      : CX_SAT_REGISTRATION;
	auth->rq = rq;
	fsm_goto(auth->fsm, AUTH_WAIT_SAA);
	scscf_cx_tx_sar(auth, type);
}

static void refuse_brief(struct scscf_register *rq)
{
	long min_s = (long)(timer_value_ms(TIMER_REG_MIN_EXPIRES) / 1000);
	char *headers = xasprintf("Min-Expires: %ld\r\n", min_s);
	const struct scscf_answer answer = {
		SIP_423_INTERVAL_TOO_BRIEF, headers,
		"the registration asked for is shorter than Min-Expires"
	};

	scscf_answer(rq, &answer);
	free(headers);
}

/* The credentials are right: is the request, too (RFC 3261 10.3 step 7)? */
static void accept_register(struct scscf_auth *auth, struct scscf_register *rq)
{
	struct scscf_reg *reg = auth->reg;
	bool is_some_left = scscf_contacts_will_remain(reg, rq->sip);

	scscf_auth_trace(rq, "accepted", VERDICT_RIGHT);
	if (scscf_contacts_is_brief(rq->sip)) {
		refuse_brief(rq);
	} else if (scscf_contacts_is_stale(reg, rq->sip)) {
		scscf_refuse(rq, SIP_500_INTERNAL_SERVER_ERROR,
			     "CSeq is not above that of the last REGISTER of "
			     "this Call-ID: it came too late");
	} else if (!rq->sip->sip_contact) {
		tx_200(reg, rq); /* asks what is bound, changes nothing */
		fsm_goto(auth->fsm, AUTH_PASSED);
	} else if (ims_is_deregister(rq->sip) && is_some_left) {
		complete(auth, rq); /* the identity stays registered */
	} else {
		ask_hss(auth, rq);
	}
}

/* The user may be challenged anew; the HSS is told where the challenge was all
 * that it had of the user (TS 29.228 6.1.2) */
static void end_failed(struct scscf_auth *auth, enum cx_sat type)
{
	struct scscf_reg *reg = auth->reg;

	if (!scscf_reg_is_registered(reg))
		scscf_cx_tell(reg, auth->impi, type);
	scscf_auth_end(auth);
	scscf_reg_forget_if_idle(reg);
}

/* Judge it; true: it failed the challenge for good */
static bool has_failed(struct scscf_auth *auth, struct scscf_register *rq)
{
	enum scscf_verdict verdict = scscf_auth_check(auth, rq);

	switch (verdict) {
	case VERDICT_RIGHT:
		accept_register(auth, rq);
		return false;
	case VERDICT_WRONG_RESPONSE:
	case VERDICT_WRONG_USERNAME:
	case VERDICT_WRONG_REALM:
		scscf_auth_trace(rq, "refused", verdict);
		scscf_refuse(rq, SIP_403_FORBIDDEN, "%s: %s", rq->impu,
			     scscf_verdict_text(verdict));
		return true;
	case VERDICT_WRONG_URI:
	case VERDICT_MALFORMED:
		/* RFC 7616 3.4.6: 400 */
		scscf_auth_trace(rq, "refused", verdict);
		scscf_refuse(rq, SIP_400_BAD_REQUEST, "%s: %s", rq->impu,
			     scscf_verdict_text(verdict));
		return false;
	default:
		scscf_challenge(rq);
		return false;
	}
}

/** WAIT_AUTH: the answer to the challenge, or none in time. S515: [0104] */
void scscf_authenticated_wait_auth(void *obj, int event, void *data)
{
	struct scscf_auth *auth = obj;

	if (event == AUTH_EV_TIMEOUT)
		end_failed(auth, CX_AUTHENTICATION_TIMEOUT);
	else if (has_failed(auth, data))
		end_failed(auth, CX_AUTHENTICATION_FAILURE);
}

/** PASSED: another REGISTER with the same nonce, its count higher */
void scscf_authenticated_passed(void *obj, int event, void *data)
{
	struct scscf_auth *auth = obj;
	struct scscf_reg *reg = auth->reg;

	if (event == AUTH_EV_RX_REGISTER) {
		(void)has_failed(auth, data);
		return;
	}
	scscf_auth_end(auth);
	scscf_reg_forget_if_idle(reg);
}

static void refuse_saa(struct scscf_auth *auth, struct scscf_register *rq,
		       const struct scscf_cx_answer *answer)
{
	const struct cx_result *result =
		answer->saa ? &answer->saa->result : NULL;
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

/* The profile of a first registration must come and be readable; otherwise the
 * HSS is told that there is no registration after all */
static bool take_profile(struct scscf_auth *auth, struct scscf_register *rq,
			 const struct cx_saa *saa)
{
	struct scscf_profile *profile = NULL;
	struct scscf_reg *reg = auth->reg;
	char *reason = NULL;
	int err;

	if (!saa->user_data && reg->profile)
		return true;

	err = saa->user_data ? scscf_profile_parse(&profile, saa->user_data,
						   saa->user_data_len,
						   reg->impu, &reason)
			     : ENOENT;
	if (!err) {
		scscf_profile_free(reg->profile);
		reg->profile = profile;
		return true;
	}

	scscf_refuse(rq, SIP_500_INTERNAL_SERVER_ERROR,
		     "the HSS at %s gave no usable profile: %s",
		     reg->scscf->hss, reason ? reason : "no User-Data");
	free(reason);
	end_failed(auth, CX_ADMINISTRATIVE_DEREGISTRATION);

	return false;
}

/** WAIT_SAA: the HSS has stored what the user is now, or refused */
void scscf_authenticated_wait_saa(void *obj, int event, void *data)
{
	const struct scscf_cx_answer *answer = data;
	struct scscf_auth *auth = obj;
	struct scscf_register *rq = auth->rq;
	bool stays = scscf_contacts_will_remain(auth->reg, rq->sip);
	bool is_done = !answer->err && !answer->saa->result.is_experimental &&
		       answer->saa->result.code == CX_SUCCESS;

	(void)event;
	auth->rq = NULL;
	/* who was not registered is not registered, whatever the HSS says of
	 * it: to deregister twice does no harm */
	if (!answer->err && !stays && !scscf_reg_is_registered(auth->reg))
		is_done = true;
	if (!is_done)
		refuse_saa(auth, rq, answer);
	else if (!stays || take_profile(auth, rq, answer->saa))
		complete(auth, rq);
}
