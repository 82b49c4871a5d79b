#include "sim/sim_trace.h"

#include <errno.h>
#include <string.h>

#include "tests/fake/fake_trace.h"
#include "tests/suite.h"

static struct sim_trace *tr;

static void free_trace(void)
{
	tr = sim_trace_free(tr);
}

static void put(json_t *lines, int64_t t_us, const char *text,
		enum fake_ends ends)
{
	const struct fake_msg msg = { .t_us = t_us,
				      .proto = TRACE_SIP,
				      .from = "pcscf",
				      .to = "icscf",
				      .data = text,
				      .len = strlen(text),
				      .ends = ends };

	fake_trace_msg(lines, &msg);
}

/* A record of one end, at a time of its own */
static void put_recv_at(json_t *lines, int64_t t_us, const char *text)
{
	put(lines, t_us - 100, text, FAKE_RECEIVED);
}

static const struct sim_entry *at(size_t i)
{
	ck_assert_uint_lt(i, sim_trace_count(tr));

	return sim_trace_entry(tr, i);
}

START_TEST(both_ends_of_a_message_are_one_entry)
{
	json_t *lines = json_array();

	put(lines, 1000, "OPTIONS", FAKE_BOTH);
	tr = fake_trace_load(lines);
	ck_assert_uint_eq(sim_trace_count(tr), 1);
	ck_assert_str_eq(at(0)->from, "pcscf");
	ck_assert_str_eq(at(0)->to, "icscf");
	ck_assert_int_eq(at(0)->t_us, 1000);
	ck_assert_int_eq(at(0)->send_us, 1000);
	ck_assert_int_eq(at(0)->recv_us, 1100);
	ck_assert_uint_eq(at(0)->len, 7);
	ck_assert_mem_eq(at(0)->data, "OPTIONS", 8);
	ck_assert(!at(0)->is_lost && !at(0)->is_retransmission);
}
END_TEST

START_TEST(lines_that_come_in_any_order_are_sorted)
{
	json_t *sorted = fake_trace_patent(NULL, NULL);
	json_t *mixed = json_array();
	struct sim_trace *reference = fake_trace_load(json_incref(sorted));
	size_t n = json_array_size(sorted);

	/* 7 is prime to the count: every line once */
	ck_assert_uint_ne(n % 7, 0);
	for (size_t i = 0; i < n; i++)
		json_array_append(mixed, json_array_get(sorted, i * 7 % n));
	tr = fake_trace_load(mixed);
	ck_assert_uint_eq(sim_trace_count(tr), sim_trace_count(reference));
	for (size_t i = 0; i < sim_trace_count(tr); i++) {
		ck_assert_int_eq(at(i)->t_us,
				 sim_trace_entry(reference, i)->t_us);
		ck_assert_str_eq(at(i)->from,
				 sim_trace_entry(reference, i)->from);
	}
	sim_trace_free(reference);
	json_decref(sorted);
}
END_TEST

START_TEST(a_send_goes_before_its_receive_whatever_the_clocks_say)
{
	json_t *lines = json_array();

	put_recv_at(lines, 1950, "REGISTER");
	fake_trace_event(lines, 1960, "icscf", "decided", NULL);
	put(lines, 2000, "REGISTER", FAKE_SENT);
	tr = fake_trace_load(lines);
	ck_assert_uint_eq(sim_trace_count(tr), 2);
	ck_assert_ptr_null(at(0)->name);
	ck_assert_str_eq(at(1)->name, "decided");
	/* it was sent no later than it was received */
	ck_assert_int_eq(at(0)->t_us, 1950);
	ck_assert_int_eq(at(0)->send_us, 2000);
	ck_assert_int_eq(at(1)->t_us, 1960);
}
END_TEST

START_TEST(a_send_that_is_noted_very_late_is_still_the_same_message)
{
	json_t *lines = json_array();

	put_recv_at(lines, 1000, "REGISTER");
	put(lines, 900000, "REGISTER", FAKE_SENT);
	tr = fake_trace_load(lines);
	ck_assert_uint_eq(sim_trace_count(tr), 1);
	ck_assert(!at(0)->is_lost);
}
END_TEST

START_TEST(equal_times_keep_what_caused_what)
{
	json_t *lines = json_array();

	/* virtual time: all at once, the answer's lines first */
	fake_trace_event(lines, 5000, "icscf", "before", NULL);
	put_recv_at(lines, 5000, "REGISTER");
	fake_trace_event(lines, 5000, "icscf", "after", NULL);
	fake_trace_event(lines, 5000, "pcscf", "first", NULL);
	put(lines, 5000, "REGISTER", FAKE_SENT);
	tr = fake_trace_load(lines);
	ck_assert_uint_eq(sim_trace_count(tr), 4);
	ck_assert_str_eq(at(0)->name, "before");
	ck_assert_str_eq(at(1)->name, "first");
	ck_assert_ptr_null(at(2)->name);
	ck_assert_str_eq(at(3)->name, "after");
}
END_TEST

START_TEST(a_retransmission_is_marked_and_the_lost_one_found)
{
	json_t *lines = json_array();

	put(lines, 0, "REGISTER", FAKE_SENT);
	put(lines, 500000, "REGISTER", FAKE_BOTH);
	/* somebody is there to receive */
	fake_trace_event(lines, 0, "icscf", "up", NULL);
	tr = fake_trace_load(lines);
	ck_assert_uint_eq(sim_trace_count(tr), 3);
	ck_assert(at(0)->is_lost && !at(0)->is_retransmission);
	ck_assert(!at(2)->is_lost && at(2)->is_retransmission);
	ck_assert_uint_eq(at(2)->original, 0);
	ck_assert_int_eq(at(2)->recv_us, 500100);
}
END_TEST

START_TEST(the_same_bytes_twice_over_tcp_are_two_messages)
{
	const struct fake_msg msg = { .proto = TRACE_SIP,
				      .from = "pcscf",
				      .to = "icscf",
				      .data = "A",
				      .len = 1,
				      .ends = FAKE_BOTH,
				      .transport = "tcp" };
	json_t *lines = json_array();

	fake_trace_msg(lines, &msg);
	fake_trace_msg(lines, &msg);
	tr = fake_trace_load(lines);
	ck_assert_uint_eq(sim_trace_count(tr), 2);
	ck_assert(!at(0)->is_retransmission && !at(1)->is_retransmission);
	ck_assert(!at(0)->is_lost && !at(1)->is_lost);
}
END_TEST

START_TEST(a_message_that_the_network_doubled_is_one_and_a_repeat)
{
	json_t *lines = json_array();

	put(lines, 1000, "REGISTER", FAKE_BOTH);
	put_recv_at(lines, 1500, "REGISTER");
	tr = fake_trace_load(lines);
	ck_assert_uint_eq(sim_trace_count(tr), 2);
	ck_assert(!at(0)->is_retransmission);
	ck_assert(at(1)->is_retransmission);
	ck_assert_uint_eq(at(1)->original, 0);
}
END_TEST

START_TEST(a_foreign_box_is_seen_by_its_peer_and_named_by_its_address)
{
	json_t *lines = json_array();
	struct sim_entry e;

	put(lines, 1000, "REGISTER", FAKE_SENT);
	put(lines, 2000, "OPTIONS", FAKE_RECEIVED);
	tr = sim_trace_new();
	sim_trace_actor(tr, "kamailio", "127.1.1.2");
	sim_trace_add(tr, json_array_get(lines, 0));
	sim_trace_finish(tr);
	e = *at(0);
	ck_assert_str_eq(e.to, "kamailio");
	ck_assert(!e.is_lost);
	ck_assert_int_eq(e.recv_us, -1);

	/* more lines, and an exact address goes before the host's */
	sim_trace_actor(tr, "sipp", "127.1.1.1:5060");
	sim_trace_add(tr, json_array_get(lines, 1));
	sim_trace_finish(tr);
	ck_assert_uint_eq(sim_trace_count(tr), 2);
	ck_assert_str_eq(at(1)->from, "sipp");
	ck_assert_int_eq(at(1)->send_us, -1);
	json_decref(lines);
}
END_TEST

START_TEST(who_is_not_known_gets_the_wildcards_name_or_its_host)
{
	const struct fake_msg msg = { .proto = TRACE_SIP,
				      .from = "phone",
				      .to = "pcscf",
				      .data = "A",
				      .len = 1,
				      .ends = FAKE_RECEIVED };
	json_t *lines = json_array();

	fake_trace_msg(lines, &msg);
	tr = fake_trace_load(lines);
	ck_assert_str_eq(at(0)->from, "192.0.2.9");
	sim_trace_actor(tr, "terminal", "*");
	sim_trace_finish(tr);
	ck_assert_str_eq(at(0)->from, "terminal");
}
END_TEST

START_TEST(a_line_that_is_no_trace_line_is_refused)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"t\":1}",
		"{\"t\":\"1\",\"actor\":\"a\",\"kind\":\"event\",\"name\":"
		"\"n\"}",
		"{\"t\":1,\"actor\":\"a\",\"kind\":\"other\"}",
		"{\"t\":1,\"actor\":\"a\",\"kind\":\"event\"}",
		"{\"t\":1,\"actor\":\"a\",\"kind\":\"msg\",\"proto\":\"sip\"}",
		"{\"t\":1,\"actor\":\"a\",\"kind\":\"msg\",\"proto\":\"smtp\","
		"\"dir\":\"send\",\"transport\":\"udp\",\"local\":\"a\","
		"\"remote\":\"b\",\"text\":\"\"}",
		"{\"t\":1,\"actor\":\"a\",\"kind\":\"msg\",\"proto\":\"sip\","
		"\"dir\":\"send\",\"transport\":\"udp\",\"local\":\"a\","
		"\"remote\":\"b\",\"hex\":\"0g\"}",
		"{\"t\":1,\"actor\":\"a\",\"kind\":\"msg\",\"proto\":\"sip\","
		"\"dir\":\"send\",\"transport\":\"udp\",\"local\":\"a\","
		"\"remote\":\"b\",\"hex\":\"012\"}",
	};

	tr = sim_trace_new();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_int_eq(sim_trace_add_text(tr, bad[i], strlen(bad[i])),
				 EINVAL);
	sim_trace_finish(tr);
	ck_assert_uint_eq(sim_trace_count(tr), 0);
}
END_TEST

START_TEST(bytes_that_are_no_text_come_back_exactly)
{
	json_t *lines = json_array();
	const struct fake_msg msg = { .proto = TRACE_SIP,
				      .from = "[::1]",
				      .to = "pcscf",
				      .data = "\xff\0\x01",
				      .len = 3,
				      .ends = FAKE_BOTH };

	fake_trace_msg(lines, &msg);
	tr = fake_trace_load(lines);
	ck_assert_uint_eq(at(0)->len, 3);
	ck_assert_mem_eq(at(0)->data, "\xff\0\x01", 3);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sim_trace");
	TCase *tc = tcase_create("collecting");

	tcase_add_checked_fixture(tc, NULL, free_trace);
	tcase_add_test(tc, both_ends_of_a_message_are_one_entry);
	tcase_add_test(tc, lines_that_come_in_any_order_are_sorted);
	tcase_add_test(tc,
		       a_send_goes_before_its_receive_whatever_the_clocks_say);
	tcase_add_test(
		tc, a_send_that_is_noted_very_late_is_still_the_same_message);
	tcase_add_test(tc, equal_times_keep_what_caused_what);
	tcase_add_test(tc, a_retransmission_is_marked_and_the_lost_one_found);
	tcase_add_test(tc, the_same_bytes_twice_over_tcp_are_two_messages);
	tcase_add_test(tc,
		       a_message_that_the_network_doubled_is_one_and_a_repeat);
	tcase_add_test(
		tc, a_foreign_box_is_seen_by_its_peer_and_named_by_its_address);
	tcase_add_test(tc,
		       who_is_not_known_gets_the_wildcards_name_or_its_host);
	tcase_add_test(tc, a_line_that_is_no_trace_line_is_refused);
	tcase_add_test(tc, bytes_that_are_no_text_come_back_exactly);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
