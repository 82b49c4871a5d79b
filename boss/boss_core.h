/** @file boss_core.h  What the BOSS's own files share */
#ifndef SIPSHARE_BOSS_CORE_H
#define SIPSHARE_BOSS_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "boss/boss.h"

struct boss_change;
struct boss_op;
struct boss_send;
struct boss_shooting;
struct https_client;
struct https_server;

/** One account; strings are owned by its list */
struct boss_account {
	char *number, *uri, *impi, *password, *status;
};

/** Accounts of a file, of a report, or all that were opened */
struct boss_list {
	struct boss_account *v;
	size_t n, room;
};

/** Owns all below */
struct boss {
	struct element *el;
	struct https_client *https;
	struct https_server *server; /* NULL: no --https */
	struct boss_change *changes;
	char *hss_url, *platform_url, *realm, *pool_file;
	struct boss_list pool; /* of status closed: no longer to be given */
	json_t *index;         /* SIP-URI to its place in pool */
	struct boss_op *ops;
	struct boss_send *sends;
	struct boss_shooting *shooting;
	bool has_failed;
};

/** How accounts were opened */
enum boss_way { BOSS_BY_RANGE, BOSS_BY_LIST };

/** error NULL: report is what the HSS did; else who refused what, and why.
 * Both borrowed */
typedef void boss_report_cb(const struct boss_list *report, const char *error,
			    void *arg);
/** error NULL: the platform has count of our accounts */
typedef void boss_sent_cb(size_t count, const char *error, void *arg);

/* boss_batch.c: files */
struct boss_account *boss_list_add(struct boss_list *list);
void boss_list_clear(struct boss_list *list);
size_t boss_list_count(const struct boss_list *list, const char *status);
int boss_batch_read(struct boss_list *list, const char *file, const char *realm,
		    char **reasonp);
int boss_pool_read(struct boss_list *list, const char *file, char **reasonp);
int boss_pool_write(const struct boss_list *list, const char *file,
		    const char *realm, char **reasonp);

/* boss_soap.c: to the HSS */
void boss_soap_open_range(struct boss *boss, const char *first,
			  const char *last, const char *rule,
			  boss_report_cb *cb, void *arg);
void boss_soap_open_list(struct boss *boss, const struct boss_list *list,
			 boss_report_cb *cb, void *arg);
void boss_soap_close(struct boss *boss, const char *uri, boss_report_cb *cb,
		     void *arg);
void boss_soap_change(struct boss *boss, const char *uri, const char *password,
		      boss_report_cb *cb, void *arg);
void boss_soap_free_ops(struct boss *boss);

/* boss_platform.c: to the platform */
int boss_platform_write(struct boss *boss, size_t *countp, char **reasonp);
void boss_platform_send(struct boss *boss, boss_sent_cb *cb, void *arg);
void boss_platform_free_sends(struct boss *boss);

/* boss_https.c: for the platform */
int boss_https_open(struct boss *boss, const struct boss_cfg *cfg,
		    char **reasonp);
void boss_https_close(struct boss *boss);

/* boss_shot.c: by hand */
void boss_shot_free(struct boss *boss);

#endif
