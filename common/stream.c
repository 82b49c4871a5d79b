#include "common/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/addr.h"
#include "common/loop.h"
#include "common/mem.h"

/** Owned by whoever made it. Freed by the loop once the stack has unwound */
struct stream {
	struct loop *loop;
	struct bufferevent *bev;
	const struct stream_ops *ops; /* NULL: told nothing any more */
	void *arg;
};

struct stream_listener {
	struct loop *loop;
	int fd;
	struct loop_watch *watch;
	stream_accept_cb *cb;
	void *arg;
};

static void end(struct stream *s, int err)
{
	const struct stream_ops *ops = s->ops;

	bufferevent_disable(s->bev, EV_READ | EV_WRITE);
	s->ops = NULL;
	if (ops && ops->end)
		ops->end(err, s->arg);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct stream *s = arg;

	while (s->ops && evbuffer_get_length(in)) {
		size_t len = evbuffer_get_length(in);
		ssize_t took = s->ops->rx(evbuffer_pullup(in, -1), len, s->arg);

		if (took < 0)
			end(s, EPROTO);
		if (took <= 0)
			break;
		evbuffer_drain(in, (size_t)took);
	}
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	int err = EVUTIL_SOCKET_ERROR();
	struct stream *s = arg;

	(void)bev;
	if (!s->ops)
		return;
	if (what & BEV_EVENT_CONNECTED) {
		if (s->ops->open)
			s->ops->open(0, s->arg);
	} else if (what & BEV_EVENT_EOF) {
		end(s, 0);
	} else if (what & BEV_EVENT_ERROR) {
		end(s, err ? err : EIO);
	}
}

static struct stream *new_stream(struct loop *loop, int fd)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	s->loop = loop;
	s->bev = bufferevent_socket_new(loop_base(loop), fd,
					BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(s->bev, on_read, NULL, on_event, s);

	return s;
}

static void no_delay(int fd)
{
	int on = 1;

	/* fails on local sockets, which need none */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/** Wrap a connected socket, which the stream owns from now on. Nothing is
 * read before stream_set_ops() */
struct stream *stream_new(struct loop *loop, int fd)
{
	evutil_make_socket_nonblocking(fd);
	no_delay(fd);

	return new_stream(loop, fd);
}

/** Say who is told; reading begins */
void stream_set_ops(struct stream *stream, const struct stream_ops *ops,
		    void *arg)
{
	stream->ops = ops;
	stream->arg = arg;
	bufferevent_enable(stream->bev, EV_READ | EV_WRITE);
}

/**
 * Connect over TCP; ops->open or ops->end tells how it went
 *
 * @return 0, or errno at once
 */
int stream_connect(struct stream **sp, struct loop *loop, const struct addr *to,
		   const struct stream_ops *ops, void *arg)
{
	int fd = socket(to->ss.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct stream *s;

	if (fd < 0)
		return errno;

	no_delay(fd);
	s = new_stream(loop, fd);
	stream_set_ops(s, ops, arg);
	if (bufferevent_socket_connect(s->bev, (const struct sockaddr *)&to->ss,
				       (int)to->len)) {
		int err = errno;

		s->ops = NULL;
		stream_free(s);
		return err ? err : EIO;
	}
	*sp = s;

	return 0;
}

static void free_now(void *arg)
{
	struct stream *s = arg;

	bufferevent_free(s->bev);
	free(s);
}

/** Close; no callback comes from now on. What was written and can be sent at
 * once is sent */
struct stream *stream_free(struct stream *stream)
{
	struct evbuffer *out;

	if (!stream)
		return NULL;

	out = bufferevent_get_output(stream->bev);
	stream->ops = NULL;
	/* bufferevents freeze their output's front against others' hands */
	evbuffer_unfreeze(out, 1);
	(void)evbuffer_write(out, bufferevent_getfd(stream->bev));
	bufferevent_disable(stream->bev, EV_READ | EV_WRITE);
	bufferevent_setcb(stream->bev, NULL, NULL, NULL, NULL);
	loop_defer(stream->loop, free_now, stream);

	return NULL;
}

/** Send; what the socket does not take now is kept and sent later */
void stream_write(struct stream *stream, const void *data, size_t len)
{
	bufferevent_write(stream->bev, data, len);
}

/** Send all that was written, waiting for the socket: only for a process that
 * is about to stop, and would take it along */
void stream_flush(struct stream *stream)
{
	struct evbuffer *out = bufferevent_get_output(stream->bev);
	struct pollfd pfd = { .fd = stream_fd(stream), .events = POLLOUT };

	/* bufferevents freeze their output's front against others' hands */
	evbuffer_unfreeze(out, 1);
	while (evbuffer_get_length(out) > 0 && poll(&pfd, 1, -1) >= 0 &&
	       !(pfd.revents & (POLLERR | POLLHUP)))
		if (evbuffer_write(out, pfd.fd) < 0 && errno != EAGAIN &&
		    errno != EINTR)
			break;
	evbuffer_freeze(out, 1);
}

/** Bytes written that the socket has not taken yet */
size_t stream_unsent(const struct stream *stream)
{
	return evbuffer_get_length(bufferevent_get_output(stream->bev));
}

int stream_fd(const struct stream *stream)
{
	return bufferevent_getfd(stream->bev);
}

/** This end's address; text has room for ADDR_TEXT_LEN */
void stream_local(const struct stream *stream, char *text)
{
	struct addr addr;

	addr_local(&addr, stream_fd(stream));
	addr_format(text, &addr);
}

/** The other end's address; text has room for ADDR_TEXT_LEN */
void stream_remote(const struct stream *stream, char *text)
{
	struct addr addr;

	addr_peer(&addr, stream_fd(stream));
	addr_format(text, &addr);
}

static void on_connection(void *arg)
{
	struct stream_listener *l = arg;
	int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		l->cb(stream_new(l->loop, fd), l->arg);
}

static int bound_socket(int *fdp, const struct addr *at)
{
	int fd = socket(at->ss.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;
	int err = 0;

	if (fd < 0)
		return errno;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&at->ss, at->len) ||
	    listen(fd, SOMAXCONN)) {
		err = errno;
		close(fd);
		return err;
	}
	*fdp = fd;

	return 0;
}

/** Listen on TCP; 0 or errno */
int stream_listen(struct stream_listener **lp, struct loop *loop,
		  const struct addr *at, stream_accept_cb *cb, void *arg)
{
	struct stream_listener *l;
	int fd = -1;
	int err = bound_socket(&fd, at);

	if (err)
		return err;

	l = xcalloc(1, sizeof(*l));
	l->loop = loop;
	l->fd = fd;
	l->cb = cb;
	l->arg = arg;
	l->watch = loop_watch_fd(loop, fd, LOOP_READ, on_connection, l);
	*lp = l;

	return 0;
}

/** Stop listening; connections that were accepted live on */
struct stream_listener *stream_unlisten(struct stream_listener *listener)
{
	if (listener) {
		loop_unwatch(listener->watch);
		close(listener->fd);
		free(listener);
	}

	return NULL;
}

/** Where it listens, with the real port */
void stream_listener_addr(const struct stream_listener *l, struct addr *addr)
{
	addr_local(addr, l->fd);
}
