/** @file appserver_binding.h  A binding of a SIP-URI to a real number
 *
 * What appserver_binding.c, appserver_platform.c and appserver_timer.c share.
 * A binding lives as long as the role: pointers to it may be kept by requests
 * under way, which the role ends first.
 */
#ifndef SIPSHARE_APPSERVER_BINDING_H
#define SIPSHARE_APPSERVER_BINDING_H

#include <stdint.h>

#include "appserver/appserver_core.h"

struct fsm;
struct fsm_def;

/** States of a real number */
enum as_state {
	AS_NONE,
	AS_REQUESTED, /**< the platform was, or will be, asked */
	AS_BOUND,
	AS_RELEASING, /**< the platform was, or will be, told */
	AS_STATE_N
};

enum as_event {
	AS_EV_WANT_URI,      /**< data: struct https_req * */
	AS_EV_WANT_RELEASE,  /**< the same */
	AS_EV_WANT_CALL_END, /**< the same */
	AS_EV_STORED,        /**< the state's row is on disk; data: int * err */
	AS_EV_LEASE,         /**< data: struct as_answer *, of the platform */
	AS_EV_KEPT,          /**< the lease is on disk; data: int * err */
	AS_EV_RECLAIMED,     /**< the same */
	AS_EV_GONE,          /**< the row has been removed; data: int * err */
	AS_EV_TIMED,         /**< the deadline is on disk; data: int * err */
	AS_EV_SUPERSEDED,    /**< the SIP-URI has a newer lease */
	AS_EV_CALL_MADE,     /**< the number calls; counted in calls already */
	AS_EV_CALL_GOT,      /**< it is called; the same */
	AS_EV_CALL_OVER,     /**< one less */
	AS_EV_REGISTERED,
	AS_EV_DEREGISTERED,
	AS_EV_DUE, /**< see enum as_turn; of a bound number: its time is over */
	AS_EVENT_N
};

/** Whose turn it is while a number is requested or releasing */
enum as_turn {
	AS_OURS,     /**< something is on its way to disk */
	AS_PLATFORM, /**< it was asked; AS_EV_DUE: it takes too long */
	AS_PAUSE     /**< AS_EV_DUE: ask it again */
};

/** Whether the IMS has it registered, since it was bound */
enum as_reg { AS_REG_NEVER, AS_REG_ON, AS_REG_ENDED };

/** A deadline: call-end was said, the time begins when no call is up */
enum { AS_AFTER_CALL = -1 };

/** How the platform answered */
enum as_outcome {
	AS_DONE,    /**< leased; or not leased any more */
	AS_REFUSED, /**< no, and nothing has changed there */
	AS_UNKNOWN  /**< no answer: it may have been done all the same */
};

/** A lease as the platform gives it; borrowed */
struct as_lease {
	const char *uri, *impi, *password;
	int64_t lease_id;
	int64_t expires_s;
};

struct as_answer {
	enum as_outcome outcome;
	int status;        /**< for the terminal, where not AS_DONE */
	int retry_after_s; /**< 0: none */
	const char *text;  /**< what went wrong, and where */
	struct as_lease lease;
};

/** A request of the terminal that waits for the platform */
struct as_waiter {
	struct as_waiter *next;
	struct https_req *req; /**< NULL: the terminal has gone away */
	enum as_want want;
};

struct as_binding {
	struct appserver *as;
	char *number;
	struct fsm *fsm;
	struct as_waiter *waiters;
	char *key; /**< Idempotency-Key of the request for a lease */
	char *uri, *impi, *password;
	int64_t lease_id;
	int64_t expires_s;   /**< by the wall clock, which survives restart */
	int64_t deadline_ms; /**< the same, of the call-end; 0: none, or
				  AS_AFTER_CALL */
	unsigned retries;
	int calls; /**< that are up, or on their way, by or to it */
	enum as_turn turn;
	enum as_reg reg;
	bool is_bound; /**< as.bound was traced, as.unbound was not yet */
};

/* appserver_binding.c */
extern const struct fsm_def as_machine;
void as_binding_clear(struct as_binding *b);

/* appserver_bindings.c */
struct as_binding *as_binding_of_uri(const struct appserver *as,
				     const char *uri);
struct as_binding *as_binding_of_number(const struct appserver *as,
					const char *number);
void as_uri_add(struct as_binding *b);
void as_uri_remove(struct as_binding *b);

/* appserver_waiter.c */
extern const struct as_answer as_broken_store;
void as_wait(struct as_binding *b, enum as_want want, struct https_req *req);
bool as_has_waiter(const struct as_binding *b, enum as_want want);
void as_reply(struct https_req *req, enum as_want want,
	      const struct as_binding *b);
int as_reply_all(struct as_binding *b, enum as_want want,
		 const struct as_answer *refusal);
void as_refuse(struct https_req *req, int status, const char *what,
	       const struct as_binding *b);

/* appserver_store.c */
void as_store_requested(struct as_binding *b);
void as_store_bound(struct as_binding *b);
void as_store_releasing(struct as_binding *b);
void as_store_none(struct as_binding *b, bool is_awaited);
void as_store_deadline(struct as_binding *b);
void as_store_reg(struct as_binding *b);

/* appserver_platform.c */
void as_tx_lease(struct as_binding *b);
void as_tx_reclaim(struct as_binding *b);

/* appserver_timer.c */
int64_t as_wall_ms(void);
void as_timer_arm(struct as_binding *b);
void as_timer_answer(struct as_binding *b);
void as_timer_retry(struct as_binding *b);
bool as_timer_is_due(const struct as_binding *b);
bool as_timer_is_limit(const struct as_binding *b);
int as_timer_left_s(int64_t deadline_ms);

#endif
