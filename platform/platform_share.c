/* Several platforms on one pool: what the others do. Where the store is shared
 * (design: PostgreSQL), memory follows it, and leases of a platform that is
 * gone are seen through by another. */
#include <errno.h>
#include <string.h>

#include "common/element.h"
#include "common/log.h"
#include "common/timer.h"
#include "platform/platform_lease.h"
#include "platform/platform_units.h"

/** Whether this platform is the one that sees the SIP-URI through */
bool plat_share_is_ours(const struct plat *plat, const struct plat_row *row)
{
	const char *session = store_session(plat->store);

	return !session || (row->claimer && !strcmp(row->claimer, session));
}

static void on_taken(struct plat_job *job, int err,
		     const struct store_rows *rows)
{
	struct plat *plat = job->plat;
	struct plat_row row;

	for (int i = 0; !err && plat_row_get(&row, rows, i); i++) {
		log_info("platform: lease %d of %s, %s, is ours now: its "
			 "platform is gone",
			 (int)row.lease_id, row.uri,
			 lease_state_name(row.state));
		plat_lease_take(plat, &row);
	}
}

static void on_read(struct plat_job *job, int err,
		    const struct store_rows *rows)
{
	struct plat_row row;

	for (int i = 0; !err && plat_row_get(&row, rows, i); i++)
		plat_lease_sync(job->plat, &row);
	if (!err)
		plat_waiting_serve(job->plat);
}

/* A change whose answer was lost may have been made, or not; and what others
 * gave back is for those who wait here, too */
static void on_time(void *arg)
{
	struct plat *plat = arg;

	if (plat->is_unsure || plat->waiter_n)
		plat_pool_load(plat->store, 0, plat_job_run,
			       plat_job_new(plat, NULL, on_read));
	plat->is_unsure = false; /* set again, if that fails */
	plat_pool_take_over(plat->store, plat_job_run,
			    plat_job_new(plat, NULL, on_taken));
	timer_start_ms(plat->share, timer_value_ms(TIMER_TAKE_OVER));
}

/** Begin to look after the leases of platforms that are gone; nothing, where
 * the pool is not shared */
void plat_share_start(struct plat *plat)
{
	if (!store_session(plat->store))
		return;

	plat->share = timer_new(plat->el->loop, on_time, plat);
	on_time(plat);
}

/** Read the SIP-URIs that memory does not know: another platform has imported
 * them */
void plat_share_learn(struct plat *plat)
{
	plat_pool_load(plat->store, plat->lease_n, plat_job_run,
		       plat_job_new(plat, NULL, on_read));
}
