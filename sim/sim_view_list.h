/** @file sim_view_list.h  A labelled trace as the list of a terminal's screen
 *
 * What sim_tui.h asks for to show a ladder, and the keys by which it is chosen
 * what of it: for a finished run, and for one that is stepped through.
 */
#ifndef SIPSHARE_SIM_VIEW_LIST_H
#define SIPSHARE_SIM_VIEW_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "sim/sim_ladder.h"

struct sim_tui;

/** The keys, a line each, for the help */
#define SIM_VIEW_LIST_KEYS                                                     \
	"s                only the patent's steps, or all\n"                   \
	"a                every event, or without housekeeping\n"              \
	"g                go to a step: S407\n"                                \
	"l                English, Chinese\n"

/** Owned by the command; its fields are for reading, but for cfg and tui
 * before the first sim_view_list_set() */
struct sim_view_list {
	const struct sim_label *lb; /**< NULL: nothing yet */
	struct sim_tui *tui;        /**< NULL: not opened yet */
	struct sim_ladder_cfg cfg;
	struct sim_ladder *ladder;
	size_t *shown; /**< entries that are drawn, in order */
	size_t shown_n;
};

void sim_view_list_set(struct sim_view_list *list, const struct sim_label *lb);
void sim_view_list_clear(struct sim_view_list *list);
size_t sim_view_list_row(const struct sim_view_list *list, size_t entry);
void sim_view_list_line(struct sim_view_list *list, size_t row, int width,
			FILE *f);
void sim_view_list_head(struct sim_view_list *list, int width, FILE *f);
void sim_view_list_message(const struct sim_view_list *list, size_t row,
			   FILE *f);
bool sim_view_list_key(struct sim_view_list *list, int key);

#endif
