/* Stepping on the terminal's screen: the ladder so far, the message or the
 * state below it, and a line that says who is about to act on what */
#include "sim/sim_step_core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/mem.h"
#include "sim/sim_state.h"
#include "sim/sim_tui.h"
#include "sim/sim_view_list.h"

static const char help[] =
	"space, .         let the next message be acted on\n"
	"r                run to a step: S407\n"
	"e                run to the end\n"
	"t                the state of all actors, or the "
	"message\n" SIM_VIEW_LIST_KEYS
	"q                leave: what still runs is ended\n"
	"\n"
	"> is the message that is acted on next, - one that waits behind it.\n"
	"Nothing times out while you look.\n";

/** Owned by the command */
struct sim_step_tui {
	struct sim_step_tui_cfg cfg;
	struct sim_stepper *step;
	struct sim_view_list list;
	bool shows_state;
	int screen_fd; /* the terminal; -1: not opened */
	FILE *printed; /* what the scenario prints meanwhile */
};

struct sim_step_tui *sim_step_tui_new(const struct sim_step_tui_cfg *cfg)
{
	struct sim_step_tui *t = xcalloc(1, sizeof(*t));

	t->cfg = *cfg;
	t->screen_fd = -1;
	t->list.cfg.width = cfg->screen->width;
	t->list.cfg.is_ascii = cfg->screen->is_ascii;
	t->list.cfg.is_colour = cfg->screen->is_colour;
	t->list.cfg.has_all_actors = true;
	t->list.cfg.lang = cfg->lang;

	return t;
}

/* Standard output is the terminal again, and gets what was kept from it */
static void close_screen(struct sim_step_tui *t)
{
	char buf[4096];
	size_t n;

	t->list.tui = sim_tui_close(t->list.tui);
	if (t->screen_fd < 0)
		return;
	(void)fflush(stdout);
	(void)dup2(t->screen_fd, STDOUT_FILENO);
	close(t->screen_fd);
	t->screen_fd = -1;
	rewind(t->printed);
	while ((n = fread(buf, 1, sizeof(buf), t->printed)) > 0)
		(void)fwrite(buf, 1, n, stdout);
	(void)fclose(t->printed);
	t->printed = NULL;
}

struct sim_step_tui *sim_step_tui_free(struct sim_step_tui *t)
{
	if (!t)
		return NULL;

	close_screen(t);
	sim_view_list_clear(&t->list);
	free(t);

	return NULL;
}

/* --- what is shown --- */

/* ">": acted on next; "-": held behind it */
static char mark_of(const struct sim_step_tui *t, size_t entry)
{
	size_t n = sim_stepper_held_count(t->step);

	for (size_t i = 0; i < n; i++)
		if (sim_stepper_entry(t->step, sim_stepper_held(t->step, i)) ==
		    entry)
			return i == 0 ? '>' : '-';

	return ' ';
}

static size_t count(void *arg)
{
	const struct sim_step_tui *t = arg;

	return t->list.shown_n;
}

static void write_line(size_t i, int width, FILE *f, void *arg)
{
	struct sim_step_tui *t = arg;

	fprintf(f, "%c ", mark_of(t, t->list.shown[i]));
	sim_view_list_line(&t->list, i, width - 2, f);
}

static void write_head(int width, FILE *f, void *arg)
{
	struct sim_step_tui *t = arg;

	fputs("  ", f);
	sim_view_list_head(&t->list, width - 2, f);
}

static void write_pane(size_t i, FILE *f, void *arg)
{
	const struct sim_step_tui *t = arg;

	if (!t->list.lb || i >= t->list.shown_n)
		return;
	if (t->shows_state)
		sim_state_print(sim_label_trace(t->list.lb),
				t->list.shown[i] + 1, t->list.cfg.lang, f);
	else
		sim_view_list_message(&t->list, i, f);
}

static void write_status(size_t i, FILE *f, void *arg)
{
	const struct sim_step_tui *t = arg;
	char *text = sim_stepper_sentence(t->step, t->list.cfg.lang);

	(void)i;
	fputs(text, f);
	if (sim_stepper_state(t->step) == STEP_HELD)
		fputs("   (space: next  r: to a step  e: end  ?: keys)", f);
	else if (sim_stepper_state(t->step) == STEP_OVER)
		fputs("   (q: leave, and see the verdict)", f);
	free(text);
}

/* --- what is said --- */

/* Takes reason over */
static void say(struct sim_step_tui *t, char *reason)
{
	if (reason)
		sim_tui_say(t->list.tui, reason);
	free(reason);
}

static void on_step(const char *text, void *arg)
{
	struct sim_step_tui *t = arg;
	char *reason = NULL;

	if (!text || !*text)
		return;
	(void)sim_stepper_until(t->step, text, &reason);
	say(t, reason);
}

static bool on_key(int key, void *arg)
{
	struct sim_step_tui *t = arg;
	char *reason = NULL;

	switch (key) {
	case ' ':
	case '.':
		(void)sim_stepper_next(t->step, &reason);
		break;
	case 'e':
		(void)sim_stepper_end(t->step, &reason);
		break;
	case 'r':
		sim_tui_ask(t->list.tui, "run to step: ", on_step, t);
		break;
	case 't':
		t->shows_state = !t->shows_state;
		sim_tui_set_pane(t->list.tui, SIM_TUI_BELOW);
		sim_tui_changed(t->list.tui);
		break;
	default:
		return sim_view_list_key(&t->list, key);
	}
	say(t, reason);

	return true;
}

static void on_closed(void *arg)
{
	const struct sim_step_tui *t = arg;

	sim_stepper_quit(t->step);
}

static const struct sim_tui_ops tui_ops = { count,        write_line,
					    write_head,   write_pane,
					    write_status, on_key,
					    on_closed };

/* --- for the stepper --- */

/* What a scenario prints must not go across the screen */
static int take_stdout(struct sim_step_tui *t, char **reasonp)
{
	t->printed = tmpfile();
	(void)fflush(stdout);
	t->screen_fd = dup(STDOUT_FILENO);
	if (t->printed && t->screen_fd >= 0 &&
	    dup2(fileno(t->printed), STDOUT_FILENO) >= 0)
		return 0;

	*reasonp = xstrdup("the terminal cannot be kept from what the "
			   "scenario prints: no temporary file can be made");

	return EMFILE;
}

static int on_open(struct sim_stepper *step, void *arg, char **reasonp)
{
	struct sim_step_tui *t = arg;
	struct sim_tui_cfg cfg = { .loop = t->cfg.loop,
				   .in_fd = STDIN_FILENO,
				   .is_ascii = t->cfg.screen->is_ascii,
				   .no_colour = !t->cfg.screen->is_colour,
				   .follows = true,
				   .help = help };
	int err = take_stdout(t, reasonp);

	t->step = step;
	cfg.out_fd = t->screen_fd;
	sim_view_list_set(&t->list, sim_stepper_labels(step));
	if (!err)
		err = sim_tui_open(&t->list.tui, &cfg, &tui_ops, t, reasonp);
	if (!err)
		sim_tui_set_pane(t->list.tui, SIM_TUI_BELOW);

	return err;
}

static void on_forget(void *arg)
{
	struct sim_step_tui *t = arg;

	sim_view_list_set(&t->list, NULL);
}

static void on_changed(void *arg)
{
	struct sim_step_tui *t = arg;

	sim_view_list_set(&t->list, sim_stepper_labels(t->step));
	if (sim_stepper_held_count(t->step) && t->list.tui)
		sim_tui_go(t->list.tui,
			   sim_view_list_row(
				   &t->list,
				   sim_stepper_entry(
					   t->step,
					   sim_stepper_held(t->step, 0))));
}

const struct sim_stepper_ops sim_step_tui_ops = { on_open, on_forget,
						  on_changed, on_changed };
