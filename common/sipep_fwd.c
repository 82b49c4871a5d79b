#include "common/sipep_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tagarg.h>

#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/timer.h"

/** A request on its way (RFC 3261 16.6, 16.7): a server and a client
 * transaction. Owned by its endpoint; gone with the final response */
struct sipep_fwd {
	struct sipep_fwd *next;
	struct sipep *ep;
	nta_incoming_t *irq;
	nta_outgoing_t *orq;
	struct sipep_route route;
	char *next_hop;
};

static void unlink_forward(struct sipep_fwd *fwd)
{
	struct sipep_fwd **p = &fwd->ep->fwds;

	while (*p != fwd)
		p = &(*p)->next;
	*p = fwd->next;
}

static void free_forward(struct sipep_fwd *fwd)
{
	nta_outgoing_destroy(fwd->orq);
	nta_incoming_destroy(fwd->irq);
	free(fwd->next_hop);
	free(fwd);
}

/* Nobody answered: 504, with a Warning that says who did not */
static void reply_unreachable(struct sipep_fwd *fwd, int status)
{
	bool is_late = status == 408;
	char *warning =
		xasprintf("399 %s \"%s %s\"", fwd->ep->addr,
			  is_late ? "no answer in time from" : "cannot reach",
			  fwd->next_hop);

	log_warn("%s: %s %s", fwd->ep->el->name,
		 is_late ? "no answer in time from" : "cannot reach",
		 fwd->next_hop);
	if (fwd->route.response)
		fwd->route.response(status, NULL, NULL, fwd->route.arg);
	nta_incoming_treply(fwd->irq, SIP_504_GATEWAY_TIME_OUT,
			    SIPTAG_WARNING_STR(warning), TAG_END());
	free(warning);
}

static void reply_with(struct sipep_fwd *fwd, int status)
{
	msg_t *received = nta_outgoing_getresponse(fwd->orq);
	msg_t *msg = msg_copy(received);
	sip_t *sip = sip_object(msg);

	msg_destroy(received);
	(void)sip_header_remove(msg, sip, (sip_header_t *)sip->sip_via);
	if (fwd->route.response)
		fwd->route.response(status, msg, sip, fwd->route.arg);
	nta_incoming_mreply(fwd->irq, msg);
}

/* Whether the library made the response up: nobody sent one */
static bool is_internal(nta_outgoing_t *orq)
{
	msg_t *msg = nta_outgoing_getresponse(orq);
	bool is_made_up = !msg || nta_is_internal_msg(msg);

	msg_destroy(msg);

	return is_made_up;
}

static int on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq,
		       const sip_t *sip)
{
	struct sipep_fwd *fwd = (struct sipep_fwd *)magic;
	int status = nta_outgoing_status(orq);

	(void)sip;
	/* a 100 is hop by hop (RFC 3261 16.7 item 2) */
	if (status == 100)
		return 0;

	if (is_internal(orq))
		reply_unreachable(fwd, status);
	else
		reply_with(fwd, status);
	if (status >= 200) {
		unlink_forward(fwd);
		free_forward(fwd);
	}

	return 0;
}

/* RFC 3261 16.6 items 3 and 16.4: Max-Forwards, and a Route that is us */
static void prepare_request(const struct sipep *ep, msg_t *msg, sip_t *sip)
{
	unsigned long left = 70;
	const sip_route_t *route = sip->sip_route;
	char *top = NULL;

	if (sip->sip_max_forwards) {
		left = sip->sip_max_forwards->mf_count - 1;
		sip_header_remove(msg, sip,
				  (sip_header_t *)sip->sip_max_forwards);
	}
	sip_header_insert(msg, sip,
			  (sip_header_t *)sip_max_forwards_format(msg_home(msg),
								  "%lu", left));
	if (route)
		top = xasprintf("%s:%s", route->r_url->url_host,
				route->r_url->url_port ? route->r_url->url_port
						       : "5060");
	if (top && !strcmp(top, ep->addr))
		(void)sip_header_remove(msg, sip,
					(sip_header_t *)sip->sip_route);
	free(top);
}

/**
 * Forward a request statefully, and its responses back (RFC 3261 16.6, 16.7)
 *
 * A neighbour that cannot be reached, or gives no answer, gives 504 with a
 * Warning that names it.
 *
 * @param irq The request's server transaction, the endpoint's from now on
 *
 * @return 0; EINVAL where the next hop is no SIP URI (500 was sent)
 */
int sipep_forward(struct sipep *ep, nta_incoming_t *irq,
		  const struct sipep_route *route)
{
	msg_t *received = nta_incoming_getrequest(irq);
	msg_t *msg = msg_copy(received);
	struct sipep_fwd *fwd = xcalloc(1, sizeof(*fwd));

	msg_destroy(received);
	fwd->ep = ep;
	fwd->irq = irq;
	fwd->route = *route;
	fwd->next_hop = xstrdup(route->next_hop);
	fwd->route.next_hop = fwd->next_hop;
	fwd->next = ep->fwds;
	ep->fwds = fwd;
	prepare_request(ep, msg, sip_object(msg));
	if (route->prepare)
		route->prepare(msg, sip_object(msg), route->arg);
	fwd->orq = nta_outgoing_mcreate(
		ep->agent, on_response, (nta_outgoing_magic_t *)fwd,
		URL_STRING_MAKE(fwd->next_hop), msg, TAG_END());
	if (fwd->orq)
		return 0;

	log_error("%s: \"%s\" is no next hop", ep->el->name, fwd->next_hop);
	msg_destroy(msg);
	nta_incoming_treply(irq, SIP_500_INTERNAL_SERVER_ERROR, TAG_END());
	unlink_forward(fwd);
	free_forward(fwd);

	return EINVAL;
}

/** The caller cancelled: cancel the other side; its 487 comes back as usual */
void sipep_cancel_forward(struct sipep *ep, const nta_incoming_t *irq)
{
	for (struct sipep_fwd *fwd = ep->fwds; fwd; fwd = fwd->next)
		if (fwd->irq == irq)
			nta_outgoing_cancel(fwd->orq);
}

/** The endpoint goes away: end its forwards without an answer */
void sipep_drop_forwards(struct sipep *ep)
{
	struct sipep_fwd *fwd;

	while ((fwd = ep->fwds)) {
		ep->fwds = fwd->next;
		free_forward(fwd);
	}
}
