/* sipshare run for CI: JUnit, TAP and annotations of real runs, and the ladder
 * that comes as the run goes on */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxml/parser.h>
#include <libxml/xpath.h>

#include "common/mem.h"
#include "tests/fake/play.h"
#include "tests/fake/term.h"
#include "tests/suite.h"

static const char passes[] = "testbed{}\n";
static const char fails[] = "testbed{}\nexpect(3).is(4)\n";
static const char misses[] = "testbed{}:expect_steps 'S401, S402..S403'\n";
static const char broken[] = "testbed{\n";
static const char no_start[] =
	"testbed{ options = { scscf = { digest = 'rot13' } } }\n";
/* goes on until it is ended */
static const char goes_on[] = "testbed{}\nexpect(function() return 1 end)"
			      ":becomes(2, 30)\n";

static const char *dir;
static char *junit;

static void setup(void)
{
	dir = temp_dir();
	junit = xasprintf("%s/all.xml", dir);
}

static void teardown(void)
{
	term_end();
	free(junit);
}

static char *scenario(const char *name, const char *text)
{
	return play_write_file(dir, name, text);
}

/* sipshare run of two files: stdout alone */
static void run(struct proc *p, const char *options, const char *a,
		const char *b, int code)
{
	char *command = xasprintf("%s run --runs %s %s %s %s 2>/dev/null",
				  PROC_SIPSHARE, dir, options, a, b ? b : "");

	proc_start(p, (const char *[]){ "sh", "-c", command, NULL });
	ck_assert_msg(proc_wait_end(p, PATIENCE_MS) == code, "%s",
		      play_tail(p));
	free(command);
}

/* What an XPath expression gives of a file */
static void expect(const char *file, const char *path, const char *value)
{
	xmlDoc *doc = xmlReadFile(file, NULL, 0);
	xmlXPathContext *context = xmlXPathNewContext(doc);
	char *expression = xasprintf("string(%s)", path);
	xmlXPathObject *found =
		xmlXPathEvalExpression(BAD_CAST expression, context);

	ck_assert_ptr_nonnull(doc);
	ck_assert_msg(!strcmp((const char *)found->stringval, value),
		      "%s: %s is \"%s\", not \"%s\"", file, path,
		      (const char *)found->stringval, value);
	xmlXPathFreeObject(found);
	xmlXPathFreeContext(context);
	xmlFreeDoc(doc);
	free(expression);
}

START_TEST(junit_tells_each_scenario_steps_and_invariants)
{
	char *options = xasprintf("--keep-going --junit %s", junit);
	char *a = scenario("a.lua", fails), *b = scenario("b.lua", misses);
	char *own = xasprintf("%s/b/junit.xml", dir);
	struct proc *p = play_new();

	run(p, options, a, b, 1);
	expect(junit, "count(//testsuite)", "2");
	expect(junit, "//testsuite[1]/@failures", "1");
	expect(junit, "count(//testsuite[1]/testcase)", "7");
	expect(junit,
	       "contains(//testcase[@name='scenario']/failure, "
	       "'expected: 4\ngot: it is 3\nthe ladder around it:\n')",
	       "true");
	expect(junit,
	       "contains(//testcase[@name='scenario']/failure, "
	       "'scenario.failed')",
	       "true");
	expect(junit, "//testcase[@name='steps S401']/failure/@message",
	       "missing S401");
	expect(junit, "//testcase[@name='steps S402..S403']/failure/@message",
	       "missing S402, missing S403");
	expect(junit, "count(//testsuite[2]/testcase[starts-with(@name,'I')])",
	       "6");
	/* the run's own is of itself alone */
	expect(own, "count(//testsuite)", "1");
	expect(own, "//testsuite/@failures", "2");
	free(own);
	free(options);
	free(a);
	free(b);
}
END_TEST

START_TEST(what_did_not_run_is_skipped)
{
	char *options = xasprintf("--junit %s", junit);
	char *a = scenario("a.lua", fails), *b = scenario("b.lua", passes);
	struct proc *p = play_new();

	run(p, options, a, b, 1);
	expect(junit, "//testsuites/@skipped", "1");
	expect(junit, "//testsuite[2]/testcase/skipped/@message",
	       "an earlier scenario did not pass");
	free(options);
	free(a);
	free(b);
}
END_TEST

START_TEST(a_typing_error_is_an_error_and_nothing_runs)
{
	char *options = xasprintf("--junit %s", junit);
	char *a = scenario("a.lua", passes), *b = scenario("b.lua", broken);
	struct proc *p = play_new();

	run(p, options, a, b, 2);
	expect(junit, "//testsuites/@errors", "1");
	expect(junit, "//testsuites/@skipped", "1");
	expect(junit, "contains(//error/@message, 'b.lua:')", "true");
	free(options);
	free(a);
	free(b);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_told_before_anything_starts)
{
	char *a = scenario("a.lua", passes);
	char *runs = xasprintf("%s/a", dir);
	struct proc *p = play_new();

	proc_start(p, (const char *[]){ PROC_SIPSHARE, "run", "--runs", dir,
					"--junit", "/nowhere/j.xml", a, NULL });
	ck_assert_int_eq(proc_wait_end(p, PATIENCE_MS), 2);
	play_expect_text(p, "cannot write /nowhere/j.xml: ");
	ck_assert_int_ne(access(runs, F_OK), 0);
	free(runs);
	free(a);
}
END_TEST

START_TEST(tap_alone_is_on_stdout)
{
	char *a = scenario("a.lua", fails), *b = scenario("b.lua", passes);
	struct proc *p = play_new();

	run(p, "--tap --keep-going", a, b, 1);
	ck_assert_ptr_eq(strstr(p->text, "TAP version 14\n1..2\n# Subtest: "),
			 p->text);
	play_expect_text(p, "\n    not ok 1 - scenario\n");
	play_expect_text(p, "\n      expected: \"4\"\n");
	play_expect_text(p, "\n    ok 2 - I1 ");
	play_expect_text(p, "\nnot ok 1 - ");
	play_expect_text(p, "\nok 2 - ");
	ck_assert_ptr_null(strstr(p->text, "\nFAIL "));
	ck_assert_ptr_null(strstr(p->text, "──> SIP"));
	free(a);
	free(b);
}
END_TEST

START_TEST(annotations_are_asked_for)
{
	char *a = scenario("a.lua", fails), *want;
	struct proc *p = play_new();

	run(p, "--annotations", a, NULL, 1);
	want = xasprintf("\n::error file=%s,line=2,title=scenario::%s:2: "
			 "expected 4, but it is 3%%0Aexpected: 4%%0Agot: ",
			 a, a);
	play_expect_text(p, want);
	p = play_new();
	run(p, "", a, NULL, 1);
	ck_assert_ptr_null(strstr(p->text, "::error"));
	free(want);
	free(a);
}
END_TEST

/** How a scenario ends, and what that is */
static const struct {
	const char *text;
	int code;
} ends[] = { { passes, 0 }, { misses, 1 }, { broken, 2 }, { no_start, 3 } };

START_TEST(exit_codes_stay_as_they_are)
{
	char *options = xasprintf("--tap --annotations --junit %s", junit);
	char *a = scenario("a.lua", ends[_i].text);
	struct proc *p = play_new();

	run(p, options, a, NULL, ends[_i].code);
	expect(junit, "//testsuites/@errors", ends[_i].code > 1 ? "1" : "0");
	free(options);
	free(a);
}
END_TEST

/* --- the ladder, live --- */

START_TEST(the_ladder_comes_while_the_run_goes_on)
{
	char *a = scenario("a.lua", goes_on);
	struct proc *p = play_new();

	proc_start(p, (const char *[]){ PROC_SIPSHARE, "run", "--live",
					"--runs", dir, a, NULL });
	ck_assert_msg(proc_wait_text(p, "CEA 2001", PATIENCE_MS), "%s",
		      play_tail(p));
	ck_assert_ptr_null(strstr(p->text, "FAIL"));
	ck_assert_int_eq(proc_stop(p, SIGINT), 128 + SIGINT);
	play_expect_text(p, "FAIL");
	free(a);
}
END_TEST

/* On a terminal it is so by itself, and as wide as that */
START_TEST(a_terminal_gets_it_live_and_in_its_width)
{
	char *a = scenario("a.lua", goes_on);
	char *command = xasprintf("LC_ALL=C.UTF-8 %s run --runs %s %s",
				  PROC_SIPSHARE, dir, a);

	term_start(60, 24, command);
	term_wait("HSS═>S");
	term_key("C-c");
	term_wait("code 130");
	free(command);
	free(a);
}
END_TEST

START_TEST(without_live_it_comes_at_the_end)
{
	char *a = scenario("a.lua", passes);
	char *command = xasprintf("LC_ALL=C.UTF-8 %s run --no-live --runs %s "
				  "%s",
				  PROC_SIPSHARE, dir, a);
	const char *screen;

	term_start(100, 40, command);
	screen = term_wait("code 0");
	/* no actor that takes no part has a column then */
	ck_assert_msg(strstr(screen, "PLAT") == NULL, "%s", screen);
	free(command);
	free(a);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("ci");
	TCase *tc = tcase_create("results");

	tcase_set_timeout(tc, 90);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, junit_tells_each_scenario_steps_and_invariants);
	tcase_add_test(tc, what_did_not_run_is_skipped);
	tcase_add_test(tc, a_typing_error_is_an_error_and_nothing_runs);
	tcase_add_test(
		tc,
		a_file_that_cannot_be_written_is_told_before_anything_starts);
	tcase_add_test(tc, tap_alone_is_on_stdout);
	tcase_add_test(tc, annotations_are_asked_for);
	tcase_add_loop_test(tc, exit_codes_stay_as_they_are, 0,
			    (int)(sizeof(ends) / sizeof(ends[0])));
	suite_add_tcase(s, tc);

	tc = tcase_create("live");
	tcase_set_timeout(tc, 90);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_ladder_comes_while_the_run_goes_on);
	tcase_add_test(tc, a_terminal_gets_it_live_and_in_its_width);
	tcase_add_test(tc, without_live_it_comes_at_the_end);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
