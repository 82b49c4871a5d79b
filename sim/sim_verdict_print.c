#include <stdio.h>
#include <string.h>

#include "sim/sim_ladder_text.h"
#include "sim/sim_verdict.h"

enum { CELL_WIDTH = 19, VIOLATIONS_SHOWN = 20, LINE_MAX_WIDTH = 400 };

static const char red[] = "\033[31m", green[] = "\033[32m", plain[] = "\033[0m";

static void put(FILE *f, bool is_colour, const char *colour, const char *text)
{
	fprintf(f, "%s%s%s", is_colour ? colour : "", text,
		is_colour ? plain : "");
}

static void print_cell(const struct sim_seen *seen, int ref_width, FILE *f,
		       bool is_colour)
{
	char text[64];

	if (!seen->count)
		(void)snprintf(text, sizeof(text), "%s",
			       seen->lost ? "lost" : "missing");
	else if (seen->count == 1)
		(void)snprintf(text, sizeof(text), "%10.3f ms",
			       (double)seen->first_us / 1000.0);
	else
		(void)snprintf(text, sizeof(text), "%10.3f ms x%zu",
			       (double)seen->first_us / 1000.0, seen->count);
	fprintf(f, "%s%-*s %-*s%s",
		!is_colour    ? ""
		: seen->count ? green
			      : red,
		ref_width, seen->ref, CELL_WIDTH, text, is_colour ? plain : "");
}

static void print_table(const struct sim_verdict *v, FILE *f, bool is_colour,
			int width)
{
	size_t n = sim_verdict_count(v), columns;
	int ref_width = 4;

	for (size_t i = 0; i < n; i++) {
		int len = (int)strlen(sim_verdict_step(v, i)->ref);

		if (len > ref_width)
			ref_width = len;
	}
	columns = (size_t)(width / (ref_width + 1 + CELL_WIDTH));
	if (!columns)
		columns = 1;
	for (size_t i = 0; i < n; i++) {
		print_cell(sim_verdict_step(v, i), ref_width, f, is_colour);
		if ((i + 1) % columns == 0 || i + 1 == n)
			fputc('\n', f);
	}
}

static void print_missing(const struct sim_verdict *v, FILE *f)
{
	for (size_t i = 0; i < sim_verdict_count(v); i++) {
		const struct sim_seen *seen = sim_verdict_step(v, i);
		const struct sim_step *step;

		if (seen->count)
			continue;
		step = sim_steps_find(seen->ref, strlen(seen->ref));
		fprintf(f, "%s: %s (%s%s%s, %s: %s%s)\n",
			seen->lost ? "lost" : "missing", seen->ref, step->from,
			step->to ? " to " : "", step->to ? step->to : "",
			sim_wire_name(step->wire), step->en,
			seen->lost ? "; sent, but never received" : "");
	}
}

static void print_violations(const struct sim_verdict *v, FILE *f)
{
	size_t n = sim_verdict_violations(v);

	for (size_t i = 0; i < n && i < VIOLATIONS_SHOWN; i++) {
		fputs("order: ", f);
		sim_text_put(f, sim_verdict_violation(v, i), LINE_MAX_WIDTH,
			     false);
		fputc('\n', f);
	}
	if (n > VIOLATIONS_SHOWN)
		fprintf(f, "order: and %zu more\n", n - VIOLATIONS_SHOWN);
}

void sim_verdict_print(const struct sim_verdict *v, FILE *f, bool is_colour,
		       int width)
{
	size_t n = sim_verdict_count(v), missing = sim_verdict_missing(v);
	bool is_pass = sim_verdict_is_pass(v);

	print_table(v, f, is_colour, width ? width : 120);
	print_missing(v, f);
	print_violations(v, f);
	put(f, is_colour, is_pass ? green : red, is_pass ? "PASS" : "FAIL");
	fprintf(f, ": %zu of %zu steps seen", n - missing, n);
	if (sim_verdict_violations(v))
		fprintf(f, ", %zu out of order\n", sim_verdict_violations(v));
	else
		fprintf(f, ", in an order that the patent allows\n");
}
