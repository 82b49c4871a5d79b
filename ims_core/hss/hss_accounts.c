#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/password.h"
#include "common/timer.h"
#include "common/trace.h"
#include "ims_core/hss/hss_core.h"

#include "ims_core/hss/hss_accounts.h"

/* a long batch is hashed in slices, so that Cx is answered in between */
enum { SLICE = 500 };

struct hss_batch *hss_batch_new(struct hss *hss)
{
	struct hss_batch *batch = xcalloc(1, sizeof(*batch));

	batch->hss = hss;
	batch->next = hss->batches;
	batch->at = &hss->batches;
	if (batch->next)
		batch->next->at = &batch->next;
	hss->batches = batch;

	return batch;
}

static void wipe(char *password)
{
	if (password)
		OPENSSL_cleanse(password, strlen(password));
	free(password);
}

/** Free, passwords wiped */
struct hss_batch *hss_batch_free(struct hss_batch *batch)
{
	if (!batch)
		return NULL;

	*batch->at = batch->next;
	if (batch->next)
		batch->next->at = batch->at;
	for (size_t i = 0; i < batch->n; i++) {
		free(batch->v[i].number);
		free(batch->v[i].uri);
		free(batch->v[i].impi);
		wipe(batch->v[i].password);
	}
	free(batch->v);
	json_decref(batch->rows);
	timer_free(batch->turn);
	free(batch);

	return NULL;
}

/** An empty account at the batch's end, borrowed until the next one */
struct hss_account *hss_batch_add(struct hss_batch *batch)
{
	if (batch->n == batch->room) {
		batch->room = batch->room ? 2 * batch->room : 8;
		batch->v = xrealloc(batch->v, batch->room * sizeof(*batch->v));
	}
	memset(&batch->v[batch->n], 0, sizeof(*batch->v));

	return &batch->v[batch->n++];
}

static void end(struct hss_batch *batch, int err)
{
	batch->cb(err, batch, batch->arg);
	hss_batch_free(batch);
}

/* The private identity is the SIP-URI without its scheme; the hashes are of
 * it (RFC 7616 3.4.2), and they alone are kept */
static int make_secret(struct hss_account *a, const char *realm,
		       char ha1[DIGEST_ALG_N][DIGEST_HEX_LEN])
{
	a->impi = xstrdup(a->uri + strlen("sip:"));
	if (!a->password)
		a->password = password_random();
	if (!a->password)
		return EIO;

	for (int alg = 0; alg < DIGEST_ALG_N; alg++)
		digest_ha1(ha1[alg], (enum digest_alg)alg, a->impi, realm,
			   a->password);

	return 0;
}

/* --- open --- */

/* A URI named twice in one list is opened once: the first takes it */
static void on_inserted(int err, const struct store_rows *rows, void *arg)
{
	struct hss_batch *batch = arg;
	json_t *opened = json_object();

	for (int i = 0; !err && i < store_row_count(rows); i++)
		json_object_set_new(opened, store_text(rows, i, 0),
				    json_true());
	for (size_t i = 0; i < batch->n; i++) {
		struct hss_account *a = &batch->v[i];

		a->status = "exists";
		if (!json_object_del(opened, a->uri)) {
			a->status = "opened";
			batch->done_n++;
			continue;
		}
		/* the account's password is another */
		wipe(a->password);
		a->password = NULL;
	}
	json_decref(opened);
	if (batch->done_n)
		trace_event(batch->hss->el->trace, "hss.account-opened",
			    json_pack("{s:I, s:s}", "count",
				      (json_int_t)batch->done_n, "first",
				      batch->v[0].uri));
	end(batch, err);
}

static void open_slice(void *arg)
{
	struct hss_batch *batch = arg;
	const char *realm = batch->hss->realm;
	char ha1[DIGEST_ALG_N][DIGEST_HEX_LEN];
	json_t *rows = batch->rows;
	size_t stop = batch->at_n + SLICE;

	for (; batch->at_n < batch->n && batch->at_n < stop; batch->at_n++) {
		struct hss_account *a = &batch->v[batch->at_n];

		if (make_secret(a, realm, ha1)) {
			end(batch, EIO);
			return;
		}
		json_array_append_new(rows, json_pack("[ssssss]", a->uri,
						      a->impi, a->number, realm,
						      ha1[DIGEST_MD5],
						      ha1[DIGEST_SHA256]));
	}
	if (batch->at_n < batch->n) {
		timer_start_ms(batch->turn, 0);
		return;
	}

	batch->rows = NULL; /* the store takes it */
	hss_store_insert(batch->hss, rows, on_inserted, batch);
}

/** Open the batch's accounts (number and uri set, password or not).
 * S401: [0076] */
void hss_accounts_open(struct hss_batch *batch, hss_batch_cb *cb, void *arg)
{
	batch->cb = cb;
	batch->arg = arg;
	batch->rows = json_array();
	batch->turn = timer_new(batch->hss->el->loop, open_slice, batch);
	timer_start_ms(batch->turn, 0);
}

/* --- close and change: of one account --- */

/* Complete the one row from the store's; false: there is no such account */
static bool complete(struct hss_batch *batch, struct hss_user *user, int err,
		     const struct store_rows *rows, const char *status)
{
	struct hss_account *a = &batch->v[0];

	a->status = "unknown";
	if (err || !hss_row_user(user, rows, 0)) {
		wipe(a->password);
		a->password = NULL;
		xstrset(&a->impi, NULL);
		return false;
	}

	a->status = status;
	xstrset(&a->number, user->number);
	xstrset(&a->impi, user->impi);
	batch->done_n = 1;

	return true;
}

/* The S-CSCF has put the user out, or has not: the report waits for it */
static void on_ended(int err, void *arg)
{
	end(arg, err);
}

static void on_deleted(int err, const struct store_rows *rows, void *arg)
{
	struct hss_batch *batch = arg;
	struct hss_user user;

	if (complete(batch, &user, err, rows, "closed")) {
		trace_event(batch->hss->el->trace, "hss.account-closed",
			    json_pack("{s:s}", "impu", user.impu));
		if (hss_end_registration(batch->hss, &user, "account closed",
					 on_ended, batch))
			return;
	}
	end(batch, err);
}

/** Close the batch's one account (uri set); the report comes when the S-CSCF
 * has put the user out */
void hss_accounts_close(struct hss_batch *batch, hss_batch_cb *cb, void *arg)
{
	batch->cb = cb;
	batch->arg = arg;
	hss_store_delete(batch->hss, batch->v[0].uri, on_deleted, batch);
}

static void on_changed(int err, const struct store_rows *rows, void *arg)
{
	struct hss_batch *batch = arg;
	struct hss_user user;

	if (complete(batch, &user, err, rows, "changed")) {
		trace_event(batch->hss->el->trace, "hss.password-changed",
			    json_pack("{s:s}", "impu", user.impu));
		if (hss_end_registration(batch->hss, &user, "password changed",
					 on_ended, batch))
			return;
	}
	end(batch, err);
}

static void fail_later(void *arg)
{
	end(arg, EIO);
}

/** Give the batch's one account (uri set) its password, or a random one. Who
 * is registered with the old one, or about to be, is put out; the report comes
 * after that, so that the new password alone counts by then */
void hss_accounts_change(struct hss_batch *batch, hss_batch_cb *cb, void *arg)
{
	char ha1[DIGEST_ALG_N][DIGEST_HEX_LEN];

	batch->cb = cb;
	batch->arg = arg;
	if (make_secret(&batch->v[0], batch->hss->realm, ha1)) {
		batch->turn =
			timer_new(batch->hss->el->loop, fail_later, batch);
		timer_start_ms(batch->turn, 0);
		return;
	}

	hss_store_set_ha1(batch->hss, batch->v[0].uri, ha1, on_changed, batch);
}
