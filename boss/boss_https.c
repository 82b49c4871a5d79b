/* The BOSS's door: the platform asks for a new password of an account, which
 * goes on to the HSS (ChangePassword of its WSDL) */
#include <stdlib.h>
#include <string.h>

#include "boss/boss_core.h"
#include "common/element.h"
#include "common/https.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/numrange.h"

enum { BODY_MAX = 4096 };

/** A request that waits for the HSS; owned by the BOSS's list */
struct boss_change {
	struct boss_change *next, **at;
	struct boss *boss;
	struct https_req *req; /* NULL: its client left */
	char *uri;
};

static void change_free(struct boss_change *change)
{
	*change->at = change->next;
	if (change->next)
		change->next->at = change->at;
	free(change->uri);
	free(change);
}

static void on_gone(void *arg)
{
	struct boss_change *change = arg;

	change->req = NULL;
}

/* Who asks for another password has the account, and this password: on its
 * disk, before it asked. Here is nothing to remember */
static void forget_password(struct boss *boss, const char *uri)
{
	const struct boss_account *own = boss_known_find(boss, uri);
	struct boss_list given = { 0 };
	struct boss_account *a;

	if (!boss_account_is(own, BOSS_OPENED))
		return;

	a = boss_list_copy(&given, own);
	boss_account_set_password(a, NULL);
	xstrset(&a->status, BOSS_GIVEN);
	boss_known_put(boss, &given, NULL, NULL);
}

/* The password itself is in no answer: who asked has it */
static void on_report(const struct boss_list *report, const char *error,
		      void *arg)
{
	struct boss_change *change = arg;
	const char *status =
		report && report->n == 1 ? report->v[0].status : "missing";

	if (!error && !strcmp(status, "changed"))
		forget_password(change->boss, change->uri);
	if (!change->req)
		log_warn("boss: %s: who asked for a new password left",
			 change->uri);
	else if (error)
		https_reply_error(change->req, 502, "%s", error);
	else if (strcmp(status, "changed") != 0)
		https_reply_error(change->req, 404,
				  "the HSS has not changed the password of "
				  "%s: the account is %s",
				  change->uri, status);
	else
		https_reply_json(change->req, 200,
				 json_pack("{s:s, s:s}", "uri", change->uri,
					   "status", status));
	change_free(change);
}

static bool is_from_platform(struct https_req *req)
{
	const char *peer = https_req_peer_name(req);

	if (peer && !strcmp(peer, "platform"))
		return true;

	https_reply_error(req, 403,
			  "%s may not be asked by \"%s\"; the client's "
			  "certificate must be of \"platform\"",
			  https_req_path(req), peer ? peer : "");

	return false;
}

static char *check(const struct boss *boss, const char *uri,
		   const char *password)
{
	char *why = NULL, *text;

	if (!sipuri_check(uri, boss->realm, &why) &&
	    !password_check(password, &why))
		return NULL;

	text = xasprintf("the body's %s", why);
	free(why);

	return text;
}

static void change(struct boss *boss, struct https_req *req, const char *uri,
		   const char *password)
{
	struct boss_change *change = xcalloc(1, sizeof(*change));

	change->boss = boss;
	change->req = req;
	change->uri = xstrdup(uri);
	change->next = boss->changes;
	change->at = &boss->changes;
	if (change->next)
		change->next->at = &change->next;
	boss->changes = change;
	https_req_on_gone(req, on_gone, change);
	boss_soap_change(boss, uri, password, on_report, change);
}

static void rx_password(struct https_req *req, void *arg)
{
	const char *uri, *password = NULL;
	char *reason = NULL;
	json_t *body;
	size_t len;
	const char *text = https_req_body(req, &len);

	if (!is_from_platform(req))
		return;

	body = json_read(text, len, &reason);
	uri = body ? json_need_string(body, "uri", &reason) : NULL;
	if (uri)
		password = json_need_string(body, "password", &reason);
	if (password)
		reason = check(arg, uri, password);
	if (reason) {
		log_warn("boss: %s refused: %s", https_req_path(req), reason);
		https_reply_error(req, 400, "%s", reason);
	} else {
		change(arg, req, uri, password);
	}
	free(reason);
	json_decref(body);
}

/** Listen for the platform, which must show a certificate */
int boss_https_open(struct boss *boss, const struct boss_cfg *cfg,
		    char **reasonp)
{
	static const struct https_route routes[] = {
		{ "POST", "/v1/password", rx_password },
		{ NULL, NULL, NULL },
	};
	const struct https_server_cfg server = { .listen = cfg->https,
						 .cert_file = cfg->cert,
						 .ca_file = cfg->ca,
						 .body_max = BODY_MAX };

	return https_server_new(&boss->server, boss->el, &server, routes, boss,
				reasonp);
}

/** End, with what still waits: no one is answered any more */
void boss_https_close(struct boss *boss)
{
	struct boss_change *next;

	boss->server = https_server_free(boss->server);
	for (struct boss_change *c = boss->changes; c; c = next) {
		next = c->next;
		change_free(c);
	}
}
