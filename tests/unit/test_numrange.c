/* Number ranges and rules (CN103516675A [0076], ITU-T E.164 6.2.1) */
#include "common/numrange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tests/suite.h"

static struct numrange read_range(const char *first, const char *last)
{
	struct numrange range = { 0 };
	char *reason = NULL;
	int err = numrange_parse(&range, first, last, &reason);

	ck_assert_msg(!err, "%s", reason ? reason : "no reason");

	return range;
}

static void expect_range_refused(const char *first, const char *last,
				 const char *text)
{
	struct numrange range = { 0 };
	char *reason = NULL;

	ck_assert_int_eq(numrange_parse(&range, first, last, &reason), EINVAL);
	ck_assert_ptr_nonnull(reason);
	ck_assert_msg(strstr(reason, text) != NULL, "%s", reason);
	ck_assert_uint_eq(range.count, 0);
	free(reason);
}

static void expect_number(const struct numrange *range, uint32_t i,
			  const char *number)
{
	char text[NUMBER_TEXT_LEN];

	numrange_at(text, range, i);
	ck_assert_str_eq(text, number);
}

START_TEST(a_range_holds_both_ends_and_keeps_the_plus)
{
	struct numrange r = read_range("+8657110000001", "+8657110000005");

	ck_assert_uint_eq(r.count, 5);
	expect_number(&r, 0, "+8657110000001");
	expect_number(&r, 4, "+8657110000005");
}
END_TEST

START_TEST(leading_zeros_stay)
{
	struct numrange r = read_range("0098", "0101");

	ck_assert_uint_eq(r.count, 4);
	expect_number(&r, 0, "0098");
	expect_number(&r, 2, "0100");
	expect_number(&r, 3, "0101");
}
END_TEST

START_TEST(equal_ends_are_one_number)
{
	struct numrange r = read_range("+999999999999999", "+999999999999999");

	ck_assert_uint_eq(r.count, 1);
	expect_number(&r, 0, "+999999999999999");
}
END_TEST

START_TEST(the_longest_range_is_taken_and_one_more_refused)
{
	ck_assert_uint_eq(read_range("000000", "099999").count, NUMRANGE_MAX);
	expect_range_refused("000000", "100000", "100001 numbers");
	expect_range_refused("000000000000000", "999999999999999",
			     "at most 100000");
}
END_TEST

START_TEST(ends_that_do_not_fit_each_other_are_refused)
{
	expect_range_refused("+8657110000005", "+8657110000001", "below");
	expect_range_refused("99", "101", "as many digits");
	expect_range_refused("+12", "123", "with a +");
}
END_TEST

START_TEST(what_is_no_number_is_refused)
{
	expect_range_refused("", "1", "no digits");
	expect_range_refused("+", "+1", "no digits");
	expect_range_refused("12a4", "1299", "character 3 is not a digit");
	expect_range_refused("1", "-1", "character 1");
	expect_range_refused("1 ", "2", "character 2");
	expect_range_refused("++1", "++2", "character 2");
	expect_range_refused("1234567890123456", "1234567890123457",
			     "16 digits; E.164 allows 15");
	expect_range_refused("\xd9\xa1", "\xd9\xa2", "not a digit");
}
END_TEST

static void expect_rule_refused(const char *rule, const char *text)
{
	char *reason = NULL;

	ck_assert_int_eq(numrule_check(rule, &reason), EINVAL);
	ck_assert_msg(strstr(reason, text) != NULL, "%s", reason);
	free(reason);
}

START_TEST(a_rule_makes_the_sip_uri)
{
	char *reason = NULL;
	char *uri;

	ck_assert_int_eq(numrule_check("sip:{number}@ims.test", &reason), 0);
	uri = numrule_apply("sip:{number}@ims.test", "+8657110000001");
	ck_assert_str_eq(uri, "sip:+8657110000001@ims.test");
	free(uri);

	ck_assert_int_eq(numrule_check("sip:u{number}.x@ims.test", &reason), 0);
	uri = numrule_apply("sip:u{number}.x@ims.test", "7");
	ck_assert_str_eq(uri, "sip:u7.x@ims.test");
	free(uri);
}
END_TEST

START_TEST(a_bad_rule_is_refused)
{
	char *rule = xasprintf("sip:{number}@%0250d.test", 0);

	expect_rule_refused("", "no {number}");
	expect_rule_refused("sip:number@ims.test", "no {number}");
	expect_rule_refused("sip:x@{number}.test", "no {number}");
	expect_rule_refused("sip:{Number}@ims.test", "no {number}");
	expect_rule_refused("sip:{number}{number}@ims.test", "user part");
	expect_rule_refused("sip:{number}@{number}", "host");
	expect_rule_refused("tel:{number}", "sip:");
	expect_rule_refused("{number}@ims.test", "sip:");
	expect_rule_refused("sip:{number}", "user part");
	expect_rule_refused("sip:{number}@", "host");
	expect_rule_refused("sip:{number}@ims.test:5060", "host");
	expect_rule_refused("sip:{number}@ims.test;x=y", "host");
	expect_rule_refused("sip: {number}@ims.test", "user part");
	expect_rule_refused("sip:%s%n{number}@ims.test", "user part");
	expect_rule_refused("sip:{number}@a\r\nb", "host");
	expect_rule_refused(rule, "longer");
	free(rule);
}
END_TEST

START_TEST(a_sip_uri_is_of_the_realm)
{
	char *reason = NULL;

	ck_assert_int_eq(sipuri_check("sip:a@IMS.test", "ims.test", &reason),
			 0);
	ck_assert_int_eq(sipuri_check("sip:a@ims.tes", "ims.test", &reason),
			 EINVAL);
	ck_assert_ptr_nonnull(strstr(reason, "another domain"));
	free(reason);
}
END_TEST

START_TEST(a_password_is_printable_and_bounded)
{
	char *reason = NULL;
	char *longest = xasprintf("%0128d", 0);
	char *longer = xasprintf("%0129d", 0);
	const char *bad[] = { "", "a b", "a\tb", "\x7f", "\xc3\xa9", longer };

	ck_assert_int_eq(password_check("s3cret<&>\"'", &reason), 0);
	ck_assert_int_eq(password_check(longest, &reason), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(password_check(bad[i], &reason), EINVAL);
		ck_assert(!*bad[i] || !strstr(reason, bad[i]));
		free(reason);
	}
	free(longest);
	free(longer);
}
END_TEST

static Suite *numrange_suite(void)
{
	Suite *s = suite_create("numrange");
	TCase *tc = tcase_create("ranges");

	tcase_add_test(tc, a_range_holds_both_ends_and_keeps_the_plus);
	tcase_add_test(tc, leading_zeros_stay);
	tcase_add_test(tc, equal_ends_are_one_number);
	tcase_add_test(tc, the_longest_range_is_taken_and_one_more_refused);
	tcase_add_test(tc, ends_that_do_not_fit_each_other_are_refused);
	tcase_add_test(tc, what_is_no_number_is_refused);
	suite_add_tcase(s, tc);

	tc = tcase_create("rules and identities");
	tcase_add_test(tc, a_rule_makes_the_sip_uri);
	tcase_add_test(tc, a_bad_rule_is_refused);
	tcase_add_test(tc, a_sip_uri_is_of_the_realm);
	tcase_add_test(tc, a_password_is_printable_and_bounded);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(numrange_suite)
