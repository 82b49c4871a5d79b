/** @file platform_pool_sql.h  The pool's SQL where its two databases differ
 *
 * Inside of platform_pool*.c; nothing else includes it.
 */
#ifndef SIPSHARE_PLATFORM_POOL_SQL_H
#define SIPSHARE_PLATFORM_POOL_SQL_H

#include "common/store.h"

/* What plat_row_get() reads, in the order of the columns below */
#define ROW(done)                                                              \
	done ", number, uri, coalesce(lease_id, 0), state, until_us,"          \
	     " impi, password, realm, next_password, is_confirmed, claimer "

enum {
	COL_DONE,
	COL_NUMBER,
	COL_URI,
	COL_LEASE_ID,
	COL_STATE,
	COL_UNTIL,
	COL_IMPI,
	COL_PASSWORD,
	COL_REALM,
	COL_NEXT_PASSWORD,
	COL_IS_CONFIRMED,
	COL_CLAIMER,
	COL_HOLDER
};

#define NEXT_IDLE_SEQ "(SELECT coalesce(max(idle_seq), 0) + 1 FROM account)"

extern const char *const plat_sql_schemas[STORE_DIALECT_N];
extern const char *const plat_sql_import[STORE_DIALECT_N];
extern const char plat_sql_lock_pool[];
extern const char plat_sql_take_over[];

#endif
