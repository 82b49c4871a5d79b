/* sipshare over the real processes: every scenario, and what goes wrong */
#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <jansson.h>

#include "common/addr.h"
#include "common/mem.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

/* An address of this test alone */
#define HOST "127.252.9.3"

static const char sipshare[] = BUILD_DIR "/bin/sipshare";

enum { BOUND_MS = 30000, ACTORS = 8 };

static const char *const actors[ACTORS] = { "hss",   "icscf",    "scscf",
					    "pcscf", "platform", "appserver",
					    "boss",  "terminal" };

/* All of scenarios/, by two: a machine has as many cores at least */
enum { AT_ONCE = 2 };

static glob_t scenarios;

/* Reachable to the end, as their output is */
static struct proc *new_proc(void)
{
	static struct proc procs[8];
	static size_t n;

	ck_assert_uint_lt(n, sizeof(procs) / sizeof(procs[0]));

	return &procs[n++];
}

static char *write_file(const char *dir, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);

	return path;
}

static void start_run(struct proc *p, const char *runs, const char *file)
{
	proc_start(p, (const char *[]){ sipshare, "run", "--no-colour",
					"--runs", runs, file, NULL });
}

/* What fits into a failed test's message: the verdict is at the end */
static const char *tail(const struct proc *p)
{
	enum { TAIL_LEN = 2000 };

	return p->len > TAIL_LEN ? p->text + p->len - TAIL_LEN : p->text;
}

/* Play a file to its end: its exit code must be code */
static void play(struct proc *p, const char *runs, const char *file, int code)
{
	int came;

	start_run(p, runs, file);
	came = proc_wait_end(p, BOUND_MS);
	ck_assert_msg(came == code, "exit code %d, not %d:\n%s", came, code,
		      tail(p));
}

/* Play a scenario given as text */
static void play_text(struct proc *p, const char *text, int code)
{
	const char *dir = temp_dir();
	char *file = write_file(dir, "s.lua", text);

	play(p, dir, file, code);
	free(file);
}

static void expect_text(const struct proc *p, const char *needle)
{
	ck_assert_msg(strstr(p->text, needle) != NULL, "no \"%s\" in:\n%s",
		      needle, tail(p));
}

static void expect_file(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct stat st;

	ck_assert_msg(!stat(path, &st) && st.st_size > 0, "%s", path);
	free(path);
}

/* --- every scenario --- */

static void expect_run(const struct proc *p, const char *dir, const char *file)
{
	const char *name = strchr(file, '/') + 1;
	char *run = xasprintf("%s/%.*s", dir, (int)strcspn(name, "."), name);
	char *pass = xasprintf("PASS %s: ready in ", file);

	expect_text(p, pass);
	expect_text(p, "invariants I1–I6 hold");
	expect_text(p, run);
	expect_file(run, "trace.jsonl");
	expect_file(run, "ladder.txt");
	expect_file(run, "capture.pcapng");
	for (int i = 0; i < ACTORS; i++) {
		char *log = xasprintf("%s.log", actors[i]);

		expect_file(run, log);
		free(log);
	}
	free(run);
	free(pass);
}

START_TEST(every_scenario_passes_and_leaves_its_files)
{
	const char *dir = temp_dir();
	struct proc *procs[AT_ONCE];
	char **files = scenarios.gl_pathv + (size_t)_i * AT_ONCE;
	int n = 0;

	for (; n < AT_ONCE && files[n]; n++) {
		procs[n] = new_proc();
		start_run(procs[n], dir, files[n]);
	}
	for (int i = 0; i < n; i++) {
		ck_assert_msg(proc_wait_end(procs[i], BOUND_MS) == 0, "%s:\n%s",
			      files[i], tail(procs[i]));
		expect_run(procs[i], dir, files[i]);
	}
}
END_TEST

START_TEST(the_patent_plays_by_the_idle_queue_too)
{
	const char *dir = temp_dir();
	struct proc *p = new_proc();

	proc_start(p, (const char *[]){ sipshare, "run", "--runs", dir,
					"--policy", "idle-queue", "--quiet",
					"scenarios/patent.lua", NULL });
	ck_assert_msg(proc_wait_end(p, BOUND_MS) == 0, "%s", tail(p));
}
END_TEST

START_TEST(two_runs_at_once_do_not_disturb_each_other)
{
	const char *dir = temp_dir();
	char *first = xasprintf("%s/patent", dir);
	char *second = xasprintf("%s/patent-2", dir);
	struct proc *a = new_proc(), *b = new_proc();

	start_run(a, dir, "scenarios/patent.lua");
	start_run(b, dir, "scenarios/patent.lua");
	ck_assert_msg(proc_wait_end(a, BOUND_MS) == 0, "%s", tail(a));
	ck_assert_msg(proc_wait_end(b, BOUND_MS) == 0, "%s", tail(b));
	expect_file(first, "trace.jsonl");
	expect_file(second, "trace.jsonl");
	free(first);
	free(second);
}
END_TEST

START_TEST(view_shows_the_ladder_of_a_run)
{
	const char *dir = temp_dir();
	char *run = xasprintf("%s/registration", dir);
	struct proc *p = new_proc();

	play(p, dir, "scenarios/registration.lua", 0);
	p = new_proc();
	proc_start(p, (const char *[]){ sipshare, "view", run, NULL });
	ck_assert_int_eq(proc_wait_end(p, BOUND_MS), 0);
	expect_text(p, "S501");
	free(run);
}
END_TEST

/* --- scenarios that fail, or are wrong --- */

#define OPEN_ONE                                                               \
	"bed.boss:open_accounts{first='+8657110000001',"                       \
	"last='+8657110000001',rule='sip:{number}@ims.test'}\n"                \
	"bed.boss:sync{by='message'}\n"                                        \
	"local a = bed:terminal{number='+8613800138000',secret='s'}\n"

START_TEST(a_syntax_error_is_told_before_anything_starts)
{
	const char *dir = temp_dir();
	char *good = write_file(dir, "good.lua", "testbed{}\n");
	char *bad = write_file(dir, "bad.lua", "local a = 1\nlocal = 2\n");
	char *left = xasprintf("%s/good", dir);
	struct proc *p = new_proc();

	proc_start(p, (const char *[]){ sipshare, "run", "--runs", dir, good,
					bad, NULL });
	ck_assert_int_eq(proc_wait_end(p, BOUND_MS), 2);
	expect_text(p, "bad.lua:2:");
	ck_assert_int_eq(access(left, F_OK), -1);
	free(good);
	free(bad);
	free(left);
}
END_TEST

START_TEST(a_misspelt_verb_is_told_with_its_line_and_what_was_meant)
{
	struct proc *p = new_proc();

	play_text(p, "local bed = testbed{}\nbed.boss:sinc{by='file'}\n", 2);
	expect_text(p, "s.lua:2: bed.boss has no 'sinc'; did you mean "
		       "'sync'?");
}
END_TEST

START_TEST(a_failed_expectation_shows_line_values_and_ladder)
{
	struct proc *p = new_proc();

	play_text(p,
		  "local bed = testbed{}\n" OPEN_ONE "a:login()\n"
		  "expect(a.state).is 'registered'\n",
		  1);
	expect_text(p, "s.lua:6: expected \"registered\", but it is "
		       "\"logged-in\"");
	expect_text(p, "The ladder around it:");
	expect_text(p, "FAIL ");
}
END_TEST

START_TEST(steps_that_are_missing_fail_the_run_and_are_named)
{
	struct proc *p = new_proc();

	play_text(p,
		  "local bed = testbed{}\n" OPEN_ONE
		  "a:login()\nbed:expect_steps 'S402, S403'\n",
		  1);
	expect_text(p, "S403");
	expect_text(p, "FAIL ");
}
END_TEST

START_TEST(a_refused_login_names_the_one_who_refused)
{
	struct proc *p = new_proc();

	play_text(
		p,
		"local bed = testbed{ users = { ['+8613800138000'] = 'x' } }\n"
		"local a = bed:terminal{number='+8613800138000',"
		"secret='wrong', unknown=true}\na:login()\n",
		1);
	expect_text(p, "s.lua:3: login: ");
	expect_text(p, "401");
}
END_TEST

START_TEST(an_element_that_cannot_start_is_named)
{
	struct proc *p = new_proc();

	play_text(p, "testbed{ options = { scscf = { digest = 'rot13' } } }\n",
		  3);
	expect_text(p, "scscf");
	expect_text(p, "scscf.log");
	expect_text(p, "NOT STARTED ");
}
END_TEST

START_TEST(a_scenario_without_end_is_ended)
{
	const char *dir = temp_dir();
	char *file = write_file(dir, "s.lua",
				"local bed = testbed{}\n"
				"expect(function() return 1 end)"
				":becomes(2, 600)\n");
	struct proc *p = new_proc();

	proc_start(p, (const char *[]){ sipshare, "run", "--runs", dir,
					"--timeout", "1", file, NULL });
	ck_assert_int_eq(proc_wait_end(p, BOUND_MS), 1);
	expect_text(p, "s.lua:2: the scenario did not end within 1");
	free(file);
}
END_TEST

START_TEST(a_folder_that_is_of_no_run_is_not_emptied)
{
	const char *dir = temp_dir();
	char *mine = xasprintf("%s/fig1", dir), *file;
	struct proc *p = new_proc();

	ck_assert_int_eq(mkdir(mine, 0755), 0);
	file = write_file(mine, "thesis.txt", "years of work\n");
	play(p, dir, "scenarios/fig1.lua", 3);
	expect_text(p, "of no run");
	ck_assert_int_eq(access(file, F_OK), 0);
	free(mine);
	free(file);
}
END_TEST

START_TEST(ctrl_c_ends_a_run_in_order)
{
	const char *dir = temp_dir();
	char *file = write_file(dir, "s.lua",
				"local bed = testbed{}\nprint('waiting')\n"
				"expect(function() return 1 end)"
				":becomes(2, 600)\n");
	struct proc *p = new_proc();

	start_run(p, dir, file);
	ck_assert(proc_wait_text(p, "waiting", BOUND_MS));
	ck_assert_int_eq(proc_stop(p, SIGINT), 130);
	expect_text(p, "ended by signal 2");
	free(file);
}
END_TEST

/* --- up --- */

static void start_up(struct proc *p, const char *dir)
{
	proc_start(p,
		   (const char *[]){ sipshare, "up", "--json", "--runs", dir,
				     "--users", "+8657110000101-+8657110000103",
				     "--pool", "+8657110000001-+8657110000002",
				     NULL });
	ck_assert_msg(proc_wait_text(p, "}\n", BOUND_MS), "%s", tail(p));
}

static int pid_of(const json_t *up, const char *actor)
{
	json_t *e = json_object_get(json_object_get(up, "elements"), actor);

	return (int)json_integer_value(json_object_get(e, "pid"));
}

START_TEST(up_tells_addresses_and_users_and_ends_on_ctrl_c)
{
	const char *dir = temp_dir();
	struct proc *p = new_proc();
	json_t *up;

	start_up(p, dir);
	up = proc_json(p, "{");
	ck_assert_ptr_nonnull(up);
	ck_assert_int_eq(json_integer_value(json_object_get(up, "users")), 3);
	ck_assert_int_eq(json_integer_value(json_object_get(up, "pool")), 2);
	ck_assert_int_eq(
		access(json_string_value(json_object_get(up, "accounts")),
		       R_OK),
		0);
	ck_assert_ptr_nonnull(strstr(
		json_string_value(json_object_get(up, "proxy")), "sip:127."));
	json_decref(up);
	ck_assert_int_eq(proc_stop(p, SIGINT), 0);
}
END_TEST

START_TEST(up_that_is_killed_leaves_no_process)
{
	const char *dir = temp_dir();
	struct proc *p = new_proc();

	/* orphans come to us, so that their end can be waited for */
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	start_up(p, dir);
	ck_assert_int_eq(proc_stop(p, SIGKILL), 128 + SIGKILL);
	/* blocks while one is left */
	while (waitpid(-1, NULL, 0) > 0)
		;
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(an_element_that_dies_ends_up_and_is_named)
{
	const char *dir = temp_dir();
	struct proc *p = new_proc();
	json_t *up;

	start_up(p, dir);
	up = proc_json(p, "{");
	ck_assert_int_gt(pid_of(up, "scscf"), 0);
	ck_assert_int_eq(kill(pid_of(up, "scscf"), SIGKILL), 0);
	ck_assert_int_eq(proc_wait_end(p, BOUND_MS), 1);
	expect_text(p, "scscf (pid ");
	expect_text(p, "was ended by signal 9");
	json_decref(up);
}
END_TEST

START_TEST(a_port_in_use_is_told_with_element_address_and_remedy)
{
	const char *dir = temp_dir();
	char base[16], at[64];
	struct addr addr;
	struct proc *p = new_proc();
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(addr_parse(&addr, HOST ":0"), 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&addr.ss, addr.len),
			 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	addr_local(&addr, fd);
	snprintf(base, sizeof(base), "%d", addr_port(&addr));
	snprintf(at, sizeof(at), HOST ":%s", base);
	proc_start(p, (const char *[]){ sipshare, "up", "--runs", dir, "--host",
					HOST, "--port-base", base, NULL });
	ck_assert_int_eq(proc_wait_end(p, BOUND_MS), 3);
	expect_text(p, "pcscf");
	expect_text(p, at);
	expect_text(p, "--port-base");
	close(fd);
}
END_TEST

/** A command line that is wrong, and what is said */
static const struct {
	const char *argv[8];
	const char *needle;
} wrong[] = {
	{ { sipshare, "fly", NULL }, "no command \"fly\"" },
	{ { sipshare, "run", NULL }, "which scenario" },
	{ { sipshare, "run", "/nowhere.lua", NULL }, "/nowhere.lua" },
	{ { sipshare, "run", "--set", "x", "a.lua", NULL }, "NAME=VALUE" },
	{ { sipshare, "run", "--policy", "x", "a.lua", NULL }, "round-robin" },
	{ { sipshare, "up", "--users", "+1", NULL }, "FIRST-LAST" },
	{ { sipshare, "up", "--users", "+19-+11", NULL }, "--users" },
	{ { sipshare, "up", "--login", "x", NULL }, "NUMBER=SECRET" },
	{ { sipshare, "up", "extra", NULL }, "extra" },
	{ { sipshare, "view", NULL }, "which run" },
	{ { sipshare, "view", "/nowhere", NULL }, "/nowhere" },
};

START_TEST(a_wrong_command_line_is_exit_code_2_and_a_sentence)
{
	struct proc *p = new_proc();

	proc_start(p, wrong[_i].argv);
	ck_assert_msg(proc_wait_end(p, BOUND_MS) == 2, "%s", tail(p));
	expect_text(p, wrong[_i].needle);
}
END_TEST

START_TEST(every_command_has_a_help)
{
	static const char *const commands[] = { "run", "up", "steps", "view",
						"doctor" };
	struct proc *p;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		p = new_proc();
		proc_start(p, (const char *[]){ sipshare, commands[i], "--help",
						NULL });
		ck_assert_int_eq(proc_wait_end(p, BOUND_MS), 0);
		expect_text(p, "usage: sipshare ");
	}
	p = new_proc();
	proc_start(p, (const char *[]){ sipshare, "steps", NULL });
	ck_assert_int_eq(proc_wait_end(p, BOUND_MS), 0);
	expect_text(p, "S521");
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *scenarios_suite(void)
{
	Suite *s = suite_create("scenarios");
	TCase *tc = tcase_create("every scenario");

	if (glob("scenarios/*.lua", 0, NULL, &scenarios))
		abort(); /* make runs the tests from the root */
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, every_scenario_passes_and_leaves_its_files, 0,
			    ((int)scenarios.gl_pathc + AT_ONCE - 1) / AT_ONCE);
	tcase_add_test(tc, the_patent_plays_by_the_idle_queue_too);
	tcase_add_test(tc, two_runs_at_once_do_not_disturb_each_other);
	tcase_add_test(tc, view_shows_the_ladder_of_a_run);
	suite_add_tcase(s, tc);

	tc = tcase_create("what fails");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_syntax_error_is_told_before_anything_starts);
	tcase_add_test(
		tc, a_misspelt_verb_is_told_with_its_line_and_what_was_meant);
	tcase_add_test(tc, a_failed_expectation_shows_line_values_and_ladder);
	tcase_add_test(tc, steps_that_are_missing_fail_the_run_and_are_named);
	tcase_add_test(tc, a_refused_login_names_the_one_who_refused);
	tcase_add_test(tc, an_element_that_cannot_start_is_named);
	tcase_add_test(tc, a_scenario_without_end_is_ended);
	tcase_add_test(tc, a_folder_that_is_of_no_run_is_not_emptied);
	tcase_add_test(tc, ctrl_c_ends_a_run_in_order);
	suite_add_tcase(s, tc);

	tc = tcase_create("up");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, up_tells_addresses_and_users_and_ends_on_ctrl_c);
	tcase_add_test(tc, up_that_is_killed_leaves_no_process);
	tcase_add_test(tc, an_element_that_dies_ends_up_and_is_named);
	tcase_add_test(tc,
		       a_port_in_use_is_told_with_element_address_and_remedy);
	suite_add_tcase(s, tc);

	tc = tcase_create("the command line");
	tcase_add_loop_test(tc,
			    a_wrong_command_line_is_exit_code_2_and_a_sentence,
			    0, COUNT(wrong));
	tcase_add_test(tc, every_command_has_a_help);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(scenarios_suite)
