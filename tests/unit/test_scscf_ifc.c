/* The S-CSCF's reading of User-Data, and of its filter criteria (TS 29.228
 * annex B) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/su.h>

#include "ims_core/scscf/scscf_profile.h"
#include "tests/suite.h"

#define IMPU "sip:+8657110000001@ims.test"

static struct scscf_profile *profile;
static char *reason;
static msg_t *msg;
static const sip_t *sip;

static const char request[] =
	"INVITE sip:b@ims.test SIP/2.0\r\n"
	"Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n"
	"From: <sip:a@ims.test>;tag=1\r\nTo: <sip:b@ims.test>\r\n"
	"Call-ID: 1\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
	"P-Early-Media: supported\r\nSubject: hello world\r\n"
	"Content-Type: application/sdp\r\nContent-Length: 33\r\n\r\n"
	"v=0\r\nm=audio 4000 RTP/AVP 0\r\ns=-\r\n";

static void setup(void)
{
	su_init();
	msg = msg_make(sip_default_mclass(), 0, request,
		       (ssize_t)strlen(request));
	sip = sip_object(msg);
	ck_assert_ptr_nonnull(sip);
}

static void teardown(void)
{
	profile = scscf_profile_free(profile);
	msg_destroy(msg);
	free(reason);
	su_deinit();
}

static int parse(const char *xml)
{
	return scscf_profile_parse(&profile, xml, strlen(xml), IMPU, &reason);
}

static int parse_ifcs(const char *ifcs)
{
	char xml[4096];

	snprintf(xml, sizeof(xml),
		 "<IMSSubscription><PrivateID>p</PrivateID><ServiceProfile>"
		 "<PublicIdentity><Identity>" IMPU
		 "</Identity></PublicIdentity>%s</ServiceProfile>"
		 "</IMSSubscription>",
		 ifcs);

	return parse(xml);
}

#define AS                                                                     \
	"<ApplicationServer><ServerName>sip:as</ServerName>"                   \
	"</ApplicationServer>"
#define IFC(point)                                                             \
	"<InitialFilterCriteria><Priority>1</Priority>"                        \
	"<TriggerPoint>" point "</TriggerPoint>" AS "</InitialFilterCriteria>"

static const struct scscf_ifc_request invite = {
	.method = "INVITE",
	.request_uri = "sip:b@ims.test",
	.session_case = CASE_TERMINATING_REGISTERED,
};

static bool matches(const char *triggers, struct scscf_ifc_request rq)
{
	char ifc[3072];

	snprintf(ifc, sizeof(ifc), IFC("%s"), triggers);
	if (parse_ifcs(ifc))
		ck_abort_msg("%s", reason);
	rq.sip = sip;

	return scscf_ifc_matches(profile->ifcs, &rq);
}

#define CNF(v) "<ConditionTypeCNF>" v "</ConditionTypeCNF>"
#define SPT(group, condition) "<SPT><Group>" group "</Group>" condition "</SPT>"
#define NOT(group, condition)                                                  \
	"<SPT><ConditionNegated>1</ConditionNegated><Group>" group             \
	"</Group>" condition "</SPT>"
#define METHOD(m) "<Method>" m "</Method>"
#define CASE(c) "<SessionCase>" c "</SessionCase>"
#define HEADER(h, c)                                                           \
	"<SIPHeader><Header>" h "</Header><Content>" c "</Content></"          \
	"SIPHeader>"
#define LINE(l, c)                                                             \
	"<SessionDescription><Line>" l "</Line><Content>" c                    \
	"</Content></SessionDescription>"

/* Against the INVITE above, which ends a call at a registered user */
static const struct {
	const char *triggers;
	bool is_match;
} rows[] = {
	{ CNF("1") SPT("0", METHOD("INVITE")), true },
	{ CNF("1") SPT("0", METHOD("invite")), false },
	{ CNF("1") NOT("0", METHOD("INVITE")), false },
	{ CNF("1") NOT("0", METHOD("BYE")), true },
	/* CNF: OR within a group, AND of the groups */
	{ CNF("1") SPT("0", METHOD("BYE")) SPT("0", METHOD("INVITE")), true },
	{ CNF("1") SPT("0", METHOD("INVITE")) SPT("1", CASE("0")), false },
	{ CNF("1") SPT("0", METHOD("INVITE")) SPT("1", CASE("0"))
		  SPT("1", CASE("1")),
	  true },
	/* DNF: AND within a group, OR of the groups */
	{ CNF("0") SPT("0", METHOD("BYE")) SPT("0", METHOD("INVITE")), false },
	{ CNF("0") SPT("0", METHOD("BYE")) SPT("1", METHOD("INVITE")), true },
	{ CNF("0") SPT("0", METHOD("INVITE")) SPT("0", CASE("1")), true },
	{ CNF("false") SPT("0", METHOD("BYE")) SPT("1", CASE("0")), false },
	/* a trigger in two groups */
	{ CNF("1") "<SPT><Group>0</Group><Group>1</Group>" METHOD(
		  "INVITE") "</SPT>" SPT("1", CASE("0")),
	  true },
	{ SPT("0", HEADER("Subject", "hello.*")), true },
	{ SPT("0", HEADER("subject", "bye")), false },
	{ SPT("0", HEADER("P-Early-Media", "supported")), true },
	{ SPT("0", HEADER("P-Other", ".*")), false },
	{ SPT("0", "<SIPHeader><Header>Max-.*</Header></SIPHeader>"), true },
	{ SPT("0", LINE("m", "^audio")), true },
	{ SPT("0", LINE("m", "^video")), false },
	{ SPT("0", "<RequestURI>sip:b@ims.test</RequestURI>"), true },
	{ SPT("0", "<RequestURI>sip:c@ims.test</RequestURI>"), false },
};

START_TEST(criterion_matches_as_its_triggers_say)
{
	ck_assert_msg(matches(rows[_i].triggers, invite) == rows[_i].is_match,
		      "%s", rows[_i].triggers);
}
END_TEST

START_TEST(criterion_without_triggers_matches_all)
{
	ck_assert_int_eq(parse_ifcs("<InitialFilterCriteria>" AS
				    "</InitialFilterCriteria>"),
			 0);
	ck_assert(scscf_ifc_matches(profile->ifcs, &invite));
}
END_TEST

START_TEST(registration_type_limits_a_register)
{
	static const char trigger[] =
		SPT("0", METHOD("REGISTER") "<Extension><RegistrationType>0</"
					    "RegistrationType>"
					    "<RegistrationType>2</"
					    "RegistrationType></Extension>");
	struct scscf_ifc_request rq = { .method = "REGISTER",
					.request_uri = "sip:ims.test" };

	rq.reg_type = (enum scscf_reg_type)_i;
	ck_assert_int_eq(matches(trigger, rq), _i != REG_TYPE_RE);
}
END_TEST

START_TEST(criteria_come_in_the_order_of_their_priority)
{
	ck_assert_int_eq(
		parse_ifcs("<InitialFilterCriteria><Priority>9</Priority>" AS
			   "</InitialFilterCriteria><InitialFilterCriteria>"
			   "<Priority>2</Priority>" AS
			   "</InitialFilterCriteria><InitialFilterCriteria>"
			   "<Priority>5</Priority>" AS
			   "</InitialFilterCriteria>"),
		0);
	ck_assert_int_eq(profile->ifcs->priority, 2);
	ck_assert_int_eq(profile->ifcs->next->priority, 5);
	ck_assert_int_eq(profile->ifcs->next->next->priority, 9);
}
END_TEST

START_TEST(barred_identities_are_not_associated)
{
	ck_assert_int_eq(
		parse("<IMSSubscription><ServiceProfile><PublicIdentity>"
		      "<BarringIndication>1</BarringIndication>"
		      "<Identity>sip:barred@ims.test</Identity>"
		      "</PublicIdentity><PublicIdentity>"
		      "<Identity> " IMPU "\n</Identity></PublicIdentity>"
		      "</ServiceProfile><ServiceProfile><PublicIdentity>"
		      "<BarringIndication>0</BarringIndication>"
		      "<Identity>tel:+8657110000001</Identity>"
		      "<Extension><Unknown>x</Unknown></Extension>"
		      "</PublicIdentity></ServiceProfile></IMSSubscription>"),
		0);
	ck_assert_uint_eq(profile->impu_n, 2);
	ck_assert_str_eq(profile->impus[0], IMPU);
	ck_assert_str_eq(profile->impus[1], "tel:+8657110000001");
}
END_TEST

/* What cannot be read, and the word that says where */
static const struct {
	const char *xml, *word;
} bad[] = {
	{ "", "XML" },
	{ "not xml", "XML" },
	{ "<Other/>", "IMSSubscription" },
	{ "<IMSSubscription/>", "no ServiceProfile holds" },
	{ "<IMSSubscription><ServiceProfile><PublicIdentity><Identity>"
	  "sip:other@ims.test</Identity></PublicIdentity></ServiceProfile>"
	  "</IMSSubscription>",
	  IMPU },
};

START_TEST(unreadable_user_data_is_refused_with_its_place)
{
	ck_assert_int_ne(parse(bad[_i].xml), 0);
	ck_assert_ptr_nonnull(strstr(reason, bad[_i].word));
}
END_TEST

static const char *const bad_ifcs[] = {
	"<InitialFilterCriteria><Priority>7</Priority>"
	"</InitialFilterCriteria>",
	"<InitialFilterCriteria><Priority>7</Priority><TriggerPoint><SPT/>"
	"</TriggerPoint>" AS "</InitialFilterCriteria>",
	"<InitialFilterCriteria><Priority>7</Priority><TriggerPoint>" SPT(
		"0", HEADER("(", "x")) "</TriggerPoint>" AS
				       "</InitialFilterCriteria>",
};

START_TEST(unreadable_criterion_is_refused_with_its_priority)
{
	ck_assert_int_ne(parse_ifcs(bad_ifcs[_i]), 0);
	ck_assert_ptr_nonnull(strstr(reason, "priority 7"));
}
END_TEST

static Suite *scscf_ifc_suite(void)
{
	Suite *suite = suite_create("scscf_ifc");
	TCase *tc = tcase_create("29.228 annex B");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, criterion_matches_as_its_triggers_say, 0,
			    sizeof(rows) / sizeof(*rows));
	tcase_add_test(tc, criterion_without_triggers_matches_all);
	tcase_add_loop_test(tc, registration_type_limits_a_register, 0, 3);
	tcase_add_test(tc, criteria_come_in_the_order_of_their_priority);
	tcase_add_test(tc, barred_identities_are_not_associated);
	tcase_add_loop_test(tc, unreadable_user_data_is_refused_with_its_place,
			    0, sizeof(bad) / sizeof(*bad));
	tcase_add_loop_test(tc,
			    unreadable_criterion_is_refused_with_its_priority,
			    0, sizeof(bad_ifcs) / sizeof(*bad_ifcs));
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(scscf_ifc_suite)
