#include "common/sipep_priv.h"

#include <errno.h>
#include <stdlib.h>

#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tagarg.h>

#include "common/element.h"
#include "common/ims_headers.h"
#include "common/log.h"
#include "common/mem.h"

static void unlink_forward(struct sipep_fwd *fwd)
{
	struct sipep_fwd **p = &fwd->ep->fwds;

	while (*p != fwd)
		p = &(*p)->next;
	*p = fwd->next;
}

static void free_forward(struct sipep_fwd *fwd)
{
	struct sipep_branch *branch;

	while ((branch = fwd->branches)) {
		fwd->branches = branch->next;
		sipep_branch_free(branch);
	}
	nta_incoming_destroy(fwd->irq);
	free(fwd);
}

/**
 * What the client is told where a neighbour gave no response
 *
 * @param status 408 (none in time) or 503 (unreachable)
 *
 * @return 504; 408 where that is the INVITE's own timeout (RFC 3261 16.8). Of
 *         other methods 408 is never sent (RFC 4320 4.2); a registration's
 *         client is told all the same (TS 24.229 5.2.2.1)
 */
int sipep_failure(int status, sip_method_t method)
{
	return status == 408 && method != sip_method_register ? 408 : 504;
}

static const char *failure_phrase(int status)
{
	return status == 408   ? sip_408_Request_timeout
	       : status == 487 ? sip_487_Request_terminated
			       : sip_504_Gateway_time_out;
}

/* Nobody answered: a Warning says who did not */
static void reply_unreachable(struct sipep_fwd *fwd,
			      const struct sipep_branch *branch)
{
	bool is_late = branch->status == 408;
	int status = fwd->is_cancelled
			     ? 487
			     : sipep_failure(branch->status, fwd->method);
	char *warning =
		ims_warning(fwd->ep->addr, "%s %s",
			    is_late ? "no answer in time from" : "cannot reach",
			    branch->next_hop);

	log_warn("%s: %s", fwd->ep->el->name, warning);
	if (branch->route.response)
		branch->route.response(branch->status, NULL, NULL,
				       branch->route.arg);
	nta_incoming_treply(fwd->irq, status, failure_phrase(status),
			    SIPTAG_WARNING_STR(warning), TAG_END());
	free(warning);
}

/* With Require: 100rel and a UAS that ignores it, the library would make the
 * response reliable in our name: such a one passes its transaction by */
static bool is_unreliable(nta_incoming_t *irq, const sip_t *sip)
{
	msg_t *request = nta_incoming_getrequest(irq);
	const sip_t *rq = sip_object(request);
	bool is_required =
		rq->sip_require && sip_has_feature(rq->sip_require, "100rel");

	msg_destroy(request);

	return sip->sip_status->st_status < 200 && !sip->sip_rseq &&
	       is_required;
}

/* RFC 3261 16.7 items 3 and 9: without our Via, back the way it came */
static void reply_with(struct sipep_fwd *fwd, const struct sipep_branch *branch,
		       msg_t *received)
{
	msg_t *msg = msg_copy(received);
	sip_t *sip = sip_object(msg);
	int status = sip->sip_status->st_status;

	if (branch->route.response)
		branch->route.response(status, msg, sip, branch->route.arg);
	if (is_unreliable(fwd->irq, sip)) {
		(void)nta_msg_tsend(fwd->ep->agent, msg, NULL, TAG_END());
		return;
	}
	(void)sip_header_remove(msg, sip, (sip_header_t *)sip->sip_via);
	nta_incoming_mreply(fwd->irq, msg);
}

/* RFC 3261 16.7 item 6: 6xx before all, then the lowest class; in 4xx those
 * that the client can do something about */
static int rank(const struct sipep_branch *branch)
{
	int status = branch->status;
	bool is_helpful = status == 401 || status == 407 || status == 415 ||
			  status == 420 || status == 484;

	if (status >= 600)
		return 0;

	return 2 * (status / 100) + !is_helpful;
}

static const struct sipep_branch *find_best(const struct sipep_fwd *fwd)
{
	const struct sipep_branch *best = fwd->branches;

	for (const struct sipep_branch *b = best; b; b = b->next)
		if (rank(b) < rank(best))
			best = b;

	return best;
}

static bool is_all_ended(const struct sipep_fwd *fwd)
{
	const struct sipep_branch *b = fwd->branches;

	while (b && b->state == BRANCH_ENDED)
		b = b->next;

	return !b;
}

static void cancel_branches(struct sipep_fwd *fwd)
{
	for (struct sipep_branch *b = fwd->branches; b; b = b->next)
		sipep_branch_cancel(b);
}

/** A provisional response came; a 100 is hop by hop (16.7 item 5) */
void sipep_rx_provisional(struct sipep_branch *branch, int status)
{
	struct sipep_fwd *fwd = branch->fwd;
	msg_t *msg;

	if (status == 100 || fwd->is_answered)
		return;

	fwd->is_heard = true;
	msg = nta_outgoing_getresponse(branch->orq);
	reply_with(fwd, branch, msg);
	msg_destroy(msg);
}

static bool has_failed(const struct sipep_branch *branch)
{
	return branch->status == 408 || branch->status / 100 == 5;
}

/* The role may name other ways; then the branch's end is not the request's */
static bool goes_elsewhere(struct sipep_branch *branch)
{
	struct sipep_fwd *fwd = branch->fwd;
	const struct sipep_route *routes = NULL;
	bool is_sent = false;
	size_t n;

	if (!branch->route.elsewhere || !has_failed(branch) || fwd->is_heard ||
	    fwd->is_cancelled || fwd->is_answered)
		return false;

	n = branch->route.elsewhere(branch->status, &routes, branch->route.arg);
	for (size_t i = 0; i < n; i++)
		if (!sipep_branch_add(fwd, &routes[i]))
			is_sent = true;

	return is_sent;
}

/** A branch has its final response, or will have none; may free its forward */
void sipep_rx_final(struct sipep_branch *branch)
{
	struct sipep_fwd *fwd = branch->fwd;
	const struct sipep_branch *best = branch;
	bool is_elsewhere;

	if (branch->status < 300 && fwd->is_answered) {
		/* each 2xx is passed on (16.7 item 5), this one past its
		 * transaction, which had one */
		sipep_pass_again(fwd->ep, msg_copy(branch->final));
	}
	is_elsewhere = goes_elsewhere(branch);
	if (branch->status < 300 || branch->status >= 600)
		cancel_branches(fwd);
	if (!fwd->is_answered && !is_elsewhere &&
	    (branch->status < 300 || is_all_ended(fwd))) {
		if (branch->status >= 300)
			best = find_best(fwd);
		fwd->is_answered = true;
		if (best->final)
			reply_with(fwd, best, best->final);
		else
			reply_unreachable(fwd, best);
	}
	if (!is_all_ended(fwd))
		return;

	unlink_forward(fwd);
	free_forward(fwd);
}

/**
 * Forward a request statefully to several at once, and the best response back
 * (RFC 3261 16.6, 16.7)
 *
 * @param irq    The request's server transaction, the endpoint's from now on
 * @param routes Their response and elsewhere callbacks are called with the arg
 *               of the route that it is about
 *
 * @return As sipep_forward()
 */
int sipep_fork(struct sipep *ep, nta_incoming_t *irq,
	       const struct sipep_route *routes, size_t n)
{
	struct sipep_fwd *fwd;

	if (nta_incoming_method(irq) == sip_method_ack)
		return sipep_forward_ack(ep, irq, routes);
	if (nta_incoming_status(irq) >= 200) {
		/* cancelled while its role kept it */
		nta_incoming_destroy(irq);
		return ECANCELED;
	}

	fwd = xcalloc(1, sizeof(*fwd));
	fwd->ep = ep;
	fwd->irq = irq;
	fwd->method = nta_incoming_method(irq);
	fwd->next = ep->fwds;
	ep->fwds = fwd;
	for (size_t i = 0; i < n; i++)
		(void)sipep_branch_add(fwd, &routes[i]);
	if (fwd->branches) {
		/* at once: who sent it stops repeating it (16.2) */
		if (fwd->method == sip_method_invite)
			nta_incoming_treply(irq, SIP_100_TRYING, TAG_END());
		return 0;
	}

	nta_incoming_treply(irq, SIP_500_INTERNAL_SERVER_ERROR, TAG_END());
	unlink_forward(fwd);
	free_forward(fwd);

	return EINVAL;
}

/**
 * Forward a request statefully, and its responses back (RFC 3261 16.6, 16.7);
 * an ACK to a 2xx statelessly
 *
 * A neighbour that cannot be reached, or gives no answer, gives
 * sipep_failure()'s status with a Warning that names it.
 *
 * @param irq The request's server transaction, the endpoint's from now on
 *
 * @return 0; EINVAL where the next hop is no SIP URI (500 was sent); ECANCELED
 *         where the request was cancelled while its role kept it
 */
int sipep_forward(struct sipep *ep, nta_incoming_t *irq,
		  const struct sipep_route *route)
{
	return sipep_fork(ep, irq, route, 1);
}

/** Give up an INVITE, as the client's CANCEL does (16.10): cancel all branches;
 * their 487 comes back as usual. A request that its role has kept so far is
 * answered here, and its role finds it answered */
void sipep_cancel(struct sipep *ep, nta_incoming_t *irq)
{
	struct sipep_fwd *fwd = ep->fwds;

	while (fwd && fwd->irq != irq)
		fwd = fwd->next;
	if (!fwd && ep->is_proxy) {
		nta_incoming_treply(irq, SIP_487_REQUEST_TERMINATED, TAG_END());
		return;
	}
	if (!fwd || fwd->is_answered)
		return;

	fwd->is_cancelled = true;
	cancel_branches(fwd);
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
