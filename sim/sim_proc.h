/** @file sim_proc.h  One element as a process, with its control channel
 *
 * It cannot outlive the runner: the kernel kills it when the runner dies, and
 * it ends by itself when the channel closes.
 */
#ifndef SIPSHARE_SIM_PROC_H
#define SIPSHARE_SIM_PROC_H

#include <stdbool.h>

#include <jansson.h>

#include "common/ctl.h"

struct loop;
struct sim_proc;

/** What happens to a process; msg is borrowed */
struct sim_proc_ops {
	/** It listens; its addresses are sim_proc_addresses() */
	void (*ready)(struct sim_proc *proc, void *arg);
	/** One line of its trace */
	void (*trace)(struct sim_proc *proc, json_t *msg, void *arg);
	/** It stopped where common/halt.h was told to */
	void (*halted)(struct sim_proc *proc, void *arg);
	/** It is gone and its channel has been read to the end. Once */
	void (*end)(struct sim_proc *proc, void *arg);
};

/** What to start. Strings are borrowed until sim_proc_new() returns */
struct sim_proc_cfg {
	const char *name;  /**< actor's name */
	const char *path;  /**< of the program */
	char *const *argv; /**< NULL at the end; [0] is the program's name;
				--ctl-fd 3 is the caller's to give */
	const char *log;   /**< its stdout and stderr, appended */
};

/** The descriptor that a child finds its control channel at */
enum { SIM_PROC_CTL_FD = 3 };

int sim_proc_new(struct sim_proc **pp, struct loop *loop,
		 const struct sim_proc_cfg *cfg, const struct sim_proc_ops *ops,
		 void *arg, char **reasonp);
struct sim_proc *sim_proc_free(struct sim_proc *proc);
int sim_proc_call(struct sim_proc *proc, const char *cmd, json_t *args,
		  ctl_answer_cb *cb, void *arg);
void sim_proc_signal(const struct sim_proc *proc, int signo);

const char *sim_proc_name(const struct sim_proc *proc);
int sim_proc_pid(const struct sim_proc *proc);
bool sim_proc_is_ready(const struct sim_proc *proc);
bool sim_proc_is_ended(const struct sim_proc *proc);
bool sim_proc_is_good(const struct sim_proc *proc);
const json_t *sim_proc_addresses(const struct sim_proc *proc);
char *sim_proc_why(const struct sim_proc *proc);

#endif
