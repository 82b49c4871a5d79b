/* The S-CSCF's bindings (RFC 3261 10.3, TS 24.229 5.4.1.4), and the AS that is
 * told of them (5.4.1.7) */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/loop.h"
#include "tests/fake/scscf_bed.h"
#include "tests/suite.h"

START_TEST(too_short_a_time_gets_423_with_min_expires)
{
	const char *text;

	scscf_bed.ue.expires = "5";
	text = fake_ue_register_through(&scscf_bed.ue, 423);
	ck_assert_str_eq(fake_header(text, "Min-Expires", 0), "10");
	ck_assert_int_eq(scscf_bed.hss->sar_n, 0);
	/* the same credentials may go on, counted */
	scscf_bed.ue.expires = "10";
	fake_ue_answer(&scscf_bed.ue);
	fake_peer_expect_status(scscf_bed.ue_peer, 200);
}
END_TEST

START_TEST(expires_0_deregisters)
{
	const char *text;

	fake_ue_register_through(&scscf_bed.ue, 200);
	scscf_bed.ue.expires = "0";
	text = fake_ue_register_through(&scscf_bed.ue, 200);
	ck_assert_str_eq(fake_header(text, "Contact", 0), "");
	scscf_bed_expect_sar(2, CX_USER_DEREGISTRATION);
	ck_assert_ptr_null(scscf_bed_find_reg());
}
END_TEST

START_TEST(star_deregisters_all_contacts)
{
	fake_ue_register_through(&scscf_bed.ue, 200);
	scscf_bed.ue.contact = "<sip:second@127.0.0.9:5062>";
	scscf_bed.ue.call_id = "call-2";
	ck_assert_str_ne(
		fake_header(fake_ue_register_through(&scscf_bed.ue, 200),
			    "Contact", 1),
		"");
	scscf_bed.ue.contact = "*";
	scscf_bed.ue.expires = "0";
	fake_ue_register_through(&scscf_bed.ue, 200);
	scscf_bed_expect_sar(3, CX_USER_DEREGISTRATION);
	ck_assert_ptr_null(scscf_bed_find_reg());
}
END_TEST

START_TEST(deregistering_one_of_two_contacts_keeps_the_other)
{
	const char *text;

	fake_ue_register_through(&scscf_bed.ue, 200);
	scscf_bed.ue.contact = "<sip:second@127.0.0.9:5062>";
	fake_ue_register_through(&scscf_bed.ue, 200);
	scscf_bed.ue.expires = "0";
	text = fake_ue_register_through(&scscf_bed.ue, 200);
	ck_assert_ptr_nonnull(
		strstr(fake_header(text, "Contact", 0), "<sip:ue@"));
	ck_assert_str_eq(fake_header(text, "Contact", 1), "");
	ck_assert(scscf_reg_is_registered(scscf_bed_find_reg()));
	ck_assert_int_eq(scscf_bed.hss->sar_n, 2);
}
END_TEST

START_TEST(deregistering_twice_is_200_after_authentication)
{
	scscf_bed.ue.contact = "*";
	scscf_bed.ue.expires = "0";
	scscf_bed.hss->saa.result =
		(struct cx_result){ CX_ERROR_IDENTITY_NOT_REGISTERED, true,
				    NULL };
	fake_ue_register_through(&scscf_bed.ue, 200);
	scscf_bed_expect_sar(1, CX_USER_DEREGISTRATION);
	ck_assert_ptr_null(scscf_bed_find_reg());
}
END_TEST

START_TEST(star_with_an_expiry_is_400)
{
	scscf_bed.ue.contact = "*";
	fake_ue_register(&scscf_bed.ue);
	fake_peer_expect_status(scscf_bed.ue_peer, 400);
	ck_assert_int_eq(scscf_bed.hss->mar_n, 0);
}
END_TEST

START_TEST(to_without_a_user_is_400)
{
	scscf_bed.ue.impu = "sip:ims.test";
	fake_ue_register(&scscf_bed.ue);
	ck_assert_ptr_nonnull(
		strstr(fake_peer_expect_status(scscf_bed.ue_peer, 400),
		       "public identity"));
}
END_TEST

START_TEST(older_cseq_of_the_same_call_is_refused)
{
	fake_ue_register_through(&scscf_bed.ue, 200);
	scscf_bed.ue.cseq = 0;
	fake_ue_register(&scscf_bed.ue);
	fake_ue_take(&scscf_bed.ue,
		     fake_peer_expect_status(scscf_bed.ue_peer, 401));
	scscf_bed.ue.cseq = 0;
	scscf_bed.ue.expires = "0";
	fake_ue_answer(&scscf_bed.ue);
	ck_assert_ptr_nonnull(strstr(
		fake_peer_expect_status(scscf_bed.ue_peer, 500), "CSeq"));
	ck_assert(scscf_reg_is_registered(scscf_bed_find_reg()));
}
END_TEST

START_TEST(register_without_contact_lists_the_bindings)
{
	fake_ue_register_through(&scscf_bed.ue, 200);
	scscf_bed.ue.contact = NULL;
	ck_assert_ptr_nonnull(
		strstr(fake_header(fake_ue_register_through(&scscf_bed.ue, 200),
				   "Contact", 0),
		       "<sip:ue@"));
	ck_assert_int_eq(scscf_bed.hss->sar_n, 1);
}
END_TEST

START_TEST(registration_expires)
{
	fake_ue_register_through(&scscf_bed.ue, 200);
	clock_take_over();
	clock_advance_us(599 * 1000000LL);
	fake_ue_answer(&scscf_bed.ue); /* refreshed in time */
	fake_peer_expect_status(scscf_bed.ue_peer, 200);
	clock_advance_us(601 * 1000000LL);
	scscf_bed_expect_sar(3, CX_TIMEOUT_DEREGISTRATION);
	ck_assert_ptr_null(scscf_bed_find_reg());
}
END_TEST

static void use_as(int default_handling)
{
	scscf_bed.as = fake_peer_new(scscf_bed.loop, FAKE_UDP);
	snprintf(scscf_bed.profile, sizeof(scscf_bed.profile),
		 "<IMSSubscription><PrivateID>p</PrivateID><ServiceProfile>"
		 "<PublicIdentity><Identity>" SCSCF_BED_IMPU
		 "</Identity></PublicIdentity><InitialFilterCriteria>"
		 "<Priority>0</Priority><TriggerPoint><ConditionTypeCNF>1"
		 "</ConditionTypeCNF><SPT><Group>0</Group><Method>REGISTER"
		 "</Method></SPT></TriggerPoint><ApplicationServer>"
		 "<ServerName>sip:%s</ServerName><DefaultHandling>%d"
		 "</DefaultHandling><ServiceInfo>a&lt;b</ServiceInfo>"
		 "</ApplicationServer></InitialFilterCriteria>"
		 "</ServiceProfile></IMSSubscription>",
		 fake_peer_addr(scscf_bed.as), default_handling);
	scscf_bed.hss->saa.user_data = scscf_bed.profile;
	scscf_bed.hss->saa.user_data_len = strlen(scscf_bed.profile);
}

START_TEST(third_party_register_goes_to_the_as)
{
	const char *text;

	use_as(0);
	scscf_bed.ue.extra = "P-Charging-Vector: icid-value=\"i1\"\n"
			     "P-Access-Network-Info: 3GPP-E-UTRAN-FDD\n";
	fake_ue_register_through(&scscf_bed.ue, 200);
	text = fake_peer_expect(scscf_bed.as, "REGISTER sip:127.0.0.1:");
	ck_assert_str_eq(fake_header(text, "To", 0), "<" SCSCF_BED_IMPU ">");
	ck_assert_ptr_nonnull(strstr(fake_header(text, "From", 0),
				     scscf_addr(scscf_bed.scscf)));
	ck_assert_str_eq(fake_header(text, "Expires", 0), "600");
	ck_assert_str_eq(fake_header(text, "P-Charging-Vector", 0),
			 "icid-value=\"i1\"");
	ck_assert_str_eq(fake_header(text, "P-Access-Network-Info", 0),
			 "3GPP-E-UTRAN-FDD");
	ck_assert_str_eq(fake_header(text, "Content-Type", 0),
			 "application/3gpp-ims+xml");
	ck_assert_ptr_nonnull(
		strstr(text, "<service-info>a&lt;b</service-info>"));
	fake_peer_reply(scscf_bed.as, 200, "");

	scscf_bed.ue.expires = "0";
	fake_ue_register_through(&scscf_bed.ue, 200);
	do
		text = fake_peer_expect(scscf_bed.as, "REGISTER");
	while (strcmp(fake_header(text, "Expires", 0), "0") != 0);
	fake_peer_reply(scscf_bed.as, 200, "");
}
END_TEST

static bool is_gone(const void *arg)
{
	(void)arg;

	return !scscf_bed_find_reg();
}

static bool is_told(const void *arg)
{
	(void)arg;

	return !scscf_bed.scscf->third_parties;
}

START_TEST(as_that_refuses_ends_the_registration_if_handling_says_so)
{
	use_as(1);
	fake_ue_register_through(&scscf_bed.ue, 200);
	fake_peer_expect(scscf_bed.as, "REGISTER");
	fake_peer_reply(scscf_bed.as, 503, "");
	ck_assert(loop_run_until(scscf_bed.loop, is_gone, NULL, SCSCF_BED_MS));
	scscf_bed_expect_sar(2, CX_ADMINISTRATIVE_DEREGISTRATION);
}
END_TEST

START_TEST(as_that_refuses_changes_nothing_by_default)
{
	use_as(0);
	fake_ue_register_through(&scscf_bed.ue, 200);
	fake_peer_expect(scscf_bed.as, "REGISTER");
	fake_peer_reply(scscf_bed.as, 403, "");
	ck_assert(loop_run_until(scscf_bed.loop, is_told, NULL, SCSCF_BED_MS));
	ck_assert(scscf_reg_is_registered(scscf_bed_find_reg()));
}
END_TEST

START_TEST(expiry_is_told_to_the_as)
{
	const char *text;

	use_as(0);
	fake_ue_register_through(&scscf_bed.ue, 200);
	fake_peer_expect(scscf_bed.as, "REGISTER");
	fake_peer_reply(scscf_bed.as, 200, "");
	ck_assert(loop_run_until(scscf_bed.loop, is_told, NULL, SCSCF_BED_MS));
	clock_take_over();
	clock_advance_us(601 * 1000000LL);
	text = fake_peer_expect(scscf_bed.as, "REGISTER");
	ck_assert_str_eq(fake_header(text, "Expires", 0), "0");
	ck_assert_str_ne(fake_header(text, "P-Charging-Vector", 0), "");
}
END_TEST

START_TEST(registrations_are_listed)
{
	json_t *all, *one;

	fake_ue_register_through(&scscf_bed.ue, 200);
	all = scscf_regs_json(scscf_bed.scscf);
	one = json_array_get(all, 0);
	ck_assert_uint_eq(json_array_size(all), 1);
	ck_assert_str_eq(json_string_value(json_object_get(one, "impu")),
			 SCSCF_BED_IMPU);
	ck_assert_str_eq(json_string_value(json_object_get(one, "state")),
			 "REGISTERED");
	ck_assert_int_eq(json_integer_value(json_object_get(one, "expires_s")),
			 600);
	json_decref(all);
}
END_TEST

static void add_binding_tests(TCase *tc)
{
	tcase_add_test(tc, too_short_a_time_gets_423_with_min_expires);
	tcase_add_test(tc, expires_0_deregisters);
	tcase_add_test(tc, star_deregisters_all_contacts);
	tcase_add_test(tc, deregistering_one_of_two_contacts_keeps_the_other);
	tcase_add_test(tc, deregistering_twice_is_200_after_authentication);
	tcase_add_test(tc, star_with_an_expiry_is_400);
	tcase_add_test(tc, to_without_a_user_is_400);
	tcase_add_test(tc, older_cseq_of_the_same_call_is_refused);
	tcase_add_test(tc, register_without_contact_lists_the_bindings);
	tcase_add_test(tc, registration_expires);
	tcase_add_test(tc, registrations_are_listed);
}

static void add_as_tests(TCase *tc)
{
	tcase_add_test(tc, third_party_register_goes_to_the_as);
	tcase_add_test(
		tc, as_that_refuses_ends_the_registration_if_handling_says_so);
	tcase_add_test(tc, as_that_refuses_changes_nothing_by_default);
	tcase_add_test(tc, expiry_is_told_to_the_as);
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
	Suite *s = suite_create("scscf_register");

	add(s, "bindings, RFC 3261 10.3", add_binding_tests);
	add(s, "third party, 5.4.1.7", add_as_tests);

	return s;
}

SUITE_MAIN(suite)
