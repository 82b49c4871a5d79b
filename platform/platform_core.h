/** @file platform_core.h  Inside of the platform: its parts and their ties */
#ifndef SIPSHARE_PLATFORM_CORE_H
#define SIPSHARE_PLATFORM_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "platform/platform.h"
#include "platform/platform_pool.h"

struct element;
struct https_req;
struct https_server;
struct plat_dereg;
struct plat_file;
struct plat_job;
struct plat_lease;
struct plat_passwd;
struct plat_waiter;
struct sipep;
struct timer;

/** The role. Owned by main() or a test */
struct plat {
	struct element *el;
	const struct plat_policy *policy;
	char *pcscf, *realm;
	struct store *store;
	struct sipep *ep;
	struct https_server *server;
	struct https_client *client; /* to the BOSS; NULL without one */
	char *boss;                  /* its URL */
	bool has_warned;             /* that there is none */
	struct plat_file *file;
	struct plat_lease **leases; /* by number, from 1 */
	int64_t lease_n;
	int64_t counts[LEASE_STATE_N];
	LIST_HEAD(plat_jobs, plat_job) jobs;
	LIST_HEAD(plat_passwds, plat_passwd) passwds;
	TAILQ_HEAD(plat_waiters, plat_waiter) waiters; /* first come first */
	int waiter_n, waiting_max, serving_n; /* the last: at the store */
	int64_t soonest_us, soonest_at;       /* plat_lease_soonest_ms() */
	struct timer *share;                  /* NULL: the pool is not shared */
	bool is_unsure;                       /* a change's answer was lost */
	bool is_draining;
};

/** What the store answered to a job, which is freed after it */
typedef void plat_job_cb(struct plat_job *job, int err,
			 const struct store_rows *rows);

/** Something the store is asked for, and who waits for it */
struct plat_job {
	LIST_ENTRY(plat_job) link;
	struct plat *plat;
	struct https_req *req; /* NULL: nobody, or gone in the meantime */
	plat_job_cb *cb;
	int64_t number, lease_id;
	char *uri;
	const char *by; /* "file" or "message" */
	size_t count;   /* of the batch */
	char *key;      /* of the apply message, or NULL */
	bool is_served; /* it has waited */
	int tries;
};

/** How a REGISTER that deregisters ended: 200, or why not; borrowed */
struct plat_dereg_result {
	int status;
	const char *phrase;
};

typedef void plat_dereg_cb(const struct plat_dereg_result *result, void *arg);

/** error NULL: the HSS has the new password. Else why not; borrowed */
typedef void plat_passwd_cb(const char *error, void *arg);

/* platform.c */
int plat_core_new(struct plat **pp, struct element *el,
		  const struct plat_cfg *cfg, char **reasonp);
struct plat_job *plat_job_new(struct plat *plat, struct https_req *req,
			      plat_job_cb *cb);
void plat_job_run(int err, const struct store_rows *rows, void *arg);
json_t *plat_counts(const struct plat *plat);
json_t *plat_show(const struct plat *plat);

/* platform_share.c: several platforms on one pool */
bool plat_share_is_ours(const struct plat *plat, const struct plat_row *row);
void plat_share_start(struct plat *plat);
void plat_share_learn(struct plat *plat);

/* platform_dereg_sip.c */
int plat_dereg_open(struct plat *plat, const char *listen, char **reasonp);
struct plat_dereg *plat_dereg_new(struct plat *plat, const struct plat_row *row,
				  plat_dereg_cb *cb, void *arg);
struct plat_dereg *plat_dereg_free(struct plat_dereg *dereg);

/* platform_passwd.c: a new password for each lease */
int plat_passwd_open(struct plat *plat, const struct plat_cfg *cfg,
		     char **reasonp);
struct plat_passwd *plat_passwd_new(struct plat *plat,
				    const struct plat_row *row,
				    plat_passwd_cb *cb, void *arg);
struct plat_passwd *plat_passwd_free(struct plat_passwd *passwd);
void plat_passwd_close(struct plat *plat);

#endif
