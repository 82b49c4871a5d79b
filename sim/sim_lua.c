#include "sim/sim_lua.h"

#include <errno.h>
#include <math.h>
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

enum { MEMORY_MAX = 256 << 20, HOOK_EVERY = 100000, POLL_MS = 50 };

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

/** The task that runs on L */
struct task *task_of(lua_State *L)
{
	return *(struct task **)lua_getextraspace(L);
}

static struct task *task_find(const struct sim_lua *lua, unsigned id)
{
	struct task *t = lua->tasks;

	while (t && t->id != id)
		t = t->next;

	return t;
}

/** Has the task of that id ended? */
bool task_is_over(const struct sim_lua *lua, unsigned id)
{
	return !task_find(lua, id);
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

/* Takes reason over. What comes after the first end does not count */
static void finish(struct sim_lua *lua, enum sim_lua_end end, char *reason)
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

static void task_end(struct task *task)
{
	struct sim_lua *lua = task->lua;
	struct task **p = &lua->tasks;

	while (*p != task)
		p = &(*p)->next;
	*p = task->next;
	luaL_unref(lua->L, LUA_REGISTRYINDEX, task->ref);
	timer_free(task->timer);
	free(task);
}

static void task_error(struct task *task)
{
	struct sim_lua *lua = task->lua;
	const char *text = lua_tostring(task->co, -1);
	enum sim_lua_end end = SIM_LUA_ERROR;

	if (!text)
		text = "an error that is no text";
	/* what a verb or an expectation said is the testbed's failure, all
	 * else (a nil called, a wrong option) the scenario's */
	if (lua->failed && strstr(text, lua->failed))
		end = SIM_LUA_FAIL;
	finish(lua, end, xstrdup(text));
}

static void task_resume(struct task *task, int nargs);

static void wake(struct sim_lua *lua, enum wait what)
{
	unsigned last = lua->last_id;

	/* by id: each may end, and others with it, while it runs */
	for (unsigned id = 1; id <= last && !lua->is_over; id++) {
		struct task *t = task_find(lua, id);

		if (t && t->wait == what)
			task_resume(t, 0);
	}
}

/* Go on with a task, whose nargs results are on its stack */
static void task_resume(struct task *task, int nargs)
{
	struct sim_lua *lua = task->lua;
	int n = 0, status;

	if (lua->is_over)
		return;

	task->wait = WAIT_NOTHING;
	status = lua_resume(task->co, NULL, nargs, &n);
	if (status == LUA_YIELD) {
		lua_pop(task->co, n);
		return;
	}
	if (status != LUA_OK) {
		task_error(task);
		return;
	}

	task_end(task);
	if (!lua->tasks)
		finish(lua, SIM_LUA_PASS, NULL);
	else
		wake(lua, WAIT_TASK);
}

static void on_poll(void *arg)
{
	struct task *task = arg;

	if (task->wait == WAIT_FACT)
		task_resume(task, 0);
}

/** A task with nothing to run yet; what is put on its stack is resumed later */
struct task *task_new(struct sim_lua *lua)
{
	struct task *task = xcalloc(1, sizeof(*task));
	struct task **p = &lua->tasks;

	task->lua = lua;
	task->id = ++lua->last_id;
	task->co = lua_newthread(lua->L);
	task->ref = luaL_ref(lua->L, LUA_REGISTRYINDEX);
	task->timer = timer_new(lua->cfg->loop, on_poll, task);
	task->wait = WAIT_FACT; /* the timer is what starts it */
	timer_start_ms(task->timer, 0);
	*(struct task **)lua_getextraspace(task->co) = task;
	while (*p)
		p = &(*p)->next;
	*p = task;

	return task;
}

/** Yield until the trace grows, or a moment has passed, bound_us at most */
int task_wait_fact(struct task *task, int64_t bound_us, lua_KContext ctx,
		   lua_KFunction k)
{
	int64_t ms = (bound_us - clock_now_us() + 999) / 1000;

	task->wait = WAIT_FACT;
	timer_start_ms(task->timer, ms < 0 ? 0 : ms < POLL_MS ? ms : POLL_MS);

	return lua_yieldk(task->co, 0, ctx, k);
}

/* Raise what is on the stack, as the testbed's failure at a level's line */
static int raise_failure(lua_State *L, int level)
{
	luaL_where(L, level);
	lua_insert(L, -2);
	lua_concat(L, 2);
	xstrset(&task_of(L)->lua->failed, lua_tostring(L, -1));

	return lua_error(L);
}

/** Raise an error that is the testbed's failure: file:line and a sentence */
int task_fail(lua_State *L, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	lua_pushstring(L, text);
	free(text);

	return raise_failure(L, 1);
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
	task_resume(task, 2);
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
	if (clock_now_us() <= lua->deadline_us)
		return;

	push_late(L, lua);
	raise_failure(L, 0);
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
	lua->bound = timer_new(cfg->loop, on_bound, lua);
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

	lua->deadline_us = clock_now_us() + lua->cfg->timeout_ms * 1000LL;
	timer_start_ms(lua->bound, lua->cfg->timeout_ms);
	lua_sethook(lua->L, on_hook, LUA_MASKCOUNT, HOOK_EVERY);
	task = task_new(lua);
	lua_xmove(lua->L, task->co, 1);
}

/** The testbed is up: testbed{} returns */
void sim_lua_bed_ready(struct sim_lua *lua)
{
	wake(lua, WAIT_BED);
}

/** End it from outside; the reason gets the line at which it was */
void sim_lua_abort(struct sim_lua *lua, enum sim_lua_end end,
		   const char *reason)
{
	char *at = lua->tasks ? where(lua->tasks->co) : NULL;

	finish(lua, end,
	       at ? xasprintf("%s: %s", at, reason) : xstrdup(reason));
	free(at);
}

/** A line of trace has come: whoever waits for a fact looks again */
void sim_lua_on_trace(struct sim_lua *lua)
{
	lua->trace_count++;
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
