/* The end of a registration that the user did not ask for: expiry, the HSS
 * (RTR), an application server's failure (TS 24.229 5.4.1.4, 5.4.1.5). The
 * user's own deregistration is a REGISTER: scscf_register_authenticated.c */
#include "common/fsm.h"
#include "common/log.h"
#include "ims_core/scscf/scscf_auth.h"
#include "ims_core/scscf/scscf_profile.h"
#include "ims_core/scscf/scscf_reg.h"

static const struct scscf_news ended = { .type = REG_TYPE_DE };

/** The last binding has run out: the HSS and the AS are told. reg is about to
 * become NOT_REGISTERED */
void scscf_deregister_expired(struct scscf_reg *reg)
{
	log_info("scscf %s: registration has expired", reg->impu);
	scscf_cx_tell(reg, reg->impi, CX_TIMEOUT_DEREGISTRATION);
	scscf_third_party_register(reg, &ended);
}

/* The HSS may take in a SAR that is under way after it has ended the
 * registration: it is told that there is none after all (TS 29.228 6.1.2) */
static void take_back(const struct scscf_reg *reg)
{
	for (const struct scscf_auth *a = reg->auths; a; a = a->next) {
		if (fsm_state(a->fsm) != AUTH_WAIT_SAA)
			continue;
		scscf_cx_tell(reg, a->impi, CX_ADMINISTRATIVE_DEREGISTRATION);
		return;
	}
}

/**
 * The HSS ends a registration, which it knows already: only the AS is told.
 * Challenges end too, so that a password changed there counts here at once
 */
void scscf_deregister_by_network(struct scscf_reg *reg)
{
	take_back(reg);
	if (scscf_reg_is_registered(reg))
		scscf_third_party_register(reg, &ended);
	scscf_reg_event(reg, REG_EV_TERMINATED);
}

/** An AS that the user cannot do without gave no 200 (5.4.1.7, DefaultHandling
 * SESSION_TERMINATED): the registration ends, if there still is one */
void scscf_deregister_by_as(struct scscf *scscf, const char *impu)
{
	struct scscf_reg *reg = scscf_reg_find(scscf, impu);

	if (!reg || !scscf_reg_is_registered(reg))
		return;

	scscf_cx_tell(reg, reg->impi, CX_ADMINISTRATIVE_DEREGISTRATION);
	scscf_deregister_by_network(reg);
}
