#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <sofia-sip/sip_status.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "common/sipreg.h"
#include "common/timer.h"
#include "platform/platform_core.h"

/** Where a deregistration is. The identity may not be registered at all: its
 * holder never did, or its registration has run out. The network then answers
 * 403 (TS 24.229 5.3.1.3: the HSS does not know it as registered), which is
 * also what a refusal looks like. So it is registered here, by its password,
 * and deregistered again: only the 200 to that tells the one from the other.
 */
enum dereg_step {
	DEREG_FIRST,    /* S413 */
	DEREG_REGISTER, /* it was 403: registered from here */
	DEREG_AGAIN     /* S413, once more */
};

/** A REGISTER with Expires 0, and what it takes. Owned by its lease */
struct plat_dereg {
	struct sipep *ep;
	struct sipreg *reg;
	char *registrar, *contact;
	char *pcscf, *uri, *impi;
	char *password; /* wiped when freed */
	enum dereg_step step;
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

static void send_step(struct plat_dereg *dereg, enum dereg_step step);

/* S414: [0122]; also when it was refused, or never came */
static void on_result(const struct sipreg_result *result, void *arg)
{
	struct plat_dereg *dereg = arg;
	const struct plat_dereg_result r = { result->status, result->phrase };
	bool is_taken = r.status >= 200 && r.status < 300;

	if (dereg->step == DEREG_FIRST && r.status == 403) {
		log_info("platform: %s: 403 to the deregistration; registered "
			 "and deregistered from here",
			 dereg->uri);
		send_step(dereg, DEREG_REGISTER);
	} else if (dereg->step == DEREG_REGISTER && is_taken) {
		send_step(dereg, DEREG_AGAIN);
	} else {
		dereg->cb(&r, dereg->arg); /* frees dereg */
	}
}

/* Each step is a client of its own, with a Call-ID of its own: the Contact is
 * another */
static void send_step(struct plat_dereg *dereg, enum dereg_step step)
{
	bool is_ours = step == DEREG_REGISTER;
	const struct sipreg_cfg cfg = { .registrar = dereg->registrar,
					.next_hop = dereg->pcscf,
					.aor = dereg->uri,
					.user = dereg->impi,
					.password = dereg->password,
					.contact = is_ours ? dereg->contact
							   : "*" };
	/* as short as the S-CSCF allows: it is ended at once */
	int64_t short_ms = timer_value_ms(TIMER_REG_MIN_EXPIRES);

	sipreg_free(dereg->reg);
	dereg->step = step;
	dereg->reg = sipreg_new(dereg->ep, &cfg, on_result, dereg);
	sipreg_start(dereg->reg, is_ours ? (int)((short_ms + 999) / 1000) : 0);
}

/* sip:+86…@HOST:PORT of this platform */
static char *own_contact(const struct plat *plat, const char *uri)
{
	const char *user = strchr(uri, ':') + 1;

	return xasprintf("sip:%.*s@%s", (int)strcspn(user, "@"), user,
			 sipep_addr(plat->ep));
}

/**
 * Deregister a SIP-URI with all its contacts (S413: [0121]; RFC 3261 10.2.2,
 * TS 24.229 5.1.1.6), in the holder's stead: by the account's own password
 *
 * @param row Account; copied
 * @param cb  Called once with the final status, 408 where none came in time;
 *            frees the object. 403 where the REGISTER that would make sure was
 *            refused too
 */
struct plat_dereg *plat_dereg_new(struct plat *plat, const struct plat_row *row,
				  plat_dereg_cb *cb, void *arg)
{
	struct plat_dereg *dereg = xcalloc(1, sizeof(*dereg));

	dereg->ep = plat->ep;
	dereg->registrar = xasprintf("sip:%s", plat->realm);
	dereg->contact = own_contact(plat, row->uri);
	dereg->pcscf = xstrdup(plat->pcscf);
	dereg->uri = xstrdup(row->uri);
	dereg->impi = xstrdup(row->impi);
	dereg->password = xstrdup(row->password);
	dereg->cb = cb;
	dereg->arg = arg;
	send_step(dereg, DEREG_FIRST);

	return dereg;
}

/** Free; an answer that still comes is nobody's. NULL is fine */
struct plat_dereg *plat_dereg_free(struct plat_dereg *dereg)
{
	if (!dereg)
		return NULL;

	sipreg_free(dereg->reg);
	OPENSSL_cleanse(dereg->password, strlen(dereg->password));
	free(dereg->password);
	free(dereg->registrar);
	free(dereg->contact);
	free(dereg->pcscf);
	free(dereg->uri);
	free(dereg->impi);
	free(dereg);

	return NULL;
}
