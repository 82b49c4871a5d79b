#include "common/sipreg.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <sofia-sip/auth_digest.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tagarg.h>

#include "common/digest.h"
#include "common/mem.h"
#include "common/sipep.h"
#include "common/timer.h"

enum { ATTEMPTS_MAX = 3 }; /* without, with, and once more when stale */

/** One registration's client side: a Call-ID and a growing CSeq (RFC 3261
 * 10.2). Owned by its role */
struct sipreg {
	struct sipep *ep;
	nta_leg_t *leg;
	nta_outgoing_t *orq;
	char *registrar, *next_hop, *aor, *user, *contact, *extra;
	char *body, *body_type;
	char *password; /* wiped when freed */
	int expires_s, attempts;
	struct timer *unsent; /* tells of a request that could not be made */
	sipreg_cb *cb;
	void *arg;
};

/** The challenge that is answered: the first whose algorithm we know, since
 * servers list the strongest first (RFC 8760 2.4) */
struct challenge {
	auth_challenge_t ac;
	enum digest_alg alg;
};

static char *uri_header(const char *uri)
{
	return uri && uri[0] != '<' && strcmp(uri, "*") != 0
		       ? xasprintf("<%s>", uri)
		       : xstrdup(uri);
}

static void on_unsent(void *arg)
{
	struct sipreg *reg = arg;
	struct sipreg_result r = { .status = 503,
				   .phrase = "REGISTER could not be made; "
					     "are its URIs right?" };

	reg->cb(&r, reg->arg); /* may free reg */
}

/** Make a client for one binding; cfg is copied, nothing is sent yet */
struct sipreg *sipreg_new(struct sipep *ep, const struct sipreg_cfg *cfg,
			  sipreg_cb *cb, void *arg)
{
	struct sipreg *reg = xcalloc(1, sizeof(*reg));
	char *from = uri_header(cfg->from ? cfg->from : cfg->aor);
	char *to = uri_header(cfg->aor);

	reg->ep = ep;
	reg->registrar = xstrdup(cfg->registrar);
	reg->next_hop = xstrdup(cfg->next_hop);
	reg->aor = xstrdup(cfg->aor);
	reg->user = xstrdup(cfg->user);
	reg->password = xstrdup(cfg->password);
	reg->contact = uri_header(cfg->contact);
	reg->extra = xstrdup(cfg->extra);
	reg->body = xstrdup(cfg->body);
	reg->body_type = xstrdup(cfg->body_type);
	reg->expires_s = cfg->expires_s;
	reg->cb = cb;
	reg->arg = arg;
	reg->leg = nta_leg_tcreate(sipep_agent(ep), NULL, NULL,
				   SIPTAG_FROM_STR(from), SIPTAG_TO_STR(to),
				   TAG_END());
	nta_leg_tag(reg->leg, NULL);
	reg->unsent = timer_new(sipep_loop(ep), on_unsent, reg);
	free(from);
	free(to);

	return reg;
}

/** Free; an answer that is under way is not waited for */
struct sipreg *sipreg_free(struct sipreg *reg)
{
	if (!reg)
		return NULL;

	timer_free(reg->unsent);
	nta_outgoing_destroy(reg->orq);
	nta_leg_destroy(reg->leg);
	if (reg->password)
		OPENSSL_cleanse(reg->password, strlen(reg->password));
	free(reg->password);
	free(reg->registrar);
	free(reg->next_hop);
	free(reg->aor);
	free(reg->user);
	free(reg->contact);
	free(reg->extra);
	free(reg->body);
	free(reg->body_type);
	free(reg);

	return NULL;
}

static bool find_challenge(struct challenge *found, su_home_t *home,
			   const sip_www_authenticate_t *www)
{
	for (; www; www = www->au_next) {
		auth_challenge_t ac = { .ac_size = sizeof(ac) };

		if (auth_digest_challenge_get(home, &ac, www->au_params) < 1 ||
		    !ac.ac_realm || !ac.ac_nonce ||
		    digest_alg_parse(&found->alg, ac.ac_algorithm))
			continue;
		found->ac = ac;
		return true;
	}

	return false;
}

/* RFC 7616 3.4: a fresh nonce each time, so nc is always 1 */
static char *make_credentials(const struct sipreg *reg,
			      const struct challenge *c)
{
	char ha1[DIGEST_HEX_LEN], response[DIGEST_HEX_LEN];
	char cnonce[DIGEST_HEX_LEN];
	const char *opaque = c->ac.ac_opaque;
	bool has_qop = c->ac.ac_qop && c->ac.ac_auth;
	struct digest_input in = { .alg = c->alg,
				   .ha1 = ha1,
				   .method = "REGISTER",
				   .uri = reg->registrar,
				   .nonce = c->ac.ac_nonce,
				   .nc = "00000001",
				   .cnonce = cnonce,
				   .qop = has_qop ? "auth" : NULL };
	char *text, *qop = NULL;

	digest_nonce(cnonce);
	digest_ha1(ha1, c->alg, reg->user, c->ac.ac_realm, reg->password);
	digest_response(response, &in);
	OPENSSL_cleanse(ha1, sizeof(ha1));
	if (has_qop)
		qop = xasprintf(", qop=auth, nc=00000001, cnonce=\"%s\"",
				cnonce);
	text = xasprintf("Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", "
			 "uri=\"%s\", response=\"%s\", algorithm=%s%s%s%s%s",
			 reg->user, c->ac.ac_realm, c->ac.ac_nonce,
			 reg->registrar, response, digest_alg_name(c->alg),
			 qop ? qop : "", opaque ? ", opaque=\"" : "",
			 opaque ? opaque : "", opaque ? "\"" : "");
	free(qop);

	return text;
}

/* TS 24.229 5.1.1.2.1: the first REGISTER names the private identity already */
static char *first_credentials(const struct sipreg *reg)
{
	const char *realm = strchr(reg->user, '@');

	return xasprintf("Digest username=\"%s\", realm=\"%s\", nonce=\"\", "
			 "uri=\"%s\", response=\"\"",
			 reg->user, realm ? realm + 1 : "", reg->registrar);
}

static int granted(const struct sipreg *reg, const sip_t *sip)
{
	const sip_contact_t *m;
	sip_contact_t *ours;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	int expires_s = sip->sip_expires ? (int)sip->sip_expires->ex_delta
					 : reg->expires_s;

	ours = sip_contact_make(home, reg->contact ? reg->contact : "*");
	for (m = sip->sip_contact; ours && m; m = m->m_next)
		if (m->m_expires && !url_cmp(m->m_url, ours->m_url))
			expires_s = atoi(m->m_expires);
	su_home_deinit(home);

	return expires_s;
}

static const char *find_unknown(const sip_t *sip, const char *name)
{
	for (const sip_unknown_t *u = sip->sip_unknown; u; u = u->un_next)
		if (!strcasecmp(u->un_name, name))
			return u->un_value;

	return NULL;
}

/* The whole list, in one line (RFC 3608 5) */
static char *route_text(su_home_t *home, const sip_service_route_t *route)
{
	char *text = NULL;

	for (; route; route = route->r_next) {
		char *one =
			sip_header_as_string(home, (const sip_header_t *)route);

		text = text ? su_sprintf(home, "%s, %s", text, one) : one;
	}

	return text;
}

static void finish(struct sipreg *reg, int status, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct sipreg_result r = { .status = status };

	if (sip && sip->sip_status)
		r.phrase = sip->sip_status->st_phrase;
	else
		r.phrase = status == 408 ? "no answer in time"
					 : "cannot be reached";
	if (sip && status >= 200 && status < 300) {
		r.expires_s = granted(reg, sip);
		r.associated_uri = find_unknown(sip, "P-Associated-URI");
		r.service_route = route_text(home, sip->sip_service_route);
	}
	reg->cb(&r, reg->arg); /* may free reg */
	su_home_deinit(home);
}

static void send_register(struct sipreg *reg, const char *credentials);

/* Whether the challenge was answered by another REGISTER */
static bool answer_challenge(struct sipreg *reg, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct challenge c;
	char *credentials;
	bool is_new;

	if (!reg->user || !reg->password || reg->attempts >= ATTEMPTS_MAX ||
	    !find_challenge(&c, home, sip->sip_www_authenticate)) {
		su_home_deinit(home);
		return false;
	}

	/* after a real answer, only a nonce that grew old is tried again */
	is_new = reg->attempts == 1 || c.ac.ac_stale;
	if (is_new) {
		credentials = make_credentials(reg, &c);
		send_register(reg, credentials);
		free(credentials);
	}
	su_home_deinit(home);

	return is_new;
}

static int on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *orq,
		       const sip_t *sip)
{
	struct sipreg *reg = (struct sipreg *)magic;
	int status = nta_outgoing_status(orq);

	if (status < 200)
		return 0;

	reg->orq = NULL;
	/* S511: [0100] */
	if (status != 401 || !sip || !answer_challenge(reg, sip))
		finish(reg, status, sip);
	nta_outgoing_destroy(orq);

	return 0;
}

static void send_register(struct sipreg *reg, const char *credentials)
{
	char expires[16];

	snprintf(expires, sizeof(expires), "%d", reg->expires_s);
	reg->attempts++;
	reg->orq = nta_outgoing_tcreate(
		reg->leg, on_response, (nta_outgoing_magic_t *)reg,
		URL_STRING_MAKE(reg->next_hop), SIP_METHOD_REGISTER,
		URL_STRING_MAKE(reg->registrar), SIPTAG_MAX_FORWARDS_STR("70"),
		TAG_IF(reg->contact, SIPTAG_CONTACT_STR(reg->contact)),
		SIPTAG_EXPIRES_STR(expires),
		TAG_IF(credentials, SIPTAG_AUTHORIZATION_STR(credentials)),
		SIPTAG_SUPPORTED_STR("path"),
		TAG_IF(reg->extra, SIPTAG_HEADER_STR(reg->extra)),
		TAG_IF(reg->body, SIPTAG_CONTENT_TYPE_STR(reg->body_type)),
		TAG_IF(reg->body, SIPTAG_PAYLOAD_STR(reg->body)), TAG_END());
	if (!reg->orq)
		timer_start_ms(reg->unsent, 0);
}

/**
 * Send REGISTER, answer its challenge, call back with the final response
 *
 * The same object sends the next one too (refresh, deregistration): same
 * Call-ID, next CSeq. One that is under way is given up.
 *
 * @param expires_s Seconds asked for; 0 deregisters
 */
void sipreg_start(struct sipreg *reg, int expires_s)
{
	char *credentials = reg->user ? first_credentials(reg) : NULL;

	nta_outgoing_destroy(reg->orq);
	reg->orq = NULL;
	reg->expires_s = expires_s;
	reg->attempts = 0;
	send_register(reg, credentials); /* S501: [0090] */
	free(credentials);
}
