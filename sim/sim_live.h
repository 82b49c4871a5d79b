/** @file sim_live.h  The ladder while its run goes on, line by line
 *
 * A line is printed once nothing earlier can come, and what it says cannot
 * change any more: processes' lines come late, and a message's two ends from
 * two of them. A message that is only sent waits for its receiver, to the end
 * if need be. Lines are drawn in batches, that what they cost stays little.
 */
#ifndef SIPSHARE_SIM_LIVE_H
#define SIPSHARE_SIM_LIVE_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/sim_label.h"

struct loop;
struct sim_live;

/** Where to draw; borrowed while it lives */
struct sim_live_cfg {
	struct loop *loop;
	struct sim_trace *trace;
	FILE *out;
	bool no_colour, has_all_events;
};

struct sim_live *sim_live_new(const struct sim_live_cfg *cfg);
struct sim_live *sim_live_free(struct sim_live *live);
/** Lines have come into the trace */
void sim_live_on_trace(struct sim_live *live);
/** Print what is left; labels are of the whole trace */
void sim_live_end(struct sim_live *live, const struct sim_label *labels);

#endif
