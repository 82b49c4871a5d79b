/** @file store_backend.h  Between the store's queue and its two databases
 *
 * Inside of store_*.c; nothing else includes it.
 */
#ifndef SIPSHARE_STORE_BACKEND_H
#define SIPSHARE_STORE_BACKEND_H

#include <stdbool.h>

#include "common/store.h"

/** A value, on its way in or back; s is owned */
struct store_cell {
	enum store_type type;
	int64_t i;
	char *s;
};

/** What a statement gave, row by row */
struct store_rows {
	int row_n, col_n;
	struct store_cell *v;
};

/** A queued statement and its parameters */
struct store_query {
	const char *sql;
	struct store_cell *vals;
	int val_n;
};

/** One store_run(): all of its statements or none. Owned by whoever holds the
 * list that it is in */
struct store_call {
	struct store_call *next;
	struct store_query *v;
	int n;
	store_cb *cb;
	void *arg;
	int err;
	int tries; /**< how often its connection was lost */
	struct store_rows rows;
};

/** A group is over: each call has its err and rows. again: calls that are to
 * run anew, before all others. Both lists are given away, and the database may
 * be closed by this: it is the last thing that a database does */
typedef void store_done_cb(struct store_call *first, struct store_call *again,
			   void *arg);

struct store_backend;

/** A database's functions */
struct store_ops {
	enum store_dialect dialect;
	int group_max; /**< calls of a group, 0: no bound */
	/** Run a group; done is called once, before this returns or later */
	void (*run)(struct store_backend *b, struct store_call *first);
	/** Bring what is under way, and first, to disk without done; free b */
	void (*close)(struct store_backend *b, struct store_call *first);
};

/** First member of a database */
struct store_backend {
	const struct store_ops *ops;
	const char *session; /**< store_session() */
	store_done_cb *done;
	void *arg;
};

int store_sqlite_open(struct store_backend **bp, const char *where,
		      const char *schema, char **reasonp);
int store_pg_open(struct store_backend **bp, struct loop *loop,
		  const char *where, const char *schema, char **reasonp);
bool store_pg_is_uri(const char *where);
int32_t store_schema_version(const char *schema);

struct store_cell *store_rows_add(struct store_rows *rows);
void store_rows_clear(struct store_rows *rows);
struct store_call *store_call_free(struct store_call *call);

#endif
