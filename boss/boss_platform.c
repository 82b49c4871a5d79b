#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "boss/boss_core.h"
#include "common/element.h"
#include "common/https.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/trace.h"

/* accounts in one message: well below the bound of a body */
enum { CHUNK = 1000, REASON_LEN = 256 };

/** All that was opened and not given yet, on its way. A message holds CHUNK
 * accounts, one goes after the other. Owned by the BOSS's turns */
struct boss_sync {
	struct boss_turn turn;
	struct boss *boss;
	bool by_file;
	struct boss_list accounts;
	size_t sent;
	char *error;
	boss_sent_cb *cb;
	void *arg;
};

static void sync_free(struct boss_sync *sync)
{
	boss_list_clear(&sync->accounts);
	free(sync->error);
	free(sync);
}

static void end(struct boss_sync *sync, size_t count)
{
	if (sync->error)
		log_warn("boss: %s", sync->error);
	boss_turn_leave(sync->boss, &sync->turn);
	sync->cb(count, sync->error, sync->arg);
	sync_free(sync);
}

static void boss_ends(struct boss_turn *turn)
{
	struct boss_sync *sync = (struct boss_sync *)turn;

	sync->cb(0, "the BOSS ends", sync->arg);
	sync_free(sync);
}

static void add_opened(struct boss_list *list, const struct boss *boss)
{
	for (size_t i = 0; i < boss->pool.n; i++)
		if (boss_account_is(&boss->pool.v[i], BOSS_OPENED))
			(void)boss_list_copy(list, &boss->pool.v[i]);
}

/* --- by text file --- */

static bool knows_better(const struct boss *boss, const char *uri)
{
	const struct boss_account *own = boss_known_find(boss, uri);

	return boss_account_is(own, BOSS_OPENED) ||
	       boss_account_is(own, BOSS_CLOSED);
}

/* What the file has from earlier runs stays, unless we know better */
static int merge_file(struct boss_list *all, const struct boss *boss,
		      char **reasonp)
{
	struct boss_list old = { 0 };
	int err;

	if (access(boss->pool_file, F_OK))
		return 0;
	err = boss_pool_read(&old, boss->pool_file, reasonp);
	if (err)
		return err;

	for (size_t i = 0; i < old.n; i++)
		if (!knows_better(boss, old.v[i].uri))
			(void)boss_list_copy(all, &old.v[i]);
	boss_list_clear(&old);

	return 0;
}

/* The pool file: [0077], as text. Nobody confirms it, so the passwords are
 * kept until the platform is heard of */
static void write_file(struct boss_sync *sync)
{
	struct boss *boss = sync->boss;
	struct boss_list *all = &sync->accounts;

	if (!boss->pool_file)
		sync->error = xstrdup("no pool file is set; give --pool-file");
	else if (!merge_file(all, boss, &sync->error))
		add_opened(all, boss);
	if (!sync->error &&
	    !boss_pool_write(all, boss->pool_file, boss->realm, &sync->error)) {
		log_info("boss: %zu accounts in %s", all->n, boss->pool_file);
		trace_event(boss->el->trace, "boss.pool-file-written",
			    json_pack("{s:s, s:I}", "file", boss->pool_file,
				      "count", (json_int_t)all->n));
	}
	end(sync, all->n);
}

/* --- by message --- */

static size_t chunk_len(const struct boss_sync *sync)
{
	size_t left = sync->accounts.n - sync->sent;

	return left < CHUNK ? left : CHUNK;
}

static char *chunk_text(const struct boss_sync *sync)
{
	json_t *accounts = json_array();
	json_t *body = json_pack("{s:o}", "accounts", accounts);
	char *text;

	for (size_t i = 0; i < chunk_len(sync); i++) {
		const struct boss_account *a =
			&sync->accounts.v[sync->sent + i];

		json_array_append_new(accounts,
				      json_pack("{s:s, s:s, s:s, s:s}", "uri",
						a->uri, "impi", a->impi,
						"password", a->password,
						"realm", sync->boss->realm));
	}
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);

	return text;
}

static void on_answer(const struct https_resp *resp, void *arg);

static void send_chunk(struct boss_sync *sync)
{
	char *text = chunk_text(sync);
	const struct https_call call = { .method = "PUT",
					 .url = sync->boss->platform_url,
					 .type = "application/json",
					 .body = text,
					 .len = strlen(text) };

	https_client_call(sync->boss->https, &call, on_answer, sync);
	explicit_bzero(text, strlen(text));
	free(text);
}

/* Whether the answer accounts for all that the message held */
static bool is_taken(const struct https_resp *resp, size_t n)
{
	json_t *body =
		json_loadb(resp->body ? resp->body : "", resp->len, 0, NULL);
	json_int_t added = json_integer_value(json_object_get(body, "added"));
	json_int_t known = json_integer_value(json_object_get(body, "known"));

	json_decref(body);

	return added >= 0 && known >= 0 && (size_t)(added + known) == n;
}

/* The platform has them, with their passwords: they are its own from now on */
static void on_given(int err, void *arg)
{
	struct boss_sync *sync = arg;

	if (err)
		sync->error = xasprintf("the platform has %zu accounts, but "
					"that could not be stored: %s; send "
					"again",
					sync->sent, strerror(err));
	if (!err && sync->sent < sync->accounts.n) {
		send_chunk(sync);
		return;
	}
	if (!err) {
		log_info("boss: %zu accounts at %s", sync->sent,
			 sync->boss->platform_url);
		trace_event(
			sync->boss->el->trace, "boss.pool-sent",
			json_pack("{s:I}", "count", (json_int_t)sync->sent));
	}
	end(sync, sync->sent);
}

static void chunk_is_given(struct boss_sync *sync)
{
	struct boss_list given = { 0 };
	size_t stop = sync->sent + chunk_len(sync);

	for (; sync->sent < stop; sync->sent++) {
		struct boss_account *a =
			boss_list_copy(&given, &sync->accounts.v[sync->sent]);

		boss_account_set_password(a, NULL);
		xstrset(&a->status, BOSS_GIVEN);
	}
	boss_known_put(sync->boss, &given, on_given, sync);
}

static void on_answer(const struct https_resp *resp, void *arg)
{
	struct boss_sync *sync = arg;
	char text[REASON_LEN];

	if (resp->status != 200)
		sync->error =
			xasprintf("pool not taken by %s: %s; it has %zu of "
				  "%zu accounts, send again",
				  sync->boss->platform_url,
				  https_resp_reason(resp, text, sizeof(text)),
				  sync->sent, sync->accounts.n);
	else if (!is_taken(resp, chunk_len(sync)))
		sync->error =
			xasprintf("pool sent to %s: its answer does not count "
				  "all %zu accounts of the message",
				  sync->boss->platform_url, chunk_len(sync));
	if (sync->error)
		end(sync, 0);
	else
		chunk_is_given(sync);
}

static void on_rest(const struct boss_list *report, const char *error,
		    void *arg)
{
	struct boss_sync *sync = arg;

	(void)report;
	if (error)
		sync->error = xasprintf("accounts whose opening was "
					"interrupted: %s; send again",
					error);
}

static void start(struct boss_turn *turn)
{
	struct boss_sync *sync = (struct boss_sync *)turn;

	if (!sync->error && !sync->by_file && !sync->boss->platform_url)
		sync->error = xstrdup("sync: no platform is set; give "
				      "--platform");
	if (sync->error) {
		end(sync, 0);
	} else if (sync->by_file) {
		write_file(sync);
	} else {
		add_opened(&sync->accounts, sync->boss);
		send_chunk(sync);
	}
}

/**
 * Carry on what was interrupted, then give the platform all accounts that
 * were opened: by text file, or by message those that it has not confirmed
 * yet. What it knows already does no harm. S401: [0077]
 */
void boss_sync(struct boss *boss, bool by_file, boss_sent_cb *cb, void *arg)
{
	struct boss_sync *sync = xcalloc(1, sizeof(*sync));

	sync->turn.start = start;
	sync->turn.end = boss_ends;
	sync->boss = boss;
	sync->by_file = by_file;
	sync->cb = cb;
	sync->arg = arg;
	boss_open_rest(boss, on_rest, sync);
	boss_turn_enter(boss, &sync->turn);
}
