/* Registration-Termination: the HSS asks (TS 29.228 6.1.3) */
#include <errno.h>

#include "common/clock.h"
#include "common/loop.h"
#include "common/timer.h"
#include "tests/fake/cx_bed.h"
#include "tests/suite.h"

/* TS 29.228 6.1.3: the S-CSCF is known by the name in its SAR */
static void rtr_to(const char *server_name)
{
	cx_bed.hss->lia.server_name = server_name;
	fake_hss_rtr(cx_bed.hss, "a@ims.test", "sip:a@ims.test",
		     CX_NEW_SERVER_ASSIGNED);
}

static bool has_rtr(const void *arg)
{
	(void)arg;

	return cx_bed.rtrs > 0;
}

static bool has_rta(const void *arg)
{
	(void)arg;

	return cx_bed.hss->rta_n > 0;
}

START_TEST(rtr_goes_to_the_peer_that_named_itself)
{
	const struct cx_rta ok = { { .code = CX_SUCCESS } };

	cx_tx_sar(cx_bed.cx, &cx_bed_sar, cx_bed_on_saa, NULL);
	cx_bed_expect_answers(1);
	rtr_to("sip:s1.ims.test:5060");
	ck_assert(loop_run_until(cx_bed.loop, has_rtr, NULL, PATIENCE_MS));
	ck_assert_str_eq(cx_bed.text, "a@ims.test sip:a@ims.test 1 -");
	cx_tx_rta(cx_bed.rtr, &ok);
	ck_assert(loop_run_until(cx_bed.loop, has_rta, NULL, PATIENCE_MS));
	ck_assert_int_eq(cx_bed.hss->rta_err, 0);
	ck_assert_uint_eq(cx_bed.hss->rta.code, CX_SUCCESS);
}
END_TEST

START_TEST(rtr_goes_to_the_host_of_the_name_before_anyone_named_itself)
{
	rtr_to("sip:scscf.ims.test:5060");
	ck_assert(loop_run_until(cx_bed.loop, has_rtr, NULL, PATIENCE_MS));
}
END_TEST

START_TEST(rtr_for_a_name_that_no_peer_serves_gives_enotconn)
{
	rtr_to("sip:other.ims.test");
	ck_assert_int_eq(cx_bed.hss->rta_n, 0);
	ck_assert(loop_run_until(cx_bed.loop, has_rta, NULL, PATIENCE_MS));
	ck_assert_int_eq(cx_bed.hss->rta_err, ENOTCONN);
}
END_TEST

START_TEST(rtr_to_a_client_that_takes_none_gets_unable_to_comply)
{
	cx_on_rtr(cx_bed.cx, NULL, NULL);
	rtr_to("sip:scscf.ims.test");
	ck_assert(loop_run_until(cx_bed.loop, has_rta, NULL, PATIENCE_MS));
	ck_assert_uint_eq(cx_bed.hss->rta.code, CX_UNABLE_TO_COMPLY);
}
END_TEST

START_TEST(rtr_that_is_never_answered_times_out)
{
	clock_take_over();
	rtr_to("sip:scscf.ims.test");
	ck_assert(loop_run_until(cx_bed.loop, has_rtr, NULL, PATIENCE_MS));
	clock_advance_us(timer_value_ms(TIMER_CX_ANSWER) * 1000);
	ck_assert(loop_run_until(cx_bed.loop, has_rta, NULL, PATIENCE_MS));
	ck_assert_int_eq(cx_bed.hss->rta_err, ETIMEDOUT);
}
END_TEST

START_TEST(rtr_pending_when_the_peer_dies_gives_enotconn)
{
	rtr_to("sip:scscf.ims.test");
	ck_assert(loop_run_until(cx_bed.loop, has_rtr, NULL, PATIENCE_MS));
	cx_bed.cx = cx_free(cx_bed.cx);
	ck_assert(loop_run_until(cx_bed.loop, has_rta, NULL, PATIENCE_MS));
	ck_assert_int_eq(cx_bed.hss->rta_err, ENOTCONN);
}
END_TEST

START_TEST(second_connection_of_a_host_takes_the_first_ones_place)
{
	struct cx *first = cx_bed.cx;

	rtr_to("sip:scscf.ims.test");
	ck_assert(loop_run_until(cx_bed.loop, has_rtr, NULL, PATIENCE_MS));
	cx_bed.cx = cx_bed_connect(fake_hss_addr(cx_bed.hss), NULL);
	ck_assert(loop_run_until(cx_bed.loop, has_rta, NULL, PATIENCE_MS));
	ck_assert_int_eq(cx_bed.hss->rta_err, ENOTCONN);
	ck_assert(
		loop_run_until(cx_bed.loop, cx_bed_is_open, NULL, PATIENCE_MS));
	cx_free(first);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("cx_rtr");
	TCase *tc;

	tc = tcase_create("deregistration by the HSS");
	tcase_add_checked_fixture(tc, cx_bed_setup, cx_bed_teardown);
	tcase_add_test(tc, rtr_goes_to_the_peer_that_named_itself);
	tcase_add_test(
		tc,
		rtr_goes_to_the_host_of_the_name_before_anyone_named_itself);
	tcase_add_test(tc, rtr_for_a_name_that_no_peer_serves_gives_enotconn);
	tcase_add_test(tc,
		       rtr_to_a_client_that_takes_none_gets_unable_to_comply);
	tcase_add_test(tc, rtr_that_is_never_answered_times_out);
	tcase_add_test(tc, rtr_pending_when_the_peer_dies_gives_enotconn);
	tcase_add_test(tc,
		       second_connection_of_a_host_takes_the_first_ones_place);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
