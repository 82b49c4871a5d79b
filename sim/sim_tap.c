#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "sim/sim_ladder_text.h"
#include "sim/sim_result.h"

/* A description ends at '#', unless that is escaped */
static void put_description(FILE *f, const char *text)
{
	char *clean = sim_text_clean(text, false);

	for (const char *s = clean; *s; s++) {
		if (*s == '#' || *s == '\\')
			fputc('\\', f);
		fputc(*s, f);
	}
	free(clean);
}

/* A scalar of YAML: JSON's strings are some of them */
static void put_field(FILE *f, const char *name, const char *text)
{
	char *clean, *quoted;
	json_t *string;

	if (!text)
		return;

	clean = sim_text_clean(text, true);
	string = json_string(clean);
	quoted = json_dumps(string, JSON_ENCODE_ANY);
	fprintf(f, "      %s: %s\n", name, quoted);
	free(quoted);
	json_decref(string);
	free(clean);
}

/* As it is: "|2" says how far it is indented, as its first line may begin with
 * blanks of its own */
static void put_ladder(FILE *f, const char *text)
{
	char *clean, *line, *save = NULL;

	if (!text)
		return;

	clean = sim_text_clean(text, true);
	fputs("      ladder: |2\n", f);
	for (line = strtok_r(clean, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		fprintf(f, "        %s\n", line);
	free(clean);
}

static void put_point(FILE *f, enum sim_result result, size_t number,
		      const char *name)
{
	bool is_ok = result == SIM_PASSED || result == SIM_SKIPPED;

	fprintf(f, "%s %zu - ", is_ok ? "ok" : "not ok", number);
	put_description(f, name);
}

static void put_case(FILE *f, const struct sim_case *c, size_t number)
{
	fputs("    ", f);
	put_point(f, c->result, number, c->name);
	if (c->result == SIM_SKIPPED) {
		fputs(" # SKIP ", f);
		put_description(f, c->message ? c->message : "");
	}
	fprintf(f, "\n      ---\n      duration_ms: %.3f\n", c->time_s * 1000);
	if (c->result == SIM_FAILED || c->result == SIM_BROKEN) {
		fprintf(f, "      severity: %s\n",
			c->result == SIM_FAILED ? "fail" : "error");
		put_field(f, "message", c->message);
		put_field(f, "expected", c->expected);
		put_field(f, "got", c->got);
		put_ladder(f, c->ladder);
	}
	fputs("      ...\n", f);
}

void sim_tap_begin(size_t suites, FILE *f)
{
	fprintf(f, "TAP version 14\n1..%zu\n", suites);
	(void)fflush(f);
}

void sim_tap_suite(const struct sim_suite *suite, size_t number, FILE *f)
{
	size_t bad = sim_suite_count(suite, SIM_FAILED) +
		     sim_suite_count(suite, SIM_BROKEN);
	bool is_skipped = sim_suite_count(suite, SIM_SKIPPED) == suite->n;

	fputs("# Subtest: ", f);
	put_description(f, suite->file);
	fprintf(f, "\n    1..%zu\n", suite->n);
	for (size_t i = 0; i < suite->n; i++)
		put_case(f, &suite->cases[i], i + 1);
	put_point(f, bad ? SIM_FAILED : SIM_PASSED, number, suite->file);
	fputs(is_skipped ? " # SKIP\n" : "\n", f);
	(void)fflush(f);
}
