/** @file hss.h  Home Subscriber Server: Cx for the CSCFs, SOAP for the BOSS
 *
 * Keeps every account: identities, hashes of the password, registration state
 * and the S-CSCF given (TS 29.228). What is answered is on disk first.
 */
#ifndef SIPSHARE_HSS_H
#define SIPSHARE_HSS_H

#include <jansson.h>

#include "common/opt.h"

struct element;
struct hss;

/** Strings are borrowed until hss_new() returns */
struct hss_cfg {
	const char *diameter;    /**< Cx listens here, port 0: any */
	const char *soap;        /**< provisioning listens here */
	const char *store;       /**< file, or "memory" */
	const char *realm;       /**< of Diameter and of the accounts */
	const char *origin_host; /**< NULL: hss.REALM */
	const char *cert, *ca;   /**< PEM files */
	const char *scscf;       /**< Server-Name for a user who has none yet */
	struct opt_list appservers; /**< in the initial filter criteria, in
					 this order */
	const char *soap_client;    /**< CN that may provision; "": any */
	struct opt_list visited;    /**< networks that users may roam into;
					 none: all */
};

int hss_new(struct hss **hssp, struct element *el, const struct hss_cfg *cfg,
	    char **reasonp);
struct hss *hss_free(struct hss *hss);
json_t *hss_addresses(const struct hss *hss);

#endif
