/** @file sipep_priv.h  Between the parts of the SIP endpoint */
#ifndef SIPSHARE_SIPEP_PRIV_H
#define SIPSHARE_SIPEP_PRIV_H

#include "common/addr.h"
#include "common/sipep.h"

struct sipep_held;

/** Owned by its role */
struct sipep {
	struct element *el;
	nta_agent_t *agent;
	nta_leg_t *leg;     /* the agent's default: requests outside dialogs */
	struct sipep *next; /* registry: the library's hooks find us */
	sipep_request_cb *cb;
	sipep_again_cb *again;
	void *arg;
	char *allow;
	bool is_proxy;
	sip_supported_t *supported;
	su_home_t home[1];
	struct sipep_fwd *fwds;
	struct sipep_held *held;
	char addr[ADDR_TEXT_LEN];
};

/* sipep_trace.c */
void sipep_register(struct sipep *ep);
void sipep_unregister(struct sipep *ep);
void sipep_drop_held(struct sipep *ep);

enum sipep_branch_state {
	BRANCH_CALLING,    /* no response yet */
	BRANCH_PROCEEDING, /* a provisional one: CANCEL may be sent */
	BRANCH_CANCELLED,  /* CANCEL was sent */
	BRANCH_ENDED       /* final response, or none will come */
};

/** A client transaction of a forwarded request; owned by its forward */
struct sipep_branch {
	struct sipep_branch *next;
	struct sipep_fwd *fwd;
	nta_outgoing_t *orq;
	struct sipep_route route;
	char *next_hop;
	enum sipep_branch_state state;
	bool is_given_up;    /* CANCEL is to be sent once it may be */
	struct timer *timer; /* INVITE: timer C; after CANCEL its bound */
	int status;          /* of the end */
	msg_t *final;        /* the final response; NULL: none came */
};

/** A request on its way (RFC 3261 16.6, 16.7): a server transaction and its
 * branches. Owned by its endpoint; gone when all branches have ended */
struct sipep_fwd {
	struct sipep_fwd *next;
	struct sipep *ep;
	nta_incoming_t *irq;
	sip_method_t method;
	bool is_heard;     /* a provisional response was passed back */
	bool is_cancelled; /* by the client */
	bool is_answered;  /* a final response was passed back */
	struct sipep_branch *branches;
};

/* sipep_fwd.c */
void sipep_drop_forwards(struct sipep *ep);
void sipep_rx_provisional(struct sipep_branch *branch, int status);
void sipep_rx_final(struct sipep_branch *branch);

/* sipep_branch.c */
int sipep_branch_add(struct sipep_fwd *fwd, const struct sipep_route *route);
struct sipep_branch *sipep_branch_free(struct sipep_branch *branch);
void sipep_branch_cancel(struct sipep_branch *branch);

/* sipep_stateless.c */
msg_t *sipep_prepare(const struct sipep *ep, nta_incoming_t *irq,
		     const struct sipep_route *route);
int sipep_forward_ack(struct sipep *ep, nta_incoming_t *irq,
		      const struct sipep_route *route);
void sipep_pass_again(struct sipep *ep, msg_t *msg);
bool sipep_pass_stray(struct sipep *ep, msg_t *msg, const sip_t *sip);

#endif
