#include "common/sipep_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>

#include "common/element.h"
#include "common/ims_headers.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "common/trace.h"

extern su_log_t nta_log[], tport_log[]; /* the library's own */

static void reject(nta_incoming_t *irq, int status, const char *phrase,
		   tag_type_t tag, tag_value_t value)
{
	nta_incoming_treply(irq, status, phrase, tag, value, TAG_END());
}

/* Is the request one that this element passes on? */
static bool is_for_others(const struct sipep *ep, const sip_t *sip)
{
	return !ep->supported || (ep->is_proxy && sip->sip_request->rq_method !=
							  sip_method_register);
}

/* RFC 3261 8.2.2.3, and 16.3 item 5 for a proxy: NULL if all is understood */
static const char *find_unsupported(const struct sipep *ep, const sip_t *sip)
{
	bool is_passed = is_for_others(ep, sip);
	const sip_require_t *r =
		is_passed ? sip->sip_proxy_require : sip->sip_require;

	for (; r; r = r->k_next) {
		for (size_t i = 0; r->k_items && r->k_items[i]; i++) {
			const char *tag = r->k_items[i];

			if (is_passed || !sip_has_supported(ep->supported, tag))
				return tag;
		}
	}

	return NULL;
}

/* RFC 3261 16.3 item 3. Who is in the way of more dialogs' requests than could
 * come here is made up, too */
static bool is_too_far(const sip_t *sip)
{
	const sip_record_route_t *rr = sip->sip_record_route;
	int n = 0;

	for (; rr && n <= SIPEP_HOPS_MAX; rr = rr->r_next)
		n++;

	return n > SIPEP_HOPS_MAX ||
	       (sip->sip_max_forwards && sip->sip_max_forwards->mf_count == 0);
}

static bool is_allowed(const struct sipep *ep, const char *method)
{
	size_t len = strlen(method);
	const char *p = ep->allow;

	while (p && (p = strstr(p, method))) {
		bool starts = p == ep->allow || p[-1] == ' ' || p[-1] == ',';
		bool ends = !p[len] || p[len] == ',' || p[len] == ' ';

		if (starts && ends)
			return true;
		p += len;
	}

	return !ep->allow;
}

/* RFC 3261 18.3: the library takes what a datagram holds */
static bool is_cut_short(const sip_t *sip)
{
	const sip_content_length_t *length = sip->sip_content_length;
	usize_t len = sip->sip_payload ? sip->sip_payload->pl_len : 0;

	return length && length->l_length > len;
}

/**
 * Refuse what the transaction layer leaves to its user to refuse (RFC 3261
 * 8.2, 16.3), and an ACK. Requests outside dialogs have been through it; a leg
 * of the role's own asks for those inside
 *
 * @return true: it was answered, or needs no answer
 */
bool sipep_refuse(const struct sipep *ep, nta_incoming_t *irq, const sip_t *sip)
{
	const char *method = sip->sip_request->rq_method_name;
	const char *unsupported = find_unsupported(ep, sip);
	enum url_type_e type =
		(enum url_type_e)sip->sip_request->rq_url->url_type;

	/* an ACK is never answered (RFC 3261 13.3.1.4, 17) */
	if (sip->sip_request->rq_method == sip_method_ack)
		return !ep->is_proxy || is_cut_short(sip) ||
		       (sip->sip_max_forwards &&
			sip->sip_max_forwards->mf_count == 0);
	if (sip->sip_request->rq_method == sip_method_cancel)
		/* one that meets its INVITE does not come here. Each INVITE
		 * was forwarded statefully, so there is none to pass this on
		 * to (16.10), and no branch that the next hop would know */
		reject(irq, SIP_481_NO_TRANSACTION, TAG_END());
	else if (is_cut_short(sip))
		reject(irq, 400, "Body Is Shorter Than Content-Length",
		       TAG_END());
	else if (!is_allowed(ep, method))
		reject(irq, SIP_405_METHOD_NOT_ALLOWED, siptag_allow_str,
		       (tag_value_t)ep->allow);
	else if (type != url_sip && type != url_sips && type != url_tel)
		reject(irq, SIP_416_UNSUPPORTED_URI, TAG_END());
	else if (is_for_others(ep, sip) && is_too_far(sip))
		reject(irq, SIP_483_TOO_MANY_HOPS, TAG_END());
	else if (unsupported)
		reject(irq, SIP_420_BAD_EXTENSION, siptag_unsupported_str,
		       (tag_value_t)unsupported);
	else
		return false;

	log_warn("%s: %s refused: %d", ep->el->name, method,
		 nta_incoming_status(irq));

	return true;
}

/* CANCEL was answered 200; an ACK to a refused INVITE ends here, too */
static int on_cancel(nta_incoming_magic_t *magic, nta_incoming_t *irq,
		     const sip_t *sip)
{
	struct sipep *ep = (struct sipep *)magic;

	if (sip && sip->sip_request->rq_method == sip_method_cancel)
		sipep_cancel(ep, irq);

	return 0;
}

static int on_request(nta_leg_magic_t *magic, nta_leg_t *leg,
		      nta_incoming_t *irq, const sip_t *sip)
{
	struct sipep *ep = (struct sipep *)magic;

	(void)leg;
	nta_incoming_bind(irq, on_cancel, (nta_incoming_magic_t *)ep);
	if (!sipep_refuse(ep, irq, sip))
		ep->cb(irq, sip, ep->arg);
	/* one destroyed in the callback lives until this returns: the library
	 * marks it and frees it in leg_recv() */
	if (nta_incoming_status(irq) >= 200 ||
	    sip->sip_request->rq_method == sip_method_ack)
		nta_incoming_destroy(irq);

	return 0;
}

/* No transaction: a repeated 2xx, or what nobody waits for (any more) */
static int on_stray(nta_agent_magic_t *magic, nta_agent_t *agent, msg_t *msg,
		    sip_t *sip)
{
	struct sipep *ep = (struct sipep *)magic;

	(void)agent;
	if (sipep_pass_stray(ep, msg, sip))
		return 0;

	log_warn("%s: %s without a transaction dropped", ep->el->name,
		 sip && sip->sip_status ? "response" : "message");
	msg_destroy(msg);

	return 0;
}

static void set_addr(struct sipep *ep)
{
	const tport_t *tp = tport_primaries(nta_agent_tports(ep->agent));
	const tp_name_t *name = tport_name(tp);

	snprintf(ep->addr, sizeof(ep->addr), "%s:%s", name->tpn_host,
		 name->tpn_port);
}

static nta_agent_t *new_agent(struct sipep *ep, const struct sipep_cfg *cfg)
{
	char *url = xasprintf("sip:%s", cfg->listen);
	unsigned t1x64_ms = (unsigned)timer_value_ms(TIMER_SIP_TRANSACTION);
	/* UE or registrar; a proxy adds neither rport nor state of its own */
	int is_ua = cfg->supported != NULL && !cfg->is_proxy;
	unsigned never_ms = 86400 * 1000;
	nta_agent_t *agent;

	agent = nta_agent_create(
		loop_root(ep->el->loop), URL_STRING_MAKE(url), on_stray,
		(nta_agent_magic_t *)ep, NTATAG_UA(0),
		/* a repeated single-instance header would abort the process
		 * when its message is copied: 400 instead */
		NTATAG_BAD_REQ_MASK(~0U), NTATAG_BAD_RESP_MASK(~0U),
		NTATAG_CLIENT_RPORT(is_ua), NTATAG_UDP_MTU(65535),
		/* a proxy answers a cancelled INVITE with what the next hop
		 * says; timer C is ours (sipep_branch.c) */
		NTATAG_CANCEL_487(!cfg->is_proxy), NTATAG_TIMER_C(never_ms),
		NTATAG_SIP_T1X64(t1x64_ms), NTATAG_MAXSIZE(65536),
		TPTAG_QUEUESIZE(1000), TPTAG_UDP_RMEM(8000000), TPTAG_LOG(1),
		TAG_END());
	free(url);

	return agent;
}

/* Its own log is off unless NTA_DEBUG or TPORT_DEBUG asks for it; its parser,
 * of which a process has one, is given P-Asserted-Identity and the like */
static void init_library(void)
{
	static bool is_extended;

	su_log_soft_set_level(nta_log, 0);
	su_log_soft_set_level(tport_log, 0);
	if (!is_extended)
		sip_update_default_mclass(sip_extend_mclass(NULL));
	is_extended = true;
}

/**
 * Listen on UDP and TCP at one address
 *
 * @param cb      Called with each request that is not refused by the rules
 *                that hold for all (405, 416, 420, 483)
 * @param reasonp On failure: what and where, the caller's to free
 *
 * @return 0, EADDRINUSE, EINVAL or another errno
 */
int sipep_new(struct sipep **epp, struct element *el,
	      const struct sipep_cfg *cfg, sipep_request_cb *cb, void *arg,
	      char **reasonp)
{
	struct sipep *ep;
	struct addr addr;
	int err;

	if (addr_parse(&addr, cfg->listen)) {
		*reasonp = xasprintf("SIP address \"%s\" is not of the form "
				     "127.0.0.1:5060 or [::1]:5060",
				     cfg->listen);
		return EINVAL;
	}

	init_library();
	ep = xcalloc(1, sizeof(*ep));
	su_home_init(ep->home);
	ep->el = el;
	ep->cb = cb;
	ep->arg = arg;
	ep->again = cfg->again;
	errno = 0;
	ep->agent = new_agent(ep, cfg);
	if (!ep->agent) {
		err = errno ? errno : EADDRINUSE;
		*reasonp = xasprintf("cannot listen for SIP at %s: %s; free "
				     "the port or name another",
				     cfg->listen, strerror(err));
		su_home_deinit(ep->home);
		free(ep);
		return err;
	}

	ep->allow = xstrdup(cfg->allow);
	ep->is_proxy = cfg->is_proxy;
	if (cfg->supported)
		ep->supported = sip_supported_make(ep->home, cfg->supported);
	ep->leg = nta_leg_tcreate(ep->agent, on_request, (nta_leg_magic_t *)ep,
				  NTATAG_NO_DIALOG(1), TAG_END());
	set_addr(ep);
	sipep_register(ep);
	*epp = ep;

	return 0;
}

/** Free the agent with all its transactions; kept irqs must be gone */
struct sipep *sipep_free(struct sipep *ep)
{
	if (!ep)
		return NULL;

	sipep_drop_held(ep);
	sipep_drop_forwards(ep);
	nta_leg_destroy(ep->leg);
	nta_agent_destroy(ep->agent);
	sipep_unregister(ep);
	su_home_deinit(ep->home);
	free(ep->allow);
	free(ep);

	return NULL;
}

/** The library's agent, for client transactions and legs of the role's own */
nta_agent_t *sipep_agent(struct sipep *ep)
{
	return ep->agent;
}

/** The loop of its element, for timers of its users */
struct loop *sipep_loop(const struct sipep *ep)
{
	return ep->el->loop;
}

/**
 * Answer a request with a Warning; an ACK is dropped instead (RFC 3261 17), and
 * one that was cancelled while it was kept has its answer
 *
 * @param irq Gone on return
 */
void sipep_reject(nta_incoming_t *irq, const struct sipep_refusal *refusal)
{
	char *warning;

	log_info("%s: %s: %d %s: %s", refusal->agent,
		 nta_incoming_method_name(irq), refusal->status,
		 refusal->phrase, refusal->text);
	if (nta_incoming_method(irq) != sip_method_ack &&
	    nta_incoming_status(irq) < 200) {
		warning = ims_warning(refusal->agent, "%s", refusal->text);
		nta_incoming_tag(irq, NULL);
		nta_incoming_treply(irq, refusal->status, refusal->phrase,
				    SIPTAG_WARNING_STR(warning), TAG_END());
		free(warning);
	}
	nta_incoming_destroy(irq);
}

/** End a request that was kept without an answer of its own: its owner goes
 * away */
void sipep_drop(nta_incoming_t *irq)
{
	nta_incoming_destroy(irq);
}

/** Where it listens, with the real port: "127.0.0.1:5060", "[::1]:5060" */
const char *sipep_addr(const struct sipep *ep)
{
	return ep->addr;
}
