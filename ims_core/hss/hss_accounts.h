/** @file hss_accounts.h  Accounts are opened, closed, and get new passwords
 *
 * A batch is one request: its accounts change in one transaction.
 */
#ifndef SIPSHARE_HSS_ACCOUNTS_H
#define SIPSHARE_HSS_ACCOUNTS_H

#include <stddef.h>

#include <jansson.h>

struct hss;
struct hss_batch;

/** One row of the report; strings are owned by the batch */
struct hss_account {
	char *number, *uri, *impi;
	char *password;     /**< given or made; wiped with the batch */
	const char *status; /**< opened exists closed changed unknown */
};

/** The batch is on disk (err 0), or nothing of it happened (EIO), or it is on
 * disk and the S-CSCF has not confirmed that the user is out (other errors);
 * frees the batch when it returns */
typedef void hss_batch_cb(int err, struct hss_batch *batch, void *arg);

/** Owned by the HSS's list until its callback has returned */
struct hss_batch {
	struct hss_batch *next, **at;
	struct hss *hss;
	struct hss_account *v;
	size_t n, room;
	size_t done_n; /**< opened, closed or changed */
	hss_batch_cb *cb;
	void *arg;
	/* while it runs */
	size_t at_n;
	json_t *rows;
	struct timer *turn;
};

struct hss_batch *hss_batch_new(struct hss *hss);
struct hss_batch *hss_batch_free(struct hss_batch *batch);
struct hss_account *hss_batch_add(struct hss_batch *batch);
void hss_accounts_open(struct hss_batch *batch, hss_batch_cb *cb, void *arg);
void hss_accounts_close(struct hss_batch *batch, hss_batch_cb *cb, void *arg);
void hss_accounts_change(struct hss_batch *batch, hss_batch_cb *cb, void *arg);

#endif
