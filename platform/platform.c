#include "platform/platform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/element.h"
#include "common/fsm.h"
#include "common/https.h"
#include "common/json.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "common/timer.h"
#include "common/trace.h"
#include "platform/platform_core.h"
#include "platform/platform_lease.h"
#include "platform/platform_units.h"

/** How many SIP-URIs are in each state, by name */
json_t *plat_counts(const struct plat *plat)
{
	json_t *counts = json_object();

	for (int i = 0; i < LEASE_STATE_N; i++)
		json_object_set_new(counts, lease_state_name(i),
				    json_integer(plat->counts[i]));

	return counts;
}

static json_t *show_lease(const struct plat_lease *lease)
{
	return json_pack("{s:s, s:I, s:s, s:I}", "uri", lease->uri, "number",
			 (json_int_t)lease->number, "state",
			 fsm_name(lease->fsm), "lease_id",
			 (json_int_t)lease->lease_id);
}

/** The whole pool, without passwords */
json_t *plat_show(const struct plat *plat)
{
	json_t *uris = json_array();

	for (int64_t i = 0; i < plat->lease_n; i++)
		json_array_append_new(uris, show_lease(plat->leases[i]));

	return json_pack("{s:I, s:s, s:i, s:o, s:o}", "size",
			 (json_int_t)plat->lease_n, "policy",
			 plat->policy->name, "waiting", plat->waiter_n,
			 "counts", plat_counts(plat), "uris", uris);
}

static void cmd_pool(struct ctl_req *req, json_t *args, void *arg)
{
	(void)args;
	ctl_ok(req, plat_show(arg));
}

static void cmd_uri(struct ctl_req *req, json_t *args, void *arg)
{
	const struct plat *plat = arg;
	const char *uri = json_find_string(args, "uri");

	for (int64_t i = 0; uri && i < plat->lease_n; i++) {
		if (!strcmp(plat->leases[i]->uri, uri)) {
			ctl_ok(req, show_lease(plat->leases[i]));
			return;
		}
	}
	ctl_fail(req, "platform: the SIP-URI %s is not in the pool",
		 uri ? uri : "(none given)");
}

static const struct ctl_cmd commands[] = { { "pool", cmd_pool },
					   { "uri", cmd_uri },
					   { NULL, NULL } };

static void stop(void *arg)
{
	element_stop(arg);
}

/* The answers that are out go first; deregistrations under way are taken up
 * again at the next start, for `reclaiming` is on disk */
static void drain(void *arg)
{
	struct plat *plat = arg;

	plat->is_draining = true;
	plat_waiting_refuse(plat);
	if (LIST_EMPTY(&plat->jobs))
		loop_defer(plat->el->loop, stop, plat->el);
}

static void on_gone(void *arg)
{
	struct plat_job *job = arg;

	job->req = NULL;
}

/** Ask the store for something; pass plat_job_run() and the job to it */
struct plat_job *plat_job_new(struct plat *plat, struct https_req *req,
			      plat_job_cb *cb)
{
	struct plat_job *job = xcalloc(1, sizeof(*job));

	job->plat = plat;
	job->req = req;
	job->cb = cb;
	LIST_INSERT_HEAD(&plat->jobs, job, link);
	if (req)
		https_req_on_gone(req, on_gone, job);

	return job;
}

static void job_free(struct plat_job *job)
{
	free(job->uri);
	free(job->key);
	free(job);
}

/** The store has answered a job */
void plat_job_run(int err, const struct store_rows *rows, void *arg)
{
	struct plat_job *job = arg;
	struct plat *plat = job->plat;

	if (err == EIO)
		plat->is_unsure = true;
	job->cb(job, err, rows);
	LIST_REMOVE(job, link);
	job_free(job);
	if (plat->is_draining)
		drain(plat);
}

static void on_loaded(struct plat_job *job, int err,
		      const struct store_rows *rows)
{
	struct plat *plat = job->plat;
	struct plat_row row;

	if (err) {
		log_error("platform: the pool could not be read from the "
			  "store: %s; see to the file and start again",
			  strerror(err));
		element_stop(plat->el);
		return;
	}

	for (int i = 0; plat_row_get(&row, rows, i); i++)
		plat_lease_add(plat, &row);
	log_info("platform: %d SIP-URIs known", (int)plat->lease_n);
	plat_share_start(plat);
}

static int check_cfg(const struct plat_cfg *cfg, char **reasonp)
{
	const struct {
		const char *value, *name;
	} needed[] = { { cfg->sip, "--sip" },
		       { cfg->pcscf, "--pcscf" },
		       { cfg->store, "--store" },
		       { cfg->policy, "--policy" },
		       { cfg->realm, "--realm" } };

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (!needed[i].value || !*needed[i].value) {
			*reasonp = xasprintf("%s is missing; see --help",
					     needed[i].name);
			return EINVAL;
		}
	}
	if (!plat_policy_find(cfg->policy)) {
		*reasonp = xasprintf("--policy %s: no such policy; give "
				     "round-robin or idle-queue",
				     cfg->policy);
		return EINVAL;
	}
	if (strncmp(cfg->pcscf, "sip:", 4) != 0) {
		*reasonp = xasprintf("--pcscf %s: not a SIP-URI; give one "
				     "like sip:127.0.0.1:5060",
				     cfg->pcscf);
		return EINVAL;
	}

	return 0;
}

/** All but the HTTPS server: pool, leases, pool file, deregistration */
int plat_core_new(struct plat **pp, struct element *el,
		  const struct plat_cfg *cfg, char **reasonp)
{
	struct plat *plat;
	int err = check_cfg(cfg, reasonp);

	if (err)
		return err;

	plat = xcalloc(1, sizeof(*plat));
	LIST_INIT(&plat->jobs);
	LIST_INIT(&plat->passwds);
	TAILQ_INIT(&plat->waiters);
	plat->waiting_max = cfg->waiting_max;
	plat->el = el;
	plat->policy = plat_policy_find(cfg->policy);
	plat->pcscf = xstrdup(cfg->pcscf);
	plat->realm = xstrdup(cfg->realm);
	err = plat_pool_open(&plat->store, el->loop, cfg->store, reasonp);
	if (!err)
		err = plat_dereg_open(plat, cfg->sip, reasonp);
	if (!err && cfg->boss)
		err = plat_passwd_open(plat, cfg, reasonp);
	if (err)
		goto out;

	/* first in the store's queue: what comes later finds memory filled */
	plat_pool_load(plat->store, 0, plat_job_run,
		       plat_job_new(plat, NULL, on_loaded));
	if (cfg->pool_file)
		err = plat_file_new(&plat->file, plat, cfg->pool_file, reasonp);

out:
	if (err)
		plat_free(plat);
	else
		*pp = plat;

	return err;
}

/* The pool file, if there is one, was queued before this */
static void on_ready(struct plat_job *job, int err,
		     const struct store_rows *rows)
{
	struct plat *plat = job->plat;

	(void)rows;
	if (!err)
		element_ready(plat->el, json_pack("{s:s, s:s}", "https",
						  plat_https_addr(plat), "sip",
						  plat_sip_addr(plat)));
}

/**
 * Open the store, read pool and pool file, listen; ready once all is read
 *
 * @param reasonp On failure: what, where and what to do; the caller's to free
 *
 * @return 0, or an errno
 */
int plat_new(struct plat **pp, struct element *el, const struct plat_cfg *cfg,
	     char **reasonp)
{
	struct plat *plat = NULL;
	int err = plat_core_new(&plat, el, cfg, reasonp);

	if (err)
		return err;

	err = plat_recv_open(plat, cfg, reasonp);
	if (err) {
		plat_free(plat);
		return err;
	}

	element_commands(el, commands, plat);
	element_on_term(el, drain, plat);
	plat_pool_get(plat->store, 0, plat_job_run,
		      plat_job_new(plat, NULL, on_ready));
	*pp = plat;

	return 0;
}

/** Free; what is queued for the store is still brought to disk */
struct plat *plat_free(struct plat *plat)
{
	struct plat_job *job, *next;

	if (!plat)
		return NULL;

	plat_file_free(plat->file);
	timer_free(plat->share);
	https_server_free(plat->server);
	plat_waiting_close(plat);
	store_close(plat->store);
	for (int64_t i = 0; i < plat->lease_n; i++)
		plat_lease_free(plat->leases[i]);
	plat_passwd_close(plat);
	sipep_free(plat->ep);
	for (job = LIST_FIRST(&plat->jobs); job; job = next) {
		next = LIST_NEXT(job, link);
		job_free(job);
	}
	free(plat->leases);
	free(plat->pcscf);
	free(plat->boss);
	free(plat->realm);
	free(plat);

	return NULL;
}

/** Where it listens for HTTPS, with the real port */
const char *plat_https_addr(const struct plat *plat)
{
	return https_server_addr(plat->server);
}

/** Where its SIP endpoint is, with the real port */
const char *plat_sip_addr(const struct plat *plat)
{
	return sipep_addr(plat->ep);
}
