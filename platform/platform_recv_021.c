/* Receiving unit 021 (CN103516675A Fig. 8; S401, S404, S410, S301, S302) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/element.h"
#include "common/https.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/trace.h"
#include "platform/platform_lease.h"
#include "platform/platform_units.h"

/* A batch of a hundred thousand accounts fits */
enum { BODY_MAX = 32 << 20, KEY_MAX = 128 };

static const char leases_path[] = "/v1/leases/";

/* There may be several of one kind: appserver, appserver2 … */
static bool is_name(const char *peer, const char *kind)
{
	size_t len = strlen(kind);

	return !strncmp(peer, kind, len) &&
	       strspn(peer + len, "0123456789") == strlen(peer + len);
}

/* The certificate says who asks; each route is for some (403 to others) */
static bool is_from(struct https_req *req, const char *name, const char *other)
{
	const char *peer = https_req_peer_name(req);

	if (peer && (is_name(peer, name) || (other && is_name(peer, other))))
		return true;

	https_reply_error(req, 403,
			  "%s may not be asked by \"%s\"; the client's "
			  "certificate must be of \"%s\"",
			  https_req_path(req), peer ? peer : "", name);
	return false;
}

/* A refused request was answered; its reason is freed */
static void refuse(struct https_req *req, char *reason)
{
	log_warn("platform: %s refused: %s", https_req_path(req), reason);
	https_reply_error(req, 400, "%s", reason);
	free(reason);
}

static json_t *read_body(struct https_req *req)
{
	size_t len;
	const char *body = https_req_body(req, &len);
	char *reason = NULL;
	json_t *json = json_read(body, len, &reason);

	if (!json)
		refuse(req, reason);

	return json;
}

static bool is_key(const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < len; i++)
		if (key[i] < 0x21 || key[i] > 0x7e)
			return false;

	return len > 0 && len <= KEY_MAX;
}

/* One AS's key is nothing to another AS */
static void apply(struct plat *plat, struct https_req *req, const char *key)
{
	char *own =
		key ? xasprintf("%s %s", https_req_peer_name(req), key) : NULL;

	plat_alloc(plat, req, own);
	free(own);
}

/* S404, S302: [0080]: the apply message, whose body is empty */
static void rx_apply(struct https_req *req, void *arg)
{
	const char *key = https_req_header(req, "Idempotency-Key");
	size_t len;

	(void)https_req_body(req, &len);
	if (!is_from(req, "appserver", NULL))
		return;

	if (len)
		refuse(req, xasprintf("the body of an apply message must be "
				      "empty; it is %zu bytes long",
				      len));
	else if (key && !is_key(key))
		refuse(req, xasprintf("the header Idempotency-Key must be 1 to "
				      "%d printable characters",
				      KEY_MAX));
	else
		apply(arg, req, key);
}

/* S410: on disk it is `reclaiming` now; S411 answers, S413 follows */
static void on_reclaimed(struct plat_job *job, int err,
			 const struct store_rows *rows)
{
	struct plat_row row;
	bool is_known = !err && plat_row_get(&row, rows, 0);

	if (err) {
		plat_send_broken(job->req, "nothing was reclaimed");
		return;
	}
	if (is_known && row.is_done)
		plat_lease_follow(job->plat, &row);
	else if (is_known)
		plat_lease_sync(job->plat, &row);
	plat_send_reclaimed(job->req, job, is_known ? &row : NULL);
}

/* 0 if the path's last part is no lease id */
static int64_t path_lease_id(const struct https_req *req)
{
	const char *text = https_req_path(req) + strlen(leases_path);
	char *end;
	long long id;

	errno = 0;
	id = strtoll(text, &end, 10);
	if (errno || end == text || *end || *text < '0' || *text > '9')
		return 0;

	return id;
}

/* S410: [0118]: the reclaim notice, with the SIP-URI */
static void rx_reclaim(struct https_req *req, void *arg)
{
	struct plat *plat = arg;
	char *reason = NULL;
	const char *uri;
	struct plat_job *job;
	json_t *body;
	int64_t id = path_lease_id(req);

	if (!is_from(req, "appserver", NULL))
		return;
	if (id <= 0) {
		refuse(req, xasprintf("the path %s does not end in a lease id, "
				      "which is a number from 1",
				      https_req_path(req)));
		return;
	}
	body = read_body(req);
	if (!body)
		return;

	uri = json_need_string(body, "uri", &reason);
	if (!uri) {
		refuse(req, reason);
		json_decref(body);
		return;
	}
	job = plat_job_new(plat, req, on_reclaimed);
	job->uri = xstrdup(uri);
	job->lease_id = id;
	plat_pool_reclaim(plat->store, uri, id, plat_job_run, job);
	json_decref(body);
}

static void on_imported(struct plat_job *job, int err,
			const struct store_rows *rows)
{
	struct plat *plat = job->plat;
	int64_t before = plat->lease_n, added;
	bool is_behind = false;
	struct plat_row row;

	if (err) {
		log_error("platform: a batch by %s could not be stored",
			  job->by);
		plat_send_broken(job->req, "nothing was taken");
		return;
	}

	for (int i = 0; plat_row_get(&row, rows, i); i++) {
		plat_lease_add(plat, &row);
		is_behind |= row.number > plat->lease_n;
	}
	if (is_behind) /* another platform imported, too */
		plat_share_learn(plat);
	added = plat->lease_n - before;
	plat_waiting_serve(plat);
	log_info("platform: %zu SIP-URIs by %s, %d new", job->count, job->by,
		 (int)added);
	trace_event(plat->el->trace, "platform.pool-imported",
		    json_pack("{s:s, s:I, s:I, s:I, s:o}", "by", job->by,
			      "count", (json_int_t)job->count, "added",
			      (json_int_t)added, "size",
			      (json_int_t)plat->lease_n, "counts",
			      plat_counts(plat)));
	if (job->req)
		https_reply_json(
			job->req, 200,
			json_pack("{s:I, s:I, s:I}", "added", (json_int_t)added,
				  "known",
				  (json_int_t)job->count - (json_int_t)added,
				  "total", (json_int_t)plat->lease_n));
}

/**
 * Take a batch that was checked (S401, S301: [0077]) into the pool
 *
 * @param req      Who waits for it, or NULL
 * @param accounts Borrowed
 * @param by       "file" or "message", static
 */
void plat_recv_batch(struct plat *plat, struct https_req *req,
		     const json_t *accounts, const char *by)
{
	struct plat_job *job = plat_job_new(plat, req, on_imported);

	if (plat->share)
		plat_share_learn(plat);
	job->by = by;
	job->count = json_array_size(accounts);
	plat_pool_import(plat->store, accounts, plat_job_run, job);
}

/* S401, S301: [0077]: the batch by message */
static void rx_batch(struct https_req *req, void *arg)
{
	const json_t *accounts;
	char *reason = NULL;
	json_t *body;

	if (!is_from(req, "boss", NULL))
		return;
	body = read_body(req);
	if (!body)
		return;

	accounts = json_need_array(body, "accounts", &reason);
	if (!accounts || plat_accounts_check(accounts, &reason))
		refuse(req, reason);
	else
		plat_recv_batch(arg, req, accounts, "message");
	json_decref(body);
}

static void on_shown(struct plat_job *job, int err,
		     const struct store_rows *rows)
{
	struct plat_row row;

	for (int i = 0; !err && plat_row_get(&row, rows, i); i++)
		plat_lease_sync(job->plat, &row);
	if (err)
		plat_send_broken(job->req, "nothing is known for sure");
	else if (job->req)
		https_reply_json(job->req, 200, plat_show(job->plat));
}

/* From the store: other platforms may share it */
static void rx_show(struct https_req *req, void *arg)
{
	struct plat *plat = arg;

	if (is_from(req, "boss", "appserver"))
		plat_pool_load(plat->store, 0, plat_job_run,
			       plat_job_new(plat, req, on_shown));
}

static void on_released(struct plat_job *job, int err,
			const struct store_rows *rows)
{
	struct plat_row row;

	if (err) {
		plat_send_broken(job->req, "nothing was released");
		return;
	}
	if (!plat_row_get(&row, rows, 0)) {
		if (job->req)
			https_reply_error(job->req, 404,
					  "the SIP-URI %s is not in the pool",
					  job->uri);
		return;
	}

	if (row.is_done)
		plat_lease_follow(job->plat, &row);
	if (!job->req)
		return;

	if (row.is_done)
		https_reply_json(job->req, 200,
				 json_pack("{s:s, s:s}", "uri", row.uri,
					   "state",
					   lease_state_name(row.state)));
	else
		https_reply_error(job->req, 409,
				  "the SIP-URI %s is not quarantined but %s; "
				  "nothing was changed",
				  row.uri, lease_state_name(row.state));
}

/* An operator has seen to it that a quarantined SIP-URI is not registered */
static void rx_release(struct https_req *req, void *arg)
{
	struct plat *plat = arg;
	char *reason = NULL;
	const char *uri;
	struct plat_job *job;
	json_t *body;

	if (!is_from(req, "boss", NULL))
		return;
	body = read_body(req);
	if (!body)
		return;

	uri = json_need_string(body, "uri", &reason);
	if (!uri) {
		refuse(req, reason);
		json_decref(body);
		return;
	}
	job = plat_job_new(plat, req, on_released);
	job->uri = xstrdup(uri);
	/* with a BOSS it starts anew, and is idle once its password is new */
	plat_pool_release(plat->store, uri,
			  plat->boss ? LEASE_RECLAIMING : LEASE_IDLE,
			  plat_job_run, job);
	json_decref(body);
}

static const struct https_route routes[] = {
	{ "POST", "/v1/leases", rx_apply },
	{ "DELETE", leases_path, rx_reclaim },
	{ "PUT", "/v1/pool", rx_batch },
	{ "GET", "/v1/pool", rx_show },
	{ "POST", "/v1/quarantine/release", rx_release },
	{ NULL, NULL, NULL },
};

/** Listen for HTTPS; clients must show a certificate of our CA */
int plat_recv_open(struct plat *plat, const struct plat_cfg *cfg,
		   char **reasonp)
{
	const struct https_server_cfg server = { .listen = cfg->https,
						 .cert_file = cfg->cert,
						 .ca_file = cfg->ca,
						 .body_max = BODY_MAX };

	if (!cfg->https || !cfg->cert || !cfg->ca) {
		*reasonp = xasprintf("%s is missing; see --help",
				     !cfg->https  ? "--https"
				     : !cfg->cert ? "--cert"
						  : "--ca");
		return EINVAL;
	}

	return https_server_new(&plat->server, plat->el, &server, routes, plat,
				reasonp);
}
