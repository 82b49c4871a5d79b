/* Files of the BOSS: accounts to be opened, and the pool */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boss/boss_core.h"
#include "common/mem.h"
#include "tests/suite.h"

static struct {
	char dir[64];
	char path[128];
	struct boss_list list;
} t;

static void setup(void)
{
	strcpy(t.dir, "/tmp/test_boss_batch.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(t.dir));
	snprintf(t.path, sizeof(t.path), "%s/batch.txt", t.dir);
}

static void teardown(void)
{
	boss_list_clear(&t.list);
	(void)unlink(t.path);
	ck_assert_int_eq(rmdir(t.dir), 0); /* no temporary file stays */
}

static void write_bytes(const char *data, size_t len)
{
	FILE *f = fopen(t.path, "w");

	ck_assert_uint_eq(fwrite(data, 1, len, f), len);
	fclose(f);
}

static void read_ok(const char *text)
{
	char *reason = NULL;
	int err;

	write_bytes(text, strlen(text));
	err = boss_batch_read(&t.list, t.path, "ims.test", &reason);
	ck_assert_msg(!err, "%s", reason ? reason : "no reason");
}

static void expect_refused(const char *data, size_t len, const char *text)
{
	char *reason = NULL;

	write_bytes(data, len);
	ck_assert_int_eq(boss_batch_read(&t.list, t.path, "ims.test", &reason),
			 EINVAL);
	ck_assert_msg(strstr(reason, t.path) && strstr(reason, text), "%s",
		      reason);
	ck_assert_msg(!strstr(reason, "word\""), "%s", reason);
	ck_assert_uint_eq(t.list.n, 0);
	free(reason);
}

START_TEST(each_line_names_a_number_and_its_sip_uri)
{
	read_ok("# numbers of the pilot\n"
		"\n"
		"+8657110000001 sip:+8657110000001@ims.test\n"
		"  +8657110000002\tsip:bob@ims.test   s3cret#1 \r\n"
		"13 sip:13@ims.test");
	ck_assert_uint_eq(t.list.n, 3);
	ck_assert_str_eq(t.list.v[0].number, "+8657110000001");
	ck_assert_str_eq(t.list.v[0].uri, "sip:+8657110000001@ims.test");
	ck_assert_ptr_null(t.list.v[0].password);
	ck_assert_str_eq(t.list.v[1].uri, "sip:bob@ims.test");
	ck_assert_str_eq(t.list.v[1].password, "s3cret#1");
	ck_assert_str_eq(t.list.v[2].number, "13");
}
END_TEST

START_TEST(a_wrong_line_is_named_by_file_and_line)
{
	const struct {
		const char *text, *reason;
	} bad[] = {
		{ "\n1\n", ":2: \"1\": NUMBER SIP-URI" },
		{ "1 sip:1@ims.test\n2x sip:2@ims.test\n", ":2: number" },
		{ "1 1@ims.test\n", ":1: SIP-URI" },
		{ "1 sip:1@other.test\n", ":1: SIP-URI" },
		{ "1 sip:1@ims.test pass word\n", ":1: 4 fields" },
		{ "1 sip:1@ims.test # lent\n", ":1: a comment needs" },
		{ "1 sip:1@ims.test p\xc3\xa9\n", ":1: password" },
		{ "1 sip:1@ims.test\n2 sip:1@ims.test\n",
		  ":2: sip:1@ims.test is in line 1 already" },
		{ "", "no account" },
		{ "# nothing\n\n", "no account" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_refused(bad[i].text, strlen(bad[i].text), bad[i].reason);
}
END_TEST

START_TEST(a_binary_or_endless_line_is_refused)
{
	char *line = xasprintf("1 sip:1@ims.test %02000d\n", 0);

	expect_refused("1 sip:1\0@ims.test\n", 18, ":1: holds a NUL byte");
	expect_refused(line, strlen(line), ":1: is longer");
	free(line);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_named)
{
	char *reason = NULL;

	ck_assert_int_eq(
		boss_batch_read(&t.list, "/nowhere/b.txt", "ims.test", &reason),
		ENOENT);
	ck_assert_str_eq(reason, "/nowhere/b.txt: No such file or directory");
	free(reason);
}
END_TEST

static void add(const char *uri, const char *impi, const char *password)
{
	struct boss_account *a = boss_list_add(&t.list);

	a->uri = xstrdup(uri);
	a->impi = xstrdup(impi);
	a->password = xstrdup(password);
}

START_TEST(a_pool_file_is_read_as_it_was_written_by_its_owner_only)
{
	struct boss_list again = { 0 };
	char *reason = NULL;
	struct stat st;

	write_bytes("old", 3);
	add("sip:1@ims.test", "1@ims.test", "p1");
	add("sip:2@ims.test", "2@ims.test", "#p2");
	ck_assert_int_eq(boss_pool_write(&t.list, t.path, "ims.test", &reason),
			 0);
	ck_assert_int_eq(stat(t.path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);

	ck_assert_int_eq(boss_pool_read(&again, t.path, &reason), 0);
	ck_assert_uint_eq(again.n, 2);
	ck_assert_str_eq(again.v[1].uri, "sip:2@ims.test");
	ck_assert_str_eq(again.v[1].impi, "2@ims.test");
	ck_assert_str_eq(again.v[1].password, "#p2");
	boss_list_clear(&again);
}
END_TEST

START_TEST(a_pool_file_that_cannot_be_written_is_named)
{
	char *reason = NULL;

	add("sip:1@ims.test", "1@ims.test", "p1");
	ck_assert_int_eq(
		boss_pool_write(&t.list, "/nowhere/pool", "ims.test", &reason),
		ENOENT);
	ck_assert_ptr_nonnull(strstr(reason, "/nowhere/pool"));
	free(reason);
}
END_TEST

START_TEST(a_pool_file_of_another_form_is_refused_by_line)
{
	char *reason = NULL;

	write_bytes("sip:1@ims.test 1@ims.test p ims.test\nx\n", 39);
	ck_assert_int_eq(boss_pool_read(&t.list, t.path, &reason), EINVAL);
	ck_assert_ptr_nonnull(strstr(reason, "batch.txt:2: 1 fields"));
	free(reason);
}
END_TEST

static Suite *boss_batch_suite(void)
{
	Suite *s = suite_create("boss_batch");
	TCase *tc = tcase_create("accounts to be opened");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_line_names_a_number_and_its_sip_uri);
	tcase_add_test(tc, a_wrong_line_is_named_by_file_and_line);
	tcase_add_test(tc, a_binary_or_endless_line_is_refused);
	tcase_add_test(tc, a_file_that_is_not_there_is_named);
	suite_add_tcase(s, tc);

	tc = tcase_create("the pool file");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
		       a_pool_file_is_read_as_it_was_written_by_its_owner_only);
	tcase_add_test(tc, a_pool_file_that_cannot_be_written_is_named);
	tcase_add_test(tc, a_pool_file_of_another_form_is_refused_by_line);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(boss_batch_suite)
