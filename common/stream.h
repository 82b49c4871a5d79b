/** @file stream.h  Byte streams on the loop: TCP and local sockets
 *
 * What Diameter and the control channel run on. A message codec above says how
 * many bytes it took; the rest is kept until more have come.
 */
#ifndef SIPSHARE_STREAM_H
#define SIPSHARE_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct addr;
struct loop;
struct stream;
struct stream_listener;

/** Bytes so far: how many were taken, 0 for "more is needed", -1 to close.
 * Called again while bytes are taken and some are left. */
typedef ssize_t stream_rx_cb(const uint8_t *data, size_t len, void *arg);
/** Connected (err 0, of stream_connect() only), or it could not be */
typedef void stream_open_cb(int err, void *arg);
/** The peer closed (err 0) or it broke. Free the stream now or later */
typedef void stream_end_cb(int err, void *arg);
/** A connection came in; the stream is the callee's, to be given its ops */
typedef void stream_accept_cb(struct stream *stream, void *arg);

/** Callbacks of a stream; open may be NULL */
struct stream_ops {
	stream_open_cb *open;
	stream_rx_cb *rx;
	stream_end_cb *end;
};

struct stream *stream_new(struct loop *loop, int fd);
int stream_connect(struct stream **sp, struct loop *loop, const struct addr *to,
		   const struct stream_ops *ops, void *arg);
void stream_set_ops(struct stream *stream, const struct stream_ops *ops,
		    void *arg);
struct stream *stream_free(struct stream *stream);
void stream_write(struct stream *stream, const void *data, size_t len);
void stream_flush(struct stream *stream);
size_t stream_unsent(const struct stream *stream);
int stream_fd(const struct stream *stream);
void stream_local(const struct stream *stream, char *text);
void stream_remote(const struct stream *stream, char *text);

int stream_listen(struct stream_listener **lp, struct loop *loop,
		  const struct addr *at, stream_accept_cb *cb, void *arg);
struct stream_listener *stream_unlisten(struct stream_listener *listener);
void stream_listener_addr(const struct stream_listener *l, struct addr *addr);

#endif
