#include "common/https_linger.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"

/** One socket; owned by its list */
struct linger_one {
	struct linger_one *next;
	struct https_lingers *list;
	int fd;
	struct loop_watch *watch;
	struct timer *timer;
};

/** Owned by a server */
struct https_lingers {
	struct loop *loop;
	struct linger_one *first;
};

static void finish(void *arg)
{
	struct linger_one *one = arg;
	struct linger_one **p = &one->list->first;

	while (*p != one)
		p = &(*p)->next;
	*p = one->next;
	loop_unwatch(one->watch);
	timer_free(one->timer);
	close(one->fd);
	free(one);
}

static void on_readable(void *arg)
{
	const struct linger_one *one = arg;
	char rest[16384];
	ssize_t n = recv(one->fd, rest, sizeof(rest), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		finish(arg);
}

struct https_lingers *https_lingers_new(struct loop *loop)
{
	struct https_lingers *lingers = xcalloc(1, sizeof(*lingers));

	lingers->loop = loop;

	return lingers;
}

/** Close all at once */
struct https_lingers *https_lingers_free(struct https_lingers *lingers)
{
	struct linger_one *next;

	if (!lingers)
		return NULL;

	for (struct linger_one *one = lingers->first; one; one = next) {
		next = one->next;
		finish(one);
	}
	free(lingers);

	return NULL;
}

/** Take over a socket: shut it, read what still comes, close it */
void https_lingers_add(struct https_lingers *lingers, int fd)
{
	struct linger_one *one = xcalloc(1, sizeof(*one));

	(void)shutdown(fd, SHUT_WR);
	one->list = lingers;
	one->fd = fd;
	one->watch =
		loop_watch_fd(lingers->loop, fd, LOOP_READ, on_readable, one);
	one->timer = timer_new(lingers->loop, finish, one);
	timer_start_ms(one->timer, timer_value_ms(TIMER_HTTPS_IDLE));
	one->next = lingers->first;
	lingers->first = one;
}
