/** @file proc.h  A real process under test, seen from outside
 *
 * Blocking, with bounds: the test is no part of what it looks at.
 */
#ifndef SIPSHARE_TESTS_PROC_H
#define SIPSHARE_TESTS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

/** A started process; its output is read as it comes */
struct proc {
	pid_t pid;
	int out; /**< its stdout and stderr, one pipe */
	char *text;
	size_t len;
};

/** The program under test */
#define PROC_SIPSHARE (BUILD_DIR "/bin/sipshare")

/** argv ends with NULL; argv[0] is a path, or a name in PATH. Ends the test if
 * it cannot start */
void proc_start(struct proc *p, const char *const *argv);
/** Wait until the output holds needle; false when it ended or ms passed */
bool proc_wait_text(struct proc *p, const char *needle, int ms);
/** Wait for the end; gives its exit code, or 128 + the signal. Ends the test,
 * with the output, if it does not end within ms */
int proc_wait_end(struct proc *p, int ms);
/** Signal, then proc_wait_end() */
int proc_stop(struct proc *p, int signo);
/** The first {…} of the output's line that begins with prefix; the caller's */
json_t *proc_json(struct proc *p, const char *prefix);
/** A fresh folder below /tmp, removed when the test process ends */
const char *temp_dir(void);

#endif
