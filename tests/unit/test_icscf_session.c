/* Requests for a user at the I-CSCF (TS 24.229 5.3.2), between bare peers and
 * a fake HSS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/timer.h"
#include "ims_core/icscf/icscf.h"
#include "ims_core/icscf/icscf_core.h"
#include "tests/fake/fake_call.h"
#include "tests/fake/fake_hss.h"
#include "tests/suite.h"

#define BOB "sip:+8657110000002@ims.test"

static struct {
	struct loop *loop;
	struct element *hss_el, *el;
	struct fake_hss *hss;
	struct icscf *icscf;
	struct fake_peer *from_peer, *to_peer;
	struct fake_call from, to;
	char server_name[96], choice[96];
} t;

static bool is_open(const void *arg)
{
	(void)arg;

	return cx_is_open(t.icscf->cx);
}

static bool has_lir(const void *arg)
{
	(void)arg;

	return t.hss->lir_n > 0;
}

static void setup(void)
{
	const char *choices[1] = { t.choice };
	struct icscf_cfg cfg = { .listen = "127.0.0.1:0",
				 .realm = "ims.test",
				 .origin_host = "icscf.ims.test",
				 .scscfs = choices,
				 .scscf_n = 1 };
	char *reason = NULL;

	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.hss_el = element_new_on(t.loop, "hss");
	t.el = element_new_on(t.loop, "icscf");
	t.hss = fake_hss_new(t.hss_el);
	t.from_peer = fake_peer_new(t.loop, FAKE_UDP);
	t.to_peer = fake_peer_new(t.loop, FAKE_UDP);
	snprintf(t.server_name, sizeof(t.server_name), "sip:%s",
		 fake_peer_addr(t.to_peer));
	snprintf(t.choice, sizeof(t.choice), "sip:%s",
		 fake_peer_addr(t.to_peer));
	t.hss->lia.server_name = t.server_name;
	cfg.hss = fake_hss_addr(t.hss);
	ck_assert_int_eq(icscf_new(&t.icscf, t.el, &cfg, &reason), 0);
	ck_assert(loop_run_until(t.loop, is_open, NULL, PATIENCE_MS));
	fake_call_init(&t.from, t.from_peer, icscf_addr(t.icscf),
		       "<sip:a@ims.test>");
	fake_call_init(&t.to, t.to_peer, icscf_addr(t.icscf), "");
}

static void teardown(void)
{
	fake_peer_free(t.from_peer);
	fake_peer_free(t.to_peer);
	icscf_free(t.icscf);
	fake_hss_free(t.hss);
	element_free(t.el);
	element_free(t.hss_el);
	loop_free(t.loop);
}

static void contains(const char *text, const char *header, const char *what)
{
	if (!strstr(fake_header(text, header, 0), what))
		ck_abort_msg("no %s with \"%s\":\n%s", header, what, text);
}

START_TEST(call_goes_to_the_server_that_the_hss_names)
{
	const char *text;

	fake_call_invite(&t.from, BOB);
	text = fake_call_expect(&t.to, "INVITE " BOB " ");
	contains(text, "Route", fake_peer_addr(t.to_peer));
	ck_assert_str_eq(fake_header(text, "Record-Route", 0), "");
	ck_assert_str_eq(t.hss->seen.impu, BOB);
	ck_assert(!t.hss->seen.is_originating);
	fake_call_reply(&t.to, 486, "X-Test: kept\n");
	fake_call_expect_status(&t.from, 100);
	contains(fake_call_expect_status(&t.from, 486), "X-Test", "kept");
	ck_assert_ptr_null(t.icscf->sessions);
}
END_TEST

/* 5.3.2.1: which identity is asked for, and what the Request-URI becomes */
static const struct {
	const char *uri, *asked, *line;
} uris[] = {
	{ "tel:+86-571-1000-0002;phone-context=x", "tel:+8657110000002",
	  "INVITE tel:+86" },
	{ "sip:+8657110000002@ims.test;user=phone", "tel:+8657110000002",
	  "INVITE tel:+8657110000002 " },
	{ "sip:+8657110000002@ims.test:5060;transport=udp", BOB,
	  "INVITE sip:+8657110000002@ims.test:5060;transport=udp " },
	{ "sip:phone@ims.test;user=phone", "sip:phone@ims.test",
	  "INVITE sip:phone@ims.test;user=phone " },
};

START_TEST(number_is_asked_for_as_a_tel_uri)
{
	fake_call_invite(&t.from, uris[_i].uri);
	fake_call_expect(&t.to, uris[_i].line);
	ck_assert_str_eq(t.hss->seen.impu, uris[_i].asked);
}
END_TEST

/* 5.3.2.1: what the HSS's answer means to the caller */
static const struct {
	struct cx_result result;
	int status;
	const char *text;
} results[] = {
	{ { CX_ERROR_USER_UNKNOWN, true, NULL }, 404, "not known" },
	{ { CX_ERROR_IDENTITY_NOT_REGISTERED, true, NULL },
	  480,
	  "not registered" },
	{ { CX_UNABLE_TO_COMPLY, false, NULL }, 500, "UNABLE_TO_COMPLY" },
	/* 5001 of the other number space is no unknown user */
	{ { 5001, false, NULL }, 500, "cannot say" },
};

START_TEST(refusal_of_the_hss_says_why)
{
	t.hss->lia.result = results[_i].result;
	fake_call_invite(&t.from, BOB);
	contains(fake_call_expect_status(&t.from, results[_i].status),
		 "Warning", results[_i].text);
	ck_assert_ptr_null(t.icscf->sessions);
}
END_TEST

START_TEST(services_while_unregistered_go_to_a_server_of_our_choice)
{
	t.hss->lia.result =
		(struct cx_result){ CX_UNREGISTERED_SERVICE, true, NULL };
	t.hss->lia.server_name = NULL;
	fake_call_invite(&t.from, BOB);
	fake_call_expect(&t.to, "INVITE");
}
END_TEST

START_TEST(silent_hss_gives_504_and_its_late_answer_is_dropped)
{
	t.hss->is_silent = true;
	fake_call_invite(&t.from, BOB);
	ck_assert(loop_run_until(t.loop, has_lir, NULL, PATIENCE_MS));
	clock_take_over();
	clock_advance_us(timer_value_ms(TIMER_CX_ANSWER) * 1000 + 1000);
	contains(fake_call_expect_status(&t.from, 504), "Warning",
		 fake_hss_addr(t.hss));
}
END_TEST

START_TEST(call_cancelled_before_the_answer_of_the_hss_gets_487)
{
	t.hss->is_silent = true;
	fake_call_invite(&t.from, BOB);
	ck_assert(loop_run_until(t.loop, has_lir, NULL, PATIENCE_MS));
	fake_call_cancel(&t.from);
	fake_call_expect_status(&t.from, 200);
	fake_call_expect_status(&t.from, 487);
	/* and then it comes, or does not */
	clock_take_over();
	clock_advance_us(timer_value_ms(TIMER_CX_ANSWER) * 1000 + 1000);
	fake_call_init(&t.to, t.to_peer, icscf_addr(t.icscf), "<" BOB ">");
	fake_call_invite(&t.to, "sip:ims.test");
	fake_call_expect_status(&t.to, 404);
	ck_assert_ptr_null(t.icscf->sessions);
}
END_TEST

START_TEST(repeated_invite_asks_the_hss_once)
{
	t.hss->is_silent = true;
	fake_call_invite(&t.from, BOB);
	fake_call_repeat(&t.from);
	ck_assert(loop_run_until(t.loop, has_lir, NULL, PATIENCE_MS));
	fake_call_repeat(&t.from);
	fake_call_expect_status(&t.from, 100);
	ck_assert_int_eq(t.hss->lir_n, 1);
}
END_TEST

START_TEST(icscf_is_in_no_dialog)
{
	snprintf(t.from.target, sizeof(t.from.target), BOB);
	snprintf(t.from.remote, sizeof(t.from.remote), "<" BOB ">;tag=b");
	fake_call_ack(&t.from); /* dropped */
	fake_call_tx(&t.from, "BYE");
	fake_call_expect_status(&t.from, 481);
	ck_assert_int_eq(t.hss->lir_n, 0);
	ck_assert_int_eq(fake_peer_pending(t.to_peer), 0);
}
END_TEST

START_TEST(call_under_way_is_dropped_with_the_icscf)
{
	t.hss->is_silent = true;
	fake_call_invite(&t.from, BOB);
	ck_assert(loop_run_until(t.loop, has_lir, NULL, PATIENCE_MS));
	ck_assert_ptr_nonnull(t.icscf->sessions);
}
END_TEST

static Suite *icscf_session_suite(void)
{
	Suite *suite = suite_create("icscf_session");
	TCase *tc = tcase_create("5.3.2");
	int uri_n = sizeof(uris) / sizeof(*uris);
	int result_n = sizeof(results) / sizeof(*results);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, call_goes_to_the_server_that_the_hss_names);
	tcase_add_loop_test(tc, number_is_asked_for_as_a_tel_uri, 0, uri_n);
	tcase_add_loop_test(tc, refusal_of_the_hss_says_why, 0, result_n);
	tcase_add_test(
		tc, services_while_unregistered_go_to_a_server_of_our_choice);
	tcase_add_test(tc, silent_hss_gives_504_and_its_late_answer_is_dropped);
	tcase_add_test(tc,
		       call_cancelled_before_the_answer_of_the_hss_gets_487);
	tcase_add_test(tc, repeated_invite_asks_the_hss_once);
	tcase_add_test(tc, icscf_is_in_no_dialog);
	tcase_add_test(tc, call_under_way_is_dropped_with_the_icscf);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(icscf_session_suite)
