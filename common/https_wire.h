/** @file https_wire.h  One TLS connection, as it is seen at the wire
 *
 * Sits on a TLS bufferevent beside evhttp, which owns it: copies what goes
 * through in plain, cuts and traces it, and notes why the connection failed.
 */
#ifndef SIPSHARE_HTTPS_WIRE_H
#define SIPSHARE_HTTPS_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include "common/trace.h"

struct bufferevent;
struct event_base;
struct https_wire;

/** What its owner is told; all may be NULL */
struct https_wire_ops {
	/** A message is about to be traced */
	void (*message)(enum trace_dir dir, const char *data, size_t len,
			bool is_whole, void *arg);
	/** The TLS handshake failed; https_wire_why() says why */
	void (*refused)(void *arg);
	/** The connection is freed; so is the wire, after this. Not called
	 * after https_wire_leave() */
	void (*closed)(void *arg);
};

/** How to make one */
struct https_wire_cfg {
	struct trace *trace;
	struct event_base *base;
	bool is_server;
	size_t message_max; /**< longer messages are traced cut */
	const struct https_wire_ops *ops;
	void *arg;
};

struct bufferevent *https_wire_new(struct https_wire **wp, SSL_CTX *ctx,
				   const struct https_wire_cfg *cfg);
void *https_wire_owner(struct bufferevent *bev);
void https_wire_leave(struct https_wire *wire);
void https_wire_end(struct https_wire *wire, enum trace_dir dir);
void https_wire_close(struct https_wire *wire);
void https_wire_bye(struct https_wire *wire);
int https_wire_fd(const struct https_wire *wire);
SSL *https_wire_ssl(const struct https_wire *wire);
const char *https_wire_remote(struct https_wire *wire);
const char *https_wire_why(const struct https_wire *wire);
bool https_wire_is_open(const struct https_wire *wire);
bool https_wire_is_within(const struct https_wire *wire, enum trace_dir dir);

#endif
