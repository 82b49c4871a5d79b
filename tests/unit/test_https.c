#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/hold.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "tests/fake/https_bench.h"
#include "tests/fake/tls_peer.h"
#include "tests/suite.h"

static struct tls_peer *peer;

static void setup(void)
{
	bench_setup();
	peer = NULL;
}

static void teardown(void)
{
	peer = tls_peer_free(peer);
	bench_teardown();
}

static void both(void)
{
	bench_serve(true, 0);
	bench_client(bench.cert, bench.ca);
}

static bool is_open(const void *arg)
{
	return ((const struct tls_peer *)arg)->is_open;
}

static bool is_closed(const void *arg)
{
	return ((const struct tls_peer *)arg)->is_closed;
}

static bool has_kept(const void *arg)
{
	(void)arg;
	return bench.kept != NULL;
}

static bool is_malformed(const void *arg)
{
	(void)arg;
	return bench_event(bench.server_lines, "https.malformed") != NULL;
}

static bool is_refused(const void *arg)
{
	(void)arg;
	return bench_event(bench.server_lines, "https.refused") != NULL;
}

static const char *reason_of(const char *event)
{
	return json_string_value(json_object_get(
		bench_event(bench.server_lines, event), "reason"));
}

static void has(const char *text, const char *wanted)
{
	ck_assert_msg(text && strstr(text, wanted), "\"%s\" is not in \"%s\"",
		      wanted, text ? text : "(null)");
}

/* A peer with the right certificate, its handshake done */
static void open_peer(size_t body_max)
{
	bench_serve(true, body_max);
	peer = tls_peer_connect(bench.loop, https_server_addr(bench.server),
				bench.cert);
	bench_run_until(is_open, peer);
}

/* ---- requests and answers ---- */

START_TEST(each_method_gets_its_answer)
{
	static const char *const methods[] = { "GET", "POST", "PUT" };

	both();
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
	both();
	ck_assert_int_eq(bench_call("POST", "/echo", NULL)->status, 200);
	has(bench_msg(bench.server_lines, "recv", 0), "Content-Length: 0\r\n");
	ck_assert_str_eq(bench.answers[0].body, "");
}
END_TEST

START_TEST(path_header_and_peer_name_are_given_to_the_handler)
{
	const struct answer *a;

	both();
	a = bench_call("DELETE", "/items/a%20b?x=1", NULL);
	has(a->body, "\"name\":\"platform\"");
	has(a->body, "\"token\":\"Bearer t\"");
	has(a->body, "\"path\":\"/items/a%20b\"");
}
END_TEST

START_TEST(a_client_without_certificate_has_no_name)
{
	bench_serve(false, 0);
	bench_client(NULL, bench.ca);
	has(bench_call("GET", "/items/1", NULL)->body, "\"name\":null");
}
END_TEST

START_TEST(an_unknown_path_gets_404_that_names_it)
{
	both();
	ck_assert_int_eq(bench_call("GET", "/nowhere", NULL)->status, 404);
	ck_assert_str_eq(bench.answers[0].body,
			 "{\"error\":\"nothing is at /nowhere\"}");
}
END_TEST

START_TEST(a_wrong_method_gets_405_with_what_is_allowed)
{
	both();
	ck_assert_int_eq(bench_call("DELETE", "/echo", NULL)->status, 405);
	has(bench_msg(bench.server_lines, "send", 0),
	    "Allow: GET, POST, PUT\r\n");
	has(bench.answers[0].body, "DELETE is not for /echo");
}
END_TEST

START_TEST(malformed_json_gets_400_with_line_and_column)
{
	both();
	ck_assert_int_eq(bench_call("POST", "/json", "{\"a\":")->status, 400);
	has(bench.answers[0].body, "line 1, column 5");
	ck_assert_int_eq(bench_call("POST", "/json", "{\"a\":1}")->status, 201);
	ck_assert_str_eq(bench.answers[1].body, "{\"a\":1}");
}
END_TEST

START_TEST(a_later_answer_is_delivered)
{
	both();
	bench_send("POST", "/keep", "x");
	bench_run_until(has_kept, NULL);
	ck_assert_int_eq(bench.answer_n, 0);
	https_reply_error(bench.kept, 503, "the pool is empty");
	ck_assert_int_eq(bench_wait(1)->status, 503);
	has(bench.answers[0].body, "the pool is empty");
}
END_TEST

START_TEST(an_error_that_quotes_broken_utf8_is_still_json)
{
	both();
	bench_send("POST", "/keep", "x");
	bench_run_until(has_kept, NULL);
	https_reply_error(bench.kept, 400, "no number: \xff\xfe");
	ck_assert_str_eq(bench_wait(1)->body, "{\"error\":\"no number: ??\"}");
}
END_TEST

START_TEST(many_requests_in_a_row_and_side_by_side_are_answered)
{
	both();
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
	both();
	ck_assert_int_eq(bench_call("POST", "/echo", body)->status, 200);
	ck_assert_str_eq(bench.answers[0].body, body);
	ck_assert_uint_gt(strlen(bench_msg(bench.client_lines, "recv", 0)),
			  200000);
	free(body);
}
END_TEST

START_TEST(requests_on_one_connection_are_answered_in_turn)
{
	open_peer(0);
	tls_peer_tx_text(peer, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"
			       "POST /echo HTTP/1.1\r\nHost: x\r\n"
			       "Content-Length: 3\r\n\r\ntwo"
			       "GET /echo HTTP/1.1\r\nHost: x\r\n"
			       "Connection: close\r\n\r\n");
	bench_run_until(is_closed, peer);
	ck_assert_int_eq(bench.requests, 3);
	has(peer->rx, "\r\n\r\ntwoHTTP/1.1 200 OK\r\n");
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

	open_peer(0);
	tls_peer_tx_text(peer, text);
	bench_run_until(is_closed, peer);
	has(peer->rx, "\r\n\r\nabcde");
	ck_assert_str_eq(bench_msg(bench.server_lines, "recv", 0), text);
}
END_TEST

/* ---- the trace ---- */

START_TEST(both_ends_trace_the_same_exact_bytes)
{
	json_t *sent, *received;

	both();
	bench_call("POST", "/echo", "exact");
	ck_assert_str_eq(bench_msg(bench.client_lines, "send", 0),
			 bench_msg(bench.server_lines, "recv", 0));
	ck_assert_str_eq(bench_msg(bench.server_lines, "send", 0),
			 bench_msg(bench.client_lines, "recv", 0));
	has(bench_msg(bench.server_lines, "recv", 0),
	    "POST /echo HTTP/1.1\r\n");
	has(bench_msg(bench.server_lines, "recv", 0), "\r\n\r\nexact");
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
	both();
	bench_send("POST", "/keep", "x");
	bench_run_until(has_kept, NULL);
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
	both();
	hold_start(bench.server_el->hold);
	bench_send("POST", "/echo", "x");
	bench_run_until(one_waits, bench.server_el->hold);
	ck_assert_int_eq(bench.requests, 0);
	has(json_string_value(json_object_get(
		    bench_event(bench.server_lines, "message.held"), "what")),
	    "http POST /echo");
	ck_assert_int_eq(hold_release(bench.server_el->hold, 1), 0);
	ck_assert_int_eq(bench_wait(1)->status, 200);
}
END_TEST

START_TEST(a_held_answer_waits_for_its_release)
{
	both();
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
	both();
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
	both();
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
	both();
	bench_send("POST", "/told", "x");
	bench_run_until(has_kept, NULL);
	bench.client = https_client_free(bench.client);
	bench_run_until(is_told, NULL);
	ck_assert_ptr_null(bench.kept);
}
END_TEST

START_TEST(an_answer_to_a_client_that_went_away_is_dropped)
{
	both();
	bench_send("POST", "/keep", "x");
	bench_run_until(has_kept, NULL);
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
	open_peer(0);
	tls_peer_tx_text(peer, "POST /told HTTP/1.1\r\nHost: x\r\n"
			       "Content-Length: 1\r\n\r\nx");
	tls_peer_shut(peer, true);
	bench_run_until(is_told, NULL);
	ck_assert_int_eq(bench.requests, 1);
}
END_TEST

START_TEST(a_server_freed_with_a_request_open_frees_it)
{
	both();
	bench_send("POST", "/told", "x");
	bench_run_until(has_kept, NULL);
	bench.server = https_server_free(bench.server);
	has(bench_wait(1)->error, "closed the connection without an answer");
	ck_assert_int_eq(bench.gone, 0);
}
END_TEST

/* ---- bad input ---- */

START_TEST(a_body_too_long_gets_413_before_it_is_read)
{
	open_peer(1000);
	tls_peer_tx_text(peer, "POST /echo HTTP/1.1\r\nHost: x\r\n"
			       "Content-Length: 1001\r\n\r\nbegin");
	bench_run_until(is_closed, peer);
	has(peer->rx, "HTTP/1.1 413 ");
	has(reason_of("https.malformed"), "a body longer than allowed");
	has(bench_msg(bench.server_lines, "recv", 0), "\r\n\r\nbegin");
	has(bench_msg(bench.server_lines, "send", 0), "HTTP/1.1 413 ");
	ck_assert_int_eq(bench.requests, 0);
}
END_TEST

START_TEST(a_chunked_body_too_long_gets_413)
{
	open_peer(1000);
	tls_peer_tx_text(peer, "POST /echo HTTP/1.1\r\nHost: x\r\n"
			       "Transfer-Encoding: chunked\r\n\r\n"
			       "fffffff\r\nbegin");
	bench_run_until(is_closed, peer);
	has(peer->rx, "HTTP/1.1 413 ");
	ck_assert_int_eq(bench.requests, 0);
}
END_TEST

START_TEST(a_client_that_still_sends_reads_the_413)
{
	/* more than the socket's buffers take */
	enum { LEN = 12 << 20 };
	char *body = xcalloc(1, LEN + 1);

	memset(body, 'x', LEN);
	bench_serve(true, 1000);
	bench_client(bench.cert, bench.ca);
	bench_send("POST", "/echo", body);
	free(body);
	ck_assert_int_eq(bench_wait(1)->status, 413);
	ck_assert_int_eq(bench.requests, 0);
}
END_TEST

static void refused_with(const char *text, int status)
{
	char line[32];

	open_peer(0);
	tls_peer_tx_text(peer, text);
	bench_run_until(is_closed, peer);
	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	has(peer->rx, line);
	/* one refusal, then the end: nothing behind it is read as a request */
	ck_assert_ptr_null(strstr(peer->rx + 1, "HTTP/1.1 "));
	ck_assert_ptr_null(bench_msg(bench.server_lines, "send", 1));
	ck_assert_int_eq(bench.requests, 0);
}

START_TEST(what_is_not_http_gets_400)
{
	refused_with("\x01\x02 rubbish\r\nmore: x\r\n\r\n", 400);
	has(reason_of("https.malformed"), "not an HTTP request");
}
END_TEST

START_TEST(a_header_without_colon_gets_400)
{
	refused_with("GET /echo HTTP/1.1\r\nHost x\r\n\r\n", 400);
}
END_TEST

START_TEST(a_length_that_is_no_number_gets_400)
{
	refused_with("POST /echo HTTP/1.1\r\nContent-Length: 1x\r\n\r\nab",
		     400);
}
END_TEST

START_TEST(a_negative_length_gets_400)
{
	refused_with("POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\nab",
		     400);
}
END_TEST

START_TEST(two_lengths_get_400)
{
	refused_with("POST /echo HTTP/1.1\r\nContent-Length: 2\r\n"
		     "Content-Length: 2\r\n\r\nab",
		     400);
	has(peer->rx, "stands more than once");
	has(reason_of("https.malformed"), "stands more than once");
}
END_TEST

START_TEST(a_length_beside_chunks_gets_400)
{
	refused_with("POST /echo HTTP/1.1\r\nContent-Length: 2\r\n"
		     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		     400);
	ck_assert_ptr_nonnull(reason_of("https.malformed"));
}
END_TEST

START_TEST(an_unknown_method_gets_501)
{
	refused_with("BREW /echo HTTP/1.1\r\nHost: x\r\n\r\n", 501);
}
END_TEST

START_TEST(a_header_line_too_long_gets_431)
{
	char *text = xasprintf("GET /echo HTTP/1.1\r\n"
			       "X: %09000d\r\n\r\n",
			       1);

	open_peer(0);
	tls_peer_tx_text(peer, text);
	free(text);
	bench_run_until(is_closed, peer);
	has(peer->rx, "HTTP/1.1 431 ");
	has(peer->rx, "the header X is longer than 8192 bytes");
	ck_assert_int_eq(bench.requests, 0);
}
END_TEST

START_TEST(a_uri_too_long_gets_414)
{
	char *text = xasprintf("GET /echo?%09000d HTTP/1.1\r\n"
			       "Connection: close\r\n\r\n",
			       1);

	open_peer(0);
	tls_peer_tx_text(peer, text);
	free(text);
	bench_run_until(is_closed, peer);
	has(peer->rx, "HTTP/1.1 414 ");
}
END_TEST

START_TEST(headers_without_end_get_400)
{
	char *text = xasprintf("GET /echo HTTP/1.1\r\nX: %066000d", 1);

	refused_with(text, 400);
	free(text);
}
END_TEST

START_TEST(a_request_cut_short_never_reaches_its_handler)
{
	open_peer(0);
	tls_peer_tx_text(peer, "POST /echo HTTP/1.1\r\nHost: x\r\n"
			       "Content-Length: 10\r\n\r\nabc");
	tls_peer_shut(peer, true);
	bench_run_until(is_malformed, NULL);
	has(reason_of("https.malformed"), "cut short");
	has(bench_msg(bench.server_lines, "recv", 0), "\r\n\r\nabc");
	ck_assert_int_eq(bench.requests, 0);
}
END_TEST

START_TEST(a_head_cut_short_never_reaches_its_handler)
{
	open_peer(0);
	tls_peer_tx_text(peer, "POST /echo HTTP/1.1\r\nHos");
	tls_peer_shut(peer, false);
	bench_run_until(is_malformed, NULL);
	ck_assert_int_eq(bench.requests, 0);
}
END_TEST

/* ---- TLS that fails ---- */

START_TEST(a_client_without_certificate_is_refused_and_told_so)
{
	bench_serve(true, 0);
	bench_client(NULL, bench.ca);
	has(bench_call("POST", "/echo", "x")->error,
	    "/echo: the server demands a client certificate");
	ck_assert_int_eq(bench.answers[0].status, 0);
	has(reason_of("https.refused"), "it showed no client certificate");
	ck_assert_ptr_nonnull(json_object_get(
		bench_event(bench.server_lines, "https.refused"), "peer"));
	ck_assert_int_eq(bench.requests, 0);
}
END_TEST

START_TEST(a_client_of_another_ca_is_refused)
{
	bench_serve(true, 0);
	bench_client(bench.other_cert, bench.ca);
	has(bench_call("POST", "/echo", "x")->error, "certificate");
	ck_assert_ptr_nonnull(reason_of("https.refused"));
	ck_assert_int_eq(bench.requests, 0);
}
END_TEST

START_TEST(a_server_of_another_ca_is_refused)
{
	bench_serve(false, 0);
	bench_client(NULL, bench.other_ca);
	has(bench_call("POST", "/echo", "x")->error,
	    "/echo: the TLS handshake failed: ");
	ck_assert_int_eq(bench.requests, 0);
	bench_run_until(is_refused, NULL);
}
END_TEST

START_TEST(garbage_in_place_of_tls_is_refused)
{
	bench_serve(true, 0);
	peer = tls_peer_connect_plain(bench.loop,
				      https_server_addr(bench.server));
	tls_peer_tx_text(peer, "\x7f\x45\x4c\x46 this is no TLS at all");
	bench_run_until(is_refused, NULL);
	has(reason_of("https.refused"), "what came is not TLS");
	bench_run_until(is_closed, peer);
}
END_TEST

START_TEST(plain_http_on_the_tls_port_is_refused)
{
	bench_serve(true, 0);
	peer = tls_peer_connect_plain(bench.loop,
				      https_server_addr(bench.server));
	tls_peer_tx_text(peer, "GET / HTTP/1.1\r\n\r\n");
	bench_run_until(is_refused, NULL);
	has(reason_of("https.refused"), "plain HTTP came on a TLS port");
	bench_run_until(is_closed, peer);
}
END_TEST

START_TEST(a_client_gone_within_the_handshake_is_noted)
{
	bench_serve(true, 0);
	peer = tls_peer_connect_plain(bench.loop,
				      https_server_addr(bench.server));
	tls_peer_tx_text(peer, "\x16\x03\x01");
	bench_run_until(is_open, peer);
	tls_peer_shut(peer, false);
	peer = tls_peer_free(peer);
	bench_run_until(is_refused, NULL);
}
END_TEST

/* ---- time ---- */

static void pass(enum timer_id id)
{
	clock_advance_us(timer_value_ms(id) * 1000);
}

static void answer_kept(void *arg)
{
	(void)arg;
	https_reply(bench.kept, 204, NULL, NULL, 0);
}

START_TEST(a_request_that_drips_is_closed_in_time)
{
	open_peer(0);
	clock_take_over();
	tls_peer_tx_text(peer, "POST /echo HTTP/1.1\r\n");
	clock_advance_us(timer_value_ms(TIMER_HTTPS_IDLE) * 900);
	tls_peer_tx_text(peer, "Host: x\r\n");
	(void)loop_run_until(bench.loop, is_closed, peer, 0);
	ck_assert(!peer->is_closed);
	clock_advance_us(timer_value_ms(TIMER_HTTPS_IDLE) * 100);
	bench_run_until(is_closed, peer);
	bench_run_until(is_malformed, NULL);
	ck_assert_int_eq(bench.requests, 0);
}
END_TEST

static bool has_rx(const void *arg)
{
	return ((const struct tls_peer *)arg)->len > 0;
}

START_TEST(a_silent_connection_is_closed_after_its_answer)
{
	open_peer(0);
	clock_take_over();
	tls_peer_tx_text(peer, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	bench_run_until(has_rx, peer);
	pass(TIMER_HTTPS_IDLE);
	bench_run_until(is_closed, peer);
	ck_assert_ptr_null(bench_event(bench.server_lines, "https.malformed"));
}
END_TEST

START_TEST(a_silent_tcp_connection_is_closed)
{
	bench_serve(true, 0);
	peer = tls_peer_connect_plain(bench.loop,
				      https_server_addr(bench.server));
	bench_run_until(is_open, peer);
	loop_run_until(bench.loop, is_closed, peer, 20);
	clock_take_over();
	pass(TIMER_HTTPS_IDLE);
	bench_run_until(is_closed, peer);
	has(reason_of("https.malformed"), "no whole request came in time");
	ck_assert_ptr_null(bench_event(bench.server_lines, "https.refused"));
}
END_TEST

START_TEST(a_handler_may_take_longer_than_the_idle_time)
{
	open_peer(0);
	clock_take_over();
	tls_peer_tx_text(peer, "POST /keep HTTP/1.1\r\nHost: x\r\n"
			       "Content-Length: 1\r\n\r\nx");
	bench_run_until(has_kept, NULL);
	pass(TIMER_HTTPS_IDLE);
	/* what is due is called first; then the answer makes a turn */
	loop_defer(bench.loop, answer_kept, NULL);
	bench_run_until(has_rx, peer);
	has(peer->rx, "HTTP/1.1 204 ");
}
END_TEST

START_TEST(a_handler_that_is_late_finds_its_client_gone)
{
	both();
	clock_take_over();
	bench_send("POST", "/keep", "x");
	bench_run_until(has_kept, NULL);
	pass(TIMER_HTTPS_REQUEST);
	has(bench_wait(1)->error, "/keep: no answer within 10000 ms");
	https_reply(bench.kept, 200, NULL, NULL, 0);
}
END_TEST

static TCase *add_case(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
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

static void add_bad_input(TCase *tc)
{
	tcase_add_test(tc, a_body_too_long_gets_413_before_it_is_read);
	tcase_add_test(tc, a_chunked_body_too_long_gets_413);
	tcase_add_test(tc, a_client_that_still_sends_reads_the_413);
	tcase_add_test(tc, what_is_not_http_gets_400);
	tcase_add_test(tc, a_header_without_colon_gets_400);
	tcase_add_test(tc, a_length_that_is_no_number_gets_400);
	tcase_add_test(tc, a_negative_length_gets_400);
	tcase_add_test(tc, two_lengths_get_400);
	tcase_add_test(tc, a_length_beside_chunks_gets_400);
	tcase_add_test(tc, an_unknown_method_gets_501);
	tcase_add_test(tc, a_header_line_too_long_gets_431);
	tcase_add_test(tc, a_uri_too_long_gets_414);
	tcase_add_test(tc, headers_without_end_get_400);
	tcase_add_test(tc, a_request_cut_short_never_reaches_its_handler);
	tcase_add_test(tc, a_head_cut_short_never_reaches_its_handler);
}

static void add_tls(TCase *tc)
{
	tcase_add_test(tc, a_client_without_certificate_is_refused_and_told_so);
	tcase_add_test(tc, a_client_of_another_ca_is_refused);
	tcase_add_test(tc, a_server_of_another_ca_is_refused);
	tcase_add_test(tc, garbage_in_place_of_tls_is_refused);
	tcase_add_test(tc, plain_http_on_the_tls_port_is_refused);
	tcase_add_test(tc, a_client_gone_within_the_handshake_is_noted);
}

static void add_time(TCase *tc)
{
	tcase_add_test(tc, a_request_that_drips_is_closed_in_time);
	tcase_add_test(tc, a_silent_connection_is_closed_after_its_answer);
	tcase_add_test(tc, a_silent_tcp_connection_is_closed);
	tcase_add_test(tc, a_handler_may_take_longer_than_the_idle_time);
	tcase_add_test(tc, a_handler_that_is_late_finds_its_client_gone);
}

static Suite *https_suite(void)
{
	Suite *s = suite_create("https");

	add_requests(add_case(s, "requests"));
	add_hold(add_case(s, "hold"));
	add_gone(add_case(s, "gone"));
	add_bad_input(add_case(s, "bad input"));
	add_tls(add_case(s, "tls"));
	add_time(add_case(s, "time"));

	return s;
}

SUITE_MAIN(https_suite)
