/** @file digest.h  HTTP Digest for SIP: MD5 and SHA-256 (RFC 7616, RFC 8760)
 *
 * Pure functions; the same for who challenges and who answers.
 */
#ifndef SIPSHARE_DIGEST_H
#define SIPSHARE_DIGEST_H

#include <stdbool.h>

enum digest_alg { DIGEST_MD5, DIGEST_SHA256, DIGEST_ALG_N };
enum { DIGEST_HEX_LEN = 65 }; /**< SHA-256 in hex, with its NUL */

/** What a response is computed from; all borrowed. qop NULL or "": RFC 2069 */
struct digest_input {
	enum digest_alg alg;
	const char *ha1; /**< hex */
	const char *method;
	const char *uri;
	const char *nonce;
	const char *nc; /**< "00000001" */
	const char *cnonce;
	const char *qop;  /**< "auth" or "auth-int" */
	const char *body; /**< of auth-int; NULL: empty */
};

const char *digest_alg_name(enum digest_alg alg);
int digest_alg_parse(enum digest_alg *algp, const char *name);
void digest_ha1(char hex[static DIGEST_HEX_LEN], enum digest_alg alg,
		const char *user, const char *realm, const char *password);
void digest_response(char hex[static DIGEST_HEX_LEN],
		     const struct digest_input *in);
bool digest_equal(const char *a, const char *b);
void digest_nonce(char hex[static DIGEST_HEX_LEN]);

#endif
