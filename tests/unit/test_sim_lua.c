/* The scenario engine over a testbed that answers as the test says */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "sim/sim_lua.h"
#include "tests/suite.h"

enum { CALLS_MAX = 64 };

/** A command that is answered on the next turn */
struct pending {
	ctl_answer_cb *cb;
	void *arg;
	json_t *result;
	char *error;
};

static struct {
	struct loop *loop;
	struct sim_lua *lua;
	struct sim_lua_cfg cfg;
	char dir[64], file[96];
	char *reason;
	char *calls[CALLS_MAX]; /* "boss sync {"by":"file"}" */
	int call_n;
	int looks; /* how often platform.uri was asked */
	bool is_started, is_done, is_never_ready;
	json_t *plan_users;
	char *policy, *timer;
	char *noted;
} t;

static void on_ready(void *arg)
{
	(void)arg;
	sim_lua_bed_ready(t.lua);
}

static int start(struct sim_plan *plan, void *arg, char **reasonp)
{
	(void)arg;
	t.is_started = true;
	if (plan->policy)
		t.policy = xstrdup(plan->policy);
	if (plan->extra_n)
		t.timer = xstrdup(plan->extra[0].value);
	if (t.is_never_ready) {
		*reasonp = xstrdup("hss: cannot start");
		return 1;
	}
	loop_defer(t.loop, on_ready, NULL);

	return 0;
}

static void answer(void *arg)
{
	struct pending *p = arg;

	sim_lua_on_trace(t.lua);
	p->cb(p->result, p->error, p->arg);
	json_decref(p->result);
	free(p->error);
	free(p);
}

static void decide(struct pending *p, const char *cmd, const json_t *args)
{
	const char *number = json_string_value(json_object_get(args, "number"));

	if (!strcmp(cmd, "login") && number && strstr(number, "999"))
		p->error = xstrdup("login refused by https://as: 401 wrong "
				   "secret");
	else if (!strcmp(cmd, "uri"))
		p->result = json_pack("{s:s}", "state",
				      ++t.looks < 5 ? "reclaiming" : "idle");
	else if (!strcmp(cmd, "state"))
		p->result = json_pack("{s:s}", "state", "registered");
	else if (!strcmp(cmd, "request_uri"))
		p->result = json_pack("{s:s, s:i}", "uri", "sip:1@ims.test",
				      "lease_id", 7);
	else if (!strcmp(cmd, "bindings"))
		p->result = json_pack("[{s:s}]", "number", "+86138");
	else
		p->result = json_object();
}

static int call(enum sim_actor actor, const char *cmd, json_t *args,
		ctl_answer_cb *cb, void *cb_arg, void *arg)
{
	struct pending *p = xcalloc(1, sizeof(*p));
	char *text = json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS);

	(void)arg;
	ck_assert_int_lt(t.call_n, CALLS_MAX);
	t.calls[t.call_n++] =
		xasprintf("%s %s %s", sim_actor_name(actor), cmd, text);
	free(text);
	p->cb = cb;
	p->arg = cb_arg;
	decide(p, cmd, args);
	json_decref(args);
	loop_defer(t.loop, answer, p);

	return 0;
}

static void note(const char *name, json_t *fields, void *arg)
{
	(void)arg;
	free(t.noted);
	t.noted = xasprintf("%s %s", name,
			    json_string_value(json_object_get(fields, "text")));
	json_decref(fields);
}

static const char *dir(void *arg)
{
	(void)arg;

	return t.dir;
}

static void done(void *arg)
{
	(void)arg;
	t.is_done = true;
}

static struct sim_faults *faults(void *arg)
{
	(void)arg;

	return NULL;
}

static const char *uri(enum sim_link link, void *arg)
{
	(void)arg;

	return link == SIM_APPSERVER2_HTTPS ? "https://127.1.2.4:8443" : "?";
}

static const struct sim_lua_ops ops = { start, call,   uri, note,
					dir,   faults, done };

static void setup(void)
{
	memset(&t, 0, sizeof(t));
	strcpy(t.dir, "/tmp/test_sim_lua_XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(t.dir));
	snprintf(t.file, sizeof(t.file), "%s/s.lua", t.dir);
	t.loop = loop_new();
	t.cfg = (struct sim_lua_cfg){ t.loop, t.file, json_object(), 5000, 0 };
}

static void teardown(void)
{
	char *rm = xasprintf("rm -r %s", t.dir);

	sim_lua_free(t.lua);
	loop_free(t.loop);
	json_decref(t.cfg.params);
	free(t.reason);
	free(t.policy);
	free(t.timer);
	free(t.noted);
	for (int i = 0; i < t.call_n; i++)
		free(t.calls[i]);
	ck_assert_int_eq(system(rm), 0); /* NOLINT: of mkdtemp() */
	free(rm);
}

static int load(const char *text)
{
	FILE *f = fopen(t.file, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);

	return sim_lua_new(&t.lua, &t.cfg, &ops, NULL, &t.reason);
}

static bool is_done(const void *arg)
{
	(void)arg;

	return t.is_done;
}

static enum sim_lua_end play(const char *text)
{
	ck_assert_msg(load(text) == 0, "%s", t.reason);
	sim_lua_start(t.lua);
	ck_assert(loop_run_until(t.loop, is_done, NULL, PATIENCE_MS));

	return sim_lua_result(t.lua);
}

static void expect_reason(const char *needle)
{
	const char *reason = sim_lua_reason(t.lua);

	ck_assert_ptr_nonnull(reason);
	ck_assert_msg(strstr(reason, needle), "no \"%s\" in: %s", needle,
		      reason);
}

static void expect_pass(const char *text)
{
	enum sim_lua_end end = play(text);

	ck_assert_msg(end == SIM_LUA_PASS, "%s", sim_lua_reason(t.lua));
}

#define BED "local bed = testbed{}\n"
#define ALICE BED "local alice = bed:terminal{number='+86138', secret='x'}\n"

/* --- verbs --- */

START_TEST(the_whole_example_of_the_design_plays)
{
	expect_pass(
		"local bed = testbed { policy = 'round-robin', max_use = 30 }\n"
		"bed.boss:open_accounts { first = '+1', last = '+5',\n"
		"  rule = 'sip:{number}@ims.test' }\n"
		"local alice = bed:terminal { number = '+86', secret = 's' }\n"
		"alice:login()\n"
		"local lease = alice:request_uri()\n"
		"alice:register()\n"
		"expect(alice.state).is 'registered'\n"
		"expect(alice.state):is('registered')\n"
		"alice:release()\n"
		"expect(function() return bed.platform:uri(lease.uri).state "
		"end):becomes('idle', 2)\n"
		"bed:expect_steps 'S401..S414, S501..S521'\n");
	ck_assert_str_eq(t.policy, "round-robin");
	ck_assert_str_eq(t.timer, "max-use=30000ms");
	ck_assert_str_eq(t.calls[0], "boss open_accounts {\"first\":\"+1\","
				     "\"last\":\"+5\",\"rule\":"
				     "\"sip:{number}@ims.test\"}");
	ck_assert_str_eq(t.calls[1], "appserver add_user {\"number\":\"+86\","
				     "\"secret\":\"s\"}");
	ck_assert_str_eq(t.calls[2], "terminal add {\"number\":\"+86\","
				     "\"secret\":\"s\"}");
	ck_assert_str_eq(t.calls[3], "terminal login {\"number\":\"+86\"}");
	ck_assert_int_ge(t.looks, 5);
	ck_assert_str_eq(sim_lua_steps(t.lua), "S401..S414, S501..S521");
}
END_TEST

START_TEST(a_terminal_logs_in_at_the_as_that_it_names)
{
	expect_pass("local bed = testbed{appservers=2}\n"
		    "bed:terminal{number='+86', secret='s', "
		    "appserver='appserver2'}\n"
		    "bed:terminal{number='+87', secret='s', "
		    "appserver='appserver'}\n"
		    "expect(bed.appserver2:bindings()[1].number).is '+86138'");
	ck_assert_str_eq(t.calls[0], "appserver2 add_user {\"number\":\"+86\","
				     "\"secret\":\"s\"}");
	ck_assert_str_eq(t.calls[1],
			 "terminal add {\"appserver\":\"https://127.1.2.4:8443"
			 "\",\"number\":\"+86\",\"secret\":\"s\"}");
	ck_assert_str_eq(t.calls[2], "appserver add_user {\"number\":\"+87\","
				     "\"secret\":\"s\"}");
	ck_assert_str_eq(t.calls[3], "terminal add {\"number\":\"+87\","
				     "\"secret\":\"s\"}");
	ck_assert_str_eq(t.calls[4], "appserver2 bindings {}");
}
END_TEST

START_TEST(an_unknown_terminal_is_not_told_to_the_as)
{
	expect_pass(BED "bed:terminal{number='+86', secret='s', "
			"unknown=true}");
	ck_assert_int_eq(t.call_n, 1);
	ck_assert_str_eq(t.calls[0], "terminal add {\"number\":\"+86\","
				     "\"secret\":\"s\"}");
}
END_TEST

START_TEST(a_terminal_is_told_whom_to_call_and_what_to_show)
{
	expect_pass(ALICE "alice:call('tel:+1')\n"
			  "alice:start_call{to='sip:b@c', display='+2'}\n"
			  "alice:answer_mode('ring')\n"
			  "alice:call_state()\n"
			  "alice:hangup()\n");
	ck_assert_str_eq(t.calls[2], "terminal call {\"number\":\"+86138\","
				     "\"to\":\"tel:+1\"}");
	ck_assert_str_eq(t.calls[3],
			 "terminal start_call {\"display\":\"+2\","
			 "\"number\":\"+86138\",\"to\":\"sip:b@c\"}");
	ck_assert_str_eq(t.calls[4], "terminal answer_mode {\"mode\":\"ring\","
				     "\"number\":\"+86138\"}");
	ck_assert_str_eq(t.calls[6], "terminal hangup {\"number\":\"+86138\"}");
}
END_TEST

START_TEST(a_list_of_accounts_is_written_to_a_file)
{
	char path[128], line[128];
	FILE *f;

	expect_pass(BED "bed.boss:open_accounts{ list = {\n"
			"{ number = '+1', uri = 'sip:a@ims.test' } } }");
	snprintf(path, sizeof(path), "%s/accounts-1.txt", t.dir);
	ck_assert_ptr_nonnull(strstr(t.calls[0], path));
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
	ck_assert_str_eq(line, "+1 sip:a@ims.test\n");
	fclose(f);
}
END_TEST

START_TEST(a_file_of_accounts_is_looked_for_beside_the_scenario)
{
	char path[128];

	expect_pass(BED "bed.boss:open_accounts{ file = 'list.txt' }");
	snprintf(path, sizeof(path), "%s/list.txt", t.dir);
	ck_assert_ptr_nonnull(strstr(t.calls[0], path));
}
END_TEST

START_TEST(tasks_run_beside_each_other_and_are_waited_for)
{
	expect_pass(ALICE "local n = 0\n"
			  "local function f() alice:login() n = n + 1 end\n"
			  "bed:parallel(f, f, f)\n"
			  "expect(n).is(3)\n"
			  "local h = bed:spawn(f) h:wait()\n"
			  "expect(n).is(4)\n"
			  "bed:spawn(f)\n");
	/* two calls to add the terminal, and one login a task */
	ck_assert_int_eq(t.call_n, 7);
}
END_TEST

START_TEST(parameters_come_from_the_command_line)
{
	char *unread;

	json_object_set_new(t.cfg.params, "n", json_string("4"));
	json_object_set_new(t.cfg.params, "typo", json_string("4"));
	expect_pass("expect(param('n', 1)).is(4)\n"
		    "expect(param('m', 'x')).is 'x'\n" BED);
	unread = sim_lua_unread_params(t.lua);
	ck_assert_str_eq(unread, "typo");
	free(unread);
}
END_TEST

START_TEST(results_are_lua_values_and_log_goes_to_the_trace)
{
	expect_pass(BED "expect(bed.appserver:bindings()[1].number).is "
			"'+86138'\n"
			"expect(bed.appserver:bindings()).is "
			"{{number='+86138'}}\n"
			"bed:log('half way')");
	ck_assert_str_eq(t.noted, "scenario.log half way");
}
END_TEST

/* --- failures --- */

START_TEST(an_expectation_that_fails_says_where_what_and_what_came)
{
	ck_assert_int_eq(play(ALICE "expect(alice.state).is 'idle'"),
			 SIM_LUA_FAIL);
	expect_reason("s.lua:3: expected \"idle\", but it is \"registered\"");
}
END_TEST

START_TEST(a_fact_that_does_not_come_fails_when_its_time_is_up)
{
	ck_assert_int_eq(play(BED "expect(function() return 1 end)"
				  ":becomes(2, 0.1)"),
			 SIM_LUA_FAIL);
	expect_reason("s.lua:2: expected to become 2 within 0.1 s, but it is "
		      "still 1");
}
END_TEST

START_TEST(a_verb_that_is_refused_fails_at_its_line)
{
	ck_assert_int_eq(play(BED "local b = bed:terminal{number='+999',"
				  "secret='wrong'}\nb:login()"),
			 SIM_LUA_FAIL);
	expect_reason("s.lua:3: login: login refused by https://as: 401 wrong "
		      "secret");
}
END_TEST

START_TEST(a_refusal_may_be_what_is_expected)
{
	expect_pass(BED "local b = bed:terminal{number='+999',secret='w'}\n"
			"local text = expect_error(function() b:login() end,"
			" '401 wrong secret')\n"
			"expect(text).matches('login refused')");
}
END_TEST

START_TEST(an_expected_error_that_does_not_come_is_a_failure)
{
	ck_assert_int_eq(play(ALICE "expect_error(function() alice:login() "
				    "end, '401')"),
			 SIM_LUA_FAIL);
	expect_reason("s.lua:3: expected an error that matches \"401\", but "
		      "there was none");
}
END_TEST

START_TEST(a_failure_in_a_task_beside_ends_the_run)
{
	ck_assert_int_eq(play(BED "bed:spawn(function() assert(false, "
				  "'oh') end)"),
			 SIM_LUA_FAIL);
	expect_reason("s.lua:2: oh");
}
END_TEST

START_TEST(a_death_is_told_with_the_line_that_waited)
{
	ck_assert_int_eq(load(ALICE "expect(function() return 1 end)"
				    ":becomes(2, 60)"),
			 0);
	sim_lua_start(t.lua);
	ck_assert(!loop_run_until(t.loop, is_done, NULL, 100));
	sim_lua_abort(t.lua, SIM_LUA_FAIL, "scscf died");
	ck_assert_int_eq(sim_lua_result(t.lua), SIM_LUA_FAIL);
	expect_reason("s.lua:3: scscf died");
}
END_TEST

START_TEST(a_testbed_that_cannot_start_is_told_apart)
{
	t.is_never_ready = true;
	ck_assert_int_eq(play(BED), SIM_LUA_NO_START);
	expect_reason("s.lua:1: hss: cannot start");
}
END_TEST

START_TEST(a_scenario_that_waits_for_ever_is_ended)
{
	t.cfg.timeout_ms = 100;
	ck_assert_int_eq(play(BED "expect(function() return 1 end)"
				  ":becomes(2, 600)"),
			 SIM_LUA_FAIL);
	expect_reason("s.lua:2: the scenario did not end within 0.1 s");
}
END_TEST

START_TEST(a_scenario_that_never_waits_is_ended_too)
{
	t.cfg.timeout_ms = 100;
	ck_assert_int_eq(play("while true do end"), SIM_LUA_FAIL);
	expect_reason("s.lua:1: the scenario did not end");
}
END_TEST

/* --- scenarios that are wrong --- */

START_TEST(a_syntax_error_names_file_and_line_before_anything_runs)
{
	ck_assert_int_ne(load("local a = 1\nlocal = 2\n"), 0);
	ck_assert_msg(strstr(t.reason, "s.lua:2:"), "%s", t.reason);
	ck_assert(!t.is_started);
}
END_TEST

START_TEST(a_missing_file_is_named)
{
	strcpy(t.file, "/nowhere/s.lua");
	ck_assert_int_ne(sim_lua_new(&t.lua, &t.cfg, &ops, NULL, &t.reason), 0);
	ck_assert_msg(strstr(t.reason, "/nowhere/s.lua"), "%s", t.reason);
}
END_TEST

/** A wrong line, and what its message must hold */
static const struct {
	const char *text, *needle;
} wrong[] = {
	{ "testbd{}", "did you mean 'testbed'?" },
	{ "testbed{polcy='x'}", "no option 'polcy'; did you mean 'policy'?" },
	{ "testbed{policy='round_robin'}", "did you mean 'round-robin'?" },
	{ "testbed{max_use='1'}", "'max_use' must be a number" },
	{ "testbed{number_policy='refused'}", "did you mean 'refuse'?" },
	{ "testbed{timers={cx_anser=1}}", "did you mean 'cx-answer'?" },
	{ "testbed{options={hhs={a=1}}}", "did you mean 'hss'?" },
	{ "testbed{appservers=0}",
	  "s.lua:1: testbed: appservers must be 1 or 2" },
	{ "testbed{appservers=3}",
	  "s.lua:1: testbed: appservers must be 1 or 2" },
	{ "testbed{appservers=1.5}", "appservers must be 1 or 2" },
	{ "testbed{appservers='two'}",
	  "s.lua:1: testbed: 'appservers' must be a number, not string" },
	{ "testbed{options={appserver2={a=1}}}",
	  "no 'appserver2' without testbed{ appservers = 2 }" },
	{ "testbed(7)", "needs a table of options" },
	{ BED "testbed{}", "a scenario has one testbed" },
	{ BED "bed.bos:sync{by='file'}", "has no 'bos'; did you mean 'boss'?" },
	{ BED "bed.boss:sinc{by='file'}", "did you mean 'sync'?" },
	{ BED "bed.boss:sync{bye='file'}", "did you mean 'by'?" },
	{ BED "bed.boss:sync{}", "needs the option 'by'" },
	{ BED "bed.boss.sync{by='file'}", "called with a colon" },
	{ BED "bed.boss:open_accounts{first='+1'}", "needs one of" },
	{ BED "bed.platform:uri()", "string expected" },
	{ BED "bed:terminal{number='+1'}", "needs the option 'secret'" },
	{ BED "bed:terminal{number=1, secret='x'}", "must be a string" },
	{ BED "bed.appserver2:bindings()",
	  "has no 'appserver2'; did you mean 'appserver'?" },
	{ BED "bed:terminal{number='+1', secret='x', appserver='appserver2'}",
	  "s.lua:2: terminal: there is no 'appserver2' without" },
	{ BED "bed:terminal{number='+1', secret='x', appserver='hss'}",
	  "terminal: 'hss' is no application server" },
	{ BED "bed:terminal{number='+1', secret='x', appserver='as'}",
	  "there is no element 'as'" },
	{ BED "bed:expect_steps 'S499'", "S499" },
	{ ALICE "alice:logn()", "did you mean 'login'?" },
	{ ALICE "alice:login('x')", "takes no arguments" },
	{ ALICE "alice:call()", "call needs its 'to', a string, not nil" },
	{ ALICE "alice:call{too='x'}", "did you mean 'to'?" },
	{ ALICE "alice:answer_mode{}",
	  "needs its 'mode', a string, not table" },
	{ ALICE "alice:hangup(1)", "hangup takes no arguments" },
	{ ALICE "expect(1).iss(1)", "did you mean 'is'?" },
	{ ALICE "expect(alice.login).is(1)", "becomes" },
	{ ALICE "expect(1):becomes(1, 1)", "needs a function" },
	{ "os.execute('true')", "no 'os'" },
	{ "io.popen('true')", "no 'io'" },
	{ "load('x')", "no 'load'" },
	{ "require 'x'", "no 'require'" },
	{ "string.rep('x', 1e9)", "not enough memory" },
	{ "local x = nil; x()", "attempt to call a nil value" },
};

START_TEST(a_wrong_line_is_an_error_that_says_what_was_meant)
{
	ck_assert_int_eq(play(wrong[_i].text), SIM_LUA_ERROR);
	expect_reason(wrong[_i].needle);
	if (strncmp(wrong[_i].needle, "not enough", 10) != 0)
		expect_reason("s.lua:");
}
END_TEST

static Suite *sim_lua_suite(void)
{
	Suite *s = suite_create("sim_lua");
	TCase *tc = tcase_create("verbs");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_whole_example_of_the_design_plays);
	tcase_add_test(tc, a_terminal_logs_in_at_the_as_that_it_names);
	tcase_add_test(tc, an_unknown_terminal_is_not_told_to_the_as);
	tcase_add_test(tc, a_terminal_is_told_whom_to_call_and_what_to_show);
	tcase_add_test(tc, a_list_of_accounts_is_written_to_a_file);
	tcase_add_test(tc,
		       a_file_of_accounts_is_looked_for_beside_the_scenario);
	tcase_add_test(tc, tasks_run_beside_each_other_and_are_waited_for);
	tcase_add_test(tc, parameters_come_from_the_command_line);
	tcase_add_test(tc, results_are_lua_values_and_log_goes_to_the_trace);
	suite_add_tcase(s, tc);

	tc = tcase_create("failures");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
		       an_expectation_that_fails_says_where_what_and_what_came);
	tcase_add_test(tc, a_fact_that_does_not_come_fails_when_its_time_is_up);
	tcase_add_test(tc, a_verb_that_is_refused_fails_at_its_line);
	tcase_add_test(tc, a_refusal_may_be_what_is_expected);
	tcase_add_test(tc, an_expected_error_that_does_not_come_is_a_failure);
	tcase_add_test(tc, a_failure_in_a_task_beside_ends_the_run);
	tcase_add_test(tc, a_death_is_told_with_the_line_that_waited);
	tcase_add_test(tc, a_testbed_that_cannot_start_is_told_apart);
	tcase_add_test(tc, a_scenario_that_waits_for_ever_is_ended);
	tcase_add_test(tc, a_scenario_that_never_waits_is_ended_too);
	suite_add_tcase(s, tc);

	tc = tcase_create("wrong scenarios");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
		       a_syntax_error_names_file_and_line_before_anything_runs);
	tcase_add_test(tc, a_missing_file_is_named);
	tcase_add_loop_test(tc,
			    a_wrong_line_is_an_error_that_says_what_was_meant,
			    0, (int)(sizeof(wrong) / sizeof(wrong[0])));
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(sim_lua_suite)
