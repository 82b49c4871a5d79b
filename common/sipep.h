/** @file sipep.h  SIP endpoint: one nta agent on UDP and TCP, traced, holdable
 *
 * Wraps the agent that every SIP role needs: listening on both transports at
 * one address, the library's traps closed (repeated single headers get 400,
 * Max-Forwards 0 gets 483, unknown Require gets 420), every message traced
 * with its exact bytes, and received ones held when told.
 */
#ifndef SIPSHARE_SIPEP_H
#define SIPSHARE_SIPEP_H

#include <stdbool.h>

#include <sofia-sip/nta.h>
#include <sofia-sip/sip.h>

struct element;
struct loop;
struct sipep;
struct sipep_fwd;

/** A request came: reply with nta_incoming_treply(), sipep_forward() it, or
 * keep irq and reply later. One that was answered or forwarded when this
 * returns is the endpoint's to destroy; one that was kept is the callee's:
 * nta_incoming_destroy() after its final reply, before sipep_free(). */
typedef void sipep_request_cb(nta_incoming_t *irq, const sip_t *sip, void *arg);

/** A 2xx to an INVITE comes again, or from another fork, and is passed on past
 * any transaction (RFC 3261 16.7): change it here. Whoever sent it, there is
 * nothing that it answers */
typedef void sipep_again_cb(msg_t *msg, sip_t *sip, void *arg);

struct sipep_cfg {
	const char *listen;    /**< "127.0.0.1:5060", port 0: any */
	const char *allow;     /**< "REGISTER, OPTIONS"; others get 405;
				    NULL: any method */
	const char *supported; /**< option tags that Require may name, "path";
				    NULL: a proxy, where Proxy-Require counts */
	bool is_proxy; /**< passes requests on: their Require is for others
			    but for REGISTER; ACKs to 2xx come to the callback
			    too, repeated 2xx are passed on (RFC 3261 16) */
	sipep_again_cb *again; /**< NULL: these are passed on as they are */
};

/** As many hops as a request takes at most: its Max-Forwards (RFC 3261 8.1.1.6)
 */
enum { SIPEP_HOPS_MAX = 70 };

int sipep_new(struct sipep **epp, struct element *el,
	      const struct sipep_cfg *cfg, sipep_request_cb *cb, void *arg,
	      char **reasonp);
struct sipep *sipep_free(struct sipep *ep);
nta_agent_t *sipep_agent(struct sipep *ep);
struct loop *sipep_loop(const struct sipep *ep);
const char *sipep_addr(const struct sipep *ep);
bool sipep_refuse(const struct sipep *ep, nta_incoming_t *irq,
		  const sip_t *sip);

/** The message as it will be sent on; change it here (add Path, Route, …). Own
 * Routes on top are gone, Max-Forwards is one less */
typedef void sipep_prepare_cb(msg_t *msg, sip_t *sip, void *arg);
/** A response as it will be sent back: provisional ones, then, once, the final
 * one. No response: msg and sip are NULL, status is 408 (none in time) or 503
 * (unreachable), the client gets sipep_failure()'s status */
typedef void sipep_response_cb(int status, msg_t *msg, sip_t *sip, void *arg);

/** How to forward; the callbacks may be NULL */
struct sipep_route {
	const char
		*next_hop; /**< "sip:127.0.0.1:5061;transport=tcp"; borrowed */
	sipep_prepare_cb *prepare;
	sipep_response_cb *response;
	/** A final response of 408 or 5xx, or none, before any provisional one
	 * was passed back: so many of *routesp, which are copied, are to be
	 * tried instead; 0: none */
	size_t (*elsewhere)(int status, const struct sipep_route **routesp,
			    void *arg);
	void *arg;
};

int sipep_forward(struct sipep *ep, nta_incoming_t *irq,
		  const struct sipep_route *route);
int sipep_fork(struct sipep *ep, nta_incoming_t *irq,
	       const struct sipep_route *routes, size_t n);

/** An answer of the element's own; texts are borrowed */
struct sipep_refusal {
	int status;
	const char *phrase;
	const char *agent; /**< host that warns, "scscf.ims.test" */
	const char *text;  /**< what is wrong and what to do */
};

void sipep_cancel(struct sipep *ep, nta_incoming_t *irq);
void sipep_reject(nta_incoming_t *irq, const struct sipep_refusal *refusal);
void sipep_drop(nta_incoming_t *irq);
int sipep_failure(int status, sip_method_t method);

/* Where a request goes (RFC 3261 16.4 to 16.6) */
bool sipep_is_own(const struct sipep *ep, const url_t *url);
const url_t *sipep_own_route(const struct sipep *ep, const sip_t *sip);
const sip_route_t *sipep_next_route(const struct sipep *ep, const sip_t *sip);
bool sipep_is_in_dialog(const sip_t *sip);
bool sipep_begins_dialog(const sip_t *sip);
void sipep_record_route(const struct sipep *ep, msg_t *msg, sip_t *sip,
			const char *user);

#endif
