/* Cx when requests are refused, lost, late or held, and at the end */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/hold.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "common/trace.h"
#include "tests/fake/cx_bed.h"
#include "tests/suite.h"

static bool has_uar(const void *arg)
{
	(void)arg;

	return cx_bed.hss->uar_n > 0;
}

static bool is_twice_told(const void *arg)
{
	(void)arg;

	return cx_bed.states == 2;
}

/* design: a received message can be held before its process acts on it */
static bool is_held(const void *arg)
{
	const struct element *el = arg;

	return hold_count(el->hold) > 0;
}

static bool are_two_held(const void *arg)
{
	const struct element *el = arg;

	return hold_count(el->hold) > 1;
}

START_TEST(answer_too_long_for_a_message_becomes_unable_to_comply)
{
	enum { TOO_MUCH = 70000 };
	char *xml = xcalloc(1, TOO_MUCH + 1);

	memset(xml, 'x', TOO_MUCH);
	cx_bed.hss->saa.user_data = xml;
	cx_bed.hss->saa.user_data_len = TOO_MUCH;
	cx_tx_sar(cx_bed.cx, &cx_bed_sar, cx_bed_on_saa, NULL);
	cx_bed_expect_answers(1);
	free(xml);
	ck_assert_int_eq(cx_bed.err, 0);
	ck_assert_uint_eq(cx_bed.result.code, CX_UNABLE_TO_COMPLY);
}
END_TEST

START_TEST(request_too_long_for_a_message_fails_and_the_link_lives)
{
	enum { TOO_MUCH = 70000 };
	char *impu = xcalloc(1, TOO_MUCH + 1);
	struct cx_uar big = cx_bed_uar;

	memset(impu, 'x', TOO_MUCH);
	big.impu = impu;
	cx_tx_uar(cx_bed.cx, &big, cx_bed_on_uaa, NULL);
	cx_bed_expect_answers(1);
	free(impu);
	ck_assert_int_eq(cx_bed.err, EBADMSG);
	cx_tx_uar(cx_bed.cx, &cx_bed_uar, cx_bed_on_uaa, NULL);
	cx_bed_expect_answers(2);
	ck_assert_int_eq(cx_bed.err, 0);
}
END_TEST

START_TEST(text_that_is_no_utf8_is_refused_by_the_server)
{
	struct cx_uar bad = cx_bed_uar;

	bad.impu = "sip:a\xff@ims.test";
	cx_tx_uar(cx_bed.cx, &bad, cx_bed_on_uaa, NULL);
	cx_bed_expect_answers(1);
	ck_assert_int_eq(cx_bed.err, 0);
	ck_assert_uint_eq(cx_bed.result.code, 5004);
	ck_assert_int_eq(cx_bed.hss->uar_n, 0);
	bad.impu = "sip:a@ims.test\r\nVia: x";
	cx_tx_uar(cx_bed.cx, &bad, cx_bed_on_uaa, NULL);
	cx_bed_expect_answers(2);
	ck_assert_uint_eq(cx_bed.result.code, 5004);
	ck_assert_int_eq(cx_bed.hss->uar_n, 0);
}
END_TEST

START_TEST(request_without_a_mandatory_field_is_refused_by_the_server)
{
	struct cx_uar bad = cx_bed_uar;

	bad.visited_network = NULL;
	cx_tx_uar(cx_bed.cx, &bad, cx_bed_on_uaa, NULL);
	cx_bed_expect_answers(1);
	ck_assert_uint_eq(cx_bed.result.code, CX_MISSING_AVP);
	ck_assert_ptr_nonnull(
		strstr(cx_bed.text, "Visited-Network-Identifier"));
	ck_assert_int_eq(cx_bed.hss->uar_n, 0);
}
END_TEST

START_TEST(silent_server_gives_etimedout)
{
	cx_bed.hss->is_silent = true;
	clock_take_over();
	cx_tx_uar(cx_bed.cx, &cx_bed_uar, cx_bed_on_uaa, NULL);
	ck_assert(loop_run_until(cx_bed.loop, has_uar, NULL, PATIENCE_MS));
	clock_advance_us(timer_value_ms(TIMER_CX_ANSWER) * 1000);
	cx_bed_expect_answers(1);
	ck_assert_int_eq(cx_bed.err, ETIMEDOUT);
}
END_TEST

START_TEST(forgotten_request_is_not_answered)
{
	int owner;

	cx_tx_uar(cx_bed.cx, &cx_bed_uar, cx_bed_on_uaa, &owner);
	cx_forget(cx_bed.cx, &owner);
	cx_tx_uar(cx_bed.cx, &cx_bed_uar, cx_bed_on_uaa, NULL);
	cx_bed_expect_answers(1);
	ck_assert_int_eq(cx_bed.hss->uar_n, 2);
}
END_TEST

START_TEST(server_that_dies_fails_what_is_pending_and_is_found_again)
{
	cx_bed.hss->is_silent = true;
	cx_tx_uar(cx_bed.cx, &cx_bed_uar, cx_bed_on_uaa, NULL);
	ck_assert(loop_run_until(cx_bed.loop, has_uar, NULL, PATIENCE_MS));
	fake_hss_free(cx_bed.hss);
	cx_bed.hss = NULL;
	cx_bed_expect_answers(1);
	ck_assert_int_eq(cx_bed.err, ENOTCONN);
	ck_assert(loop_run_until(cx_bed.loop, cx_bed_is_closed, NULL,
				 PATIENCE_MS));
	ck_assert(!cx_bed.is_open);
	ck_assert_int_eq(cx_bed.states, 2);
}
END_TEST

START_TEST(close_says_goodbye_and_stays_away)
{
	cx_close(cx_bed.cx);
	ck_assert(
		loop_run_until(cx_bed.loop, is_twice_told, NULL, PATIENCE_MS));
	ck_assert(!cx_bed.is_open);
	/* well over the first retry of a connection that was lost */
	ck_assert(!loop_run_until(cx_bed.loop, cx_bed_is_open, NULL, 120));
}
END_TEST

START_TEST(held_answer_is_not_late)
{
	clock_take_over();
	hold_start(cx_bed.scscf->hold);
	cx_tx_uar(cx_bed.cx, &cx_bed_uar, cx_bed_on_uaa, NULL);
	ck_assert(loop_run_until(cx_bed.loop, is_held, cx_bed.scscf,
				 PATIENCE_MS));
	clock_advance_us(20000000);
	cx_tx_uar(cx_bed.cx, &cx_bed_uar, cx_bed_on_uaa, NULL);
	ck_assert(loop_run_until(cx_bed.loop, are_two_held, cx_bed.scscf,
				 PATIENCE_MS));
	ck_assert_int_eq(cx_bed.answers, 0);
	hold_stop(cx_bed.scscf->hold);
	ck_assert_int_eq(cx_bed.answers, 2);
	ck_assert_int_eq(cx_bed.err, 0);
}
END_TEST

START_TEST(held_answer_that_is_dropped_times_out)
{
	clock_take_over();
	hold_start(cx_bed.scscf->hold);
	cx_tx_uar(cx_bed.cx, &cx_bed_uar, cx_bed_on_uaa, NULL);
	ck_assert(loop_run_until(cx_bed.loop, is_held, cx_bed.scscf,
				 PATIENCE_MS));
	cx_bed.scscf->hold = hold_free(cx_bed.scscf->hold);
	cx_bed.scscf->hold = hold_new(cx_bed.scscf->trace);
	clock_advance_us(timer_value_ms(TIMER_CX_ANSWER) * 1000);
	cx_bed_expect_answers(1);
	ck_assert_int_eq(cx_bed.err, ETIMEDOUT);
}
END_TEST

START_TEST(request_held_while_its_peer_went_is_dropped)
{
	hold_start(cx_bed.hss_el->hold);
	cx_tx_uar(cx_bed.cx, &cx_bed_uar, cx_bed_on_uaa, NULL);
	ck_assert(loop_run_until(cx_bed.loop, is_held, cx_bed.hss_el,
				 PATIENCE_MS));
	cx_bed.cx = cx_free(cx_bed.cx);
	(void)loop_run_until(cx_bed.loop, cx_bed_is_open, NULL, 50);
	hold_stop(cx_bed.hss_el->hold);
	ck_assert_int_eq(cx_bed.hss->uar_n, 0);
	ck_assert_int_eq(cx_bed.answers, 0);
}
END_TEST

static void note_dpa(const char *line, size_t len, void *arg)
{
	/* version, length, flags, command 282 (RFC 6733 3, 5.4.2) */
	const char *hex = strstr(line, "\"hex\":\"01");
	int *dpas = arg;

	(void)len;
	if (hex && strstr(line, "\"dir\":\"recv\"") &&
	    !strncmp(hex + 15, "0000011a", 8))
		++*dpas;
}

static void leave(void *arg)
{
	(void)arg;
	cx_leave(cx_bed.cx);
}

/* RFC 6733 5.4: the answer is waited for */
START_TEST(who_leaves_stops_once_the_dpa_is_there)
{
	int dpas = 0;

	trace_set_sink(cx_bed.scscf->trace, note_dpa, &dpas);
	loop_defer(cx_bed.loop, leave, NULL);
	(void)loop_run(cx_bed.loop); /* until element_stop() */
	ck_assert_int_eq(dpas, 1);
	ck_assert(!cx_bed.is_open);
}
END_TEST

START_TEST(who_leaves_without_a_connection_stops_at_once)
{
	cx_bed.cx = cx_bed_connect("127.0.0.1:1", NULL);
	loop_defer(cx_bed.loop, leave, NULL);
	(void)loop_run(cx_bed.loop);
	ck_assert_int_eq(cx_bed.states, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("cx_faults");
	TCase *tc;

	tc = tcase_create("refused, lost, late");
	tcase_add_checked_fixture(tc, cx_bed_setup, cx_bed_teardown);
	tcase_add_test(tc,
		       answer_too_long_for_a_message_becomes_unable_to_comply);
	tcase_add_test(tc,
		       request_too_long_for_a_message_fails_and_the_link_lives);
	tcase_add_test(tc, text_that_is_no_utf8_is_refused_by_the_server);
	tcase_add_test(
		tc, request_without_a_mandatory_field_is_refused_by_the_server);
	tcase_add_test(tc, silent_server_gives_etimedout);
	tcase_add_test(tc, forgotten_request_is_not_answered);
	tcase_add_test(
		tc, server_that_dies_fails_what_is_pending_and_is_found_again);
	tcase_add_test(tc, close_says_goodbye_and_stays_away);
	tcase_add_test(tc, held_answer_is_not_late);
	tcase_add_test(tc, held_answer_that_is_dropped_times_out);
	tcase_add_test(tc, request_held_while_its_peer_went_is_dropped);
	tcase_add_test(tc, who_leaves_stops_once_the_dpa_is_there);
	suite_add_tcase(s, tc);
	tc = tcase_create("alone");
	tcase_add_checked_fixture(tc, cx_bed_setup_alone, cx_bed_teardown);
	tcase_add_test(tc, who_leaves_without_a_connection_stops_at_once);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
