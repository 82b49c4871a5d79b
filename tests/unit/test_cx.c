/* Cx, a command each, and how a client and a server start (TS 29.228 6) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "tests/fake/cx_bed.h"
#include "tests/suite.h"

static void on_maa(int err, const struct cx_maa *maa, void *arg)
{
	(void)arg;
	cx_bed.answers++;
	cx_bed.err = err;
	ck_assert_ptr_nonnull(maa);
	cx_bed.result = maa->result;
	cx_bed.item_n = maa->item_n;
	(void)snprintf(cx_bed.text, sizeof(cx_bed.text), "%s %s %s %s %s %s",
		       maa->impi, maa->items[0].scheme, maa->items[0].realm,
		       maa->items[0].algorithm, maa->items[0].qop,
		       maa->items[0].ha1);
}

static void on_lia(int err, const struct cx_lia *lia, void *arg)
{
	(void)arg;
	cx_bed.answers++;
	cx_bed.err = err;
	ck_assert_ptr_nonnull(lia);
	cx_bed.result = lia->result;
	(void)snprintf(cx_bed.text, sizeof(cx_bed.text), "%s",
		       lia->server_name);
}

/* TS 29.228 6.1.1 */
START_TEST(uar_carries_its_fields_and_its_answer_comes_back)
{
	struct cx_uar de = cx_bed_uar;

	de.type = CX_DE_REGISTRATION;
	cx_tx_uar(cx_bed.cx, &de, cx_bed_on_uaa, NULL);
	ck_assert_int_eq(cx_bed.answers, 0); /* never before the call returns */
	cx_bed_expect_answers(1);
	ck_assert_int_eq(cx_bed.err, 0);
	ck_assert_int_eq(cx_bed.hss->uar_n, 1);
	ck_assert_str_eq(cx_bed.hss->seen.impi, "a@ims.test");
	ck_assert_str_eq(cx_bed.hss->seen.impu, "sip:a@ims.test");
	ck_assert_str_eq(cx_bed.hss->seen.visited_network, "ims.test");
	ck_assert_int_eq(cx_bed.hss->seen.auth_type, CX_DE_REGISTRATION);
	ck_assert_uint_eq(cx_bed.result.code, CX_FIRST_REGISTRATION);
	ck_assert(cx_bed.result.is_experimental);
	ck_assert_str_eq(cx_bed.text, "sip:scscf.ims.test -");
	ck_assert_str_eq(cx_result_name(&cx_bed.result), "FIRST_REGISTRATION");
}
END_TEST

START_TEST(uaa_without_a_server_name_gives_capabilities)
{
	cx_bed.hss->uaa.server_name = NULL;
	cx_bed.hss->uaa.cap_n = 2;
	cx_bed.hss->uaa.mandatory_caps[0] = 7;
	cx_bed.hss->uaa.mandatory_caps[1] = 9;
	cx_tx_uar(cx_bed.cx, &cx_bed_uar, cx_bed_on_uaa, NULL);
	cx_bed_expect_answers(1);
	ck_assert_uint_eq(cx_bed.cap_n, 2);
	ck_assert_str_eq(cx_bed.text, "- -");
}
END_TEST

START_TEST(refusal_is_data_and_not_an_error)
{
	cx_bed.hss->uaa =
		(struct cx_uaa){ .result = { .code = CX_ERROR_USER_UNKNOWN,
					     .is_experimental = true,
					     .text = "no such user" } };
	cx_tx_uar(cx_bed.cx, &cx_bed_uar, cx_bed_on_uaa, NULL);
	cx_bed_expect_answers(1);
	ck_assert_int_eq(cx_bed.err, 0);
	ck_assert_uint_eq(cx_bed.result.code, CX_ERROR_USER_UNKNOWN);
	ck_assert_str_eq(cx_bed.text, "- no such user");
	ck_assert_str_eq(cx_result_name(&cx_bed.result), "ERROR_USER_UNKNOWN");
}
END_TEST

/* TS 29.228 6.3 */
START_TEST(mar_is_answered_with_the_digest_of_the_user)
{
	const struct cx_mar mar = { .impi = "a@ims.test",
				    .impu = "sip:a@ims.test",
				    .scheme = "SIP Digest",
				    .server_name = "sip:s1.ims.test:5060" };

	fake_hss_set_digest(cx_bed.hss, "ims.test", "SHA-256", "0123");
	cx_bed.hss->maa.item_n = 2;
	cx_bed.hss->maa.items[1] = cx_bed.hss->maa.items[0];
	cx_tx_mar(cx_bed.cx, &mar, on_maa, NULL);
	cx_bed_expect_answers(1);
	ck_assert_uint_eq(cx_bed.hss->seen.item_n, 1);
	ck_assert_str_eq(cx_bed.hss->seen.scheme, "SIP Digest");
	ck_assert_str_eq(cx_bed.hss->seen.server_name, "sip:s1.ims.test:5060");
	ck_assert_uint_eq(cx_bed.item_n, 2);
	ck_assert_str_eq(cx_bed.text,
			 "a@ims.test SIP Digest ims.test SHA-256 auth 0123");
}
END_TEST

START_TEST(sar_brings_the_profile)
{
	cx_tx_sar(cx_bed.cx, &cx_bed_sar, cx_bed_on_saa, NULL);
	cx_bed_expect_answers(1);
	ck_assert_int_eq(cx_bed.hss->seen.sat, CX_SAT_REGISTRATION);
	ck_assert(cx_bed.hss->seen.has_user_data);
	ck_assert_str_eq(cx_bed.text, "a@ims.test <?xml version=\"1.0\" ");
}
END_TEST

/* TS 29.228 6.1.4 */
START_TEST(lir_asks_for_either_direction)
{
	struct cx_lir lir = { .impu = "sip:a@ims.test",
			      .is_originating = true };

	cx_tx_lir(cx_bed.cx, &lir, on_lia, NULL);
	cx_bed_expect_answers(1);
	ck_assert(cx_bed.hss->seen.is_originating);
	ck_assert_str_eq(cx_bed.text, "sip:scscf.ims.test");
	lir.is_originating = false;
	cx_tx_lir(cx_bed.cx, &lir, on_lia, NULL);
	cx_bed_expect_answers(2);
	ck_assert(!cx_bed.hss->seen.is_originating);
}
END_TEST

START_TEST(request_while_the_peer_is_down_gives_enotconn_from_the_loop)
{
	cx_bed.cx = cx_bed_connect("127.0.0.1:1", NULL);
	cx_tx_uar(cx_bed.cx, &cx_bed_uar, cx_bed_on_uaa, NULL);
	ck_assert_int_eq(cx_bed.answers, 0);
	cx_bed_expect_answers(1);
	ck_assert_int_eq(cx_bed.err, ENOTCONN);
}
END_TEST

START_TEST(client_connects_from_the_address_it_is_told)
{
	cx_bed.hss = fake_hss_new(cx_bed.hss_el);
	cx_bed.cx = cx_bed_connect(fake_hss_addr(cx_bed.hss), "127.0.0.3");
	ck_assert(
		loop_run_until(cx_bed.loop, cx_bed_is_open, NULL, PATIENCE_MS));
}
END_TEST

START_TEST(address_that_cannot_be_read_is_named)
{
	const struct cx_cfg cfg = { .address = "hss:3868",
				    .origin_host = "scscf.ims.test",
				    .origin_realm = "ims.test" };
	char *reason = NULL;

	ck_assert_int_eq(cx_new(&cx_bed.cx, cx_bed.scscf, &cfg, &reason),
			 EINVAL);
	ck_assert_ptr_nonnull(strstr(reason, "hss:3868"));
	free(reason);
}
END_TEST

START_TEST(port_in_use_is_named)
{
	const struct cx_server_ops ops = { NULL, NULL, NULL, NULL };
	struct cx_cfg cfg = { .origin_host = "hss.ims.test",
			      .origin_realm = "ims.test" };
	struct cx_server *server = NULL;
	char *reason = NULL;

	cx_bed.hss = fake_hss_new(cx_bed.hss_el);
	cfg.address = fake_hss_addr(cx_bed.hss);
	ck_assert_int_eq(
		cx_server_new(&server, cx_bed.scscf, &cfg, &ops, NULL, &reason),
		EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(reason, cfg.address));
	free(reason);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("cx");
	TCase *tc;

	tc = tcase_create("commands");
	tcase_add_checked_fixture(tc, cx_bed_setup, cx_bed_teardown);
	tcase_add_test(tc, uar_carries_its_fields_and_its_answer_comes_back);
	tcase_add_test(tc, uaa_without_a_server_name_gives_capabilities);
	tcase_add_test(tc, refusal_is_data_and_not_an_error);
	tcase_add_test(tc, mar_is_answered_with_the_digest_of_the_user);
	tcase_add_test(tc, sar_brings_the_profile);
	tcase_add_test(tc, lir_asks_for_either_direction);
	suite_add_tcase(s, tc);
	tc = tcase_create("start");
	tcase_add_checked_fixture(tc, cx_bed_setup_alone, cx_bed_teardown);
	tcase_add_test(
		tc,
		request_while_the_peer_is_down_gives_enotconn_from_the_loop);
	tcase_add_test(tc, client_connects_from_the_address_it_is_told);
	tcase_add_test(tc, address_that_cannot_be_read_is_named);
	tcase_add_test(tc, port_in_use_is_named);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
