/** @file terminal_call_sip.h  Between the files of a call's edge
 *
 * terminal_call_sip.c has the dialog, terminal_call_out_sip.c the calling side
 * (TS 24.229 5.1.3), terminal_call_in_sip.c the called one (5.1.4).
 */
#ifndef SIPSHARE_TERMINAL_CALL_SIP_H
#define SIPSHARE_TERMINAL_CALL_SIP_H

#include <sofia-sip/nta.h>
#include <sofia-sip/sip.h>

#include "terminal/terminal_call_parts.h"

#define UE_ALLOWED "INVITE, ACK, CANCEL, BYE, OPTIONS"

/** Dialog and transactions of a call. Owned by the call */
struct ue_call_sip {
	struct ue_call *call;
	nta_leg_t *leg;
	nta_outgoing_t *invite, *bye;
	nta_incoming_t *irq; /**< INVITE or re-INVITE, till its ACK */
	char *contact;       /**< "<sip:ue7@127.1.3.1:5060>" */
};

struct ue_call_sip *ue_call_sip_new(struct ue_call *call);
struct call_body ue_sip_body(const sip_t *sip);
bool ue_sip_is_sdp(const sip_t *sip);

/* callbacks of the library; magic is the struct ue_call_sip */
int ue_sip_on_dialog(nta_leg_magic_t *magic, nta_leg_t *leg,
		     nta_incoming_t *irq, const sip_t *sip);
int ue_sip_on_ack_or_cancel(nta_incoming_magic_t *magic, nta_incoming_t *irq,
			    const sip_t *sip);

#endif
