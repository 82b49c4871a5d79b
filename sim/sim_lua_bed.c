#include "sim/sim_lua_core.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sim/sim_verdict.h"

/* bed:expect_steps "S401..S414, S501..S521": judged at the end */
static int expect_steps(lua_State *L)
{
	struct sim_lua *lua = task_of(L)->lua;
	const char *steps;
	char *reason = NULL, *all;

	check_self(L, "expect_steps");
	steps = luaL_checkstring(L, 2);
	if (sim_verdict_check(steps, &reason)) {
		lua_pushstring(L, reason);
		free(reason);
		return luaL_error(L, "expect_steps: %s", lua_tostring(L, -1));
	}
	all = lua->steps ? xasprintf("%s, %s", lua->steps, steps)
			 : xstrdup(steps);
	free(lua->steps);
	lua->steps = all;

	return 0;
}

static struct task *spawn_at(lua_State *L, int index)
{
	struct task *task;

	luaL_checktype(L, index, LUA_TFUNCTION);
	task = task_new(task_of(L)->lua);
	lua_pushvalue(L, index);
	lua_xmove(L, task->co, 1);

	return task;
}

/* Stack: self, ids of tasks; till all of them have ended */
static int wait_tasks(lua_State *L, int status, lua_KContext ctx)
{
	struct task *task = task_of(L);

	(void)status;
	for (int i = 2; i <= lua_gettop(L); i++) {
		if (task_is_over(task->lua, (unsigned)lua_tointeger(L, i)))
			continue;
		task->wait = WAIT_TASK;
		return lua_yieldk(L, 0, ctx, wait_tasks);
	}

	return 0;
}

/* handle:wait() */
static int spawned_wait(lua_State *L)
{
	check_self(L, "wait");
	lua_settop(L, 1);
	lua_getfield(L, 1, "id");

	return wait_tasks(L, LUA_OK, 0);
}

/* bed:spawn(function): runs beside; its handle has wait() */
static int spawn(lua_State *L)
{
	const struct task *task;

	check_self(L, "spawn");
	task = spawn_at(L, 2);
	lua_newtable(L);
	lua_pushinteger(L, task->id);
	lua_setfield(L, -2, "id");
	lua_newtable(L);
	lua_pushcfunction(L, spawned_wait);
	lua_setfield(L, -2, "wait");
	set_strict(L, "a spawned task", strict_index);

	return 1;
}

/* bed:parallel(function, …): runs all, returns when all have ended */
static int parallel(lua_State *L)
{
	int n = lua_gettop(L);

	check_self(L, "parallel");
	for (int i = 2; i <= n; i++)
		luaL_checktype(L, i, LUA_TFUNCTION);
	for (int i = 2; i <= n; i++) {
		lua_pushinteger(L, spawn_at(L, i)->id);
		lua_replace(L, i);
	}

	return wait_tasks(L, LUA_OK, 0);
}

/* bed:log(text): a line in the ladder */
static int log_text(lua_State *L)
{
	const struct sim_lua *lua = task_of(L)->lua;
	json_t *text;

	check_self(L, "log");
	text = json_string(luaL_checkstring(L, 2));
	if (!text)
		return luaL_error(L, "log: the text is not UTF-8");
	lua->ops->note("scenario.log", json_pack("{s:o}", "text", text),
		       lua->arg);

	return 0;
}

static int bed_made(lua_State *L, int status, lua_KContext ctx)
{
	int appservers = task_of(L)->lua->plan.appservers;
	static const luaL_Reg methods[] = { { "expect_steps", expect_steps },
					    { "spawn", spawn },
					    { "parallel", parallel },
					    { "log", log_text },
					    { NULL, NULL } };

	(void)status;
	(void)ctx;
	lua_newtable(L);
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	lua_pushcfunction(L, bed_terminal);
	lua_setfield(L, -2, "terminal");
	lua_pushcfunction(L, bed_account);
	lua_setfield(L, -2, "account");
	for (int i = 0; i < SIM_ACTOR_COUNT; i++) {
		/* bed:terminal{} makes one; the process is nobody's to ask */
		if (i == SIM_TERMINAL ||
		    !sim_actor_is_in((enum sim_actor)i, appservers))
			continue;
		push_actor(L, i);
		lua_setfield(L, -2, sim_actor_name((enum sim_actor)i));
	}
	push_faults(L);
	lua_setfield(L, -2, "faults");
	set_strict(L, "the bed", strict_index);

	return 1;
}

/* testbed{ appservers, policy, max_use, timers, users, options }: starts all
 * elements */
static int testbed(lua_State *L)
{
	struct task *task = task_of(L);
	struct sim_lua *lua = task->lua;
	char *reason = NULL;

	if (lua->has_bed)
		return luaL_error(L, "a scenario has one testbed");
	lua_settop(L, 1);
	if (lua_isnil(L, 1)) {
		lua_newtable(L);
		lua_replace(L, 1);
	}
	plan_from_table(L, 1, &lua->plan);
	lua->has_bed = true;
	task->wait = WAIT_BED;
	if (lua->ops->start(&lua->plan, lua->arg, &reason)) {
		sim_lua_abort(lua, SIM_LUA_NO_START, reason);
		free(reason);
	}

	return lua_yieldk(L, 0, 0, bed_made);
}

/* param(name, default): what --set gave, of the default's type */
static int param(lua_State *L)
{
	const struct sim_lua *lua = task_of(L)->lua;
	const char *name = luaL_checkstring(L, 1);
	const char *given =
		json_string_value(json_object_get(lua->cfg->params, name));
	int type = lua_type(L, 2);

	json_object_set_new(lua->read_params, name, json_true());
	lua_settop(L, 2);
	if (!given && lua->cfg->seed && !strcmp(name, "seed"))
		lua_pushinteger(L, lua->cfg->seed);
	if (!given)
		return 1;

	if (type == LUA_TNUMBER && !lua_stringtonumber(L, given))
		return luaL_error(L, "--set %s=%s: must be a number", name,
				  given);
	if (type == LUA_TBOOLEAN && strcmp(given, "true") != 0 &&
	    strcmp(given, "false") != 0)
		return luaL_error(L, "--set %s=%s: must be true or false", name,
				  given);
	if (type == LUA_TBOOLEAN)
		lua_pushboolean(L, !strcmp(given, "true"));
	else if (type != LUA_TNUMBER)
		lua_pushstring(L, given);

	return 1;
}

/** Make testbed() and param() */
void bed_open(lua_State *L)
{
	lua_register(L, "testbed", testbed);
	lua_register(L, "param", param);
}
