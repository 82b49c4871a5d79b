/* The control channel, and the byte stream below it */
#include "common/ctl.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/stream.h"
#include "tests/suite.h"

static struct {
	struct loop *loop;
	struct ctl *runner, *element;
	struct ctl_req *kept;
	char answer[128];
	int answers, lines, ends;
} t;

static void on_echo(struct ctl_req *req, json_t *args, void *arg)
{
	ck_assert_ptr_eq(arg, &t);
	ctl_ok(req, json_incref(args));
}

static void on_fail(struct ctl_req *req, json_t *args, void *arg)
{
	(void)args;
	(void)arg;
	ctl_fail(req, "no %s at %d", "luck", 7);
}

static void on_keep(struct ctl_req *req, json_t *args, void *arg)
{
	(void)args;
	(void)arg;
	t.kept = req;
}

static const struct ctl_cmd cmds[] = { { "echo", on_echo },
				       { "fail", on_fail },
				       { "keep", on_keep },
				       { NULL, NULL } };

static void on_line(json_t *msg, void *arg)
{
	(void)arg;
	t.lines++;
	ck_assert_ptr_nonnull(json_object_get(msg, "trace"));
}

static void on_end(void *arg)
{
	(void)arg;
	t.ends++;
}

static void on_answer(json_t *result, const char *error, void *arg)
{
	char *text = result ? json_dumps(result, JSON_COMPACT) : NULL;

	(void)arg;
	t.answers++;
	snprintf(t.answer, sizeof(t.answer), "%s", text ? text : error);
	free(text);
}

static void setup(void)
{
	int fds[2];

	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	t.runner = ctl_new(t.loop, fds[0]);
	t.element = ctl_new(t.loop, fds[1]);
	ctl_add_commands(t.element, cmds, &t);
	ctl_on_line(t.runner, on_line, NULL);
	ctl_on_end(t.runner, on_end, NULL);
}

static void teardown(void)
{
	ctl_free(t.runner);
	ctl_free(t.element);
	loop_free(t.loop);
}

static bool has_answers(const void *arg)
{
	return t.answers >= *(const int *)arg;
}

static void call(const char *cmd, json_t *args, const char *expected)
{
	int n = t.answers + 1;

	ctl_call(t.runner, cmd, args, on_answer, NULL);
	ck_assert(loop_run_until(t.loop, has_answers, &n, PATIENCE_MS));
	ck_assert_str_eq(t.answer, expected);
}

START_TEST(command_is_answered)
{
	call("echo", json_pack("{s:s}", "x", "y\n\""), "{\"x\":\"y\\n\\\"\"}");
	call("fail", NULL, "no luck at 7");
	call("nonsense", NULL, "no command \"nonsense\"");
}
END_TEST

static bool has_kept(const void *arg)
{
	(void)arg;

	return t.kept != NULL;
}

START_TEST(answers_may_come_late_and_in_any_order)
{
	int n = 2;

	ctl_call(t.runner, "keep", NULL, on_answer, NULL);
	ck_assert(loop_run_until(t.loop, has_kept, NULL, PATIENCE_MS));
	call("echo", NULL, "{}");
	ctl_ok(t.kept, json_pack("{s:i}", "late", 1));
	ck_assert(loop_run_until(t.loop, has_answers, &n, PATIENCE_MS));
	ck_assert_str_eq(t.answer, "{\"late\":1}");
}
END_TEST

START_TEST(end_of_the_process_answers_what_waits)
{
	int n = 1;

	ctl_call(t.runner, "keep", NULL, on_answer, NULL);
	ck_assert(loop_run_until(t.loop, has_kept, NULL, PATIENCE_MS));
	t.element = ctl_free(t.element);
	ck_assert(loop_run_until(t.loop, has_answers, &n, PATIENCE_MS));
	ck_assert_str_eq(t.answer, "the process ended");
	ck_assert_int_eq(t.ends, 1);
	ctl_ok(t.kept, NULL); /* its channel is gone: nothing happens */
}
END_TEST

static bool has_lines(const void *arg)
{
	return t.lines >= *(const int *)arg;
}

/* Far more than a socket's buffer holds */
START_TEST(many_lines_arrive_whole)
{
	int n = 5000;

	for (int i = 0; i < n; i++)
		ctl_tx_line(t.element, "trace", "{\"text\":\"0123456789\"}",
			    21);
	ck_assert(loop_run_until(t.loop, has_lines, &n, PATIENCE_MS));
	ck_assert_int_eq(t.lines, n);
}
END_TEST

START_TEST(line_that_is_no_json_is_passed_over)
{
	int fds[2], n = 1;
	struct ctl *victim;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	victim = ctl_new(t.loop, fds[0]);
	ctl_on_line(victim, on_line, NULL);
	ck_assert_int_eq(write(fds[1], "nonsense\n{\"trace\":1}\n", 21), 21);
	ck_assert(loop_run_until(t.loop, has_lines, &n, PATIENCE_MS));
	ctl_free(victim);
	close(fds[1]);
}
END_TEST

static Suite *ctl_suite(void)
{
	Suite *suite = suite_create("ctl");
	TCase *tc = tcase_create("ctl");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, command_is_answered);
	tcase_add_test(tc, answers_may_come_late_and_in_any_order);
	tcase_add_test(tc, end_of_the_process_answers_what_waits);
	tcase_add_test(tc, many_lines_arrive_whole);
	tcase_add_test(tc, line_that_is_no_json_is_passed_over);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(ctl_suite)
