#include "boss/boss.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boss/boss_core.h"
#include "common/element.h"
#include "common/https.h"
#include "common/mem.h"
#include "common/timer.h"

/* --- control commands --- */

static json_t *report_json(const struct boss_list *report)
{
	size_t opened = boss_list_count(report, "opened");
	json_t *accounts = json_array();

	for (size_t i = 0; i < report->n; i++)
		json_array_append_new(accounts,
				      json_pack("{s:s?, s:s, s:s}", "number",
						report->v[i].number, "uri",
						report->v[i].uri, "status",
						report->v[i].status));

	return json_pack("{s:I, s:I, s:o}", "opened", (json_int_t)opened,
			 "refused", (json_int_t)(report->n - opened),
			 "accounts", accounts);
}

static void on_report(const struct boss_list *report, const char *error,
		      void *arg)
{
	struct ctl_req *req = arg;

	if (error)
		ctl_fail(req, "%s", error);
	else
		ctl_ok(req, report_json(report));
}

static const char *get_text(json_t *args, const char *name)
{
	return json_string_value(json_object_get(args, name));
}

static void cmd_open_accounts(struct ctl_req *req, json_t *args, void *arg)
{
	const char *file = get_text(args, "file");
	const char *first = get_text(args, "first");
	const char *last = get_text(args, "last");
	const char *rule = get_text(args, "rule");
	const struct boss_range range = { first, last, rule };
	struct boss_list list = { 0 };
	struct boss *boss = arg;
	char *reason = NULL;

	if (!file && first && last && rule) {
		boss_open_range(boss, &range, on_report, req);
		return;
	}
	if (!file || first || last || rule) {
		ctl_fail(req, "open_accounts: give first, last and rule, or "
			      "file alone");
		return;
	}
	if (boss_batch_read(&list, file, boss->realm, &reason)) {
		ctl_fail(req, "%s", reason);
		free(reason);
		return;
	}
	/* "lend": false: users' own, with their passwords in the file. Nothing
	 * is to be remembered of them, or the next sync would give them away */
	if (json_is_false(json_object_get(args, "lend")))
		boss_soap_open_list(boss, &list, on_report, req);
	else
		boss_open_list(boss, &list, on_report, req);
	boss_list_clear(&list);
}

static void cmd_close_account(struct ctl_req *req, json_t *args, void *arg)
{
	const char *uri = get_text(args, "uri");

	if (uri)
		boss_edit_close(arg, uri, on_report, req);
	else
		ctl_fail(req, "close_account: uri is missing");
}

static void cmd_change_password(struct ctl_req *req, json_t *args, void *arg)
{
	const char *uri = get_text(args, "uri");

	if (uri)
		boss_edit_password(arg, uri, get_text(args, "password"),
				   on_report, req);
	else
		ctl_fail(req, "change_password: uri is missing");
}

static void on_sent(size_t count, const char *error, void *arg)
{
	struct ctl_req *req = arg;

	if (error)
		ctl_fail(req, "%s", error);
	else
		ctl_ok(req, json_pack("{s:I}", "count", (json_int_t)count));
}

static void cmd_sync(struct ctl_req *req, json_t *args, void *arg)
{
	const char *by = get_text(args, "by");
	bool by_file = by && !strcmp(by, "file");

	if (by_file || (by && !strcmp(by, "message")))
		boss_sync(arg, by_file, on_sent, req);
	else
		ctl_fail(req,
			 "sync: by is \"%s\"; \"file\" or \"message\" was "
			 "expected",
			 by ? by : "");
}

static const struct ctl_cmd commands[] = {
	{ "open_accounts", cmd_open_accounts },
	{ "close_account", cmd_close_account },
	{ "change_password", cmd_change_password },
	{ "sync", cmd_sync },
	{ NULL, NULL },
};

/* --- wiring --- */

/* A URL with its path: that of the option, or the one of our own servers */
static char *url_with_path(const char *url, const char *path)
{
	const char *host = strstr(url, "://");
	const char *slash = host ? strchr(host + 3, '/') : NULL;

	if (slash && slash[1])
		return xstrdup(url);

	return xasprintf("%.*s%s",
			 (int)(slash ? (size_t)(slash - url) : strlen(url)),
			 url, path);
}

/**
 * Make the BOSS; it listens where it is told, for the platform
 *
 * @param bossp   Set to it, the caller's: boss_free()
 * @param el      Borrowed; must outlive it
 * @param reasonp On failure what is missing or wrong; the caller's to free
 *
 * @return 0 or a positive errno
 */
int boss_new(struct boss **bossp, struct element *el,
	     const struct boss_cfg *cfg, char **reasonp)
{
	const struct https_client_cfg client = { .cert_file = cfg->cert,
						 .ca_file = cfg->ca,
						 .bind = cfg->bind };
	struct boss *boss;
	int err;

	if (!cfg->hss || !cfg->cert || !cfg->ca) {
		*reasonp = xstrdup("--hss, --cert and --ca are needed; see "
				   "--help");
		return EINVAL;
	}

	boss = xcalloc(1, sizeof(*boss));
	boss->el = el;
	boss->index = json_object();
	boss->hss_url = url_with_path(cfg->hss, "/provisioning");
	if (cfg->platform)
		boss->platform_url = url_with_path(cfg->platform, "/v1/pool");
	boss->realm = xstrdup(cfg->realm);
	boss->pool_file = xstrdup(cfg->pool_file);
	TAILQ_INIT(&boss->turns);
	boss->next_turn = timer_new(el->loop, boss_turn_next, boss);
	err = boss_known_open(boss, cfg->store, reasonp);
	if (!err)
		err = https_client_new(&boss->https, el, &client, reasonp);
	if (!err && cfg->https)
		err = boss_https_open(boss, cfg, reasonp);
	if (err) {
		boss_free(boss);
		return err;
	}

	element_commands(el, commands, boss);
	*bossp = boss;

	return 0;
}

/** End; what is under way is carried on at the next start. Passwords are
 * wiped */
struct boss *boss_free(struct boss *boss)
{
	if (!boss)
		return NULL;

	/* first the store, so that no callback comes back */
	boss_known_close(boss);
	boss_https_close(boss);
	https_client_free(boss->https);
	boss_soap_free_ops(boss);
	boss_turn_end_all(boss);
	boss_shot_free(boss);
	timer_free(boss->next_turn);
	boss_list_clear(&boss->pool);
	json_decref(boss->index);
	free(boss->hss_url);
	free(boss->platform_url);
	free(boss->realm);
	free(boss->pool_file);
	free(boss);

	return NULL;
}

/** Where it listens: {"https":"…"}, or {}; the caller's */
json_t *boss_addresses(const struct boss *boss)
{
	return json_pack("{s:s*}", "https",
			 boss->server ? https_server_addr(boss->server) : NULL);
}

/** By hand: whether something that was asked for did not come about */
bool boss_has_failed(const struct boss *boss)
{
	return boss->has_failed;
}
