#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sim/sim.h"
#include "sim/sim_ladder_text.h"
#include "sim/sim_verdict.h"

enum {
	TIME_WIDTH = 13, /* "123456.789 ms" */
	GAP = 3,
	WIDTH_DEFAULT = 120,
	VIOLATIONS_SHOWN = 20,
	LINE_MAX_WIDTH = 400
};

static const char red[] = "\033[31m", green[] = "\033[32m", plain[] = "\033[0m";

static void put(FILE *f, bool is_colour, const char *colour, const char *text)
{
	fprintf(f, "%s%s%s", is_colour ? colour : "", text,
		is_colour ? plain : "");
}

/** The steps, or their parts: a table of their own, with columns as wide as
 * its widest cell asks for */
struct table {
	const struct sim_verdict *v;
	size_t *rows; /* indexes of steps */
	size_t n;
	int ref_width, count_width;
};

static void print_cell(const struct table *t, const struct sim_seen *seen,
		       FILE *f, bool is_colour)
{
	char time[32], count[32] = "";

	if (seen->count) {
		(void)snprintf(time, sizeof(time), "%.3f ms",
			       (double)seen->first_us / 1000.0);
		(void)snprintf(count, sizeof(count), "x%zu", seen->count);
	} else {
		(void)snprintf(time, sizeof(time), "%s",
			       seen->lost ? "lost" : "missing");
	}
	fprintf(f, "%s%-*s %*s %-*s%s",
		!is_colour    ? ""
		: seen->count ? green
			      : red,
		t->ref_width, seen->ref, TIME_WIDTH, time, t->count_width,
		count, is_colour ? plain : "");
}

static void take_row(struct table *t, size_t i)
{
	const struct sim_seen *seen = sim_verdict_step(t->v, i);
	int ref = (int)strlen(seen->ref);
	int count = snprintf(NULL, 0, "x%zu", seen->count);

	if (ref > t->ref_width)
		t->ref_width = ref;
	if (count > t->count_width)
		t->count_width = count;
	t->rows[t->n++] = i;
}

/* Downwards, then to the right, as one reads a list; the last cell of a line
 * has no gap behind it */
static void print_table(const struct sim_verdict *v, bool is_parts, FILE *f,
			const struct sim_screen *screen)
{
	struct table t = { .v = v };
	size_t columns, lines;

	t.rows = xcalloc(sim_verdict_count(v) + 1, sizeof(*t.rows));
	for (size_t i = 0; i < sim_verdict_count(v); i++) {
		if (is_parts == !!strchr(sim_verdict_step(v, i)->ref, '/'))
			take_row(&t, i);
	}
	if (is_parts && t.n)
		fputc('\n', f);
	columns = (size_t)((screen->width + GAP) / (t.ref_width + TIME_WIDTH +
						    t.count_width + 2 + GAP));
	columns = columns ? columns : 1;
	lines = (t.n + columns - 1) / columns;
	for (size_t line = 0; line < lines; line++) {
		for (size_t i = line; i < t.n; i += lines) {
			fprintf(f, "%*s", i == line ? 0 : GAP, "");
			print_cell(&t, sim_verdict_step(v, t.rows[i]), f,
				   screen->is_colour);
		}
		fputc('\n', f);
	}
	free(t.rows);
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
	const struct sim_screen screen = { .width = width ? width
							  : WIDTH_DEFAULT,
					   .is_colour = is_colour };

	print_table(v, false, f, &screen);
	print_table(v, true, f, &screen);
	print_missing(v, f);
	print_violations(v, f);
	put(f, is_colour, is_pass ? green : red, is_pass ? "PASS" : "FAIL");
	fprintf(f, ": %zu of %zu steps seen", n - missing, n);
	if (sim_verdict_violations(v))
		fprintf(f, ", %zu out of order\n", sim_verdict_violations(v));
	else
		fprintf(f, ", in an order that the patent allows\n");
}
