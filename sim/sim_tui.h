/** @file sim_tui.h  A list of lines that fills a terminal: cursor, pane, keys
 *
 * A widget: it knows neither runs nor traces. What it shows is asked of
 * callbacks, and asked again after sim_tui_changed(); its keys come from a
 * descriptor that the loop watches, so that all else on the loop goes on.
 * There can be one at a time, as curses has one screen.
 *
 * Lines are UTF-8, with sim_ladder's colours (ESC [ n m) where they are
 * wanted; any other control character is shown as text, here too.
 *
 * Its own keys: up down j k PgUp PgDn Home End; / n N; Enter or m (pane), f
 * (pane over the whole screen), J K (scroll the pane); ? and q.
 */
#ifndef SIPSHARE_SIM_TUI_H
#define SIPSHARE_SIM_TUI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct loop;
struct sim_tui;

/** Keys that are no character; all others come as Unicode's number */
enum sim_tui_key {
	SIM_TUI_ENTER = '\n',
	SIM_TUI_ESCAPE = 27,
	SIM_TUI_LEFT = 0x110000,
	SIM_TUI_RIGHT
};

/** What is below the list, or over it */
enum sim_tui_pane { SIM_TUI_NO_PANE, SIM_TUI_BELOW, SIM_TUI_FULL };

/** What the list asks of its owner; all but count, line and closed may be NULL.
 * None of them may close the list: loop_defer() that */
struct sim_tui_ops {
	/** How many lines there are now */
	size_t (*count)(void *arg);
	/** Write line i, without its newline, in at most width columns */
	void (*line)(size_t i, int width, FILE *f, void *arg);
	/** Write the line that stays on top */
	void (*head)(int width, FILE *f, void *arg);
	/** Write the pane's text for line i: any lines, any bytes but NUL;
	 * what is wider than the pane is wrapped */
	void (*pane)(size_t i, FILE *f, void *arg);
	/** Write what the status line says on its left; i as above, or the
	 * count if there is no line */
	void (*status)(size_t i, FILE *f, void *arg);
	/** Asked before the list itself: is this key taken? */
	bool (*key)(int key, void *arg);
	/** The user wants to leave, or the terminal is gone */
	void (*closed)(void *arg);
};

/** Where it is; borrowed while the list lives */
struct sim_tui_cfg {
	struct loop *loop;
	int in_fd, out_fd; /**< of a terminal; stay the caller's */
	bool is_ascii;     /**< nothing but ASCII, not even for frames */
	bool no_colour;
	bool follows;     /**< a cursor on the last line stays on the last */
	const char *help; /**< the owner's keys, a line each, for '?' */
};

/** Takes what was typed, or NULL if it was given up; text is borrowed */
typedef void sim_tui_answer_cb(const char *text, void *arg);

/** 0; ENOTTY, or what else is in the way, with a reason: print plainly then */
int sim_tui_open(struct sim_tui **tp, const struct sim_tui_cfg *cfg,
		 const struct sim_tui_ops *ops, void *arg, char **reasonp);
/** Give the terminal back as it was */
struct sim_tui *sim_tui_close(struct sim_tui *tui);

/** Lines have come, gone or changed: ask for them, and draw (in a later turn,
 * once for all changes until then) */
void sim_tui_changed(struct sim_tui *tui);
/** The line with the cursor; the count if there is none */
size_t sim_tui_cursor(const struct sim_tui *tui);
/** Move the cursor to line i, or the last one */
void sim_tui_go(struct sim_tui *tui, size_t i);
void sim_tui_set_pane(struct sim_tui *tui, enum sim_tui_pane pane);
/** Say something on the status line, until the next key; copied */
void sim_tui_say(struct sim_tui *tui, const char *text);
/** Ask for a line of text on the status line; label is copied */
void sim_tui_ask(struct sim_tui *tui, const char *label, sim_tui_answer_cb *cb,
		 void *arg);

#endif
