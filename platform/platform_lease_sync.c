#include <stdlib.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/mem.h"
#include "common/timer.h"
#include "common/trace.h"
#include "platform/platform_core.h"
#include "platform/platform_lease.h"
#include "platform/platform_units.h"

/* Memory follows the store: each SIP-URI's row becomes its lease, its timer
 * and its count (I2) */

/* When the SIP-URI may be idle: at the lease's limit, or after a try to
 * deregister and the cool-down */
static void set_due(struct plat_lease *lease, const struct plat_row *row)
{
	int64_t cool_us = timer_value_ms(TIMER_COOL_DOWN) * 1000;
	int64_t left_us = row->until_us - clock_wall_us();

	if (row->state == LEASE_QUARANTINED) {
		lease->due_us = INT64_MAX;
		return;
	}
	if (row->state == LEASE_RECLAIMING)
		left_us = timer_value_ms(TIMER_DEREG_RETRY) * 1000 + cool_us;
	else if (row->state == LEASE_OCCUPIED)
		left_us += cool_us;
	lease->due_us = clock_now_us() + (left_us > 0 ? left_us : 0);
}

/** How long until a SIP-URI is idle, as far as can be told: looked for at most
 * ten times a second, for the pool may be large and those who ask many */
int64_t plat_lease_soonest_ms(struct plat *plat)
{
	int64_t now_us = clock_now_us();
	int64_t soonest_us = INT64_MAX;

	if (!plat->soonest_at || now_us - plat->soonest_at >= 100000) {
		for (int64_t i = 0; i < plat->lease_n; i++)
			if (plat->leases[i]->due_us < soonest_us)
				soonest_us = plat->leases[i]->due_us;
		plat->soonest_us = soonest_us;
		plat->soonest_at = now_us;
	}

	return plat->soonest_us > now_us ? (plat->soonest_us - now_us) / 1000
					 : 0;
}

/* What was under way when the process ended goes on */
static void resume(struct plat_lease *lease, const struct plat_row *row)
{
	int64_t left_us = row->until_us - clock_wall_us();

	if (row->state == LEASE_OCCUPIED || row->state == LEASE_COOLING)
		fsm_timer_ms(lease->fsm,
			     left_us > 0 ? (left_us + 999) / 1000 : 0);
	else if (row->state == LEASE_RECLAIMING)
		plat_lease_start_reclaiming(lease);
}

/** Take a SIP-URI that the store holds and memory does not yet */
void plat_lease_add(struct plat *plat, const struct plat_row *row)
{
	size_t n = (size_t)plat->lease_n;
	struct plat_lease *lease;

	if (row->number != plat->lease_n + 1)
		return;

	lease = xcalloc(1, sizeof(*lease));
	lease->plat = plat;
	lease->number = row->number;
	lease->lease_id = row->lease_id;
	lease->uri = xstrdup(row->uri);
	lease->fsm = fsm_new(plat->el->loop, plat->el->trace, &plat_lease_def,
			     row->uri, lease);
	/* grows by doubling */
	if (!(n & (n + 1)))
		plat->leases =
			xrealloc(plat->leases,
				 2 * (n + 1) * sizeof(struct plat_lease *));
	plat->leases[plat->lease_n++] = lease;
	plat->counts[row->state]++;
	fsm_restore(lease->fsm, (int)row->state);
	set_due(lease, row);
	if (plat_share_is_ours(plat, row))
		resume(lease, row);
}

struct plat_lease *plat_lease_free(struct plat_lease *lease)
{
	if (lease) {
		plat_dereg_free(lease->dereg);
		plat_passwd_free(lease->passwd);
		fsm_free(lease->fsm);
		free(lease->uri);
		free(lease);
	}

	return NULL;
}

/* Memory was behind: what another platform did is not ours to trace */
static void catch_up(struct plat_lease *lease, enum lease_state state)
{
	lease->plat->counts[fsm_state(lease->fsm)]--;
	lease->plat->counts[state]++;
	lease->dereg = plat_dereg_free(lease->dereg);
	lease->passwd = plat_passwd_free(lease->passwd);
	fsm_restore(lease->fsm, (int)state);
}

/** The store has changed a SIP-URI's state: memory and trace follow (I2) */
void plat_lease_follow(struct plat *plat, const struct plat_row *row)
{
	/* where the change came from, if memory does not say */
	static const enum lease_state before[LEASE_STATE_N] = {
		[LEASE_IDLE] = LEASE_RECLAIMING,
		[LEASE_OCCUPIED] = LEASE_IDLE,
		[LEASE_RECLAIMING] = LEASE_OCCUPIED,
		[LEASE_COOLING] = LEASE_RECLAIMING,
		[LEASE_QUARANTINED] = LEASE_RECLAIMING,
	};
	struct plat_lease *lease;
	int from, to;

	if (row->number > plat->lease_n) {
		plat_share_learn(plat);
		return;
	}

	lease = plat->leases[row->number - 1];
	if (!fsm_leads_to(lease->fsm, (int)row->state))
		catch_up(lease, before[row->state]);
	from = fsm_state(lease->fsm);
	lease->lease_id = row->lease_id;
	plat_lease_stored(lease, row);
	to = fsm_state(lease->fsm);
	if (from == to)
		return;

	plat->counts[from]--;
	plat->counts[to]++;
	trace_event(plat->el->trace, "lease.state",
		    json_pack("{s:s, s:I, s:s, s:s, s:o}", "uri", lease->uri,
			      "lease_id", (json_int_t)lease->lease_id, "from",
			      lease_state_name((enum lease_state)from), "to",
			      lease_state_name((enum lease_state)to), "counts",
			      plat_counts(plat)));
	set_due(lease, row);
	if (to == LEASE_IDLE)
		plat_waiting_serve(plat);
}

/** What the store says of a SIP-URI, without a change made just now */
void plat_lease_sync(struct plat *plat, const struct plat_row *row)
{
	struct plat_lease *lease;

	if (row->number > plat->lease_n) {
		plat_lease_add(plat, row);
		return;
	}

	lease = plat->leases[row->number - 1];
	if (row->lease_id == lease->lease_id &&
	    (int)row->state == fsm_state(lease->fsm))
		return;

	/* ours: made by us, and the answer was lost */
	if (plat_share_is_ours(plat, row)) {
		plat_lease_follow(plat, row);
		return;
	}
	catch_up(lease, row->state);
	lease->lease_id = row->lease_id;
	set_due(lease, row);
}

/** A SIP-URI whose platform is gone is seen through here from now on */
void plat_lease_take(struct plat *plat, const struct plat_row *row)
{
	struct plat_lease *lease;

	if (row->number > plat->lease_n) {
		plat_share_learn(plat);
		return;
	}

	lease = plat->leases[row->number - 1];
	catch_up(lease, row->state);
	lease->lease_id = row->lease_id;
	set_due(lease, row);
	resume(lease, row);
}
