#include "platform/platform_pool_sql.h"

#include <string.h>

#include "platform/platform_pool.h"

/* Accounts are never deleted: number is 1..n without a gap, and the greatest
 * lease_id and idle_seq ever given are those in the table, so both only grow.
 * Of an account that is not idle, idle_seq is that of its last time. */
#define ACCOUNT                                                                \
	"CREATE TABLE account ("                                               \
	" number INTEGER PRIMARY KEY,"                                         \
	" uri TEXT NOT NULL UNIQUE,"                                           \
	" impi TEXT NOT NULL,"                                                 \
	" password TEXT NOT NULL,"                                             \
	" next_password TEXT," /* stored before anyone is told of it */        \
	" is_confirmed INTEGER NOT NULL DEFAULT 0,"                            \
	" is_own INTEGER NOT NULL DEFAULT 0," /* password made here */         \
	" realm TEXT NOT NULL,"                                                \
	" state TEXT NOT NULL DEFAULT 'idle' CHECK (state IN ('idle',"         \
	"  'occupied', 'reclaiming', 'cooling', 'quarantined')),"              \
	" idle_seq BIGINT NOT NULL,"                                           \
	" lease_id BIGINT UNIQUE," /* of the last lease */                     \
	" key TEXT UNIQUE,"        /* Idempotency-Key of the present one */    \
	" until_us BIGINT NOT NULL DEFAULT 0,"                                 \
	" claimer TEXT);" /* who made the last change; see below */            \
	"CREATE INDEX account_by_number ON account (state, number);"           \
	"CREATE INDEX account_by_idle ON account (state, idle_seq);"           \
	"CREATE INDEX account_by_seq ON account (idle_seq);"

/* Platforms that share a pool. Lease ids are drawn from a sequence, for the
 * greatest one in the table may be another's that is not committed yet. Who
 * changes a SIP-URI's state sees it through from then on (its limit, S413, its
 * cool-down): that is its claim, and it holds for as long as the database
 * sees that platform connected. No clock and no heartbeat is part of it. */
const char *const plat_sql_schemas[STORE_DIALECT_N] = {
	[STORE_SQLITE] = ACCOUNT,
	[STORE_POSTGRESQL] = ACCOUNT
	"CREATE SEQUENCE lease_number;"
	"CREATE FUNCTION claim() RETURNS trigger LANGUAGE plpgsql AS $$"
	" BEGIN NEW.claimer := current_setting('application_name');"
	" RETURN NEW; END $$;"
	"CREATE TRIGGER claim BEFORE UPDATE ON account FOR EACH ROW"
	" WHEN (OLD.state IS DISTINCT FROM NEW.state)"
	" EXECUTE FUNCTION claim();",
};

/* S405: one statement picks the SIP-URI and marks it occupied [0085], and
 * RETURNING says which: two requests can never be given the same one */
#define GIVE(next_id, pick)                                                    \
	"UPDATE account SET state = 'occupied', key = ?1, until_us = ?2,"      \
	" lease_id = " next_id                                                 \
	" WHERE NOT EXISTS (SELECT 1 FROM account WHERE key = ?1)"             \
	" AND number = " pick " RETURNING " ROW("1")
#define GIVE_SQLITE(pick)                                                      \
	GIVE("(SELECT coalesce(max(lease_id), 0) + 1 FROM account)", pick)
#define GIVE_PG(pick) GIVE("nextval('lease_number')", pick)

#define LAST_GIVEN                                                             \
	"(SELECT number FROM account WHERE lease_id IS NOT NULL"               \
	"  ORDER BY lease_id DESC LIMIT 1)"
#define IDLE(after, order, lock)                                               \
	"(SELECT number FROM account WHERE state = 'idle'" after               \
	"  ORDER BY " order " LIMIT 1" lock ")"

/* Passes over what others are being given at this moment; only when nothing
 * else is idle, it waits for what becomes of those */
#define SKIP " FOR UPDATE SKIP LOCKED"
#define WAIT " FOR UPDATE"

static const struct plat_policy policies[] = {
	/* [0082]: numbered 1..n; starts at the one after the last given and
	 * passes over those that are not idle */
	{ "round-robin",
	  { [STORE_SQLITE] = GIVE_SQLITE(
		    "coalesce(" IDLE(" AND number > " LAST_GIVEN, "number",
				     "") ", " IDLE("", "number", "") ")"),
	    [STORE_POSTGRESQL] = GIVE_PG("coalesce(" IDLE(
		    " AND number > " LAST_GIVEN, "number",
		    SKIP) ", " IDLE("", "number",
				    SKIP) ", " IDLE("", "number",
						    WAIT) ")") } },
	/* [0083]: a queue; the one that has been idle longest */
	{ "idle-queue",
	  { [STORE_SQLITE] = GIVE_SQLITE(IDLE("", "idle_seq", "")),
	    [STORE_POSTGRESQL] =
		    GIVE_PG("coalesce(" IDLE("", "idle_seq", SKIP) ", " IDLE(
			    "", "idle_seq", WAIT) ")") } },
};

/* One batch after the other, and none while SIP-URIs are given: their numbers
 * must have no gap, and a row that a batch has locked is not idle to SKIP */
const char plat_sql_lock_pool[] =
	"DO 'BEGIN LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE; END'";

#define KNOWN                                                                  \
	" ON CONFLICT (uri) DO UPDATE SET impi = excluded.impi,"               \
	"  password = CASE WHEN account.is_own <> 0 THEN account.password"     \
	"   ELSE excluded.password END, realm = excluded.realm"                \
	" RETURNING " ROW("1")

const char *const plat_sql_import[STORE_DIALECT_N] = {
	/* WHERE true: or SQLite takes ON CONFLICT for a join's ON */
	[STORE_SQLITE] =
		"INSERT INTO account (uri, impi, password, realm, idle_seq)"
		" SELECT value ->> 'uri', value ->> 'impi',"
		"  value ->> 'password', value ->> 'realm',"
		"  key + " NEXT_IDLE_SEQ " FROM json_each(?1) WHERE true" KNOWN,
	/* a column by default would count those that are known, too */
	[STORE_POSTGRESQL] =
		"INSERT INTO account AS account"
		" (number, uri, impi, password, realm, idle_seq)"
		" SELECT (SELECT coalesce(max(number), 0) FROM account)"
		"  + count(*) FILTER (WHERE known.uri IS NULL)"
		"    OVER (ORDER BY batch.at),"
		"  batch.v ->> 'uri', batch.v ->> 'impi',"
		"  batch.v ->> 'password', batch.v ->> 'realm',"
		"  batch.at + " NEXT_IDLE_SEQ
		" FROM json_array_elements(CAST(?1 AS json))"
		"  WITH ORDINALITY AS batch (v, at)"
		" LEFT JOIN account AS known ON known.uri = batch.v ->> 'uri'"
		" ORDER BY batch.at" KNOWN,
};

/* Only what needs somebody to see it through. Platforms of one pool are one
 * user of the database: others' names are hidden from pg_stat_activity. */
const char plat_sql_take_over[] =
	"UPDATE account SET claimer = current_setting('application_name')"
	" WHERE number IN (SELECT number FROM account"
	"  WHERE state IN ('occupied', 'reclaiming', 'cooling')"
	"  AND NOT EXISTS (SELECT 1 FROM pg_stat_activity AS s"
	"   WHERE s.datname = current_database()"
	"   AND s.application_name = account.claimer)"
	"  FOR UPDATE SKIP LOCKED) RETURNING " ROW("1");

/** The policy of that name; NULL if there is none */
const struct plat_policy *plat_policy_find(const char *name)
{
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
		if (!strcmp(policies[i].name, name))
			return &policies[i];

	return NULL;
}
