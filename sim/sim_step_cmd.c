#include "sim/sim_step_core.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/opt.h"
#include "sim/sim_result.h"

static const char usage[] =
	"usage: sipshare step [OPTIONS] FILE\n\n"
	"Plays a scenario one message at a time: each message that an element "
	"receives\nwaits until you let it be acted on. No timer fires while "
	"you look. The run's\nfolder and the verdict are as in sipshare run.";

/** What the command line says besides */
struct where {
	bool is_web;
	const char *listen;
	enum sim_lang lang;
};

static int step_in_browser(struct sim_run_cfg *cfg, const char *file,
			   const struct where *where)
{
	const struct sim_step_web_cfg web_cfg = { cfg->loop, where->listen };
	struct sim_step_web *web = sim_step_web_new(&web_cfg);
	int code;

	cfg->front_arg = sim_stepper_new(&sim_step_web_ops, web);
	code = sim_run_file(cfg, file);
	sim_step_web_free(web);
	sim_stepper_free(cfg->front_arg);

	return code;
}

static int step_on_screen(struct sim_run_cfg *cfg, const char *file,
			  const struct where *where)
{
	struct sim_screen screen;
	const struct sim_step_tui_cfg tui_cfg = { cfg->loop, &screen,
						  where->lang };
	struct sim_step_tui *tui;
	int code;

	sim_screen_get(&screen, stdout, cfg->no_colour);
	tui = sim_step_tui_new(&tui_cfg);
	cfg->front_arg = sim_stepper_new(&sim_step_tui_ops, tui);
	code = sim_run_file(cfg, file);
	sim_step_tui_free(tui);
	sim_stepper_free(cfg->front_arg);

	return code;
}

static int step(struct sim_run_cfg *cfg, const char *given,
		const struct where *where)
{
	struct sim_results results = { .n = 0 };
	char *file = sim_find_scenario(given);
	int code = EXIT_USAGE;
	char *reason;

	(void)signal(SIGPIPE, SIG_IGN);
	cfg->loop = loop_new();
	cfg->front = &sim_stepper_front;
	cfg->results = &results;
	reason = sim_run_check(cfg, file);
	if (reason)
		(void)fprintf(stderr, "sipshare step: %s\n", reason);
	else
		code = where->is_web ? step_in_browser(cfg, file, where)
				     : step_on_screen(cfg, file, where);
	sim_results_clear(&results);
	cfg->results = NULL;
	free(reason);
	loop_free(cfg->loop);
	free(file);

	return code;
}

static bool read_lang(const char *name, enum sim_lang *langp)
{
	if (!strcmp(name, "zh"))
		*langp = SIM_CHINESE;
	else if (strcmp(name, "en") != 0)
		return false;

	return true;
}

/** `sipshare step FILE`: exit codes as sipshare run's */
int sim_step(int argc, char **argv)
{
	struct sim_run_cfg cfg = { .runs = "runs" };
	struct opt_list sets = { .n = 0 };
	const char *lang_name = "en";
	struct where where = { .listen = "127.0.0.1:0" };
	const struct opt opts[] = {
		{ OPT_FLAG, "web", NULL, "in a browser, which is told where",
		  &where.is_web, NULL, 0, 0 },
		{ OPT_STRING, "listen", "ADDR:PORT",
		  "where --web is served: loopback only (127.0.0.1:0)",
		  &where.listen, NULL, 0, 0 },
		{ OPT_STRING, "lang", "en|zh", "language of the captions (en)",
		  &lang_name, NULL, 0, 0 },
		{ .type = OPT_END },
	};
	struct opt common[SIM_RUN_OPTION_N];
	const struct opt *tables[] = { opts, common, NULL };
	enum opt_result read;
	int code = EXIT_USAGE;

	sim_run_options(common, &cfg, &sets);
	read = opt_parse(tables, usage, &argc, argv);
	if (read != OPT_OK)
		return read == OPT_HELP ? EXIT_PASS : EXIT_USAGE;

	if (argc != 2)
		(void)fputs("sipshare step: one scenario, please. Try sipshare "
			    "step scenarios/patent.lua\n",
			    stderr);
	else if (!read_lang(lang_name, &where.lang))
		(void)fprintf(stderr,
			      "sipshare step: --lang %s: must be en or zh\n",
			      lang_name);
	else if (!where.is_web &&
		 (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		(void)fputs("sipshare step: this is no terminal: step in a "
			    "browser with --web, or play it with sipshare "
			    "run\n",
			    stderr);
	else if (sim_run_settings(&cfg, argv[0], &sets))
		code = step(&cfg, argv[1], &where);
	json_decref(cfg.params);

	return code;
}
