/** @file sim_lua.h  Scenarios: Lua 5.4, a coroutine a task, on the loop
 *
 * A scenario says what happens; its verbs wait for facts. It sees the bed and
 * a sandboxed base library: no files, no processes, no loading of code.
 */
#ifndef SIPSHARE_SIM_LUA_H
#define SIPSHARE_SIM_LUA_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/ctl.h"
#include "sim/sim_bed.h"
#include "sim/sim_net.h"

struct loop;
struct sim_faults;
struct sim_lua;

/** How a scenario ended */
enum sim_lua_end {
	SIM_LUA_PASS,
	SIM_LUA_FAIL,    /**< an expectation, a verb, a death, the time bound */
	SIM_LUA_ERROR,   /**< the scenario itself is wrong */
	SIM_LUA_NO_START /**< the testbed could not start */
};

/** What the engine asks of the run */
struct sim_lua_ops {
	/** testbed{}: take the plan over and start it; sim_lua_bed_ready()
	 * or sim_lua_abort() says how that went. 0, or at once a reason */
	int (*start)(struct sim_plan *plan, void *arg, char **reasonp);
	/** Send a command; args is stolen. 0, or cb is not called */
	int (*call)(enum sim_actor actor, const char *cmd, json_t *args,
		    ctl_answer_cb *cb, void *cb_arg, void *arg);
	/** Where an element listens, as a URI, once it has started */
	const char *(*uri)(enum sim_link link, void *arg);
	/** Write an event of the runner into the trace; fields is stolen */
	void (*note)(const char *name, json_t *fields, void *arg);
	/** The run's folder, once it has started */
	const char *(*dir)(void *arg);
	/** Who strikes with the faults it asks for, once it has started */
	struct sim_faults *(*faults)(void *arg);
	/** The scenario has ended, once; the engine is freed later */
	void (*done)(void *arg);
};

/** What to play; borrowed while the engine lives */
struct sim_lua_cfg {
	struct loop *loop;
	const char *file;
	json_t *params; /**< name to text, from the command line */
	int timeout_ms; /**< the scenario ends by then; 0: when it likes */
	int seed;       /**< what param("seed") gives; 0: nothing */
};

int sim_lua_new(struct sim_lua **lp, const struct sim_lua_cfg *cfg,
		const struct sim_lua_ops *ops, void *arg, char **reasonp);
struct sim_lua *sim_lua_free(struct sim_lua *lua);
void sim_lua_start(struct sim_lua *lua);
void sim_lua_bed_ready(struct sim_lua *lua);
void sim_lua_abort(struct sim_lua *lua, enum sim_lua_end end,
		   const char *reason);
void sim_lua_on_trace(struct sim_lua *lua);
void sim_lua_conduct(struct sim_lua *lua);
bool sim_lua_turn(struct sim_lua *lua, bool is_changed);

enum sim_lua_end sim_lua_result(const struct sim_lua *lua);
const char *sim_lua_reason(const struct sim_lua *lua);
const char *sim_lua_steps(const struct sim_lua *lua);
char *sim_lua_unread_params(const struct sim_lua *lua);

#endif
