#include "sim/sim_lua.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <lualib.h>

#include "common/clock.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "sim/sim_fault.h"
#include "sim/sim_lua_core.h"

enum { MEMORY_MAX = 256 << 20, HOOK_EVERY = 100000 };

/** A command that waits for its answer: by id, as its task may be gone */
struct answer {
	struct sim_lua *lua;
	unsigned task;
	enum sim_actor actor;
};

/* Lua's memory is bounded, so that a scenario cannot take the machine down */
static void *allocate(void *ud, void *p, size_t old, size_t size)
{
	struct sim_lua *lua = ud;

	old = p ? old : 0;
	if (size > old && lua->used + size - old > MEMORY_MAX)
		return NULL;
	lua->used += size - old;
	if (size)
		return xrealloc(p, size);
	free(p);

	return NULL;
}

/* "scenarios/patent.lua:12", of the scenario's line that L is at */
static char *where(lua_State *L)
{
	lua_Debug ar;

	for (int level = 0; lua_getstack(L, level, &ar); level++)
		if (lua_getinfo(L, "Sl", &ar) && ar.currentline > 0)
			return xasprintf("%s:%d", ar.short_src, ar.currentline);

	return xstrdup("the scenario's end");
}

/** The scenario has ended; takes reason over. What comes after the first end
 * does not count */
void sim_lua_finish(struct sim_lua *lua, enum sim_lua_end end, char *reason)
{
	if (lua->is_over) {
		free(reason);
		return;
	}
	lua->is_over = true;
	lua->end = end;
	lua->reason = reason;
	timer_stop(lua->bound);
	for (struct task *t = lua->tasks; t; t = t->next)
		if (t->timer)
			timer_stop(t->timer);
	lua->ops->done(lua->arg);
}

/* By the scenario itself, that is */
static bool was_killed(const struct sim_lua *lua, enum sim_actor actor)
{
	const struct sim_faults *faults = lua->ops->faults(lua->arg);

	return faults && sim_faults_condition(faults, actor) >= SIM_IS_DYING;
}

static void on_answer(json_t *result, const char *error, void *arg)
{
	struct answer *answer = arg;
	struct sim_lua *lua = answer->lua;
	struct task *task = task_find(lua, answer->task);
	enum sim_actor actor = answer->actor;

	free(answer);
	if (!task || lua->is_over || task->wait != WAIT_CALL)
		return;
	if (error && !strcmp(error, "the process ended")) {
		/* of itself: the supervisor says why, by sim_lua_abort() */
		if (!was_killed(lua, actor))
			return;
		error = "it was killed in the meantime";
	}

	if (error)
		lua_pushnil(task->co);
	else
		push_json(task->co, result);
	lua_pushstring(task->co, error);
	task_go_on(task, 2);
}

/**
 * Send a command to an element and yield till its answer
 *
 * @param cmd  Static; error messages name it
 * @param args Stolen
 * @param k    Goes on with two more values on the stack: the result, and nil
 *             or why it failed
 */
int task_call(lua_State *L, enum sim_actor actor, const char *cmd, json_t *args,
	      lua_KFunction k)
{
	struct task *task = task_of(L);
	struct sim_lua *lua = task->lua;
	struct answer *answer = xcalloc(1, sizeof(*answer));

	answer->lua = lua;
	answer->task = task->id;
	answer->actor = actor;
	if (lua->ops->call(actor, cmd, args, on_answer, answer, lua->arg)) {
		free(answer);
		return task_fail(L, "%s is gone", sim_actor_name(actor));
	}
	task->wait = WAIT_CALL;
	task->verb = cmd;

	return lua_yieldk(L, 0, 0, k);
}

static const char *push_late(lua_State *L, const struct sim_lua *lua)
{
	return lua_pushfstring(L,
			       "the scenario did not end within %f s "
			       "(--timeout)",
			       lua->cfg->timeout_ms / 1000.0);
}

/* A loop that never waits would never come back to ours */
static void on_hook(lua_State *L, lua_Debug *ar)
{
	const struct sim_lua *lua = task_of(L)->lua;

	(void)ar;
	if (!lua->cfg->timeout_ms || clock_real_us() <= lua->deadline_us)
		return;

	push_late(L, lua);
	task_raise(L, 0);
}

static void on_bound(void *arg)
{
	struct sim_lua *lua = arg;

	sim_lua_abort(lua, SIM_LUA_FAIL, push_late(lua->L, lua));
	lua_pop(lua->L, 1);
}

/* base, string, table, math, utf8; nothing that reads files or loads code */
static void open_sandbox(lua_State *L)
{
	static const luaL_Reg libs[] = {
		{ LUA_GNAME, luaopen_base },
		{ LUA_STRLIBNAME, luaopen_string },
		{ LUA_TABLIBNAME, luaopen_table },
		{ LUA_MATHLIBNAME, luaopen_math },
		{ LUA_UTF8LIBNAME, luaopen_utf8 },
	};
	static const char *const gone[] = { "dofile", "loadfile", "load",
					    "collectgarbage" };

	for (size_t i = 0; i < sizeof(libs) / sizeof(libs[0]); i++) {
		luaL_requiref(L, libs[i].name, libs[i].func, 1);
		lua_pop(L, 1);
	}
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		lua_pushnil(L);
		lua_setglobal(L, gone[i]);
	}
}

/* Runs protected: the libraries may run out of memory */
static int open_all(lua_State *L)
{
	open_sandbox(L);
	bed_open(L);
	expect_open(L);
	/* a misspelt name is an error where it stands, not a nil later */
	lua_pushglobaltable(L);
	lua_createtable(L, 0, 1);
	lua_pushliteral(L, "the scenario language");
	lua_pushglobaltable(L);
	lua_pushcclosure(L, strict_index, 2);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);

	return 0;
}

/**
 * Read a scenario, without running it
 *
 * @param reasonp On failure: file, line and what is wrong with it
 *
 * @return 0, or EINVAL
 */
int sim_lua_new(struct sim_lua **lp, const struct sim_lua_cfg *cfg,
		const struct sim_lua_ops *ops, void *arg, char **reasonp)
{
	struct sim_lua *lua = xcalloc(1, sizeof(*lua));

	lua->cfg = cfg;
	lua->ops = ops;
	lua->arg = arg;
	lua->read_params = json_object();
	lua->bound = timer_new_real(cfg->loop, on_bound, lua);
	lua->L = lua_newstate(allocate, lua);
	if (!lua->L)
		abort();
	*(struct task **)lua_getextraspace(lua->L) = NULL;
	lua_pushcfunction(lua->L, open_all);
	/* "t": text only, as hostile bytecode can crash the interpreter */
	if (lua_pcall(lua->L, 0, 0, 0) != LUA_OK ||
	    luaL_loadfilex(lua->L, cfg->file, "t") != LUA_OK) {
		*reasonp = xstrdup(lua_tostring(lua->L, -1));
		sim_lua_free(lua);
		return EINVAL;
	}
	*lp = lua;

	return 0;
}

/** Free it; no answer to a command may come after this. Gives NULL */
struct sim_lua *sim_lua_free(struct sim_lua *lua)
{
	if (!lua)
		return NULL;

	while (lua->tasks)
		task_end(lua->tasks);
	lua_close(lua->L);
	timer_free(lua->bound);
	json_decref(lua->read_params);
	sim_plan_clear(&lua->plan);
	free(lua->steps);
	free(lua->failed);
	free(lua->reason);
	free(lua);

	return NULL;
}

/** Play it, from the next turn on */
void sim_lua_start(struct sim_lua *lua)
{
	struct task *task;

	lua->deadline_us = clock_real_us() + lua->cfg->timeout_ms * 1000LL;
	if (lua->cfg->timeout_ms)
		timer_start_ms(lua->bound, lua->cfg->timeout_ms);
	lua_sethook(lua->L, on_hook, LUA_MASKCOUNT, HOOK_EVERY);
	task = task_new(lua);
	lua_xmove(lua->L, task->co, 1);
}

/** The testbed is up: testbed{} returns */
void sim_lua_bed_ready(struct sim_lua *lua)
{
	tasks_wake(lua, WAIT_BED);
}

/** End it from outside; the reason gets the line at which it was */
void sim_lua_abort(struct sim_lua *lua, enum sim_lua_end end,
		   const char *reason)
{
	char *at = lua->tasks ? where(lua->tasks->co) : NULL;

	sim_lua_finish(lua, end,
		       at ? xasprintf("%s: %s", at, reason) : xstrdup(reason));
	free(at);
}

/** From now on tasks go on by sim_lua_turn() only */
void sim_lua_conduct(struct sim_lua *lua)
{
	lua->is_conducted = true;
}

/** A line of trace has come: whoever waits for a fact looks again */
void sim_lua_on_trace(struct sim_lua *lua)
{
	lua->trace_count++;
	if (lua->is_conducted)
		return;
	for (struct task *t = lua->tasks; t && !lua->is_over; t = t->next)
		if (t->wait == WAIT_FACT)
			timer_start_ms(t->timer, 0);
}

enum sim_lua_end sim_lua_result(const struct sim_lua *lua)
{
	return lua->end;
}

/** Why it did not pass, with file and line; NULL if it did */
const char *sim_lua_reason(const struct sim_lua *lua)
{
	return lua->reason;
}

/** The steps that it expects, as sim_verdict.h takes them; NULL: none */
const char *sim_lua_steps(const struct sim_lua *lua)
{
	return lua->steps;
}

/** Names given by --set that it never asked for, or NULL; caller frees */
char *sim_lua_unread_params(const struct sim_lua *lua)
{
	char *text = NULL;
	const char *name;
	const json_t *value;

	json_object_foreach(lua->cfg->params, name, value)
	{
		char *more;

		(void)value;
		if (json_object_get(lua->read_params, name))
			continue;
		more = text ? xasprintf("%s, %s", text, name) : xstrdup(name);
		free(text);
		text = more;
	}

	return text;
}
