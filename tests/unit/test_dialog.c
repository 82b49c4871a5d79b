/* Dialogs as a proxy between both ends keeps them, of messages that the test
 * writes: what is saved, and when it goes */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_mime.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>

#include "common/clock.h"
#include "common/dialog.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/timer.h"
#include "tests/suite.h"

#define ALICE "sip:alice@ims.test"

enum { MAX = 20, MESSAGE_N = 200 };

/* Behind the CSCF that is "us": the caller's proxy; before it: two more */
static const char below[] = "Record-Route: <sip:p.test;lr>\r\n";
static const char whole[] = "Record-Route: <sip:as.test;lr>;x=1\r\n"
			    "Record-Route: <sip:s.test;lr>,<sip:us.test;lr>\r\n"
			    "Record-Route: <sip:p.test;lr>\r\n";

static struct {
	struct loop *loop;
	struct element *el;
	struct dialog_table *table;
	struct dialog_first first;
	msg_t *msgs[MESSAGE_N];
	int msg_n;
} t;

static const sip_t *parse(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

static const sip_t *parse(const char *fmt, ...)
{
	char text[2048];
	va_list ap;
	msg_t *msg;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	msg = msg_make(sip_default_mclass(), 0, text, len);
	ck_assert(msg && t.msg_n < MESSAGE_N);
	t.msgs[t.msg_n++] = msg;
	ck_assert(sip_object(msg)->sip_call_id != NULL);

	return sip_object(msg);
}

static const sip_t *request(const char *method, int cseq, const char *more)
{
	return parse("%s sip:bob@ims.test SIP/2.0\r\n"
		     "From: \"A\" <" ALICE ">;tag=a\r\nTo: <sip:bob@ims.test>%s"
		     "\r\nCall-ID: c\r\nCSeq: %d %s\r\n"
		     "Contact: <sip:alice@127.0.0.1:1>\r\n%s\r\n",
		     method, cseq == 1 ? "" : ";tag=b", cseq, method, more);
}

static const sip_t *from_bob(const char *method, int cseq, const char *more)
{
	return parse("%s " ALICE
		     " SIP/2.0\r\nFrom: <sip:bob@ims.test>;tag=b\r\n"
		     "To: <" ALICE ">;tag=a\r\nCall-ID: c\r\nCSeq: %d %s\r\n"
		     "%s\r\n",
		     method, cseq, method, more);
}

static const sip_t *response(int status, const char *tag, const char *more)
{
	return parse("SIP/2.0 %d So\r\nFrom: \"A\" <" ALICE ">;tag=a\r\n"
		     "To: <sip:bob@ims.test>;tag=%s\r\nCall-ID: c\r\n"
		     "CSeq: 1 INVITE\r\nContact: <sip:bob@127.0.0.1:2>\r\n"
		     "%s\r\n",
		     status, tag, more);
}

static void setup(void)
{
	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.el = element_new_on(t.loop, "test");
	t.table = dialog_table_new(t.el, MAX);
	clock_take_over();
}

static void teardown(void)
{
	dialog_first_drop(&t.first);
	dialog_table_free(t.table);
	while (t.msg_n)
		msg_destroy(t.msgs[--t.msg_n]);
	element_free(t.el);
	loop_free(t.loop);
}

static void begin(const char *method)
{
	t.first = (struct dialog_first){ .table = t.table,
					 .request = request(method, 1, below),
					 .impu = ALICE };
}

static struct dialog *find(const char *tag)
{
	const sip_t *sip = response(200, tag, "");

	return dialog_find(t.table, sip, DIALOG_USER);
}

static struct dialog *call_is_up(const char *more)
{
	begin("INVITE");
	dialog_first_rx(&t.first, 200, response(200, "b", more));
	ck_assert(find("b") && dialog_is_up(find("b")));

	return find("b");
}

static bool is_gone(const void *arg)
{
	(void)arg;

	return !dialog_count(t.table);
}

/* What is due by then has run, and nothing else */
static bool goes_within(int64_t s)
{
	clock_advance_us(s * 1000000 + 1000);

	return loop_run_until(t.loop, is_gone, NULL, 0);
}

static void answer(const sip_t *rq, int status)
{
	dialog_rx_request(t.table, rq);
	dialog_rx_answer(t.table, rq, status,
			 status ? response(status, "b", "") : NULL);
}

/* --- what is saved --- */

START_TEST(both_route_sets_are_as_seen_from_here)
{
	const struct dialog *d = call_is_up(whole);
	const struct dialog_end *user = &d->end[DIALOG_USER];
	const struct dialog_end *peer = &d->end[DIALOG_PEER];

	ck_assert_str_eq(user->routes, "<sip:p.test;lr>");
	ck_assert_str_eq(peer->routes, "<sip:s.test;lr>, <sip:as.test;lr>;x=1");
	ck_assert_str_eq(user->target, "sip:alice@127.0.0.1:1");
	ck_assert_str_eq(peer->target, "sip:bob@127.0.0.1:2");
	ck_assert_str_eq(user->name, "\"A\" <" ALICE ">;tag=a");
	ck_assert_str_eq(peer->name, "<sip:bob@ims.test>;tag=b");
	ck_assert_int_eq(user->cseq, 1);
	ck_assert_int_eq(peer->cseq, 0);
	ck_assert_str_eq(dialog_impu(d), ALICE);
	ck_assert_ptr_eq(dialog_first_of(t.table, ALICE), d);
}
END_TEST

START_TEST(called_user_has_them_the_other_way_round)
{
	const struct dialog *d;

	begin("INVITE");
	t.first.is_called = true;
	dialog_first_rx(&t.first, 200, response(200, "b", whole));
	d = dialog_first_of(t.table, ALICE);
	ck_assert_str_eq(d->end[DIALOG_USER].tag, "b");
	ck_assert_str_eq(d->end[DIALOG_PEER].routes, "<sip:p.test;lr>");
	ck_assert_ptr_null(dialog_twin(d));
}
END_TEST

/* Who answers may leave out what was there, or all of it */
START_TEST(route_set_that_is_too_short_is_empty)
{
	static const char *const answers[] = {
		"", "Record-Route: <sip:us.test;lr>\r\n"
	};
	const struct dialog *d = call_is_up(answers[_i]);

	ck_assert_str_eq(d->end[DIALOG_PEER].routes, "");
	ck_assert_str_eq(d->end[DIALOG_USER].routes, "<sip:p.test;lr>");
}
END_TEST

START_TEST(targets_and_numbers_follow_the_requests_inside)
{
	const struct dialog *d = call_is_up(whole);

	answer(from_bob("UPDATE", 7, "Contact: <sip:bob@127.0.0.1:9>\r\n"),
	       200);
	answer(from_bob("INFO", 8, "Contact: <sip:x@127.0.0.1:9>\r\n"), 200);
	answer(from_bob("INVITE", 9, "Contact: <sip:y@127.0.0.1:9>\r\n"), 488);
	answer(from_bob("INFO", 3, ""), 500); /* late */
	ck_assert_str_eq(d->end[DIALOG_PEER].target, "sip:bob@127.0.0.1:9");
	ck_assert_int_eq(d->end[DIALOG_PEER].cseq, 9);
	ck_assert_int_eq(d->end[DIALOG_USER].cseq, 1);
	answer(request("INFO", 4, ""), 200);
	ck_assert_int_eq(d->end[DIALOG_USER].cseq, 4);
}
END_TEST

/* --- early dialogs --- */

START_TEST(forks_are_dialogs_each_until_the_call_is_refused)
{
	begin("INVITE");
	dialog_first_rx(&t.first, 100, response(100, "x", ""));
	ck_assert_int_eq((int)dialog_count(t.table), 0);
	dialog_first_rx(&t.first, 180, response(180, "b", whole));
	dialog_first_rx(&t.first, 183, response(183, "d", whole));
	dialog_first_rx(&t.first, 180, response(180, "b", whole));
	ck_assert_int_eq((int)dialog_count(t.table), 2);
	ck_assert(find("d") && !dialog_is_up(find("d")));
	dialog_first_rx(&t.first, 486, response(486, "other", ""));
	ck_assert(is_gone(NULL));
}
END_TEST

START_TEST(call_without_an_answer_leaves_nothing)
{
	begin("INVITE");
	dialog_first_rx(&t.first, 180, response(180, "b", whole));
	dialog_first_rx(&t.first, 408, NULL);
	ck_assert(is_gone(NULL));
}
END_TEST

START_TEST(fork_may_answer_till_64_t1_after_another)
{
	begin("INVITE");
	dialog_first_rx(&t.first, 180, response(180, "b", whole));
	dialog_first_rx(&t.first, 180, response(180, "d", whole));
	dialog_first_rx(&t.first, 180, response(180, "e", whole));
	dialog_first_rx(&t.first, 200, response(200, "b", whole));
	/* RFC 3261 13.2.2.4: past the transaction, which has had its 2xx */
	dialog_rx_again(t.table, response(200, "d", whole));
	dialog_rx_again(t.table, response(200, "never-rang", whole));
	ck_assert(dialog_is_up(find("d")));
	ck_assert_ptr_null(find("never-rang"));
	ck_assert(!goes_within(timer_value_ms(TIMER_SIP_TRANSACTION) / 1000));
	ck_assert_int_eq((int)dialog_count(t.table), 2);
	ck_assert_ptr_null(find("e"));
}
END_TEST

START_TEST(one_call_makes_so_many_early_dialogs_and_no_more)
{
	char tag[16];

	begin("INVITE");
	for (int i = 0; i < 30; i++) {
		snprintf(tag, sizeof(tag), "t%d", i);
		dialog_first_rx(&t.first, 180, response(180, tag, ""));
	}
	ck_assert_int_eq((int)dialog_count(t.table), 16);
	ck_assert(!dialog_is_full(t.table));
	/* the one that answers counts all the same */
	dialog_first_rx(&t.first, 200, response(200, "b", ""));
	ck_assert(dialog_is_up(find("b")));
}
END_TEST

START_TEST(table_says_when_it_is_full)
{
	char tag[16];

	for (int i = 0; i < MAX; i++) {
		ck_assert(!dialog_is_full(t.table));
		snprintf(tag, sizeof(tag), "t%d", i);
		begin("INVITE");
		dialog_first_rx(&t.first, 200, response(200, tag, ""));
	}
	ck_assert(dialog_is_full(t.table));
}
END_TEST

START_TEST(dialog_of_another_user_is_not_touched)
{
	const struct dialog *d = call_is_up(whole);

	begin("INVITE");
	t.first.impu = "sip:mallory@ims.test";
	dialog_first_rx(&t.first, 200, response(200, "b", ""));
	ck_assert_str_ne(d->end[DIALOG_PEER].routes, "");
	dialog_first_rx(&t.first, 486, response(486, "b", ""));
	ck_assert_int_eq((int)dialog_count(t.table), 1);
}
END_TEST

START_TEST(what_begins_no_dialog_makes_none)
{
	begin("MESSAGE");
	dialog_first_rx(&t.first, 200, response(200, "b", ""));
	begin("SUBSCRIBE"); /* its 1xx does not, either */
	dialog_first_rx(&t.first, 180, response(180, "b", ""));
	begin("INVITE");
	t.first.impu = NULL;
	dialog_first_rx(&t.first, 200, response(200, "b", ""));
	ck_assert(is_gone(NULL));
}
END_TEST

/* --- the end --- */

/* What is asked, what is answered (0: nothing), and what becomes of the call:
 * it is up, only a BYE may come, or it is gone */
enum fate { UP, CLOSING, GONE };

static const struct {
	const char *method;
	int status;
	enum fate fate;
} ends[] = {
	{ "BYE", 200, GONE },       { "BYE", 481, GONE },
	{ "BYE", 408, GONE },       { "BYE", 0, GONE },
	{ "BYE", 403, GONE },       { "BYE", 407, UP },
	{ "BYE", 401, UP },         { "INFO", 481, CLOSING },
	{ "UPDATE", 408, CLOSING }, { "INVITE", 0, CLOSING },
	{ "INVITE", 500, UP },      { "NOTIFY", 200, UP },
	{ "BYE", 100, UP },
};

START_TEST(answers_end_a_call_or_do_not)
{
	const sip_t *rq;
	bool is_up = ends[_i].fate == UP, is_gone_now = ends[_i].fate == GONE;

	call_is_up(whole);
	/* of the caller, and of the called */
	rq = _i % 2 ? request(ends[_i].method, 2, "")
		    : from_bob(ends[_i].method, 2,
			       "Subscription-State: terminated\r\n");
	dialog_rx_answer(t.table, rq, ends[_i].status ? ends[_i].status : 408,
			 ends[_i].status ? response(ends[_i].status, "b", "")
					 : NULL);
	ck_assert_msg(is_gone(NULL) == is_gone_now, "%s %d", ends[_i].method,
		      ends[_i].status);
	if (is_gone_now)
		return;
	ck_assert(dialog_is_up(find("b")) == is_up);
	ck_assert(dialog_is_closing(find("b")) != is_up);
	/* and then it hangs up */
	answer(request("BYE", 3, ""), 200);
	ck_assert(is_gone(NULL));
}
END_TEST

START_TEST(closing_dialog_goes_by_itself)
{
	dialog_leave(call_is_up(whole));
	ck_assert(dialog_is_closing(find("b")));
	ck_assert(goes_within(timer_value_ms(TIMER_SIP_TRANSACTION) / 1000));
}
END_TEST

START_TEST(lost_call_goes_when_its_time_has_passed)
{
	call_is_up("");
	ck_assert(!goes_within(timer_value_ms(TIMER_DIALOG) / 1000 - 5));
	/* each sign of life counts from anew */
	answer(request("INFO", 2, ""), 200);
	ck_assert(!goes_within(timer_value_ms(TIMER_DIALOG) / 1000 - 5));
	ck_assert(goes_within(5));
}
END_TEST

/* RFC 4028: the session's interval, which is 90 s at least */
START_TEST(session_expires_says_how_long)
{
	call_is_up("Session-Expires: 1000;refresher=uac\r\n");
	ck_assert(!goes_within(990));
	answer(request("INFO", 2, ""), 200);
	ck_assert(!goes_within(990));
	dialog_rx_answer(t.table, request("UPDATE", 3, ""), 200,
			 response(200, "b", "Session-Expires: 1\r\n"));
	ck_assert(!goes_within(85));
	ck_assert(goes_within(5));
}
END_TEST

START_TEST(subscription_lasts_as_long_as_granted)
{
	begin("SUBSCRIBE");
	dialog_first_rx(&t.first, 202, response(202, "b", "Expires: 60\r\n"));
	ck_assert(!goes_within(60));
	ck_assert(goes_within(timer_value_ms(TIMER_SIP_TRANSACTION) / 1000));
}
END_TEST

START_TEST(last_notify_ends_a_subscription)
{
	begin("SUBSCRIBE");
	dialog_first_rx(&t.first, 202, response(202, "b", "Expires: 60\r\n"));
	answer(from_bob("NOTIFY", 1, "Subscription-State: active\r\n"), 200);
	ck_assert(!is_gone(NULL));
	answer(from_bob("NOTIFY", 2,
			"Subscription-State: Terminated;reason=timeout\r\n"),
	       200);
	ck_assert(is_gone(NULL));
}
END_TEST

START_TEST(both_users_of_one_dialog_hear_of_its_end)
{
	struct dialog_id id;

	call_is_up(whole);
	begin("INVITE");
	t.first.is_called = true;
	t.first.impu = "sip:bob@ims.test";
	dialog_first_rx(&t.first, 200, response(200, "b", whole));
	ck_assert_int_eq((int)dialog_count(t.table), 2);
	ck_assert_ptr_eq(dialog_twin(find("b")),
			 dialog_first_of(t.table, "sip:bob@ims.test"));
	id = dialog_id_copy(find("b"));
	dialog_over(t.table, &id);
	ck_assert(is_gone(NULL));
	dialog_over(t.table, &id); /* not found: gone in the meantime */
	dialog_id_clear(&id);
	ck_assert_ptr_null(dialog_first_of(t.table, ALICE));
}
END_TEST

static Suite *dialog_suite(void)
{
	Suite *suite = suite_create("dialog");
	TCase *tc = tcase_create("dialogs");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, both_route_sets_are_as_seen_from_here);
	tcase_add_test(tc, called_user_has_them_the_other_way_round);
	tcase_add_loop_test(tc, route_set_that_is_too_short_is_empty, 0, 2);
	tcase_add_test(tc, targets_and_numbers_follow_the_requests_inside);
	tcase_add_test(tc, forks_are_dialogs_each_until_the_call_is_refused);
	tcase_add_test(tc, call_without_an_answer_leaves_nothing);
	tcase_add_test(tc, fork_may_answer_till_64_t1_after_another);
	tcase_add_test(tc, one_call_makes_so_many_early_dialogs_and_no_more);
	tcase_add_test(tc, table_says_when_it_is_full);
	tcase_add_test(tc, dialog_of_another_user_is_not_touched);
	tcase_add_test(tc, what_begins_no_dialog_makes_none);
	tcase_add_loop_test(tc, answers_end_a_call_or_do_not, 0,
			    sizeof(ends) / sizeof(*ends));
	tcase_add_test(tc, closing_dialog_goes_by_itself);
	tcase_add_test(tc, lost_call_goes_when_its_time_has_passed);
	tcase_add_test(tc, session_expires_says_how_long);
	tcase_add_test(tc, subscription_lasts_as_long_as_granted);
	tcase_add_test(tc, last_notify_ends_a_subscription);
	tcase_add_test(tc, both_users_of_one_dialog_hear_of_its_end);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(dialog_suite)
