/** @file pcscf_reg_event.h  The P-CSCF subscribes to registrations
 *
 * TS 24.229 5.2.3: what the network ends without the UE is learned by the reg
 * event package (RFC 3680).
 */
#ifndef SIPSHARE_PCSCF_REG_EVENT_H
#define SIPSHARE_PCSCF_REG_EVENT_H

#include "ims_core/pcscf/pcscf_core.h"

void pcscf_reg_event_subscribe(struct pcscf *pcscf, const char *impu,
			       const char *service_route);
void pcscf_reg_event_close(struct pcscf *pcscf);

#endif
