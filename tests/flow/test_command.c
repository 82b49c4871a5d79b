/* sipshare's command: up, what is wrong on its line, and where it finds what it
 * starts */
#include <errno.h>
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
#include "tests/fake/play.h"
#include "tests/suite.h"

/* An address of this test alone */
#define HOST "127.252.9.3"

/* --- up --- */

static void start_up(struct proc *p, const char *dir)
{
	proc_start(p,
		   (const char *[]){ PROC_SIPSHARE, "up", "--json", "--runs",
				     dir, "--users",
				     "+8657110000101-+8657110000103", "--pool",
				     "+8657110000001-+8657110000002", NULL });
	ck_assert_msg(proc_wait_text(p, "}\n", PATIENCE_MS), "%s",
		      play_tail(p));
}

static int pid_of(const json_t *up, const char *actor)
{
	json_t *e = json_object_get(json_object_get(up, "elements"), actor);

	return (int)json_integer_value(json_object_get(e, "pid"));
}

START_TEST(up_tells_addresses_and_users_and_ends_on_ctrl_c)
{
	const char *dir = temp_dir();
	struct proc *p = play_new();
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
	struct proc *p = play_new();

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
	struct proc *p = play_new();
	json_t *up;

	start_up(p, dir);
	up = proc_json(p, "{");
	ck_assert_int_gt(pid_of(up, "scscf"), 0);
	ck_assert_int_eq(kill(pid_of(up, "scscf"), SIGKILL), 0);
	ck_assert_int_eq(proc_wait_end(p, PATIENCE_MS), 1);
	play_expect_text(p, "scscf (pid ");
	play_expect_text(p, "was ended by signal 9");
	json_decref(up);
}
END_TEST

START_TEST(a_port_in_use_is_told_with_element_address_and_remedy)
{
	const char *dir = temp_dir();
	char base[16], at[64];
	struct addr addr;
	struct proc *p = play_new();
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(addr_parse(&addr, HOST ":0"), 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&addr.ss, addr.len),
			 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	addr_local(&addr, fd);
	snprintf(base, sizeof(base), "%d", addr_port(&addr));
	snprintf(at, sizeof(at), HOST ":%s", base);
	proc_start(p, (const char *[]){ PROC_SIPSHARE, "up", "--runs", dir,
					"--host", HOST, "--port-base", base,
					NULL });
	ck_assert_int_eq(proc_wait_end(p, PATIENCE_MS), 3);
	play_expect_text(p, "pcscf");
	play_expect_text(p, at);
	play_expect_text(p, "--port-base");
	close(fd);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

/** A command line that is wrong, and what is said */
static const struct {
	const char *argv[8];
	const char *needle;
} wrong[] = {
	{ { PROC_SIPSHARE, "fly", NULL }, "no command \"fly\"" },
	{ { PROC_SIPSHARE, "run", NULL }, "which scenario" },
	{ { PROC_SIPSHARE, "run", "/nowhere.lua", NULL }, "/nowhere.lua" },
	{ { PROC_SIPSHARE, "run", "--set", "x", "a.lua", NULL }, "NAME=VALUE" },
	{ { PROC_SIPSHARE, "run", "--policy", "x", "a.lua", NULL },
	  "round-robin" },
	{ { PROC_SIPSHARE, "up", "--users", "+1", NULL }, "FIRST-LAST" },
	{ { PROC_SIPSHARE, "up", "--users", "+19-+11", NULL }, "--users" },
	{ { PROC_SIPSHARE, "up", "--login", "x", NULL }, "NUMBER=SECRET" },
	{ { PROC_SIPSHARE, "up", "extra", NULL }, "extra" },
	{ { PROC_SIPSHARE, "view", NULL }, "which run" },
	{ { PROC_SIPSHARE, "view", "/nowhere", NULL }, "/nowhere" },
};

START_TEST(a_wrong_command_line_is_exit_code_2_and_a_sentence)
{
	struct proc *p = play_new();

	proc_start(p, wrong[_i].argv);
	ck_assert_msg(proc_wait_end(p, PATIENCE_MS) == 2, "%s", play_tail(p));
	play_expect_text(p, wrong[_i].needle);
}
END_TEST

START_TEST(every_command_has_a_help)
{
	static const char *const commands[] = { "run", "up", "steps", "view",
						"doctor" };
	struct proc *p;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		p = play_new();
		proc_start(p, (const char *[]){ PROC_SIPSHARE, commands[i],
						"--help", NULL });
		ck_assert_int_eq(proc_wait_end(p, PATIENCE_MS), 0);
		play_expect_text(p, "usage: sipshare ");
	}
	p = play_new();
	proc_start(p, (const char *[]){ PROC_SIPSHARE, "steps", NULL });
	ck_assert_int_eq(proc_wait_end(p, PATIENCE_MS), 0);
	play_expect_text(p, "S521");
}
END_TEST

/* As make install leaves it: the elements and scenarios/ beside it */
START_TEST(an_installed_sipshare_finds_elements_and_scenarios)
{
	static const char *const elements[] = { "hss",      "icscf",
						"scscf",    "pcscf",
						"platform", "appserver",
						"boss",     "terminal" };
	const char *dir = temp_dir();
	char *installed = xasprintf("%s/sipshare", dir), *file;
	char *scenarios = xasprintf("%s/scenarios", dir);
	char *here = getcwd(NULL, 0);
	struct proc *p = play_new();

	proc_start(p, (const char *[]){ "cp", PROC_SIPSHARE, dir, NULL });
	ck_assert_int_eq(proc_wait_end(p, PATIENCE_MS), 0);
	for (int i = 0; i < COUNT(elements); i++) {
		char *at = xasprintf("%s/%s", dir, elements[i]);
		char *to =
			xasprintf("%s/" BUILD_DIR "/bin/%s", here, elements[i]);

		ck_assert_int_eq(symlink(to, at), 0);
		free(at);
		free(to);
	}
	ck_assert_int_eq(mkdir(scenarios, 0755), 0);
	file = play_write_file(scenarios, "there.lua", "testbed{}\n");
	p = play_new();
	proc_start(p, (const char *[]){ installed, "run", "--runs", dir,
					"scenarios/there.lua", NULL });
	ck_assert_msg(proc_wait_end(p, PATIENCE_MS) == 0, "%s", p->text);
	play_expect_text(p, "PASS ");
	free(file);
	free(here);
	free(scenarios);
	free(installed);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("command");
	TCase *tc = tcase_create("up");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, up_tells_addresses_and_users_and_ends_on_ctrl_c);
	tcase_add_test(tc, up_that_is_killed_leaves_no_process);
	tcase_add_test(tc, an_element_that_dies_ends_up_and_is_named);
	tcase_add_test(tc,
		       a_port_in_use_is_told_with_element_address_and_remedy);
	suite_add_tcase(s, tc);

	tc = tcase_create("the command line");
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc,
			    a_wrong_command_line_is_exit_code_2_and_a_sentence,
			    0, COUNT(wrong));
	tcase_add_test(tc, every_command_has_a_help);
	tcase_add_test(tc, an_installed_sipshare_finds_elements_and_scenarios);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
