#include <string.h>

#include "sim/sim_steps.h"

static const char *text(const char *s)
{
	return s ? s : "";
}

/* "S401/range" */
static void print_ref(const struct sim_step *step, FILE *f)
{
	fprintf(f, "%s%s%s", step->id, step->part ? "/" : "", text(step->part));
}

/** The table for a terminal: a line a row */
void sim_steps_print(FILE *f)
{
	for (size_t i = 0; i < sim_steps_count(); i++) {
		const struct sim_step *step = sim_steps_at(i);

		fprintf(f, "%-4s %-9s %-9s %-13s %-6s %s\n", step->id,
			text(step->part), step->from,
			step->to ? step->to : "(inside)",
			sim_wire_name(step->wire), step->en);
	}
}

/* A list of refs; all: what stands for the space between those that must all
 * be */
static void print_refs(const char *refs, const char *all, FILE *f)
{
	for (const char *p = text(refs); *p; p++) {
		if (*p == '|')
			fputs(" or ", f);
		else if (*p == ' ')
			fputs(all, f);
		else
			fputc(*p, f);
	}
}

/* What is looked for, in words */
static void print_what(const struct sim_step *step, FILE *f)
{
	if (step->is)
		fprintf(f, "is ");
	print_refs(step->is, " and ", f);
	if (step->what && step->wire == SIM_EVENT)
		fprintf(f, "event `%s`", step->what);
	else if (step->what && strspn(step->what, "0123456789"))
		fprintf(f, "status %s%s", step->what,
			strlen(step->what) < 3 ? "xx" : "");
	else if (step->what)
		fprintf(f, "`%s`", step->what);
	if (step->flags & SIM_CREDENTIALS)
		fputs(", with credentials", f);
	if (step->flags & SIM_NO_CREDENTIALS)
		fputs(", without credentials", f);
	if (step->flags & SIM_EXPIRES_0)
		fputs(", Expires 0", f);
	if (step->flags & SIM_FIRST)
		fputs(", first of its Call-ID", f);
	if (step->flags & SIM_NO_BODY)
		fputs(", empty body", f);
	if (step->answers)
		fputs(", answers ", f);
	print_refs(step->answers, " and ", f);
	if (step->follows)
		fprintf(f, ", next after %s", step->follows);
}

static void print_row(const struct sim_step *step, FILE *f)
{
	fputs("| ", f);
	print_ref(step, f);
	fprintf(f, " | %s → %s | %s | ", step->from, step->to ? step->to : "–",
		sim_wire_name(step->wire));
	print_what(step, f);
	fputs(" | ", f);
	print_refs(step->after, ", ", f);
	fprintf(f, " | %s | %s | %s | %s |\n", step->en, step->zh,
		text(step->paragraph), text(step->clause));
}

/** The table as docs/steps.md */
void sim_steps_print_markdown(FILE *f)
{
	static const char head[] =
		"| step | from → to | carried by | what it looks like | after "
		"| "
		"what it is | 中文 | patent | standard |\n"
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
	int figure = 0;

	fputs("# The steps of the patent\n\n"
	      "Made by `make steps` from the table in `sim/sim_steps.c`. It "
	      "labels traces by what is on\nthe wire, and steers nothing. "
	      "\"After\" is the order that the patent allows: a step's first\n"
	      "occurrence comes after the first one of each step named there. "
	      "A row with a part (`S401/range`)\nis one message or event of "
	      "its "
	      "step.\n",
	      f);
	for (size_t i = 0; i < sim_steps_count(); i++) {
		const struct sim_step *step = sim_steps_at(i);
		int of = step->wire == SIM_FIGURE ? '1' : step->id[1];

		if (of != figure)
			fprintf(f, "\n## Figure%s\n\n%s",
				of == '1'   ? "s 1 to 3"
				: of == '4' ? " 4"
					    : " 5",
				head);
		figure = of;
		print_row(step, f);
	}
}
