#include "sim/sim_run.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/opt.h"

enum { TIMEOUT_S = 60, TIMEOUT_MAX_S = 86400 };

/** What the command line of run and step says alike; dst is *cfg and *sets */
void sim_run_options(struct opt opts[SIM_RUN_OPTION_N], struct sim_run_cfg *cfg,
		     struct opt_list *sets)
{
	const struct opt rows[SIM_RUN_OPTION_N] = {
		{ OPT_STRING, "runs", "DIR",
		  "where the runs' folders are made (runs)", &cfg->runs, NULL,
		  0, 0 },
		{ OPT_STRING, "policy", "NAME",
		  "round-robin or idle-queue, whatever the scenario says",
		  &cfg->policy, NULL, 0, 0 },
		{ OPT_LIST, "set", "NAME=VALUE",
		  "what param(NAME) gives in the scenario", sets, NULL, 0, 0 },
		{ OPT_STRING, "capture", "messages|wire",
		  "capture.pcapng has each message in clear (messages), or "
		  "packets and their TLS keys: needs CAP_NET_RAW (wire)",
		  &cfg->capture, NULL, 0, 0 },
		{ OPT_FLAG, "no-colour", NULL,
		  "plain text; so does NO_COLOR in the environment",
		  &cfg->no_colour, NULL, 0, 0 },
		{ .type = OPT_END },
	};

	memcpy(opts, rows, sizeof(rows));
}

static bool read_params(json_t *params, const char *cmd,
			const struct opt_list *sets)
{
	for (int i = 0; i < sets->n; i++) {
		const char *eq = strchr(sets->v[i], '=');
		char *name;

		if (!eq || eq == sets->v[i]) {
			(void)fprintf(stderr,
				      "%s: --set %s: must be NAME=VALUE\n", cmd,
				      sets->v[i]);
			return false;
		}
		name = xstrndup(sets->v[i], (size_t)(eq - sets->v[i]));
		if (json_object_set_new(params, name, json_string(eq + 1))) {
			(void)fprintf(stderr, "%s: --set %s: must be UTF-8\n",
				      cmd, name);
			free(name);
			return false;
		}
		free(name);
	}

	return true;
}

static bool all_parse(const struct sim_run_cfg *cfg, int argc, char **argv)
{
	bool good = true;

	for (int i = 1; i < argc; i++)
		good = sim_run_check(cfg, argv[i]) && good;

	return good;
}

static int run_files(const struct sim_run_cfg *cfg, bool keep_going, int argc,
		     char **argv)
{
	int worst = EXIT_PASS;

	if (!all_parse(cfg, argc, argv))
		return EXIT_USAGE;

	for (int i = 1; i < argc; i++) {
		int code = sim_run_file(cfg, argv[i]);

		if (code > worst)
			worst = code;
		if (code > SIM_SIGNAL_EXIT || (code && !keep_going))
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

/** Check them, and make cfg->params, which is the caller's; false: it was said
 * what is wrong */
bool sim_run_settings(struct sim_run_cfg *cfg, const char *cmd,
		      const struct opt_list *sets)
{
	cfg->params = json_object();
	if (!is_policy(cfg->policy)) {
		(void)fprintf(stderr,
			      "%s: --policy %s: must be round-robin or "
			      "idle-queue\n",
			      cmd, cfg->policy);
		return false;
	}

	return sim_run_can_capture(cmd, cfg->capture) &&
	       read_params(cfg->params, cmd, sets);
}

/** `sipshare run FILE…`: EXIT_PASS, EXIT_FAIL, EXIT_USAGE, EXIT_START, or
 * 128+n when signal n ended it */
int sim_run(int argc, char **argv)
{
	struct sim_run_cfg cfg = { .runs = "runs", .timeout_s = TIMEOUT_S };
	struct opt_list sets = { .n = 0 };
	bool keep_going = false;
	const struct opt opts[] = {
		{ OPT_FLAG, "fast", NULL,
		  "in virtual time: the clock jumps to the next timer when "
		  "nothing is under way",
		  &cfg.is_fast, NULL, 0, 0 },
		{ OPT_INT, "seed", "N",
		  "--fast, and who acts next is drawn by this; param(\"seed\") "
		  "gives it",
		  &cfg.seed, NULL, 1, INT_MAX },
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
		{ .type = OPT_END },
	};
	struct opt common[SIM_RUN_OPTION_N];
	const struct opt *tables[] = { common, opts, NULL };
	enum opt_result read;
	int code = EXIT_USAGE;

	sim_run_options(common, &cfg, &sets);
	read = opt_parse(
		tables,
		"usage: sipshare run [OPTIONS] FILE…\n\n"
		"Plays scenarios (Lua), each on a testbed of its own: shows "
		"the ladder and the\nverdict, and leaves trace.jsonl, "
		"ladder.txt, report.html, capture.pcapng and logs in "
		"runs/NAME.",
		&argc, argv);
	if (read != OPT_OK)
		return read == OPT_HELP ? EXIT_PASS : EXIT_USAGE;

	if (argc < 2)
		(void)fputs("sipshare run: which scenario? Try sipshare run "
			    "scenarios/patent.lua\n",
			    stderr);
	else if (sim_run_settings(&cfg, argv[0], &sets))
		code = find_and_run(&cfg, keep_going, argc, argv);
	json_decref(cfg.params);

	return code;
}
