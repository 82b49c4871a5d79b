/** @file scscf_reg_event.h  The reg event package (RFC 3680, TS 24.229 5.4.2.1)
 *
 * Who subscribes to a registration is told what becomes of it: the P-CSCF,
 * which has to forget one that the network ends, and the user's own UE.
 */
#ifndef SIPSHARE_SCSCF_REG_EVENT_H
#define SIPSHARE_SCSCF_REG_EVENT_H

#include "ims_core/scscf/scscf_reg.h"

void scscf_reg_event_rx_subscribe(struct scscf *scscf, nta_incoming_t *irq,
				  const sip_t *sip);
void scscf_reg_event_bound(const struct scscf_reg *reg);
void scscf_reg_event_ended(const struct scscf_reg *reg, int event);
void scscf_reg_event_close(struct scscf *scscf);

#endif
