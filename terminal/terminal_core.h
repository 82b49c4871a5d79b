/** @file terminal_core.h  Inside of the terminal: the role object and its UEs
 *
 * Included by terminal/ alone, and by its unit tests.
 */
#ifndef SIPSHARE_TERMINAL_CORE_H
#define SIPSHARE_TERMINAL_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct ctl_req;
struct element;
struct fsm;
struct https_client;
struct https_resp;
struct sipep;
struct sipreg;
struct sipreg_result;
struct terminal_cfg;
struct ue_call;
struct ue_lease;

/** States of a UE, in the order of their names in terminal_ue.c */
enum ue_state {
	UE_LOGGED_OUT,
	UE_LOGGING_IN,
	UE_LOGGED_IN,
	UE_REQUESTING,
	UE_LEASED,
	UE_REGISTERING,
	UE_REGISTERED,
	UE_ENDING, /**< the call-end message is on its way */
	UE_ENDED,  /**< the AS counts down the maximum use time [0115] */
	UE_RELEASING,
	UE_RELEASED,
	UE_STATE_N
};

/** The first five are what a UE can be told to do */
enum ue_event {
	UE_EV_LOGIN,
	UE_EV_REQUEST,
	UE_EV_REGISTER,
	UE_EV_RELEASE,
	UE_EV_CALL_END,
	UE_EV_ANSWER, /**< from the AS; data: const struct https_resp * */
	UE_EV_RESULT, /**< from the IMS; data: const struct sipreg_result * */
	UE_EV_DUE,
	UE_EVENT_N
};

/** What a UE was told to do is done: result (borrowed, or NULL), or error, a
 * sentence (borrowed). Called once. */
typedef void ue_done_cb(json_t *result, const char *error, void *arg);

/** One UE. Owned by the terminal */
struct ue {
	struct terminal *terminal;
	char *number;    /**< real number, E.164 */
	char *secret;    /**< of its login */
	char *token;     /**< of its login, or NULL */
	char *appserver; /**< URL; NULL: the terminal's */
	unsigned id;     /**< in the Contact: "ue7" */
	struct fsm *fsm;
	enum ue_event op;    /**< what it is doing */
	enum ue_state back;  /**< where a failure leads back to */
	enum ue_event later; /**< came while a refresh was under way */
	int tries;
	struct ue_lease *lease; /**< NULL: none */
	struct sipreg *sipreg;  /**< NULL: not registered */
	int64_t refresh_us;     /**< the registration is due again */
	int64_t limit_us;       /**< the lease is over */
	bool is_registered;
	char *service_route;     /**< of the REGISTER's 200, or NULL */
	struct ue_call *call;    /**< the active one, or NULL */
	struct ue_call *waiting; /**< beside it (TS 24.615), or NULL */
	struct ue_call *ended;   /**< what the last one was, or NULL */
	int answer_mode;         /**< enum ue_answer_mode */
	bool takes_waiting;      /**< as soon as the active one has ended */
	ue_done_cb *done;        /**< NULL: nobody waits */
	void *done_arg;
};

/** An account that a UE has for good; strings are borrowed */
struct ue_account {
	const char *number; /**< real number, the UE's name here */
	const char *uri, *password;
	const char *impi, *realm, *proxy; /**< NULL: the usual one */
};

/** The role. UEs stand in a tree of search.h by their numbers */
struct terminal {
	struct element *el;
	struct https_client *https;
	struct sipep *sip;
	char *appserver; /**< URL without a '/' at its end */
	char *proxy;     /**< P-CSCF of UEs with an account, or NULL */
	void *ues;
	struct ue **by_id; /**< last_id of them, from id 1 on */
	unsigned last_id;
	bool is_draining;
	struct ue *hand; /**< the UE that was given by hand, or NULL */
	int exit_code;
};

/* terminal_ue.c */
struct ue *ue_new(struct terminal *t, const char *number, const char *secret);
struct ue *ue_free(struct ue *ue);
struct ue *ue_find(const struct terminal *t, const char *number);
struct ue *ue_find_id(const struct terminal *t, unsigned id);
void ue_in_use(struct ue *ue);
const char *ue_appserver(const struct ue *ue);
int ue_start(struct ue *ue, enum ue_event op, ue_done_cb *cb, void *arg);
char *ue_why_not(const struct ue *ue, enum ue_event op);

/* terminal_account.c */
int ue_account_new(struct terminal *t, const struct ue_account *account,
		   char **reasonp);

/* terminal_send_011.c */
void ue_tx_login(struct ue *ue);
void ue_tx_request(struct ue *ue);
void ue_tx_release(struct ue *ue);
void ue_tx_call_end(struct ue *ue);

/* terminal_recv_012.c */
void ue_on_answer(const struct https_resp *resp, void *arg);
int ue_recv_token(struct ue *ue, const struct https_resp *resp, char **reasonp);
int ue_recv_lease(struct ue *ue, const struct https_resp *resp, char **reasonp);
int ue_recv_max_use(int *max_use_sp, const struct ue *ue,
		    const struct https_resp *resp, char **reasonp);

/* terminal_register_013.c */
void ue_register(struct ue *ue);
void ue_registered(struct ue *ue, const struct sipreg_result *result);

/* terminal_release_014.c */
struct ue_lease *ue_lease_wipe(struct ue_lease *lease);
void ue_forget(struct ue *ue, const char *why);
bool ue_holds_secret(const struct ue *ue);

/* terminal_sip.c, terminal_ctl.c, terminal_call_ctl.c, terminal_hand.c */
int terminal_sip_open(struct terminal *t, const char *listen, char **reasonp);
void terminal_ctl_open(struct terminal *t);
void terminal_call_ctl_open(struct terminal *t);
struct ue *terminal_ctl_find(struct ctl_req *req, json_t *args,
			     const struct terminal *t);
void terminal_hand_start(struct terminal *t, const struct terminal_cfg *cfg);
void terminal_hand_term(struct terminal *t);

#endif
