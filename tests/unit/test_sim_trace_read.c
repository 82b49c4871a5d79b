/* A run's trace.jsonl, read back: the same entries, labels and lines */
#include "sim/sim_trace_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sim/sim_ladder.h"
#include "sim/sim_message.h"
#include "tests/fake/fake_trace.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

static struct sim_trace *tr, *back;
static struct sim_label *lb, *back_lb;
static char *path;

static void setup(void)
{
	path = xasprintf("%s/trace.jsonl", temp_dir());
}

static void clear(void)
{
	lb = sim_label_free(lb);
	back_lb = sim_label_free(back_lb);
	tr = sim_trace_free(tr);
	back = sim_trace_free(back);
	free(path);
}

static void write_text(const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
}

/* Write the lines as a run does, and read them */
static void there_and_back(json_t *lines)
{
	char *reason = NULL;
	FILE *f = fopen(path, "w");
	int err;

	tr = fake_trace_load(lines);
	lb = sim_label_new(tr);
	ck_assert_int_eq(sim_label_write_jsonl(lb, f), 0);
	fclose(f);
	err = sim_trace_read(&back, path, &reason);
	ck_assert_msg(!err, "%s", reason);
	back_lb = sim_label_new(back);
}

static char *ladder(const struct sim_label *labels)
{
	const struct sim_ladder_cfg cfg = { .width = 160,
					    .has_all_events = true };
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	sim_ladder_print(labels, &cfg, f);
	fclose(f);

	return text;
}

static char *message(const struct sim_label *labels, size_t i)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	sim_message_print(labels, i, SIM_ENGLISH, f);
	fclose(f);

	return text;
}

static void expect_same_entry(const struct sim_entry *was,
			      const struct sim_entry *is)
{
	bool has_way = was->send_us >= 0 && was->recv_us >= 0;

	ck_assert_uint_eq(is->len, was->len);
	if (!was->name)
		ck_assert_mem_eq(is->data, was->data, was->len);
	ck_assert_int_eq(is->is_lost, was->is_lost);
	ck_assert_int_eq(is->is_retransmission, was->is_retransmission);
	ck_assert_int_eq(is->recv_us >= 0, has_way);
}

static void expect_same(void)
{
	char *a = ladder(lb), *b = ladder(back_lb);

	ck_assert_str_eq(a, b);
	free(a);
	free(b);
	ck_assert_uint_eq(sim_trace_count(back), sim_trace_count(tr));
	for (size_t i = 0; i < sim_trace_count(tr); i++)
		expect_same_entry(sim_trace_entry(tr, i),
				  sim_trace_entry(back, i));
}

START_TEST(a_run_reads_as_it_was)
{
	there_and_back(fake_trace_patent("S413", "S501"));
	expect_same();
}
END_TEST

START_TEST(hostile_bytes_and_repeats_read_as_they_were)
{
	static const char evil[] = "OPTIONS \0\xff\033[2J SIP/2.0\r\n\r\n";
	struct fake_msg msg = { .t_us = 10,
				.proto = TRACE_SIP,
				.from = "terminal",
				.to = "pcscf",
				.data = evil,
				.len = sizeof(evil) - 1,
				.ends = FAKE_BOTH };
	json_t *lines = json_array();

	fake_trace_msg(lines, &msg);
	msg.t_us = 500000;
	msg.ends = FAKE_SENT;
	fake_trace_msg(lines, &msg);
	fake_trace_event(lines, 20, "appserver", "as.bound",
			 json_pack("{s:s, s:s}", "number", "+86\033[1m", "uri",
				   FAKE_IMPU));
	fake_trace_event(lines, 30, "icscf", "icscf.selected",
			 json_pack("{s:s, s:s}", "impu", FAKE_IMPU, "scscf",
				   "sip:scscf"));
	there_and_back(lines);
	expect_same();
}
END_TEST

START_TEST(a_message_is_laid_out_with_all_that_is_in_it)
{
	char *text;

	there_and_back(fake_trace_patent(NULL, NULL));
	text = message(back_lb, fake_trace_find(back_lb, "S408 S501"));
	ck_assert_ptr_nonnull(strstr(text, "REGISTER\nS408 S501: asks to "));
	ck_assert_ptr_nonnull(strstr(text, "([0090], TS 24.229"));
	ck_assert_ptr_nonnull(strstr(text, "ms: terminal 127.1.3.1:5060 -> "
					   "pcscf 127.1.1.1:5060, udp, "
					   "received 0.100 ms later\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nREGISTER sip:"));
	free(text);
	text = message(back_lb, fake_trace_find(back_lb, "S503"));
	ck_assert_ptr_nonnull(strstr(text, "\nPublic-Identity (601): sip:"));
	free(text);
	text = message(back_lb, fake_trace_find(back_lb, "S405"));
	ck_assert_ptr_nonnull(strstr(text, "\nname: platform.selected\n"));
	free(text);
}
END_TEST

#define LINE0                                                                  \
	"{\"n\":0,\"t_us\":0,\"kind\":\"event\",\"actor\":\"a\",\"name\":"     \
	"\"x\"}\n"
#define MSG1                                                                   \
	"{\"n\":1,\"t_us\":0,\"kind\":\"msg\",\"from\":\"a\",\"to\":\"b\","    \
	"\"proto\":\"sip\",\"transport\":\"udp\",\"src\":\"1\",\"dst\":\"2\","

/** What is no trace.jsonl, and what is said */
static const struct {
	const char *text, *needle;
} wrong[] = {
	{ "hello\n", "line 1: " },
	{ "[]\n", "line 1: it must be a JSON object" },
	{ LINE0 "{\"n\":1,\"t_us\":5,\"ki", "line 2: the file is cut off" },
	{ LINE0 LINE0, "line 2: the field \"n\" must be 1" },
	{ "{\"t_us\":0,\"kind\":\"event\"}\n", "\"n\" must be an integer" },
	{ "{\"n\":0,\"t_us\":\"0\",\"kind\":\"event\"}\n",
	  "\"t_us\" must be an integer" },
	{ "{\"n\":0,\"t_us\":0,\"kind\":\"tune\"}\n",
	  "\"kind\" must be msg or event" },
	{ "{\"n\":0,\"t_us\":0,\"kind\":\"event\",\"actor\":\"a\"}\n",
	  "\"name\" must be a string" },
	{ LINE0 MSG1 "\"text\":1}\n", "\"text\" or \"hex\"" },
	{ LINE0 MSG1 "\"hex\":\"0g\"}\n", "\"hex\" must be pairs" },
	{ LINE0 MSG1 "\"hex\":\"000\"}\n", "\"hex\" must be pairs" },
	{ LINE0 MSG1 "\"text\":\"\",\"recv_us\":\"1\"}\n",
	  "\"recv_us\" must be an integer" },
	{ LINE0 MSG1 "\"text\":\"\",\"retransmission_of\":1}\n",
	  "\"retransmission_of\" must be" },
	{ LINE0 MSG1 "\"text\":\"\",\"retransmission_of\":0}\n",
	  "\"retransmission_of\" must be" },
	{ LINE0 MSG1 "\"text\":\"\",\"retransmission_of\":-1}\n",
	  "\"retransmission_of\" must be" },
};

START_TEST(what_is_no_trace_is_refused_with_its_line)
{
	char *reason = NULL;

	write_text(wrong[_i].text);
	ck_assert_int_eq(sim_trace_read(&back, path, &reason), EINVAL);
	ck_assert_ptr_nonnull(strstr(reason, path));
	ck_assert_msg(strstr(reason, wrong[_i].needle) != NULL, "%s", reason);
	free(reason);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_named)
{
	char *reason = NULL;

	ck_assert_int_eq(sim_trace_read(&back, path, &reason), ENOENT);
	ck_assert_ptr_nonnull(strstr(reason, path));
	free(reason);
}
END_TEST

START_TEST(an_empty_run_has_no_entries)
{
	char *reason = NULL;

	write_text("");
	ck_assert_int_eq(sim_trace_read(&back, path, &reason), 0);
	ck_assert_uint_eq(sim_trace_count(back), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sim_trace_read");
	TCase *tc = tcase_create("there and back");

	tcase_add_checked_fixture(tc, setup, clear);
	tcase_add_test(tc, a_run_reads_as_it_was);
	tcase_add_test(tc, hostile_bytes_and_repeats_read_as_they_were);
	tcase_add_test(tc, a_message_is_laid_out_with_all_that_is_in_it);
	tcase_add_test(tc, an_empty_run_has_no_entries);
	suite_add_tcase(s, tc);

	tc = tcase_create("what is wrong");
	tcase_add_checked_fixture(tc, setup, clear);
	tcase_add_loop_test(tc, what_is_no_trace_is_refused_with_its_line, 0,
			    (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(tc, a_file_that_is_not_there_is_named);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
