/* A branch: the client transaction of a forwarded request, with timer C and
 * CANCEL (RFC 3261 16.6 item 11, 16.8, 16.10, 9.1) */
#include "common/sipep_priv.h"

#include <errno.h>
#include <stdlib.h>

#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_tagarg.h>

#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/timer.h"

static bool is_invite(const struct sipep_branch *branch)
{
	return branch->fwd->method == sip_method_invite;
}

static void end(struct sipep_branch *branch, int status, msg_t *final)
{
	branch->state = BRANCH_ENDED;
	branch->status = status;
	branch->final = final;
	branch->timer = timer_free(branch->timer);
	sipep_rx_final(branch);
}

/* The CANCEL of a request is like it, with one Via (RFC 3261 9.1). The
 * library's own, over TCP, makes it forget the INVITE: the 487 is lost */
static msg_t *make_cancel(const struct sipep_branch *branch)
{
	msg_t *invite = nta_outgoing_getrequest(branch->orq);
	const sip_t *old = sip_object(invite);
	msg_t *msg = nta_msg_create(branch->fwd->ep->agent, 0);
	su_home_t *home = msg_home(msg);
	sip_t *sip = sip_object(msg);
	sip_via_t via = *old->sip_via;
	sip_header_t *cseq = (sip_header_t *)sip_cseq_create(
		home, old->sip_cseq->cs_seq, SIP_METHOD_CANCEL);

	via.v_next = NULL;
	(void)sip_header_insert(
		msg, sip,
		(sip_header_t *)sip_request_create(
			home, SIP_METHOD_CANCEL,
			(url_string_t *)old->sip_request->rq_url, NULL));
	(void)sip_add_dup(msg, sip, (sip_header_t *)&via);
	(void)sip_add_dup(msg, sip, (sip_header_t *)old->sip_route);
	(void)sip_add_dup(msg, sip, (sip_header_t *)old->sip_from);
	(void)sip_add_dup(msg, sip, (sip_header_t *)old->sip_to);
	(void)sip_add_dup(msg, sip, (sip_header_t *)old->sip_call_id);
	(void)sip_header_insert(msg, sip, cseq);
	msg_destroy(invite);

	return msg;
}

static void tx_cancel(struct sipep_branch *branch)
{
	msg_t *msg = make_cancel(branch);
	const char *via = sip_object(msg)->sip_via->v_branch;
	nta_outgoing_t *cancel = nta_outgoing_mcreate(
		branch->fwd->ep->agent, NULL, NULL,
		URL_STRING_MAKE(branch->next_hop), msg, NTATAG_USER_VIA(1),
		NTATAG_BRANCH_KEY(via), TAG_END());

	if (cancel)
		nta_outgoing_destroy(cancel); /* its answer says nothing */
	else
		msg_destroy(msg);
	branch->state = BRANCH_CANCELLED;
	timer_start_ms(branch->timer, timer_value_ms(TIMER_SIP_TRANSACTION));
}

/**
 * Cancel a branch of an INVITE, at once or when its first provisional response
 * has come: before, the CANCEL could overtake the INVITE (RFC 3261 9.1)
 */
void sipep_branch_cancel(struct sipep_branch *branch)
{
	if (!is_invite(branch))
		return;

	branch->is_given_up = true;
	if (branch->state == BRANCH_PROCEEDING)
		tx_cancel(branch);
}

/* Timer C: no news for too long (16.8). After CANCEL: who was cancelled never
 * answered, and is not waited for (9.1) */
static void on_timer(void *arg)
{
	struct sipep_branch *branch = arg;

	if (branch->state == BRANCH_CANCELLED) {
		end(branch, 408, NULL);
		return;
	}
	log_warn("%s: no news of an INVITE from %s in time: cancelled",
		 branch->fwd->ep->el->name, branch->next_hop);
	sipep_branch_cancel(branch);
}

static void on_provisional(struct sipep_branch *branch, int status)
{
	if (branch->state == BRANCH_CALLING)
		branch->state = BRANCH_PROCEEDING;
	if (branch->state == BRANCH_PROCEEDING && status > 100 && branch->timer)
		timer_start_ms(branch->timer, timer_value_ms(TIMER_SIP_C));
	if (branch->state == BRANCH_PROCEEDING && branch->is_given_up)
		tx_cancel(branch);
	sipep_rx_provisional(branch, status);
}

static int on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq,
		       const sip_t *sip)
{
	struct sipep_branch *branch = (struct sipep_branch *)magic;
	int status = nta_outgoing_status(orq);
	msg_t *msg;

	(void)sip;
	if (branch->state == BRANCH_ENDED)
		return 0;

	if (status < 200) {
		on_provisional(branch, status);
		return 0;
	}

	msg = nta_outgoing_getresponse(orq);
	/* made up by the library: nobody sent it */
	if (msg && nta_is_internal_msg(msg)) {
		msg_destroy(msg);
		msg = NULL;
	}
	end(branch, status, msg);

	return 0;
}

/**
 * Send the request of a forward to one more place
 *
 * @return 0; EINVAL where the next hop is no SIP URI: nothing was sent
 */
int sipep_branch_add(struct sipep_fwd *fwd, const struct sipep_route *route)
{
	struct sipep_branch *branch = xcalloc(1, sizeof(*branch));
	struct sipep_branch **at = &fwd->branches;
	msg_t *msg = sipep_prepare(fwd->ep, fwd->irq, route);

	branch->fwd = fwd;
	branch->route = *route;
	branch->next_hop = xstrdup(route->next_hop);
	branch->route.next_hop = branch->next_hop;
	branch->orq = nta_outgoing_mcreate(fwd->ep->agent, on_response,
					   (nta_outgoing_magic_t *)branch,
					   URL_STRING_MAKE(branch->next_hop),
					   msg, NTATAG_PASS_100(1), TAG_END());
	if (!branch->orq) {
		log_error("%s: \"%s\" is no next hop", fwd->ep->el->name,
			  branch->next_hop);
		msg_destroy(msg);
		sipep_branch_free(branch);
		return EINVAL;
	}

	if (is_invite(branch)) {
		branch->timer = timer_new(fwd->ep->el->loop, on_timer, branch);
		timer_start_ms(branch->timer, timer_value_ms(TIMER_SIP_C));
	}
	while (*at)
		at = &(*at)->next;
	*at = branch;

	return 0;
}

/** A branch that has not ended gets no CANCEL: its endpoint goes away */
struct sipep_branch *sipep_branch_free(struct sipep_branch *branch)
{
	nta_outgoing_destroy(branch->orq);
	timer_free(branch->timer);
	if (branch->final)
		msg_destroy(branch->final);
	free(branch->next_hop);
	free(branch);

	return NULL;
}
