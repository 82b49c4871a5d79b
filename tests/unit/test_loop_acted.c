/* What an element does counts, whenever it came: also between its look at what
 * is ready and the libraries' own, with a question of the runner's beside it */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sofia-sip/su_wait.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "common/conduct.h"
#include "common/ctl.h"
#include "common/hold.h"
#include "common/loop.h"
#include "common/trace.h"
#include "tests/suite.h"

/** Reads a byte from its own end of a pair */
struct reader {
	int fd, other_fd, n;
	struct loop_watch *watch; /* libevent's; NULL: it is sofia's */
	su_wait_t wait;
};

static struct {
	struct loop *loop;
	struct ctl *element;
	struct trace *trace;
	struct hold *hold;
	struct conduct *conduct;
	struct reader readers[2];
	int runner_fd;
	char line[512];
	int looks, come_after; /* looks that see a question; 0: comes never */
	struct reader *comes_to;
} t;

/* In libc's stead, for us and for both libraries */
int epoll_wait(int epfd, struct epoll_event *events, int max, int timeout_ms)
{
	int n = (int)syscall(SYS_epoll_pwait, epfd, events, max, timeout_ms,
			     NULL, 0);

	for (int i = 0; t.come_after && i < n; i++) {
		if (events[i].data.fd != ctl_fd(t.element) ||
		    !(events[i].events & EPOLLIN) || ++t.looks != t.come_after)
			continue;
		t.come_after = 0;
		ck_assert_int_eq(write(t.comes_to->other_fd, "x", 1), 1);
	}

	return n;
}

static void on_readable(void *arg)
{
	struct reader *r = arg;
	char c;

	ck_assert_int_eq(read(r->fd, &c, 1), 1);
	r->n++;
}

static int on_wait(su_root_magic_t *magic, su_wait_t *wait,
		   su_wakeup_arg_t *arg)
{
	(void)magic;
	(void)wait;
	on_readable(arg);

	return 0;
}

static void on_act(struct ctl_req *req, json_t *args, void *arg)
{
	(void)args;
	(void)arg;
	ctl_ok(req, NULL);
}

static const struct ctl_cmd cmds[] = { { "act", on_act }, { NULL, NULL } };

static void reader_open(struct reader *r)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	r->fd = pair[0];
	r->other_fd = pair[1];
}

static void reader_close(struct reader *r)
{
	close(r->fd);
	close(r->other_fd);
}

static void setup(void)
{
	int pair[2];

	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	t.runner_fd = pair[0];
	t.element = ctl_new(t.loop, pair[1]);
	ctl_add_commands(t.element, cmds, NULL);
	t.trace = trace_new("hss");
	t.hold = hold_new(t.trace);
	t.conduct = conduct_new(t.loop, t.element, t.hold);
	reader_open(&t.readers[0]);
	t.readers[0].watch = loop_watch_fd(t.loop, t.readers[0].fd, LOOP_READ,
					   on_readable, &t.readers[0]);
	reader_open(&t.readers[1]);
	su_wait_create(&t.readers[1].wait, t.readers[1].fd, SU_WAIT_IN);
	ck_assert_int_ge(su_root_register(loop_root(t.loop), &t.readers[1].wait,
					  on_wait,
					  (su_wakeup_arg_t *)&t.readers[1], 0),
			 0);
}

static void teardown(void)
{
	loop_unwatch(t.readers[0].watch);
	su_root_unregister(loop_root(t.loop), &t.readers[1].wait, on_wait,
			   (su_wakeup_arg_t *)&t.readers[1]);
	reader_close(&t.readers[0]);
	reader_close(&t.readers[1]);
	conduct_free(t.conduct);
	hold_free(t.hold);
	trace_free(t.trace);
	ctl_free(t.element);
	close(t.runner_fd);
	loop_free(t.loop);
}

static bool has_said(const void *arg)
{
	size_t len = strlen(t.line);
	ssize_t n = recv(t.runner_fd, t.line + len, sizeof(t.line) - 1 - len,
			 MSG_DONTWAIT);

	if (n > 0)
		t.line[len + (size_t)n] = '\0';

	return strstr(t.line, arg);
}

static void tell(const char *line)
{
	ck_assert_int_eq(write(t.runner_fd, line, strlen(line)),
			 (ssize_t)strlen(line));
}

/* As the runner does, which is in a loop of its own */
static long long ask(void)
{
	*t.line = '\0';
	tell("{\"id\":1,\"cmd\":\"conduct\",\"args\":{\"clock_us\":0}}\n");
	ck_assert_msg(loop_run_until(t.loop, has_said, "acted", PATIENCE_MS),
		      "said is \"%s\"", t.line);

	return strtoll(strstr(t.line, "acted") + strlen("acted\":"), NULL, 10);
}

/* The count when nothing is left to do; the first question takes the clock
 * over, which counts */
static long long settle(void)
{
	(void)ask();

	return ask();
}

START_TEST(questions_alone_count_nothing)
{
	long long acted = settle();

	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(ask(), acted);
}
END_TEST

/* _i: who reads, and after which look it comes */
START_TEST(what_comes_beside_a_question_counts)
{
	long long acted = settle();

	t.comes_to = &t.readers[_i % 2];
	t.come_after = 1 + _i / 2;
	ck_assert_int_gt(ask(), acted);
	ck_assert_int_eq(t.come_after, 0);
	ck_assert_int_eq(t.comes_to->n, 1);
	acted = ask();
	ck_assert_int_eq(ask(), acted);
}
END_TEST

static bool has_read(const void *arg)
{
	return ((const struct reader *)arg)->n > 0;
}

START_TEST(what_comes_alone_counts)
{
	struct reader *r = &t.readers[_i];
	long long acted = settle();

	ck_assert_int_eq(write(r->other_fd, "x", 1), 1);
	ck_assert(loop_run_until(t.loop, has_read, r, PATIENCE_MS));
	ck_assert_int_gt(ask(), acted);
}
END_TEST

START_TEST(command_beside_a_question_counts)
{
	long long acted = settle();

	tell("{\"id\":2,\"cmd\":\"act\"}\n");
	ck_assert_int_gt(ask(), acted);
}
END_TEST

static Suite *loop_acted_suite(void)
{
	Suite *suite = suite_create("loop_acted");
	TCase *tc = tcase_create("acted");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, questions_alone_count_nothing);
	tcase_add_loop_test(tc, what_comes_beside_a_question_counts, 0, 6);
	tcase_add_loop_test(tc, what_comes_alone_counts, 0, 2);
	tcase_add_test(tc, command_beside_a_question_counts);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(loop_acted_suite)
