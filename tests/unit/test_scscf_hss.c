/* The S-CSCF and the HSS at a registration: refused, silent, and RTR
 * (TS 24.229 5.4.1.5) with the reg event package */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/hold.h"
#include "common/loop.h"
#include "common/timer.h"
#include "tests/fake/scscf_bed.h"
#include "tests/suite.h"

static bool is_asking(const void *arg)
{
	(void)arg;

	return scscf_bed.scscf->registers != NULL;
}

static bool has_request(const void *arg)
{
	return scscf_bed.hss->uar_n + scscf_bed.hss->mar_n +
		       scscf_bed.hss->sar_n >=
	       *(const int *)arg;
}

/* The HSS has seen n requests, and the clock then passes its bound */
static void let_hss_time_out(int n)
{
	ck_assert(
		loop_run_until(scscf_bed.loop, has_request, &n, SCSCF_BED_MS));
	clock_take_over();
	clock_advance_us(timer_value_ms(TIMER_CX_ANSWER) * 1000 + 1000);
}

START_TEST(unknown_user_gets_403_naming_the_hss_answer)
{
	scscf_bed.hss->maa.result =
		(struct cx_result){ CX_ERROR_USER_UNKNOWN, true, NULL };
	fake_ue_register(&scscf_bed.ue);
	ck_assert_ptr_nonnull(strstr(
		fake_peer_expect_status(scscf_bed.ue_peer, 403), "5001"));
	ck_assert_ptr_null(scscf_bed_find_reg());
}
END_TEST

START_TEST(silent_hss_gives_504_and_its_late_maa_is_dropped)
{
	hold_start(scscf_bed.hss_el->hold);
	fake_ue_register(&scscf_bed.ue);
	ck_assert(
		loop_run_until(scscf_bed.loop, is_asking, NULL, SCSCF_BED_MS));
	clock_take_over();
	clock_advance_us(timer_value_ms(TIMER_CX_ANSWER) * 1000 + 1000);
	ck_assert_ptr_nonnull(
		strstr(fake_peer_expect_status(scscf_bed.ue_peer, 504),
		       "no answer in time"));
	ck_assert_ptr_null(scscf_bed_find_reg());

	hold_stop(scscf_bed.hss_el->hold); /* the MAA comes now, to nobody */
	fake_ue_register_through(&scscf_bed.ue, 200);
	ck_assert_int_eq(scscf_bed.hss->mar_n, 2);
}
END_TEST

START_TEST(silent_hss_at_the_sar_gives_504_and_nothing_is_registered)
{
	fake_ue_register(&scscf_bed.ue);
	fake_ue_take(&scscf_bed.ue,
		     fake_peer_expect_status(scscf_bed.ue_peer, 401));
	scscf_bed.hss->is_silent = true;
	fake_ue_answer(&scscf_bed.ue);
	let_hss_time_out(2);
	fake_peer_expect_status(scscf_bed.ue_peer, 504);
	ck_assert_ptr_null(scscf_bed_find_reg());
}
END_TEST

START_TEST(register_while_the_sar_is_under_way_gets_500)
{
	fake_ue_register(&scscf_bed.ue);
	fake_ue_take(&scscf_bed.ue,
		     fake_peer_expect_status(scscf_bed.ue_peer, 401));
	scscf_bed.hss->is_silent = true;
	fake_ue_answer(&scscf_bed.ue);
	fake_ue_answer(&scscf_bed.ue);
	fake_peer_expect_status(scscf_bed.ue_peer, 500);
	scscf_bed_expect_sar(1, CX_SAT_REGISTRATION);
}
END_TEST

START_TEST(refused_sar_gives_403)
{
	scscf_bed.hss->saa.result =
		(struct cx_result){ CX_ERROR_IDENTITY_ALREADY_REGISTERED, true,
				    NULL };
	fake_ue_register_through(&scscf_bed.ue, 403);
	ck_assert_ptr_null(scscf_bed_find_reg());
}
END_TEST

START_TEST(unreadable_profile_gives_500_and_the_hss_is_told)
{
	scscf_bed.hss->saa.user_data = "<IMSSubscription>";
	scscf_bed.hss->saa.user_data_len = strlen(scscf_bed.hss->saa.user_data);
	ck_assert_ptr_nonnull(strstr(
		fake_ue_register_through(&scscf_bed.ue, 500), "User-Data"));
	scscf_bed_expect_sar(2, CX_ADMINISTRATIVE_DEREGISTRATION);
}
END_TEST

static bool has_rta(const void *arg)
{
	(void)arg;

	return scscf_bed.hss->rta_n > 0;
}

START_TEST(rtr_deregisters_and_forgets_the_challenges)
{
	fake_ue_register_through(&scscf_bed.ue, 200);
	fake_hss_rtr(scscf_bed.hss, scscf_bed.ue.impi, SCSCF_BED_IMPU,
		     CX_PERMANENT_TERMINATION);
	ck_assert(loop_run_until(scscf_bed.loop, has_rta, NULL, SCSCF_BED_MS));
	ck_assert_int_eq(scscf_bed.hss->rta_err, 0);
	ck_assert_uint_eq(scscf_bed.hss->rta.code, CX_SUCCESS);
	ck_assert_ptr_null(scscf_bed_find_reg());
	/* the nonce is of no use any more, whatever the password was */
	fake_ue_answer(&scscf_bed.ue);
	fake_peer_expect_status(scscf_bed.ue_peer, 403);
	ck_assert_ptr_nonnull(strstr(scscf_bed.last_auth, "revoked"));
}
END_TEST

/* An old password, whose 401 was answered before it was changed */
START_TEST(rtr_between_challenge_and_answer_gives_403)
{
	fake_ue_register(&scscf_bed.ue);
	fake_ue_take(&scscf_bed.ue,
		     fake_peer_expect_status(scscf_bed.ue_peer, 401));
	fake_hss_rtr(scscf_bed.hss, scscf_bed.ue.impi, SCSCF_BED_IMPU,
		     CX_PERMANENT_TERMINATION);
	ck_assert(loop_run_until(scscf_bed.loop, has_rta, NULL, SCSCF_BED_MS));
	ck_assert_uint_eq(scscf_bed.hss->rta.code, CX_SUCCESS);
	ck_assert_ptr_null(scscf_bed_find_reg());
	fake_ue_answer(&scscf_bed.ue);
	fake_peer_expect_status(scscf_bed.ue_peer, 403);
	ck_assert_int_eq(scscf_bed.hss->sar_n, 0);
	/* who begins anew is challenged */
	fake_ue_register(&scscf_bed.ue);
	fake_peer_expect_status(scscf_bed.ue_peer, 401);
}
END_TEST

START_TEST(rtr_while_the_sar_is_under_way_takes_it_back)
{
	fake_ue_register(&scscf_bed.ue);
	fake_ue_take(&scscf_bed.ue,
		     fake_peer_expect_status(scscf_bed.ue_peer, 401));
	scscf_bed.hss->is_silent = true;
	fake_ue_answer(&scscf_bed.ue);
	scscf_bed_expect_sar(1, CX_SAT_REGISTRATION);
	fake_hss_rtr(scscf_bed.hss, scscf_bed.ue.impi, SCSCF_BED_IMPU,
		     CX_PERMANENT_TERMINATION);
	fake_peer_expect_status(scscf_bed.ue_peer, 403);
	scscf_bed_expect_sar(2, CX_ADMINISTRATIVE_DEREGISTRATION);
	ck_assert_ptr_null(scscf_bed_find_reg());
}
END_TEST

/* SUBSCRIBE to the registration, in the name of that identity */
static void subscribe(const char *asserted, const char *event)
{
	static int branch;
	char text[1024];

	branch++;
	snprintf(text, sizeof(text),
		 "SUBSCRIBE " SCSCF_BED_IMPU " SIP/2.0\n"
		 "Via: SIP/2.0/UDP %s;branch=z9hG4bKsub%d\n"
		 "Max-Forwards: 70\nFrom: <sip:p@ims.test>;tag=p\n"
		 "To: <" SCSCF_BED_IMPU ">\nCall-ID: sub\nCSeq: %d SUBSCRIBE\n"
		 "Contact: <sip:p@%s>\nEvent: %s\nExpires: 600\n"
		 "P-Asserted-Identity: <%s>\n\n",
		 fake_peer_addr(scscf_bed.ue_peer), branch, branch,
		 fake_peer_addr(scscf_bed.ue_peer), event, asserted);
	fake_peer_tx(scscf_bed.ue_peer, scscf_addr(scscf_bed.scscf), text);
}

static void expect_notify(const char *state, const char *event)
{
	const char *text = fake_peer_expect(scscf_bed.ue_peer, "NOTIFY ");

	ck_assert_msg(strstr(fake_header(text, "Subscription-State", 0),
			     state) != NULL,
		      "%s", text);
	ck_assert_msg(strstr(text, event) != NULL, "%s", text);
	fake_peer_reply(scscf_bed.ue_peer, 200, "");
}

START_TEST(who_subscribes_is_told_of_the_end_by_the_network)
{
	fake_ue_register_through(&scscf_bed.ue, 200);
	subscribe(SCSCF_BED_IMPU, "reg");
	fake_peer_expect_status(scscf_bed.ue_peer, 200);
	expect_notify("active;expires=600", "event=\"registered\"");
	fake_hss_rtr(scscf_bed.hss, scscf_bed.ue.impi, SCSCF_BED_IMPU,
		     CX_PERMANENT_TERMINATION);
	expect_notify("terminated", "state=\"terminated\" event=\"rejected\"");
	ck_assert(loop_run_until(scscf_bed.loop, has_rta, NULL, SCSCF_BED_MS));
	ck_assert_ptr_null(scscf_bed_find_reg());
}
END_TEST

START_TEST(who_may_not_subscribe_is_told)
{
	subscribe(SCSCF_BED_IMPU, "reg");
	fake_peer_expect_status(scscf_bed.ue_peer, 404);
	fake_ue_register_through(&scscf_bed.ue, 200);
	subscribe("sip:mallory@ims.test", "reg");
	fake_peer_expect_status(scscf_bed.ue_peer, 403);
	/* another package is the subscribed UE's to refuse */
	subscribe(SCSCF_BED_IMPU, "presence");
	fake_peer_expect(scscf_bed.ue_peer, "SUBSCRIBE sip:ue@");
	fake_peer_reply(scscf_bed.ue_peer, 489, "");
	fake_peer_expect_status(scscf_bed.ue_peer, 489);
}
END_TEST

START_TEST(rtr_for_an_unknown_user_is_answered_so)
{
	fake_hss_rtr(scscf_bed.hss, scscf_bed.ue.impi, SCSCF_BED_IMPU,
		     CX_PERMANENT_TERMINATION);
	ck_assert(loop_run_until(scscf_bed.loop, has_rta, NULL, SCSCF_BED_MS));
	ck_assert_uint_eq(scscf_bed.hss->rta.code, CX_ERROR_USER_UNKNOWN);
}
END_TEST

START_TEST(unknown_digest_option_is_refused)
{
	struct scscf_cfg cfg = { .listen = "127.0.0.1:0",
				 .hss = "127.0.0.1:1",
				 .realm = "ims.test",
				 .origin_host = "scscf.ims.test",
				 .digest = "md6" };
	struct scscf *scscf = NULL;
	char *reason = NULL;

	ck_assert_int_ne(scscf_new(&scscf, scscf_bed.el, &cfg, &reason), 0);
	ck_assert_str_eq(reason, "--digest md6: not md5, sha-256 or both");
	free(reason);
}
END_TEST

START_TEST(ready_comes_without_the_hss_too)
{
	struct scscf_cfg cfg = { .listen = "127.0.0.1:0",
				 .hss = "127.0.0.1:1",
				 .realm = "ims.test",
				 .origin_host = "scscf.ims.test",
				 .digest = "both" };
	struct scscf *scscf = NULL;
	char *reason = NULL;

	ck_assert_int_eq(scscf_new(&scscf, scscf_bed.el, &cfg, &reason), 0);
	clock_take_over();
	ck_assert(!scscf->is_ready);
	clock_advance_us(timer_value_ms(TIMER_READY) * 100 + 1000);
	(void)loop_run_until(scscf_bed.loop, has_rta, NULL, 0);
	ck_assert(scscf->is_ready);
	scscf_free(scscf);
}
END_TEST

static bool is_seen_as_itself(const void *arg)
{
	(void)arg;

	return scscf_bed.from_own_host > 0;
}

START_TEST(hss_sees_the_address_that_the_scscf_listens_at)
{
	struct scscf_cfg cfg = { .listen = "127.0.0.3:0",
				 .hss = fake_hss_addr(scscf_bed.hss),
				 .realm = "ims.test",
				 .origin_host = "scscf.ims.test" };
	struct scscf *scscf = NULL;
	char *reason = NULL;

	ck_assert_int_eq(scscf_new(&scscf, scscf_bed.el, &cfg, &reason), 0);
	ck_assert(loop_run_until(scscf_bed.loop, is_seen_as_itself, NULL,
				 SCSCF_BED_MS));
	scscf_free(scscf);
}
END_TEST

static void add_hss_tests(TCase *tc)
{
	tcase_add_test(tc, unknown_user_gets_403_naming_the_hss_answer);
	tcase_add_test(tc, silent_hss_gives_504_and_its_late_maa_is_dropped);
	tcase_add_test(
		tc, silent_hss_at_the_sar_gives_504_and_nothing_is_registered);
	tcase_add_test(tc, register_while_the_sar_is_under_way_gets_500);
	tcase_add_test(tc, refused_sar_gives_403);
	tcase_add_test(tc, unreadable_profile_gives_500_and_the_hss_is_told);
	tcase_add_test(tc, rtr_deregisters_and_forgets_the_challenges);
	tcase_add_test(tc, rtr_between_challenge_and_answer_gives_403);
	tcase_add_test(tc, rtr_while_the_sar_is_under_way_takes_it_back);
	tcase_add_test(tc, who_subscribes_is_told_of_the_end_by_the_network);
	tcase_add_test(tc, who_may_not_subscribe_is_told);
	tcase_add_test(tc, rtr_for_an_unknown_user_is_answered_so);
	tcase_add_test(tc, unknown_digest_option_is_refused);
	tcase_add_test(tc, ready_comes_without_the_hss_too);
	tcase_add_test(tc, hss_sees_the_address_that_the_scscf_listens_at);
}

static void add(Suite *s, const char *name, void (*add_tests)(TCase *tc))
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, scscf_bed_setup, scscf_bed_teardown);
	add_tests(tc);
	suite_add_tcase(s, tc);
}

static Suite *suite(void)
{
	Suite *s = suite_create("scscf_hss");

	add(s, "the HSS", add_hss_tests);

	return s;
}

SUITE_MAIN(suite)
