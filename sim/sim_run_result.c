#include "sim/sim_run_result.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/mem.h"
#include "sim/sim_invariant.h"
#include "sim/sim_ladder.h"
#include "sim/sim_verdict.h"

enum { BEFORE = 10, AFTER = 5 };

static const char *const invariants[SIM_INVARIANT_N] = {
	"no SIP-URI is bound to two real numbers at once, and no real number "
	"holds two SIP-URIs",
	"idle, occupied, reclaiming, cooling and quarantined SIP-URIs are the "
	"whole pool, at every event",
	"no REGISTER with a password of an earlier lease is answered 200",
	"every charging record's real number is the one bound when the call "
	"began",
	"every SIP-URI is idle again within the stated time after the last "
	"release or fault",
	"what was answered is still true after kill -9 and restart of any "
	"process"
};

size_t sim_run_failed_at(const struct sim_label *labels)
{
	const struct sim_trace *tr = sim_label_trace(labels);

	for (size_t i = sim_trace_count(tr); i-- > 0;) {
		const char *name = sim_trace_entry(tr, i)->name;

		if (name && !strcmp(name, "scenario.failed"))
			return i;
	}

	return SIZE_MAX;
}

/* Add a line to a text of several */
static void append(char **textp, const char *line)
{
	char *more = *textp ? xasprintf("%s\n%s", *textp, line) : xstrdup(line);

	free(*textp);
	*textp = more;
}

/* --- the scenario --- */

/* "FILE:3: expected 4, but it is 3" in its two halves */
static void split_reason(struct sim_case *c, const char *reason)
{
	static const char first[] = ": expected ", then[] = ", but ";
	const char *expected = strstr(reason, first);
	const char *got = expected ? strstr(expected, then) : NULL;

	if (!got) {
		c->expected = xstrdup("a scenario that runs to its end");
		c->got = xstrdup(reason);
		return;
	}
	expected += sizeof(first) - 1;
	c->expected = xstrndup(expected, (size_t)(got - expected));
	c->got = xstrdup(got + sizeof(then) - 1);
}

static const char *find_reason(const struct sim_run *run,
			       const struct sim_judged *judged)
{
	const char *reason = sim_lua_reason(run->lua);

	if (reason)
		return reason;
	if (run->bad_end)
		return run->bad_end;

	return judged->unwritten;
}

static void add_scenario(const struct sim_run *run,
			 const struct sim_judged *judged,
			 struct sim_suite *suite)
{
	bool is_broken =
		judged->code == EXIT_USAGE || judged->code == EXIT_START;
	const char *reason = find_reason(run, judged);
	struct sim_case *c;

	c = sim_suite_add(suite,
			  is_broken ? SIM_BROKEN
			  : reason  ? SIM_FAILED
				    : SIM_PASSED,
			  "scenario");
	c->time_s = suite->time_s;
	if (c->result == SIM_PASSED)
		return;

	c->message = xstrdup(reason ? reason : "");
	split_reason(c, c->message);
	if (judged->labels) {
		size_t at = sim_run_failed_at(judged->labels);

		if (at != SIZE_MAX)
			c->ladder = sim_ladder_around(judged->labels, at,
						      BEFORE, AFTER);
	}
}

/* --- steps --- */

static double span_s(const struct sim_verdict *v)
{
	int64_t first_us = INT64_MAX, last_us = 0;

	for (size_t i = 0; i < sim_verdict_count(v); i++) {
		const struct sim_seen *seen = sim_verdict_step(v, i);

		if (!seen->count)
			continue;
		if (seen->first_us < first_us)
			first_us = seen->first_us;
		if (seen->first_us > last_us)
			last_us = seen->first_us;
	}

	return first_us > last_us ? 0 : (double)(last_us - first_us) / 1e6;
}

/* The latest step that was seen before the first that was not */
static size_t last_entry_before_gap(const struct sim_verdict *v)
{
	size_t at = 0;

	for (size_t i = 0; i < sim_verdict_count(v); i++) {
		const struct sim_seen *seen = sim_verdict_step(v, i);

		if (!seen->count)
			break;
		if (seen->first_entry > at)
			at = seen->first_entry;
	}

	return at;
}

static void tell_missing(struct sim_case *c, const struct sim_verdict *v,
			 const char *group)
{
	size_t n = sim_verdict_count(v);

	c->expected = xstrdup(group);
	c->got = xasprintf("%zu of %zu steps", n - sim_verdict_missing(v), n);
	for (size_t i = 0; i < n; i++) {
		const struct sim_seen *seen = sim_verdict_step(v, i);
		const char *how = seen->lost ? "lost" : "missing";
		char *text;

		if (seen->count)
			continue;
		text = xasprintf(
			"%s: %s: %s", how, seen->ref,
			sim_steps_find(seen->ref, strlen(seen->ref))->en);
		append(&c->got, text);
		free(text);
		text = xasprintf("%s%s%s %s", c->message ? c->message : "",
				 c->message ? ", " : "", how, seen->ref);
		free(c->message);
		c->message = text;
	}
}

/* One part of what the scenario named: "S401..S414" */
static void add_group(const struct sim_judged *judged, struct sim_suite *suite,
		      const char *group)
{
	struct sim_verdict *v;
	struct sim_case *c;
	char *reason = NULL;
	char *name;

	/* the whole was read before, so its parts can be */
	if (sim_verdict_new(&v, judged->labels, group, &reason)) {
		free(reason);
		return;
	}
	name = xasprintf("steps %s", group);
	c = sim_suite_add(
		suite, sim_verdict_missing(v) ? SIM_FAILED : SIM_PASSED, name);
	c->time_s = span_s(v);
	if (c->result == SIM_FAILED) {
		tell_missing(c, v, group);
		c->ladder = sim_ladder_around(judged->labels,
					      last_entry_before_gap(v), BEFORE,
					      AFTER);
	}
	free(name);
	sim_verdict_free(v);
}

static void add_order(const struct sim_judged *judged, struct sim_suite *suite)
{
	const struct sim_verdict *v = judged->verdict;
	size_t n = sim_verdict_violations(v);
	struct sim_case *c = sim_suite_add(suite, n ? SIM_FAILED : SIM_PASSED,
					   "the steps' order");

	if (!n)
		return;

	c->message = xasprintf("%zu out of order", n);
	c->expected = xstrdup("an order that the patent allows");
	for (size_t i = 0; i < n; i++)
		append(&c->got, sim_verdict_violation(v, i));
	c->ladder = sim_ladder_around(judged->labels,
				      sim_verdict_violation_entry(v, 0), BEFORE,
				      BEFORE);
}

static void add_bad_steps(const struct sim_judged *judged,
			  struct sim_suite *suite)
{
	struct sim_case *c = sim_suite_add(suite, SIM_BROKEN, "steps");

	c->message = xstrdup(judged->bad_steps);
}

static void add_steps(const struct sim_run *run,
		      const struct sim_judged *judged, struct sim_suite *suite)
{
	static const char separators[] = ", \t\r\n";
	char *steps, *group, *save = NULL;

	if (judged->bad_steps)
		add_bad_steps(judged, suite);
	if (!judged->verdict)
		return;

	steps = xstrdup(sim_lua_steps(run->lua));
	for (group = strtok_r(steps, separators, &save); group;
	     group = strtok_r(NULL, separators, &save))
		add_group(judged, suite, group);
	free(steps);
	add_order(judged, suite);
}

/* --- invariants --- */

static bool wants(const struct sim_entry *e, const void *arg)
{
	return sim_breach_concerns(arg, e);
}

/* All that a breach is about */
static char *breach_ladder(const struct sim_label *labels,
			   const struct sim_breach *breach)
{
	const struct sim_ladder_cfg cfg = { .wants = wants, .arg = breach };
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort(); /* out of memory, as in common/mem.h */
	sim_ladder_print(labels, &cfg, f);
	(void)fclose(f);

	return text;
}

static void add_breach(struct sim_case *c, const struct sim_label *labels,
		       const struct sim_breach *breach)
{
	append(&c->got, breach->text);
	if (c->result == SIM_FAILED)
		return;

	c->result = SIM_FAILED;
	c->message = xstrdup(breach->text);
	c->expected = xstrdup(invariants[breach->number - 1]);
	c->ladder = breach_ladder(labels, breach);
}

static void add_invariant(const struct sim_judged *judged,
			  struct sim_suite *suite, int number)
{
	char *name = xasprintf("I%d %s", number, invariants[number - 1]);
	struct sim_case *c = sim_suite_add(suite, SIM_PASSED, name);
	size_t n = sim_invariants_count(judged->invariants);

	for (size_t i = 0; i < n; i++) {
		const struct sim_breach *breach =
			sim_invariants_breach(judged->invariants, i);

		if (breach->number == number)
			add_breach(c, judged->labels, breach);
	}
	free(name);
}

void sim_run_result(const struct sim_run *run, const struct sim_judged *judged,
		    struct sim_suite *suite)
{
	int64_t took_us = clock_now_us() - run->started_us;

	suite->time_s = (double)took_us / 1e6;
	suite->wall_us = clock_wall_us() - took_us;
	suite->folder = xstrdup(run->folder.path);
	add_scenario(run, judged, suite);
	if (!judged->labels)
		return;

	add_steps(run, judged, suite);
	for (int i = 1; i <= SIM_INVARIANT_N; i++)
		add_invariant(judged, suite, i);
}
