#include "common/store_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/store_backend.h"

/** A prepared statement; its SQL is static, so the pointer names it */
struct prepared {
	const char *sql;
	sqlite3_stmt *stmt;
};

/** Owned by its store */
struct store_db {
	sqlite3 *sql;
	char *where;
	struct prepared *v;
	size_t n;
};

/* WAL and FULL: a COMMIT that has returned is on disk. EXCLUSIVE: what an
 * element holds in memory is what is in the file, for nobody else writes it;
 * a second process is told so at its start. */
static const char settings[] = "PRAGMA locking_mode=EXCLUSIVE;"
			       "PRAGMA journal_mode=WAL;"
			       "PRAGMA synchronous=FULL;"
			       "PRAGMA foreign_keys=ON;";

/** FNV-1a, which tells an element's or a version's schema from another's */
int32_t store_schema_version(const char *schema)
{
	uint32_t h = 2166136261U;

	for (; *schema; schema++)
		h = (h ^ (unsigned char)*schema) * 16777619U;
	h &= INT32_MAX;

	return (int32_t)(h ? h : 1);
}

/* The stores hold passwords: made for their owner's eyes. An existing file
 * is not opened here: closing it would drop the locks that another connection
 * of this process has on it (POSIX). */
static int create_file(const char *where, char **reasonp)
{
	int fd = open(where, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int err = errno;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (err == EEXIST)
		return 0;

	*reasonp = xasprintf("store %s: cannot be made: %s; give a file in a "
			     "folder that can be written",
			     where, strerror(err));
	return err;
}

static int explain(const struct store_db *db, char **reasonp)
{
	const char *what = sqlite3_errmsg(db->sql);
	const char *todo = "see to the file and start again";
	int err = EIO;

	switch (sqlite3_errcode(db->sql) & 0xff) {
	case SQLITE_NOTADB:
		todo = "it is no SQLite file; give another one";
		err = EINVAL;
		break;
	case SQLITE_CORRUPT:
		todo = "restore it from a copy, or remove it to begin anew";
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		todo = "another process uses it; stop that or give another "
		       "file";
		err = EBUSY;
		break;
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
		todo = "give a file that can be written";
		err = EACCES;
		break;
	default:
		break;
	}
	*reasonp = xasprintf("store %s: %s; %s", db->where, what, todo);

	return err;
}

static int get_int(struct store_db *db, const char *sql, int64_t *valuep)
{
	sqlite3_stmt *stmt = store_db_prepare(db, sql);
	int err = stmt && sqlite3_step(stmt) == SQLITE_ROW ? 0 : EIO;

	if (!err)
		*valuep = sqlite3_column_int64(stmt, 0);
	if (stmt)
		sqlite3_reset(stmt);

	return err;
}

/* PRAGMA quick_check answers "ok", or what is wrong */
static int check_pages(struct store_db *db, char **reasonp)
{
	sqlite3_stmt *stmt = store_db_prepare(db, "PRAGMA quick_check(1)");
	const char *text = NULL;
	int err = 0;

	if (!stmt || sqlite3_step(stmt) != SQLITE_ROW)
		return explain(db, reasonp);

	text = (const char *)sqlite3_column_text(stmt, 0);
	if (!text || strcmp(text, "ok") != 0) {
		err = EIO;
		*reasonp = xasprintf("store %s: corrupt: %s; restore it from a "
				     "copy, or remove it to begin anew",
				     db->where, text ? text : "unreadable");
	}
	sqlite3_reset(stmt);

	return err;
}

/* A new file gets the schema and its version; an old one must have both */
static int apply_schema(struct store_db *db, const char *schema, char **reasonp)
{
	int32_t want = store_schema_version(schema);
	int64_t have = 0, tables = 0;
	char pragma[64];

	if (store_db_exec(db, "BEGIN IMMEDIATE") ||
	    get_int(db, "PRAGMA user_version", &have) ||
	    get_int(db, "SELECT count(*) FROM sqlite_schema", &tables))
		return explain(db, reasonp);

	if (have == want)
		return store_db_exec(db, "COMMIT") ? explain(db, reasonp) : 0;

	if (have || tables) {
		*reasonp = xasprintf("store %s: made by another element or "
				     "version (schema %#llx, not %#x); give "
				     "another file, or remove it to begin anew",
				     db->where, (unsigned long long)have,
				     (unsigned)want);
		return EINVAL;
	}
	sqlite3_snprintf(sizeof(pragma), pragma, "PRAGMA user_version=%d",
			 want);
	if (sqlite3_exec(db->sql, schema, NULL, NULL, NULL) ||
	    sqlite3_exec(db->sql, pragma, NULL, NULL, NULL) ||
	    store_db_exec(db, "COMMIT"))
		return explain(db, reasonp);

	return 0;
}

static int check_where(const char *where, char **reasonp)
{
	if (*where && !strstr(where, "://"))
		return 0;

	*reasonp = xasprintf("store '%s': neither a file nor \"memory\"; give "
			     "one of them",
			     where);
	return EINVAL;
}

/**
 * Open a database, make it if it is new, check it if it is not
 *
 * @param where   A file, or "memory"
 * @param schema  CREATE statements; their text is the file's version
 * @param reasonp On failure: what, where, what to do; the caller's to free
 *
 * @return 0, EINVAL (not ours), EBUSY (in use), EACCES, EIO (corrupt), errno
 */
int store_db_open(struct store_db **dbp, const char *where, const char *schema,
		  char **reasonp)
{
	bool is_memory = !strcmp(where, "memory");
	struct store_db *db;
	int err = check_where(where, reasonp);

	if (!err && !is_memory)
		err = create_file(where, reasonp);
	if (err)
		return err;

	db = xcalloc(1, sizeof(*db));
	db->where = xstrdup(where);
	if (sqlite3_open_v2(is_memory ? ":memory:" : where, &db->sql,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
				    SQLITE_OPEN_NOMUTEX,
			    NULL)) {
		err = explain(db, reasonp);
		goto out;
	}
	sqlite3_extended_result_codes(db->sql, 1);
	if (sqlite3_exec(db->sql, settings, NULL, NULL, NULL)) {
		err = explain(db, reasonp);
		goto out;
	}
	err = check_pages(db, reasonp);
	if (!err)
		err = apply_schema(db, schema, reasonp);

out:
	if (err)
		store_db_close(db);
	else
		*dbp = db;

	return err;
}

/** Close; a transaction that is open is undone. NULL is fine; gives NULL */
struct store_db *store_db_close(struct store_db *db)
{
	if (!db)
		return NULL;

	for (size_t i = 0; i < db->n; i++)
		sqlite3_finalize(db->v[i].stmt);
	sqlite3_close(db->sql);
	free(db->v);
	free(db->where);
	free(db);

	return NULL;
}

/**
 * The prepared statement of sql, made when first asked for
 *
 * @param sql Static: the pointer is its name
 *
 * @return Borrowed, reset by whoever stepped it; NULL if it does not compile
 */
struct sqlite3_stmt *store_db_prepare(struct store_db *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;

	for (size_t i = 0; i < db->n; i++)
		if (db->v[i].sql == sql)
			return db->v[i].stmt;

	if (sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT,
			       &stmt, NULL))
		return NULL;

	db->v = xrealloc(db->v, (db->n + 1) * sizeof(*db->v));
	db->v[db->n++] = (struct prepared){ sql, stmt };

	return stmt;
}

/** Run a statement without parameters or rows; 0, or EIO */
int store_db_exec(struct store_db *db, const char *sql)
{
	sqlite3_stmt *stmt = store_db_prepare(db, sql);
	int rc;

	if (!stmt)
		return EIO;

	rc = sqlite3_step(stmt);
	sqlite3_reset(stmt);

	return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : EIO;
}

/** What the last failure means to a caller: EEXIST for a UNIQUE, else EIO */
int store_db_errno(const struct store_db *db)
{
	switch (sqlite3_extended_errcode(db->sql)) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return EEXIST;
	default:
		return EIO;
	}
}

/** Whether BEGIN still holds: a full disk, say, ends it behind our back */
bool store_db_in_transaction(const struct store_db *db)
{
	return !sqlite3_get_autocommit(db->sql);
}

/** Log the last failure with its statement, never with its values */
void store_db_log(const struct store_db *db, const char *sql)
{
	log_error("store %s: %s: in: %s", db->where, sqlite3_errmsg(db->sql),
		  sql);
}
