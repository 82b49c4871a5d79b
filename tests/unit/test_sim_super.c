/* The supervisor over stand-ins: this program itself, under the elements'
 * names, which behaves as the environment says: STANDIN="scscf=die" */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "sim/sim_net.h"
#include "sim/sim_proc.h"
#include "sim/sim_super_args.h"
#include "tests/suite.h"

enum { CHATTER = 2000 };

/* --- the stand-in --- */

static volatile sig_atomic_t is_chatty, code;

static void say(const char *text)
{
	if (write(SIM_PROC_CTL_FD, text, strlen(text)) < 0)
		_exit(9);
}

static void on_sigterm(int signo)
{
	(void)signo;
	for (int i = 0; is_chatty && i < CHATTER; i++)
		say("{\"trace\":{\"n\":1}}\n");
	_exit(code);
}

static bool is_told(const char *name, const char *how)
{
	const char *env = getenv("STANDIN");
	char *told = xasprintf("%s=%s", name, how);
	bool is = env && !strcmp(env, told);

	free(told);

	return is;
}

static int stand_in(const char *name)
{
	char c;

	is_chatty = is_told(name, "chatter");
	code = is_told(name, "bad-end") ? 7 : 0;
	signal(SIGTERM, on_sigterm);
	if (is_told(name, "die")) {
		fputs("some line\nthe cellar is empty\n", stderr);
		return 3;
	}
	if (is_told(name, "refuse"))
		say("{\"failed\":\"port 1 is in use\"}\n");
	if (is_told(name, "refuse"))
		return 3;
	if (is_told(name, "stubborn"))
		signal(SIGTERM, SIG_IGN);
	if (is_told(name, "slow"))
		signal(SIGTERM, SIG_DFL);
	if (!is_told(name, "silent") && !is_told(name, "slow"))
		say("{\"ready\":{\"sip\":\"127.0.0.1:1\"}}\n");
	if (is_told(name, "crash"))
		raise(SIGKILL);
	while (read(SIM_PROC_CTL_FD, &c, 1) > 0 || is_told(name, "stubborn"))
		;

	return 0;
}

/* --- the fixture --- */

static struct {
	struct loop *loop;
	struct sim_net *net;
	struct sim_super *super;
	struct sim_super_cfg cfg;
	char dir[64];
	char *reason;
	int traces;
	bool is_ready, is_stopped, is_failed;
	bool is_down, is_up, is_halted;
	enum sim_actor changed; /* the last one that did */
} t;

static void on_ready(int64_t ready_us, void *arg)
{
	(void)arg;
	ck_assert_int_ge(ready_us, 0);
	t.is_ready = true;
}

static void on_trace(json_t *line, void *arg)
{
	(void)line;
	(void)arg;
	t.traces++;
}

static void on_failed(const char *reason, void *arg)
{
	(void)arg;
	t.is_failed = true;
	free(t.reason);
	t.reason = xstrdup(reason);
}

static void on_stopped(void *arg)
{
	(void)arg;
	t.is_stopped = true;
}

static void on_changed(enum sim_actor actor, enum sim_change change, void *arg)
{
	(void)arg;
	t.changed = actor;
	t.is_down = change == SIM_WENT_DOWN;
	t.is_up = change == SIM_CAME_UP;
	t.is_halted = change == SIM_HALTED;
}

static const struct sim_super_ops ops = { on_ready, on_trace, on_failed,
					  on_changed, on_stopped };

static bool is_set(const void *arg)
{
	return *(const bool *)arg;
}

static void setup(void)
{
	char *reason = NULL, self[512], path[128];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	ck_assert_int_gt(n, 0);
	self[n] = '\0';
	memset(&t, 0, sizeof(t));
	strcpy(t.dir, "/tmp/test_sim_super_XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(t.dir));
	for (int i = 0; i < SIM_ACTOR_COUNT; i++) {
		snprintf(path, sizeof(path), "%s/%s", t.dir,
			 sim_actor_name((enum sim_actor)i));
		ck_assert_int_eq(symlink(self, path), 0);
	}
	t.loop = loop_new();
	ck_assert_int_eq(sim_net_take(&t.net, &reason), 0);
	t.cfg = (struct sim_super_cfg){
		.loop = t.loop, .net = t.net, .dir = t.dir, .bin = t.dir
	};
}

static void teardown(void)
{
	char *rm = xasprintf("rm -r %s", t.dir);

	sim_super_free(t.super);
	sim_net_free(t.net);
	loop_free(t.loop);
	free(t.reason);
	ck_assert_int_eq(system(rm), 0); /* NOLINT: of mkdtemp() */
	free(rm);
}

static void start(const char *standin)
{
	char *reason = NULL;

	setenv("STANDIN", standin, 1);
	ck_assert_int_eq(sim_super_new(&t.super, &t.cfg, &ops, NULL, &reason),
			 0);
}

static void start_ready(const char *standin)
{
	start(standin);
	ck_assert(loop_run_until(t.loop, is_set, &t.is_ready, PATIENCE_MS));
}

static void stop(void)
{
	sim_super_stop(t.super);
	ck_assert(loop_run_until(t.loop, is_set, &t.is_stopped, PATIENCE_MS));
	ck_assert(sim_super_is_ended(t.super));
}

static void expect_gone(void)
{
	/* no child is left, not even unreaped */
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}

/* --- the tests --- */

START_TEST(all_are_ready_then_stopped_and_none_is_left)
{
	start_ready("");
	ck_assert_str_eq(
		json_string_value(json_object_get(
			sim_super_addresses(t.super, SIM_PCSCF), "sip")),
		"127.0.0.1:1");
	stop();
	ck_assert(!t.is_failed);
	expect_gone();
}
END_TEST

/* The nth value that an element is given for an option, in a static buffer; "":
 * none */
static const char *given(enum sim_actor actor, const char *option, int nth)
{
	static char value[256];
	struct sim_args args;

	sim_args_make(&args, actor, &t.cfg);
	value[0] = '\0';
	for (int i = 1; i + 1 < args.n; i += 2)
		if (!strcmp(args.v[i], option) && !nth--)
			snprintf(value, sizeof(value), "%s", args.v[i + 1]);
	sim_args_clear(&args);

	return value;
}

START_TEST(two_as_know_of_each_other_and_the_hss_of_both)
{
	const char *first = sim_net_uri(t.net, SIM_APPSERVER_SIP);
	const char *second = sim_net_uri(t.net, SIM_APPSERVER2_SIP);

	ck_assert_str_eq(given(SIM_HSS, "--appserver", 0), first);
	ck_assert_str_eq(given(SIM_HSS, "--appserver", 1), "");
	ck_assert_str_eq(given(SIM_APPSERVER, "--chain", 0), "");
	t.cfg.appservers = 2;
	t.cfg.store = "/s";
	ck_assert_str_eq(given(SIM_HSS, "--appserver", 0), first);
	ck_assert_str_eq(given(SIM_HSS, "--appserver", 1), second);
	ck_assert_str_eq(given(SIM_APPSERVER, "--chain", 0), "first");
	ck_assert_str_eq(given(SIM_APPSERVER2, "--chain", 0), "last");
	ck_assert_str_eq(given(SIM_APPSERVER2, "--name", 0), "appserver2");
	ck_assert_str_eq(given(SIM_APPSERVER2, "--store", 0),
			 "/s/appserver2.db");
}
END_TEST

/* A foreign box in its place */
START_TEST(an_as_that_is_given_stands_for_ours)
{
	const struct sim_extra extra = { SIM_HSS, (char *)"appserver",
					 (char *)"sip:192.0.2.1" };

	t.cfg.extra = &extra;
	t.cfg.extra_n = 1;
	ck_assert_str_eq(given(SIM_HSS, "--appserver", 0), "sip:192.0.2.1");
	ck_assert_str_eq(given(SIM_HSS, "--appserver", 1), "");
}
END_TEST

START_TEST(a_second_as_is_started_where_it_is_asked_for)
{
	char *log = xasprintf("%s/appserver2.log", t.dir);

	t.cfg.appservers = 2;
	start_ready("");
	ck_assert_int_eq(access(log, F_OK), 0);
	ck_assert_int_ne(sim_super_pid(t.super, SIM_APPSERVER2),
			 sim_super_pid(t.super, SIM_APPSERVER));
	stop();
	ck_assert(!t.is_failed);
	expect_gone();
	free(log);
}
END_TEST

START_TEST(a_second_as_is_waited_for_and_named)
{
	t.cfg.appservers = 2;
	start("appserver2=die");
	ck_assert(loop_run_until(t.loop, is_set, &t.is_failed, PATIENCE_MS));
	ck_assert_msg(strstr(t.reason, "appserver2"), "%s", t.reason);
	ck_assert(!t.is_ready);
	stop();
	expect_gone();
}
END_TEST

START_TEST(a_second_as_that_is_not_asked_for_is_not_started)
{
	char *log = xasprintf("%s/appserver2.log", t.dir);

	start_ready("appserver2=die");
	ck_assert_int_eq(access(log, F_OK), -1);
	stop();
	ck_assert(!t.is_failed);
	free(log);
}
END_TEST

START_TEST(an_element_that_dies_is_named_with_code_last_line_and_log)
{
	start("scscf=die");
	ck_assert(loop_run_until(t.loop, is_set, &t.is_failed, PATIENCE_MS));
	ck_assert_msg(strstr(t.reason, "scscf") &&
			      strstr(t.reason, "exit code 3") &&
			      strstr(t.reason, "the cellar is empty") &&
			      strstr(t.reason, "scscf.log"),
		      "%s", t.reason);
	stop();
	expect_gone();
}
END_TEST

START_TEST(an_element_that_says_why_it_cannot_start_is_quoted)
{
	start("hss=refuse");
	ck_assert(loop_run_until(t.loop, is_set, &t.is_failed, PATIENCE_MS));
	ck_assert_msg(strstr(t.reason, "hss: port 1 is in use"), "%s",
		      t.reason);
	stop();
}
END_TEST

START_TEST(a_signal_that_ends_an_element_is_named)
{
	start("icscf=crash");
	ck_assert(loop_run_until(t.loop, is_set, &t.is_failed, PATIENCE_MS));
	ck_assert_msg(strstr(t.reason, "icscf") && strstr(t.reason, "signal 9"),
		      "%s", t.reason);
	stop();
	expect_gone();
}
END_TEST

START_TEST(one_that_is_killed_on_purpose_is_no_failure_and_comes_back)
{
	char *reason = NULL;
	int pid;

	start_ready("");
	pid = sim_super_pid(t.super, SIM_PLATFORM);
	ck_assert_int_eq(sim_super_restart(t.super, SIM_PLATFORM, &reason),
			 EBUSY);
	ck_assert_str_eq(reason, "platform cannot be restarted: it still runs");
	free(reason);
	sim_super_kill(t.super, SIM_PLATFORM);
	ck_assert(loop_run_until(t.loop, is_set, &t.is_down, PATIENCE_MS));
	ck_assert_int_eq(t.changed, SIM_PLATFORM);
	ck_assert_int_eq(
		sim_super_call(t.super, SIM_PLATFORM, "ping", NULL, NULL, NULL),
		ENOTCONN);
	ck_assert_int_eq(sim_super_restart(t.super, SIM_PLATFORM, &reason), 0);
	ck_assert(loop_run_until(t.loop, is_set, &t.is_up, PATIENCE_MS));
	ck_assert_int_ne(sim_super_pid(t.super, SIM_PLATFORM), pid);
	ck_assert(!t.is_failed);
	stop();
	ck_assert(!t.is_failed);
	expect_gone();
}
END_TEST

START_TEST(one_that_dies_of_itself_after_a_restart_is_a_failure)
{
	char *reason = NULL;

	start_ready("");
	sim_super_kill(t.super, SIM_HSS);
	ck_assert(loop_run_until(t.loop, is_set, &t.is_down, PATIENCE_MS));
	setenv("STANDIN", "hss=die", 1);
	ck_assert_int_eq(sim_super_restart(t.super, SIM_HSS, &reason), 0);
	ck_assert(loop_run_until(t.loop, is_set, &t.is_failed, PATIENCE_MS));
	ck_assert_msg(strstr(t.reason, "hss") &&
			      strstr(t.reason, "exit code 3"),
		      "%s", t.reason);
	stop();
	expect_gone();
}
END_TEST

START_TEST(one_that_is_paused_is_stopped_with_the_others)
{
	start_ready("");
	sim_super_pause(t.super, SIM_SCSCF, true);
	stop();
	ck_assert(!t.is_failed);
	expect_gone();
}
END_TEST

START_TEST(an_element_that_is_never_ready_is_named_when_time_is_up)
{
	const char *wrong = NULL;

	ck_assert_int_eq(timer_override("ready=2s", &wrong), 0);
	start("boss=silent");
	ck_assert(loop_run_until(t.loop, is_set, &t.is_failed, PATIENCE_MS));
	ck_assert_msg(strstr(t.reason, "boss is not ready after 2000 ms"), "%s",
		      t.reason);
	ck_assert(!t.is_ready);
	stop();
	expect_gone();
}
END_TEST

START_TEST(an_element_that_will_not_end_is_killed_and_named)
{
	const char *wrong = NULL;

	ck_assert_int_eq(timer_override("drain=200ms", &wrong), 0);
	start_ready("appserver=stubborn");
	stop();
	ck_assert(t.is_failed);
	ck_assert_msg(strstr(t.reason, "appserver"), "%s", t.reason);
	expect_gone();
}
END_TEST

START_TEST(an_element_that_ends_badly_is_named)
{
	start_ready("platform=bad-end");
	stop();
	ck_assert(t.is_failed);
	ck_assert_msg(strstr(t.reason, "platform") &&
			      strstr(t.reason, "exit code 7"),
		      "%s", t.reason);
}
END_TEST

START_TEST(one_that_is_stopped_before_it_is_ready_has_ended_well)
{
	start("platform=slow");
	stop();
	ck_assert_msg(!t.is_failed, "%s", t.reason);
	expect_gone();
}
END_TEST

START_TEST(what_is_traced_while_it_drains_is_collected_to_the_last_line)
{
	start_ready("hss=chatter");
	stop();
	ck_assert_int_eq(t.traces, CHATTER);
}
END_TEST

START_TEST(a_missing_program_is_named_and_nothing_is_left)
{
	char path[128], *reason = NULL;

	snprintf(path, sizeof(path), "%s/platform", t.dir);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(sim_super_new(&t.super, &t.cfg, &ops, NULL, &reason),
			 ENOENT);
	ck_assert_msg(strstr(reason, path) && strstr(reason, "make"), "%s",
		      reason);
	free(reason);
	expect_gone();
}
END_TEST

/* In a child: start all, tell their pids, then wait to be killed */
static void be_killed(int fd)
{
	t.cfg.appservers = SIM_APPSERVERS_MAX;
	start_ready("hss=stubborn");
	for (int i = 0; i < SIM_ACTOR_COUNT; i++) {
		int pid = sim_super_pid(t.super, (enum sim_actor)i);

		if (write(fd, &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
	}
	(void)loop_run(t.loop);
	_exit(1);
}

START_TEST(a_runner_that_is_killed_leaves_no_process)
{
	int pids[2], pid, child;

	/* orphans come to us, so that their end can be waited for */
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(pipe(pids), 0);
	child = fork();
	if (!child)
		be_killed(pids[1]);
	close(pids[1]);
	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		ck_assert_int_eq(read(pids[0], &pid, sizeof(pid)), sizeof(pid));
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	/* blocks while one is left */
	while (waitpid(-1, NULL, 0) > 0)
		;
	expect_gone();
	close(pids[0]);
}
END_TEST

static Suite *sim_super_suite(void)
{
	Suite *s = suite_create("sim_super");
	TCase *tc = tcase_create("start");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, all_are_ready_then_stopped_and_none_is_left);
	tcase_add_test(tc, two_as_know_of_each_other_and_the_hss_of_both);
	tcase_add_test(tc, an_as_that_is_given_stands_for_ours);
	tcase_add_test(tc, a_second_as_is_started_where_it_is_asked_for);
	tcase_add_test(tc, a_second_as_is_waited_for_and_named);
	tcase_add_test(tc, a_second_as_that_is_not_asked_for_is_not_started);
	tcase_add_test(
		tc, one_that_is_killed_on_purpose_is_no_failure_and_comes_back);
	tcase_add_test(tc,
		       one_that_dies_of_itself_after_a_restart_is_a_failure);
	tcase_add_test(tc, one_that_is_paused_is_stopped_with_the_others);
	tcase_add_test(tc,
		       an_element_that_is_never_ready_is_named_when_time_is_up);
	tcase_add_test(tc, an_element_that_says_why_it_cannot_start_is_quoted);
	tcase_add_test(tc, a_missing_program_is_named_and_nothing_is_left);
	suite_add_tcase(s, tc);

	tc = tcase_create("death");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(
		tc, an_element_that_dies_is_named_with_code_last_line_and_log);
	tcase_add_test(tc, a_signal_that_ends_an_element_is_named);
	tcase_add_test(tc, a_runner_that_is_killed_leaves_no_process);
	suite_add_tcase(s, tc);

	tc = tcase_create("stop");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, an_element_that_will_not_end_is_killed_and_named);
	tcase_add_test(tc, an_element_that_ends_badly_is_named);
	tcase_add_test(tc,
		       one_that_is_stopped_before_it_is_ready_has_ended_well);
	tcase_add_test(
		tc,
		what_is_traced_while_it_drains_is_collected_to_the_last_line);
	suite_add_tcase(s, tc);

	return s;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	SRunner *runner;
	int failed;

	(void)argc;
	if (sim_actor_find(slash ? slash + 1 : argv[0]) >= 0)
		return stand_in(slash ? slash + 1 : argv[0]);

	runner = srunner_create(sim_super_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);

	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
