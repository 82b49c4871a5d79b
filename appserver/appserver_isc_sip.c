/* ISC (TS 24.229 5.7.1.1): the S-CSCF tells by third-party REGISTER which
 * SIP-URIs are registered. Calls come this way too: appserver_call_sip.c. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su.h>

#include "appserver/appserver_call_sip.h"
#include "appserver/appserver_core.h"
#include "common/clock.h"
#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "common/trace.h"

/** A registered SIP-URI */
struct registered {
	char *uri;
	int64_t expires_s; /**< by the wall clock */
};

/** Owned by the role */
struct as_isc {
	struct appserver *as;
	struct element *el;
	struct sipep *sip;
	char *scscf; /**< host that may tell; NULL: any */
	void *uris;  /**< tree of search.h */
};

static int by_uri(const void *a, const void *b)
{
	return strcmp(((const struct registered *)a)->uri,
		      ((const struct registered *)b)->uri);
}

static struct registered *find(const struct as_isc *isc, const char *uri)
{
	const struct registered key = { .uri = (char *)uri };
	struct registered *const *found = tfind(&key, &isc->uris, by_uri);

	return found ? *found : NULL;
}

static void registered_free(void *node)
{
	struct registered *r = node;

	free(r->uri);
	free(r);
}

/* RFC 3261 10.2.1.1: the Contact's own value, else the header's */
static int64_t expires_of(const sip_t *sip)
{
	const char *param =
		sip->sip_contact ? sip->sip_contact->m_expires : NULL;

	if (param)
		return strtol(param, NULL, 10);

	return sip->sip_expires ? (int64_t)sip->sip_expires->ex_delta : 3600;
}

static void set(struct as_isc *isc, const char *uri, int64_t expires_s)
{
	struct registered *r = find(isc, uri);

	if (!r && expires_s > 0) {
		r = xcalloc(1, sizeof(*r));
		r->uri = xstrdup(uri);
		if (!tsearch(r, &isc->uris, by_uri))
			abort(); /* out of memory, as common/mem.h does */
	}
	if (r && expires_s > 0) {
		r->expires_s = clock_wall_s() + expires_s;
	} else if (r) {
		tdelete(r, &isc->uris, by_uri);
		registered_free(r);
	}
	log_info("appserver %s: %s", uri,
		 expires_s > 0 ? "registered" : "not registered any more");
	trace_event(isc->el->trace,
		    expires_s > 0 ? "as.registered" : "as.deregistered",
		    json_pack("{s:s, s:I}", "uri", uri, "expires_s",
			      (json_int_t)expires_s));
	as_registration_rx(isc->as, uri, expires_s > 0);
}

/* S520: [0109]. To is the user, From the S-CSCF (TS 24.229 5.4.1.7) */
static void on_register(struct as_isc *isc, nta_incoming_t *irq,
			const sip_t *sip)
{
	const url_t *url = sip->sip_to->a_url;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	char *uri = su_sprintf(
		home, "sip:%s%s%s", url->url_user ? url->url_user : "",
		url->url_user ? "@" : "", url->url_host ? url->url_host : "");
	int64_t expires_s = expires_of(sip);

	if (url->url_type != url_sip || !url->url_user || !uri) {
		nta_incoming_treply(irq, 400, "To Is Not the SIP-URI of a User",
				    TAG_END());
	} else {
		set(isc, uri, expires_s);
		/* S521: [0110] */
		nta_incoming_treply(
			irq, SIP_200_OK, SIPTAG_CONTACT(sip->sip_contact),
			SIPTAG_EXPIRES(sip->sip_expires), TAG_END());
	}
	su_home_deinit(home);
}

static bool is_from(const char *host, nta_incoming_t *irq)
{
	msg_t *msg = nta_incoming_getrequest(irq);
	char text[SU_ADDRSIZE] = "";

	su_inet_ntop(msg_addr(msg)->su_family, SU_ADDR(msg_addr(msg)), text,
		     sizeof(text));
	msg_unref(msg);

	return !strcmp(text, host);
}

static void on_request(nta_incoming_t *irq, const sip_t *sip, void *arg)
{
	struct as_isc *isc = arg;
	sip_method_t method = sip->sip_request->rq_method;

	if (isc->scscf && !is_from(isc->scscf, irq))
		nta_incoming_treply(irq, 403,
				    "Only the S-CSCF May Ask This Server",
				    TAG_END());
	else if (!isc->as->is_ready && method != sip_method_options)
		nta_incoming_treply(irq, SIP_503_SERVICE_UNAVAILABLE,
				    SIPTAG_RETRY_AFTER_STR("1"), TAG_END());
	else if (method == sip_method_register)
		on_register(isc, irq, sip);
	else if (method == sip_method_invite && !sip->sip_to->a_tag)
		as_call_rx_invite(isc->as, irq, sip);
	else if (method != sip_method_options)
		/* of a call that is over, or was when the AS restarted */
		nta_incoming_treply(irq, SIP_481_NO_TRANSACTION, TAG_END());
	else
		nta_incoming_treply(irq, SIP_200_OK, TAG_END());
}

/** Listen for the S-CSCF; 0, or errno with the reason */
int as_isc_open(struct appserver *as, const struct appserver_cfg *cfg,
		char **reasonp)
{
	const struct sipep_cfg sip = { .listen = cfg->sip,
				       .allow =
					       "REGISTER, INVITE, ACK, CANCEL, "
					       "BYE, UPDATE, INFO, OPTIONS",
				       .supported = "path, timer" };
	struct as_isc *isc = xcalloc(1, sizeof(*isc));
	int err;

	isc->as = as;
	isc->el = as->el;
	isc->scscf = cfg->scscf ? xstrdup(cfg->scscf) : NULL;
	as->isc = isc;

	err = sipep_new(&isc->sip, as->el, &sip, on_request, isc, reasonp);
	/* the library repeats 2xx until the ACK, and ACK for each 2xx; an
	 * INVITE that was cancelled is ours to answer */
	if (!err)
		nta_agent_set_params(sipep_agent(isc->sip), NTATAG_UA(1),
				     NTATAG_CANCEL_487(0), TAG_END());

	return err;
}

/** Close and forget */
struct as_isc *as_isc_free(struct as_isc *isc)
{
	if (isc) {
		sipep_free(isc->sip);
		tdestroy(isc->uris, registered_free);
		free(isc->scscf);
		free(isc);
	}

	return NULL;
}

/** Whether the S-CSCF has said so, and the time has not passed */
bool as_isc_is_registered(const struct as_isc *isc, const char *uri)
{
	const struct registered *r = find(isc, uri);

	return r && clock_wall_s() < r->expires_s;
}

/** The endpoint that calls go through */
struct sipep *as_isc_sip(const struct appserver *as)
{
	return as->isc->sip;
}

/** Where the S-CSCF reaches the AS, as sipep_addr() gives it */
const char *as_sip_addr(const struct appserver *as)
{
	return sipep_addr(as->isc->sip);
}
