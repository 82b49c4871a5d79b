#include "common/loop.h"

#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>
#include <sofia-sip/su_wait.h>
#include <sys/epoll.h>

#include "common/clock.h"
#include "common/loop_epoll.h"
#include "common/mem.h"
#include "common/timer.h"

enum { STEPS_A_TURN = 8, STEPS_VIRTUAL = 64, READY_MAX = 64 };

struct deferred {
	loop_cb *cb;
	void *arg;
};

struct loop {
	struct event_base *base;
	su_root_t *root;
	struct event *root_ev;  /* sofia's own epoll descriptor */
	struct event *timer_ev; /* ours and sofia's next due time */
	int base_fd;            /* libevent's own epoll descriptor */
	struct timers *timers, *real_timers;
	struct deferred *deferred; /* of the next turn */
	int deferred_n;
	bool is_stopping;

	/* while our clock is taken over */
	loop_cb *on_idle; /* NULL: nobody waits for it */
	void *idle_arg;
	int ignored_fd; /* -1: none */
	uint64_t acted;
	uint64_t stepped;     /* acted, when sofia was last looked after */
	int64_t stepped_us;   /* and the time */
	int64_t sofia_due_us; /* -1: sofia has no timer */
};

struct loop_watch {
	struct event *ev;
	loop_cb *cb;
	void *arg;
};

/* The library's hook: it may change the time that was read, for each timer */
extern void (*_su_time)(su_time_t *tv); /* NOLINT: sofia's name */

static void sofia_clock(su_time_t *tv)
{
	enum { NTP_EPOCH_S = 2208988800UL };
	int64_t us = clock_wall_us();

	tv->tv_sec = (unsigned long)(us / 1000000) + NTP_EPOCH_S;
	tv->tv_usec = (unsigned long)(us % 1000000);
}

static void wake(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(loop->base);
}

/** A loop with its clock, timers and sofia root; ends the process on failure */
struct loop *loop_new(void)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));
	int fd;

	_su_time = sofia_clock;
	if (su_init() < 0)
		abort();
	loop->base = loop_epoll_new_base(&loop->base_fd);
	loop->timers = timers_new(clock_now_us);
	loop->real_timers = timers_new(clock_real_us);
	loop->ignored_fd = -1;
	fd = loop_epoll_new_root(&loop->root);
	if (!loop->base || loop->base_fd < 0 || fd < 0) {
		fputs("loop: the poll descriptors of libevent and sofia-sip "
		      "were not found; is /proc mounted?\n",
		      stderr);
		abort();
	}
	loop->root_ev =
		event_new(loop->base, fd, EV_READ | EV_PERSIST, wake, loop);
	loop->timer_ev = event_new(loop->base, -1, 0, wake, loop);
	event_add(loop->root_ev, NULL);

	return loop;
}

static bool run_deferred(struct loop *loop)
{
	struct deferred *v = loop->deferred;
	int n = loop->deferred_n;

	loop->deferred = NULL;
	loop->deferred_n = 0;
	for (int i = 0; i < n; i++)
		v[i].cb(v[i].arg);
	free(v);

	return n > 0;
}

/** Free the loop; what was deferred is run first, and all else must be gone */
struct loop *loop_free(struct loop *loop)
{
	if (!loop)
		return NULL;

	while (run_deferred(loop))
		;
	event_free(loop->root_ev);
	event_free(loop->timer_ev);
	su_root_destroy(loop->root);
	su_deinit();
	event_base_free(loop->base);
	timers_free(loop->timers);
	timers_free(loop->real_timers);
	free(loop->deferred);
	free(loop);

	return NULL;
}

/* The sooner of two waits, of which -1 is none */
static int64_t sooner(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* How long till the heap's first timer is due; -1: it has none */
static int64_t wait_of(const struct timers *timers, int64_t now_us)
{
	int64_t next_us = timers_next_us(timers);

	if (next_us < 0)
		return -1;

	return next_us > now_us ? next_us - now_us : 0;
}

static void arm(struct loop *loop, int64_t sofia_ms)
{
	int64_t wait_us = sooner(wait_of(loop->timers, clock_now_us()),
				 wait_of(loop->real_timers, clock_real_us()));
	struct timeval tv;

	/* at least 1 ms: below that it spins (measured) */
	if (sofia_ms >= 0)
		wait_us = sooner(wait_us, (sofia_ms > 1 ? sofia_ms : 1) * 1000);
	event_del(loop->timer_ev);
	if (loop->deferred_n)
		wait_us = 0;
	if (wait_us < 0)
		return;

	tv.tv_sec = (time_t)(wait_us / 1000000);
	tv.tv_usec = (suseconds_t)(wait_us % 1000000);
	event_add(loop->timer_ev, &tv);
}

/* All that sofia can do now; how long it may wait after it */
static su_duration_t step_sofia(struct loop *loop)
{
	int most = clock_is_virtual() ? STEPS_VIRTUAL : STEPS_A_TURN;
	su_duration_t ms;
	int n = 0;

	do
		ms = su_root_step(loop->root, 0);
	while (ms == 0 && !loop->is_stopping && ++n < most);

	return ms;
}

/* Sofia reads what has come, also what came after the last look at what is
 * ready: it does so only in a turn that counts, or none would know that it did
 * something */
static void step_conducted(struct loop *loop)
{
	int64_t now_us = clock_now_us();
	su_duration_t ms;

	if (loop->stepped == loop->acted && loop->stepped_us == now_us)
		return;

	loop->stepped = loop->acted;
	loop->stepped_us = now_us;
	ms = step_sofia(loop);
	/* it counts in whole ms, and 0 is what is left of the last one */
	loop->sofia_due_us = ms < 0 ? -1 : now_us + (ms > 1 ? ms : 1) * 1000;
}

/* All else that can be done now. True: something was */
static bool run_due(struct loop *loop)
{
	int fired = timers_run_due(loop->timers, clock_now_us());

	fired += timers_run_due(loop->real_timers, clock_real_us());

	return run_deferred(loop) || fired;
}

/* How many descriptors are ready within timeout_ms, but for the ignored one;
 * and how many events that one has. Libevent watches by level: to look takes
 * nothing away */
static int count_ready(const struct loop *loop, int timeout_ms, int *ignoredp)
{
	struct epoll_event ready[READY_MAX];
	int n = epoll_wait(loop->base_fd, ready, READY_MAX, timeout_ms);
	int count = 0;

	*ignoredp = 0;
	for (int i = 0; i < n; i++) {
		uint32_t events = ready[i].events;

		if (ready[i].data.fd == loop->ignored_fd)
			*ignoredp =
				!!(events & EPOLLIN) + !!(events & EPOLLOUT);
		else
			count++;
	}

	return count;
}

/* Act on what is ready, and count it: all but as many events as are ignored.
 * What came since the last look is among them; libevent itself looks once, or
 * what it saw the second time would not be told from the first */
static void run_ready(struct loop *loop, int ignored)
{
	int n;

	(void)event_base_get_max_events(loop->base, EVENT_BASE_COUNT_ACTIVE, 1);
	event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	n = event_base_get_max_events(loop->base, EVENT_BASE_COUNT_ACTIVE, 1);
	if (n > ignored)
		loop->acted += (uint64_t)(n - ignored);
}

static void tell_idle(struct loop *loop)
{
	loop_cb *cb = loop->on_idle;

	loop->on_idle = NULL;
	if (cb)
		cb(loop->idle_arg);
}

/* Our clock is taken over: it moves by command, not by waiting. Only what is
 * bound by the machine's clock may end a wait */
static void wait_conducted(struct loop *loop)
{
	int64_t real_us = wait_of(loop->real_timers, clock_real_us());
	bool is_busy = loop->acted != loop->stepped || loop->deferred_n ||
		       real_us == 0 ||
		       wait_of(loop->timers, clock_now_us()) == 0 ||
		       event_base_get_num_events(loop->base,
						 EVENT_BASE_COUNT_ACTIVE) > 0;
	int ignored;

	event_del(loop->timer_ev);
	if (!is_busy && !count_ready(loop, 0, &ignored))
		tell_idle(loop);
	if (is_busy || loop->deferred_n)
		real_us = 0;
	(void)count_ready(loop,
			  real_us < 0 ? -1 : (int)((real_us + 999) / 1000),
			  &ignored);
	run_ready(loop, ignored);
}

/* One turn: do all that can be done, then wait. pred NULL: nothing ends it but
 * loop_stop() */
static void turn(struct loop *loop, loop_pred *pred, const void *arg)
{
	su_duration_t ms = -1;

	if (clock_is_virtual())
		step_conducted(loop);
	else
		ms = step_sofia(loop);
	if (run_due(loop))
		loop->acted++;
	/* what was done may have made it true: then nothing is waited for */
	if (loop->is_stopping || (pred && pred(arg)))
		return;

	if (clock_is_virtual()) {
		wait_conducted(loop);
	} else {
		arm(loop, ms);
		event_base_loop(loop->base, EVLOOP_ONCE);
	}
}

/** Run until loop_stop(); 0 */
int loop_run(struct loop *loop)
{
	loop->is_stopping = false;
	while (!loop->is_stopping)
		turn(loop, NULL, NULL);

	return 0;
}

static void stop_waiting(void *arg)
{
	loop_stop(arg);
}

/**
 * Run until a fact holds, at most bound_ms. For tests and for bounded drains.
 *
 * @return Whether it held
 */
bool loop_run_until(struct loop *loop, loop_pred *pred, const void *arg,
		    int bound_ms)
{
	struct timer *bound = timer_new_real(loop, stop_waiting, loop);

	timer_start_ms(bound, bound_ms);
	loop->is_stopping = false;
	while (!pred(arg) && !loop->is_stopping)
		turn(loop, pred, arg);
	timer_free(bound);

	return pred(arg);
}

/** End loop_run() at the end of this turn */
void loop_stop(struct loop *loop)
{
	loop->is_stopping = true;
	event_base_loopbreak(loop->base);
}

/** Call cb once this turn's stack has unwound: the place to free things */
void loop_defer(struct loop *loop, loop_cb *cb, void *arg)
{
	size_t n = (size_t)loop->deferred_n + 1;

	loop->deferred = xrealloc(loop->deferred, n * sizeof(struct deferred));
	loop->deferred[loop->deferred_n++] = (struct deferred){ cb, arg };
}

/** Call cb, once, when nothing is left to do before something comes or time
 * passes: only while our clock is taken over. NULL: never mind */
void loop_when_idle(struct loop *loop, loop_cb *cb, void *arg)
{
	loop->on_idle = cb;
	loop->idle_arg = arg;
}

/** What comes at fd is not counted by loop_acted(), unless whoever reads it
 * says so by loop_count(); -1: everything is */
void loop_ignore_fd(struct loop *loop, int fd)
{
	loop->ignored_fd = fd;
}

/** Something has come at the descriptor that is ignored */
void loop_count(struct loop *loop)
{
	loop->acted++;
}

/** How often something has come, or was due, since our clock was taken over:
 * the same as before says that nothing was done */
uint64_t loop_acted(const struct loop *loop)
{
	return loop->acted;
}

/** When the next timer is due, ours or sofia's, by clock_now_us(); -1: none
 * runs. To be asked from loop_when_idle()'s callback */
int64_t loop_due_us(const struct loop *loop)
{
	return sooner(timers_next_us(loop->timers), loop->sofia_due_us);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	const struct loop_watch *w = arg;

	(void)fd;
	(void)what;
	w->cb(w->arg);
}

static struct loop_watch *watch_new(struct loop *loop, int fd, short what,
				    loop_cb *cb, void *arg)
{
	struct loop_watch *w = xcalloc(1, sizeof(*w));

	w->cb = cb;
	w->arg = arg;
	w->ev = event_new(loop->base, fd, (short)(what | EV_PERSIST), on_event,
			  w);
	event_add(w->ev, NULL);

	return w;
}

/** Call cb whenever fd is ready for what: LOOP_READ, LOOP_WRITE or both */
struct loop_watch *loop_watch_fd(struct loop *loop, int fd, int what,
				 loop_cb *cb, void *arg)
{
	short ev = 0;

	if (what & LOOP_READ)
		ev |= EV_READ;
	if (what & LOOP_WRITE)
		ev |= EV_WRITE;

	return watch_new(loop, fd, ev, cb, arg);
}

/** Call cb, from the loop, whenever the signal has come */
struct loop_watch *loop_watch_signal(struct loop *loop, int signo, loop_cb *cb,
				     void *arg)
{
	return watch_new(loop, signo, EV_SIGNAL, cb, arg);
}

/** End a watch; gives NULL */
struct loop_watch *loop_unwatch(struct loop_watch *watch)
{
	if (watch) {
		event_free(watch->ev);
		free(watch);
	}

	return NULL;
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

su_root_t *loop_root(struct loop *loop)
{
	return loop->root;
}

struct timers *loop_timers(struct loop *loop)
{
	return loop->timers;
}

struct timers *loop_real_timers(struct loop *loop)
{
	return loop->real_timers;
}
