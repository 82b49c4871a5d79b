/* The bill per real number ([0087]) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sim/sim_bill.h"
#include "sim/sim_trace.h"
#include "tests/suite.h"

static struct sim_trace *trace;
static struct sim_bill *bill;

static void setup(void)
{
	trace = sim_trace_new();
}

static void teardown(void)
{
	bill = sim_bill_free(bill);
	trace = sim_trace_free(trace);
}

static void add(const char *fields)
{
	static int t_us;
	char *line = xasprintf("{\"t\":%d,\"actor\":\"appserver\",\"kind\":"
			       "\"event\",%s}",
			       ++t_us, fields);

	ck_assert_int_eq(sim_trace_add_text(trace, line, strlen(line)), 0);
	free(line);
}

#define CDR(who, answer, ms)                                                   \
	"\"name\":\"as.cdr\"," who ",\"answer\":" answer ",\"duration_"        \
	"ms\":" ms

static void make(void)
{
	sim_trace_finish(trace);
	bill = sim_bill_new(trace);
}

START_TEST(calls_are_summed_under_the_real_number)
{
	add(CDR("\"number\":\"+222\",\"uri\":\"sip:a@b\"", "5.5", "1500"));
	add(CDR("\"number\":\"+111\",\"uri\":\"sip:a@b\"", "6.5", "20"));
	add(CDR("\"number\":\"+222\",\"uri\":\"sip:c@d\"", "7.5", "700"));
	add(CDR("\"number\":\"+222\",\"uri\":\"sip:c@d\"", "0.0", "0"));
	make();
	ck_assert_uint_eq(sim_bill_count(bill), 2);
	ck_assert_str_eq(sim_bill_row(bill, 0)->who, "+111");
	ck_assert_str_eq(sim_bill_row(bill, 1)->who, "+222");
	ck_assert_uint_eq(sim_bill_row(bill, 1)->calls, 3);
	ck_assert_uint_eq(sim_bill_row(bill, 1)->answered, 2);
	ck_assert_int_eq(sim_bill_row(bill, 1)->ms, 2200);
}
END_TEST

START_TEST(who_has_no_number_is_billed_under_the_uri)
{
	add(CDR("\"number\":null,\"uri\":\"sip:desk@ims.test\"", "1.0", "9"));
	make();
	ck_assert_str_eq(sim_bill_row(bill, 0)->who, "sip:desk@ims.test");
}
END_TEST

/* Of a call through two AS */
START_TEST(the_callees_record_is_not_billed)
{
	add(CDR("\"role\":\"originating\",\"number\":\"+111\"", "1.0", "9"));
	add(CDR("\"role\":\"terminating\",\"number\":null,"
		"\"uri\":\"sip:a@b\"",
		"1.0", "9"));
	make();
	ck_assert_uint_eq(sim_bill_count(bill), 1);
	ck_assert_str_eq(sim_bill_row(bill, 0)->who, "+111");
	ck_assert_uint_eq(sim_bill_row(bill, 0)->calls, 1);
}
END_TEST

static char *print(void)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(f);
	sim_bill_print(bill, f);
	fclose(f);

	return text;
}

START_TEST(a_bill_is_a_line_for_each)
{
	char *text;

	add(CDR("\"number\":\"+8613800138000\"", "1.0", "61042"));
	make();
	text = print();
	ck_assert_ptr_nonnull(strstr(text, "+8613800138000        1        1"
					   "       61.042\n"));
	free(text);
}
END_TEST

START_TEST(without_a_call_there_is_no_bill)
{
	char *text;

	add("\"name\":\"as.bound\",\"number\":\"+111\"");
	make();
	text = print();
	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sim_bill");
	TCase *tc = tcase_create("bill");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, calls_are_summed_under_the_real_number);
	tcase_add_test(tc, who_has_no_number_is_billed_under_the_uri);
	tcase_add_test(tc, the_callees_record_is_not_billed);
	tcase_add_test(tc, a_bill_is_a_line_for_each);
	tcase_add_test(tc, without_a_call_there_is_no_bill);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
