/** @file icscf.h  I-CSCF: finds the S-CSCF of a user (TS 24.229 5.3)
 *
 * Interfaces: Mw (P-CSCF, S-CSCF) by SIP, Cx (HSS) by Diameter.
 */
#ifndef SIPSHARE_ICSCF_H
#define SIPSHARE_ICSCF_H

struct element;
struct icscf;

/** Strings are copied */
struct icscf_cfg {
	const char *listen; /**< "127.1.1.2:5060", port 0: any */
	const char *hss;    /**< "127.1.1.4:3868" */
	const char *realm, *origin_host;
	/** S-CSCFs to choose from where the HSS names capabilities, each as
	 * "sip:127.1.1.3:5060" or, with its capabilities behind it,
	 * "sip:127.1.1.3:5060,1,2" */
	const char *const *scscfs;
	int scscf_n;
};

int icscf_new(struct icscf **ip, struct element *el,
	      const struct icscf_cfg *cfg, char **reasonp);
struct icscf *icscf_free(struct icscf *icscf);
const char *icscf_addr(const struct icscf *icscf);

#endif
