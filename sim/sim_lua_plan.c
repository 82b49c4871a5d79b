#include "sim/sim_lua_core.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "common/timer.h"

enum { NAME_MAX_LEN = 40 };

static void check_timer_name(lua_State *L, char *name)
{
	struct sim_near near;
	char hint[HINT_LEN];

	for (char *p = name; *p; p++)
		if (*p == '_')
			*p = '-';
	near_start(&near, name);
	for (int id = TIMER_NONE + 1; id < TIMER_COUNT; id++) {
		const char *known = timer_name_get((enum timer_id)id)->name;

		if (!strcmp(known, name))
			return;
		near_try(&near, known);
	}
	luaL_error(L, "testbed: there is no timer '%s'%s", name,
		   near_hint(&near, hint, sizeof(hint)));
}

static void add_extra(lua_State *L, struct sim_plan *plan, int actor,
		      const char *name, const char *value)
{
	if (!sim_plan_add(plan, actor, name, value))
		luaL_error(L, "testbed: more than %d options", SIM_EXTRA_MAX);
}

/* The value on the top of the stack, in seconds, for the timer name */
static void add_timer(lua_State *L, struct sim_plan *plan, const char *given)
{
	char name[NAME_MAX_LEN + 1], value[64];
	double seconds = luaL_checknumber(L, -1);

	(void)snprintf(name, sizeof(name), "%s", given);
	check_timer_name(L, name);
	if (!(seconds >= 0 && seconds <= 1e7))
		luaL_error(L, "testbed: the timer '%s' must be 0 to 10000000 s",
			   name);
	(void)snprintf(value, sizeof(value), "%s=%lldms", name,
		       llround(seconds * 1000));
	add_extra(L, plan, -1, "timer", value);
}

/* value must be one of known; option is how the scenario calls it */
static void check_choice(lua_State *L, const char *option, const char *value,
			 const char *const known[])
{
	struct sim_near near;
	char hint[HINT_LEN];

	near_start(&near, value);
	for (size_t i = 0; known[i]; i++) {
		if (!strcmp(known[i], value))
			return;
		near_try(&near, known[i]);
	}
	luaL_error(L, "testbed: there is no %s '%s'%s", option, value,
		   near_hint(&near, hint, sizeof(hint)));
}

static void read_policies(lua_State *L, int index, struct sim_plan *plan)
{
	static const char *const leases[] = { "round-robin", "idle-queue",
					      NULL };
	static const char *const numbers[] = { "replace", "refuse", NULL };

	if (lua_getfield(L, index, "policy") != LUA_TNIL) {
		check_choice(L, "policy", lua_tostring(L, -1), leases);
		xstrset(&plan->policy, lua_tostring(L, -1));
	}
	if (lua_getfield(L, index, "number_policy") != LUA_TNIL) {
		check_choice(L, "number_policy", lua_tostring(L, -1), numbers);
		add_extra(L, plan, SIM_APPSERVER, "number-policy",
			  lua_tostring(L, -1));
		add_extra(L, plan, SIM_APPSERVER2, "number-policy",
			  lua_tostring(L, -1));
	}
	lua_pop(L, 2);
}

/* options = { scscf = { digest = "md5" } }: more for one element's command
 * line; the table of one actor is at the top, its name below */
static void add_options(lua_State *L, struct sim_plan *plan)
{
	const char *actor = luaL_checkstring(L, -2);
	const char *name, *value;

	(void)check_actor(L, actor, "testbed");
	if (!lua_istable(L, -1))
		luaL_error(L, "testbed: options.%s must be a table", actor);
	lua_pushnil(L);
	while (lua_next(L, -2)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L,
				   "testbed: options.%s: write "
				   "{ name = value }",
				   actor);
		name = lua_tostring(L, -2);
		/* pushes: not among the arguments, whose order is free */
		value = luaL_tolstring(L, -1, NULL);
		add_extra(L, plan, sim_actor_find(actor), name, value);
		lua_pop(L, 2);
	}
}

static void each(lua_State *L, int index, const char *name,
		 struct sim_plan *plan,
		 void (*fn)(lua_State *L, struct sim_plan *plan))
{
	if (lua_getfield(L, index, name) != LUA_TNIL) {
		lua_pushnil(L);
		while (lua_next(L, -2)) {
			if (lua_type(L, -2) != LUA_TSTRING)
				luaL_error(L,
					   "testbed: %s: write "
					   "{ name = value }",
					   name);
			fn(L, plan);
			lua_pop(L, 1);
		}
	}
	lua_pop(L, 1);
}

static void add_named_timer(lua_State *L, struct sim_plan *plan)
{
	add_timer(L, plan, lua_tostring(L, -2));
}

static void add_user(lua_State *L, struct sim_plan *plan)
{
	if (!plan->users)
		plan->users = json_object();
	json_object_set_new(plan->users, lua_tostring(L, -2),
			    json_string(luaL_checkstring(L, -1)));
}

/* store = "file": databases in the run's folder, which outlive a kill */
static void read_store(lua_State *L, int index, struct sim_plan *plan)
{
	const char *store;

	if (lua_getfield(L, index, "store") == LUA_TNIL) {
		lua_pop(L, 1);
		return;
	}
	store = lua_tostring(L, -1);
	plan->is_memory = !strcmp(store, "memory");
	if (!plan->is_memory && strcmp(store, "file") != 0)
		luaL_error(L,
			   "testbed: there is no store '%s': \"file\" or "
			   "\"memory\"",
			   store);
	lua_pop(L, 1);
}

/* fast = true: in virtual time; seed = N: that, and who acts next is drawn */
static void read_fast(lua_State *L, int index, struct sim_plan *plan)
{
	lua_Integer seed = 0;

	lua_getfield(L, index, "fast");
	plan->is_fast = lua_toboolean(L, -1);
	if (lua_getfield(L, index, "seed") != LUA_TNIL) {
		seed = lua_tointeger(L, -1);
		if (seed < 1 || seed > INT_MAX)
			luaL_error(L, "testbed: seed must be a whole number, "
				      "1 to 2147483647");
	}
	plan->seed = (int)seed;
	lua_pop(L, 2);
}

/* I5's stated time: s from the last release or fault to idle */
static void read_idle_within(lua_State *L, int index, struct sim_plan *plan)
{
	double seconds = 0;

	if (lua_getfield(L, index, "idle_within") != LUA_TNIL) {
		seconds = lua_tonumber(L, -1);
		if (!(seconds > 0 && seconds <= 1e7))
			luaL_error(L, "testbed: idle_within must be above 0 "
				      "and at most 10000000 s");
	}
	plan->idle_within_ms = llround(seconds * 1000);
	lua_pop(L, 1);
}

/* appservers = 2: a second AS beside the first, at the same platform */
static void read_appservers(lua_State *L, int index, struct sim_plan *plan)
{
	lua_Number n = 1;

	if (lua_getfield(L, index, "appservers") != LUA_TNIL)
		n = lua_tonumber(L, -1);
	if (n != 1 && n != SIM_APPSERVERS_MAX)
		luaL_error(L, "testbed: appservers must be 1 or %d",
			   SIM_APPSERVERS_MAX);
	plan->appservers = (int)n;
	lua_pop(L, 1);
}

/**
 * Read the options of testbed{}; raises an error for whatever is wrong
 *
 * @param plan Filled; the caller clears it, after an error too
 */
void plan_from_table(lua_State *L, int index, struct sim_plan *plan)
{
	static const struct sim_key keys[] = {
		{ "appservers", LUA_TNUMBER, false },
		{ "policy", LUA_TSTRING, false },
		{ "number_policy", LUA_TSTRING, false },
		{ "max_use", LUA_TNUMBER, false },
		{ "store", LUA_TSTRING, false },
		{ "idle_within", LUA_TNUMBER, false },
		{ "fast", LUA_TBOOLEAN, false },
		{ "seed", LUA_TNUMBER, false },
		{ "timers", LUA_TTABLE, false },
		{ "users", LUA_TTABLE, false },
		{ "options", LUA_TTABLE, false },
		{ NULL, 0, false },
	};

	check_keys(L, index, "testbed", keys);
	read_appservers(L, index, plan);
	read_policies(L, index, plan);
	if (lua_getfield(L, index, "max_use") != LUA_TNIL)
		add_timer(L, plan, "max-use");
	lua_pop(L, 1);
	read_store(L, index, plan);
	read_idle_within(L, index, plan);
	read_fast(L, index, plan);
	each(L, index, "timers", plan, add_named_timer);
	each(L, index, "users", plan, add_user);
	each(L, index, "options", plan, add_options);
}
