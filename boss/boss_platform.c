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

static bool is_ours(const struct boss_account *a)
{
	return strcmp(a->status, "closed") != 0;
}

/* --- by text file --- */

static void copy_account(struct boss_list *list, const struct boss_account *a)
{
	struct boss_account *copy = boss_list_add(list);

	copy->uri = xstrdup(a->uri);
	copy->impi = xstrdup(a->impi);
	copy->password = xstrdup(a->password);
}

/* What the file has from earlier runs stays, unless we know better */
static int merge_file(struct boss_list *all, const struct boss *boss,
		      char **reasonp)
{
	struct boss_list old = { 0 };
	json_t *known;
	int err;

	if (access(boss->pool_file, F_OK))
		return 0;
	err = boss_pool_read(&old, boss->pool_file, reasonp);
	if (err)
		return err;

	known = json_object();
	for (size_t i = 0; i < boss->pool.n; i++)
		json_object_set_new(known, boss->pool.v[i].uri, json_true());
	for (size_t i = 0; i < old.n; i++)
		if (!json_object_get(known, old.v[i].uri))
			copy_account(all, &old.v[i]);
	json_decref(known);
	boss_list_clear(&old);

	return 0;
}

/**
 * Write the pool file: all accounts that were opened. S401: [0077], as text
 *
 * @param countp  Set to how many are in it
 * @param reasonp On failure why; the file is as it was
 */
int boss_platform_write(struct boss *boss, size_t *countp, char **reasonp)
{
	struct boss_list all = { 0 };
	int err;

	if (!boss->pool_file) {
		*reasonp = xstrdup("no pool file is set; give --pool-file");
		return EINVAL;
	}

	err = merge_file(&all, boss, reasonp);
	for (size_t i = 0; i < boss->pool.n && !err; i++)
		if (is_ours(&boss->pool.v[i]))
			copy_account(&all, &boss->pool.v[i]);
	if (!err)
		err = boss_pool_write(&all, boss->pool_file, boss->realm,
				      reasonp);
	if (!err) {
		*countp = all.n;
		log_info("boss: %zu accounts in %s", all.n, boss->pool_file);
		trace_event(boss->el->trace, "boss.pool-file-written",
			    json_pack("{s:s, s:I}", "file", boss->pool_file,
				      "count", (json_int_t)all.n));
	}
	boss_list_clear(&all);

	return err;
}

/* --- by message --- */

/** A pool on its way, in messages of CHUNK accounts, one after the other.
 * Owned by the BOSS's list. The snapshot stays what it was when it began */
struct boss_send {
	struct boss_send *next, **at;
	struct boss *boss;
	struct boss_list accounts;
	size_t sent;
	boss_sent_cb *cb;
	void *arg;
};

static void send_free(struct boss_send *send)
{
	*send->at = send->next;
	if (send->next)
		send->next->at = send->at;
	boss_list_clear(&send->accounts);
	free(send);
}

/** End what is under way, and tell who waits for it; the HTTPS client is
 * gone */
void boss_platform_free_sends(struct boss *boss)
{
	struct boss_send *next;

	for (struct boss_send *send = boss->sends; send; send = next) {
		next = send->next;
		send->cb(0, "the BOSS ends", send->arg);
		boss_list_clear(&send->accounts);
		free(send);
	}
	boss->sends = NULL;
}

static size_t chunk_len(const struct boss_send *send)
{
	size_t left = send->accounts.n - send->sent;

	return left < CHUNK ? left : CHUNK;
}

static char *chunk_text(const struct boss_send *send)
{
	json_t *accounts = json_array();
	json_t *body = json_pack("{s:o}", "accounts", accounts);
	char *text;

	for (size_t i = 0; i < chunk_len(send); i++) {
		const struct boss_account *a =
			&send->accounts.v[send->sent + i];

		json_array_append_new(accounts,
				      json_pack("{s:s, s:s, s:s, s:s}", "uri",
						a->uri, "impi", a->impi,
						"password", a->password,
						"realm", send->boss->realm));
	}
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);

	return text;
}

static void on_answer(const struct https_resp *resp, void *arg);

static void send_chunk(struct boss_send *send)
{
	char *text = chunk_text(send);
	const struct https_call call = { .method = "PUT",
					 .url = send->boss->platform_url,
					 .type = "application/json",
					 .body = text,
					 .len = strlen(text) };

	https_client_call(send->boss->https, &call, on_answer, send);
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

static void on_answer(const struct https_resp *resp, void *arg)
{
	struct boss_send *send = arg;
	char text[REASON_LEN];
	char *error = NULL;

	if (resp->status != 200)
		error = xasprintf("pool not taken by %s: %s; it has %zu of "
				  "%zu accounts, send again",
				  send->boss->platform_url,
				  https_resp_reason(resp, text, sizeof(text)),
				  send->sent, send->accounts.n);
	else if (!is_taken(resp, chunk_len(send)))
		error = xasprintf("pool sent to %s: its answer does not count "
				  "all %zu accounts of the message",
				  send->boss->platform_url, chunk_len(send));
	if (error) {
		log_warn("boss: %s", error);
		send->cb(0, error, send->arg);
		free(error);
		send_free(send);
		return;
	}

	send->sent += chunk_len(send);
	if (send->sent < send->accounts.n) {
		send_chunk(send);
		return;
	}
	log_info("boss: %zu accounts at %s", send->sent,
		 send->boss->platform_url);
	trace_event(send->boss->el->trace, "boss.pool-sent",
		    json_pack("{s:I}", "count", (json_int_t)send->sent));
	send->cb(send->sent, NULL, send->arg);
	send_free(send);
}

/** Send the platform all accounts that were opened; what it knows already
 * does no harm. S401: [0077], by message */
void boss_platform_send(struct boss *boss, boss_sent_cb *cb, void *arg)
{
	struct boss_send *send = xcalloc(1, sizeof(*send));

	send->boss = boss;
	send->cb = cb;
	send->arg = arg;
	send->next = boss->sends;
	send->at = &boss->sends;
	if (send->next)
		send->next->at = &send->next;
	boss->sends = send;
	for (size_t i = 0; i < boss->pool.n; i++)
		if (is_ours(&boss->pool.v[i]))
			copy_account(&send->accounts, &boss->pool.v[i]);
	send_chunk(send);
}
