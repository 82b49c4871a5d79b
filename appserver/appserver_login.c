/* Login with the real number (S402: [0078]), and what it gives: a bearer token
 * (RFC 6750) that is good for that number alone, for TIMER_LOGIN.
 *
 * A secret is kept as HMAC-SHA-256 under a salt of its own. A slow hash
 * (scrypt, RFC 7914) would be right against a stolen database; it would also
 * stop this one thread for tens of milliseconds a login, where the testbed has
 * to take 100,000 of them, and whose secrets guard nothing.
 *
 * A token is "<digits of the number>.<random>": whose it is stands in it, and
 * only the hash of it is kept, which needs no salt: it is random. A number has
 * one session; a new login ends the one before. */
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "appserver/appserver_core.h"
#include "common/clock.h"
#include "common/element.h"
#include "common/https.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/timer.h"
#include "common/trace.h"

enum {
	HASH_BYTES = 32,
	HEX_LEN = 2 * HASH_BYTES + 1,
	SALT_BYTES = 16,
	SALT_HEX_LEN = 2 * SALT_BYTES + 1
};

/** Who may log in, and the session if there is one */
struct as_user {
	char *number;
	char salt[SALT_HEX_LEN];
	char hash[HEX_LEN];         /**< of the secret */
	char session_hash[HEX_LEN]; /**< of the token; "": none */
	int64_t session_expires_s;  /**< by the wall clock */
};

/** Owned by the role; users stand in a tree of search.h by their numbers */
struct as_login {
	struct appserver *as;
	void *users;
	struct as_attempt *attempts;
};

/** A login that is being stored. Owned by as_login until then */
struct as_attempt {
	struct as_attempt *next;
	struct as_login *login;
	struct https_req *req; /**< NULL: the terminal has gone away */
	char *number, *token;
};

static void to_hex(char *hex, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

static void random_hex(char *hex, size_t n)
{
	unsigned char bytes[HASH_BYTES];

	if (RAND_bytes(bytes, (int)n) != 1)
		abort(); /* no entropy: nothing of TLS would work either */
	to_hex(hex, bytes, n);
}

static void hash(char hex[static HEX_LEN], const char *salt, const char *secret)
{
	unsigned char mac[HASH_BYTES];

	HMAC(EVP_sha256(), salt, (int)strlen(salt),
	     (const unsigned char *)secret, strlen(secret), mac, NULL);
	to_hex(hex, mac, sizeof(mac));
}

static bool is_equal(const char a[static HEX_LEN], const char b[static HEX_LEN])
{
	return !CRYPTO_memcmp(a, b, HEX_LEN - 1);
}

static int by_number(const void *a, const void *b)
{
	return strcmp(((const struct as_user *)a)->number,
		      ((const struct as_user *)b)->number);
}

static struct as_user *find(const struct as_login *login, const char *number)
{
	const struct as_user key = { .number = (char *)number };
	struct as_user *const *found = tfind(&key, &login->users, by_number);

	return found ? *found : NULL;
}

static struct as_user *add(struct as_login *login, const char *number)
{
	struct as_user *user = xcalloc(1, sizeof(*user));

	user->number = xstrdup(number);
	if (!tsearch(user, &login->users, by_number))
		abort(); /* out of memory, as common/mem.h does */

	return user;
}

/** No users yet */
struct as_login *as_login_new(struct appserver *as)
{
	struct as_login *login = xcalloc(1, sizeof(*login));

	login->as = as;

	return login;
}

static void user_free(void *node)
{
	struct as_user *user = node;

	free(user->number);
	OPENSSL_cleanse(user, sizeof(*user));
	free(user);
}

static struct as_attempt *attempt_free(struct as_attempt *a)
{
	struct as_attempt **p = &a->login->attempts;

	while (*p != a)
		p = &(*p)->next;
	*p = a->next;
	OPENSSL_cleanse(a->token, strlen(a->token));
	free(a->token);
	free(a->number);
	free(a);

	return NULL;
}

/** Free; server and store must be gone */
struct as_login *as_login_free(struct as_login *login)
{
	if (!login)
		return NULL;

	while (login->attempts)
		attempt_free(login->attempts);
	tdestroy(login->users, user_free);
	free(login);

	return NULL;
}

/**
 * Let a number log in
 *
 * @param number E.164, as_is_number()
 *
 * @return 0, or EEXIST
 */
int as_user_add(struct as_login *login, const char *number, const char *secret)
{
	struct as_user *user;

	if (find(login, number))
		return EEXIST;

	user = add(login, number);
	random_hex(user->salt, SALT_BYTES);
	hash(user->hash, user->salt, secret);

	return 0;
}

/** Keep a user that as_user_add() took over restarts too; cb as store_run() */
void as_user_store(const struct as_login *login, const char *number,
		   store_cb *cb, void *arg)
{
	const struct as_user *user = find(login, number);
	const struct store_val vals[] = { STORE_S(user->number),
					  STORE_S(user->salt),
					  STORE_S(user->hash) };
	const struct store_stmt stmt = { "INSERT OR REPLACE INTO users"
					 "(number, salt, hash)"
					 " VALUES(?1, ?2, ?3)",
					 vals, 3 };

	store_run(login->as->store, &stmt, 1, cb, arg);
}

/** Users that were added in an earlier run; the users file comes first */
void as_users_load(struct as_login *login, const struct store_rows *rows)
{
	for (int i = 0; i < store_row_count(rows); i++) {
		const char *number = store_text(rows, i, 0);
		struct as_user *user;

		if (find(login, number))
			continue;

		user = add(login, number);
		snprintf(user->salt, sizeof(user->salt), "%s",
			 store_text(rows, i, 1));
		snprintf(user->hash, sizeof(user->hash), "%s",
			 store_text(rows, i, 2));
	}
}

/** Sessions that an earlier run gave; who is no user any more has none */
void as_sessions_load(struct as_login *login, const struct store_rows *rows)
{
	for (int i = 0; i < store_row_count(rows); i++) {
		struct as_user *user = find(login, store_text(rows, i, 0));

		if (!user)
			continue;

		snprintf(user->session_hash, sizeof(user->session_hash), "%s",
			 store_text(rows, i, 1));
		user->session_expires_s = store_int(rows, i, 2);
	}
}

static void on_gone(void *arg)
{
	struct as_attempt *a = arg;

	a->req = NULL;
}

static void on_stored(int err, const struct store_rows *rows, void *arg)
{
	int lifetime_s = (int)(timer_value_ms(TIMER_LOGIN) / 1000);
	struct as_attempt *a = arg;

	(void)rows;
	if (err && a->req)
		https_reply_error(a->req, 500,
				  "the application server could not store the "
				  "login; see its log");
	if (!err) {
		log_info("appserver %s logged in", a->number);
		trace_event(a->login->as->el->trace, "as.login",
			    json_pack("{s:s, s:i}", "number", a->number,
				      "expires_s", lifetime_s));
	}
	if (!err && a->req)
		https_reply_json(a->req, 200,
				 json_pack("{s:s, s:s, s:i}", "token", a->token,
					   "token_type", "Bearer", "expires_s",
					   lifetime_s));
	attempt_free(a);
}

static void open_session(struct as_login *login, struct as_user *user,
			 struct https_req *req)
{
	struct as_attempt *a = xcalloc(1, sizeof(*a));
	char random[HEX_LEN];

	random_hex(random, HASH_BYTES);
	a->login = login;
	a->req = req;
	a->number = xstrdup(user->number);
	a->token = xasprintf("%s.%s", user->number + 1, random);
	a->next = login->attempts;
	login->attempts = a;
	hash(user->session_hash, user->number, a->token);
	user->session_expires_s =
		clock_wall_s() + timer_value_ms(TIMER_LOGIN) / 1000;
	https_req_on_gone(req, on_gone, a);

	const struct store_val vals[] = { STORE_S(user->number),
					  STORE_S(user->session_hash),
					  STORE_I(user->session_expires_s) };
	const struct store_stmt stmt = { "INSERT OR REPLACE INTO sessions"
					 "(number, hash, expires)"
					 " VALUES(?1, ?2, ?3)",
					 vals, 3 };
	store_run(login->as->store, &stmt, 1, on_stored, a);
}

/** A terminal logs in. S402: [0078]. req is answered now or later */
void as_login_rx(struct as_login *login, struct https_req *req,
		 const char *number, const char *secret)
{
	struct as_user *user = find(login, number);
	char hex[HEX_LEN];

	if (!user) {
		log_warn("appserver %s: login refused: unknown number", number);
		https_reply_error(req, 401,
				  "unknown number %s: it is no user of this "
				  "application server",
				  number);
		return;
	}
	hash(hex, user->salt, secret);
	if (!is_equal(hex, user->hash)) {
		log_warn("appserver %s: login refused: wrong secret", number);
		https_reply_error(req, 401, "wrong secret for the number %s",
				  number);
		return;
	}
	open_session(login, user, req);
}

/* The token of "Bearer <token>" (RFC 6750 2.1, RFC 9110 11.1: the scheme's
 * case does not matter), and whose it says it is */
static const struct as_user *token_user(const struct as_login *login,
					const char *authorization,
					const char **tokenp)
{
	static const char scheme[] = "Bearer ";
	const size_t scheme_len = sizeof(scheme) - 1;
	const struct as_user *user;
	char number[20];
	size_t len;

	if (strncasecmp(authorization, scheme, scheme_len) != 0)
		return NULL;

	*tokenp = authorization + scheme_len;
	*tokenp += strspn(*tokenp, " ");
	len = strcspn(*tokenp, ".");
	if (len > sizeof(number) - 2)
		return NULL;

	snprintf(number, sizeof(number), "+%.*s", (int)len, *tokenp);
	user = find(login, number);

	return user && *user->session_hash ? user : NULL;
}

/**
 * Whether a request may act for a number
 *
 * @param authorization Its header, or NULL
 * @param reasonp       Where it may not: why; the caller's to free
 *
 * @return 0, 401 (not, or no more, logged in), 403 (another's token)
 */
int as_session_check(const struct as_login *login, const char *authorization,
		     const char *number, char **reasonp)
{
	const struct as_user *user;
	const char *token = NULL;
	char hex[HEX_LEN];

	if (!authorization) {
		*reasonp = xstrdup("not logged in: the header Authorization: "
				   "Bearer is missing");
		return 401;
	}
	user = token_user(login, authorization, &token);
	if (user)
		hash(hex, user->number, token);
	if (!user || !is_equal(hex, user->session_hash)) {
		*reasonp = xstrdup("not logged in: the token is unknown; log "
				   "in again");
		return 401;
	}
	if (clock_wall_s() >= user->session_expires_s) {
		*reasonp = xstrdup("the login has expired; log in again");
		return 401;
	}
	if (strcmp(user->number, number) != 0) {
		*reasonp = xasprintf("the token is of another number than %s",
				     number);
		return 403;
	}

	return 0;
}
