#include "sim/sim_report.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sim/sim_web_files.h"
#include "tests/fake/fake_trace.h"
#include "tests/suite.h"

static const struct sim_report report = { "patent", "scenarios/patent.lua",
					  "PASS", NULL };

static char *page;
static json_t *data;

/* The page of lines, and the data that a browser would read from it */
static void write_page(json_t *lines)
{
	static const char mark[] = "<script type=\"application/json\" "
				   "id=\"data\">";
	struct sim_trace *tr = fake_trace_load(lines);
	struct sim_label *lb = sim_label_new(tr);
	json_t *made = sim_report_data(&report, lb);
	size_t len;
	FILE *f = open_memstream(&page, &len);
	char *start, *end;

	ck_assert_int_eq(sim_report_write(made, f), 0);
	fclose(f);
	ck_assert_uint_eq(strlen(page), len);
	start = strstr(page, mark);
	ck_assert_ptr_nonnull(start);
	start += sizeof(mark) - 1;
	end = strstr(start, "</script>");
	data = json_loadb(start, (size_t)(end - start), JSON_ALLOW_NUL, NULL);
	ck_assert_msg(data != NULL, "the data are no JSON");
	ck_assert(json_equal(data, made));
	json_decref(made);
	sim_label_free(lb);
	sim_trace_free(tr);
}

static void clear(void)
{
	free(page);
	json_decref(data);
	page = NULL;
	data = NULL;
}

static json_t *entry(size_t i)
{
	return json_array_get(json_object_get(data, "entries"), i);
}

static void send_bytes(json_t *lines, enum trace_proto proto, const void *bytes,
		       size_t len)
{
	const struct fake_msg msg = {
		.t_us = 1000,
		.proto = proto,
		.from = proto == TRACE_SIP ? "terminal" : "icscf",
		.to = proto == TRACE_SIP ? "pcscf" : "hss",
		.data = bytes,
		.len = len,
		.ends = FAKE_BOTH
	};

	fake_trace_msg(lines, &msg);
}

START_TEST(the_page_holds_each_entry_and_its_step)
{
	json_t *step;

	write_page(fake_trace_patent(NULL, NULL));
	ck_assert_uint_eq(json_array_size(json_object_get(data, "entries")),
			  50);
	step = json_object_get(entry(0), "step");
	ck_assert_str_eq(
		json_string_value(json_object_get(
			json_array_get(json_object_get(data, "steps"),
				       (size_t)json_integer_value(step)),
			"id")),
		"S401");
}
END_TEST

START_TEST(the_page_asks_nobody_for_anything)
{
	write_page(fake_trace_patent(NULL, NULL));
	ck_assert_ptr_nonnull(strstr(page, "default-src 'none'"));
	ck_assert_ptr_null(strstr(page, "<!--PART"));
	ck_assert_ptr_null(strstr(page, " src="));
	ck_assert_ptr_null(strstr(page, "@import"));
	ck_assert_ptr_null(strstr(page, "url("));
}
END_TEST

/* HTML 4.12.1.3: what ends a script, or makes it end elsewhere */
START_TEST(a_message_cannot_break_out_of_the_data)
{
	static const char text[] =
		"REGISTER sip:ims.test SIP/2.0\r\n"
		"X: </script><script>alert(1)</script><!--<script>\r\n"
		"Y: \x1b[2J \xff\xfe \xe2\x80\xae\r\n\r\n";
	json_t *lines = json_array();

	send_bytes(lines, TRACE_SIP, text, sizeof(text) - 1);
	write_page(lines);
	ck_assert_ptr_null(strstr(page, "alert(1)</script>"));
	ck_assert_ptr_null(strstr(page, "<!--<"));
	/* no UTF-8: as bytes */
	ck_assert_ptr_nonnull(
		json_object_get(json_object_get(entry(0), "entry"), "hex"));
}
END_TEST

START_TEST(a_header_of_64_kB_is_kept_whole)
{
	size_t len = 65536;
	char *text = xcalloc(1, len + 64);
	const char *got;
	json_t *lines = json_array();
	int n = sprintf(text, "REGISTER sip:ims.test SIP/2.0\r\nX: ");

	memset(text + n, '<', len);
	send_bytes(lines, TRACE_SIP, text, strlen(text));
	write_page(lines);
	got = json_string_value(
		json_object_get(json_object_get(entry(0), "entry"), "text"));
	ck_assert_str_eq(got, text);
	free(text);
}
END_TEST

START_TEST(avps_are_a_tree_with_names)
{
	/* CEA: Result-Code, Vendor-Specific-Application-Id { Vendor-Id } */
	static const unsigned char cea[] = {
		1, 0, 0,  52, 0,  0, 1, 1,  0,  0, 0, 0,  1,  2, 3, 4,
		5, 6, 7,  8,  0,  0, 1, 12, 64, 0, 0, 12, 0,  0, 7, 209, /* */
		0, 0, 1,  4,  64, 0, 0, 20, 0,  0, 1, 10, 64, 0, 0, 12,
		0, 0, 40, 175
	};
	json_t *rows = sim_report_avps(cea, sizeof(cea));
	json_t *group = json_object_get(json_array_get(rows, 1), "group");

	ck_assert_str_eq(json_string_value(json_object_get(
				 json_array_get(rows, 0), "value")),
			 "2001 DIAMETER_SUCCESS");
	ck_assert_int_eq(json_integer_value(json_object_get(
				 json_array_get(group, 0), "value")),
			 10415);
	json_decref(rows);
}
END_TEST

START_TEST(a_malformed_diameter_message_is_shown_as_octets)
{
	/* an AVP longer than the message */
	static const unsigned char cea[32] = { 1, 0, 0, 32, 0,  0, 1,   1, 0, 0,
					       0, 0, 0, 0,  0,  0, 0,   0, 0, 0,
					       0, 0, 1, 12, 64, 0, 255, 12 };
	json_t *rows;

	rows = sim_report_avps(cea, sizeof(cea));
	ck_assert_str_eq(json_string_value(json_object_get(
				 json_array_get(rows, 0), "name")),
			 "malformed");
	json_decref(rows);
	rows = sim_report_avps("\1", 1);
	ck_assert_str_eq(json_string_value(json_object_get(
				 json_array_get(rows, 0), "value")),
			 "0x01");
	json_decref(rows);
}
END_TEST

START_TEST(each_step_is_explained_in_both_languages)
{
	const char *text = sim_web_file("explain.js");

	for (size_t i = 0; i < sim_steps_count(); i++) {
		const struct sim_step *s = sim_steps_at(i);
		char *mark = xasprintf("\t%s: [\"", s->id);

		if (s->wire != SIM_FIGURE)
			ck_assert_msg(strstr(text, mark) != NULL,
				      "%s is not explained", s->id);
		free(mark);
	}
}
END_TEST

START_TEST(a_file_that_the_page_has_not_is_no_file)
{
	ck_assert_ptr_null(sim_web_file("../../etc/passwd"));
	ck_assert_ptr_null(sim_web_file(""));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sim_report");
	TCase *tc = tcase_create("page");

	tcase_add_checked_fixture(tc, NULL, clear);
	tcase_add_test(tc, the_page_holds_each_entry_and_its_step);
	tcase_add_test(tc, the_page_asks_nobody_for_anything);
	tcase_add_test(tc, a_message_cannot_break_out_of_the_data);
	tcase_add_test(tc, a_header_of_64_kB_is_kept_whole);
	suite_add_tcase(s, tc);
	tc = tcase_create("parts");
	tcase_add_test(tc, avps_are_a_tree_with_names);
	tcase_add_test(tc, a_malformed_diameter_message_is_shown_as_octets);
	tcase_add_test(tc, each_step_is_explained_in_both_languages);
	tcase_add_test(tc, a_file_that_the_page_has_not_is_no_file);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
