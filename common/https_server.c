#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include "common/addr.h"
#include "common/element.h"
#include "common/hold.h"
#include "common/https.h"
#include "common/https_linger.h"
#include "common/https_req.h"
#include "common/https_tls.h"
#include "common/https_wire.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"

enum {
	BODY_MAX_DEFAULT = 1 << 20,
	HEADERS_MAX = 64 << 10,
	SLACK = 64 << 10 /* chunk sizes and trailers beside head and body */
};

/** A connection; owned by its wire, and so by evhttp's bufferevent */
struct conn {
	struct conn *next, **backp;
	struct https_server *server;
	struct https_wire *wire;
	struct timer *idle;
	struct pending *pending; /* the request that waits for its answer */
	int linger_fd;           /* -1: it is closed with the connection */
	bool is_answering;       /* what evhttp writes now is our answer */
	bool is_malformed;       /* said once a connection */
};

/** A request between its arrival and its answer, owned by the server. The
 * connection may go first. */
struct pending {
	struct pending *next, **backp;
	struct https_server *server;
	struct conn *conn; /* NULL: the client is gone */
	struct https_req *req;
	struct event *gone_ev;
	bool is_held;
};

struct https_server {
	struct element *el;
	const struct https_route *routes;
	void *arg;
	SSL_CTX *ctx;
	struct evhttp *http;
	struct conn *conns;
	struct pending *pendings;
	struct https_lingers *lingers;
	size_t body_max;
	bool is_closing;
	char addr[ADDR_TEXT_LEN];
};

#define LIST_ADD(first, one)                                                   \
	do {                                                                   \
		(one)->next = (first);                                         \
		(one)->backp = &(first);                                       \
		if (first)                                                     \
			(first)->backp = &(one)->next;                         \
		(first) = (one);                                               \
	} while (0)

#define LIST_DEL(one)                                                          \
	do {                                                                   \
		*(one)->backp = (one)->next;                                   \
		if ((one)->next)                                               \
			(one)->next->backp = (one)->backp;                     \
	} while (0)

/* ---- a connection ---- */

static void keep_for_linger(struct conn *conn)
{
	int fd = https_wire_fd(conn->wire);

	if (conn->linger_fd < 0 && fd >= 0)
		conn->linger_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static void note_malformed(struct conn *conn, const char *reason, int status)
{
	const char *peer = https_wire_remote(conn->wire);

	if (conn->is_malformed)
		return;

	conn->is_malformed = true;
	log_warn("https %s: from %s: %s, %s", conn->server->addr, peer, reason,
		 status ? "refused" : "closed");
	trace_event(conn->server->el->trace, "https.malformed",
		    json_pack("{s:s, s:s, s:i}", "peer", peer, "reason", reason,
			      "status", status));
}

static const char *fault_of(int status)
{
	switch (status) {
	case 413:
		return "a body longer than allowed, or a bad chunk";
	case 417:
		return "an Expect that is not known";
	case 501:
		return "a method that is not known";
	default:
		return "what came is not an HTTP request";
	}
}

/* An answer that no handler gave is evhttp's refusal of what it could not
 * read. It is traced behind what it refuses. */
static void on_message(enum trace_dir dir, const char *data, size_t len,
		       bool is_whole, void *arg)
{
	struct conn *conn = arg;
	int status = 0;

	if (dir == TRACE_RECV && !is_whole)
		note_malformed(conn, "a request was cut short", 0);
	if (dir == TRACE_RECV || len < 12)
		return;

	status = (int)strtol(data + 9, NULL, 10);
	if (status < 200 || conn->is_answering) {
		conn->is_answering = conn->is_answering && status < 200;
		return;
	}
	note_malformed(conn, fault_of(status), status);
	https_wire_end(conn->wire, TRACE_RECV);
	keep_for_linger(conn);
}

static void on_refused(void *arg)
{
	struct conn *conn = arg;
	const char *peer = https_wire_remote(conn->wire);
	const char *why = https_wire_why(conn->wire);

	log_warn("https %s: refused %s: %s", conn->server->addr, peer, why);
	trace_event(conn->server->el->trace, "https.refused",
		    json_pack("{s:s, s:s}", "peer", peer, "reason", why));
	/* a TLS 1.3 client has sent its request by now */
	keep_for_linger(conn);
}

static void conn_free(struct conn *conn)
{
	LIST_DEL(conn);
	timer_free(conn->idle);
	free(conn);
}

static void on_closed(void *arg)
{
	struct conn *conn = arg;

	if (conn->linger_fd >= 0)
		https_lingers_add(conn->server->lingers, conn->linger_fd);
	conn_free(conn);
}

static const struct https_wire_ops wire_ops = { .message = on_message,
						.refused = on_refused,
						.closed = on_closed };

/* From the connection's begin, or the last answer, a request must be whole in
 * time, however slowly its bytes drip */
static void on_idle(void *arg)
{
	struct conn *conn = arg;

	if (!https_wire_is_open(conn->wire) ||
	    https_wire_is_within(conn->wire, TRACE_RECV))
		note_malformed(conn, "no whole request came in time", 0);
	https_wire_close(conn->wire);
}

static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
	struct https_server *server = arg;
	size_t max = server->body_max + HEADERS_MAX + SLACK;
	struct conn *conn = xcalloc(1, sizeof(*conn));
	struct https_wire_cfg cfg = { .trace = server->el->trace,
				      .base = base,
				      .is_server = true,
				      .message_max = max,
				      .ops = &wire_ops,
				      .arg = conn };
	struct bufferevent *bev;

	conn->server = server;
	conn->linger_fd = -1;
	conn->idle = timer_new(server->el->loop, on_idle, conn);
	timer_start_ms(conn->idle, timer_value_ms(TIMER_HTTPS_IDLE));
	LIST_ADD(server->conns, conn);
	bev = https_wire_new(&conn->wire, server->ctx, &cfg);
	/* while an answer is written evhttp reads on without a bound */
	bufferevent_setwatermark(bev, EV_READ, 0, max);

	return bev;
}

/* ---- a request ---- */

static void pending_free(struct pending *p)
{
	LIST_DEL(p);
	if (p->gone_ev)
		event_free(p->gone_ev);
	if (p->conn)
		p->conn->pending = NULL;
	free(p);
}

/* Called while evhttp still counts the request as unanswered */
static void on_answered(struct https_req *req, void *arg)
{
	struct pending *p = arg;
	struct conn *conn = p->conn;

	(void)req;
	if (conn) {
		conn->is_answering = true;
		timer_start_ms(conn->idle, timer_value_ms(TIMER_HTTPS_IDLE));
	}
	pending_free(p);
}

static bool is_path(const struct https_route *route, const char *path)
{
	size_t len = strlen(route->path);

	if (len > 0 && route->path[len - 1] == '/')
		return !strncmp(path, route->path, len);

	return !strcmp(path, route->path);
}

/* No route: 405 with what is allowed (RFC 9110 15.5.6), or 404 */
static void refuse(struct https_server *server, struct https_req *req)
{
	const char *path = https_req_path(req);
	char *allow = NULL;

	for (const struct https_route *r = server->routes; r->method; r++) {
		char *more;

		if (!is_path(r, path))
			continue;

		more = xasprintf("%s%s%s", allow ? allow : "",
				 allow ? ", " : "", r->method);
		free(allow);
		allow = more;
	}
	if (allow) {
		https_req_add_header(req, "Allow", allow);
		https_reply_error(req, 405, "%s is not for %s; allowed: %s",
				  https_req_method(req), path, allow);
	} else {
		https_reply_error(req, 404, "nothing is at %s", path);
	}
	free(allow);
}

/* Where the next request begins is not known, or not to be trusted */
static void refuse_fault(struct pending *p, int status, const char *reason)
{
	note_malformed(p->conn, reason, status);
	https_req_add_header(p->req, "Connection", "close");
	https_reply_error(p->req, status, "%s", reason);
}

static void dispatch(struct pending *p)
{
	struct https_server *server = p->server;
	struct https_req *req = p->req;
	char *reason = NULL;
	int status = https_req_fault(req, &reason);

	if (status) {
		refuse_fault(p, status, reason);
		free(reason);
		return;
	}
	for (const struct https_route *r = server->routes; r->method; r++) {
		if (!strcmp(r->method, https_req_method(req)) &&
		    is_path(r, https_req_path(req))) {
			r->cb(req, server->arg);
			return;
		}
	}
	refuse(server, req);
}

static void on_hold_done(bool is_dropped, void *arg)
{
	struct pending *p = arg;

	p->is_held = false;
	if (is_dropped) {
		https_req_free(p->req);
		pending_free(p);
		return;
	}
	dispatch(p);
}

/* The client is gone before its answer */
static void leave(struct pending *p)
{
	struct https_server *server = p->server;
	struct evhttp_request *ev = https_req_ev(p->req);

	/* evhttp took it out of its connection, and leaves it to us */
	if (!evhttp_request_get_connection(ev))
		evhttp_request_free(ev);
	p->conn->pending = NULL;
	p->conn = NULL;
	if (p->gone_ev)
		event_free(p->gone_ev);
	p->gone_ev = NULL;
	if (server->is_closing)
		return;

	log_info("https %s: the client of %s %s is gone before its answer",
		 server->addr, https_req_method(p->req),
		 https_req_path(p->req));
	if (p->is_held) {
		hold_drop_of(server->el->hold, p);
	} else if (https_req_leave(p->req)) {
		https_req_free(p->req);
		pending_free(p);
	}
}

static void on_evcon_close(struct evhttp_connection *evcon, void *arg)
{
	struct conn *conn = arg;

	(void)evcon;
	if (conn->pending)
		leave(conn->pending);
	https_wire_bye(conn->wire);
}

/* While a request waits evhttp does not read; to learn that the client closed
 * its end, the socket is watched for that alone */
static void on_gone(evutil_socket_t fd, short what, void *arg)
{
	const struct pending *p = arg;

	(void)fd;
	(void)what;
	evhttp_connection_free(
		evhttp_request_get_connection(https_req_ev(p->req)));
}

static void watch_gone(struct pending *p)
{
	p->gone_ev =
		event_new(loop_base(p->server->el->loop),
			  https_wire_fd(p->conn->wire), EV_CLOSED, on_gone, p);
	event_add(p->gone_ev, NULL);
}

static void on_request(struct evhttp_request *evreq, void *arg)
{
	struct https_server *server = arg;
	struct evhttp_connection *evcon = evhttp_request_get_connection(evreq);
	struct conn *conn =
		https_wire_owner(evhttp_connection_get_bufferevent(evcon));
	struct pending *p = xcalloc(1, sizeof(*p));
	char *what;

	timer_stop(conn->idle);
	p->server = server;
	p->conn = conn;
	p->req = https_req_new(evreq,
			       https_tls_peer_name(https_wire_ssl(conn->wire)),
			       on_answered, p);
	conn->pending = p;
	LIST_ADD(server->pendings, p);
	evhttp_connection_set_closecb(evcon, on_evcon_close, conn);
	watch_gone(p);

	what = xasprintf("http %s %s", https_req_method(p->req),
			 https_req_path(p->req));
	p->is_held = hold_message(server->el->hold, what, on_hold_done, p);
	free(what);
	if (!p->is_held)
		dispatch(p);
}

/* ---- the server ---- */

static int listen_at(struct https_server *server, const char *text,
		     char **reasonp)
{
	struct evhttp_bound_socket *bound;
	char host[ADDR_TEXT_LEN];
	struct addr addr;

	if (addr_parse(&addr, text)) {
		*reasonp = xasprintf("https: \"%s\" is no address to listen "
				     "at; write IP:PORT, like 127.0.0.1:8443",
				     text);
		return EINVAL;
	}

	errno = 0;
	bound = evhttp_bind_socket_with_handle(server->http,
					       addr_host(host, &addr),
					       (uint16_t)addr_port(&addr));
	if (!bound) {
		int err = errno ? errno : EIO;

		*reasonp = xasprintf("https: cannot listen at %s: %s", text,
				     strerror(err));
		return err;
	}
	addr_local(&addr, evhttp_bound_socket_get_fd(bound));
	addr_format(server->addr, &addr);

	return 0;
}

/* All methods come to us, so that a known path is answered 405, not 501 */
static void set_up(struct https_server *server)
{
	enum {
		METHODS = EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
			  EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
			  EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH
	};

	evhttp_set_allowed_methods(server->http, METHODS);
	evhttp_set_max_headers_size(server->http, HEADERS_MAX);
	evhttp_set_max_body_size(server->http, (ev_ssize_t)server->body_max);
	evhttp_set_default_content_type(server->http, NULL);
	evhttp_set_bevcb(server->http, on_accept, server);
	evhttp_set_gencb(server->http, on_request, server);
}

/**
 * Listen, and give requests to their routes
 *
 * @param sp      The server, written on success
 * @param el      Its loop, trace and hold queue are used
 * @param cfg     Address, files, bound
 * @param routes  Borrowed for the server's life
 * @param arg     Of the routes' callbacks
 * @param reasonp On failure: what, where; the caller's to free
 *
 * @return 0; EINVAL for an address or file that cannot be used; EADDRINUSE
 *         and what else bind() gives
 */
int https_server_new(struct https_server **sp, struct element *el,
		     const struct https_server_cfg *cfg,
		     const struct https_route *routes, void *arg,
		     char **reasonp)
{
	struct https_server *server = xcalloc(1, sizeof(*server));
	int err = EINVAL;

	server->el = el;
	server->routes = routes;
	server->arg = arg;
	server->body_max = cfg->body_max ? cfg->body_max : BODY_MAX_DEFAULT;
	server->lingers = https_lingers_new(el->loop);
	server->ctx = https_tls_server(cfg->cert_file, cfg->ca_file, reasonp);
	if (!server->ctx)
		goto out;

	server->http = evhttp_new(loop_base(el->loop));
	if (!server->http)
		abort(); /* out of memory */
	set_up(server);
	err = listen_at(server, cfg->listen, reasonp);

out:
	if (err)
		https_server_free(server);
	else
		*sp = server;

	return err;
}

static void drop_pendings(struct https_server *server)
{
	struct pending *next;

	for (struct pending *p = server->pendings; p; p = next) {
		next = p->next;
		if (p->is_held) {
			hold_drop_of(server->el->hold, p);
		} else {
			https_req_free(p->req);
			pending_free(p);
		}
	}
}

/* libevent frees what is below a connection on a later turn */
static void drop_conns(struct https_server *server)
{
	struct conn *next;

	for (struct conn *conn = server->conns; conn; conn = next) {
		next = conn->next;
		https_wire_leave(conn->wire);
		if (conn->linger_fd >= 0)
			close(conn->linger_fd);
		conn_free(conn);
	}
}

/** Close all connections. A request not yet answered is gone, and its handler
 * is not told: nothing may be done with it any more. */
struct https_server *https_server_free(struct https_server *server)
{
	if (!server)
		return NULL;

	server->is_closing = true;
	if (server->http)
		evhttp_free(server->http);
	drop_pendings(server);
	drop_conns(server);
	https_lingers_free(server->lingers);
	SSL_CTX_free(server->ctx);
	free(server);

	return NULL;
}

/** Where it listens, with the real port */
const char *https_server_addr(const struct https_server *server)
{
	return server->addr;
}
