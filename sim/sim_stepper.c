#include "sim/sim_stepper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "sim/sim_bed.h"
#include "sim/sim_conduct.h"
#include "sim/sim_steps.h"

/* What happens while nothing waits is shown this often */
enum { REFRESH_MS = 200 };

/** Where the next stop is */
enum goal { EACH_MESSAGE, THE_STEP, THE_END };

/** Owned by the command */
struct sim_stepper {
	const struct sim_stepper_ops *ops;
	void *arg;
	struct sim_run *run; /* NULL until the testbed is up */
	enum sim_stepper_state state;
	enum goal goal;
	char *ref;   /* of THE_STEP: "S407" */
	size_t from; /* of THE_STEP: an entry from this one on */
	struct sim_label *labels;
	struct timer *refresh;
};

/** Stands until the student is shown the first message */
struct sim_stepper *sim_stepper_new(const struct sim_stepper_ops *ops,
				    void *arg)
{
	struct sim_stepper *s = xcalloc(1, sizeof(*s));

	s->ops = ops;
	s->arg = arg;

	return s;
}

struct sim_stepper *sim_stepper_free(struct sim_stepper *s)
{
	if (!s)
		return NULL;

	timer_free(s->refresh);
	sim_label_free(s->labels);
	free(s->ref);
	free(s);

	return NULL;
}

/* Read the trace as it is now */
static void label(struct sim_stepper *s)
{
	struct sim_trace *trace = sim_bed_trace(s->run->bed);

	s->ops->forget(s->arg);
	sim_label_free(s->labels);
	sim_trace_finish(trace);
	s->labels = sim_label_new(trace);
}

static bool is_step_seen(const struct sim_stepper *s)
{
	size_t n = sim_trace_count(sim_label_trace(s->labels));

	for (size_t i = s->from; i < n; i++)
		if (sim_label_has_id(s->labels, i, s->ref))
			return true;

	return false;
}

static void on_refresh(void *arg)
{
	struct sim_stepper *s = arg;

	timer_start_ms(s->refresh, REFRESH_MS);
	if (s->state != STEP_RUNNING)
		return;
	label(s);
	s->ops->changed(s->arg);
}

/* --- for the run --- */

static int on_open(struct sim_run *run, void *arg, char **reasonp)
{
	struct sim_stepper *s = arg;
	int err;

	s->run = run;
	s->state = STEP_RUNNING;
	label(s);
	/* by the machine's clock: the run's stands */
	s->refresh = timer_new_real(run->cfg->loop, on_refresh, s);
	err = s->ops->open(s, s->arg, reasonp);
	if (err)
		s->state = STEP_FAILED;
	else
		timer_start_ms(s->refresh, REFRESH_MS);

	return err;
}

static bool on_may_go(const struct sim_held *next, void *arg)
{
	struct sim_stepper *s = arg;

	(void)next;
	if (s->goal == THE_END)
		return true;
	label(s);
	if (s->goal == THE_STEP && !is_step_seen(s))
		return true;
	s->goal = EACH_MESSAGE;
	s->state = STEP_HELD;
	s->ops->changed(s->arg);

	return false;
}

static void on_over(void *arg)
{
	struct sim_stepper *s = arg;
	bool is_left = s->state == STEP_LEFT;

	if (s->state == STEP_FAILED) {
		loop_stop(s->run->cfg->loop);
		return;
	}
	s->state = STEP_OVER;
	label(s);
	s->ops->over(s->arg);
	if (is_left)
		sim_stepper_quit(s);
}

const struct sim_run_front sim_stepper_front = { on_open, on_may_go, on_over };

/* --- for the student --- */

static int check_held(const struct sim_stepper *s, char **reasonp)
{
	if (s->state == STEP_HELD)
		return 0;

	*reasonp = xstrdup(s->state == STEP_OVER
				   ? "the run is over"
				   : "no message waits: elements act, or time "
				     "passes");

	return EBUSY;
}

static void go(struct sim_stepper *s, enum goal goal)
{
	s->goal = goal;
	s->state = STEP_RUNNING;
	sim_conduct_go(sim_bed_conductor(s->run->bed));
}

/** Let the next message be acted on */
int sim_stepper_next(struct sim_stepper *s, char **reasonp)
{
	int err = check_held(s, reasonp);

	if (!err)
		go(s, EACH_MESSAGE);

	return err;
}

/** Go on until a step has been seen: its message waits, or it has happened */
int sim_stepper_until(struct sim_stepper *s, const char *ref, char **reasonp)
{
	char *id = xstrdup(ref ? ref : "");
	int err;

	for (char *p = id; *p; p++)
		if (*p == 's')
			*p = 'S';
	if (!sim_steps_find(id, strlen(id))) {
		*reasonp = xasprintf("there is no step \"%s\": they are S401 "
				     "to S414 and S501 to S521",
				     id);
		free(id);
		return ENOENT;
	}
	err = check_held(s, reasonp);
	if (err) {
		free(id);
		return err;
	}
	free(s->ref);
	s->ref = id;
	s->from = sim_trace_count(sim_label_trace(s->labels));
	go(s, THE_STEP);

	return 0;
}

/** Go on without a stop */
int sim_stepper_end(struct sim_stepper *s, char **reasonp)
{
	int err = check_held(s, reasonp);

	if (!err)
		go(s, THE_END);

	return err;
}

/** The student leaves: what still runs is ended, and did not pass */
void sim_stepper_quit(struct sim_stepper *s)
{
	if (s->state == STEP_OVER) {
		loop_stop(s->run->cfg->loop);
		return;
	}
	s->state = STEP_LEFT;
	sim_lua_abort(s->run->lua, SIM_LUA_FAIL, "left while stepping");
}

/* --- what there is to see --- */

enum sim_stepper_state sim_stepper_state(const struct sim_stepper *s)
{
	return s->state;
}

/** The run; NULL until the testbed is up */
struct sim_run *sim_stepper_run(const struct sim_stepper *s)
{
	return s->run;
}

/** The trace as it was when changed() was called; borrowed until forget() */
const struct sim_label *sim_stepper_labels(const struct sim_stepper *s)
{
	return s->labels;
}

static const struct sim_held_queue *queue(const struct sim_stepper *s)
{
	return sim_conduct_held(sim_bed_conductor(s->run->bed));
}

/** How many messages wait; the first is acted on next */
size_t sim_stepper_held_count(const struct sim_stepper *s)
{
	return s->state == STEP_HELD ? sim_held_count(queue(s)) : 0;
}

/** One of them; valid until the loop goes on */
const struct sim_held *sim_stepper_held(const struct sim_stepper *s, size_t i)
{
	return sim_held_at(queue(s), i);
}

/** The entry that a held message is: the last that its element had received of
 * that protocol; the count of entries if there is none */
size_t sim_stepper_entry(const struct sim_stepper *s,
			 const struct sim_held *held)
{
	static const char *const names[] = { "sip", "diameter", "http" };
	const struct sim_trace *tr = sim_label_trace(s->labels);
	size_t n = sim_trace_count(tr), best = n;

	for (size_t i = 0; i < n; i++) {
		const struct sim_entry *e = sim_trace_entry(tr, i);
		size_t len = e->name ? 0 : strlen(names[e->proto]);

		if (e->name || strncmp(held->what, names[e->proto], len) != 0 ||
		    strcmp(e->to, sim_actor_name(held->actor)) != 0 ||
		    e->recv_us < 0 || e->recv_real_us > held->real_us)
			continue;
		if (best == n ||
		    e->recv_real_us >= sim_trace_entry(tr, best)->recv_real_us)
			best = i;
	}

	return best;
}

/* "terminal has received 401 Unauthorized (S510: the challenge …)" */
static char *held_sentence(const struct sim_stepper *s, enum sim_lang lang)
{
	const struct sim_held *held = sim_stepper_held(s, 0);
	const char *actor = sim_actor_name(held->actor);
	size_t i = sim_stepper_entry(s, held);
	const struct sim_entry *e;
	const char *ids, *what;

	if (i == sim_trace_count(sim_label_trace(s->labels)))
		return xasprintf(lang == SIM_CHINESE ? "%s 收到 %s"
						     : "%s has received %s",
				 actor, held->what);

	e = sim_trace_entry(sim_label_trace(s->labels), i);
	ids = sim_label_ids(s->labels, i);
	what = sim_label_summary(s->labels, i);

	return xasprintf(lang == SIM_CHINESE ? "%s 收到 %s 的 %s%s%s"
					     : "%s has received from %s: "
					       "%s%s%s",
			 actor, e->from, what, *ids ? ", " : "", ids);
}

/** What waits, or why nothing does; the caller frees it */
char *sim_stepper_sentence(const struct sim_stepper *s, enum sim_lang lang)
{
	bool is_zh = lang == SIM_CHINESE;
	const char *reason;

	switch (s->state) {
	case STEP_HELD:
		return held_sentence(s, lang);
	case STEP_OVER:
		reason = sim_lua_reason(s->run->lua);
		if (reason)
			return xstrdup(reason);
		return xstrdup(is_zh ? "运行结束" : "the run is over");
	case STEP_LEFT:
		return xstrdup(is_zh ? "正在停止" : "stopping");
	default:
		return xstrdup(is_zh ? "各网元在动作，或时间在流逝"
				     : "elements act, or time passes");
	}
}
