/* bed.faults: kill, restart, pause, resume, drop, delay, wait, state, left */
#include "sim/sim_lua_core.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "sim/sim_fault.h"

static struct sim_faults *faults_of(lua_State *L)
{
	const struct sim_lua *lua = task_of(L)->lua;

	return lua->ops->faults(lua->arg);
}

/* The element named by field of the table at 2 */
static enum sim_actor check_field(lua_State *L, const char *field)
{
	enum sim_actor actor;

	lua_getfield(L, 2, field);
	actor = check_actor(L, luaL_checkstring(L, -1), NULL);
	lua_pop(L, 1);

	return actor;
}

/* Takes reason over */
static int refuse(lua_State *L, const char *verb, char *reason)
{
	lua_pushstring(L, reason);
	free(reason);

	return task_fail(L, "%s: %s", verb, lua_tostring(L, -1));
}

/* Something of the trace will tell */
static int again(lua_State *L, lua_KContext ctx, lua_KFunction k)
{
	return task_wait_fact(task_of(L), TASK_NO_BOUND, ctx, k);
}

/* What was waited for is there */
static int came(lua_State *L)
{
	task_fact_came(task_of(L));

	return 0;
}

/* Whose death or return is waited for, and how often it had died by then:
 * another task may be quicker than we are to start it again, or to kill it */
enum { ACTOR_BITS = 8 };

static lua_KContext since_now(lua_State *L, enum sim_actor actor)
{
	unsigned deaths = sim_faults_deaths(faults_of(L), actor);

	return (lua_KContext)deaths << ACTOR_BITS | (lua_KContext)actor;
}

static enum sim_actor actor_of(lua_KContext ctx)
{
	return (enum sim_actor)(ctx & ((1 << ACTOR_BITS) - 1));
}

static bool has_died_since(lua_State *L, lua_KContext ctx)
{
	return since_now(L, actor_of(ctx)) != ctx;
}

static int wait_down(lua_State *L, int status, lua_KContext ctx)
{
	(void)status;

	return has_died_since(L, ctx) ? came(L) : again(L, ctx, wait_down);
}

static int wait_up(lua_State *L, int status, lua_KContext ctx)
{
	(void)status;
	if (has_died_since(L, ctx) ||
	    sim_faults_condition(faults_of(L), actor_of(ctx)) == SIM_IS_UP)
		return came(L);

	return again(L, ctx, wait_up);
}

/* What was set is in force */
static int wait_set(lua_State *L, int status, lua_KContext ctx)
{
	(void)status;
	if (sim_faults_is_set(faults_of(L), (enum sim_actor)ctx))
		return came(L);

	return again(L, ctx, wait_set);
}

/* Nothing waits for its point any more, and who was killed is gone */
static int wait_struck(lua_State *L, int status, lua_KContext ctx)
{
	(void)status;
	if (sim_faults_has_struck(faults_of(L), (enum sim_actor)ctx))
		return came(L);

	return again(L, ctx, wait_struck);
}

/* kill{ actor, at, count }, pause{ the same }: now, or at a point */
static int strike(lua_State *L, const char *verb, enum sim_fault_kind kind)
{
	static const struct sim_key keys[] = { { "actor", LUA_TSTRING, true },
					       { "at", LUA_TTABLE, false },
					       { "count", LUA_TNUMBER, false },
					       { NULL, 0, false } };
	struct sim_fault fault = { .kind = kind };
	lua_KContext since;
	char *reason = NULL;
	int err;

	check_self(L, verb);
	lua_settop(L, 2);
	check_keys(L, 2, verb, keys);
	fault.actor = check_field(L, "actor");
	lua_getfield(L, 2, "count");
	fault.count = (int)luaL_optinteger(L, -1, 1);
	if (lua_getfield(L, 2, "at") != LUA_TNIL)
		fault.at = to_json(L, -1, 0);
	since = since_now(L, fault.actor);
	err = sim_faults_strike(faults_of(L), &fault, &reason);
	json_decref(fault.at);
	if (err)
		return refuse(L, verb, reason);
	if (!fault.at && kind == SIM_FAULT_KILL)
		return wait_down(L, LUA_OK, since);

	return wait_set(L, LUA_OK, (lua_KContext)fault.actor);
}

static int fault_kill(lua_State *L)
{
	return strike(L, "kill", SIM_FAULT_KILL);
}

static int fault_pause(lua_State *L)
{
	return strike(L, "pause", SIM_FAULT_PAUSE);
}

/* `to` names an element, or is a terminal: then only what is for it counts,
 * and its number is left on the stack; else nil is */
static enum sim_actor to_whom(lua_State *L)
{
	if (lua_getfield(L, 2, "to") == LUA_TSTRING) {
		enum sim_actor actor = check_field(L, "to");

		lua_pushnil(L);
		return actor;
	}
	lua_pushliteral(L, "number");
	lua_rawget(L, -2);
	luaL_checkstring(L, -1);

	return SIM_TERMINAL;
}

/* drop{ to, proto, method, status, path, text, count }, delay{ the same, s } */
static int lose(lua_State *L, const char *verb, enum sim_fault_kind kind)
{
	static const char *const names[] = { "proto", "method", "status",
					     "path", "text" };
	struct sim_key keys[] = { { "proto", LUA_TSTRING, true },
				  { "method", LUA_TSTRING, false },
				  { "status", LUA_TNUMBER, false },
				  { "path", LUA_TSTRING, false },
				  { "text", LUA_TSTRING, false },
				  { "count", LUA_TNUMBER, false },
				  { "to", LUA_TSTRING, true },
				  { "s", LUA_TNUMBER, true },
				  { NULL, 0, false } };
	struct sim_fault fault = { .kind = kind };
	char *reason = NULL;
	int err, user;

	check_self(L, verb);
	lua_settop(L, 2);
	if (lua_istable(L, 2) && lua_getfield(L, 2, "to") == LUA_TTABLE)
		keys[6].type = LUA_TTABLE;
	if (kind == SIM_FAULT_DROP)
		keys[7].name = NULL;
	check_keys(L, 2, verb, keys);
	lua_getfield(L, 2, "count");
	fault.count = (int)luaL_optinteger(L, -1, 1);
	lua_getfield(L, 2, "s");
	fault.delay_ms = (int64_t)(luaL_optnumber(L, -1, 0) * 1000);
	fault.actor = to_whom(L);
	user = lua_gettop(L);
	/* from here on nothing may raise an error: it would not be freed */
	fault.at = json_object();
	if (!lua_isnil(L, user))
		json_object_set_new(fault.at, "user", to_json(L, user, 0));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (lua_getfield(L, 2, names[i]) != LUA_TNIL)
			json_object_set_new(fault.at, names[i],
					    to_json(L, -1, 0));
	err = sim_faults_strike(faults_of(L), &fault, &reason);
	json_decref(fault.at);
	if (err)
		return refuse(L, verb, reason);

	return wait_set(L, LUA_OK, (lua_KContext)fault.actor);
}

static int fault_drop(lua_State *L)
{
	return lose(L, "drop", SIM_FAULT_DROP);
}

static int fault_delay(lua_State *L)
{
	return lose(L, "delay", SIM_FAULT_DELAY);
}

static enum sim_actor check_one(lua_State *L, const char *verb)
{
	static const struct sim_key keys[] = { { "actor", LUA_TSTRING, true },
					       { NULL, 0, false } };

	check_self(L, verb);
	lua_settop(L, 2);
	check_keys(L, 2, verb, keys);

	return check_field(L, "actor");
}

static int restart_now(lua_State *L, int status, lua_KContext ctx)
{
	struct sim_faults *faults = faults_of(L);
	enum sim_actor actor = (enum sim_actor)ctx;
	char *reason = NULL;

	(void)status;
	/* one that is to be killed at a point has to get there first */
	if (sim_faults_condition(faults, actor) == SIM_IS_DYING ||
	    (sim_faults_condition(faults, actor) != SIM_IS_DOWN &&
	     sim_faults_left(faults, actor)))
		return again(L, ctx, restart_now);
	task_fact_came(task_of(L));
	if (sim_faults_restart(faults, actor, &reason))
		return refuse(L, "restart", reason);

	return wait_up(L, LUA_OK, since_now(L, actor));
}

/* restart{ actor }: the same addresses and stores; returns when it listens */
static int fault_restart(lua_State *L)
{
	return restart_now(L, LUA_OK, (lua_KContext)check_one(L, "restart"));
}

/* resume{ actor }: after pause{} */
static int fault_resume(lua_State *L)
{
	enum sim_actor actor = check_one(L, "resume");
	char *reason = NULL;

	if (sim_faults_resume(faults_of(L), actor, &reason))
		return refuse(L, "resume", reason);

	return 0;
}

/* wait{ actor }: until all that was to strike it has struck */
static int fault_wait(lua_State *L)
{
	return wait_struck(L, LUA_OK, (lua_KContext)check_one(L, "wait"));
}

/* state{ actor }: "up", "paused", "down" or "starting" */
static int fault_state(lua_State *L)
{
	static const char *const names[] = { "up", "paused", "down", "down",
					     "starting" };
	enum sim_actor actor = check_one(L, "state");

	lua_pushstring(L, names[sim_faults_condition(faults_of(L), actor)]);

	return 1;
}

/* left{ actor }: how many faults still wait for their point there */
static int fault_left(lua_State *L)
{
	enum sim_actor actor = check_one(L, "left");

	lua_pushinteger(L, sim_faults_left(faults_of(L), actor));

	return 1;
}

/** Push bed.faults */
void push_faults(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{ "kill", fault_kill },       { "pause", fault_pause },
		{ "restart", fault_restart }, { "resume", fault_resume },
		{ "drop", fault_drop },       { "delay", fault_delay },
		{ "wait", fault_wait },       { "state", fault_state },
		{ "left", fault_left },       { NULL, NULL }
	};

	lua_newtable(L);
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	set_strict(L, "bed.faults", strict_index);
}
