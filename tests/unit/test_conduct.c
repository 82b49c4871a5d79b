/* An element that is told what time it is, and when it acts */
#include "common/conduct.h"

#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "common/clock.h"
#include "common/ctl.h"
#include "common/hold.h"
#include "common/loop.h"
#include "common/timer.h"
#include "common/trace.h"
#include "tests/suite.h"

static struct {
	struct loop *loop;
	struct ctl *runner, *element;
	struct trace *trace;
	struct hold *hold;
	struct conduct *conduct;
	json_t *result;
	char error[128];
	int answers, released, fired, line_n;
	char line[256];
} t;

static void setup(void)
{
	int pair[2];

	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	t.runner = ctl_new(t.loop, pair[0]);
	t.element = ctl_new(t.loop, pair[1]);
	t.trace = trace_new("hss");
	t.hold = hold_new(t.trace);
	t.conduct = conduct_new(t.loop, t.element, t.hold);
}

static void teardown(void)
{
	conduct_free(t.conduct);
	hold_free(t.hold);
	trace_free(t.trace);
	ctl_free(t.runner);
	ctl_free(t.element);
	loop_free(t.loop);
	json_decref(t.result);
}

static void on_answer(json_t *result, const char *error, void *arg)
{
	(void)arg;
	t.answers++;
	json_decref(t.result);
	t.result = json_incref(result);
	if (error)
		(void)snprintf(t.error, sizeof(t.error), "%s", error);
}

static bool is_answered(const void *arg)
{
	return t.answers >= *(const int *)arg;
}

static void expect_answers(int n)
{
	ck_assert(loop_run_until(t.loop, is_answered, &n, PATIENCE_MS));
}

static void ask(int64_t clock_us)
{
	ctl_call(t.runner, "conduct",
		 json_pack("{s:I}", "clock_us", (json_int_t)clock_us),
		 on_answer, NULL);
}

static int64_t said(const char *name)
{
	return json_integer_value(json_object_get(t.result, name));
}

static void on_timer(void *arg)
{
	(void)arg;
	t.fired++;
}

START_TEST(it_says_what_time_it_is_and_when_its_next_timer_is_due)
{
	struct timer *timer = timer_new(t.loop, on_timer, NULL);
	int64_t now_us = clock_now_us() + 1000000;

	ask(now_us);
	expect_answers(1);
	ck_assert(clock_is_virtual());
	ck_assert_int_eq(said("clock_us"), now_us);
	ck_assert_int_eq(said("due_us"), -1);
	timer_start_ms(timer, 3600 * 1000LL);
	ask(now_us);
	expect_answers(2);
	ck_assert_int_eq(said("due_us"), now_us + 3600 * 1000000LL);
	ck_assert_int_eq(t.fired, 0);
	/* it is due, so it fires before the answer */
	ask(now_us + 3600 * 1000000LL);
	expect_answers(3);
	ck_assert_int_eq(t.fired, 1);
	ck_assert_int_eq(said("due_us"), -1);
	timer_free(timer);
}
END_TEST

START_TEST(its_clock_never_goes_back)
{
	int64_t now_us = clock_now_us();

	ask(now_us - 5000000);
	expect_answers(1);
	ck_assert_int_ge(said("clock_us"), now_us);
	now_us = said("clock_us");
	ask(now_us - 1);
	expect_answers(2);
	ck_assert_int_eq(said("clock_us"), now_us);
}
END_TEST

/** Reads what comes, and each time has one more thing to do later */
struct reader {
	int fd, left, n;
};

static void on_readable(void *arg)
{
	struct reader *r = arg;
	char c;

	ck_assert_int_eq(read(r->fd, &c, 1), 1);
	r->n++;
}

START_TEST(it_answers_only_when_nothing_is_left_to_do)
{
	struct reader r = { .fd = -1 };
	struct loop_watch *watch;
	int pair[2];
	int64_t acted;

	ask(0);
	expect_answers(1);
	acted = said("acted");
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	r.fd = pair[0];
	watch = loop_watch_fd(t.loop, r.fd, LOOP_READ, on_readable, &r);
	ck_assert_int_eq(write(pair[1], "abc", 3), 3);
	ask(0);
	expect_answers(2);
	ck_assert_int_eq(r.n, 3);
	ck_assert_int_gt(said("acted"), acted);
	loop_unwatch(watch);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

static void on_release(bool is_dropped, void *arg)
{
	(void)arg;
	ck_assert(!is_dropped);
	t.released++;
}

START_TEST(what_is_received_is_held_until_the_end)
{
	ck_assert(!hold_message(t.hold, "sip REGISTER", "127.0.0.1:1",
				on_release, &t));
	ask(0);
	expect_answers(1);
	ck_assert(hold_message(t.hold, "sip REGISTER", "127.0.0.1:1",
			       on_release, &t));
	ck_assert_int_eq(t.released, 0);
	ctl_call(t.runner, "conduct-end", NULL, on_answer, NULL);
	expect_answers(2);
	ck_assert_int_eq(t.released, 1);
	ck_assert(!clock_is_virtual());
	ck_assert(!hold_message(t.hold, "sip REGISTER", "127.0.0.1:1",
				on_release, &t));
}
END_TEST

START_TEST(the_clock_goes_on_from_where_it_stood)
{
	int64_t virtual_us = clock_now_us() + 3600 * 1000000LL;

	ask(virtual_us);
	expect_answers(1);
	conduct_end(t.conduct);
	ck_assert_int_ge(clock_now_us(), virtual_us);
	ck_assert_int_lt(clock_now_us(), virtual_us + 60 * 1000000LL);
	ck_assert(!clock_is_real());
	ck_assert_int_gt(clock_now_us() - clock_real_us(), 3500 * 1000000LL);
}
END_TEST

static void on_line(const char *line, size_t len, void *arg)
{
	(void)len;
	(void)arg;
	(void)snprintf(t.line, sizeof(t.line), "%s", line);
}

START_TEST(its_trace_has_the_machines_time_too)
{
	const struct trace_msg msg = { .transport = "udp",
				       .local = "127.0.0.1:1",
				       .remote = "127.0.0.1:2",
				       .data = "OPTIONS",
				       .len = 7 };

	trace_set_sink(t.trace, on_line, NULL);
	trace_event(t.trace, "ready", NULL);
	ck_assert_ptr_null(strstr(t.line, "\"w\":"));
	conduct_start(t.conduct, 0);
	trace_event(t.trace, "ready", NULL);
	ck_assert_ptr_nonnull(strstr(t.line, "\"w\":"));
	trace_message(t.trace, &msg);
	ck_assert_ptr_nonnull(strstr(t.line, "\"w\":"));
	conduct_end(t.conduct);
	trace_set_sink(t.trace, NULL, NULL);
}
END_TEST

START_TEST(a_command_without_a_time_is_refused)
{
	ctl_call(t.runner, "conduct", json_pack("{s:s}", "clock_us", "noon"),
		 on_answer, NULL);
	expect_answers(1);
	ck_assert_str_eq(t.error, "conduct needs {\"clock_us\": microseconds}");
	ck_assert(!clock_is_virtual());
	/* and the end of what was not begun is none */
	ctl_call(t.runner, "conduct-end", NULL, on_answer, NULL);
	expect_answers(2);
}
END_TEST

START_TEST(a_timer_by_the_machines_clock_fires_while_ours_stands)
{
	struct timer *ours = timer_new(t.loop, on_timer, NULL);
	struct timer *real = timer_new_real(t.loop, on_timer, NULL);
	int one = 1;

	conduct_start(t.conduct, 0);
	timer_start_ms(ours, 1);
	timer_start_ms(real, 1);
	(void)loop_run_until(t.loop, is_answered, &one, 20);
	ck_assert_int_eq(t.fired, 1);
	ck_assert(timer_is_running(ours));
	ck_assert(!timer_is_running(real));
	timer_free(ours);
	timer_free(real);
}
END_TEST

static Suite *conduct_suite(void)
{
	Suite *s = suite_create("conduct");
	TCase *tc = tcase_create("an element that is conducted");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
		       it_says_what_time_it_is_and_when_its_next_timer_is_due);
	tcase_add_test(tc, its_clock_never_goes_back);
	tcase_add_test(tc, it_answers_only_when_nothing_is_left_to_do);
	tcase_add_test(tc, what_is_received_is_held_until_the_end);
	tcase_add_test(tc, the_clock_goes_on_from_where_it_stood);
	tcase_add_test(tc, its_trace_has_the_machines_time_too);
	tcase_add_test(tc, a_command_without_a_time_is_refused);
	tcase_add_test(tc,
		       a_timer_by_the_machines_clock_fires_while_ours_stands);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(conduct_suite)
