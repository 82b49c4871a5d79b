/** @file sim_fault.h  Faults that a scenario asks for, each at an exact point
 *
 * A fault strikes now, or at a line of an element's trace: at one of its
 * decisions, where the element halts itself (common/halt.h), or when it has
 * received a message and not yet acted on it (common/hold.h). Either way it is
 * struck where the scenario says, and not a moment later.
 */
#ifndef SIPSHARE_SIM_FAULT_H
#define SIPSHARE_SIM_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/ctl.h"
#include "sim/sim_super.h"

struct loop;
struct sim_faults;

enum sim_fault_kind {
	SIM_FAULT_KILL,  /**< SIGKILL */
	SIM_FAULT_PAUSE, /**< SIGSTOP, until sim_faults_resume() */
	SIM_FAULT_DROP,  /**< a received message is lost */
	SIM_FAULT_DELAY  /**< it is acted on later */
};

/** What strikes whom, and where; borrowed */
struct sim_fault {
	enum sim_fault_kind kind;
	enum sim_actor actor;
	/** Object; NULL: now (kill and pause). Either "event" and fields that
	 * it must have, or of a received message: "proto" ("sip", "http",
	 * "diameter"), "method", "status", "path", "text" (that stands in it),
	 * "user" (a real number: what it leases stands in it). */
	json_t *at;
	int count;        /**< it is the nth (event), or that many (message) */
	int64_t delay_ms; /**< of SIM_FAULT_DELAY */
};

enum sim_condition {
	SIM_IS_UP,
	SIM_IS_PAUSED,
	SIM_IS_DYING, /**< killed, but not yet reaped */
	SIM_IS_DOWN,
	SIM_IS_STARTING
};

/** What strikes with; arg is the owner's */
struct sim_fault_ops {
	int (*call)(enum sim_actor actor, const char *cmd, json_t *args,
		    ctl_answer_cb *cb, void *cb_arg, void *arg);
	void (*kill)(enum sim_actor actor, void *arg);
	int (*restart)(enum sim_actor actor, void *arg, char **reasonp);
	void (*pause)(enum sim_actor actor, bool is_paused, void *arg);
	/** An event for the trace; fields is stolen */
	void (*note)(const char *name, json_t *fields, void *arg);
	/** A held message may be acted on, in its turn: only if conducted */
	void (*let_go)(enum sim_actor actor, unsigned number, const char *what,
		       void *arg);
};

struct sim_faults *sim_faults_new(struct loop *loop,
				  const struct sim_fault_ops *ops, void *arg);
struct sim_faults *sim_faults_free(struct sim_faults *faults);
void sim_faults_conduct(struct sim_faults *faults);
int sim_faults_strike(struct sim_faults *faults, const struct sim_fault *fault,
		      char **reasonp);
int sim_faults_restart(struct sim_faults *faults, enum sim_actor actor,
		       char **reasonp);
int sim_faults_resume(struct sim_faults *faults, enum sim_actor actor,
		      char **reasonp);
bool sim_faults_is_set(const struct sim_faults *faults, enum sim_actor actor);
bool sim_faults_has_struck(const struct sim_faults *faults,
			   enum sim_actor actor);
int sim_faults_left(const struct sim_faults *faults, enum sim_actor actor);
unsigned sim_faults_deaths(const struct sim_faults *faults,
			   enum sim_actor actor);
enum sim_condition sim_faults_condition(const struct sim_faults *faults,
					enum sim_actor actor);

bool sim_faults_on_trace(struct sim_faults *faults, json_t *line);
void sim_faults_on_change(struct sim_faults *faults, enum sim_actor actor,
			  enum sim_change change);

#endif
