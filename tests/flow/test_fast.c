/* sipshare run --fast: virtual time, and the same seed goes the same way */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/mem.h"
#include "tests/fake/play.h"
#include "tests/suite.h"

enum { SEEDS_MAX = 16 };

#define POOL_OF_ONE                                                            \
	"bed.boss:open_accounts{first='+8657110000001',"                       \
	"last='+8657110000001',rule='sip:{number}@ims.test'}\n"                \
	"bed.boss:sync{by='message'}\n"

/* Two want the last SIP-URI at once: whose request the AS acts on first is
 * drawn. The scenario wants it to be Alice's */
static const char race[] =
	"local bed = testbed{}\n" POOL_OF_ONE "local function user(number)\n"
	"  local ue = bed:terminal{ number = number, secret = 's' }\n"
	"  ue:login()\n"
	"  return ue\n"
	"end\n"
	"local alice, bob = user '+8613800138000', user '+8613900139000'\n"
	"local function ask(ue)\n"
	"  return function() pcall(function() ue:request_uri() end) end\n"
	"end\n"
	"bed:parallel(ask(alice), ask(bob))\n"
	"local winner = alice.state == 'leased' and 'alice' or 'bob'\n"
	"expect(winner).is 'alice'\n";

/* --- the same seed --- */

/* What each actor did, in its order, between the scenario's own first line and
 * its last: free are times, ports, nonces and tags, and what two processes do
 * at one moment */
static void add_line(json_t *logs, const json_t *line)
{
	static const char *const told[] = { "name",     "machine", "from",
					    "to",       "uri",     "number",
					    "lease_id", "summary", "steps" };
	const char *actor = json_string_value(json_object_get(line, "actor"));
	char *text = xstrdup("");
	json_t *log;

	if (!actor)
		actor = json_string_value(json_object_get(line, "from"));
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		char *value = json_dumps(json_object_get(line, told[i]),
					 JSON_ENCODE_ANY);
		char *all = xasprintf("%s%s ", text, value ? value : "-");

		free(text);
		free(value);
		text = all;
	}
	log = json_object_get(logs, actor);
	if (!log) {
		log = json_array();
		json_object_set_new(logs, actor, log);
	}
	json_array_append_new(log, json_string(text));
	free(text);
}

static bool is_text(const json_t *line, const char *begins)
{
	const char *text = json_string_value(json_object_get(line, "text"));
	const char *name = json_string_value(json_object_get(line, "name"));

	return name && !strcmp(name, "scenario.log") && text &&
	       !strncmp(text, begins, strlen(begins));
}

static json_t *read_logs(const char *dir, const char *run)
{
	char *path = xasprintf("%s/%s/trace.jsonl", dir, run), *text = NULL;
	json_t *logs = json_object();
	FILE *f = fopen(path, "r");
	bool is_inside = false;
	size_t room = 0;

	ck_assert_msg(f != NULL, "%s", path);
	while (getline(&text, &room, f) > 0) {
		json_t *line = json_loads(text, JSON_ALLOW_NUL, NULL);

		ck_assert_ptr_nonnull(line);
		if (is_text(line, "the pool is whole"))
			is_inside = false;
		if (is_inside)
			add_line(logs, line);
		if (is_text(line, "seed "))
			is_inside = true;
		json_decref(line);
	}
	ck_assert_uint_gt(json_object_size(logs), 5);
	free(text);
	(void)fclose(f);
	free(path);

	return logs;
}

static json_t *play_random(const char *dir, const char *seed)
{
	struct proc *p = play_new();
	json_t *logs;

	proc_start(p, (const char *[]){ PROC_SIPSHARE, "run", "--quiet",
					"--no-colour", "--runs", dir, "--seed",
					seed, "--set", "steps=12",
					"scenarios/random.lua", NULL });
	ck_assert_msg(proc_wait_end(p, PATIENCE_MS) == 0, "%s", play_tail(p));
	logs = read_logs(dir, "random");

	return logs;
}

static void expect_same(const json_t *a, const json_t *b)
{
	const char *actor;
	json_t *log;

	json_object_foreach((json_t *)a, actor, log)
	{
		const json_t *other = json_object_get(b, actor);
		const json_t *line;
		size_t i;

		json_array_foreach(log, i, line)
		{
			const char *is = json_string_value(line);
			const char *was =
				json_string_value(json_array_get(other, i));

			ck_assert_msg(was && !strcmp(is, was),
				      "%s, line %zu:\n%s\n%s", actor, i, is,
				      was ? was : "(none)");
		}
		ck_assert_uint_eq(json_array_size(log), json_array_size(other));
	}
	ck_assert_uint_eq(json_object_size(a), json_object_size(b));
}

START_TEST(the_same_seed_leaves_the_same_log)
{
	const char *dir = temp_dir();
	json_t *first = play_random(dir, "11");
	json_t *again = play_random(dir, "11");
	json_t *other = play_random(dir, "12");

	expect_same(first, again);
	ck_assert(!json_equal(first, other));
	json_decref(first);
	json_decref(again);
	json_decref(other);
}
END_TEST

/* Its exit code; p->text has what it said */
static int play_race(struct proc *p, const char *dir, const char *file,
		     int seed)
{
	char *text = xasprintf("%d", seed);
	int code;

	*p = (struct proc){ .pid = 0 };
	proc_start(p, (const char *[]){ PROC_SIPSHARE, "run", "--quiet",
					"--no-colour", "--runs", dir, "--seed",
					text, file, NULL });
	free(text);
	code = proc_wait_end(p, PATIENCE_MS);
	ck_assert_msg(code == 0 || code == 1, "%s", play_tail(p));

	return code;
}

/* The first seed that the scenario ends so with */
static int find_seed(const char *dir, const char *file, int code)
{
	struct proc p;
	int seed = 1;

	while (seed <= SEEDS_MAX && play_race(&p, dir, file, seed) != code) {
		free(p.text);
		seed++;
	}
	ck_assert_msg(seed <= SEEDS_MAX,
		      "of %d seeds none ends with exit code %d: what is drawn?",
		      SEEDS_MAX, code);
	free(p.text);

	return seed;
}

START_TEST(a_failing_seed_fails_again)
{
	const char *dir = temp_dir();
	char *file = play_write_file(dir, "race.lua", race);
	int good = find_seed(dir, file, 0), bad = find_seed(dir, file, 1);
	struct proc p;

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(play_race(&p, dir, file, bad), 1);
		play_expect_text(&p, "expected \"alice\", but it is \"bob\"");
		free(p.text);
		ck_assert_int_eq(play_race(&p, dir, file, good), 0);
		free(p.text);
	}
	free(file);
}
END_TEST

/* --- virtual time --- */

static struct proc *play_fast(const char *text, const char *timeout, int code)
{
	const char *dir = temp_dir();
	char *file = play_write_file(dir, "s.lua", text);
	struct proc *p = play_new();
	int came;

	proc_start(p, (const char *[]){ PROC_SIPSHARE, "run", "--fast",
					"--quiet", "--no-colour", "--runs", dir,
					"--timeout", timeout, file, NULL });
	came = proc_wait_end(p, PATIENCE_MS);
	ck_assert_msg(came == code, "exit code %d, not %d:\n%s", came, code,
		      play_tail(p));
	free(file);

	return p;
}

START_TEST(hours_pass_in_no_time)
{
	/* the terminal registers again each hour; the watchdogs of the elements
	 * come in between */
	(void)play_fast("local bed = testbed{ timers = { lease_limit = 10000 "
			"} }\n" POOL_OF_ONE
			"local a = bed:terminal{ number = '+8613800138000',"
			" secret = 's' }\n"
			"a:login()\n"
			"local lease = a:request_uri()\n"
			"a:register()\n"
			"local function state()\n"
			"  return bed.platform:uri(lease.uri).state\n"
			"end\n"
			"local function is_idle_within(s)\n"
			"  return pcall(function()\n"
			"    expect(state):becomes('idle', s)\n"
			"  end)\n"
			"end\n"
			"expect(is_idle_within(9900)).is(false)\n"
			"expect(a.state).is 'registered'\n"
			"expect(is_idle_within(120)).is(true)\n",
			"100", 0);
}
END_TEST

START_TEST(what_does_not_come_fails_when_its_time_has_passed)
{
	struct proc *p = play_fast("local bed = testbed{}\n"
				   "expect(function() return 1 end)"
				   ":becomes(2, 3600)\n",
				   "100", 1);

	play_expect_text(p, "s.lua:2: expected to become 2 within 3600 s, but "
			    "it is still 1");
}
END_TEST

START_TEST(the_timeout_is_of_the_machines_time)
{
	struct proc *p = play_fast("testbed{}\nwhile true do end\n", "2", 1);

	play_expect_text(p, ": the scenario did not end within 2.0 s");
}
END_TEST

START_TEST(the_patent_plays_in_virtual_time)
{
	const char *dir = temp_dir();
	struct proc *p = play_new();

	proc_start(p, (const char *[]){ PROC_SIPSHARE, "run", "--fast",
					"--runs", dir, "--quiet",
					"scenarios/patent.lua", NULL });
	ck_assert_msg(proc_wait_end(p, PATIENCE_MS) == 0, "%s", play_tail(p));
	play_expect_text(p, "42 of 42 steps seen");
}
END_TEST

START_TEST(a_bad_seed_is_told)
{
	struct proc *p = play_new();

	proc_start(p, (const char *[]){ PROC_SIPSHARE, "run", "--seed", "0",
					"scenarios/random.lua", NULL });
	ck_assert_int_eq(proc_wait_end(p, PATIENCE_MS), 2);
	play_expect_text(p, "--seed");
	p = play_fast("testbed{ seed = 1.5 }\n", "100", 2);
	play_expect_text(p, "s.lua:1: testbed: seed must be a whole number");
}
END_TEST

static Suite *fast_suite(void)
{
	Suite *s = suite_create("fast");
	TCase *tc = tcase_create("the same seed");

	tcase_set_timeout(tc, 180);
	tcase_add_test(tc, the_same_seed_leaves_the_same_log);
	tcase_add_test(tc, a_failing_seed_fails_again);
	suite_add_tcase(s, tc);

	tc = tcase_create("virtual time");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, hours_pass_in_no_time);
	tcase_add_test(tc, what_does_not_come_fails_when_its_time_has_passed);
	tcase_add_test(tc, the_timeout_is_of_the_machines_time);
	tcase_add_test(tc, the_patent_plays_in_virtual_time);
	tcase_add_test(tc, a_bad_seed_is_told);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(fast_suite)
