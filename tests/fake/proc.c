#include "tests/fake/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "common/mem.h"

extern char **environ;

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* posix_spawn() does not change them, but its prototype does not say so */
static char *const *mutable_argv(const char *const *argv)
{
	char *const *copy;

	memcpy(&copy, &argv, sizeof(copy));

	return copy;
}

void proc_start(struct proc *p, const char *const *argv)
{
	posix_spawn_file_actions_t actions;
	int fds[2], err;

	memset(p, 0, sizeof(*p));
	p->text = xstrdup("");
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 2);
	err = posix_spawnp(&p->pid, argv[0], &actions, NULL, mutable_argv(argv),
			   environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	p->out = fds[0];
	ck_assert_msg(!err, "%s: %s", argv[0], strerror(err));
}

/* false: end of output, or nothing came in time */
static bool read_more(struct proc *p, int64_t until_ms)
{
	struct pollfd pfd = { .fd = p->out, .events = POLLIN };
	int64_t left = until_ms - now_ms();
	char buf[4096];
	ssize_t n;

	if (left < 0 || poll(&pfd, 1, (int)left) <= 0)
		return false;

	n = read(p->out, buf, sizeof(buf));
	if (n <= 0)
		return false;

	p->text = xrealloc(p->text, p->len + (size_t)n + 1);
	memcpy(p->text + p->len, buf, (size_t)n);
	p->len += (size_t)n;
	p->text[p->len] = '\0';

	return true;
}

bool proc_wait_text(struct proc *p, const char *needle, int ms)
{
	int64_t until = now_ms() + ms;

	while (!strstr(p->text, needle))
		if (!read_more(p, until))
			return strstr(p->text, needle) != NULL;

	return true;
}

int proc_wait_end(struct proc *p, int ms)
{
	int64_t until = now_ms() + ms;
	int status = 0;
	pid_t got;

	while (read_more(p, until))
		;
	/* its output has ended, or time is up: bounded, without a sleep */
	do
		got = waitpid(p->pid, &status, WNOHANG);
	while (!got && now_ms() < until && !poll(NULL, 0, 1));
	if (!got) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, &status, 0);
		ck_abort_msg("process did not end within %d ms:\n%s", ms,
			     p->text);
	}
	close(p->out);

	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int proc_stop(struct proc *p, int signo)
{
	kill(p->pid, signo);

	return proc_wait_end(p, 60000);
}

json_t *proc_json(struct proc *p, const char *prefix)
{
	const char *line = strstr(p->text, prefix);
	const char *brace = line ? strchr(line, '{') : NULL;
	json_error_t error;
	json_t *json = NULL;

	if (brace)
		json = json_loads(brace, JSON_DISABLE_EOF_CHECK, &error);
	ck_assert_msg(json != NULL, "no \"%s{…}\" in:\n%s", prefix, p->text);

	return json;
}

static char dir[64];
static pid_t dir_owner;

static void remove_dir(void)
{
	const char *const argv[] = { "/bin/rm", "-rf", dir, NULL };
	pid_t pid;

	if (getpid() == dir_owner && !posix_spawn(&pid, argv[0], NULL, NULL,
						  mutable_argv(argv), environ))
		waitpid(pid, NULL, 0);
}

const char *temp_dir(void)
{
	if (dir_owner != getpid()) {
		snprintf(dir, sizeof(dir), "/tmp/sipshare-test-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(dir));
		dir_owner = getpid();
		atexit(remove_dir);
	}

	return dir;
}
