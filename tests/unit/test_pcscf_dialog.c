/* Inside a dialog at the P-CSCF (TS 24.229 5.2.6.3.5, 5.2.6.3.9, 5.2.6.4.4):
 * whose it is, which way it goes, and when it is over */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/dialog.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/timer.h"
#include "tests/fake/pcscf_bed.h"
#include "tests/suite.h"

#define t pcscf_bed

static int dialogs(void)
{
	return (int)dialog_count(t.pcscf->dialogs);
}

static bool is_forgotten(const void *arg)
{
	(void)arg;

	return !dialogs();
}

/* The S-CSCF puts itself in the way of what it was sent last */
static void record_route(void)
{
	char *copy = strdup(t.net.request);
	char *at = strstr(copy, "Record-Route:");

	ck_assert_ptr_nonnull(at);
	*at = '\0';
	snprintf(t.net.request, sizeof(t.net.request),
		 "%sRecord-Route: <sip:s@%s;lr>\nRecord-Route:%s", copy,
		 fake_peer_addr(t.scscf), at + strlen("Record-Route:"));
	free(copy);
}

static void ue_calls(void)
{
	pcscf_bed_register();
	pcscf_bed_invite_passes("");
	record_route();
}

static void is_answered(void)
{
	fake_call_answer(&t.net);
	fake_call_expect_status(&t.ue_call, 200);
	fake_call_ack(&t.ue_call);
	fake_call_expect(&t.net, "ACK");
}

static void ue_is_in_a_call(void)
{
	ue_calls();
	is_answered();
	ck_assert_int_eq(dialogs(), 1);
}

static void ue_is_called(const char *extra)
{
	pcscf_bed_register();
	pcscf_bed_call_ue(extra);
	fake_call_expect(&t.ue_call, "INVITE");
}

static void refused(struct fake_call *call, const char *method, int status)
{
	fake_call_tx(call, method);
	fake_call_expect_status(call, status);
	ck_assert_int_eq(fake_peer_pending(t.scscf), 0);
}

static void passes(const char *method, int status)
{
	fake_call_tx(&t.ue_call, method);
	fake_call_expect(&t.net, method);
	fake_call_reply(&t.net, status, "");
	fake_call_expect_status(&t.ue_call, status);
}

static void set_to_tag(struct fake_call *call, const char *tag)
{
	char *at = strstr(call->remote, ";tag=");

	ck_assert_ptr_nonnull(at);
	snprintf(at, 64, ";tag=%s", tag);
}

/* --- whose it is --- */

START_TEST(made_up_to_tag_gets_481)
{
	ue_is_in_a_call();
	set_to_tag(&t.ue_call, "made-up");
	refused(&t.ue_call, "BYE", 481);
	refused(&t.ue_call, "INFO", 481);
	refused(&t.ue_call, "INVITE", 481);
	ck_assert_int_eq(dialogs(), 1);
}
END_TEST

/* What names a dialog, one after the other */
START_TEST(made_up_dialog_gets_481)
{
	ue_is_in_a_call();
	if (_i == 0)
		snprintf(t.ue_call.call_id, sizeof(t.ue_call.call_id), "x");
	else
		snprintf(t.ue_call.local, sizeof(t.ue_call.local),
			 "<" PCSCF_BED_IMPU ">;tag=mine");
	refused(&t.ue_call, "BYE", 481);
}
END_TEST

START_TEST(ack_of_no_dialog_is_dropped)
{
	ue_is_in_a_call();
	set_to_tag(&t.ue_call, "made-up");
	fake_call_ack(&t.ue_call);
	snprintf(t.ue_call.remote, sizeof(t.ue_call.remote), "<sip:b@x>");
	fake_call_ack(&t.ue_call);
	refused(&t.ue_call, "CANCEL", 481); /* all has been read by now */
	ck_assert_ptr_null(t.pcscf->sessions);
}
END_TEST

START_TEST(dialog_of_another_ue_gets_403)
{
	ue_is_in_a_call();
	pcscf_bed_register_stranger();
	t.ue_call.peer = t.stranger_peer;
	refused(&t.ue_call, "BYE", 403);
	refused(&t.ue_call, "UPDATE", 403);
	t.ue_call.peer = t.ue_peer;
	passes("BYE", 200);
}
END_TEST

START_TEST(ue_that_moved_keeps_its_dialog)
{
	struct fake_ue moved;

	ue_is_in_a_call();
	fake_ue_init(&moved, t.stranger_peer, pcscf_addr(t.pcscf));
	moved.contact = t.contact;
	moved.call_id = "moved";
	fake_ue_register(&moved);
	fake_peer_expect(t.icscf, "REGISTER");
	fake_peer_reply(t.icscf, 200, t.ok);
	fake_peer_expect_status(t.stranger_peer, 200);
	fake_peer_expect(t.scscf, "SUBSCRIBE");
	t.ue_call.peer = t.stranger_peer;
	passes("BYE", 200);
}
END_TEST

/* --- the way --- */

/* What a UE may write of the way */
static const char *const ways[] = { "", "<sip:elsewhere.test;lr>",
				    "<sip:127.0.0.1:9;lr>, <sip:x.test;lr>" };

START_TEST(saved_route_set_takes_the_place_of_the_ues)
{
	char route[128];
	const char *text;

	ue_is_in_a_call();
	snprintf(t.ue_call.routes, sizeof(t.ue_call.routes), "%s", ways[_i]);
	fake_call_tx(&t.ue_call, "UPDATE");
	text = fake_call_expect(&t.net, "UPDATE");
	snprintf(route, sizeof(route), "<sip:s@%s;lr>",
		 fake_peer_addr(t.scscf));
	ck_assert_str_eq(fake_header(text, "Route", 0), route);
	ck_assert_str_eq(fake_header(text, "Route", 1), "");
}
END_TEST

START_TEST(called_ue_cannot_choose_the_way_back)
{
	const char *text;

	ue_is_called("Record-Route: <sip:s.ims.test;lr>\n");
	fake_call_reply(&t.ue_call, 180, "Record-Route: <sip:mine.test;lr>\n");
	fake_call_expect_status(&t.net, 100);
	text = fake_call_expect_status(&t.net, 180);
	pcscf_bed_contains(text, "Record-Route", "<sip:term@");
	ck_assert_str_eq(fake_header(text, "Record-Route", 1),
			 "<sip:s.ims.test;lr>");
	ck_assert_str_eq(fake_header(text, "Record-Route", 2), "");
	ck_assert_ptr_null(strstr(text, "mine.test"));
	fake_call_reply(&t.ue_call, 486, "");
	text = fake_call_expect_status(&t.net, 486);
	ck_assert_str_eq(fake_header(text, "Record-Route", 0), "");
}
END_TEST

/* --- in the network's name --- */

#define FORGED "P-Asserted-Identity: <sip:forged@ims.test>\n"

static bool is_forged(const char *text)
{
	return strstr(text, "forged") != NULL;
}

START_TEST(nothing_is_asserted_by_a_ue_inside_a_dialog)
{
	static const char *const methods[] = { "INVITE", "UPDATE", "INFO",
					       "ACK", "BYE" };
	const char *text;

	ue_is_in_a_call();
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		snprintf(t.ue_call.extra, sizeof(t.ue_call.extra),
			 FORGED "P-Preferred-Identity: <sip:forged@x>\n");
		fake_call_tx(&t.ue_call, methods[i]);
		text = fake_call_expect(&t.net, methods[i]);
		ck_assert_msg(!is_forged(text), "%s", text);
		if (strcmp(methods[i], "ACK") != 0)
			fake_call_reply(&t.net, 200, "");
	}
}
END_TEST

START_TEST(nothing_is_asserted_in_an_answer_that_comes_again)
{
	ue_is_called("");
	fake_call_reply(&t.ue_call, 200, FORGED);
	ck_assert(!is_forged(fake_call_expect_status(&t.net, 200)));
	fake_call_reply(&t.ue_call, 200, FORGED);
	ck_assert(!is_forged(fake_call_expect_status(&t.net, 200)));
	ck_assert_int_eq(dialogs(), 1);
}
END_TEST

/* A 2xx that nobody waits for, by which a UE would make a dialog of its own */
START_TEST(answer_that_a_ue_makes_up_begins_nothing)
{
	char text[1024];

	ue_is_in_a_call();
	snprintf(text, sizeof(text),
		 "SIP/2.0 200 OK\nVia: SIP/2.0/UDP %s;branch=z9hG4bKx\n"
		 "Via: SIP/2.0/UDP %s;branch=z9hG4bKy\nFrom: %s\n"
		 "To: <sip:b@ims.test>;tag=made-up\nCall-ID: %s\n"
		 "CSeq: 1 INVITE\nContact: <sip:x@127.0.0.1:9>\n\n",
		 pcscf_addr(t.pcscf), fake_peer_addr(t.ue_peer),
		 t.ue_call.local, t.ue_call.call_id);
	fake_peer_tx(t.ue_peer, pcscf_addr(t.pcscf), text);
	set_to_tag(&t.ue_call, "made-up");
	fake_peer_expect(t.ue_peer, "SIP/2.0 200"); /* passed on */
	refused(&t.ue_call, "BYE", 481);
	ck_assert_int_eq(dialogs(), 1);
}
END_TEST

/* What its dialog would be found by, left out */
static const char *const left_out[] = { "From: ", "To: ", "Call-ID: " };

START_TEST(answer_without_what_names_a_dialog_is_dropped)
{
	char text[1024], *line;

	pcscf_bed_register();
	snprintf(text, sizeof(text),
		 "SIP/2.0 200 OK\nVia: SIP/2.0/UDP %s;branch=z9hG4bKx\n"
		 "Via: SIP/2.0/UDP %s;branch=z9hG4bKy\nFrom: <sip:a@x>;tag=a\n"
		 "To: <sip:b@x>;tag=b\nCall-ID: c\nCSeq: 1 INVITE\n\n",
		 pcscf_addr(t.pcscf), fake_peer_addr(t.ue_peer));
	line = strstr(text, left_out[_i]);
	memset(line, 'X', strcspn(line, ":"));
	fake_peer_tx(t.ue_peer, pcscf_addr(t.pcscf), text);
	pcscf_bed_invite_passes("");
	ck_assert_int_eq(fake_peer_pending(t.ue_peer), 1); /* the 100 */
}
END_TEST

/* --- its life --- */

START_TEST(second_bye_gets_481)
{
	ue_is_in_a_call();
	passes("BYE", 200);
	ck_assert_int_eq(dialogs(), 0);
	refused(&t.ue_call, "BYE", 481);
}
END_TEST

START_TEST(bye_of_the_other_side_ends_it_too)
{
	ue_is_called("");
	fake_call_answer(&t.ue_call);
	fake_call_expect_status(&t.net, 200);
	fake_call_ack(&t.net);
	fake_call_expect(&t.ue_call, "ACK");
	ck_assert_int_eq(dialogs(), 1);
	fake_call_tx(&t.net, "BYE");
	fake_call_expect(&t.ue_call, "BYE");
	fake_call_reply(&t.ue_call, 200, "");
	fake_call_expect_status(&t.net, 200);
	refused(&t.ue_call, "BYE", 481);
}
END_TEST

START_TEST(request_inside_an_early_dialog_passes)
{
	ue_calls();
	fake_call_reply(&t.net, 180, "");
	fake_call_expect_status(&t.ue_call, 100);
	fake_call_expect_status(&t.ue_call, 180);
	passes("UPDATE", 200);
	ck_assert_int_eq(dialogs(), 1);
}
END_TEST

START_TEST(refused_call_has_no_dialog)
{
	ue_calls();
	fake_call_reply(&t.net, 180, "");
	fake_call_expect_status(&t.ue_call, 100);
	fake_call_expect_status(&t.ue_call, 180);
	fake_call_reply(&t.net, 486, "");
	fake_call_expect(&t.net, "ACK");
	fake_call_expect_status(&t.ue_call, 486);
	refused(&t.ue_call, "UPDATE", 481);
	ck_assert_int_eq(dialogs(), 0);
}
END_TEST

START_TEST(after_a_481_only_a_bye_may_come)
{
	ue_is_in_a_call();
	passes("UPDATE", 481);
	refused(&t.ue_call, "UPDATE", 481);
	passes("BYE", 481);
	ck_assert_int_eq(dialogs(), 0);
}
END_TEST

static void ue_deregisters(void)
{
	t.ue.expires = "0";
	fake_ue_register(&t.ue);
	fake_peer_expect(t.icscf, "REGISTER");
	fake_peer_reply(t.icscf, 200, "");
	fake_peer_expect_status(t.ue_peer, 200);
}

START_TEST(with_the_registration_its_dialogs_go)
{
	ue_is_in_a_call();
	ue_deregisters();
	refused(&t.ue_call, "UPDATE", 403);
	/* the S-CSCF ends what is up: its BYE must arrive */
	t.net.remote[0] = '\0';
	snprintf(t.net.remote, sizeof(t.net.remote), "%s", t.ue_call.local);
	fake_call_tx(&t.net, "BYE");
	fake_call_expect(&t.ue_call, "BYE");
	fake_call_reply(&t.ue_call, 200, "");
	fake_call_expect_status(&t.net, 200);
	ck_assert_int_eq(dialogs(), 0);
}
END_TEST

START_TEST(without_a_bye_they_go_after_64_t1)
{
	ue_is_in_a_call();
	ue_deregisters();
	ck_assert_int_eq(dialogs(), 1);
	clock_take_over();
	clock_advance_us(timer_value_ms(TIMER_SIP_TRANSACTION) * 1000 + 1000);
	ck_assert(loop_run_until(t.loop, is_forgotten, NULL, PATIENCE_MS));
}
END_TEST

START_TEST(subscription_of_a_ue_is_a_dialog)
{
	pcscf_bed_register();
	snprintf(t.ue_call.remote, sizeof(t.ue_call.remote), "<sip:b@x>");
	snprintf(t.ue_call.target, sizeof(t.ue_call.target), "sip:b@x");
	snprintf(t.ue_call.extra, sizeof(t.ue_call.extra), "Event: presence\n");
	fake_call_tx(&t.ue_call, "SUBSCRIBE");
	fake_call_expect(&t.net, "SUBSCRIBE");
	fake_call_reply(&t.net, 200, "Expires: 600\n");
	fake_call_expect_status(&t.ue_call, 200);
	ck_assert_int_eq(dialogs(), 1);
	snprintf(t.ue_call.remote, sizeof(t.ue_call.remote),
		 "<sip:b@x>;tag=made-up");
	refused(&t.ue_call, "SUBSCRIBE", 481);
	snprintf(t.ue_call.target, sizeof(t.ue_call.target), "sip:b@%s",
		 fake_peer_addr(t.scscf));
	set_to_tag(&t.ue_call, "callee");
	passes("SUBSCRIBE", 200);
	ck_assert_int_eq(dialogs(), 1);
}
END_TEST

START_TEST(one_dialog_too_many_gets_503)
{
	ue_is_in_a_call();
	dialog_table_free(t.pcscf->dialogs);
	t.pcscf->dialogs = dialog_table_new(t.el, 0);
	fake_call_init(&t.ue_call, t.ue_peer, pcscf_addr(t.pcscf),
		       "<" PCSCF_BED_IMPU ">");
	fake_call_invite(&t.ue_call, "sip:b@ims.test");
	pcscf_bed_contains(fake_call_expect_status(&t.ue_call, 503), "Warning",
			   "try again later");
	/* what makes none gets through */
	fake_call_tx(&t.ue_call, "MESSAGE");
	fake_call_expect(&t.net, "MESSAGE");
}
END_TEST

static void add_way_tests(TCase *tc)
{
	tcase_add_test(tc, made_up_to_tag_gets_481);
	tcase_add_loop_test(tc, made_up_dialog_gets_481, 0, 2);
	tcase_add_test(tc, ack_of_no_dialog_is_dropped);
	tcase_add_test(tc, dialog_of_another_ue_gets_403);
	tcase_add_test(tc, ue_that_moved_keeps_its_dialog);
	tcase_add_loop_test(tc, saved_route_set_takes_the_place_of_the_ues, 0,
			    sizeof(ways) / sizeof(*ways));
	tcase_add_test(tc, called_ue_cannot_choose_the_way_back);
	tcase_add_test(tc, nothing_is_asserted_by_a_ue_inside_a_dialog);
	tcase_add_test(tc, nothing_is_asserted_in_an_answer_that_comes_again);
	tcase_add_test(tc, answer_that_a_ue_makes_up_begins_nothing);
	tcase_add_loop_test(tc, answer_without_what_names_a_dialog_is_dropped,
			    0, sizeof(left_out) / sizeof(*left_out));
}

static Suite *pcscf_dialog_suite(void)
{
	Suite *suite = suite_create("pcscf_dialog");
	TCase *tc = tcase_create("inside");

	tcase_add_checked_fixture(tc, pcscf_bed_setup, pcscf_bed_teardown);
	tcase_set_timeout(tc, 20);
	add_way_tests(tc);
	tcase_add_test(tc, second_bye_gets_481);
	tcase_add_test(tc, bye_of_the_other_side_ends_it_too);
	tcase_add_test(tc, request_inside_an_early_dialog_passes);
	tcase_add_test(tc, refused_call_has_no_dialog);
	tcase_add_test(tc, after_a_481_only_a_bye_may_come);
	tcase_add_test(tc, with_the_registration_its_dialogs_go);
	tcase_add_test(tc, without_a_bye_they_go_after_64_t1);
	tcase_add_test(tc, subscription_of_a_ue_is_a_dialog);
	tcase_add_test(tc, one_dialog_too_many_gets_503);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(pcscf_dialog_suite)
