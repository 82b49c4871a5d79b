#include <errno.h>
#include <string.h>

#include "common/json.h"
#include "tests/suite.h"

static json_t *read_text(const char *text)
{
	char *reason = NULL;
	json_t *value = json_read(text, strlen(text), &reason);

	ck_assert_msg(value != NULL, "%s", reason);

	return value;
}

static void refuses(const char *text, const char *wanted)
{
	char *reason = NULL;

	ck_assert_ptr_null(json_read(text, strlen(text), &reason));
	ck_assert_msg(strstr(reason, wanted) != NULL, "%s", reason);
	free(reason);
}

START_TEST(malformed_json_is_refused_with_line_and_column)
{
	refuses("{\n\"a\": }", "line 2, column");
	refuses("{\"a\":1", "the body is not JSON");
	refuses("{} x", "line 1");
}
END_TEST

/* What is not understood may be a secret: the place is told, not the text */
START_TEST(what_stands_there_is_not_quoted)
{
	static const char *const bodies[] = {
		"{\"secret\":\"s3cret", "{\"secret\":\"s3cret\\q\"}",
		"{\"a\":1} s3cret",     "{\"s3cret\":2,\"s3cret\":3}",
		"\"s3cret\xff\"",
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		char *reason = NULL;

		ck_assert_ptr_null(
			json_read(bodies[i], strlen(bodies[i]), &reason));
		ck_assert_msg(strstr(reason, "not JSON: ") &&
				      !strstr(reason, "s3"),
			      "%s", reason);
		free(reason);
	}
}
END_TEST

START_TEST(an_empty_body_is_said_to_be_empty)
{
	refuses("", "the body is empty");
}
END_TEST

START_TEST(a_repeated_name_is_refused)
{
	refuses("{\"a\":1,\"a\":2}", "duplicate");
}
END_TEST

START_TEST(a_string_is_found_by_its_field)
{
	json_t *obj = read_text("{\"number\":\"+8613800138000\"}");
	char *reason = NULL;

	ck_assert_str_eq(json_need_string(obj, "number", &reason),
			 "+8613800138000");
	ck_assert_ptr_null(reason);
	ck_assert_str_eq(json_find_string(obj, "number"), "+8613800138000");
	ck_assert_ptr_null(json_find_string(obj, "other"));
	json_decref(obj);
}
END_TEST

static void string_refused(const char *text, const char *wanted)
{
	json_t *obj = read_text(text);
	char *reason = NULL;

	ck_assert_ptr_null(json_need_string(obj, "number", &reason));
	ck_assert_str_eq(reason, wanted);
	free(reason);
	json_decref(obj);
}

START_TEST(a_wrong_string_is_refused_by_the_fields_name)
{
	string_refused("{}", "the field \"number\" must be a string; it is "
			     "absent");
	string_refused("{\"number\":7}", "the field \"number\" must be a "
					 "string; it is an integer");
	string_refused("{\"number\":\"\"}",
		       "the field \"number\" must not be empty");
	string_refused("[]", "a JSON object with the field \"number\" is "
			     "expected; it is an array");
}
END_TEST

START_TEST(a_string_with_a_nul_inside_is_refused)
{
	static const char text[] = "{\"number\":\"a\\u0000b\"}";
	char *reason = NULL;

	/* jansson refuses it already, unless told to allow it */
	ck_assert_ptr_null(json_read(text, sizeof(text) - 1, &reason));
	free(reason);

	json_t *obj = json_loadb(text, sizeof(text) - 1, JSON_ALLOW_NUL, NULL);
	ck_assert_ptr_nonnull(obj);
	ck_assert_ptr_null(json_need_string(obj, "number", &reason));
	ck_assert_ptr_nonnull(strstr(reason, "U+0000"));
	free(reason);
	json_decref(obj);
}
END_TEST

START_TEST(an_integer_is_checked_against_its_range)
{
	static const int64_t range[2] = { 1, 10 };
	json_t *obj = read_text("{\"n\":10,\"big\":11,\"text\":\"1\"}");
	char *reason = NULL;
	int64_t n = 0;

	ck_assert_int_eq(json_need_int(&n, obj, "n", range, &reason), 0);
	ck_assert_int_eq(n, 10);
	ck_assert_int_eq(json_need_int(&n, obj, "big", range, &reason), EINVAL);
	ck_assert_str_eq(reason, "the field \"big\" must be 1 to 10; it is 11");
	free(reason);
	ck_assert_int_eq(json_need_int(&n, obj, "text", range, &reason),
			 EINVAL);
	ck_assert_str_eq(reason, "the field \"text\" must be an integer; it is "
				 "a string");
	free(reason);
	ck_assert_int_eq(n, 10);
	ck_assert_int_eq(json_find_int(obj, "n", 5), 10);
	ck_assert_int_eq(json_find_int(obj, "text", 5), 5);
	json_decref(obj);
}
END_TEST

START_TEST(an_array_is_checked)
{
	json_t *obj = read_text("{\"uris\":[1,2],\"x\":{}}");
	char *reason = NULL;

	ck_assert_uint_eq(
		json_array_size(json_need_array(obj, "uris", &reason)), 2);
	ck_assert_ptr_null(json_need_array(obj, "x", &reason));
	ck_assert_str_eq(reason, "the field \"x\" must be an array; it is an "
				 "object");
	free(reason);
	json_decref(obj);
}
END_TEST

static Suite *json_suite(void)
{
	Suite *s = suite_create("json");
	TCase *tc = tcase_create("fields");

	tcase_add_test(tc, malformed_json_is_refused_with_line_and_column);
	tcase_add_test(tc, what_stands_there_is_not_quoted);
	tcase_add_test(tc, an_empty_body_is_said_to_be_empty);
	tcase_add_test(tc, a_repeated_name_is_refused);
	tcase_add_test(tc, a_string_is_found_by_its_field);
	tcase_add_test(tc, a_wrong_string_is_refused_by_the_fields_name);
	tcase_add_test(tc, a_string_with_a_nul_inside_is_refused);
	tcase_add_test(tc, an_integer_is_checked_against_its_range);
	tcase_add_test(tc, an_array_is_checked);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(json_suite)
