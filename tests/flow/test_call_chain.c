/* Calls through P-CSCF, S-CSCF, an AS that is a B2BUA, I-CSCF and HSS, all on
 * one loop, between bare UEs (TS 24.229 5.2.6, 5.3.2, 5.4.3). The AS is two
 * ends of a call in the test's hand */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/dialog.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "common/trace.h"
#include "ims_core/hss/hss_core.h"
#include "ims_core/icscf/icscf.h"
#include "ims_core/pcscf/pcscf.h"
#include "ims_core/pcscf/pcscf_core.h"
#include "ims_core/scscf/scscf.h"
#include "ims_core/scscf/scscf_session.h"
#include "tests/fake/fake_call.h"
#include "tests/fake/fake_ue.h"
#include "tests/fake/hss_bed.h"
#include "tests/suite.h"

#define ALICE "+8657110000001"
#define BOB "+8657110000002"
#define ALICE_URI "sip:" ALICE "@ims.test"
#define BOB_URI "sip:" BOB "@ims.test"
#define SHOWN "\"+8613800138000\" <" ALICE_URI ">"

static struct {
	struct hss_bed bed;
	struct element *pcscf_el, *icscf_el, *scscf_el;
	struct pcscf *pcscf;
	struct icscf *icscf;
	struct scscf *scscf;
	struct fake_peer *alice_peer, *bob_peer, *as_peer;
	struct fake_call alice, bob, as_in, as_out;
	char as_uri[96], contacts[2][128];
	int ready_n;
} t;

static void on_trace(const char *line, size_t len, void *arg)
{
	(void)len;
	(void)arg;
	t.ready_n += strstr(line, "\"name\":\"ready\"") != NULL;
}

static bool all_ready(const void *arg)
{
	(void)arg;

	return t.ready_n == 2;
}

static void must(int err, const char *reason)
{
	ck_assert_msg(!err, "%s", reason ? reason : "no reason");
}

static struct element *element(const char *name)
{
	struct element *el = element_new_on(t.bed.loop, name);

	trace_set_sink(el->trace, on_trace, NULL);

	return el;
}

static void start_core(void)
{
	struct icscf_cfg icfg = { .listen = "127.0.0.1:0",
				  .hss = t.bed.diameter,
				  .realm = "ims.test",
				  .origin_host = "icscf.ims.test" };
	struct scscf_cfg scfg = { .listen = "127.0.0.1:0",
				  .hss = t.bed.diameter,
				  .realm = "ims.test",
				  .origin_host = "scscf.ims.test",
				  .digest = "md5" };
	struct pcscf_cfg pcfg = { .listen = "127.0.0.1:0",
				  .realm = "ims.test" };
	char *reason = NULL;

	must(icscf_new(&t.icscf, t.icscf_el, &icfg, &reason), reason);
	scfg.icscf = icscf_addr(t.icscf);
	must(scscf_new(&t.scscf, t.scscf_el, &scfg, &reason), reason);
	pcfg.icscf = icscf_addr(t.icscf);
	must(pcscf_new(&t.pcscf, t.pcscf_el, &pcfg, &reason), reason);
	free(t.bed.hss->scscf);
	t.bed.hss->scscf = xasprintf("sip:%s", scscf_addr(t.scscf));
	ck_assert(loop_run_until(t.bed.loop, all_ready, NULL, PATIENCE_MS));
}

static void registers(struct fake_peer *peer, const char *user, char *contact)
{
	char impu[64], impi[64];
	struct fake_ue ue;

	fake_ue_init(&ue, peer, pcscf_addr(t.pcscf));
	snprintf(impu, sizeof(impu), "sip:%s@ims.test", user);
	snprintf(impi, sizeof(impi), "%s@ims.test", user);
	snprintf(contact, 128, "<sip:%s@%s%s>", user, fake_peer_addr(peer),
		 strcmp(fake_peer_transport(peer), "TCP") ? ""
							  : ";transport=tcp");
	ue.impu = impu;
	ue.impi = impi;
	ue.contact = contact;
	fake_ue_register_through(&ue, 200);
}

static void start(enum fake_transport by, bool has_as)
{
	memset(&t, 0, sizeof(t));
	hss_bed_setup(&t.bed, "unused");
	t.pcscf_el = element("pcscf");
	t.icscf_el = element("icscf");
	t.scscf_el = element("scscf");
	t.as_peer = fake_peer_new(t.bed.loop, FAKE_UDP);
	t.alice_peer = fake_peer_new(t.bed.loop, by);
	t.bob_peer = fake_peer_new(t.bed.loop, by);
	snprintf(t.as_uri, sizeof(t.as_uri), "sip:%s",
		 fake_peer_addr(t.as_peer));
	xstrset(&t.bed.hss->appservers[0], has_as ? t.as_uri : NULL);
	t.bed.hss->appserver_n = has_as;
	start_core();
	hss_bed_open(&t.bed, ALICE, ALICE, "secret");
	hss_bed_open(&t.bed, BOB, BOB, "secret");
	registers(t.alice_peer, ALICE, t.contacts[0]);
	registers(t.bob_peer, BOB, t.contacts[1]);
	fake_call_init(&t.alice, t.alice_peer, pcscf_addr(t.pcscf), SHOWN);
	snprintf(t.alice.contact, sizeof(t.alice.contact), "%s", t.contacts[0]);
	fake_call_init(&t.bob, t.bob_peer, pcscf_addr(t.pcscf), "");
	snprintf(t.bob.contact, sizeof(t.bob.contact), "%s", t.contacts[1]);
	fake_call_init(&t.as_in, t.as_peer, scscf_addr(t.scscf), "");
	fake_call_init(&t.as_out, t.as_peer, scscf_addr(t.scscf), SHOWN);
}

static void setup(void)
{
	start(FAKE_UDP, true);
}

static void setup_without_as(void)
{
	start(FAKE_UDP, false);
}

static void teardown(void)
{
	fake_peer_free(t.alice_peer);
	fake_peer_free(t.bob_peer);
	fake_peer_free(t.as_peer);
	pcscf_free(t.pcscf);
	icscf_free(t.icscf);
	scscf_free(t.scscf);
	element_free(t.pcscf_el);
	element_free(t.icscf_el);
	element_free(t.scscf_el);
	hss_bed_teardown(&t.bed);
}

/* --- the AS in the test's hand --- */

/* A REGISTER by a third party came with each registration */
static void as_takes_registers(void)
{
	for (int i = 0; i < 2; i++) {
		fake_call_expect(&t.as_in, "REGISTER");
		fake_call_reply(&t.as_in, 200, "");
	}
}

/* The second leg: the Route behind the AS's own, the same body, what the
 * network said of the caller */
static void as_sends_on(const char *uri)
{
	const char *invite = t.as_in.request;

	/* the first one is the AS itself */
	snprintf(t.as_out.routes, sizeof(t.as_out.routes), "%s",
		 fake_header(invite, "Route", 1));
	ck_assert_ptr_nonnull(strstr(t.as_out.routes, "odi="));
	snprintf(t.as_out.extra, sizeof(t.as_out.extra),
		 "P-Asserted-Identity: %s\n",
		 fake_header(invite, "P-Asserted-Identity", 0));
	snprintf(t.as_out.extra + strlen(t.as_out.extra), 512,
		 "P-Charging-Vector: %s\n",
		 fake_header(invite, "P-Charging-Vector", 0));
	fake_call_invite(&t.as_out, uri);
}

static void contains(const char *text, const char *header, const char *what)
{
	const char *value = fake_header(text, header, 0);

	if (!strstr(value, what))
		ck_abort_msg("%s is \"%s\", without \"%s\":\n%s", header, value,
			     what, text);
}

/* From alice's INVITE to bob's, through the AS */
static const char *call_reaches_bob(const char *uri)
{
	as_takes_registers();
	fake_call_invite(&t.alice, uri);
	fake_call_expect(&t.as_in, "INVITE");
	as_sends_on(uri);

	return fake_call_expect(&t.bob, "INVITE");
}

static void rings(void)
{
	fake_call_reply(&t.bob, 180, "");
	fake_call_expect_status(&t.as_out, 100);
	fake_call_expect_status(&t.as_out, 180);
	fake_call_reply(&t.as_in, 180, "");
	fake_call_expect_status(&t.alice, 100);
	fake_call_expect_status(&t.alice, 180);
}

static void is_answered(void)
{
	fake_call_answer(&t.bob);
	fake_call_expect_status(&t.as_out, 200);
	fake_call_answer(&t.as_in);
	fake_call_expect_status(&t.alice, 200);
	fake_call_ack(&t.alice);
	fake_call_expect(&t.as_in, "ACK");
	fake_call_ack(&t.as_out);
	fake_call_expect(&t.bob, "ACK");
}

static void passes(struct fake_call *from, struct fake_call *to,
		   const char *method)
{
	fake_call_tx(from, method);
	fake_call_expect(to, method);
	fake_call_reply(to, 200, "");
	fake_call_expect_status(from, 200);
}

static void is_quiet(void)
{
	ck_assert_int_eq(fake_peer_pending(t.alice_peer), 0);
	ck_assert_int_eq(fake_peer_pending(t.bob_peer), 0);
	ck_assert_int_eq(fake_peer_pending(t.as_peer), 0);
}

START_TEST(call_goes_through_the_as_and_both_ends_hang_up)
{
	const char *invite;

	snprintf(t.alice.extra, sizeof(t.alice.extra),
		 "P-Asserted-Identity: <sip:president@ims.test>\n"
		 "P-Charging-Vector: icid-value=forged\n");
	invite = call_reaches_bob(BOB_URI);
	contains(invite, "From", "\"+8613800138000\"");
	contains(invite, "P-Asserted-Identity", "<" ALICE_URI ">");
	contains(invite, "P-Called-Party-ID", "<" BOB_URI ">");
	ck_assert_ptr_null(strstr(invite, "president"));
	ck_assert_ptr_null(strstr(invite, "P-Charging-Vector"));
	ck_assert_ptr_null(strstr(invite, "forged"));
	/* P(term) S(term) S(orig): the I-CSCF is not in the way */
	contains(invite, "Record-Route", pcscf_addr(t.pcscf));
	ck_assert_ptr_null(strstr(t.bob.routes, icscf_addr(t.icscf)));
	rings();
	is_answered();
	passes(&t.bob, &t.as_out, "BYE");
	passes(&t.as_in, &t.alice, "BYE");
	is_quiet();
	ck_assert_ptr_null(t.scscf->sessions);
	ck_assert_int_eq((int)dialog_count(t.scscf->dialogs), 0);
	ck_assert_int_eq((int)dialog_count(t.pcscf->dialogs), 0);
}
END_TEST

START_TEST(as_gets_the_call_with_who_it_serves_and_where_to_send_it_on)
{
	const char *invite;
	char odi[128];

	as_takes_registers();
	fake_call_invite(&t.alice, BOB_URI);
	invite = fake_call_expect(&t.as_in, "INVITE");
	snprintf(odi, sizeof(odi), "<sip:%s;lr;odi=", scscf_addr(t.scscf));
	contains(invite, "Route", t.as_uri);
	ck_assert_ptr_nonnull(strstr(fake_header(invite, "Route", 1), odi));
	contains(invite, "P-Served-User",
		 "<" ALICE_URI ">;sescase=orig;regstate=reg");
	contains(invite, "P-Asserted-Identity", "<" ALICE_URI ">");
	contains(invite, "P-Charging-Vector", "icid-value=");
	contains(invite, "Record-Route", scscf_addr(t.scscf));
	fake_call_reply(&t.as_in, 403, "X-Why: foreign number\n");
	contains(fake_call_expect_status(&t.alice, 403), "X-Why", "foreign");
}
END_TEST

START_TEST(requests_inside_the_dialog_go_along_the_route_set_both_ways)
{
	static const char *const methods[] = { "UPDATE", "INFO", "PRACK",
					       "OPTIONS", "REFER" };

	call_reaches_bob(BOB_URI);
	rings();
	is_answered();
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		passes(&t.alice, &t.as_in, methods[i]);
		passes(&t.as_out, &t.bob, methods[i]);
		passes(&t.bob, &t.as_out, methods[i]);
	}
	/* re-INVITE: a dialog has its way already */
	fake_call_tx(&t.bob, "INVITE");
	ck_assert_str_eq(fake_header(fake_call_expect(&t.as_out, "INVITE"),
				     "Record-Route", 0),
			 "");
	fake_call_answer(&t.as_out);
	fake_call_expect_status(&t.bob, 200);
	fake_call_ack(&t.bob);
	fake_call_expect(&t.as_out, "ACK");
}
END_TEST

START_TEST(bye_twice_gets_481_from_the_pcscf_and_goes_no_further)
{
	call_reaches_bob(BOB_URI);
	rings();
	is_answered();
	passes(&t.bob, &t.as_out, "BYE");
	fake_call_tx(&t.bob, "BYE");
	contains(fake_call_expect_status(&t.bob, 481), "Warning", "Call-ID");
	/* what comes from the network is the UE's to answer */
	fake_call_tx(&t.as_out, "BYE");
	fake_call_expect(&t.bob, "BYE");
	fake_call_reply(&t.bob, 481, "");
	fake_call_expect_status(&t.as_out, 481);
	is_quiet();
}
END_TEST

START_TEST(cancel_goes_hop_by_hop)
{
	call_reaches_bob(BOB_URI);
	rings();
	t.alice.routes[0] = '\0'; /* as the INVITE was sent */
	snprintf(t.alice.remote, sizeof(t.alice.remote), "<%s>", BOB_URI);
	fake_call_cancel(&t.alice);
	fake_call_expect_status(&t.alice, 200);
	fake_call_expect(&t.as_in, "CANCEL");
	fake_call_reply(&t.as_in, 200, "");
	fake_call_reply(&t.as_in, 200, ""); /* doubled: no harm */
	t.as_out.routes[0] = '\0';
	snprintf(t.as_out.remote, sizeof(t.as_out.remote), "<%s>", BOB_URI);
	fake_call_cancel(&t.as_out);
	fake_call_expect_status(&t.as_out, 200);
	fake_call_expect(&t.bob, "CANCEL");
	fake_call_reply(&t.bob, 200, "");
}
END_TEST

START_TEST(nobody_of_that_name_gives_404)
{
	as_takes_registers();
	fake_call_invite(&t.alice, "sip:nobody@ims.test");
	fake_call_expect(&t.as_in, "INVITE");
	as_sends_on("sip:nobody@ims.test");
	contains(fake_call_expect_status(&t.as_out, 404), "Warning",
		 "not known to the HSS");
}
END_TEST

START_TEST(who_is_not_registered_gives_480)
{
	as_takes_registers();
	hss_bed_open(&t.bed, "+8657110000003", "+8657110000003", "secret");
	fake_call_invite(&t.alice, "sip:+8657110000003@ims.test");
	fake_call_expect(&t.as_in, "INVITE");
	as_sends_on("sip:+8657110000003@ims.test");
	contains(fake_call_expect_status(&t.as_out, 480), "Warning",
		 "not registered");
}
END_TEST

START_TEST(odi_that_names_no_session_gives_403)
{
	snprintf(t.as_out.routes, sizeof(t.as_out.routes),
		 "<sip:%s;lr;odi=stale>", scscf_addr(t.scscf));
	fake_call_invite(&t.as_out, BOB_URI);
	fake_call_expect_status(&t.as_out, 403);
}
END_TEST

START_TEST(as_that_is_gone_ends_the_call)
{
	as_takes_registers();
	t.as_peer = fake_peer_free(t.as_peer);
	fake_call_invite(&t.alice, BOB_URI);
	contains(fake_call_expect_status(&t.alice, 504), "Warning", t.as_uri);
	ck_assert_int_eq(fake_peer_pending(t.bob_peer), 0);
	ck_assert_ptr_null(t.scscf->sessions);
}
END_TEST

/* --- without an AS: what P, S and I do by themselves --- */

static bool no_dialogs(const void *arg)
{
	(void)arg;

	return !dialog_count(t.scscf->dialogs) &&
	       !dialog_count(t.pcscf->dialogs);
}

static void direct_call(const char *uri)
{
	fake_call_invite(&t.alice, uri);
	fake_call_expect(&t.bob, "INVITE");
	fake_call_reply(&t.bob, 180, "");
	fake_call_expect_status(&t.alice, 100);
	fake_call_expect_status(&t.alice, 180);
}

static void direct_answer(void)
{
	fake_call_answer(&t.bob);
	contains(fake_call_expect_status(&t.alice, 200), "P-Asserted-Identity",
		 BOB);
	fake_call_ack(&t.alice);
	fake_call_expect(&t.bob, "ACK");
}

START_TEST(direct_call_over_tcp)
{
	teardown();
	start(FAKE_TCP, false);
	direct_call(BOB_URI);
	direct_answer();
	passes(&t.alice, &t.bob, "BYE");
	is_quiet();
	ck_assert(no_dialogs(NULL));
}
END_TEST

/* TS 24.229 5.4.5.1.2: who serves both ends tells each once */
START_TEST(who_deregisters_in_a_call_ends_it_at_both_ends)
{
	struct fake_ue ue;

	direct_call(BOB_URI);
	direct_answer();
	ck_assert_int_eq((int)dialog_count(t.scscf->dialogs), 2);
	ck_assert_int_eq((int)dialog_count(t.pcscf->dialogs), 2);
	fake_ue_init(&ue, t.alice_peer, pcscf_addr(t.pcscf));
	ue.impu = ALICE_URI;
	ue.impi = ALICE "@ims.test";
	ue.contact = t.contacts[0];
	ue.call_id = "end";
	ue.expires = "0";
	fake_ue_register(&ue);
	fake_ue_take(&ue, fake_peer_expect_status(t.alice_peer, 401));
	fake_ue_answer(&ue);
	fake_call_expect(&t.bob, "BYE");
	contains(t.bob.request, "Reason", "text=\"deregistered\"");
	/* the P-CSCF only was on its way: not ourselves once more */
	ck_assert_str_eq(fake_header(t.bob.request, "Max-Forwards", 0), "69");
	fake_call_reply(&t.bob, 200, "");
	fake_call_expect(&t.alice, "BYE");
	fake_call_reply(&t.alice, 200, "");
	ck_assert(loop_run_until(t.bed.loop, no_dialogs, NULL, PATIENCE_MS));
}
END_TEST

START_TEST(cancelled_over_tcp_gives_487)
{
	teardown();
	start(FAKE_TCP, false);
	direct_call(BOB_URI);
	t.alice.routes[0] = '\0';
	snprintf(t.alice.remote, sizeof(t.alice.remote), "<%s>", BOB_URI);
	fake_call_cancel(&t.alice);
	fake_call_expect_status(&t.alice, 200);
	snprintf(t.alice.invite, sizeof(t.alice.invite), "%s", t.bob.request);
	fake_peer_expect(t.bob_peer, "CANCEL");
	fake_call_reply(&t.bob, 487, "");
	fake_peer_expect(t.bob_peer, "ACK");
	fake_call_expect_status(&t.alice, 487);
	ck_assert_ptr_null(t.scscf->sessions);
}
END_TEST

/* Of whom the HSS knows the number (TS 24.229 5.3.2.1) */
static const char *const numbers[] = {
	"tel:" BOB,
	"tel:+86-571-1000-0002",
	"sip:" BOB "@ims.test;user=phone",
};

START_TEST(number_that_the_hss_knows_is_found)
{
	direct_call(numbers[_i]);
	contains(t.bob.request, "P-Called-Party-ID", "<tel:" BOB ">");
	direct_answer();
	passes(&t.bob, &t.alice, "BYE");
}
END_TEST

START_TEST(number_that_nobody_has_gives_404)
{
	fake_call_invite(&t.alice, "tel:+8613800138009");
	fake_call_expect_status(&t.alice, 404);
}
END_TEST

/* What the callee says goes back as it is */
static const int refusals[] = { 486, 480, 404, 408, 603, 302 };

START_TEST(refusal_of_the_callee_reaches_the_caller)
{
	direct_call(BOB_URI);
	fake_call_reply(&t.bob, refusals[_i], "");
	fake_peer_expect(t.bob_peer, "ACK");
	fake_call_expect_status(&t.alice, refusals[_i]);
	/* the S-CSCF acknowledges by itself: this one goes no further */
	fake_call_ack(&t.alice);
	fake_call_repeat(&t.alice);
	ck_assert_ptr_null(t.scscf->sessions);
}
END_TEST

START_TEST(repeated_invite_reaches_the_callee_once)
{
	fake_call_invite(&t.alice, BOB_URI);
	fake_call_repeat(&t.alice);
	fake_call_expect(&t.bob, "INVITE");
	fake_call_repeat(&t.alice);
	fake_call_reply(&t.bob, 180, "");
	fake_call_expect_status(&t.alice, 100);
	ck_assert_int_eq(fake_peer_pending(t.bob_peer), 0);
}
END_TEST

START_TEST(repeated_200_is_passed_on_until_the_ack_comes)
{
	direct_call(BOB_URI);
	fake_call_answer(&t.bob);
	fake_call_expect_status(&t.alice, 200);
	fake_call_answer(&t.bob); /* its ACK was lost */
	fake_call_expect_status(&t.alice, 200);
	fake_call_ack(&t.alice);
	fake_call_expect(&t.bob, "ACK");
	fake_call_ack(&t.alice);
	fake_call_expect(&t.bob, "ACK");
}
END_TEST

START_TEST(cancel_that_comes_after_the_200_does_nothing)
{
	direct_call(BOB_URI);
	fake_call_answer(&t.bob);
	fake_call_expect_status(&t.alice, 200);
	fake_call_cancel(&t.alice);
	fake_call_expect_status(&t.alice, 481);
	fake_call_ack(&t.alice);
	fake_call_expect(&t.bob, "ACK");
	ck_assert_int_eq(fake_peer_pending(t.bob_peer), 0);
}
END_TEST

START_TEST(message_outside_a_dialog_gets_through)
{
	snprintf(t.alice.target, sizeof(t.alice.target), BOB_URI);
	snprintf(t.alice.remote, sizeof(t.alice.remote), "<" BOB_URI ">");
	fake_call_tx(&t.alice, "MESSAGE");
	ck_assert_str_eq(fake_header(fake_call_expect(&t.bob, "MESSAGE"),
				     "Record-Route", 0),
			 "");
	fake_call_reply(&t.bob, 202, "");
	fake_call_expect_status(&t.alice, 202);
	fake_call_tx(&t.alice, "OPTIONS");
	fake_call_expect(&t.bob, "OPTIONS");
	fake_call_reply(&t.bob, 200, "");
	fake_call_expect_status(&t.alice, 200);
}
END_TEST

START_TEST(all_of_a_users_terminals_ring_and_one_answers)
{
	struct fake_peer *peer = fake_peer_new(t.bed.loop, FAKE_UDP);
	struct fake_call desk;

	fake_call_init(&desk, peer, pcscf_addr(t.pcscf), "");
	registers(peer, BOB, desk.contact);
	direct_call(BOB_URI);
	fake_call_expect(&desk, "INVITE");
	fake_call_reply(&desk, 180, "");
	fake_call_expect_status(&t.alice, 180);
	fake_call_reply(&desk, 486, "");
	fake_peer_expect(peer, "ACK");
	direct_answer();
	fake_peer_free(peer);
}
END_TEST

START_TEST(the_other_terminal_stops_ringing_when_one_answers)
{
	struct fake_peer *peer = fake_peer_new(t.bed.loop, FAKE_UDP);
	struct fake_call desk;

	fake_call_init(&desk, peer, pcscf_addr(t.pcscf), "");
	registers(peer, BOB, desk.contact);
	direct_call(BOB_URI);
	fake_call_expect(&desk, "INVITE");
	fake_call_reply(&desk, 180, "");
	fake_call_expect_status(&t.alice, 180);
	direct_answer();
	fake_peer_expect(peer, "CANCEL");
	fake_call_reply(&desk, 487, "");
	fake_peer_expect(peer, "ACK");
	fake_peer_free(peer);
}
END_TEST

static void add_as_tests(TCase *tc)
{
	tcase_add_test(tc, call_goes_through_the_as_and_both_ends_hang_up);
	tcase_add_test(
		tc,
		as_gets_the_call_with_who_it_serves_and_where_to_send_it_on);
	tcase_add_test(
		tc,
		requests_inside_the_dialog_go_along_the_route_set_both_ways);
	tcase_add_test(tc,
		       bye_twice_gets_481_from_the_pcscf_and_goes_no_further);
	tcase_add_test(tc, cancel_goes_hop_by_hop);
	tcase_add_test(tc, nobody_of_that_name_gives_404);
	tcase_add_test(tc, who_is_not_registered_gives_480);
	tcase_add_test(tc, odi_that_names_no_session_gives_403);
	tcase_add_test(tc, as_that_is_gone_ends_the_call);
}

static void add_direct_tests(TCase *tc)
{
	int number_n = sizeof(numbers) / sizeof(*numbers);
	int refusal_n = sizeof(refusals) / sizeof(*refusals);

	tcase_add_test(tc, direct_call_over_tcp);
	tcase_add_test(tc, who_deregisters_in_a_call_ends_it_at_both_ends);
	tcase_add_test(tc, cancelled_over_tcp_gives_487);
	tcase_add_loop_test(tc, number_that_the_hss_knows_is_found, 0,
			    number_n);
	tcase_add_test(tc, number_that_nobody_has_gives_404);
	tcase_add_loop_test(tc, refusal_of_the_callee_reaches_the_caller, 0,
			    refusal_n);
	tcase_add_test(tc, repeated_invite_reaches_the_callee_once);
	tcase_add_test(tc, repeated_200_is_passed_on_until_the_ack_comes);
	tcase_add_test(tc, cancel_that_comes_after_the_200_does_nothing);
	tcase_add_test(tc, message_outside_a_dialog_gets_through);
	tcase_add_test(tc, all_of_a_users_terminals_ring_and_one_answers);
	tcase_add_test(tc, the_other_terminal_stops_ringing_when_one_answers);
}

static Suite *call_chain_suite(void)
{
	Suite *suite = suite_create("call_chain");
	TCase *tc = tcase_create("through the AS");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	add_as_tests(tc);
	suite_add_tcase(suite, tc);

	tc = tcase_create("without an AS");
	tcase_add_checked_fixture(tc, setup_without_as, teardown);
	tcase_set_timeout(tc, 20);
	add_direct_tests(tc);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(call_chain_suite)
