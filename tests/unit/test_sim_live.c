/* The ladder while its run goes on */
#include "sim/sim_live.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "sim/sim_ladder.h"
#include "tests/fake/fake_trace.h"
#include "tests/suite.h"

static struct loop *loop;
static struct sim_trace *tr;
static struct sim_live *live;
static FILE *out;
static char *text;
static size_t text_len;

static struct sim_live *new_live(void)
{
	const struct sim_live_cfg cfg = {
		.loop = loop, .trace = tr, .out = out, .has_all_events = true
	};

	return sim_live_new(&cfg);
}

static void setup(void)
{
	loop = loop_new();
	tr = sim_trace_new();
	out = open_memstream(&text, &text_len);
	(void)fflush(out);
	setenv("COLUMNS", "160", 1);
	live = new_live();
}

static void teardown(void)
{
	sim_live_free(live);
	sim_trace_free(tr);
	(void)fclose(out);
	free(text);
	loop_free(loop);
}

/* Lines come, as the runner gets them; those of an array are spent */
static void come(json_t *lines)
{
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		ck_assert_int_eq(sim_trace_add(tr, line), 0);
		sim_live_on_trace(live);
	}
	json_decref(lines);
}

static void end(void)
{
	struct sim_label *labels;

	sim_trace_finish(tr);
	labels = sim_label_new(tr);
	sim_live_end(live, labels);
	sim_label_free(labels);
}

static bool has_text(const void *needle)
{
	(void)fflush(out);

	return strstr(text, needle) != NULL;
}

static void wait_text(const char *needle)
{
	ck_assert_msg(loop_run_until(loop, has_text, needle, PATIENCE_MS),
		      "no \"%s\" in:\n%s", needle, text);
}

static size_t count(const char *needle)
{
	size_t n = 0;

	(void)fflush(out);
	for (const char *p = text; (p = strstr(p, needle)); p++)
		n++;

	return n;
}

static json_t *options(int64_t t_us, const char *bytes, enum fake_ends ends)
{
	const struct fake_msg msg = { .t_us = t_us,
				      .proto = TRACE_SIP,
				      .from = "terminal",
				      .to = "pcscf",
				      .data = bytes,
				      .len = strlen(bytes),
				      .ends = ends };
	json_t *lines = json_array();

	fake_trace_msg(lines, &msg);

	return lines;
}

static json_t *event(int64_t t_us, const char *actor, const char *name)
{
	json_t *lines = json_array();

	fake_trace_event(lines, t_us, actor, name, json_object());

	return lines;
}

START_TEST(a_line_is_printed_while_the_run_goes_on)
{
	come(options(clock_now_us(), "OPTIONS sip:a SIP/2.0\r\n\r\n",
		     FAKE_BOTH));
	wait_text("OPTIONS");
	ck_assert_uint_eq(count("\n"), 3);
	end();
	ck_assert_uint_eq(count("OPTIONS"), 1);
}
END_TEST

/* A process's lines come a little after their time */
START_TEST(what_may_still_get_something_before_it_waits)
{
	int64_t soon_us = clock_now_us() + 1000000;

	come(event(soon_us, "pcscf", "second"));
	(void)loop_run_until(loop, has_text, "second", 150);
	ck_assert_uint_eq(count("second"), 0);
	come(event(soon_us - 10, "icscf", "first"));
	wait_text("second");
	ck_assert_uint_eq(count("first"), 1);
	ck_assert(strstr(text, "first") < strstr(text, "second"));
}
END_TEST

START_TEST(a_message_waits_for_its_receiver)
{
	static const char bytes[] = "OPTIONS sip:a SIP/2.0\r\n\r\n";

	/* that it is one of ours is known by its lines */
	come(event(10, "pcscf", "here"));
	sim_trace_actor(tr, "pcscf", "127.1.1.1:5060");
	come(options(100, bytes, FAKE_SENT));
	come(event(200, "terminal", "later"));
	wait_text("later");
	ck_assert_uint_eq(count("OPTIONS"), 0);
	come(options(100, bytes, FAKE_RECEIVED));
	wait_text("OPTIONS");
	ck_assert_uint_eq(count("(lost)"), 0);
}
END_TEST

START_TEST(what_is_never_received_is_printed_at_the_end)
{
	come(event(10, "pcscf", "here"));
	sim_trace_actor(tr, "pcscf", "127.1.1.1:5060");
	come(options(100, "OPTIONS sip:a SIP/2.0\r\n\r\n", FAKE_SENT));
	come(event(200, "terminal", "later"));
	wait_text("later");
	end();
	ck_assert_uint_eq(count("(lost) OPTIONS"), 1);
}
END_TEST

/* In random pieces: each line must be one of the finished ladder's */
START_TEST(every_line_is_one_of_the_finished_ladder)
{
	const struct sim_ladder_cfg cfg = { .width = 160,
					    .has_all_events = true,
					    .has_all_actors = true };
	json_t *lines = fake_trace_patent(NULL, NULL);
	struct sim_label *labels;
	char *whole, *line, *save = NULL;
	size_t len, n = 0;
	FILE *f;

	for (size_t i = 0; i < json_array_size(lines); i += 7) {
		json_t *some = json_array();

		for (size_t k = i; k < i + 7; k++)
			json_array_append(some, json_array_get(lines, k));
		come(some);
		(void)loop_run_until(loop, has_text, "never", 60);
	}
	json_decref(lines);
	end();
	labels = sim_label_new(tr);
	f = open_memstream(&whole, &len);
	sim_ladder_print(labels, &cfg, f);
	fclose(f);
	for (line = strtok_r(whole, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		ck_assert_msg(strstr(text, line) != NULL, "no %s", line);
		n++;
	}
	/* the head once more, as it had scrolled away */
	ck_assert_uint_eq(count("\n"), n + 1);
	ck_assert_uint_eq(count("terminal    pcscf"), 3);
	sim_label_free(labels);
	free(whole);
}
END_TEST

START_TEST(a_line_that_comes_too_late_is_printed_and_labels_stay_right)
{
	json_t *lines = fake_trace_patent(NULL, NULL), *late = json_array();
	size_t at = 0;

	/* an event amid the sequence is not told until the rest is printed */
	while (!json_is_string(
		json_object_get(json_array_get(lines, at), "name")))
		at++;
	json_array_append(late, json_array_get(lines, at));
	json_array_remove(lines, at);
	come(lines);
	wait_text("S521");
	ck_assert_uint_eq(count("boss.pool-file-written"), 0);
	come(late);
	wait_text("boss.pool-file-written: writes the batch");
	end();
	ck_assert_uint_eq(count("\n"), 4 + 50);
	ck_assert_uint_eq(count("S521"), 1);
	ck_assert_uint_eq(count("S408 S501"), 1);
}
END_TEST

START_TEST(hostile_text_is_shown_and_does_nothing)
{
	come(options(100, "\033[2J\033]0;x\a SIP/2.0\r\n\r\n", FAKE_BOTH));
	wait_text("\\x1b[2J");
	end();
	ck_assert_uint_eq(count("\033"), 0);
	ck_assert_uint_eq(count("\a"), 0);
}
END_TEST

static void on_time(void *arg)
{
	*(bool *)arg = true;
}

static bool is_true(const void *arg)
{
	return *(const bool *)arg;
}

/* Let the loop go on for a while */
static void turn(int ms)
{
	bool is_over = false;
	struct timer *timer = timer_new(loop, on_time, &is_over);

	timer_start_ms(timer, ms);
	(void)loop_run_until(loop, is_true, &is_over, PATIENCE_MS);
	timer_free(timer);
}

static double cpu_s(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* What it costs to make all of the ladder once, with nothing printed before */
static double cost_of_one_s(void)
{
	double began_s = cpu_s();

	end();

	return cpu_s() - began_s;
}

/* In 100 parts, each of which could be one batch: then all would be paired and
 * sorted again for each (12 times the cost of one; it is 4) */
START_TEST(many_messages_do_not_cost_their_square)
{
	enum { PARTS = 100, EACH = 50, TIMES_MAX = 8 };
	double began_s = cpu_s(), all_s, one_s;

	for (int part = 0; part < PARTS; part++) {
		for (int i = 0; i < EACH; i++) {
			char *bytes = xasprintf("OPTIONS sip:a SIP/2.0\r\n"
						"Call-ID: %d-%d\r\n\r\n",
						part, i);

			come(options(1000 * part + i, bytes, FAKE_BOTH));
			free(bytes);
		}
		turn(10);
	}
	end();
	ck_assert_uint_eq(count("OPTIONS"), (size_t)PARTS * EACH);
	all_s = cpu_s() - began_s;
	sim_live_free(live);
	live = new_live();
	one_s = cost_of_one_s();
	ck_assert_msg(all_s < TIMES_MAX * one_s, "%.2f s, where once is %.2f s",
		      all_s, one_s);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sim_live");
	TCase *tc = tcase_create("lines");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_line_is_printed_while_the_run_goes_on);
	tcase_add_test(tc, what_may_still_get_something_before_it_waits);
	tcase_add_test(tc, a_message_waits_for_its_receiver);
	tcase_add_test(tc, what_is_never_received_is_printed_at_the_end);
	tcase_add_test(tc, every_line_is_one_of_the_finished_ladder);
	tcase_add_test(
		tc,
		a_line_that_comes_too_late_is_printed_and_labels_stay_right);
	tcase_add_test(tc, hostile_text_is_shown_and_does_nothing);
	tcase_add_test(tc, many_messages_do_not_cost_their_square);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
