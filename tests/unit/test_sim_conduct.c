/* Who acts next, and when: the conductor, with elements that do as told */
#include "sim/sim_conduct.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "tests/suite.h"

enum { ASKED_MAX = 64 };

/** An element as the conductor sees it */
struct fake {
	enum sim_condition condition;
	int64_t clock_us, due_us; /* due_us: of its next timer, or -1 */
	int acted;
	int busy; /* something still comes, in so many answers */
};

static struct {
	struct loop *loop;
	struct sim_conduct *conduct;
	struct fake fakes[SIM_ACTOR_COUNT];
	char *done; /* what has happened, in order */
	int turns;  /* how often the scenario still has something to do */
	int turn_n;
	bool is_held_back, is_mute, is_telling, is_killing;
	/* answers that are on their way */
	ctl_answer_cb *cb[ASKED_MAX];
	void *cb_arg[ASKED_MAX];
	enum sim_actor who[ASKED_MAX];
	int asked_n;
	int stuck;
} t;

static void add(const char *fmt, ...)
{
	char *text, *all;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	all = xasprintf("%s%s;", t.done, text);
	free(t.done);
	free(text);
	t.done = all;
}

static void answer_all(void *arg)
{
	int n = t.asked_n;

	(void)arg;
	t.asked_n = 0;
	for (int i = 0; i < n; i++) {
		struct fake *f = &t.fakes[t.who[i]];
		json_t *result;

		if (f->busy) {
			f->busy--;
			f->acted++;
		}
		result = json_pack("{s:I, s:i, s:I}", "clock_us",
				   (json_int_t)f->clock_us, "acted", f->acted,
				   "due_us", (json_int_t)f->due_us);
		t.cb[i](result, NULL, t.cb_arg[i]);
		json_decref(result);
	}
}

static int call(enum sim_actor actor, const char *cmd, json_t *args,
		ctl_answer_cb *cb, void *cb_arg, void *arg)
{
	struct fake *f = &t.fakes[actor];
	json_int_t us = json_integer_value(json_object_get(args, "clock_us"));

	(void)arg;
	if (!strcmp(cmd, "release-held"))
		add("%s %d", sim_actor_name(actor),
		    (int)json_integer_value(json_object_get(args, "number")));
	if (!strcmp(cmd, "conduct-end"))
		add("end %s", sim_actor_name(actor));
	if (!strcmp(cmd, "conduct")) {
		if (us > f->clock_us && f->clock_us && f->due_us >= 0 &&
		    us >= f->due_us) {
			add("%s due", sim_actor_name(actor));
			f->due_us = -1;
			f->busy++;
		}
		f->clock_us = us;
		ck_assert_int_lt(t.asked_n, ASKED_MAX);
		t.cb[t.asked_n] = cb;
		t.cb_arg[t.asked_n] = cb_arg;
		t.who[t.asked_n++] = actor;
		if (t.asked_n == 1 && !t.is_mute)
			loop_defer(t.loop, answer_all, NULL);
	}
	json_decref(args);

	return 0;
}

static enum sim_condition condition(enum sim_actor actor, void *arg)
{
	(void)arg;

	return t.fakes[actor].condition;
}

static bool turn(bool is_changed, void *arg)
{
	(void)is_changed;
	(void)arg;
	t.turn_n++;
	if (!t.turns)
		return false;
	t.turns--;
	add("turn");
	if (t.is_telling)
		sim_conduct_on_command(t.conduct);
	if (t.is_killing) {
		t.fakes[SIM_BOSS].condition = SIM_IS_DYING;
		sim_conduct_on_change(t.conduct, SIM_BOSS);
	}

	return true;
}

static bool may_go(const struct sim_held *next, void *arg)
{
	(void)arg;
	if (t.is_held_back)
		add("%s?", next->what);

	return !t.is_held_back;
}

static void stuck(void *arg)
{
	(void)arg;
	t.stuck++;
	add("stuck");
}

static const struct sim_conduct_ops ops = { call, condition, turn, may_go,
					    stuck };

static void begin(uint64_t seed)
{
	const struct sim_conduct_cfg cfg = { t.loop, seed };

	sim_conduct_free(t.conduct);
	t.conduct = sim_conduct_new(&cfg, &ops, NULL);
	free(t.done);
	t.done = xstrdup("");
	t.stuck = 0;
	sim_conduct_start(t.conduct);
}

static void setup(void)
{
	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		t.fakes[i].due_us = -1;
}

static void teardown(void)
{
	sim_conduct_free(t.conduct);
	t.asked_n = 0; /* nobody is there to be answered */
	loop_free(t.loop);
	free(t.done);
}

static void hold_from(enum sim_actor actor, unsigned number, const char *remote)
{
	sim_conduct_hold(t.conduct,
			 &(struct sim_held){ actor, number, "sip", remote, 0 });
}

static void hold(enum sim_actor actor, unsigned number, const char *what)
{
	sim_conduct_hold(t.conduct, &(struct sim_held){ actor, number, what,
							"127.0.0.1:1", 0 });
}

static bool is_stuck(const void *arg)
{
	(void)arg;

	return t.stuck > 0;
}

static bool has_done(const void *arg)
{
	return strstr(t.done, arg) != NULL;
}

static void expect_all(const char *what)
{
	ck_assert_msg(loop_run_until(t.loop, is_stuck, NULL, PATIENCE_MS), "%s",
		      t.done);
	ck_assert_str_eq(t.done, what);
}

static void expect_until(const char *what)
{
	ck_assert_msg(loop_run_until(t.loop, has_done, what, PATIENCE_MS), "%s",
		      t.done);
}

START_TEST(messages_are_acted_on_one_by_one_in_the_order_received)
{
	begin(0);
	hold(SIM_SCSCF, 1, "sip");
	hold(SIM_HSS, 1, "diameter");
	hold(SIM_SCSCF, 2, "sip");
	/* of one moment: by element, and each element's in its order */
	expect_all("hss 1;scscf 1;scscf 2;stuck;");
}
END_TEST

START_TEST(the_scenario_goes_first)
{
	begin(0);
	t.turns = 2;
	hold(SIM_HSS, 1, "diameter");
	expect_all("turn;turn;hss 1;stuck;");
}
END_TEST

START_TEST(what_the_scenario_tells_an_element_has_its_consequences_first)
{
	begin(0);
	t.turns = 2;
	t.is_telling = true;
	t.fakes[SIM_BOSS].busy = 6;
	hold(SIM_HSS, 1, "diameter");
	expect_until("turn;turn;");
	ck_assert_int_eq(t.fakes[SIM_BOSS].busy, 0);
	expect_all("turn;turn;hss 1;stuck;");
}
END_TEST

START_TEST(nothing_happens_while_an_element_still_acts)
{
	begin(0);
	hold(SIM_HSS, 1, "diameter");
	t.fakes[SIM_BOSS].busy = 5;
	ck_assert(loop_run_until(t.loop, has_done, "hss 1;", PATIENCE_MS));
	/* it was asked till it had no more to do, and then once again */
	ck_assert_int_eq(t.fakes[SIM_BOSS].busy, 0);
	ck_assert_int_eq(t.turn_n, 1);
}
END_TEST

START_TEST(time_passes_to_the_earliest_timer_when_none_is_held)
{
	int64_t before_us;

	begin(0);
	before_us = clock_now_us();
	t.fakes[SIM_HSS].due_us = before_us + 30 * 1000000LL;
	t.fakes[SIM_BOSS].due_us = before_us + 3600 * 1000000LL;
	hold(SIM_HSS, 7, "diameter");
	expect_all("hss 7;hss due;boss due;stuck;");
	ck_assert_int_ge(clock_now_us() - before_us, 3600 * 1000000LL);
	ck_assert_int_lt(clock_now_us() - before_us, 3601 * 1000000LL);
}
END_TEST

START_TEST(what_is_due_at_one_moment_happens_one_after_the_other)
{
	begin(0);
	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		t.fakes[i].due_us = clock_now_us() + 500;
	expect_all("hss due;icscf due;scscf due;pcscf due;platform due;"
		   "appserver due;appserver2 due;boss due;terminal due;stuck;");
}
END_TEST

static void on_own(void *arg)
{
	(void)arg;
	add("own");
}

START_TEST(the_runners_own_timers_take_part)
{
	struct timer *own;

	begin(0);
	own = timer_new(t.loop, on_own, NULL);
	timer_start_ms(own, 60000);
	t.fakes[SIM_HSS].due_us = clock_now_us() + 30 * 1000000LL;
	expect_all("hss due;own;stuck;");
	timer_free(own);
}
END_TEST

/* The order in which twelve messages of four elements are acted on */
static char *order_of(uint64_t seed)
{
	static const enum sim_actor actors[] = { SIM_HSS, SIM_SCSCF, SIM_PCSCF,
						 SIM_BOSS };
	char *order;

	begin(seed);
	for (unsigned n = 1; n <= 3; n++)
		for (size_t i = 0; i < 4; i++)
			hold(actors[i], n, "sip");
	ck_assert(loop_run_until(t.loop, is_stuck, NULL, PATIENCE_MS));
	order = xstrdup(t.done);
	sim_conduct_end(t.conduct);

	return order;
}

START_TEST(a_seed_draws_who_acts_and_draws_the_same_again)
{
	char *seven = order_of(7), *again = order_of(7), *eight = order_of(8);

	ck_assert_str_eq(seven, again);
	ck_assert_str_ne(seven, eight);
	/* one element's stay in their order */
	ck_assert(strstr(seven, "hss 1;") < strstr(seven, "hss 2;"));
	ck_assert(strstr(seven, "hss 2;") < strstr(seven, "hss 3;"));
	free(seven);
	free(again);
	free(eight);
}
END_TEST

START_TEST(of_one_element_too_it_is_drawn_which_sender_is_first)
{
	bool is_turned = false;

	for (uint64_t seed = 1; seed <= 20 && !is_turned; seed++) {
		begin(seed);
		hold_from(SIM_APPSERVER, 1, "127.0.0.1:1");
		hold_from(SIM_APPSERVER, 2, "127.0.0.1:2");
		hold_from(SIM_APPSERVER, 3, "127.0.0.1:2");
		ck_assert(loop_run_until(t.loop, is_stuck, NULL, PATIENCE_MS));
		is_turned = !strncmp(t.done, "appserver 2;", 12);
		ck_assert(strstr(t.done, "appserver 2;") <
			  strstr(t.done, "appserver 3;"));
		sim_conduct_end(t.conduct);
	}
	ck_assert(is_turned);
}
END_TEST

START_TEST(a_message_waits_until_it_may_go)
{
	t.is_held_back = true;
	begin(0);
	hold(SIM_HSS, 1, "diameter");
	t.fakes[SIM_BOSS].due_us = clock_now_us() + 1000;
	expect_until("diameter?;");
	/* and no time passes meanwhile */
	ck_assert_str_eq(t.done, "diameter?;");
	ck_assert_int_eq((int)sim_held_count(sim_conduct_held(t.conduct)), 1);
	ck_assert_str_eq(sim_held_at(sim_conduct_held(t.conduct), 0)->what,
			 "diameter");
	sim_conduct_go(t.conduct);
	expect_all("diameter?;hss 1;boss due;stuck;");
}
END_TEST

START_TEST(who_is_paused_is_not_asked_and_acts_later)
{
	t.fakes[SIM_HSS].condition = SIM_IS_PAUSED;
	begin(0);
	hold(SIM_HSS, 1, "diameter");
	hold(SIM_BOSS, 1, "http");
	expect_all("boss 1;stuck;");
	t.fakes[SIM_HSS].condition = SIM_IS_UP;
	t.stuck = 0;
	sim_conduct_on_change(t.conduct, SIM_HSS);
	expect_all("boss 1;stuck;hss 1;stuck;");
}
END_TEST

START_TEST(all_waits_for_one_that_was_killed_to_be_gone)
{
	begin(0);
	hold(SIM_HSS, 1, "diameter");
	hold(SIM_BOSS, 1, "http");
	t.fakes[SIM_HSS].condition = SIM_IS_DYING;
	sim_conduct_on_change(t.conduct, SIM_HSS);
	answer_all(NULL);
	ck_assert_str_eq(t.done, "");
	t.fakes[SIM_HSS].condition = SIM_IS_DOWN;
	sim_conduct_on_change(t.conduct, SIM_HSS);
	/* what it held went with it */
	expect_all("boss 1;stuck;");
}
END_TEST

START_TEST(also_for_one_that_the_scenario_has_just_killed)
{
	begin(0);
	t.turns = 1;
	t.is_killing = true;
	t.fakes[SIM_HSS].due_us = clock_now_us() + 1000000;
	expect_until("turn;");
	/* no time passes, though nobody has anything to do */
	answer_all(NULL);
	ck_assert_str_eq(t.done, "turn;");
	t.fakes[SIM_BOSS].condition = SIM_IS_DOWN;
	sim_conduct_on_change(t.conduct, SIM_BOSS);
	expect_all("turn;hss due;stuck;");
}
END_TEST

START_TEST(at_the_end_all_clocks_are_given_back)
{
	begin(0);
	hold(SIM_HSS, 1, "diameter");
	t.fakes[SIM_BOSS].condition = SIM_IS_DOWN;
	sim_conduct_end(t.conduct);
	ck_assert_str_eq(t.done,
			 "end hss;end icscf;end scscf;end pcscf;end platform;"
			 "end appserver;end appserver2;end terminal;");
	ck_assert(!clock_is_virtual());
	/* late answers and late changes are of no use any more */
	answer_all(NULL);
	sim_conduct_on_change(t.conduct, SIM_HSS);
	sim_conduct_go(t.conduct);
	ck_assert_int_eq((int)sim_held_count(sim_conduct_held(t.conduct)), 0);
}
END_TEST

static Suite *conduct_suite(void)
{
	Suite *s = suite_create("conductor");
	TCase *tc = tcase_create("who acts next");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
		       messages_are_acted_on_one_by_one_in_the_order_received);
	tcase_add_test(tc, the_scenario_goes_first);
	tcase_add_test(
		tc,
		what_the_scenario_tells_an_element_has_its_consequences_first);
	tcase_add_test(tc, nothing_happens_while_an_element_still_acts);
	tcase_add_test(tc, a_seed_draws_who_acts_and_draws_the_same_again);
	tcase_add_test(tc,
		       of_one_element_too_it_is_drawn_which_sender_is_first);
	tcase_add_test(tc, a_message_waits_until_it_may_go);
	tcase_add_test(tc, who_is_paused_is_not_asked_and_acts_later);
	tcase_add_test(tc, all_waits_for_one_that_was_killed_to_be_gone);
	tcase_add_test(tc, also_for_one_that_the_scenario_has_just_killed);
	tcase_add_test(tc, at_the_end_all_clocks_are_given_back);
	suite_add_tcase(s, tc);

	tc = tcase_create("time");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, time_passes_to_the_earliest_timer_when_none_is_held);
	tcase_add_test(tc,
		       what_is_due_at_one_moment_happens_one_after_the_other);
	tcase_add_test(tc, the_runners_own_timers_take_part);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(conduct_suite)
