#include "sim/sim_run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "sim/sim_bed.h"
#include "sim/sim_live.h"
#include "sim/sim_net.h"

static void on_ready(int64_t ready_us, void *arg)
{
	struct sim_run *run = arg;
	const struct sim_run_front *front = run->cfg->front;
	char *reason = NULL;

	run->ready_us = ready_us;
	if (front && front->open(run, run->cfg->front_arg, &reason)) {
		sim_lua_abort(run->lua, SIM_LUA_NO_START, reason);
		free(reason);
		return;
	}
	if (run->is_fast) {
		sim_lua_conduct(run->lua);
		sim_bed_conduct(run->bed, run->seed);
	}
	sim_lua_bed_ready(run->lua);
}

static void on_trace(void *arg)
{
	const struct sim_run *run = arg;

	if (run->live)
		sim_live_on_trace(run->live);
	sim_lua_on_trace(run->lua);
}

/* It has passed, but something came in between: stop now */
static void end_settle(struct sim_run *run)
{
	if (!timer_is_running(run->settle))
		return;

	timer_stop(run->settle);
	sim_bed_stop(run->bed);
}

static void on_failed(const char *reason, void *arg)
{
	struct sim_run *run = arg;

	/* while they are stopped it is no longer the scenario's affair */
	if (!run->bad_end)
		run->bad_end = xstrdup(reason);
	sim_lua_abort(run->lua,
		      run->ready_us < 0 ? SIM_LUA_NO_START : SIM_LUA_FAIL,
		      reason);
	end_settle(run);
}

static void on_stopped(void *arg)
{
	struct sim_run *run = arg;

	run->is_stopped = true;
	/* who ended it by a signal does not want to look at it */
	if (run->cfg->front && run->ready_us >= 0 && !run->signo)
		run->cfg->front->over(run->cfg->front_arg);
	else
		loop_stop(run->cfg->loop);
}

static bool turn(bool is_changed, void *arg)
{
	const struct sim_run *run = arg;

	return sim_lua_turn(run->lua, is_changed);
}

static bool may_go(const struct sim_held *next, void *arg)
{
	const struct sim_run *run = arg;

	return !run->cfg->front ||
	       run->cfg->front->may_go(next, run->cfg->front_arg);
}

static void on_stuck(void *arg)
{
	const struct sim_run *run = arg;

	sim_lua_abort(run->lua, SIM_LUA_FAIL,
		      "the scenario waits, but no message is under way and no "
		      "timer runs: nothing can happen any more");
}

static const struct sim_bed_ops bed_ops = { .ready = on_ready,
					    .trace = on_trace,
					    .failed = on_failed,
					    .stopped = on_stopped,
					    .turn = turn,
					    .may_go = may_go,
					    .stuck = on_stuck };

static int start(struct sim_plan *plan, void *arg, char **reasonp)
{
	struct sim_run *run = arg;
	struct sim_bed_cfg cfg = { .loop = run->cfg->loop,
				   .plan = plan,
				   .keeps_trace = true };
	int err = sim_folder_open(&run->folder, run->cfg->runs, run->name,
				  reasonp);

	if (!err)
		err = sim_net_take(&cfg.net, reasonp);
	if (!err)
		err = sim_run_start_capture(run, plan, cfg.net, reasonp);
	if (err) {
		sim_net_free(cfg.net);
		return err;
	}

	if (run->cfg->policy)
		xstrset(&plan->policy, run->cfg->policy);
	run->seed = run->cfg->seed ? run->cfg->seed : plan->seed;
	run->is_fast = plan->is_fast || run->cfg->is_fast || run->seed ||
		       run->cfg->front;
	if (!plan->store && !plan->is_memory)
		plan->store = xasprintf("%s/store", run->folder.path);
	cfg.dir = run->folder.path;

	err = sim_bed_new(&run->bed, &cfg, &bed_ops, run, reasonp);
	if (!err)
		sim_run_go_live(run);

	return err;
}

static int call(enum sim_actor actor, const char *cmd, json_t *args,
		ctl_answer_cb *cb, void *cb_arg, void *arg)
{
	const struct sim_run *run = arg;

	return sim_bed_call(run->bed, actor, cmd, args, cb, cb_arg);
}

static const char *uri(enum sim_link link, void *arg)
{
	const struct sim_run *run = arg;

	return sim_net_uri(sim_bed_net(run->bed), link);
}

static void note(const char *name, json_t *fields, void *arg)
{
	const struct sim_run *run = arg;

	if (run->bed)
		sim_bed_note(run->bed, name, fields);
	else
		json_decref(fields);
}

static const char *dir(void *arg)
{
	const struct sim_run *run = arg;

	return run->folder.path;
}

/* The scenario has passed, but its last messages may be on their way: it is
 * over when all that it expects has come, or time is up */
static void on_settle(void *arg)
{
	enum { LOOK_AGAIN_MS = 10 };
	struct sim_run *run = arg;

	if (sim_run_has_steps(run) || clock_now_us() > run->settle_us)
		sim_bed_stop(run->bed);
	else
		timer_start_ms(run->settle, LOOK_AGAIN_MS);
}

static void done(void *arg)
{
	struct sim_run *run = arg;
	const char *reason = sim_lua_reason(run->lua);

	if (reason)
		note("scenario.failed", json_pack("{s:s}", "reason", reason),
		     run);
	run->settle_us = clock_now_us() + timer_value_ms(TIMER_SETTLE) * 1000;
	if (run->bed && !reason)
		timer_start_ms(run->settle, 0);
	else if (run->bed)
		sim_bed_stop(run->bed);
	else
		loop_stop(run->cfg->loop);
}

static struct sim_faults *faults(void *arg)
{
	const struct sim_run *run = arg;

	return run->bed ? sim_bed_faults(run->bed) : NULL;
}

static const struct sim_lua_ops lua_ops = { start, call,   uri, note,
					    dir,   faults, done };

static void on_signal(struct sim_run *run, int signo)
{
	char *text;

	/* whoever looks at what is over has seen enough */
	if (run->is_stopped) {
		loop_stop(run->cfg->loop);
		return;
	}
	/* the second one does not wait for the elements to drain */
	if (run->signo && run->bed) {
		sim_bed_stop(run->bed);
		return;
	}
	run->signo = signo;
	text = xasprintf("ended by signal %d (%s)", signo, strsignal(signo));
	sim_lua_abort(run->lua, SIM_LUA_FAIL, text);
	end_settle(run);
	free(text);
}

static void on_sigint(void *arg)
{
	on_signal(arg, SIGINT);
}

static void on_sigterm(void *arg)
{
	on_signal(arg, SIGTERM);
}

static void say(const char *reason)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "sipshare: %s\n", reason);
}

/** One scenario from its first line to its exit code */
int sim_run_file(const struct sim_run_cfg *cfg, const char *file)
{
	struct sim_run run = {
		.cfg = cfg, .file = file, .ready_us = -1, .folder = { NULL, -1 }
	};
	struct sim_lua_cfg lua_cfg = { cfg->loop, file, cfg->params,
				       cfg->timeout_s * 1000, cfg->seed };
	struct loop_watch *sigint, *sigterm;
	char *reason = NULL;
	int code;

	if (sim_lua_new(&run.lua, &lua_cfg, &lua_ops, &run, &reason)) {
		say(reason);
		free(reason);
		return EXIT_USAGE;
	}

	run.name = sim_name_of(file);
	run.started_us = clock_real_us();
	run.settle = timer_new(cfg->loop, on_settle, &run);
	sigint = loop_watch_signal(cfg->loop, SIGINT, on_sigint, &run);
	sigterm = loop_watch_signal(cfg->loop, SIGTERM, on_sigterm, &run);
	sim_lua_start(run.lua);
	(void)loop_run(cfg->loop);
	loop_unwatch(sigint);
	loop_unwatch(sigterm);
	code = run.signo ? SIM_SIGNAL_EXIT + run.signo : EXIT_PASS;
	if (code == EXIT_PASS)
		code = sim_run_report(&run);
	else
		(void)sim_run_report(&run);

	sim_live_free(run.live);
	sim_bed_free(run.bed);
	sim_run_end_capture(&run);
	sim_lua_free(run.lua);
	timer_free(run.settle);
	sim_folder_close(&run.folder);
	free(run.bad_end);
	free(run.name);

	return code;
}

/** Is it a scenario? A typing error is told before anything is started: NULL,
 * or what is wrong, the caller's to free */
char *sim_run_check(const struct sim_run_cfg *cfg, const char *file)
{
	struct sim_lua_cfg lua_cfg = { cfg->loop, file, cfg->params, 0, 0 };
	struct sim_lua *lua;
	char *reason = NULL;

	if (!sim_lua_new(&lua, &lua_cfg, &lua_ops, NULL, &reason))
		sim_lua_free(lua);

	return reason;
}
