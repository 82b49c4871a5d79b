/** @file sim_verdict.h  Were the expected steps seen, in an allowed order?
 *
 * Expected: "S401..S414, S501..S521", single ids, or parts ("S401/range");
 * S101 to S304 of figures 1 to 3 work too. The order is the partial one of
 * the table: over the whole run by each step's first occurrence, and again
 * for each public identity on its own.
 */
#ifndef SIPSHARE_SIM_VERDICT_H
#define SIPSHARE_SIM_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/sim_label.h"

struct sim_verdict;

/** One expected step */
struct sim_seen {
	const char *ref;    /**< "S401" */
	size_t count;       /**< messages or events; 0: missing. Neither
				 retransmissions nor what was lost */
	size_t lost;        /**< sent, but never received */
	int64_t first_us;   /**< since the trace's first entry */
	size_t first_entry; /**< its index */
};

/** 0; EINVAL with a reason: what is wrong in the expression, and where */
int sim_verdict_new(struct sim_verdict **vp, const struct sim_label *lb,
		    const char *expect, char **reasonp);
struct sim_verdict *sim_verdict_free(struct sim_verdict *v);
/** All seen, and no order broken */
bool sim_verdict_is_pass(const struct sim_verdict *v);
size_t sim_verdict_count(const struct sim_verdict *v);
const struct sim_seen *sim_verdict_step(const struct sim_verdict *v, size_t i);
size_t sim_verdict_missing(const struct sim_verdict *v);
size_t sim_verdict_violations(const struct sim_verdict *v);
/** A sentence: "S410 (12.1 ms) came before S409 (13.0 ms)" */
const char *sim_verdict_violation(const struct sim_verdict *v, size_t i);
/** The entry that came too early */
size_t sim_verdict_violation_entry(const struct sim_verdict *v, size_t i);
/** The verdict's block: a table of steps and times, what is wrong, and last a
 * line that begins with PASS or FAIL */
void sim_verdict_print(const struct sim_verdict *v, FILE *f, bool is_colour,
		       int width);
/** Check an expression alone: 0, or EINVAL with a reason */
int sim_verdict_check(const char *expect, char **reasonp);

#endif
