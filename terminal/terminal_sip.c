/* The SIP endpoint that the UEs share. They send from it; what comes in here
 * is for the UE that the Request-URI's user part names. */
#include <stdio.h>
#include <string.h>

#include <sofia-sip/nta.h>
#include <sofia-sip/sip_status.h>

#include "common/element.h"
#include "common/sipep.h"
#include "terminal/terminal.h"
#include "terminal/terminal_call_parts.h"
#include "terminal/terminal_core.h"

/* The UE that the Request-URI names, by the user part of its Contact */
static struct ue *find_called(const struct terminal *t, const sip_t *sip)
{
	const char *user = sip->sip_request->rq_url->url_user;
	unsigned id = 0;
	char end;

	if (!user || sscanf(user, "ue%u%c", &id, &end) != 1)
		return NULL;

	return ue_find_id(t, id);
}

static void on_request(nta_incoming_t *irq, const sip_t *sip, void *arg)
{
	struct ue *ue = find_called(arg, sip);

	if (sip->sip_request->rq_method == sip_method_bye ||
	    sip->sip_request->rq_method == sip_method_cancel)
		nta_incoming_treply(irq, SIP_481_NO_TRANSACTION, TAG_END());
	else if (!ue)
		nta_incoming_treply(irq, SIP_404_NOT_FOUND, TAG_END());
	else if (sip->sip_request->rq_method == sip_method_invite)
		ue_sip_invite(ue, irq, sip);
	else
		/* RFC 3261 11.2: OPTIONS asks whether the user is here */
		nta_incoming_treply(irq, SIP_200_OK, TAG_END());
}

/** Open the endpoint; 0, or errno with the reason */
int terminal_sip_open(struct terminal *t, const char *listen, char **reasonp)
{
	const struct sipep_cfg cfg = {
		.listen = listen,
		.allow = "INVITE, ACK, CANCEL, BYE, OPTIONS",
		.supported = "path"
	};
	int err = sipep_new(&t->sip, t->el, &cfg, on_request, t, reasonp);

	/* a registrar and a proxy see each ACK and each 200 by themselves; for
	 * calls the library does (RFC 3261 13.2.2.4, 13.3.1.4) */
	if (!err)
		nta_agent_set_params(sipep_agent(t->sip), NTATAG_UA(1),
				     TAG_END());

	return err;
}

/** Where the UEs are, as sipep_addr() gives it */
const char *terminal_sip_addr(const struct terminal *terminal)
{
	return sipep_addr(terminal->sip);
}
