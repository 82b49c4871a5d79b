/* Identifier-allocating unit 022 (CN103516675A Fig. 8; S405, S303) */
#include <errno.h>

#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/trace.h"
#include "platform/platform_lease.h"
#include "platform/platform_units.h"

enum { TRIES_MAX = 3 };

static plat_job_cb on_given;

/* The same message at two platforms of one pool, at the same time: the other
 * one's lease is found now */
static void ask_again(const struct plat_job *job)
{
	struct plat *plat = job->plat;
	struct plat_job *next = plat_job_new(plat, job->req, on_given);

	next->key = xstrdup(job->key);
	next->tries = job->tries + 1;
	plat_pool_give(plat->store, plat->policy, next->key, plat_job_run,
		       next);
}

/* S405: [0082] or [0083] picked it and [0085] marked it, in the store */
static void on_given(struct plat_job *job, int err,
		     const struct store_rows *rows)
{
	struct plat *plat = job->plat;
	struct plat_row row;

	if (job->is_served)
		plat->serving_n--;

	if (err == EEXIST && job->tries < TRIES_MAX) {
		ask_again(job);
		return;
	}
	if (err) {
		plat_send_broken(job->req, "no SIP-URI was given");
		return;
	}
	if (!plat_row_get(&row, rows, 0)) {
		if (plat_wait(plat, job))
			return;
		log_warn("platform: no SIP-URI is idle");
		plat_send_exhausted(job->req, plat);
		return;
	}

	if (row.is_done) {
		trace_event(plat->el->trace, "platform.selected",
			    json_pack("{s:s, s:I, s:s}", "uri", row.uri,
				      "number", (json_int_t)row.number,
				      "policy", plat->policy->name));
		plat_lease_follow(plat, &row);
	} else {
		plat_lease_sync(plat, &row);
	}
	/* a repeat would find the lease by its key; without one, nobody ever
	 * will */
	if (!job->req && !job->key && row.number <= plat->lease_n)
		plat_lease_reclaim(plat->leases[row.number - 1]);
	plat_send_lease(job->req, &row);
}

/**
 * Pick an idle SIP-URI, mark it occupied, and have it sent (S405, S406)
 *
 * @param req Of the apply message
 * @param key Its idempotency key, or NULL
 */
void plat_alloc(struct plat *plat, struct https_req *req, const char *key)
{
	struct plat_job *job = plat_job_new(plat, req, on_given);

	job->key = xstrdup(key);
	/* who comes while others wait waits behind them, unless it is only a
	 * repeat of what was given */
	plat_pool_give(plat->store, plat->waiter_n ? NULL : plat->policy, key,
		       plat_job_run, job);
}

/** The same for one that has waited and whose turn it is */
void plat_alloc_again(struct plat *plat, struct https_req *req, const char *key)
{
	struct plat_job *job = plat_job_new(plat, req, on_given);

	job->key = xstrdup(key);
	job->is_served = true;
	plat->serving_n++;
	plat_pool_give(plat->store, plat->policy, key, plat_job_run, job);
}
