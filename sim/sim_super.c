#include "sim/sim_super.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "sim/sim_proc.h"
#include "sim/sim_super_args.h"

enum { STAGES = 5, KILL_AFTER = 5 /* times TIMER_DRAIN */ };

/** What is known of one element: its name, and when it is stopped */
struct actor {
	const char *name;
	int stage;
};

/* Who asks goes before who answers, so that nobody is left waiting */
static const struct actor actors[SIM_ACTOR_COUNT] = {
	[SIM_TERMINAL] = { "terminal", 0 },
	[SIM_BOSS] = { "boss", 0 },
	[SIM_APPSERVER] = { "appserver", 1 },
	[SIM_APPSERVER2] = { "appserver2", 1 },
	[SIM_PLATFORM] = { "platform", 2 },
	[SIM_PCSCF] = { "pcscf", 3 },
	[SIM_ICSCF] = { "icscf", 3 },
	[SIM_SCSCF] = { "scscf", 3 },
	[SIM_HSS] = { "hss", 4 },
};

enum super_state { STARTING, UP, FAILED, STOPPING, ENDED };

/** Owned by the command that runs the testbed */
struct sim_super {
	const struct sim_super_cfg *cfg;
	const struct sim_super_ops *ops;
	void *arg;
	enum super_state state;
	int stage; /* of the stop */
	int64_t started_us;
	struct timer *bound;
	struct sim_proc *procs[SIM_ACTOR_COUNT];
	bool is_asked[SIM_ACTOR_COUNT]; /* its death, by sim_super_kill() */
};

const char *sim_actor_name(enum sim_actor actor)
{
	return actors[actor].name;
}

/** What it runs; several of a kind have one program */
const char *sim_actor_program(enum sim_actor actor)
{
	return actors[actor == SIM_APPSERVER2 ? SIM_APPSERVER : actor].name;
}

/** Whether a testbed of so many AS has this actor */
bool sim_actor_is_in(enum sim_actor actor, int appservers)
{
	return actor != SIM_APPSERVER2 || appservers > 1;
}

/** The actor of that name, or -1 */
int sim_actor_find(const char *name)
{
	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		if (!strcmp(actors[i].name, name))
			return i;

	return -1;
}

/* One that was not asked for has no process */
static bool has(const struct sim_super *super, int actor)
{
	return super->procs[actor];
}

/* Takes reason over */
static void tell(const struct sim_super *super, char *reason)
{
	super->ops->failed(reason, super->arg);
	free(reason);
}

static void fail(struct sim_super *super, char *reason)
{
	super->state = FAILED;
	timer_stop(super->bound);
	tell(super, reason);
}

static enum sim_actor actor_of(const struct sim_proc *proc)
{
	return (enum sim_actor)sim_actor_find(sim_proc_name(proc));
}

static void on_ready(struct sim_proc *proc, void *arg)
{
	struct sim_super *super = arg;

	if (super->state == UP) {
		super->ops->changed(actor_of(proc), SIM_CAME_UP, super->arg);
		return;
	}
	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		if (has(super, i) && !sim_proc_is_ready(super->procs[i]))
			return;
	if (super->state != STARTING)
		return;

	super->state = UP;
	timer_stop(super->bound);
	super->ops->ready(clock_real_us() - super->started_us, super->arg);
}

static void on_trace(struct sim_proc *proc, json_t *line, void *arg)
{
	const struct sim_super *super = arg;

	(void)proc;
	super->ops->trace(line, super->arg);
}

static void stop_stage(struct sim_super *super)
{
	int left = 0;

	while (super->stage < STAGES) {
		for (int i = 0; i < SIM_ACTOR_COUNT; i++)
			if (actors[i].stage == super->stage && has(super, i) &&
			    !sim_proc_is_ended(super->procs[i])) {
				/* one that was paused would never read a
				 * SIGTERM. Before it, not after: a SIGCONT that
				 * comes late undoes the stop by which the leak
				 * check looks at the process, which then waits
				 * for ever */
				sim_proc_signal(super->procs[i], SIGCONT);
				sim_proc_signal(super->procs[i], SIGTERM);
				left++;
			}
		/* each ends by itself after TIMER_DRAIN, then has its own
		 * exit to do: slow under a sanitizer */
		timer_start_ms(super->bound,
			       timer_value_ms(TIMER_DRAIN) * KILL_AFTER);
		if (left)
			return;
		super->stage++;
	}

	super->state = ENDED;
	timer_stop(super->bound);
	super->ops->stopped(super->arg);
}

static bool is_stage_over(const struct sim_super *super)
{
	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		if (actors[i].stage <= super->stage && has(super, i) &&
		    !sim_proc_is_ended(super->procs[i]))
			return false;

	return true;
}

static void on_end(struct sim_proc *proc, void *arg)
{
	struct sim_super *super = arg;
	enum sim_actor actor = actor_of(proc);

	if (super->is_asked[actor])
		super->ops->changed(actor, SIM_WENT_DOWN, super->arg);
	else if (super->state < FAILED)
		fail(super, sim_proc_why(proc));
	else if (!sim_proc_is_good(proc))
		tell(super, sim_proc_why(proc));
	if (super->state == STOPPING && is_stage_over(super))
		stop_stage(super);
}

static void on_halted(struct sim_proc *proc, void *arg)
{
	const struct sim_super *super = arg;

	super->ops->changed(actor_of(proc), SIM_HALTED, super->arg);
}

static void kill_up_to(const struct sim_super *super, int stage)
{
	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		if (actors[i].stage <= stage && has(super, i))
			sim_proc_signal(super->procs[i], SIGKILL);
}

static void tell_late(struct sim_super *super)
{
	int late = 0;

	while (!has(super, late) || sim_proc_is_ready(super->procs[late]))
		late++;
	fail(super,
	     xasprintf("%s is not ready after %d ms (timer ready); see "
		       "%s/%s.log",
		       actors[late].name, (int)timer_value_ms(TIMER_READY),
		       super->cfg->dir, actors[late].name));
}

static void on_bound(void *arg)
{
	struct sim_super *super = arg;

	if (super->state == STARTING)
		tell_late(super);
	else if (super->state == STOPPING)
		kill_up_to(super, super->stage);
}

static const struct sim_proc_ops proc_ops = { on_ready, on_trace, on_halted,
					      on_end };

static int start_one(struct sim_super *super, enum sim_actor actor,
		     char **reasonp)
{
	struct sim_args args;
	struct sim_proc_cfg cfg = { .name = actors[actor].name };
	char *path =
		xasprintf("%s/%s", super->cfg->bin, sim_actor_program(actor));
	char *log = xasprintf("%s/%s.log", super->cfg->dir, cfg.name);
	int err;

	sim_args_make(&args, actor, super->cfg);
	cfg.path = path;
	cfg.argv = args.v;
	cfg.log = log;
	err = sim_proc_new(&super->procs[actor], super->cfg->loop, &cfg,
			   &proc_ops, super, reasonp);
	sim_args_clear(&args);
	free(path);
	free(log);

	return err;
}

/**
 * Start all elements at once: each retries its neighbours until they listen
 *
 * @param cfg Kept by the caller; its folder holds pki/ and users.txt already
 * @param ops Called from the loop, never before this has returned; static
 *
 * @return 0, or why one could not be started; then none is left
 */
int sim_super_new(struct sim_super **sp, const struct sim_super_cfg *cfg,
		  const struct sim_super_ops *ops, void *arg, char **reasonp)
{
	struct sim_super *super = xcalloc(1, sizeof(*super));
	int err = 0;

	super->cfg = cfg;
	super->ops = ops;
	super->arg = arg;
	super->started_us = clock_real_us();
	super->bound = timer_new_real(cfg->loop, on_bound, super);
	timer_start_ms(super->bound, timer_value_ms(TIMER_READY));
	for (int i = 0; i < SIM_ACTOR_COUNT && !err; i++)
		if (sim_actor_is_in((enum sim_actor)i, cfg->appservers))
			err = start_one(super, (enum sim_actor)i, reasonp);
	if (err)
		sim_super_free(super);
	else
		*sp = super;

	return err;
}

/** Free it; what still runs is killed. Gives NULL */
struct sim_super *sim_super_free(struct sim_super *super)
{
	if (!super)
		return NULL;

	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		sim_proc_free(super->procs[i]);
	timer_free(super->bound);
	free(super);

	return NULL;
}

static void start_stop(void *arg)
{
	stop_stage(arg);
}

/**
 * Stop all: SIGTERM stage by stage, SIGKILL to what of it is left after five
 * times TIMER_DRAIN
 *
 * ops->stopped() comes once, later. Called again, it kills at once.
 */
void sim_super_stop(struct sim_super *super)
{
	if (super->state == STOPPING) {
		kill_up_to(super, STAGES);
		return;
	}
	if (super->state == ENDED)
		return;

	super->state = STOPPING;
	loop_defer(super->cfg->loop, start_stop, super);
}

/** Stopped: every process is gone, every line has been read */
bool sim_super_is_ended(const struct sim_super *super)
{
	return super->state == ENDED;
}

/**
 * Send a command to an element; args is stolen
 *
 * @return 0, or ENOTCONN if it is gone: then cb is not called
 */
int sim_super_call(struct sim_super *super, enum sim_actor actor,
		   const char *cmd, json_t *args, ctl_answer_cb *cb, void *arg)
{
	if (!has(super, actor)) {
		json_decref(args);
		return ENOTCONN;
	}

	return sim_proc_call(super->procs[actor], cmd, args, cb, arg);
}

/** What the element said when it was ready */
const json_t *sim_super_addresses(const struct sim_super *super,
				  enum sim_actor actor)
{
	return sim_proc_addresses(super->procs[actor]);
}

/** Kill an element (SIGKILL): a fault, and no reason to end the testbed.
 * ops->changed() follows, but not for one that is gone already */
void sim_super_kill(struct sim_super *super, enum sim_actor actor)
{
	if (sim_proc_is_ended(super->procs[actor]))
		return;

	super->is_asked[actor] = true;
	sim_proc_signal(super->procs[actor], SIGKILL);
}

/**
 * Start an element that was killed again: same command line, so the same
 * addresses and stores; ops->changed() follows when it is ready
 *
 * @return 0; EBUSY if it runs, or all is being stopped; or why it cannot be
 *         started: then it stays down
 */
int sim_super_restart(struct sim_super *super, enum sim_actor actor,
		      char **reasonp)
{
	struct sim_proc *dead = super->procs[actor];
	int err;

	if (super->state != UP || !sim_proc_is_ended(dead)) {
		*reasonp = xasprintf(
			"%s cannot be restarted: it %s", actors[actor].name,
			super->state == UP ? "still runs" : "is being stopped");
		return EBUSY;
	}

	err = start_one(super, actor, reasonp);
	if (err)
		return err;

	sim_proc_free(dead);
	super->is_asked[actor] = false;

	return 0;
}

/** Stop an element where it is (SIGSTOP), or let it go on (SIGCONT) */
void sim_super_pause(struct sim_super *super, enum sim_actor actor,
		     bool is_paused)
{
	sim_proc_signal(super->procs[actor], is_paused ? SIGSTOP : SIGCONT);
}

int sim_super_pid(const struct sim_super *super, enum sim_actor actor)
{
	return sim_proc_pid(super->procs[actor]);
}
