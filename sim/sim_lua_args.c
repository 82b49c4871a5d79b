#include "sim/sim_lua_core.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 40, DEPTH_MAX = 16 };

/* Letters to change, add, drop or swap, to come from a to b */
static int distance(const char *a, const char *b)
{
	int row[3][WORD_MAX + 1];
	int n = (int)strlen(a), m = (int)strlen(b);

	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX;

	for (int j = 0; j <= m; j++)
		row[0][j] = j;
	for (int i = 1; i <= n; i++) {
		int *now = row[i % 3];
		const int *before = row[(i - 1) % 3];

		now[0] = i;
		for (int j = 1; j <= m; j++) {
			int best = before[j - 1] + (a[i - 1] != b[j - 1]);

			if (before[j] + 1 < best)
				best = before[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] &&
			    row[(i - 2) % 3][j - 2] + 1 < best)
				best = row[(i - 2) % 3][j - 2] + 1;
			now[j] = best;
		}
	}

	return row[n % 3][m];
}

/** Look for the word nearest to word, which is borrowed */
void near_start(struct sim_near *near, const char *word)
{
	near->word = word;
	near->best[0] = '\0';
	/* a third of the letters may be wrong */
	near->distance = (int)strlen(word) / 3 + 1;
}

void near_try(struct sim_near *near, const char *candidate)
{
	int d = distance(near->word, candidate);

	if (d > near->distance || (d == near->distance && near->best[0]))
		return;

	near->distance = d;
	(void)snprintf(near->best, sizeof(near->best), "%s", candidate);
}

/** "; did you mean 'policy'?", or "" if nothing is near */
const char *near_hint(struct sim_near *near, char *text, size_t room)
{
	text[0] = '\0';
	if (near->best[0])
		(void)snprintf(text, room, "; did you mean '%s'?", near->best);

	return text;
}

static const struct sim_key *find_key(const struct sim_key *keys,
				      const char *name)
{
	for (; keys->name; keys++)
		if (!strcmp(keys->name, name))
			return keys;

	return NULL;
}

static void refuse_key(lua_State *L, const char *what, const char *name,
		       const struct sim_key *keys)
{
	struct sim_near near;
	char hint[HINT_LEN];

	near_start(&near, name);
	for (; keys->name; keys++)
		near_try(&near, keys->name);
	luaL_error(L, "%s has no option '%s'%s", what, name,
		   near_hint(&near, hint, sizeof(hint)));
}

/**
 * Check a table of options: no key that is not known, of the right type, all
 * that are required. Raises an error that says which, and what is near.
 */
void check_keys(lua_State *L, int index, const char *what,
		const struct sim_key *keys)
{
	if (!lua_istable(L, index))
		luaL_error(L, "%s needs a table of options, not %s", what,
			   luaL_typename(L, index));
	lua_pushnil(L);
	while (lua_next(L, index)) {
		const char *name = lua_type(L, -2) == LUA_TSTRING
					   ? lua_tostring(L, -2)
					   : "1, 2, …";
		const struct sim_key *key = find_key(keys, name);

		if (!key)
			refuse_key(L, what, name, keys);
		else if (lua_type(L, -1) != key->type)
			luaL_error(L, "%s: '%s' must be a %s, not %s", what,
				   name, lua_typename(L, key->type),
				   luaL_typename(L, -1));
		lua_pop(L, 1);
	}
	for (; keys->name; keys++) {
		if (keys->is_required &&
		    lua_getfield(L, index, keys->name) == LUA_TNIL)
			luaL_error(L, "%s needs the option '%s'", what,
				   keys->name);
		if (keys->is_required)
			lua_pop(L, 1);
	}
}

/**
 * __index of what has a fixed set of names: an unknown one is an error
 *
 * Upvalues: what it is, and the table of names.
 */
int strict_index(lua_State *L)
{
	const char *name = luaL_tolstring(L, 2, NULL);
	struct sim_near near;
	char hint[HINT_LEN];

	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL)
		return 1;

	near_start(&near, name);
	lua_pushnil(L);
	while (lua_next(L, lua_upvalueindex(2))) {
		if (lua_type(L, -2) == LUA_TSTRING)
			near_try(&near, lua_tostring(L, -2));
		lua_pop(L, 1);
	}

	return luaL_error(L, "%s has no '%s'%s",
			  lua_tostring(L, lua_upvalueindex(1)), name,
			  near_hint(&near, hint, sizeof(hint)));
}

static void push_object(lua_State *L, const json_t *json)
{
	const char *name;
	const json_t *v;

	lua_newtable(L);
	json_object_foreach((json_t *)json, name, v)
	{
		push_json(L, v);
		lua_setfield(L, -2, name);
	}
}

static void push_array(lua_State *L, const json_t *json)
{
	lua_newtable(L);
	for (size_t i = 0; i < json_array_size(json); i++) {
		push_json(L, json_array_get(json, i));
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

/** Push what came as JSON; null and what is nested too deep give nil */
void push_json(lua_State *L, const json_t *json)
{
	if (!lua_checkstack(L, 4))
		json = NULL;
	switch (json ? json_typeof(json) : JSON_NULL) {
	case JSON_OBJECT:
		push_object(L, json);
		break;
	case JSON_ARRAY:
		push_array(L, json);
		break;
	case JSON_STRING:
		lua_pushlstring(L, json_string_value(json),
				json_string_length(json));
		break;
	case JSON_INTEGER:
		lua_pushinteger(L, json_integer_value(json));
		break;
	case JSON_REAL:
		lua_pushnumber(L, json_real_value(json));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		lua_pushboolean(L, json_is_true(json));
		break;
	default:
		lua_pushnil(L);
	}
}

static json_t *table_to_json(lua_State *L, int index, int depth)
{
	lua_Integer n = (lua_Integer)lua_rawlen(L, index);
	json_t *json = n ? json_array() : json_object();

	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(L, index, i);
		json_array_append_new(json, to_json(L, -1, depth + 1));
		lua_pop(L, 1);
	}
	lua_pushnil(L);
	while (!n && lua_next(L, index)) {
		lua_pushvalue(L, -2);
		json_object_set_new(json, lua_tostring(L, -1),
				    to_json(L, -2, depth + 1));
		lua_pop(L, 2);
	}

	return json;
}

/** A Lua value as JSON, the caller's; functions and text that is not UTF-8
 * become null */
json_t *to_json(lua_State *L, int index, int depth)
{
	json_t *json = NULL;

	index = lua_absindex(L, index);
	switch (lua_type(L, index)) {
	case LUA_TBOOLEAN:
		json = json_boolean(lua_toboolean(L, index));
		break;
	case LUA_TNUMBER:
		if (lua_isinteger(L, index) ||
		    fmod(lua_tonumber(L, index), 1) == 0)
			json = json_integer((json_int_t)lua_tonumber(L, index));
		else
			json = json_real(lua_tonumber(L, index));
		break;
	case LUA_TSTRING:
		json = json_string(lua_tostring(L, index));
		break;
	case LUA_TTABLE:
		if (depth < DEPTH_MAX && lua_checkstack(L, 6))
			json = table_to_json(L, index, depth);
		break;
	default:
		break;
	}

	return json ? json : json_null();
}

/** The element of that name; an error, that begins with what (or NULL), if this
 * testbed has none */
enum sim_actor check_actor(lua_State *L, const char *name, const char *what)
{
	int appservers = task_of(L)->lua->plan.appservers;
	int actor = sim_actor_find(name);
	struct sim_near near;
	char hint[HINT_LEN];

	if (actor >= 0 && sim_actor_is_in((enum sim_actor)actor, appservers))
		return (enum sim_actor)actor;
	if (actor >= 0)
		luaL_error(L,
			   "%s%sthere is no '%s' without "
			   "testbed{ appservers = 2 }",
			   what ? what : "", what ? ": " : "", name);

	near_start(&near, name);
	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		near_try(&near, sim_actor_name((enum sim_actor)i));
	luaL_error(L, "%s%sthere is no element '%s'%s", what ? what : "",
		   what ? ": " : "", name,
		   near_hint(&near, hint, sizeof(hint)));

	return SIM_ACTOR_COUNT;
}
