#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

#include "common/element.h"
#include "common/https_exchange.h"
#include "common/https_tls.h"
#include "common/https_url.h"
#include "common/https_wire.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"

enum { HEADERS_MAX = 64 << 10 };

static struct evhttp_request *new_request(struct https_exchange *call,
					  const struct https_call *what,
					  const struct https_url *target)
{
	struct evhttp_request *evreq =
		evhttp_request_new(https_exchange_rx, call);
	struct evkeyvalq *headers;
	char length[24];

	if (!evreq)
		abort(); /* out of memory */
	evhttp_request_set_error_cb(evreq, https_exchange_fault);
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

static void connect_to(struct https_exchange *call,
		       const struct https_url *target)
{
	struct https_client *client = call->client;
	struct event_base *base = loop_base(client->el->loop);
	struct https_wire_cfg cfg = { .trace = client->el->trace,
				      .base = base,
				      .message_max =
					      HTTPS_BODY_MAX + HEADERS_MAX,
				      .ops = &https_exchange_wire_ops,
				      .arg = call };
	struct bufferevent *bev =
		https_wire_new(&call->wire, client->ctx, &cfg);

	(void)https_tls_expect(https_wire_ssl(call->wire), target->host);
	call->evcon = evhttp_connection_base_bufferevent_new(
		base, NULL, bev, target->host, (uint16_t)target->port);
	if (!call->evcon)
		abort(); /* out of memory */
	evhttp_connection_set_max_headers_size(call->evcon, HEADERS_MAX);
	evhttp_connection_set_max_body_size(call->evcon, HTTPS_BODY_MAX);
	evhttp_connection_set_retries(call->evcon, 0);
	/* its own bound of 45 s is of the machine's clock: ours is shorter,
	 * and of the testbed's */
	evhttp_connection_set_timeout(call->evcon, HTTPS_DAY_S);
	if (client->bind)
		evhttp_connection_set_local_address(call->evcon, client->bind);
	call->timer = timer_new(client->el->loop, https_exchange_timeout, call);
	timer_start_ms(call->timer, timer_value_ms(TIMER_HTTPS_REQUEST));
}

static void start(struct https_exchange *call, const struct https_call *what)
{
	struct https_url target = { .port = 0 };
	struct evhttp_request *evreq;
	enum evhttp_cmd_type type;

	if (https_method_read(&type, what->method)) {
		https_exchange_fail(
			call, "the method %s is not GET, POST, PUT or DELETE",
			what->method);
		return;
	}
	if (https_url_read(&target, what->url)) {
		https_exchange_fail(call, "not a URL that can be called; write "
					  "https://IP:PORT/path");
		return;
	}

	connect_to(call, &target);
	evreq = new_request(call, what, &target);
	errno = 0;
	if (evhttp_make_request(call->evcon, evreq, type, target.path)) {
		evhttp_request_free(evreq);
		https_exchange_fail(call, "cannot be called from %s: %s",
				    call->client->bind ? call->client->bind
						       : "here",
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

	https_tls_reveal(ctx, el->tls_secrets);
	client = xcalloc(1, sizeof(*client));
	client->el = el;
	client->ctx = ctx;
	client->bind = xstrdup(cfg->bind);
	*cp = client;

	return 0;
}

/** Forget all calls: their callbacks are not called any more */
struct https_client *https_client_free(struct https_client *client)
{
	struct https_exchange *next;

	if (!client)
		return NULL;

	for (struct https_exchange *call = client->calls; call; call = next) {
		next = call->next;
		https_exchange_forget(client, call);
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
	struct https_exchange *c = xcalloc(1, sizeof(*c));

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
