#include "sim/sim_verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake/fake_trace.h"
#include "tests/suite.h"

static const char all[] = "S401..S414, S501..S521";
static struct sim_trace *tr;
static struct sim_label *lb;
static struct sim_verdict *verdict;

static void judge(json_t *lines, const char *expect)
{
	char *reason = NULL;

	tr = fake_trace_load(lines);
	lb = sim_label_new(tr);
	ck_assert_int_eq(sim_verdict_new(&verdict, lb, expect, &reason), 0);
}

static void clear(void)
{
	verdict = sim_verdict_free(verdict);
	lb = sim_label_free(lb);
	tr = sim_trace_free(tr);
}

/* Move all lines of one millisecond of the script to another time */
static json_t *move(json_t *lines, const char *row, int64_t to_us)
{
	int64_t from_us = fake_trace_time(row);
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		int64_t t = json_integer_value(json_object_get(line, "t"));

		if (t / 1000 == from_us / 1000)
			json_object_set_new(line, "t",
					    json_integer(t - from_us + to_us));
	}

	return lines;
}

static const struct sim_seen *seen(const char *ref)
{
	for (size_t i = 0; i < sim_verdict_count(verdict); i++) {
		if (!strcmp(sim_verdict_step(verdict, i)->ref, ref))
			return sim_verdict_step(verdict, i);
	}
	ck_abort_msg("%s was not expected", ref);

	return NULL;
}

START_TEST(the_whole_sequence_passes)
{
	judge(fake_trace_patent(NULL, NULL), all);
	ck_assert_uint_eq(sim_verdict_count(verdict), 35);
	ck_assert_uint_eq(sim_verdict_missing(verdict), 0);
	ck_assert_uint_eq(sim_verdict_violations(verdict), 0);
	ck_assert(sim_verdict_is_pass(verdict));
	ck_assert_int_eq(seen("S402")->first_us, 8000);
	ck_assert_uint_eq(seen("S402")->count, 1);
}
END_TEST

START_TEST(figures_1_to_3_are_the_same_steps)
{
	judge(fake_trace_patent(NULL, NULL),
	      "S101..S103 S201..S203 S301..S304");
	ck_assert_uint_eq(sim_verdict_count(verdict), 10);
	ck_assert(sim_verdict_is_pass(verdict));
	/* seen when all of it is: the answer of the two */
	ck_assert_int_eq(seen("S202")->first_us,
			 fake_trace_time("S406") - 1000000);
}
END_TEST

START_TEST(a_step_that_is_not_there_is_missing)
{
	judge(fake_trace_patent("S520 S521 S414", NULL), all);
	ck_assert(!sim_verdict_is_pass(verdict));
	ck_assert_uint_eq(sim_verdict_missing(verdict), 3);
	ck_assert_uint_eq(seen("S520")->count, 0);
	ck_assert_uint_eq(sim_verdict_violations(verdict), 0);
}
END_TEST

START_TEST(half_of_a_step_is_not_the_step)
{
	judge(fake_trace_patent("S407/binding S516/answer S401/import "
				"S401/message",
				NULL),
	      "S401 S407 S516 S401/range S407/answer");
	ck_assert_uint_eq(seen("S401")->count, 0);
	ck_assert_uint_eq(seen("S407")->count, 0);
	ck_assert_uint_eq(seen("S516")->count, 0);
	ck_assert_uint_eq(seen("S401/range")->count, 1);
	ck_assert_uint_eq(seen("S407/answer")->count, 1);
}
END_TEST

START_TEST(a_message_that_was_lost_is_not_seen)
{
	judge(fake_trace_patent(NULL, "S519"), all);
	ck_assert(!sim_verdict_is_pass(verdict));
	ck_assert_uint_eq(seen("S519")->count, 0);
	ck_assert_uint_eq(seen("S519")->lost, 1);
}
END_TEST

START_TEST(a_lost_message_that_arrives_when_repeated_is_seen_once)
{
	json_t *lines = fake_trace_patent(NULL, "S519");
	json_t *again = fake_trace_patent(NULL, NULL), *line;
	int64_t t_us = fake_trace_time("S519");
	size_t i;

	json_array_foreach(again, i, line)
	{
		int64_t t = json_integer_value(json_object_get(line, "t"));

		if (t / 1000 != t_us / 1000)
			continue;
		json_object_set_new(line, "t", json_integer(t + 500));
		json_array_append(lines, line);
	}
	json_decref(again);
	judge(lines, all);
	ck_assert(sim_verdict_is_pass(verdict));
	ck_assert_uint_eq(seen("S519")->count, 1);
	ck_assert_uint_eq(seen("S519")->lost, 1);
}
END_TEST

START_TEST(third_party_registration_may_fall_after_the_terminals_200)
{
	json_t *lines = fake_trace_patent(NULL, NULL);
	int64_t end_us = fake_trace_time("S519");

	move(lines, "S520", end_us + 200);
	judge(move(lines, "S521", end_us + 400), all);
	ck_assert(sim_verdict_is_pass(verdict));
}
END_TEST

START_TEST(deregistration_need_not_wait_for_the_terminals_answer)
{
	judge(move(fake_trace_patent(NULL, NULL), "S412/release", 2000000),
	      all);
	ck_assert(sim_verdict_is_pass(verdict));
}
END_TEST

START_TEST(the_answer_to_a_release_waits_for_the_platforms)
{
	judge(move(fake_trace_patent(NULL, NULL), "S412/release",
		   fake_trace_time("S410") - 500),
	      all);
	ck_assert(!sim_verdict_is_pass(verdict));
	ck_assert_uint_eq(sim_verdict_violations(verdict), 1);
	ck_assert_ptr_nonnull(strstr(sim_verdict_violation(verdict, 0),
				     "S412/release (38.500 ms) came before "
				     "S411 (40.000 ms)"));
}
END_TEST

/* The script's release and its answer, as call-end and its answer */
static json_t *as_call_end(json_t *lines)
{
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		const char *text =
			json_string_value(json_object_get(line, "text"));

		if (text && strstr(text, "POST /v1/release "))
			json_object_set_new(
				line, "text",
				json_string("POST /v1/call-end HTTP/1.1\r\n"
					    "Content-Length: 0\r\n\r\n"));
	}

	return lines;
}

START_TEST(a_call_end_is_answered_before_the_reclaim)
{
	judge(move(as_call_end(fake_trace_patent(NULL, NULL)), "S412/release",
		   fake_trace_time("S410") - 500),
	      all);
	ck_assert_uint_eq(sim_verdict_missing(verdict), 0);
	ck_assert(sim_verdict_is_pass(verdict));
}
END_TEST

START_TEST(a_step_before_what_it_has_to_follow_fails)
{
	judge(move(fake_trace_patent(NULL, NULL), "S405",
		   fake_trace_time("S403") - 500),
	      all);
	ck_assert(!sim_verdict_is_pass(verdict));
	ck_assert_uint_eq(sim_verdict_missing(verdict), 0);
	ck_assert_uint_eq(sim_verdict_violations(verdict), 1);
	ck_assert_ptr_nonnull(
		strstr(sim_verdict_violation(verdict, 0), "S405 "));
}
END_TEST

START_TEST(an_expression_that_is_wrong_is_refused_with_its_place)
{
	static const struct {
		const char *expect, *says;
	} wrong[] = {
		{ "", "no step is named" },
		{ " , ", "no step is named" },
		{ "S401, S499", "character 7: \"S499\" is no step" },
		{ "S401..S414,S414..S401",
		  "character 12: \"S414..S401\" runs" },
		{ "S401..S501", "holds S415, which is no step" },
		{ "S401..", "is no range" },
		{ "..S401", "is no range" },
		{ "S401/none", "is no step" },
		{ "s401", "is no step" },
		{ "S401...S402", "is no range" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		char *reason = NULL;

		ck_assert_int_eq(sim_verdict_check(wrong[i].expect, &reason),
				 EINVAL);
		ck_assert_msg(strstr(reason, wrong[i].says) != NULL, "%s",
			      reason);
		free(reason);
	}
}
END_TEST

START_TEST(a_step_that_is_named_twice_is_expected_once)
{
	judge(fake_trace_patent(NULL, NULL), "S402, S401..S403 S402");
	ck_assert_uint_eq(sim_verdict_count(verdict), 3);
	ck_assert_str_eq(sim_verdict_step(verdict, 0)->ref, "S402");
}
END_TEST

START_TEST(the_block_says_what_is_missing_and_ends_in_fail)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	judge(fake_trace_patent("S413 off-2 S414", NULL), all);
	sim_verdict_print(verdict, f, false, 100);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "missing: S413 (platform to pcscf"));
	ck_assert_ptr_nonnull(strstr(text, "\nFAIL: 33 of 35 steps seen"));
	ck_assert_ptr_null(strchr(text, '\033'));
	free(text);
}
END_TEST

/* The table at 80 columns: where each cell of the ids' part stands */
START_TEST(the_table_has_the_ids_first_and_fits_the_screen)
{
	const char *parts, *s401, *s413, *s501;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	judge(fake_trace_patent(NULL, NULL),
	      "S401..S414, S501..S521, S401/range, S409/release");
	sim_verdict_print(verdict, f, false, 80);
	fclose(f);
	for (const char *p = text, *end; (end = strchr(p, '\n')); p = end + 1)
		ck_assert_msg(end - p <= 80, "too wide: %.*s", (int)(end - p),
			      p);
	parts = strstr(text, "\n\nS401/range");
	ck_assert_ptr_nonnull(parts);
	ck_assert_ptr_null(strstr(parts, "S521"));
	/* downwards: the second line is the next step */
	s401 = strstr(text, "S401 ");
	ck_assert_ptr_eq(s401, text);
	ck_assert_ptr_eq(strchr(text, '\n') + 1, strstr(text, "S402 "));
	s413 = strstr(text, "S413 ");
	s501 = strstr(text, "S501 ");
	ck_assert_int_lt(s413 - s401, 80);
	/* one under the other, with a gap to what is on the left */
	ck_assert_int_eq(strstr(text, "S414 ") - strstr(text, "S402 "),
			 s413 - s401);
	ck_assert_int_eq(strncmp(s413 - 3, "   ", 3), 0);
	ck_assert(s501 > s413);
	ck_assert_ptr_nonnull(strstr(parts, " ms x1   S409/release "));
	free(text);
}
END_TEST

START_TEST(an_empty_trace_fails)
{
	judge(json_array(), all);
	ck_assert_uint_eq(sim_verdict_missing(verdict), 35);
	ck_assert(!sim_verdict_is_pass(verdict));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sim_verdict");
	TCase *tc = tcase_create("seen");

	tcase_add_checked_fixture(tc, NULL, clear);
	tcase_add_test(tc, the_whole_sequence_passes);
	tcase_add_test(tc, figures_1_to_3_are_the_same_steps);
	tcase_add_test(tc, a_step_that_is_not_there_is_missing);
	tcase_add_test(tc, half_of_a_step_is_not_the_step);
	tcase_add_test(tc, a_message_that_was_lost_is_not_seen);
	tcase_add_test(tc,
		       a_lost_message_that_arrives_when_repeated_is_seen_once);
	tcase_add_test(tc, an_empty_trace_fails);
	suite_add_tcase(s, tc);
	tc = tcase_create("order");
	tcase_add_checked_fixture(tc, NULL, clear);
	tcase_add_test(
		tc, third_party_registration_may_fall_after_the_terminals_200);
	tcase_add_test(tc,
		       deregistration_need_not_wait_for_the_terminals_answer);
	tcase_add_test(tc, the_answer_to_a_release_waits_for_the_platforms);
	tcase_add_test(tc, a_call_end_is_answered_before_the_reclaim);
	tcase_add_test(tc, a_step_before_what_it_has_to_follow_fails);
	suite_add_tcase(s, tc);
	tc = tcase_create("expression");
	tcase_add_checked_fixture(tc, NULL, clear);
	tcase_add_test(tc,
		       an_expression_that_is_wrong_is_refused_with_its_place);
	tcase_add_test(tc, a_step_that_is_named_twice_is_expected_once);
	tcase_add_test(tc, the_table_has_the_ids_first_and_fits_the_screen);
	tcase_add_test(tc, the_block_says_what_is_missing_and_ends_in_fail);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
