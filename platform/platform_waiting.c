/* Apply messages that wait for a SIP-URI to become idle: first come, first
 * served. Bounded in number by --waiting-max, and in time, for the AS gives up
 * by itself after a while. */
#include <stdlib.h>
#include <string.h>

#include "common/element.h"
#include "common/https.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/timer.h"
#include "common/trace.h"
#include "platform/platform_units.h"

/** One that waits; owned by the platform's list */
struct plat_waiter {
	TAILQ_ENTRY(plat_waiter) link;
	struct plat *plat;
	struct https_req *req;
	struct timer *timer;
	char *key; /* NULL: none */
};

static void waiter_free(struct plat_waiter *waiter)
{
	TAILQ_REMOVE(&waiter->plat->waiters, waiter, link);
	waiter->plat->waiter_n--;
	timer_free(waiter->timer);
	free(waiter->key);
	free(waiter);
}

static void on_gone(void *arg)
{
	waiter_free(arg);
}

/* The 503 of S406: nothing was given, nothing is remembered */
static void refuse(struct plat_waiter *waiter)
{
	struct plat *plat = waiter->plat;
	struct https_req *req = waiter->req;

	waiter_free(waiter);
	plat_send_exhausted(req, plat);
}

static void on_timer(void *arg)
{
	log_warn("platform: no SIP-URI was idle for as long as may be waited");
	refuse(arg);
}

static struct plat_waiter *find(const struct plat *plat, const char *key)
{
	struct plat_waiter *waiter = NULL;

	if (key)
		TAILQ_FOREACH(waiter, &plat->waiters, link)
	if (waiter->key && !strcmp(waiter->key, key))
		break;

	return waiter;
}

/* Asked again by the same key: the place is kept, the earlier one is told */
static void replace(struct plat_waiter *waiter, struct https_req *req)
{
	struct https_req *earlier = waiter->req;

	waiter->req = req;
	https_req_on_gone(req, on_gone, waiter);
	https_req_on_gone(earlier, NULL, NULL);
	plat_send_exhausted(earlier, waiter->plat);
}

static void append(struct plat *plat, const struct plat_job *job)
{
	struct plat_waiter *waiter = xcalloc(1, sizeof(*waiter));

	waiter->plat = plat;
	waiter->req = job->req;
	waiter->key = xstrdup(job->key);
	waiter->timer = timer_new(plat->el->loop, on_timer, waiter);
	timer_start_ms(waiter->timer, timer_value_ms(TIMER_WAITING));
	https_req_on_gone(job->req, on_gone, waiter);
	plat->waiter_n++;
	/* whose turn it was keeps it */
	if (job->is_served)
		TAILQ_INSERT_HEAD(&plat->waiters, waiter, link);
	else
		TAILQ_INSERT_TAIL(&plat->waiters, waiter, link);
	trace_event(plat->el->trace, "platform.waiting",
		    json_pack("{s:i, s:i}", "waiting", plat->waiter_n, "max",
			      plat->waiting_max));
}

/**
 * Have an apply message wait that no SIP-URI was idle for
 *
 * @param job Its request is the list's from now on
 *
 * @return false: it may not wait; nothing was done
 */
bool plat_wait(struct plat *plat, struct plat_job *job)
{
	struct plat_waiter *waiter = find(plat, job->key);
	bool has_room = plat->waiter_n < plat->waiting_max || job->is_served;

	if (!job->req || plat->is_draining || (!waiter && !has_room))
		return false;

	if (waiter)
		replace(waiter, job->req);
	else
		append(plat, job);
	job->req = NULL;
	/* where the pool is shared, memory may be behind: next when it was
	 * read */
	if (!plat->share)
		plat_waiting_serve(plat);

	return true;
}

/** SIP-URIs are idle: give them to those who have waited longest */
void plat_waiting_serve(struct plat *plat)
{
	struct plat_waiter *waiter;

	while ((waiter = TAILQ_FIRST(&plat->waiters)) &&
	       plat->serving_n < plat->counts[LEASE_IDLE]) {
		struct https_req *req = waiter->req;
		char *key = waiter->key;

		waiter->key = NULL;
		waiter_free(waiter);
		plat_alloc_again(plat, req, key);
		free(key);
	}
}

/** Nobody waits any more: the platform is about to end */
void plat_waiting_refuse(struct plat *plat)
{
	struct plat_waiter *waiter, *next;

	for (waiter = TAILQ_FIRST(&plat->waiters); waiter; waiter = next) {
		next = TAILQ_NEXT(waiter, link);
		refuse(waiter);
	}
}

/** Forget who waits; the HTTPS server is gone */
void plat_waiting_close(struct plat *plat)
{
	struct plat_waiter *waiter, *next;

	for (waiter = TAILQ_FIRST(&plat->waiters); waiter; waiter = next) {
		next = TAILQ_NEXT(waiter, link);
		waiter_free(waiter);
	}
}
