/** @file scscf.h  S-CSCF: registrar and session control (TS 24.229 5.4)
 *
 * Interfaces: Mw (I-CSCF) and ISC (application servers) by SIP, Cx (HSS) by
 * Diameter. Each procedure is a file of its own:
 *   scscf_register.c                REGISTER comes in, which procedure is it
 *   scscf_register_challenge.c      not authenticated yet: MAR, 401
 *   scscf_register_authenticated.c  authenticated: SAR, 200
 *   scscf_deregister.c              by expiry, by the HSS, by an AS's failure
 *   scscf_third_party.c             third-party REGISTER to the AS
 *   scscf_session.c                 another request comes in
 *   scscf_session_orig.c            from a user served here
 *   scscf_session_term.c            for a user served here
 *   scscf_isc.c                     through the AS in its way
 */
#ifndef SIPSHARE_SCSCF_H
#define SIPSHARE_SCSCF_H

struct element;
struct scscf;

/** Strings are copied */
struct scscf_cfg {
	const char *listen; /**< "127.1.1.3:5060", port 0: any */
	const char *hss;    /**< "127.1.1.4:3868" */
	const char *icscf;  /**< "127.1.1.2:5060", for calls within the
				 domain; NULL: there are none */
	const char *realm, *origin_host;
	const char *name;   /**< Server-Name; NULL: "sip:" and where it
				 listens */
	const char *digest; /**< algorithms offered: "md5", "sha-256", "both" */
};

int scscf_new(struct scscf **sp, struct element *el,
	      const struct scscf_cfg *cfg, char **reasonp);
struct scscf *scscf_free(struct scscf *scscf);
const char *scscf_addr(const struct scscf *scscf);

#endif
