#include "sim/sim_view.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "sim/sim_ladder.h"
#include "sim/sim_message.h"
#include "sim/sim_page.h"
#include "sim/sim_tui.h"

static const char help[] =
	"s                only the patent's steps, or all\n"
	"a                every event, or without housekeeping\n"
	"g                go to a step: S407\n"
	"l                English, Chinese\n"
	"o                open the run's page in the browser\n";

/** Owned by sim_view() */
struct view {
	const struct sim_label *lb;
	const char *folder;
	struct loop *loop;
	struct sim_tui *tui;
	struct sim_ladder_cfg cfg;
	struct sim_ladder *ladder;
	size_t *shown; /**< entries that are drawn, in order */
	size_t shown_n;
	int code;
};

/* --- what is shown --- */

/* The row that shows entry i, or the next that is shown after it */
static size_t find_shown(const struct view *v, size_t i)
{
	size_t row = 0;

	while (row < v->shown_n && v->shown[row] < i)
		row++;

	return row;
}

static void choose(struct view *v)
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

/* The cursor stays where it was, by what it was on */
static void choose_anew(struct view *v)
{
	size_t row = sim_tui_cursor(v->tui);
	size_t entry = row < v->shown_n ? v->shown[row] : 0;

	choose(v);
	sim_tui_go(v->tui, find_shown(v, entry));
}

static size_t count(void *arg)
{
	const struct view *v = arg;

	return v->shown_n;
}

static void write_line(size_t i, int width, FILE *f, void *arg)
{
	const struct view *v = arg;

	sim_ladder_resize(v->ladder, width);
	sim_ladder_line(v->ladder, v->shown[i], f);
}

static void write_head(int width, FILE *f, void *arg)
{
	const struct view *v = arg;

	sim_ladder_resize(v->ladder, width);
	if (sim_ladder_has_head(v->ladder))
		sim_ladder_head(v->ladder, f);
	else
		fprintf(f, "%8s  %s", "ms", "step");
}

static void write_message(size_t i, FILE *f, void *arg)
{
	const struct view *v = arg;

	sim_message_print(v->lb, v->shown[i], v->cfg.lang, f);
}

static void write_status(size_t i, FILE *f, void *arg)
{
	const struct view *v = arg;

	(void)i;
	fprintf(f, "%s%s%s", v->folder,
		v->cfg.is_steps_only ? ", only steps" : "",
		v->cfg.has_all_events ? ", every event" : "");
}

/* --- keys --- */

static bool has_id(const struct view *v, size_t i, const char *id)
{
	size_t len = strlen(id);
	const char *at = sim_label_ids(v->lb, i);

	for (; (at = strcasestr(at, id)); at++) {
		if (at[len] == '\0' || at[len] == ' ')
			return true;
	}

	return false;
}

static void on_step(const char *text, void *arg)
{
	struct view *v = arg;
	size_t from = sim_tui_cursor(v->tui);
	char *reason;

	if (!text || !*text)
		return;
	for (size_t k = 1; k <= v->shown_n; k++) {
		size_t row = (from + k) % v->shown_n;

		if (has_id(v, v->shown[row], text)) {
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

static void open_page(const struct view *v)
{
	char *url = sim_page_url(v->folder);
	char *text;

	if (!url)
		text = xasprintf("there is no report.html in %s", v->folder);
	else
		text = xasprintf("%s%s", sim_page_open(url) ? "opened " : "",
				 url);
	sim_tui_say(v->tui, text);
	free(text);
	free(url);
}

static bool on_key(int key, void *arg)
{
	struct view *v = arg;

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
	case 'o':
		open_page(v);
		return true;
	default:
		return false;
	}
}

static void on_closed(void *arg)
{
	const struct view *v = arg;

	loop_stop(v->loop);
}

static void on_sigint(void *arg)
{
	struct view *v = arg;

	v->code = 128 + SIGINT;
	loop_stop(v->loop);
}

static void on_sigterm(void *arg)
{
	struct view *v = arg;

	v->code = 128 + SIGTERM;
	loop_stop(v->loop);
}

static const struct sim_tui_ops ops = { count,         write_line,   write_head,
					write_message, write_status, on_key,
					on_closed };

int sim_view(const struct sim_label *lb, const char *folder,
	     const struct sim_screen *screen, int *codep)
{
	struct view v = { .lb = lb, .folder = folder, .loop = loop_new() };
	const struct sim_tui_cfg cfg = { .loop = v.loop,
					 .in_fd = STDIN_FILENO,
					 .out_fd = STDOUT_FILENO,
					 .is_ascii = screen->is_ascii,
					 .no_colour = !screen->is_colour,
					 .help = help };
	struct loop_watch *sigint, *sigterm;
	char *reason = NULL;
	int err;

	v.cfg.width = screen->width;
	v.cfg.is_ascii = screen->is_ascii;
	v.cfg.is_colour = screen->is_colour;
	choose(&v);
	/* before curses takes them */
	sigint = loop_watch_signal(v.loop, SIGINT, on_sigint, &v);
	sigterm = loop_watch_signal(v.loop, SIGTERM, on_sigterm, &v);
	err = sim_tui_open(&v.tui, &cfg, &ops, &v, &reason);
	if (!err) {
		(void)loop_run(v.loop);
		*codep = v.code;
	}
	sim_tui_close(v.tui);
	loop_unwatch(sigint);
	loop_unwatch(sigterm);
	sim_ladder_free(v.ladder);
	loop_free(v.loop);
	free(v.shown);
	free(reason);

	return err;
}
