#include "sim/sim_ladder.h"

#include <stdlib.h>
#include <string.h>

#include "sim/sim_ladder_text.h"
#include "tests/fake/fake_trace.h"
#include "tests/suite.h"

static char *text;

static void draw(json_t *lines, struct sim_ladder_cfg cfg)
{
	struct sim_trace *tr = fake_trace_load(lines);
	struct sim_label *lb = sim_label_new(tr);
	size_t len;
	FILE *f = open_memstream(&text, &len);

	sim_ladder_print(lb, &cfg, f);
	fclose(f);
	sim_label_free(lb);
	sim_trace_free(tr);
}

static void clear(void)
{
	free(text);
	text = NULL;
}

static size_t count(const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;

	return n;
}

/* The line that holds what, ended by a NUL; the text is spent then */
static char *line_of(const char *what)
{
	char *at = strstr(text, what), *end;

	ck_assert_msg(at != NULL, "no \"%s\" in\n%s", what, text);
	while (at > text && at[-1] != '\n')
		at--;
	end = strchr(at, '\n');
	if (end)
		*end = '\0';

	return at;
}

static void check_width(size_t width)
{
	char *end;

	for (char *p = text; *p; p = end + 1) {
		end = strchr(p, '\n');
		*end = '\0';
		ck_assert_msg(sim_text_width(p) <= width, "%zu columns: %s",
			      sim_text_width(p), p);
	}
}

START_TEST(a_line_is_drawn_for_each_message_and_step)
{
	draw(fake_trace_patent(NULL, NULL),
	     (struct sim_ladder_cfg){ .width = 160 });
	/* legend, two lines of names, the script */
	ck_assert_uint_eq(count("\n"), 3 + 50);
	ck_assert_ptr_nonnull(
		strstr(line_of("S408 S501"),
		       "REGISTER: asks to register with the SIP-URI"));
}
END_TEST

START_TEST(times_are_milliseconds_since_the_start)
{
	draw(fake_trace_patent(NULL, NULL), (struct sim_ladder_cfg){ 0 });
	ck_assert_ptr_nonnull(strstr(line_of("S404"), "11.000"));
}
END_TEST

START_TEST(no_line_is_wider_than_told)
{
	static const int widths[] = { 40,  60,  71,  72,  80,  103,
				      104, 120, 143, 144, 200, 400 };

	for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
		draw(fake_trace_patent(NULL, NULL),
		     (struct sim_ladder_cfg){ .width = widths[i] });
		check_width((size_t)widths[i]);
		clear();
	}
}
END_TEST

START_TEST(a_narrow_ladder_names_both_actors_on_each_line)
{
	draw(fake_trace_patent(NULL, NULL),
	     (struct sim_ladder_cfg){ .width = 80 });
	ck_assert_ptr_nonnull(
		strstr(line_of("S408 S501"), "terminal ──> pcscf"));
}
END_TEST

START_TEST(plain_has_no_escapes_and_ascii_no_other_characters)
{
	draw(fake_trace_patent(NULL, NULL),
	     (struct sim_ladder_cfg){ .width = 120, .is_ascii = true });
	for (const char *p = text; *p; p++)
		ck_assert(*p == '\n' || (*p >= ' ' && *p < 0x7f));
	ck_assert_ptr_nonnull(strstr(line_of("S503"), "==>"));
	clear();
	draw(fake_trace_patent(NULL, NULL),
	     (struct sim_ladder_cfg){ .is_colour = true });
	ck_assert_ptr_nonnull(strstr(text, "\033[35m"));
}
END_TEST

START_TEST(protocols_differ_without_colour)
{
	draw(fake_trace_patent(NULL, NULL), (struct sim_ladder_cfg){ 0 });
	ck_assert_uint_gt(count("──>"), 1);
	ck_assert_uint_gt(count("══>"), 1);
	ck_assert_uint_gt(count("··>"), 1);
	ck_assert_uint_gt(count("≈≈>"), 1);
}
END_TEST

START_TEST(captions_come_in_chinese_too)
{
	draw(fake_trace_patent(NULL, NULL),
	     (struct sim_ladder_cfg){ .width = 150, .lang = SIM_CHINESE });
	ck_assert_ptr_nonnull(strstr(line_of("S414"), "注销成功"));
	clear();
	draw(fake_trace_patent(NULL, NULL),
	     (struct sim_ladder_cfg){ .width = 100, .lang = SIM_CHINESE });
	check_width(100);
}
END_TEST

START_TEST(hostile_bytes_are_shown_and_do_nothing)
{
	static const char evil[] = "\033[2J\xff\u202eX\xc2\x85\t Y\r\nTo: <sip:"
				   "\033]0;x>\r\n\r\n";
	const struct fake_msg msg = { .proto = TRACE_SIP,
				      .from = "terminal",
				      .to = "pcscf",
				      .data = evil,
				      .len = sizeof(evil) - 1,
				      .ends = FAKE_BOTH };
	json_t *lines = json_array();

	fake_trace_msg(lines, &msg);
	fake_trace_event(lines, 5, "terminal\033[1m", "odd\nname",
			 json_pack("{s:s}", "x", "\a"));
	draw(lines, (struct sim_ladder_cfg){ .width = 120 });
	ck_assert_ptr_null(strchr(text, '\033'));
	ck_assert_ptr_null(strchr(text, '\a'));
	ck_assert_ptr_null(strstr(text, "\u202e"));
	ck_assert_ptr_nonnull(strstr(text, "\\x1b[2J\\xff\\u{202e}X"));
	ck_assert_ptr_nonnull(strstr(text, "odd\\nname x=\\x07"));
}
END_TEST

START_TEST(what_was_lost_or_repeated_is_said)
{
	json_t *lines = json_array();
	struct fake_msg msg = { .proto = TRACE_SIP,
				.from = "terminal",
				.to = "pcscf",
				.data = "OPTIONS sip:a SIP/2.0\r\n\r\n",
				.len = 25,
				.ends = FAKE_SENT };

	fake_trace_event(lines, 0, "pcscf", "up", NULL);
	fake_trace_msg(lines, &msg);
	msg.t_us = 500000;
	msg.ends = FAKE_BOTH;
	fake_trace_msg(lines, &msg);
	draw(lines, (struct sim_ladder_cfg){ 0 });
	ck_assert_uint_eq(count("(lost) OPTIONS"), 1);
	ck_assert_uint_eq(count("(again) OPTIONS"), 1);
	ck_assert_uint_eq(count("─x"), 1);
}
END_TEST

START_TEST(state_changes_are_shown_unless_only_steps_are_wanted)
{
	json_t *lines = fake_trace_patent(NULL, NULL);

	fake_trace_event(lines, 1000500, "scscf", "fsm",
			 json_pack("{s:s, s:s, s:s, s:s}", "machine",
				   "scscf.reg", "id", "u", "from", "A", "to",
				   "B"));
	fake_trace_event(lines, 1000600, "scscf", "ready", NULL);
	draw(json_incref(lines), (struct sim_ladder_cfg){ .width = 150 });
	ck_assert_ptr_nonnull(strstr(text, "scscf.reg u: A to B"));
	ck_assert_ptr_null(strstr(text, "ready"));
	clear();
	draw(lines, (struct sim_ladder_cfg){ .is_steps_only = true });
	ck_assert_ptr_null(strstr(text, "scscf.reg"));
}
END_TEST

START_TEST(housekeeping_is_left_out_unless_all_is_wanted)
{
	static const struct {
		const char *name, *machine, *shown;
	} events[] = {
		{ "fsm", "diameter.peer", "diameter.peer u: A to B" },
		{ "fsm", "diameter.watchdog", "diameter.watchdog u: A to B" },
		{ "ready", NULL, "ready" },
		{ "message.held", NULL, "message.held" },
		{ "diameter.down", NULL, "diameter.down" },
		{ "lease.state", NULL, "lease.state" },
		{ "scscf.registration", NULL, "scscf.registration" },
		{ "pcscf.registration", NULL, "pcscf.registration" },
	};
	enum { N = sizeof(events) / sizeof(*events) };
	json_t *lines = json_array();

	for (int i = 0; i < N; i++)
		fake_trace_event(lines, i, "hss", events[i].name,
				 json_pack("{s:s*, s:s, s:s, s:s}", "machine",
					   events[i].machine, "id", "u", "from",
					   "A", "to", "B"));
	draw(json_incref(lines), (struct sim_ladder_cfg){ .width = 150 });
	for (int i = 0; i < N; i++)
		ck_assert_ptr_null(strstr(text, events[i].shown));
	clear();
	draw(lines,
	     (struct sim_ladder_cfg){ .width = 150, .has_all_events = true });
	for (int i = 0; i < N; i++)
		ck_assert_msg(strstr(text, events[i].shown) != NULL,
			      "no %s in\n%s", events[i].shown, text);
}
END_TEST

START_TEST(text_is_cut_at_its_room_with_a_mark)
{
	size_t len;
	FILE *f = open_memstream(&text, &len);

	ck_assert_uint_eq(sim_text_put(f, "abcdef", 6, false), 6);
	ck_assert_uint_eq(sim_text_put(f, "|abcdef", 4, false), 4);
	ck_assert_uint_eq(sim_text_put(f, "注销成功", 4, false), 3);
	ck_assert_uint_eq(sim_text_put(f, "|a\nb", 9, false), 5);
	fclose(f);
	ck_assert_str_eq(text, "abcdef|ab…注…|a\\nb");
}
END_TEST

START_TEST(an_empty_trace_draws_no_more_than_its_head)
{
	draw(json_array(), (struct sim_ladder_cfg){ 0 });
	ck_assert_uint_eq(count("\n"), 3);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sim_ladder");
	TCase *tc = tcase_create("drawing");

	tcase_add_checked_fixture(tc, NULL, clear);
	tcase_add_test(tc, a_line_is_drawn_for_each_message_and_step);
	tcase_add_test(tc, times_are_milliseconds_since_the_start);
	tcase_add_test(tc, no_line_is_wider_than_told);
	tcase_add_test(tc, a_narrow_ladder_names_both_actors_on_each_line);
	tcase_add_test(tc, plain_has_no_escapes_and_ascii_no_other_characters);
	tcase_add_test(tc, protocols_differ_without_colour);
	tcase_add_test(tc, captions_come_in_chinese_too);
	tcase_add_test(tc, hostile_bytes_are_shown_and_do_nothing);
	tcase_add_test(tc, what_was_lost_or_repeated_is_said);
	tcase_add_test(tc,
		       state_changes_are_shown_unless_only_steps_are_wanted);
	tcase_add_test(tc, housekeeping_is_left_out_unless_all_is_wanted);
	tcase_add_test(tc, text_is_cut_at_its_room_with_a_mark);
	tcase_add_test(tc, an_empty_trace_draws_no_more_than_its_head);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
