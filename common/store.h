/** @file store.h  Durable state: SQL behind one small interface
 *
 * Calls queue; on the next turn all that queued run together, are brought to
 * disk, and only then are their callbacks called (group commit). What was
 * answered is on disk first. A file or "memory" is SQLite's, for one process
 * alone; postgresql://… is a PostgreSQL that several processes may share.
 */
#ifndef SIPSHARE_STORE_H
#define SIPSHARE_STORE_H

#include <stdint.h>

struct loop;
struct store;
struct store_rows;

/** Whose SQL a store speaks; both take ?1 ?2 … */
enum store_dialect { STORE_SQLITE, STORE_POSTGRESQL, STORE_DIALECT_N };

enum store_type { STORE_NULL, STORE_INT, STORE_TEXT };

/** A parameter of a statement */
struct store_val {
	enum store_type type;
	int64_t i;
	const char *s; /**< copied by store_run(); a NULL text is NULL */
};

#define STORE_I(n) ((struct store_val){ STORE_INT, (n), NULL })
#define STORE_S(t) ((struct store_val){ STORE_TEXT, 0, (t) })

/** One statement with ?1 ?2 …; sql is static */
struct store_stmt {
	const char *sql;
	const struct store_val *vals;
	int val_n;
};

/** err: 0; EEXIST for a broken UNIQUE: nothing happened; EIO else (logged):
 * nothing happened either, but for a shared store whose connection was lost,
 * where what was under way may have happened. rows: those of the last
 * statement that gives any, borrowed */
typedef void store_cb(int err, const struct store_rows *rows, void *arg);

int store_open(struct store **sp, struct loop *loop, const char *where,
	       const char *schema, char **reasonp);
int store_open_either(struct store **sp, struct loop *loop, const char *where,
		      const char *const schemas[STORE_DIALECT_N],
		      char **reasonp);
enum store_dialect store_dialect(const struct store *store);
const char *store_session(const struct store *store);
struct store *store_close(struct store *store);
void store_run(struct store *store, const struct store_stmt *stmts, int n,
	       store_cb *cb, void *arg);

int store_row_count(const struct store_rows *rows);
int64_t store_int(const struct store_rows *rows, int row, int col);
const char *store_text(const struct store_rows *rows, int row, int col);

#endif
