/* Two UEs of one terminal call each other through a P-CSCF that passes calls
 * on: the whole of a call, with its sound, as the runner tells it */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/ctl.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/pki.h"
#include "common/timer.h"
#include "common/trace.h"
#include "terminal/terminal.h"
#include "tests/fake/fake_as.h"
#include "tests/fake/fake_pcscf.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

#define ALICE "+8613800138000"
#define BOB "+8613900139000"

enum { SOME = 5 };

/** A control command under way */
struct told {
	json_t *result;
	char error[512];
	bool is_done;
};

static struct {
	struct loop *loop;
	struct element *el, *as_el, *ims_el;
	struct fake_as *as;
	struct fake_pcscf *ims;
	struct terminal *terminal;
	struct ctl *ctl;
	char ca[96], bob[96];
	struct told call, other;
	json_t *events; /* ue.call and ue.rtp */
} t;

static void on_answer(json_t *result, const char *error, void *arg)
{
	struct told *told = arg;

	told->is_done = true;
	told->result = json_incref(result);
	snprintf(told->error, sizeof(told->error), "%s", error ? error : "");
}

static bool is_done(const void *arg)
{
	return ((const struct told *)arg)->is_done;
}

static bool never(const void *arg)
{
	(void)arg;

	return false;
}

static void on_line(const char *line, size_t len, void *arg)
{
	json_t *event = json_loadb(line, len, 0, NULL);
	const char *name = json_string_value(json_object_get(event, "name"));

	(void)arg;
	if (name && (!strcmp(name, "ue.call") || !strcmp(name, "ue.rtp")))
		json_array_append(t.events, event);
	json_decref(event);
}

static void start(struct told *told, const char *cmd, json_t *args)
{
	json_decref(told->result);
	memset(told, 0, sizeof(*told));
	ctl_call(t.ctl, cmd, args, on_answer, told);
}

static void finish(struct told *told)
{
	ck_assert_msg(loop_run_until(t.loop, is_done, told, PATIENCE_MS),
		      "the command was not answered");
	ck_assert_str_eq(told->error, "");
}

static void tell(const char *number, const char *cmd)
{
	start(&t.other, cmd, json_pack("{s:s}", "number", number));
	finish(&t.other);
}

static void set_mode(const char *number, const char *mode)
{
	start(&t.other, "answer_mode",
	      json_pack("{s:s, s:s}", "number", number, "mode", mode));
	finish(&t.other);
}

static int number_of(const struct told *told, const char *name)
{
	return (int)json_integer_value(json_object_get(told->result, name));
}

static const char *text_of(const struct told *told, const char *name)
{
	const char *text =
		json_string_value(json_object_get(told->result, name));

	return text ? text : "";
}

static void expect_call(const char *number, const char *state)
{
	for (int i = 0; i < 100; i++) {
		tell(number, "call_state");
		if (!strcmp(text_of(&t.other, "state"), state))
			return;
		(void)loop_run_until(t.loop, never, NULL, 5);
	}
	ck_abort_msg("the call of %s is %s, not %s", number,
		     text_of(&t.other, "state"), state);
}

static void add(const char *number)
{
	start(&t.other, "add",
	      json_pack("{s:s, s:s}", "number", number, "secret", "s"));
	finish(&t.other);
	tell(number, "login");
	tell(number, "request_uri");
	tell(number, "register");
}

static void setup(void)
{
	static const char *const names[] = { "appserver", NULL };
	static const char *const hosts[] = { "127.0.0.1", NULL };
	struct terminal_cfg cfg = { .sip = "127.0.0.1:0", .ca = t.ca };
	const char *wrong = NULL;
	char *reason = NULL;
	int fds[2];

	memset(&t, 0, sizeof(t));
	ck_assert(!pki_make(temp_dir(), names, hosts, &reason));
	snprintf(t.ca, sizeof(t.ca), "%s/ca.pem", temp_dir());
	ck_assert_int_eq(timer_override("sip-transaction=800ms", &wrong), 0);
	t.events = json_array();
	t.loop = loop_new();
	t.el = element_new_on(t.loop, "terminal");
	t.as_el = element_new_on(t.loop, "appserver");
	t.ims_el = element_new_on(t.loop, "pcscf");
	t.as = fake_as_new(t.as_el, temp_dir());
	t.ims = fake_pcscf_new(t.ims_el);
	snprintf(t.as->proxy, sizeof(t.as->proxy), "%s", t.ims->uri);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	t.el->ctl = ctl_new(t.loop, fds[0]);
	t.ctl = ctl_new(t.loop, fds[1]);
	cfg.appserver = t.as->url;
	ck_assert_msg(!terminal_new(&t.terminal, t.el, &cfg, &reason), "%s",
		      reason);
	trace_set_sink(t.el->trace, on_line, NULL);
	add(ALICE);
	add(BOB);
	snprintf(t.bob, sizeof(t.bob), "sip:ue2@%s",
		 terminal_sip_addr(t.terminal));
}

static void teardown(void)
{
	json_decref(t.call.result);
	json_decref(t.other.result);
	terminal_free(t.terminal);
	json_decref(t.events);
	fake_as_free(t.as);
	fake_pcscf_free(t.ims);
	ctl_free(t.ctl);
	element_free(t.el);
	element_free(t.as_el);
	element_free(t.ims_el);
	loop_free(t.loop);
}

static void dial(void)
{
	start(&t.call, "call",
	      json_pack("{s:s, s:s}", "number", ALICE, "to", t.bob));
}

static void expect_status(int status)
{
	finish(&t.call);
	ck_assert_int_eq(number_of(&t.call, "status"), status);
}

static void call_is_up(void)
{
	dial();
	expect_status(200);
	expect_call(BOB, "confirmed");
}

static void hear(const char *number)
{
	for (int i = 0; i < 200; i++) {
		tell(number, "call_state");
		if (number_of(&t.other, "rtp_received") >= SOME)
			return;
		(void)loop_run_until(t.loop, never, NULL, 10);
	}
	ck_abort_msg("%s hears nothing", number);
}

static const json_t *find_event(const char *name, const char *number)
{
	const json_t *found = NULL, *event;
	size_t i;

	json_array_foreach(t.events, i, event)
	{
		const char *is =
			json_string_value(json_object_get(event, "name"));
		const char *of =
			json_string_value(json_object_get(event, "number"));

		if (!strcmp(is, name) && of && !strcmp(of, number))
			found = event;
	}
	ck_assert_msg(found, "no %s of %s", name, number);

	return found;
}

static int event_number(const char *number, const char *field)
{
	return (int)json_integer_value(
		json_object_get(find_event("ue.rtp", number), field));
}

START_TEST(sound_crosses_and_the_caller_ends)
{
	call_is_up();
	expect_call(BOB, "confirmed");
	/* the number-display field: [0112] */
	ck_assert_str_eq(text_of(&t.other, "shown"), ALICE);
	hear(ALICE);
	hear(BOB);
	ck_assert_int_eq(number_of(&t.other, "rtp_foreign"), 0);
	tell(ALICE, "hangup");
	expect_call(ALICE, "terminated");
	expect_call(BOB, "terminated");
	ck_assert_int_ge(event_number(ALICE, "sent"), SOME);
	ck_assert_int_ge(event_number(ALICE, "received"), SOME);
	ck_assert_int_ge(event_number(BOB, "received"), SOME);
	ck_assert_str_eq(json_string_value(json_object_get(
				 find_event("ue.call", BOB), "shown")),
			 ALICE);
}
END_TEST

START_TEST(the_called_one_ends_and_another_call_follows)
{
	for (int i = 0; i < 3; i++) {
		call_is_up();
		tell(BOB, "hangup");
		expect_call(ALICE, "terminated");
	}
	ck_assert_int_eq(t.ims->invites, 3);
}
END_TEST

START_TEST(the_caller_gives_up)
{
	set_mode(BOB, "ring");
	dial();
	expect_call(BOB, "early");
	tell(ALICE, "cancel");
	expect_status(487);
	expect_call(BOB, "terminated");
}
END_TEST

START_TEST(the_called_one_answers_late)
{
	set_mode(BOB, "ring");
	dial();
	expect_call(BOB, "early");
	tell(BOB, "answer");
	expect_status(200);
	hear(BOB);
}
END_TEST

START_TEST(refusals_come_back_as_they_are)
{
	set_mode(BOB, "busy");
	dial();
	expect_status(486);
	set_mode(BOB, "decline");
	dial();
	expect_status(603);
	set_mode(BOB, "auto");
	tell(BOB, "release");
	dial();
	expect_status(480);
}
END_TEST

START_TEST(who_calls_himself_is_busy)
{
	start(&t.call, "call",
	      json_pack("{s:s, s:s}", "number", BOB, "to", t.bob));
	expect_status(486);
}
END_TEST

START_TEST(who_gives_the_uri_back_ends_the_call)
{
	call_is_up();
	tell(BOB, "release");
	expect_call(ALICE, "terminated");
	ck_assert_str_eq(text_of(&t.other, "reason"), "ended by the peer");
	tell(BOB, "call_state");
	ck_assert_str_eq(text_of(&t.other, "state"), "idle");
}
END_TEST

START_TEST(who_is_gone_lets_the_caller_wait_for_nothing)
{
	set_mode(BOB, "none");
	dial();
	/* the P-CSCF hears nothing either, and says so */
	finish(&t.call);
	ck_assert_int_ge(number_of(&t.call, "status"), 408);
}
END_TEST

/* What waits for an answer is told when the terminal ends */
START_TEST(the_end_of_the_terminal_ends_the_calls)
{
	set_mode(BOB, "ring");
	dial();
	expect_call(BOB, "early");
	t.terminal = terminal_free(t.terminal);
	ck_assert(loop_run_until(t.loop, is_done, &t.call, PATIENCE_MS));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("call");
	TCase *tc = tcase_create("call");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, sound_crosses_and_the_caller_ends);
	tcase_add_test(tc, the_called_one_ends_and_another_call_follows);
	tcase_add_test(tc, the_caller_gives_up);
	tcase_add_test(tc, the_called_one_answers_late);
	tcase_add_test(tc, refusals_come_back_as_they_are);
	tcase_add_test(tc, who_calls_himself_is_busy);
	tcase_add_test(tc, who_gives_the_uri_back_ends_the_call);
	tcase_add_test(tc, who_is_gone_lets_the_caller_wait_for_nothing);
	tcase_add_test(tc, the_end_of_the_terminal_ends_the_calls);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
