/* A new password for each lease: platform to BOSS, which has the HSS change it.
 * An earlier holder's is worth nothing then, before the SIP-URI is lent again.
 * The patent is silent here; it is what makes [0121] safe. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/addr.h"
#include "common/element.h"
#include "common/https.h"
#include "common/mem.h"
#include "platform/platform_core.h"

enum { REASON_LEN = 256 };

/** One message to the BOSS. Owned by its lease until it is given up, then by
 * the platform until it is answered */
struct plat_passwd {
	LIST_ENTRY(plat_passwd) link;
	plat_passwd_cb *cb; /* NULL: nobody waits any more */
	void *arg;
	bool is_answered;
};

static void forget(struct plat_passwd *passwd)
{
	LIST_REMOVE(passwd, link);
	free(passwd);
}

/** Get ready to speak to the BOSS; 0, or errno with the reason */
int plat_passwd_open(struct plat *plat, const struct plat_cfg *cfg,
		     char **reasonp)
{
	char host[ADDR_TEXT_LEN];
	const struct https_client_cfg client = {
		.cert_file = cfg->cert,
		.ca_file = cfg->ca,
		.bind = addr_own_host(host, cfg->sip, cfg->boss),
	};
	size_t len = strlen(cfg->boss);

	while (len && cfg->boss[len - 1] == '/')
		len--;
	plat->boss = xasprintf("%.*s", (int)len, cfg->boss);

	return https_client_new(&plat->client, plat->el, &client, reasonp);
}

static void on_answer(const struct https_resp *resp, void *arg)
{
	struct plat_passwd *passwd = arg;
	char text[REASON_LEN];

	if (!passwd->cb) {
		forget(passwd);
		return;
	}
	passwd->is_answered = true;
	passwd->cb(resp->status == 200
			   ? NULL
			   : https_resp_reason(resp, text, sizeof(text)),
		   passwd->arg); /* frees passwd */
}

/**
 * Have the BOSS give the HSS the account's next password
 *
 * Told twice it is the same as once, so that it may be told again whenever
 * its answer is not known.
 *
 * @param row Account with its next password; copied
 * @param cb  Called once, not before this returns; frees the object
 */
struct plat_passwd *plat_passwd_new(struct plat *plat,
				    const struct plat_row *row,
				    plat_passwd_cb *cb, void *arg)
{
	struct plat_passwd *passwd = xcalloc(1, sizeof(*passwd));
	json_t *body = json_pack("{s:s, s:s}", "uri", row->uri, "password",
				 row->next_password);
	char *text = json_dumps(body, JSON_COMPACT);
	char *url = xasprintf("%s/v1/password", plat->boss);
	const struct https_call post = { .method = "POST",
					 .url = url,
					 .type = "application/json",
					 .body = text,
					 .len = strlen(text) };

	passwd->cb = cb;
	passwd->arg = arg;
	LIST_INSERT_HEAD(&plat->passwds, passwd, link);
	https_client_call(plat->client, &post, on_answer, passwd);
	explicit_bzero(text, strlen(text));
	free(text);
	free(url);
	json_decref(body);

	return passwd;
}

/** Give up; an answer that still comes is nobody's. NULL is fine */
struct plat_passwd *plat_passwd_free(struct plat_passwd *passwd)
{
	if (passwd && passwd->is_answered)
		forget(passwd);
	else if (passwd)
		passwd->cb = NULL;

	return NULL;
}

/** No answer is waited for any more: the platform ends */
void plat_passwd_close(struct plat *plat)
{
	struct plat_passwd *passwd, *next;

	plat->client = https_client_free(plat->client);
	for (passwd = LIST_FIRST(&plat->passwds); passwd; passwd = next) {
		next = LIST_NEXT(passwd, link);
		free(passwd);
	}
	LIST_INIT(&plat->passwds);
}
