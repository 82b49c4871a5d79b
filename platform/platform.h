/** @file platform.h  SIP-URI management platform (CN103516675A, Fig. 3, 8)
 *
 * Takes the batch of SIP-URIs from the BOSS (S401), lends them to the
 * application server (S404 to S406), takes them back (S410, S411), and
 * deregisters them at the IMS before they are lent again (S413, S414).
 */
#ifndef SIPSHARE_PLATFORM_H
#define SIPSHARE_PLATFORM_H

struct element;
struct plat;

/** What the command line gives; borrowed until plat_new() returns */
struct plat_cfg {
	const char *https;     /**< listen: "127.0.0.1:8443" */
	const char *sip;       /**< listen: "127.0.0.1:5060" */
	const char *store;     /**< file, or "memory" */
	const char *cert, *ca; /**< PEM files */
	const char *pcscf;     /**< where REGISTER goes: "sip:127.0.0.1:5061" */
	const char *policy;    /**< "round-robin" or "idle-queue" */
	const char *pool_file; /**< NULL: none */
	const char *realm;     /**< home domain: "ims.test" */
	int waiting_max;       /**< apply messages that may wait; 0: none */
	const char *boss; /**< "https://127.0.0.1:8443"; NULL: passwords stay */
};

int plat_new(struct plat **pp, struct element *el, const struct plat_cfg *cfg,
	     char **reasonp);
struct plat *plat_free(struct plat *plat);
const char *plat_https_addr(const struct plat *plat);
const char *plat_sip_addr(const struct plat *plat);

#endif
