/* The S-CSCF authenticates who registers (TS 24.229 5.4.1.2) */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/loop.h"
#include "common/timer.h"
#include "tests/fake/scscf_bed.h"
#include "tests/suite.h"

START_TEST(register_without_credentials_is_challenged)
{
	const char *text;

	scscf_bed.ue.is_plain = true;
	fake_ue_register(&scscf_bed.ue);
	text = fake_peer_expect_status(scscf_bed.ue_peer, 401);
	ck_assert_ptr_nonnull(strstr(text, "realm=\"ims.test\""));
	ck_assert_ptr_nonnull(strstr(text, "algorithm=MD5"));
	ck_assert_ptr_nonnull(strstr(text, "qop=\"auth\""));
	ck_assert_ptr_nonnull(strstr(text, "Warning: 399 scscf.ims.test"));
	ck_assert_ptr_null(strstr(text, "stale"));
	/* the private identity comes from To (TS 24.229 5.4.1.2.1) */
	ck_assert_str_eq(scscf_bed.hss->seen.impi, "+8657110000001@ims.test");
	ck_assert_str_eq(scscf_bed.hss->seen.impu, SCSCF_BED_IMPU);
	ck_assert_str_eq(scscf_bed.hss->seen.scheme, "SIP Digest");
	ck_assert_int_eq(scscf_bed.hss->seen.item_n, 1);
	ck_assert_ptr_nonnull(strstr(scscf_bed.last_auth, "challenged"));
}
END_TEST

START_TEST(right_digest_registers)
{
	const char *text;

	scscf_bed.ue.extra = "Path: <sip:term@127.0.0.1:9;lr>\nRequire: path\n";
	text = fake_ue_register_through(&scscf_bed.ue, 200);
	ck_assert_ptr_nonnull(strstr(text, ";expires=600"));
	ck_assert_str_eq(fake_header(text, "Path", 0),
			 "<sip:term@127.0.0.1:9;lr>");
	ck_assert_ptr_nonnull(
		strstr(fake_header(text, "Service-Route", 0), "<sip:orig@"));
	ck_assert_str_eq(fake_header(text, "P-Associated-URI", 0),
			 "<" SCSCF_BED_IMPU ">");
	scscf_bed_expect_sar(1, CX_SAT_REGISTRATION);
	ck_assert(!scscf_bed.hss->seen.has_user_data);
	ck_assert(scscf_reg_is_registered(scscf_bed_find_reg()));
}
END_TEST

START_TEST(plain_client_registers_over_tcp)
{
	scscf_bed_teardown();
	scscf_bed_start("both", FAKE_TCP);
	scscf_bed.ue.is_plain = true;
	scscf_bed.ue.expires = NULL; /* the default is granted */
	ck_assert_ptr_nonnull(strstr(
		fake_ue_register_through(&scscf_bed.ue, 200), "expires=3600"));
}
END_TEST

START_TEST(uri_of_a_plain_client_is_where_it_sent_the_register)
{
	/* SIPp writes the P-CSCF's address, which stands in Path */
	scscf_bed.ue.uri = "sip:127.0.0.7:5060";
	scscf_bed.ue.extra = "Path: <sip:term@127.0.0.7:5060;lr>\n";
	fake_ue_register_through(&scscf_bed.ue, 200);
}
END_TEST

START_TEST(both_algorithms_are_offered_the_strongest_first)
{
	char md5[DIGEST_HEX_LEN], sha[DIGEST_HEX_LEN];
	const char *text;

	scscf_bed_teardown();
	scscf_bed_start("both", FAKE_UDP);
	digest_ha1(md5, DIGEST_MD5, scscf_bed.ue.impi, scscf_bed.ue.realm,
		   "secret");
	digest_ha1(sha, DIGEST_SHA256, scscf_bed.ue.impi, scscf_bed.ue.realm,
		   "secret");
	fake_hss_set_digest(scscf_bed.hss, "ims.test", "MD5", md5);
	scscf_bed.hss->maa.items[1] = scscf_bed.hss->maa.items[0];
	scscf_bed.hss->maa.items[1].algorithm = "SHA-256";
	scscf_bed.hss->maa.items[1].ha1 = sha;
	scscf_bed.hss->maa.item_n = 2;

	fake_ue_register(&scscf_bed.ue);
	text = fake_peer_expect_status(scscf_bed.ue_peer, 401);
	ck_assert_ptr_nonnull(strstr(fake_header(text, "WWW-Authenticate", 0),
				     "algorithm=SHA-256"));
	ck_assert_ptr_nonnull(strstr(fake_header(text, "WWW-Authenticate", 1),
				     "algorithm=MD5"));
	ck_assert_int_eq(scscf_bed.hss->seen.item_n, 2);
	fake_ue_take(&scscf_bed.ue, text);
	scscf_bed.ue.alg = DIGEST_SHA256;
	fake_ue_answer(&scscf_bed.ue);
	fake_peer_expect_status(scscf_bed.ue_peer, 200);
}
END_TEST

START_TEST(algorithm_that_was_not_offered_is_challenged_again)
{
	fake_ue_register(&scscf_bed.ue);
	fake_ue_take(&scscf_bed.ue,
		     fake_peer_expect_status(scscf_bed.ue_peer, 401));
	scscf_bed.ue.alg = DIGEST_SHA256;
	fake_ue_answer(&scscf_bed.ue);
	fake_peer_expect_status(scscf_bed.ue_peer, 401);
	ck_assert_ptr_nonnull(strstr(scscf_bed.last_auth, "other-algorithm"));
}
END_TEST

START_TEST(hss_without_the_offered_algorithm_gives_500)
{
	scscf_bed_teardown();
	scscf_bed_start("sha-256", FAKE_UDP);
	fake_ue_register(&scscf_bed.ue);
	ck_assert_ptr_nonnull(strstr(
		fake_peer_expect_status(scscf_bed.ue_peer, 500), "--digest"));
}
END_TEST

START_TEST(wrong_password_gets_403_and_may_try_again)
{
	const char *text;

	scscf_bed.ue.password = "wrong";
	text = fake_ue_register_through(&scscf_bed.ue, 403);
	ck_assert_ptr_nonnull(strstr(text, "wrong digest"));
	scscf_bed_expect_sar(1, CX_AUTHENTICATION_FAILURE);
	ck_assert_ptr_nonnull(strstr(scscf_bed.last_auth, "wrong-response"));
	ck_assert_ptr_null(scscf_bed_find_reg());

	scscf_bed.ue.password = "secret";
	fake_ue_register_through(&scscf_bed.ue, 200);
}
END_TEST

START_TEST(failed_attempt_does_not_harm_a_registered_user)
{
	fake_ue_register_through(&scscf_bed.ue, 200);
	scscf_bed.ue.password = "wrong";
	scscf_bed.ue.call_id = "attacker";
	fake_ue_register_through(&scscf_bed.ue, 403);
	ck_assert(scscf_reg_is_registered(scscf_bed_find_reg()));
	ck_assert_int_eq(scscf_bed.hss->sar_n, 1);
}
END_TEST

/* Each mistake in the credentials has a status and a reason of its own */
static const struct {
	const char *impi, *realm, *uri;
	int status;
	const char *reason;
} mistakes[] = {
	{ "other@ims.test", "ims.test", "sip:ims.test", 403, "wrong-username" },
	{ "+8657110000001@ims.test", "foreign", "sip:ims.test", 403,
	  "wrong-realm" },
	{ "+8657110000001@ims.test", "ims.test", "sip:elsewhere.test", 400,
	  "wrong-uri" },
};

START_TEST(each_mistake_in_the_credentials_has_its_own_reason)
{
	fake_ue_register(&scscf_bed.ue);
	fake_ue_take(&scscf_bed.ue,
		     fake_peer_expect_status(scscf_bed.ue_peer, 401));
	scscf_bed.ue.impi = mistakes[_i].impi;
	scscf_bed.ue.realm = mistakes[_i].realm;
	scscf_bed.ue.uri = mistakes[_i].uri;
	fake_ue_answer(&scscf_bed.ue);
	fake_peer_expect_status(scscf_bed.ue_peer, mistakes[_i].status);
	ck_assert_ptr_nonnull(strstr(scscf_bed.last_auth, mistakes[_i].reason));
	ck_assert(!scscf_bed_find_reg() ||
		  !scscf_reg_is_registered(scscf_bed_find_reg()));
}
END_TEST

START_TEST(repeated_nonce_count_is_refused_as_stale)
{
	const char *text;

	fake_ue_register_through(&scscf_bed.ue, 200);
	/* heard on the wire and sent again, in its own transaction */
	scscf_bed.ue.nc = 1;
	fake_ue_answer(&scscf_bed.ue);
	text = fake_peer_expect_status(scscf_bed.ue_peer, 401);
	ck_assert_ptr_nonnull(strstr(text, "stale=true"));
	ck_assert_ptr_nonnull(strstr(scscf_bed.last_auth, "replayed"));
	ck_assert_int_eq(scscf_bed.hss->sar_n, 1);
}
END_TEST

START_TEST(higher_nonce_count_registers_again_without_a_challenge)
{
	fake_ue_register_through(&scscf_bed.ue, 200);
	fake_ue_answer(&scscf_bed.ue);
	fake_peer_expect_status(scscf_bed.ue_peer, 200);
	scscf_bed_expect_sar(2, CX_RE_REGISTRATION);
	ck_assert(scscf_bed.hss->seen.has_user_data);
	ck_assert_int_eq(scscf_bed.hss->mar_n, 1);
}
END_TEST

START_TEST(right_answer_to_an_old_nonce_is_stale)
{
	const char *text;

	fake_ue_register(&scscf_bed.ue);
	fake_ue_take(&scscf_bed.ue,
		     fake_peer_expect_status(scscf_bed.ue_peer, 401));
	clock_take_over();
	clock_advance_us(timer_value_ms(TIMER_REG_AWAIT_AUTH) * 1000 + 1000);
	scscf_bed_expect_sar(1, CX_AUTHENTICATION_TIMEOUT);
	ck_assert_ptr_null(scscf_bed_find_reg());

	fake_ue_answer(&scscf_bed.ue);
	text = fake_peer_expect_status(scscf_bed.ue_peer, 401);
	ck_assert_ptr_nonnull(strstr(text, "stale=true"));
	fake_ue_take(&scscf_bed.ue, text);
	fake_ue_answer(&scscf_bed.ue);
	fake_peer_expect_status(scscf_bed.ue_peer, 200);
}
END_TEST

START_TEST(wrong_answer_to_an_unknown_nonce_is_not_called_stale)
{
	snprintf(scscf_bed.ue.nonce, sizeof(scscf_bed.ue.nonce),
		 "0123456789abcdef");
	scscf_bed.ue.password = "wrong";
	fake_ue_answer(&scscf_bed.ue);
	ck_assert_ptr_null(strstr(
		fake_peer_expect_status(scscf_bed.ue_peer, 401), "stale"));
}
END_TEST

START_TEST(retransmitted_register_draws_no_second_challenge)
{
	char first[4096];

	fake_ue_register(&scscf_bed.ue);
	snprintf(first, sizeof(first), "%s",
		 fake_peer_expect_status(scscf_bed.ue_peer, 401));
	fake_ue_repeat(&scscf_bed.ue); /* same branch: the same transaction */
	ck_assert_str_eq(fake_peer_expect_status(scscf_bed.ue_peer, 401),
			 first);
	ck_assert_int_eq(scscf_bed.hss->mar_n, 1);
}
END_TEST

static void add_auth_tests(TCase *tc)
{
	tcase_add_test(tc, register_without_credentials_is_challenged);
	tcase_add_test(tc, right_digest_registers);
	tcase_add_test(tc, plain_client_registers_over_tcp);
	tcase_add_test(tc, uri_of_a_plain_client_is_where_it_sent_the_register);
	tcase_add_test(tc, both_algorithms_are_offered_the_strongest_first);
	tcase_add_test(tc, algorithm_that_was_not_offered_is_challenged_again);
	tcase_add_test(tc, hss_without_the_offered_algorithm_gives_500);
	tcase_add_test(tc, wrong_password_gets_403_and_may_try_again);
	tcase_add_test(tc, failed_attempt_does_not_harm_a_registered_user);
	tcase_add_loop_test(
		tc, each_mistake_in_the_credentials_has_its_own_reason, 0, 3);
	tcase_add_test(tc, repeated_nonce_count_is_refused_as_stale);
	tcase_add_test(tc,
		       higher_nonce_count_registers_again_without_a_challenge);
	tcase_add_test(tc, right_answer_to_an_old_nonce_is_stale);
	tcase_add_test(tc,
		       wrong_answer_to_an_unknown_nonce_is_not_called_stale);
	tcase_add_test(tc, retransmitted_register_draws_no_second_challenge);
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
	Suite *s = suite_create("scscf_authenticate");

	add(s, "authentication, 5.4.1.2", add_auth_tests);

	return s;
}

SUITE_MAIN(suite)
