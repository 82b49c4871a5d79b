/** @file platform_lease.h  A SIP-URI's life, and memory that follows the store
 *
 * idle, occupied, reclaiming, cooling, quarantined: CN103516675A [0085],
 * [0121], [0122] (S405, S411, S413, S414).
 */
#ifndef SIPSHARE_PLATFORM_LEASE_H
#define SIPSHARE_PLATFORM_LEASE_H

#include "platform/platform_core.h"

struct fsm;
struct fsm_def;

/** One SIP-URI of the pool, as the store last said. Owned by the platform */
struct plat_lease {
	struct plat *plat;
	int64_t number, lease_id;
	char *uri;
	struct fsm *fsm;
	struct plat_dereg *dereg;   /* REGISTER under way, or NULL */
	struct plat_passwd *passwd; /* message to the BOSS under way, or NULL */
	bool is_confirmed, is_refused; /* the deregistration (403) */
	int64_t due_us;                /* idle by then, as far as can be told */
	int64_t retry_ms;              /* until the next try of S413 */
	int64_t give_up_us;            /* then it is quarantined */
};

/* platform_lease.c: the life */
extern const struct fsm_def plat_lease_def;
void plat_lease_start_reclaiming(struct plat_lease *lease);
void plat_lease_stored(const struct plat_lease *lease,
		       const struct plat_row *row);
void plat_lease_reclaim(const struct plat_lease *lease);

/* platform_lease_sync.c: memory follows the store */
void plat_lease_add(struct plat *plat, const struct plat_row *row);
struct plat_lease *plat_lease_free(struct plat_lease *lease);
void plat_lease_follow(struct plat *plat, const struct plat_row *row);
void plat_lease_sync(struct plat *plat, const struct plat_row *row);
void plat_lease_take(struct plat *plat, const struct plat_row *row);
int64_t plat_lease_soonest_ms(struct plat *plat);

#endif
