/* The trace's lines: JSON, with a message's exact text, whatever is in it */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/trace.h"
#include "tests/suite.h"

static struct {
	struct trace *trace;
	char line[8192];
	size_t len;
} t;

static void on_line(const char *line, size_t len, void *arg)
{
	(void)arg;
	t.len = len;
	ck_assert_uint_lt(len, sizeof(t.line));
	memcpy(t.line, line, len);
	t.line[len] = '\0';
}

static void setup(void)
{
	t.trace = trace_new("scscf");
	trace_set_sink(t.trace, on_line, NULL);
}

static void teardown(void)
{
	trace_free(t.trace);
}

static json_t *traced(const char *data, size_t len)
{
	const struct trace_msg msg = { .proto = TRACE_SIP,
				       .dir = TRACE_SEND,
				       .transport = "udp",
				       .local = "[::1]:5060",
				       .remote = "127.0.0.1:5070",
				       .data = data,
				       .len = len };
	json_t *line;

	trace_message(t.trace, &msg);
	line = json_loadb(t.line, t.len, JSON_ALLOW_NUL, NULL);
	ck_assert_msg(line != NULL, "no JSON: %s", t.line);

	return line;
}

static const char *field(const json_t *line, const char *name)
{
	return json_string_value(json_object_get(line, name));
}

START_TEST(each_octet_of_ascii_comes_through)
{
	char data[128];
	const json_t *text;
	json_t *line;

	for (int i = 0; i < 128; i++)
		data[i] = (char)i;
	line = traced(data, sizeof(data));
	text = json_object_get(line, "text");
	ck_assert_uint_eq(json_string_length(text), sizeof(data));
	ck_assert_mem_eq(json_string_value(text), data, sizeof(data));
	json_decref(line);
}
END_TEST

START_TEST(ascii_is_written_as_the_json_library_writes_it)
{
	char data[128], *whole;
	json_t *line;

	for (int i = 0; i < 128; i++)
		data[i] = (char)i;
	line = traced(data, sizeof(data));
	whole = json_dumps(line, JSON_COMPACT);
	ck_assert_str_eq(whole, t.line);
	free(whole);
	json_decref(line);
}
END_TEST

START_TEST(message_says_who_sent_it_from_where_to_where)
{
	json_t *line = traced("x", 1);

	ck_assert_str_eq(field(line, "actor"), "scscf");
	ck_assert_str_eq(field(line, "kind"), "msg");
	ck_assert_str_eq(field(line, "proto"), "sip");
	ck_assert_str_eq(field(line, "dir"), "send");
	ck_assert_str_eq(field(line, "local"), "[::1]:5060");
	ck_assert_str_eq(field(line, "remote"), "127.0.0.1:5070");
	ck_assert(json_is_integer(json_object_get(line, "t")));
	json_decref(line);
}
END_TEST

START_TEST(text_that_is_utf8_stays_text_and_other_octets_go_as_hex)
{
	json_t *line = traced("\xe4\xbd\xa0", 3);

	ck_assert_str_eq(field(line, "text"), "\xe4\xbd\xa0");
	json_decref(line);
	line = traced("\xff\x00\x41", 3);
	ck_assert_str_eq(field(line, "hex"), "ff0041");
	json_decref(line);
}
END_TEST

START_TEST(empty_message_is_an_empty_text)
{
	json_t *line = traced("", 0);

	ck_assert_str_eq(field(line, "text"), "");
	json_decref(line);
}
END_TEST

static Suite *trace_suite(void)
{
	Suite *suite = suite_create("trace");
	TCase *tc = tcase_create("lines");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_octet_of_ascii_comes_through);
	tcase_add_test(tc, ascii_is_written_as_the_json_library_writes_it);
	tcase_add_test(tc, message_says_who_sent_it_from_where_to_where);
	tcase_add_test(tc,
		       text_that_is_utf8_stays_text_and_other_octets_go_as_hex);
	tcase_add_test(tc, empty_message_is_an_empty_text);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(trace_suite)
