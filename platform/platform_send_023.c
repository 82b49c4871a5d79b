/* Sending unit 023 (CN103516675A Fig. 8; S406, S411, S304) */
#include <stdio.h>

#include "common/clock.h"
#include "common/https.h"
#include "common/timer.h"
#include "platform/platform_lease.h"
#include "platform/platform_units.h"

/* Each of these is asked with NULL where the client has gone away */

/** S406, S304: [0084]: the SIP-URI and its password, once that is on disk */
void plat_send_lease(struct https_req *req, const struct plat_row *row)
{
	int64_t left_us = row->until_us - clock_wall_us();
	int64_t expires_s = left_us > 0 ? (left_us + 999999) / 1000000 : 0;

	if (req)
		https_reply_json(
			req, 201,
			json_pack("{s:I, s:s, s:s, s:s, s:s, s:I}", "lease_id",
				  (json_int_t)row->lease_id, "uri", row->uri,
				  "impi", row->impi, "password", row->password,
				  "realm", row->realm, "expires_s",
				  (json_int_t)expires_s));
}

/** No SIP-URI is idle: how long until the first one is, as far as is known.
 * Leases mostly end before their limit, so it is never too long */
void plat_send_exhausted(struct https_req *req, struct plat *plat)
{
	int64_t wait_ms = plat_lease_soonest_ms(plat);
	int64_t max_ms = timer_value_ms(TIMER_RETRY_MAX);
	char text[24];

	if (!req)
		return;

	if (wait_ms > max_ms)
		wait_ms = max_ms;
	if (wait_ms < 1)
		wait_ms = 1;
	snprintf(text, sizeof(text), "%d", (int)((wait_ms + 999) / 1000));
	https_req_add_header(req, "Retry-After", text);
	https_reply_error(req, 503,
			  "no SIP-URI is idle: of %d, %d are occupied, %d "
			  "reclaiming, %d cooling, %d quarantined; ask again "
			  "later or give the platform more",
			  (int)plat->lease_n, (int)plat->counts[LEASE_OCCUPIED],
			  (int)plat->counts[LEASE_RECLAIMING],
			  (int)plat->counts[LEASE_COOLING],
			  (int)plat->counts[LEASE_QUARANTINED]);
}

/**
 * S411: [0119]: the response to the reclaim notice
 *
 * @param job The notice: which lease of which SIP-URI
 * @param row What the store knows of that SIP-URI, or NULL: nothing
 */
void plat_send_reclaimed(struct https_req *req, const struct plat_job *job,
			 const struct plat_row *row)
{
	long long asked = (long long)job->lease_id;
	long long has = row ? (long long)row->lease_id : 0;

	if (!req)
		return;

	if (!row)
		https_reply_error(req, 404,
				  "the SIP-URI %s is not in the pool; nothing "
				  "was reclaimed",
				  job->uri);
	else if (asked == has)
		https_reply_json(req, 200,
				 json_pack("{s:I, s:s, s:s}", "lease_id",
					   (json_int_t)asked, "uri", row->uri,
					   "state",
					   lease_state_name(row->state)));
	else if (row->holder)
		https_reply_error(req, 409,
				  "lease %lld is of %s, not of %s; nothing was "
				  "reclaimed",
				  asked, row->holder, row->uri);
	else if (asked < has)
		https_reply_error(req, 409,
				  "lease %lld of %s is over: its present or "
				  "last lease is %lld; nothing was reclaimed",
				  asked, row->uri, has);
	else
		https_reply_error(req, 404,
				  "there is no lease %lld of %s; nothing was "
				  "reclaimed",
				  asked, row->uri);
}

/** The store could not write: what was asked has not happened */
void plat_send_broken(struct https_req *req, const char *what)
{
	if (req)
		https_reply_error(req, 500,
				  "the platform's store cannot be written; %s; "
				  "see the platform's log",
				  what);
}
