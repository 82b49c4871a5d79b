#include "ims_core/hss/hss.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/element.h"
#include "common/https.h"
#include "common/mem.h"
#include "ims_core/hss/hss_core.h"

/* --- control command --- */

static json_t *user_json(const struct hss_user *user)
{
	return json_pack("{s:s, s:s, s:s, s:s?}", "impu", user->impu, "impi",
			 user->impi, "state", hss_state_name(&user->reg),
			 "scscf", user->reg.scscf);
}

static void on_users(int err, const struct store_rows *rows, void *arg)
{
	struct ctl_req *req = arg;
	json_t *users;
	struct hss_user user;

	if (err) {
		ctl_fail(req, "hss: the store cannot be read");
		return;
	}
	users = json_array();
	for (int i = 0; hss_row_user(&user, rows, i); i++)
		json_array_append_new(users, user_json(&user));
	ctl_ok(req, users);
}

static void cmd_users(struct ctl_req *req, json_t *args, void *arg)
{
	(void)args;
	hss_store_all(arg, on_users, req);
}

static const struct ctl_cmd commands[] = { { "users", cmd_users },
					   { NULL, NULL } };

/* --- wiring --- */

static const char *missing_option(const struct hss_cfg *cfg)
{
	const struct {
		const char *name, *value;
	} needed[] = {
		{ "--diameter", cfg->diameter }, { "--soap", cfg->soap },
		{ "--store", cfg->store },       { "--realm", cfg->realm },
		{ "--cert", cfg->cert },         { "--ca", cfg->ca },
		{ "--scscf", cfg->scscf },
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!needed[i].value)
			return needed[i].name;

	return NULL;
}

/* An AS that stands twice would have, and charge, each call twice */
static const char *repeated_appserver(const struct opt_list *list)
{
	for (int i = 1; i < list->n; i++)
		for (int j = 0; j < i; j++)
			if (!strcmp(list->v[i], list->v[j]))
				return list->v[i];

	return NULL;
}

static char **copy_list(const struct opt_list *list)
{
	char **copy = xcalloc((size_t)list->n, sizeof(char *));

	for (int i = 0; i < list->n; i++)
		copy[i] = xstrdup(list->v[i]);

	return copy;
}

static void free_list(char **list, int n)
{
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

static void copy_cfg(struct hss *hss, const struct hss_cfg *cfg)
{
	hss->realm = xstrdup(cfg->realm);
	hss->scscf = xstrdup(cfg->scscf);
	hss->soap_client =
		xstrdup(cfg->soap_client ? cfg->soap_client : "boss");
	hss->visited_n = cfg->visited.n;
	hss->visited = copy_list(&cfg->visited);
	hss->appserver_n = cfg->appservers.n;
	hss->appservers = copy_list(&cfg->appservers);
}

/**
 * Open the store and listen
 *
 * @param hssp    Set to the HSS, the caller's: hss_free()
 * @param el      Borrowed; must outlive it
 * @param reasonp On failure what, where, what to do; the caller's to free
 *
 * @return 0 or a positive errno
 */
int hss_new(struct hss **hssp, struct element *el, const struct hss_cfg *cfg,
	    char **reasonp)
{
	const char *missing = missing_option(cfg);
	const char *twice = repeated_appserver(&cfg->appservers);
	struct hss *hss;
	int err;

	if (missing) {
		*reasonp = xasprintf("%s is missing; see --help", missing);
		return EINVAL;
	}
	if (twice) {
		*reasonp = xasprintf("--appserver %s is given twice: name each "
				     "AS once",
				     twice);
		return EINVAL;
	}

	hss = xcalloc(1, sizeof(*hss));
	hss->el = el;
	copy_cfg(hss, cfg);
	err = hss_store_open(hss, cfg->store, reasonp);
	if (!err)
		err = hss_cx_open(hss, cfg, reasonp);
	if (!err)
		err = hss_soap_open(hss, cfg, reasonp);
	if (err) {
		hss_free(hss);
		return err;
	}

	element_commands(el, commands, hss);
	*hssp = hss;

	return 0;
}

/** End: what was begun is finished in the store, and not answered */
struct hss *hss_free(struct hss *hss)
{
	if (!hss)
		return NULL;

	/* first the store, so that no callback comes back */
	hss->store = store_close(hss->store);
	hss_soap_close(hss);
	hss_cx_close(hss);
	free_list(hss->visited, hss->visited_n);
	free_list(hss->appservers, hss->appserver_n);
	free(hss->realm);
	free(hss->scscf);
	free(hss->soap_client);
	free(hss);

	return NULL;
}

/** Where it listens: {"diameter":"…","soap":"…"}, the caller's */
json_t *hss_addresses(const struct hss *hss)
{
	return json_pack("{s:s, s:s}", "diameter", cx_server_addr(hss->cx),
			 "soap", https_server_addr(hss->https));
}
