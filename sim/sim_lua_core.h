/** @file sim_lua_core.h  What the engine's own files share */
#ifndef SIPSHARE_SIM_LUA_CORE_H
#define SIPSHARE_SIM_LUA_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lauxlib.h>
#include <lua.h>

#include "sim/sim_lua.h"

/** What a task waits for */
enum wait {
	WAIT_NOTHING,
	WAIT_BED,
	WAIT_CALL,
	WAIT_FACT,
	WAIT_TASK,
	WAIT_TURN /**< for nothing any more, but for sim_lua_turn() */
};

#define TASK_NO_BOUND INT64_MAX

/** One coroutine of the scenario; owned by the engine's list */
struct task {
	struct task *next;
	struct sim_lua *lua;
	lua_State *co;
	int ref; /* keeps co from being collected */
	unsigned id;
	enum wait wait;
	const char *verb;    /* of WAIT_CALL: the command, static */
	struct timer *timer; /* of WAIT_FACT */

	/* while conducted */
	int nargs;       /* of WAIT_TURN: results on its stack */
	unsigned looked; /* of WAIT_FACT: in which round */
	bool is_looking; /* whether its fact has come */
	int64_t rest_us; /* it does not look again before that time */
};

/** The engine, owned by the run */
struct sim_lua {
	const struct sim_lua_cfg *cfg;
	const struct sim_lua_ops *ops;
	void *arg;
	lua_State *L;
	size_t used; /* bytes of Lua's */
	struct task *tasks;
	unsigned last_id;
	unsigned trace_count; /* lines so far */
	int64_t deadline_us;  /* by the machine's clock */
	struct timer *bound;
	bool has_bed, is_over, is_conducted;
	unsigned round;       /* while conducted: grows when anything happens */
	struct sim_plan plan; /* of testbed{} */
	int list_n;           /* account lists written */
	json_t *read_params;
	char *steps;  /* all that was expected, by commas; NULL: none */
	char *failed; /* what the last verb or expectation that failed said */
	char *reason;
	enum sim_lua_end end;
};

/** One key of a table of options */
struct sim_key {
	const char *name;
	int type; /* LUA_T… */
	bool is_required;
};

enum { HINT_LEN = 80 };

/** Looks for the word nearest to a misspelt one */
struct sim_near {
	const char *word;
	char best[48];
	int distance;
};

/* sim_lua.c */
void sim_lua_finish(struct sim_lua *lua, enum sim_lua_end end, char *reason);

/* sim_lua_task.c */
struct task *task_of(lua_State *L);
struct task *task_find(const struct sim_lua *lua, unsigned id);
struct task *task_new(struct sim_lua *lua);
void task_end(struct task *task);
void task_go_on(struct task *task, int nargs);
void tasks_wake(struct sim_lua *lua, enum wait what);
void task_look(struct task *task);
void task_fact_came(struct task *task);
int task_raise(lua_State *L, int level);
bool task_is_over(const struct sim_lua *lua, unsigned id);
int task_wait_fact(struct task *task, int64_t bound_us, lua_KContext ctx,
		   lua_KFunction k);
int task_fail(lua_State *L, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int task_call(lua_State *L, enum sim_actor actor, const char *cmd, json_t *args,
	      lua_KFunction k);

/* sim_lua_args.c */
void near_start(struct sim_near *near, const char *word);
void near_try(struct sim_near *near, const char *candidate);
const char *near_hint(struct sim_near *near, char *text, size_t room);
void check_keys(lua_State *L, int index, const char *what,
		const struct sim_key *keys);
int strict_index(lua_State *L);
enum sim_actor check_actor(lua_State *L, const char *name, const char *what);
void push_json(lua_State *L, const json_t *json);
json_t *to_json(lua_State *L, int index, int depth);

/* sim_lua_plan.c */
void plan_from_table(lua_State *L, int index, struct sim_plan *plan);

/* sim_lua_verbs.c: what an element or a terminal can be told */
void check_self(lua_State *L, const char *name);
void set_strict(lua_State *L, const char *what, lua_CFunction index);
void push_actor(lua_State *L, int actor);
int bed_terminal(lua_State *L);
int bed_account(lua_State *L);

/* sim_lua_faults.c */
void push_faults(lua_State *L);

/* sim_lua_bed.c, sim_lua_expect.c: the names a scenario begins with */
void bed_open(lua_State *L);
void expect_open(lua_State *L);

#endif
