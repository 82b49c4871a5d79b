#include "sim/sim_bill.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "sim/sim_trace.h"

/** Rows are in the order of whom they name */
struct sim_bill {
	struct sim_bill_row *rows;
	size_t n;
};

/* Where who stands, or is to stand */
static size_t place(const struct sim_bill *bill, const char *who)
{
	size_t low = 0, high = bill->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(bill->rows[middle].who, who) < 0)
			low = middle + 1;
		else
			high = middle;
	}

	return low;
}

static struct sim_bill_row *row_of(struct sim_bill *bill, const char *who)
{
	size_t at = place(bill, who);
	struct sim_bill_row *row;

	if (at < bill->n && !strcmp(bill->rows[at].who, who))
		return &bill->rows[at];

	bill->rows = xrealloc(bill->rows, (bill->n + 1) * sizeof(*bill->rows));
	row = &bill->rows[at];
	memmove(row + 1, row, (bill->n - at) * sizeof(*row));
	bill->n++;
	*row = (struct sim_bill_row){ .who = xstrdup(who) };

	return row;
}

/* A record without a caller is no record of ours: a foreign AS may differ. Of
 * a call through two AS the callee's record stands beside the caller's, who
 * pays */
static void take(struct sim_bill *bill, const json_t *cdr)
{
	const char *who = json_find_string(cdr, "number");
	const char *role = json_find_string(cdr, "role");
	struct sim_bill_row *row;

	if (role && !strcmp(role, "terminating"))
		return;
	if (!who)
		who = json_find_string(cdr, "uri");
	if (!who)
		return;

	row = row_of(bill, who);
	row->calls++;
	if (json_number_value(json_object_get(cdr, "answer")) > 0) {
		row->answered++;
		row->ms += json_find_int(cdr, "duration_ms", 0);
	}
}

/** The bill of a finished trace; sim_bill_free() */
struct sim_bill *sim_bill_new(const struct sim_trace *trace)
{
	struct sim_bill *bill = xcalloc(1, sizeof(*bill));

	for (size_t i = 0; i < sim_trace_count(trace); i++) {
		const struct sim_entry *e = sim_trace_entry(trace, i);

		if (e->name && !strcmp(e->name, "as.cdr"))
			take(bill, e->fields);
	}

	return bill;
}

/** Free; NULL */
struct sim_bill *sim_bill_free(struct sim_bill *bill)
{
	if (!bill)
		return NULL;

	for (size_t i = 0; i < bill->n; i++)
		free(bill->rows[i].who);
	free(bill->rows);
	free(bill);

	return NULL;
}

/** How many are on it */
size_t sim_bill_count(const struct sim_bill *bill)
{
	return bill->n;
}

/** i from 0 to sim_bill_count() - 1, ordered by who */
const struct sim_bill_row *sim_bill_row(const struct sim_bill *bill, size_t i)
{
	return &bill->rows[i];
}

/** A line for each; nothing at all where no call was made */
void sim_bill_print(const struct sim_bill *bill, FILE *f)
{
	int width = 11;

	if (!bill->n)
		return;

	for (size_t i = 0; i < bill->n; i++)
		if ((int)strlen(bill->rows[i].who) > width)
			width = (int)strlen(bill->rows[i].who);
	fprintf(f, "%-*s %8s %8s %12s\n", width, "Bill", "calls", "answered",
		"seconds");
	for (size_t i = 0; i < bill->n; i++) {
		const struct sim_bill_row *row = &bill->rows[i];

		fprintf(f, "%-*s %8zu %8zu %8" PRId64 ".%03d\n", width,
			row->who, row->calls, row->answered, row->ms / 1000,
			(int)(row->ms % 1000));
	}
}
