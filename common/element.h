/** @file element.h  What every process of the testbed has
 *
 * The loop, trace, log, control channel, hold queue, and the options that all
 * share (--ctl-fd, --log, --log-level, --trace, --timer, --reveal-tls-secrets,
 * --help). A role is given one when it is made, and keeps the pointer.
 */
#ifndef SIPSHARE_ELEMENT_H
#define SIPSHARE_ELEMENT_H

#include <jansson.h>

#include "common/ctl.h"

struct hold;
struct loop;
struct opt;
struct tls_secrets;
struct trace;

/** Shared by a process's parts. In tests several elements share one loop */
struct element {
	const char *name; /**< actor's name: "pcscf" */
	struct loop *loop;
	struct trace *trace;
	struct hold *hold;
	struct ctl *ctl;                 /**< NULL when started by hand */
	struct tls_secrets *tls_secrets; /**< NULL: not to be revealed */
};

/** Exit codes of every command */
enum { EXIT_PASS = 0, EXIT_FAIL = 1, EXIT_USAGE = 2, EXIT_START = 3 };

int element_new(struct element **elp, const char *name, const char *usage,
		const struct opt *opts, int *argcp, char **argv);
struct element *element_new_on(struct loop *loop, const char *name);
struct element *element_free(struct element *el);
void element_commands(struct element *el, const struct ctl_cmd *cmds,
		      void *arg);
void element_ready(struct element *el, json_t *addresses);
void element_on_term(struct element *el, void (*cb)(void *arg), void *arg);
void element_stop(struct element *el);
int element_run(struct element *el);
int element_fail_start(const struct element *el, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
