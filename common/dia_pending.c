#include "common/dia_pending.h"

#include <errno.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/timer.h"

/* Identifiers count up, so the low bits spread evenly */
enum { BUCKETS = 256 };

/** One request; owned by the table */
struct entry {
	struct entry *next;
	struct dia_pending *table;
	uint32_t hop_by_hop;
	int err; /* what the timer tells */
	struct timer *timer;
	dia_answer_cb *cb;
	void *arg;
};

/** Owned by the peer */
struct dia_pending {
	struct loop *loop;
	struct entry *buckets[BUCKETS];
};

struct dia_pending *dia_pending_new(struct loop *loop)
{
	struct dia_pending *pending = xcalloc(1, sizeof(*pending));

	pending->loop = loop;

	return pending;
}

static struct entry **find(struct dia_pending *pending, uint32_t hop_by_hop)
{
	struct entry **p = &pending->buckets[hop_by_hop % BUCKETS];

	while (*p && (*p)->hop_by_hop != hop_by_hop)
		p = &(*p)->next;

	return p;
}

static void entry_free(struct entry *e)
{
	timer_free(e->timer);
	free(e);
}

/** Free the table; nobody is called any more */
struct dia_pending *dia_pending_free(struct dia_pending *pending)
{
	for (int i = 0; pending && i < BUCKETS; i++) {
		while (pending->buckets[i]) {
			struct entry *e = pending->buckets[i];

			pending->buckets[i] = e->next;
			entry_free(e);
		}
	}
	free(pending);

	return NULL;
}

static void on_timer(void *arg)
{
	struct entry *e = arg;

	(void)dia_pending_answer(e->table, e->hop_by_hop, e->err, NULL);
}

/**
 * Remember a request
 *
 * @param err What is wrong already (0: nothing); cb gets it on the next turn
 */
void dia_pending_add(struct dia_pending *pending, uint32_t hop_by_hop, int err,
		     dia_answer_cb *cb, void *arg)
{
	struct entry *e = xcalloc(1, sizeof(*e));
	struct entry **bucket = &pending->buckets[hop_by_hop % BUCKETS];

	e->table = pending;
	e->hop_by_hop = hop_by_hop;
	e->err = err ? err : ETIMEDOUT;
	e->cb = cb;
	e->arg = arg;
	e->timer = timer_new(pending->loop, on_timer, e);
	timer_start_ms(e->timer, err ? 0 : timer_value_ms(TIMER_CX_ANSWER));
	e->next = *bucket;
	*bucket = e;
}

/** The answer is here but held: it cannot be late any more */
bool dia_pending_pause(struct dia_pending *pending, uint32_t hop_by_hop)
{
	struct entry *e = *find(pending, hop_by_hop);

	if (e)
		timer_stop(e->timer);

	return e;
}

/** The held answer was dropped: it is as if it had been lost */
void dia_pending_resume(struct dia_pending *pending, uint32_t hop_by_hop)
{
	struct entry *e = *find(pending, hop_by_hop);

	if (e && !timer_is_running(e->timer))
		timer_start_ms(e->timer, timer_value_ms(TIMER_CX_ANSWER));
}

/**
 * Give a request its answer, or an error, and forget it
 *
 * @return false where none of that id waits: the answer is late or unasked
 */
bool dia_pending_answer(struct dia_pending *pending, uint32_t hop_by_hop,
			int err, const struct dia_msg *answer)
{
	struct entry **p = find(pending, hop_by_hop);
	struct entry *e = *p;
	dia_answer_cb *cb;
	void *arg;

	if (!e)
		return false;

	*p = e->next;
	cb = e->cb;
	arg = e->arg;
	entry_free(e);
	cb(err, answer, arg);

	return true;
}

/** The connection is gone: all that wait get err on the next turn */
void dia_pending_fail(struct dia_pending *pending, int err)
{
	for (int i = 0; i < BUCKETS; i++) {
		for (struct entry *e = pending->buckets[i]; e; e = e->next) {
			e->err = err;
			timer_start_ms(e->timer, 0);
		}
	}
}
