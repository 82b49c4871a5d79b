/** @file suite.h  main() of a unit test: one Suite a file */
#ifndef SIPSHARE_TESTS_SUITE_H
#define SIPSHARE_TESTS_SUITE_H

#include <stdlib.h>

#include <check.h>

#include "tests/patience.h"

/** Define main(): run the suite that fn makes; exit 0 if all passed. A
 * test's time is only against hanging: check's own, and what a suite sets, are
 * short for a machine that does other things too. */
#define SUITE_MAIN(fn)                                                         \
	int main(void)                                                         \
	{                                                                      \
		SRunner *runner;                                               \
		int failed;                                                    \
                                                                               \
		setenv("CK_DEFAULT_TIMEOUT", "30", 0);                         \
		setenv("CK_TIMEOUT_MULTIPLIER", "10", 0);                      \
		runner = srunner_create(fn());                                 \
		srunner_run_all(runner, CK_NORMAL);                            \
		failed = srunner_ntests_failed(runner);                        \
		srunner_free(runner);                                          \
                                                                               \
		return failed ? EXIT_FAILURE : EXIT_SUCCESS;                   \
	}

#endif
