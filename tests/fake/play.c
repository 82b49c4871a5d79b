#include "tests/fake/play.h"

#include <stdio.h>
#include <stdlib.h>

#include <sys/stat.h>

#include <check.h>

#include "common/mem.h"
#include "tests/suite.h"

struct proc *play_new(void)
{
	static struct proc procs[8];
	static size_t n;

	ck_assert_uint_lt(n, sizeof(procs) / sizeof(procs[0]));

	return &procs[n++];
}

char *play_write_file(const char *dir, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);

	return path;
}

void play_start(struct proc *p, const char *runs, const char *file,
		const char *option)
{
	proc_start(p, (const char *[]){ PROC_SIPSHARE, "run", "--no-colour",
					"--runs", runs, file, option, NULL });
}

const char *play_tail(const struct proc *p)
{
	enum { TAIL_LEN = 2000 };

	return p->len > TAIL_LEN ? p->text + p->len - TAIL_LEN : p->text;
}

void play_file(struct proc *p, const char *runs, const char *file, int code)
{
	int came;

	play_start(p, runs, file, NULL);
	came = proc_wait_end(p, PATIENCE_MS);
	ck_assert_msg(came == code, "exit code %d, not %d:\n%s", came, code,
		      play_tail(p));
}

void play_text(struct proc *p, const char *text, int code)
{
	const char *dir = temp_dir();
	char *file = play_write_file(dir, "s.lua", text);

	play_file(p, dir, file, code);
	free(file);
}

void play_expect_text(const struct proc *p, const char *needle)
{
	ck_assert_msg(strstr(p->text, needle) != NULL, "no \"%s\" in:\n%s",
		      needle, play_tail(p));
}

void play_expect_file(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct stat st;

	ck_assert_msg(!stat(path, &st) && st.st_size > 0, "%s", path);
	free(path);
}
