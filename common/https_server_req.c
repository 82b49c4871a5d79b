/* A request at the HTTPS server between its arrival and its answer: held,
 * given to its route, or without a client any more */
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/http.h>

#include "common/element.h"
#include "common/hold.h"
#include "common/https_req.h"
#include "common/https_server_core.h"
#include "common/https_tls.h"
#include "common/https_wire.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"

static void pending_free(struct https_pending *p)
{
	HTTPS_LIST_DEL(p);
	if (p->gone_ev)
		event_free(p->gone_ev);
	if (p->conn)
		p->conn->pending = NULL;
	free(p);
}

/* Called while evhttp still counts the request as unanswered */
static void on_answered(struct https_req *req, void *arg)
{
	struct https_pending *p = arg;
	struct https_conn *conn = p->conn;

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
static void refuse_fault(struct https_pending *p, int status,
			 const char *reason)
{
	https_conn_malformed(p->conn, reason, status);
	https_req_add_header(p->req, "Connection", "close");
	https_reply_error(p->req, status, "%s", reason);
}

static void dispatch(struct https_pending *p)
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
	struct https_pending *p = arg;

	p->is_held = false;
	if (is_dropped) {
		https_req_free(p->req);
		pending_free(p);
		return;
	}
	dispatch(p);
}

/* The client is gone before its answer */
static void leave(struct https_pending *p)
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
	struct https_conn *conn = arg;

	(void)evcon;
	if (conn->pending)
		leave(conn->pending);
	https_wire_bye(conn->wire);
}

/* While a request waits evhttp does not read; to learn that the client closed
 * its end, the socket is watched for that alone */
static void on_gone(evutil_socket_t fd, short what, void *arg)
{
	const struct https_pending *p = arg;

	(void)fd;
	(void)what;
	evhttp_connection_free(
		evhttp_request_get_connection(https_req_ev(p->req)));
}

static void watch_gone(struct https_pending *p)
{
	p->gone_ev =
		event_new(loop_base(p->server->el->loop),
			  https_wire_fd(p->conn->wire), EV_CLOSED, on_gone, p);
	event_add(p->gone_ev, NULL);
}

/** evhttp has read a request; arg is the server */
void https_pending_rx(struct evhttp_request *evreq, void *arg)
{
	struct https_server *server = arg;
	struct evhttp_connection *evcon = evhttp_request_get_connection(evreq);
	struct https_conn *conn =
		https_wire_owner(evhttp_connection_get_bufferevent(evcon));
	struct https_pending *p = xcalloc(1, sizeof(*p));
	char *what;

	timer_stop(conn->idle);
	p->server = server;
	p->conn = conn;
	p->req = https_req_new(evreq,
			       https_tls_peer_name(https_wire_ssl(conn->wire)),
			       on_answered, p);
	conn->pending = p;
	HTTPS_LIST_ADD(server->pendings, p);
	evhttp_connection_set_closecb(evcon, on_evcon_close, conn);
	watch_gone(p);

	what = xasprintf("http %s %s", https_req_method(p->req),
			 https_req_path(p->req));
	p->is_held =
		hold_message(server->el->hold, what,
			     https_wire_remote(conn->wire), on_hold_done, p);
	free(what);
	if (!p->is_held)
		dispatch(p);
}

/** The server goes away: nobody is told */
void https_pending_drop_all(struct https_server *server)
{
	struct https_pending *next;

	for (struct https_pending *p = server->pendings; p; p = next) {
		next = p->next;
		if (p->is_held) {
			hold_drop_of(server->el->hold, p);
		} else {
			https_req_free(p->req);
			pending_free(p);
		}
	}
}
