#include "common/store.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/store_backend.h"

/** Owned by the role. Its shell outlives store_close() until whoever is on the
 * stack or deferred has found it closed. */
struct store {
	struct loop *loop;
	struct store_backend *db;
	struct store_call *first, **last;
	bool is_deferred; /* turn() will come */
	bool is_busy;     /* a group is under way */
	bool is_calling;  /* done() is on the stack */
	bool is_closed;
};

/* Values and rows may be passwords */
static void wipe(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

/** Forget all rows */
void store_rows_clear(struct store_rows *rows)
{
	for (int i = 0; i < rows->row_n * rows->col_n; i++)
		wipe(rows->v[i].s);
	free(rows->v);
	*rows = (struct store_rows){ 0 };
}

/** One row more, of col_n cells that the caller fills */
struct store_cell *store_rows_add(struct store_rows *rows)
{
	size_t at = (size_t)rows->row_n * (size_t)rows->col_n;
	size_t n = (size_t)rows->col_n;

	/* room for twice the rows whenever their number is a power of two: a
	 * long answer is not copied once a row */
	if (!(rows->row_n & (rows->row_n - 1)))
		rows->v = xrealloc(rows->v,
				   2 * (at + n) * sizeof(struct store_cell));
	rows->row_n++;

	return &rows->v[at];
}

/** Free a call; gives the one after it */
struct store_call *store_call_free(struct store_call *call)
{
	struct store_call *next = call->next;

	for (int i = 0; i < call->n; i++) {
		for (int j = 0; j < call->v[i].val_n; j++)
			wipe(call->v[i].vals[j].s);
		free(call->v[i].vals);
	}
	store_rows_clear(&call->rows);
	free(call->v);
	free(call);

	return next;
}

static void turn(void *arg);

static void defer_turn(struct store *store)
{
	if (store->is_deferred || store->is_busy)
		return;

	store->is_deferred = true;
	loop_defer(store->loop, turn, store);
}

/* At most max calls, 0: all */
static struct store_call *take_queue(struct store *store, int max)
{
	struct store_call *first = store->first;
	struct store_call **end = &store->first;

	for (int i = 0; *end && (!max || i < max); i++)
		end = &(*end)->next;
	store->first = *end;
	*end = NULL;
	if (!store->first)
		store->last = &store->first;

	return first;
}

static void put_back(struct store *store, struct store_call *again)
{
	struct store_call **end = &again;

	if (!again)
		return;

	while (*end)
		end = &(*end)->next;
	*end = store->first;
	if (!store->first)
		store->last = end;
	store->first = again;
}

static void turn(void *arg)
{
	struct store *store = arg;

	store->is_deferred = false;
	if (store->is_closed) {
		free(store);
		return;
	}
	if (!store->first)
		return;

	store->is_busy = true;
	store->db->ops->run(store->db,
			    take_queue(store, store->db->ops->group_max));
}

/* A callback may queue more calls, and may close the store */
static void done(struct store_call *c, struct store_call *again, void *arg)
{
	struct store *store = arg;

	put_back(store, again);
	store->is_calling = true;
	while (c) {
		if (c->cb && !store->is_closed)
			c->cb(c->err, &c->rows, c->arg);
		c = store_call_free(c);
	}
	store->is_calling = false;
	store->is_busy = false;
	if (store->is_closed)
		free(store);
	else if (store->first)
		defer_turn(store);
}

/**
 * Open a store of either kind
 *
 * A PostgreSQL is connected to before this returns, as a port is bound: who
 * starts an element learns here that its database is not there. Nothing waits
 * after that.
 *
 * @param where   A file, "memory", or postgresql://user@host:port/database
 * @param schemas CREATE statements by dialect, run once on a new file or an
 *                empty database. Their text is its version: one of another
 *                schema is refused. NULL: the element does not speak that one
 * @param reasonp On failure: a sentence of the caller's to free
 *
 * @return 0, EINVAL (not a store of this schema), EBUSY (used by another
 *         process), EACCES, ECONNREFUSED (no database there), EIO (corrupt),
 *         or what making the file gave
 */
int store_open_either(struct store **sp, struct loop *loop, const char *where,
		      const char *const schemas[STORE_DIALECT_N],
		      char **reasonp)
{
	const char *pg = schemas[STORE_POSTGRESQL];
	struct store_backend *db = NULL;
	struct store *store;
	int err;

	if (pg && store_pg_is_uri(where))
		err = store_pg_open(&db, loop, where, pg, reasonp);
	else
		err = store_sqlite_open(&db, where, schemas[STORE_SQLITE],
					reasonp);
	if (err)
		return err;

	store = xcalloc(1, sizeof(*store));
	store->loop = loop;
	store->db = db;
	store->last = &store->first;
	db->done = done;
	db->arg = store;
	*sp = store;

	return 0;
}

/** As store_open_either(), of an element whose state is its own: a file, or
 * "memory", but no PostgreSQL */
int store_open(struct store **sp, struct loop *loop, const char *where,
	       const char *schema, char **reasonp)
{
	const char *const schemas[STORE_DIALECT_N] = { schema, NULL };

	return store_open_either(sp, loop, where, schemas, reasonp);
}

/** Whose SQL it takes */
enum store_dialect store_dialect(const struct store *store)
{
	return store->db->ops->dialect;
}

/** This process's name at a database that it shares, borrowed: PostgreSQL's
 * application_name, which pg_stat_activity shows for as long as the process is
 * connected. It is another one after each start. NULL: the store is not shared
 */
const char *store_session(const struct store *store)
{
	return store->db->session;
}

/**
 * Close. Calls still queued are committed, but their callbacks are not called:
 * their owners may be gone. May be called from a callback of the store.
 *
 * This waits for what is under way at a PostgreSQL, in bounded time.
 *
 * @return NULL
 */
struct store *store_close(struct store *store)
{
	if (!store || store->is_closed)
		return NULL;

	store->db->ops->close(store->db, take_queue(store, 0));
	store->db = NULL;
	store->is_closed = true;
	if (!store->is_deferred && !store->is_calling)
		free(store);

	return NULL;
}

static struct store_query copy_statement(const struct store_stmt *stmt)
{
	size_t n = (size_t)stmt->val_n;
	struct store_query q = { stmt->sql, NULL, stmt->val_n };

	if (n)
		q.vals = xcalloc(n, sizeof(*q.vals));
	for (size_t i = 0; i < n; i++) {
		const struct store_val *val = &stmt->vals[i];

		q.vals[i].type = val->type;
		q.vals[i].i = val->i;
		if (val->type == STORE_TEXT)
			q.vals[i].s = xstrdup(val->s);
	}

	return q;
}

/**
 * Queue statements that happen together or not at all
 *
 * Calls run in the order they were queued, on the loop's next turn; the
 * callback comes once they are on disk, never before this returns, and never
 * after store_close().
 *
 * @param stmts Statements; their SQL is static, all else is copied
 * @param cb    Called once, or NULL: failures are only logged then
 */
void store_run(struct store *store, const struct store_stmt *stmts, int n,
	       store_cb *cb, void *arg)
{
	struct store_call *call = xcalloc(1, sizeof(*call));

	call->v = xcalloc((size_t)n, sizeof(*call->v));
	call->n = n;
	call->cb = cb;
	call->arg = arg;
	for (int i = 0; i < n; i++)
		call->v[i] = copy_statement(&stmts[i]);

	*store->last = call;
	store->last = &call->next;
	defer_turn(store);
}

/** Rows of the last statement that gave any; 0 if none did */
int store_row_count(const struct store_rows *rows)
{
	return rows->row_n;
}

static const struct store_cell *cell_at(const struct store_rows *rows, int row,
					int col)
{
	static const struct store_cell none;

	if (row < 0 || row >= rows->row_n || col < 0 || col >= rows->col_n)
		return &none;

	return &rows->v[row * rows->col_n + col];
}

/** A number; 0 for NULL, and where there is no such row or column */
int64_t store_int(const struct store_rows *rows, int row, int col)
{
	return cell_at(rows, row, col)->i;
}

/** A text, borrowed; NULL for NULL, for a number, and for no such cell */
const char *store_text(const struct store_rows *rows, int row, int col)
{
	return cell_at(rows, row, col)->s;
}
