/** @file sim_ci.h  What `sipshare run` leaves for other programs to read
 *
 * --junit FILE, --tap, --annotations: of all scenarios of the command.
 */
#ifndef SIPSHARE_SIM_CI_H
#define SIPSHARE_SIM_CI_H

#include <stdbool.h>

#include "sim/sim_result.h"

/** What the command line asks for; borrowed */
struct sim_ci_cfg {
	const char *junit; /**< file, or NULL */
	bool is_tap;
	bool is_annotated;
};

struct sim_ci;

/** Before anything is started: 0, or errno and a reason. With TAP, what is
 * printed from now on goes to stderr, as stdout is TAP's alone */
int sim_ci_open(struct sim_ci **cip, const struct sim_ci_cfg *cfg,
		size_t scenarios, char **reasonp);
/** Each scenario adds its suite here */
struct sim_results *sim_ci_results(struct sim_ci *ci);
/** A scenario that did not run: is_error says whether it is to blame */
void sim_ci_skip(struct sim_ci *ci, const char *file, bool is_error,
		 const char *why);
/** Tell of the suites that have come since the last time */
void sim_ci_tell(struct sim_ci *ci);
/** Write what is left: 0, or errno and a reason; ci is freed either way */
int sim_ci_close(struct sim_ci *ci, char **reasonp);

#endif
