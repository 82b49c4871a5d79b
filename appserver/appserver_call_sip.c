/* The legs of a call at the wire (TS 24.229 5.7.3, RFC 3261 12 to 15): the
 * INVITE comes from the S-CSCF by an initial filter criterion, and goes back to
 * it along the Route that is left, in a dialog of its own */
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tagarg.h>

#include "appserver/appserver_call_sip.h"
#include "common/element.h"
#include "common/ims_headers.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "common/trace.h"

/* ---- the callee's side ---- */

static int on_invite_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq,
			      const sip_t *sip)
{
	struct as_cross *invite = (struct as_cross *)magic;
	struct as_legs *legs = invite->legs;
	nta_leg_t *far = legs->leg[AS_FAR].nta;
	int status = nta_outgoing_status(orq);

	if (status < 200) {
		as_call_tell(legs->call, AS_CALL_EV_PROVISIONAL, NULL);
	} else if (status < 300) {
		nta_leg_rtag(far, sip->sip_to->a_tag);
		nta_leg_client_route(far, sip->sip_record_route,
				     sip->sip_contact);
		as_call_tell(legs->call, AS_CALL_EV_ANSWER, NULL);
	} else {
		msg_t *msg = nta_outgoing_getresponse(orq);

		if (!msg || nta_is_internal_msg(msg))
			status = 504;
		msg_destroy(msg);
		as_call_tell(legs->call, AS_CALL_EV_REFUSAL, &status);
	}

	return 0;
}

/* From with the number that may be shown: the called user sees it ([0112]). Of
 * another AS's caller it stays as it came */
static sip_from_t *far_from(const struct as_call *call, su_home_t *home,
			    const sip_from_t *near)
{
	sip_from_t *from =
		call->from ? sip_from_create(home, URL_STRING_MAKE(call->from))
			   : sip_from_create(home,
					     (const url_string_t *)near->a_url);

	if (call->cdr->role != AS_ORIGINATING)
		from->a_display = near->a_display;
	else
		from->a_display =
			call->shown ? su_sprintf(home, "\"%s\"", call->shown)
				    : "";

	return from;
}

static int far_leg(struct as_legs *legs, su_home_t *home)
{
	struct as_leg *leg = &legs->leg[AS_FAR];
	msg_t *received = nta_incoming_getrequest(legs->invite->irq);
	const sip_t *near = sip_object(received);
	sip_to_t *to =
		sip_to_create(home, (const url_string_t *)near->sip_to->a_url);

	to->a_display = near->sip_to->a_display;
	leg->nta = nta_leg_tcreate(
		sipep_agent(legs->sip), as_leg_rx, (nta_leg_magic_t *)leg,
		SIPTAG_FROM(far_from(legs->call, home, near->sip_from)),
		SIPTAG_TO(to), TAG_END());
	msg_destroy(received);

	return leg->nta && nta_leg_tag(leg->nta, NULL) ? 0 : -1;
}

/* What the next AS must know of this one */
static void put_mark(const struct as_call *call, msg_t *msg, sip_t *sip)
{
	char *vector =
		as_chain_mark(call, ims_header_get(sip, "P-Charging-Vector"));

	if (!vector)
		return;

	ims_header_remove(msg, sip, "P-Charging-Vector");
	ims_header_add(msg, sip, "P-Charging-Vector", vector);
	free(vector);
}

/** Invite the callee, along the Route that is left; 0 if sent */
int as_call_tx_invite(struct as_call *call)
{
	struct as_legs *legs = call->legs;
	struct as_cross *invite = legs->invite;
	msg_t *msg = as_cross_request(invite);
	sip_t *sip = sip_object(msg);
	sip_request_t *rq =
		sip_request_create(msg_home(msg), SIP_METHOD_INVITE,
				   URL_STRING_MAKE(call->target), NULL);

	/* the topmost is ours: looked at when it came */
	(void)sip_header_remove(msg, sip, (sip_header_t *)sip->sip_route);
	(void)sip_header_remove(msg, sip, (sip_header_t *)sip->sip_request);
	(void)sip_header_insert(msg, sip, (sip_header_t *)rq);
	ims_header_remove(msg, sip, "P-Preferred-Identity");
	put_mark(call, msg, sip);
	if (far_leg(legs, msg_home(msg)) ||
	    nta_msg_request_complete(msg, legs->leg[AS_FAR].nta,
				     SIP_METHOD_INVITE,
				     URL_STRING_MAKE(call->target))) {
		msg_destroy(msg);
		return EINVAL;
	}
	invite->orq = as_leg_tx(&legs->leg[AS_FAR], msg, on_invite_response,
				(nta_outgoing_magic_t *)invite);

	return invite->orq ? 0 : EINVAL;
}

/** Pass the callee's response on to the caller */
void as_call_tx_response(struct as_call *call)
{
	as_cross_response(call->legs->invite);
}

/** Answer the caller's INVITE ourselves */
void as_call_tx_status(struct as_call *call, int status, const char *phrase)
{
	nta_incoming_treply(call->legs->invite->irq, status, phrase,
			    SIPTAG_REASON_STR(call->reason), TAG_END());
}

/** The callee is wanted no more (RFC 3261 9.1) */
void as_call_tx_cancel(struct as_call *call)
{
	nta_outgoing_tcancel(call->legs->invite->orq, NULL, NULL,
			     SIPTAG_REASON_STR(call->reason), TAG_END());
}

/** Acknowledge the callee's 2xx */
void as_call_tx_ack(struct as_call *call)
{
	as_cross_ack(call->legs->invite);
}

static int on_bye_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq,
			   const sip_t *sip)
{
	struct as_leg *leg = (struct as_leg *)magic;

	(void)sip;
	if (nta_outgoing_status(orq) < 200)
		return 0;

	/* whatever it says, or 408 for nothing: the dialog is over (RFC 3261
	 * 15.1.1) */
	nta_outgoing_destroy(leg->bye);
	leg->bye = NULL;
	as_call_tell(leg->legs->call,
		     leg->side == AS_NEAR ? AS_CALL_EV_DONE_NEAR
					  : AS_CALL_EV_DONE_FAR,
		     NULL);

	return 0;
}

/** Hang up on one side; AS_CALL_EV_DONE_NEAR or _FAR follows */
void as_call_tx_bye(struct as_call *call, enum as_side side)
{
	struct as_leg *leg = &call->legs->leg[side];
	msg_t *msg = nta_msg_create(sipep_agent(call->legs->sip), 0);

	if (nta_msg_request_complete(msg, leg->nta, SIP_METHOD_BYE, NULL)) {
		msg_destroy(msg);
		return; /* the state's timer ends it */
	}
	(void)sip_add_tl(msg, sip_object(msg), SIPTAG_REASON_STR(call->reason),
			 TAG_END());
	leg->bye = as_leg_tx(leg, msg, on_bye_response,
			     (nta_outgoing_magic_t *)leg);
}

/** Free both legs and all that crosses them */
struct as_legs *as_legs_free(struct as_legs *legs)
{
	if (!legs)
		return NULL;

	while (legs->crosses)
		as_cross_free(legs->crosses);
	for (int side = AS_NEAR; side < AS_SIDE_N; side++) {
		nta_outgoing_destroy(legs->leg[side].bye);
		nta_leg_destroy(legs->leg[side].nta);
	}
	su_home_deinit(legs->home);
	free(legs);

	return NULL;
}

/* ---- the caller's side ---- */

static int on_ack_cancel(nta_incoming_magic_t *magic, nta_incoming_t *irq,
			 const sip_t *sip)
{
	struct as_cross *invite = (struct as_cross *)magic;
	struct as_call *call = invite->legs->call;

	if (sip && sip->sip_request->rq_method == sip_method_cancel) {
		if (sip->sip_reason)
			xstrset(&call->reason,
				sip_header_as_string(
					invite->legs->home,
					(sip_header_t *)sip->sip_reason));
		as_call_tell(call, AS_CALL_EV_CANCEL, NULL);
	} else if (nta_incoming_status(irq) < 300) {
		if (sip)
			as_cross_keep_ack(invite);
		as_call_tell(call, sip ? AS_CALL_EV_ACK : AS_CALL_EV_NO_ACK,
			     NULL);
	}

	return 0;
}

static struct as_legs *legs_new(struct as_call *call, nta_incoming_t *irq,
				const sip_t *sip)
{
	struct as_legs *legs = xcalloc(1, sizeof(*legs));
	struct as_leg *near = &legs->leg[AS_NEAR];

	su_home_init(legs->home);
	legs->call = call;
	legs->sip = as_isc_sip(call->as);
	for (int side = AS_NEAR; side < AS_SIDE_N; side++) {
		legs->leg[side].legs = legs;
		legs->leg[side].side = (enum as_side)side;
	}
	legs->invite = as_cross_new(legs, AS_NEAR, irq);
	nta_incoming_bind(irq, on_ack_cancel,
			  (nta_incoming_magic_t *)legs->invite);
	near->nta = nta_leg_tcreate(
		sipep_agent(legs->sip), as_leg_rx, (nta_leg_magic_t *)near,
		SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM(sip->sip_to),
		SIPTAG_TO(sip->sip_from),
		NTATAG_REMOTE_CSEQ(sip->sip_cseq->cs_seq), TAG_END());
	nta_leg_tag(near->nta, nta_incoming_tag(irq, NULL));
	nta_leg_server_route(near->nta, sip->sip_record_route,
			     sip->sip_contact);

	return legs;
}

/* ---- the checks ---- */

static void refuse(nta_incoming_t *irq, int status, const char *phrase)
{
	log_warn("appserver: INVITE refused: %d %s", status, phrase);
	nta_incoming_treply(irq, status, phrase, TAG_END());
}

/* RFC 3261 16.4: the topmost Route is ours, and leaves one to go on by */
static bool is_routed(const struct appserver *as, const sip_t *sip)
{
	const sip_route_t *top = sip->sip_route;
	char *text;
	bool is_ours;

	if (!top || !top->r_next)
		return false;

	text = xasprintf("%s:%s", top->r_url->url_host,
			 top->r_url->url_port ? top->r_url->url_port : "5060");
	is_ours = !strcmp(text, as_sip_addr(as));
	free(text);

	return is_ours;
}

/* The first SIP-URI that the network asserts (RFC 3325 9.1) */
static char *asserted(su_home_t *home, const sip_t *sip)
{
	const sip_p_asserted_identity_t *id = sip_p_asserted_identity(sip);

	while (id && id->paid_url->url_type != url_sip)
		id = id->paid_next;

	return id ? ims_impu(home, id->paid_url) : NULL;
}

/* What the caller may show. NULL: it may; else what the 403 says */
static const char *check_shown(struct as_call *call, const sip_from_t *from)
{
	const struct as_party *caller = &call->cdr->party[AS_NEAR];
	enum as_display verdict =
		as_number_check(from->a_display, caller->number);
	char *impu = ims_impu(call->legs->home, from->a_url);
	bool is_own_uri = impu && !strcmp(impu, caller->uri);
	bool is_foreign = verdict == AS_DISPLAY_FOREIGN || !is_own_uri;

	if (caller->number)
		call->shown = xstrdup(caller->number);
	if (!is_own_uri)
		call->from = xstrdup(caller->uri);
	if (verdict == AS_DISPLAY_TRUE && is_own_uri)
		return NULL;

	trace_event(call->as->el->trace,
		    !is_foreign                 ? "as.number-filled"
		    : call->as->refuses_foreign ? "as.number-refused"
						: "as.number-replaced",
		    json_pack("{s:s, s:s?, s:s?, s:s}", "uri", caller->uri,
			      "number", caller->number, "shown",
			      from->a_display, "from", impu ? impu : ""));
	if (is_foreign && call->as->refuses_foreign)
		return "The Number Shown Is Not the Caller's";

	return NULL;
}

/* The far leg's Request-URI: a number becomes the SIP-URI that it stands for,
 * unless the AS that follows is to say that */
static bool is_mapped(const struct appserver *as, const url_t *url,
		      const struct as_party *callee)
{
	return callee->lease_id ||
	       (url->url_type == url_tel && as->chain != AS_FIRST);
}

static void start(struct appserver *as, nta_incoming_t *irq, const sip_t *sip,
		  struct as_party party[AS_SIDE_N], enum as_role role)
{
	const url_t *url = sip->sip_request->rq_url;
	bool is_new = is_mapped(as, url, &party[AS_FAR]);
	struct as_call *call = as_call_new(as, sip->sip_call_id->i_id, party);
	const char *why = NULL;

	if (role == AS_PASSING && call->cdr->party[AS_FAR].lease_id)
		role = AS_TERMINATING;
	call->cdr->role = role;
	call->cdr->icid =
		as_chain_icid(ims_header_get(sip, "P-Charging-Vector"));
	call->legs = legs_new(call, irq, sip);
	call->target = xstrdup(is_new ? call->cdr->party[AS_FAR].uri
				      : url_as_string(call->legs->home, url));
	if (role == AS_ORIGINATING)
		why = check_shown(call, sip->sip_from);
	as_call_start(call, why);
}

/* Who calls, and whom: 0, or the INVITE has been refused */
static int find_parties(struct appserver *as, nta_incoming_t *irq,
			const sip_t *sip, struct as_party party[AS_SIDE_N],
			enum as_role *rolep)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *vector = ims_header_get(sip, "P-Charging-Vector");
	char *caller = asserted(home, sip);
	const char *phrase = "No SIP-URI in P-Asserted-Identity";
	int status = 403;

	if (caller)
		phrase = as_chain_caller(as, vector, caller, &party[AS_NEAR],
					 rolep);
	if (!phrase && *rolep == AS_ORIGINATING &&
	    as_calls_made_by(as, caller) >= as->calls_max)
		phrase = "Too Many Calls of One Number";
	if (!phrase) {
		status = as_number_callee(as, sip->sip_request->rq_url,
					  &party[AS_FAR]);
		phrase = status == 484 ? sip_484_Address_incomplete
				       : sip_416_Unsupported_uri;
	}
	if (status)
		refuse(irq, status, phrase);
	su_home_deinit(home);

	return status;
}

/**
 * A call comes from the S-CSCF, on its way to the callee
 *
 * @param irq Answered, or kept until the call is over
 */
void as_call_rx_invite(struct appserver *as, nta_incoming_t *irq,
		       const sip_t *sip)
{
	struct as_party party[AS_SIDE_N] = { { 0 }, { 0 } };
	enum as_role role = AS_PASSING;

	if (!is_routed(as, sip))
		refuse(irq, 403, "No Route Through This Server");
	else if (!sip->sip_contact)
		refuse(irq, 400, "Contact Is Missing");
	else if (sip->sip_max_forwards && !sip->sip_max_forwards->mf_count)
		refuse(irq, SIP_483_TOO_MANY_HOPS);
	else if (!find_parties(as, irq, sip, party, &role))
		start(as, irq, sip, party, role);
	as_party_clear(&party[AS_NEAR]);
	as_party_clear(&party[AS_FAR]);
}
