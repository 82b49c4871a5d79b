#include "common/https_req.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "common/clock.h"
#include "common/https.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"

/* A longer header line gets 431 (RFC 6585 5), a longer request line 414 */
enum { LINE_MAX_LEN = 8192 };

/** Owned by the server until it is answered */
struct https_req {
	struct evhttp_request *ev; /* evhttp's; NULL: the client is gone */
	const char *method;
	char *path, *body, *peer_name;
	size_t len;
	struct evkeyvalq headers; /* copies: they outlive the connection */
	void (*on_gone)(void *arg);
	void *gone_arg;
	https_req_answered_cb *answered;
	void *answered_arg;
};

static const char *method_name(enum evhttp_cmd_type type)
{
	switch (type) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	case EVHTTP_REQ_HEAD:
		return "HEAD";
	case EVHTTP_REQ_OPTIONS:
		return "OPTIONS";
	case EVHTTP_REQ_PATCH:
		return "PATCH";
	default:
		return "?";
	}
}

static void copy_headers(struct https_req *req)
{
	const struct evkeyvalq *from =
		evhttp_request_get_input_headers(req->ev);
	const struct evkeyval *kv;

	TAILQ_INIT(&req->headers);
	for (kv = from->tqh_first; kv; kv = kv->next.tqe_next)
		(void)evhttp_add_header(&req->headers, kv->key, kv->value);
}

/** Copy what a whole request says; cb is told when it is answered */
struct https_req *https_req_new(struct evhttp_request *evreq, char *peer_name,
				https_req_answered_cb *cb, void *arg)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(evreq);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	struct evbuffer *body = evhttp_request_get_input_buffer(evreq);
	struct https_req *req = xcalloc(1, sizeof(*req));

	req->ev = evreq;
	req->method = method_name(evhttp_request_get_command(evreq));
	req->path = xstrdup(path && *path ? path : "/");
	req->peer_name = peer_name;
	req->len = evbuffer_get_length(body);
	req->body = xcalloc(1, req->len + 1);
	(void)evbuffer_copyout(body, req->body, req->len);
	req->answered = cb;
	req->answered_arg = arg;
	copy_headers(req);

	return req;
}

void https_req_free(struct https_req *req)
{
	if (!req)
		return;

	evhttp_clear_headers(&req->headers);
	free(req->path);
	free(req->body);
	free(req->peer_name);
	free(req);
}

/**
 * Its client is gone; the handler is told if it wants to know
 *
 * @return Whether it was told, and will not answer: free the request
 */
bool https_req_leave(struct https_req *req)
{
	req->ev = NULL;
	if (!req->on_gone)
		return false;

	req->on_gone(req->gone_arg);

	return true;
}

struct evhttp_request *https_req_ev(const struct https_req *req)
{
	return req->ev;
}

const char *https_req_method(const struct https_req *req)
{
	return req->method;
}

/* Two lengths are how requests are smuggled (RFC 9112 6.3, 11.2) */
static const char *framing_fault(const struct https_req *req)
{
	int lengths = 0, codings = 0;
	const struct evkeyval *kv;

	for (kv = req->headers.tqh_first; kv; kv = kv->next.tqe_next) {
		lengths += !strcasecmp(kv->key, "Content-Length");
		codings += !strcasecmp(kv->key, "Transfer-Encoding");
		if (!strcasecmp(kv->key, "Transfer-Encoding") &&
		    strcasecmp(kv->value, "chunked") != 0)
			return "the only transfer coding known is \"chunked\"";
	}
	if (lengths > 1)
		return "the header Content-Length stands more than once";
	if (codings > 1)
		return "the header Transfer-Encoding stands more than once";
	if (lengths && codings)
		return "Content-Length and Transfer-Encoding exclude each "
		       "other";

	return NULL;
}

/**
 * What evhttp lets through, but shall not reach a handler: two lengths, lines
 * too long
 *
 * @param reasonp What is wrong, the caller's; written if there is a fault
 *
 * @return The status to refuse it with, 0 if it is sound
 */
int https_req_fault(const struct https_req *req, char **reasonp)
{
	const char *fault = framing_fault(req);
	const struct evkeyval *kv;

	if (fault) {
		*reasonp = xstrdup(fault);
		return 400;
	}
	if (strlen(evhttp_request_get_uri(req->ev)) > LINE_MAX_LEN) {
		*reasonp = xasprintf("the URI is longer than %d bytes",
				     (int)LINE_MAX_LEN);
		return 414;
	}
	for (kv = req->headers.tqh_first; kv; kv = kv->next.tqe_next) {
		if (strlen(kv->key) + strlen(kv->value) <= LINE_MAX_LEN)
			continue;
		*reasonp = xasprintf("the header %.40s is longer than %d bytes",
				     kv->key, (int)LINE_MAX_LEN);
		return 431;
	}

	return 0;
}

/** The path as it was sent, percent-encoded, without the query; valid, as all
 * that these give, until the request is answered */
const char *https_req_path(const struct https_req *req)
{
	return req->path;
}

/** A header's value by its name in any case; NULL: not there */
const char *https_req_header(const struct https_req *req, const char *name)
{
	return evhttp_find_header(&req->headers, name);
}

/** The body, with a NUL behind it that *lenp (may be NULL) does not count */
const char *https_req_body(const struct https_req *req, size_t *lenp)
{
	if (lenp)
		*lenp = req->len;

	return req->body;
}

/** The common name of the client's certificate; NULL: it showed none */
const char *https_req_peer_name(const struct https_req *req)
{
	return req->peer_name;
}

void https_req_on_gone(struct https_req *req, void (*cb)(void *arg), void *arg)
{
	req->on_gone = cb;
	req->gone_arg = arg;
}

/** Add a header to the answer; a value with a line's end in it is refused */
void https_req_add_header(struct https_req *req, const char *name,
			  const char *value)
{
	if (req->ev &&
	    evhttp_add_header(evhttp_request_get_output_headers(req->ev), name,
			      value))
		log_error("https: the header %s of an answer has a bad value",
			  name);
}

/* evhttp would ask the machine's clock (RFC 9110 6.6.1) */
static void add_date(struct https_req *req)
{
	time_t now = (time_t)clock_wall_s();
	char text[40];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	https_req_add_header(req, "Date", text);
}

/* HEAD and 204 have no body, whatever the handler gave (RFC 9110 9.3.2) */
static bool may_have_body(const struct https_req *req, int status)
{
	return strcmp(req->method, "HEAD") != 0 && status != 204 &&
	       status != 304;
}

static void send_reply(struct https_req *req, int status, const char *type,
		       const void *body, size_t len)
{
	struct evbuffer *buf = evbuffer_new();
	char length[24];

	if (!buf)
		abort(); /* out of memory */
	add_date(req);
	if (may_have_body(req, status)) {
		if (type)
			https_req_add_header(req, "Content-Type", type);
		evbuffer_add(buf, body, len);
		snprintf(length, sizeof(length), "%zu", len);
		https_req_add_header(req, "Content-Length", length);
	} else if (status >= 200 && status != 204 && status != 304) {
		https_req_add_header(req, "Content-Length", "0");
	}
	evhttp_send_reply(req->ev, status, NULL, buf);
	evbuffer_free(buf);
}

/**
 * Answer, once; req is gone after it. Where the client went away, nothing is
 * sent.
 *
 * @param type Content-Type, or NULL for none
 * @param body Copied; may be NULL with len 0
 */
void https_reply(struct https_req *req, int status, const char *type,
		 const void *body, size_t len)
{
	https_req_answered_cb *answered = req->answered;
	struct evhttp_request *ev = req->ev;

	if (!ev)
		log_info("https: %s %s: the client did not wait for its %d",
			 req->method, req->path, status);
	/* told first: evhttp writes the answer at once, and it is ours */
	answered(req, req->answered_arg);
	if (ev)
		send_reply(req, status, type, body, len);
	https_req_free(req);
}

/** Answer with JSON; body is stolen. NULL body: an empty object */
void https_reply_json(struct https_req *req, int status, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : xstrdup("{}");

	json_decref(body);
	if (!text) {
		log_error("https: an answer to %s cannot be written as JSON",
			  req->path);
		https_reply_error(req, 500, "the answer cannot be written");
		return;
	}
	https_reply(req, status, "application/json", text, strlen(text));
	free(text);
}

/** Answer {"error":"sentence"} */
void https_reply_error(struct https_req *req, int status, const char *fmt, ...)
{
	json_t *text;
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	log_info("https: %s %s answered %d: %s", req->method, req->path, status,
		 s);
	text = json_string(s);
	/* a sentence may quote what the peer sent: not always UTF-8 */
	for (char *p = s; !text && *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	if (!text)
		text = json_string(s);
	free(s);
	https_reply_json(req, status, json_pack("{s:o}", "error", text));
}

/**
 * The body as JSON, the caller's to json_decref(). NULL: it is none, and the
 * request has been answered with 400 and is gone
 */
json_t *https_req_json(struct https_req *req)
{
	char *reason = NULL;
	json_t *value = json_read(req->body, req->len, &reason);

	if (!value)
		https_reply_error(req, 400, "%s", reason);
	free(reason);

	return value;
}
