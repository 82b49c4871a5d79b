#include "sim/sim_lua_core.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"

enum { SHOWN_MAX = 200 };

/* A value as the scenario's reader would write it, on the stack */
static const char *show(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	if (lua_type(L, index) == LUA_TSTRING) {
		lua_pushfstring(L, "\"%s\"", lua_tostring(L, index));
	} else if (lua_istable(L, index)) {
		json_t *json = to_json(L, index, 0);
		char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_SORT_KEYS);

		lua_pushlstring(L, text ? text : "a table",
				text ? strnlen(text, SHOWN_MAX) : 7);
		free(text);
		json_decref(json);
	} else {
		luaL_tolstring(L, index, NULL);
	}

	return lua_tostring(L, -1);
}

/* Tables are equal if all in them is */
static bool is_equal(lua_State *L, int a, int b)
{
	json_t *x, *y;
	bool same;

	if (lua_compare(L, a, b, LUA_OPEQ))
		return true;
	if (!lua_istable(L, a) || !lua_istable(L, b))
		return false;

	x = to_json(L, a, 0);
	y = to_json(L, b, 0);
	same = json_equal(x, y);
	json_decref(x);
	json_decref(y);

	return same;
}

/* expect(v):is(x) and expect(v).is(x) are the same: drop self if given, put
 * the value at 1 and what is expected of it behind */
static void normalise(lua_State *L)
{
	if (lua_rawequal(L, 1, lua_upvalueindex(1)))
		lua_remove(L, 1);
	lua_pushvalue(L, lua_upvalueindex(2));
	lua_insert(L, 1);
	lua_settop(L, 3);
}

static void refuse_function(lua_State *L)
{
	if (lua_isfunction(L, 1))
		luaL_error(L, "expect(function) is looked at again and again: "
			      "write expect(…):becomes(value, seconds)");
}

/* expect(v).is(x) */
static int expect_is(lua_State *L)
{
	normalise(L);
	refuse_function(L);
	if (!is_equal(L, 1, 2))
		return task_fail(L, "expected %s, but it is %s", show(L, 2),
				 show(L, 1));

	return 0;
}

/* expect(v).is_not(x) */
static int expect_is_not(lua_State *L)
{
	normalise(L);
	refuse_function(L);
	if (is_equal(L, 1, 2))
		return task_fail(L, "expected anything but %s", show(L, 2));

	return 0;
}

/* Does the string at index match the Lua pattern at index pattern? */
static bool does_match(lua_State *L, int index, int pattern)
{
	bool found;

	pattern = lua_absindex(L, pattern);
	luaL_tolstring(L, index, NULL);
	lua_getglobal(L, "string");
	lua_getfield(L, -1, "find");
	lua_pushvalue(L, -3);
	lua_pushvalue(L, pattern);
	lua_call(L, 2, 1);
	found = !lua_isnil(L, -1);
	lua_pop(L, 3);

	return found;
}

/* expect(v).matches(pattern) */
static int expect_matches(lua_State *L)
{
	normalise(L);
	refuse_function(L);
	luaL_checkstring(L, 2);
	if (!does_match(L, 1, 2))
		return task_fail(L, "expected a match of %s, but it is %s",
				 show(L, 2), show(L, 1));

	return 0;
}

static int becomes_look(lua_State *L, int status, lua_KContext ctx);

/* Stack: function, expected, seconds, deadline, trace count before the call */
static int becomes_call(lua_State *L, int status, lua_KContext ctx)
{
	(void)status;
	lua_settop(L, 4);
	lua_pushinteger(L, task_of(L)->lua->trace_count);
	lua_pushvalue(L, 1);
	lua_callk(L, 0, 1, ctx, becomes_look);

	return becomes_look(L, LUA_OK, ctx);
}

static int becomes_look(lua_State *L, int status, lua_KContext ctx)
{
	struct task *task = task_of(L);
	int64_t deadline_us = lua_tointeger(L, 4);

	(void)status;
	if (is_equal(L, 6, 2)) {
		task_fact_came(task);
		return 0;
	}
	if (clock_now_us() >= deadline_us) {
		task_fact_came(task);
		return task_fail(L,
				 "expected to become %s within %g s, but it "
				 "is still %s",
				 show(L, 2), lua_tonumber(L, 3), show(L, 6));
	}
	/* something happened while it was asked: ask again at once */
	if (lua_tointeger(L, 5) != (lua_Integer)task->lua->trace_count)
		deadline_us = clock_now_us();

	return task_wait_fact(task, deadline_us, ctx, becomes_call);
}

/* expect(function):becomes(x, seconds) */
static int expect_becomes(lua_State *L)
{
	double seconds;

	normalise(L);
	if (!lua_isfunction(L, 1))
		return luaL_error(L, "becomes() needs a function to ask again: "
				     "expect(function() return … end)"
				     ":becomes(value, seconds)");
	seconds = luaL_checknumber(L, 3);
	luaL_argcheck(L, seconds >= 0 && seconds <= 86400, 3,
		      "seconds, 0 to 86400");
	lua_pushinteger(L, clock_now_us() + (int64_t)(seconds * 1e6));
	task_look(task_of(L));

	return becomes_call(L, LUA_OK, 0);
}

/* expect(value) */
static int expect(lua_State *L)
{
	static const luaL_Reg methods[] = { { "is", expect_is },
					    { "is_not", expect_is_not },
					    { "matches", expect_matches },
					    { "becomes", expect_becomes },
					    { NULL, NULL } };

	luaL_checkany(L, 1);
	lua_settop(L, 1);
	lua_newtable(L);
	for (const luaL_Reg *m = methods; m->name; m++) {
		lua_pushvalue(L, 2);
		lua_pushvalue(L, 1);
		lua_pushcclosure(L, m->func, 2);
		lua_setfield(L, 2, m->name);
	}
	lua_newtable(L);
	lua_pushliteral(L, "expect()");
	lua_pushvalue(L, 2);
	lua_pushcclosure(L, strict_index, 2);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, 2);

	return 1;
}

static int error_came(lua_State *L, int status, lua_KContext ctx)
{
	int came = lua_gettop(L);

	(void)ctx;
	if (status == LUA_OK || status == LUA_YIELD)
		return task_fail(L,
				 "expected an error that matches %s, but "
				 "there was none",
				 show(L, 1));
	if (!does_match(L, came, 1))
		return task_fail(L,
				 "expected an error that matches %s, but "
				 "it is: %s",
				 show(L, 1), luaL_tolstring(L, came, NULL));

	return 1;
}

/* expect_error(function, pattern): the error's text */
static int expect_error(lua_State *L)
{
	int status;

	luaL_checktype(L, 1, LUA_TFUNCTION);
	luaL_checkstring(L, 2);
	lua_settop(L, 2);
	lua_insert(L, 1);
	status = lua_pcallk(L, 0, 0, 0, 0, error_came);

	return error_came(L, status, 0);
}

/* assert(v, message): the scenario's own check, so a failure, not an error */
static int check(lua_State *L)
{
	luaL_checkany(L, 1);
	if (lua_toboolean(L, 1))
		return lua_gettop(L);

	return task_fail(L, "%s", luaL_optstring(L, 2, "assertion failed"));
}

/** Make expect(), expect_error() and assert() */
void expect_open(lua_State *L)
{
	lua_register(L, "expect", expect);
	lua_register(L, "expect_error", expect_error);
	lua_register(L, "assert", check);
}
