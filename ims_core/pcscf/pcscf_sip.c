/* The P-CSCF's edge: Gm and Mw. Which procedure a request belongs to */
#include <stdlib.h>

#include <sofia-sip/nta.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include "common/element.h"
#include "common/ims_headers.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "ims_core/pcscf/pcscf_core.h"

/** Take out what a UE may not say in the network's name (TS 24.229 5.2.2.1,
 * 5.2.6.3, RFC 3325 8) */
void pcscf_remove_forged(msg_t *msg, sip_t *sip)
{
	static const char *const names[] = {
		"P-Asserted-Identity",
		"P-Charging-Vector",
		"P-Charging-Function-Addresses",
		"P-Visited-Network-ID",
		"P-Associated-URI",
		"P-Called-Party-ID",
		"P-Served-User",
		"P-User-Database",
		"Path",
		"Service-Route",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		ims_header_remove(msg, sip, names[i]);
}

static void rx_register(struct pcscf *pcscf, nta_incoming_t *irq,
			const sip_t *sip)
{
	const char *refusal = NULL;
	struct pcscf_register *rq = pcscf_register_new(pcscf, sip, &refusal);
	struct sipep_route route = {
		.prepare = pcscf_register_prepare,
		.response = pcscf_register_answered,
		.arg = rq,
	};

	if (!rq) {
		const struct sipep_refusal bad = { SIP_400_BAD_REQUEST,
						   pcscf->addr, refusal };

		sipep_reject(irq, &bad);
		return;
	}
	route.next_hop = pcscf_register_next_hop(rq);
	/* on failure it has answered 500 */
	if (sipep_forward(pcscf->ep, irq, &route))
		pcscf_register_free(rq);
}

static void on_request(nta_incoming_t *irq, const sip_t *sip, void *arg)
{
	struct pcscf *pcscf = arg;

	switch (sip->sip_request->rq_method) {
	case sip_method_register: /* S501, S511, S413: [0090] [0100] [0121] */
		rx_register(pcscf, irq, sip);
		break;
	case sip_method_options:
		if (sip->sip_request->rq_url->url_user) {
			pcscf_session_rx(pcscf, irq, sip);
			break;
		}
		/* no user: whether we are there is the question */
		nta_incoming_tag(irq, NULL);
		nta_incoming_treply(irq, SIP_200_OK, TAG_END());
		break;
	default:
		pcscf_session_rx(pcscf, irq, sip);
		break;
	}
}

/** Listen; 0 or the errno of it, with the reason */
int pcscf_sip_open(struct pcscf *pcscf, const char *listen, char **reasonp)
{
	/* any method: who is not registered gets 403, whatever it asks */
	const struct sipep_cfg cfg = { .listen = listen,
				       .is_proxy = true,
				       .again = pcscf_session_rx_again };

	return sipep_new(&pcscf->ep, pcscf->el, &cfg, on_request, pcscf,
			 reasonp);
}

void pcscf_sip_close(struct pcscf *pcscf)
{
	pcscf->ep = sipep_free(pcscf->ep);
}
