/* State machines as tables */
#include "common/fsm.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/loop.h"
#include "common/trace.h"
#include "tests/suite.h"

enum { LAMP_OFF, LAMP_ON, LAMP_N };
enum { LAMP_EV_PRESS, LAMP_EV_TIMEOUT, LAMP_EV_N };

/** A lamp that goes out by itself */
static struct {
	struct loop *loop;
	struct trace *trace;
	struct fsm *fsm;
	int seen_data;
	char traced[512];
} t;

static void off(void *obj, int event, void *data)
{
	(void)obj;
	(void)event;
	t.seen_data = data ? *(int *)data : 0;
	fsm_goto(t.fsm, LAMP_ON);
}

static void on(void *obj, int event, void *data)
{
	(void)obj;
	(void)event;
	(void)data;
	fsm_goto(t.fsm, LAMP_OFF);
}

static const char *const events[] = { "PRESS", "TIMEOUT" };
static const struct fsm_state states[] = {
	[LAMP_OFF] = {
		.name = "OFF",
		.accepts = FSM_BIT(LAMP_EV_PRESS),
		.next = FSM_BIT(LAMP_ON),
		.timer = TIMER_NONE,
		.action = off,
	},
	[LAMP_ON] = {
		.name = "ON",
		.accepts = FSM_BIT(LAMP_EV_TIMEOUT),
		.next = FSM_BIT(LAMP_OFF),
		.timer = TIMER_MAX_USE,
		.action = on,
	},
};
static const struct fsm_def def = { "lamp", states,    LAMP_N,
				    events, LAMP_EV_N, LAMP_EV_TIMEOUT };

static void on_line(const char *line, size_t len, void *arg)
{
	(void)arg;
	snprintf(t.traced, sizeof(t.traced), "%.*s", (int)len, line);
}

static void setup(void)
{
	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.trace = trace_new("house");
	trace_set_sink(t.trace, on_line, NULL);
	t.fsm = fsm_new(t.loop, t.trace, &def, "7", &t);
}

static void teardown(void)
{
	fsm_free(t.fsm);
	trace_free(t.trace);
	loop_free(t.loop);
}

START_TEST(event_moves_the_machine_and_is_traced)
{
	int data = 42;

	ck_assert_int_eq(fsm_event(t.fsm, LAMP_EV_PRESS, &data), 0);
	ck_assert_int_eq(fsm_state(t.fsm), LAMP_ON);
	ck_assert_str_eq(fsm_name(t.fsm), "ON");
	ck_assert_int_eq(t.seen_data, 42);
	ck_assert_ptr_nonnull(strstr(t.traced, "\"machine\":\"lamp\",\"id\":"
					       "\"7\",\"from\":\"OFF\",\"to\":"
					       "\"ON\""));
}
END_TEST

START_TEST(event_that_the_state_does_not_accept_is_refused)
{
	ck_assert_int_eq(fsm_event(t.fsm, LAMP_EV_PRESS, NULL), 0);
	ck_assert_int_eq(fsm_event(t.fsm, LAMP_EV_PRESS, NULL), EPROTO);
	ck_assert_int_eq(fsm_state(t.fsm), LAMP_ON);
}
END_TEST

static bool is_off(const void *arg)
{
	(void)arg;

	return fsm_state(t.fsm) == LAMP_OFF;
}

START_TEST(state_ends_by_its_timer)
{
	clock_take_over();
	ck_assert_int_eq(fsm_event(t.fsm, LAMP_EV_PRESS, NULL), 0);
	clock_advance_us(timer_value_ms(TIMER_MAX_USE) * 1000);
	ck_assert(loop_run_until(t.loop, is_off, NULL, PATIENCE_MS));
}
END_TEST

START_TEST(change_that_the_table_does_not_allow_is_our_bug)
{
	fsm_goto(t.fsm, LAMP_OFF);
}
END_TEST

static Suite *fsm_suite(void)
{
	Suite *suite = suite_create("fsm");
	TCase *tc = tcase_create("fsm");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, event_moves_the_machine_and_is_traced);
	tcase_add_test(tc, event_that_the_state_does_not_accept_is_refused);
	tcase_add_test(tc, state_ends_by_its_timer);
	tcase_add_test_raise_signal(
		tc, change_that_the_table_does_not_allow_is_our_bug,
		6 /* SIGABRT */);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(fsm_suite)
