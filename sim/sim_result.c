#include "sim/sim_result.h"

#include <stdlib.h>

#include "common/mem.h"

struct sim_suite *sim_results_add(struct sim_results *results, const char *file)
{
	struct sim_suite *suite;

	results->suites = xrealloc(results->suites,
				   (results->n + 1) * sizeof(*results->suites));
	suite = &results->suites[results->n++];
	*suite = (struct sim_suite){ .file = xstrdup(file) };

	return suite;
}

struct sim_case *sim_suite_add(struct sim_suite *suite, enum sim_result result,
			       const char *name)
{
	struct sim_case *c;

	suite->cases =
		xrealloc(suite->cases, (suite->n + 1) * sizeof(*suite->cases));
	c = &suite->cases[suite->n++];
	*c = (struct sim_case){ .result = result, .name = xstrdup(name) };

	return c;
}

/** How many of its cases ended like this */
size_t sim_suite_count(const struct sim_suite *suite, enum sim_result result)
{
	size_t n = 0;

	for (size_t i = 0; i < suite->n; i++)
		n += suite->cases[i].result == result;

	return n;
}

static void clear_suite(struct sim_suite *suite)
{
	for (size_t i = 0; i < suite->n; i++) {
		free(suite->cases[i].name);
		free(suite->cases[i].message);
		free(suite->cases[i].expected);
		free(suite->cases[i].got);
		free(suite->cases[i].ladder);
	}
	free(suite->cases);
	free(suite->file);
	free(suite->folder);
}

void sim_results_clear(struct sim_results *results)
{
	for (size_t i = 0; i < results->n; i++)
		clear_suite(&results->suites[i]);
	free(results->suites);
	*results = (struct sim_results){ NULL, 0 };
}
