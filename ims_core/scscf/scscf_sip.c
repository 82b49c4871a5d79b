/* The S-CSCF's edge to the CSCFs: Mw. REGISTERs come in and are answered */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "ims_core/scscf/scscf_reg_event.h"
#include "ims_core/scscf/scscf_session.h"

static void forget(struct scscf_register *rq)
{
	struct scscf_register **at = &rq->scscf->registers;

	while (*at != rq)
		at = &(*at)->next;
	*at = rq->next;
	if (rq->scscf->arriving == rq)
		rq->scscf->arriving = NULL;
	else
		nta_incoming_destroy(rq->irq);
	msg_destroy(rq->msg);
	su_home_unref(rq->home);
}

/** Answer a REGISTER; rq is gone */
void scscf_answer(struct scscf_register *rq, const struct scscf_answer *answer)
{
	const char *headers = answer->headers, *text = answer->warning;
	char *warning = NULL;

	if (text)
		warning = ims_warning(rq->scscf->origin_host, "%s", text);
	log_info("scscf %s: REGISTER: %d %s%s%s", rq->impu ? rq->impu : "?",
		 answer->status, answer->phrase, text ? ": " : "",
		 text ? text : "");
	nta_incoming_treply(rq->irq, answer->status, answer->phrase,
			    TAG_IF(headers, SIPTAG_HEADER_STR(headers)),
			    TAG_IF(warning, SIPTAG_WARNING_STR(warning)),
			    TAG_END());
	free(warning);
	forget(rq);
}

/** Refuse a REGISTER with a Warning; rq is gone */
void scscf_refuse(struct scscf_register *rq, int status, const char *phrase,
		  const char *fmt, ...)
{
	struct scscf_answer answer = { .status = status, .phrase = phrase };
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	answer.warning = text;
	scscf_answer(rq, &answer);
	free(text);
}

/* 5.4.2.1.1: the registrations here are ours to tell; other packages are a
 * matter of those who subscribe and are subscribed to */
static bool is_reg_event(const sip_t *sip)
{
	return sip->sip_request->rq_method == sip_method_subscribe &&
	       sip->sip_event && !strcmp(sip->sip_event->o_type, "reg");
}

static void on_request(nta_incoming_t *irq, const sip_t *sip, void *arg)
{
	struct scscf *scscf = arg;
	struct scscf_register *rq;

	if (sip->sip_request->rq_method == sip_method_options &&
	    !sip->sip_request->rq_url->url_user) {
		/* no user: whether we are there is the question */
		nta_incoming_tag(irq, NULL);
		nta_incoming_treply(irq, SIP_200_OK, TAG_END());
		return;
	}
	if (is_reg_event(sip)) {
		nta_incoming_tag(irq, NULL);
		scscf_reg_event_rx_subscribe(scscf, irq, sip);
		return;
	}
	if (sip->sip_request->rq_method != sip_method_register) {
		scscf_session_rx(scscf, irq, sip);
		return;
	}
	nta_incoming_tag(irq, NULL);

	rq = su_home_new(sizeof(*rq));
	if (!rq)
		abort();
	rq->scscf = scscf;
	rq->irq = irq;
	rq->msg = nta_incoming_getrequest(irq);
	rq->sip = sip;
	rq->next = scscf->registers;
	scscf->registers = rq;
	scscf->arriving = rq;
	scscf_rx_register(rq);
	scscf->arriving = NULL;
}

/** Listen; 0 or the errno of it, with the reason */
int scscf_sip_open(struct scscf *scscf, const char *listen, char **reasonp)
{
	const struct sipep_cfg cfg = { .listen = listen,
				       .supported = "path",
				       .is_proxy = true,
				       .again = scscf_session_rx_again };

	return sipep_new(&scscf->ep, scscf->el, &cfg, on_request, scscf,
			 reasonp);
}

/** REGISTERs under way end without an answer */
void scscf_sip_close(struct scscf *scscf)
{
	while (scscf->registers)
		forget(scscf->registers);
	scscf->ep = sipep_free(scscf->ep);
}
