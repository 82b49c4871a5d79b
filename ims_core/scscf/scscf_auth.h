/** @file scscf_auth.h  Challenges and the credentials that answer them
 *
 * A state machine for each challenge (TS 24.229 5.4.1.2); the procedures'
 * files hold what is done in its states.
 */
#ifndef SIPSHARE_SCSCF_AUTH_H
#define SIPSHARE_SCSCF_AUTH_H

#include "ims_core/scscf/scscf_core.h"

/** HA1 of one algorithm, if the HSS gave it and we offer it */
struct scscf_ha1 {
	bool is_set;
	char hex[DIGEST_HEX_LEN];
};

/** A challenge and what became of it; owned by its reg */
struct scscf_auth {
	char *nonce; /* first: the tree's key; NULL before the MAA */
	struct scscf_auth *next;
	struct scscf_reg *reg;
	struct fsm *fsm; /* scscf_auth.c */
	char *impi, *realm;
	struct scscf_ha1 ha1[DIGEST_ALG_N];
	unsigned long nc;          /* highest nonce count seen */
	struct scscf_register *rq; /* what waits for the HSS; owned */
};

enum {
	AUTH_START,
	AUTH_WAIT_MAA,
	AUTH_WAIT_AUTH,
	AUTH_WAIT_SAA,
	AUTH_PASSED,
	AUTH_STATE_N
};
enum {
	AUTH_EV_RX_REGISTER,
	AUTH_EV_RX_MAA,
	AUTH_EV_RX_SAA,
	AUTH_EV_TIMEOUT,
	AUTH_EV_N
};

/** How credentials are judged (RFC 7616 3.4.6, TS 24.229 5.4.1.2.3) */
enum scscf_verdict {
	VERDICT_RIGHT,
	VERDICT_NONE, /**< no response: nothing to judge */
	VERDICT_UNKNOWN_NONCE,
	VERDICT_REPLAYED, /**< right, but the nonce count is not higher */
	VERDICT_OTHER_ALGORITHM,
	VERDICT_WRONG_RESPONSE,
	VERDICT_WRONG_USERNAME,
	VERDICT_WRONG_REALM,
	VERDICT_WRONG_URI,
	VERDICT_MALFORMED,
	VERDICT_REVOKED /**< the network ended the challenge */
};

/* scscf_auth.c: the machine */
struct scscf_auth *scscf_auth_new(struct scscf_reg *reg, const char *impi);
void scscf_auth_end(struct scscf_auth *auth);
struct scscf_auth *scscf_auth_find(const struct scscf *scscf,
				   const char *nonce);
void scscf_auth_set_nonce(struct scscf_auth *auth);

/* scscf_revoked.c: TS 24.229 5.4.1.5 */
void scscf_auth_revoke(const struct scscf_auth *auth);
bool scscf_auth_is_revoked(const struct scscf *scscf, const char *impu,
			   const char *nonce);
void scscf_revoked_free(struct scscf *scscf);

/* scscf_auth_check.c: the judgement */
enum scscf_verdict scscf_auth_check(struct scscf_auth *auth,
				    const struct scscf_register *rq);
bool scscf_auth_is_stale(const struct scscf_auth *auth,
			 const struct scscf_register *rq);
const char *scscf_verdict_name(enum scscf_verdict verdict);
const char *scscf_verdict_text(enum scscf_verdict verdict);
void scscf_auth_trace(const struct scscf_register *rq, const char *result,
		      enum scscf_verdict verdict);

/* scscf_register_challenge.c: TS 24.229 5.4.1.2.1 */
void scscf_challenge(struct scscf_register *rq);
void scscf_challenge_start(void *obj, int event, void *data);
void scscf_challenge_wait_maa(void *obj, int event, void *data);

/* scscf_register_authenticated.c: TS 24.229 5.4.1.2.2, 5.4.1.2.3, 5.4.1.4 */
void scscf_authenticated_wait_auth(void *obj, int event, void *data);
void scscf_authenticated_wait_saa(void *obj, int event, void *data);
void scscf_authenticated_passed(void *obj, int event, void *data);

#endif
