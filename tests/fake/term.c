#include "tests/fake/term.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/mem.h"
#include "tests/fake/proc.h"
#include "tests/patience.h"

enum { LOOKS_MAX = 6000, LOOK_MS = 20 };

static char *socket_path;
static char *screen;
static pid_t owner;

/* tmux's own words, after those that say which server; its output is the
 * caller's to free */
static char *tmux(const char *const *words)
{
	const char *argv[16] = { "tmux",      "-u", "-S",
				 socket_path, "-f", "/dev/null" };
	size_t n = 6;
	struct proc p;
	int code;

	while (*words && n < sizeof(argv) / sizeof(argv[0]) - 1)
		argv[n++] = *words++;
	argv[n] = NULL;
	proc_start(&p, argv);
	code = proc_wait_end(&p, PATIENCE_MS);
	ck_assert_msg(!code, "tmux %s: %s", argv[6], p.text);

	return p.text;
}

#define TMUX(...) free(tmux((const char *[]){ __VA_ARGS__, NULL }))

void term_end(void)
{
	if (!socket_path || getpid() != owner)
		return;

	TMUX("kill-server");
	(void)unlink(socket_path);
	free(socket_path);
	free(screen);
	socket_path = screen = NULL;
}

void term_start(int width, int height, const char *command)
{
	/* a test that fails ends at once: its server must do so on its own */
	char *line =
		xasprintf("exec timeout --foreground 600 sh -c 'trap : INT; "
			  "%s; echo code $?; exec cat >/dev/null'",
			  command);
	char columns[16], rows[16];

	ck_assert_ptr_null(socket_path);
	socket_path = xasprintf("%s/tmux", temp_dir());
	if (owner != getpid()) {
		owner = getpid();
		atexit(term_end);
	}
	(void)snprintf(columns, sizeof(columns), "%d", width);
	(void)snprintf(rows, sizeof(rows), "%d", height);
	TMUX("new-session", "-d", "-x", columns, "-y", rows, line);
	free(line);
}

void term_resize(int width, int height)
{
	char columns[16], rows[16];

	(void)snprintf(columns, sizeof(columns), "%d", width);
	(void)snprintf(rows, sizeof(rows), "%d", height);
	TMUX("resize-window", "-x", columns, "-y", rows);
}

void term_key(const char *name)
{
	TMUX("send-keys", name);
}

void term_type(const char *text)
{
	TMUX("send-keys", "-l", text);
}

static const char *wait_for(const char *needle, bool is_wanted)
{
	for (int i = 0; i < LOOKS_MAX; i++) {
		free(screen);
		screen = tmux((const char *[]){ "capture-pane", "-p", NULL });
		if ((strstr(screen, needle) != NULL) == is_wanted)
			return screen;
		(void)poll(NULL, 0, LOOK_MS);
	}
	ck_abort_msg("%s \"%s\" on the screen:\n%s", is_wanted ? "no" : "still",
		     needle, screen);
}

const char *term_wait(const char *needle)
{
	return wait_for(needle, true);
}

const char *term_wait_gone(const char *needle)
{
	return wait_for(needle, false);
}
