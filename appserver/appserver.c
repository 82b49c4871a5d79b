#include "appserver/appserver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appserver/appserver_call.h"
#include "common/ctl.h"
#include "common/element.h"
#include "common/https.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/store.h"

static void cmd_bindings(struct ctl_req *req, json_t *args, void *arg)
{
	(void)args;
	ctl_ok(req, as_bindings_json(arg));
}

static void on_user_stored(int err, const struct store_rows *rows, void *arg)
{
	(void)rows;
	if (err)
		ctl_fail(arg, "appserver: the user could not be stored; see "
			      "the log");
	else
		ctl_ok(arg, NULL);
}

static void cmd_add_user(struct ctl_req *req, json_t *args, void *arg)
{
	const struct appserver *as = arg;
	char *reason = NULL;
	const char *number = json_need_string(args, "number", &reason);
	const char *secret =
		number ? json_need_string(args, "secret", &reason) : NULL;

	if (!secret)
		ctl_fail(req, "appserver: %s", reason);
	else if (!as_is_number(number))
		ctl_fail(req,
			 "appserver: \"%s\" is no E.164 number as "
			 "+8613800138000",
			 number);
	else if (as_user_add(as->login, number, secret))
		ctl_fail(req, "appserver: %s is a user already", number);
	else
		as_user_store(as->login, number, on_user_stored, req);
	free(reason);
}

static const struct ctl_cmd cmds[] = { { "bindings", cmd_bindings },
				       { "add_user", cmd_add_user },
				       { NULL, NULL } };

static int check(const struct appserver_cfg *cfg, char **reasonp)
{
	const struct {
		const char *name, *value;
	} needed[] = {
		{ "cert", cfg->cert },   { "ca", cfg->ca },
		{ "store", cfg->store }, { "realm", cfg->realm },
		{ "proxy", cfg->proxy }, { "platform", cfg->platform },
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		if (!needed[i].value) {
			*reasonp = xasprintf("--%s is missing; see --help",
					     needed[i].name);
			return EINVAL;
		}
	}
	if (strncmp(cfg->platform, "https://", 8) != 0) {
		*reasonp = xasprintf("--platform %s: give the platform's "
				     "address as https://HOST:PORT",
				     cfg->platform);
		return EINVAL;
	}

	if (cfg->number_policy && strcmp(cfg->number_policy, "replace") != 0 &&
	    strcmp(cfg->number_policy, "refuse") != 0) {
		*reasonp = xasprintf("--number-policy %s: must be replace or "
				     "refuse",
				     cfg->number_policy);
		return EINVAL;
	}

	return 0;
}

static int check_chain(enum as_chain *chainp, const char *name, char **reasonp)
{
	if (!as_chain_read(chainp, name))
		return 0;

	*reasonp = xasprintf("--chain %s: must be alone, first or last", name);

	return EINVAL;
}

/* SIGTERM: each call is ended and its record completed first */
static void on_term(void *arg)
{
	struct appserver *as = arg;

	as->is_stopping = true;
	as_calls_end_all(as);
	if (!as->ended)
		element_stop(as->el);
}

static char *without_slash(const char *url)
{
	size_t len = strlen(url);

	while (len && url[len - 1] == '/')
		len--;

	return xstrndup(url, len);
}

static int open_all(struct appserver *as, const struct appserver_cfg *cfg,
		    char **reasonp)
{
	int err = 0;

	if (cfg->users)
		err = as_users_read(as->login, cfg->users, reasonp);
	if (!err)
		err = as_cdrs_open(as, cfg, reasonp);
	if (!err)
		err = store_open(&as->store, as->el->loop, cfg->store,
				 as_schema, reasonp);
	if (!err)
		err = as_isc_open(as, cfg, reasonp);
	if (!err)
		err = as_https_open(as, cfg, reasonp);

	return err;
}

/**
 * The AS role. It listens when this returns; until what the store holds has
 * been read (the next turns of the loop) it answers 503
 *
 * @param reasonp On failure: what, where, what to do; the caller's to free
 *
 * @return 0, EINVAL (configuration), or errno of what could not be opened
 */
int as_new(struct appserver **asp, struct element *el,
	   const struct appserver_cfg *cfg, char **reasonp)
{
	struct appserver *as;
	enum as_chain chain = AS_ALONE;
	int err = check(cfg, reasonp);

	if (!err)
		err = check_chain(&chain, cfg->chain, reasonp);
	if (err)
		return err;

	as = xcalloc(1, sizeof(*as));
	as->el = el;
	as->login = as_login_new(as);
	as->platform = without_slash(cfg->platform);
	as->realm = xstrdup(cfg->realm);
	as->proxy = xstrdup(cfg->proxy);
	as->chain = chain;
	as->calls_max = cfg->calls_max;
	as->refuses_foreign =
		cfg->number_policy && !strcmp(cfg->number_policy, "refuse");
	as_calls_open(as);
	err = open_all(as, cfg, reasonp);
	if (err) {
		as_free(as);
		return err;
	}
	as_store_load(as);
	element_commands(el, cmds, as);
	element_on_term(el, on_term, as);
	*asp = as;

	return 0;
}

/** What the store held has been read: the AS is ready */
void as_loaded(struct appserver *as, int err)
{
	if (err) {
		log_error("appserver: the store could not be read");
		element_stop(as->el);
		return;
	}
	as->is_ready = true;
	element_ready(as->el,
		      json_pack("{s:s, s:s}", "https", as_https_addr(as), "sip",
				as_sip_addr(as)));
}

/** Whether it answers other than 503 */
bool as_is_ready(const struct appserver *as)
{
	return as->is_ready;
}

/** Free; what waits for an answer gets none */
struct appserver *as_free(struct appserver *as)
{
	if (!as)
		return NULL;

	/* edges first: nothing comes to what is gone */
	https_server_free(as->https);
	https_client_free(as->client);
	store_close(as->store);
	as_calls_free(as);
	as_cdrs_free(as);
	as_isc_free(as->isc);
	as_bindings_free(as);
	as_login_free(as->login);
	free(as->platform);
	free(as->realm);
	free(as->proxy);
	free(as);

	return NULL;
}
