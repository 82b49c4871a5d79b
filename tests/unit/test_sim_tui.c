/* The list that fills a terminal, on a pseudo-terminal of the test's own */
#include "sim/sim_tui.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/mem.h"
#include "tests/suite.h"

enum { ROWS = 10, COLUMNS = 60 };

/** The owner of the list, and who looks at it */
static struct {
	struct loop *loop;
	struct loop_watch *output;
	struct sim_tui *tui;
	int master, slave;
	char *drawn; /* all that has come to the terminal */
	size_t count;
	int key;    /* that came last */
	bool takes; /* the owner takes it */
	bool is_closed;
	char *answer;
	bool is_given_up;
} t;

static size_t count(void *arg)
{
	(void)arg;

	return t.count;
}

static void write_line(size_t i, int width, FILE *f, void *arg)
{
	(void)width;
	(void)arg;
	fprintf(f, "\033[36mline %zu\033[0m \033]0;title\a", i);
}

static void write_pane(size_t i, FILE *f, void *arg)
{
	(void)arg;
	fprintf(f, "pane of %zu\r\n%070d\nbell\a", i, 7);
}

static void write_status(size_t i, FILE *f, void *arg)
{
	(void)arg;
	fprintf(f, "at %zu", i);
}

static bool on_key(int key, void *arg)
{
	(void)arg;
	t.key = key;

	return t.takes;
}

static void on_closed(void *arg)
{
	(void)arg;
	t.is_closed = true;
}

static const struct sim_tui_ops ops = { .count = count,
					.line = write_line,
					.pane = write_pane,
					.status = write_status,
					.key = on_key,
					.closed = on_closed };

static void on_output(void *arg)
{
	char buf[4096];
	ssize_t n = read(t.master, buf, sizeof(buf) - 1);
	char *all;

	(void)arg;
	if (n <= 0)
		return;

	buf[n] = '\0';
	all = xasprintf("%s%s", t.drawn, buf);
	free(t.drawn);
	t.drawn = all;
}

static int open_list(bool follows)
{
	const struct sim_tui_cfg cfg = { .loop = t.loop,
					 .in_fd = t.slave,
					 .out_fd = t.slave,
					 .follows = follows,
					 .help = "x  the owner's key\n" };
	char *reason = NULL;
	int err = sim_tui_open(&t.tui, &cfg, &ops, NULL, &reason);

	ck_assert_int_eq(err != 0, reason != NULL);
	free(reason);

	return err;
}

static void setup(void)
{
	const struct winsize size = { .ws_row = ROWS, .ws_col = COLUMNS };

	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	setenv("TERM", "xterm", 1);
	t.count = 100;
	t.drawn = xstrdup("");
	t.loop = loop_new();
	ck_assert_int_eq(openpty(&t.master, &t.slave, NULL, NULL, &size), 0);
	t.output = loop_watch_fd(t.loop, t.master, LOOP_READ, on_output, NULL);
}

static void teardown(void)
{
	t.tui = sim_tui_close(t.tui);
	loop_unwatch(t.output);
	if (t.master >= 0)
		close(t.master);
	close(t.slave);
	loop_free(t.loop);
	free(t.drawn);
	free(t.answer);
}

static bool has_drawn(const void *needle)
{
	return strstr(t.drawn, needle) != NULL;
}

static void wait_drawn(const char *needle)
{
	ck_assert_msg(loop_run_until(t.loop, has_drawn, needle, PATIENCE_MS),
		      "no \"%s\" in %s", needle, t.drawn);
}

static void type(const char *keys)
{
	ck_assert_int_eq(write(t.master, keys, strlen(keys)),
			 (ssize_t)strlen(keys));
}

static bool has_key(const void *key)
{
	return t.key == *(const int *)key;
}

static void wait_key(int key)
{
	ck_assert_msg(loop_run_until(t.loop, has_key, &key, PATIENCE_MS),
		      "%d came, not %d", t.key, key);
}

static bool is_at(const void *line)
{
	return sim_tui_cursor(t.tui) == *(const size_t *)line;
}

static void wait_at(size_t line)
{
	ck_assert_msg(loop_run_until(t.loop, is_at, &line, PATIENCE_MS),
		      "at %zu, not %zu", sim_tui_cursor(t.tui), line);
}

START_TEST(the_owner_is_asked_before_the_list)
{
	ck_assert_int_eq(open_list(false), 0);
	type("j");
	wait_at(1);
	t.takes = true;
	type("kk");
	type("x");
	wait_key('x');
	ck_assert_uint_eq(sim_tui_cursor(t.tui), 1);
}
END_TEST

START_TEST(keys_that_are_no_character_have_numbers)
{
	ck_assert_int_eq(open_list(false), 0);
	type("\033[C\033OC");
	wait_key(SIM_TUI_RIGHT);
	type("\r");
	wait_key(SIM_TUI_ENTER);
	type("\xe6\xb3\xa8");
	wait_key(0x6ce8);
	type("\033");
	wait_key(SIM_TUI_ESCAPE);
}
END_TEST

START_TEST(a_list_that_follows_stays_on_its_last_line)
{
	t.count = 0;
	ck_assert_int_eq(open_list(true), 0);
	ck_assert_uint_eq(sim_tui_cursor(t.tui), 0);
	t.count = 5;
	sim_tui_changed(t.tui);
	wait_at(4);
	type("k");
	wait_at(3);
	t.count = 7;
	sim_tui_changed(t.tui);
	wait_drawn("4/7");
	ck_assert_uint_eq(sim_tui_cursor(t.tui), 3);
	/* and fewer of them */
	t.count = 2;
	sim_tui_changed(t.tui);
	wait_at(1);
}
END_TEST

static void on_answer(const char *text, void *arg)
{
	(void)arg;
	t.is_given_up = !text;
	xstrset(&t.answer, text);
}

static bool has_answer(const void *arg)
{
	(void)arg;

	return t.answer || t.is_given_up;
}

START_TEST(what_is_asked_is_answered_or_given_up)
{
	ck_assert_int_eq(open_list(false), 0);
	sim_tui_ask(t.tui, "name: ", on_answer, NULL);
	type("jx\xe6\xb3\xa8\xe6\xb3\xa8\x7f");
	wait_drawn("jx\xe6\xb3\xa8");
	type("\r");
	ck_assert(loop_run_until(t.loop, has_answer, NULL, PATIENCE_MS));
	ck_assert_str_eq(t.answer, "jx\xe6\xb3\xa8");
	/* no key of it was the list's, or its owner's */
	ck_assert_int_eq(t.key, 0);
	ck_assert_uint_eq(sim_tui_cursor(t.tui), 0);
	xstrset(&t.answer, NULL);
	sim_tui_ask(t.tui, "name: ", on_answer, NULL);
	type("y\033");
	ck_assert(loop_run_until(t.loop, has_answer, NULL, PATIENCE_MS));
	ck_assert(t.is_given_up);
}
END_TEST

START_TEST(colours_are_taken_and_all_else_is_shown)
{
	ck_assert_int_eq(open_list(false), 0);
	wait_drawn("line 3");
	wait_drawn("\\x1b]0;title\\x07");
	ck_assert_ptr_null(strstr(t.drawn, "\033]0;"));
	ck_assert_ptr_null(strstr(t.drawn, "\\x1b[36m"));
	type("m");
	wait_drawn("pane of 0");
	wait_drawn("0000007");
	wait_drawn("bell\\x07");
}
END_TEST

static bool is_true(const void *arg)
{
	return *(const bool *)arg;
}

START_TEST(q_and_a_terminal_that_is_gone_close_it)
{
	ck_assert_int_eq(open_list(false), 0);
	type("q");
	wait_key('q');
	ck_assert(t.is_closed);
	t.is_closed = false;
	t.output = loop_unwatch(t.output);
	close(t.master);
	t.master = -1;
	ck_assert(loop_run_until(t.loop, is_true, &t.is_closed, PATIENCE_MS));
}
END_TEST

START_TEST(what_is_no_terminal_is_refused)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), slave = t.slave;

	t.slave = null;
	ck_assert_int_eq(open_list(false), ENOTTY);
	t.slave = slave;
	close(null);
	setenv("TERM", "dumb", 1);
	ck_assert_int_eq(open_list(false), ENOTTY);
	setenv("TERM", "no-such-terminal", 1);
	ck_assert_int_eq(open_list(false), ENOTTY);
	unsetenv("TERM");
	ck_assert_int_eq(open_list(false), ENOTTY);
	/* it can be opened after all that */
	setenv("TERM", "xterm", 1);
	ck_assert_int_eq(open_list(false), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sim_tui");
	TCase *tc = tcase_create("keys and lines");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_owner_is_asked_before_the_list);
	tcase_add_test(tc, keys_that_are_no_character_have_numbers);
	tcase_add_test(tc, a_list_that_follows_stays_on_its_last_line);
	tcase_add_test(tc, what_is_asked_is_answered_or_given_up);
	tcase_add_test(tc, colours_are_taken_and_all_else_is_shown);
	tcase_add_test(tc, q_and_a_terminal_that_is_gone_close_it);
	tcase_add_test(tc, what_is_no_terminal_is_refused);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
