#include "sim/sim_view_list.h"

#include <stdlib.h>

#include "common/mem.h"
#include "sim/sim_message.h"
#include "sim/sim_tui.h"

static void choose(struct sim_view_list *v)
{
	size_t n = sim_trace_count(sim_label_trace(v->lb));

	sim_ladder_free(v->ladder);
	v->ladder = sim_ladder_new(v->lb, &v->cfg);
	v->shown = xrealloc(v->shown, (n + 1) * sizeof(*v->shown));
	v->shown_n = 0;
	for (size_t i = 0; i < n; i++) {
		if (sim_ladder_shows(v->ladder, i))
			v->shown[v->shown_n++] = i;
	}
}

/** Show this trace, labelled anew; NULL: the one before is about to go */
void sim_view_list_set(struct sim_view_list *v, const struct sim_label *lb)
{
	v->lb = lb;
	if (lb) {
		choose(v);
	} else {
		v->ladder = sim_ladder_free(v->ladder);
		v->shown_n = 0;
	}
	if (v->tui)
		sim_tui_changed(v->tui);
}

/** Free what it holds */
void sim_view_list_clear(struct sim_view_list *v)
{
	v->ladder = sim_ladder_free(v->ladder);
	free(v->shown);
	v->shown = NULL;
	v->shown_n = 0;
}

/** The row that shows an entry, or the next that is shown after it */
size_t sim_view_list_row(const struct sim_view_list *v, size_t entry)
{
	size_t row = 0;

	while (row < v->shown_n && v->shown[row] < entry)
		row++;

	return row;
}

/* The cursor stays where it was, by what it was on */
static void choose_anew(struct sim_view_list *v)
{
	size_t row = sim_tui_cursor(v->tui);
	size_t entry = row < v->shown_n ? v->shown[row] : 0;

	if (!v->lb)
		return;
	choose(v);
	sim_tui_changed(v->tui);
	sim_tui_go(v->tui, sim_view_list_row(v, entry));
}

/** Write a row of the ladder */
void sim_view_list_line(struct sim_view_list *v, size_t row, int width, FILE *f)
{
	sim_ladder_resize(v->ladder, width);
	sim_ladder_line(v->ladder, v->shown[row], f);
}

/** Write the actors' names above their columns */
void sim_view_list_head(struct sim_view_list *v, int width, FILE *f)
{
	if (v->ladder)
		sim_ladder_resize(v->ladder, width);
	if (v->ladder && sim_ladder_has_head(v->ladder))
		sim_ladder_head(v->ladder, f);
	else
		fprintf(f, "%8s  %s", "ms", "step");
}

/** Write what is in a row's message */
void sim_view_list_message(const struct sim_view_list *v, size_t row, FILE *f)
{
	sim_message_print(v->lb, v->shown[row], v->cfg.lang, f);
}

static void on_step(const char *text, void *arg)
{
	struct sim_view_list *v = arg;
	size_t from = sim_tui_cursor(v->tui);
	char *reason;

	if (!text || !*text)
		return;
	for (size_t k = 1; k <= v->shown_n; k++) {
		size_t row = (from + k) % v->shown_n;

		if (sim_label_has_id(v->lb, v->shown[row], text)) {
			sim_tui_go(v->tui, row);
			return;
		}
	}
	reason = xasprintf("no line is step %s; they are S401 to S414 and "
			   "S501 to S521",
			   text);
	sim_tui_say(v->tui, reason);
	free(reason);
}

/** Was it one of its keys? */
bool sim_view_list_key(struct sim_view_list *v, int key)
{
	switch (key) {
	case 's':
		v->cfg.is_steps_only = !v->cfg.is_steps_only;
		v->cfg.has_all_events = false;
		choose_anew(v);
		return true;
	case 'a':
		v->cfg.has_all_events = !v->cfg.has_all_events;
		v->cfg.is_steps_only = false;
		choose_anew(v);
		return true;
	case 'l':
		v->cfg.lang =
			v->cfg.lang == SIM_ENGLISH ? SIM_CHINESE : SIM_ENGLISH;
		choose_anew(v);
		if (v->cfg.is_ascii)
			sim_tui_say(v->tui, "Chinese needs a UTF-8 locale");
		return true;
	case 'g':
		sim_tui_ask(v->tui, "go to step: ", on_step, v);
		return true;
	default:
		return false;
	}
}
