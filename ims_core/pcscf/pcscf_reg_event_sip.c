/* The P-CSCF as subscriber of the reg event package (TS 24.229 5.2.3, 5.2.5.2;
 * RFC 3680, RFC 6665): a registration that the network ends is forgotten */
#include "ims_core/pcscf/pcscf_reg_event.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include "common/element.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "common/timer.h"

/** A subscription and its dialog; owned by the P-CSCF's tree */
struct pcscf_sub {
	char *impu; /* first: the tree's key */
	struct pcscf *pcscf;
	nta_leg_t *leg;
	nta_outgoing_t *orq;
	struct timer *timer; /* to subscribe again */
	char *service_route;
	bool has_dialog, is_over;
};

static void sub_free(void *arg)
{
	struct pcscf_sub *sub = arg;

	timer_free(sub->timer);
	nta_outgoing_destroy(sub->orq);
	nta_leg_destroy(sub->leg);
	free(sub->impu);
	free(sub->service_route);
	free(sub);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct pcscf_sub *)a)->impu,
		      ((const struct pcscf_sub *)b)->impu);
}

/* Freed once the stack has unwound: we may be in a callback of its leg */
static void forget(struct pcscf_sub *sub)
{
	if (sub->is_over)
		return;

	sub->is_over = true;
	tdelete(sub, &sub->pcscf->subs, compare);
	timer_stop(sub->timer);
	loop_defer(sub->pcscf->el->loop, sub_free, sub);
}

/* --- NOTIFY --- */

static bool is_named(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE &&
	       !strcmp((const char *)node->name, name);
}

static bool has_value(const xmlNode *node, const char *name, const char *value)
{
	xmlChar *got = xmlGetNoNsProp(node, BAD_CAST name);
	bool is_same = got && !strcmp((const char *)got, value);

	xmlFree(got);

	return is_same;
}

static void read_contact(const struct pcscf_sub *sub, const xmlNode *contact)
{
	struct pcscf_reg_facts gone = { .impu = sub->impu };
	xmlChar *uri;

	for (const xmlNode *n = contact->children; n; n = n->next) {
		if (!is_named(n, "uri"))
			continue;
		uri = xmlNodeGetContent(n);
		gone.contact = (const char *)uri;
		if (uri)
			pcscf_reg_update(sub->pcscf, &gone);
		xmlFree(uri);
	}
}

/* One that is over, or some of its contacts */
static void read_registration(const struct pcscf_sub *sub, const xmlNode *reg)
{
	if (!has_value(reg, "aor", sub->impu))
		return;
	if (has_value(reg, "state", "terminated")) {
		log_info("pcscf %s: the network has ended the registration",
			 sub->impu);
		pcscf_reg_forget_all(sub->pcscf, sub->impu);
		return;
	}
	for (const xmlNode *n = reg->children; n; n = n->next)
		if (is_named(n, "contact") &&
		    has_value(n, "state", "terminated"))
			read_contact(sub, n);
}

/* false: it is no reginfo document */
static bool read_body(const struct pcscf_sub *sub, const sip_t *sip)
{
	const sip_payload_t *body = sip->sip_payload;
	const xmlNode *root;
	xmlDoc *doc;
	bool is_good;

	if (!body || !body->pl_len)
		return true;

	doc = xmlReadMemory(body->pl_data, (int)body->pl_len, NULL, NULL,
			    XML_PARSE_NONET | XML_PARSE_NOERROR |
				    XML_PARSE_NOWARNING);
	root = doc ? xmlDocGetRootElement(doc) : NULL;
	is_good = root && is_named(root, "reginfo");
	for (const xmlNode *n = is_good ? root->children : NULL; n; n = n->next)
		if (is_named(n, "registration"))
			read_registration(sub, n);
	xmlFreeDoc(doc);

	return is_good;
}

static int on_request(nta_leg_magic_t *magic, nta_leg_t *leg,
		      nta_incoming_t *irq, const sip_t *sip)
{
	struct pcscf_sub *sub = (struct pcscf_sub *)magic;
	const sip_subscription_state_t *state = sip->sip_subscription_state;

	(void)leg;
	if (sip->sip_request->rq_method != sip_method_notify)
		return 405;
	if (!read_body(sub, sip)) {
		log_warn("pcscf %s: the body of a NOTIFY is no reginfo "
			 "document",
			 sub->impu);
		return 400;
	}
	nta_incoming_treply(irq, SIP_200_OK, TAG_END());
	nta_incoming_destroy(irq);
	if (state && state->ss_substate &&
	    !strcasecmp(state->ss_substate, "terminated"))
		forget(sub);

	return 0;
}

/* --- SUBSCRIBE --- */

/* Again at half of the time granted, as long as there is something to learn */
static void subscribed(struct pcscf_sub *sub, const sip_t *sip)
{
	unsigned long s = sip->sip_expires ? sip->sip_expires->ex_delta : 0;

	sub->has_dialog = true;
	nta_leg_rtag(sub->leg, sip->sip_to->a_tag);
	nta_leg_client_route(sub->leg, sip->sip_record_route, sip->sip_contact);
	if (s)
		timer_start_ms(sub->timer, (int64_t)s * 500);
}

static int on_answer(nta_outgoing_magic_t *magic, nta_outgoing_t *orq,
		     const sip_t *sip)
{
	struct pcscf_sub *sub = (struct pcscf_sub *)magic;
	int status = nta_outgoing_status(orq);

	if (status < 200)
		return 0;

	if (status < 300 && sip)
		subscribed(sub, sip);
	nta_outgoing_destroy(orq);
	sub->orq = NULL;
	if (status >= 300) {
		/* the registration lasts by its own timer then */
		log_warn("pcscf %s: SUBSCRIBE got %d: what the network ends "
			 "will not be learned",
			 sub->impu, status);
		forget(sub);
	}

	return 0;
}

/* To the S-CSCF by the Service-Route, which is its address in that network
 * (RFC 3608). The way by the I-CSCF would lead to the same */
static void tx_subscribe(struct pcscf_sub *sub)
{
	char *contact = xasprintf("<sip:%s>", sub->pcscf->addr);
	char *asserted = xasprintf("P-Asserted-Identity: %s\r\n", contact);
	const char *route = sub->has_dialog ? NULL : sub->service_route;
	const url_string_t *target =
		sub->has_dialog ? NULL : URL_STRING_MAKE(sub->impu);

	nta_outgoing_destroy(sub->orq);
	sub->orq = nta_outgoing_tcreate(
		sub->leg, on_answer, (nta_outgoing_magic_t *)sub, NULL,
		SIP_METHOD_SUBSCRIBE, target,
		TAG_IF(route, SIPTAG_ROUTE_STR(route)),
		SIPTAG_MAX_FORWARDS_STR("70"), SIPTAG_CONTACT_STR(contact),
		SIPTAG_EVENT_STR("reg"), SIPTAG_EXPIRES_STR("600000"),
		SIPTAG_ACCEPT_STR("application/reginfo+xml"),
		SIPTAG_HEADER_STR(asserted), TAG_END());
	free(contact);
	free(asserted);
	if (!sub->orq)
		forget(sub);
}

static void on_timer(void *arg)
{
	struct pcscf_sub *sub = arg;

	if (pcscf_reg_has(sub->pcscf, sub->impu))
		tx_subscribe(sub);
	else
		forget(sub);
}

static bool is_subscribed(const struct pcscf *pcscf, const char *impu)
{
	const struct pcscf_sub key = { .impu = (char *)impu };

	return tfind(&key, &pcscf->subs, compare) != NULL;
}

/**
 * An identity is registered: have the S-CSCF tell what becomes of it, unless
 * it does so already (TS 24.229 5.2.3)
 *
 * @param service_route Of the 200, header text; NULL: nobody to ask
 */
void pcscf_reg_event_subscribe(struct pcscf *pcscf, const char *impu,
			       const char *service_route)
{
	struct pcscf_sub *sub;
	char *from, *to;

	if (!service_route || is_subscribed(pcscf, impu) ||
	    !pcscf_reg_has(pcscf, impu))
		return;

	sub = xcalloc(1, sizeof(*sub));
	from = xasprintf("<sip:%s>", pcscf->addr);
	to = xasprintf("<%s>", impu);
	sub->pcscf = pcscf;
	sub->impu = xstrdup(impu);
	sub->service_route = xstrdup(service_route);
	sub->timer = timer_new(pcscf->el->loop, on_timer, sub);
	sub->leg = nta_leg_tcreate(
		sipep_agent(pcscf->ep), on_request, (nta_leg_magic_t *)sub,
		SIPTAG_FROM_STR(from), SIPTAG_TO_STR(to), TAG_END());
	nta_leg_tag(sub->leg, NULL);
	tsearch(sub, &pcscf->subs, compare);
	free(from);
	free(to);
	tx_subscribe(sub);
}

/** Subscriptions end without a word: the P-CSCF goes away */
void pcscf_reg_event_close(struct pcscf *pcscf)
{
	tdestroy(pcscf->subs, sub_free);
	pcscf->subs = NULL;
}
