/** @file appserver_call.h  Calls of the AS: a back-to-back user agent
 *
 * In the path of each originating call (TS 24.229 5.7.3): the near leg is the
 * caller's, the far leg goes back to the S-CSCF and on to the callee.
 */
#ifndef SIPSHARE_APPSERVER_CALL_H
#define SIPSHARE_APPSERVER_CALL_H

#include <stdint.h>

#include <sofia-sip/sip.h>

#include "appserver/appserver_core.h"

struct as_binding;
struct as_legs;
struct fsm;

enum as_side { AS_NEAR, AS_FAR, AS_SIDE_N };

enum as_call_event {
	AS_CALL_EV_KEPT,        /**< the CDR's row is on disk; data: int * */
	AS_CALL_EV_PROVISIONAL, /**< of the callee */
	AS_CALL_EV_ANSWER,      /**< 2xx of the callee */
	AS_CALL_EV_REFUSAL,     /**< its other final; data: int * status */
	AS_CALL_EV_CANCEL,      /**< of the caller */
	AS_CALL_EV_ACK,         /**< of the caller, to the 2xx */
	AS_CALL_EV_NO_ACK,      /**< there was none in time, of either side */
	AS_CALL_EV_BYE_NEAR,    /**< received, and answered */
	AS_CALL_EV_BYE_FAR,
	AS_CALL_EV_DONE_NEAR, /**< our BYE was answered, or never will be */
	AS_CALL_EV_DONE_FAR,
	AS_CALL_EV_END,     /**< the AS wants it to end; data: const char *
			       cause of the CDR */
	AS_CALL_EV_TIMEOUT, /**< of a state */
	AS_CALL_EVENT_N
};

/** What the AS is to a call (appserver_chain.c) */
enum as_role {
	AS_PASSING, /**< both sides are other AS's: no record */
	AS_ORIGINATING,
	AS_TERMINATING /**< the caller is another's */
};

/** One end of a call, as charging names it ([0087]) */
struct as_party {
	char *uri;        /**< SIP-URI */
	char *number;     /**< real number; NULL: none is known */
	int64_t lease_id; /**< 0: an account of its own */
};

/** Call detail record */
struct as_cdr {
	struct as_cdr *next;
	struct appserver *as;
	int64_t id; /**< of its row */
	enum as_role role;
	char *call_id;
	char *icid; /**< the call's at all AS; NULL: none came */
	int64_t start_ms, answer_ms, end_ms; /**< since 1970; 0: not */
	int status;                          /**< of the INVITE; 0: none */
	char cause[24];
	struct as_party party[AS_SIDE_N];
};

/** Owned by the role, till the turn after its end */
struct as_call {
	struct as_call *next;
	struct appserver *as;
	int64_t id; /**< of its CDR */
	struct fsm *fsm;
	struct as_cdr *cdr; /**< NULL: completed, charged no more */
	struct as_binding *user[AS_SIDE_N]; /**< NULL: no lease */
	struct as_legs *legs;
	char *shown;   /**< number for From's display; NULL: none */
	char *from;    /**< URI for From; NULL: as it came */
	char *target;  /**< Request-URI of the far leg */
	char *reason;  /**< Reason of the BYE or CANCEL; NULL: none */
	unsigned open; /**< FSM_BIT(side) whose BYE is unanswered */
	int pending;   /**< its rows on their way to disk */
	bool is_over;
};

/* appserver_call.c: the state machine */
void as_call_start(struct as_call *call, const char *refusal);
void as_call_tell(struct as_call *call, enum as_call_event event, void *data);
bool as_call_is_up(const struct as_call *call);
bool as_call_is_ending(const struct as_call *call);

/* appserver_calls.c: all calls, and what they mean to leases */
struct as_call *as_call_new(struct appserver *as, const char *call_id,
			    struct as_party party[AS_SIDE_N]);
struct as_call *as_call_find(const struct appserver *as, int64_t id);
int as_calls_made_by(const struct appserver *as, const char *uri);
void as_call_charge_end(struct as_call *call, int status, const char *cause);
void as_call_over(struct as_call *call);

/* appserver_number.c */
enum as_display {
	AS_DISPLAY_TRUE,   /**< the caller's own number */
	AS_DISPLAY_FILLED, /**< none was given */
	AS_DISPLAY_FOREIGN
};
enum as_display as_number_check(const char *display, const char *number);
int as_number_caller(const struct appserver *as, const char *uri,
		     struct as_party *party);
int as_number_callee(const struct appserver *as, const url_t *url,
		     struct as_party *party);
void as_party_clear(struct as_party *party);

/* appserver_chain.c: several AS in a call's way */
int as_chain_read(enum as_chain *chainp, const char *name);
const char *as_chain_caller(const struct appserver *as, const char *vector,
			    const char *uri, struct as_party *party,
			    enum as_role *rolep);
char *as_chain_mark(const struct as_call *call, const char *vector);
char *as_chain_icid(const char *vector);

/* appserver_cdr.c; as_cdr_end() takes cdr over */
void as_cdr_begin(struct as_call *call);
void as_cdr_answer(struct as_call *call);
void as_cdr_seen(const struct as_cdr *cdr);
void as_cdr_end(struct as_cdr *cdr, int status, const char *cause);
struct as_cdr *as_cdr_free(struct as_cdr *cdr);

/* appserver_call_sip.c: both legs */
int as_call_tx_invite(struct as_call *call);
void as_call_tx_response(struct as_call *call);
void as_call_tx_status(struct as_call *call, int status, const char *phrase);
void as_call_tx_cancel(struct as_call *call);
void as_call_tx_ack(struct as_call *call);
void as_call_tx_bye(struct as_call *call, enum as_side side);
struct as_legs *as_legs_free(struct as_legs *legs);

#endif
