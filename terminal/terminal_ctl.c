/* Control commands: what the runner tells a UE to do */
#include <stdlib.h>
#include <string.h>

#include "common/ctl.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/mem.h"
#include "terminal/terminal_core.h"
#include "terminal/terminal_lease.h"

/** The UE that the arguments name; NULL: the command has failed already */
struct ue *terminal_ctl_find(struct ctl_req *req, json_t *args,
			     const struct terminal *t)
{
	const char *number = json_string_value(json_object_get(args, "number"));
	struct ue *ue = number ? ue_find(t, number) : NULL;

	if (!number)
		ctl_fail(req, "terminal: \"number\" is missing");
	else if (!ue)
		ctl_fail(req, "terminal: no UE has the number %s; add it first",
			 number);

	return ue;
}

static void on_done(json_t *result, const char *error, void *arg)
{
	struct ctl_req *req = arg;

	if (error)
		ctl_fail(req, "%s", error);
	else
		ctl_ok(req, json_incref(result));
}

static void start(struct ctl_req *req, json_t *args, const struct terminal *t,
		  enum ue_event op)
{
	struct ue *ue = terminal_ctl_find(req, args, t);
	char *why;

	if (!ue || !ue_start(ue, op, on_done, req))
		return;

	why = ue_why_not(ue, op);
	ctl_fail(req, "%s", why);
	free(why);
}

/* {"number", "secret"}, and "appserver", a URL, for one that logs in at another
 * AS than the terminal's */
static void cmd_add(struct ctl_req *req, json_t *args, void *arg)
{
	const char *number, *secret, *appserver = NULL;
	struct ue *ue = NULL;
	json_error_t error;

	if (json_unpack_ex(args, &error, 0, "{s:s, s:s, s?s}", "number",
			   &number, "secret", &secret, "appserver",
			   &appserver)) {
		ctl_fail(req, "terminal: %s", error.text);
		return;
	}
	if (appserver && strncmp(appserver, "https://", 8) != 0) {
		ctl_fail(req,
			 "terminal: appserver %s: must be https://HOST:PORT",
			 appserver);
		return;
	}
	ue = ue_new(arg, number, secret);
	if (!ue) {
		ctl_fail(req, "terminal: there is a UE of number %s already",
			 number);
		return;
	}
	ue->appserver = xstrdup(appserver);
	ctl_ok(req, NULL);
}

static void cmd_add_account(struct ctl_req *req, json_t *args, void *arg)
{
	struct ue_account a = { 0 };
	char *reason = NULL;
	json_error_t error;

	if (json_unpack_ex(args, &error, 0, "{s:s, s:s, s:s, s?s, s?s, s?s}",
			   "number", &a.number, "uri", &a.uri, "password",
			   &a.password, "impi", &a.impi, "realm", &a.realm,
			   "proxy", &a.proxy))
		ctl_fail(req, "terminal: %s", error.text);
	else if (ue_account_new(arg, &a, &reason))
		ctl_fail(req, "terminal: %s", reason);
	else
		ctl_ok(req, NULL);
	free(reason);
}

static void cmd_login(struct ctl_req *req, json_t *args, void *arg)
{
	start(req, args, arg, UE_EV_LOGIN);
}

static void cmd_request_uri(struct ctl_req *req, json_t *args, void *arg)
{
	start(req, args, arg, UE_EV_REQUEST);
}

static void cmd_register(struct ctl_req *req, json_t *args, void *arg)
{
	start(req, args, arg, UE_EV_REGISTER);
}

static void cmd_release(struct ctl_req *req, json_t *args, void *arg)
{
	start(req, args, arg, UE_EV_RELEASE);
}

static void cmd_call_end(struct ctl_req *req, json_t *args, void *arg)
{
	start(req, args, arg, UE_EV_CALL_END);
}

static void cmd_state(struct ctl_req *req, json_t *args, void *arg)
{
	const struct ue *ue = terminal_ctl_find(req, args, arg);
	json_t *result;

	if (!ue)
		return;

	result = json_pack("{s:s}", "state", fsm_name(ue->fsm));
	if (ue->lease)
		json_object_set_new(result, "uri", json_string(ue->lease->uri));
	ctl_ok(req, result);
}

static void cmd_memory(struct ctl_req *req, json_t *args, void *arg)
{
	const struct ue *ue = terminal_ctl_find(req, args, arg);

	if (ue)
		ctl_ok(req,
		       json_pack("{s:b}", "holds_secret", ue_holds_secret(ue)));
}

static const struct ctl_cmd cmds[] = {
	{ "add", cmd_add },           { "add_account", cmd_add_account },
	{ "login", cmd_login },       { "request_uri", cmd_request_uri },
	{ "register", cmd_register }, { "release", cmd_release },
	{ "call_end", cmd_call_end }, { "state", cmd_state },
	{ "memory", cmd_memory },     { NULL, NULL }
};

/** Take the terminal's commands */
void terminal_ctl_open(struct terminal *t)
{
	element_commands(t->el, cmds, t);
}
