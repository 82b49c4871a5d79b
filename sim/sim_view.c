#include "sim/sim_view.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "sim/sim_page.h"
#include "sim/sim_tui.h"
#include "sim/sim_view_list.h"

static const char help[] = SIM_VIEW_LIST_KEYS
	"o                open the run's page in the browser\n";

/** Owned by sim_view() */
struct view {
	const char *folder;
	struct loop *loop;
	struct sim_view_list list;
	int code;
};

/* --- what is shown --- */

static size_t count(void *arg)
{
	const struct view *v = arg;

	return v->list.shown_n;
}

static void write_line(size_t i, int width, FILE *f, void *arg)
{
	struct view *v = arg;

	sim_view_list_line(&v->list, i, width, f);
}

static void write_head(int width, FILE *f, void *arg)
{
	struct view *v = arg;

	sim_view_list_head(&v->list, width, f);
}

static void write_message(size_t i, FILE *f, void *arg)
{
	const struct view *v = arg;

	sim_view_list_message(&v->list, i, f);
}

static void write_status(size_t i, FILE *f, void *arg)
{
	const struct view *v = arg;

	(void)i;
	fprintf(f, "%s%s%s", v->folder,
		v->list.cfg.is_steps_only ? ", only steps" : "",
		v->list.cfg.has_all_events ? ", every event" : "");
}

/* --- keys --- */

static void open_page(const struct view *v)
{
	char *url = sim_page_url(v->folder);
	char *text;

	if (!url)
		text = xasprintf("there is no report.html in %s", v->folder);
	else
		text = xasprintf("%s%s", sim_page_open(url) ? "opened " : "",
				 url);
	sim_tui_say(v->list.tui, text);
	free(text);
	free(url);
}

static bool on_key(int key, void *arg)
{
	struct view *v = arg;

	if (key != 'o')
		return sim_view_list_key(&v->list, key);
	open_page(v);

	return true;
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
	struct view v = { .folder = folder, .loop = loop_new() };
	const struct sim_tui_cfg cfg = { .loop = v.loop,
					 .in_fd = STDIN_FILENO,
					 .out_fd = STDOUT_FILENO,
					 .is_ascii = screen->is_ascii,
					 .no_colour = !screen->is_colour,
					 .help = help };
	struct loop_watch *sigint, *sigterm;
	char *reason = NULL;
	int err;

	v.list.cfg.width = screen->width;
	v.list.cfg.is_ascii = screen->is_ascii;
	v.list.cfg.is_colour = screen->is_colour;
	sim_view_list_set(&v.list, lb);
	/* before curses takes them */
	sigint = loop_watch_signal(v.loop, SIGINT, on_sigint, &v);
	sigterm = loop_watch_signal(v.loop, SIGTERM, on_sigterm, &v);
	err = sim_tui_open(&v.list.tui, &cfg, &ops, &v, &reason);
	if (!err) {
		(void)loop_run(v.loop);
		*codep = v.code;
	}
	sim_tui_close(v.list.tui);
	loop_unwatch(sigint);
	loop_unwatch(sigterm);
	sim_view_list_clear(&v.list);
	loop_free(v.loop);
	free(reason);

	return err;
}
