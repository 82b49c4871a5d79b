/* The calling side of a call (TS 24.229 5.1.3): INVITE, ACK, CANCEL */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_tagarg.h>
#include <sofia-sip/url.h>

#include "common/mem.h"
#include "common/sipep.h"
#include "terminal/terminal_call_sip.h"
#include "terminal/terminal_core.h"
#include "terminal/terminal_lease.h"

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
	if (sip && ue_sip_is_sdp(sip))
		resp.body = ue_sip_body(sip);
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
		SIPTAG_ALLOW_STR(UE_ALLOWED), SIPTAG_HEADER_STR(preferred),
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
	call->sip = ue_call_sip_new(call);
	call->sip->leg = nta_leg_tcreate(
		sipep_agent(ep), ue_sip_on_dialog, (nta_leg_magic_t *)call->sip,
		SIPTAG_FROM_STR(from), SIPTAG_TO_STR(to_header), TAG_END());
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
