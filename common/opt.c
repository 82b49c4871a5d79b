#include "common/opt.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { FIRST_VAL = 1000 };

static int count(const struct opt *tables[])
{
	int n = 0;

	for (; *tables; tables++)
		for (const struct opt *o = *tables; o->type != OPT_END; o++)
			n++;

	return n;
}

static const struct opt *nth(const struct opt *tables[], int n)
{
	for (; *tables; tables++)
		for (const struct opt *o = *tables; o->type != OPT_END; o++)
			if (n-- == 0)
				return o;

	return NULL;
}

static const char *take_int(const struct opt *o, const char *value)
{
	char *end;
	long n = strtol(value, &end, 10);

	if (end == value || *end || n < o->min || n > o->max)
		return "not a number within the bounds";
	*(int *)o->dst = (int)n;

	return NULL;
}

static const char *take_list(const struct opt *o, const char *value)
{
	struct opt_list *list = o->dst;

	if (list->n == OPT_LIST_MAX)
		return "given too often";
	list->v[list->n++] = value;

	return NULL;
}

static const char *take(const struct opt *o, const char *value)
{
	switch (o->type) {
	case OPT_STRING:
		*(const char **)o->dst = value;
		return NULL;
	case OPT_INT:
		return take_int(o, value);
	case OPT_FLAG:
		*(bool *)o->dst = true;
		return NULL;
	case OPT_LIST:
		return take_list(o, value);
	case OPT_CALL:
		return o->call(value);
	default:
		return "not an option";
	}
}

/** Print usage and a line an option */
void opt_help(const struct opt *tables[], const char *usage)
{
	size_t len = strlen(usage);

	printf("%s%s\nOptions:\n", usage,
	       len && usage[len - 1] == '\n' ? "" : "\n");
	for (int i = 0; i < count(tables); i++) {
		const struct opt *o = nth(tables, i);
		char left[64];

		snprintf(left, sizeof(left), "--%s %s", o->name,
			 o->arg ? o->arg : "");
		if (strlen(left) > 24)
			printf("  %s\n  %-24s %s\n", left, "", o->text);
		else
			printf("  %-24s %s\n", left, o->text);
	}
	printf("  %-24s %s\n", "--help", "this");
}

static enum opt_result parse(const struct opt *tables[], const char *usage,
			     const struct option *longs, int argc, char **argv)
{
	const char *wrong;
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'h') {
			opt_help(tables, usage);
			return OPT_HELP;
		}
		if (c < FIRST_VAL) {
			fprintf(stderr, "%s: see --help\n", argv[0]);
			return OPT_BAD;
		}
		wrong = take(nth(tables, c - FIRST_VAL), optarg);
		if (wrong) {
			fprintf(stderr, "%s: --%s %s: %s; see --help\n",
				argv[0], nth(tables, c - FIRST_VAL)->name,
				optarg ? optarg : "", wrong);
			return OPT_BAD;
		}
	}

	return OPT_OK;
}

/**
 * Read a command line. What is not an option is left in argv, from 1 on.
 *
 * @param tables NULL-ended list of tables
 * @param usage  First lines of --help
 *
 * @return OPT_BAD with the reason on stderr; OPT_HELP after printing
 */
enum opt_result opt_parse(const struct opt *tables[], const char *usage,
			  int *argcp, char **argv)
{
	int n = count(tables);
	struct option *longs = xcalloc((size_t)n + 2, sizeof(*longs));
	enum opt_result result;
	int left = 1;

	for (int i = 0; i < n; i++)
		longs[i] = (struct option){ nth(tables, i)->name,
					    nth(tables, i)->type == OPT_FLAG
						    ? no_argument
						    : required_argument,
					    NULL, FIRST_VAL + i };
	longs[n] = (struct option){ "help", no_argument, NULL, 'h' };
	optind = 0;
	result = parse(tables, usage, longs, *argcp, argv);
	while (optind < *argcp)
		argv[left++] = argv[optind++];
	*argcp = left;
	free(longs);

	return result;
}
