/* Forwarding (RFC 3261 16): branches, timer C, CANCEL, ACK, and what comes
 * late; a proxy between bare peers */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "common/sipep_priv.h"
#include "common/timer.h"
#include "tests/fake/fake_call.h"
#include "tests/suite.h"

enum { HOPS = 3 };

static struct {
	struct loop *loop;
	struct element *el;
	struct sipep *ep;
	struct fake_peer *client, *peers[HOPS];
	struct fake_call uac, uas[HOPS];
	char hops[HOPS][128];
	struct sipep_route routes[HOPS];
	int route_n, elsewhere_n;
	bool is_kept; /* the request waits in kept */
	nta_incoming_t *kept;
	int asked, asked_status, responses, last_status;
	int forwarded; /* what sipep_fork() returned */
} t;

static size_t elsewhere(int status, const struct sipep_route **routesp,
			void *arg)
{
	(void)arg;
	t.asked++;
	t.asked_status = status;
	*routesp = &t.routes[1];

	return (size_t)t.elsewhere_n;
}

static void response(int status, msg_t *msg, sip_t *sip, void *arg)
{
	(void)msg;
	(void)sip;
	(void)arg;
	t.responses++;
	t.last_status = status;
}

static void prepare(msg_t *msg, sip_t *sip, void *arg)
{
	(void)arg;
	sipep_record_route(t.ep, msg, sip, "test");
}

static void on_request(nta_incoming_t *irq, const sip_t *sip, void *arg)
{
	(void)sip;
	(void)arg;
	if (t.is_kept)
		t.kept = irq;
	else
		t.forwarded =
			sipep_fork(t.ep, irq, t.routes, (size_t)t.route_n);
}

static void start(enum fake_transport by)
{
	const struct sipep_cfg cfg = { .listen = "127.0.0.1:0",
				       .is_proxy = true };
	char *reason = NULL;

	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.el = element_new_on(t.loop, "proxy");
	ck_assert_int_eq(
		sipep_new(&t.ep, t.el, &cfg, on_request, NULL, &reason), 0);
	t.client = fake_peer_new(t.loop, by);
	fake_call_init(&t.uac, t.client, sipep_addr(t.ep), "<sip:a@ims.test>");
	t.route_n = 1;
	for (int i = 0; i < HOPS; i++) {
		t.peers[i] = fake_peer_new(t.loop, by);
		fake_call_init(&t.uas[i], t.peers[i], sipep_addr(t.ep), "");
		snprintf(t.hops[i], sizeof(t.hops[i]), "sip:%s%s",
			 fake_peer_addr(t.peers[i]),
			 by == FAKE_TCP ? ";transport=tcp" : "");
		t.routes[i] = (struct sipep_route){ .next_hop = t.hops[i],
						    .prepare = prepare,
						    .response = response };
	}
}

static void setup(void)
{
	start(FAKE_UDP);
}

static void teardown(void)
{
	fake_peer_free(t.client);
	for (int i = 0; i < HOPS; i++)
		fake_peer_free(t.peers[i]);
	sipep_free(t.ep);
	element_free(t.el);
	loop_free(t.loop);
}

static bool is_done(const void *arg)
{
	(void)arg;

	return !t.ep->fwds;
}

static bool is_waiting(const void *arg)
{
	(void)arg;

	return t.kept != NULL;
}

/* A turn of the loop, and the next: no time passes */
static void spin(void *arg)
{
	int *left = arg;

	if (--*left > 0)
		loop_defer(t.loop, spin, left);
}

static bool is_spun(const void *arg)
{
	return *(const int *)arg <= 0;
}

/* All that is on its way arrives */
static void settle(void)
{
	int left = 300;

	loop_defer(t.loop, spin, &left);
	ck_assert(loop_run_until(t.loop, is_spun, &left, PATIENCE_MS));
}

static void pass_s(int seconds)
{
	clock_take_over();
	clock_advance_us(seconds * 1000000LL);
	settle();
}

static void invite(void)
{
	fake_call_invite(&t.uac, "sip:b@ims.test");
	for (int i = 0; i < t.route_n; i++)
		fake_call_expect(&t.uas[i], "INVITE");
}

static void ring(int i)
{
	fake_call_reply(&t.uas[i], 180, "");
	fake_call_expect_status(&t.uac, 100);
	fake_call_expect_status(&t.uac, 180);
}

/* As the INVITE was sent */
static void cancel(void)
{
	t.uac.routes[0] = '\0';
	snprintf(t.uac.remote, sizeof(t.uac.remote), "<sip:b@ims.test>");
	fake_call_cancel(&t.uac);
	fake_call_expect_status(&t.uac, 200);
}

static void is_over(void)
{
	ck_assert(loop_run_until(t.loop, is_done, NULL, PATIENCE_MS));
}

/* --- CANCEL --- */

START_TEST(cancel_waits_for_a_provisional_response)
{
	invite();
	cancel();
	settle();
	ck_assert_int_eq(fake_peer_pending(t.peers[0]), 0);
	fake_call_reply(&t.uas[0], 180, "");
	fake_peer_expect(t.peers[0], "CANCEL");
	fake_call_reply(&t.uas[0], 487, "");
	fake_peer_expect(t.peers[0], "ACK");
	fake_call_expect_status(&t.uac, 487);
	is_over();
}
END_TEST

START_TEST(cancel_is_like_its_invite)
{
	char via[256];
	const char *text;

	invite();
	ring(0);
	snprintf(via, sizeof(via), "%s",
		 fake_header(t.uas[0].request, "Via", 0));
	cancel();
	text = fake_peer_expect(t.peers[0], "CANCEL sip:b@ims.test ");
	ck_assert_str_eq(fake_header(text, "Via", 0), via);
	ck_assert_str_eq(fake_header(text, "Via", 1), "");
	ck_assert_str_eq(fake_header(text, "CSeq", 0), "1 CANCEL");
	fake_call_reply(&t.uas[0], 487, "");
	fake_call_expect_status(&t.uac, 487);
}
END_TEST

START_TEST(cancel_that_crosses_the_200_lets_the_call_stand)
{
	invite();
	ring(0);
	cancel();
	fake_peer_expect(t.peers[0], "CANCEL");
	fake_call_answer(&t.uas[0]);
	fake_call_expect_status(&t.uac, 200);
	is_over();
}
END_TEST

START_TEST(cancelled_one_that_never_answers_is_given_up)
{
	invite();
	ring(0);
	cancel();
	fake_peer_expect(t.peers[0], "CANCEL");
	pass_s(33);
	fake_call_expect_status(&t.uac, 487);
	ck_assert_ptr_null(t.ep->fwds);
	ck_assert_int_eq(t.last_status, 408);
}
END_TEST

START_TEST(request_cancelled_while_its_role_keeps_it_gets_487)
{
	t.is_kept = true;
	fake_call_invite(&t.uac, "sip:b@ims.test");
	ck_assert(loop_run_until(t.loop, is_waiting, NULL, PATIENCE_MS));
	cancel();
	fake_call_expect_status(&t.uac, 487);
	ck_assert_int_ne(sipep_forward(t.ep, t.kept, &t.routes[0]), 0);
	settle();
	ck_assert_int_eq(fake_peer_pending(t.peers[0]), 0);
}
END_TEST

START_TEST(cancel_of_nothing_gets_481)
{
	invite();
	fake_call_reply(&t.uas[0], 486, "");
	fake_call_expect_status(&t.uac, 486);
	t.uac.cseq = 9;
	fake_call_cancel(&t.uac);
	fake_call_expect_status(&t.uac, 481);
}
END_TEST

/* --- timers --- */

START_TEST(timer_c_cancels_who_rings_for_ever)
{
	invite();
	ring(0);
	pass_s(186);
	fake_peer_expect(t.peers[0], "CANCEL");
	fake_call_reply(&t.uas[0], 487, "");
	fake_call_expect_status(&t.uac, 487);
	is_over();
}
END_TEST

START_TEST(timer_c_begins_anew_with_each_provisional_response)
{
	invite();
	ring(0);
	pass_s(180);
	fake_call_reply(&t.uas[0], 183, "");
	fake_call_expect_status(&t.uac, 183);
	pass_s(180);
	settle();
	ck_assert_int_eq(fake_peer_pending(t.peers[0]), 0);
	fake_call_answer(&t.uas[0]);
	fake_call_expect_status(&t.uac, 200);
}
END_TEST

START_TEST(invite_that_nobody_answers_gets_408_that_names_who_did_not)
{
	const char *text;

	invite();
	fake_call_expect_status(&t.uac, 100);
	pass_s(33);
	text = fake_call_expect_status(&t.uac, 408);
	ck_assert_ptr_nonnull(strstr(text, fake_peer_addr(t.peers[0])));
	ck_assert_int_eq(t.last_status, 408);
}
END_TEST

START_TEST(late_answer_to_nobody_is_dropped)
{
	invite();
	fake_call_expect_status(&t.uac, 100);
	pass_s(33);
	fake_call_expect_status(&t.uac, 408);
	fake_call_reply(&t.uas[0], 486, "");
	settle();
	ck_assert_int_eq(fake_peer_pending(t.client), 0);
}
END_TEST

/* --- branches --- */

static const struct {
	int statuses[HOPS], best;
} finals[] = {
	{ { 486, 404, 480 }, 486 }, /* of one class the first */
	{ { 503, 486, 500 }, 486 }, /* the lowest class */
	{ { 404, 484, 480 }, 484 }, /* what can be mended */
	{ { 302, 404, 500 }, 302 },
	{ { 404, 486, 603 }, 603 }, /* 6xx before all */
};

START_TEST(best_response_of_all_goes_back)
{
	t.route_n = HOPS;
	invite();
	for (int i = 0; i < HOPS; i++)
		fake_call_reply(&t.uas[i], finals[_i].statuses[i], "");
	fake_call_expect_status(&t.uac, finals[_i].best);
	ck_assert_int_eq(t.responses, 1);
	is_over();
}
END_TEST

START_TEST(six_hundred_ends_the_other_branches)
{
	t.route_n = 2;
	invite();
	ring(1);
	fake_call_reply(&t.uas[0], 603, "");
	fake_peer_expect(t.peers[1], "CANCEL");
	fake_call_reply(&t.uas[1], 487, "");
	fake_call_expect_status(&t.uac, 603);
	is_over();
}
END_TEST

START_TEST(second_200_of_a_fork_is_passed_on_too)
{
	t.route_n = 2;
	invite();
	fake_call_answer(&t.uas[0]);
	fake_call_expect_status(&t.uac, 200);
	fake_call_answer(&t.uas[1]);
	fake_call_expect_status(&t.uac, 200);
	is_over();
}
END_TEST

START_TEST(branch_that_cannot_be_reached_does_not_stop_the_others)
{
	t.route_n = 2;
	t.peers[0] = fake_peer_free(t.peers[0]);
	fake_call_invite(&t.uac, "sip:b@ims.test");
	fake_call_expect(&t.uas[1], "INVITE");
	fake_call_answer(&t.uas[1]);
	fake_call_expect_status(&t.uac, 200);
}
END_TEST

/* --- elsewhere --- */

static void use_elsewhere(int n)
{
	t.routes[0].elsewhere = elsewhere;
	t.elsewhere_n = n;
}

START_TEST(neighbour_that_fails_is_replaced_by_another)
{
	use_elsewhere(2);
	invite();
	fake_call_reply(&t.uas[0], 503, "");
	for (int i = 1; i < HOPS; i++)
		fake_call_expect(&t.uas[i], "INVITE");
	fake_call_reply(&t.uas[1], 486, "");
	fake_call_answer(&t.uas[2]);
	fake_call_expect_status(&t.uac, 200);
	ck_assert_int_eq(t.asked, 1);
	ck_assert_int_eq(t.asked_status, 503);
	is_over();
}
END_TEST

START_TEST(without_another_its_own_response_goes_back)
{
	use_elsewhere(0);
	invite();
	fake_call_reply(&t.uas[0], 503, "");
	fake_call_expect_status(&t.uac, 503);
	ck_assert_int_eq(t.asked, 1);
}
END_TEST

START_TEST(who_was_heard_of_is_not_replaced)
{
	use_elsewhere(1);
	invite();
	ring(0);
	fake_call_reply(&t.uas[0], 500, "");
	fake_call_expect_status(&t.uac, 500);
	ck_assert_int_eq(t.asked, 0);
}
END_TEST

START_TEST(refusal_is_no_failure)
{
	use_elsewhere(1);
	invite();
	fake_call_reply(&t.uas[0], 403, "");
	fake_call_expect_status(&t.uac, 403);
	ck_assert_int_eq(t.asked, 0);
}
END_TEST

START_TEST(cancelled_call_goes_nowhere_else)
{
	use_elsewhere(1);
	invite();
	fake_call_reply(&t.uas[0], 100, "");
	fake_call_expect_status(&t.uac, 100);
	cancel();
	fake_peer_expect(t.peers[0], "CANCEL");
	fake_call_reply(&t.uas[0], 503, "");
	fake_call_expect_status(&t.uac, 503);
	ck_assert_int_eq(t.asked, 0);
}
END_TEST

/* --- the rest --- */

/* The library frees what its callback destroyed when that returns; over TCP a
 * finished transaction would otherwise be gone at once */
START_TEST(next_hop_that_is_no_uri_gets_500)
{
	teardown();
	start(_i ? FAKE_TCP : FAKE_UDP);
	t.routes[0].next_hop = "http://nonsense:::";
	fake_call_invite(&t.uac, "sip:b@ims.test");
	fake_call_expect_status(&t.uac, 500);
	ck_assert_int_ne(t.forwarded, 0);
	ck_assert_ptr_null(t.ep->fwds);
}
END_TEST

START_TEST(own_routes_on_top_are_taken_off_and_others_stay)
{
	const char *text;

	snprintf(t.uac.routes, sizeof(t.uac.routes),
		 "<sip:orig@%s;lr>, <sip:%s;lr>, <sip:other.test;lr>",
		 sipep_addr(t.ep), sipep_addr(t.ep));
	invite();
	text = t.uas[0].request;
	ck_assert_str_eq(fake_header(text, "Route", 0), "<sip:other.test;lr>");
	ck_assert_str_eq(fake_header(text, "Max-Forwards", 0), "69");
	ck_assert_ptr_nonnull(
		strstr(fake_header(text, "Record-Route", 0), "<sip:test@"));
}
END_TEST

START_TEST(unreliable_180_to_who_requires_100rel_is_passed_as_it_is)
{
	snprintf(t.uac.extra, sizeof(t.uac.extra), "Require: 100rel\n");
	invite();
	fake_call_reply(&t.uas[0], 180, "");
	fake_call_expect_status(&t.uac, 100);
	ck_assert_str_eq(
		fake_header(fake_call_expect_status(&t.uac, 180), "RSeq", 0),
		"");
	fake_call_reply(&t.uas[0], 183, "RSeq: 7\nRequire: 100rel\n");
	ck_assert_str_eq(
		fake_header(fake_call_expect_status(&t.uac, 183), "RSeq", 0),
		"7");
}
END_TEST

START_TEST(ack_and_requests_out_of_hops_are_dropped_or_refused)
{
	snprintf(t.uac.target, sizeof(t.uac.target), "sip:b@ims.test");
	snprintf(t.uac.remote, sizeof(t.uac.remote), "<sip:b@ims.test>;tag=b");
	fake_call_ack(&t.uac);
	fake_call_expect(&t.uas[0], "ACK");
	snprintf(t.uac.extra, sizeof(t.uac.extra), "Proxy-Require: nothing\n");
	fake_call_tx(&t.uac, "BYE");
	fake_call_expect_status(&t.uac, 420);
}
END_TEST

START_TEST(endpoint_may_go_in_the_middle_of_a_call)
{
	t.route_n = HOPS;
	invite();
	ring(1);
	t.ep = sipep_free(t.ep);
	settle();
}
END_TEST

static void add_cancel_tests(TCase *tc)
{
	tcase_add_test(tc, cancel_waits_for_a_provisional_response);
	tcase_add_test(tc, cancel_is_like_its_invite);
	tcase_add_test(tc, cancel_that_crosses_the_200_lets_the_call_stand);
	tcase_add_test(tc, cancelled_one_that_never_answers_is_given_up);
	tcase_add_test(tc, request_cancelled_while_its_role_keeps_it_gets_487);
	tcase_add_test(tc, cancel_of_nothing_gets_481);
	tcase_add_test(tc, timer_c_cancels_who_rings_for_ever);
	tcase_add_test(tc, timer_c_begins_anew_with_each_provisional_response);
	tcase_add_test(
		tc, invite_that_nobody_answers_gets_408_that_names_who_did_not);
	tcase_add_test(tc, late_answer_to_nobody_is_dropped);
}

static void add_branch_tests(TCase *tc)
{
	int final_n = sizeof(finals) / sizeof(*finals);

	tcase_add_loop_test(tc, best_response_of_all_goes_back, 0, final_n);
	tcase_add_test(tc, six_hundred_ends_the_other_branches);
	tcase_add_test(tc, second_200_of_a_fork_is_passed_on_too);
	tcase_add_test(tc,
		       branch_that_cannot_be_reached_does_not_stop_the_others);
	tcase_add_test(tc, neighbour_that_fails_is_replaced_by_another);
	tcase_add_test(tc, without_another_its_own_response_goes_back);
	tcase_add_test(tc, who_was_heard_of_is_not_replaced);
	tcase_add_test(tc, refusal_is_no_failure);
	tcase_add_test(tc, cancelled_call_goes_nowhere_else);
}

static Suite *sipep_fwd_suite(void)
{
	Suite *suite = suite_create("sipep_fwd");
	TCase *tc = tcase_create("RFC 3261 16");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	add_cancel_tests(tc);
	add_branch_tests(tc);
	tcase_add_loop_test(tc, next_hop_that_is_no_uri_gets_500, 0, 2);
	tcase_add_test(tc, own_routes_on_top_are_taken_off_and_others_stay);
	tcase_add_test(
		tc, unreliable_180_to_who_requires_100rel_is_passed_as_it_is);
	tcase_add_test(tc, ack_and_requests_out_of_hops_are_dropped_or_refused);
	tcase_add_test(tc, endpoint_may_go_in_the_middle_of_a_call);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(sipep_fwd_suite)
