#include "sim/sim_tui_core.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>

#include <curses.h>
#include <term.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"

/* An escape alone is told from an arrow key's first byte by what follows
 * within this time: the one wait that there is */
enum { ESCAPE_MS = 25 };

static FILE *open_copy(int fd, const char *mode)
{
	int copy = dup(fd);
	FILE *f = copy < 0 ? NULL : fdopen(copy, mode);

	if (!f && copy >= 0)
		close(copy);

	return f;
}

static int check_terminal(const struct sim_tui_cfg *cfg, char **reasonp)
{
	const char *term = getenv("TERM");
	int found;

	if (!isatty(cfg->in_fd) || !isatty(cfg->out_fd)) {
		*reasonp = xstrdup("input and output must be a terminal");
		return ENOTTY;
	}
	if (!term || !*term || !strcmp(term, "dumb")) {
		*reasonp = xasprintf("TERM is \"%s\": a terminal whose cursor "
				     "can be moved is needed",
				     term ? term : "");
		return ENOTTY;
	}

	/* newterm() would say so too, but keeps what it has allocated then */
	if (setupterm(term, cfg->out_fd, &found) == ERR) {
		*reasonp = xasprintf("TERM is \"%s\", which terminfo does not "
				     "know",
				     term);
		return ENOTTY;
	}
	(void)del_curterm(cur_term);

	return 0;
}

static void start_curses(const struct sim_tui *tui)
{
	(void)set_term(tui->screen);
	(void)set_escdelay(ESCAPE_MS);
	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	(void)curs_set(0);
	if (has_colors() && !tui->cfg.no_colour) {
		(void)start_color();
		(void)use_default_colors();
		for (short c = 0; c < 8; c++)
			(void)init_pair((short)(c + 1), c, -1);
	}
}

static void on_redraw(void *arg)
{
	tui_draw(arg);
}

static void on_winch(void *arg)
{
	struct sim_tui *tui = arg;
	struct winsize size;

	if (ioctl(tui->cfg.out_fd, TIOCGWINSZ, &size) == 0 && size.ws_row &&
	    size.ws_col)
		(void)resize_term(size.ws_row, size.ws_col);
	(void)clearok(curscr, TRUE);
	sim_tui_changed(tui);
}

/* Curses' numbers and characters, as one set */
static int plain_key(int rc, wint_t key)
{
	if (rc == OK)
		return key == '\r' ? SIM_TUI_ENTER : (int)key;
	if (key == KEY_LEFT)
		return SIM_TUI_LEFT;
	if (key == KEY_RIGHT)
		return SIM_TUI_RIGHT;
	if (key == KEY_ENTER)
		return SIM_TUI_ENTER;

	return TUI_KEY_CURSES + (int)key;
}

static void on_input(void *arg)
{
	struct sim_tui *tui = arg;
	int pending = 0, rc;
	wint_t key;

	/* readable, and nothing there: the terminal is gone */
	if (ioctl(tui->cfg.in_fd, FIONREAD, &pending) < 0 || !pending) {
		tui->input = loop_unwatch(tui->input);
		tui->ops->closed(tui->arg);
		return;
	}
	while ((rc = wget_wch(stdscr, &key)) != ERR)
		tui_rx_key(tui, plain_key(rc, key));
	sim_tui_changed(tui);
}

int sim_tui_open(struct sim_tui **tp, const struct sim_tui_cfg *cfg,
		 const struct sim_tui_ops *ops, void *arg, char **reasonp)
{
	struct sim_tui *tui;
	int err = check_terminal(cfg, reasonp);

	if (err)
		return err;

	tui = xcalloc(1, sizeof(*tui));
	tui->cfg = *cfg;
	tui->ops = ops;
	tui->arg = arg;
	tui->in = open_copy(cfg->in_fd, "re");
	tui->out = open_copy(cfg->out_fd, "we");
	/* before curses: it leaves a signal alone that is taken */
	tui->winch = loop_watch_signal(cfg->loop, SIGWINCH, on_winch, tui);
	if (tui->in && tui->out)
		tui->screen = newterm(NULL, tui->out, tui->in);
	if (!tui->screen) {
		*reasonp = xstrdup("the terminal cannot be opened");
		sim_tui_close(tui);
		return ENOTTY;
	}
	start_curses(tui);
	tui->redraw = timer_new(cfg->loop, on_redraw, tui);
	tui->input =
		loop_watch_fd(cfg->loop, cfg->in_fd, LOOP_READ, on_input, tui);
	tui->was_last = cfg->follows;
	sim_tui_changed(tui);
	*tp = tui;

	return 0;
}

struct sim_tui *sim_tui_close(struct sim_tui *tui)
{
	if (!tui)
		return NULL;

	loop_unwatch(tui->input);
	loop_unwatch(tui->winch);
	timer_free(tui->redraw);
	if (tui->screen) {
		(void)endwin();
		delscreen(tui->screen);
	}
	if (tui->in)
		(void)fclose(tui->in);
	if (tui->out)
		(void)fclose(tui->out);
	tui_pane_clear(tui);
	free(tui->message);
	free(tui->found);
	free(tui->label);
	free(tui->answer);
	free(tui);

	return NULL;
}

void sim_tui_changed(struct sim_tui *tui)
{
	timer_start_ms(tui->redraw, 0);
}

size_t sim_tui_cursor(const struct sim_tui *tui)
{
	size_t n = tui->ops->count(tui->arg);

	return tui->cursor < n ? tui->cursor : n;
}

void sim_tui_go(struct sim_tui *tui, size_t i)
{
	size_t n = tui->ops->count(tui->arg);

	tui->cursor = i < n ? i : n ? n - 1 : 0;
	tui->was_last = tui->cursor + 1 >= n;
	tui->n = n;
	sim_tui_changed(tui);
}

void sim_tui_set_pane(struct sim_tui *tui, enum sim_tui_pane pane)
{
	tui->pane_kind = tui->ops->pane ? pane : SIM_TUI_NO_PANE;
	sim_tui_changed(tui);
}

void sim_tui_say(struct sim_tui *tui, const char *text)
{
	xstrset(&tui->message, text);
	sim_tui_changed(tui);
}

void sim_tui_ask(struct sim_tui *tui, const char *label, sim_tui_answer_cb *cb,
		 void *arg)
{
	xstrset(&tui->label, label);
	xstrset(&tui->answer, "");
	tui->ask_cb = cb;
	tui->ask_arg = arg;
	tui->mode = TUI_ASK;
	sim_tui_changed(tui);
}
