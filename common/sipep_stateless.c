/* What is done to each message that is passed on, and what is passed on past
 * any transaction: ACK to a 2xx, a 2xx that comes again (RFC 3261 16.6, 16.7,
 * 16.11) */
#include "common/sipep_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_tagarg.h>

#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"

static bool is_at(const struct sipep *ep, const char *host, const char *port)
{
	char *text = xasprintf("%s:%s", host ? host : "", port ? port : "5060");
	bool is_own = !strcasecmp(text, ep->addr);

	free(text);

	return is_own;
}

/** Does a URI name this endpoint by its address? */
bool sipep_is_own(const struct sipep *ep, const url_t *url)
{
	return (url->url_type == url_sip || url->url_type == url_sips) &&
	       is_at(ep, url->url_host, url->url_port);
}

/** The topmost Route, if it is ours: it says what the request comes for */
const url_t *sipep_own_route(const struct sipep *ep, const sip_t *sip)
{
	const sip_route_t *top = sip->sip_route;

	return top && sipep_is_own(ep, top->r_url) ? top->r_url : NULL;
}

/** The first Route behind our own ones, of which there may be several when an
 * element has both ends of a call; NULL: none */
const sip_route_t *sipep_next_route(const struct sipep *ep, const sip_t *sip)
{
	const sip_route_t *route = sip->sip_route;

	while (route && sipep_is_own(ep, route->r_url))
		route = route->r_next;

	return route;
}

/** Does a request belong to a dialog (RFC 3261 12.2)? */
bool sipep_is_in_dialog(const sip_t *sip)
{
	return sip->sip_to->a_tag && *sip->sip_to->a_tag;
}

/** May a request begin a dialog (RFC 3261 12.1, RFC 6665 3.1, RFC 3515)? */
bool sipep_begins_dialog(const sip_t *sip)
{
	sip_method_t method = sip->sip_request->rq_method;

	return !sipep_is_in_dialog(sip) &&
	       (method == sip_method_invite || method == sip_method_subscribe ||
		method == sip_method_refer);
}

/**
 * Stay in the way of a dialog that the request may begin (RFC 3261 16.6 item
 * 4); any other request is left as it is
 *
 * @param user Mark in the Record-Route's user part, "orig" or "term"
 */
void sipep_record_route(const struct sipep *ep, msg_t *msg, sip_t *sip,
			const char *user)
{
	char *text;

	if (!sipep_begins_dialog(sip))
		return;

	text = xasprintf("<sip:%s@%s;lr>", user, ep->addr);
	(void)sip_add_make(msg, sip, sip_record_route_class, text);
	free(text);
}

/* RFC 3261 16.6 item 3 and 16.4: Max-Forwards, and Routes that are us. Routes
 * without lr (strict routing) are taken as loose: TS 24.229 knows no others */
static void prepare_request(const struct sipep *ep, msg_t *msg, sip_t *sip)
{
	su_home_t *home = msg_home(msg);
	unsigned long left = SIPEP_HOPS_MAX;

	if (sip->sip_max_forwards) {
		left = sip->sip_max_forwards->mf_count - 1;
		sip_header_remove(msg, sip,
				  (sip_header_t *)sip->sip_max_forwards);
	}
	sip_header_insert(
		msg, sip,
		(sip_header_t *)sip_max_forwards_format(home, "%lu", left));
	while (sipep_own_route(ep, sip))
		(void)sip_header_remove(msg, sip,
					(sip_header_t *)sip->sip_route);
}

/** A copy of a request as it goes on, with what the route's owner changes */
msg_t *sipep_prepare(const struct sipep *ep, nta_incoming_t *irq,
		     const struct sipep_route *route)
{
	msg_t *received = nta_incoming_getrequest(irq);
	msg_t *msg = msg_copy(received);

	msg_destroy(received);
	prepare_request(ep, msg, sip_object(msg));
	if (route->prepare)
		route->prepare(msg, sip_object(msg), route->arg);

	return msg;
}

/** An ACK to a 2xx is a transaction of its own that nobody answers (RFC 3261
 * 17.1.1.3, 16.11); EINVAL where the next hop is no SIP URI */
int sipep_forward_ack(struct sipep *ep, nta_incoming_t *irq,
		      const struct sipep_route *route)
{
	msg_t *msg = sipep_prepare(ep, irq, route);

	if (!nta_msg_tsend(ep->agent, msg, URL_STRING_MAKE(route->next_hop),
			   TAG_END()))
		return 0;

	log_warn("%s: an ACK cannot be sent to %s", ep->el->name,
		 route->next_hop);

	return EINVAL;
}

/** Pass a 2xx on that has no transaction; msg is gone */
void sipep_pass_again(struct sipep *ep, msg_t *msg)
{
	if (ep->again)
		ep->again(msg, sip_object(msg), ep->arg);
	(void)nta_msg_tsend(ep->agent, msg, NULL, TAG_END());
}

/**
 * A response that no transaction waits for: a 2xx to an INVITE is passed on
 * all the same, its UAC repeats the ACK (RFC 3261 13.3.1.4, 16.7)
 *
 * @return Whether it was, and msg is gone
 */
bool sipep_pass_stray(struct sipep *ep, msg_t *msg, const sip_t *sip)
{
	const sip_via_t *via = sip ? sip->sip_via : NULL;
	msg_t *copy;

	if (!ep->is_proxy || !via || !via->v_next || !sip->sip_status ||
	    sip->sip_status->st_status / 100 != 2 || !sip->sip_cseq ||
	    sip->sip_cseq->cs_method != sip_method_invite ||
	    !is_at(ep, via->v_host, via->v_port))
		return false;

	copy = msg_copy(msg);
	msg_destroy(msg);
	sipep_pass_again(ep, copy);

	return true;
}
