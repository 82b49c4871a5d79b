/* The loop, its timers and its clock */
#include "common/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/timer.h"
#include "tests/suite.h"

static struct {
	struct loop *loop;
	char fired[32];
	int count;
	struct timer *timer;
} t;

static void setup(void)
{
	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
}

static void teardown(void)
{
	timer_free(t.timer);
	loop_free(t.loop);
}

static void note(void *arg)
{
	size_t len = strlen(t.fired);

	snprintf(t.fired + len, sizeof(t.fired) - len, "%s", (char *)arg);
}

static bool has_fired(const void *arg)
{
	return strlen(t.fired) >= (size_t) * (const int *)arg;
}

static void expect_fired(const char *what)
{
	int n = (int)strlen(what);

	ck_assert(loop_run_until(t.loop, has_fired, &n, PATIENCE_MS));
	ck_assert_str_eq(t.fired, what);
}

static char a[] = "a", b[] = "b", c[] = "c";

START_TEST(timers_fire_in_the_order_they_are_due)
{
	struct timer *ta = timer_new(t.loop, note, a);
	struct timer *tb = timer_new(t.loop, note, b);
	struct timer *tc = timer_new(t.loop, note, c);

	timer_start_ms(tc, 3);
	timer_start_ms(ta, 1);
	timer_start_ms(tb, 2);
	expect_fired("abc");
	ck_assert(!timer_is_running(ta));
	timer_free(ta);
	timer_free(tb);
	timer_free(tc);
}
END_TEST

START_TEST(stopped_or_freed_timer_never_fires)
{
	struct timer *ta = timer_new(t.loop, note, a);
	struct timer *tb = timer_new(t.loop, note, b);
	struct timer *tc = timer_new(t.loop, note, c);

	timer_start_ms(ta, 0);
	timer_start_ms(tb, 0);
	timer_start_ms(tc, 1);
	timer_stop(ta);
	timer_free(tb);
	expect_fired("c");
	timer_free(ta);
	timer_free(tc);
}
END_TEST

static void again(void *arg)
{
	(void)arg;
	if (++t.count < 100)
		timer_start_ms(t.timer, 0);
}

static bool is_100(const void *arg)
{
	(void)arg;

	return t.count == 100;
}

START_TEST(timer_may_start_itself_again)
{
	t.timer = timer_new(t.loop, again, NULL);
	timer_start_ms(t.timer, 0);
	ck_assert(loop_run_until(t.loop, is_100, NULL, PATIENCE_MS));
}
END_TEST

/* Removal from the middle keeps the heap's order: against a plain scan */
START_TEST(heap_of_many_timers_keeps_order)
{
	enum { N = 500 };
	struct timers *heap = loop_timers(t.loop);
	struct timer *v[N];
	int64_t last = 0, next;

	clock_take_over();
	srand(1);
	for (int i = 0; i < N; i++) {
		v[i] = timer_new(t.loop, note, a);
		timer_start_ms(v[i], rand() % 1000); /* NOLINT: a seed */
	}
	for (int i = 0; i < N; i += 3)
		timer_stop(v[i]);
	t.fired[0] = '\0';
	for (int i = 0; i < N; i++)
		v[i] = i % 3 ? v[i] : timer_free(v[i]);
	while ((next = timers_next_us(heap)) >= 0) {
		ck_assert_int_ge(next, last);
		last = next;
		timers_run_due(heap, next);
		t.fired[0] = '\0';
	}
	for (int i = 0; i < N; i++) {
		if (v[i])
			ck_assert(!timer_is_running(v[i]));
		timer_free(v[i]);
	}
}
END_TEST

START_TEST(hours_pass_at_once_when_the_clock_is_taken_over)
{
	int64_t before = clock_wall_s();
	struct timer *ta = timer_new(t.loop, note, a);

	clock_take_over();
	timer_start_ms(ta, 3600 * 1000LL);
	timers_run_due(loop_timers(t.loop), clock_now_us());
	ck_assert_str_eq(t.fired, "");
	clock_advance_us(3600 * 1000000LL);
	expect_fired("a");
	ck_assert_int_ge(clock_wall_s() - before, 3600);
	timer_free(ta);
}
END_TEST

static void start_b(void *arg)
{
	note(a);
	timer_start_ms(arg, 0);
}

/* One that is due already is not a matter of the clock moving */
START_TEST(due_timer_fires_also_when_the_clock_stands)
{
	struct timer *tb = timer_new(t.loop, note, b);
	struct timer *ta = timer_new(t.loop, start_b, tb);

	clock_take_over();
	timer_start_ms(ta, 0);
	expect_fired("ab");
	timer_free(ta);
	timer_free(tb);
}
END_TEST

START_TEST(deferred_call_comes_after_this_one_returned)
{
	loop_defer(t.loop, note, a);
	loop_defer(t.loop, note, b);
	ck_assert_str_eq(t.fired, "");
	expect_fired("ab");
}
END_TEST

static void on_signal(void *arg)
{
	note(arg);
}

START_TEST(signal_is_an_event_of_the_loop)
{
	struct loop_watch *w = loop_watch_signal(t.loop, SIGUSR1, on_signal, a);

	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	expect_fired("a");
	loop_unwatch(w);
}
END_TEST

static void on_pipe(void *arg)
{
	char byte;

	ck_assert_int_eq(read(*(int *)arg, &byte, 1), 1);
	note(a);
}

START_TEST(descriptor_wakes_the_loop)
{
	struct loop_watch *w;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	w = loop_watch_fd(t.loop, fds[0], LOOP_READ, on_pipe, &fds[0]);
	ck_assert_int_eq(write(fds[1], "xy", 2), 2);
	expect_fired("aa");
	loop_unwatch(w);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

static bool never(const void *arg)
{
	(void)arg;

	return false;
}

START_TEST(wait_for_a_fact_is_bounded)
{
	ck_assert(!loop_run_until(t.loop, never, NULL, 5));
}
END_TEST

START_TEST(timer_values_come_from_the_table_or_the_command_line)
{
	const char *reason;

	ck_assert_int_eq(timer_value_ms(TIMER_MAX_USE), 30000);
	ck_assert_int_eq(timer_override("max-use=0.5", &reason), 0);
	ck_assert_int_eq(timer_value_ms(TIMER_MAX_USE), 500);
	ck_assert_int_eq(timer_override("max-use=70ms", &reason), 0);
	ck_assert_int_eq(timer_value_ms(TIMER_MAX_USE), 70);
}
END_TEST

START_TEST(bad_timer_values_say_why)
{
	static const char *const bad[] = { "max-use",      "max=3",
					   "max-use=",     "max-use=-1",
					   "max-use=1h",   "max-use=nan",
					   "max-use=1e99", "=3" };
	const char *reason;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		reason = NULL;
		ck_assert_msg(timer_override(bad[i], &reason) == EINVAL, "%s",
			      bad[i]);
		ck_assert_ptr_nonnull(reason);
	}
}
END_TEST

START_TEST(every_timer_has_a_name_a_unit_and_a_clause)
{
	for (int i = 1; i < TIMER_COUNT; i++) {
		const struct timer_name *n = timer_name_get((enum timer_id)i);

		ck_assert_msg(n->name && n->unit && n->clause && n->text,
			      "timer %d", i);
	}
}
END_TEST

static Suite *loop_suite(void)
{
	Suite *suite = suite_create("loop");
	TCase *tc = tcase_create("loop");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, timers_fire_in_the_order_they_are_due);
	tcase_add_test(tc, stopped_or_freed_timer_never_fires);
	tcase_add_test(tc, timer_may_start_itself_again);
	tcase_add_test(tc, heap_of_many_timers_keeps_order);
	tcase_add_test(tc, hours_pass_at_once_when_the_clock_is_taken_over);
	tcase_add_test(tc, due_timer_fires_also_when_the_clock_stands);
	tcase_add_test(tc, deferred_call_comes_after_this_one_returned);
	tcase_add_test(tc, signal_is_an_event_of_the_loop);
	tcase_add_test(tc, descriptor_wakes_the_loop);
	tcase_add_test(tc, wait_for_a_fact_is_bounded);
	tcase_add_test(tc,
		       timer_values_come_from_the_table_or_the_command_line);
	tcase_add_test(tc, bad_timer_values_say_why);
	tcase_add_test(tc, every_timer_has_a_name_a_unit_and_a_clause);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(loop_suite)
