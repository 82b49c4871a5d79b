/** @file sim_ladder.h  A trace drawn as a ladder: one line a message or step */
#ifndef SIPSHARE_SIM_LADDER_H
#define SIPSHARE_SIM_LADDER_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/sim_label.h"

enum sim_lang { SIM_ENGLISH, SIM_CHINESE };

/** How to draw */
struct sim_ladder_cfg {
	int width;      /**< columns, 0: 120; narrow ones get "a → b" lines
			     instead of a column for each actor */
	bool is_colour; /**< ANSI colours */
	bool is_ascii;  /**< no box characters, and no Chinese */
	bool is_steps_only;  /**< leave out what is no step of the patent */
	bool has_all_events; /**< housekeeping too, and what doubles a line */
	enum sim_lang lang;
	/** Leave out what this does not want; NULL: nothing */
	bool (*wants)(const struct sim_entry *e, const void *arg);
	const void *arg;
};

void sim_ladder_print(const struct sim_label *lb,
		      const struct sim_ladder_cfg *cfg, FILE *f);

#endif
