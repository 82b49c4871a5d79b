/* The HTTPS server's connections: from accept to close, and what is refused
 * before it is a request */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/element.h"
#include "common/https_linger.h"
#include "common/https_server_core.h"
#include "common/https_wire.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"

enum { SLACK = 64 << 10 /* chunk sizes and trailers beside head and body */ };

static void keep_for_linger(struct https_conn *conn)
{
	int fd = https_wire_fd(conn->wire);

	if (conn->linger_fd < 0 && fd >= 0)
		conn->linger_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/**
 * Log and trace, once a connection, that what came cannot be used
 *
 * @param status What it is answered with; 0: it is closed without an answer
 */
void https_conn_malformed(struct https_conn *conn, const char *reason,
			  int status)
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
	struct https_conn *conn = arg;
	int status = 0;

	if (dir == TRACE_RECV && !is_whole)
		https_conn_malformed(conn, "a request was cut short", 0);
	if (dir == TRACE_RECV || len < 12)
		return;

	status = (int)strtol(data + 9, NULL, 10);
	if (status < 200 || conn->is_answering) {
		conn->is_answering = conn->is_answering && status < 200;
		return;
	}
	https_conn_malformed(conn, fault_of(status), status);
	https_wire_end(conn->wire, TRACE_RECV);
	keep_for_linger(conn);
}

static void on_refused(void *arg)
{
	struct https_conn *conn = arg;
	const char *peer = https_wire_remote(conn->wire);
	const char *why = https_wire_why(conn->wire);

	log_warn("https %s: refused %s: %s", conn->server->addr, peer, why);
	trace_event(conn->server->el->trace, "https.refused",
		    json_pack("{s:s, s:s}", "peer", peer, "reason", why));
	/* a TLS 1.3 client has sent its request by now */
	keep_for_linger(conn);
}

static void conn_free(struct https_conn *conn)
{
	HTTPS_LIST_DEL(conn);
	timer_free(conn->idle);
	free(conn);
}

static void on_closed(void *arg)
{
	struct https_conn *conn = arg;

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
	struct https_conn *conn = arg;

	if (!https_wire_is_open(conn->wire) ||
	    https_wire_is_within(conn->wire, TRACE_RECV))
		https_conn_malformed(conn, "no whole request came in time", 0);
	https_wire_close(conn->wire);
}

/** evhttp asks for a connection's bufferevent; arg is the server */
struct bufferevent *https_conn_accept(struct event_base *base, void *arg)
{
	struct https_server *server = arg;
	size_t max = server->body_max + HTTPS_HEADERS_MAX + SLACK;
	struct https_conn *conn = xcalloc(1, sizeof(*conn));
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
	HTTPS_LIST_ADD(server->conns, conn);
	bev = https_wire_new(&conn->wire, server->ctx, &cfg);
	/* while an answer is written evhttp reads on without a bound */
	bufferevent_setwatermark(bev, EV_READ, 0, max);

	return bev;
}

/** The server goes away; libevent frees what is below a connection on a later
 * turn */
void https_conn_drop_all(struct https_server *server)
{
	struct https_conn *next;

	for (struct https_conn *conn = server->conns; conn; conn = next) {
		next = conn->next;
		https_wire_leave(conn->wire);
		if (conn->linger_fd >= 0)
			close(conn->linger_fd);
		conn_free(conn);
	}
}
