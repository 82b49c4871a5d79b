/** @file ims_headers.h  What the CSCFs read from and write into SIP headers
 *
 * Identities and credentials of a REGISTER (TS 24.229 5.4.1.2), and the
 * headers of RFC 7315 that the SIP library does not know. Text only: nothing
 * here sends or receives.
 */
#ifndef SIPSHARE_IMS_HEADERS_H
#define SIPSHARE_IMS_HEADERS_H

#include <stdbool.h>

#include <sofia-sip/sip.h>
#include <sofia-sip/su_alloc.h>

/** Digest credentials of an Authorization, unquoted; NULL where absent */
struct ims_credentials {
	const char *username, *realm, *nonce, *uri, *response;
	const char *algorithm, *qop, *nc, *cnonce;
};

bool ims_credentials_get(struct ims_credentials *cred, su_home_t *home,
			 const sip_t *sip);
char *ims_impu(su_home_t *home, const url_t *url);
char *ims_impi(su_home_t *home, const sip_t *sip);

bool ims_is_deregister(const sip_t *sip);
const char *ims_header_get(const sip_t *sip, const char *name);
void ims_header_remove(msg_t *msg, sip_t *sip, const char *name);
void ims_header_add(msg_t *msg, sip_t *sip, const char *name,
		    const char *value);
void ims_route_push(msg_t *msg, sip_t *sip, const char *text);
void ims_request_uri_set(msg_t *msg, sip_t *sip, const char *uri);
char *ims_asserted(su_home_t *home, const sip_t *sip);
char *ims_charging_vector(const char *generated_at);
char *ims_warning(const char *agent, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *ims_next_hop(const char *where, const sip_t *sip);

#endif
