/* Results as TAP 14 and as GitHub's annotations, and the file that is replaced
 * when it is complete */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "common/mem.h"
#include "sim/sim_replace.h"
#include "sim/sim_result.h"
#include "tests/fake/fake_results.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

static struct sim_results results;
static char *text;

static void clear(void)
{
	sim_results_clear(&results);
	free(text);
	text = NULL;
}

static void write_tap(const char *what)
{
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fake_results(&results, what);
	sim_tap_begin(results.n, f);
	for (size_t i = 0; i < results.n; i++)
		sim_tap_suite(&results.suites[i], i + 1, f);
	fclose(f);
}

static void annotate(const char *what)
{
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fake_results(&results, what);
	for (size_t i = 0; i < results.n; i++)
		sim_annotate(&results.suites[i], f);
	fclose(f);
}

/* --- TAP --- */

START_TEST(a_scenario_is_a_subtest_of_its_cases)
{
	write_tap("b.lua");
	ck_assert_str_eq(text, "TAP version 14\n"
			       "1..2\n"
			       "# Subtest: scenarios/a.lua\n"
			       "    1..1\n"
			       "    ok 1 - scenario\n"
			       "      ---\n"
			       "      duration_ms: 250.000\n"
			       "      ...\n"
			       "ok 1 - scenarios/a.lua\n"
			       "# Subtest: b.lua\n"
			       "    1..3\n"
			       "    not ok 1 - b.lua\n"
			       "      ---\n"
			       "      duration_ms: 0.000\n"
			       "      severity: fail\n"
			       "      message: \"b.lua\"\n"
			       "      expected: \"b.lua\"\n"
			       "      got: \"b.lua\"\n"
			       "      ladder: |2\n"
			       "          line 1\n"
			       "          b.lua\n"
			       "      ...\n"
			       "    not ok 2 - b.lua\n"
			       "      ---\n"
			       "      duration_ms: 0.000\n"
			       "      severity: error\n"
			       "      message: \"b.lua\"\n"
			       "      expected: \"b.lua\"\n"
			       "      got: \"b.lua\"\n"
			       "      ladder: |2\n"
			       "          line 1\n"
			       "          b.lua\n"
			       "      ...\n"
			       "    ok 3 - b.lua # SKIP b.lua\n"
			       "      ---\n"
			       "      duration_ms: 0.000\n"
			       "      ...\n"
			       "not ok 2 - b.lua\n");
}
END_TEST

START_TEST(nothing_in_a_name_is_a_directive)
{
	write_tap("a # SKIP \\ b\nok 7");
	ck_assert_ptr_nonnull(
		strstr(text, "not ok 1 - a \\# SKIP \\\\ b\\\\nok 7\n"));
	ck_assert_ptr_null(strstr(text, "\nok 7"));
}
END_TEST

START_TEST(hostile_bytes_stay_in_their_scalar)
{
	write_tap(FAKE_HOSTILE);
	ck_assert_ptr_null(strchr(text, '\033'));
	ck_assert_ptr_null(strchr(text, '\r'));
	ck_assert_ptr_nonnull(
		strstr(text, "message: \"\\\\x1b[2J\\\\x01\\\\xff<script>"));
}
END_TEST

START_TEST(a_scenario_that_never_ran_is_skipped)
{
	struct sim_suite *suite = sim_results_add(&results, "c.lua");
	size_t len;
	FILE *f = open_memstream(&text, &len);

	sim_suite_add(suite, SIM_SKIPPED, "scenario");
	sim_tap_suite(suite, 3, f);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "\nok 3 - c.lua # SKIP\n"));
}
END_TEST

/* --- annotations --- */

START_TEST(an_annotation_has_file_and_line)
{
	struct sim_suite *suite = sim_results_add(&results, "s/x.lua");
	struct sim_case *c = sim_suite_add(suite, SIM_FAILED, "scenario");
	size_t len;
	FILE *f = open_memstream(&text, &len);

	c->message = xstrdup("s/x.lua:12: expected 4, but it is 3");
	sim_annotate(suite, f);
	fclose(f);
	ck_assert_str_eq(text, "::error file=s/x.lua,line=12,title=scenario::"
			       "s/x.lua:12: expected 4, but it is 3\n");
}
END_TEST

START_TEST(only_what_did_not_pass_is_annotated)
{
	annotate("b.lua");
	ck_assert_str_eq(text,
			 "::error file=b.lua,title=b.lua::b.lua%0Aexpected: "
			 "b.lua%0Agot: b.lua\n"
			 "::error file=b.lua,title=b.lua::b.lua%0Aexpected: "
			 "b.lua%0Agot: b.lua\n");
}
END_TEST

/* https://github.com/actions/toolkit, core's command.ts: escapeData() and
 * escapeProperty() */
START_TEST(an_annotation_is_escaped_as_the_toolkit_does)
{
	annotate("a%b:c,d\n::error::e");
	ck_assert_ptr_nonnull(
		strstr(text, "::error file=a%25b%3Ac%2Cd%0A%3A%3Aerror%3A%3Ae"
			     ",title=a%25b%3Ac%2Cd%0A%3A%3Aerror%3A%3Ae::"
			     "a%25b:c,d%0A::error::e%0Aexpected: "));
	ck_assert_ptr_null(strstr(text, "\n::error::"));
}
END_TEST

/* --- the file --- */

static char *path_in(const char *dir, const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void write_text(const char *path, const char *what)
{
	FILE *f = fopen(path, "w");

	fputs(what, f);
	fclose(f);
}

static void expect_text(const char *path, const char *what)
{
	char buf[64] = "";
	FILE *f = fopen(path, "r");

	ck_assert_msg(f != NULL, "%s", path);
	ck_assert_uint_lt(fread(buf, 1, sizeof(buf) - 1, f), sizeof(buf));
	fclose(f);
	ck_assert_str_eq(buf, what);
}

START_TEST(a_file_is_replaced_when_it_is_complete)
{
	char *path = path_in(temp_dir(), "j.xml");
	struct sim_replace *r;
	struct stat st;
	char *reason;

	write_text(path, "old");
	ck_assert_int_eq(sim_replace_open(&r, path, &reason), 0);
	fputs("new", sim_replace_file(r));
	fflush(sim_replace_file(r));
	expect_text(path, "old");
	ck_assert_int_eq(sim_replace_commit(r, &reason), 0);
	expect_text(path, "new");
	/* for others to read, as any new file */
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0400, 0400);
	free(path);
}
END_TEST

START_TEST(what_is_given_up_leaves_the_old_file_and_no_other)
{
	const char *dir = temp_dir();
	char *path = path_in(dir, "j.xml");
	struct sim_replace *r;
	char *reason;

	write_text(path, "old");
	ck_assert_int_eq(sim_replace_open(&r, path, &reason), 0);
	fputs("new", sim_replace_file(r));
	sim_replace_abort(r);
	expect_text(path, "old");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	free(path);
}
END_TEST

START_TEST(a_symbolic_link_stays_one)
{
	const char *dir = temp_dir();
	char *path = path_in(dir, "j.xml"), *link = path_in(dir, "link");
	struct sim_replace *r;
	struct stat st;
	char *reason;

	write_text(path, "old");
	ck_assert_int_eq(symlink(path, link), 0);
	ck_assert_int_eq(sim_replace_open(&r, link, &reason), 0);
	fputs("new", sim_replace_file(r));
	ck_assert_int_eq(sim_replace_commit(r, &reason), 0);
	ck_assert_int_eq(lstat(link, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	expect_text(path, "new");
	free(path);
	free(link);
}
END_TEST

START_TEST(a_place_that_cannot_be_written_is_named)
{
	const char *dir = temp_dir();
	char *nowhere = path_in(dir, "no/j.xml");
	struct sim_replace *r;
	char *reason = NULL;

	ck_assert_int_eq(sim_replace_open(&r, nowhere, &reason), ENOENT);
	ck_assert_ptr_nonnull(strstr(reason, nowhere));
	free(reason);
	ck_assert_int_eq(sim_replace_open(&r, dir, &reason), EISDIR);
	free(reason);
	free(nowhere);
}
END_TEST

START_TEST(a_full_disk_is_told_when_it_is_put_in_its_place)
{
	struct sim_replace *r;
	struct stat st;
	char *reason = NULL;

	/* a device stays a device, too */
	ck_assert_int_eq(sim_replace_open(&r, "/dev/full", &reason), 0);
	fputs("new", sim_replace_file(r));
	ck_assert_int_eq(sim_replace_commit(r, &reason), ENOSPC);
	ck_assert_ptr_nonnull(strstr(reason, "/dev/full"));
	ck_assert_int_eq(stat("/dev/full", &st), 0);
	ck_assert(S_ISCHR(st.st_mode));
	free(reason);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sim_tap");
	TCase *tc = tcase_create("TAP");

	tcase_add_checked_fixture(tc, NULL, clear);
	tcase_add_test(tc, a_scenario_is_a_subtest_of_its_cases);
	tcase_add_test(tc, nothing_in_a_name_is_a_directive);
	tcase_add_test(tc, hostile_bytes_stay_in_their_scalar);
	tcase_add_test(tc, a_scenario_that_never_ran_is_skipped);
	suite_add_tcase(s, tc);

	tc = tcase_create("annotations");
	tcase_add_checked_fixture(tc, NULL, clear);
	tcase_add_test(tc, an_annotation_has_file_and_line);
	tcase_add_test(tc, only_what_did_not_pass_is_annotated);
	tcase_add_test(tc, an_annotation_is_escaped_as_the_toolkit_does);
	suite_add_tcase(s, tc);

	tc = tcase_create("the file");
	tcase_add_test(tc, a_file_is_replaced_when_it_is_complete);
	tcase_add_test(tc, what_is_given_up_leaves_the_old_file_and_no_other);
	tcase_add_test(tc, a_symbolic_link_stays_one);
	tcase_add_test(tc, a_place_that_cannot_be_written_is_named);
	tcase_add_test(tc, a_full_disk_is_told_when_it_is_put_in_its_place);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
