/** @file scscf_release.h  The S-CSCF ends sessions (TS 24.229 5.4.5.1) */
#ifndef SIPSHARE_SCSCF_RELEASE_H
#define SIPSHARE_SCSCF_RELEASE_H

#include "ims_core/scscf/scscf_core.h"

/* Why, as RFC 3326 writes it: the user is not there any more, by whose will */
#define SCSCF_REASON_NETWORK                                                   \
	"SIP;cause=480;text=\"deregistered by the network\""
#define SCSCF_REASON_EXPIRED "SIP;cause=480;text=\"registration expired\""
#define SCSCF_REASON_USER "SIP;cause=480;text=\"deregistered\""

void scscf_release(const struct scscf_reg *reg, const url_t *contact,
		   const char *reason);
void scscf_release_late(struct scscf *scscf, const sip_t *ack);
void scscf_releases_free(struct scscf *scscf);

#endif
