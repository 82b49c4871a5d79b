/* The I-CSCF's edge to the CSCFs: Mw */
#include <stdlib.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include "common/ims_headers.h"
#include "common/log.h"
#include "common/sipep.h"
#include "ims_core/icscf/icscf_core.h"

/* The irq has been taken over by whoever answered it */
static void forget(struct icscf_register *rq)
{
	struct icscf_register **at = &rq->icscf->registers;

	while (*at != rq)
		at = &(*at)->next;
	*at = rq->next;
	su_home_unref(rq->home);
}

/** End a REGISTER without an answer: the I-CSCF goes away */
void icscf_sip_drop(struct icscf_register *rq)
{
	cx_forget(rq->icscf->cx, rq);
	nta_incoming_destroy(rq->irq);
	forget(rq);
}

/** Refuse a REGISTER; rq is gone */
void icscf_sip_refuse(struct icscf_register *rq,
		      const struct icscf_refusal *refusal)
{
	char *warning =
		ims_warning(rq->icscf->origin_host, "%s", refusal->text);

	nta_incoming_tag(rq->irq, NULL);
	nta_incoming_treply(rq->irq, refusal->status, refusal->phrase,
			    SIPTAG_WARNING_STR(warning), TAG_END());
	free(warning);
	if (rq->icscf->arriving != rq)
		nta_incoming_destroy(rq->irq);
	forget(rq);
}

/* TS 24.229 5.3.1.2: the Request-URI becomes the S-CSCF's name */
static void set_request_uri(msg_t *msg, sip_t *sip, void *arg)
{
	const struct icscf_register *rq = arg;

	ims_request_uri_set(msg, sip, rq->server_name);
}

/**
 * Send it to the S-CSCF chosen, its answer back the way it came; rq is gone.
 * S505, S515: [0094] [0104]; the answer comes as S508, S517: [0097] [0106] and
 * goes on as S509, S518: [0098] [0107]
 */
void icscf_sip_forward(struct icscf_register *rq)
{
	char *next_hop = ims_next_hop(rq->server_name, rq->sip);
	const struct sipep_route route = { .next_hop = next_hop,
					   .prepare = set_request_uri,
					   .arg = rq };

	/* prepare is called at once; on failure 500 was answered */
	(void)sipep_forward(rq->icscf->ep, rq->irq, &route);
	free(next_hop);
	forget(rq);
}

static void on_request(nta_incoming_t *irq, const sip_t *sip, void *arg)
{
	struct icscf *icscf = arg;
	struct icscf_register *rq;

	if (sip->sip_request->rq_method == sip_method_options &&
	    !sip->sip_request->rq_url->url_user) {
		/* no user: whether we are there is the question */
		nta_incoming_tag(irq, NULL);
		nta_incoming_treply(irq, SIP_200_OK, TAG_END());
		return;
	}
	if (sip->sip_request->rq_method != sip_method_register) {
		icscf_session_rx(icscf, irq, sip);
		return;
	}

	rq = su_home_new(sizeof(*rq));
	if (!rq)
		abort();
	rq->icscf = icscf;
	rq->irq = irq;
	rq->sip = sip;
	rq->next = icscf->registers;
	icscf->registers = rq;
	icscf->arriving = rq;
	icscf_register_start(rq);
	icscf->arriving = NULL;
}

/** Listen; 0 or the errno of it, with the reason */
int icscf_sip_open(struct icscf *icscf, const char *listen, char **reasonp)
{
	const struct sipep_cfg cfg = { .listen = listen, .is_proxy = true };

	return sipep_new(&icscf->ep, icscf->el, &cfg, on_request, icscf,
			 reasonp);
}

void icscf_sip_close(struct icscf *icscf)
{
	icscf->ep = sipep_free(icscf->ep);
}
