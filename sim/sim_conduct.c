#include "sim/sim_conduct.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"

enum { STEP_US = 1000 };

enum conduct_state {
	CONDUCT_OFF,
	CONDUCT_ASKING,  /**< elements are asked whether anything is left */
	CONDUCT_DYING,   /**< one was killed, and is not gone yet */
	CONDUCT_WAITING, /**< for sim_conduct_go() */
	CONDUCT_STUCK
};

/** What one element said last */
struct said {
	bool is_there, was_there; /* asked in this wave, and in the last */
	bool is_awaited;
	int64_t clock_us; /* what it was told */
	int64_t due_us;
	json_int_t acted, acted_before;
};

/** An answer that is awaited: one of an earlier wave does not count */
struct asked {
	struct asked *next;
	struct sim_conduct *conduct;
	enum sim_actor actor;
	unsigned wave;
};

/** Owned by the bed */
struct sim_conduct {
	struct sim_conduct_cfg cfg;
	const struct sim_conduct_ops *ops;
	void *arg;
	enum conduct_state state;
	unsigned wave, round;
	int wave_n; /* since something was done */
	int awaited;
	struct said said[SIM_ACTOR_COUNT];
	struct asked *asked;
	struct sim_held_queue *held;
	int64_t clock_us; /* what it is, or is to be for all */
	bool is_changed;  /* since the scenario was last asked */
	bool is_told;     /* an element was, by the scenario, in its turn */
	bool is_in_turn;
	struct timer *all_said; /* not beneath the last one's answer */
	uint64_t random;
};

static void stir(struct sim_conduct *c);
static void on_wave(void *arg);

/** Conducts nothing before sim_conduct_start(); cfg is copied */
struct sim_conduct *sim_conduct_new(const struct sim_conduct_cfg *cfg,
				    const struct sim_conduct_ops *ops,
				    void *arg)
{
	struct sim_conduct *c = xcalloc(1, sizeof(*c));

	c->cfg = *cfg;
	c->ops = ops;
	c->arg = arg;
	c->random = cfg->seed;
	c->held = sim_held_queue_new();
	c->all_said = timer_new_real(cfg->loop, on_wave, c);

	return c;
}

/** Free it; the elements must be gone, or sim_conduct_end() called */
struct sim_conduct *sim_conduct_free(struct sim_conduct *c)
{
	if (!c)
		return NULL;

	timer_free(c->all_said);
	sim_held_queue_free(c->held);
	while (c->asked) {
		struct asked *next = c->asked->next;

		free(c->asked);
		c->asked = next;
	}
	free(c);

	return NULL;
}

/* --- what happens when all is quiet --- */

static bool is_up(const struct sim_conduct *c, enum sim_actor actor)
{
	enum sim_condition is = c->ops->condition(actor, c->arg);

	return is == SIM_IS_UP || is == SIM_IS_STARTING;
}

static const struct sim_held *pick(struct sim_conduct *c)
{
	unsigned actors = 0;

	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		if (is_up(c, (enum sim_actor)i))
			actors |= 1U << i;

	return sim_held_pick(c->held, actors, c->cfg.seed ? &c->random : NULL);
}

static void release(struct sim_conduct *c, const struct sim_held *held)
{
	enum sim_actor actor = held->actor;
	json_t *args = json_pack("{s:i}", "number", (int)held->number);

	sim_held_remove(c->held, held);
	c->round++;
	c->is_changed = true;
	/* gone, if it died in this moment: then so is the message */
	(void)c->ops->call(actor, "release-held", args, NULL, NULL, c->arg);
	stir(c);
}

/* The earliest timer that runs anywhere; -1: there is none */
static int64_t next_due(const struct sim_conduct *c)
{
	int64_t due_us = timers_next_us(loop_timers(c->cfg.loop));

	for (int i = 0; i < SIM_ACTOR_COUNT; i++) {
		const struct said *s = &c->said[i];

		if (s->is_there && s->due_us >= 0 &&
		    (due_us < 0 || s->due_us < due_us))
			due_us = s->due_us;
	}

	return due_us;
}

/* One element's clock after the other moves, those that have a timer due
 * first: what they do then does not cross. True: one was moved */
static bool move_one(struct sim_conduct *c)
{
	for (int i = 0; i < SIM_ACTOR_COUNT; i++) {
		struct said *s = &c->said[i];

		if (!s->is_there || s->clock_us >= c->clock_us ||
		    s->due_us < 0 || s->due_us > c->clock_us)
			continue;
		s->clock_us = c->clock_us;
		stir(c);
		return true;
	}

	return false;
}

static bool is_moving(const struct sim_conduct *c)
{
	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		if (c->said[i].is_there && c->said[i].clock_us < c->clock_us)
			return true;

	return clock_now_us() < c->clock_us;
}

/* All others, and the runner's own: its timers fire in its next turn */
static void move_rest(struct sim_conduct *c)
{
	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		c->said[i].clock_us = c->clock_us;
	clock_set_us(c->clock_us);
	c->round++;
	c->is_changed = true;
	stir(c);
}

static void let_time_pass(struct sim_conduct *c)
{
	int64_t due_us = next_due(c), ahead_us = due_us - c->clock_us;

	if (due_us < 0) {
		c->state = CONDUCT_STUCK;
		c->ops->stuck(c->arg);
		return;
	}
	/* in whole ms, as sofia-sip counts, and one at least: what is due now
	 * by a fraction of it would never be */
	if (ahead_us < 1)
		ahead_us = 1;
	c->clock_us += (ahead_us + STEP_US - 1) / STEP_US * STEP_US;
	if (!move_one(c))
		move_rest(c);
}

static void act(struct sim_conduct *c, bool is_allowed)
{
	const struct sim_held *next = pick(c);

	if (!next) {
		let_time_pass(c);
	} else if (is_allowed || !c->ops->may_go ||
		   c->ops->may_go(next, c->arg)) {
		release(c, next);
	} else {
		c->state = CONDUCT_WAITING;
	}
}

static void on_quiet(struct sim_conduct *c)
{
	bool has_turn = true;

	if (is_moving(c)) {
		if (!move_one(c))
			move_rest(c);
		return;
	}
	c->is_told = false;
	c->is_in_turn = true;
	while (has_turn && !c->is_told && c->state != CONDUCT_OFF) {
		bool is_changed = c->is_changed;

		c->is_changed = false;
		has_turn = c->ops->turn(is_changed, c->arg);
	}
	c->is_in_turn = false;
	if (c->state == CONDUCT_OFF)
		return;
	if (c->is_told)
		stir(c);
	else
		act(c, false);
}

/* --- is it? --- */

static void ask_all(struct sim_conduct *c);

static bool is_same_as_before(const struct sim_conduct *c)
{
	for (int i = 0; i < SIM_ACTOR_COUNT; i++) {
		const struct said *s = &c->said[i];

		if (s->is_there != s->was_there ||
		    (s->is_there && s->acted != s->acted_before))
			return false;
	}

	return true;
}

static void on_wave(void *arg)
{
	struct sim_conduct *c = arg;

	if (c->state != CONDUCT_ASKING || c->awaited)
		return;
	/* two since then: what was sent after an element's first answer has
	 * made the receiver act before its second */
	if (++c->wave_n >= 2 && is_same_as_before(c))
		on_quiet(c);
	else
		ask_all(c);
}

static void take_answer(struct sim_conduct *c, struct said *s,
			const json_t *result)
{
	s->is_awaited = false;
	c->awaited--;
	s->acted = json_integer_value(json_object_get(result, "acted"));
	s->due_us = json_integer_value(json_object_get(result, "due_us"));
	s->clock_us = json_integer_value(json_object_get(result, "clock_us"));
	/* at the start each stops where it is: the latest counts */
	if (s->clock_us > c->clock_us)
		c->clock_us = s->clock_us;
}

static void asked_free(struct asked *asked)
{
	struct asked **p = &asked->conduct->asked;

	while (*p != asked)
		p = &(*p)->next;
	*p = asked->next;
	free(asked);
}

static void on_answer(json_t *result, const char *error, void *arg)
{
	const struct asked *asked = arg;
	struct sim_conduct *c = asked->conduct;
	struct said *s = &c->said[asked->actor];
	bool is_ours = asked->wave == c->wave && s->is_awaited;

	asked_free(arg);
	if (error || !is_ours || c->state != CONDUCT_ASKING)
		return; /* it died, or was asked again */

	take_answer(c, s, result);
	if (!c->awaited)
		timer_start_ms(c->all_said, 0);
}

static void ask(struct sim_conduct *c, enum sim_actor actor)
{
	struct said *s = &c->said[actor];
	struct asked *asked = xcalloc(1, sizeof(*asked));

	*asked = (struct asked){ c->asked, c, actor, c->wave };
	c->asked = asked;
	s->acted_before = s->acted;
	s->is_awaited = true;
	c->awaited++;
	if (c->ops->call(
		    actor, "conduct",
		    json_pack("{s:I}", "clock_us", (json_int_t)s->clock_us),
		    on_answer, asked, c->arg)) {
		asked_free(asked);
		s->is_there = s->is_awaited = false;
		c->awaited--;
	}
}

/* A wave: all that are there say when nothing is left to do */
static void ask_all(struct sim_conduct *c)
{
	c->state = CONDUCT_ASKING;
	c->wave++;
	c->awaited = 0;
	for (int i = 0; i < SIM_ACTOR_COUNT; i++) {
		if (c->ops->condition((enum sim_actor)i, c->arg) ==
		    SIM_IS_DYING)
			c->state = CONDUCT_DYING;
	}
	/* sim_conduct_on_change() follows, when it is gone */
	if (c->state == CONDUCT_DYING)
		return;

	for (int i = 0; i < SIM_ACTOR_COUNT; i++) {
		struct said *s = &c->said[i];

		s->was_there = s->is_there;
		s->is_there = is_up(c, (enum sim_actor)i);
		s->is_awaited = false;
		if (s->is_there)
			ask(c, (enum sim_actor)i);
	}
}

/* Something was done: ask until it has had all its consequences */
static void stir(struct sim_conduct *c)
{
	c->wave_n = 0;
	ask_all(c);
}

/* --- for the bed --- */

/** Take the clocks over, and hold what is received, from now on */
void sim_conduct_start(struct sim_conduct *c)
{
	clock_take_over();
	c->clock_us = clock_now_us();
	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		c->said[i].clock_us = c->clock_us;
	c->is_changed = true;
	stir(c);
}

static void end_one(const struct sim_conduct *c, enum sim_actor actor)
{
	if (is_up(c, actor))
		(void)c->ops->call(actor, "conduct-end", NULL, NULL, NULL,
				   c->arg);
}

/** Give the clocks back, and let all go that is held */
void sim_conduct_end(struct sim_conduct *c)
{
	if (c->state == CONDUCT_OFF)
		return;

	c->state = CONDUCT_OFF;
	sim_held_forget(c->held, ~0U);
	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		end_one(c, (enum sim_actor)i);
	clock_give_back();
}

/** An element holds one more message, which is to be acted on in its turn:
 * behind those received before it; of one round, in the order of elements */
void sim_conduct_hold(struct sim_conduct *c, const struct sim_held *held)
{
	if (c->state != CONDUCT_OFF)
		sim_held_add(c->held, held, c->round);
}

/** The scenario has told an element something: that it may have to act on */
void sim_conduct_on_command(struct sim_conduct *c)
{
	c->is_told = true;
}

/** An element has halted, died, come back, or was paused or let go on */
void sim_conduct_on_change(struct sim_conduct *c, enum sim_actor actor)
{
	enum sim_condition is = c->ops->condition(actor, c->arg);

	if (is == SIM_IS_DOWN)
		sim_held_forget(c->held, 1U << actor);
	c->is_changed = c->is_told = true;
	if (c->state != CONDUCT_OFF && !c->is_in_turn)
		stir(c);
}

/** Have the message that waits be acted on; nothing happens if none does */
void sim_conduct_go(struct sim_conduct *c)
{
	if (c->state == CONDUCT_WAITING)
		act(c, true);
}

/** What waits, in the order in which it would be acted on; valid until the
 * next turn of the loop */
const struct sim_held_queue *sim_conduct_held(const struct sim_conduct *c)
{
	return c->held;
}
