/* The messages of a call: INVITE, ACK, CANCEL, BYE and their responses as the
 * library's transactions and dialog (RFC 3261 12 to 15). Runs with the agent
 * as a user agent (NTATAG_UA): it repeats a 200 until its ACK comes, repeats
 * the ACK when the 200 comes again, and ends what another branch answers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tagarg.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "terminal/terminal_call_parts.h"
#include "terminal/terminal_core.h"
#include "terminal/terminal_lease.h"

#define ALLOWED "INVITE, ACK, CANCEL, BYE, OPTIONS"

/** Dialog and transactions of a call, its edge. Owned by the call */
struct ue_call_sip {
	struct ue_call *call;
	nta_leg_t *leg;
	nta_outgoing_t *invite, *bye;
	nta_incoming_t *irq; /* INVITE or re-INVITE, till its ACK */
	char *contact;
};

static struct ue_call_sip *sip_new(struct ue_call *call)
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

static struct call_body body_of(const sip_t *sip)
{
	struct call_body body = { 0 };

	if (sip && sip->sip_payload && sip->sip_payload->pl_len) {
		body.text = sip->sip_payload->pl_data;
		body.len = sip->sip_payload->pl_len;
	}

	return body;
}

static bool is_sdp(const sip_t *sip)
{
	return sip->sip_content_type && sip->sip_content_type->c_type &&
	       !strcasecmp(sip->sip_content_type->c_type, "application/sdp");
}

/* --- requests within the dialog --- */

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
	if (sip->sip_payload && !is_sdp(sip))
		return 415;

	return 0;
}

static int on_ack_or_cancel(nta_incoming_magic_t *magic, nta_incoming_t *irq,
			    const sip_t *sip);

static int on_reinvite(struct ue_call_sip *cs, nta_incoming_t *irq,
		       const sip_t *sip)
{
	struct call_body offer = body_of(sip);
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
	nta_incoming_bind(irq, on_ack_or_cancel, (nta_incoming_magic_t *)cs);
	nta_incoming_treply(irq, SIP_200_OK, SIPTAG_CONTACT_STR(cs->contact),
			    SIPTAG_ALLOW_STR(ALLOWED),
			    SIPTAG_CONTENT_TYPE_STR("application/sdp"),
			    SIPTAG_PAYLOAD_STR(sdp), TAG_END());
	free(sdp);

	return 0;
}

/* A request of this dialog; the library answers with what is returned */
static int on_dialog_request(nta_leg_magic_t *magic, nta_leg_t *leg,
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
		/* frees cs, which is not needed for the answer */
		return ue_call_tell(cs->call, CALL_EV_RX_BYE, NULL) ? 481 : 200;
	case sip_method_options:
		return 200;
	default:
		nta_incoming_treply(irq, SIP_405_METHOD_NOT_ALLOWED,
				    SIPTAG_ALLOW_STR(ALLOWED), TAG_END());
		return 405;
	}
}

static void on_ack(struct ue_call_sip *cs, const sip_t *sip)
{
	struct call_body answer = body_of(sip);

	nta_incoming_destroy(cs->irq);
	cs->irq = NULL;
	(void)ue_call_tell(cs->call, CALL_EV_RX_ACK, &answer);
}

/* Of the INVITE's server transaction; no message: its ACK never came */
static int on_ack_or_cancel(nta_incoming_magic_t *magic, nta_incoming_t *irq,
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

/* --- called: TS 24.229 5.1.4 --- */

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
	char *peer = url_as_string(NULL, caller_of(sip));
	char *shown = unquote(sip->sip_from->a_display);
	struct call_invite invite = { .peer = peer ? peer : "",
				      .shown = shown,
				      .call_id = sip->sip_call_id->i_id,
				      .offer = body_of(sip) };
	struct ue_call *call = ue_call_incoming(statusp, ue, &invite);

	su_free(NULL, peer);
	free(shown);

	return call;
}

/* RFC 3261 12.1.1 */
static void make_dialog(struct ue_call_sip *cs, nta_incoming_t *irq,
			const sip_t *sip)
{
	cs->leg = nta_leg_tcreate(
		sipep_agent(cs->call->ue->terminal->sip), on_dialog_request,
		(nta_leg_magic_t *)cs, SIPTAG_CALL_ID(sip->sip_call_id),
		SIPTAG_FROM(sip->sip_to), SIPTAG_TO(sip->sip_from),
		NTATAG_REMOTE_CSEQ(sip->sip_cseq->cs_seq), TAG_END());
	nta_leg_tag(cs->leg, nta_incoming_tag(irq, NULL));
	nta_leg_server_route(cs->leg, sip->sip_record_route, sip->sip_contact);
	cs->irq = irq;
	nta_incoming_bind(irq, on_ack_or_cancel, (nta_incoming_magic_t *)cs);
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
	else if (sip->sip_payload && !is_sdp(sip))
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
	call->sip = sip_new(call);
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
			    SIPTAG_ALLOW_STR(ALLOWED),
			    SIPTAG_CONTENT_TYPE_STR("application/sdp"),
			    SIPTAG_PAYLOAD_STR(call->sdp), TAG_END());
}

/** A final response that is no 2xx */
void ue_call_sip_refuse(struct ue_call *call, int status)
{
	nta_incoming_treply(call->sip->irq, status, sip_status_phrase(status),
			    TAG_END());
}

/* --- calling: TS 24.229 5.1.3 --- */

/* Route set, target, ACK (RFC 3261 12.1.2, 13.2.2.4) */
static void acknowledge(struct ue_call_sip *cs, const sip_t *sip)
{
	const struct ue_lease *lease = cs->call->ue->lease;
	bool is_lost = !sip->sip_contact && !sip->sip_record_route;
	nta_outgoing_t *ack;

	nta_leg_rtag(cs->leg, sip->sip_to->a_tag);
	nta_leg_client_route(cs->leg, sip->sip_record_route, sip->sip_contact);
	/* a 200 without Contact says not where to: the way of the INVITE */
	ack = nta_outgoing_tcreate(
		cs->leg, NULL, NULL,
		is_lost && lease ? URL_STRING_MAKE(lease->proxy) : NULL,
		SIP_METHOD_ACK, NULL, SIPTAG_MAX_FORWARDS_STR("70"), TAG_END());
	nta_outgoing_destroy(ack);
}

static int on_invite_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq,
			      const sip_t *sip)
{
	struct ue_call_sip *cs = (struct ue_call_sip *)magic;
	struct call_response resp = { .status = nta_outgoing_status(orq),
				      .phrase = "no answer" };

	if (sip && sip->sip_status)
		resp.phrase = sip->sip_status->st_phrase;
	if (sip && is_sdp(sip))
		resp.body = body_of(sip);
	if (sip && resp.status >= 200 && resp.status < 300)
		acknowledge(cs, sip);
	(void)ue_call_tell(cs->call, CALL_EV_RX_RESPONSE, &resp);

	return 0;
}

/* What stands in <> and is put into a header */
static bool is_callable(const char *to)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const url_t *url = url_make(home, to);
	bool is_tel = url && url->url_type == url_tel;
	bool is_sip =
		url && (url->url_type == url_sip || url->url_type == url_sips);
	bool is_good = (is_tel && url->url_user && *url->url_user) ||
		       (is_sip && url->url_host && *url->url_host);

	for (const char *p = to; *p; p++)
		if (*p <= ' ' || strchr("<>\"\\^`{|}", *p) ||
		    (unsigned char)*p > '~')
			is_good = false;
	su_home_deinit(home);

	return is_good;
}

/* As quoted-string; NULL where it holds what none may (RFC 3261 25.1) */
static char *quote(const char *display)
{
	char *text = xcalloc(2 * strlen(display) + 3, 1), *to = text;

	*to++ = '"';
	for (const char *p = display; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f) {
			free(text);
			return NULL;
		}
		if (*p == '"' || *p == '\\')
			*to++ = '\\';
		*to++ = *p;
	}
	*to = '"';

	return text;
}

/* RFC 3261 8.1.2; TS 24.229 5.1.2A.1.1: the P-CSCF, then the Service-Route */
static char *route_of(const struct ue *ue)
{
	const char *proxy = ue->lease->proxy;
	const char *rest = ue->service_route;

	return xasprintf("<%s%s>%s%s", proxy, strstr(proxy, ";lr") ? "" : ";lr",
			 rest ? ", " : "", rest ? rest : "");
}

static void keep_call_id(struct ue_call *call)
{
	msg_t *msg = nta_outgoing_getrequest(call->sip->invite);

	call->call_id = xstrdup(sip_object(msg)->sip_call_id->i_id);
	msg_destroy(msg);
}

static void send_invite(struct ue_call *call, const char *to)
{
	const struct ue_lease *lease = call->ue->lease;
	struct ue_call_sip *cs = call->sip;
	char *route = route_of(call->ue);
	char *preferred = xasprintf("P-Preferred-Identity: <%s>", lease->uri);

	cs->invite = nta_outgoing_tcreate(
		cs->leg, on_invite_response, (nta_outgoing_magic_t *)cs,
		URL_STRING_MAKE(lease->proxy), SIP_METHOD_INVITE,
		URL_STRING_MAKE(to), SIPTAG_MAX_FORWARDS_STR("70"),
		SIPTAG_ROUTE_STR(route), SIPTAG_CONTACT_STR(cs->contact),
		SIPTAG_ALLOW_STR(ALLOWED), SIPTAG_HEADER_STR(preferred),
		SIPTAG_CONTENT_TYPE_STR("application/sdp"),
		SIPTAG_PAYLOAD_STR(call->sdp), TAG_END());
	free(route);
	free(preferred);
}

/**
 * INVITE. The real number goes into the number-display field, in place of the
 * one of the account: [0112]
 *
 * @return 0, or EINVAL with the reason
 */
int ue_call_sip_dial(struct ue_call *call, const char *to, const char *display,
		     char **reasonp)
{
	struct sipep *ep = call->ue->terminal->sip;
	char *quoted = quote(display), *from, *to_header;

	if (!is_callable(to) || !quoted) {
		*reasonp = quoted ? xasprintf("\"%s\" cannot be called: give "
					      "sip:USER@HOST or tel:+NUMBER",
					      to)
				  : xstrdup("display: control characters "
					    "cannot be shown");
		free(quoted);
		return EINVAL;
	}
	from = xasprintf("%s <%s>", quoted, call->ue->lease->uri);
	to_header = xasprintf("<%s>", to);
	call->sip = sip_new(call);
	call->sip->leg = nta_leg_tcreate(sipep_agent(ep), on_dialog_request,
					 (nta_leg_magic_t *)call->sip,
					 SIPTAG_FROM_STR(from),
					 SIPTAG_TO_STR(to_header), TAG_END());
	nta_leg_tag(call->sip->leg, NULL);
	free(quoted);
	free(from);
	free(to_header);
	send_invite(call, to);
	if (call->sip->invite) {
		keep_call_id(call);
		return 0;
	}
	*reasonp = xasprintf("INVITE to \"%s\" by \"%s\" could not be made; "
			     "are the URIs right?",
			     to, call->ue->lease->proxy);

	return EINVAL;
}

/** CANCEL, as soon as a provisional response has come (RFC 3261 9.1) */
void ue_call_sip_cancel(struct ue_call *call)
{
	nta_outgoing_cancel(call->sip->invite);
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
