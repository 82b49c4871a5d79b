/* Scenarios while conducted: tasks go on one at a time, in their turn */
#include "sim/sim_lua.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "tests/suite.h"

enum { CALLS_MAX = 32 };

static struct {
	struct loop *loop;
	struct sim_lua *lua;
	struct sim_lua_cfg cfg;
	char file[64];
	/* commands that wait for the test to answer them */
	char *cmd[CALLS_MAX];
	ctl_answer_cb *cb[CALLS_MAX];
	void *cb_arg[CALLS_MAX];
	int call_n, answered_n;
	bool is_done;
	char *log;
} t;

static int start(struct sim_plan *plan, void *arg, char **reasonp)
{
	(void)plan;
	(void)arg;
	(void)reasonp;

	return 0;
}

static int call(enum sim_actor actor, const char *cmd, json_t *args,
		ctl_answer_cb *cb, void *cb_arg, void *arg)
{
	(void)arg;
	json_decref(args);
	ck_assert_int_lt(t.call_n, CALLS_MAX);
	t.cmd[t.call_n] = xasprintf("%s %s", sim_actor_name(actor), cmd);
	t.cb[t.call_n] = cb;
	t.cb_arg[t.call_n++] = cb_arg;

	return 0;
}

static const char *uri(enum sim_link link, void *arg)
{
	(void)link;
	(void)arg;

	return "?";
}

static void note(const char *name, json_t *fields, void *arg)
{
	char *all =
		xasprintf("%s%s;", t.log,
			  json_string_value(json_object_get(fields, "text")));

	(void)name;
	(void)arg;
	free(t.log);
	t.log = all;
	json_decref(fields);
}

static const char *dir(void *arg)
{
	(void)arg;

	return "/tmp";
}

static struct sim_faults *faults(void *arg)
{
	(void)arg;

	return NULL;
}

static void done(void *arg)
{
	(void)arg;
	t.is_done = true;
}

static const struct sim_lua_ops ops = { start, call,   uri, note,
					dir,   faults, done };

static bool is_waiting_for_bed(const void *arg)
{
	(void)arg;

	return t.log != NULL;
}

static void setup(void)
{
	int fd;

	memset(&t, 0, sizeof(t));
	strcpy(t.file, "/tmp/test_lua_turn_XXXXXX");
	fd = mkstemp(t.file);
	ck_assert_int_ge(fd, 0);
	close(fd);
	t.loop = loop_new();
	t.cfg = (struct sim_lua_cfg){ t.loop, t.file, json_object(), 0, 7 };
}

static void teardown(void)
{
	sim_lua_free(t.lua);
	loop_free(t.loop);
	json_decref(t.cfg.params);
	for (int i = 0; i < t.call_n; i++)
		free(t.cmd[i]);
	free(t.log);
	unlink(t.file);
}

static void turn_of_loop(void *arg)
{
	(void)arg;
	t.log = xstrdup("");
}

/* To where testbed{} has returned, and the clock stands */
static void begin(const char *text)
{
	char *reason = NULL;
	FILE *f = fopen(t.file, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	(void)fclose(f);
	ck_assert_int_eq(sim_lua_new(&t.lua, &t.cfg, &ops, NULL, &reason), 0);
	sim_lua_start(t.lua);
	/* its first line is run by a timer, which is before this one */
	struct timer *timer = timer_new(t.loop, turn_of_loop, NULL);

	timer_start_ms(timer, 0);
	ck_assert(
		loop_run_until(t.loop, is_waiting_for_bed, NULL, PATIENCE_MS));
	timer_free(timer);
	sim_lua_conduct(t.lua);
	clock_take_over();
	sim_lua_bed_ready(t.lua);
}

/* As the conductor does: until none has anything to do */
static int turns(bool is_changed)
{
	int n = 0;

	while (sim_lua_turn(t.lua, is_changed)) {
		is_changed = false;
		ck_assert_int_lt(++n, 100);
	}

	return n;
}

static void answer(const char *cmd, json_t *result)
{
	int i = t.answered_n++;

	ck_assert_int_lt(i, t.call_n);
	ck_assert_str_eq(t.cmd[i], cmd);
	t.cb[i](result, NULL, t.cb_arg[i]);
	json_decref(result);
}

START_TEST(an_answer_is_heard_in_the_tasks_turn)
{
	begin("local bed = testbed{}\n"
	      "bed.hss:ping()\nbed:log 'pinged'\nbed.boss:ping()\n");
	(void)turns(true);
	answer("hss ping", json_object());
	ck_assert_str_eq(t.log, "");
	ck_assert_int_eq(t.call_n, 1);
	ck_assert_int_eq(turns(false), 1);
	ck_assert_str_eq(t.log, "pinged;");
	answer("boss ping", json_object());
	ck_assert(!t.is_done);
	(void)turns(false);
	ck_assert(t.is_done);
	ck_assert_int_eq(sim_lua_result(t.lua), SIM_LUA_PASS);
}
END_TEST

START_TEST(tasks_go_on_one_at_a_time_in_the_order_they_were_made)
{
	begin("local bed = testbed{}\n"
	      "local function say(x) return function() bed:log(x) end end\n"
	      "bed:parallel(say 'a', say 'b', say 'c')\nbed:log 'd'\n");
	ck_assert(sim_lua_turn(t.lua, true));
	ck_assert_str_eq(t.log, "");
	ck_assert(sim_lua_turn(t.lua, false));
	ck_assert_str_eq(t.log, "a;");
	(void)turns(false);
	ck_assert_str_eq(t.log, "a;b;c;d;");
	ck_assert(t.is_done);
}
END_TEST

START_TEST(who_waits_for_a_fact_looks_once_for_each_change)
{
	begin("local bed = testbed{}\n"
	      "expect(function() return bed.hss:ping().n end)"
	      ":becomes(3, 60)\n");
	for (int i = 1; i <= 3; i++) {
		(void)turns(true);
		answer("hss ping", json_pack("{s:i}", "n", i));
		(void)turns(false);
		ck_assert_int_eq(t.call_n, i);
		ck_assert_int_eq(turns(false), 0);
	}
	ck_assert(t.is_done);
	ck_assert_int_eq(sim_lua_result(t.lua), SIM_LUA_PASS);
}
END_TEST

START_TEST(what_one_task_does_may_be_what_another_waits_for)
{
	begin("local bed = testbed{}\n"
	      "local is_set = false\n"
	      "bed:spawn(function()\n"
	      "  expect(function() return is_set end):becomes(true, 60)\n"
	      "  bed:log 'seen'\n"
	      "end)\n"
	      "bed.hss:ping()\nis_set = true\n");
	(void)turns(true);
	ck_assert_str_eq(t.log, "");
	answer("hss ping", json_object());
	/* nothing else has changed */
	(void)turns(false);
	ck_assert_str_eq(t.log, "seen;");
	ck_assert(t.is_done);
}
END_TEST

START_TEST(one_that_acts_while_it_looks_rests_before_it_tries_again)
{
	int64_t due_us;

	begin("local bed = testbed{}\n"
	      "expect(function() bed.hss:ping() return false end)"
	      ":becomes(true, 60)\n");
	(void)turns(true);
	/* what it did has changed something */
	answer("hss ping", json_object());
	ck_assert(sim_lua_turn(t.lua, true));
	ck_assert_int_eq(turns(true), 0);
	ck_assert_int_eq(t.call_n, 1);
	due_us = timers_next_us(loop_timers(t.loop));
	ck_assert_int_gt(due_us, clock_now_us());
	ck_assert_int_le(due_us, clock_now_us() + 50000);
	clock_set_us(due_us);
	(void)turns(true);
	ck_assert_int_eq(t.call_n, 2);
}
END_TEST

START_TEST(a_fact_that_does_not_come_fails_at_its_time)
{
	int64_t due_us;

	begin("local bed = testbed{}\n"
	      "expect(function() return 1 end):becomes(2, 3600)\n");
	(void)turns(true);
	ck_assert(!t.is_done);
	due_us = timers_next_us(loop_timers(t.loop));
	ck_assert_int_eq(due_us, clock_now_us() + 3600 * 1000000LL);
	clock_set_us(due_us);
	(void)turns(true);
	ck_assert(t.is_done);
	ck_assert_int_eq(sim_lua_result(t.lua), SIM_LUA_FAIL);
	ck_assert_ptr_nonnull(strstr(sim_lua_reason(t.lua), "within 3600 s"));
}
END_TEST

START_TEST(param_gives_the_runs_seed)
{
	begin("local bed = testbed{}\nbed:log('seed ' .. param('seed', 1))\n");
	(void)turns(true);
	ck_assert_str_eq(t.log, "seed 7;");
}
END_TEST

static Suite *turn_suite(void)
{
	Suite *s = suite_create("sim_lua_turn");
	TCase *tc = tcase_create("while conducted");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_answer_is_heard_in_the_tasks_turn);
	tcase_add_test(tc,
		       tasks_go_on_one_at_a_time_in_the_order_they_were_made);
	tcase_add_test(tc, who_waits_for_a_fact_looks_once_for_each_change);
	tcase_add_test(tc, what_one_task_does_may_be_what_another_waits_for);
	tcase_add_test(
		tc, one_that_acts_while_it_looks_rests_before_it_tries_again);
	tcase_add_test(tc, a_fact_that_does_not_come_fails_at_its_time);
	tcase_add_test(tc, param_gives_the_runs_seed);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(turn_suite)
