/** @file store_pg.h  One PostgreSQL: connected, asked, connected again
 *
 * Inside of store_pg*.c; nothing else includes it.
 */
#ifndef SIPSHARE_STORE_PG_H
#define SIPSHARE_STORE_PG_H

#include <stddef.h>

#include <libpq-fe.h>

#include "common/store_backend.h"

struct loop_watch;
struct timer;

/** Where the connection is */
enum pg_state {
	PG_UP,
	PG_CONNECTING, /* PQconnectPoll() */
	PG_DOWN        /* until the next try */
};

/** Something sent whose result is awaited */
enum pg_step_kind { STEP_PREPARE, STEP_RUN, STEP_END, STEP_FLUSH };

struct pg_step {
	enum pg_step_kind kind;
	struct store_call *call; /* NULL: of no call's */
	size_t stmt;             /* of STEP_PREPARE: which one */
};

/** A statement by its static SQL; its name at the server is its index */
struct pg_stmt {
	const char *sql;
	bool is_prepared;
};

/** Owned by its store */
struct store_pg {
	struct store_backend base;
	struct loop *loop;
	char *uri, *name; /* name: host, port and database, for logs */
	char *app;        /* application_name: tells this process from others */
	char *options;
	PGconn *conn;
	enum pg_state state;
	struct loop_watch *watch;
	int watched; /* LOOP_READ … */
	struct timer *retry, *bound;
	int64_t delay_ms;
	bool is_given_up;         /* past the bound: calls fail at once */
	struct store_call *group; /* under way, or waiting for a connection */
	struct pg_step *steps;
	size_t step_n, step_at;
	struct pg_stmt *stmts;
	size_t stmt_n;
};

/* store_pg.c */
extern const struct store_ops store_pg_ops;
void store_pg_up(struct store_pg *pg);
void store_pg_io(void *arg);

/* store_pg_conn.c */
void store_pg_watch(struct store_pg *pg, int what, void (*cb)(void *arg));
void store_pg_lose(struct store_pg *pg, const char *why);
void store_pg_done(struct store_pg *pg, int err);

#endif
