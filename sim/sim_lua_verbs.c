#include "sim/sim_lua_core.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/** One verb that is one command to one element */
struct verb {
	const char *name;
	const char *cmd;
	const struct sim_key *keys; /* of its table; NULL: takes none */
	const char *positional;     /* its one argument; NULL: none */
	int type;                   /* of that argument */
	enum sim_actor actor;
};

static const struct sim_key sync_keys[] = { { "by", LUA_TSTRING, true },
					    { NULL, 0, false } };

static const struct sim_key dial_keys[] = { { "to", LUA_TSTRING, true },
					    { "display", LUA_TSTRING, false },
					    { NULL, 0, false } };

/* clang-format off */
static const struct verb verbs[] = {
	{ "sync", "sync", sync_keys, NULL, 0, SIM_BOSS },
	{ "close_account", "close_account", NULL, "uri", LUA_TSTRING,
	  SIM_BOSS },
	{ "change_password", "change_password", NULL, "uri", LUA_TSTRING,
	  SIM_BOSS },
	{ "pool", "pool", NULL, NULL, 0, SIM_PLATFORM },
	{ "uri", "uri", NULL, "uri", LUA_TSTRING, SIM_PLATFORM },
	{ "bindings", "bindings", NULL, NULL, 0, SIM_APPSERVER },
	{ "bindings", "bindings", NULL, NULL, 0, SIM_APPSERVER2 },
	{ "users", "users", NULL, NULL, 0, SIM_HSS },
	{ "registrations", "registrations", NULL, NULL, 0, SIM_SCSCF },
};
/* of every element: a received message can be held */
static const struct verb all_verbs[] = {
	{ "ping", "ping", NULL, NULL, 0, 0 },
	{ "hold", "hold", NULL, NULL, 0, 0 },
	{ "unhold", "unhold", NULL, NULL, 0, 0 },
	{ "release_held", "release-held", NULL, "number", LUA_TNUMBER, 0 },
};
static const struct verb terminal_verbs[] = {
	{ "login", "login", NULL, NULL, 0, SIM_TERMINAL },
	{ "request_uri", "request_uri", NULL, NULL, 0, SIM_TERMINAL },
	{ "register", "register", NULL, NULL, 0, SIM_TERMINAL },
	{ "release", "release", NULL, NULL, 0, SIM_TERMINAL },
	{ "call_end", "call_end", NULL, NULL, 0, SIM_TERMINAL },
	{ "memory", "memory", NULL, NULL, 0, SIM_TERMINAL },
	{ "answer", "answer", NULL, NULL, 0, SIM_TERMINAL },
	{ "hangup", "hangup", NULL, NULL, 0, SIM_TERMINAL },
	{ "cancel", "cancel", NULL, NULL, 0, SIM_TERMINAL },
	{ "call_state", "call_state", NULL, NULL, 0, SIM_TERMINAL },
	{ "answer_mode", "answer_mode", NULL, "mode", LUA_TSTRING,
	  SIM_TERMINAL },
	{ "call", "call", dial_keys, "to", LUA_TSTRING, SIM_TERMINAL },
	{ "start_call", "start_call", dial_keys, "to", LUA_TSTRING,
	  SIM_TERMINAL },
};
/* clang-format on */

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The answer has come: its result, or an error that names the verb */
static int verb_answered(lua_State *L, int status, lua_KContext ctx)
{
	(void)status;
	(void)ctx;
	if (!lua_isnil(L, -1))
		return task_fail(L, "%s: %s", task_of(L)->verb,
				 lua_tostring(L, -1));
	lua_pop(L, 1);

	return 1;
}

static int verb_call(lua_State *L, enum sim_actor actor, const char *cmd,
		     json_t *args)
{
	return task_call(L, actor, cmd, args, verb_answered);
}

/** Raise an error unless called with a colon, on what has names */
void check_self(lua_State *L, const char *name)
{
	if (!lua_istable(L, 1) || !luaL_getmetafield(L, 1, "__index"))
		luaL_error(L, "%s is called with a colon: x:%s(…)", name, name);
	lua_pop(L, 1);
}

static int actor_verb(lua_State *L)
{
	const struct verb *verb = lua_touserdata(L, lua_upvalueindex(1));
	int actor = (int)lua_tointeger(L, lua_upvalueindex(2));
	json_t *args;

	check_self(L, verb->name);
	lua_settop(L, 2);
	if (verb->keys)
		check_keys(L, 2, verb->name, verb->keys);
	else if (verb->positional)
		luaL_checktype(L, 2, verb->type);
	else if (!lua_isnil(L, 2))
		return luaL_error(L, "%s takes no arguments", verb->name);

	args = verb->keys ? to_json(L, 2, 0) : json_object();
	if (verb->positional)
		json_object_set_new(args, verb->positional, to_json(L, 2, 0));

	return verb_call(L, (enum sim_actor)actor, verb->cmd, args);
}

static void push_verb(lua_State *L, const struct verb *verb, int actor)
{
	lua_pushlightuserdata(L, (void *)verb);
	lua_pushinteger(L, actor);
	lua_pushcclosure(L, actor_verb, 2);
	lua_setfield(L, -2, verb->name);
}

/** Stack: an object, and its names at the top, which are popped. What the
 * object lacks is looked for there, and is an error if it is not there either
 */
void set_strict(lua_State *L, const char *what, lua_CFunction index)
{
	lua_pushstring(L, what);
	lua_insert(L, -2);
	lua_pushcclosure(L, index, 2);
	lua_createtable(L, 0, 1);
	lua_insert(L, -2);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}

/* "a.txt" beside the scenario; the caller frees it */
static char *beside(const struct sim_lua *lua, const char *file)
{
	const char *slash = strrchr(lua->cfg->file, '/');

	if (file[0] == '/' || !slash)
		return xstrdup(file);

	return xasprintf("%.*s/%s", (int)(slash - lua->cfg->file),
			 lua->cfg->file, file);
}

/* One { number = …, uri = …, password = … } of a list, at the top */
static void write_account(lua_State *L, FILE *f)
{
	static const struct sim_key keys[] = { { "number", LUA_TSTRING, true },
					       { "uri", LUA_TSTRING, true },
					       { "password", LUA_TSTRING,
						 false },
					       { NULL, 0, false } };

	check_keys(L, lua_gettop(L), "an account", keys);
	if (!f)
		return;

	lua_getfield(L, -1, "number");
	lua_getfield(L, -2, "uri");
	lua_getfield(L, -3, "password");
	(void)fprintf(f, "%s %s%s%s\n", lua_tostring(L, -3),
		      lua_tostring(L, -2), lua_isnil(L, -1) ? "" : " ",
		      lua_isnil(L, -1) ? "" : lua_tostring(L, -1));
	lua_pop(L, 3);
}

/* The list at the top as a text file in the run's folder ([0076], way b); its
 * path is left on the stack instead */
static void write_list(lua_State *L)
{
	struct sim_lua *lua = task_of(L)->lua;
	int list = lua_gettop(L);
	lua_Integer n = (lua_Integer)lua_rawlen(L, list);
	char *path;
	FILE *f;

	/* checked as a whole first: an error leaves the function at once */
	for (lua_Integer i = 1; i <= n; i++, lua_pop(L, 1)) {
		lua_rawgeti(L, list, i);
		write_account(L, NULL);
	}
	path = xasprintf("%s/accounts-%d.txt", lua->ops->dir(lua->arg),
			 ++lua->list_n);
	lua_pushstring(L, path);
	f = fopen(path, "we");
	free(path);
	if (!f)
		luaL_error(L, "cannot write %s: %s", lua_tostring(L, -1),
			   strerror(errno));
	for (lua_Integer i = 1; i <= n; i++, lua_pop(L, 1)) {
		lua_rawgeti(L, list, i);
		write_account(L, f);
	}
	if (fclose(f))
		luaL_error(L, "cannot write %s: %s", lua_tostring(L, -1),
			   strerror(errno));
}

/* bed.boss:open_accounts{ first, last, rule } or { file } or { list }: S401 */
static int open_accounts(lua_State *L)
{
	static const struct sim_key keys[] = {
		{ "first", LUA_TSTRING, false }, { "last", LUA_TSTRING, false },
		{ "rule", LUA_TSTRING, false },  { "file", LUA_TSTRING, false },
		{ "list", LUA_TTABLE, false },   { NULL, 0, false }
	};
	bool has_range, has_file, has_list;
	json_t *args;
	char *path;

	check_self(L, "open_accounts");
	lua_settop(L, 2);
	check_keys(L, 2, "open_accounts", keys);
	has_range = lua_getfield(L, 2, "first") != LUA_TNIL;
	has_range = (lua_getfield(L, 2, "last") != LUA_TNIL) && has_range;
	has_range = (lua_getfield(L, 2, "rule") != LUA_TNIL) && has_range;
	has_file = lua_getfield(L, 2, "file") != LUA_TNIL;
	has_list = lua_getfield(L, 2, "list") != LUA_TNIL;
	if (has_range + has_file + has_list != 1)
		return luaL_error(L, "open_accounts needs one of: "
				     "{ first, last, rule }, { file }, "
				     "{ list }");

	if (has_range)
		return verb_call(L, SIM_BOSS, "open_accounts",
				 to_json(L, 2, 0));

	if (has_list)
		write_list(L);
	path = has_list ? xstrdup(lua_tostring(L, -1))
			: beside(task_of(L)->lua, lua_tostring(L, -2));
	args = json_pack("{s:s}", "file", path);
	free(path);

	return verb_call(L, SIM_BOSS, "open_accounts", args);
}

/* What a terminal's verb was given, at 2: nothing, its one argument, or where
 * it may be more a table: alice:call(uri), alice:call{ to = uri, display = n }
 */
static json_t *terminal_args(lua_State *L, const struct verb *verb)
{
	json_t *args;

	lua_settop(L, 2);
	if (!verb->positional && !lua_isnil(L, 2))
		luaL_error(L, "%s takes no arguments", verb->name);
	if (verb->keys && lua_istable(L, 2)) {
		check_keys(L, 2, verb->name, verb->keys);
		return to_json(L, 2, 0);
	}
	if (verb->positional && lua_type(L, 2) != verb->type)
		luaL_error(L, "%s needs its '%s', a %s, not %s", verb->name,
			   verb->positional, lua_typename(L, verb->type),
			   luaL_typename(L, 2));
	args = json_object();
	if (verb->positional)
		json_object_set_new(args, verb->positional, to_json(L, 2, 0));

	return args;
}

static int terminal_verb(lua_State *L)
{
	const struct verb *verb = lua_touserdata(L, lua_upvalueindex(1));
	json_t *args;

	check_self(L, verb->name);
	args = terminal_args(L, verb);
	lua_getfield(L, 1, "number");
	json_object_set_new(args, "number", json_string(lua_tostring(L, -1)));

	return verb_call(L, SIM_TERMINAL, verb->cmd, args);
}

/* What a property's command gave: the field of the property's name, at 2 */
static int terminal_state(lua_State *L, int status, lua_KContext ctx)
{
	(void)verb_answered(L, status, ctx);
	lua_getfield(L, -1, lua_tostring(L, 2));

	return 1;
}

/* alice.state, alice.uri: asked of the terminal each time */
static int terminal_index(lua_State *L)
{
	const char *name = lua_tostring(L, 2);
	json_t *args;

	if (!name || (strcmp(name, "state") != 0 && strcmp(name, "uri") != 0))
		return strict_index(L);

	lua_getfield(L, 1, "number");
	args = json_pack("{s:s}", "number", lua_tostring(L, -1));

	return task_call(L, SIM_TERMINAL, "state", args, terminal_state);
}

/* The terminal's table, from the options at 2 */
static int terminal_made(lua_State *L, int status, lua_KContext ctx)
{
	(void)verb_answered(L, status, ctx);
	lua_newtable(L);
	lua_getfield(L, 2, "number");
	lua_setfield(L, -2, "number");
	lua_newtable(L);
	for (size_t i = 0; i < COUNT(terminal_verbs); i++) {
		const struct verb *verb = &terminal_verbs[i];

		lua_pushlightuserdata(L, (void *)verb);
		lua_pushcclosure(L, terminal_verb, 1);
		lua_setfield(L, -2, verb->name);
	}
	lua_pushboolean(L, 1);
	lua_setfield(L, -2, "state");
	lua_pushboolean(L, 1);
	lua_setfield(L, -2, "uri");
	set_strict(L, "a terminal", terminal_index);

	return 1;
}

/* The AS that the options at 2 name, or the first */
static enum sim_actor terminal_appserver(lua_State *L)
{
	enum sim_actor actor = SIM_APPSERVER;

	if (lua_getfield(L, 2, "appserver") != LUA_TNIL)
		actor = check_actor(L, lua_tostring(L, -1), "terminal");
	if (actor != SIM_APPSERVER && actor != SIM_APPSERVER2)
		luaL_error(L, "terminal: '%s' is no application server",
			   lua_tostring(L, -1));
	lua_pop(L, 1);

	return actor;
}

static int terminal_add(lua_State *L)
{
	const struct sim_lua *lua = task_of(L)->lua;
	json_t *args = to_json(L, 2, 0);

	json_object_del(args, "unknown");
	json_object_del(args, "appserver");
	if (terminal_appserver(L) == SIM_APPSERVER2)
		json_object_set_new(args, "appserver",
				    json_string(lua->ops->uri(
					    SIM_APPSERVER2_HTTPS, lua->arg)));

	return task_call(L, SIM_TERMINAL, "add", args, terminal_made);
}

static int terminal_known(lua_State *L, int status, lua_KContext ctx)
{
	(void)verb_answered(L, status, ctx);
	lua_settop(L, 2);

	return terminal_add(L);
}

/** bed:terminal{ number, secret, unknown, appserver }: the AS that it logs in
 * at, the first one if none is named, knows it, unless unknown */
int bed_terminal(lua_State *L)
{
	static const struct sim_key keys[] = {
		{ "number", LUA_TSTRING, true },
		{ "secret", LUA_TSTRING, true },
		{ "unknown", LUA_TBOOLEAN, false },
		{ "appserver", LUA_TSTRING, false },
		{ NULL, 0, false }
	};
	enum sim_actor appserver;
	json_t *args;

	check_self(L, "terminal");
	lua_settop(L, 2);
	check_keys(L, 2, "terminal", keys);
	appserver = terminal_appserver(L);
	lua_getfield(L, 2, "unknown");
	if (lua_toboolean(L, -1))
		return terminal_add(L);

	args = to_json(L, 2, 0);
	json_object_del(args, "unknown");
	json_object_del(args, "appserver");

	return task_call(L, appserver, "add_user", args, terminal_known);
}

/** bed:account{ number, uri, password, impi, realm, proxy }: a terminal with
 * an account of its own, which it does not borrow */
int bed_account(lua_State *L)
{
	static const struct sim_key keys[] = { { "number", LUA_TSTRING, true },
					       { "uri", LUA_TSTRING, true },
					       { "password", LUA_TSTRING,
						 true },
					       { "impi", LUA_TSTRING, false },
					       { "realm", LUA_TSTRING, false },
					       { "proxy", LUA_TSTRING, false },
					       { NULL, 0, false } };

	check_self(L, "account");
	lua_settop(L, 2);
	check_keys(L, 2, "account", keys);

	return task_call(L, SIM_TERMINAL, "add_account", to_json(L, 2, 0),
			 terminal_made);
}

/** Push bed.hss and its like */
void push_actor(lua_State *L, int actor)
{
	const char *name = sim_actor_name((enum sim_actor)actor);

	lua_newtable(L);
	lua_newtable(L);
	for (size_t i = 0; i < COUNT(all_verbs); i++)
		push_verb(L, &all_verbs[i], actor);
	for (size_t i = 0; i < COUNT(verbs); i++)
		if ((int)verbs[i].actor == actor)
			push_verb(L, &verbs[i], actor);
	if (actor == SIM_BOSS) {
		lua_pushcfunction(L, open_accounts);
		lua_setfield(L, -2, "open_accounts");
	}
	lua_pushfstring(L, "bed.%s", name);
	lua_insert(L, -3);
	set_strict(L, lua_tostring(L, -3), strict_index);
	lua_remove(L, -2);
}
