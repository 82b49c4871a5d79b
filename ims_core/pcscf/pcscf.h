/** @file pcscf.h  P-CSCF: the UE's first contact with the IMS (TS 24.229 5.2)
 *
 * Interfaces: Gm (UE) and Mw (I-CSCF), both SIP over UDP and TCP.
 */
#ifndef SIPSHARE_PCSCF_H
#define SIPSHARE_PCSCF_H

struct element;
struct pcscf;

/** Strings are copied */
struct pcscf_cfg {
	const char *listen;          /**< "127.1.1.1:5060", port 0: any */
	const char *icscf;           /**< "127.1.1.2:5060" or a SIP URI */
	const char *realm;           /**< home domain, "ims.test" */
	const char *visited_network; /**< NULL: the realm */
};

int pcscf_new(struct pcscf **pp, struct element *el,
	      const struct pcscf_cfg *cfg, char **reasonp);
struct pcscf *pcscf_free(struct pcscf *pcscf);
const char *pcscf_addr(const struct pcscf *pcscf);
void pcscf_ready(const struct pcscf *pcscf);

#endif
