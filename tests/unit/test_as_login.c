/* The AS's door: users file, login, tokens, and what malformed requests get
 * (S402, design of the control plane) */
#include <stdio.h>
#include <string.h>

#include "appserver/appserver_core.h"
#include "common/clock.h"
#include "common/loop.h"
#include "common/mem.h"
#include "tests/fake/as_bed.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

static struct as_bed *bed;

static void setup(void)
{
	bed = as_bed_new();
}

static void teardown(void)
{
	bed = as_bed_free(bed);
}

static void expect_error(int status, const char *needle)
{
	ck_assert_int_eq(bed->last.status, status);
	ck_assert_msg(strstr(bed->last.text, needle), "\"%s\" is not in %s",
		      needle, bed->last.text);
}

START_TEST(the_right_secret_gives_a_token)
{
	as_bed_login(bed, ALICE, "s3cret");
	ck_assert_str_ne(bed->token, "");
	ck_assert_str_eq(as_bed_field(bed, "token_type"), "Bearer");
	ck_assert_ptr_nonnull(strstr(bed->events, "as.login "));
}
END_TEST

START_TEST(a_wrong_secret_is_refused_by_name)
{
	as_bed_post(bed, "/v1/login",
		    "{\"number\":\"" ALICE "\",\"secret\":\"s3cres\"}");
	expect_error(401, "wrong secret for the number " ALICE);
}
END_TEST

START_TEST(an_unknown_number_is_refused_by_name)
{
	as_bed_post(bed, "/v1/login",
		    "{\"number\":\"+8613999999999\",\"secret\":\"s\"}");
	expect_error(401, "unknown number +8613999999999");
}
END_TEST

START_TEST(a_user_of_a_later_day_can_be_added)
{
	ck_assert_int_eq(as_user_add(bed->as->login, "+8613800138777", "x"), 0);
	as_bed_login(bed, "+8613800138777", "x");
}
END_TEST

START_TEST(a_request_without_token_is_refused)
{
	as_bed_ask(bed, "/v1/sip-uri", ALICE);
	expect_error(401, "Authorization");
	ck_assert_int_eq(bed->platform->leases, 0);
}
END_TEST

START_TEST(an_invented_token_is_refused)
{
	xstrset(&bed->token, "8613800138000.0123456789abcdef");
	as_bed_ask(bed, "/v1/sip-uri", ALICE);
	expect_error(401, "unknown");

	as_bed_login(bed, ALICE, "s3cret");
	bed->token[strlen(bed->token) - 1] ^= 1;
	as_bed_ask(bed, "/v1/sip-uri", ALICE);
	expect_error(401, "unknown");

	xstrset(&bed->token, "no dot in it, and much longer than any number");
	as_bed_ask(bed, "/v1/sip-uri", ALICE);
	expect_error(401, "unknown");
}
END_TEST

START_TEST(a_token_is_good_for_its_own_number_alone)
{
	static const char *const paths[] = { "/v1/sip-uri", "/v1/release",
					     "/v1/call-end" };

	as_bed_login(bed, ALICE, "s3cret");
	for (size_t i = 0; i < 3; i++) {
		as_bed_ask(bed, paths[i], BOB);
		expect_error(403, "another number than " BOB);
	}
	ck_assert_int_eq(bed->platform->leases, 0);
}
END_TEST

START_TEST(a_token_ends_with_its_lifetime)
{
	as_bed_login(bed, ALICE, "s3cret");
	clock_take_over();
	clock_advance_us(3601 * 1000000LL);
	as_bed_ask(bed, "/v1/sip-uri", ALICE);
	expect_error(401, "expired");
}
END_TEST

START_TEST(a_new_login_ends_the_session_before)
{
	char *first;

	as_bed_login(bed, ALICE, "s3cret");
	first = xstrdup(bed->token);
	as_bed_login(bed, ALICE, "s3cret");
	ck_assert_int_eq(as_bed_ask(bed, "/v1/release", ALICE), 200);
	xstrset(&bed->token, first);
	as_bed_ask(bed, "/v1/release", ALICE);
	expect_error(401, "unknown");
	free(first);
}
END_TEST

START_TEST(a_session_outlives_a_restart)
{
	as_bed_login(bed, ALICE, "s3cret");
	as_bed_stop(bed);
	as_bed_start(bed);
	ck_assert_int_eq(as_bed_ask(bed, "/v1/release", ALICE), 200);
}
END_TEST

/* Each route, and what is wrong with its body */
static const struct {
	const char *path, *body, *needle;
} malformed[] = {
	{ "/v1/login", "", "empty" },
	{ "/v1/login", "{\"number\":", "not JSON" },
	{ "/v1/login", "[]", "JSON object" },
	{ "/v1/login", "{\"secret\":\"s\"}", "\\\"number\\\"" },
	{ "/v1/login", "{\"number\":13800138000,\"secret\":\"s\"}",
	  "\\\"number\\\"" },
	{ "/v1/login", "{\"number\":\"13800138000\",\"secret\":\"s\"}",
	  "E.164" },
	{ "/v1/login", "{\"number\":\"+0138\",\"secret\":\"s\"}", "E.164" },
	{ "/v1/login", "{\"number\":\"+1234567890123456\",\"secret\":\"s\"}",
	  "E.164" },
	{ "/v1/login", "{\"number\":\"" ALICE "\"}", "\\\"secret\\\"" },
	{ "/v1/login", "{\"number\":\"" ALICE "\",\"secret\":1}",
	  "\\\"secret\\\"" },
	{ "/v1/sip-uri", "{", "not JSON" },
	{ "/v1/sip-uri", "{}", "\\\"number\\\"" },
	{ "/v1/sip-uri", "{\"number\":\"alice\"}", "E.164" },
	{ "/v1/release", "nonsense", "not JSON" },
	{ "/v1/release", "{\"numbre\":\"" ALICE "\"}", "\\\"number\\\"" },
	{ "/v1/call-end", "[[]]", "JSON object" },
	{ "/v1/call-end", "{\"number\":null}", "\\\"number\\\"" },
};

START_TEST(a_malformed_body_is_told_its_field)
{
	as_bed_login(bed, ALICE, "s3cret");
	as_bed_post(bed, malformed[_i].path, malformed[_i].body);
	expect_error(400, malformed[_i].needle);
	ck_assert_int_eq(bed->platform->leases, 0);
}
END_TEST

/* Users files that cannot be read, and where it is said to be wrong */
static const struct {
	const char *text, *needle;
} bad_files[] = {
	{ ALICE " s3cret\n13800138001 x\n", "users:2: " },
	{ ALICE "\n", "users:1: the secret is missing" },
	{ "\n# x\n" ALICE " a b\n", "users:3: there is more" },
	{ ALICE " a\n" ALICE " b\n", "users:2: this number" },
};

START_TEST(a_bad_users_file_is_told_its_line)
{
	struct as_login *login = as_login_new(bed->as);
	char *path = xasprintf("%s/users", temp_dir());
	char *reason = NULL;
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	fputs(bad_files[_i].text, f);
	fclose(f);
	ck_assert_int_ne(as_users_read(login, path, &reason), 0);
	ck_assert_msg(strstr(reason, bad_files[_i].needle), "%s", reason);
	free(reason);
	free(path);
	as_login_free(login);
}
END_TEST

START_TEST(a_missing_users_file_is_named)
{
	struct as_login *login = as_login_new(bed->as);
	char *reason = NULL;

	ck_assert_int_ne(as_users_read(login, "/no/such/users", &reason), 0);
	ck_assert_ptr_nonnull(strstr(reason, "/no/such/users"));
	free(reason);
	as_login_free(login);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("as_login");
	TCase *tc = tcase_create("login");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_right_secret_gives_a_token);
	tcase_add_test(tc, a_wrong_secret_is_refused_by_name);
	tcase_add_test(tc, an_unknown_number_is_refused_by_name);
	tcase_add_test(tc, a_user_of_a_later_day_can_be_added);
	tcase_add_test(tc, a_request_without_token_is_refused);
	tcase_add_test(tc, an_invented_token_is_refused);
	tcase_add_test(tc, a_token_is_good_for_its_own_number_alone);
	tcase_add_test(tc, a_token_ends_with_its_lifetime);
	tcase_add_test(tc, a_new_login_ends_the_session_before);
	tcase_add_test(tc, a_session_outlives_a_restart);
	tcase_add_loop_test(tc, a_malformed_body_is_told_its_field, 0,
			    sizeof(malformed) / sizeof(*malformed));
	tcase_add_loop_test(tc, a_bad_users_file_is_told_its_line, 0,
			    sizeof(bad_files) / sizeof(*bad_files));
	tcase_add_test(tc, a_missing_users_file_is_named);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
