/* HTTPS, both ends: requests, answers, holding, and who goes away */
#include <string.h>

#include "common/element.h"
#include "common/hold.h"
#include "common/loop.h"
#include "common/mem.h"
#include "tests/fake/https_guest.h"
#include "tests/suite.h"

/* ---- requests and answers ---- */

START_TEST(each_method_gets_its_answer)
{
	static const char *const methods[] = { "GET", "POST", "PUT" };

	guest_none();
	for (int i = 0; i < 3; i++) {
		const struct answer *a = bench_call(methods[i], "/echo", "hi");

		ck_assert_int_eq(a->status, 200);
		ck_assert_str_eq(a->body, "hi");
		ck_assert_int_eq(a->retry_after_s, 7);
	}
	ck_assert_int_eq(bench_call("DELETE", "/items/7", NULL)->status, 200);
}
END_TEST

START_TEST(an_empty_post_says_that_its_body_is_empty)
{
	guest_none();
	ck_assert_int_eq(bench_call("POST", "/echo", NULL)->status, 200);
	guest_has(bench_msg(bench.server_lines, "recv", 0),
		  "Content-Length: 0\r\n");
	ck_assert_str_eq(bench.answers[0].body, "");
}
END_TEST

START_TEST(path_header_and_peer_name_are_given_to_the_handler)
{
	const struct answer *a;

	guest_none();
	a = bench_call("DELETE", "/items/a%20b?x=1", NULL);
	guest_has(a->body, "\"name\":\"platform\"");
	guest_has(a->body, "\"token\":\"Bearer t\"");
	guest_has(a->body, "\"path\":\"/items/a%20b\"");
}
END_TEST

START_TEST(a_client_without_certificate_has_no_name)
{
	bench_serve(false, 0);
	bench_client(NULL, bench.ca);
	guest_has(bench_call("GET", "/items/1", NULL)->body, "\"name\":null");
}
END_TEST

START_TEST(an_unknown_path_gets_404_that_names_it)
{
	guest_none();
	ck_assert_int_eq(bench_call("GET", "/nowhere", NULL)->status, 404);
	ck_assert_str_eq(bench.answers[0].body,
			 "{\"error\":\"nothing is at /nowhere\"}");
}
END_TEST

START_TEST(a_wrong_method_gets_405_with_what_is_allowed)
{
	guest_none();
	ck_assert_int_eq(bench_call("DELETE", "/echo", NULL)->status, 405);
	guest_has(bench_msg(bench.server_lines, "send", 0),
		  "Allow: GET, POST, PUT\r\n");
	guest_has(bench.answers[0].body, "DELETE is not for /echo");
}
END_TEST

START_TEST(malformed_json_gets_400_with_line_and_column)
{
	guest_none();
	ck_assert_int_eq(bench_call("POST", "/json", "{\"a\":")->status, 400);
	guest_has(bench.answers[0].body, "line 1, column 5");
	ck_assert_int_eq(bench_call("POST", "/json", "{\"a\":1}")->status, 201);
	ck_assert_str_eq(bench.answers[1].body, "{\"a\":1}");
}
END_TEST

START_TEST(a_later_answer_is_delivered)
{
	guest_none();
	bench_send("POST", "/keep", "x");
	bench_run_until(guest_has_kept, NULL);
	ck_assert_int_eq(bench.answer_n, 0);
	https_reply_error(bench.kept, 503, "the pool is empty");
	ck_assert_int_eq(bench_wait(1)->status, 503);
	guest_has(bench.answers[0].body, "the pool is empty");
}
END_TEST

START_TEST(an_error_that_quotes_broken_utf8_is_still_json)
{
	guest_none();
	bench_send("POST", "/keep", "x");
	bench_run_until(guest_has_kept, NULL);
	https_reply_error(bench.kept, 400, "no number: \xff\xfe");
	ck_assert_str_eq(bench_wait(1)->body, "{\"error\":\"no number: ??\"}");
}
END_TEST

START_TEST(many_requests_in_a_row_and_side_by_side_are_answered)
{
	guest_none();
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(bench_call("POST", "/echo", "row")->status,
				 200);
	for (int i = 0; i < 32; i++)
		bench_send("POST", "/echo", "side");
	ck_assert_str_eq(bench_wait(232)->body, "side");
	ck_assert_int_eq(bench.requests, 232);
}
END_TEST

START_TEST(a_body_of_many_records_is_delivered)
{
	char *body = xcalloc(1, 200001);

	memset(body, 'x', 200000);
	guest_none();
	ck_assert_int_eq(bench_call("POST", "/echo", body)->status, 200);
	ck_assert_str_eq(bench.answers[0].body, body);
	ck_assert_uint_gt(strlen(bench_msg(bench.client_lines, "recv", 0)),
			  200000);
	free(body);
}
END_TEST

START_TEST(requests_on_one_connection_are_answered_in_turn)
{
	guest_open(0);
	tls_peer_tx_text(guest, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"
				"POST /echo HTTP/1.1\r\nHost: x\r\n"
				"Content-Length: 3\r\n\r\ntwo"
				"GET /echo HTTP/1.1\r\nHost: x\r\n"
				"Connection: close\r\n\r\n");
	bench_run_until(guest_is_closed, guest);
	ck_assert_int_eq(bench.requests, 3);
	guest_has(guest->rx, "\r\n\r\ntwoHTTP/1.1 200 OK\r\n");
	ck_assert_ptr_nonnull(bench_msg(bench.server_lines, "recv", 2));
	ck_assert_ptr_null(bench_event(bench.server_lines, "https.malformed"));
}
END_TEST

START_TEST(a_chunked_request_is_read_and_traced_whole)
{
	static const char text[] = "POST /echo HTTP/1.1\r\nHost: x\r\n"
				   "Transfer-Encoding: chunked\r\n"
				   "Connection: close\r\n\r\n"
				   "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";

	guest_open(0);
	tls_peer_tx_text(guest, text);
	bench_run_until(guest_is_closed, guest);
	guest_has(guest->rx, "\r\n\r\nabcde");
	ck_assert_str_eq(bench_msg(bench.server_lines, "recv", 0), text);
}
END_TEST

/* ---- the trace ---- */

START_TEST(both_ends_trace_the_same_exact_bytes)
{
	json_t *sent, *received;

	guest_none();
	bench_call("POST", "/echo", "exact");
	ck_assert_str_eq(bench_msg(bench.client_lines, "send", 0),
			 bench_msg(bench.server_lines, "recv", 0));
	ck_assert_str_eq(bench_msg(bench.server_lines, "send", 0),
			 bench_msg(bench.client_lines, "recv", 0));
	guest_has(bench_msg(bench.server_lines, "recv", 0),
		  "POST /echo HTTP/1.1\r\n");
	guest_has(bench_msg(bench.server_lines, "recv", 0), "\r\n\r\nexact");
	ck_assert_uint_eq(json_array_size(bench.client_lines), 2);
	ck_assert_uint_eq(json_array_size(bench.server_lines), 2);

	sent = json_array_get(bench.client_lines, 0);
	received = json_array_get(bench.server_lines, 0);
	ck_assert(json_equal(json_object_get(sent, "local"),
			     json_object_get(received, "remote")));
	ck_assert(json_equal(json_object_get(sent, "remote"),
			     json_object_get(received, "local")));
	ck_assert_str_eq(json_string_value(json_object_get(sent, "remote")),
			 https_server_addr(bench.server));
	ck_assert_str_eq(json_string_value(json_object_get(sent, "transport")),
			 "tls");
	ck_assert_str_eq(json_string_value(json_object_get(sent, "proto")),
			 "http");
}
END_TEST

START_TEST(a_request_is_traced_before_its_handler_runs)
{
	guest_none();
	bench_send("POST", "/keep", "x");
	bench_run_until(guest_has_kept, NULL);
	ck_assert_ptr_nonnull(bench_msg(bench.server_lines, "recv", 0));
	https_reply(bench.kept, 204, NULL, NULL, 0);
	ck_assert_int_eq(bench_wait(1)->status, 204);
}
END_TEST

/* ---- holding ---- */

static bool one_waits(const void *arg)
{
	return hold_count(arg) == 1;
}

START_TEST(a_held_request_waits_for_its_release)
{
	guest_none();
	hold_start(bench.server_el->hold);
	bench_send("POST", "/echo", "x");
	bench_run_until(one_waits, bench.server_el->hold);
	ck_assert_int_eq(bench.requests, 0);
	guest_has(json_string_value(json_object_get(
			  bench_event(bench.server_lines, "message.held"),
			  "what")),
		  "http POST /echo");
	ck_assert_int_eq(hold_release(bench.server_el->hold, 1), 0);
	ck_assert_int_eq(bench_wait(1)->status, 200);
}
END_TEST

START_TEST(a_held_answer_waits_for_its_release)
{
	guest_none();
	hold_start(bench.client_el->hold);
	bench_send("POST", "/echo", "x");
	bench_run_until(one_waits, bench.client_el->hold);
	ck_assert_int_eq(bench.answer_n, 0);
	hold_stop(bench.client_el->hold);
	ck_assert_int_eq(bench_wait(1)->status, 200);
}
END_TEST

START_TEST(a_held_request_of_a_client_that_went_away_is_dropped)
{
	guest_none();
	hold_start(bench.server_el->hold);
	bench_send("POST", "/echo", "x");
	bench_run_until(one_waits, bench.server_el->hold);
	bench.client = https_client_free(bench.client);
	while (hold_count(bench.server_el->hold))
		loop_run_until(bench.loop, one_waits, bench.client_el->hold, 5);
	hold_stop(bench.server_el->hold);
	ck_assert_int_eq(bench.requests, 0);
	ck_assert_ptr_nonnull(
		bench_event(bench.server_lines, "message.dropped"));
}
END_TEST

START_TEST(freeing_both_ends_drops_what_is_held)
{
	guest_none();
	hold_start(bench.server_el->hold);
	hold_start(bench.client_el->hold);
	bench_send("POST", "/echo", "x");
	bench_run_until(one_waits, bench.server_el->hold);
	hold_stop(bench.server_el->hold);
	bench_run_until(one_waits, bench.client_el->hold);
	hold_start(bench.server_el->hold);
	bench_send("POST", "/echo", "y");
	bench_run_until(one_waits, bench.server_el->hold);
	bench.server = https_server_free(bench.server);
	bench.client = https_client_free(bench.client);
	ck_assert_uint_eq(hold_count(bench.server_el->hold), 0);
	ck_assert_uint_eq(hold_count(bench.client_el->hold), 0);
	ck_assert_int_eq(bench.answer_n, 0);
}
END_TEST

/* ---- a client that goes away ---- */

static bool is_told(const void *arg)
{
	(void)arg;
	return bench.gone > 0;
}

START_TEST(a_handler_is_told_that_its_client_went_away)
{
	guest_none();
	bench_send("POST", "/told", "x");
	bench_run_until(guest_has_kept, NULL);
	bench.client = https_client_free(bench.client);
	bench_run_until(is_told, NULL);
	ck_assert_ptr_null(bench.kept);
}
END_TEST

START_TEST(an_answer_to_a_client_that_went_away_is_dropped)
{
	guest_none();
	bench_send("POST", "/keep", "x");
	bench_run_until(guest_has_kept, NULL);
	bench.client = https_client_free(bench.client);
	loop_run_until(bench.loop, is_told, NULL, 20);
	https_req_add_header(bench.kept, "X", "y");
	ck_assert_str_eq(https_req_path(bench.kept), "/keep");
	ck_assert_str_eq(https_req_body(bench.kept, NULL), "x");
	https_reply_error(bench.kept, 503, "too late");
	ck_assert_ptr_null(bench_msg(bench.server_lines, "send", 0));
}
END_TEST

START_TEST(a_request_and_its_end_in_one_write_harm_nothing)
{
	guest_open(0);
	tls_peer_tx_text(guest, "POST /told HTTP/1.1\r\nHost: x\r\n"
				"Content-Length: 1\r\n\r\nx");
	tls_peer_shut(guest, true);
	bench_run_until(is_told, NULL);
	ck_assert_int_eq(bench.requests, 1);
}
END_TEST

START_TEST(a_server_freed_with_a_request_open_frees_it)
{
	guest_none();
	bench_send("POST", "/told", "x");
	bench_run_until(guest_has_kept, NULL);
	bench.server = https_server_free(bench.server);
	guest_has(bench_wait(1)->error,
		  "closed the connection without an answer");
	ck_assert_int_eq(bench.gone, 0);
}
END_TEST

static TCase *add_case(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, guest_setup, guest_teardown);
	suite_add_tcase(s, tc);

	return tc;
}

static void add_requests(TCase *tc)
{
	tcase_add_test(tc, each_method_gets_its_answer);
	tcase_add_test(tc, an_empty_post_says_that_its_body_is_empty);
	tcase_add_test(tc, path_header_and_peer_name_are_given_to_the_handler);
	tcase_add_test(tc, a_client_without_certificate_has_no_name);
	tcase_add_test(tc, an_unknown_path_gets_404_that_names_it);
	tcase_add_test(tc, a_wrong_method_gets_405_with_what_is_allowed);
	tcase_add_test(tc, malformed_json_gets_400_with_line_and_column);
	tcase_add_test(tc, a_later_answer_is_delivered);
	tcase_add_test(tc, an_error_that_quotes_broken_utf8_is_still_json);
	tcase_add_test(tc,
		       many_requests_in_a_row_and_side_by_side_are_answered);
	tcase_add_test(tc, a_body_of_many_records_is_delivered);
	tcase_add_test(tc, requests_on_one_connection_are_answered_in_turn);
	tcase_add_test(tc, a_chunked_request_is_read_and_traced_whole);
	tcase_add_test(tc, both_ends_trace_the_same_exact_bytes);
	tcase_add_test(tc, a_request_is_traced_before_its_handler_runs);
}

static void add_hold(TCase *tc)
{
	tcase_add_test(tc, a_held_request_waits_for_its_release);
	tcase_add_test(tc, a_held_answer_waits_for_its_release);
	tcase_add_test(tc,
		       a_held_request_of_a_client_that_went_away_is_dropped);
	tcase_add_test(tc, freeing_both_ends_drops_what_is_held);
}

static void add_gone(TCase *tc)
{
	tcase_add_test(tc, a_handler_is_told_that_its_client_went_away);
	tcase_add_test(tc, an_answer_to_a_client_that_went_away_is_dropped);
	tcase_add_test(tc, a_request_and_its_end_in_one_write_harm_nothing);
	tcase_add_test(tc, a_server_freed_with_a_request_open_frees_it);
}

static Suite *suite(void)
{
	Suite *s = suite_create("https");

	add_requests(add_case(s, "requests"));
	add_hold(add_case(s, "hold"));
	add_gone(add_case(s, "gone"));

	return s;
}

SUITE_MAIN(suite)
