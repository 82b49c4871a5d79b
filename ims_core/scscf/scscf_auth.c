/* The state machine of a challenge (TS 24.229 5.4.1.2). A public identity may
 * have several: two devices, or someone who only tries. What is wrong with one
 * does nothing to the others, nor to the registration. */
#include "ims_core/scscf/scscf_auth.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "common/element.h"
#include "common/fsm.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "ims_core/scscf/scscf_reg.h"

enum { CHALLENGES_MAX = 16 }; /* of one identity; the oldest gives way */

static const struct fsm_state states[AUTH_STATE_N] = {
	[AUTH_START] = {
		.name = "START",
		.accepts = FSM_BIT(AUTH_EV_RX_REGISTER),
		.next = FSM_BIT(AUTH_WAIT_MAA),
		.action = scscf_challenge_start,
	},
	[AUTH_WAIT_MAA] = {
		.name = "WAIT_MAA", /* bounded by the Cx client */
		.accepts = FSM_BIT(AUTH_EV_RX_MAA),
		.next = FSM_BIT(AUTH_WAIT_AUTH),
		.action = scscf_challenge_wait_maa,
	},
	[AUTH_WAIT_AUTH] = {
		.name = "WAIT_AUTH",
		.accepts = FSM_BIT(AUTH_EV_RX_REGISTER) |
			   FSM_BIT(AUTH_EV_TIMEOUT),
		.next = FSM_BIT(AUTH_WAIT_SAA) | FSM_BIT(AUTH_PASSED),
		.timer = TIMER_REG_AWAIT_AUTH,
		.action = scscf_authenticated_wait_auth,
	},
	[AUTH_WAIT_SAA] = {
		.name = "WAIT_SAA", /* bounded by the Cx client */
		.accepts = FSM_BIT(AUTH_EV_RX_SAA),
		.next = FSM_BIT(AUTH_PASSED),
		.action = scscf_authenticated_wait_saa,
	},
	[AUTH_PASSED] = {
		.name = "PASSED", /* the nonce may be used again, counted */
		.accepts = FSM_BIT(AUTH_EV_RX_REGISTER) |
			   FSM_BIT(AUTH_EV_TIMEOUT),
		.next = FSM_BIT(AUTH_WAIT_SAA) | FSM_BIT(AUTH_PASSED),
		.timer = TIMER_REG_EXPIRES,
		.action = scscf_authenticated_passed,
	},
};

static const char *const events[AUTH_EV_N] = { "RX_REGISTER", "RX_MAA",
					       "RX_SAA", "TIMEOUT" };

static const struct fsm_def def = { .name = "scscf.auth",
				    .states = states,
				    .state_n = AUTH_STATE_N,
				    .events = events,
				    .event_n = AUTH_EV_N,
				    .timeout_event = AUTH_EV_TIMEOUT };

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct scscf_auth *)a)->nonce,
		      ((const struct scscf_auth *)b)->nonce);
}

static void bound(const struct scscf_reg *reg)
{
	struct scscf_auth *last = NULL;
	int n = 0;

	for (struct scscf_auth *a = reg->auths; a; a = a->next, n++)
		if (!a->rq)
			last = a;
	if (n < CHALLENGES_MAX || !last)
		return;

	log_warn("scscf %s: %d challenges, the oldest is dropped", reg->impu,
		 n);
	scscf_auth_end(last);
}

/** A challenge for a private identity, copied; nothing is asked yet */
struct scscf_auth *scscf_auth_new(struct scscf_reg *reg, const char *impi)
{
	struct scscf_auth *auth = xcalloc(1, sizeof(*auth));

	bound(reg);
	auth->reg = reg;
	auth->impi = xstrdup(impi);
	auth->fsm = fsm_new(reg->scscf->el->loop, reg->scscf->el->trace, &def,
			    reg->impu, auth);
	auth->next = reg->auths;
	reg->auths = auth;

	return auth;
}

static void auth_free(void *arg)
{
	struct scscf_auth *auth = arg;

	OPENSSL_cleanse(auth->ha1, sizeof(auth->ha1));
	free(auth->impi);
	free(auth->realm);
	free(auth->nonce);
	free(auth);
}

/** Forget a challenge and its nonce; freed once the stack has unwound. The
 * REGISTER that waits in it must have been answered */
void scscf_auth_end(struct scscf_auth *auth)
{
	struct scscf_reg *reg = auth->reg;
	struct scscf_auth **at = &reg->auths;

	while (*at != auth)
		at = &(*at)->next;
	*at = auth->next;
	if (auth->nonce)
		tdelete(auth, &reg->scscf->auths, compare);
	if (reg->scscf->cx)
		cx_forget(reg->scscf->cx, auth);
	/* its timer must not fire any more; fsm_event() bears it */
	auth->fsm = fsm_free(auth->fsm);
	loop_defer(reg->scscf->el->loop, auth_free, auth);
}

/** The challenge that a nonce was made for; NULL: unknown, or long ago */
struct scscf_auth *scscf_auth_find(const struct scscf *scscf, const char *nonce)
{
	const struct scscf_auth key = { .nonce = (char *)nonce };
	struct scscf_auth **found = tfind(&key, &scscf->auths, compare);

	return found ? *found : NULL;
}

/** Give the challenge its nonce, by which it is found from now on */
void scscf_auth_set_nonce(struct scscf_auth *auth)
{
	char nonce[DIGEST_HEX_LEN];

	digest_nonce(nonce);
	auth->nonce = xstrdup(nonce);
	tsearch(auth, &auth->reg->scscf->auths, compare);
}
