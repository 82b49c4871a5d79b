/** @file sim_result.h  How scenarios ended, case by case, for other programs
 *
 * A suite a scenario, and in it a case each for the scenario itself, for what
 * expect_steps named, part by part, and for each invariant. All text may hold
 * any bytes: who writes it makes it harmless.
 */
#ifndef SIPSHARE_SIM_RESULT_H
#define SIPSHARE_SIM_RESULT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum sim_result { SIM_PASSED, SIM_FAILED, SIM_BROKEN, SIM_SKIPPED };

/** One thing that was judged; strings are owned, NULL where there is none */
struct sim_case {
	enum sim_result result;
	char *name;    /**< "scenario", "steps S401..S414", "I1 …" */
	double time_s; /**< by the run's clock */
	char *message; /**< one line: why it is not passed */
	char *expected, *got;
	char *ladder; /**< the lines around it */
};

/** One scenario; strings are owned */
struct sim_suite {
	char *file;
	char *folder; /**< of its run, or NULL: none was made */
	double time_s;
	int64_t wall_us; /**< when it began; 0: never */
	struct sim_case *cases;
	size_t n;
};

/** All scenarios of a command */
struct sim_results {
	struct sim_suite *suites;
	size_t n;
};

/** Both borrowed until the next one is added */
struct sim_suite *sim_results_add(struct sim_results *results,
				  const char *file);
struct sim_case *sim_suite_add(struct sim_suite *suite, enum sim_result result,
			       const char *name);
size_t sim_suite_count(const struct sim_suite *suite, enum sim_result result);
void sim_results_clear(struct sim_results *results);

/** JUnit's XML (sim_junit.c): 0, or errno of the failed write */
int sim_junit_write(const struct sim_suite *suites, size_t n, FILE *f);

/** TAP version 14 (sim_tap.c): the head, then suite number `number`, from 1 */
void sim_tap_begin(size_t suites, FILE *f);
void sim_tap_suite(const struct sim_suite *suite, size_t number, FILE *f);

/** "::error file=…" for each case that is not passed (sim_annotate.c) */
void sim_annotate(const struct sim_suite *suite, FILE *f);

#endif
