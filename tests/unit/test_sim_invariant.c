/* The invariants over traces made by hand: that hold, and that break each */
#include "sim/sim_invariant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "common/mem.h"
#include "sim/sim.h"
#include "tests/fake/fake_trace.h"
#include "tests/suite.h"

#define URI FAKE_IMPU
#define OTHER "sip:+8657110000002@ims.test"
#define ALICE "+8613800138000"
#define BOB "+8613900139000"

enum { STATED_MS = 1000, STATED_US = STATED_MS * 1000, STEP_US = 1000 };

static json_t *lines;
static int64_t now_us;
static struct sim_trace *tr;
static struct sim_invariants *inv;
static int idle_n, occupied_n, reclaiming_n;

static void setup(void)
{
	lines = json_array();
	now_us = 1000000;
	idle_n = 2;
	occupied_n = reclaiming_n = 0;
}

static void teardown(void)
{
	inv = sim_invariants_free(inv);
	tr = sim_trace_free(tr);
}

static void event(const char *actor, const char *name, json_t *fields)
{
	now_us += STEP_US;
	fake_trace_event(lines, now_us, actor, name, fields);
}

static json_t *counts(void)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:i}", "idle", idle_n,
			 "occupied", occupied_n, "reclaiming", reclaiming_n,
			 "cooling", 0, "quarantined", 0);
}

static void import(void)
{
	event("platform", "platform.pool-imported",
	      json_pack("{s:i, s:o}", "size", 2, "counts", counts()));
}

static int *count_of(const char *state)
{
	return !strcmp(state, "idle")       ? &idle_n
	       : !strcmp(state, "occupied") ? &occupied_n
					    : &reclaiming_n;
}

static void lease(const char *uri, int id, const char *from, const char *to)
{
	--*count_of(from);
	++*count_of(to);
	event("platform", "lease.state",
	      json_pack("{s:s, s:i, s:s, s:s, s:o}", "uri", uri, "lease_id", id,
			"from", from, "to", to, "counts", counts()));
}

static void bound_at(const char *appserver, const char *number, const char *uri,
		     int id)
{
	event(appserver, "as.bound",
	      json_pack("{s:s, s:s, s:i}", "number", number, "uri", uri,
			"lease_id", id));
}

static void bound(const char *number, const char *uri, int id)
{
	bound_at("appserver", number, uri, id);
}

static void unbound(const char *number, const char *uri, int id)
{
	event("appserver", "as.unbound",
	      json_pack("{s:s, s:s, s:i}", "number", number, "uri", uri,
			"lease_id", id));
}

static void releasing(const char *number)
{
	event("appserver", "fsm",
	      json_pack("{s:s, s:s, s:s, s:s}", "machine", "as.binding", "id",
			number, "from", "bound", "to", "releasing"));
}

static void fault(const char *name, const char *element, json_t *state)
{
	json_t *fields = json_pack("{s:s}", "element", element);

	if (state)
		json_object_set_new(fields, "state", state);
	event("sipshare", name, fields);
}

static void restart(const char *element, json_t *state)
{
	fault("fault.kill", element, NULL);
	fault("fault.down", element, NULL);
	fault("fault.restarted", element, state);
}

static void message(enum trace_proto proto, const char *from, const char *to,
		    const char *text)
{
	struct fake_msg msg = { .proto = proto,
				.from = from,
				.to = to,
				.data = text,
				.len = strlen(text),
				.ends = FAKE_BOTH };

	now_us += STEP_US;
	msg.t_us = now_us;
	fake_trace_msg(lines, &msg);
}

/* S406: the platform lends a SIP-URI with a password */
static void lent(const char *uri, int id, const char *password)
{
	char *text = xasprintf("HTTP/1.1 201 Created\r\n\r\n{\"uri\":\"%s\","
			       "\"lease_id\":%d,\"password\":\"%s\"}",
			       uri, id, password);

	message(TRACE_HTTP, "platform", "appserver", text);
	free(text);
}

/* A REGISTER of URI with a password, and its answer by the S-CSCF */
static void registered(const char *password, int cseq, const char *answer)
{
	char ha1[DIGEST_HEX_LEN], response[DIGEST_HEX_LEN];
	const struct digest_input in = { .alg = DIGEST_MD5,
					 .ha1 = ha1,
					 .method = "REGISTER",
					 .uri = "sip:ims.test",
					 .nonce = "n",
					 .nc = "00000001",
					 .cnonce = "c",
					 .qop = "auth" };
	char *text;

	digest_ha1(ha1, DIGEST_MD5, "u@ims.test", "ims.test", password);
	digest_response(response, &in);
	text = xasprintf("REGISTER sip:ims.test SIP/2.0\r\nTo: <" URI ">\r\n"
			 "Call-ID: abc\r\nCSeq: %d REGISTER\r\n"
			 "Authorization: Digest username=\"u@ims.test\", "
			 "realm=\"ims.test\", nonce=\"n\", uri=\"sip:ims.test"
			 "\", response=\"%s\", algorithm=MD5, qop=auth, "
			 "nc=00000001, cnonce=\"c\"\r\n\r\n",
			 cseq, response);
	message(TRACE_SIP, "icscf", "scscf", text);
	free(text);
	text = xasprintf("SIP/2.0 %s\r\nTo: <" URI ">;tag=t\r\nCall-ID: abc\r\n"
			 "CSeq: %d REGISTER\r\n\r\n",
			 answer, cseq);
	message(TRACE_SIP, "scscf", "icscf", text);
	free(text);
}

static void invite(const char *call_id)
{
	char *text = xasprintf("INVITE sip:bob@ims.test SIP/2.0\r\n"
			       "Call-ID: %s\r\nCSeq: 1 INVITE\r\n\r\n",
			       call_id);

	message(TRACE_SIP, "scscf", "appserver", text);
	free(text);
}

static void record(const char *call_id, const char *number, int id)
{
	event("appserver", "as.cdr",
	      json_pack("{s:s, s:s, s:s?, s:i}", "call_id", call_id, "uri", URI,
			"number", number, "lease_id", id));
}

/* The same of one of several AS */
static void record_as(const char *role, const char *number, int id)
{
	event("appserver2", "as.cdr",
	      json_pack("{s:s, s:s, s:s?, s:i, s:s, s:s}", "call_id", "call-1",
			"uri", URI, "number", number, "lease_id", id, "role",
			role, "icid", "abc"));
}

static void judge(void)
{
	size_t n;

	tr = fake_trace_load(lines);
	inv = sim_invariants_new(STATED_MS);
	n = sim_trace_count(tr);
	for (size_t i = 0; i < n; i++)
		sim_invariants_rx(inv, sim_trace_entry(tr, i));
	sim_invariants_end(inv, now_us);
}

static void expect_holds(void)
{
	judge();
	ck_assert_msg(!sim_invariants_count(inv), "%s",
		      sim_invariants_count(inv)
			      ? sim_invariants_breach(inv, 0)->text
			      : "");
}

/* That one is broken, and the first breach says so */
static void expect_breach(int number, const char *needle)
{
	const struct sim_breach *b;

	judge();
	ck_assert_uint_ge(sim_invariants_count(inv), 1);
	b = sim_invariants_breach(inv, 0);
	ck_assert_msg(b->number == number && strstr(b->text, needle), "I%d: %s",
		      b->number, b->text);
}

/* A lease of URI from its beginning to its end */
static void use(const char *number, int id)
{
	lease(URI, id, "idle", "occupied");
	bound(number, URI, id);
	releasing(number);
	lease(URI, id, "occupied", "reclaiming");
	unbound(number, URI, id);
	lease(URI, id, "reclaiming", "idle");
}

START_TEST(leases_one_after_the_other_hold)
{
	import();
	use(ALICE, 1);
	use(BOB, 2);
	lease(OTHER, 3, "idle", "occupied");
	bound(ALICE, OTHER, 3);
	expect_holds();
}
END_TEST

START_TEST(a_sip_uri_of_two_numbers_breaks_i1)
{
	bound(ALICE, URI, 1);
	bound(BOB, URI, 2);
	expect_breach(1, URI " is bound to " BOB " (lease 2) while it is bound "
			     "to " ALICE);
}
END_TEST

START_TEST(a_number_with_two_sip_uris_breaks_i1)
{
	bound(ALICE, URI, 1);
	bound(ALICE, OTHER, 2);
	expect_breach(1, ALICE " holds " OTHER " while it holds " URI);
}
END_TEST

START_TEST(a_sip_uri_that_is_being_given_back_is_nobodys)
{
	bound(ALICE, URI, 1);
	releasing(ALICE);
	bound(BOB, URI, 2);
	unbound(ALICE, URI, 1);
	expect_holds();
}
END_TEST

START_TEST(a_count_that_does_not_add_up_breaks_i2)
{
	import();
	idle_n++;
	lease(URI, 1, "idle", "occupied");
	expect_breach(2, "the platform counts 2 idle");
}
END_TEST

START_TEST(a_step_from_another_state_than_the_last_breaks_i2)
{
	import();
	lease(URI, 1, "idle", "occupied");
	lease(URI, 1, "reclaiming", "idle");
	expect_breach(2, "goes from reclaiming to idle, but it was occupied");
}
END_TEST

START_TEST(a_lease_id_that_does_not_grow_breaks_i2)
{
	import();
	use(ALICE, 2);
	lease(URI, 2, "idle", "occupied");
	expect_breach(2, "lease id 2 after the lease id 2");
}
END_TEST

START_TEST(the_password_of_the_present_lease_is_right)
{
	import();
	lease(URI, 1, "idle", "occupied");
	lent(URI, 1, "first");
	registered("first", 1, "200 OK");
	lease(URI, 1, "occupied", "reclaiming");
	/* S413: the platform deregisters by it */
	registered("first", 2, "200 OK");
	lease(URI, 1, "reclaiming", "idle");
	registered("first", 3, "403 Forbidden");
	lease(URI, 2, "idle", "occupied");
	lent(URI, 2, "second");
	registered("second", 4, "200 OK");
	expect_holds();
}
END_TEST

START_TEST(the_password_of_an_earlier_lease_breaks_i3)
{
	import();
	lease(URI, 1, "idle", "occupied");
	lent(URI, 1, "first");
	lease(URI, 1, "occupied", "reclaiming");
	lease(URI, 1, "reclaiming", "idle");
	lease(URI, 2, "idle", "occupied");
	lent(URI, 2, "second");
	registered("first", 1, "200 OK");
	expect_breach(3, "with the password of the lease 1, which has ended");
}
END_TEST

START_TEST(a_password_of_a_lease_that_has_ended_breaks_i3)
{
	import();
	lease(URI, 1, "idle", "occupied");
	lent(URI, 1, "first");
	lease(URI, 1, "occupied", "reclaiming");
	lease(URI, 1, "reclaiming", "idle");
	registered("first", 1, "200 OK");
	expect_breach(3, "with the password of the lease 1");
}
END_TEST

START_TEST(a_record_with_the_number_of_the_calls_beginning_holds)
{
	bound(ALICE, URI, 1);
	invite("call-1");
	unbound(ALICE, URI, 1);
	bound(BOB, URI, 2);
	record("call-1", ALICE, 1);
	expect_holds();
}
END_TEST

START_TEST(a_record_with_a_later_users_number_breaks_i4)
{
	bound(ALICE, URI, 1);
	invite("call-1");
	unbound(ALICE, URI, 1);
	bound(BOB, URI, 2);
	record("call-1", BOB, 2);
	expect_breach(4,
		      "was bound to " ALICE " (lease 1) when the call began");
}
END_TEST

START_TEST(the_callees_record_need_not_know_the_caller)
{
	bound(ALICE, URI, 1);
	invite("call-1");
	record_as("originating", ALICE, 1);
	record_as("terminating", NULL, 0);
	expect_holds();
}
END_TEST

START_TEST(a_call_that_two_as_charge_breaks_i4)
{
	bound(ALICE, URI, 1);
	invite("call-1");
	record_as("originating", ALICE, 1);
	record_as("originating", ALICE, 1);
	expect_breach(4, "the icid abc is charged twice");
}
END_TEST

START_TEST(a_record_without_a_number_for_a_leased_sip_uri_breaks_i4)
{
	bound(ALICE, URI, 1);
	invite("call-1");
	record("call-1", NULL, 0);
	expect_breach(4, "has no real number");
}
END_TEST

START_TEST(idle_too_late_after_the_release_breaks_i5)
{
	import();
	lease(URI, 1, "idle", "occupied");
	bound(ALICE, URI, 1);
	releasing(ALICE);
	now_us += (int64_t)STATED_US;
	lease(URI, 1, "occupied", "reclaiming");
	lease(URI, 1, "reclaiming", "idle");
	expect_breach(5, "is idle 1.00");
}
END_TEST

START_TEST(not_idle_when_the_trace_ends_breaks_i5)
{
	import();
	lease(URI, 1, "idle", "occupied");
	lease(URI, 1, "occupied", "reclaiming");
	now_us += 2 * (int64_t)STATED_US;
	expect_breach(5, "is not idle yet 2.00");
}
END_TEST

START_TEST(the_stated_time_runs_from_the_last_fault)
{
	import();
	lease(URI, 1, "idle", "occupied");
	lease(URI, 1, "occupied", "reclaiming");
	fault("fault.pause", "pcscf", NULL);
	now_us += 2 * (int64_t)STATED_US;
	fault("fault.resume", "pcscf", NULL);
	lease(URI, 1, "reclaiming", "idle");
	expect_holds();
}
END_TEST

static json_t *pool(const char *state, int id)
{
	return json_pack("{s:i, s:[{s:s, s:s, s:i}, {s:s, s:s, s:i}]}", "size",
			 2, "uris", "uri", URI, "state", state, "lease_id", id,
			 "uri", OTHER, "state", "idle", "lease_id", 0);
}

START_TEST(what_is_the_same_after_a_restart_holds)
{
	import();
	lease(URI, 1, "idle", "occupied");
	lent(URI, 1, "first");
	bound(ALICE, URI, 1);
	restart("platform", pool("occupied", 1));
	restart("appserver",
		json_pack("[{s:s, s:s, s:i, s:s}]", "number", ALICE, "uri", URI,
			  "lease_id", 1, "state", "bound"));
	lease(URI, 1, "occupied", "reclaiming");
	expect_holds();
}
END_TEST

START_TEST(one_step_whose_line_died_with_the_process_is_no_breach)
{
	import();
	restart("platform", pool("occupied", 1));
	restart("platform", pool("reclaiming", 1));
	restart("platform", pool("idle", 1));
	expect_holds();
}
END_TEST

START_TEST(a_lease_that_was_answered_and_is_gone_breaks_i6)
{
	import();
	lease(URI, 1, "idle", "occupied");
	lent(URI, 1, "first");
	restart("platform", pool("idle", 0));
	expect_breach(6, "was occupied (lease 1, lent till 1) before");
}
END_TEST

START_TEST(a_lease_that_was_answered_but_never_told_must_be_there_too)
{
	import();
	/* its own line died with it, but the AS had the answer */
	lent(URI, 1, "first");
	restart("platform", pool("idle", 0));
	expect_breach(6, "lent till 1");
}
END_TEST

START_TEST(a_sip_uri_that_is_gone_breaks_i6)
{
	import();
	lease(URI, 1, "idle", "occupied");
	restart("platform", json_pack("{s:i, s:[]}", "size", 0, "uris"));
	expect_breach(6, URI " is not known any more");
}
END_TEST

START_TEST(a_binding_that_is_gone_breaks_i6)
{
	bound(ALICE, URI, 1);
	restart("appserver", json_array());
	expect_breach(6, "was bound to " ALICE " (lease 1) before the AS was");
}
END_TEST

START_TEST(a_binding_of_another_as_is_not_missed)
{
	import();
	lease(URI, 1, "idle", "occupied");
	lease(OTHER, 2, "idle", "occupied");
	bound(ALICE, URI, 1);
	bound_at("appserver2", BOB, OTHER, 2);
	restart("appserver",
		json_pack("[{s:s, s:s, s:i, s:s}]", "number", ALICE, "uri", URI,
			  "lease_id", 1, "state", "bound"));
	restart("appserver2",
		json_pack("[{s:s, s:s, s:i, s:s}]", "number", BOB, "uri", OTHER,
			  "lease_id", 2, "state", "bound"));
	expect_holds();
}
END_TEST

START_TEST(a_binding_that_the_second_as_has_lost_breaks_i6)
{
	bound(ALICE, OTHER, 2);
	bound_at("appserver2", BOB, URI, 1);
	restart("appserver2", json_array());
	expect_breach(6, "was bound to " BOB " (lease 1) before the AS was");
}
END_TEST

START_TEST(two_as_that_bind_one_uri_break_i1)
{
	bound(ALICE, URI, 1);
	bound_at("appserver2", BOB, URI, 2);
	expect_breach(1, "is bound to " BOB " (lease 2) while it is bound to");
}
END_TEST

START_TEST(an_account_that_the_hss_has_lost_breaks_i6)
{
	import();
	lease(URI, 1, "idle", "occupied");
	restart("hss", json_array());
	expect_breach(6, "not known any more to the HSS");
}
END_TEST

START_TEST(a_breach_is_printed_with_its_ladder_and_no_others)
{
	const struct sim_screen screen = { .width = 160, .is_ascii = true };
	struct sim_label *lb;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	bound("+8613700137000", OTHER, 7);
	bound(ALICE, URI, 1);
	bound(BOB, URI, 2);
	judge();
	lb = sim_label_new(tr);
	sim_invariants_print(inv, lb, f, &screen);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "I1 does not hold: " URI));
	ck_assert_ptr_nonnull(strstr(text, "FAIL: of the invariants I1 does "
					   "not hold: 1 breach"));
	ck_assert_ptr_nonnull(strstr(text, "bound"));
	ck_assert_ptr_null(strstr(text, OTHER));
	sim_label_free(lb);
	free(text);
}
END_TEST

START_TEST(lines_as_they_come_are_judged_too)
{
	json_t *line;
	size_t i;

	bound(ALICE, URI, 1);
	bound(BOB, URI, 2);
	inv = sim_invariants_new(STATED_MS);
	json_array_foreach(lines, i, line)
	{
		ck_assert_int_eq(sim_invariants_rx_line(inv, line), 0);
	}
	ck_assert_uint_eq(sim_invariants_count(inv), 1);
	json_decref(lines);
	line = json_object();
	ck_assert_int_ne(sim_invariants_rx_line(inv, line), 0);
	json_decref(line);
}
END_TEST

static Suite *invariant_suite(void)
{
	Suite *s = suite_create("invariants");
	TCase *tc = tcase_create("bindings and states");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, leases_one_after_the_other_hold);
	tcase_add_test(tc, a_sip_uri_of_two_numbers_breaks_i1);
	tcase_add_test(tc, a_number_with_two_sip_uris_breaks_i1);
	tcase_add_test(tc, a_sip_uri_that_is_being_given_back_is_nobodys);
	tcase_add_test(tc, a_count_that_does_not_add_up_breaks_i2);
	tcase_add_test(tc, a_step_from_another_state_than_the_last_breaks_i2);
	tcase_add_test(tc, a_lease_id_that_does_not_grow_breaks_i2);
	tcase_add_test(tc, a_breach_is_printed_with_its_ladder_and_no_others);
	tcase_add_test(tc, lines_as_they_come_are_judged_too);
	suite_add_tcase(s, tc);

	tc = tcase_create("passwords and records");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_password_of_the_present_lease_is_right);
	tcase_add_test(tc, the_password_of_an_earlier_lease_breaks_i3);
	tcase_add_test(tc, a_password_of_a_lease_that_has_ended_breaks_i3);
	tcase_add_test(tc,
		       a_record_with_the_number_of_the_calls_beginning_holds);
	tcase_add_test(tc, a_record_with_a_later_users_number_breaks_i4);
	tcase_add_test(tc, the_callees_record_need_not_know_the_caller);
	tcase_add_test(tc, a_call_that_two_as_charge_breaks_i4);
	tcase_add_test(
		tc, a_record_without_a_number_for_a_leased_sip_uri_breaks_i4);
	suite_add_tcase(s, tc);

	tc = tcase_create("faults");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, idle_too_late_after_the_release_breaks_i5);
	tcase_add_test(tc, not_idle_when_the_trace_ends_breaks_i5);
	tcase_add_test(tc, the_stated_time_runs_from_the_last_fault);
	tcase_add_test(tc, what_is_the_same_after_a_restart_holds);
	tcase_add_test(tc,
		       one_step_whose_line_died_with_the_process_is_no_breach);
	tcase_add_test(tc, a_lease_that_was_answered_and_is_gone_breaks_i6);
	tcase_add_test(
		tc, a_lease_that_was_answered_but_never_told_must_be_there_too);
	tcase_add_test(tc, a_sip_uri_that_is_gone_breaks_i6);
	tcase_add_test(tc, a_binding_that_is_gone_breaks_i6);
	tcase_add_test(tc, a_binding_of_another_as_is_not_missed);
	tcase_add_test(tc, a_binding_that_the_second_as_has_lost_breaks_i6);
	tcase_add_test(tc, two_as_that_bind_one_uri_break_i1);
	tcase_add_test(tc, an_account_that_the_hss_has_lost_breaks_i6);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(invariant_suite)
