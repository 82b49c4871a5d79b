#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "tests/fake/https_bench.h"
#include "tests/fake/tls_peer.h"
#include "tests/suite.h"

/* The server is a peer that sends just what the test says */
static struct tls_peer *peer;

static void setup(void)
{
	bench_setup();
	bench_client(bench.cert, bench.ca);
	peer = NULL;
}

static void teardown(void)
{
	peer = tls_peer_free(peer);
	bench_teardown();
}

static void has(const char *text, const char *wanted)
{
	ck_assert_msg(text && strstr(text, wanted), "\"%s\" is not in \"%s\"",
		      wanted, text ? text : "(null)");
}

static bool has_request(const void *arg)
{
	(void)arg;
	return strstr(peer->rx, "\r\n\r\n") != NULL;
}

static bool is_accepted(const void *arg)
{
	(void)arg;
	return peer->bev != NULL;
}

/* A request has come to a server of the right certificate */
static void ask(void)
{
	peer = tls_peer_listen(bench.loop, bench.cert);
	bench_send_url("GET", peer->url, NULL);
	bench_run_until(has_request, NULL);
}

/* The server's bytes, then its end: what the call gives */
static const struct answer *answered(const char *bytes, bool is_polite)
{
	ask();
	tls_peer_tx_text(peer, bytes);
	tls_peer_shut(peer, is_polite);

	return bench_wait(1);
}

static void fails(const char *url, const char *wanted)
{
	const struct answer *a;

	bench_send_url("GET", url, NULL);
	a = bench_wait(bench.answer_n + 1);
	ck_assert_int_eq(a->status, 0);
	has(a->error, wanted);
	ck_assert_msg(!strncmp(a->error, url, strlen(url)), "%s", a->error);
	ck_assert_ptr_nonnull(bench_event(bench.client_lines, "https.failed"));
}

/* ---- answers ---- */

START_TEST(an_answer_and_the_end_at_once_are_delivered)
{
	const struct answer *a =
		answered("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
			 "Retry-After: 5\r\n\r\nab",
			 true);

	ck_assert_str_eq(a->body, "ab");
	ck_assert_int_eq(a->status, 200);
	ck_assert_int_eq(a->retry_after_s, 5);
}
END_TEST

START_TEST(a_whole_answer_without_goodbye_is_delivered)
{
	ck_assert_str_eq(answered("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
				  "\r\nab",
				  false)
				 ->body,
			 "ab");
}
END_TEST

START_TEST(an_answer_in_pieces_and_the_end_are_delivered)
{
	ask();
	for (const char *p = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"; *p;
	     p++)
		tls_peer_tx(peer, p, 1);
	tls_peer_tx_text(peer, "ab");
	tls_peer_shut(peer, true);
	ck_assert_str_eq(bench_wait(1)->body, "ab");
}
END_TEST

static bool never(const void *arg)
{
	(void)arg;
	return false;
}

/* The rest and the goodbye are read in one go, into a buffer that is partly
 * full: without deferred callbacks the bufferevent tells the end first */
START_TEST(the_rest_of_an_answer_and_the_end_at_once_are_delivered)
{
	char *head = xasprintf("HTTP/1.1 200 OK\r\nContent-Length: 6000\r\n"
			       "\r\n%05000d",
			       1);
	char *rest = xasprintf("%01000d", 2);

	ask();
	tls_peer_tx_text(peer, head);
	(void)loop_run_until(bench.loop, never, NULL, 20);
	tls_peer_tx_text(peer, rest);
	tls_peer_shut(peer, true);
	ck_assert_int_eq(bench_wait(1)->status, 200);
	ck_assert_uint_eq(strlen(bench.answers[0].body), 6000);
	free(head);
	free(rest);
}
END_TEST

START_TEST(a_chunked_answer_is_delivered)
{
	ck_assert_str_eq(answered("HTTP/1.1 200 OK\r\n"
				  "Transfer-Encoding: chunked\r\n\r\n"
				  "2\r\nab\r\n0\r\n\r\n",
				  true)
				 ->body,
			 "ab");
}
END_TEST

START_TEST(a_retry_after_that_is_no_number_is_none)
{
	ck_assert_int_eq(answered("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n"
				  "Retry-After: tomorrow\r\n\r\n",
				  true)
				 ->retry_after_s,
			 0);
}
END_TEST

/* ---- answers that are none ---- */

START_TEST(an_answer_cut_short_is_said_to_be)
{
	const struct answer *a = answered("HTTP/1.1 200 OK\r\n"
					  "Content-Length: 10\r\n\r\nabc",
					  true);

	ck_assert_int_eq(a->status, 0);
	has(a->error, "/x: the answer was cut short");
	has(bench_msg(bench.client_lines, "recv", 0), "\r\n\r\nabc");
	ck_assert_ptr_nonnull(
		bench_event(bench.client_lines, "https.malformed"));
}
END_TEST

START_TEST(a_chunked_answer_cut_short_is_said_to_be)
{
	has(answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		     "5\r\nab",
		     false)
		    ->error,
	    "/x: the answer was cut short");
}
END_TEST

START_TEST(a_server_that_closes_in_place_of_an_answer_is_said_to)
{
	has(answered("", true)->error,
	    "/x: the server closed the connection without an answer");
}
END_TEST

START_TEST(an_answer_that_is_not_http_is_said_to_be)
{
	has(answered("220 mail.test ESMTP\r\n\r\n", true)->error,
	    "/x: the answer is not HTTP/1.1");
}
END_TEST

START_TEST(an_answer_too_long_is_refused)
{
	has(answered("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nab",
		     true)
		    ->error,
	    "/x: the answer is longer than ");
}
END_TEST

/* ---- no connection ---- */

START_TEST(a_refused_connection_is_said_to_be)
{
	char url[64];

	peer = tls_peer_listen_plain(bench.loop);
	snprintf(url, sizeof(url), "%s", peer->url);
	peer = tls_peer_free(peer);
	fails(url, "/x: connection refused");
}
END_TEST

START_TEST(a_server_that_is_not_tls_is_said_to_be)
{
	peer = tls_peer_listen_plain(bench.loop);
	bench_send_url("GET", peer->url, NULL);
	bench_run_until(is_accepted, NULL);
	tls_peer_tx_text(peer, "220 mail.test ESMTP\r\n");
	has(bench_wait(1)->error,
	    "/x: the TLS handshake failed: what came is not TLS");
}
END_TEST

START_TEST(a_server_gone_within_the_handshake_is_said_to_be)
{
	peer = tls_peer_listen_plain(bench.loop);
	bench_send_url("GET", peer->url, NULL);
	bench_run_until(is_accepted, NULL);
	tls_peer_shut(peer, false);
	has(bench_wait(1)->error, "/x: the TLS handshake failed: ");
}
END_TEST

START_TEST(a_server_at_another_address_than_its_certificate_is_refused)
{
	struct https_server_cfg cfg = { .listen = "127.0.0.2:0",
					.cert_file = bench.cert };
	static const struct https_route none[] = { { NULL, NULL, NULL } };
	char *reason = NULL, *url;

	ck_assert_int_eq(https_server_new(&bench.server, bench.server_el, &cfg,
					  none, NULL, &reason),
			 0);
	url = xasprintf("https://%s/x", https_server_addr(bench.server));
	fails(url, "/x: the TLS handshake failed: IP address mismatch");
	free(url);
}
END_TEST

START_TEST(a_url_that_cannot_be_called_is_refused)
{
	static const char *const urls[] = {
		"http://127.0.0.1:1/x",
		"https://localhost:1/x",
		"https://127.0.0.1:0/x",
		"https://127.0.0.1:70000/x",
		"https:///x",
		"https://127.0.0.1:1/a b",
		"https://127.0.0.1:1/a\r\nX: y",
		"",
		"x",
	};

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		fails(urls[i], "not a URL that can be called; write "
			       "https://IP:PORT/path");
}
END_TEST

START_TEST(an_unknown_method_is_refused)
{
	bench_send_url("BREW", "https://127.0.0.1:1/x", NULL);
	has(bench_wait(1)->error, "the method BREW is not GET, POST, PUT or "
				  "DELETE");
}
END_TEST

START_TEST(an_address_that_is_not_ours_to_bind_is_said_to_be)
{
	struct https_client_cfg cfg = { .ca_file = bench.ca,
					.bind = "192.0.2.1" };
	char *reason = NULL;

	https_client_free(bench.client);
	ck_assert_int_eq(
		https_client_new(&bench.client, bench.client_el, &cfg, &reason),
		0);
	fails("https://127.0.0.1:1/x", "cannot be called from 192.0.2.1: ");
}
END_TEST

START_TEST(the_local_address_is_the_one_to_bind)
{
	struct https_client_cfg cfg = { .ca_file = bench.ca,
					.bind = "127.0.0.9" };
	char *reason = NULL;
	json_t *sent;

	https_client_free(bench.client);
	ck_assert_int_eq(
		https_client_new(&bench.client, bench.client_el, &cfg, &reason),
		0);
	ask();
	sent = json_array_get(bench.client_lines, 0);
	has(json_string_value(json_object_get(sent, "local")), "127.0.0.9:");
}
END_TEST

/* ---- time ---- */

START_TEST(a_silent_server_times_out)
{
	ask();
	clock_take_over();
	clock_advance_us(timer_value_ms(TIMER_HTTPS_REQUEST) * 1000);
	has(bench_wait(1)->error, "/x: no answer within 10000 ms");
}
END_TEST

START_TEST(a_server_silent_in_the_handshake_times_out)
{
	peer = tls_peer_listen_plain(bench.loop);
	bench_send_url("GET", peer->url, NULL);
	bench_run_until(is_accepted, NULL);
	clock_take_over();
	clock_advance_us(timer_value_ms(TIMER_HTTPS_REQUEST) * 1000);
	has(bench_wait(1)->error, "/x: no answer within 10000 ms");
}
END_TEST

START_TEST(a_freed_client_calls_nobody)
{
	ask();
	bench_send_url("GET", "x", NULL); /* fails, told on the next turn */
	bench.client = https_client_free(bench.client);
	tls_peer_tx_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	(void)loop_run_until(bench.loop, never, NULL, 30);
	ck_assert_int_eq(bench.answer_n, 0);
}
END_TEST

/* ---- what cannot be started ---- */

static void server_fails(const char *listen, const char *cert, const char *ca,
			 int err, const char *wanted)
{
	struct https_server_cfg cfg = { .listen = listen,
					.cert_file = cert,
					.ca_file = ca };
	static const struct https_route none[] = { { NULL, NULL, NULL } };
	char *reason = NULL;

	ck_assert_int_eq(https_server_new(&bench.server, bench.server_el, &cfg,
					  none, NULL, &reason),
			 err);
	has(reason, wanted);
	ck_assert_ptr_null(bench.server);
	free(reason);
}

START_TEST(a_server_that_cannot_start_says_why)
{
	struct addr addr;
	char text[ADDR_TEXT_LEN];

	server_fails("nowhere", bench.cert, NULL, EINVAL,
		     "\"nowhere\" is no address to listen at");
	server_fails("127.0.0.1:0", "/no/such.pem", NULL, EINVAL,
		     "/no/such.pem: no certificate could be read: No such "
		     "file or directory");
	server_fails("127.0.0.1:0", bench.ca, NULL, EINVAL,
		     "ca.pem: no key of its certificate could be read");
	server_fails("127.0.0.1:0", bench.cert, "/no/ca.pem", EINVAL,
		     "/no/ca.pem: no CA certificate could be read");

	peer = tls_peer_listen_plain(bench.loop);
	snprintf(text, sizeof(text), "%s", peer->url + strlen("https://"));
	*strchr(text, '/') = '\0';
	ck_assert_int_eq(addr_parse(&addr, text), 0);
	server_fails(text, bench.cert, NULL, EADDRINUSE,
		     ": Address already in use");
}
END_TEST

START_TEST(a_client_that_cannot_start_says_why)
{
	struct https_client_cfg cfg = { .ca_file = "/no/ca.pem" };
	struct https_client *client = NULL;
	char *reason = NULL;

	ck_assert_int_eq(
		https_client_new(&client, bench.client_el, &cfg, &reason),
		EINVAL);
	has(reason, "/no/ca.pem: no CA certificate");
	free(reason);

	cfg = (struct https_client_cfg){ .ca_file = NULL };
	ck_assert_int_eq(
		https_client_new(&client, bench.client_el, &cfg, &reason),
		EINVAL);
	has(reason, "a CA file is needed");
	free(reason);
	ck_assert_ptr_null(client);
}
END_TEST

START_TEST(a_reason_is_the_servers_own_sentence)
{
	static const char body[] = "{\"error\":\"wrong secret\"}";
	struct https_resp resp = { .status = 401,
				   .body = body,
				   .len = sizeof(body) - 1 };
	char text[64];

	ck_assert_str_eq(https_resp_reason(&resp, text, sizeof(text)),
			 "401 wrong secret");
	resp.body = "<html>";
	resp.len = 6;
	ck_assert_str_eq(https_resp_reason(&resp, text, sizeof(text)),
			 "status 401");
	resp.error = "https://x: connection refused";
	ck_assert_str_eq(https_resp_reason(&resp, text, sizeof(text)),
			 "https://x: connection refused");
}
END_TEST

static TCase *add_case(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
	suite_add_tcase(s, tc);

	return tc;
}

static void add_answers(TCase *tc)
{
	tcase_add_test(tc, an_answer_and_the_end_at_once_are_delivered);
	tcase_add_test(tc, a_whole_answer_without_goodbye_is_delivered);
	tcase_add_test(tc, an_answer_in_pieces_and_the_end_are_delivered);
	tcase_add_test(tc,
		       the_rest_of_an_answer_and_the_end_at_once_are_delivered);
	tcase_add_test(tc, a_chunked_answer_is_delivered);
	tcase_add_test(tc, a_retry_after_that_is_no_number_is_none);
	tcase_add_test(tc, an_answer_cut_short_is_said_to_be);
	tcase_add_test(tc, a_chunked_answer_cut_short_is_said_to_be);
	tcase_add_test(tc,
		       a_server_that_closes_in_place_of_an_answer_is_said_to);
	tcase_add_test(tc, an_answer_that_is_not_http_is_said_to_be);
	tcase_add_test(tc, an_answer_too_long_is_refused);
}

static void add_connections(TCase *tc)
{
	tcase_add_test(tc, a_refused_connection_is_said_to_be);
	tcase_add_test(tc, a_server_that_is_not_tls_is_said_to_be);
	tcase_add_test(tc, a_server_gone_within_the_handshake_is_said_to_be);
	tcase_add_test(
		tc,
		a_server_at_another_address_than_its_certificate_is_refused);
	tcase_add_test(tc, a_url_that_cannot_be_called_is_refused);
	tcase_add_test(tc, an_unknown_method_is_refused);
	tcase_add_test(tc, an_address_that_is_not_ours_to_bind_is_said_to_be);
	tcase_add_test(tc, the_local_address_is_the_one_to_bind);
	tcase_add_test(tc, a_silent_server_times_out);
	tcase_add_test(tc, a_server_silent_in_the_handshake_times_out);
	tcase_add_test(tc, a_freed_client_calls_nobody);
	tcase_add_test(tc, a_server_that_cannot_start_says_why);
	tcase_add_test(tc, a_client_that_cannot_start_says_why);
	tcase_add_test(tc, a_reason_is_the_servers_own_sentence);
}

static Suite *https_client_suite(void)
{
	Suite *s = suite_create("https_client");

	add_answers(add_case(s, "answers"));
	add_connections(add_case(s, "connections"));

	return s;
}

SUITE_MAIN(https_client_suite)
