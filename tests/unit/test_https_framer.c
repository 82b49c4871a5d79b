#include <string.h>

#include "common/https_framer.h"
#include "common/mem.h"
#include "tests/suite.h"

enum { MAX = 1000 };

/* What was cut: each message, with '|' behind a whole one, '~' behind a cut */
static char out[8192];
static struct https_framer *framer;

static void on_message(const char *data, size_t len, bool is_whole, void *arg)
{
	(void)arg;
	strncat(out, data, len);
	strcat(out, is_whole ? "|" : "~"); /* NOLINT: bounded by MAX */
}

static void setup(void)
{
	out[0] = '\0';
	framer = https_framer_new(MAX, on_message, NULL);
}

static void teardown(void)
{
	framer = https_framer_free(framer);
}

/* Fed whole, then byte by byte, it must be cut alike */
static void cuts(const char *in, const char *wanted)
{
	https_framer_rx(framer, in, strlen(in));
	https_framer_end(framer);
	ck_assert_str_eq(out, wanted);

	teardown();
	setup();
	for (const char *p = in; *p; p++)
		https_framer_rx(framer, p, 1);
	https_framer_end(framer);
	ck_assert_str_eq(out, wanted);
}

#define LEN(n) "Content-Length: " #n "\r\n"
#define REQ "POST / HTTP/1.1\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"

START_TEST(a_request_without_length_ends_with_its_headers)
{
	cuts("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\n\r\n",
	     "GET / HTTP/1.1\r\nHost: x\r\n\r\n|GET /2 HTTP/1.1\r\n\r\n|");
}
END_TEST

START_TEST(a_body_has_its_length)
{
	cuts(REQ LEN(3) "\r\nabc" REQ LEN(0) "\r\n",
	     REQ LEN(3) "\r\nabc|" REQ LEN(0) "\r\n|");
}
END_TEST

START_TEST(a_line_may_end_with_lf_alone)
{
	cuts("POST / HTTP/1.1\ncontent-length:2\n\nab",
	     "POST / HTTP/1.1\ncontent-length:2\n\nab|");
}
END_TEST

START_TEST(chunks_and_trailer_belong_to_the_message)
{
	cuts(OK CHUNKED
	     "3\r\nabc\r\n1 \r\nd\r\n0\r\nT: x\r\n\r\n" OK LEN(0) "\r\n",
	     OK CHUNKED
	     "3\r\nabc\r\n1 \r\nd\r\n0\r\nT: x\r\n\r\n|" OK LEN(0) "\r\n|");
}
END_TEST

START_TEST(a_response_without_length_ends_with_the_stream)
{
	cuts(OK "\r\nabc", OK "\r\nabc|");
}
END_TEST

START_TEST(some_responses_have_no_body_whatever_they_say)
{
	cuts("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n" LEN(
		     5) "\r\n" OK LEN(1) "\r\nx",
	     "HTTP/1.1 100 Continue\r\n\r\n|HTTP/1.1 204 No Content\r\n" LEN(
		     5) "\r\n|" OK LEN(1) "\r\nx|");
}
END_TEST

START_TEST(what_ends_early_is_given_cut)
{
	cuts(REQ LEN(5) "\r\nabc", REQ LEN(5) "\r\nabc~");
	teardown();
	setup();
	cuts(REQ "Hos", REQ "Hos~");
	teardown();
	setup();
	cuts(OK CHUNKED "5\r\nab", OK CHUNKED "5\r\nab~");
}
END_TEST

START_TEST(behind_a_length_that_is_none_nothing_is_cut)
{
	cuts(REQ LEN(1x) "\r\nabc" REQ LEN(0) "\r\n",
	     REQ LEN(1x) "\r\nabc" REQ LEN(0) "\r\n~");
	teardown();
	setup();
	cuts(REQ LEN(-1) "\r\nabc", REQ LEN(-1) "\r\nabc~");
	teardown();
	setup();
	cuts(REQ CHUNKED "zz\r\nabc", REQ CHUNKED "zz\r\nabc~");
}
END_TEST

START_TEST(a_length_beyond_all_memory_is_refused)
{
	cuts(REQ LEN(99999999999999999999) "\r\nab",
	     REQ LEN(99999999999999999999) "\r\nab~");
}
END_TEST

START_TEST(a_message_too_long_is_given_up_to_the_bound)
{
	char *in = xasprintf("GET /%02000d HTTP/1.1\r\n\r\n", 1);
	char *wanted = xstrndup(in, MAX + 1);

	wanted[MAX] = '~';
	cuts(in, wanted);
	free(in);
	free(wanted);
}
END_TEST

START_TEST(an_empty_stream_gives_nothing)
{
	cuts("", "");
	ck_assert(!https_framer_is_within(framer));
}
END_TEST

START_TEST(it_says_whether_a_message_is_begun)
{
	https_framer_rx(framer, "GET", 3);
	ck_assert(https_framer_is_within(framer));
	https_framer_rx(framer, " / HTTP/1.1\r\n\r\n", 15);
	ck_assert(!https_framer_is_within(framer));
}
END_TEST

START_TEST(after_the_end_bytes_are_ignored)
{
	https_framer_rx(framer, "GET", 3);
	https_framer_end(framer);
	https_framer_rx(framer, "GET / HTTP/1.1\r\n\r\n", 18);
	https_framer_end(framer);
	ck_assert_str_eq(out, "GET~");
}
END_TEST

static Suite *https_framer_suite(void)
{
	Suite *s = suite_create("https_framer");
	TCase *tc = tcase_create("RFC 9112 6");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_request_without_length_ends_with_its_headers);
	tcase_add_test(tc, a_body_has_its_length);
	tcase_add_test(tc, a_line_may_end_with_lf_alone);
	tcase_add_test(tc, chunks_and_trailer_belong_to_the_message);
	tcase_add_test(tc, a_response_without_length_ends_with_the_stream);
	tcase_add_test(tc, some_responses_have_no_body_whatever_they_say);
	tcase_add_test(tc, what_ends_early_is_given_cut);
	tcase_add_test(tc, behind_a_length_that_is_none_nothing_is_cut);
	tcase_add_test(tc, a_length_beyond_all_memory_is_refused);
	tcase_add_test(tc, a_message_too_long_is_given_up_to_the_bound);
	tcase_add_test(tc, an_empty_stream_gives_nothing);
	tcase_add_test(tc, it_says_whether_a_message_is_begun);
	tcase_add_test(tc, after_the_end_bytes_are_ignored);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(https_framer_suite)
