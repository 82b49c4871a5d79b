/** @file sim_run_result.h  What a run came to, as cases for other programs */
#ifndef SIPSHARE_SIM_RUN_RESULT_H
#define SIPSHARE_SIM_RUN_RESULT_H

#include "sim/sim_result.h"
#include "sim/sim_run.h"

struct sim_invariants;
struct sim_label;
struct sim_verdict;

/** How a run was judged; borrowed */
struct sim_judged {
	const struct sim_label *labels;    /**< NULL: nothing has run */
	const struct sim_verdict *verdict; /**< NULL: no steps are expected */
	const char *bad_steps; /**< what is wrong in what is expected */
	const struct sim_invariants *invariants;
	const char *unwritten; /**< a file that could not be written */
	int code;              /**< exit code */
};

/** Add the run's cases to its suite */
void sim_run_result(const struct sim_run *run, const struct sim_judged *judged,
		    struct sim_suite *suite);
/** The entry at which the scenario failed, or SIZE_MAX */
size_t sim_run_failed_at(const struct sim_label *labels);

#endif
