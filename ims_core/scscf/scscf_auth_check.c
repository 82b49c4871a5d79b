/* Judging the credentials of a REGISTER (RFC 7616 3.4, RFC 3261 22.4,
 * TS 24.229 5.4.1.2.2). Nothing is sent or changed but the nonce count */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/url.h>

#include "common/element.h"
#include "common/trace.h"
#include "ims_core/scscf/scscf_auth.h"

/** What is said of a verdict */
struct verdict {
	const char *name; /* in the trace */
	const char *text; /* in the Warning */
};

static const struct verdict verdicts[] = {
	[VERDICT_RIGHT] = { "right", "" },
	[VERDICT_NONE] = { "no-credentials", "credentials are needed: answer "
					     "the challenge" },
	[VERDICT_UNKNOWN_NONCE] = { "unknown-nonce",
				    "the nonce is not known here (any more): "
				    "answer the new challenge" },
	[VERDICT_REPLAYED] = { "replayed",
			       "the nonce count (nc) was used already: answer "
			       "the new challenge" },
	[VERDICT_OTHER_ALGORITHM] = { "other-algorithm",
				      "the algorithm was not offered: answer "
				      "the new challenge" },
	[VERDICT_WRONG_RESPONSE] = { "wrong-response",
				     "wrong digest: the password is not that "
				     "of this user" },
	[VERDICT_WRONG_USERNAME] = { "wrong-username",
				     "username is not the private identity "
				     "that was challenged" },
	[VERDICT_WRONG_REALM] = { "wrong-realm",
				  "realm is not that of the challenge" },
	[VERDICT_WRONG_URI] = { "wrong-uri",
				"the credentials' uri is neither the home "
				"domain nor where the REGISTER was sent" },
	[VERDICT_MALFORMED] = { "malformed",
				"the credentials lack uri, cnonce or nc, or "
				"their qop or nc cannot be read" },
	[VERDICT_REVOKED] = { "revoked",
			      "the network has ended what this challenge was "
			      "for: the password may be another by now" },
};

const char *scscf_verdict_name(enum scscf_verdict verdict)
{
	return verdicts[verdict].name;
}

const char *scscf_verdict_text(enum scscf_verdict verdict)
{
	return verdicts[verdict].text;
}

/** Tell the trace what was decided about a REGISTER's credentials */
void scscf_auth_trace(const struct scscf_register *rq, const char *result,
		      enum scscf_verdict verdict)
{
	trace_event(rq->scscf->el->trace, "scscf.auth",
		    json_pack("{s:s, s:s, s:s}", "impu", rq->impu, "result",
			      result, "reason", scscf_verdict_name(verdict)));
}

static bool is_host(const char *host, const url_t *url)
{
	return host && url->url_host && !strcasecmp(host, url->url_host);
}

/* The credentials' uri is what the UE wrote into its Request-URI, which the
 * I-CSCF has replaced since: the home domain, or, by clients that know no IMS
 * (SIPp), the P-CSCF's address, which stands in Path */
static bool is_our_uri(const struct scscf_register *rq, const char *text)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	bool is_bare = strncasecmp(text, "sip:", 4) != 0 &&
		       strncasecmp(text, "sips:", 5) != 0 &&
		       strncasecmp(text, "tel:", 4) != 0;
	const url_t *url = url_make(
		home, is_bare ? su_sprintf(home, "sip:%s", text) : text);
	bool is_ours;

	if (!url) {
		su_home_deinit(home);
		return false;
	}

	is_ours = is_host(rq->scscf->realm, url) ||
		  is_host(rq->sip->sip_request->rq_url->url_host, url) ||
		  is_host(rq->sip->sip_to->a_url->url_host, url);
	for (const sip_path_t *p = rq->sip->sip_path; p && !is_ours;
	     p = p->r_next)
		is_ours = is_host(p->r_url->url_host, url);
	su_home_deinit(home);

	return is_ours;
}

/* nc is 8 hex digits; without qop there is none and the nonce counts once
 * (RFC 2617 3.2.2) */
static bool read_nc(unsigned long *ncp, const struct ims_credentials *cred)
{
	char *end;

	if (!cred->qop) {
		*ncp = 1;
		return true;
	}
	if (strcasecmp(cred->qop, "auth") != 0 || !cred->cnonce || !cred->nc ||
	    !isxdigit((unsigned char)*cred->nc))
		return false;
	*ncp = strtoul(cred->nc, &end, 16);

	return !*end && end - cred->nc == 8 && *ncp > 0;
}

static bool is_right_response(const struct scscf_auth *auth,
			      const struct scscf_register *rq,
			      enum digest_alg alg)
{
	const struct ims_credentials *cred = &rq->cred;
	const struct digest_input in = { .alg = alg,
					 .ha1 = auth->ha1[alg].hex,
					 .method = "REGISTER",
					 .uri = cred->uri,
					 .nonce = cred->nonce,
					 .nc = cred->nc,
					 .cnonce = cred->cnonce,
					 .qop = cred->qop };
	char expected[DIGEST_HEX_LEN];

	digest_response(expected, &in);

	return digest_equal(expected, cred->response);
}

/* All but the nonce and its count */
static enum scscf_verdict judge(const struct scscf_auth *auth,
				const struct scscf_register *rq,
				unsigned long *ncp)
{
	const struct ims_credentials *cred = &rq->cred;
	enum digest_alg alg;

	if (!rq->has_cred || !cred->response || !*cred->response)
		return VERDICT_NONE;
	if (!cred->uri || !cred->nonce || !read_nc(ncp, cred))
		return VERDICT_MALFORMED;
	if (!cred->username || strcmp(cred->username, auth->impi) != 0)
		return VERDICT_WRONG_USERNAME;
	if (!cred->realm || strcmp(cred->realm, auth->realm) != 0)
		return VERDICT_WRONG_REALM;
	if (!is_our_uri(rq, cred->uri))
		return VERDICT_WRONG_URI;
	if (digest_alg_parse(&alg, cred->algorithm) || !auth->ha1[alg].is_set)
		return VERDICT_OTHER_ALGORITHM;

	return is_right_response(auth, rq, alg) ? VERDICT_RIGHT
						: VERDICT_WRONG_RESPONSE;
}

/**
 * Judge the credentials of a REGISTER against the challenge they name
 *
 * @param auth Its nonce count grows when they are right
 */
enum scscf_verdict scscf_auth_check(struct scscf_auth *auth,
				    const struct scscf_register *rq)
{
	unsigned long nc = 0;
	enum scscf_verdict verdict = judge(auth, rq, &nc);

	if (verdict != VERDICT_RIGHT)
		return verdict;
	if (nc <= auth->nc)
		return VERDICT_REPLAYED;
	auth->nc = nc;

	return VERDICT_RIGHT;
}

/** Are they right but for the age of their nonce (RFC 7616 3.3, stale)? */
bool scscf_auth_is_stale(const struct scscf_auth *auth,
			 const struct scscf_register *rq)
{
	unsigned long nc;

	return judge(auth, rq, &nc) == VERDICT_RIGHT;
}
