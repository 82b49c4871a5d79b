/** @file main.c  sipshare: finds the subcommand and runs it */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "common/element.h"
#include "sim/sim.h"

/** One subcommand */
struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *text;
};

static const struct command commands[] = {
	{ "run", sim_run, "run scenarios: ladder, verdict, exit code" },
	{ "step", sim_step, "the same, one message at a time" },
	{ "up", sim_up, "keep the testbed up for real clients" },
	{ "steps", sim_steps_cmd, "the patent's steps, as a table" },
	{ "view", sim_view_cmd, "show the ladder of a finished run" },
	{ "doctor", sim_doctor, "what is missing on this machine" },
};

static const char tail[] =
	"\nsipshare COMMAND --help says more. Exit code: 0 pass, 1 fail, 2 "
	"usage "
	"or scenario\nerror, 3 could not start, 128+n ended by signal n.\n";

static int usage(FILE *f, int code)
{
	(void)fputs("usage: sipshare COMMAND [OPTIONS] [ARGUMENTS]\n\n"
		    "An IMS testbed that lends SIP-URIs.\n\nCommands:\n",
		    f);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		(void)fprintf(f, "  %-8s %s\n", commands[i].name,
			      commands[i].text);
	(void)fputs(tail, f);

	return code;
}

int main(int argc, char **argv)
{
	(void)setlocale(LC_CTYPE, "");
	if (argc < 2)
		return usage(stderr, EXIT_USAGE);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return usage(stdout, EXIT_PASS);

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		char name[32];

		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		(void)snprintf(name, sizeof(name), "sipshare %s", argv[1]);
		argv[1] = name; /* what its messages begin with */
		return commands[i].run(argc - 1, argv + 1);
	}
	(void)fprintf(stderr,
		      "sipshare: there is no command \"%s\"; see "
		      "sipshare --help\n",
		      argv[1]);

	return EXIT_USAGE;
}
