/* Requests other than REGISTER at the P-CSCF (TS 24.229 5.2.6): who may, in
 * whose name, and which way; between bare UEs and a bare S-CSCF */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/element.h"
#include "common/loop.h"
#include "tests/fake/pcscf_bed.h"
#include "tests/suite.h"

#define t pcscf_bed
#define IMPU PCSCF_BED_IMPU
#define TEL PCSCF_BED_TEL

/* --- from a UE --- */

START_TEST(identity_is_the_default_one_of_the_registration)
{
	const char *text;

	pcscf_bed_register();
	text = pcscf_bed_invite_passes("");
	ck_assert_str_eq(fake_header(text, "P-Asserted-Identity", 0),
			 "<" IMPU ">");
	pcscf_bed_contains(text, "P-Charging-Vector", "icid-value=");
	pcscf_bed_contains(text, "Record-Route", "<sip:orig@");
	pcscf_bed_contains(text, "Record-Route", pcscf_addr(t.pcscf));
}
END_TEST

START_TEST(way_is_the_service_route_whatever_the_ue_writes)
{
	char route[128];
	const char *text;

	pcscf_bed_register();
	snprintf(t.ue_call.routes, sizeof(t.ue_call.routes),
		 "<sip:%s;lr>, <sip:elsewhere.test;lr>", pcscf_addr(t.pcscf));
	text = pcscf_bed_invite_passes("");
	snprintf(route, sizeof(route), "<sip:orig@%s;lr>",
		 fake_peer_addr(t.scscf));
	ck_assert_str_eq(fake_header(text, "Route", 0), route);
	ck_assert_str_eq(fake_header(text, "Route", 1), "");
}
END_TEST

START_TEST(what_a_ue_says_in_the_networks_name_does_not_pass)
{
	const char *text;

	pcscf_bed_register();
	text = pcscf_bed_invite_passes(
		"P-Asserted-Identity: <sip:other@ims.test>\n"
		"P-Charging-Vector: icid-value=mine\n"
		"P-Served-User: <sip:other@ims.test>\n"
		"P-Called-Party-ID: <sip:other@ims.test>\n");
	ck_assert_ptr_null(strstr(text, "other"));
	ck_assert_ptr_null(strstr(text, "icid-value=mine"));
	ck_assert_str_eq(fake_header(text, "P-Asserted-Identity", 1), "");
}
END_TEST

/* P-Preferred-Identity chooses among those that are registered (5.2.6.3) */
static const struct {
	const char *preferred, *asserted;
} choices[] = {
	{ "<" TEL ">", "<" TEL ">" },
	{ "<" IMPU ">", "<" IMPU ">" },
	{ "<sip:president@ims.test>", "<" IMPU ">" },
};

START_TEST(preferred_identity_counts_if_it_is_registered)
{
	char extra[128];
	const char *text;

	pcscf_bed_register();
	snprintf(extra, sizeof(extra), "P-Preferred-Identity: %s\n",
		 choices[_i].preferred);
	text = pcscf_bed_invite_passes(extra);
	ck_assert_str_eq(fake_header(text, "P-Asserted-Identity", 0),
			 choices[_i].asserted);
	ck_assert_str_eq(fake_header(text, "P-Preferred-Identity", 0), "");
}
END_TEST

START_TEST(foreign_from_is_asserted_as_who_it_is)
{
	pcscf_bed_register();
	snprintf(t.ue_call.local, sizeof(t.ue_call.local),
		 "<sip:president@ims.test>;tag=p");
	ck_assert_str_eq(fake_header(pcscf_bed_invite_passes(""),
				     "P-Asserted-Identity", 0),
			 "<" IMPU ">");
}
END_TEST

START_TEST(two_ues_behind_one_address_are_told_apart)
{
	struct fake_ue other = t.ue;

	pcscf_bed_register();
	other.impu = "sip:second@ims.test";
	other.contact = "<sip:second@127.0.0.1:9>";
	other.call_id = "second";
	other.branch = 50;
	fake_ue_register(&other);
	fake_peer_expect(t.icscf, "REGISTER");
	snprintf(t.ok, sizeof(t.ok),
		 "Contact: %s;expires=600\nService-Route: <sip:orig@%s;lr>\n",
		 other.contact, fake_peer_addr(t.scscf));
	fake_peer_reply(t.icscf, 200, t.ok);
	fake_peer_expect_status(t.ue_peer, 200);
	fake_peer_expect(t.scscf, "SUBSCRIBE");
	fake_peer_reply(t.scscf, 404, "");

	pcscf_bed_contains(pcscf_bed_invite_passes(""), "P-Asserted-Identity",
			   IMPU);
	/* by Contact where From says nothing */
	fake_call_init(&t.ue_call, t.ue_peer, pcscf_addr(t.pcscf),
		       "<sip:anonymous@anonymous.invalid>");
	snprintf(t.ue_call.contact, sizeof(t.ue_call.contact), "%s",
		 other.contact);
	pcscf_bed_contains(pcscf_bed_invite_passes(""), "P-Asserted-Identity",
			   "second");
	/* by nothing: it cannot be told */
	fake_call_init(&t.ue_call, t.ue_peer, pcscf_addr(t.pcscf),
		       "<sip:anonymous@anonymous.invalid>");
	snprintf(t.ue_call.contact, sizeof(t.ue_call.contact),
		 "<sip:third@127.0.0.1:9>");
	fake_call_invite(&t.ue_call, "sip:b@ims.test");
	fake_call_expect_status(&t.ue_call, 403);
}
END_TEST

START_TEST(who_deregistered_may_not_call_any_more)
{
	pcscf_bed_register();
	t.ue.expires = "0";
	fake_ue_register(&t.ue);
	fake_peer_expect(t.icscf, "REGISTER");
	fake_peer_reply(t.icscf, 200, "");
	fake_peer_expect_status(t.ue_peer, 200);
	fake_call_invite(&t.ue_call, "sip:b@ims.test");
	pcscf_bed_contains(fake_call_expect_status(&t.ue_call, 403), "Warning",
			   "REGISTER first");
}
END_TEST

START_TEST(stranger_may_not_use_anothers_registration)
{
	pcscf_bed_register();
	fake_call_invite(&t.stranger, "sip:b@ims.test");
	fake_call_expect_status(&t.stranger, 403);
	/* nor the way to a UE, nor a dialog's */
	fake_call_init(&t.stranger, t.stranger_peer, pcscf_addr(t.pcscf),
		       "<" IMPU ">");
	snprintf(t.stranger.routes, sizeof(t.stranger.routes),
		 "<sip:term@%s;lr>", pcscf_addr(t.pcscf));
	fake_call_invite(&t.stranger, "sip:ue@127.0.0.1:9");
	fake_call_expect_status(&t.stranger, 403);
	snprintf(t.stranger.remote, sizeof(t.stranger.remote),
		 "<" IMPU ">;tag=x");
	fake_call_tx(&t.stranger, "BYE");
	fake_call_expect_status(&t.stranger, 403);
	ck_assert_int_eq(fake_peer_pending(t.scscf), 0);
	ck_assert_int_eq(fake_peer_pending(t.ue_peer), 0);
}
END_TEST

START_TEST(registered_ue_gets_no_further_by_the_route_to_a_ue)
{
	pcscf_bed_register();
	snprintf(t.ue_call.routes, sizeof(t.ue_call.routes), "<sip:term@%s;lr>",
		 pcscf_addr(t.pcscf));
	/* it goes along the Service-Route like any other */
	pcscf_bed_contains(pcscf_bed_invite_passes(""), "P-Asserted-Identity",
			   IMPU);
}
END_TEST

START_TEST(charging_of_the_network_does_not_reach_the_ue)
{
	const char *text;

	pcscf_bed_register();
	pcscf_bed_invite_passes("");
	fake_call_reply(&t.net, 180,
			"P-Charging-Vector: icid-value=x\n"
			"P-Asserted-Identity: <sip:b@ims.test>\n");
	fake_call_expect_status(&t.ue_call, 100);
	text = fake_call_expect_status(&t.ue_call, 180);
	ck_assert_str_eq(fake_header(text, "P-Charging-Vector", 0), "");
	pcscf_bed_contains(text, "P-Asserted-Identity", "sip:b@ims.test");
}
END_TEST

START_TEST(scscf_that_is_gone_gives_504_that_names_it)
{
	char addr[64];

	pcscf_bed_register();
	snprintf(addr, sizeof(addr), "%s", fake_peer_addr(t.scscf));
	t.scscf = fake_peer_free(t.scscf);
	fake_call_invite(&t.ue_call, "sip:b@ims.test");
	pcscf_bed_contains(fake_call_expect_status(&t.ue_call, 504), "Warning",
			   addr);
}
END_TEST

/* --- to a UE --- */

static const char network[] = "P-Asserted-Identity: <sip:caller@ims.test>\n"
			      "P-Charging-Vector: icid-value=x\n"
			      "P-Called-Party-ID: <" TEL ">\n";

START_TEST(called_ue_sees_who_calls_and_not_the_charging)
{
	const char *text;

	pcscf_bed_register();
	pcscf_bed_call_ue(network);
	text = fake_call_expect(&t.ue_call, "INVITE");
	pcscf_bed_contains(text, "P-Asserted-Identity", "sip:caller@ims.test");
	pcscf_bed_contains(text, "P-Called-Party-ID", TEL);
	pcscf_bed_contains(text, "Record-Route", "<sip:term@");
	ck_assert_str_eq(fake_header(text, "P-Charging-Vector", 0), "");
	ck_assert_str_eq(fake_header(text, "Route", 0), "");
}
END_TEST

START_TEST(called_ues_identity_is_the_networks_word)
{
	const char *text;

	pcscf_bed_register();
	pcscf_bed_call_ue(network);
	fake_call_expect(&t.ue_call, "INVITE");
	fake_call_reply(&t.ue_call, 180,
			"P-Asserted-Identity: <sip:president@ims.test>\n"
			"P-Charging-Vector: icid-value=forged\n");
	fake_call_expect_status(&t.net, 100);
	text = fake_call_expect_status(&t.net, 180);
	ck_assert_str_eq(fake_header(text, "P-Asserted-Identity", 0),
			 "<" TEL ">");
	ck_assert_str_eq(fake_header(text, "P-Charging-Vector", 0),
			 "icid-value=x");
	fake_call_reply(&t.ue_call, 486, "");
	fake_call_expect_status(&t.net, 486);
}
END_TEST

START_TEST(private_caller_is_not_shown)
{
	const char *text;

	pcscf_bed_register();
	pcscf_bed_call_ue(
		"P-Asserted-Identity: <sip:caller@ims.test>\nPrivacy: id\n");
	text = fake_call_expect(&t.ue_call, "INVITE");
	ck_assert_str_eq(fake_header(text, "P-Asserted-Identity", 0), "");
}
END_TEST

START_TEST(contact_that_is_not_registered_gets_480)
{
	pcscf_bed_register();
	snprintf(t.contact, sizeof(t.contact), "<sip:gone@127.0.0.1:9>");
	pcscf_bed_call_ue(network);
	pcscf_bed_contains(fake_call_expect_status(&t.net, 480), "Warning",
			   "not registered");
}
END_TEST

START_TEST(ue_that_is_gone_gives_504_that_names_it)
{
	pcscf_bed_register();
	t.ue_peer = fake_peer_free(t.ue_peer);
	pcscf_bed_call_ue(network);
	pcscf_bed_contains(fake_call_expect_status(&t.net, 504), "Warning",
			   "cannot reach");
}
END_TEST

/* --- inside a dialog --- */

START_TEST(dialog_goes_along_its_routes_both_ways)
{
	const char *text;

	pcscf_bed_register();
	pcscf_bed_call_ue(network);
	fake_call_expect(&t.ue_call, "INVITE");
	fake_call_answer(&t.ue_call);
	fake_call_expect_status(&t.net, 200);
	fake_call_ack(&t.net);
	fake_call_expect(&t.ue_call, "ACK");
	/* the rest of the route set is the network's */
	snprintf(t.ue_call.routes + strlen(t.ue_call.routes), 200,
		 ", <sip:%s;lr>", fake_peer_addr(t.scscf));
	snprintf(t.ue_call.extra, sizeof(t.ue_call.extra),
		 "P-Asserted-Identity: <sip:forged@ims.test>\n");
	fake_call_tx(&t.ue_call, "UPDATE");
	text = fake_call_expect(&t.net, "UPDATE");
	ck_assert_ptr_null(strstr(text, "forged"));
	fake_call_reply(&t.net, 200, "");
	fake_call_expect_status(&t.ue_call, 200);
	fake_call_tx(&t.net, "BYE");
	fake_call_expect(&t.ue_call, "BYE");
	fake_call_reply(&t.ue_call, 200,
			"P-Asserted-Identity: <sip:forged@ims.test>\n");
	ck_assert_ptr_null(
		strstr(fake_call_expect_status(&t.net, 200), "forged"));
}
END_TEST

START_TEST(dialog_without_our_route_gets_481)
{
	pcscf_bed_register();
	snprintf(t.ue_call.target, sizeof(t.ue_call.target), "sip:b@ims.test");
	snprintf(t.ue_call.remote, sizeof(t.ue_call.remote),
		 "<sip:b@ims.test>;tag=b");
	fake_call_tx(&t.ue_call, "BYE");
	fake_call_expect_status(&t.ue_call, 481);
}
END_TEST

START_TEST(pcscf_may_go_in_the_middle_of_a_call)
{
	pcscf_bed_register();
	pcscf_bed_invite_passes("");
	ck_assert_ptr_nonnull(t.pcscf->sessions);
}
END_TEST

static void add_from_tests(TCase *tc)
{
	int choice_n = sizeof(choices) / sizeof(*choices);

	tcase_add_test(tc, identity_is_the_default_one_of_the_registration);
	tcase_add_test(tc, way_is_the_service_route_whatever_the_ue_writes);
	tcase_add_test(tc, what_a_ue_says_in_the_networks_name_does_not_pass);
	tcase_add_loop_test(tc, preferred_identity_counts_if_it_is_registered,
			    0, choice_n);
	tcase_add_test(tc, foreign_from_is_asserted_as_who_it_is);
	tcase_add_test(tc, two_ues_behind_one_address_are_told_apart);
	tcase_add_test(tc, who_deregistered_may_not_call_any_more);
	tcase_add_test(tc, stranger_may_not_use_anothers_registration);
	tcase_add_test(tc, registered_ue_gets_no_further_by_the_route_to_a_ue);
	tcase_add_test(tc, charging_of_the_network_does_not_reach_the_ue);
	tcase_add_test(tc, scscf_that_is_gone_gives_504_that_names_it);
}

static Suite *pcscf_session_suite(void)
{
	Suite *suite = suite_create("pcscf_session");
	TCase *tc = tcase_create("5.2.6");

	tcase_add_checked_fixture(tc, pcscf_bed_setup, pcscf_bed_teardown);
	tcase_set_timeout(tc, 20);
	add_from_tests(tc);
	tcase_add_test(tc, called_ue_sees_who_calls_and_not_the_charging);
	tcase_add_test(tc, called_ues_identity_is_the_networks_word);
	tcase_add_test(tc, private_caller_is_not_shown);
	tcase_add_test(tc, contact_that_is_not_registered_gets_480);
	tcase_add_test(tc, ue_that_is_gone_gives_504_that_names_it);
	tcase_add_test(tc, dialog_goes_along_its_routes_both_ways);
	tcase_add_test(tc, dialog_without_our_route_gets_481);
	tcase_add_test(tc, pcscf_may_go_in_the_middle_of_a_call);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(pcscf_session_suite)
