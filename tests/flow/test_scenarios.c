/* sipshare run, over the real processes: every scenario, and what goes wrong */
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "common/mem.h"
#include "tests/fake/play.h"
#include "tests/suite.h"

enum { ACTORS = 8 };

static const char *const actors[ACTORS] = { "hss",   "icscf",    "scscf",
					    "pcscf", "platform", "appserver",
					    "boss",  "terminal" };

/* All of scenarios/, by two: a machine has as many cores at least */
enum { AT_ONCE = 2 };

static glob_t scenarios;

/* --- every scenario --- */

static void expect_second_as(const char *run, bool is_wanted)
{
	char *log = xasprintf("%s/appserver2.log", run);

	ck_assert_msg(!access(log, F_OK) == is_wanted, "%s", log);
	free(log);
}

static void expect_run(const struct proc *p, const char *dir, const char *file)
{
	const char *name = strchr(file, '/') + 1;
	char *run = xasprintf("%s/%.*s", dir, (int)strcspn(name, "."), name);
	char *pass = xasprintf("PASS %s: ready in ", file);

	play_expect_text(p, pass);
	play_expect_text(p, "invariants I1–I6 hold");
	play_expect_text(p, run);
	play_expect_file(run, "trace.jsonl");
	play_expect_file(run, "ladder.txt");
	play_expect_file(run, "capture.pcapng");
	/* the second AS runs where it is asked for, and nowhere else */
	expect_second_as(run, !strcmp(name, "two-as.lua"));
	for (int i = 0; i < ACTORS; i++) {
		char *log = xasprintf("%s.log", actors[i]);

		play_expect_file(run, log);
		free(log);
	}
	free(run);
	free(pass);
}

/* how: "--fast", or NULL: in real time */
static void play_some(size_t first, const char *how)
{
	const char *dir = temp_dir();
	struct proc *procs[AT_ONCE];
	char **files = scenarios.gl_pathv + first;
	int n = 0;

	for (; n < AT_ONCE && files[n]; n++) {
		procs[n] = play_new();
		play_start(procs[n], dir, files[n], how);
	}
	for (int i = 0; i < n; i++) {
		ck_assert_msg(proc_wait_end(procs[i], PATIENCE_MS) == 0,
			      "%s:\n%s", files[i], play_tail(procs[i]));
		expect_run(procs[i], dir, files[i]);
	}
}

/* Also where a machine is slow, as sanitizers make it */
START_TEST(every_scenario_passes_in_virtual_time)
{
	play_some((size_t)_i * AT_ONCE, "--fast");
}
END_TEST

/* What a scenario states of time is of a machine's usual speed */
#ifndef __SANITIZE_ADDRESS__
START_TEST(every_scenario_passes_and_leaves_its_files)
{
	play_some((size_t)_i * AT_ONCE, NULL);
}
END_TEST
#endif

START_TEST(the_patent_plays_by_the_idle_queue_too)
{
	const char *dir = temp_dir();
	struct proc *p = play_new();

	proc_start(p, (const char *[]){ PROC_SIPSHARE, "run", "--runs", dir,
					"--policy", "idle-queue", "--quiet",
					"scenarios/patent.lua", NULL });
	ck_assert_msg(proc_wait_end(p, PATIENCE_MS) == 0, "%s", play_tail(p));
}
END_TEST

START_TEST(two_runs_at_once_do_not_disturb_each_other)
{
	const char *dir = temp_dir();
	char *first = xasprintf("%s/patent", dir);
	char *second = xasprintf("%s/patent-2", dir);
	struct proc *a = play_new(), *b = play_new();

	play_start(a, dir, "scenarios/patent.lua", NULL);
	play_start(b, dir, "scenarios/patent.lua", NULL);
	ck_assert_msg(proc_wait_end(a, PATIENCE_MS) == 0, "%s", play_tail(a));
	ck_assert_msg(proc_wait_end(b, PATIENCE_MS) == 0, "%s", play_tail(b));
	play_expect_file(first, "trace.jsonl");
	play_expect_file(second, "trace.jsonl");
	free(first);
	free(second);
}
END_TEST

START_TEST(view_shows_the_ladder_of_a_run)
{
	const char *dir = temp_dir();
	char *run = xasprintf("%s/registration", dir);
	struct proc *p = play_new();

	play_file(p, dir, "scenarios/registration.lua", 0);
	p = play_new();
	proc_start(p, (const char *[]){ PROC_SIPSHARE, "view", run, NULL });
	ck_assert_int_eq(proc_wait_end(p, PATIENCE_MS), 0);
	play_expect_text(p, "S501");
	free(run);
}
END_TEST

/* --- scenarios that fail, or are wrong --- */

#define OPEN_ONE                                                               \
	"bed.boss:open_accounts{first='+8657110000001',"                       \
	"last='+8657110000001',rule='sip:{number}@ims.test'}\n"                \
	"bed.boss:sync{by='message'}\n"                                        \
	"local a = bed:terminal{number='+8613800138000',secret='s'}\n"

START_TEST(a_syntax_error_is_told_before_anything_starts)
{
	const char *dir = temp_dir();
	char *good = play_write_file(dir, "good.lua", "testbed{}\n");
	char *bad = play_write_file(dir, "bad.lua", "local a = 1\nlocal = 2\n");
	char *left = xasprintf("%s/good", dir);
	struct proc *p = play_new();

	proc_start(p, (const char *[]){ PROC_SIPSHARE, "run", "--runs", dir,
					good, bad, NULL });
	ck_assert_int_eq(proc_wait_end(p, PATIENCE_MS), 2);
	play_expect_text(p, "bad.lua:2:");
	ck_assert_int_eq(access(left, F_OK), -1);
	free(good);
	free(bad);
	free(left);
}
END_TEST

START_TEST(a_misspelt_verb_is_told_with_its_line_and_what_was_meant)
{
	struct proc *p = play_new();

	play_text(p, "local bed = testbed{}\nbed.boss:sinc{by='file'}\n", 2);
	play_expect_text(p, "s.lua:2: bed.boss has no 'sinc'; did you mean "
			    "'sync'?");
}
END_TEST

START_TEST(a_failed_expectation_shows_line_values_and_ladder)
{
	struct proc *p = play_new();

	play_text(p,
		  "local bed = testbed{}\n" OPEN_ONE "a:login()\n"
		  "expect(a.state).is 'registered'\n",
		  1);
	play_expect_text(p, "s.lua:6: expected \"registered\", but it is "
			    "\"logged-in\"");
	play_expect_text(p, "The ladder around it:");
	play_expect_text(p, "FAIL ");
}
END_TEST

START_TEST(steps_that_are_missing_fail_the_run_and_are_named)
{
	struct proc *p = play_new();

	play_text(p,
		  "local bed = testbed{}\n" OPEN_ONE
		  "a:login()\nbed:expect_steps 'S402, S403'\n",
		  1);
	play_expect_text(p, "S403");
	play_expect_text(p, "FAIL ");
}
END_TEST

START_TEST(a_refused_login_names_the_one_who_refused)
{
	struct proc *p = play_new();

	play_text(
		p,
		"local bed = testbed{ users = { ['+8613800138000'] = 'x' } }\n"
		"local a = bed:terminal{number='+8613800138000',"
		"secret='wrong', unknown=true}\na:login()\n",
		1);
	play_expect_text(p, "s.lua:3: login: ");
	play_expect_text(p, "401");
}
END_TEST

START_TEST(an_element_that_cannot_start_is_named)
{
	struct proc *p = play_new();

	play_text(p, "testbed{ options = { scscf = { digest = 'rot13' } } }\n",
		  3);
	play_expect_text(p, "scscf");
	play_expect_text(p, "scscf.log");
	play_expect_text(p, "NOT STARTED ");
}
END_TEST

START_TEST(a_scenario_without_end_is_ended)
{
	const char *dir = temp_dir();
	char *file = play_write_file(dir, "s.lua",
				     "expect(function() return 1 end)"
				     ":becomes(2, 600)\n");
	struct proc *p = play_new();

	proc_start(p, (const char *[]){ PROC_SIPSHARE, "run", "--runs", dir,
					"--timeout", "3", file, NULL });
	ck_assert_int_eq(proc_wait_end(p, PATIENCE_MS), 1);
	play_expect_text(p, "s.lua:1: the scenario did not end within 3");
	free(file);
}
END_TEST

START_TEST(a_folder_that_is_of_no_run_is_not_emptied)
{
	const char *dir = temp_dir();
	char *mine = xasprintf("%s/fig1", dir), *file;
	struct proc *p = play_new();

	ck_assert_int_eq(mkdir(mine, 0755), 0);
	file = play_write_file(mine, "thesis.txt", "years of work\n");
	play_file(p, dir, "scenarios/fig1.lua", 3);
	play_expect_text(p, "of no run");
	ck_assert_int_eq(access(file, F_OK), 0);
	free(mine);
	free(file);
}
END_TEST

START_TEST(ctrl_c_ends_a_run_in_order)
{
	const char *dir = temp_dir();
	char *file = play_write_file(dir, "s.lua",
				     "local bed = testbed{}\nprint('waiting')\n"
				     "expect(function() return 1 end)"
				     ":becomes(2, 600)\n");
	struct proc *p = play_new();

	play_start(p, dir, file, NULL);
	ck_assert(proc_wait_text(p, "waiting", PATIENCE_MS));
	ck_assert_int_eq(proc_stop(p, SIGINT), 130);
	play_expect_text(p, "ended by signal 2");
	free(file);
}
END_TEST

static Suite *scenarios_suite(void)
{
	Suite *s = suite_create("scenarios");
	TCase *tc = tcase_create("every scenario");
	int n;

	if (glob("scenarios/*.lua", 0, NULL, &scenarios))
		abort(); /* make runs the tests from the root */
	n = ((int)scenarios.gl_pathc + AT_ONCE - 1) / AT_ONCE;
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, every_scenario_passes_in_virtual_time, 0, n);
#ifndef __SANITIZE_ADDRESS__
	tcase_add_loop_test(tc, every_scenario_passes_and_leaves_its_files, 0,
			    n);
#endif
	tcase_add_test(tc, the_patent_plays_by_the_idle_queue_too);
	tcase_add_test(tc, two_runs_at_once_do_not_disturb_each_other);
	tcase_add_test(tc, view_shows_the_ladder_of_a_run);
	suite_add_tcase(s, tc);

	tc = tcase_create("what fails");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_syntax_error_is_told_before_anything_starts);
	tcase_add_test(
		tc, a_misspelt_verb_is_told_with_its_line_and_what_was_meant);
	tcase_add_test(tc, a_failed_expectation_shows_line_values_and_ladder);
	tcase_add_test(tc, steps_that_are_missing_fail_the_run_and_are_named);
	tcase_add_test(tc, a_refused_login_names_the_one_who_refused);
	tcase_add_test(tc, an_element_that_cannot_start_is_named);
	tcase_add_test(tc, a_scenario_without_end_is_ended);
	tcase_add_test(tc, a_folder_that_is_of_no_run_is_not_emptied);
	tcase_add_test(tc, ctrl_c_ends_a_run_in_order);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(scenarios_suite)
