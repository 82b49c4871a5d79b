/* A foreign dissector's view of capture.pcapng: tshark sees the patent's
 * sequence in SIP, Diameter, HTTP and SOAP, in order, and nothing malformed. Of
 * messages: test_capture_wire.c is about packets */
#include <stdio.h>
#include <string.h>

#include "tests/fake/dissect.h"
#include "tests/suite.h"

static void play_patent(void)
{
	dissect_play("patent", "messages");
}

static void play_call(void)
{
	dissect_play("call", "messages");
}

START_TEST(nothing_is_malformed)
{
	dissect_none("_ws.malformed");
}
END_TEST

START_TEST(sequence_is_seen_in_order)
{
	dissect_sequence();
}
END_TEST

/* S501 to S519 have their addresses, so that columns mean something */
START_TEST(addresses_are_those_of_distinct_elements)
{
	const char *text =
		DISSECT("-Y", "diameter.cmd.code==300", "-T", "fields", "-E",
			"separator=|", "-e", "exported_pdu.ipv4_src", "-e",
			"exported_pdu.ipv4_dst");

	ck_assert_msg(strstr(text, ".1.2|") && strstr(text, ".1.4"),
		      "I-CSCF and HSS are not told apart:\n%s", text);
}
END_TEST

START_TEST(names_inside_are_read)
{
	const char *text = DISSECT("-Y", "diameter.Public-Identity", "-T",
				   "fields", "-e", "diameter.Public-Identity");

	ck_assert_ptr_nonnull(strstr(text, "sip:+86"));
	text = DISSECT("-Y", "xml", "-T", "fields", "-e", "frame.protocols");
	ck_assert_ptr_nonnull(strstr(text, "xml"));
	text = DISSECT("-Y", "json", "-T", "fields", "-e", "frame.protocols");
	ck_assert_ptr_nonnull(strstr(text, "json"));
}
END_TEST

/* Where each message of a kind went, hop by hop: the last two numbers of the
 * addresses, 3.1 the terminal, 1.1 P-CSCF, 1.3 S-CSCF, 2.1 AS */
static void assert_hops(const char *filter, const char *expected)
{
	const char *text =
		DISSECT("-Y", filter, "-T", "fields", "-E", "separator=|", "-e",
			"exported_pdu.ipv4_src", "-e", "exported_pdu.ipv4_dst");
	const char *p = strstr(text, "127.");
	char hops[256] = "";
	size_t len = 0;
	int a, b, c, d, end;

	while (p && len < strlen(expected) &&
	       sscanf(p, "127.%*d.%d.%d|127.%*d.%d.%d%n", &a, &b, &c, &d,
		      &end) == 4) {
		len += (size_t)snprintf(hops + len, sizeof(hops) - len,
					"%d.%d>%d.%d ", a, b, c, d);
		p = strstr(p + end, "127.");
	}
	ck_assert_msg(!strncmp(hops, expected, strlen(expected)),
		      "%s went\n%s, not\n%s", filter, hops, expected);
}

/* RFC 3261 12.2.1.1: along what the Record-Routes of the dialog say, through
 * the AS, which stands between two dialogs */
START_TEST(requests_of_a_dialog_follow_the_route_set)
{
	static const char route[] = "3.1>1.1 1.1>1.3 1.3>2.1 2.1>1.3 1.3>1.1 "
				    "1.1>3.1 ";

	assert_hops("sip.Method==ACK", route);
	assert_hops("sip.Method==BYE", route);
}
END_TEST

/* RFC 3261 9.1: hop by hop where its INVITE went, which is by the I-CSCF, too:
 * that is in the way of the first request only */
START_TEST(cancel_goes_where_its_invite_went)
{
	static const char route[] = "3.1>1.1 1.1>1.3 1.3>2.1 2.1>1.3 1.3>1.2 "
				    "1.2>1.3 1.3>1.1 1.1>3.1 ";

	assert_hops("sip.Method==INVITE", route);
	assert_hops("sip.Method==CANCEL", route);
}
END_TEST

/* TS 24.229 5.2.6.3: it comes from the P-CSCF, which asserts what is registered
 * and passes on nothing that a UE says */
START_TEST(identity_is_asserted_by_the_network_alone)
{
	static const char from_pcscf[] =
		".1.1|INVITE|<sip:+8657110000001@ims.test>\n";
	const char *text =
		DISSECT("-Y", "sip.P-Asserted-Identity", "-T", "fields", "-E",
			"separator=|", "-e", "exported_pdu.ipv4_src", "-e",
			"sip.Method", "-e", "sip.P-Asserted-Identity");

	ck_assert_msg(strstr(text, from_pcscf), "%.1500s", text);
	ck_assert_msg(!strstr(text, ".3.1|"), "a UE asserts:\n%.1500s", text);
	/* of a request inside a dialog nobody asserts anything */
	text = DISSECT("-Y", "sip.P-Asserted-Identity && sip.to.tag", "-T",
		       "fields", "-e", "sip.Method");
	ck_assert_msg(!strstr(text, "BYE") && !strstr(text, "ACK"), "%s", text);
}
END_TEST

/* [0112] */
START_TEST(called_side_is_shown_the_real_number)
{
	const char *text = DISSECT(
		"-Y", "sip.Method==INVITE && sip.Via", "-T", "fields", "-E",
		"separator=|", "-e", "exported_pdu.ipv4_dst", "-e",
		"sip.from.display.info", "-e", "sip.P-Asserted-Identity");
	const char *shown = ".3.1|\"+8613800138000\"|";
	const char *to_ue = strstr(text, ".3.1|");

	ck_assert_msg(to_ue && !strncmp(to_ue, shown, strlen(shown)),
		      "no real number to the called side:\n%.1500s", text);
}
END_TEST

static Suite *capture_suite(void)
{
	Suite *suite = suite_create("capture");
	TCase *tc = tcase_create("tshark");

	tcase_add_unchecked_fixture(tc, play_patent, dissect_forget);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, nothing_is_malformed);
	tcase_add_test(tc, sequence_is_seen_in_order);
	tcase_add_test(tc, addresses_are_those_of_distinct_elements);
	tcase_add_test(tc, names_inside_are_read);
	suite_add_tcase(suite, tc);

	tc = tcase_create("a call");
	tcase_add_unchecked_fixture(tc, play_call, dissect_forget);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, requests_of_a_dialog_follow_the_route_set);
	tcase_add_test(tc, cancel_goes_where_its_invite_went);
	tcase_add_test(tc, called_side_is_shown_the_real_number);
	tcase_add_test(tc, identity_is_asserted_by_the_network_alone);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(capture_suite)
