#include "platform/platform_pool.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/timer.h"
#include "platform/platform_pool_sql.h"

static const char *const state_names[LEASE_STATE_N] = {
	[LEASE_IDLE] = "idle",
	[LEASE_OCCUPIED] = "occupied",
	[LEASE_RECLAIMING] = "reclaiming",
	[LEASE_COOLING] = "cooling",
	[LEASE_QUARANTINED] = "quarantined"
};

/** As stored, shown and traced */
const char *lease_state_name(enum lease_state state)
{
	return state_names[state];
}

/**
 * Row i of an answer
 *
 * @return Whether there is one
 */
bool plat_row_get(struct plat_row *row, const struct store_rows *rows, int i)
{
	const char *state = store_text(rows, i, COL_STATE);

	if (!state)
		return false;

	*row = (struct plat_row){
		.is_done = store_int(rows, i, COL_DONE) != 0,
		.number = store_int(rows, i, COL_NUMBER),
		.uri = store_text(rows, i, COL_URI),
		.impi = store_text(rows, i, COL_IMPI),
		.password = store_text(rows, i, COL_PASSWORD),
		.realm = store_text(rows, i, COL_REALM),
		.next_password = store_text(rows, i, COL_NEXT_PASSWORD),
		.is_confirmed = store_int(rows, i, COL_IS_CONFIRMED) != 0,
		.claimer = store_text(rows, i, COL_CLAIMER),
		.holder = store_text(rows, i, COL_HOLDER),
		.lease_id = store_int(rows, i, COL_LEASE_ID),
		.until_us = store_int(rows, i, COL_UNTIL),
	};
	while (row->state < LEASE_STATE_N - 1 &&
	       strcmp(state, state_names[row->state]) != 0)
		row->state++;

	return true;
}

/** Open the pool's store; as store_open_either() */
int plat_pool_open(struct store **sp, struct loop *loop, const char *where,
		   char **reasonp)
{
	return store_open_either(sp, loop, where, plat_sql_schemas, reasonp);
}

static void run(struct store *store, const struct store_stmt *stmt,
		store_cb *cb, void *arg)
{
	store_run(store, stmt, 1, cb, arg);
}

/** All accounts past that number, by number */
void plat_pool_load(struct store *store, int64_t after, store_cb *cb, void *arg)
{
	static const char sql[] = "SELECT " ROW("0") "FROM account "
						     "WHERE number > ?1 "
						     "ORDER BY number";
	struct store_val vals[] = { STORE_I(after) };

	run(store, &(struct store_stmt){ sql, vals, 1 }, cb, arg);
}

/** One account, by number */
void plat_pool_get(struct store *store, int64_t number, store_cb *cb, void *arg)
{
	static const char sql[] = "SELECT " ROW("0") "FROM account "
						     "WHERE number = ?1";
	struct store_val vals[] = { STORE_I(number) };

	run(store, &(struct store_stmt){ sql, vals, 1 }, cb, arg);
}

/**
 * Take a batch (S401, S301: [0077]), in its order; all of it or nothing
 *
 * One that is known keeps its number and lease; its IMPI, password and realm
 * become those of the batch, for the BOSS is the one that knows them. But a
 * password that was made here stays: a batch may be older than it is, as a file
 * is that is read again at a restart.
 *
 * @param accounts Array of {"uri","impi","password","realm"}, checked
 * @param cb       Gets a row for each; new ones have numbers not seen before
 */
void plat_pool_import(struct store *store, const json_t *accounts, store_cb *cb,
		      void *arg)
{
	char *text = json_dumps(accounts, JSON_COMPACT);
	struct store_val vals[] = { STORE_S(text) };
	bool is_shared = store_dialect(store) == STORE_POSTGRESQL;
	struct store_stmt stmts[] = { { plat_sql_lock_pool, NULL, 0 },
				      { plat_sql_import[store_dialect(store)],
					vals, 1 } };

	store_run(store, stmts + !is_shared, 1 + is_shared, cb, arg);
	explicit_bzero(text, strlen(text));
	free(text);
}

/**
 * Give an idle SIP-URI away (S405), under the next lease id
 *
 * @param policy NULL: only a lease that lasts is looked for
 * @param key Idempotency key, or NULL. Where a lease with this key lasts, that
 *            one comes back, with is_done false
 * @param cb  Gets one row, or none: no SIP-URI is idle. EEXIST: another
 *            platform was given one for this key just now; ask again
 */
void plat_pool_give(struct store *store, const struct plat_policy *policy,
		    const char *key, store_cb *cb, void *arg)
{
	static const char find[] = "SELECT " ROW("0") "FROM account "
						      "WHERE key = ?1";
	int64_t until_us =
		clock_wall_us() + timer_value_ms(TIMER_LEASE_LIMIT) * 1000;
	struct store_val vals[] = { STORE_S(key), STORE_I(until_us) };
	const char *give = policy ? policy->sql[store_dialect(store)] : NULL;
	struct store_stmt stmts[] = { { find, vals, 1 }, { give, vals, 2 } };

	store_run(store, stmts, policy ? 2 : 1, cb, arg);
}

/**
 * End a lease (S410): occupied becomes reclaiming, its key is forgotten
 *
 * @param cb Gets the SIP-URI's row, with is_done if this call ended the lease.
 *           No row: the SIP-URI is not known
 */
void plat_pool_reclaim(struct store *store, const char *uri, int64_t lease_id,
		       store_cb *cb, void *arg)
{
	static const char find[] =
		"SELECT " ROW("0") ", (SELECT uri FROM account"
				   "   WHERE lease_id = ?2)"
				   " FROM account WHERE uri = ?1";
	static const char end[] =
		"UPDATE account SET state = 'reclaiming', key = NULL"
		" WHERE uri = ?1 AND lease_id = ?2 AND state = 'occupied'"
		" RETURNING " ROW("1");
	struct store_val vals[] = { STORE_S(uri), STORE_I(lease_id) };
	struct store_stmt stmts[] = { { find, vals, 2 }, { end, vals, 2 } };

	store_run(store, stmts, 2, cb, arg);
}

/* Until when a SIP-URI cools down; nothing else has an end of its own */
static int64_t move_until_us(const struct plat_move *move)
{
	int64_t cool_ms = timer_value_ms(TIMER_COOL_DOWN);

	return move->to == LEASE_COOLING ? clock_wall_us() + cool_ms * 1000 : 0;
}

/**
 * Change a state; becoming idle puts the SIP-URI at the queue's end [0083]
 *
 * @param cb Gets one row, or none: it was not in that state or lease any more
 */
void plat_pool_move(struct store *store, const struct plat_move *move,
		    store_cb *cb, void *arg)
{
	static const char sql[] =
		"UPDATE account SET state = ?4, until_us = ?5,"
		" idle_seq = CASE ?4"
		"  WHEN 'idle' THEN " NEXT_IDLE_SEQ " ELSE idle_seq END"
		" WHERE number = ?1 AND lease_id = ?2 AND state = ?3"
		" RETURNING " ROW("1");
	struct store_val vals[] = { STORE_I(move->number),
				    STORE_I(move->lease_id),
				    STORE_S(state_names[move->from]),
				    STORE_S(state_names[move->to]),
				    STORE_I(move_until_us(move)) };

	run(store, &(struct store_stmt){ sql, vals, 5 }, cb, arg);
}

/**
 * Keep the password that the account is to have next, before anyone is told
 * of it: whatever happens after, it is known which one it may have by then
 *
 * @param cb Gets one row, or none: it is not reclaiming in that lease any
 *           more, or has a next password already
 */
void plat_pool_renew(struct store *store, const struct plat_renewal *renewal,
		     store_cb *cb, void *arg)
{
	static const char sql[] =
		"UPDATE account SET next_password = ?3, is_confirmed = ?4"
		" WHERE number = ?1 AND lease_id = ?2"
		" AND state = 'reclaiming' AND next_password IS NULL"
		" RETURNING " ROW("1");
	struct store_val vals[] = { STORE_I(renewal->number),
				    STORE_I(renewal->lease_id),
				    STORE_S(renewal->password),
				    STORE_I(renewal->is_confirmed) };

	run(store, &(struct store_stmt){ sql, vals, 4 }, cb, arg);
}

/**
 * The HSS has the next password: it is the account's now, and the state
 * changes with it
 *
 * @param cb Gets one row, or none, as plat_pool_move()
 */
void plat_pool_adopt(struct store *store, const struct plat_move *move,
		     store_cb *cb, void *arg)
{
	static const char sql[] =
		"UPDATE account SET state = ?4, until_us = ?5,"
		" password = next_password, next_password = NULL,"
		" is_confirmed = 0, is_own = 1, idle_seq = CASE ?4"
		"  WHEN 'idle' THEN " NEXT_IDLE_SEQ " ELSE idle_seq END"
		" WHERE number = ?1 AND lease_id = ?2 AND state = ?3"
		" AND next_password IS NOT NULL RETURNING " ROW("1");
	struct store_val vals[] = { STORE_I(move->number),
				    STORE_I(move->lease_id),
				    STORE_S(state_names[move->from]),
				    STORE_S(state_names[move->to]),
				    STORE_I(move_until_us(move)) };

	run(store, &(struct store_stmt){ sql, vals, 5 }, cb, arg);
}

/**
 * An operator lets a quarantined SIP-URI go
 *
 * @param to LEASE_IDLE; LEASE_RECLAIMING where its password must be renewed
 *           first
 * @param cb Gets the SIP-URI's row, with is_done if it was quarantined; no
 *           row: the SIP-URI is not known
 */
void plat_pool_release(struct store *store, const char *uri,
		       enum lease_state to, store_cb *cb, void *arg)
{
	static const char find[] = "SELECT " ROW("0") "FROM account "
						      "WHERE uri = ?1";
	static const char release[] =
		"UPDATE account SET state = ?2, idle_seq = CASE ?2"
		"  WHEN 'idle' THEN " NEXT_IDLE_SEQ " ELSE idle_seq END"
		" WHERE uri = ?1 AND state = 'quarantined' RETURNING " ROW("1");
	struct store_val vals[] = { STORE_S(uri), STORE_S(state_names[to]) };
	struct store_stmt stmts[] = { { find, vals, 1 }, { release, vals, 2 } };

	store_run(store, stmts, 2, cb, arg);
}

/**
 * Take the leases over of platforms that are not there any more
 *
 * @param cb Gets the row of each
 */
void plat_pool_take_over(struct store *store, store_cb *cb, void *arg)
{
	run(store, &(struct store_stmt){ plat_sql_take_over, NULL, 0 }, cb,
	    arg);
}
