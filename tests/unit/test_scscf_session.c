/* Requests other than REGISTER at the S-CSCF (TS 24.229 5.4.3), between bare
 * peers and a fake HSS whose profile the test writes */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/dialog.h"
#include "common/element.h"
#include "common/loop.h"
#include "ims_core/scscf/scscf.h"
#include "ims_core/scscf/scscf_core.h"
#include "tests/fake/fake_call.h"
#include "tests/fake/fake_hss.h"
#include "tests/fake/fake_ue.h"
#include "tests/suite.h"

#define IMPU "sip:+8657110000001@ims.test"
#define BOB "sip:bob@ims.test"

enum { AS_N = 2 };

static struct {
	struct loop *loop;
	struct element *hss_el, *el;
	struct fake_hss *hss;
	struct scscf *scscf;
	struct fake_peer *pcscf, *icscf, *as_peer[AS_N];
	struct fake_ue ue;
	struct fake_call caller, next, as[AS_N];
	char icscf_addr[64], profile[4096], extra[256];
	char back[256]; /* the Route by which an AS sends a call back */
} t;

static bool is_open(const void *arg)
{
	(void)arg;

	return cx_is_open(t.scscf->cx);
}

static bool is_gone(const void *arg)
{
	(void)arg;

	return !t.scscf->regs;
}

static void start(bool has_icscf)
{
	struct scscf_cfg cfg = { .listen = "127.0.0.1:0",
				 .realm = "ims.test",
				 .origin_host = "scscf.ims.test",
				 .digest = "md5" };
	char *reason = NULL;

	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.hss_el = element_new_on(t.loop, "hss");
	t.el = element_new_on(t.loop, "scscf");
	t.hss = fake_hss_new(t.hss_el);
	t.pcscf = fake_peer_new(t.loop, FAKE_UDP);
	t.icscf = fake_peer_new(t.loop, FAKE_UDP);
	snprintf(t.icscf_addr, sizeof(t.icscf_addr), "%s",
		 fake_peer_addr(t.icscf));
	cfg.hss = fake_hss_addr(t.hss);
	cfg.icscf = has_icscf ? t.icscf_addr : NULL;
	ck_assert_int_eq(scscf_new(&t.scscf, t.el, &cfg, &reason), 0);
	ck_assert(loop_run_until(t.loop, is_open, NULL, PATIENCE_MS));
	for (int i = 0; i < AS_N; i++) {
		t.as_peer[i] = fake_peer_new(t.loop, FAKE_UDP);
		fake_call_init(&t.as[i], t.as_peer[i], scscf_addr(t.scscf),
			       "<" IMPU ">");
	}
	fake_call_init(&t.caller, t.pcscf, scscf_addr(t.scscf), "<" IMPU ">");
	fake_call_init(&t.next, t.icscf, scscf_addr(t.scscf), "");
	fake_ue_init(&t.ue, t.pcscf, scscf_addr(t.scscf));
}

static void setup(void)
{
	start(true);
}

static void teardown(void)
{
	fake_peer_free(t.pcscf);
	fake_peer_free(t.icscf);
	for (int i = 0; i < AS_N; i++)
		fake_peer_free(t.as_peer[i]);
	scscf_free(t.scscf);
	fake_hss_free(t.hss);
	element_free(t.el);
	element_free(t.hss_el);
	loop_free(t.loop);
}

/* A criterion for INVITE in one session case */
static void add_criterion(int as, int session_case, int default_handling)
{
	size_t len = strlen(t.profile);

	snprintf(t.profile + len, sizeof(t.profile) - len,
		 "<InitialFilterCriteria><Priority>%d</Priority><TriggerPoint>"
		 "<ConditionTypeCNF>1</ConditionTypeCNF><SPT><Group>0</Group>"
		 "<Method>INVITE</Method></SPT><SPT><Group>1</Group>"
		 "<SessionCase>%d</SessionCase></SPT></TriggerPoint>"
		 "<ApplicationServer><ServerName>sip:%s</ServerName>"
		 "<DefaultHandling>%d</DefaultHandling></ApplicationServer>"
		 "</InitialFilterCriteria>",
		 as, session_case, fake_peer_addr(t.as_peer[as]),
		 default_handling);
}

/* The UE stands behind a P-CSCF that is the same peer */
static void registers(const char *criteria)
{
	char whole[8192];

	snprintf(whole, sizeof(whole),
		 "<IMSSubscription><PrivateID>p</PrivateID><ServiceProfile>"
		 "<PublicIdentity><Identity>" IMPU
		 "</Identity></PublicIdentity><PublicIdentity><Identity>"
		 "tel:+8613800138000</Identity></PublicIdentity>%s"
		 "</ServiceProfile></IMSSubscription>",
		 criteria);
	t.hss->saa.user_data = whole;
	t.hss->saa.user_data_len = strlen(whole);
	snprintf(t.extra, sizeof(t.extra),
		 "Path: <sip:term@%s;lr>\nRequire: path\n",
		 fake_peer_addr(t.pcscf));
	t.ue.extra = t.extra;
	fake_ue_register_through(&t.ue, 200);
}

static void call(const char *identity, const char *uri)
{
	snprintf(t.caller.routes, sizeof(t.caller.routes), "<sip:orig@%s;lr>",
		 scscf_addr(t.scscf));
	if (identity)
		snprintf(t.caller.extra, sizeof(t.caller.extra),
			 "P-Asserted-Identity: <%s>\n", identity);
	fake_call_invite(&t.caller, uri);
}

/* The I-CSCF sends a call for the user */
static void called(const char *uri)
{
	fake_call_init(&t.caller, t.icscf, scscf_addr(t.scscf),
		       "<sip:caller@ims.test>");
	snprintf(t.caller.routes, sizeof(t.caller.routes), "<sip:%s;lr>",
		 scscf_addr(t.scscf));
	fake_call_invite(&t.caller, uri);
}

static void as_sends_on(int i, const char *uri)
{
	fake_call_init(&t.as[i], t.as_peer[i], scscf_addr(t.scscf),
		       "<" IMPU ">");
	snprintf(t.as[i].routes, sizeof(t.as[i].routes), "%s", t.back);
	fake_call_invite(&t.as[i], uri);
}

static void as_takes(int i)
{
	const char *text = fake_call_expect(&t.as[i], "INVITE");

	/* for as_sends_on(), which begins a new call */
	snprintf(t.back, sizeof(t.back), "%s", fake_header(text, "Route", 1));
}

static void contains(const char *text, const char *header, const char *what)
{
	if (!strstr(fake_header(text, header, 0), what))
		ck_abort_msg("no %s with \"%s\":\n%s", header, what, text);
}

/* --- originating (5.4.3.2) --- */

START_TEST(call_without_criteria_goes_to_the_icscf)
{
	const char *text;

	registers("");
	call(IMPU, BOB);
	text = fake_call_expect(&t.next, "INVITE " BOB " ");
	contains(text, "Record-Route", "<sip:orig@");
	ck_assert_str_eq(fake_header(text, "Route", 0), "");
	fake_call_reply(&t.next, 404, "");
	fake_call_expect_status(&t.caller, 404);
	ck_assert_ptr_null(t.scscf->sessions);
}
END_TEST

START_TEST(number_goes_to_the_icscf_too)
{
	registers("");
	call(IMPU, "tel:+8613900139000");
	fake_call_expect(&t.next, "INVITE tel:+8613900139000 ");
}
END_TEST

START_TEST(foreign_domain_goes_where_it_says)
{
	char uri[96];

	registers("");
	snprintf(uri, sizeof(uri), "sip:x@%s", fake_peer_addr(t.as_peer[0]));
	call(IMPU, uri);
	fake_call_expect(&t.as[0], "INVITE");
}
END_TEST

/* Who may not, and why */
static const struct {
	const char *identity, *text;
} callers[] = {
	{ NULL, "P-Asserted-Identity" },
	{ "sip:unknown@ims.test", "not registered" },
};

START_TEST(who_is_not_served_here_may_not_call)
{
	registers("");
	call(callers[_i].identity, BOB);
	contains(fake_call_expect_status(&t.caller, 403), "Warning",
		 callers[_i].text);
	ck_assert_int_eq(fake_peer_pending(t.icscf), 0);
}
END_TEST

START_TEST(user_may_call_as_the_number_that_the_profile_implies)
{
	registers("");
	call("tel:+8613800138000", BOB);
	fake_call_expect(&t.next, "INVITE");
}
END_TEST

START_TEST(without_an_icscf_a_call_gets_500_that_says_so)
{
	teardown();
	start(false);
	registers("");
	call(IMPU, BOB);
	contains(fake_call_expect_status(&t.caller, 500), "Warning", "--icscf");
}
END_TEST

START_TEST(call_after_deregistration_by_the_hss_gets_403)
{
	registers("");
	t.hss->lia.server_name = t.scscf->name;
	fake_hss_rtr(t.hss, t.ue.impi, IMPU, CX_PERMANENT_TERMINATION);
	ck_assert(loop_run_until(t.loop, is_gone, NULL, PATIENCE_MS));
	call(IMPU, BOB);
	fake_call_expect_status(&t.caller, 403);
}
END_TEST

/* --- through the AS --- */

START_TEST(two_as_get_the_call_one_after_the_other)
{
	const char *text;

	add_criterion(0, 0, 0);
	add_criterion(1, 0, 0);
	registers(t.profile);
	call(IMPU, BOB);
	as_takes(0);
	contains(t.as[0].request, "P-Served-User", ";sescase=orig");
	as_sends_on(0, BOB);
	as_takes(1);
	as_sends_on(1, BOB);
	text = fake_call_expect(&t.next, "INVITE");
	ck_assert_str_eq(fake_header(text, "P-Served-User", 0), "");
	fake_call_answer(&t.next);
	fake_call_expect_status(&t.as[1], 200);
}
END_TEST

START_TEST(as_that_is_gone_is_passed_over_where_the_session_continues)
{
	add_criterion(0, 0, 0);
	add_criterion(1, 0, 0);
	registers(t.profile);
	t.as_peer[0] = fake_peer_free(t.as_peer[0]);
	call(IMPU, BOB);
	as_takes(1);
	fake_call_reply(&t.as[1], 500, "");
	fake_call_expect(&t.next, "INVITE");
	fake_call_answer(&t.next);
	fake_call_expect_status(&t.caller, 200);
	ck_assert_ptr_null(t.scscf->sessions);
}
END_TEST

/* Else the callee would be called twice */
START_TEST(failure_that_the_as_passes_back_is_not_its_own)
{
	struct fake_call taken;

	add_criterion(0, 0, 0);
	add_criterion(1, 0, 0);
	registers(t.profile);
	call(IMPU, BOB);
	as_takes(0);
	taken = t.as[0];
	as_sends_on(0, BOB);
	as_takes(1);
	fake_call_reply(&t.as[1], 486, "");
	fake_peer_expect(t.as_peer[1], "ACK");
	fake_call_expect_status(&t.as[0], 486);
	fake_call_reply(&taken, 504, "");
	fake_call_expect_status(&t.caller, 504);
	ck_assert_int_eq(fake_peer_pending(t.as_peer[1]), 0);
	ck_assert_int_eq(fake_peer_pending(t.icscf), 0);
}
END_TEST

START_TEST(as_that_fails_ends_the_session_where_it_is_terminated)
{
	add_criterion(0, 0, 1);
	registers(t.profile);
	call(IMPU, BOB);
	as_takes(0);
	fake_call_reply(&t.as[0], 503, "");
	fake_call_expect_status(&t.caller, 503);
	ck_assert_int_eq(fake_peer_pending(t.icscf), 0);
}
END_TEST

START_TEST(refusal_by_the_as_is_the_answer_whatever_the_handling)
{
	add_criterion(0, 0, 0);
	registers(t.profile);
	call(IMPU, BOB);
	as_takes(0);
	fake_call_reply(&t.as[0], 403, "");
	fake_call_expect_status(&t.caller, 403);
	ck_assert_int_eq(fake_peer_pending(t.icscf), 0);
}
END_TEST

START_TEST(call_that_the_as_sends_after_its_answer_gets_403)
{
	add_criterion(0, 0, 0);
	registers(t.profile);
	call(IMPU, BOB);
	as_takes(0);
	fake_call_reply(&t.as[0], 486, "");
	fake_call_expect_status(&t.caller, 486);
	as_sends_on(0, BOB);
	contains(fake_call_expect_status(&t.as[0], 403), "Warning", "odi");
}
END_TEST

/* --- terminating (5.4.3.3) --- */

START_TEST(called_user_is_reached_by_path)
{
	const char *text;

	registers("");
	called(IMPU);
	text = fake_peer_expect(t.pcscf, "INVITE sip:ue@");
	contains(text, "Route", "<sip:term@");
	contains(text, "P-Called-Party-ID", "<" IMPU ">");
	contains(text, "Record-Route", "<sip:term@");
}
END_TEST

START_TEST(called_user_is_found_by_number)
{
	registers("");
	called("tel:+8613800138000");
	contains(fake_peer_expect(t.pcscf, "INVITE sip:ue@"),
		 "P-Called-Party-ID", "<tel:+8613800138000>");
}
END_TEST

START_TEST(as_of_the_called_user_gets_the_call_first)
{
	add_criterion(0, 1, 0);
	registers(t.profile);
	called(IMPU);
	as_takes(0);
	contains(t.as[0].request, "P-Served-User", ";sescase=term");
	as_sends_on(0, IMPU);
	fake_peer_expect(t.pcscf, "INVITE sip:ue@");
}
END_TEST

START_TEST(as_of_the_called_user_may_send_the_call_to_another)
{
	add_criterion(0, 1, 0);
	registers(t.profile);
	called(IMPU);
	as_takes(0);
	as_sends_on(0, BOB);
	fake_call_expect(&t.next, "INVITE " BOB " ");
	/* in which the user is no end: it stays when the user goes */
	fake_call_answer(&t.next);
	fake_call_expect_status(&t.as[0], 200);
	ck_assert_int_eq((int)dialog_count(t.scscf->dialogs), 0);
}
END_TEST

START_TEST(called_user_who_is_not_here_gets_480)
{
	called(IMPU);
	contains(fake_call_expect_status(&t.caller, 480), "Warning",
		 "not registered");
}
END_TEST

START_TEST(pcscf_that_is_gone_gives_504)
{
	registers("");
	t.pcscf = fake_peer_free(t.pcscf);
	called(IMPU);
	fake_call_expect_status(&t.caller, 504);
	ck_assert_ptr_null(t.scscf->sessions);
}
END_TEST

/* --- inside a dialog --- */

START_TEST(request_without_our_route_gets_481)
{
	registers("");
	snprintf(t.caller.target, sizeof(t.caller.target), BOB);
	snprintf(t.caller.remote, sizeof(t.caller.remote), "<" BOB ">;tag=b");
	fake_call_ack(&t.caller); /* dropped */
	fake_call_tx(&t.caller, "BYE");
	contains(fake_call_expect_status(&t.caller, 481), "Warning", "Route");
}
END_TEST

START_TEST(scscf_may_go_in_the_middle_of_a_call)
{
	registers("");
	call(IMPU, BOB);
	fake_call_expect(&t.next, "INVITE");
	ck_assert_ptr_nonnull(t.scscf->sessions);
}
END_TEST

static void add_orig_tests(TCase *tc)
{
	int caller_n = sizeof(callers) / sizeof(*callers);

	tcase_add_test(tc, call_without_criteria_goes_to_the_icscf);
	tcase_add_test(tc, number_goes_to_the_icscf_too);
	tcase_add_test(tc, foreign_domain_goes_where_it_says);
	tcase_add_loop_test(tc, who_is_not_served_here_may_not_call, 0,
			    caller_n);
	tcase_add_test(tc,
		       user_may_call_as_the_number_that_the_profile_implies);
	tcase_add_test(tc, without_an_icscf_a_call_gets_500_that_says_so);
	tcase_add_test(tc, call_after_deregistration_by_the_hss_gets_403);
}

static void add_as_tests(TCase *tc)
{
	tcase_add_test(tc, two_as_get_the_call_one_after_the_other);
	tcase_add_test(
		tc, as_that_is_gone_is_passed_over_where_the_session_continues);
	tcase_add_test(tc, failure_that_the_as_passes_back_is_not_its_own);
	tcase_add_test(tc,
		       as_that_fails_ends_the_session_where_it_is_terminated);
	tcase_add_test(tc,
		       refusal_by_the_as_is_the_answer_whatever_the_handling);
	tcase_add_test(tc, call_that_the_as_sends_after_its_answer_gets_403);
}

static Suite *scscf_session_suite(void)
{
	Suite *suite = suite_create("scscf_session");
	TCase *tc = tcase_create("5.4.3");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	add_orig_tests(tc);
	add_as_tests(tc);
	tcase_add_test(tc, called_user_is_reached_by_path);
	tcase_add_test(tc, called_user_is_found_by_number);
	tcase_add_test(tc, as_of_the_called_user_gets_the_call_first);
	tcase_add_test(tc, as_of_the_called_user_may_send_the_call_to_another);
	tcase_add_test(tc, called_user_who_is_not_here_gets_480);
	tcase_add_test(tc, pcscf_that_is_gone_gives_504);
	tcase_add_test(tc, request_without_our_route_gets_481);
	tcase_add_test(tc, scscf_may_go_in_the_middle_of_a_call);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(scscf_session_suite)
