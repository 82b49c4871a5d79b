/* Nonces of challenges that the network has ended (TS 24.229 5.4.1.5): who
 * answers one gets 403. A new challenge would invite a password that is of no
 * use any more to be tried again. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/timer.h"
#include "ims_core/scscf/scscf_auth.h"

/* The oldest is forgotten first; it gets a new challenge then, and its 403 in
 * answer to that */
enum { REVOKED_MAX = 65536 };

/** Owned by the tree; the list is in order of time */
struct scscf_revoked {
	char *nonce; /* first: the tree's key */
	char *impu;
	struct scscf_revoked *next;
	int64_t until_us; /* by clock_now_us() */
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct scscf_revoked *)a)->nonce,
		      ((const struct scscf_revoked *)b)->nonce);
}

static void revoked_free(void *node)
{
	struct scscf_revoked *r = node;

	free(r->nonce);
	free(r->impu);
	free(r);
}

static void drop_first(struct scscf *scscf)
{
	struct scscf_revoked *first = scscf->revoked_first;

	scscf->revoked_first = first->next;
	if (!first->next)
		scscf->revoked_last = NULL;
	scscf->revoked_n--;
	tdelete(first, &scscf->revoked, compare);
	revoked_free(first);
}

/** Remember the nonce of a challenge that is about to be ended, for as long as
 * its answer might have come */
void scscf_auth_revoke(const struct scscf_auth *auth)
{
	struct scscf *scscf = auth->reg->scscf;
	int64_t now_us = clock_now_us();
	struct scscf_revoked *r;

	while (scscf->revoked_first &&
	       (scscf->revoked_first->until_us <= now_us ||
		scscf->revoked_n >= REVOKED_MAX))
		drop_first(scscf);
	if (!auth->nonce)
		return;

	r = xcalloc(1, sizeof(*r));
	r->nonce = xstrdup(auth->nonce);
	r->impu = xstrdup(auth->reg->impu);
	r->until_us = now_us + timer_value_ms(TIMER_REG_AWAIT_AUTH) * 1000;
	if (scscf->revoked_last)
		scscf->revoked_last->next = r;
	else
		scscf->revoked_first = r;
	scscf->revoked_last = r;
	scscf->revoked_n++;
	tsearch(r, &scscf->revoked, compare);
}

/** Was this a nonce of that identity, whose challenge the network ended? */
bool scscf_auth_is_revoked(const struct scscf *scscf, const char *impu,
			   const char *nonce)
{
	const struct scscf_revoked key = { .nonce = (char *)nonce };
	struct scscf_revoked *const *found =
		tfind(&key, &scscf->revoked, compare);

	return found && (*found)->until_us > clock_now_us() &&
	       !strcmp((*found)->impu, impu);
}

void scscf_revoked_free(struct scscf *scscf)
{
	tdestroy(scscf->revoked, revoked_free);
	scscf->revoked = NULL;
	scscf->revoked_first = scscf->revoked_last = NULL;
}
