/** @file play.h  sipshare, started by a test: scenarios and what comes of them
 */
#ifndef SIPSHARE_TESTS_PLAY_H
#define SIPSHARE_TESTS_PLAY_H

#include "tests/fake/proc.h"

/** Reachable to the end of the test, as its output is */
struct proc *play_new(void);
/** Its path, the caller's to free */
char *play_write_file(const char *dir, const char *name, const char *text);
/** sipshare run --runs RUNS FILE OPTION; option NULL: none */
void play_start(struct proc *p, const char *runs, const char *file,
		const char *option);
/** Play a file to its end: its exit code must be code */
void play_file(struct proc *p, const char *runs, const char *file, int code);
/** Play a scenario given as text, s.lua */
void play_text(struct proc *p, const char *text, int code);
/** What fits into a failed test's message: the verdict is at the end */
const char *play_tail(const struct proc *p);
void play_expect_text(const struct proc *p, const char *needle);
void play_expect_file(const char *dir, const char *name);

#endif
