/* The S-CSCF as notifier of the reg event package (RFC 3680; TS 24.229
 * 5.4.2.1.1, 5.4.2.1.2; RFC 6665) */
#include "ims_core/scscf/scscf_reg_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libxml/tree.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "common/timer.h"
#include "common/trace.h"
#include "ims_core/scscf/scscf_profile.h"

enum { DEFAULT_S = 3761, MAX_S = 600000 }; /* RFC 3680 4.3, TS 24.229 5.2.3 */

/** A subscription and its dialog; owned by the S-CSCF's list. One NOTIFY at a
 * time: what happens meanwhile is told by the next one, which says all */
struct scscf_sub {
	LIST_ENTRY(scscf_sub) link, of_reg; /* the latter until it is ended */
	struct scscf *scscf;
	nta_leg_t *leg;
	nta_outgoing_t *orq;
	struct timer *timer; /* its end */
	char *impu;
	int64_t until_us;
	unsigned version;
	char *body;    /* to be sent; NULL: nothing */
	bool is_ended; /* the next NOTIFY is the last */
};

static void sub_free(void *arg)
{
	struct scscf_sub *sub = arg;

	timer_free(sub->timer);
	nta_outgoing_destroy(sub->orq);
	nta_leg_destroy(sub->leg);
	free(sub->impu);
	free(sub->body);
	free(sub);
}

/* Nothing of the registration concerns it any more */
static void leave(struct scscf_sub *sub)
{
	if (!sub->is_ended)
		LIST_REMOVE(sub, of_reg);
	sub->is_ended = true;
}

/* Freed once the stack has unwound: we may be in a callback of its leg */
static void forget(struct scscf_sub *sub)
{
	leave(sub);
	LIST_REMOVE(sub, link);
	timer_stop(sub->timer);
	loop_defer(sub->scscf->el->loop, sub_free, sub);
}

/* --- what is told --- */

static void put(FILE *f, const char *before, const char *text,
		const char *behind)
{
	xmlChar *safe = xmlEncodeSpecialChars(NULL, BAD_CAST text);

	fprintf(f, "%s%s%s", before, (const char *)safe, behind);
	xmlFree(safe);
}

/* RFC 3680 5.1. event NULL: the registration lasts */
static void put_registration(FILE *f, const struct scscf_reg *reg,
			     const char *impu, const char *event)
{
	const char *state = event ? "terminated" : "active";
	int n = 0;

	put(f, "  <registration aor=\"", impu, "\" id=\"");
	put(f, "", impu, "\"");
	fprintf(f, " state=\"%s\">\n", state);
	for (const struct scscf_contact *c = reg->contacts; c; c = c->next) {
		fprintf(f, "    <contact id=\"c%d\" state=\"%s\" event=\"%s\">",
			++n, state, event ? event : "registered");
		put(f, "<uri>", c->uri, "</uri></contact>\n");
	}
	fprintf(f, "  </registration>\n");
}

/* All of the implicit set: what is registered or not is so together */
static char *make_body(const struct scscf_reg *reg, unsigned version,
		       const char *event)
{
	const struct scscf_profile *profile = reg->profile;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort();
	fprintf(f,
		"<?xml version=\"1.0\"?>\n"
		"<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" "
		"version=\"%u\" state=\"full\">\n",
		version);
	if (!profile || !profile->impu_n)
		put_registration(f, reg, reg->impu, event);
	for (size_t i = 0; profile && i < profile->impu_n; i++)
		put_registration(f, reg, profile->impus[i], event);
	fprintf(f, "</reginfo>\n");
	fclose(f);

	return text;
}

static int64_t left_s(const struct scscf_sub *sub)
{
	int64_t left_us = sub->until_us - clock_now_us();

	return left_us > 0 ? (left_us + 999999) / 1000000 : 0;
}

static void tx_notify(struct scscf_sub *sub);

/* A subscriber that has no such dialog (481), or cannot be reached, has none
 * (RFC 6665 4.2.2) */
static int on_answer(nta_outgoing_magic_t *magic, nta_outgoing_t *orq,
		     const sip_t *sip)
{
	struct scscf_sub *sub = (struct scscf_sub *)magic;
	int status = nta_outgoing_status(orq);

	(void)sip;
	if (status < 200)
		return 0;

	nta_outgoing_destroy(orq);
	sub->orq = NULL;
	if (status >= 300)
		log_warn("scscf %s: NOTIFY got %d: the subscription ends",
			 sub->impu, status);
	if (status >= 300 || (sub->is_ended && !sub->body))
		forget(sub);
	else if (sub->body)
		tx_notify(sub);

	return 0;
}

static void tx_notify(struct scscf_sub *sub)
{
	char *contact = xasprintf("<%s>", sub->scscf->name);
	char *state = sub->is_ended ? xstrdup("terminated;reason=noresource")
				    : xasprintf("active;expires=%lld",
						(long long)left_s(sub));

	sub->orq = nta_outgoing_tcreate(
		sub->leg, on_answer, (nta_outgoing_magic_t *)sub, NULL,
		SIP_METHOD_NOTIFY, NULL, SIPTAG_MAX_FORWARDS_STR("70"),
		SIPTAG_CONTACT_STR(contact), SIPTAG_EVENT_STR("reg"),
		SIPTAG_SUBSCRIPTION_STATE_STR(state),
		SIPTAG_CONTENT_TYPE_STR("application/reginfo+xml"),
		SIPTAG_PAYLOAD_STR(sub->body), TAG_END());
	free(contact);
	free(state);
	free(sub->body);
	sub->body = NULL;
	if (!sub->orq)
		forget(sub);
}

static void tell(struct scscf_sub *sub, const struct scscf_reg *reg,
		 const char *event)
{
	free(sub->body);
	sub->body = make_body(reg, sub->version++, event);
	if (!sub->orq)
		tx_notify(sub);
}

/** The registration is there, or was refreshed: NOTIFY with all of it */
void scscf_reg_event_bound(const struct scscf_reg *reg)
{
	struct scscf_sub *next;

	for (struct scscf_sub *s = LIST_FIRST(&reg->subs); s; s = next) {
		next = LIST_NEXT(s, of_reg);
		tell(s, reg, NULL);
	}
}

/**
 * The registration is about to end: the last NOTIFY of each subscription
 *
 * @param event Of the registration's machine: why
 */
void scscf_reg_event_ended(const struct scscf_reg *reg, int event)
{
	/* RFC 3680 5.1; by the network: TS 24.229 5.4.1.5 */
	static const char *const names[REG_EV_N] = {
		[REG_EV_UNBOUND] = "unregistered",
		[REG_EV_TERMINATED] = "rejected",
		[REG_EV_EXPIRED] = "expired",
		[REG_EV_BOUND] = "unregistered",
	};
	struct scscf_sub *next;

	for (struct scscf_sub *s = LIST_FIRST(&reg->subs); s; s = next) {
		next = LIST_NEXT(s, of_reg);
		leave(s);
		tell(s, reg, names[event]);
	}
}

/* --- who asks --- */

static bool is_same_place(const url_t *a, const url_t *b)
{
	return a->url_host && b->url_host &&
	       !strcasecmp(a->url_host, b->url_host) &&
	       !strcmp(url_port(a), url_port(b));
}

/* The P-CSCF stands in the Path of a contact */
static bool is_in_path(const struct scscf_reg *reg, su_home_t *home,
		       const url_t *url)
{
	for (const struct scscf_contact *c = reg->contacts; c; c = c->next) {
		const sip_path_t *p =
			c->path ? sip_path_make(home, c->path) : NULL;

		for (; p; p = p->r_next)
			if (is_same_place(p->r_url, url))
				return true;
	}

	return false;
}

/* 5.4.2.1.1: the user, or the P-CSCF, as the network asserts it (RFC 3325) */
static bool is_entitled(const struct scscf_reg *reg, const sip_t *sip)
{
	const sip_p_asserted_identity_t *id = sip_p_asserted_identity(sip);
	su_home_t home[1] = { SU_HOME_INIT(home) };
	bool is_good = false;

	for (; id && !is_good; id = id->paid_next) {
		const char *impu = ims_impu(home, id->paid_url);

		is_good = (impu && !strcmp(impu, reg->impu)) ||
			  is_in_path(reg, home, id->paid_url);
	}
	su_home_deinit(home);

	return is_good;
}

static int64_t granted_s(const sip_t *sip)
{
	unsigned long asked_s =
		sip->sip_expires ? sip->sip_expires->ex_delta : DEFAULT_S;

	return asked_s < MAX_S ? (int64_t)asked_s : MAX_S;
}

static void on_end(void *arg)
{
	struct scscf_sub *sub = arg;
	const struct scscf_reg *reg = scscf_reg_find(sub->scscf, sub->impu);

	leave(sub);
	if (reg)
		tell(sub, reg, NULL);
	else if (!sub->orq)
		forget(sub);
}

/* 0 s: it is asked once, or ends (RFC 6665 4.4.3) */
static void extend(struct scscf_sub *sub, nta_incoming_t *irq, const sip_t *sip)
{
	const struct scscf_reg *reg = scscf_reg_find(sub->scscf, sub->impu);
	int64_t s = granted_s(sip);
	char *contact = xasprintf("<%s>", sub->scscf->name);
	char *expires = xasprintf("%lld", (long long)s);

	nta_incoming_treply(irq, SIP_200_OK, SIPTAG_EXPIRES_STR(expires),
			    SIPTAG_CONTACT_STR(contact), TAG_END());
	free(contact);
	free(expires);
	sub->until_us = clock_now_us() + s * 1000000;
	if (!s)
		leave(sub);
	else
		timer_start_ms(sub->timer, s * 1000);
	if (reg)
		tell(sub, reg, NULL);
}

static int on_request(nta_leg_magic_t *magic, nta_leg_t *leg,
		      nta_incoming_t *irq, const sip_t *sip)
{
	struct scscf_sub *sub = (struct scscf_sub *)magic;

	(void)leg;
	if (sip->sip_request->rq_method != sip_method_subscribe)
		return 405;
	if (sub->is_ended)
		return 481;
	extend(sub, irq, sip);
	nta_incoming_destroy(irq);

	return 0;
}

static void sub_new(struct scscf_reg *reg, nta_incoming_t *irq,
		    const sip_t *sip)
{
	struct scscf *scscf = reg->scscf;
	struct scscf_sub *sub = xcalloc(1, sizeof(*sub));

	sub->scscf = scscf;
	sub->impu = xstrdup(reg->impu);
	sub->timer = timer_new(scscf->el->loop, on_end, sub);
	sub->leg = nta_leg_tcreate(
		sipep_agent(scscf->ep), on_request, (nta_leg_magic_t *)sub,
		SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM(sip->sip_to),
		SIPTAG_TO(sip->sip_from), TAG_END());
	nta_leg_tag(sub->leg, nta_incoming_tag(irq, NULL));
	nta_leg_server_route(sub->leg, sip->sip_record_route, sip->sip_contact);
	LIST_INSERT_HEAD(&scscf->subs, sub, link);
	LIST_INSERT_HEAD(&reg->subs, sub, of_reg);
	trace_event(scscf->el->trace, "scscf.reg-subscribed",
		    json_pack("{s:s}", "impu", reg->impu));
	extend(sub, irq, sip);
}

/** SUBSCRIBE outside a dialog: answered at once */
void scscf_reg_event_rx_subscribe(struct scscf *scscf, nta_incoming_t *irq,
				  const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *impu = ims_impu(home, sip->sip_request->rq_url);
	struct scscf_reg *reg = impu ? scscf_reg_find(scscf, impu) : NULL;

	if (!sip->sip_event || !sip->sip_event->o_type ||
	    strcasecmp(sip->sip_event->o_type, "reg") != 0)
		nta_incoming_treply(irq, SIP_489_BAD_EVENT,
				    SIPTAG_ALLOW_EVENTS_STR("reg"), TAG_END());
	else if (!sip->sip_contact || sip->sip_to->a_tag)
		nta_incoming_treply(irq, sip->sip_to->a_tag ? 481 : 400,
				    sip->sip_to->a_tag
					    ? sip_481_No_transaction
					    : "SUBSCRIBE Without Contact",
				    TAG_END());
	else if (!reg || !scscf_reg_is_registered(reg))
		nta_incoming_treply(irq, 404, "Not Registered Here", TAG_END());
	else if (!is_entitled(reg, sip))
		nta_incoming_treply(irq, 403,
				    "Only the User and Its P-CSCF May "
				    "Subscribe",
				    TAG_END());
	else
		sub_new(reg, irq, sip);
	su_home_deinit(home);
}

/** Subscriptions end without a NOTIFY: the S-CSCF goes away */
void scscf_reg_event_close(struct scscf *scscf)
{
	struct scscf_sub *sub, *next;

	for (sub = LIST_FIRST(&scscf->subs); sub; sub = next) {
		next = LIST_NEXT(sub, link);
		leave(sub);
		sub_free(sub);
	}
	LIST_INIT(&scscf->subs);
}
