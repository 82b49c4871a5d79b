#include "common/timer.h"

#include <stdlib.h>

#include "common/loop.h"
#include "common/mem.h"

enum { NOT_IN_HEAP = -1 };

/** Owned by whoever made it; the heap borrows it while it runs */
struct timer {
	struct timers *heap;
	int slot; /* place in the heap, or NOT_IN_HEAP */
	int64_t due_us;
	uint64_t
		order; /* equal due times fire in the order they were started */
	timer_cb *cb;
	void *arg;
};

struct timers {
	int64_t (*now_us)(void); /* the clock that they go by */
	struct timer **v;
	int n, room;
	uint64_t started;
};

static bool is_before(const struct timer *a, const struct timer *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us
				      : a->order < b->order;
}

static void put(struct timers *h, int slot, struct timer *t)
{
	h->v[slot] = t;
	t->slot = slot;
}

static void sift_up(struct timers *h, int i)
{
	struct timer *t = h->v[i];

	for (; i > 0 && is_before(t, h->v[(i - 1) / 2]); i = (i - 1) / 2)
		put(h, i, h->v[(i - 1) / 2]);
	put(h, i, t);
}

static void sift_down(struct timers *h, int i)
{
	struct timer *t = h->v[i];
	int child;

	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n && is_before(h->v[child + 1], h->v[child]))
			child++;
		if (!is_before(h->v[child], t))
			break;
		put(h, i, h->v[child]);
		i = child;
	}
	put(h, i, t);
}

/** A heap of timers that go by a clock */
struct timers *timers_new(int64_t (*now_us)(void))
{
	struct timers *timers = xcalloc(1, sizeof(*timers));

	timers->now_us = now_us;

	return timers;
}

struct timers *timers_free(struct timers *timers)
{
	if (timers) {
		free(timers->v);
		free(timers);
	}

	return NULL;
}

/** When the earliest timer is due, by clock_now_us(); -1 if none runs */
int64_t timers_next_us(const struct timers *timers)
{
	return timers->n ? timers->v[0]->due_us : -1;
}

/** Fire what is due; a timer started meanwhile waits for the next call */
int timers_run_due(struct timers *timers, int64_t now_us)
{
	uint64_t last = timers->started;
	int fired = 0;

	while (timers->n && timers->v[0]->due_us <= now_us &&
	       timers->v[0]->order <= last) {
		struct timer *t = timers->v[0];

		timer_stop(t);
		t->cb(t->arg);
		fired++;
	}

	return fired;
}

static struct timer *new_timer(struct timers *heap, timer_cb *cb, void *arg)
{
	struct timer *t = xcalloc(1, sizeof(*t));

	t->heap = heap;
	t->slot = NOT_IN_HEAP;
	t->cb = cb;
	t->arg = arg;

	return t;
}

/** A stopped timer, the caller's to free */
struct timer *timer_new(struct loop *loop, timer_cb *cb, void *arg)
{
	return new_timer(loop_timers(loop), cb, arg);
}

/** The same by the machine's clock, also while ours is taken over */
struct timer *timer_new_real(struct loop *loop, timer_cb *cb, void *arg)
{
	return new_timer(loop_real_timers(loop), cb, arg);
}

struct timer *timer_free(struct timer *timer)
{
	if (timer) {
		timer_stop(timer);
		free(timer);
	}

	return NULL;
}

/** Start, or start again, to fire once after delay_ms (0: next turn) */
void timer_start_ms(struct timer *timer, int64_t delay_ms)
{
	struct timers *h = timer->heap;

	timer_stop(timer);
	timer->due_us = h->now_us() + delay_ms * 1000;
	timer->order = ++h->started;
	if (h->n == h->room) {
		h->room = h->room ? 2 * h->room : 16;
		h->v = xrealloc(h->v, (size_t)h->room * sizeof(struct timer *));
	}
	put(h, h->n, timer);
	sift_up(h, h->n++);
}

/** Stop; nothing happens if it does not run */
void timer_stop(struct timer *timer)
{
	struct timers *h = timer->heap;
	int i = timer->slot;
	struct timer *last;

	if (i == NOT_IN_HEAP)
		return;

	timer->slot = NOT_IN_HEAP;
	last = h->v[--h->n];
	if (last == timer)
		return;

	put(h, i, last);
	sift_down(h, i);
	sift_up(h, last->slot);
}

bool timer_is_running(const struct timer *timer)
{
	return timer->slot != NOT_IN_HEAP;
}
