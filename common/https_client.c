#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

#include "common/element.h"
#include "common/hold.h"
#include "common/https.h"
#include "common/https_tls.h"
#include "common/https_url.h"
#include "common/https_wire.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"

enum { HEADERS_MAX = 64 << 10, BODY_MAX = 64 << 20, DAY_S = 86400 };

/** Owned by its role */
struct https_client {
	struct element *el;
	SSL_CTX *ctx;
	char *bind;
	struct call *calls;
};

/** A request on its way, with a connection of its own. Owned by its client
 * until it is done, then by what was deferred. */
struct call {
	struct call *next, **backp;
	struct https_client *client; /* NULL: it is gone, and so is cb */
	char *method, *url;
	struct https_wire *wire;
	struct evhttp_connection *evcon;
	struct timer *timer;
	enum evhttp_request_error fault;
	bool has_fault;
	bool is_done; /* finish() will be called from the loop */
	bool is_held;
	int status, retry_after_s;
	char *error, *body;
	size_t len;
	int early_status; /* of an answer to a request not yet sent whole */
	char *early_body;
	https_resp_cb *cb;
	void *arg;
};

static void unlink_call(struct call *call)
{
	if (!call->client)
		return;

	*call->backp = call->next;
	if (call->next)
		call->next->backp = call->backp;
	call->client = NULL;
}

static void drop_connection(struct call *call)
{
	call->timer = timer_free(call->timer);
	if (!call->evcon)
		return;

	/* an answer that was begun is traced as far as it came */
	https_wire_end(call->wire, TRACE_RECV);
	https_wire_bye(call->wire);
	https_wire_leave(call->wire);
	evhttp_connection_free(call->evcon);
	call->evcon = NULL;
	call->wire = NULL;
}

static void call_free(struct call *call)
{
	drop_connection(call);
	unlink_call(call);
	free(call->method);
	free(call->url);
	free(call->error);
	/* an answer may hold a secret: not left behind in freed memory */
	if (call->body)
		explicit_bzero(call->body, call->len);
	free(call->body);
	free(call->early_body);
	free(call);
}

static void deliver(struct call *call)
{
	struct https_resp resp = { .status = call->status,
				   .error = call->error,
				   .body = call->body ? call->body : "",
				   .len = call->len,
				   .retry_after_s = call->retry_after_s };

	/* the callback may free the client */
	unlink_call(call);
	call->cb(&resp, call->arg);
	call_free(call);
}

static void on_hold_done(bool is_dropped, void *arg)
{
	struct call *call = arg;

	call->is_held = false;
	if (is_dropped)
		call_free(call);
	else
		deliver(call);
}

/* From the loop: evhttp and the caller have unwound */
static void finish(void *arg)
{
	struct call *call = arg;
	struct element *el;
	char *what;

	if (!call->client) {
		call_free(call);
		return;
	}

	el = call->client->el;
	drop_connection(call);
	if (call->error) {
		log_warn("https: %s %s", call->method, call->error);
		trace_event(el->trace, "https.failed",
			    json_pack("{s:s, s:s, s:s}", "method", call->method,
				      "url", call->url, "reason", call->error));
		deliver(call);
		return;
	}
	what = xasprintf("http %d to %s %s", call->status, call->method,
			 call->url);
	call->is_held = hold_message(el->hold, what, on_hold_done, call);
	free(what);
	if (!call->is_held)
		deliver(call);
}

static void done(struct call *call)
{
	if (call->is_done)
		return;

	call->is_done = true;
	loop_defer(call->client->el->loop, finish, call);
}

__attribute__((format(printf, 2, 3))) static void fail(struct call *call,
						       const char *fmt, ...)
{
	va_list ap;
	char *why;

	if (call->is_done)
		return;

	va_start(ap, fmt);
	why = xvasprintf(fmt, ap);
	va_end(ap);
	call->error = xasprintf("%s: %s", call->url, why);
	free(why);
	done(call);
}

/* ---- the connection's outcome ---- */

static void on_timeout(void *arg)
{
	fail(arg, "no answer within %" PRId64 " ms",
	     timer_value_ms(TIMER_HTTPS_REQUEST));
}

static void on_fault(enum evhttp_request_error fault, void *arg)
{
	struct call *call = arg;

	call->fault = fault;
	call->has_fault = true;
}

/* Bytes came, and evhttp could not read them as an answer */
static bool fail_of_answer(struct call *call)
{
	if (call->has_fault && call->fault == EVREQ_HTTP_DATA_TOO_LONG)
		fail(call, "the answer is longer than %d bytes, or broken",
		     (int)BODY_MAX);
	else if (call->has_fault && call->fault != EVREQ_HTTP_EOF)
		fail(call, "the answer is not HTTP/1.1");
	else if (https_wire_is_within(call->wire, TRACE_RECV))
		fail(call, "the answer was cut short: the server closed the "
			   "connection");
	else
		return false;

	return true;
}

/* A cut answer is noted. So is a refusal: a server may give it before it has
 * the request whole, and close (413). evhttp takes no answer while it still
 * sends (RFC 9112 9.5 asks clients to). */
static void on_message(enum trace_dir dir, const char *data, size_t len,
		       bool is_whole, void *arg)
{
	struct call *call = arg;
	const char *body;
	long status;

	if (dir == TRACE_RECV && !is_whole)
		trace_event(call->client->el->trace, "https.malformed",
			    json_pack("{s:s, s:s}", "url", call->url, "reason",
				      "an answer was cut short"));
	if (dir != TRACE_RECV || !is_whole || len < sizeof("HTTP/1.1 413"))
		return;

	status = strtol(data + sizeof("HTTP/1.1"), NULL, 10);
	body = memmem(data, len, "\r\n\r\n", 4);
	if (strncmp(data, "HTTP/1.", 7) != 0 || status < 400 || status > 599 ||
	    !body)
		return;

	body += 4;
	free(call->early_body);
	call->early_status = (int)status;
	call->early_body = xmemdup(body, len - (size_t)(body - data));
}

static bool take_early(struct call *call)
{
	if (!call->early_status ||
	    (call->has_fault && call->fault != EVREQ_HTTP_EOF))
		return false;

	call->status = call->early_status;
	call->body = call->early_body;
	call->len = strlen(call->body);
	call->early_body = NULL;
	done(call);

	return true;
}

static void fail_of_connection(struct call *call, int errnum)
{
	const char *why = https_wire_why(call->wire);

	if (take_early(call))
		return;

	if (!https_wire_remote(call->wire)[0])
		fail(call, "%s",
		     *why ? why : strerror(errnum ? errnum : ENOTCONN));
	else if (!https_wire_is_open(call->wire))
		fail(call, "the TLS handshake failed: %s",
		     *why ? why : "the server closed the connection");
	/* in TLS 1.3 a server judges the client's certificate when the client
	 * has long finished: the refusal comes in place of the answer */
	else if (*why)
		fail(call, "%s", why);
	else if (!fail_of_answer(call))
		fail(call, "the server closed the connection without an "
			   "answer");
}

static void take_answer(struct call *call, struct evhttp_request *evreq)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(evreq);
	const char *retry = evhttp_find_header(
		evhttp_request_get_input_headers(evreq), "Retry-After");
	long after = retry ? strtol(retry, NULL, 10) : 0;

	call->status = evhttp_request_get_response_code(evreq);
	call->retry_after_s = after > 0 && after < DAY_S ? (int)after : 0;
	call->len = evbuffer_get_length(body);
	call->body = xcalloc(1, call->len + 1);
	(void)evbuffer_copyout(body, call->body, call->len);
	done(call);
}

/* NULL: it failed after the connection was made; a code of 0: before */
static void on_response(struct evhttp_request *evreq, void *arg)
{
	struct call *call = arg;
	int errnum = errno;

	if (call->is_done)
		return;

	timer_stop(call->timer);
	if (evreq && evhttp_request_get_response_code(evreq))
		take_answer(call, evreq);
	else
		fail_of_connection(call, errnum);
}

/* ---- sending ---- */

static struct evhttp_request *new_request(struct call *call,
					  const struct https_call *what,
					  const struct https_url *target)
{
	struct evhttp_request *evreq = evhttp_request_new(on_response, call);
	struct evkeyvalq *headers;
	char length[24];

	if (!evreq)
		abort(); /* out of memory */
	evhttp_request_set_error_cb(evreq, on_fault);
	headers = evhttp_request_get_output_headers(evreq);
	evhttp_add_header(headers, "Host", target->authority);
	evhttp_add_header(headers, "Connection", "close");
	if (what->type)
		evhttp_add_header(headers, "Content-Type", what->type);
	for (int i = 0; i + 1 < 8 && what->headers[i]; i += 2)
		if (evhttp_add_header(headers, what->headers[i],
				      what->headers[i + 1]))
			log_error("https: %s: the header %s has a bad value",
				  call->url, what->headers[i]);
	/* evhttp gives a length to POST and PUT alone */
	if (what->len) {
		snprintf(length, sizeof(length), "%zu", what->len);
		evhttp_add_header(headers, "Content-Length", length);
		evbuffer_add(evhttp_request_get_output_buffer(evreq),
			     what->body, what->len);
	}

	return evreq;
}

static void connect_to(struct call *call, const struct https_url *target)
{
	static const struct https_wire_ops ops = { .message = on_message };
	struct https_client *client = call->client;
	struct event_base *base = loop_base(client->el->loop);
	struct https_wire_cfg cfg = { .trace = client->el->trace,
				      .base = base,
				      .message_max = BODY_MAX + HEADERS_MAX,
				      .ops = &ops,
				      .arg = call };
	struct bufferevent *bev =
		https_wire_new(&call->wire, client->ctx, &cfg);

	(void)https_tls_expect(https_wire_ssl(call->wire), target->host);
	call->evcon = evhttp_connection_base_bufferevent_new(
		base, NULL, bev, target->host, (uint16_t)target->port);
	if (!call->evcon)
		abort(); /* out of memory */
	evhttp_connection_set_max_headers_size(call->evcon, HEADERS_MAX);
	evhttp_connection_set_max_body_size(call->evcon, BODY_MAX);
	evhttp_connection_set_retries(call->evcon, 0);
	/* its own bound of 45 s is of the machine's clock: ours is shorter,
	 * and of the testbed's */
	evhttp_connection_set_timeout(call->evcon, DAY_S);
	if (client->bind)
		evhttp_connection_set_local_address(call->evcon, client->bind);
	call->timer = timer_new(client->el->loop, on_timeout, call);
	timer_start_ms(call->timer, timer_value_ms(TIMER_HTTPS_REQUEST));
}

static void start(struct call *call, const struct https_call *what)
{
	struct https_url target = { .port = 0 };
	struct evhttp_request *evreq;
	enum evhttp_cmd_type type;

	if (https_method_read(&type, what->method)) {
		fail(call, "the method %s is not GET, POST, PUT or DELETE",
		     what->method);
		return;
	}
	if (https_url_read(&target, what->url)) {
		fail(call, "not a URL that can be called; write "
			   "https://IP:PORT/path");
		return;
	}

	connect_to(call, &target);
	evreq = new_request(call, what, &target);
	errno = 0;
	if (evhttp_make_request(call->evcon, evreq, type, target.path)) {
		evhttp_request_free(evreq);
		fail(call, "cannot be called from %s: %s",
		     call->client->bind ? call->client->bind : "here",
		     strerror(errno ? errno : ENOTCONN));
	}
	https_url_clear(&target);
}

/**
 * A client with its certificate and whom it trusts
 *
 * @param cp      The client, written on success
 * @param reasonp On failure: which file, what is wrong; the caller's to free
 *
 * @return 0, or EINVAL
 */
int https_client_new(struct https_client **cp, struct element *el,
		     const struct https_client_cfg *cfg, char **reasonp)
{
	struct https_client *client;
	SSL_CTX *ctx = https_tls_client(cfg->cert_file, cfg->ca_file, reasonp);

	if (!ctx)
		return EINVAL;

	client = xcalloc(1, sizeof(*client));
	client->el = el;
	client->ctx = ctx;
	client->bind = xstrdup(cfg->bind);
	*cp = client;

	return 0;
}

static void forget(struct https_client *client, struct call *call)
{
	if (call->is_held) {
		hold_drop_of(client->el->hold, call);
	} else if (call->is_done) {
		drop_connection(call);
		unlink_call(call); /* finish() frees it */
	} else {
		call_free(call);
	}
}

/** Forget all calls: their callbacks are not called any more */
struct https_client *https_client_free(struct https_client *client)
{
	struct call *next;

	if (!client)
		return NULL;

	for (struct call *call = client->calls; call; call = next) {
		next = call->next;
		forget(client, call);
	}
	SSL_CTX_free(client->ctx);
	free(client->bind);
	free(client);

	return NULL;
}

/**
 * Send a request on a connection of its own; it is never repeated
 *
 * @param cb  Called once, from the loop: with an answer, or with what went
 *            wrong and where, at the latest after TIMER_HTTPS_REQUEST
 * @param arg Callback argument
 */
void https_client_call(struct https_client *client,
		       const struct https_call *call, https_resp_cb *cb,
		       void *arg)
{
	struct call *c = xcalloc(1, sizeof(*c));

	c->client = client;
	c->method = xstrdup(call->method);
	c->url = xstrdup(call->url);
	c->cb = cb;
	c->arg = arg;
	c->next = client->calls;
	c->backp = &client->calls;
	if (c->next)
		c->next->backp = &c->next;
	client->calls = c;
	start(c, call);
}

/**
 * What to tell of an answer that is not the wanted one
 *
 * @return text: the error; or the status with the server's own sentence from
 *         {"error":"…"}: "401 wrong secret"
 */
const char *https_resp_reason(const struct https_resp *resp, char *text,
			      size_t len)
{
	json_t *body =
		resp->error ? NULL : json_loadb(resp->body, resp->len, 0, NULL);
	const char *said = json_string_value(json_object_get(body, "error"));

	if (resp->error)
		snprintf(text, len, "%s", resp->error);
	else if (said)
		snprintf(text, len, "%d %s", resp->status, said);
	else
		snprintf(text, len, "status %d", resp->status);
	json_decref(body);

	return text;
}
