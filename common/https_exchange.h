/** @file https_exchange.h  A request of the HTTPS client, and what comes of it
 */
#ifndef SIPSHARE_HTTPS_EXCHANGE_H
#define SIPSHARE_HTTPS_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include <event2/http.h>
#include <openssl/ssl.h>

#include "common/https.h"

struct https_wire;
struct https_wire_ops;
struct timer;

enum { HTTPS_BODY_MAX = 64 << 20, HTTPS_DAY_S = 86400 };

/** Owned by its role */
struct https_client {
	struct element *el;
	SSL_CTX *ctx;
	char *bind;
	struct https_exchange *calls;
};

/** A request on its way, with a connection of its own. Owned by its client
 * until it is done, then by what was deferred. */
struct https_exchange {
	struct https_exchange *next, **backp;
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

extern const struct https_wire_ops https_exchange_wire_ops;

void https_exchange_fail(struct https_exchange *call, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void https_exchange_forget(struct https_client *client,
			   struct https_exchange *call);
/* what libevent and the timer call; arg is the exchange */
void https_exchange_timeout(void *arg);
void https_exchange_fault(enum evhttp_request_error fault, void *arg);
void https_exchange_rx(struct evhttp_request *evreq, void *arg);

#endif
