/* The AS's durable state: what a terminal was answered is on disk first */
#include <stdlib.h>
#include <string.h>

#include "appserver/appserver_binding.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/store.h"

/* A SIP-URI has one user at a time ([0087]): the index holds the AS to it even
 * where its code should fail to */
const char as_schema[] =
	"CREATE TABLE users(number TEXT PRIMARY KEY, salt TEXT NOT NULL,"
	"  hash TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE sessions(number TEXT PRIMARY KEY, hash TEXT NOT NULL,"
	"  expires INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE bindings(number TEXT PRIMARY KEY, state TEXT NOT NULL,"
	"  request_key TEXT, uri TEXT, impi TEXT, password TEXT,"
	"  lease_id INTEGER, expires INTEGER, deadline INTEGER, reg INTEGER)"
	"  WITHOUT ROWID;"
	"CREATE TABLE lent(uri TEXT PRIMARY KEY) WITHOUT ROWID;"
	"CREATE TABLE calls(id INTEGER PRIMARY KEY, call_id TEXT NOT NULL,"
	"  start INTEGER NOT NULL, answer INTEGER, seen INTEGER,"
	"  \"end\" INTEGER, status INTEGER, cause TEXT, uri TEXT NOT NULL,"
	"  number TEXT, lease_id INTEGER, callee_uri TEXT NOT NULL,"
	"  callee_number TEXT, callee_lease_id INTEGER, role TEXT NOT NULL,"
	"  icid TEXT);"
	"CREATE UNIQUE INDEX one_user ON bindings(uri) WHERE state = 'bound';";

static void tell(struct as_binding *b, enum as_event event, int err)
{
	(void)fsm_event(b->fsm, (int)event, &err);
}

static void on_stored(int err, const struct store_rows *rows, void *arg)
{
	(void)rows;
	tell(arg, AS_EV_STORED, err);
}

static void on_kept(int err, const struct store_rows *rows, void *arg)
{
	(void)rows;
	tell(arg, AS_EV_KEPT, err);
}

static void on_gone(int err, const struct store_rows *rows, void *arg)
{
	(void)rows;
	tell(arg, AS_EV_GONE, err);
}

static void on_timed(int err, const struct store_rows *rows, void *arg)
{
	(void)rows;
	tell(arg, AS_EV_TIMED, err);
}

static void run(struct as_binding *b, const char *sql,
		const struct store_val *vals, int val_n, store_cb *cb)
{
	const struct store_stmt stmt = { sql, vals, val_n };

	store_run(b->as->store, &stmt, 1, cb, b);
}

/** The number asks for a SIP-URI; AS_EV_STORED follows */
void as_store_requested(struct as_binding *b)
{
	const struct store_val vals[] = { STORE_S(b->number), STORE_S(b->key) };

	run(b,
	    "INSERT OR REPLACE INTO bindings(number, state, request_key)"
	    " VALUES(?1, 'requested', ?2)",
	    vals, 2, on_stored);
}

/** The number has what b holds; AS_EV_KEPT follows */
void as_store_bound(struct as_binding *b)
{
	const struct store_val vals[] = {
		STORE_S(b->number),   STORE_S(b->uri),
		STORE_S(b->impi),     STORE_S(b->password),
		STORE_I(b->lease_id), STORE_I(b->expires_s),
	};

	const struct store_stmt stmts[] = {
		{ "INSERT OR IGNORE INTO lent(uri) VALUES(?1)", vals + 1, 1 },
		{ "UPDATE bindings SET state = 'bound', uri = ?2, impi = ?3,"
		  " password = ?4, lease_id = ?5, expires = ?6"
		  " WHERE number = ?1",
		  vals, 6 },
	};

	as_uri_lend(b->as, b->uri);
	store_run(b->as->store, stmts, 2, on_kept, b);
}

/** The number gives it back; AS_EV_STORED follows */
void as_store_releasing(struct as_binding *b)
{
	const struct store_val vals[] = { STORE_S(b->number) };

	run(b, "UPDATE bindings SET state = 'releasing' WHERE number = ?1",
	    vals, 1, on_stored);
}

/**
 * The number has none
 *
 * @param is_awaited AS_EV_GONE follows
 */
void as_store_none(struct as_binding *b, bool is_awaited)
{
	const struct store_val vals[] = { STORE_S(b->number) };

	run(b, "DELETE FROM bindings WHERE number = ?1", vals, 1,
	    is_awaited ? on_gone : NULL);
}

/** The SIP-URI is reclaimed at deadline_ms; AS_EV_TIMED follows */
void as_store_deadline(struct as_binding *b)
{
	const struct store_val vals[] = { STORE_S(b->number),
					  STORE_I(b->deadline_ms) };

	run(b, "UPDATE bindings SET deadline = ?2 WHERE number = ?1", vals, 2,
	    on_timed);
}

/** Whether the IMS has it registered; nothing follows */
void as_store_reg(struct as_binding *b)
{
	const struct store_val vals[] = { STORE_S(b->number), STORE_I(b->reg) };

	run(b, "UPDATE bindings SET reg = ?2 WHERE number = ?1", vals, 2, NULL);
}

static void on_lent(int err, const struct store_rows *rows, void *arg)
{
	if (!err)
		as_uris_load(arg, rows);
}

static void on_bindings(int err, const struct store_rows *rows, void *arg)
{
	if (!err)
		as_bindings_load(arg, rows);
	as_loaded(arg, err);
}

static void on_sessions(int err, const struct store_rows *rows, void *arg)
{
	const struct appserver *as = arg;

	if (!err)
		as_sessions_load(as->login, rows);
}

static void on_users(int err, const struct store_rows *rows, void *arg)
{
	const struct appserver *as = arg;

	if (!err)
		as_users_load(as->login, rows);
}

/** Read it all back; as_loaded() follows. The columns' order is that of the
 * loaders. */
void as_store_load(struct appserver *as)
{
	const struct store_stmt users = { "SELECT number, salt, hash"
					  " FROM users",
					  NULL, 0 };
	const struct store_stmt sessions = { "SELECT number, hash, expires"
					     " FROM sessions",
					     NULL, 0 };
	const struct store_stmt lent = { "SELECT uri FROM lent", NULL, 0 };
	const struct store_stmt bindings = {
		"SELECT number, state, request_key, uri, impi, password,"
		" lease_id, expires, deadline, reg FROM bindings",
		NULL, 0
	};

	store_run(as->store, &users, 1, on_users, as);
	store_run(as->store, &sessions, 1, on_sessions, as);
	store_run(as->store, &lent, 1, on_lent, as);
	as_cdrs_load(as);
	store_run(as->store, &bindings, 1, on_bindings, as);
}
