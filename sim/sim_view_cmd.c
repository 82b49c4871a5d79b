#include "sim/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "common/element.h"
#include "common/mem.h"
#include "common/opt.h"
#include "sim/sim_ladder.h"
#include "sim/sim_page.h"
#include "sim/sim_steps.h"
#include "sim/sim_trace_read.h"
#include "sim/sim_view.h"

/** `sipshare steps`: the table of steps that labels every trace */
int sim_steps_cmd(int argc, char **argv)
{
	bool is_markdown = false;
	const struct opt opts[] = {
		{ OPT_FLAG, "markdown", NULL, "as docs/steps.md", &is_markdown,
		  NULL, 0, 0 },
		{ .type = OPT_END },
	};
	const struct opt *tables[] = { opts, NULL };
	enum opt_result read =
		opt_parse(tables,
			  "usage: sipshare steps [--markdown]\n\nPrints the "
			  "patent's steps: from whom to whom, over what, and "
			  "what each is.",
			  &argc, argv);

	if (read != OPT_OK)
		return read == OPT_HELP ? EXIT_PASS : EXIT_USAGE;
	if (argc > 1) {
		(void)fprintf(stderr, "%s: \"%s\" is not expected here\n",
			      argv[0], argv[1]);
		return EXIT_USAGE;
	}
	if (is_markdown)
		sim_steps_print_markdown(stdout);
	else
		sim_steps_print(stdout);

	return EXIT_PASS;
}

/* --- view --- */

/** What the command line of `sipshare view` gave */
struct view_cfg {
	bool is_page, is_plain, is_no_colour;
};

/* RUN is a folder, or the name of one in runs/; the caller's */
static char *find_folder(const char *run)
{
	char *path = xasprintf("runs/%s", run);
	struct stat st;

	if (strchr(run, '/') || stat(run, &st) == 0 || stat(path, &st) < 0) {
		free(path);
		path = xstrdup(run);
	}

	return path;
}

static int refuse(const char *what, const char *why)
{
	(void)fprintf(stderr,
		      "sipshare view: %s%s%s; is it the folder of a finished "
		      "run?\n",
		      what, *why ? ": " : "", why);

	return EXIT_USAGE;
}

static int show_page(const char *folder)
{
	char *url = sim_page_url(folder);
	char *path = xasprintf("%s/report.html", folder);
	int code = EXIT_PASS;

	if (!url) {
		code = refuse(path, strerror(errno));
	} else {
		printf("%s\n%s\n", path, url);
		(void)sim_page_open(url);
	}
	free(path);
	free(url);

	return code;
}

/* ladder.txt, as the run has left it */
static int copy_ladder(const char *folder)
{
	char *path = xasprintf("%s/ladder.txt", folder);
	FILE *f = fopen(path, "re");
	int code = f ? EXIT_PASS : refuse(path, strerror(errno));
	char buf[4096];
	size_t n;

	while (f && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		(void)fwrite(buf, 1, n, stdout);
	if (f)
		(void)fclose(f);
	free(path);

	return code;
}

/* On the whole screen; where the terminal cannot, a ladder for it */
static int show_screen(const struct sim_trace *tr, const char *folder,
		       const struct sim_screen *screen)
{
	struct sim_label *lb = sim_label_new(tr);
	const struct sim_ladder_cfg cfg = { .width = screen->width,
					    .is_colour = screen->is_colour,
					    .is_ascii = screen->is_ascii };
	int code = EXIT_PASS;

	if (sim_view(lb, folder, screen, &code))
		sim_ladder_print(lb, &cfg, stdout);
	sim_label_free(lb);

	return code;
}

static int show(const struct view_cfg *cfg, const char *folder)
{
	struct sim_screen screen;
	struct sim_trace *tr;
	char *path, *reason = NULL;
	int code;

	if (cfg->is_page)
		return show_page(folder);
	if (cfg->is_plain || !isatty(STDOUT_FILENO))
		return copy_ladder(folder);

	sim_screen_get(&screen, stdout, cfg->is_no_colour);
	path = xasprintf("%s/trace.jsonl", folder);
	if (sim_trace_read(&tr, path, &reason)) {
		code = refuse(reason, "");
	} else {
		code = show_screen(tr, folder, &screen);
		sim_trace_free(tr);
	}
	free(reason);
	free(path);

	return code;
}

/** `sipshare view RUN`: a finished run, on the screen or as text */
int sim_view_cmd(int argc, char **argv)
{
	struct view_cfg cfg = { .is_page = false };
	const struct opt opts[] = {
		{ OPT_FLAG, "page", NULL,
		  "say where the run's page is, and open it in a browser",
		  &cfg.is_page, NULL, 0, 0 },
		{ OPT_FLAG, "plain", NULL,
		  "print its ladder.txt, also on a terminal", &cfg.is_plain,
		  NULL, 0, 0 },
		{ OPT_FLAG, "no-colour", NULL,
		  "no colours; so does NO_COLOR in the environment",
		  &cfg.is_no_colour, NULL, 0, 0 },
		{ .type = OPT_END },
	};
	const struct opt *tables[] = { opts, NULL };
	enum opt_result read = opt_parse(
		tables,
		"usage: sipshare view [OPTIONS] RUN\n\nShows a finished run "
		"on the terminal: its ladder, and each message in full (? "
		"lists\nthe keys). Where there is no terminal, prints the "
		"ladder. RUN is the run's folder,\nor its name in runs/.",
		&argc, argv);
	char *folder;
	int code;

	if (read != OPT_OK)
		return read == OPT_HELP ? EXIT_PASS : EXIT_USAGE;
	if (argc != 2) {
		(void)fputs("sipshare view: which run? Try sipshare view "
			    "runs/patent\n",
			    stderr);
		return EXIT_USAGE;
	}

	folder = find_folder(argv[1]);
	code = show(&cfg, folder);
	free(folder);

	return code;
}
