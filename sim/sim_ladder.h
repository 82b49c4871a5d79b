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
	bool has_all_actors; /**< a column also for who has said nothing yet */
	enum sim_lang lang;
	/** Leave out what this does not want; NULL: nothing */
	bool (*wants)(const struct sim_entry *e, const void *arg);
	const void *arg;
};

struct sim_ladder;

struct sim_ladder *sim_ladder_new(const struct sim_label *lb,
				  const struct sim_ladder_cfg *cfg);
struct sim_ladder *sim_ladder_free(struct sim_ladder *l);
void sim_ladder_resize(struct sim_ladder *l, int width);
bool sim_ladder_shows(const struct sim_ladder *l, size_t i);
void sim_ladder_legend(const struct sim_ladder *l, FILE *f);
bool sim_ladder_has_head(const struct sim_ladder *l);
void sim_ladder_head(const struct sim_ladder *l, FILE *f);
void sim_ladder_line(const struct sim_ladder *l, size_t i, FILE *f);

size_t sim_ladder_count(const struct sim_ladder *l);

void sim_ladder_print(const struct sim_label *lb,
		      const struct sim_ladder_cfg *cfg, FILE *f);

/* sim_ladder_around.c */
char *sim_ladder_around(const struct sim_label *lb, size_t at, size_t before,
			size_t after);

#endif
