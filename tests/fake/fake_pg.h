/** @file fake_pg.h  A PostgreSQL server of the test's own
 *
 * A real one, from Debian's package, in a folder below /tmp, that listens on a
 * Unix socket in that folder only. It ends with the process that started it.
 */
#ifndef SIPSHARE_TESTS_FAKE_PG_H
#define SIPSHARE_TESTS_FAKE_PG_H

struct fake_pg;

struct fake_pg *fake_pg_start(void);
struct fake_pg *fake_pg_stop(struct fake_pg *pg);
const char *fake_pg_uri(const struct fake_pg *pg);
void fake_pg_empty(const struct fake_pg *pg);
void fake_pg_exec(const struct fake_pg *pg, const char *sql);
long fake_pg_get(const struct fake_pg *pg, const char *sql);
void fake_pg_crash(struct fake_pg *pg);
void fake_pg_restart(struct fake_pg *pg);

#endif
