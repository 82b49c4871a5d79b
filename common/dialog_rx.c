/* What the messages of a dialog say of it (RFC 3261 12.1, 12.2, 13.2.2.4; RFC
 * 4028, RFC 6665), as a proxy between both ends sees them */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/sip_header.h>

#include "common/dialog_priv.h"
#include "common/fsm.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "common/timer.h"

enum {
	EARLY_MAX = 16,    /* forks of one call: each is room, made by others */
	SESSION_MIN_S = 90 /* RFC 4028 5 */
};

static const char *tag_of(const sip_addr_t *a)
{
	return a->a_tag ? a->a_tag : "";
}

/* RFC 4028 7.2, RFC 6665 4.1.2.2 */
static bool is_life_given(sip_method_t method)
{
	return method == sip_method_invite || method == sip_method_update ||
	       method == sip_method_subscribe;
}

static bool is_target_refresh(sip_method_t method)
{
	return is_life_given(method) || method == sip_method_notify;
}

/**
 * The dialog of a request that has come
 *
 * @param from Who has sent it. Where both ends are served here, each of the two
 *             sides gives a dialog
 */
struct dialog *dialog_find(const struct dialog_table *table, const sip_t *sip,
			   enum dialog_side from)
{
	const char *sender = tag_of(sip->sip_from);
	const char *receiver = tag_of(sip->sip_to);
	bool is_users = from == DIALOG_USER;

	return dialog_get(table, sip->sip_call_id->i_id,
			  is_users ? sender : receiver,
			  is_users ? receiver : sender);
}

/* --- what is saved --- */

static void keep_text(char **to, const void *header)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };

	xstrset(to, header ? sip_header_as_string(home, header) : "");
	su_home_deinit(home);
}

static void keep_target(struct dialog_end *end, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };

	if (sip && sip->sip_contact)
		xstrset(&end->target,
			url_as_string(home, sip->sip_contact->m_url));
	su_home_deinit(home);
}

/* How long without news: of a subscription what was granted, of a call the
 * session's interval, if there is one */
static void keep_life(struct dialog *d, const sip_t *response)
{
	int64_t most_ms = timer_value_ms(TIMER_DIALOG), ms = most_ms;
	const sip_session_expires_t *se = response->sip_session_expires;
	int64_t se_s = se ? (int64_t)se->x_delta : 0;

	if (!d->is_call && response->sip_expires)
		ms = (int64_t)response->sip_expires->ex_delta * 1000 +
		     timer_value_ms(TIMER_SIP_TRANSACTION);
	else if (d->is_call && se)
		ms = (se_s < SESSION_MIN_S ? SESSION_MIN_S : se_s) * 1000;
	d->life_ms = ms < most_ms ? ms : most_ms;
}

static size_t count_routes(const sip_record_route_t *rr)
{
	size_t n = 0;

	for (; rr; rr = rr->r_next)
		n++;

	return n;
}

/* RFC 3261 12.1: to who called the Record-Routes that were there when the
 * request came, in their order; to who answers those that were put above ours,
 * the last first */
static void keep_routes(struct dialog_end *caller, struct dialog_end *callee,
			const sip_t *request, const sip_t *response)
{
	size_t below = count_routes(request->sip_record_route);
	size_t all = count_routes(response->sip_record_route);
	size_t above = all > below ? all - below - 1 : 0;
	const sip_record_route_t *rr = request->sip_record_route;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	char *text = su_strdup(home, "");

	for (; rr; rr = rr->r_next)
		text = su_sprintf(home, "%s%s%s", text, *text ? ", " : "",
				  sip_header_as_string(home, (void *)rr));
	xstrset(&caller->routes, text);
	text = su_strdup(home, "");
	rr = response->sip_record_route;
	for (; rr && above && above <= SIPEP_HOPS_MAX; rr = rr->r_next, above--)
		text = su_sprintf(home, "%s%s%s",
				  sip_header_as_string(home, (void *)rr),
				  *text ? ", " : "", text);
	xstrset(&callee->routes, text);
	su_home_deinit(home);
}

/* --- the first request and its responses --- */

static void keep_first(struct dialog *d, const struct dialog_first *first,
		       const sip_t *response)
{
	struct dialog_end *caller = &d->end[first->is_called];
	struct dialog_end *callee = &d->end[!first->is_called];
	const sip_t *request = first->request;

	if (!caller->cseq)
		caller->cseq = request->sip_cseq->cs_seq;
	keep_text(&caller->name, request->sip_from);
	keep_text(&callee->name, response->sip_to);
	keep_target(caller, request);
	keep_target(callee, response);
	keep_routes(caller, callee, request, response);
	keep_life(d, response);
}

static struct dialog *get_dialog(struct dialog_first *first,
				 const sip_t *response)
{
	const sip_t *rq = first->request;
	const char *caller = tag_of(rq->sip_from);
	const char *callee = tag_of(response->sip_to);
	const struct dialog_key key = {
		.call_id = rq->sip_call_id->i_id,
		.tag = { first->is_called ? callee : caller,
			 first->is_called ? caller : callee },
		.impu = first->impu,
		.is_call = rq->sip_request->rq_method == sip_method_invite,
	};
	struct dialog *d =
		dialog_get(first->table, key.call_id, key.tag[DIALOG_USER],
			   key.tag[DIALOG_PEER]);

	if (d)
		return d;

	d = dialog_new(first->table, &key);
	d->first = first;
	LIST_INSERT_HEAD(&first->early, d, of_first);
	first->early_n++;

	return d;
}

static bool is_tracked(const struct dialog_first *first, int status,
		       const sip_t *response)
{
	sip_method_t method = first->request->sip_request->rq_method;

	if (!first->impu || !response || !*tag_of(response->sip_to) ||
	    !sipep_begins_dialog(first->request))
		return false;

	return status / 100 == 2 ||
	       (status > 100 && status < 200 && method == sip_method_invite &&
		first->early_n < EARLY_MAX);
}

/* Those that another fork's 2xx leaves behind have 64*T1 to be answered, too
 * (RFC 3261 13.2.2.4) */
static void linger(struct dialog_first *first)
{
	struct dialog *d;

	while ((d = LIST_FIRST(&first->early))) {
		dialog_forget_first(d);
		fsm_timer_ms(d->fsm, timer_value_ms(TIMER_SIP_TRANSACTION));
	}
}

/**
 * A response to a first request passes
 *
 * @param response NULL: none came, and none will
 */
void dialog_first_rx(struct dialog_first *first, int status,
		     const sip_t *response)
{
	struct dialog *d;

	d = is_tracked(first, status, response) ? get_dialog(first, response)
						: NULL;
	/* somebody else's, whose tags were made up to be the same */
	if (d && !strcmp(dialog_impu(d), first->impu)) {
		keep_first(d, first, response);
		if (status >= 200)
			dialog_tell(d, DIALOG_EV_ANSWERED);
	}
	if (status / 100 == 2)
		linger(first);
	while (status >= 300 && (d = LIST_FIRST(&first->early)))
		dialog_tell(d, DIALOG_EV_OVER);
}

/** Its owner goes away: what it has made so far ends by itself */
void dialog_first_drop(struct dialog_first *first)
{
	linger(first);
}

/**
 * A 2xx to an INVITE passes that no transaction waits for: it comes again, or
 * is the second one of a call that was forked, whose dialog rang before. It
 * cannot make a dialog, as anyone may have written it: of a fork that never
 * rang, the ACK is lost, and who answered hangs up (RFC 3261 13.3.1.4)
 */
void dialog_rx_again(const struct dialog_table *table, const sip_t *response)
{
	for (int from = DIALOG_USER; from < DIALOG_SIDE_N; from++) {
		struct dialog *d = dialog_find(table, response, from);

		if (d)
			dialog_tell(d, DIALOG_EV_ANSWERED);
	}
}

/* --- requests inside --- */

/** A request inside a dialog passes */
void dialog_rx_request(const struct dialog_table *table, const sip_t *sip)
{
	uint32_t cseq = sip->sip_cseq->cs_seq;

	for (int from = DIALOG_USER; from < DIALOG_SIDE_N; from++) {
		struct dialog *d = dialog_find(table, sip, from);

		if (d && d->end[from].cseq < cseq)
			d->end[from].cseq = cseq;
	}
}

static bool ends_subscription(const struct dialog *d, const sip_t *request)
{
	const sip_subscription_state_t *state = request->sip_subscription_state;

	return !d->is_call && state && state->ss_substate &&
	       !strcasecmp(state->ss_substate, "terminated");
}

/* A BYE that has to be sent again with credentials has ended nothing */
static bool is_over(const struct dialog *d, const sip_t *request, int status)
{
	return (request->sip_request->rq_method == sip_method_bye &&
		status != 401 && status != 407) ||
	       ends_subscription(d, request);
}

static void take_answer(struct dialog *d, enum dialog_side from,
			const sip_t *request, int status, const sip_t *response)
{
	sip_method_t method = request->sip_request->rq_method;

	if (is_over(d, request, status)) {
		dialog_tell(d, DIALOG_EV_OVER);
	} else if (!response || status == 408 || status == 481) {
		dialog_tell(d, DIALOG_EV_LOST);
	} else if (status < 300) {
		if (is_target_refresh(method)) {
			keep_target(&d->end[from], request);
			keep_target(&d->end[!from], response);
		}
		if (is_life_given(method))
			keep_life(d, response);
		dialog_tell(d, DIALOG_EV_REFRESHED);
	}
}

/**
 * A request inside a dialog has its final answer; to one outside any nothing
 * happens
 *
 * @param response NULL: none came, and none will
 */
void dialog_rx_answer(const struct dialog_table *table, const sip_t *request,
		      int status, const sip_t *response)
{
	for (int from = DIALOG_USER; from < DIALOG_SIDE_N; from++) {
		struct dialog *d = dialog_find(table, request, from);

		if (d && status >= 200)
			take_answer(d, from, request, status, response);
	}
}
