#include "sim/sim_run.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/opt.h"
#include "sim/sim_ci.h"

enum { TIMEOUT_S = 60, TIMEOUT_MAX_S = 86400 };

/** One `sipshare run` */
struct command {
	struct sim_run_cfg cfg;
	struct sim_ci_cfg ci_cfg;
	struct sim_ci *ci;
	struct opt_list sets;
	bool keeps_going, is_live, is_not_live;
};

static const char usage[] =
	"usage: sipshare run [OPTIONS] FILE…\n\nPlays scenarios (Lua), each on "
	"a testbed of its own: shows the ladder and the\nverdict, and leaves "
	"trace.jsonl, ladder.txt, report.html, capture.pcapng, junit.xml\nand "
	"logs in runs/NAME.";

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

static int say(char *reason, int code)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "sipshare: %s\n", reason);
	free(reason);

	return code;
}

/* All are looked at before one is played */
static bool all_parse(struct command *cmd, int argc, char **argv)
{
	char **reasons = xcalloc((size_t)argc, sizeof(char *));
	bool good = true;

	for (int i = 1; i < argc; i++) {
		reasons[i] = sim_run_check(&cmd->cfg, argv[i]);
		good = good && !reasons[i];
	}
	for (int i = 1; i < argc && !good; i++) {
		sim_ci_skip(cmd->ci, argv[i], reasons[i] != NULL,
			    reasons[i] ? reasons[i]
				       : "another scenario has an error");
		if (reasons[i])
			(void)say(reasons[i], EXIT_USAGE);
	}
	sim_ci_tell(cmd->ci);
	free((void *)reasons);

	return good;
}

static int run_files(struct command *cmd, int argc, char **argv)
{
	int worst = EXIT_PASS;
	bool is_over = false;

	if (!all_parse(cmd, argc, argv))
		return EXIT_USAGE;

	for (int i = 1; i < argc; i++) {
		int code = EXIT_PASS;

		if (is_over)
			sim_ci_skip(cmd->ci, argv[i], false,
				    "an earlier scenario did not pass");
		else
			code = sim_run_file(&cmd->cfg, argv[i]);
		sim_ci_tell(cmd->ci);
		if (code > worst)
			worst = code;
		if (code > SIM_SIGNAL_EXIT || (code && !cmd->keeps_going))
			is_over = true;
	}

	return worst;
}

/* What other programs read is opened first: it may be what is wrong */
static int run_for_ci(struct command *cmd, int argc, char **argv)
{
	char *reason = NULL;
	int code;

	if (sim_ci_open(&cmd->ci, &cmd->ci_cfg, (size_t)argc - 1, &reason))
		return say(reason, EXIT_USAGE);

	cmd->cfg.results = sim_ci_results(cmd->ci);
	cmd->cfg.is_live = !cmd->cfg.is_quiet && !cmd->is_not_live &&
			   (cmd->is_live || isatty(STDOUT_FILENO));
	code = run_files(cmd, argc, argv);
	if (sim_ci_close(cmd->ci, &reason))
		return say(reason, code ? code : EXIT_FAIL);

	return code;
}

static int find_and_run(struct command *cmd, int argc, char **argv)
{
	int code;

	(void)signal(SIGPIPE, SIG_IGN);
	cmd->cfg.loop = loop_new();
	for (int i = 1; i < argc; i++)
		argv[i] = sim_find_scenario(argv[i]);
	code = run_for_ci(cmd, argc, argv);
	for (int i = 1; i < argc; i++)
		free(argv[i]);
	loop_free(cmd->cfg.loop);

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

static enum opt_result read_line(struct command *cmd, int *argcp, char **argv)
{
	struct sim_run_cfg *cfg = &cmd->cfg;
	const struct opt opts[] = {
		{ OPT_FLAG, "fast", NULL,
		  "in virtual time: the clock jumps to the next timer when "
		  "nothing is under way",
		  &cfg->is_fast, NULL, 0, 0 },
		{ OPT_INT, "seed", "N",
		  "--fast, and who acts next is drawn by this; param(\"seed\") "
		  "gives it",
		  &cfg->seed, NULL, 1, INT_MAX },
		{ OPT_INT, "timeout", "S", "a scenario ends by then (60)",
		  &cfg->timeout_s, NULL, 1, TIMEOUT_MAX_S },
		{ OPT_FLAG, "keep-going", NULL,
		  "play the next file after one that did not pass",
		  &cmd->keeps_going, NULL, 0, 0 },
		{ OPT_FLAG, "quiet", NULL, "no ladder, the verdict alone",
		  &cfg->is_quiet, NULL, 0, 0 },
		{ OPT_FLAG, "live", NULL,
		  "print the ladder as it comes: so it is on a terminal",
		  &cmd->is_live, NULL, 0, 0 },
		{ OPT_FLAG, "no-live", NULL, "print the ladder at the end",
		  &cmd->is_not_live, NULL, 0, 0 },
		{ OPT_FLAG, "all-events", NULL,
		  "in the ladder every event that is in trace.jsonl",
		  &cfg->has_all_events, NULL, 0, 0 },
		{ .type = OPT_END },
	};
	const struct opt ci_opts[] = {
		{ OPT_STRING, "junit", "FILE",
		  "write all results as JUnit's XML", &cmd->ci_cfg.junit, NULL,
		  0, 0 },
		{ OPT_FLAG, "tap", NULL,
		  "TAP 14 on stdout; all else goes to stderr",
		  &cmd->ci_cfg.is_tap, NULL, 0, 0 },
		{ OPT_FLAG, "annotations", NULL,
		  "\"::error file=…\" lines, for GitHub's CI",
		  &cmd->ci_cfg.is_annotated, NULL, 0, 0 },
		{ .type = OPT_END },
	};
	struct opt common[SIM_RUN_OPTION_N];
	const struct opt *tables[] = { common, opts, ci_opts, NULL };

	sim_run_options(common, cfg, &cmd->sets);

	return opt_parse(tables, usage, argcp, argv);
}

/** `sipshare run FILE…`: EXIT_PASS, EXIT_FAIL, EXIT_USAGE, EXIT_START, or
 * 128+n when signal n ended it */
int sim_run(int argc, char **argv)
{
	struct command cmd = { .cfg = { .runs = "runs",
					.timeout_s = TIMEOUT_S } };
	enum opt_result read = read_line(&cmd, &argc, argv);
	int code = EXIT_USAGE;

	if (read != OPT_OK)
		return read == OPT_HELP ? EXIT_PASS : EXIT_USAGE;

	if (argc < 2)
		(void)fputs("sipshare run: which scenario? Try sipshare run "
			    "scenarios/patent.lua\n",
			    stderr);
	else if (sim_run_settings(&cmd.cfg, argv[0], &cmd.sets))
		code = find_and_run(&cmd, argc, argv);
	json_decref(cmd.cfg.params);

	return code;
}
