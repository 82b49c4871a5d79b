/* The called side of a call (TS 24.229 5.1.4): an INVITE comes, and is answered
 * by 180, 200 or a refusal */
#include <stdlib.h>

#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tagarg.h>

#include "common/mem.h"
#include "common/sipep.h"
#include "terminal/terminal_call_sip.h"
#include "terminal/terminal_core.h"

/* "\"+8613800138000\"" as +8613800138000 (RFC 3261 25.1, quoted-string) */
static char *unquote(const char *display)
{
	char *text = xstrdup(display ? display : ""), *to = text;
	const char *from = text;
	bool is_quoted = *from == '"';

	for (from += is_quoted; *from && !(is_quoted && *from == '"'); from++) {
		if (is_quoted && *from == '\\' && from[1])
			from++;
		*to++ = *from;
	}
	*to = '\0';

	return text;
}

/* Whom the network vouches for (RFC 3325 9.1); without that, who it says */
static const url_t *caller_of(const sip_t *sip)
{
	const sip_p_asserted_identity_t *paid = sip_p_asserted_identity(sip);

	return paid ? paid->paid_url : sip->sip_from->a_url;
}

static struct ue_call *take_invite(int *statusp, struct ue *ue,
				   const sip_t *sip)
{
	char *url = url_as_string(NULL, caller_of(sip));
	char *peer = ue_call_text(url ? url : "");
	char *display = unquote(sip->sip_from->a_display);
	char *shown = ue_call_text(display);
	char *call_id = ue_call_text(sip->sip_call_id->i_id);
	struct call_invite invite = { .peer = peer,
				      .shown = shown,
				      .call_id = call_id,
				      .offer = ue_sip_body(sip) };
	struct ue_call *call = ue_call_incoming(statusp, ue, &invite);

	su_free(NULL, url);
	free(peer);
	free(display);
	free(shown);
	free(call_id);

	return call;
}

/* RFC 3261 12.1.1 */
static void make_dialog(struct ue_call_sip *cs, nta_incoming_t *irq,
			const sip_t *sip)
{
	cs->leg = nta_leg_tcreate(
		sipep_agent(cs->call->ue->terminal->sip), ue_sip_on_dialog,
		(nta_leg_magic_t *)cs, SIPTAG_CALL_ID(sip->sip_call_id),
		SIPTAG_FROM(sip->sip_to), SIPTAG_TO(sip->sip_from),
		NTATAG_REMOTE_CSEQ(sip->sip_cseq->cs_seq), TAG_END());
	nta_leg_tag(cs->leg, nta_incoming_tag(irq, NULL));
	nta_leg_server_route(cs->leg, sip->sip_record_route, sip->sip_contact);
	cs->irq = irq;
	nta_incoming_bind(irq, ue_sip_on_ack_or_cancel,
			  (nta_incoming_magic_t *)cs);
}

/** An INVITE outside of any dialog, for this UE */
void ue_sip_invite(struct ue *ue, nta_incoming_t *irq, const sip_t *sip)
{
	struct ue_call *call;
	int status = 0;

	if (sip->sip_to->a_tag)
		status = 481;
	else if (!sip->sip_contact)
		status = 400; /* RFC 3261 8.1.1.8 */
	else if (sip->sip_payload && !ue_sip_is_sdp(sip))
		status = 415;
	call = status ? NULL : take_invite(&status, ue, sip);
	if (!call) {
		nta_incoming_treply(
			irq, status, sip_status_phrase(status),
			TAG_IF(status == 415,
			       SIPTAG_ACCEPT_STR("application/sdp")),
			TAG_END());
		return;
	}
	call->sip = ue_call_sip_new(call);
	make_dialog(call->sip, irq, sip);
	(void)ue_call_tell(call, CALL_EV_RX_INVITE, NULL);
}

/** 180; a call that waits says so (RFC 7462 2.4.2, TS 24.615 4.5.5.2) */
void ue_call_sip_ring(struct ue_call *call, bool is_waiting)
{
	nta_incoming_treply(
		call->sip->irq, SIP_180_RINGING,
		SIPTAG_CONTACT_STR(call->sip->contact),
		TAG_IF(is_waiting,
		       SIPTAG_HEADER_STR("Alert-Info: "
					 "<urn:alert:service:call-waiting>")),
		TAG_END());
}

/** Say nothing, not even 100 */
void ue_call_sip_silence(struct ue_call *call)
{
	nta_incoming_set_params(call->sip->irq, NTATAG_EXTRA_100(0), TAG_END());
}

/** 200 with the call's SDP; repeated until the ACK comes (13.3.1.4) */
void ue_call_sip_accept(struct ue_call *call)
{
	nta_incoming_treply(call->sip->irq, SIP_200_OK,
			    SIPTAG_CONTACT_STR(call->sip->contact),
			    SIPTAG_ALLOW_STR(UE_ALLOWED),
			    SIPTAG_CONTENT_TYPE_STR("application/sdp"),
			    SIPTAG_PAYLOAD_STR(call->sdp), TAG_END());
}

/** A final response that is no 2xx */
void ue_call_sip_refuse(struct ue_call *call, int status)
{
	nta_incoming_treply(call->sip->irq, status, sip_status_phrase(status),
			    TAG_END());
}
