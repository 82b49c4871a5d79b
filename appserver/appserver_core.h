/** @file appserver_core.h  Inside of the AS: the role object and its parts
 *
 * Included by appserver/ alone, and by its unit tests.
 */
#ifndef SIPSHARE_APPSERVER_CORE_H
#define SIPSHARE_APPSERVER_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "appserver/appserver.h"
#include "common/store.h"

struct as_binding;
struct as_call;
struct as_cdr;
struct as_isc;
struct as_login;
struct https_client;
struct https_req;
struct https_resp;
struct https_server;
struct sipep;
struct store;
struct timer;

/** Which of the AS it is that calls pass, by the filter criteria */
enum as_chain {
	AS_ALONE,
	AS_FIRST, /**< another follows */
	AS_LAST   /**< one has been before */
};

/** The role; owns all its parts */
struct appserver {
	struct element *el;
	struct store *store;
	struct https_server *https;
	struct https_client *client; /**< to the platform */
	struct as_login *login;
	struct as_isc *isc;
	void *bindings; /**< tree of search.h, by number */
	void *uris;     /**< the bound ones, by SIP-URI */
	char *platform; /**< URL without a '/' at its end */
	char *realm, *proxy;
	void *lent; /**< every SIP-URI that was ever leased */
	struct as_call *calls;
	int64_t last_call_id;
	struct timer *sweep;  /**< frees calls that are over */
	struct as_cdr *ended; /**< on their way to disk */
	FILE *cdr;            /**< NULL: none wanted */
	char *cdr_path, *cdr_temp;
	enum as_chain chain;
	int calls_max;        /**< of one caller at once */
	bool refuses_foreign; /**< number, by policy */
	bool is_ready;        /**< what the store holds has been read */
	bool is_sweeping, is_stopping;
};

/* appserver.c */
void as_loaded(struct appserver *as, int err);

/* appserver_https.c */
int as_https_open(struct appserver *as, const struct appserver_cfg *cfg,
		  char **reasonp);

/* appserver_users.c: who may log in */
bool as_is_number(const char *text);
int as_users_read(struct as_login *login, const char *path, char **reasonp);

/* appserver_login.c: users and their sessions */
struct as_login *as_login_new(struct appserver *as);
struct as_login *as_login_free(struct as_login *login);
int as_user_add(struct as_login *login, const char *number, const char *secret);
void as_user_store(const struct as_login *login, const char *number,
		   store_cb *cb, void *arg);
void as_users_load(struct as_login *login, const struct store_rows *rows);
void as_sessions_load(struct as_login *login, const struct store_rows *rows);
void as_login_rx(struct as_login *login, struct https_req *req,
		 const char *number, const char *secret);
int as_session_check(const struct as_login *login, const char *authorization,
		     const char *number, char **reasonp);

/* appserver_bindings.c: who uses which SIP-URI */
enum as_want { AS_WANT_URI, AS_WANT_RELEASE, AS_WANT_CALL_END };

void as_binding_rx(struct appserver *as, const char *number, enum as_want want,
		   struct https_req *req);
void as_bindings_load(struct appserver *as, const struct store_rows *rows);
void as_bindings_free(struct appserver *as);
json_t *as_bindings_json(const struct appserver *as);
void as_registration_rx(struct appserver *as, const char *uri, bool is_on);
void as_uri_lend(struct appserver *as, const char *uri);
bool as_uri_is_lent(const struct appserver *as, const char *uri);
void as_uris_load(struct appserver *as, const struct store_rows *rows);

/* appserver_calls.c */
void as_calls_open(struct appserver *as);
void as_calls_free(struct appserver *as);
void as_calls_end(struct as_binding *b, const char *cause);
void as_calls_end_all(struct appserver *as);

/* appserver_cdr.c */
int as_cdrs_open(struct appserver *as, const struct appserver_cfg *cfg,
		 char **reasonp);
void as_cdrs_load(struct appserver *as);
void as_cdrs_free(struct appserver *as);

/* appserver_store.c */
extern const char as_schema[];
void as_store_load(struct appserver *as);

/* appserver_isc_sip.c */
int as_isc_open(struct appserver *as, const struct appserver_cfg *cfg,
		char **reasonp);
struct as_isc *as_isc_free(struct as_isc *isc);
bool as_isc_is_registered(const struct as_isc *isc, const char *uri);
struct sipep *as_isc_sip(const struct appserver *as);

#endif
