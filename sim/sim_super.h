/** @file sim_super.h  The supervisor: starts, watches and stops the elements */
#ifndef SIPSHARE_SIM_SUPER_H
#define SIPSHARE_SIM_SUPER_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/ctl.h"

struct loop;
struct sim_net;
struct sim_super;

/** Domain and realm of the testbed */
#define SIM_REALM "ims.test"

enum sim_actor {
	SIM_HSS,
	SIM_ICSCF,
	SIM_SCSCF,
	SIM_PCSCF,
	SIM_PLATFORM,
	SIM_APPSERVER,
	SIM_APPSERVER2, /**< where two AS are asked for */
	SIM_BOSS,
	SIM_TERMINAL,
	SIM_ACTOR_COUNT
};

/** AS of a testbed at the most */
enum { SIM_APPSERVERS_MAX = 2 };

/** One more option for an element: --name value */
struct sim_extra {
	int actor; /**< of sim_actor, or -1: all of them */
	char *name;
	char *value;
};

/** What to start; everything is borrowed while the supervisor lives */
struct sim_super_cfg {
	struct loop *loop;
	const struct sim_net *net;
	const char *dir;    /**< the run's folder: logs, pki, pool file */
	const char *bin;    /**< folder of the programs */
	const char *policy; /**< of the platform; NULL: its default */
	const char *store;  /**< folder of the databases; NULL: in memory */
	int appservers;     /**< how many; 0: one */
	const struct sim_extra *extra;
	int extra_n;
	bool is_conducted; /**< what starts from now on finds our clock */
};

/** How one element has changed */
enum sim_change { SIM_WENT_DOWN, SIM_CAME_UP, SIM_HALTED };

/** What the owner is told, from the loop */
struct sim_super_ops {
	/** All listen; it took ready_us since the first was started */
	void (*ready)(int64_t ready_us, void *arg);
	/** A line of trace of any element; borrowed */
	void (*trace)(json_t *line, void *arg);
	/** One could not start, died, or did not end well: who and why */
	void (*failed)(const char *reason, void *arg);
	/** What was asked for by sim_super_kill() or sim_super_restart() is
	 * done, or it halted (common/halt.h) */
	void (*changed)(enum sim_actor actor, enum sim_change change,
			void *arg);
	/** After sim_super_stop(): all are gone, every trace line has come */
	void (*stopped)(void *arg);
};

const char *sim_actor_name(enum sim_actor actor);
const char *sim_actor_program(enum sim_actor actor);
int sim_actor_find(const char *name);
bool sim_actor_is_in(enum sim_actor actor, int appservers);

int sim_super_new(struct sim_super **sp, const struct sim_super_cfg *cfg,
		  const struct sim_super_ops *ops, void *arg, char **reasonp);
struct sim_super *sim_super_free(struct sim_super *super);
void sim_super_stop(struct sim_super *super);
bool sim_super_is_ended(const struct sim_super *super);

int sim_super_call(struct sim_super *super, enum sim_actor actor,
		   const char *cmd, json_t *args, ctl_answer_cb *cb, void *arg);
const json_t *sim_super_addresses(const struct sim_super *super,
				  enum sim_actor actor);
void sim_super_kill(struct sim_super *super, enum sim_actor actor);
int sim_super_restart(struct sim_super *super, enum sim_actor actor,
		      char **reasonp);
void sim_super_pause(struct sim_super *super, enum sim_actor actor,
		     bool is_paused);
int sim_super_pid(const struct sim_super *super, enum sim_actor actor);

#endif
