#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/dia_peer_core.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"

/** A socket on its way; owned by the peer */
struct dia_connect {
	int fd;
	struct loop_watch *watch;
	dia_connect_cb *cb;
	void *arg;
};

/* Writable: it is connected, or it failed */
static void on_writable(void *arg)
{
	struct dia_connect *c = arg;
	int fd = c->fd;
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		err = errno;
	c->watch = loop_unwatch(c->watch);
	if (!err)
		c->fd = -1; /* the callee's now */
	c->cb(err, err ? -1 : fd, c->arg);
}

static int start(int fd, const struct dia_peer *peer)
{
	const struct addr *to = &peer->to, *from = &peer->from;
	int on = 1;

	/* the port is chosen with the peer's address, not before: more of
	 * them, and no clash with one in TIME-WAIT */
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
			 sizeof(on));
	if (peer->has_from &&
	    bind(fd, (const struct sockaddr *)&from->ss, from->len))
		return errno;
	if (connect(fd, (const struct sockaddr *)&to->ss, to->len) &&
	    errno != EINPROGRESS)
		return errno;

	return 0;
}

/**
 * Connect to peer->to, from peer->from where it is set: on a loopback network
 * each element has an address of its own, and shows it
 *
 * @return 0: cb tells how it went; or errno at once
 */
int dia_connect_new(struct dia_connect **cp, struct dia_peer *peer,
		    dia_connect_cb *cb)
{
	int fd = socket(peer->to.ss.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct dia_connect *c;
	int err;

	if (fd < 0)
		return errno;

	err = start(fd, peer);
	if (err) {
		close(fd);
		return err;
	}

	c = xcalloc(1, sizeof(*c));
	c->fd = fd;
	c->cb = cb;
	c->arg = peer;
	c->watch =
		loop_watch_fd(peer->el->loop, fd, LOOP_WRITE, on_writable, c);
	*cp = c;

	return 0;
}

/** Give up, or free after the callback */
struct dia_connect *dia_connect_free(struct dia_connect *connect)
{
	if (connect) {
		loop_unwatch(connect->watch);
		if (connect->fd >= 0)
			close(connect->fd);
		free(connect);
	}

	return NULL;
}
