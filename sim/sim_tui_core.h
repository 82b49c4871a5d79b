/** @file sim_tui_core.h  What the list's own files share: its state */
#ifndef SIPSHARE_SIM_TUI_CORE_H
#define SIPSHARE_SIM_TUI_CORE_H

#include "sim/sim_tui.h"

struct loop_watch;
struct screen; /* curses' */
struct timer;

/** Curses' own keys, as numbers that no character has; and a step that leads
 * to the end */
enum { TUI_KEY_CURSES = 0x200000, TUI_FAR = 1 << 30 };

/** What the keys go to */
enum tui_mode { TUI_LIST, TUI_ASK, TUI_HELP };

/** The pane's text, cut into rows of the screen's width */
struct tui_pane {
	char *text;   /**< rows end with NUL */
	size_t *rows; /**< where each begins */
	size_t n, top;
	size_t of; /**< line that it is about */
	int width; /**< that it was cut for; 0: none yet */
};

/** Owned by who opened it */
struct sim_tui {
	struct sim_tui_cfg cfg;
	const struct sim_tui_ops *ops;
	void *arg;
	struct screen *screen;
	FILE *in, *out;
	struct loop_watch *input, *winch;
	struct timer *redraw; /**< at once, but in a turn of its own */
	enum tui_mode mode;
	enum sim_tui_pane pane_kind;
	struct tui_pane pane;
	size_t n, top, cursor;
	bool was_last; /**< the cursor was on the last line */
	char *message; /**< on the status line, or NULL */
	char *found;   /**< what was looked for last, or NULL */
	/* TUI_ASK */
	char *label, *answer;
	sim_tui_answer_cb *ask_cb;
	void *ask_arg;
};

/* sim_tui_draw.c */
void tui_draw(struct sim_tui *tui);
int tui_list_height(const struct sim_tui *tui);
int tui_pane_height(const struct sim_tui *tui);
void tui_pane_clear(struct sim_tui *tui);
char *tui_plain_line(const struct sim_tui *tui, size_t i);

/* sim_tui_keys.c */
void tui_rx_key(struct sim_tui *tui, int key);

#endif
