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
	void *arg;
	char *allow;
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
/* sipep_fwd.c */
void sipep_drop_forwards(struct sipep *ep);
void sipep_cancel_forward(struct sipep *ep, const nta_incoming_t *irq);

#endif
