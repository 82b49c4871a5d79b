#include "common/https_wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>

#include "common/addr.h"
#include "common/https_framer.h"
#include "common/https_tls.h"
#include "common/mem.h"

enum { DIRS = 2 };

/** Owned by its SSL object: OpenSSL frees it with that */
struct https_wire {
	SSL *ssl;
	struct trace *trace;
	const struct https_wire_ops *ops; /* NULL: nobody is told any more */
	void *arg;
	struct https_framer *framers[DIRS]; /* by enum trace_dir */
	char local[ADDR_TEXT_LEN], remote[ADDR_TEXT_LEN];
	char why[160];
	bool is_named, is_open, is_refused;
};

/* OpenSSL's registry of slots is the process's, and so is ours in it */
static int ex_index = -1;

static void name_ends(struct https_wire *wire)
{
	int fd = SSL_get_fd(wire->ssl), on = 1;
	struct addr addr;

	if (wire->is_named || fd < 0)
		return;

	addr_local(&addr, fd);
	addr_format(wire->local, &addr);
	addr_peer(&addr, fd);
	/* a client's socket has no peer before it is connected */
	if (!addr.len)
		return;

	addr_format(wire->remote, &addr);
	wire->is_named = true;
	/* head and body are two records; Nagle would hold the second back
	 * for the delayed acknowledgement of the first: 40 ms */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void on_message(struct https_wire *wire, enum trace_dir dir,
		       const char *data, size_t len, bool is_whole)
{
	struct trace_msg msg = { .proto = TRACE_HTTP,
				 .dir = dir,
				 .transport = "tls",
				 .local = wire->local,
				 .remote = wire->remote,
				 .data = data,
				 .len = len };

	if (!wire->ops)
		return;

	if (wire->ops->message)
		wire->ops->message(dir, data, len, is_whole, wire->arg);
	trace_message(wire->trace, &msg);
}

static void on_sent(const char *data, size_t len, bool is_whole, void *arg)
{
	on_message(arg, TRACE_SEND, data, len, is_whole);
}

static void on_received(const char *data, size_t len, bool is_whole, void *arg)
{
	on_message(arg, TRACE_RECV, data, len, is_whole);
}

/* What was added to a buffer stands at its end */
static void copy_added(struct evbuffer *buf, size_t added,
		       struct https_framer *framer)
{
	struct evbuffer_ptr at;
	char *bytes;

	if (!added ||
	    evbuffer_ptr_set(buf, &at, evbuffer_get_length(buf) - added,
			     EVBUFFER_PTR_SET))
		return;

	bytes = xcalloc(1, added);
	(void)evbuffer_copyout_from(buf, &at, bytes, added);
	https_framer_rx(framer, bytes, added);
	explicit_bzero(bytes, added);
	free(bytes);
}

static void on_input(struct evbuffer *buf, const struct evbuffer_cb_info *info,
		     void *arg)
{
	struct https_wire *wire = arg;

	name_ends(wire);
	copy_added(buf, info->n_added, wire->framers[TRACE_RECV]);
}

static void on_output(struct evbuffer *buf, const struct evbuffer_cb_info *info,
		      void *arg)
{
	struct https_wire *wire = arg;

	name_ends(wire);
	copy_added(buf, info->n_added, wire->framers[TRACE_SEND]);
}

static void set_why(struct https_wire *wire, const char *text)
{
	if (!wire->why[0])
		snprintf(wire->why, sizeof(wire->why), "%s", text);
}

/* The handshake will not be done: OpenSSL's queue, or errno, says why */
static void handshake_failed(struct https_wire *wire, int errnum)
{
	long verify = SSL_get_verify_result(wire->ssl);
	unsigned long code = ERR_peek_last_error();
	const char *text = code ? https_tls_error_text(code) : NULL;

	if (verify != X509_V_OK)
		text = X509_verify_cert_error_string(verify);
	if (!text && errnum)
		text = errnum == ECONNREFUSED ? "connection refused"
					      : strerror(errnum);
	set_why(wire, text ? text : "the connection was closed");
	if (wire->is_refused)
		return;

	wire->is_refused = true;
	if (wire->ops && wire->ops->refused)
		wire->ops->refused(wire->arg);
}

static void on_info(const SSL *ssl, int where, int ret)
{
	struct https_wire *wire = SSL_get_ex_data(ssl, ex_index);
	int errnum = errno, what;

	if (!wire)
		return;

	if (where & SSL_CB_HANDSHAKE_START)
		name_ends(wire);
	if (where & SSL_CB_HANDSHAKE_DONE)
		wire->is_open = true;
	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT &&
	    (ret & 0xff) != SSL_AD_CLOSE_NOTIFY)
		set_why(wire, https_tls_alert_text(ret & 0xff));
	if ((where & SSL_CB_EXIT) && (where & SSL_ST_MASK) && ret <= 0) {
		what = SSL_get_error(ssl, ret);
		if (what != SSL_ERROR_WANT_READ && what != SSL_ERROR_WANT_WRITE)
			handshake_failed(wire, errnum);
	}
	errno = errnum;
}

static void on_ssl_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx,
			long argl, void *argp)
{
	struct https_wire *wire = ptr;

	(void)parent;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;
	if (!wire)
		return;

	https_wire_end(wire, TRACE_RECV);
	if (wire->ops && wire->ops->closed)
		wire->ops->closed(wire->arg);
	https_framer_free(wire->framers[TRACE_RECV]);
	https_framer_free(wire->framers[TRACE_SEND]);
	free(wire);
}

static SSL *new_ssl(SSL_CTX *ctx, struct https_wire *wire)
{
	SSL *ssl = SSL_new(ctx);

	if (ex_index < 0)
		ex_index =
			SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_free);
	if (!ssl || ex_index < 0 || !SSL_set_ex_data(ssl, ex_index, wire))
		abort(); /* out of memory */
	SSL_set_info_callback(ssl, on_info);

	return ssl;
}

/**
 * A TLS bufferevent for evhttp, with a wire on it
 *
 * Callbacks are deferred: one read can give both the last bytes of an answer
 * and the connection's end, and the 2.1 bufferevent tells the end first, with
 * the bytes not yet in the buffer. Deferred, bytes come before the end.
 *
 * @param wp  The wire, which lives as long as the bufferevent's SSL object
 * @param ctx Held by a reference
 * @param cfg ops are borrowed for the wire's life
 *
 * @return The bufferevent, evhttp's to free
 */
struct bufferevent *https_wire_new(struct https_wire **wp, SSL_CTX *ctx,
				   const struct https_wire_cfg *cfg)
{
	enum bufferevent_ssl_state state = cfg->is_server
						   ? BUFFEREVENT_SSL_ACCEPTING
						   : BUFFEREVENT_SSL_CONNECTING;
	struct https_wire *wire = xcalloc(1, sizeof(*wire));
	struct bufferevent *bev;

	wire->trace = cfg->trace;
	wire->ops = cfg->ops;
	wire->arg = cfg->arg;
	wire->framers[TRACE_SEND] =
		https_framer_new(cfg->message_max, on_sent, wire);
	wire->framers[TRACE_RECV] =
		https_framer_new(cfg->message_max, on_received, wire);
	wire->ssl = new_ssl(ctx, wire);
	bev = bufferevent_openssl_socket_new(cfg->base, -1, wire->ssl, state,
					     BEV_OPT_CLOSE_ON_FREE |
						     BEV_OPT_DEFER_CALLBACKS);
	if (!bev)
		abort(); /* out of memory */
	evbuffer_add_cb(bufferevent_get_input(bev), on_input, wire);
	evbuffer_add_cb(bufferevent_get_output(bev), on_output, wire);
	*wp = wire;

	return bev;
}

/** The arg that the wire of a bufferevent was made with */
void *https_wire_owner(struct bufferevent *bev)
{
	const struct https_wire *wire =
		SSL_get_ex_data(bufferevent_openssl_get_ssl(bev), ex_index);

	return wire->arg;
}

/** The owner goes away: nothing is told or traced from now on */
void https_wire_leave(struct https_wire *wire)
{
	wire->ops = NULL;
}

/** No more is expected in a direction: trace what was begun, cut short */
void https_wire_end(struct https_wire *wire, enum trace_dir dir)
{
	https_framer_end(wire->framers[dir]);
}

/** Say goodbye in TLS (close_notify, RFC 8446 6.1), if the socket takes it */
void https_wire_bye(struct https_wire *wire)
{
	if (wire->is_open && !wire->is_refused)
		(void)SSL_shutdown(wire->ssl);
	ERR_clear_error();
}

/** Close the connection; evhttp sees its end from the loop, and frees it */
void https_wire_close(struct https_wire *wire)
{
	int fd = SSL_get_fd(wire->ssl);

	https_wire_bye(wire);
	wire->is_refused = true; /* by us: not to be told again */
	if (fd >= 0)
		(void)shutdown(fd, SHUT_RDWR);
}

/** The socket, or -1 */
int https_wire_fd(const struct https_wire *wire)
{
	return SSL_get_fd(wire->ssl);
}

SSL *https_wire_ssl(const struct https_wire *wire)
{
	return wire->ssl;
}

/** The peer's address, "" before it was connected */
const char *https_wire_remote(struct https_wire *wire)
{
	name_ends(wire);

	return wire->remote;
}

/** Why the connection failed, "" if nothing was noted */
const char *https_wire_why(const struct https_wire *wire)
{
	return wire->why;
}

/** Whether the handshake was done */
bool https_wire_is_open(const struct https_wire *wire)
{
	return wire->is_open;
}

/** Whether a message has begun in a direction and not ended */
bool https_wire_is_within(const struct https_wire *wire, enum trace_dir dir)
{
	return https_framer_is_within(wire->framers[dir]);
}
