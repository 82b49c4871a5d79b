#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/timer.h"
#include "sim/sim_bed.h"

/** Add an option to one element's command line, or (actor -1) to all; false
 * if there are too many */
bool sim_plan_add(struct sim_plan *plan, int actor, const char *name,
		  const char *value)
{
	if (plan->extra_n == SIM_EXTRA_MAX)
		return false;

	plan->extra[plan->extra_n++] =
		(struct sim_extra){ actor, xstrdup(name), xstrdup(value) };

	return true;
}

/** Free what the plan holds */
void sim_plan_clear(struct sim_plan *plan)
{
	for (int i = 0; i < plan->extra_n; i++) {
		free(plan->extra[i].name);
		free(plan->extra[i].value);
	}
	free(plan->policy);
	free(plan->store);
	json_decref(plan->users);
	*plan = (struct sim_plan){ .extra_n = 0 };
}

/* A timer as the elements are given it: "timer", "cool-down=500ms" */
static int64_t plan_timer_ms(const struct sim_plan *plan, enum timer_id id)
{
	const char *name = timer_name_get(id)->name;
	int64_t value_ms = timer_value_ms(id);
	size_t len = strlen(name);

	for (int i = 0; i < plan->extra_n; i++)
		if (!strcmp(plan->extra[i].name, "timer") &&
		    !strncmp(plan->extra[i].value, name, len) &&
		    plan->extra[i].value[len] == '=')
			value_ms = strtoll(plan->extra[i].value + len + 1, NULL,
					   10);

	return value_ms;
}

/** The stated time of I5: as the plan says, or by the timers on the longest way
 * from a release to idle */
int64_t sim_plan_idle_within_ms(const struct sim_plan *plan)
{
	static const enum timer_id way[] = { TIMER_PLATFORM, TIMER_RETRY_MAX,
					     TIMER_DEREG_BOUND,
					     TIMER_COOL_DOWN };
	int64_t sum_ms = 0;

	if (plan->idle_within_ms)
		return plan->idle_within_ms;
	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++)
		sum_ms += plan_timer_ms(plan, way[i]);

	return sum_ms;
}
