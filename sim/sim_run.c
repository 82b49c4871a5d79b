#include "sim/sim_run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/opt.h"
#include "common/timer.h"
#include "sim/sim_bed.h"
#include "sim/sim_net.h"

enum { TIMEOUT_S = 60, TIMEOUT_MAX_S = 86400, SIGNAL_EXIT = 128 };

static void on_ready(int64_t ready_us, void *arg)
{
	struct sim_run *run = arg;

	run->ready_us = ready_us;
	sim_lua_bed_ready(run->lua);
}

static void on_trace(void *arg)
{
	const struct sim_run *run = arg;

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
	const struct sim_run *run = arg;

	loop_stop(run->cfg->loop);
}

static const struct sim_bed_ops bed_ops = { on_ready, on_trace, on_failed,
					    on_stopped };

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
	if (err)
		return err;

	if (run->cfg->policy)
		xstrset(&plan->policy, run->cfg->policy);
	if (!plan->store && !plan->is_memory)
		plan->store = xasprintf("%s/store", run->folder.path);
	cfg.dir = run->folder.path;

	return sim_bed_new(&run->bed, &cfg, &bed_ops, run, reasonp);
}

static int call(enum sim_actor actor, const char *cmd, json_t *args,
		ctl_answer_cb *cb, void *cb_arg, void *arg)
{
	const struct sim_run *run = arg;

	return sim_bed_call(run->bed, actor, cmd, args, cb, cb_arg);
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

static const struct sim_lua_ops lua_ops = {
	start, call, note, dir, faults, done
};

static void on_signal(struct sim_run *run, int signo)
{
	char *text;

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

/* One scenario from its first line to its exit code */
static int run_file(const struct sim_run_cfg *cfg, const char *file)
{
	struct sim_run run = {
		.cfg = cfg, .file = file, .ready_us = -1, .folder = { NULL, -1 }
	};
	struct sim_lua_cfg lua_cfg = { cfg->loop, file, cfg->params,
				       cfg->timeout_s * 1000 };
	struct loop_watch *sigint, *sigterm;
	char *reason = NULL;
	int code;

	if (sim_lua_new(&run.lua, &lua_cfg, &lua_ops, &run, &reason)) {
		say(reason);
		free(reason);
		return EXIT_USAGE;
	}

	run.name = sim_name_of(file);
	run.started_us = clock_now_us();
	run.settle = timer_new(cfg->loop, on_settle, &run);
	sigint = loop_watch_signal(cfg->loop, SIGINT, on_sigint, &run);
	sigterm = loop_watch_signal(cfg->loop, SIGTERM, on_sigterm, &run);
	sim_lua_start(run.lua);
	(void)loop_run(cfg->loop);
	loop_unwatch(sigint);
	loop_unwatch(sigterm);
	code = run.signo ? SIGNAL_EXIT + run.signo : EXIT_PASS;
	if (code == EXIT_PASS)
		code = sim_run_report(&run);
	else
		(void)sim_run_report(&run);

	sim_bed_free(run.bed);
	sim_lua_free(run.lua);
	timer_free(run.settle);
	sim_folder_close(&run.folder);
	free(run.bad_end);
	free(run.name);

	return code;
}

/* A typing error in any of the files, before anything is started */
static bool all_parse(const struct sim_run_cfg *cfg, int argc, char **argv)
{
	bool good = true;

	for (int i = 1; i < argc; i++) {
		struct sim_lua_cfg lua_cfg = { cfg->loop, argv[i], cfg->params,
					       0 };
		struct sim_lua *lua;
		char *reason;

		if (sim_lua_new(&lua, &lua_cfg, &lua_ops, NULL, &reason)) {
			say(reason);
			free(reason);
			good = false;
			continue;
		}
		sim_lua_free(lua);
	}

	return good;
}

static bool read_params(json_t *params, const struct opt_list *sets)
{
	for (int i = 0; i < sets->n; i++) {
		const char *eq = strchr(sets->v[i], '=');
		char *name;

		if (!eq || eq == sets->v[i]) {
			(void)fprintf(stderr,
				      "sipshare run: --set %s: must "
				      "be NAME=VALUE\n",
				      sets->v[i]);
			return false;
		}
		name = xstrndup(sets->v[i], (size_t)(eq - sets->v[i]));
		if (json_object_set_new(params, name, json_string(eq + 1))) {
			(void)fprintf(stderr,
				      "sipshare run: --set %s: must "
				      "be UTF-8\n",
				      name);
			free(name);
			return false;
		}
		free(name);
	}

	return true;
}

static int run_files(const struct sim_run_cfg *cfg, bool keep_going, int argc,
		     char **argv)
{
	int worst = EXIT_PASS;

	if (!all_parse(cfg, argc, argv))
		return EXIT_USAGE;

	for (int i = 1; i < argc; i++) {
		int code = run_file(cfg, argv[i]);

		if (code > worst)
			worst = code;
		if (code > SIGNAL_EXIT || (code && !keep_going))
			break;
	}

	return worst;
}

static int find_and_run(struct sim_run_cfg *cfg, bool keep_going, int argc,
			char **argv)
{
	int code;

	(void)signal(SIGPIPE, SIG_IGN);
	cfg->loop = loop_new();
	for (int i = 1; i < argc; i++)
		argv[i] = sim_find_scenario(argv[i]);
	code = run_files(cfg, keep_going, argc, argv);
	for (int i = 1; i < argc; i++)
		free(argv[i]);
	loop_free(cfg->loop);

	return code;
}

static bool is_policy(const char *policy)
{
	return !policy || !strcmp(policy, "round-robin") ||
	       !strcmp(policy, "idle-queue");
}

/** `sipshare run FILE…`: EXIT_PASS, EXIT_FAIL, EXIT_USAGE, EXIT_START, or
 * 128+n when signal n ended it */
int sim_run(int argc, char **argv)
{
	struct sim_run_cfg cfg = { .runs = "runs", .timeout_s = TIMEOUT_S };
	struct opt_list sets = { .n = 0 };
	bool keep_going = false;
	const struct opt opts[] = {
		{ OPT_STRING, "runs", "DIR",
		  "where the runs' folders are made (runs)", &cfg.runs, NULL, 0,
		  0 },
		{ OPT_STRING, "policy", "NAME",
		  "round-robin or idle-queue, whatever the scenario says",
		  &cfg.policy, NULL, 0, 0 },
		{ OPT_LIST, "set", "NAME=VALUE",
		  "what param(NAME) gives in the scenario", &sets, NULL, 0, 0 },
		{ OPT_INT, "timeout", "S", "a scenario ends by then (60)",
		  &cfg.timeout_s, NULL, 1, TIMEOUT_MAX_S },
		{ OPT_FLAG, "keep-going", NULL,
		  "play the next file after one that did not pass", &keep_going,
		  NULL, 0, 0 },
		{ OPT_FLAG, "quiet", NULL, "no ladder, the verdict alone",
		  &cfg.is_quiet, NULL, 0, 0 },
		{ OPT_FLAG, "all-events", NULL,
		  "in the ladder every event that is in trace.jsonl",
		  &cfg.has_all_events, NULL, 0, 0 },
		{ OPT_FLAG, "no-colour", NULL,
		  "plain text; so does NO_COLOR in the environment",
		  &cfg.no_colour, NULL, 0, 0 },
		{ .type = OPT_END },
	};
	const struct opt *tables[] = { opts, NULL };
	enum opt_result read = opt_parse(
		tables,
		"usage: sipshare run [OPTIONS] FILE…\n\n"
		"Plays scenarios (Lua), each on a testbed of its own: shows "
		"the ladder and the\nverdict, and leaves trace.jsonl, "
		"ladder.txt, report.html, capture.pcapng and logs in "
		"runs/NAME.",
		&argc, argv);
	int code = EXIT_USAGE;

	if (read != OPT_OK)
		return read == OPT_HELP ? EXIT_PASS : EXIT_USAGE;

	cfg.params = json_object();
	if (argc < 2)
		(void)fputs("sipshare run: which scenario? Try sipshare run "
			    "scenarios/patent.lua\n",
			    stderr);
	else if (!is_policy(cfg.policy))
		(void)fprintf(stderr,
			      "sipshare run: --policy %s: must be "
			      "round-robin or idle-queue\n",
			      cfg.policy);
	else if (read_params(cfg.params, &sets)) {
		code = find_and_run(&cfg, keep_going, argc, argv);
	}
	json_decref(cfg.params);

	return code;
}
