#include "common/https_exchange.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "common/element.h"
#include "common/hold.h"
#include "common/https_wire.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"

static void unlink_call(struct https_exchange *call)
{
	if (!call->client)
		return;

	*call->backp = call->next;
	if (call->next)
		call->next->backp = call->backp;
	call->client = NULL;
}

static void drop_connection(struct https_exchange *call)
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

static void exchange_free(struct https_exchange *call)
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

static void deliver(struct https_exchange *call)
{
	struct https_resp resp = { .status = call->status,
				   .error = call->error,
				   .body = call->body ? call->body : "",
				   .len = call->len,
				   .retry_after_s = call->retry_after_s };

	/* the callback may free the client */
	unlink_call(call);
	call->cb(&resp, call->arg);
	exchange_free(call);
}

static void on_hold_done(bool is_dropped, void *arg)
{
	struct https_exchange *call = arg;

	call->is_held = false;
	if (is_dropped)
		exchange_free(call);
	else
		deliver(call);
}

/* From the loop: evhttp and the caller have unwound */
static void finish(void *arg)
{
	struct https_exchange *call = arg;
	struct element *el;
	char *what;

	if (!call->client) {
		exchange_free(call);
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
	/* the connection is gone by now; its URL says who has answered */
	call->is_held =
		hold_message(el->hold, what, call->url, on_hold_done, call);
	free(what);
	if (!call->is_held)
		deliver(call);
}

static void done(struct https_exchange *call)
{
	if (call->is_done)
		return;

	call->is_done = true;
	loop_defer(call->client->el->loop, finish, call);
}

/** End it with an error, from the loop; after the first nothing counts */
void https_exchange_fail(struct https_exchange *call, const char *fmt, ...)
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

void https_exchange_timeout(void *arg)
{
	https_exchange_fail(arg, "no answer within %" PRId64 " ms",
			    timer_value_ms(TIMER_HTTPS_REQUEST));
}

void https_exchange_fault(enum evhttp_request_error fault, void *arg)
{
	struct https_exchange *call = arg;

	call->fault = fault;
	call->has_fault = true;
}

/* Bytes came, and evhttp could not read them as an answer */
static bool fail_of_answer(struct https_exchange *call)
{
	if (call->has_fault && call->fault == EVREQ_HTTP_DATA_TOO_LONG)
		https_exchange_fail(
			call, "the answer is longer than %d bytes, or broken",
			(int)HTTPS_BODY_MAX);
	else if (call->has_fault && call->fault != EVREQ_HTTP_EOF)
		https_exchange_fail(call, "the answer is not HTTP/1.1");
	else if (https_wire_is_within(call->wire, TRACE_RECV))
		https_exchange_fail(
			call, "the answer was cut short: the server closed the "
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
	struct https_exchange *call = arg;
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

const struct https_wire_ops https_exchange_wire_ops = { .message = on_message };

static bool take_early(struct https_exchange *call)
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

static void fail_of_connection(struct https_exchange *call, int errnum)
{
	const char *why = https_wire_why(call->wire);

	if (take_early(call))
		return;

	if (!https_wire_remote(call->wire)[0])
		https_exchange_fail(
			call, "%s",
			*why ? why : strerror(errnum ? errnum : ENOTCONN));
	else if (!https_wire_is_open(call->wire))
		https_exchange_fail(call, "the TLS handshake failed: %s",
				    *why ? why
					 : "the server closed the connection");
	/* in TLS 1.3 a server judges the client's certificate when the client
	 * has long finished: the refusal comes in place of the answer */
	else if (*why)
		https_exchange_fail(call, "%s", why);
	else if (!fail_of_answer(call))
		https_exchange_fail(
			call, "the server closed the connection without an "
			      "answer");
}

static void take_answer(struct https_exchange *call,
			struct evhttp_request *evreq)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(evreq);
	const char *retry = evhttp_find_header(
		evhttp_request_get_input_headers(evreq), "Retry-After");
	long after = retry ? strtol(retry, NULL, 10) : 0;

	call->status = evhttp_request_get_response_code(evreq);
	call->retry_after_s = after > 0 && after < HTTPS_DAY_S ? (int)after : 0;
	call->len = evbuffer_get_length(body);
	call->body = xcalloc(1, call->len + 1);
	(void)evbuffer_copyout(body, call->body, call->len);
	done(call);
}

/** evreq NULL: it failed after the connection was made; a code of 0: before */
void https_exchange_rx(struct evhttp_request *evreq, void *arg)
{
	struct https_exchange *call = arg;
	int errnum = errno;

	if (call->is_done)
		return;

	timer_stop(call->timer);
	if (evreq && evhttp_request_get_response_code(evreq))
		take_answer(call, evreq);
	else
		fail_of_connection(call, errnum);
}

/** The client goes away: nobody is told */
void https_exchange_forget(struct https_client *client,
			   struct https_exchange *call)
{
	if (call->is_held) {
		hold_drop_of(client->el->hold, call);
	} else if (call->is_done) {
		drop_connection(call);
		unlink_call(call); /* finish() frees it */
	} else {
		exchange_free(call);
	}
}
