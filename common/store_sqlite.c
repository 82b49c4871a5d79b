#include "common/store_backend.h"

#include <errno.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "common/mem.h"
#include "common/store_db.h"

/** Owned by its store */
struct store_sqlite {
	struct store_backend base;
	struct store_db *db;
};

static void bind(sqlite3_stmt *stmt, const struct store_query *q)
{
	for (int i = 0; i < q->val_n; i++) {
		const struct store_cell *val = &q->vals[i];

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
	struct store_cell *row = store_rows_add(rows);

	for (int i = 0; i < rows->col_n; i++) {
		row[i].type = STORE_INT;
		row[i].i = sqlite3_column_int64(stmt, i);
		row[i].s = NULL;
		if (sqlite3_column_type(stmt, i) == SQLITE_TEXT)
			row[i].s = xstrdup(
				(const char *)sqlite3_column_text(stmt, i));
	}
}

static int run_statement(struct store_db *db, const struct store_query *q,
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
		store_rows_clear(&got);
		return err;
	}
	store_rows_clear(rows);
	*rows = got;

	return 0;
}

/* A call that fails takes back its own statements, and no others' */
static void run_call(struct store_db *db, struct store_call *call)
{
	bool is_many = call->n > 1;
	int err = 0;

	/* one statement is atomic by itself */
	if (is_many)
		err = store_db_exec(db, "SAVEPOINT one_call");
	for (int i = 0; !err && i < call->n; i++)
		err = run_statement(db, &call->v[i], &call->rows);
	if (err)
		store_rows_clear(&call->rows);
	call->err = err;
	if (!is_many || !store_db_in_transaction(db))
		return;

	if (err)
		(void)store_db_exec(db, "ROLLBACK TO one_call");
	(void)store_db_exec(db, "RELEASE one_call");
}

/* All calls that queued, in one transaction. If it cannot be brought to disk,
 * none of them happened. */
static void run_group(struct store_db *db, struct store_call *first)
{
	int err = store_db_exec(db, "BEGIN IMMEDIATE");

	if (err)
		store_db_log(db, "BEGIN IMMEDIATE");
	for (struct store_call *c = first; c && !err; c = c->next) {
		run_call(db, c);
		err = store_db_in_transaction(db) ? 0 : EIO;
	}
	if (!err && store_db_exec(db, "COMMIT")) {
		store_db_log(db, "COMMIT");
		(void)store_db_exec(db, "ROLLBACK");
		err = EIO;
	}
	for (struct store_call *c = first; c && err; c = c->next) {
		store_rows_clear(&c->rows);
		c->err = err;
	}
}

static void run(struct store_backend *b, struct store_call *first)
{
	run_group(((struct store_sqlite *)b)->db, first);
	b->done(first, NULL, b->arg);
}

static void close_db(struct store_backend *b, struct store_call *first)
{
	struct store_sqlite *sqlite = (struct store_sqlite *)b;

	if (first)
		run_group(sqlite->db, first);
	while (first)
		first = store_call_free(first);
	store_db_close(sqlite->db);
	free(sqlite);
}

static const struct store_ops ops = { STORE_SQLITE, 0, run, close_db };

/** Open a file, or "memory"; see store_open() */
int store_sqlite_open(struct store_backend **bp, const char *where,
		      const char *schema, char **reasonp)
{
	struct store_sqlite *sqlite;
	struct store_db *db = NULL;
	int err = store_db_open(&db, where, schema, reasonp);

	if (err)
		return err;

	sqlite = xcalloc(1, sizeof(*sqlite));
	sqlite->base.ops = &ops;
	sqlite->db = db;
	*bp = &sqlite->base;

	return 0;
}
