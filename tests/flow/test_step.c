/* sipshare step, over the real processes: on a terminal by keys, in a browser
 * by clicks, and how long a student may think */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glob.h>
#include <sys/stat.h>

#include "common/mem.h"
#include "tests/fake/play.h"
#include "tests/fake/term.h"
#include "tests/suite.h"

static const char folder[] = BUILD_DIR "/tests/web";

/* --- on a terminal --- */

static void step_on_terminal(const char *file)
{
	char *command = xasprintf("LC_ALL=C.UTF-8 %s step --runs %s %s",
				  PROC_SIPSHARE, temp_dir(), file);

	term_start(150, 40, command);
	free(command);
}

START_TEST(the_patent_is_stepped_by_keys_to_its_verdict)
{
	step_on_terminal("scenarios/patent.lua");
	(void)term_wait(
		"hss has received from boss: OpenAccountsByRange, S401");
	term_type(" ");
	(void)term_wait("boss has received from hss: 200 OK");
	/* run to a step: its message is what waits */
	term_type("r");
	(void)term_wait("run to step:");
	term_type("S505");
	term_key("Enter");
	(void)term_wait("scscf has received from icscf: REGISTER, S505");
	/* the message below, then the state of all */
	(void)term_wait("Path: <sip:");
	term_type("t");
	(void)term_wait("Pool at the platform");
	(void)term_wait("occupied  +8613800138000  1");
	(void)term_wait("+8613800138000  registering");
	term_type("e");
	(void)term_wait("the run is over");
	term_type("q");
	(void)term_wait("42 of 42 steps seen");
	(void)term_wait("invariants I1–I6 hold");
	(void)term_wait("code 0");
	term_end();
}
END_TEST

START_TEST(an_unknown_step_is_told)
{
	step_on_terminal("scenarios/fig1.lua");
	(void)term_wait("S401");
	term_type("r");
	(void)term_wait("run to step:");
	term_type("S999");
	term_key("Enter");
	(void)term_wait("there is no step \"S999\"");
	term_type("q");
	(void)term_wait("left while stepping");
	(void)term_wait("code 1");
	term_end();
}
END_TEST

START_TEST(captions_are_chinese_if_wanted)
{
	step_on_terminal("--lang zh scenarios/fig1.lua");
	(void)term_wait("hss 收到 boss 的");
	term_type("q");
	(void)term_wait("code 1");
	term_end();
}
END_TEST

START_TEST(what_a_scenario_prints_comes_when_the_screen_is_left)
{
	char *file = play_write_file(temp_dir(), "s.lua",
				     "local bed = testbed{}\n"
				     "print 'from the scenario'\n"
				     "bed.hss:ping()\n");

	step_on_terminal(file);
	(void)term_wait("the run is over");
	(void)term_wait_gone("from the scenario");
	term_type("q");
	(void)term_wait("from the scenario");
	(void)term_wait("code 0");
	term_end();
	free(file);
}
END_TEST

/* --- what is wrong --- */

static struct proc *step_fails(const char *const *args, int code)
{
	const char *argv[12] = { PROC_SIPSHARE, "step" };
	struct proc *p = play_new();
	int came;

	for (int i = 0; args[i]; i++)
		argv[i + 2] = args[i];
	proc_start(p, argv);
	came = proc_wait_end(p, PATIENCE_MS);
	ck_assert_msg(came == code, "exit code %d, not %d:\n%s", came, code,
		      play_tail(p));

	return p;
}
#define STEP_FAILS(code, ...)                                                  \
	step_fails((const char *const[]){ __VA_ARGS__, NULL }, code)

START_TEST(what_is_wrong_is_told)
{
	const char *dir = temp_dir();
	char *bad = play_write_file(dir, "bad.lua", "local = 2\n");

	play_expect_text(STEP_FAILS(2, "scenarios/patent.lua"),
			 "this is no terminal: step in a browser with --web");
	play_expect_text(STEP_FAILS(2, "--web"), "one scenario, please");
	play_expect_text(STEP_FAILS(2, "--web", bad), "bad.lua:1:");
	play_expect_text(STEP_FAILS(2, "--lang", "fr", "--web", bad),
			 "--lang fr: must be en or zh");
	play_expect_text(STEP_FAILS(3, "--web", "--runs", dir, "--listen",
				    "0.0.0.0:0", "scenarios/fig1.lua"),
			 "0.0.0.0");
	free(bad);
}
END_TEST

/* --- in a browser --- */

/* "http://127.0.0.1:PORT/" of what it has printed; the caller's */
static char *url_of(struct proc *p)
{
	static const char said[] = "Step through it at ";
	const char *at;

	ck_assert_msg(proc_wait_text(p, "/\n", PATIENCE_MS), "%s", p->text);
	at = strstr(p->text, said);
	ck_assert_msg(at != NULL, "%s", p->text);
	at += sizeof(said) - 1;

	return xstrndup(at, strcspn(at, "\n"));
}

START_TEST(a_real_run_is_stepped_by_clicks)
{
	struct proc *p = play_new(), *browser = play_new();
	char *url;

	proc_start(p, (const char *[]){ PROC_SIPSHARE, "step", "--web",
					"--no-colour", "--runs", temp_dir(),
					"scenarios/patent.lua", NULL });
	url = url_of(p);
	(void)mkdir(folder, 0755);
	proc_start(browser, (const char *[]){ "node", "tests/web/step.mjs", url,
					      folder, NULL });
	ck_assert_msg(proc_wait_end(browser, BROWSER_PATIENCE_MS) == 0, "%s",
		      browser->text);
	ck_assert_msg(proc_wait_end(p, PATIENCE_MS) == 0, "%s", play_tail(p));
	play_expect_text(p, "42 of 42 steps seen");
	free(url);
}
END_TEST

START_TEST(ctrl_c_ends_it_whatever_waits)
{
	struct proc *p = play_new();

	proc_start(p, (const char *[]){ PROC_SIPSHARE, "step", "--web",
					"--no-colour", "--runs", temp_dir(),
					"scenarios/fig1.lua", NULL });
	free(url_of(p));
	ck_assert_int_eq(proc_stop(p, SIGINT), 130);
	play_expect_text(p, "ended by signal 2");
}
END_TEST

/* --- time --- */

/* By curl, as the page does it */
static void post(const char *url, const char *what, const char *body)
{
	struct proc p;
	char *to = xasprintf("%sv1/%s", url, what);
	char *origin = xasprintf("Origin: %.*s", (int)strlen(url) - 1, url);

	proc_start(&p,
		   (const char *[]){ "curl", "-sS", "-X", "POST", "-H", origin,
				     "-H", "Content-Type: application/json",
				     "-d", body, to, NULL });
	ck_assert_int_eq(proc_wait_end(&p, PATIENCE_MS), 0);
	ck_assert_str_eq(p.text, "{}");
	free(p.text);
	free(origin);
	free(to);
}

/* The page's data once there is something in it; all of it is told at once */
static void wait_for(const char *url, const char *what)
{
	char *to = xasprintf("%sevents", url);
	struct proc p;

	proc_start(&p, (const char *[]){ "curl", "-sSN", "--max-time", "20", to,
					 NULL });
	ck_assert_msg(proc_wait_text(&p, what, PATIENCE_MS), "no %s", what);
	(void)proc_stop(&p, SIGTERM);
	free(p.text);
	free(to);
}

static void set_time(const char *file, const char *offset)
{
	FILE *f = fopen(file, "w");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "%s\n", offset);
	ck_assert_int_eq(fclose(f), 0);
}

static void expect_no_repeats(const char *dir)
{
	char *path = xasprintf("%s/patent/trace.jsonl", dir), *line = NULL;
	FILE *f = fopen(path, "r");
	size_t room = 0, n = 0;

	ck_assert_ptr_nonnull(f);
	for (; getline(&line, &room, f) > 0; n++)
		ck_assert_msg(!strstr(line, "retransmission_of"), "%s", line);
	ck_assert_uint_gt(n, 200);
	free(line);
	(void)fclose(f);
	free(path);
}

/* An hour and a minute pass by the machine's clock, as libfaketime tells it to
 * all nine processes: SIP's T1 is half a second, 64*T1 half a minute */
START_TEST(a_student_may_think_for_an_hour)
{
	const char *dir = temp_dir();
	char *clock = play_write_file(dir, "clock", "+0\n");
	struct proc *p = play_new();
	glob_t lib;
	char *url;

	ck_assert_int_eq(
		glob("/usr/lib/*/faketime/libfaketime.so.1", 0, NULL, &lib), 0);
	setenv("FAKETIME_TIMESTAMP_FILE", clock, 1);
	setenv("FAKETIME_NO_CACHE", "1", 1);
	/* a sanitized build wants its own library to be the first */
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 0);
	setenv("LD_PRELOAD", lib.gl_pathv[0], 1);
	proc_start(p, (const char *[]){ PROC_SIPSHARE, "step", "--web",
					"--no-colour", "--runs", dir,
					"scenarios/patent.lua", NULL });
	unsetenv("LD_PRELOAD");
	url = url_of(p);
	wait_for(url, "\"state\":\"held\"");
	for (int s = 502; s <= 520; s += 6) {
		char *step = xasprintf("{\"step\":\"S%d\"}", s);
		char *offset = xasprintf("+%d", (s - 501) * 180);

		post(url, "until", step);
		wait_for(url, "\"state\":\"held\"");
		set_time(clock, offset);
		/* who looks makes the runner see what time it is */
		wait_for(url, "\"state\":\"held\"");
		free(step);
		free(offset);
	}
	post(url, "end", "{}");
	ck_assert_msg(proc_wait_text(p, "The page stays", PATIENCE_MS), "%s",
		      play_tail(p));
	post(url, "quit", "{}");
	ck_assert_msg(proc_wait_end(p, PATIENCE_MS) == 0, "%s", play_tail(p));
	play_expect_text(p, "42 of 42 steps seen");
	expect_no_repeats(dir);
	globfree(&lib);
	free(clock);
	free(url);
}
END_TEST

static Suite *step_suite(void)
{
	Suite *s = suite_create("step");
	TCase *tc = tcase_create("on a terminal");

	tcase_set_timeout(tc, 90);
	tcase_add_test(tc, the_patent_is_stepped_by_keys_to_its_verdict);
	tcase_add_test(tc, an_unknown_step_is_told);
	tcase_add_test(tc, captions_are_chinese_if_wanted);
	tcase_add_test(tc,
		       what_a_scenario_prints_comes_when_the_screen_is_left);
	tcase_add_test(tc, what_is_wrong_is_told);
	suite_add_tcase(s, tc);

	tc = tcase_create("in a browser");
	tcase_set_timeout(tc, 180);
	tcase_add_test(tc, a_real_run_is_stepped_by_clicks);
	tcase_add_test(tc, ctrl_c_ends_it_whatever_waits);
	tcase_add_test(tc, a_student_may_think_for_an_hour);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(step_suite)
