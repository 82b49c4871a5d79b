#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/addr.h"
#include "common/cx.h"
#include "common/cx_core.h"
#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/stream.h"

/** One connection, accepted; owned by the server */
struct link {
	struct link *next;
	struct cx_server *server;
	struct dia_peer *peer;
	unsigned id;
};

/** Which peer serves a Server-Name: learned from its MARs and SARs, as the HSS
 * keeps the S-CSCF's Diameter identity beside its name (TS 29.228 6.1.2) */
struct served {
	struct served *next;
	char *server_name, *origin_host;
};

/** The HSS's end; owned by the role */
struct cx_server {
	struct element *el;
	char *origin_host, *origin_realm;
	char address[ADDR_TEXT_LEN];
	struct stream_listener *listener;
	struct link *links;
	unsigned last_id;
	struct served *served;
	struct cx_calls calls;
	struct cx_reqs reqs;
	const struct cx_server_ops *ops;
	void *arg;
};

static struct dia_peer *find_peer(void *owner, unsigned id)
{
	const struct cx_server *server = owner;

	for (const struct link *l = server->links; l; l = l->next)
		if (l->id == id)
			return l->peer;

	return NULL;
}

static void link_free(struct link *link)
{
	struct link **p = &link->server->links;

	while (*p != link)
		p = &(*p)->next;
	*p = link->next;
	dia_peer_free(link->peer);
	free(link);
}

static void on_ended(struct dia_peer *peer, void *arg)
{
	(void)peer;
	link_free(arg);
}

/* A peer that is back before we saw it go has lost the earlier connection: the
 * newer is kept, where RFC 6733 5.6 would refuse it until the watchdog ends
 * the dead one. Two peers that share a name by mistake take turns: logged. */
static void on_state(struct dia_peer *peer, bool is_open, void *arg)
{
	const struct link *link = arg;

	if (!is_open)
		return;

	for (struct link *l = link->server->links; l; l = l->next)
		if (l != link && dia_peer_is_open(l->peer) &&
		    !strcasecmp(dia_peer_host(l->peer), dia_peer_host(peer)))
			dia_peer_lost(l->peer, "its host connected again");
}

static bool serves(uint32_t command)
{
	return command == DIA_UA || command == DIA_SA || command == DIA_LI ||
	       command == DIA_MA;
}

static void learn(struct cx_server *server, const char *server_name,
		  const char *origin_host)
{
	struct served *s = server->served;

	while (s && strcmp(s->server_name, server_name) != 0)
		s = s->next;
	if (!s) {
		s = xcalloc(1, sizeof(*s));
		s->server_name = xstrdup(server_name);
		s->next = server->served;
		server->served = s;
	}
	if (!s->origin_host || strcmp(s->origin_host, origin_host) != 0)
		xstrset(&s->origin_host, origin_host);
}

/** Any request */
union request {
	struct cx_uar uar;
	struct cx_mar mar;
	struct cx_sar sar;
	struct cx_lir lir;
};

static const struct cx_field *request_fields(uint32_t command)
{
	switch (command) {
	case DIA_UA:
		return cx_uar_fields;
	case DIA_MA:
		return cx_mar_fields;
	case DIA_SA:
		return cx_sar_fields;
	default:
		return cx_lir_fields;
	}
}

static void on_request(struct dia_peer *peer, const struct dia_msg *msg,
		       void *arg)
{
	const struct link *link = arg;
	struct cx_server *server = link->server;
	struct cx_req *req = cx_req_new(&server->reqs, link->id, peer, msg);
	union request r = { 0 };
	char *text = cx_decode(&r, request_fields(msg->code), msg);

	switch (msg->code) {
	case DIA_UA:
		server->ops->uar(req, &r.uar, server->arg);
		break;
	case DIA_MA:
		learn(server, r.mar.server_name, dia_peer_host(peer));
		server->ops->mar(req, &r.mar, server->arg);
		break;
	case DIA_SA:
		learn(server, r.sar.server_name, dia_peer_host(peer));
		server->ops->sar(req, &r.sar, server->arg);
		break;
	default:
		server->ops->lir(req, &r.lir, server->arg);
		break;
	}
	free(text);
}

static const struct dia_peer_ops peer_ops = { on_state, on_ended, serves,
					      on_request };

static void on_accept(struct stream *stream, void *arg)
{
	struct cx_server *server = arg;
	const struct dia_peer_cfg cfg = { .origin_host = server->origin_host,
					  .origin_realm =
						  server->origin_realm };
	struct link *link = xcalloc(1, sizeof(*link));

	link->server = server;
	link->id = ++server->last_id;
	link->next = server->links;
	server->links = link;
	link->peer = dia_peer_accept(server->el, &cfg, stream, &peer_ops, link);
}

static int start_listening(struct cx_server *server, const char *address,
			   char **reasonp)
{
	struct addr at;
	int err = addr_parse(&at, address);

	if (err) {
		*reasonp = xasprintf("Diameter address \"%s\" cannot be read; "
				     "write it as 127.0.0.1:3868",
				     address);
		return err;
	}
	err = stream_listen(&server->listener, server->el->loop, &at, on_accept,
			    server);
	if (err) {
		*reasonp = xasprintf("cannot listen for Diameter on %s: %s; "
				     "is another HSS running there?",
				     address, strerror(err));
		return err;
	}
	stream_listener_addr(server->listener, &at);
	(void)addr_format(server->address, &at);

	return 0;
}

/**
 * A Cx server, listening
 *
 * @param cfg Copied
 * @param ops All four are set; borrowed
 *
 * @return 0, or errno with *reasonp set: EINVAL, EADDRINUSE and so on
 */
int cx_server_new(struct cx_server **sp, struct element *el,
		  const struct cx_cfg *cfg, const struct cx_server_ops *ops,
		  void *arg, char **reasonp)
{
	struct cx_server *server = xcalloc(1, sizeof(*server));
	int err;

	server->el = el;
	server->ops = ops;
	server->arg = arg;
	server->origin_host = xstrdup(cfg->origin_host);
	server->origin_realm = xstrdup(cfg->origin_realm);
	server->reqs = (struct cx_reqs){ .el = el,
					 .find = find_peer,
					 .owner = server,
					 .origin_host = server->origin_host,
					 .origin_realm = server->origin_realm };
	err = start_listening(server, cfg->address, reasonp);
	if (err) {
		cx_server_free(server);
		return err;
	}
	*sp = server;

	return 0;
}

/** Disconnect all and free; what was not answered never will be */
struct cx_server *cx_server_free(struct cx_server *server)
{
	if (!server)
		return NULL;

	stream_unlisten(server->listener);
	for (struct link *l = server->links, *next; l; l = next) {
		next = l->next;
		link_free(l);
	}
	cx_calls_free(&server->calls);
	cx_reqs_free(&server->reqs);
	while (server->served) {
		struct served *s = server->served;

		server->served = s->next;
		free(s->server_name);
		free(s->origin_host);
		free(s);
	}
	free(server->origin_host);
	free(server->origin_realm);
	free(server);

	return NULL;
}

/** Where it listens, with the real port: "127.0.0.1:3868" */
const char *cx_server_addr(const struct cx_server *server)
{
	return server->address;
}

/* Its host part: "sip:scscf.ims.test:5060" */
static bool has_host(const char *sip_uri, const char *host)
{
	const char *at = strchr(sip_uri, '@');
	const char *start = at ? at + 1 : strchr(sip_uri, ':');
	size_t len;

	if (!start)
		return false;

	start += !at;
	len = strcspn(start, ":;>");

	return len == strlen(host) && !strncasecmp(start, host, len);
}

/* Whether the peer calls from the name's host, given as an address */
static bool is_at(const char *sip_uri, const char *remote)
{
	size_t len = strcspn(remote, ":");
	char host[ADDR_TEXT_LEN];

	snprintf(host, sizeof(host), "%.*s", (int)len, remote);

	return has_host(sip_uri, host);
}

/* The peer that said so itself; before any did (a restart), the one whose
 * Origin-Host or address is the name's host */
static struct dia_peer *find_serving(const struct cx_server *server,
				     const char *server_name)
{
	const struct served *s = server->served;

	while (s && strcmp(s->server_name, server_name) != 0)
		s = s->next;

	for (const struct link *l = server->links; l; l = l->next) {
		const char *host = dia_peer_host(l->peer);

		if (dia_peer_is_open(l->peer) &&
		    (s ? !strcasecmp(s->origin_host, host)
		       : has_host(server_name, host) ||
				     is_at(server_name,
					   dia_peer_remote(l->peer))))
			return l->peer;
	}

	return NULL;
}

/**
 * Have an S-CSCF deregister a user (TS 29.228 6.1.3)
 *
 * @param server_name As the S-CSCF named itself in its MAR or SAR
 * @param cb          Called once, from the loop: ENOTCONN where no peer
 *                    serves the name, ETIMEDOUT where it does not answer
 */
void cx_tx_rtr(struct cx_server *server, const char *server_name,
	       const struct cx_rtr *rtr, cx_rta_cb *cb, void *arg)
{
	struct dia_peer *peer = find_serving(server, server_name);
	const union cx_cb any = { .rta = cb };
	struct dia_build b = { 0 };

	if (!peer) {
		log_warn("cx: no peer serves \"%s\": RTR for %s not sent",
			 server_name, rtr->impi);
		cx_call_refuse(&server->calls, server->el, DIA_RT, any, arg);
		return;
	}

	dia_peer_start_request(peer, &b, DIA_RT);
	cx_put_destination(&b, dia_peer_realm(peer), dia_peer_host(peer));
	cx_encode(&b, cx_rtr_fields, rtr);
	cx_call_tx(&server->calls, peer, &b, DIA_RT, any, arg);
}
