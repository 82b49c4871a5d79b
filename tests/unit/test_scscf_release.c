/* Release of sessions by the S-CSCF (TS 24.229 5.4.5.1): with a registration
 * its user's sessions end. Between a bare P-CSCF, a bare other side and a fake
 * HSS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/dialog.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/timer.h"
#include "ims_core/scscf/scscf_core.h"
#include "ims_core/scscf/scscf_session.h"
#include "tests/fake/fake_call.h"
#include "tests/fake/scscf_bed.h"
#include "tests/suite.h"

static struct {
	struct scscf *scscf;
	struct fake_peer *other_peer;
	struct fake_call ue, other;
	char extra[256], uri[128];
} t;

static void setup(void)
{
	scscf_bed_setup();
	memset(&t, 0, sizeof(t));
	t.scscf = scscf_bed.scscf;
	t.other_peer = fake_peer_new(scscf_bed.loop, FAKE_UDP);
	/* the UE stands behind a P-CSCF that is the same peer */
	snprintf(t.extra, sizeof(t.extra),
		 "Path: <sip:term@%s;lr>\nRequire: path\n",
		 fake_peer_addr(scscf_bed.ue_peer));
	scscf_bed.ue.extra = t.extra;
	fake_ue_register_through(&scscf_bed.ue, 200);
	fake_call_init(&t.ue, scscf_bed.ue_peer, scscf_addr(t.scscf),
		       "<" SCSCF_BED_IMPU ">");
	fake_call_init(&t.other, t.other_peer, scscf_addr(t.scscf),
		       "<sip:other@else.test>");
	snprintf(t.uri, sizeof(t.uri), "sip:x@%s",
		 fake_peer_addr(t.other_peer));
}

static void teardown(void)
{
	fake_peer_free(t.other_peer);
	scscf_bed_teardown();
}

static int dialogs(void)
{
	return (int)dialog_count(t.scscf->dialogs);
}

static bool is_over(const void *arg)
{
	(void)arg;

	return !dialogs() && LIST_EMPTY(&t.scscf->releases);
}

static void ends(void)
{
	ck_assert(loop_run_until(scscf_bed.loop, is_over, NULL, SCSCF_BED_MS));
}

static void ue_calls(void)
{
	snprintf(t.ue.routes, sizeof(t.ue.routes), "<sip:orig@%s;lr>",
		 scscf_addr(t.scscf));
	snprintf(t.ue.extra, sizeof(t.ue.extra),
		 "Record-Route: <sip:orig@%s;lr>\n"
		 "P-Asserted-Identity: <" SCSCF_BED_IMPU ">\n",
		 fake_peer_addr(scscf_bed.ue_peer));
	fake_call_invite(&t.ue, t.uri);
	fake_call_expect(&t.other, "INVITE");
}

static void it_rings(void)
{
	ue_calls();
	fake_call_reply(&t.other, 180, "");
	fake_call_expect_status(&t.ue, 100);
	fake_call_expect_status(&t.ue, 180);
}

static void is_answered(struct fake_call *caller, struct fake_call *callee)
{
	fake_call_answer(callee);
	fake_call_expect_status(caller, 200);
	if (caller == &t.ue) /* the P-CSCF is behind us already */
		snprintf(caller->routes, sizeof(caller->routes),
			 "<sip:orig@%s;lr>", scscf_addr(t.scscf));
	fake_call_ack(caller);
	fake_call_expect(callee, "ACK");
	ck_assert_int_eq(dialogs(), 1);
}

static void ue_is_in_a_call(void)
{
	ue_calls();
	is_answered(&t.ue, &t.other);
}

static void rtr(void)
{
	scscf_bed.hss->lia.server_name = t.scscf->name;
	fake_hss_rtr(scscf_bed.hss, scscf_bed.ue.impi, SCSCF_BED_IMPU,
		     CX_PERMANENT_TERMINATION);
}

static void contains(const char *text, const char *header, const char *what)
{
	if (!strstr(fake_header(text, header, 0), what))
		ck_abort_msg("no %s with \"%s\":\n%s", header, what, text);
}

/* A BYE that is what the other end would have sent: RFC 3261 12.2.1.1 */
static const char *gets_bye(struct fake_call *to, int cseq)
{
	const char *text = fake_call_expect(to, "BYE");
	char line[256];

	/* its own Contact: of either side the same for the test */
	snprintf(line, sizeof(line), "BYE sip:ue@%s SIP/2.0",
		 fake_peer_addr(to->peer));
	ck_assert_msg(!strncmp(text, line, strlen(line)), "%s", text);
	ck_assert_str_eq(fake_header(text, "From", 0), to->remote);
	ck_assert_str_eq(fake_header(text, "To", 0), to->local);
	ck_assert_str_eq(fake_header(text, "Call-ID", 0), to->call_id);
	ck_assert_str_eq(fake_header(text, "Max-Forwards", 0), "70");
	if (cseq)
		ck_assert_int_eq(atoi(fake_header(text, "CSeq", 0)), cseq);
	else
		ck_assert_int_gt(atoi(fake_header(text, "CSeq", 0)), 0);

	return text;
}

START_TEST(both_ends_of_a_call_get_a_bye)
{
	const char *text;
	char route[96];

	ue_is_in_a_call();
	fake_call_tx(&t.ue, "INFO"); /* 2 */
	fake_call_expect(&t.other, "INFO");
	fake_call_reply(&t.other, 200, "");
	fake_call_expect_status(&t.ue, 200);
	rtr();
	text = gets_bye(&t.other, 3);
	contains(text, "Reason",
		 "SIP;cause=480;text=\"deregistered by the network\"");
	ck_assert_str_eq(fake_header(text, "Route", 0), "");
	fake_call_reply(&t.other, 200, "");
	text = gets_bye(&t.ue, 0);
	contains(text, "Reason", "SIP;cause=480");
	snprintf(route, sizeof(route), "<sip:orig@%s;lr>",
		 fake_peer_addr(scscf_bed.ue_peer));
	ck_assert_str_eq(fake_header(text, "Route", 0), route);
	ck_assert_int_eq(dialogs(), 1); /* until both have answered */
	fake_call_reply(&t.ue, 200, "");
	ends();
}
END_TEST

START_TEST(called_user_and_who_called_get_one_too)
{
	snprintf(t.other.routes, sizeof(t.other.routes), "<sip:%s;lr>",
		 scscf_addr(t.scscf));
	fake_call_invite(&t.other, SCSCF_BED_IMPU);
	fake_call_expect(&t.ue, "INVITE");
	is_answered(&t.other, &t.ue);
	rtr();
	gets_bye(&t.other, 0);
	fake_call_reply(&t.other, 200, "");
	gets_bye(&t.ue, 2);
	fake_call_reply(&t.ue, 200, "");
	ends();
}
END_TEST

/* Both had hung up before, or are not there */
START_TEST(bye_that_is_one_too_many_is_no_error)
{
	static const int answers[] = { 481, 500 };

	ue_is_in_a_call();
	rtr();
	gets_bye(&t.other, 2);
	fake_call_reply(&t.other, answers[_i], "");
	gets_bye(&t.ue, 0);
	fake_call_reply(&t.ue, answers[_i], "");
	ends();
}
END_TEST

START_TEST(ends_that_say_nothing_are_not_waited_for)
{
	ue_is_in_a_call();
	rtr();
	gets_bye(&t.other, 2);
	gets_bye(&t.ue, 0);
	clock_take_over();
	clock_advance_us(timer_value_ms(TIMER_SIP_TRANSACTION) * 1000 +
			 1000000);
	ends();
}
END_TEST

START_TEST(released_session_gets_481_but_for_a_bye)
{
	ue_is_in_a_call();
	rtr();
	gets_bye(&t.other, 2);
	gets_bye(&t.ue, 0);
	fake_call_tx(&t.ue, "UPDATE");
	contains(fake_call_expect_status(&t.ue, 481), "Warning", "released");
	fake_call_tx(&t.ue, "BYE"); /* it crosses ours */
	fake_call_expect(&t.other, "BYE");
	fake_call_reply(&t.other, 481, "");
	fake_call_expect_status(&t.ue, 481);
	ck_assert_int_eq(dialogs(), 0);
}
END_TEST

static void ue_deregisters(void)
{
	scscf_bed.ue.expires = "0";
	fake_ue_register_through(&scscf_bed.ue, 200);
}

static void registration_expires(void)
{
	clock_take_over();
	clock_advance_us(3601 * 1000000LL);
}

/* Each end of a registration, and what the BYE says of it */
static const struct {
	void (*end)(void);
	const char *reason;
} reasons[] = {
	{ rtr, "text=\"deregistered by the network\"" },
	{ ue_deregisters, "text=\"deregistered\"" },
	{ registration_expires, "text=\"registration expired\"" },
};

START_TEST(each_end_of_a_registration_ends_the_call)
{
	ue_is_in_a_call();
	reasons[_i].end();
	contains(gets_bye(&t.other, 2), "Reason", reasons[_i].reason);
}
END_TEST

START_TEST(call_that_rings_is_cancelled)
{
	it_rings();
	ck_assert_int_eq(dialogs(), 1);
	rtr();
	snprintf(t.ue.invite, sizeof(t.ue.invite), "%s", t.other.request);
	fake_peer_expect(t.other_peer, "CANCEL");
	fake_call_reply(&t.other, 487, "");
	fake_call_expect_status(&t.ue, 487);
	ends();
	ck_assert_ptr_null(t.scscf->sessions);
}
END_TEST

START_TEST(answer_that_crosses_the_cancel_is_released_after_its_ack)
{
	ue_calls();
	fake_call_reply(&t.other, 180, "");
	fake_call_expect_status(&t.ue, 100);
	rtr();
	fake_peer_expect(t.other_peer, "CANCEL");
	is_answered(&t.ue, &t.other);
	gets_bye(&t.other, 2);
	fake_call_reply(&t.other, 200, "");
	gets_bye(&t.ue, 0);
	fake_call_reply(&t.ue, 200, "");
	ends();
}
END_TEST

START_TEST(call_of_another_user_stays)
{
	static const char profile[] =
		"<IMSSubscription><PrivateID>p</PrivateID><ServiceProfile>"
		"<PublicIdentity><Identity>sip:second@ims.test</Identity>"
		"</PublicIdentity></ServiceProfile></IMSSubscription>";
	struct fake_ue second;

	ue_is_in_a_call();
	scscf_bed.hss->saa.user_data = profile;
	scscf_bed.hss->saa.user_data_len = strlen(profile);
	fake_ue_init(&second, t.other_peer, scscf_addr(t.scscf));
	second.impu = "sip:second@ims.test";
	second.call_id = "second";
	fake_ue_register_through(&second, 200);
	second.expires = "0";
	fake_ue_register_through(&second, 200);
	ck_assert_int_eq(dialogs(), 1);
	ck_assert_int_eq(fake_peer_pending(t.other_peer), 0);
}
END_TEST

/* A contact of the user at which no call is */
static void ue_registers_another(const char *expires)
{
	const char *first = scscf_bed.ue.contact;

	scscf_bed.ue.contact = "<sip:ue@127.0.0.1:9>";
	scscf_bed.ue.expires = expires;
	fake_ue_register_through(&scscf_bed.ue, 200);
	scscf_bed.ue.contact = first;
}

START_TEST(contact_that_goes_takes_its_calls_along)
{
	ue_registers_another("3600");
	ue_is_in_a_call();
	ue_deregisters();
	contains(gets_bye(&t.other, 2), "Reason", "text=\"deregistered\"");
	fake_call_reply(&t.other, 200, "");
	gets_bye(&t.ue, 0);
	fake_call_reply(&t.ue, 200, "");
	ends();
	ck_assert(scscf_session_is_served(t.scscf, SCSCF_BED_IMPU));
}
END_TEST

START_TEST(contact_that_expires_takes_its_calls_along)
{
	ue_registers_another("3600"); /* and the first for 600 s */
	ue_is_in_a_call();
	clock_take_over();
	clock_advance_us(601 * 1000000LL);
	contains(gets_bye(&t.other, 2), "Reason", "registration expired");
	ck_assert(scscf_session_is_served(t.scscf, SCSCF_BED_IMPU));
}
END_TEST

START_TEST(contact_that_goes_cancels_what_it_began)
{
	ue_registers_another("3600");
	it_rings();
	snprintf(t.ue.invite, sizeof(t.ue.invite), "%s", t.other.request);
	ue_deregisters();
	fake_peer_expect(t.other_peer, "CANCEL");
}
END_TEST

START_TEST(call_at_another_contact_stays)
{
	ue_registers_another("3600");
	ue_is_in_a_call();
	ue_registers_another("0");
	ck_assert_int_eq(dialogs(), 1);
	ck_assert(LIST_EMPTY(&t.scscf->releases));
	ck_assert_int_eq(fake_peer_pending(t.other_peer), 0);
}
END_TEST

START_TEST(call_that_rings_goes_on_when_another_contact_goes)
{
	ue_registers_another("3600");
	it_rings();
	ue_registers_another("0");
	ck_assert_int_eq(fake_peer_pending(t.other_peer), 0);
	is_answered(&t.ue, &t.other);
}
END_TEST

START_TEST(end_that_gave_no_contact_cannot_be_reached)
{
	ue_calls();
	snprintf(t.other.contact, sizeof(t.other.contact), "*");
	fake_call_reply(&t.other, 200, "");
	fake_call_expect_status(&t.ue, 200);
	rtr();
	gets_bye(&t.ue, 0);
	fake_call_reply(&t.ue, 200, "");
	ends();
}
END_TEST

START_TEST(call_that_has_ended_is_not_released)
{
	ue_is_in_a_call();
	fake_call_tx(&t.other, "BYE");
	fake_call_expect(&t.ue, "BYE");
	fake_call_reply(&t.ue, 200, "");
	fake_call_expect_status(&t.other, 200);
	ck_assert_int_eq(dialogs(), 0);
	ue_deregisters();
	ck_assert_int_eq(fake_peer_pending(t.other_peer), 0);
}
END_TEST

START_TEST(one_dialog_too_many_gets_503)
{
	dialog_table_free(t.scscf->dialogs);
	t.scscf->dialogs = dialog_table_new(scscf_bed.el, 0);
	snprintf(t.ue.routes, sizeof(t.ue.routes), "<sip:orig@%s;lr>",
		 scscf_addr(t.scscf));
	fake_call_invite(&t.ue, t.uri);
	contains(fake_call_expect_status(&t.ue, 503), "Warning", "try again");
}
END_TEST

START_TEST(scscf_may_go_while_it_releases)
{
	ue_is_in_a_call();
	rtr();
	gets_bye(&t.other, 2);
	ck_assert(!is_over(NULL));
}
END_TEST

static Suite *scscf_release_suite(void)
{
	Suite *suite = suite_create("scscf_release");
	TCase *tc = tcase_create("5.4.5.1");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, both_ends_of_a_call_get_a_bye);
	tcase_add_test(tc, called_user_and_who_called_get_one_too);
	tcase_add_loop_test(tc, bye_that_is_one_too_many_is_no_error, 0, 2);
	tcase_add_test(tc, ends_that_say_nothing_are_not_waited_for);
	tcase_add_test(tc, released_session_gets_481_but_for_a_bye);
	tcase_add_loop_test(tc, each_end_of_a_registration_ends_the_call, 0,
			    sizeof(reasons) / sizeof(*reasons));
	tcase_add_test(tc, call_that_rings_is_cancelled);
	tcase_add_test(
		tc, answer_that_crosses_the_cancel_is_released_after_its_ack);
	tcase_add_test(tc, call_of_another_user_stays);
	tcase_add_test(tc, contact_that_goes_takes_its_calls_along);
	tcase_add_test(tc, contact_that_expires_takes_its_calls_along);
	tcase_add_test(tc, contact_that_goes_cancels_what_it_began);
	tcase_add_test(tc, call_at_another_contact_stays);
	tcase_add_test(tc, call_that_rings_goes_on_when_another_contact_goes);
	tcase_add_test(tc, end_that_gave_no_contact_cannot_be_reached);
	tcase_add_test(tc, call_that_has_ended_is_not_released);
	tcase_add_test(tc, one_dialog_too_many_gets_503);
	tcase_add_test(tc, scscf_may_go_while_it_releases);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(scscf_release_suite)
