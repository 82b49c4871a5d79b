/** @file boss_core.h  What the BOSS's own files share */
#ifndef SIPSHARE_BOSS_CORE_H
#define SIPSHARE_BOSS_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include <jansson.h>

#include "boss/boss.h"
#include "boss/boss_batch.h"

struct boss_change;
struct boss_op;
struct boss_shooting;
struct https_client;
struct https_server;
struct store;
struct timer;

/** Numbers, and how their SIP-URIs are made; borrowed */
struct boss_range {
	const char *first, *last, *rule;
};

/** A procedure's turn: an operator's are done one after the other. Owned by
 * the procedure, whose first member it is */
struct boss_turn {
	TAILQ_ENTRY(boss_turn) link;
	void (*start)(struct boss_turn *turn);
	/** The BOSS ends: tell who waits, and free */
	void (*end)(struct boss_turn *turn);
	bool is_started;
};

/** Owns all below */
struct boss {
	struct element *el;
	struct https_client *https;
	struct https_server *server; /* NULL: no --https */
	struct store *store;
	struct boss_change *changes;
	char *hss_url, *platform_url, *realm, *pool_file;
	struct boss_list pool; /* what is in the store */
	json_t *index;         /* SIP-URI to its place in pool */
	LIST_HEAD(boss_puts, boss_put) puts;
	TAILQ_HEAD(boss_turns, boss_turn) turns;
	struct timer *next_turn;
	struct boss_op *ops;
	struct boss_shooting *shooting;
	bool has_failed;
};

/** error NULL: report is what the HSS did. Else who refused what, and why:
 * with a report, an empty one, the HSS did nothing; without one nobody knows
 * what it did. All borrowed */
typedef void boss_report_cb(const struct boss_list *report, const char *error,
			    void *arg);
/** error NULL: the platform has count of our accounts, by this */
typedef void boss_sent_cb(size_t count, const char *error, void *arg);
/** 0: it is on disk; else nothing happened */
typedef void boss_stored_cb(int err, void *arg);

/* boss_known.c: what it remembers */
int boss_known_open(struct boss *boss, const char *where, char **reasonp);
void boss_known_close(struct boss *boss);
struct boss_account *boss_known_find(const struct boss *boss, const char *uri);
void boss_known_put(struct boss *boss, struct boss_list *list,
		    boss_stored_cb *cb, void *arg);

/* boss_turn.c: one after the other */
void boss_turn_enter(struct boss *boss, struct boss_turn *turn);
void boss_turn_leave(struct boss *boss, struct boss_turn *turn);
void boss_turn_next(void *arg);
void boss_turn_end_all(struct boss *boss);

/* boss_soap.c: to the HSS */
void boss_soap_open_range(struct boss *boss, const struct boss_range *range,
			  boss_report_cb *cb, void *arg);
void boss_soap_open_list(struct boss *boss, const struct boss_list *list,
			 boss_report_cb *cb, void *arg);
void boss_soap_close(struct boss *boss, const char *uri, boss_report_cb *cb,
		     void *arg);
void boss_soap_change(struct boss *boss, const char *uri, const char *password,
		      boss_report_cb *cb, void *arg);
void boss_soap_free_ops(struct boss *boss);

/* boss_open.c, boss_edit.c: accounts, remembered first */
void boss_open_range(struct boss *boss, const struct boss_range *range,
		     boss_report_cb *cb, void *arg);
void boss_open_list(struct boss *boss, const struct boss_list *list,
		    boss_report_cb *cb, void *arg);
void boss_open_rest(struct boss *boss, boss_report_cb *cb, void *arg);
void boss_edit_close(struct boss *boss, const char *uri, boss_report_cb *cb,
		     void *arg);
void boss_edit_password(struct boss *boss, const char *uri,
			const char *password, boss_report_cb *cb, void *arg);

/* boss_platform.c: to the platform */
void boss_sync(struct boss *boss, bool by_file, boss_sent_cb *cb, void *arg);

/* boss_https.c: for the platform */
int boss_https_open(struct boss *boss, const struct boss_cfg *cfg,
		    char **reasonp);
void boss_https_close(struct boss *boss);

/* boss_shot.c: by hand */
void boss_shot_free(struct boss *boss);

#endif
