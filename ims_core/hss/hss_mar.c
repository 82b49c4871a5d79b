#include <string.h>

#include "ims_core/hss/hss_core.h"

static const char sip_digest[] = "SIP Digest";

/* Compared without regard to case: deployed CSCFs send "unknown" too */
static bool is_scheme_known(const char *scheme)
{
	return !scheme || !strcasecmp(scheme, sip_digest) ||
	       !strcasecmp(scheme, "Unknown");
}

/**
 * Multimedia-Auth (TS 29.228 6.3.1): may this S-CSCF have the authentication
 * data. S506: [0095]
 */
void hss_mar_decide(struct cx_result *result, struct hss_reg *next,
		    const struct hss_user *user, const struct cx_mar *mar)
{
	if (!hss_check_identities(result, user, mar->impi))
		return;
	if (!is_scheme_known(mar->scheme)) {
		*result = (struct cx_result){
			CX_ERROR_AUTH_SCHEME_NOT_SUPPORTED, true,
			"SIP-Authentication-Scheme is not SIP Digest or "
			"Unknown"
		};
		return;
	}
	if (!mar->server_name) {
		*result = (struct cx_result){ CX_MISSING_AVP, false,
					      "Server-Name is missing" };
		return;
	}

	*result = (struct cx_result){ CX_SUCCESS, false, NULL };
	*next = user->reg;
	if (user->reg.state != HSS_NOT_REGISTERED && user->reg.scscf &&
	    !strcmp(user->reg.scscf, mar->server_name))
		return; /* a re-registration changes nothing */

	next->scscf = mar->server_name;
	next->is_auth_pending = true;
}

static void add_item(struct cx_maa *maa, const struct hss_user *user,
		     enum digest_alg alg)
{
	maa->items[maa->item_n++] = (struct cx_auth_item){
		.scheme = sip_digest,
		.realm = user->realm,
		.algorithm = digest_alg_name(alg),
		.qop = "auth",
		.ha1 = user->ha1[alg],
	};
}

/**
 * The answer's data, one item an algorithm. TS 29.229 knows MD5 alone, so who
 * asks for one item gets that; the better one comes first when two may come
 * (RFC 8760 2.6). S507: [0096]
 */
void hss_mar_fill(struct cx_maa *maa, const struct hss_user *user,
		  const struct cx_mar *mar)
{
	maa->impi = user->impi;
	maa->impu = user->impu;
	if (mar->item_n > 1)
		add_item(maa, user, DIGEST_SHA256);
	add_item(maa, user, DIGEST_MD5);
}
