/** @file suite.h  main() of a unit test: one Suite a file */
#ifndef SIPSHARE_TESTS_SUITE_H
#define SIPSHARE_TESTS_SUITE_H

#include <stdlib.h>

#include <check.h>

/** Define main(): run the suite that fn makes; exit 0 if all passed. Check's
 * own 4 s for a test are short for a machine that does other things too. */
#define SUITE_MAIN(fn)                                                         \
	int main(void)                                                         \
	{                                                                      \
		SRunner *runner;                                               \
		int failed;                                                    \
                                                                               \
		setenv("CK_DEFAULT_TIMEOUT", "30", 0);                         \
		runner = srunner_create(fn());                                 \
		srunner_run_all(runner, CK_NORMAL);                            \
		failed = srunner_ntests_failed(runner);                        \
		srunner_free(runner);                                          \
                                                                               \
		return failed ? EXIT_FAILURE : EXIT_SUCCESS;                   \
	}

#endif
