#include <errno.h>
#include <stdlib.h>

#include <jansson.h>

#include "common/element.h"
#include "common/mem.h"
#include "common/trace.h"
#include "ims_core/hss/hss_core.h"

/* The realm is part of the hashes, so it is kept with them */
static const char schema[] = "CREATE TABLE account ("
			     " impu TEXT PRIMARY KEY,"
			     " impi TEXT NOT NULL UNIQUE,"
			     " number TEXT NOT NULL UNIQUE,"
			     " realm TEXT NOT NULL,"
			     " ha1_md5 TEXT NOT NULL,"
			     " ha1_sha256 TEXT NOT NULL,"
			     " state INTEGER NOT NULL DEFAULT 0,"
			     " scscf TEXT,"
			     " is_auth_pending INTEGER NOT NULL DEFAULT 0"
			     ") WITHOUT ROWID;";

#define COLUMNS                                                                \
	"impu, impi, number, realm, ha1_md5, ha1_sha256, state, scscf, "       \
	"is_auth_pending"

/** Columns of a user's row, in the order of COLUMNS */
enum {
	COL_IMPU,
	COL_IMPI,
	COL_NUMBER,
	COL_REALM,
	COL_MD5,
	COL_SHA256,
	COL_STATE,
	COL_SCSCF,
	COL_AUTH_PENDING,
	COL_IMPI_KNOWN
};

/** Open the store; see store_open() */
int hss_store_open(struct hss *hss, const char *where, char **reasonp)
{
	return store_open(&hss->store, hss->el->loop, where, schema, reasonp);
}

/**
 * Look a user up by public identity; without one, by private identity
 *
 * @param impu May be NULL
 * @param impi May be NULL. Of another user: told by is_impi_known
 */
void hss_store_find(struct hss *hss, const char *impu, const char *impi,
		    store_cb *cb, void *arg)
{
	static const char by_impu[] =
		"SELECT " COLUMNS
		", EXISTS (SELECT 1 FROM account WHERE impi = ?2)"
		" FROM account WHERE impu = ?1";
	static const char by_impi[] = "SELECT " COLUMNS ", 1 FROM account"
				      " WHERE impi = ?2 AND ?1 IS NULL";
	const struct store_val vals[] = { STORE_S(impu), STORE_S(impi) };
	const struct store_stmt stmt = { impu ? by_impu : by_impi, vals, 2 };

	store_run(hss->store, &stmt, 1, cb, arg);
}

/** Look a user up by number: that of its tel URI, "+8657110000001" */
void hss_store_find_number(struct hss *hss, const char *number, store_cb *cb,
			   void *arg)
{
	static const char sql[] =
		"SELECT " COLUMNS ", 0 FROM account WHERE number = ?1";
	const struct store_val vals[] = { STORE_S(number) };
	const struct store_stmt stmt = { sql, vals, 1 };

	store_run(hss->store, &stmt, 1, cb, arg);
}

/**
 * Write a user's registration, if it is still what the decision rests on;
 * gives the user's new row, or no row if it changed meanwhile
 */
void hss_store_set_reg(struct hss *hss, const struct hss_user *old,
		       const struct hss_reg *next, store_cb *cb, void *arg)
{
	static const char sql[] =
		"UPDATE account SET state = ?2, scscf = ?3,"
		" is_auth_pending = ?4 WHERE impu = ?1 AND state = ?5"
		" AND scscf IS ?6 AND is_auth_pending = ?7"
		" RETURNING " COLUMNS ", 1";
	const struct store_val vals[] = {
		STORE_S(old->impu),
		STORE_I(next->state),
		STORE_S(next->scscf),
		STORE_I(next->is_auth_pending),
		STORE_I(old->reg.state),
		STORE_S(old->reg.scscf),
		STORE_I(old->reg.is_auth_pending),
	};
	const struct store_stmt stmt = { sql, vals, 7 };

	store_run(hss->store, &stmt, 1, cb, arg);
}

/**
 * Open accounts, all that do not exist yet, in one statement; gives the
 * impu of each that was opened
 *
 * @param rows [[impu, impi, number, realm, ha1_md5, ha1_sha256], …], stolen
 */
void hss_store_insert(struct hss *hss, json_t *rows, store_cb *cb, void *arg)
{
	/* WHERE true: or SQLite takes ON CONFLICT for a join's ON */
	static const char sql[] =
		"INSERT INTO account"
		" (impu, impi, number, realm, ha1_md5, ha1_sha256)"
		" SELECT value->>0, value->>1, value->>2, value->>3,"
		" value->>4, value->>5 FROM json_each(?1) WHERE true"
		" ON CONFLICT DO NOTHING RETURNING impu";
	char *text = json_dumps(rows, JSON_COMPACT);
	const struct store_val vals[] = { STORE_S(text) };
	const struct store_stmt stmt = { sql, vals, 1 };

	store_run(hss->store, &stmt, 1, cb, arg);
	free(text);
	json_decref(rows);
}

/** Close an account; gives the row that was, or none */
void hss_store_delete(struct hss *hss, const char *impu, store_cb *cb,
		      void *arg)
{
	static const char sql[] = "DELETE FROM account WHERE impu = ?1"
				  " RETURNING " COLUMNS ", 1";
	const struct store_val vals[] = { STORE_S(impu) };
	const struct store_stmt stmt = { sql, vals, 1 };

	store_run(hss->store, &stmt, 1, cb, arg);
}

/** Change a password; gives the user's row, or none */
void hss_store_set_ha1(struct hss *hss, const char *impu,
		       char ha1[DIGEST_ALG_N][DIGEST_HEX_LEN], store_cb *cb,
		       void *arg)
{
	static const char sql[] =
		"UPDATE account SET ha1_md5 = ?2, ha1_sha256 = ?3, realm = ?4"
		" WHERE impu = ?1 RETURNING " COLUMNS ", 1";
	const struct store_val vals[] = {
		STORE_S(impu),
		STORE_S((const char *)ha1[DIGEST_MD5]),
		STORE_S((const char *)ha1[DIGEST_SHA256]),
		STORE_S(hss->realm),
	};
	const struct store_stmt stmt = { sql, vals, 4 };

	store_run(hss->store, &stmt, 1, cb, arg);
}

/** Nobody has the user any more, if it is still that S-CSCF that had; gives
 * the user's new row, or none */
void hss_store_end_reg(struct hss *hss, const char *impu, const char *scscf,
		       store_cb *cb, void *arg)
{
	static const char sql[] =
		"UPDATE account SET state = ?3, scscf = NULL,"
		" is_auth_pending = 0 WHERE impu = ?1 AND scscf = ?2"
		" RETURNING " COLUMNS ", 1";
	const struct store_val vals[] = { STORE_S(impu), STORE_S(scscf),
					  STORE_I(HSS_NOT_REGISTERED) };
	const struct store_stmt stmt = { sql, vals, 3 };

	store_run(hss->store, &stmt, 1, cb, arg);
}

/** All users, by public identity */
void hss_store_all(struct hss *hss, store_cb *cb, void *arg)
{
	static const char sql[] = "SELECT " COLUMNS ", 1 FROM account"
				  " ORDER BY impu";
	const struct store_stmt stmt = { sql, NULL, 0 };

	store_run(hss->store, &stmt, 1, cb, arg);
}

/** Read a row into user, whose strings are then the row's; false if none */
bool hss_row_user(struct hss_user *user, const struct store_rows *rows, int row)
{
	if (row >= store_row_count(rows))
		return false;

	*user = (struct hss_user){
		.impu = store_text(rows, row, COL_IMPU),
		.impi = store_text(rows, row, COL_IMPI),
		.number = store_text(rows, row, COL_NUMBER),
		.realm = store_text(rows, row, COL_REALM),
		.ha1 = { [DIGEST_MD5] = store_text(rows, row, COL_MD5),
			 [DIGEST_SHA256] = store_text(rows, row, COL_SHA256) },
		.reg = { .state = (enum hss_state)store_int(rows, row,
							    COL_STATE),
			 .scscf = store_text(rows, row, COL_SCSCF),
			 .is_auth_pending =
				 store_int(rows, row, COL_AUTH_PENDING) != 0 },
		.is_impi_known = store_int(rows, row, COL_IMPI_KNOWN) != 0,
	};

	return true;
}

/** The state's name, with what is pending; static */
const char *hss_state_name(const struct hss_reg *reg)
{
	static const char *const names[HSS_STATE_N][2] = {
		[HSS_NOT_REGISTERED] = { "NOT_REGISTERED",
					 "NOT_REGISTERED, auth pending" },
		[HSS_UNREGISTERED] = { "UNREGISTERED",
				       "UNREGISTERED, auth pending" },
		[HSS_REGISTERED] = { "REGISTERED", "REGISTERED, auth pending" },
	};

	return names[reg->state][reg->is_auth_pending];
}

/** A state changed: the event hss.registration-state */
void hss_trace_state(struct hss *hss, const char *impu, const char *from,
		     const char *to)
{
	trace_event(hss->el->trace, "hss.registration-state",
		    json_pack("{s:s, s:s, s:s}", "impu", impu, "from", from,
			      "to", to));
}
