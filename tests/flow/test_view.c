/* sipshare view: a finished run on a terminal's whole screen, and as text */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "common/mem.h"
#include "sim/sim_ladder.h"
#include "sim/sim_ladder_text.h"
#include "tests/fake/fake_trace.h"
#include "tests/fake/play.h"
#include "tests/fake/term.h"
#include "tests/suite.h"

static const char *dir;

static void write_file(const char *name, const char *text)
{
	free(play_write_file(dir, name, text));
}

/* A run's folder, as run leaves it */
static void write_run(json_t *lines)
{
	const struct sim_ladder_cfg cfg = { .width = 160 };
	struct sim_trace *tr = fake_trace_load(lines);
	struct sim_label *lb = sim_label_new(tr);
	char *path = xasprintf("%s/trace.jsonl", dir);
	FILE *f = fopen(path, "w");

	ck_assert_int_eq(sim_label_write_jsonl(lb, f), 0);
	fclose(f);
	free(path);
	path = xasprintf("%s/ladder.txt", dir);
	f = fopen(path, "w");
	sim_ladder_print(lb, &cfg, f);
	fclose(f);
	free(path);
	sim_label_free(lb);
	sim_trace_free(tr);
	write_file("report.html", "<!DOCTYPE html>\n");
}

static void setup(void)
{
	dir = temp_dir();
	write_run(fake_trace_patent(NULL, NULL));
}

static void teardown(void)
{
	term_end();
}

/* Look at the run, with these variables in the environment */
static void view(int width, int height, const char *variables)
{
	char *command = xasprintf("LC_ALL=C.UTF-8 %s %s view %s", variables,
				  PROC_SIPSHARE, dir);

	term_start(width, height, command);
	free(command);
}

static void expect(const char *screen, const char *needle)
{
	ck_assert_msg(strstr(screen, needle) != NULL, "no \"%s\" in\n%s",
		      needle, screen);
}

/* --- the screen --- */

START_TEST(a_run_fills_the_screen_and_q_leaves)
{
	const char *screen;

	view(120, 30, "");
	screen = term_wait("1/50 ");
	expect(screen, "UE");
	expect(screen, "BOSS");
	expect(screen, "S401");
	expect(screen, dir);
	term_key("q");
	term_wait("code 0");
}
END_TEST

START_TEST(keys_move_the_cursor)
{
	static const struct {
		const char *key, *status;
	} moves[] = {
		{ "Down", " 2/50 " },  { "j", " 3/50 " },
		{ "k", " 2/50 " },     { "Up", " 1/50 " },
		{ "Up", " 1/50 " },    { "NPage", " 18/50 " },
		{ "PPage", " 1/50 " }, { "End", " 50/50 " },
		{ "Down", " 50/50 " }, { "Home", " 1/50 " },
	};

	view(120, 20, "");
	term_wait(" 1/50 ");
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		term_key(moves[i].key);
		term_wait(moves[i].status);
	}
}
END_TEST

START_TEST(enter_shows_the_message_and_f_all_of_it)
{
	const char *screen;

	view(120, 30, "");
	term_wait(" 1/50 ");
	term_type("g");
	term_wait("go to step:");
	term_type("s501");
	term_key("Enter");
	term_key("Enter");
	screen = term_wait("S408 S501: asks to register");
	expect(screen, "127.1.3.1:5060 -> pcscf 127.1.1.1:5060, udp");
	expect(screen, "────");
	term_key("m");
	term_wait_gone("127.1.3.1:5060 -> pcscf");
	term_key("f");
	screen = term_wait("Call-ID: ");
	ck_assert_msg(strstr(screen, "S502") == NULL, "%s", screen);
	/* q goes back before it leaves */
	term_key("q");
	term_wait("S502");
	term_type("gS999");
	term_key("Enter");
	term_wait("no line is step S999");
}
END_TEST

START_TEST(a_search_goes_round_and_back)
{
	view(120, 30, "");
	term_wait(" 1/50 ");
	term_type("/maa 2001");
	term_wait("/maa 2001");
	/* the last one is rubbed out, and typed again */
	term_key("BSpace");
	term_wait_gone("/maa 2001");
	term_type("1");
	term_key("Enter");
	term_wait_gone(" 1/50 ");
	term_key("n");
	term_wait("from the other end on");
	term_type("/nowhere to be found");
	term_key("Enter");
	term_wait("not found");
	/* given up: the cursor stays */
	term_type("/x");
	term_key("Escape");
	term_wait_gone("/x");
}
END_TEST

START_TEST(steps_events_languages_and_help)
{
	view(120, 30, "");
	term_wait(" 1/50 ");
	term_key("s");
	term_wait(", only steps");
	term_key("a");
	term_wait(", every event");
	term_key("l");
	term_wait("注册");
	term_key("?");
	term_wait("only the patent's steps");
	term_key("x");
	term_wait("注册");
}
END_TEST

START_TEST(another_size_is_another_form)
{
	const char *screen;

	view(120, 30, "");
	term_wait("UE     P     I");
	term_resize(60, 24);
	screen = term_wait("UE·>AS");
	ck_assert_msg(strstr(screen, "UE     P     I") == NULL, "%s", screen);
	term_resize(200, 24);
	term_wait("terminal    pcscf      icscf");
	term_resize(20, 3);
	term_wait("S401");
}
END_TEST

static const int widths[] = { 40, 60, 80, 120, 200 };

START_TEST(no_row_is_wrapped)
{
	char *screen, *row, *save = NULL;
	int n = 0;

	view(widths[_i], 20, "");
	screen = xstrdup(term_wait("S401"));
	for (row = strtok_r(screen, "\n", &save); row;
	     row = strtok_r(NULL, "\n", &save)) {
		ck_assert_msg(sim_text_width(row) <= (size_t)widths[_i], "%s",
			      row);
		/* each entry's row begins with its milliseconds */
		if (n && n < 19)
			ck_assert_msg(strstr(row, ".000 ") ||
					      strstr(row, ".100 "),
				      "row %d: %s", n, row);
		n++;
	}
	ck_assert_int_eq(n, 20);
	free(screen);
}
END_TEST

START_TEST(hostile_bytes_are_shown_and_do_nothing)
{
	static const char evil[] = "OPTIONS \033[2J\033]0;x\a\xff SIP/2.0\r\n"
				   "To: \033[1;1Hbad\r\n\r\n";
	const struct fake_msg msg = { .t_us = 10,
				      .proto = TRACE_SIP,
				      .from = "terminal",
				      .to = "pcscf",
				      .data = evil,
				      .len = sizeof(evil) - 1,
				      .ends = FAKE_BOTH };
	json_t *lines = json_array();
	const char *screen;

	fake_trace_msg(lines, &msg);
	write_run(lines);
	view(120, 20, "");
	term_wait(" 1/1 ");
	term_key("Enter");
	screen = term_wait("To: \\x1b[1;1Hbad");
	expect(screen, "OPTIONS \\x1b[2J\\x1b]0;x\\x07\\xff SIP/2.0");
}
END_TEST

START_TEST(without_utf8_there_is_ascii_alone)
{
	const char *screen;

	view(120, 20, "LC_ALL=C");
	screen = term_wait(" 1/50 ");
	for (const char *p = screen; *p; p++)
		ck_assert_msg(!((unsigned char)*p & 0x80), "%s", screen);
	term_key("l");
	term_wait("Chinese needs a UTF-8 locale");
}
END_TEST

START_TEST(a_dumb_terminal_gets_the_ladder_as_text)
{
	view(120, 60, "TERM=dumb");
	expect(term_wait("code 0"), "S521");
}
END_TEST

START_TEST(ctrl_c_ends_it)
{
	view(120, 20, "");
	term_wait(" 1/50 ");
	term_key("C-c");
	/* the shell, too, is told of it: it takes the signal's end as its own
	 */
	term_wait("code 130");
}
END_TEST

START_TEST(a_run_that_is_cut_off_is_told_with_its_line)
{
	write_file("trace.jsonl", "{\"n\":0,\"t_us\":0,\"kind\":\"event\","
				  "\"actor\":\"a\",\"name\":\"x\"}\n{\"n\"");
	view(160, 20, "");
	expect(term_wait("code 2"), "line 2: the file is cut off");
}
END_TEST

/* --- the page --- */

/* A browser that tells what it was to open */
static void write_browser(void)
{
	char *browser = xasprintf("%s/browser", dir);
	char *fifo = xasprintf("%s/opened", dir);
	char *text = xasprintf("#!/bin/sh\necho \"$1\" >%s\n", fifo);

	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	write_file("browser", text);
	ck_assert_int_eq(chmod(browser, 0755), 0);
	free(text);
	free(fifo);
	free(browser);
}

static void wait_opened(void)
{
	char *fifo = xasprintf("%s/opened", dir);
	struct proc *p = play_new();

	proc_start(p, (const char *[]){ "cat", fifo, NULL });
	ck_assert_int_eq(proc_wait_end(p, PATIENCE_MS), 0);
	play_expect_text(p, "file:///tmp/");
	play_expect_text(p, "/report.html\n");
	free(fifo);
}

START_TEST(o_opens_the_page)
{
	char *before = xasprintf("DISPLAY=:9 BROWSER=%s/browser", dir);

	write_browser();
	view(120, 20, before);
	term_wait(" 1/50 ");
	term_key("o");
	term_wait("opened file:///tmp/");
	wait_opened();
	free(before);
}
END_TEST

static void view_text(struct proc *p, const char *option, const char *run,
		      int code)
{
	proc_start(p, (const char *[]){ PROC_SIPSHARE, "view", option, run,
					NULL });
	ck_assert_msg(proc_wait_end(p, PATIENCE_MS) == code, "%s", p->text);
}

START_TEST(page_says_where_it_is_and_opens_it)
{
	char *browser = xasprintf("%s/browser", dir);
	struct proc *p = play_new();

	write_browser();
	setenv("DISPLAY", ":9", 1);
	setenv("BROWSER", browser, 1);
	view_text(p, "--page", dir, 0);
	play_expect_text(p, "/report.html\nfile:///tmp/");
	wait_opened();
	free(browser);
}
END_TEST

START_TEST(page_needs_neither_browser_nor_display)
{
	struct proc *p = play_new();

	unsetenv("DISPLAY");
	unsetenv("WAYLAND_DISPLAY");
	view_text(p, "--page", dir, 0);
	play_expect_text(p, "file:///tmp/");
	p = play_new();
	setenv("DISPLAY", ":9", 1);
	setenv("BROWSER", "/nowhere/browser", 1);
	view_text(p, "--page", dir, 0);
	play_expect_text(p, "file:///tmp/");
}
END_TEST

START_TEST(what_is_no_run_is_named)
{
	char *path = xasprintf("%s/ladder.txt", dir);
	struct proc *p = play_new();

	ck_assert_int_eq(unlink(path), 0);
	view_text(p, "--plain", dir, 2);
	play_expect_text(p, path);
	p = play_new();
	view_text(p, "--page", "/nowhere", 2);
	play_expect_text(p, "/nowhere/report.html");
	free(path);
}
END_TEST

START_TEST(a_name_is_looked_for_in_runs)
{
	char *here = getcwd(NULL, 0);
	char *command = xasprintf("cd %s && mkdir -p runs/mine && "
				  "mv ladder.txt runs/mine && %s/%s view mine",
				  dir, here, PROC_SIPSHARE);
	struct proc *p = play_new();

	proc_start(p, (const char *[]){ "sh", "-c", command, NULL });
	ck_assert_msg(!proc_wait_end(p, PATIENCE_MS), "%s", p->text);
	play_expect_text(p, "S521");
	free(command);
	free(here);
}
END_TEST

/* Into a pipe: what the run has left */
START_TEST(without_a_terminal_the_ladder_is_printed)
{
	struct proc *p = play_new();

	view_text(p, "--no-colour", dir, 0);
	play_expect_text(p, "──> SIP");
	play_expect_text(p, "S521");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("view");
	TCase *tc = tcase_create("the screen");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_run_fills_the_screen_and_q_leaves);
	tcase_add_test(tc, keys_move_the_cursor);
	tcase_add_test(tc, enter_shows_the_message_and_f_all_of_it);
	tcase_add_test(tc, a_search_goes_round_and_back);
	tcase_add_test(tc, steps_events_languages_and_help);
	tcase_add_test(tc, another_size_is_another_form);
	tcase_add_loop_test(tc, no_row_is_wrapped, 0,
			    (int)(sizeof(widths) / sizeof(widths[0])));
	tcase_add_test(tc, hostile_bytes_are_shown_and_do_nothing);
	tcase_add_test(tc, without_utf8_there_is_ascii_alone);
	tcase_add_test(tc, a_dumb_terminal_gets_the_ladder_as_text);
	tcase_add_test(tc, ctrl_c_ends_it);
	tcase_add_test(tc, a_run_that_is_cut_off_is_told_with_its_line);
	suite_add_tcase(s, tc);

	tc = tcase_create("page and text");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, o_opens_the_page);
	tcase_add_test(tc, page_says_where_it_is_and_opens_it);
	tcase_add_test(tc, page_needs_neither_browser_nor_display);
	tcase_add_test(tc, what_is_no_run_is_named);
	tcase_add_test(tc, a_name_is_looked_for_in_runs);
	tcase_add_test(tc, without_a_terminal_the_ladder_is_printed);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
