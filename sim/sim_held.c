#include "sim/sim_held.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/** One message; owned by its queue. pub is first, so that it converts */
struct held {
	struct sim_held pub;
	struct held *next;
	char *what, *remote;
	unsigned round; /* in which it was received */
};

/** Owned by the conductor */
struct sim_held_queue {
	struct held *first;
};

/** An empty queue */
struct sim_held_queue *sim_held_queue_new(void)
{
	return xcalloc(1, sizeof(struct sim_held_queue));
}

static void held_free(struct held **p)
{
	struct held *h = *p;

	*p = h->next;
	free(h->what);
	free(h->remote);
	free(h);
}

/** Free it, with all that is in it */
struct sim_held_queue *sim_held_queue_free(struct sim_held_queue *q)
{
	while (q && q->first)
		held_free(&q->first);
	free(q);

	return NULL;
}

/** One more was received, in a round that is none of the past; copied */
void sim_held_add(struct sim_held_queue *q, const struct sim_held *held,
		  unsigned round)
{
	struct held **p = &q->first;
	struct held *h = xcalloc(1, sizeof(*h));

	while (*p && ((*p)->round < round || (*p)->pub.actor <= held->actor))
		p = &(*p)->next;
	h->what = xstrdup(held->what);
	h->remote = xstrdup(held->remote);
	h->pub = *held;
	h->pub.what = h->what;
	h->pub.remote = h->remote;
	h->round = round;
	h->next = *p;
	*p = h;
}

/** It is acted on: one that sim_held_pick() gave, which is gone now */
void sim_held_remove(struct sim_held_queue *q, const struct sim_held *held)
{
	struct held **p = &q->first;

	while (&(*p)->pub != held)
		p = &(*p)->next;
	held_free(p);
}

/** These elements are gone, and what they held with them; actors: a bit each */
void sim_held_forget(struct sim_held_queue *q, unsigned actors)
{
	struct held **p = &q->first;

	while (*p) {
		if (actors & 1U << (*p)->pub.actor)
			held_free(p);
		else
			p = &(*p)->next;
	}
}

/* Whose element can act, and which is the first of its sender there: those
 * behind it may have come over the same connection */
static bool is_ready(const struct sim_held_queue *q, const struct held *held,
		     unsigned actors)
{
	if (!(actors & 1U << held->pub.actor))
		return false;
	for (const struct held *h = q->first; h != held; h = h->next)
		if (h->pub.actor == held->pub.actor &&
		    !strcmp(h->remote, held->remote))
			return false;

	return true;
}

/* splitmix64 (public domain, S. Vigna): the same on every machine */
static uint64_t draw(uint64_t *randomp)
{
	uint64_t z = *randomp += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;

	return z ^ (z >> 31);
}

/**
 * Which is acted on next
 *
 * @param actors  Elements that can act, a bit each
 * @param randomp It is drawn among the senders' first ones, by this, which
 *                moves on; NULL: the first
 *
 * @return Valid until it is removed or forgotten; NULL: none
 */
const struct sim_held *sim_held_pick(const struct sim_held_queue *q,
				     unsigned actors, uint64_t *randomp)
{
	uint64_t n = 0, which = 0;

	for (const struct held *h = q->first; h && randomp; h = h->next)
		n += is_ready(q, h, actors);
	if (n > 1)
		which = draw(randomp) % n;
	for (const struct held *h = q->first; h; h = h->next)
		if (is_ready(q, h, actors) && which-- == 0)
			return &h->pub;

	return NULL;
}

size_t sim_held_count(const struct sim_held_queue *q)
{
	size_t n = 0;

	for (const struct held *h = q->first; h; h = h->next)
		n++;

	return n;
}

/** The one at place i, from 0 to sim_held_count() - 1 */
const struct sim_held *sim_held_at(const struct sim_held_queue *q, size_t i)
{
	const struct held *h = q->first;

	while (i--)
		h = h->next;

	return &h->pub;
}
