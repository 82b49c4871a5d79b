/* The batch as text file [0077]: errors by file and line, all or nothing,
 * read again when replaced; and what an account must look like */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/mem.h"
#include "tests/fake/fake_platform_bed.h"
#include "tests/fake/fake_registrar.h"
#include "tests/suite.h"

static struct bed t;

#define LINE(n)                                                                \
	"sip:+86" #n "@ims.test +86" #n "@ims.test pw1 ims"                    \
	".test\n"

static void setup(void)
{
	memset(&t, 0, sizeof(t));
	bed_start(&t);
	t.has_pool_file = true;
}

static void teardown(void)
{
	ck_assert_int_eq(t.bad_counts, 0);
	ck_assert_int_eq(t.secrets, 0);
	bed_stop(&t);
}

static void write_to(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static void write_file(const char *text)
{
	write_to(t.pool_file, text);
}

static void replace_file(const char *text)
{
	char *path = xasprintf("%s.new", t.pool_file);

	write_to(path, text);
	ck_assert_int_eq(rename(path, t.pool_file), 0);
	free(path);
}

static bool is_imported(const void *arg)
{
	return t.imports >= *(const int *)arg;
}

static void wait_imports(int n)
{
	ck_assert(loop_run_until(t.loop, is_imported, &n, PATIENCE_MS));
}

static bool is_refused(const void *arg)
{
	return t.refusals >= *(const int *)arg;
}

/* The file is refused with these words; {file} stands for its path */
static void expect_reason(const char *text, const char *where, const char *what)
{
	json_t *accounts = NULL;
	char *reason = NULL;
	char *start = xasprintf("%s%s", t.pool_file, where);

	write_file(text);
	ck_assert_int_eq(plat_file_read(&accounts, t.pool_file, &reason),
			 EINVAL);
	ck_assert_ptr_null(accounts);
	ck_assert_msg(!strncmp(reason, start, strlen(start)), "%s", reason);
	ck_assert_msg(strstr(reason, what) != NULL, "%s", reason);
	ck_assert_msg(!strstr(reason, "pw1"), "%s", reason);
	free(reason);
	free(start);
}

START_TEST(file_is_read_at_start)
{
	write_file("# made by the BOSS\n\n" LINE(1) "  " LINE(2));
	bed_platform(&t);
	ck_assert_int_eq(t.plat->lease_n, 2);
	ck_assert_int_eq(t.imports, 1);
	ck_assert_str_eq(bed_lease(&t, 2)->uri, "sip:+862@ims.test");
	ck_assert_int_eq(bed_give(&t, "k"), 1);
}
END_TEST

START_TEST(file_that_is_not_there_yet_is_waited_for)
{
	bed_platform(&t);
	ck_assert_int_eq(t.plat->lease_n, 0);
	replace_file(LINE(1));
	wait_imports(1);
	ck_assert_int_eq(t.plat->lease_n, 1);
}
END_TEST

START_TEST(file_is_read_again_when_it_is_replaced_or_written)
{
	write_file(LINE(1));
	bed_platform(&t);
	replace_file(LINE(1) LINE(2));
	wait_imports(2);
	ck_assert_int_eq(t.plat->lease_n, 2);
	write_file(LINE(3) "\r\n" LINE(1));
	wait_imports(3);
	ck_assert_int_eq(t.plat->lease_n, 3);
	ck_assert_str_eq(bed_lease(&t, 3)->uri, "sip:+863@ims.test");
}
END_TEST

START_TEST(other_files_of_the_folder_do_not_matter)
{
	char *other = xasprintf("%s/other.txt", t.dir);

	write_file(LINE(1));
	bed_platform(&t);
	write_to(other, LINE(2));
	bed_settle(&t, 50);
	ck_assert_int_eq(t.imports, 1);
	free(other);
}
END_TEST

START_TEST(bad_replacement_takes_nothing_and_the_next_good_one_counts)
{
	int once = 1;

	write_file(LINE(1));
	bed_platform(&t);
	replace_file(LINE(2) "sip:+863@ims.test only-two\n");
	ck_assert(loop_run_until(t.loop, is_refused, &once, PATIENCE_MS));
	ck_assert_int_eq(t.plat->lease_n, 1);
	replace_file(LINE(2));
	wait_imports(2);
	ck_assert_int_eq(t.plat->lease_n, 2);
}
END_TEST

START_TEST(restart_knows_the_file_already)
{
	write_file(LINE(1) LINE(2));
	bed_platform(&t);
	bed_restart(&t);
	ck_assert_int_eq(t.plat->lease_n, 2);
}
END_TEST

START_TEST(bad_file_at_start_is_said_with_its_line)
{
	struct plat *plat = NULL;
	char *reason = NULL;
	const struct plat_cfg cfg = { .sip = "127.0.0.1:0",
				      .store = "memory",
				      .pcscf = "sip:127.0.0.1:5060",
				      .policy = "round-robin",
				      .pool_file = t.pool_file,
				      .realm = "ims.test" };

	bed_platform(&t);
	write_file(LINE(1) "nonsense\n");
	ck_assert_int_eq(plat_core_new(&plat, t.el, &cfg, &reason), EINVAL);
	ck_assert_ptr_null(plat);
	ck_assert_msg(strstr(reason, "pool.txt:2: ") != NULL, "%s", reason);
	free(reason);
}
END_TEST

START_TEST(wrong_lines_are_named)
{
	expect_reason(LINE(1) "sip:+862@ims.test x@y pw1\n", ":2:",
		      "3 words; a line must be: SIP-URI IMPI password realm");
	expect_reason("a b c d e\n", ":1:", "more than 4 words");
	expect_reason(LINE(1) "\n#\n+862@ims.test x@y pw1 r\n",
		      ":4:", "\"uri\"");
	expect_reason("sip:+862 x@y pw1 r\n", ":1:", "\"uri\"");
	expect_reason("sip:@ims.test x@y pw1 r\n", ":1:", "\"uri\"");
	expect_reason("sip:a@b:5060 x@y pw1 r\n", ":1:", "\"uri\"");
	expect_reason("sip:a@b x pw1 r\n", ":1:", "\"impi\"");
	expect_reason("sip:a@b x@y pw1 r@s\n", ":1:", "\"realm\"");
	expect_reason("sip:a@b x@y \x01pw1 r\n", ":1:", "\"password\"");
	expect_reason("sip:a@b x@y \xffpw1 r\n", ":1:", "UTF-8");
}
END_TEST

START_TEST(a_uri_that_stands_twice_is_named)
{
	expect_reason(LINE(1) LINE(2) LINE(1), ": accounts[2]",
		      "sip:+861@ims.test, which stands in this batch already");
}
END_TEST

START_TEST(file_that_cannot_be_read_is_said_so)
{
	json_t *accounts = NULL;
	char *reason = NULL;

	ck_assert_int_eq(plat_file_read(&accounts, t.pool_file, &reason),
			 ENOENT);
	ck_assert_msg(strstr(reason, "No such file") != NULL, "%s", reason);
	free(reason);
	ck_assert_int_eq(plat_file_read(&accounts, t.dir, &reason), EISDIR);
	free(reason);
}
END_TEST

START_TEST(options_that_are_missing_or_wrong_are_named)
{
	static const struct {
		struct plat_cfg cfg;
		const char *text;
	} cases[] = {
		{ { .store = "memory" }, "--sip" },
		{ { .sip = "127.0.0.1:0" }, "--pcscf" },
		{ { .sip = "127.0.0.1:0",
		    .pcscf = "127.0.0.1:5060",
		    .store = "memory",
		    .policy = "idle-queue",
		    .realm = "r" },
		  "not a SIP-URI" },
		{ { .sip = "127.0.0.1:0",
		    .pcscf = "sip:127.0.0.1",
		    .store = "memory",
		    .policy = "random",
		    .realm = "r" },
		  "round-robin or idle-queue" },
		{ { .sip = "nowhere",
		    .pcscf = "sip:127.0.0.1",
		    .store = "memory",
		    .policy = "idle-queue",
		    .realm = "r" },
		  "nowhere" },
		{ { .sip = "127.0.0.1:0",
		    .pcscf = "sip:127.0.0.1",
		    .store = "/no/such/store",
		    .policy = "idle-queue",
		    .realm = "r" },
		  "/no/such/store" },
		{ { .sip = "127.0.0.1:0",
		    .pcscf = "sip:127.0.0.1",
		    .store = "memory",
		    .policy = "idle-queue",
		    .realm = "r",
		    .pool_file = "/no/such/pool" },
		  "/no/such" },
	};
	struct plat *plat = NULL;

	bed_platform(&t);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *reason = NULL;

		ck_assert_int_ne(
			plat_core_new(&plat, t.el, &cases[i].cfg, &reason), 0);
		ck_assert_ptr_null(plat);
		ck_assert_msg(strstr(reason, cases[i].text) != NULL, "%zu: %s",
			      i, reason);
		free(reason);
	}
}
END_TEST

static Suite *file_suite(void)
{
	Suite *s = suite_create("platform_file");
	TCase *tc = tcase_create("reading");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, file_is_read_at_start);
	tcase_add_test(tc, file_that_is_not_there_yet_is_waited_for);
	tcase_add_test(tc, file_is_read_again_when_it_is_replaced_or_written);
	tcase_add_test(tc, other_files_of_the_folder_do_not_matter);
	tcase_add_test(
		tc, bad_replacement_takes_nothing_and_the_next_good_one_counts);
	tcase_add_test(tc, restart_knows_the_file_already);
	suite_add_tcase(s, tc);

	tc = tcase_create("refusal");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, bad_file_at_start_is_said_with_its_line);
	tcase_add_test(tc, wrong_lines_are_named);
	tcase_add_test(tc, a_uri_that_stands_twice_is_named);
	tcase_add_test(tc, file_that_cannot_be_read_is_said_so);
	tcase_add_test(tc, options_that_are_missing_or_wrong_are_named);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(file_suite)
