/* What the HTTPS server refuses, and what comes too late */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "tests/fake/https_guest.h"
#include "tests/suite.h"

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

/* ---- bad input ---- */

START_TEST(a_body_too_long_gets_413_before_it_is_read)
{
	guest_open(1000);
	tls_peer_tx_text(guest, "POST /echo HTTP/1.1\r\nHost: x\r\n"
				"Content-Length: 1001\r\n\r\nbegin");
	bench_run_until(guest_is_closed, guest);
	guest_has(guest->rx, "HTTP/1.1 413 ");
	guest_has(reason_of("https.malformed"), "a body longer than allowed");
	guest_has(bench_msg(bench.server_lines, "recv", 0), "\r\n\r\nbegin");
	guest_has(bench_msg(bench.server_lines, "send", 0), "HTTP/1.1 413 ");
	ck_assert_int_eq(bench.requests, 0);
}
END_TEST

START_TEST(a_chunked_body_too_long_gets_413)
{
	guest_open(1000);
	tls_peer_tx_text(guest, "POST /echo HTTP/1.1\r\nHost: x\r\n"
				"Transfer-Encoding: chunked\r\n\r\n"
				"fffffff\r\nbegin");
	bench_run_until(guest_is_closed, guest);
	guest_has(guest->rx, "HTTP/1.1 413 ");
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

	guest_open(0);
	tls_peer_tx_text(guest, text);
	bench_run_until(guest_is_closed, guest);
	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	guest_has(guest->rx, line);
	/* one refusal, then the end: nothing behind it is read as a request */
	ck_assert_ptr_null(strstr(guest->rx + 1, "HTTP/1.1 "));
	ck_assert_ptr_null(bench_msg(bench.server_lines, "send", 1));
	ck_assert_int_eq(bench.requests, 0);
}

START_TEST(what_is_not_http_gets_400)
{
	refused_with("\x01\x02 rubbish\r\nmore: x\r\n\r\n", 400);
	guest_has(reason_of("https.malformed"), "not an HTTP request");
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
	guest_has(guest->rx, "stands more than once");
	guest_has(reason_of("https.malformed"), "stands more than once");
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

	guest_open(0);
	tls_peer_tx_text(guest, text);
	free(text);
	bench_run_until(guest_is_closed, guest);
	guest_has(guest->rx, "HTTP/1.1 431 ");
	guest_has(guest->rx, "the header X is longer than 8192 bytes");
	ck_assert_int_eq(bench.requests, 0);
}
END_TEST

START_TEST(a_uri_too_long_gets_414)
{
	char *text = xasprintf("GET /echo?%09000d HTTP/1.1\r\n"
			       "Connection: close\r\n\r\n",
			       1);

	guest_open(0);
	tls_peer_tx_text(guest, text);
	free(text);
	bench_run_until(guest_is_closed, guest);
	guest_has(guest->rx, "HTTP/1.1 414 ");
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
	guest_open(0);
	tls_peer_tx_text(guest, "POST /echo HTTP/1.1\r\nHost: x\r\n"
				"Content-Length: 10\r\n\r\nabc");
	tls_peer_shut(guest, true);
	bench_run_until(is_malformed, NULL);
	guest_has(reason_of("https.malformed"), "cut short");
	guest_has(bench_msg(bench.server_lines, "recv", 0), "\r\n\r\nabc");
	ck_assert_int_eq(bench.requests, 0);
}
END_TEST

START_TEST(a_head_cut_short_never_reaches_its_handler)
{
	guest_open(0);
	tls_peer_tx_text(guest, "POST /echo HTTP/1.1\r\nHos");
	tls_peer_shut(guest, false);
	bench_run_until(is_malformed, NULL);
	ck_assert_int_eq(bench.requests, 0);
}
END_TEST

/* ---- TLS that fails ---- */

START_TEST(a_client_without_certificate_is_refused_and_told_so)
{
	bench_serve(true, 0);
	bench_client(NULL, bench.ca);
	guest_has(bench_call("POST", "/echo", "x")->error,
		  "/echo: the server demands a client certificate");
	ck_assert_int_eq(bench.answers[0].status, 0);
	guest_has(reason_of("https.refused"),
		  "it showed no client certificate");
	ck_assert_ptr_nonnull(json_object_get(
		bench_event(bench.server_lines, "https.refused"), "peer"));
	ck_assert_int_eq(bench.requests, 0);
}
END_TEST

START_TEST(a_client_of_another_ca_is_refused)
{
	bench_serve(true, 0);
	bench_client(bench.other_cert, bench.ca);
	guest_has(bench_call("POST", "/echo", "x")->error, "certificate");
	ck_assert_ptr_nonnull(reason_of("https.refused"));
	ck_assert_int_eq(bench.requests, 0);
}
END_TEST

START_TEST(a_server_of_another_ca_is_refused)
{
	bench_serve(false, 0);
	bench_client(NULL, bench.other_ca);
	guest_has(bench_call("POST", "/echo", "x")->error,
		  "/echo: the TLS handshake failed: ");
	ck_assert_int_eq(bench.requests, 0);
	bench_run_until(is_refused, NULL);
}
END_TEST

START_TEST(garbage_in_place_of_tls_is_refused)
{
	bench_serve(true, 0);
	guest = tls_peer_connect_plain(bench.loop,
				       https_server_addr(bench.server));
	tls_peer_tx_text(guest, "\x7f\x45\x4c\x46 this is no TLS at all");
	bench_run_until(is_refused, NULL);
	guest_has(reason_of("https.refused"), "what came is not TLS");
	bench_run_until(guest_is_closed, guest);
}
END_TEST

START_TEST(plain_http_on_the_tls_port_is_refused)
{
	bench_serve(true, 0);
	guest = tls_peer_connect_plain(bench.loop,
				       https_server_addr(bench.server));
	tls_peer_tx_text(guest, "GET / HTTP/1.1\r\n\r\n");
	bench_run_until(is_refused, NULL);
	guest_has(reason_of("https.refused"), "plain HTTP came on a TLS port");
	bench_run_until(guest_is_closed, guest);
}
END_TEST

START_TEST(a_client_gone_within_the_handshake_is_noted)
{
	bench_serve(true, 0);
	guest = tls_peer_connect_plain(bench.loop,
				       https_server_addr(bench.server));
	tls_peer_tx_text(guest, "\x16\x03\x01");
	bench_run_until(guest_is_open, guest);
	tls_peer_shut(guest, false);
	guest = tls_peer_free(guest);
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
	guest_open(0);
	clock_take_over();
	tls_peer_tx_text(guest, "POST /echo HTTP/1.1\r\n");
	clock_advance_us(timer_value_ms(TIMER_HTTPS_IDLE) * 900);
	tls_peer_tx_text(guest, "Host: x\r\n");
	(void)loop_run_until(bench.loop, guest_is_closed, guest, 0);
	ck_assert(!guest->is_closed);
	clock_advance_us(timer_value_ms(TIMER_HTTPS_IDLE) * 100);
	bench_run_until(guest_is_closed, guest);
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
	guest_open(0);
	clock_take_over();
	tls_peer_tx_text(guest, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
	bench_run_until(has_rx, guest);
	pass(TIMER_HTTPS_IDLE);
	bench_run_until(guest_is_closed, guest);
	ck_assert_ptr_null(bench_event(bench.server_lines, "https.malformed"));
}
END_TEST

START_TEST(a_silent_tcp_connection_is_closed)
{
	bench_serve(true, 0);
	guest = tls_peer_connect_plain(bench.loop,
				       https_server_addr(bench.server));
	bench_run_until(guest_is_open, guest);
	loop_run_until(bench.loop, guest_is_closed, guest, 20);
	clock_take_over();
	pass(TIMER_HTTPS_IDLE);
	bench_run_until(guest_is_closed, guest);
	guest_has(reason_of("https.malformed"),
		  "no whole request came in time");
	ck_assert_ptr_null(bench_event(bench.server_lines, "https.refused"));
}
END_TEST

START_TEST(a_handler_may_take_longer_than_the_idle_time)
{
	guest_open(0);
	clock_take_over();
	tls_peer_tx_text(guest, "POST /keep HTTP/1.1\r\nHost: x\r\n"
				"Content-Length: 1\r\n\r\nx");
	bench_run_until(guest_has_kept, NULL);
	pass(TIMER_HTTPS_IDLE);
	/* what is due is called first; then the answer makes a turn */
	loop_defer(bench.loop, answer_kept, NULL);
	bench_run_until(has_rx, guest);
	guest_has(guest->rx, "HTTP/1.1 204 ");
}
END_TEST

START_TEST(a_handler_that_is_late_finds_its_client_gone)
{
	guest_none();
	clock_take_over();
	bench_send("POST", "/keep", "x");
	bench_run_until(guest_has_kept, NULL);
	pass(TIMER_HTTPS_REQUEST);
	guest_has(bench_wait(1)->error, "/keep: no answer within 10000 ms");
	https_reply(bench.kept, 200, NULL, NULL, 0);
}
END_TEST

static TCase *add_case(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, guest_setup, guest_teardown);
	suite_add_tcase(s, tc);

	return tc;
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

static Suite *suite(void)
{
	Suite *s = suite_create("https_refused");

	add_bad_input(add_case(s, "bad input"));
	add_tls(add_case(s, "tls"));
	add_time(add_case(s, "time"));

	return s;
}

SUITE_MAIN(suite)
