/* Faults: where they strike, with an element that does as the test says */
#include "sim/sim_fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "sim/sim_fault_match.h"
#include "tests/suite.h"

enum { CALLS_MAX = 16 };

/** All that was done to elements, as text, and answers that wait */
static struct {
	struct loop *loop;
	struct sim_faults *faults;
	char *done;
	ctl_answer_cb *cb[CALLS_MAX];
	void *cb_arg[CALLS_MAX];
	int call_n;
	bool is_mute; /* answers come by answer_all() */
} t;

/* Takes what over */
static void add(char *what)
{
	char *all = xasprintf("%s%s;", t.done, what);

	free(t.done);
	free(what);
	t.done = all;
}

static void answer_all(void)
{
	json_t *result = json_object();

	for (int i = 0; i < t.call_n; i++)
		t.cb[i](result, NULL, t.cb_arg[i]);
	t.call_n = 0;
	json_decref(result);
}

static int call(enum sim_actor actor, const char *cmd, json_t *args,
		ctl_answer_cb *cb, void *cb_arg, void *arg)
{
	char *text = args ? json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS)
			  : xstrdup("");

	(void)arg;
	add(xasprintf("%s %s%s", sim_actor_name(actor), cmd, text));
	free(text);
	json_decref(args);
	ck_assert_int_lt(t.call_n, CALLS_MAX);
	t.cb[t.call_n] = cb;
	t.cb_arg[t.call_n++] = cb_arg;

	return 0;
}

static void do_kill(enum sim_actor actor, void *arg)
{
	(void)arg;
	add(xasprintf("kill %s", sim_actor_name(actor)));
}

static int restart(enum sim_actor actor, void *arg, char **reasonp)
{
	(void)arg;
	(void)reasonp;
	add(xasprintf("restart %s", sim_actor_name(actor)));

	return 0;
}

static void do_pause(enum sim_actor actor, bool is_paused, void *arg)
{
	(void)arg;
	add(xasprintf("%s %s", is_paused ? "pause" : "resume",
		      sim_actor_name(actor)));
}

static void note(const char *name, json_t *fields, void *arg)
{
	(void)name;
	(void)arg;
	json_decref(fields);
}

static void let_go(enum sim_actor actor, unsigned number, const char *what,
		   void *arg)
{
	(void)arg;
	add(xasprintf("%s %u %s", sim_actor_name(actor), number, what));
}

static const struct sim_fault_ops ops = { call,     do_kill, restart,
					  do_pause, note,    let_go };

static void setup(void)
{
	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.done = xstrdup("");
	t.faults = sim_faults_new(t.loop, &ops, NULL);
}

static void teardown(void)
{
	t.faults = sim_faults_free(t.faults);
	loop_free(t.loop);
	free(t.done);
}

static int strike(enum sim_fault_kind kind, enum sim_actor actor, json_t *at,
		  int count)
{
	const struct sim_fault fault = { kind, actor, at, count, 10 };
	char *reason = NULL;
	int err = sim_faults_strike(t.faults, &fault, &reason);

	ck_assert_int_eq(err != 0, reason != NULL);
	free(reason);
	json_decref(at);

	return err;
}

/* The element's trace: a message came and is held */
static void hold(const char *actor, const char *proto, const char *what,
		 const char *text, int number)
{
	json_t *msg =
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "actor", actor, "kind",
			  "msg", "dir", "recv", "proto", proto, "text", text);
	json_t *held = json_pack("{s:s, s:s, s:s, s:s, s:i}", "actor", actor,
				 "kind", "event", "name", "message.held",
				 "what", what, "number", number);

	sim_faults_on_trace(t.faults, msg);
	sim_faults_on_trace(t.faults, held);
	json_decref(msg);
	json_decref(held);
}

static void expect_done(const char *done)
{
	ck_assert_str_eq(t.done, done);
	t.done[0] = '\0';
}

static const char ok200[] = "SIP/2.0 200 OK\r\nCSeq: 2 REGISTER\r\n"
			    "To: <sip:+8657110000001@ims.test>\r\n\r\n";

START_TEST(a_kill_without_a_point_strikes_at_once)
{
	ck_assert_int_eq(strike(SIM_FAULT_KILL, SIM_HSS, NULL, 1), 0);
	expect_done("kill hss;");
	ck_assert_int_eq(sim_faults_condition(t.faults, SIM_HSS), SIM_IS_DYING);
	sim_faults_on_change(t.faults, SIM_HSS, SIM_WENT_DOWN);
	ck_assert_int_eq(sim_faults_condition(t.faults, SIM_HSS), SIM_IS_DOWN);
	/* nobody can be killed twice */
	ck_assert_int_eq(strike(SIM_FAULT_KILL, SIM_HSS, NULL, 1), ENOTCONN);
}
END_TEST

START_TEST(a_kill_at_an_event_strikes_when_the_element_has_halted_there)
{
	strike(SIM_FAULT_KILL, SIM_PLATFORM,
	       json_pack("{s:s, s:s}", "event", "lease.state", "to",
			 "occupied"),
	       2);
	expect_done("platform halt-at{\"count\":2,\"event\":\"lease.state\","
		    "\"fields\":{\"to\":\"occupied\"}};");
	ck_assert(!sim_faults_is_set(t.faults, SIM_PLATFORM));
	answer_all();
	ck_assert(sim_faults_is_set(t.faults, SIM_PLATFORM));
	ck_assert_int_eq(sim_faults_left(t.faults, SIM_PLATFORM), 1);
	sim_faults_on_change(t.faults, SIM_PLATFORM, SIM_HALTED);
	expect_done("kill platform;");
	ck_assert_int_eq(sim_faults_left(t.faults, SIM_PLATFORM), 0);
}
END_TEST

START_TEST(a_kill_at_a_message_strikes_while_the_element_holds_it)
{
	strike(SIM_FAULT_KILL, SIM_APPSERVER,
	       json_pack("{s:s, s:i, s:s}", "proto", "http", "status", 201,
			 "method", "POST"),
	       1);
	expect_done("appserver hold;");
	hold("appserver", "http", "http POST /v1/sip-uri", "POST …", 1);
	expect_done("appserver release-held{\"number\":1};");
	hold("appserver", "http", "http 201 to POST https://a/v1/leases",
	     "HTTP/1.1 201", 2);
	expect_done("kill appserver;");
}
END_TEST

START_TEST(a_dropped_message_is_lost_and_the_others_go_on)
{
	strike(SIM_FAULT_DROP, SIM_PCSCF,
	       json_pack("{s:s, s:i, s:s}", "proto", "sip", "status", 200,
			 "method", "REGISTER"),
	       1);
	hold("pcscf", "sip", "sip 200",
	     "SIP/2.0 200 OK\r\nCSeq: 9 INVITE\r\n\r\n", 1);
	hold("pcscf", "sip", "sip 200", ok200, 2);
	expect_done("pcscf hold;pcscf release-held{\"number\":1};"
		    "pcscf drop-held{\"number\":2};pcscf unhold;");
	/* it was one: now nothing is looked at any more */
	hold("pcscf", "sip", "sip 200", ok200, 3);
	expect_done("");
}
END_TEST

static bool is_let_go(const void *arg)
{
	(void)arg;

	return strstr(t.done, "release-held{\"number\":1}") != NULL;
}

static bool is_conducted_on(const void *arg)
{
	(void)arg;

	return strstr(t.done, "pcscf 3 sip 200") != NULL;
}

START_TEST(a_delayed_message_is_let_go_when_its_time_has_passed)
{
	strike(SIM_FAULT_DELAY, SIM_PCSCF,
	       json_pack("{s:s, s:i}", "proto", "sip", "status", 200), 1);
	hold("pcscf", "sip", "sip 200", ok200, 1);
	/* not by unhold either, before that */
	expect_done("pcscf hold;");
	ck_assert(loop_run_until(t.loop, is_let_go, NULL, PATIENCE_MS));
	expect_done("pcscf release-held{\"number\":1};pcscf unhold;");
}
END_TEST

START_TEST(while_conducted_the_conductor_lets_go_what_no_fault_takes)
{
	sim_faults_conduct(t.faults);
	strike(SIM_FAULT_DROP, SIM_PCSCF,
	       json_pack("{s:s, s:i}", "proto", "sip", "status", 200), 1);
	hold("pcscf", "sip", "sip 401", "SIP/2.0 401 Unauthorized", 1);
	hold("pcscf", "sip", "sip 200", ok200, 2);
	/* it is held anyway, and stays so */
	expect_done("pcscf 1 sip 401;pcscf drop-held{\"number\":2};");
	strike(SIM_FAULT_DELAY, SIM_PCSCF,
	       json_pack("{s:s, s:i}", "proto", "sip", "status", 200), 1);
	hold("pcscf", "sip", "sip 200", ok200, 3);
	ck_assert(loop_run_until(t.loop, is_conducted_on, NULL, PATIENCE_MS));
	expect_done("pcscf 3 sip 200;");
}
END_TEST

START_TEST(a_message_for_a_terminal_is_told_by_what_it_leases)
{
	json_t *leased = json_pack("{s:s, s:s, s:s, s:s}", "actor", "terminal",
				   "name", "ue.leased", "number", "+861", "uri",
				   "sip:+8657110000001@ims.test");

	sim_faults_on_trace(t.faults, leased);
	json_decref(leased);
	strike(SIM_FAULT_DROP, SIM_TERMINAL,
	       json_pack("{s:s, s:s}", "proto", "sip", "user", "+861"), 1);
	hold("terminal", "sip", "sip 200", "To: <sip:bob@ims.test>", 1);
	hold("terminal", "sip", "sip 200", ok200, 2);
	expect_done("terminal hold;terminal release-held{\"number\":1};"
		    "terminal drop-held{\"number\":2};terminal unhold;");
}
END_TEST

START_TEST(who_was_restarted_is_asked_what_it_still_knows)
{
	char *reason = NULL;

	strike(SIM_FAULT_KILL, SIM_PLATFORM, NULL, 1);
	sim_faults_on_change(t.faults, SIM_PLATFORM, SIM_WENT_DOWN);
	ck_assert_int_eq(sim_faults_restart(t.faults, SIM_PLATFORM, &reason),
			 0);
	ck_assert_int_eq(sim_faults_condition(t.faults, SIM_PLATFORM),
			 SIM_IS_STARTING);
	sim_faults_on_change(t.faults, SIM_PLATFORM, SIM_CAME_UP);
	expect_done("kill platform;restart platform;platform pool;");
	answer_all();
	ck_assert_int_eq(sim_faults_condition(t.faults, SIM_PLATFORM),
			 SIM_IS_UP);
}
END_TEST

START_TEST(a_death_takes_along_what_was_to_strike)
{
	strike(SIM_FAULT_DROP, SIM_PCSCF,
	       json_pack("{s:s, s:i}", "proto", "sip", "status", 200), 3);
	ck_assert_int_eq(sim_faults_left(t.faults, SIM_PCSCF), 3);
	strike(SIM_FAULT_KILL, SIM_PCSCF, NULL, 1);
	sim_faults_on_change(t.faults, SIM_PCSCF, SIM_WENT_DOWN);
	ck_assert_int_eq(sim_faults_left(t.faults, SIM_PCSCF), 0);
}
END_TEST

START_TEST(a_paused_element_goes_on_when_it_is_resumed)
{
	char *reason = NULL;

	ck_assert_int_eq(sim_faults_resume(t.faults, SIM_HSS, &reason), EINVAL);
	ck_assert_str_eq(reason, "hss is not paused");
	free(reason);
	strike(SIM_FAULT_PAUSE, SIM_HSS, NULL, 1);
	ck_assert_int_eq(sim_faults_condition(t.faults, SIM_HSS),
			 SIM_IS_PAUSED);
	ck_assert_int_eq(sim_faults_resume(t.faults, SIM_HSS, &reason), 0);
	expect_done("pause hss;resume hss;");
}
END_TEST

/* A retransmission was held, too, before the element stood still */
START_TEST(a_second_message_at_a_pause_waits_for_the_resume)
{
	char *reason = NULL;

	strike(SIM_FAULT_PAUSE, SIM_TERMINAL,
	       json_pack("{s:s, s:i}", "proto", "sip", "status", 401), 1);
	answer_all();
	ck_assert(!sim_faults_has_struck(t.faults, SIM_TERMINAL));
	hold("terminal", "sip", "sip 401", "SIP/2.0 401 Unauthorized", 1);
	hold("terminal", "sip", "sip 401", "SIP/2.0 401 Unauthorized", 2);
	ck_assert(sim_faults_has_struck(t.faults, SIM_TERMINAL));
	ck_assert_int_eq(sim_faults_resume(t.faults, SIM_TERMINAL, &reason), 0);
	ck_assert(!sim_faults_has_struck(t.faults, SIM_TERMINAL));
	answer_all();
	ck_assert(sim_faults_has_struck(t.faults, SIM_TERMINAL));
	expect_done("terminal hold;pause terminal;"
		    "terminal release-held{\"number\":2};resume terminal;"
		    "terminal release-held{\"number\":1};terminal unhold;");
}
END_TEST

START_TEST(what_cannot_strike_is_refused_with_a_sentence)
{
	json_t *event = json_pack("{s:s}", "event", "ready");

	ck_assert_int_eq(strike(SIM_FAULT_DROP, SIM_HSS, NULL, 1), EINVAL);
	ck_assert_int_eq(strike(SIM_FAULT_DROP, SIM_HSS, json_incref(event), 1),
			 EINVAL);
	ck_assert_int_eq(strike(SIM_FAULT_KILL, SIM_HSS,
				json_pack("{s:s}", "proto", "smtp"), 1),
			 EINVAL);
	ck_assert_int_eq(
		strike(SIM_FAULT_KILL, SIM_HSS,
		       json_pack("{s:s, s:s}", "proto", "sip", "status", "200"),
		       1),
		EINVAL);
	expect_done("");
	/* one point at a time: the element knows no more */
	ck_assert_int_eq(strike(SIM_FAULT_KILL, SIM_HSS, json_incref(event), 1),
			 0);
	ck_assert_int_eq(strike(SIM_FAULT_KILL, SIM_HSS, event, 1), EINVAL);
}
END_TEST

static Suite *fault_suite(void)
{
	Suite *s = suite_create("faults");
	TCase *tc = tcase_create("where they strike");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_kill_without_a_point_strikes_at_once);
	tcase_add_test(
		tc,
		a_kill_at_an_event_strikes_when_the_element_has_halted_there);
	tcase_add_test(tc,
		       a_kill_at_a_message_strikes_while_the_element_holds_it);
	tcase_add_test(tc, a_dropped_message_is_lost_and_the_others_go_on);
	tcase_add_test(tc,
		       a_delayed_message_is_let_go_when_its_time_has_passed);
	tcase_add_test(
		tc, while_conducted_the_conductor_lets_go_what_no_fault_takes);
	tcase_add_test(tc, a_message_for_a_terminal_is_told_by_what_it_leases);
	tcase_add_test(tc, who_was_restarted_is_asked_what_it_still_knows);
	tcase_add_test(tc, a_death_takes_along_what_was_to_strike);
	tcase_add_test(tc, a_paused_element_goes_on_when_it_is_resumed);
	tcase_add_test(tc, a_second_message_at_a_pause_waits_for_the_resume);
	tcase_add_test(tc, what_cannot_strike_is_refused_with_a_sentence);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(fault_suite)
