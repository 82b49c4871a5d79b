#include <stdlib.h>

#include <sofia-sip/sip_status.h>

#include "common/mem.h"
#include "common/sipep.h"
#include "common/sipreg.h"
#include "platform/platform_core.h"

/** One REGISTER with Expires 0 and its challenge. Owned by its lease */
struct plat_dereg {
	struct sipreg *reg;
	plat_dereg_cb *cb;
	void *arg;
};

/* Nothing is offered here but to say that we are there */
static void on_request(nta_incoming_t *irq, const sip_t *sip, void *arg)
{
	(void)sip;
	(void)arg;
	nta_incoming_treply(irq, SIP_200_OK, TAG_END());
}

/** Open the SIP endpoint that deregistrations are sent from */
int plat_dereg_open(struct plat *plat, const char *listen, char **reasonp)
{
	const struct sipep_cfg cfg = { .listen = listen,
				       .allow = "OPTIONS",
				       .supported = "path" };

	return sipep_new(&plat->ep, plat->el, &cfg, on_request, plat, reasonp);
}

/* S414: [0122]; also when it was refused, or never came */
static void on_result(const struct sipreg_result *result, void *arg)
{
	const struct plat_dereg *dereg = arg;
	const struct plat_dereg_result r = { result->status, result->phrase };

	dereg->cb(&r, dereg->arg); /* frees dereg */
}

/**
 * Deregister a SIP-URI with all its contacts (S413: [0121]; RFC 3261 10.2.2,
 * TS 24.229 5.1.1.6), in the holder's stead: by the account's own password
 *
 * @param row Account; copied
 * @param cb  Called once with the final status, 408 where none came in time;
 *            frees the object
 */
struct plat_dereg *plat_dereg_new(struct plat *plat, const struct plat_row *row,
				  plat_dereg_cb *cb, void *arg)
{
	struct plat_dereg *dereg = xcalloc(1, sizeof(*dereg));
	char *registrar = xasprintf("sip:%s", plat->realm);
	const struct sipreg_cfg cfg = { .registrar = registrar,
					.next_hop = plat->pcscf,
					.aor = row->uri,
					.user = row->impi,
					.password = row->password,
					.contact = "*" };

	dereg->cb = cb;
	dereg->arg = arg;
	dereg->reg = sipreg_new(plat->ep, &cfg, on_result, dereg);
	free(registrar);
	sipreg_start(dereg->reg, 0);

	return dereg;
}

/** Free; an answer that still comes is nobody's. NULL is fine */
struct plat_dereg *plat_dereg_free(struct plat_dereg *dereg)
{
	if (dereg) {
		sipreg_free(dereg->reg);
		free(dereg);
	}

	return NULL;
}
