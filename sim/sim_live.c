#include "sim/sim_live.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/timer.h"
#include "sim/sim.h"
#include "sim/sim_ladder.h"

enum {
	SETTLE_US = 200000, /* a process's lines are here by then */
	TICK_MS = 50,
	SHARE = 20,      /* a batch costs one part of so many */
	HEAD_EVERY = 40, /* lines */
};

/** Owned by the run */
struct sim_live {
	struct sim_live_cfg cfg;
	struct timer *tick;
	int64_t rest_us;          /**< no batch is due before */
	struct sim_label *labels; /**< of the entries that are settled */
	const void **keys;        /**< of each of those */
	size_t n;
	size_t first;   /**< all before it are told */
	void *told;     /**< set of keys (tsearch) */
	size_t told_n;  /**< lines */
	size_t head_at; /**< told_n at the last head */
	char *head;     /**< what it looked like */
};

/* What an entry is known by: its bytes, or fields, which the trace keeps */
static const void *key_of(const struct sim_entry *e)
{
	return e->name ? (const void *)e->fields : e->data;
}

static int compare_keys(const void *a, const void *b)
{
	return a < b ? -1 : a > b;
}

static bool is_told(const struct sim_live *live, const struct sim_entry *e)
{
	return tfind(key_of(e), &live->told, compare_keys) != NULL;
}

static void keep_key(void *key)
{
	(void)key; /* it is the trace's */
}

/* --- what is settled --- */

static void forget_labels(struct sim_live *live)
{
	live->labels = sim_label_free(live->labels);
	live->n = live->first = 0;
}

/* A line that came too late has moved what was labelled: do that again */
static void check_prefix(struct sim_live *live)
{
	for (size_t i = 0; i < live->n; i++) {
		if (i >= sim_trace_count(live->cfg.trace) ||
		    key_of(sim_trace_entry(live->cfg.trace, i)) !=
			    live->keys[i]) {
			forget_labels(live);
			return;
		}
	}
}

/* Label the entries up to a time; a label depends on nothing after it */
static void settle(struct sim_live *live, int64_t until_us)
{
	const struct sim_trace *tr = live->cfg.trace;
	size_t n = sim_trace_count(tr);

	check_prefix(live);
	if (!live->labels)
		live->labels = sim_label_open(tr);
	live->keys = xrealloc(live->keys, (n + 1) * sizeof(*live->keys));
	while (live->n < n && sim_trace_entry(tr, live->n)->t_us <= until_us) {
		live->keys[live->n] = key_of(sim_trace_entry(tr, live->n));
		live->n++;
	}
	sim_label_more(live->labels, live->n);
}

/* --- printing --- */

static struct sim_ladder *draw(const struct sim_live *live,
			       const struct sim_label *labels)
{
	struct sim_screen screen;
	struct sim_ladder_cfg cfg = { .has_all_actors = true };

	/* asked each time: the window may have got another size */
	sim_screen_get(&screen, live->cfg.out, live->cfg.no_colour);
	cfg.width = screen.width;
	cfg.is_colour = screen.is_colour;
	cfg.is_ascii = screen.is_ascii;
	cfg.has_all_events = live->cfg.has_all_events;

	return sim_ladder_new(labels, &cfg);
}

static char *head_text(const struct sim_ladder *l)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort(); /* out of memory, as in common/mem.h */
	sim_ladder_head(l, f);
	(void)fclose(f);

	return text;
}

/* At the top, where it has scrolled away, and when the columns are others */
static void put_head(struct sim_live *live, const struct sim_ladder *l)
{
	char *head = head_text(l);
	bool is_new = !live->head || strcmp(head, live->head) != 0;

	if (!live->head)
		sim_ladder_legend(l, live->cfg.out);
	if (is_new || live->told_n >= live->head_at + HEAD_EVERY) {
		if (*head)
			(void)fprintf(live->cfg.out, "%s\n", head);
		live->head_at = live->told_n;
	}
	free(live->head);
	live->head = head;
}

static void tell(struct sim_live *live, const struct sim_ladder *l, size_t i)
{
	const struct sim_entry *e = sim_trace_entry(live->cfg.trace, i);

	(void)tsearch(key_of(e), &live->told, compare_keys);
	if (!sim_ladder_shows(l, i))
		return;

	put_head(live, l);
	sim_ladder_line(l, i, live->cfg.out);
	(void)fputc('\n', live->cfg.out);
	live->told_n++;
}

/* Tell what is settled and was not told */
static void tell_settled(struct sim_live *live)
{
	struct sim_ladder *l = draw(live, live->labels);
	bool is_waiting = false;

	for (size_t i = live->first; i < live->n; i++) {
		const struct sim_entry *e = sim_trace_entry(live->cfg.trace, i);

		/* its receiver may still tell of it */
		if (!is_told(live, e) && e->is_lost) {
			is_waiting = true;
			continue;
		}
		if (!is_told(live, e))
			tell(live, l, i);
		if (!is_waiting)
			live->first = i + 1;
	}
	sim_ladder_free(l);
	(void)fflush(live->cfg.out);
}

/* A batch costs the more, the longer the run: so the rest after it is longer */
static void start_tick(struct sim_live *live)
{
	int64_t rest_ms = (live->rest_us - clock_now_us()) / 1000;

	timer_start_ms(live->tick, rest_ms > TICK_MS ? rest_ms : TICK_MS);
}

static void on_tick(void *arg)
{
	struct sim_live *live = arg;
	int64_t began_us = clock_now_us(), now_us;

	sim_trace_finish(live->cfg.trace);
	settle(live, began_us - SETTLE_US);
	/* without the printing: a terminal may stand still for as long as its
	 * user likes */
	now_us = clock_now_us();
	tell_settled(live);
	live->rest_us = now_us + SHARE * (now_us - began_us);
	if (live->n < sim_trace_count(live->cfg.trace))
		start_tick(live);
}

struct sim_live *sim_live_new(const struct sim_live_cfg *cfg)
{
	struct sim_live *live = xcalloc(1, sizeof(*live));

	live->cfg = *cfg;
	live->tick = timer_new(cfg->loop, on_tick, live);

	return live;
}

struct sim_live *sim_live_free(struct sim_live *live)
{
	if (!live)
		return NULL;

	timer_free(live->tick);
	sim_label_free(live->labels);
	tdestroy(live->told, keep_key);
	free((void *)live->keys);
	free(live->head);
	free(live);

	return NULL;
}

void sim_live_on_trace(struct sim_live *live)
{
	/* a clock that is moved by hand says nothing about what is on its way:
	 * then all is told at the end */
	if (!timer_is_running(live->tick) && !clock_is_virtual())
		start_tick(live);
}

void sim_live_end(struct sim_live *live, const struct sim_label *labels)
{
	struct sim_ladder *l = draw(live, labels);

	timer_stop(live->tick);
	for (size_t i = 0; i < sim_trace_count(live->cfg.trace); i++) {
		if (!is_told(live, sim_trace_entry(live->cfg.trace, i)))
			tell(live, l, i);
	}
	put_head(live, l);
	if (live->told_n > live->head_at && *live->head)
		(void)fprintf(live->cfg.out, "%s\n", live->head);
	sim_ladder_free(l);
	(void)fflush(live->cfg.out);
}
