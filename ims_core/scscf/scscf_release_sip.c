/* Release of sessions by the S-CSCF (TS 24.229 5.4.5.1): a registration has
 * ended (5.4.1.4, 5.4.1.5), and what its user has begun ends with it; if only a
 * contact has, what is with that contact. A session that is up gets a BYE in
 * both directions, one that is being established is cancelled (5.4.5.1.1) */
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tagarg.h>
#include <sofia-sip/su_uniqueid.h>

#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/trace.h"
#include "ims_core/scscf/scscf_profile.h"
#include "ims_core/scscf/scscf_release.h"
#include "ims_core/scscf/scscf_session.h"

/** A BYE to one end */
struct bye {
	struct scscf_release *release;
	nta_outgoing_t *orq; /* NULL: not sent, or answered */
};

/** Both BYEs of a dialog; owned by the S-CSCF's list until they are answered */
struct scscf_release {
	LIST_ENTRY(scscf_release) link;
	struct scscf *scscf;
	struct dialog_id id;
	struct bye bye[DIALOG_SIDE_N];
};

/* It is in the list no more */
static void release_free(struct scscf_release *r)
{
	for (int side = DIALOG_USER; side < DIALOG_SIDE_N; side++)
		nta_outgoing_destroy(r->bye[side].orq);
	dialog_id_clear(&r->id);
	free(r);
}

/** The S-CSCF goes away: BYEs under way are not waited for */
void scscf_releases_free(struct scscf *scscf)
{
	struct scscf_release *r, *next;

	for (r = LIST_FIRST(&scscf->releases); r; r = next) {
		next = LIST_NEXT(r, link);
		release_free(r);
	}
	LIST_INIT(&scscf->releases);
}

/* Both ends have said that it is over, or never will (5.4.5.1.2 item 5) */
static void end_if_answered(struct scscf_release *r)
{
	if (r->bye[DIALOG_USER].orq || r->bye[DIALOG_PEER].orq)
		return;

	dialog_over(r->scscf->dialogs, &r->id);
	LIST_REMOVE(r, link);
	release_free(r);
}

/* 481: the end has sent, or got, another BYE before */
static int on_answer(nta_outgoing_magic_t *magic, nta_outgoing_t *orq,
		     const sip_t *sip)
{
	struct bye *bye = (struct bye *)magic;
	int status = nta_outgoing_status(orq);

	(void)sip;
	if (status < 200)
		return 0;

	if (status >= 300 && status != 481)
		log_warn("scscf: the BYE of a released session got %d", status);
	nta_outgoing_destroy(orq);
	bye->orq = NULL;
	end_if_answered(bye->release);

	return 0;
}

/* The first hop that is not ourselves: who serves both ends goes by its own
 * Routes at once, as with requests that pass */
static void drop_own_routes(const struct scscf *scscf, msg_t *msg, sip_t *sip)
{
	while (sipep_own_route(scscf->ep, sip))
		(void)sip_header_remove(msg, sip,
					(sip_header_t *)sip->sip_route);
}

/* In the name of the other end, whose next number it has; of one that has sent
 * nothing yet any (5.4.5.1.2 items 1 and 2) */
static msg_t *make_bye(const struct scscf *scscf, const struct dialog *d,
		       enum dialog_side to, const char *reason)
{
	const struct dialog_end *end = &d->end[to], *other = &d->end[!to];
	msg_t *msg = nta_msg_create(sipep_agent(scscf->ep), 0);
	sip_t *sip = sip_object(msg);
	uint32_t cseq = other->cseq ? other->cseq + 1
				    : (uint32_t)su_randint(1, 1 << 30);
	sip_request_t *rq =
		sip_request_create(msg_home(msg), SIP_METHOD_BYE,
				   URL_STRING_MAKE(end->target), NULL);

	(void)sip_add_tl(msg, sip, SIPTAG_REQUEST(rq),
			 TAG_IF(*end->routes, SIPTAG_ROUTE_STR(end->routes)),
			 SIPTAG_MAX_FORWARDS_STR("70"),
			 SIPTAG_FROM_STR(other->name), SIPTAG_TO_STR(end->name),
			 SIPTAG_CALL_ID_STR(d->call_id),
			 SIPTAG_CSEQ(sip_cseq_create(msg_home(msg), cseq,
						     SIP_METHOD_BYE)),
			 SIPTAG_REASON_STR(reason), TAG_END());
	drop_own_routes(scscf, msg, sip);

	return msg;
}

static void tx_bye(struct scscf_release *r, const struct dialog *d,
		   enum dialog_side to, const char *reason)
{
	struct bye *bye = &r->bye[to];
	const url_t *hop;
	msg_t *msg;

	bye->release = r;
	if (!d->end[to].target)
		return; /* it gave no Contact: nothing reaches it */

	msg = make_bye(r->scscf, d, to, reason);
	hop = sip_object(msg)->sip_route ? sip_object(msg)->sip_route->r_url
					 : sip_object(msg)->sip_request->rq_url;
	bye->orq =
		nta_outgoing_mcreate(sipep_agent(r->scscf->ep), on_answer,
				     (nta_outgoing_magic_t *)bye,
				     (const url_string_t *)hop, msg, TAG_END());
	if (bye->orq)
		return;

	log_warn("scscf %s: a BYE cannot be sent to \"%s\"", dialog_impu(d),
		 d->end[to].target);
	msg_destroy(msg);
}

static void release(struct scscf *scscf, struct dialog *d, const char *reason)
{
	struct scscf_release *r = xcalloc(1, sizeof(*r));
	struct dialog *twin = dialog_twin(d);

	r->scscf = scscf;
	r->id = dialog_id_copy(d);
	LIST_INSERT_HEAD(&scscf->releases, r, link);
	trace_event(scscf->el->trace, "scscf.released",
		    json_pack("{s:s, s:s, s:s}", "impu", dialog_impu(d),
			      "reason", reason, "call_id", d->call_id));
	tx_bye(r, d, DIALOG_PEER, reason);
	tx_bye(r, d, DIALOG_USER, reason);
	dialog_leave(d);
	if (twin)
		dialog_leave(twin);
	end_if_answered(r);
}

static bool is_at(const char *target, const url_t *contact)
{
	url_t *url = target ? url_make(NULL, target) : NULL;
	bool is_same = url && !url_cmp(url, contact);

	su_free(NULL, url);

	return is_same;
}

/* Of the contact, unless that is NULL. The list is another one after each
 * release */
static struct dialog *find_up(const struct scscf *scscf, const char *impu,
			      const url_t *contact)
{
	struct dialog *d = dialog_first_of(scscf->dialogs, impu);

	while (d && !(dialog_is_up(d) &&
		      (!contact || is_at(d->end[DIALOG_USER].target, contact))))
		d = LIST_NEXT(d, of_user);

	return d;
}

/* An INVITE under way: of the user, and from the contact unless that is NULL */
static bool is_invite_of(const struct scscf_session *s, const char *impu,
			 const url_t *contact)
{
	const sip_contact_t *m = s->sip->sip_contact;

	return s->impu && !strcmp(s->impu, impu) &&
	       s->sip->sip_request->rq_method == sip_method_invite &&
	       (!contact || (m && !url_cmp(m->m_url, contact)));
}

static void release_of(struct scscf *scscf, const char *impu,
		       const url_t *contact, const char *reason)
{
	struct dialog *d;

	while ((d = find_up(scscf, impu, contact)))
		release(scscf, d, reason);
	for (struct scscf_session *s = scscf->sessions; s; s = s->next)
		if (is_invite_of(s, impu, contact))
			sipep_cancel(scscf->ep, s->irq);
}

/**
 * A contact is registered no more: what its user is in there ends
 *
 * @param contact NULL: the registration has ended, and all that the user is in
 * @param reason  Of the BYEs, as RFC 3326 writes it
 */
void scscf_release(const struct scscf_reg *reg, const url_t *contact,
		   const char *reason)
{
	const struct scscf_profile *profile = reg->profile;

	release_of(reg->scscf, reg->impu, contact, reason);
	for (size_t i = 0; profile && i < profile->impu_n; i++)
		release_of(reg->scscf, profile->impus[i], contact, reason);
}

/** The ACK of a call has passed whose user's registration ended before: the
 * answer had crossed the CANCEL */
void scscf_release_late(struct scscf *scscf, const sip_t *ack)
{
	for (int from = DIALOG_USER; from < DIALOG_SIDE_N; from++) {
		struct dialog *d = dialog_find(scscf->dialogs, ack,
					       (enum dialog_side)from);

		if (d && dialog_is_up(d) &&
		    !scscf_session_is_served(scscf, dialog_impu(d)))
			release(scscf, d, SCSCF_REASON_NETWORK);
	}
}
