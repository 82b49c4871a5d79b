/* The library's own logging and delivery functions are called through its
 * PLT, so that a program that defines them takes their place. They are the
 * only two points that every message passes with its exact bytes. */
#include "common/sipep_priv.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/tport.h>

#include "common/element.h"
#include "common/hold.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/trace.h"

typedef struct tport_compressor tport_compressor_t;
typedef void deliver_fn(tport_t *tp, msg_t *msg, msg_t *next,
			tport_compressor_t *comp, su_time_t now);

void tport_log_msg(tport_t *tp, msg_t *msg, char const *what, char const *via,
		   su_time_t now);
deliver_fn tport_deliver;

/** A message that waits; owned by its endpoint */
struct sipep_held {
	struct sipep_held *next;
	struct sipep *ep;
	tport_t *tp;
	msg_t *msg;
	tport_compressor_t *comp;
};

/* The endpoints of this process: the hooks are given a transport only */
static struct sipep *endpoints;

/** Let the hooks find this endpoint */
void sipep_register(struct sipep *ep)
{
	ep->next = endpoints;
	endpoints = ep;
}

/** The endpoint goes away */
void sipep_unregister(struct sipep *ep)
{
	struct sipep **p = &endpoints;

	while (*p && *p != ep)
		p = &(*p)->next;
	if (*p)
		*p = ep->next;
}

/* All transports of an agent have the same first primary */
static struct sipep *find_endpoint(const tport_t *tp)
{
	const tport_t *first = tport_primaries(tp);
	struct sipep *ep = endpoints;

	while (ep && tport_primaries(nta_agent_tports(ep->agent)) != first)
		ep = ep->next;

	return ep;
}

static char *flatten(msg_t *msg, size_t *lenp)
{
	msg_iovec_t few[64];
	msg_iovec_t *iov = few;
	isize_t n = msg_iovec(msg, few, 64);
	size_t len = 0;
	char *data;

	if (n > 64) {
		iov = xcalloc(n, sizeof(*iov));
		n = msg_iovec(msg, iov, n);
	}
	for (isize_t i = 0; i < n; i++)
		len += iov[i].mv_len;
	data = xcalloc(1, len + 1);
	*lenp = len;
	len = 0;
	for (isize_t i = 0; i < n; i++) {
		memcpy(data + len, iov[i].mv_base, iov[i].mv_len);
		len += iov[i].mv_len;
	}
	if (iov != few)
		free(iov);

	return data;
}

/* The library keeps IPv6 hosts of names in brackets already */
static void name_text(char *text, const tport_t *tp)
{
	const tp_name_t *name = tport_name(tp);

	snprintf(text, ADDR_TEXT_LEN, "%s:%s", name->tpn_host, name->tpn_port);
}

static void peer_text(char *text, tport_t *tp, msg_t *msg)
{
	const su_sockaddr_t *su = msg_addr(msg);
	struct addr addr = { .len = sizeof(su->su_sin6) };

	if (tport_is_secondary(tp) || !su) {
		name_text(text, tp);
		return;
	}
	memcpy(&addr.ss, su, sizeof(su->su_sin6));
	addr_format(text, &addr);
}

static void trace(const struct sipep *ep, enum trace_dir dir, tport_t *tp,
		  msg_t *msg)
{
	char local[ADDR_TEXT_LEN], remote[ADDR_TEXT_LEN];
	struct trace_msg m = { .proto = TRACE_SIP,
			       .dir = dir,
			       .transport = tport_name(tp)->tpn_proto,
			       .local = local,
			       .remote = remote };
	char *data = flatten(msg, &m.len);

	m.data = data;
	name_text(local, tport_parent(tp));
	peer_text(remote, tp, msg);
	trace_message(ep->el->trace, &m);
	free(data);
}

/** Called by the library for each message sent, retransmissions included; of
 * TLS it has the plain text. Received ones were traced when they came */
void tport_log_msg(tport_t *tp, msg_t *msg, char const *what, char const *via,
		   su_time_t now)
{
	const struct sipep *ep = find_endpoint(tp);

	(void)via;
	(void)now;
	if (ep && strcmp(what, "recv") != 0)
		trace(ep, TRACE_SEND, tp, msg);
}

static void deliver(tport_t *tp, msg_t *msg, msg_t *next,
		    tport_compressor_t *comp, su_time_t now)
{
	static deliver_fn *fn; /* one library a process: looked up once */
	void *symbol = fn ? NULL : dlsym(RTLD_NEXT, "tport_deliver");

	if (symbol)
		memcpy(&fn, &symbol, sizeof(fn));
	if (fn)
		fn(tp, msg, next, comp, now);
	else
		log_error("sofia-sip has no tport_deliver()");
}

static struct sipep_held **find_held(const struct sipep_held *held)
{
	struct sipep_held **p = &held->ep->held;

	while (*p != held)
		p = &(*p)->next;

	return p;
}

static void on_release(bool is_dropped, void *arg)
{
	struct sipep_held *held = arg;

	*find_held(held) = held->next;
	if (is_dropped)
		msg_destroy(held->msg);
	else
		deliver(held->tp, held->msg, NULL, held->comp, su_now());
	tport_unref(held->tp);
	free(held);
}

static void what_text(char *text, size_t len, const msg_t *msg)
{
	const sip_t *sip = sip_object(msg);

	if (sip && sip->sip_request)
		snprintf(text, len, "sip %s", sip->sip_request->rq_method_name);
	else if (sip && sip->sip_status)
		snprintf(text, len, "sip %d", sip->sip_status->st_status);
	else
		snprintf(text, len, "sip");
}

/** Called by the library for each message received, before it is acted on */
void tport_deliver(tport_t *tp, msg_t *msg, msg_t *next,
		   tport_compressor_t *comp, su_time_t now)
{
	struct sipep *ep = find_endpoint(tp);
	struct sipep_held *held;
	char what[32], remote[ADDR_TEXT_LEN];

	if (ep)
		trace(ep, TRACE_RECV, tp, msg);
	if (!ep || msg_has_error(msg)) {
		deliver(tp, msg, next, comp, now);
		return;
	}

	held = xcalloc(1, sizeof(*held));
	what_text(what, sizeof(what), msg);
	peer_text(remote, tp, msg);
	if (!hold_message(ep->el->hold, what, remote, on_release, held)) {
		free(held);
		deliver(tp, msg, next, comp, now);
		return;
	}
	held->ep = ep;
	held->tp = tport_ref(tp);
	held->msg = msg;
	held->comp = comp;
	held->next = ep->held;
	ep->held = held;
}

/** Destroy what waits: the agent is about to go */
void sipep_drop_held(struct sipep *ep)
{
	while (ep->held)
		hold_drop_of(ep->el->hold, ep->held);
}
