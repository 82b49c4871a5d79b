#include "terminal/terminal.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/element.h"
#include "common/https.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "terminal/terminal_core.h"

static void on_term(void *arg)
{
	struct terminal *t = arg;

	if (t->hand)
		terminal_hand_term(t);
	else
		element_stop(t->el);
}

static int check(const struct terminal_cfg *cfg, char **reasonp)
{
	if (!cfg->appserver || strncmp(cfg->appserver, "https://", 8) != 0)
		*reasonp = xasprintf("--appserver %s: give the application "
				     "server's address as https://HOST:PORT",
				     cfg->appserver ? cfg->appserver : "");
	else if (!cfg->ca)
		*reasonp = xstrdup("--ca: give the certificate (PEM) of the "
				   "CA that the application server is of");
	else if (!cfg->number != !cfg->secret)
		*reasonp = xstrdup("--number and --secret go together");
	else
		return 0;

	return EINVAL;
}

static char *without_slash(const char *url)
{
	size_t len = strlen(url);

	while (len && url[len - 1] == '/')
		len--;

	return xstrndup(url, len);
}

/**
 * The terminal role: endpoint, HTTPS client, and with cfg->number one UE that
 * begins at once
 *
 * @param reasonp On failure: what, where, what to do; the caller's to free
 *
 * @return 0, EINVAL (configuration), or what the endpoint or client gave
 */
int terminal_new(struct terminal **tp, struct element *el,
		 const struct terminal_cfg *cfg, char **reasonp)
{
	struct https_client_cfg https = { .ca_file = cfg->ca };
	char host[ADDR_TEXT_LEN];
	struct terminal *t;
	int err = check(cfg, reasonp);

	if (err)
		return err;

	https.bind = addr_own_host(host, cfg->sip, cfg->appserver);
	t = xcalloc(1, sizeof(*t));
	t->el = el;
	t->appserver = without_slash(cfg->appserver);
	t->proxy = xstrdup(cfg->proxy);
	err = terminal_sip_open(t, cfg->sip, reasonp);
	if (!err)
		err = https_client_new(&t->https, el, &https, reasonp);
	if (err) {
		terminal_free(t);
		return err;
	}
	terminal_ctl_open(t);
	terminal_call_ctl_open(t);
	element_on_term(el, on_term, t);
	if (cfg->number)
		terminal_hand_start(t, cfg);
	*tp = t;

	return 0;
}

/** Free; every UE forgets its SIP-URI and password */
struct terminal *terminal_free(struct terminal *terminal)
{
	if (!terminal)
		return NULL;

	/* first, so that no answer comes to a UE that is gone */
	https_client_free(terminal->https);
	/* a node's first member is its key (tsearch(3)) */
	while (terminal->ues)
		ue_free(*(struct ue **)terminal->ues);
	free(terminal->by_id);
	sipep_free(terminal->sip);
	free(terminal->appserver);
	free(terminal->proxy);
	free(terminal);

	return NULL;
}

/** EXIT_PASS, or EXIT_FAIL if what was asked by hand has failed */
int terminal_exit_code(const struct terminal *terminal)
{
	return terminal->exit_code;
}
