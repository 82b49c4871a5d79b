/** @file store_db.h  One SQLite database: opened, checked, statements kept
 *
 * Inside of store_sqlite.c; nothing else includes it.
 */
#ifndef SIPSHARE_STORE_DB_H
#define SIPSHARE_STORE_DB_H

#include <stdbool.h>

struct sqlite3_stmt;
struct store_db;

int store_db_open(struct store_db **dbp, const char *where, const char *schema,
		  char **reasonp);
struct store_db *store_db_close(struct store_db *db);
struct sqlite3_stmt *store_db_prepare(struct store_db *db, const char *sql);
int store_db_exec(struct store_db *db, const char *sql);
int store_db_errno(const struct store_db *db);
bool store_db_in_transaction(const struct store_db *db);
void store_db_log(const struct store_db *db, const char *sql);

#endif
