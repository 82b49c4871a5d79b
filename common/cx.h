/** @file cx.h  Cx commands, typed, for both ends (TS 29.228, TS 29.229)
 *
 * Strings in requests and answers are borrowed in callbacks and copied when
 * sent. NULL or 0 means "absent" where the standard lets an AVP be absent.
 */
#ifndef SIPSHARE_CX_H
#define SIPSHARE_CX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cx;
struct cx_req;
struct cx_server;
struct element;

/** Result-Code, or Experimental-Result-Code of 3GPP: two number spaces */
struct cx_result {
	uint32_t code;
	bool is_experimental;
	const char *text; /**< Error-Message, or NULL */
};

enum {
	CX_SUCCESS = 2001,
	CX_UNABLE_TO_COMPLY = 5012,
	CX_MISSING_AVP = 5005,
	/* experimental */
	CX_FIRST_REGISTRATION = 2001,
	CX_SUBSEQUENT_REGISTRATION = 2002,
	CX_UNREGISTERED_SERVICE = 2003,
	CX_ERROR_USER_UNKNOWN = 5001,
	CX_ERROR_IDENTITIES_DONT_MATCH = 5002,
	CX_ERROR_IDENTITY_NOT_REGISTERED = 5003,
	CX_ERROR_ROAMING_NOT_ALLOWED = 5004,
	CX_ERROR_IDENTITY_ALREADY_REGISTERED = 5005,
	CX_ERROR_AUTH_SCHEME_NOT_SUPPORTED = 5006,
	CX_ERROR_IN_ASSIGNMENT_TYPE = 5007
};

enum cx_auth_type {
	CX_REGISTRATION,
	CX_DE_REGISTRATION,
	CX_REGISTRATION_AND_CAPABILITIES
};

enum cx_sat { /* Server-Assignment-Type */
	      CX_NO_ASSIGNMENT,
	      CX_SAT_REGISTRATION,
	      CX_RE_REGISTRATION,
	      CX_UNREGISTERED_USER,
	      CX_TIMEOUT_DEREGISTRATION,
	      CX_USER_DEREGISTRATION,
	      CX_TIMEOUT_DEREGISTRATION_STORE_SERVER_NAME,
	      CX_USER_DEREGISTRATION_STORE_SERVER_NAME,
	      CX_ADMINISTRATIVE_DEREGISTRATION,
	      CX_AUTHENTICATION_FAILURE,
	      CX_AUTHENTICATION_TIMEOUT,
	      CX_DEREGISTRATION_TOO_MUCH_DATA
};

enum { CX_CAPS_MAX = 8, CX_AUTH_ITEMS_MAX = 4 };

struct cx_uar { /**< TS 29.228 6.1.1 */
	const char *impi, *impu, *visited_network;
	enum cx_auth_type type;
};

struct cx_uaa {
	struct cx_result result;
	const char *server_name;
	uint32_t mandatory_caps[CX_CAPS_MAX];
	size_t cap_n;
};

struct cx_mar { /**< 6.3 */
	const char *impi, *impu, *scheme, *server_name;
	uint32_t item_n;
};

/** SIP-Auth-Data-Item with SIP-Digest-Authenticate */
struct cx_auth_item {
	const char *scheme, *realm, *algorithm, *qop, *ha1;
};

struct cx_maa {
	struct cx_result result;
	const char *impi, *impu;
	struct cx_auth_item items[CX_AUTH_ITEMS_MAX];
	size_t item_n;
};

struct cx_sar { /**< 6.1.2 */
	const char *impi, *impu, *server_name;
	enum cx_sat type;
	bool has_user_data; /**< User-Data-Already-Available */
};

struct cx_saa {
	struct cx_result result;
	const char *impi;
	const char *user_data; /**< XML, NUL behind it */
	size_t user_data_len;
};

struct cx_lir { /**< 6.1.4 */
	const char *impu;
	bool is_originating;
};

struct cx_lia {
	struct cx_result result;
	const char *server_name;
};

/** Deregistration-Reason's Reason-Code */
enum cx_reason {
	CX_PERMANENT_TERMINATION,
	CX_NEW_SERVER_ASSIGNED,
	CX_SERVER_CHANGE,
	CX_REMOVE_S_CSCF
};

struct cx_rtr { /**< 6.1.3, from the HSS */
	const char *impi, *impu;
	enum cx_reason reason;
	const char *reason_info;
};

struct cx_rta {
	struct cx_result result;
};

/* err: 0, ETIMEDOUT, ENOTCONN, or EBADMSG (the answer could not be read);
 * the answer is borrowed, NULL with err */
typedef void cx_uaa_cb(int err, const struct cx_uaa *uaa, void *arg);
typedef void cx_maa_cb(int err, const struct cx_maa *maa, void *arg);
typedef void cx_saa_cb(int err, const struct cx_saa *saa, void *arg);
typedef void cx_lia_cb(int err, const struct cx_lia *lia, void *arg);
typedef void cx_rta_cb(int err, const struct cx_rta *rta, void *arg);

/** The other side's requests to a client; may be NULL. Answer with cx_tx_rta */
typedef void cx_rtr_cb(struct cx_req *req, const struct cx_rtr *rtr, void *arg);
/** The peer's connection is open (capabilities exchanged), or lost */
typedef void cx_state_cb(bool is_open, void *arg);

/** One Diameter node; strings are copied */
struct cx_cfg {
	const char
		*address; /**< client: the peer's; server: ours, port 0: any */
	const char *bind; /**< client: local address without port, or NULL */
	const char *origin_host, *origin_realm;
	const char *destination_realm; /**< client */
};

/* Client: I-CSCF and S-CSCF. Reconnects by itself (RFC 6733 2.1). A request
 * while the peer is down fails with ENOTCONN, from the loop. A pending one
 * whose arg's owner goes away is forgotten with cx_forget(). */
int cx_new(struct cx **cxp, struct element *el, const struct cx_cfg *cfg,
	   char **reasonp);
struct cx *cx_free(struct cx *cx);
void cx_on_state(struct cx *cx, cx_state_cb *cb, void *arg);
void cx_on_rtr(struct cx *cx, cx_rtr_cb *cb, void *arg);
bool cx_is_open(const struct cx *cx);
/** Disconnect (DPR) and stay so: for SIGTERM; cx_on_state() tells the end */
void cx_close(struct cx *cx);
void cx_leave(struct cx *cx);
void cx_tx_uar(struct cx *cx, const struct cx_uar *uar, cx_uaa_cb *cb,
	       void *arg);
void cx_tx_mar(struct cx *cx, const struct cx_mar *mar, cx_maa_cb *cb,
	       void *arg);
void cx_tx_sar(struct cx *cx, const struct cx_sar *sar, cx_saa_cb *cb,
	       void *arg);
void cx_tx_lir(struct cx *cx, const struct cx_lir *lir, cx_lia_cb *cb,
	       void *arg);
void cx_forget(struct cx *cx, const void *arg);
void cx_tx_rta(struct cx_req *req, const struct cx_rta *rta);

/** Server's side of each request: answer once, now or later, by cx_tx_…a() */
struct cx_server_ops {
	void (*uar)(struct cx_req *req, const struct cx_uar *uar, void *arg);
	void (*mar)(struct cx_req *req, const struct cx_mar *mar, void *arg);
	void (*sar)(struct cx_req *req, const struct cx_sar *sar, void *arg);
	void (*lir)(struct cx_req *req, const struct cx_lir *lir, void *arg);
};

int cx_server_new(struct cx_server **sp, struct element *el,
		  const struct cx_cfg *cfg, const struct cx_server_ops *ops,
		  void *arg, char **reasonp);
struct cx_server *cx_server_free(struct cx_server *server);
const char *cx_server_addr(const struct cx_server *server);
void cx_tx_uaa(struct cx_req *req, const struct cx_uaa *uaa);
void cx_tx_maa(struct cx_req *req, const struct cx_maa *maa);
void cx_tx_saa(struct cx_req *req, const struct cx_saa *saa);
void cx_tx_lia(struct cx_req *req, const struct cx_lia *lia);
/** To the S-CSCF whose peer's Origin-Host serves server_name; cb may get
 * ETIMEDOUT: a peer may never answer */
void cx_tx_rtr(struct cx_server *server, const char *server_name,
	       const struct cx_rtr *rtr, cx_rta_cb *cb, void *arg);

const char *cx_result_name(const struct cx_result *result);

#endif
