/** @file https_server_core.h  The HTTPS server's parts: server, connections,
 * requests that wait for their answers
 */
#ifndef SIPSHARE_HTTPS_SERVER_CORE_H
#define SIPSHARE_HTTPS_SERVER_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include "common/addr.h"
#include "common/https.h"

struct bufferevent;
struct event;
struct event_base;
struct evhttp;
struct evhttp_request;
struct https_lingers;
struct https_wire;

enum { HTTPS_HEADERS_MAX = 64 << 10 };

/** A connection; owned by its wire, and so by evhttp's bufferevent */
struct https_conn {
	struct https_conn *next, **backp;
	struct https_server *server;
	struct https_wire *wire;
	struct timer *idle;
	struct https_pending
		*pending;  /* the request that waits for its answer */
	int linger_fd;     /* -1: it is closed with the connection */
	bool is_answering; /* what evhttp writes now is our answer */
	bool is_malformed; /* said once a connection */
};

/** A request between its arrival and its answer, owned by the server. The
 * connection may go first. */
struct https_pending {
	struct https_pending *next, **backp;
	struct https_server *server;
	struct https_conn *conn; /* NULL: the client is gone */
	struct https_req *req;
	struct event *gone_ev;
	bool is_held;
};

/** The role's; owns what hangs on it */
struct https_server {
	struct element *el;
	const struct https_route *routes;
	void *arg;
	SSL_CTX *ctx;
	struct evhttp *http;
	struct https_conn *conns;
	struct https_pending *pendings;
	struct https_lingers *lingers;
	size_t body_max;
	bool is_closing;
	char addr[ADDR_TEXT_LEN];
};

#define HTTPS_LIST_ADD(first, one)                                             \
	do {                                                                   \
		(one)->next = (first);                                         \
		(one)->backp = &(first);                                       \
		if (first)                                                     \
			(first)->backp = &(one)->next;                         \
		(first) = (one);                                               \
	} while (0)

#define HTTPS_LIST_DEL(one)                                                    \
	do {                                                                   \
		*(one)->backp = (one)->next;                                   \
		if ((one)->next)                                               \
			(one)->next->backp = (one)->backp;                     \
	} while (0)

/* https_server_conn.c */
struct bufferevent *https_conn_accept(struct event_base *base, void *arg);
void https_conn_malformed(struct https_conn *conn, const char *reason,
			  int status);
void https_conn_drop_all(struct https_server *server);

/* https_server_req.c */
void https_pending_rx(struct evhttp_request *evreq, void *arg);
void https_pending_drop_all(struct https_server *server);

#endif
