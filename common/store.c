#include "common/store.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/store_db.h"

/** A value, on its way in or back; s is owned */
struct cell {
	enum store_type type;
	int64_t i;
	char *s;
};

/** What a statement gave, row by row */
struct store_rows {
	int row_n, col_n;
	struct cell *v;
};

/** A queued statement and its parameters */
struct queued {
	const char *sql;
	struct cell *vals;
	int val_n;
};

/** One store_run(): all of its statements or none. Owned by the queue */
struct call {
	struct call *next;
	struct queued *v;
	int n;
	store_cb *cb;
	void *arg;
	int err;
	struct store_rows rows;
};

/** Owned by the role. Its shell outlives store_close() until the turn that is
 * deferred has found it closed. */
struct store {
	struct loop *loop;
	struct store_db *db;
	struct call *first, **last;
	bool is_deferred, is_closed;
};

/* Values and rows may be passwords */
static void wipe(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

static void rows_clear(struct store_rows *rows)
{
	for (int i = 0; i < rows->row_n * rows->col_n; i++)
		wipe(rows->v[i].s);
	free(rows->v);
	*rows = (struct store_rows){ 0 };
}

static void call_free(struct call *call)
{
	for (int i = 0; i < call->n; i++) {
		for (int j = 0; j < call->v[i].val_n; j++)
			wipe(call->v[i].vals[j].s);
		free(call->v[i].vals);
	}
	rows_clear(&call->rows);
	free(call->v);
	free(call);
}

static void bind(sqlite3_stmt *stmt, const struct queued *q)
{
	for (int i = 0; i < q->val_n; i++) {
		const struct cell *val = &q->vals[i];

		if (val->type == STORE_INT)
			sqlite3_bind_int64(stmt, i + 1, val->i);
		else if (val->type == STORE_TEXT)
			sqlite3_bind_text(stmt, i + 1, val->s, -1,
					  SQLITE_STATIC);
		else
			sqlite3_bind_null(stmt, i + 1);
	}
}

static void take_row(struct store_rows *rows, sqlite3_stmt *stmt)
{
	size_t at = (size_t)rows->row_n * (size_t)rows->col_n;
	size_t n = (size_t)rows->col_n;

	/* room for twice the rows whenever their number is a power of two: a
	 * long answer is not copied once a row */
	if (!(rows->row_n & (rows->row_n - 1)))
		rows->v = xrealloc(rows->v, 2 * (at + n) * sizeof(struct cell));
	for (int i = 0; i < rows->col_n; i++) {
		struct cell *cell = &rows->v[at + (size_t)i];

		cell->type = STORE_INT;
		cell->i = sqlite3_column_int64(stmt, i);
		cell->s = NULL;
		if (sqlite3_column_type(stmt, i) == SQLITE_TEXT)
			cell->s = xstrdup(
				(const char *)sqlite3_column_text(stmt, i));
	}
	rows->row_n++;
}

static int run_statement(struct store_db *db, const struct queued *q,
			 struct store_rows *rows)
{
	sqlite3_stmt *stmt = store_db_prepare(db, q->sql);
	struct store_rows got = { 0 };
	int err = 0;
	int rc;

	if (!stmt) {
		store_db_log(db, q->sql);
		return EIO;
	}

	bind(stmt, q);
	got.col_n = sqlite3_column_count(stmt);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		take_row(&got, stmt);
	if (rc != SQLITE_DONE)
		err = store_db_errno(db);
	if (err == EIO)
		store_db_log(db, q->sql);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);

	if (err || !got.row_n) {
		rows_clear(&got);
		return err;
	}
	rows_clear(rows);
	*rows = got;

	return 0;
}

/* A call that fails takes back its own statements, and no others' */
static void run_call(struct store_db *db, struct call *call)
{
	bool is_many = call->n > 1;
	int err = 0;

	/* one statement is atomic by itself */
	if (is_many)
		err = store_db_exec(db, "SAVEPOINT one_call");
	for (int i = 0; !err && i < call->n; i++)
		err = run_statement(db, &call->v[i], &call->rows);
	if (err)
		rows_clear(&call->rows);
	call->err = err;
	if (!is_many || !store_db_in_transaction(db))
		return;

	if (err)
		(void)store_db_exec(db, "ROLLBACK TO one_call");
	(void)store_db_exec(db, "RELEASE one_call");
}

/* All calls that queued, in one transaction. If it cannot be brought to disk,
 * none of them happened. */
static void run_group(struct store_db *db, struct call *first)
{
	int err = store_db_exec(db, "BEGIN IMMEDIATE");

	if (err)
		store_db_log(db, "BEGIN IMMEDIATE");
	for (struct call *c = first; c && !err; c = c->next) {
		run_call(db, c);
		err = store_db_in_transaction(db) ? 0 : EIO;
	}
	if (!err && store_db_exec(db, "COMMIT")) {
		store_db_log(db, "COMMIT");
		(void)store_db_exec(db, "ROLLBACK");
		err = EIO;
	}
	for (struct call *c = first; c && err; c = c->next) {
		rows_clear(&c->rows);
		c->err = err;
	}
}

static void turn(void *arg);

static void defer_turn(struct store *store)
{
	if (store->is_deferred)
		return;

	store->is_deferred = true;
	loop_defer(store->loop, turn, store);
}

static struct call *take_queue(struct store *store)
{
	struct call *first = store->first;

	store->first = NULL;
	store->last = &store->first;

	return first;
}

/* A callback may queue more calls, and may close the store: is_deferred stays
 * set meanwhile, so that neither defers this again nor frees the shell */
static void turn(void *arg)
{
	struct store *store = arg;
	struct call *c = take_queue(store);

	if (c)
		run_group(store->db, c);
	while (c) {
		struct call *next = c->next;

		if (c->cb && !store->is_closed)
			c->cb(c->err, &c->rows, c->arg);
		call_free(c);
		c = next;
	}
	store->is_deferred = false;
	if (store->is_closed)
		free(store);
	else if (store->first)
		defer_turn(store);
}

/**
 * Open a store
 *
 * @param where   A file, or "memory"
 * @param schema  CREATE statements, run once on a new file. Their text is the
 *                file's version: a file of another schema is refused
 * @param reasonp On failure: a sentence of the caller's to free
 *
 * @return 0, EINVAL (not a store of this schema), EBUSY (used by another
 *         process), EACCES, EIO (corrupt), or what making the file gave
 */
int store_open(struct store **sp, struct loop *loop, const char *where,
	       const char *schema, char **reasonp)
{
	struct store_db *db = NULL;
	struct store *store;
	int err = store_db_open(&db, where, schema, reasonp);

	if (err)
		return err;

	store = xcalloc(1, sizeof(*store));
	store->loop = loop;
	store->db = db;
	store->last = &store->first;
	*sp = store;

	return 0;
}

/**
 * Close. Calls still queued are committed, but their callbacks are not called:
 * their owners may be gone. May be called from a callback of the store.
 *
 * @return NULL
 */
struct store *store_close(struct store *store)
{
	struct call *c;

	if (!store || store->is_closed)
		return NULL;

	c = take_queue(store);
	if (c)
		run_group(store->db, c);
	while (c) {
		struct call *next = c->next;

		call_free(c);
		c = next;
	}
	store->db = store_db_close(store->db);
	store->is_closed = true;
	if (!store->is_deferred)
		free(store);

	return NULL;
}

static struct queued copy_statement(const struct store_stmt *stmt)
{
	size_t n = (size_t)stmt->val_n;
	struct queued q = { stmt->sql, NULL, stmt->val_n };

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
	struct call *call = xcalloc(1, sizeof(*call));

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

static const struct cell *cell_at(const struct store_rows *rows, int row,
				  int col)
{
	static const struct cell none;

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
