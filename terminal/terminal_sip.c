/* The SIP endpoint that the UEs share. They send from it; what comes in here
 * is for the UE that the Request-URI's user part names. */
#include <stdio.h>
#include <string.h>

#include <sofia-sip/nta.h>
#include <sofia-sip/sip_status.h>

#include "common/element.h"
#include "common/sipep.h"
#include "terminal/terminal.h"
#include "terminal/terminal_core.h"

/* RFC 3261 11.2: OPTIONS asks whether the user is here */
static void on_request(nta_incoming_t *irq, const sip_t *sip, void *arg)
{
	const struct terminal *t = arg;
	const char *user = sip->sip_request->rq_url->url_user;
	unsigned id = 0;
	char end;

	if (!user || sscanf(user, "ue%u%c", &id, &end) != 1 || id < 1 ||
	    id > t->last_id)
		nta_incoming_treply(irq, SIP_404_NOT_FOUND, TAG_END());
	else
		nta_incoming_treply(irq, SIP_200_OK, TAG_END());
}

/** Open the endpoint; 0, or errno with the reason */
int terminal_sip_open(struct terminal *t, const char *listen, char **reasonp)
{
	const struct sipep_cfg cfg = { .listen = listen,
				       .allow = "OPTIONS",
				       .supported = "path" };

	return sipep_new(&t->sip, t->el, &cfg, on_request, t, reasonp);
}

/** Where the UEs are, as sipep_addr() gives it */
const char *terminal_sip_addr(const struct terminal *terminal)
{
	return sipep_addr(terminal->sip);
}
