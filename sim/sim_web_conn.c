#include "sim/sim_web_conn.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/addr.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/stream.h"
#include "common/timer.h"
#include "sim/sim_label.h"

enum {
	CONNS_MAX = 64,
	UNSENT_MAX = 1 << 20 /* a browser in use is far below */
};

enum conn_state {
	CONN_REQUESTS, /* reads one after the other */
	CONN_EVENTS,   /* is sent events; what it says is not heard */
	CONN_CLOSING   /* was refused, and closes once it has read that */
};

/** Owned by the conns it is in */
struct sim_web_conn {
	struct sim_web_conn *next, **backp;
	struct sim_web_conns *conns;
	struct stream *stream;
	struct timer *idle;
	enum conn_state state;
	bool has_begun; /* a request, and not ended it */
};

/** The page's server; owned by sim_web */
struct sim_web_conns {
	struct loop *loop;
	struct stream_listener *listener;
	struct timer *keep_alive;
	struct sim_web_conn *first;
	size_t n;
	char *csp;
	struct addr at;
	char addr[ADDR_TEXT_LEN];
	sim_web_request_cb *cb;
	void *arg;
};

static void conn_free(struct sim_web_conn *conn)
{
	*conn->backp = conn->next;
	if (conn->next)
		conn->next->backp = conn->backp;
	conn->conns->n--;
	timer_free(conn->idle);
	stream_free(conn->stream);
	free(conn);
}

/* --- answers --- */

static const char *phrase_of(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = {
		{ 200, "OK" },
		{ 400, "Bad Request" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++) {
		if (phrases[i].status == status)
			return phrases[i].phrase;
	}

	return "Error";
}

static void put_head(struct sim_web_conn *conn, int status, const char *type,
		     const char *more)
{
	char *head = xasprintf("HTTP/1.1 %d %s\r\n"
			       "Content-Type: %s\r\n"
			       "Content-Security-Policy: %s\r\n"
			       "X-Content-Type-Options: nosniff\r\n"
			       "Cross-Origin-Resource-Policy: same-origin\r\n"
			       "Referrer-Policy: no-referrer\r\n"
			       "Cache-Control: no-store\r\n"
			       "%s\r\n",
			       status, phrase_of(status), type,
			       conn->conns->csp, more);

	stream_write(conn->stream, head, strlen(head));
	free(head);
}

void sim_web_answer(struct sim_web_conn *conn, const struct sim_web_answer *a)
{
	char *more = xasprintf(
		"Content-Length: %zu\r\n%s%s", a->len,
		conn->state == CONN_CLOSING ? "Connection: close\r\n" : "",
		a->extra ? a->extra : "");

	put_head(conn, a->status, a->type, more);
	stream_write(conn->stream, a->body, a->len);
	free(more);
}

void sim_web_answer_error(struct sim_web_conn *conn, int status,
			  const char *extra, const char *error)
{
	json_t *json = json_pack("{s:o}", "error", sim_label_text_json(error));
	char *text = json_dumps(json, JSON_COMPACT);
	const struct sim_web_answer a = { .status = status,
					  .type = "application/json",
					  .extra = extra,
					  .body = text,
					  .len = strlen(text) };

	sim_web_answer(conn, &a);
	json_decref(json);
	free(text);
}

/* Nothing that follows can be read as a request. To close at once could take
 * the answer back: what the peer still sends would be answered by a reset */
static void refuse(struct sim_web_conn *conn, int status, const char *error)
{
	log_warn("web %s: refused: %s", conn->conns->addr, error);
	conn->state = CONN_CLOSING;
	sim_web_answer_error(conn, status, NULL, error);
	timer_start_ms(conn->idle, timer_value_ms(TIMER_WEB_IDLE));
}

void sim_web_conn_stream(struct sim_web_conn *conn, const char *text,
			 size_t len)
{
	conn->state = CONN_EVENTS;
	timer_stop(conn->idle);
	put_head(conn, 200, "text/event-stream", "Connection: close\r\n");
	stream_write(conn->stream, text, len);
}

/* --- connections --- */

static void on_idle(void *arg)
{
	struct sim_web_conn *conn = arg;

	if (conn->state == CONN_REQUESTS && conn->has_begun)
		refuse(conn, 408, "no whole request came in time");
	else
		conn_free(conn);
}

static void give(struct sim_web_conn *conn, const struct sim_web_request *req)
{
	struct sim_web_conns *conns = conn->conns;
	struct sim_web_refusal no;

	if (!sim_web_request_is_own(req, &conns->at, &no))
		sim_web_answer_error(conn, no.status, NULL, no.error);
	else
		conns->cb(conn, req, conns->arg);
}

static ssize_t on_rx(const uint8_t *data, size_t len, void *arg)
{
	struct sim_web_conn *conn = arg;
	struct sim_web_request req;
	struct sim_web_refusal no;
	ssize_t took;

	if (conn->state != CONN_REQUESTS)
		return (ssize_t)len;
	/* it asks, and does not read the answers */
	if (stream_unsent(conn->stream) > UNSENT_MAX)
		return -1;

	took = sim_web_request_read(&req, data, len, &no);
	if (took < 0) {
		refuse(conn, no.status, no.error);
		return (ssize_t)len;
	}
	conn->has_begun = !took;
	if (!took)
		return 0;

	timer_start_ms(conn->idle, timer_value_ms(TIMER_WEB_IDLE));
	give(conn, &req);
	sim_web_request_free(&req);

	return took;
}

static void on_end(int err, void *arg)
{
	(void)err;
	conn_free(arg);
}

static const struct stream_ops ops = { NULL, on_rx, on_end };

static void on_accept(struct stream *stream, void *arg)
{
	struct sim_web_conns *conns = arg;
	struct sim_web_conn *conn;
	struct addr peer;

	addr_peer(&peer, stream_fd(stream));
	if (!sim_web_is_loopback(&peer)) {
		stream_free(stream);
		return;
	}

	conn = xcalloc(1, sizeof(*conn));
	conn->conns = conns;
	conn->stream = stream;
	conn->idle = timer_new_real(conns->loop, on_idle, conn);
	timer_start_ms(conn->idle, timer_value_ms(TIMER_WEB_IDLE));
	conn->next = conns->first;
	conn->backp = &conns->first;
	if (conn->next)
		conn->next->backp = &conn->next;
	conns->first = conn;
	stream_set_ops(stream, &ops, conn);
	if (++conns->n > CONNS_MAX) {
		refuse(conn, 503, "there are too many connections");
		conn_free(conn);
	}
}

void sim_web_conns_send(struct sim_web_conns *conns, const char *text,
			size_t len)
{
	struct sim_web_conn *next;

	for (struct sim_web_conn *conn = conns->first; conn; conn = next) {
		next = conn->next;
		if (conn->state != CONN_EVENTS)
			continue;
		if (stream_unsent(conn->stream) > UNSENT_MAX) {
			log_warn("web %s: a browser does not read, dropped",
				 conns->addr);
			conn_free(conn);
		} else {
			stream_write(conn->stream, text, len);
		}
	}
}

size_t sim_web_conns_stream_count(const struct sim_web_conns *conns)
{
	size_t n = 0;

	for (const struct sim_web_conn *c = conns->first; c; c = c->next)
		n += c->state == CONN_EVENTS;

	return n;
}

/* A comment, so that neither end thinks the other one dead */
static void on_keep_alive(void *arg)
{
	struct sim_web_conns *conns = arg;
	static const char comment[] = ": still here\n\n";

	sim_web_conns_send(conns, comment, sizeof(comment) - 1);
	timer_start_ms(conns->keep_alive, timer_value_ms(TIMER_WEB_KEEP_ALIVE));
}

/* --- the server --- */

static int check_address(struct addr *addr, const char *listen, char **reasonp)
{
	if (addr_parse(addr, listen)) {
		*reasonp = xasprintf("\"%s\" is no address for the page; write "
				     "IP:PORT, like 127.0.0.1:0",
				     listen);
		return EINVAL;
	}
	if (!sim_web_is_loopback(addr)) {
		*reasonp = xasprintf("the page is for this machine alone, not "
				     "for %s: use 127.0.0.1 or [::1]",
				     listen);
		return EINVAL;
	}

	return 0;
}

int sim_web_conns_new(struct sim_web_conns **cp, struct loop *loop,
		      const char *listen, const char *csp, char **reasonp)
{
	struct sim_web_conns *conns;
	struct addr addr;
	int err = check_address(&addr, listen, reasonp);

	if (err)
		return err;

	conns = xcalloc(1, sizeof(*conns));
	conns->loop = loop;
	err = stream_listen(&conns->listener, loop, &addr, on_accept, conns);
	if (err) {
		*reasonp = xasprintf("cannot listen at %s for the page: %s",
				     listen, strerror(err));
		free(conns);
		return err;
	}
	stream_listener_addr(conns->listener, &conns->at);
	addr_format(conns->addr, &conns->at);
	conns->csp = xstrdup(csp);
	conns->keep_alive = timer_new_real(loop, on_keep_alive, conns);
	timer_start_ms(conns->keep_alive, timer_value_ms(TIMER_WEB_KEEP_ALIVE));
	*cp = conns;

	return 0;
}

/** Close all; what was sent and the sockets take at once still arrives */
struct sim_web_conns *sim_web_conns_free(struct sim_web_conns *conns)
{
	struct sim_web_conn *next;

	if (!conns)
		return NULL;

	for (struct sim_web_conn *conn = conns->first; conn; conn = next) {
		next = conn->next;
		conn_free(conn);
	}
	stream_unlisten(conns->listener);
	timer_free(conns->keep_alive);
	free(conns->csp);
	free(conns);

	return NULL;
}

void sim_web_conns_on_request(struct sim_web_conns *conns,
			      sim_web_request_cb *cb, void *arg)
{
	conns->cb = cb;
	conns->arg = arg;
}

const char *sim_web_conns_addr(const struct sim_web_conns *conns)
{
	return conns->addr;
}
