/* The tasks of a scenario: coroutines that wait, and go on */
#include "sim/sim_lua_core.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/timer.h"

enum { POLL_MS = 50, REST_MS = 10, DAY_MS = 86400000 };

/** The task that runs on L */
struct task *task_of(lua_State *L)
{
	return *(struct task **)lua_getextraspace(L);
}

/** The task of that id, or NULL */
struct task *task_find(const struct sim_lua *lua, unsigned id)
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

/** End a task, wherever it is */
void task_end(struct task *task)
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
	sim_lua_finish(lua, end, xstrdup(text));
}

static void task_resume(struct task *task, int nargs);

/** What a task waits for is there: it goes on with nargs results, which are on
 * its stack, at once, or in its turn */
void task_go_on(struct task *task, int nargs)
{
	if (!task->lua->is_conducted) {
		task_resume(task, nargs);
		return;
	}
	task->wait = WAIT_TURN;
	task->nargs = nargs;
}

/** All that wait for this go on */
void tasks_wake(struct sim_lua *lua, enum wait what)
{
	unsigned last = lua->last_id;

	/* by id: each may end, and others with it, while it runs */
	for (unsigned id = 1; id <= last && !lua->is_over; id++) {
		struct task *t = task_find(lua, id);

		if (t && t->wait == what)
			task_go_on(t, 0);
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
		sim_lua_finish(lua, SIM_LUA_PASS, NULL);
	else
		tasks_wake(lua, WAIT_TASK);
}

static void on_poll(void *arg)
{
	struct task *task = arg;

	/* else the time that has come is what lets it look, in its turn */
	if (task->wait == WAIT_FACT && !task->lua->is_conducted)
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
	if (lua->is_conducted) {
		task->wait = WAIT_TURN;
	} else {
		task->wait = WAIT_FACT; /* the timer is what starts it */
		timer_start_ms(task->timer, 0);
	}
	*(struct task **)lua_getextraspace(task->co) = task;
	while (*p)
		p = &(*p)->next;
	*p = task;

	return task;
}

/**
 * Yield until the trace grows, or a moment has passed
 *
 * @param bound_us By then at the latest; TASK_NO_BOUND: there is none
 * @param k        Looks: waits again, or calls task_fact_came()
 */
int task_wait_fact(struct task *task, int64_t bound_us, lua_KContext ctx,
		   lua_KFunction k)
{
	int64_t most_ms = task->lua->is_conducted ? DAY_MS : POLL_MS;
	int64_t ms = bound_us == TASK_NO_BOUND
			     ? most_ms
			     : (bound_us - clock_now_us() + 999) / 1000;

	/* to look may be to act (a call that is tried again): then time passes
	 * before the next try, or it never would */
	if (task->is_looking && task->looked != task->lua->round) {
		task->rest_us = clock_now_us() + REST_MS * 1000LL;
		most_ms = REST_MS;
	}
	/* one that has only just come to it has not looked yet */
	task->looked = task->lua->round - !task->is_looking;
	task->is_looking = false;
	task->wait = WAIT_FACT;
	timer_start_ms(task->timer, ms < 0 ? 0 : ms < most_ms ? ms : most_ms);

	return lua_yieldk(task->co, 0, ctx, k);
}

/** A task looks whether its fact is there */
void task_look(struct task *task)
{
	task->is_looking = true;
	task->looked = task->lua->round;
}

/** The fact that a task looked for is there, or will not come: what it does
 * now may be what others look for */
void task_fact_came(struct task *task)
{
	task->is_looking = false;
	task->lua->round++;
}

/**
 * While conducted, tasks go on one at a time, when nothing else is left to do
 *
 * @param is_changed Something has happened since this was called last: who
 *                   waits for a fact looks again
 *
 * @return false: none has anything to do
 */
bool sim_lua_turn(struct sim_lua *lua, bool is_changed)
{
	struct task *t = lua->tasks;

	if (lua->is_over)
		return false;
	if (is_changed)
		lua->round++;
	while (t && t->wait != WAIT_TURN)
		t = t->next;
	if (t) {
		if (!t->is_looking)
			lua->round++;
		task_resume(t, t->nargs);
		return true;
	}

	t = lua->tasks;
	while (t && (t->wait != WAIT_FACT || t->looked == lua->round ||
		     clock_now_us() < t->rest_us))
		t = t->next;
	if (!t)
		return false;
	task_look(t);
	task_resume(t, 0);

	return true;
}

/** Raise what is on the stack, as the testbed's failure at a level's line */
int task_raise(lua_State *L, int level)
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

	return task_raise(L, 1);
}
