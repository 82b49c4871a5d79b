/** @file hss_core.h  What the HSS's own files share */
#ifndef SIPSHARE_HSS_CORE_H
#define SIPSHARE_HSS_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cx.h"
#include "common/digest.h"
#include "common/store.h"
#include "ims_core/hss/hss.h"

struct hss_batch;
struct hss_job;
struct hss_rtr;
struct https_req;
struct https_server;
struct timer;

/** Registration state of a public identity (TS 29.228 6.1, 3.1) */
enum hss_state {
	HSS_NOT_REGISTERED,
	HSS_UNREGISTERED,
	HSS_REGISTERED,
	HSS_STATE_N
};

/** What the Cx procedures change of a user */
struct hss_reg {
	enum hss_state state;
	const char *scscf;    /**< NULL: none given */
	bool is_auth_pending; /**< TS 29.228 6.3.1: a MAA went out, no SAR yet
			       */
};

/** A user as read from the store; strings are borrowed from its row */
struct hss_user {
	const char *impu, *impi, *number, *realm;
	const char *ha1[DIGEST_ALG_N];
	struct hss_reg reg;
	bool is_impi_known; /**< the request's IMPI is some user's */
};

/** Owns all below; jobs and batches are requests that wait for the store */
struct hss {
	struct element *el;
	struct store *store;
	struct cx_server *cx;
	struct https_server *https;
	struct hss_job *jobs;
	struct hss_rtr *rtrs;
	struct hss_batch *batches;
	char *realm, *scscf, *soap_client;
	char **appservers, **visited;
	int appserver_n, visited_n;
};

/* hss_store.c: statements. Callbacks get rows for hss_row_user() */
int hss_store_open(struct hss *hss, const char *where, char **reasonp);
void hss_store_find(struct hss *hss, const char *impu, const char *impi,
		    store_cb *cb, void *arg);
void hss_store_find_number(struct hss *hss, const char *number, store_cb *cb,
			   void *arg);
void hss_store_set_reg(struct hss *hss, const struct hss_user *old,
		       const struct hss_reg *next, store_cb *cb, void *arg);
void hss_store_insert(struct hss *hss, json_t *rows, store_cb *cb, void *arg);
void hss_store_delete(struct hss *hss, const char *impu, store_cb *cb,
		      void *arg);
void hss_store_set_ha1(struct hss *hss, const char *impu,
		       char ha1[DIGEST_ALG_N][DIGEST_HEX_LEN], store_cb *cb,
		       void *arg);
void hss_store_end_reg(struct hss *hss, const char *impu, const char *scscf,
		       store_cb *cb, void *arg);
void hss_store_all(struct hss *hss, store_cb *cb, void *arg);
bool hss_row_user(struct hss_user *user, const struct store_rows *rows,
		  int row);
const char *hss_state_name(const struct hss_reg *reg);

/* hss_cx.c: the edge to the CSCFs */
int hss_cx_open(struct hss *hss, const struct hss_cfg *cfg, char **reasonp);
void hss_cx_close(struct hss *hss);
void hss_trace_state(struct hss *hss, const char *impu, const char *from,
		     const char *to);

/* hss_rtr.c: the HSS ends a registration */
typedef void hss_ended_cb(int err, void *arg);
bool hss_end_registration(struct hss *hss, const struct hss_user *user,
			  const char *why, hss_ended_cb *cb, void *arg);
void hss_rtr_close(struct hss *hss);

/* The procedures, without I/O. user is NULL if the identity is unknown.
 * _decide: the result, and the registration that follows; _fill: the rest of
 * the answer, of a user as stored by now */
bool hss_check_identities(struct cx_result *result, const struct hss_user *user,
			  const char *impi);
void hss_uar(struct cx_uaa *uaa, const struct hss *hss,
	     const struct hss_user *user, const struct cx_uar *uar);
void hss_mar_decide(struct cx_result *result, struct hss_reg *next,
		    const struct hss_user *user, const struct cx_mar *mar);
void hss_mar_fill(struct cx_maa *maa, const struct hss_user *user,
		  const struct cx_mar *mar);
void hss_sar_decide(struct cx_result *result, struct hss_reg *next,
		    const struct hss_user *user, const struct cx_sar *sar);
bool hss_sar_wants_profile(const struct cx_sar *sar);
void hss_lir(struct cx_lia *lia, const struct hss_user *user);
char *hss_profile(const struct hss *hss, const struct hss_user *user,
		  size_t *lenp);

/* hss_soap.c, hss_accounts.c: provisioning */
int hss_soap_open(struct hss *hss, const struct hss_cfg *cfg, char **reasonp);
void hss_soap_close(struct hss *hss);

/** hss.wsdl, in the program, NUL behind it */
extern const char hss_wsdl[];

#endif
