/** @file fake_results.h  Results of scenarios, some of them hostile */
#ifndef SIPSHARE_TESTS_FAKE_RESULTS_H
#define SIPSHARE_TESTS_FAKE_RESULTS_H

#include "sim/sim_result.h"

/** What a header may hold: controls, no UTF-8, markup, a BOM, a non-character
 */
#define FAKE_HOSTILE                                                           \
	"\033[2J\x01\xff<script>&\"']]>\xef\xbf\xbe\xe2\x80\xae\r\n#%"

/** One scenario that passed, one with each other end; text stands in all of
 * their strings */
void fake_results(struct sim_results *results, const char *text);

#endif
