#include "sim/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "common/element.h"
#include "common/mem.h"
#include "common/opt.h"
#include "sim/sim_steps.h"

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

/* The run's ladder: RUN is a folder, or the name of one in runs/ */
static FILE *open_ladder(const char *run, char **pathp)
{
	FILE *f;

	*pathp = xasprintf("%s/ladder.txt", run);
	f = fopen(*pathp, "re");
	if (f || strchr(run, '/'))
		return f;

	free(*pathp);
	*pathp = xasprintf("runs/%s/ladder.txt", run);

	return fopen(*pathp, "re");
}

/** `sipshare view RUN`: print the ladder that a run left */
int sim_view_cmd(int argc, char **argv)
{
	const struct opt opts[] = { { .type = OPT_END } };
	const struct opt *tables[] = { opts, NULL };
	enum opt_result read =
		opt_parse(tables,
			  "usage: sipshare view RUN\n\nPrints the ladder of a "
			  "finished run; RUN is its folder, or its name in "
			  "runs/.",
			  &argc, argv);
	char buf[4096];
	char *path;
	size_t n;
	FILE *f;

	if (read != OPT_OK)
		return read == OPT_HELP ? EXIT_PASS : EXIT_USAGE;
	if (argc != 2) {
		(void)fputs("sipshare view: which run? Try sipshare view "
			    "runs/patent\n",
			    stderr);
		return EXIT_USAGE;
	}

	f = open_ladder(argv[1], &path);
	if (!f) {
		(void)fprintf(stderr,
			      "sipshare view: %s: %s; is \"%s\" the "
			      "folder of a finished run?\n",
			      path, strerror(errno), argv[1]);
		free(path);
		return EXIT_USAGE;
	}
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		(void)fwrite(buf, 1, n, stdout);
	(void)fclose(f);
	free(path);

	return EXIT_PASS;
}
