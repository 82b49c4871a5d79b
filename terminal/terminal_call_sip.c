/* The messages of a call: INVITE, ACK, CANCEL, BYE and their responses as the
 * library's transactions and dialog (RFC 3261 12 to 15). Runs with the agent
 * as a user agent (NTATAG_UA): it repeats a 200 until its ACK comes, repeats
 * the ACK when the 200 comes again, and ends what another branch answers. */
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tagarg.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "terminal/terminal_call_sip.h"
#include "terminal/terminal_core.h"

/** The edge of a call, without a dialog yet */
struct ue_call_sip *ue_call_sip_new(struct ue_call *call)
{
	struct ue_call_sip *cs = xcalloc(1, sizeof(*cs));

	cs->call = call;
	cs->contact = xasprintf("<sip:ue%u@%s>", call->ue->id,
				sipep_addr(call->ue->terminal->sip));

	return cs;
}

/** End dialog and transactions; those that are under way end by themselves */
struct ue_call_sip *ue_call_sip_free(struct ue_call_sip *cs)
{
	if (!cs)
		return NULL;

	nta_outgoing_destroy(cs->invite);
	nta_outgoing_destroy(cs->bye);
	nta_incoming_destroy(cs->irq);
	nta_leg_destroy(cs->leg);
	free(cs->contact);
	free(cs);

	return NULL;
}

/** The body, whatever it is; borrowed from the message */
struct call_body ue_sip_body(const sip_t *sip)
{
	struct call_body body = { 0 };

	if (sip && sip->sip_payload && sip->sip_payload->pl_len) {
		body.text = sip->sip_payload->pl_data;
		body.len = sip->sip_payload->pl_len;
	}

	return body;
}

/** Whether the body is SDP */
bool ue_sip_is_sdp(const sip_t *sip)
{
	return sip->sip_content_type && sip->sip_content_type->c_type &&
	       !strcasecmp(sip->sip_content_type->c_type, "application/sdp");
}

/* RFC 3261 14.2: what a re-INVITE may not interrupt; 0: none */
static int refuse_reinvite(const struct ue_call_sip *cs, const sip_t *sip)
{
	if (!sip->sip_to->a_tag)
		return 482; /* the same by another way (8.2.2.2) */
	if (ue_call_is(cs->call, CALL_EARLY))
		return 500;
	/* ours, or one of theirs, is not through (RFC 5407 3.1) */
	if (!ue_call_is(cs->call, CALL_CONFIRMED) || cs->irq)
		return 491;
	if (sip->sip_payload && !ue_sip_is_sdp(sip))
		return 415;

	return 0;
}

static int on_reinvite(struct ue_call_sip *cs, nta_incoming_t *irq,
		       const sip_t *sip)
{
	struct call_body offer = ue_sip_body(sip);
	int status = refuse_reinvite(cs, sip);
	char *sdp = NULL;

	if (!status)
		status = ue_call_media_offered(&sdp, cs->call, &offer);
	if (status) {
		nta_incoming_treply(
			irq, status, sip_status_phrase(status),
			TAG_IF(status == 500, SIPTAG_RETRY_AFTER_STR("5")),
			TAG_IF(status == 415,
			       SIPTAG_ACCEPT_STR("application/sdp")),
			TAG_END());
		return status;
	}
	/* the target may be another (RFC 3261 12.2.2) */
	nta_leg_server_route(cs->leg, NULL, sip->sip_contact);
	cs->irq = irq;
	nta_incoming_bind(irq, ue_sip_on_ack_or_cancel,
			  (nta_incoming_magic_t *)cs);
	nta_incoming_treply(irq, SIP_200_OK, SIPTAG_CONTACT_STR(cs->contact),
			    SIPTAG_ALLOW_STR(UE_ALLOWED),
			    SIPTAG_CONTENT_TYPE_STR("application/sdp"),
			    SIPTAG_PAYLOAD_STR(sdp), TAG_END());
	free(sdp);

	return 0;
}

/* frees cs, which is not needed for the answer */
static int on_bye(struct ue_call_sip *cs, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *text = sip->sip_reason ? sip->sip_reason->re_text : NULL;
	int err;

	if (text && *text == '"')
		text = msg_unquote_dup(home, text);
	err = ue_call_tell(cs->call, CALL_EV_RX_BYE, (void *)text);
	su_home_deinit(home);

	return err ? 481 : 200;
}

/** A request of this dialog; the library answers with what is returned */
int ue_sip_on_dialog(nta_leg_magic_t *magic, nta_leg_t *leg,
		     nta_incoming_t *irq, const sip_t *sip)
{
	struct ue_call_sip *cs = (struct ue_call_sip *)magic;

	(void)leg;
	if (sip->sip_request->rq_method == sip_method_ack) {
		nta_incoming_destroy(irq); /* of what was answered long ago */
		return 0;
	}
	if (sip->sip_require && nta_check_required(irq, sip, NULL, TAG_END()))
		return 420;

	switch (sip->sip_request->rq_method) {
	case sip_method_invite:
		return on_reinvite(cs, irq, sip);
	case sip_method_bye:
		return on_bye(cs, sip);
	case sip_method_options:
		return 200;
	default:
		nta_incoming_treply(irq, SIP_405_METHOD_NOT_ALLOWED,
				    SIPTAG_ALLOW_STR(UE_ALLOWED), TAG_END());
		return 405;
	}
}

static void on_ack(struct ue_call_sip *cs, const sip_t *sip)
{
	struct call_body answer = ue_sip_body(sip);

	nta_incoming_destroy(cs->irq);
	cs->irq = NULL;
	(void)ue_call_tell(cs->call, CALL_EV_RX_ACK, &answer);
}

/** Of the INVITE's server transaction; no message: its ACK never came */
int ue_sip_on_ack_or_cancel(nta_incoming_magic_t *magic, nta_incoming_t *irq,
			    const sip_t *sip)
{
	struct ue_call_sip *cs = (struct ue_call_sip *)magic;

	if (sip && sip->sip_request->rq_method == sip_method_ack) {
		on_ack(cs, sip);
		return 0;
	}
	if (sip) {
		nta_incoming_treply(irq, SIP_487_REQUEST_CANCELLED, TAG_END());
		(void)ue_call_tell(cs->call, CALL_EV_RX_CANCEL, NULL);
		return 0;
	}
	nta_incoming_destroy(cs->irq);
	cs->irq = NULL;
	(void)ue_call_tell(cs->call, CALL_EV_NO_ACK, NULL);

	return 0;
}

static int on_bye_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq,
			   const sip_t *sip)
{
	struct ue_call_sip *cs = (struct ue_call_sip *)magic;
	struct call_response resp = { .status = nta_outgoing_status(orq) };

	(void)sip;
	(void)ue_call_tell(cs->call, CALL_EV_RX_RESPONSE, &resp);

	return 0;
}

/** BYE along the route set (RFC 3261 15.1.1) */
void ue_call_sip_bye(struct ue_call *call)
{
	struct ue_call_sip *cs = call->sip;

	if (cs->bye)
		return;

	cs->bye = nta_outgoing_tcreate(
		cs->leg, on_bye_response, (nta_outgoing_magic_t *)cs, NULL,
		SIP_METHOD_BYE, NULL, SIPTAG_MAX_FORWARDS_STR("70"), TAG_END());
	if (!cs->bye)
		log_warn("terminal ue%u: BYE to %s could not be made",
			 call->ue->id, call->peer);
}
