#include "tests/fake/fake_results.h"

#include "common/mem.h"

void fake_results(struct sim_results *results, const char *text)
{
	static const enum sim_result ends[] = { SIM_FAILED, SIM_BROKEN,
						SIM_SKIPPED };
	struct sim_suite *suite = sim_results_add(results, "scenarios/a.lua");

	suite->wall_us = 1795948200000000;
	suite->time_s = 0.25;
	suite->folder = xstrdup("runs/a");
	sim_suite_add(suite, SIM_PASSED, "scenario")->time_s = 0.25;

	suite = sim_results_add(results, text);
	suite->folder = xstrdup(text);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct sim_case *c = sim_suite_add(suite, ends[i], text);

		c->message = xstrdup(text);
		c->expected = xstrdup(text);
		c->got = xstrdup(text);
		c->ladder = xasprintf("  line 1\n  %s\n", text);
	}
}
