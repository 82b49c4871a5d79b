#include "common/hold.h"

#include <errno.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/trace.h"

/** One message that waits; owned by the queue */
struct held {
	struct held *next;
	unsigned number;
	hold_done_cb *cb;
	void *arg;
};

/** Owned by the element */
struct hold {
	struct trace *trace;
	struct held *first, **endp;
	unsigned last_number;
	size_t count;
	bool is_holding;
};

/** Holding is off to begin with */
struct hold *hold_new(struct trace *trace)
{
	struct hold *hold = xcalloc(1, sizeof(*hold));

	hold->trace = trace;
	hold->endp = &hold->first;

	return hold;
}

/* Takes *heldp out of the queue and finishes it */
static void finish(struct hold *hold, struct held **heldp, bool is_dropped)
{
	struct held *h = *heldp;

	*heldp = h->next;
	if (hold->endp == &h->next)
		hold->endp = heldp;
	hold->count--;
	trace_event(hold->trace,
		    is_dropped ? "message.dropped" : "message.released",
		    json_pack("{s:i}", "number", (int)h->number));
	h->cb(is_dropped, h->arg);
	free(h);
}

/** Free the queue; what it holds is dropped */
struct hold *hold_free(struct hold *hold)
{
	if (!hold)
		return NULL;

	while (hold->first)
		finish(hold, &hold->first, true);
	free(hold);

	return NULL;
}

/**
 * Ask whether a received message has to wait
 *
 * @param what   Short text for who steps: "sip REGISTER"
 * @param remote Who has sent it, as addr_format() gives it: those of one sender
 *               stay in their order
 * @param cb     Called when it is released or dropped
 *
 * @return false: go on now, cb is not called; true: it waits
 */
bool hold_message(struct hold *hold, const char *what, const char *remote,
		  hold_done_cb *cb, void *arg)
{
	struct held *h;

	/* in order: nothing passes a message that still waits */
	if (!hold->is_holding && !hold->first)
		return false;

	h = xcalloc(1, sizeof(*h));
	h->number = ++hold->last_number;
	h->cb = cb;
	h->arg = arg;
	*hold->endp = h;
	hold->endp = &h->next;
	hold->count++;
	trace_event(hold->trace, "message.held",
		    json_pack("{s:i, s:s, s:s}", "number", (int)h->number,
			      "what", what, "remote", remote));

	return true;
}

/** Hold every message from now on */
void hold_start(struct hold *hold)
{
	hold->is_holding = true;
}

/** Hold no more, and release all that waits, in order */
void hold_stop(struct hold *hold)
{
	hold->is_holding = false;
	while (hold->first)
		finish(hold, &hold->first, false);
}

static int finish_one(struct hold *hold, unsigned number, bool is_dropped)
{
	for (struct held **p = &hold->first; *p; p = &(*p)->next) {
		if ((*p)->number == number) {
			finish(hold, p, is_dropped);
			return 0;
		}
	}

	return ENOENT;
}

/** Release one message by its number; ENOENT if none of that number waits */
int hold_release(struct hold *hold, unsigned number)
{
	return finish_one(hold, number, false);
}

/** Drop one message by its number, as if it had been lost on its way; ENOENT
 * if none of that number waits */
int hold_drop(struct hold *hold, unsigned number)
{
	return finish_one(hold, number, true);
}

/** Drop what was held with this arg: its connection is gone */
void hold_drop_of(struct hold *hold, const void *arg)
{
	struct held **p = &hold->first;

	while (*p) {
		if ((*p)->arg == arg)
			finish(hold, p, true);
		else
			p = &(*p)->next;
	}
}

/** How many wait */
size_t hold_count(const struct hold *hold)
{
	return hold->count;
}
