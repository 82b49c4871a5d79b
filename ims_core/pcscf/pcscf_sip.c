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

static void refuse(const struct pcscf *pcscf, nta_incoming_t *irq, int status,
		   const char *phrase, const char *text)
{
	char *warning = ims_warning(pcscf->addr, "%s", text);

	log_info("pcscf: answered %d %s: %s", status, phrase, text);
	nta_incoming_tag(irq, NULL);
	nta_incoming_treply(irq, status, phrase, SIPTAG_WARNING_STR(warning),
			    TAG_END());
	free(warning);
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
		refuse(pcscf, irq, SIP_400_BAD_REQUEST, refusal);
		return;
	}
	route.next_hop = pcscf_register_next_hop(rq);
	/* on failure it has answered 500 */
	if (sipep_forward(pcscf->ep, irq, &route))
		pcscf_register_free(rq);
}

/* TS 24.229 5.2.6.3: only who has registered gets further */
static void rx_other(const struct pcscf *pcscf, nta_incoming_t *irq,
		     const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *impu = ims_impu(home, sip->sip_from->a_url);
	char *source = pcscf_source(sip);

	if (!impu || !pcscf_reg_is_known(pcscf, impu, source))
		refuse(pcscf, irq, SIP_403_FORBIDDEN,
		       "the identity in From is not registered from this "
		       "address; REGISTER first");
	else
		refuse(pcscf, irq, SIP_501_NOT_IMPLEMENTED,
		       "this P-CSCF forwards REGISTER only");
	free(source);
	su_home_deinit(home);
}

static void on_request(nta_incoming_t *irq, const sip_t *sip, void *arg)
{
	struct pcscf *pcscf = arg;

	switch (sip->sip_request->rq_method) {
	case sip_method_register: /* S501, S511, S413: [0090] [0100] [0121] */
		rx_register(pcscf, irq, sip);
		break;
	case sip_method_options:
		nta_incoming_tag(irq, NULL);
		nta_incoming_treply(irq, SIP_200_OK,
				    SIPTAG_ALLOW_STR("REGISTER, OPTIONS"),
				    TAG_END());
		break;
	default:
		rx_other(pcscf, irq, sip);
		break;
	}
}

/** Listen; 0 or the errno of it, with the reason */
int pcscf_sip_open(struct pcscf *pcscf, const char *listen, char **reasonp)
{
	/* any method: who is not registered gets 403, whatever it asks */
	const struct sipep_cfg cfg = { .listen = listen };

	return sipep_new(&pcscf->ep, pcscf->el, &cfg, on_request, pcscf,
			 reasonp);
}

void pcscf_sip_close(struct pcscf *pcscf)
{
	pcscf->ep = sipep_free(pcscf->ep);
}
