/** @file pcscf_session.h  Requests under way through the P-CSCF
 *
 * pcscf_session.c has those that begin something (TS 24.229 5.2.6.3.3,
 * 5.2.6.4.3), pcscf_dialog.c those inside a dialog.
 */
#ifndef SIPSHARE_PCSCF_SESSION_H
#define SIPSHARE_PCSCF_SESSION_H

#include "common/dialog.h"
#include "ims_core/pcscf/pcscf_core.h"

/** Owned by the P-CSCF's list until it is answered */
struct pcscf_session {
	su_home_t home[1];
	struct pcscf_session *next, **at;
	struct pcscf *pcscf;
	const sip_t *sip;          /* as it came, for as long as it lasts */
	struct dialog_first first; /* the dialogs that it makes */
	char *identity; /* whom we assert: the caller, or who was called */
	char *routes;   /* of a UE's request: the Route that it gets */
	char *charging; /* P-Charging-Vector; of a called UE kept from it */
};

/* pcscf_session.c */
struct pcscf_session *pcscf_session_new(struct pcscf *pcscf, const sip_t *sip);
void pcscf_session_free(struct pcscf_session *s);
void pcscf_refuse(const struct pcscf *pcscf, nta_incoming_t *irq, int status,
		  const char *phrase, const char *text);
void pcscf_remove_network(msg_t *msg, sip_t *sip);

/* pcscf_dialog.c */
void pcscf_dialog_rx_from_ue(struct pcscf *pcscf, nta_incoming_t *irq,
			     const sip_t *sip, const char *source);
void pcscf_dialog_rx_to_ue(struct pcscf *pcscf, nta_incoming_t *irq,
			   const sip_t *sip);

#endif
