/* Registering unit 013 (CN103516675A [0127]): registers with the IMS as the
 * SIP-URI. The challenge is answered by common/sipreg.c. */
#include <stdlib.h>

#include "common/clock.h"
#include "common/fsm.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "common/sipreg.h"
#include "common/timer.h"
#include "terminal/terminal_core.h"
#include "terminal/terminal_lease.h"

static void on_result(const struct sipreg_result *result, void *arg)
{
	const struct ue *ue = arg;
	struct sipreg_result copy = *result;

	(void)fsm_event(ue->fsm, UE_EV_RESULT, &copy);
}

static struct sipreg *client_new(struct ue *ue)
{
	const struct ue_lease *lease = ue->lease;
	char *registrar = xasprintf("sip:%s", lease->realm);
	/* not the real number: it is the called user's to see ([0112]), in the
	 * INVITE's display field, and nobody else's */
	char *contact =
		xasprintf("sip:ue%u@%s", ue->id, sipep_addr(ue->terminal->sip));
	const struct sipreg_cfg cfg = {
		.registrar = registrar,
		.next_hop = lease->proxy,
		.aor = lease->uri,
		.user = lease->impi,
		.password = lease->password,
		.contact = contact,
		.expires_s = (int)(timer_value_ms(TIMER_REG_EXPIRES) / 1000),
	};
	struct sipreg *reg = sipreg_new(ue->terminal->sip, &cfg, on_result, ue);

	free(contact);
	free(registrar);

	return reg;
}

/**
 * Register, or refresh the registration, with what S407 brought. The result
 * comes as UE_EV_RESULT. S408, S103: [0088]; S501: [0090]; the 401 (S510:
 * [0099]) is answered by S511: [0100]
 */
void ue_register(struct ue *ue)
{
	if (!ue->sipreg)
		ue->sipreg = client_new(ue);
	sipreg_start(ue->sipreg,
		     (int)(timer_value_ms(TIMER_REG_EXPIRES) / 1000));
}

/**
 * The 200 came (S519: [0108]): note the way of what is sent from now on, and
 * when to register again: 600 s before the end, or after half of a shorter
 * time (TS 24.229 5.1.1.2.1, 5.1.1.4.1)
 */
void ue_registered(struct ue *ue, const struct sipreg_result *result)
{
	int64_t granted_us = result->expires_s * 1000000LL;
	int64_t before_us = timer_value_ms(TIMER_REG_REFRESH) * 1000;

	ue->is_registered = true;
	xstrset(&ue->service_route, result->service_route);
	ue->refresh_us = clock_now_us() + (granted_us > 2 * before_us
						   ? granted_us - before_us
						   : granted_us / 2);
}
