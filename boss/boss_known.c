/* What the BOSS remembers: accounts between an operator's wish, the HSS and the
 * platform. The store decides and memory follows. A password is kept from
 * before the HSS is asked for the account until the platform has confirmed it:
 * from then on the platform is the one that has it, and makes the next one. */
#include <stdlib.h>
#include <string.h>

#include "boss/boss_core.h"
#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/store.h"

static const char schema[] =
	"CREATE TABLE account ("
	" uri TEXT PRIMARY KEY,"
	" number TEXT,"
	" impi TEXT,"
	" password TEXT," /* NULL: not ours to know (any more) */
	" status TEXT NOT NULL CHECK (status IN"
	"  ('" BOSS_OPENING "', '" BOSS_OPENED "', '" BOSS_GIVEN
	"', '" BOSS_CLOSED "'))) WITHOUT ROWID;";

/** Columns, in the order of the statements below */
enum { COL_URI, COL_NUMBER, COL_IMPI, COL_PASSWORD, COL_STATUS };

/** Accounts on their way to the disk; owned by the BOSS's list */
struct boss_put {
	LIST_ENTRY(boss_put) link;
	struct boss *boss;
	struct boss_list list;
	boss_stored_cb *cb; /* NULL: nobody waits */
	void *arg;
};

/* --- memory --- */

/** Ours of that SIP-URI, borrowed until something is put; or NULL */
struct boss_account *boss_known_find(const struct boss *boss, const char *uri)
{
	json_t *at = json_object_get(boss->index, uri);

	return at ? &boss->pool.v[json_integer_value(at)] : NULL;
}

static void set_index(struct boss *boss, size_t at)
{
	json_object_set_new(boss->index, boss->pool.v[at].uri,
			    json_integer((json_int_t)at));
}

/* The last one takes its place */
static void forget(struct boss *boss, struct boss_account *own)
{
	size_t at = (size_t)(own - boss->pool.v);

	json_object_del(boss->index, own->uri);
	boss_account_clear(own);
	if (at != --boss->pool.n) {
		boss->pool.v[at] = boss->pool.v[boss->pool.n];
		set_index(boss, at);
	}
}

static void follow(struct boss *boss, const struct boss_account *a)
{
	struct boss_account *own = boss_known_find(boss, a->uri);
	bool was_interrupted = own && own->is_interrupted;

	if (own && a->status) {
		struct boss_list one = { own, 0, 1 };

		boss_account_clear(own);
		own = boss_list_copy(&one, a);
	} else if (own) {
		forget(boss, own);
		return;
	} else if (a->status) {
		own = boss_list_copy(&boss->pool, a);
		set_index(boss, boss->pool.n - 1);
	} else {
		return;
	}
	own->is_interrupted =
		was_interrupted && boss_account_is(own, BOSS_OPENING);
}

/* --- the store --- */

static void put_free(struct boss_put *put)
{
	LIST_REMOVE(put, link);
	boss_list_clear(&put->list);
	free(put);
}

static void on_put(int err, const struct store_rows *rows, void *arg)
{
	struct boss_put *put = arg;

	(void)rows;
	for (size_t i = 0; !err && i < put->list.n; i++)
		follow(put->boss, &put->list.v[i]);
	if (put->cb)
		put->cb(err, put->arg);
	put_free(put);
}

static char *rows_text(const struct boss_list *list)
{
	json_t *rows = json_array();
	char *text;

	for (size_t i = 0; i < list->n; i++) {
		const struct boss_account *a = &list->v[i];

		json_array_append_new(rows, json_pack("[ss?s?s?s?]", a->uri,
						      a->number, a->impi,
						      a->password, a->status));
	}
	text = json_dumps(rows, JSON_COMPACT);
	json_decref(rows);

	return text;
}

/**
 * Remember accounts as they are now; memory has them when they are on disk
 *
 * @param list Taken over, and empty after this. One without a status is
 *             forgotten
 * @param cb   Called once, not before this returns; or NULL
 */
void boss_known_put(struct boss *boss, struct boss_list *list,
		    boss_stored_cb *cb, void *arg)
{
	static const char forget_sql[] =
		"DELETE FROM account WHERE uri IN (SELECT value->>0"
		" FROM json_each(?1) WHERE value->>4 IS NULL)";
	/* WHERE has a second use: or SQLite takes ON CONFLICT for a join's */
	static const char put_sql[] =
		"INSERT INTO account (uri, number, impi, password, status)"
		" SELECT value->>0, value->>1, value->>2, value->>3, value->>4"
		" FROM json_each(?1) WHERE value->>4 IS NOT NULL"
		" ON CONFLICT (uri) DO UPDATE SET number = excluded.number,"
		" impi = excluded.impi, password = excluded.password,"
		" status = excluded.status";
	struct boss_put *put = xcalloc(1, sizeof(*put));
	char *text = rows_text(list);
	const struct store_val vals[] = { STORE_S(text) };
	const struct store_stmt stmts[] = { { forget_sql, vals, 1 },
					    { put_sql, vals, 1 } };

	put->boss = boss;
	put->list = *list;
	put->cb = cb;
	put->arg = arg;
	*list = (struct boss_list){ 0 };
	LIST_INSERT_HEAD(&boss->puts, put, link);
	store_run(boss->store, stmts, 2, on_put, put);
	explicit_bzero(text, strlen(text));
	free(text);
}

static void on_loaded(int err, const struct store_rows *rows, void *arg)
{
	struct boss *boss = arg;

	if (err) {
		log_error("boss: the accounts could not be read from the "
			  "store: %s; see to the file and start again",
			  strerror(err));
		boss->has_failed = true;
		element_stop(boss->el);
		return;
	}

	/* copied by follow() */
	for (int i = 0; i < store_row_count(rows); i++) {
		const struct boss_account a = {
			.uri = (char *)store_text(rows, i, COL_URI),
			.number = (char *)store_text(rows, i, COL_NUMBER),
			.impi = (char *)store_text(rows, i, COL_IMPI),
			.password = (char *)store_text(rows, i, COL_PASSWORD),
			.status = (char *)store_text(rows, i, COL_STATUS),
		};

		follow(boss, &a);
	}
	log_info("boss: %zu accounts known, %zu of them not at the platform",
		 boss->pool.n,
		 boss_list_count(&boss->pool, BOSS_OPENING) +
			 boss_list_count(&boss->pool, BOSS_OPENED));
}

/** Open the store; see store_open(). What it holds is in memory before
 * anything can come in: the loop begins its turn with it */
int boss_known_open(struct boss *boss, const char *where, char **reasonp)
{
	static const struct store_stmt load = {
		"SELECT uri, number, impi, password, status FROM account"
		" ORDER BY uri",
		NULL, 0
	};
	int err = store_open(&boss->store, boss->el->loop, where, schema,
			     reasonp);

	if (!err)
		store_run(boss->store, &load, 1, on_loaded, boss);

	return err;
}

/** What was put is brought to disk, and nobody is called any more */
void boss_known_close(struct boss *boss)
{
	struct boss_put *next;

	boss->store = store_close(boss->store);
	for (struct boss_put *put = LIST_FIRST(&boss->puts); put; put = next) {
		next = LIST_NEXT(put, link);
		put_free(put);
	}
}
