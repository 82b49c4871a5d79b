/** @file platform_pool.h  The pool on disk: who has which SIP-URI
 *
 * Each function queues statements at the store and gives the callback rows
 * for plat_row_get(). The store decides; memory follows what it answers.
 */
#ifndef SIPSHARE_PLATFORM_POOL_H
#define SIPSHARE_PLATFORM_POOL_H

#include <stdbool.h>

#include <jansson.h>

#include "common/store.h"

/** A SIP-URI's life (S405 to S414), as stored by name */
enum lease_state {
	LEASE_IDLE,
	LEASE_OCCUPIED,
	LEASE_RECLAIMING,
	LEASE_COOLING,
	LEASE_QUARANTINED,
	LEASE_STATE_N
};

/** One account of the pool; strings are borrowed from the rows */
struct plat_row {
	bool is_done;   /**< this statement made the change */
	int64_t number; /**< 1..n in order of arrival [0082] */
	const char *uri, *impi, *password, *realm;
	const char *next_password; /**< on its way to the HSS; NULL: none */
	bool is_confirmed;         /**< deregistered before it was made */
	const char *holder;  /**< plat_pool_reclaim(): who has that lease */
	const char *claimer; /**< store_session() of the platform that made the
				  last change; NULL: the pool is not shared */
	int64_t lease_id;    /**< the last one, 0: none yet */
	enum lease_state state;
	int64_t until_us; /**< wall time of the lease's or cool-down's end */
};

/** A rule for picking an idle SIP-URI */
struct plat_policy {
	const char *name;                 /**< as in --policy */
	const char *sql[STORE_DIALECT_N]; /**< one statement */
};

/** A change of state, of this lease only, from one state only */
struct plat_move {
	int64_t number, lease_id;
	enum lease_state from, to;
};

/** A password that is to be the account's next one */
struct plat_renewal {
	int64_t number, lease_id;
	const char *password;
	bool is_confirmed; /**< the SIP-URI is deregistered by now */
};

int plat_pool_open(struct store **sp, struct loop *loop, const char *where,
		   char **reasonp);
void plat_pool_load(struct store *store, int64_t after, store_cb *cb,
		    void *arg);
void plat_pool_take_over(struct store *store, store_cb *cb, void *arg);
void plat_pool_import(struct store *store, const json_t *accounts, store_cb *cb,
		      void *arg);
void plat_pool_give(struct store *store, const struct plat_policy *policy,
		    const char *key, store_cb *cb, void *arg);
void plat_pool_reclaim(struct store *store, const char *uri, int64_t lease_id,
		       store_cb *cb, void *arg);
void plat_pool_move(struct store *store, const struct plat_move *move,
		    store_cb *cb, void *arg);
void plat_pool_renew(struct store *store, const struct plat_renewal *renewal,
		     store_cb *cb, void *arg);
void plat_pool_adopt(struct store *store, const struct plat_move *move,
		     store_cb *cb, void *arg);
void plat_pool_get(struct store *store, int64_t number, store_cb *cb,
		   void *arg);
void plat_pool_release(struct store *store, const char *uri,
		       enum lease_state to, store_cb *cb, void *arg);
bool plat_row_get(struct plat_row *row, const struct store_rows *rows, int i);
const char *lease_state_name(enum lease_state state);
const struct plat_policy *plat_policy_find(const char *name);

#endif
