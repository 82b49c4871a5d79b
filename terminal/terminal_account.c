/* A UE with an account of its own: what other UEs borrow it has for good, from
 * whoever opened the account for it. It asks the AS for nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/fsm.h"
#include "common/mem.h"
#include "terminal/terminal_core.h"
#include "terminal/terminal_lease.h"

enum { FOR_GOOD_S = 10 * 365 * 86400 };

static int check(const struct terminal *t, const struct ue_account *a,
		 char **reasonp)
{
	const char *user = !strncmp(a->uri, "sip:", 4) ? a->uri + 4 : NULL;
	const char *at = user ? strchr(user, '@') : NULL;

	if (ue_find(t, a->number))
		*reasonp = xasprintf("there is a UE of number %s already",
				     a->number);
	else if (!at || at == user || !at[1])
		*reasonp = xasprintf("\"%s\" is no SIP-URI; give one like "
				     "sip:+8657110000001@ims.test",
				     a->uri);
	else if (!a->proxy && !t->proxy)
		*reasonp = xstrdup("no P-CSCF is known; give proxy, or "
				   "--proxy on the command line");
	else
		return 0;

	return EINVAL;
}

/**
 * A UE that can register at once
 *
 * @param account impi NULL: the SIP-URI without its scheme; realm NULL: the
 *                SIP-URI's domain; proxy NULL: that of --proxy
 * @param reasonp On failure: what is wrong; the caller's to free
 *
 * @return 0, or EINVAL
 */
int ue_account_new(struct terminal *t, const struct ue_account *account,
		   char **reasonp)
{
	struct ue_lease lease = { .uri = account->uri,
				  .impi = account->impi,
				  .password = account->password,
				  .realm = account->realm,
				  .proxy = account->proxy };
	int err = check(t, account, reasonp);
	struct ue *ue;

	if (err)
		return err;

	if (!lease.impi)
		lease.impi = lease.uri + strlen("sip:");
	if (!lease.realm)
		lease.realm = strchr(lease.uri, '@') + 1;
	if (!lease.proxy)
		lease.proxy = t->proxy;
	ue = ue_new(t, account->number, "");
	ue->lease = ue_lease_new(&lease);
	ue->limit_us = clock_now_us() + FOR_GOOD_S * 1000000LL;
	ue->lease->limit_us = ue->limit_us;
	fsm_restore(ue->fsm, UE_LEASED);

	return 0;
}
