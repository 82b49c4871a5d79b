#include "tests/fake/fake_registrar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/auth_digest.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tagarg.h>

#include "common/digest.h"
#include "common/element.h"
#include "common/mem.h"
#include "common/sipep.h"

enum { KEPT_MAX = 64 };

static const char nonce[] = "dcd98b7102dd2f0e8b11d0f600bfb0c0";

struct fake_registrar {
	struct element *el;
	struct sipep *ep;
	char uri[80];
	char password[64];
	int status, count;
	bool is_strict, is_registered;
	struct fake_register last;
	nta_incoming_t *kept[KEPT_MAX];
	int kept_n;
};

static bool is_right(const struct fake_registrar *r,
		     const sip_authorization_t *au)
{
	char ha1[DIGEST_HEX_LEN], want[DIGEST_HEX_LEN];
	su_home_t home[1] = { SU_HOME_INIT(home) };
	auth_response_t ar = { .ar_size = sizeof(ar) };
	bool is_good = false;

	auth_digest_response_get(home, &ar, au->au_params);
	if (ar.ar_username && ar.ar_realm && ar.ar_uri && ar.ar_response &&
	    ar.ar_nonce && !strcmp(ar.ar_nonce, nonce)) {
		struct digest_input in = { .alg = DIGEST_MD5,
					   .ha1 = ha1,
					   .method = "REGISTER",
					   .uri = ar.ar_uri,
					   .nonce = nonce,
					   .nc = ar.ar_nc,
					   .cnonce = ar.ar_cnonce,
					   .qop = ar.ar_qop };

		digest_ha1(ha1, DIGEST_MD5, ar.ar_username, ar.ar_realm,
			   r->password);
		digest_response(want, &in);
		is_good = !strcmp(want, ar.ar_response);
	}
	su_home_deinit(home);

	return is_good;
}

static void record(struct fake_register *last, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	auth_response_t ar = { .ar_size = sizeof(ar) };
	char *to = url_as_string(home, sip->sip_to->a_url);

	memset(last, 0, sizeof(*last));
	snprintf(last->to, sizeof(last->to), "%s", to ? to : "");
	if (sip->sip_contact)
		url_e(last->contact, sizeof(last->contact),
		      sip->sip_contact->m_url);
	if (sip->sip_expires)
		snprintf(last->expires, sizeof(last->expires), "%lu",
			 sip->sip_expires->ex_delta);
	if (sip->sip_authorization) {
		auth_digest_response_get(home, &ar,
					 sip->sip_authorization->au_params);
		snprintf(last->username, sizeof(last->username), "%s",
			 ar.ar_username ? ar.ar_username : "");
	}
	su_home_deinit(home);
}

static int decide(struct fake_registrar *r, const sip_t *sip)
{
	bool is_dereg = sip->sip_expires && !sip->sip_expires->ex_delta;

	if (!r->is_strict)
		return r->status;
	if (is_dereg && !r->is_registered)
		return 403;
	if (r->status == 200)
		r->is_registered = !is_dereg;

	return r->status;
}

static void on_register(nta_incoming_t *irq, const sip_t *sip, void *arg)
{
	struct fake_registrar *r = arg;
	char challenge[160];
	bool is_good = !r->password[0] || (sip->sip_authorization &&
					   is_right(r, sip->sip_authorization));

	if (!is_good) {
		snprintf(challenge, sizeof(challenge),
			 "Digest realm=\"ims.test\", nonce=\"%s\", "
			 "algorithm=MD5, qop=\"auth\"",
			 nonce);
		nta_incoming_treply(irq, SIP_401_UNAUTHORIZED,
				    SIPTAG_WWW_AUTHENTICATE_STR(challenge),
				    TAG_END());
		return;
	}

	r->count++;
	record(&r->last, sip);
	r->last.is_authenticated = is_good && r->password[0];
	if (r->status != FAKE_SILENT)
		nta_incoming_treply(irq, decide(r, sip), NULL, TAG_END());
	else if (r->kept_n < KEPT_MAX)
		r->kept[r->kept_n++] = irq;
}

/** Listens at a port of its own and accepts everything, to begin with */
struct fake_registrar *fake_registrar_new(struct loop *loop)
{
	const struct sipep_cfg cfg = { .listen = "127.0.0.1:0",
				       .allow = "REGISTER",
				       .supported = "path" };
	struct fake_registrar *r = xcalloc(1, sizeof(*r));
	char *reason = NULL;

	r->status = 200;
	r->el = element_new_on(loop, "registrar");
	if (sipep_new(&r->ep, r->el, &cfg, on_register, r, &reason)) {
		fprintf(stderr, "%s\n", reason);
		abort();
	}
	snprintf(r->uri, sizeof(r->uri), "sip:%s", sipep_addr(r->ep));

	return r;
}

struct fake_registrar *fake_registrar_free(struct fake_registrar *r)
{
	if (!r)
		return NULL;

	for (int i = 0; i < r->kept_n; i++)
		nta_incoming_destroy(r->kept[i]);
	sipep_free(r->ep);
	element_free(r->el);
	free(r);

	return NULL;
}

/** Its address as a next hop */
const char *fake_registrar_uri(const struct fake_registrar *r)
{
	return r->uri;
}

/** Answer with this status from now on; FAKE_SILENT keeps the requests */
void fake_registrar_set_status(struct fake_registrar *r, int status)
{
	r->status = status;
}

/** As the network does, 403 to the deregistration of one that is not registered
 * (TS 24.229 5.3.1.3); it is registered by what came, and only then */
void fake_registrar_set_strict(struct fake_registrar *r)
{
	r->is_strict = true;
}

/** Challenge with MD5, qop=auth, until this password is proven */
void fake_registrar_set_password(struct fake_registrar *r, const char *pw)
{
	snprintf(r->password, sizeof(r->password), "%s", pw);
}

/** How many REGISTERs came, those that were challenged not counted */
int fake_registrar_count(const struct fake_registrar *r)
{
	return r->count;
}

const struct fake_register *fake_registrar_last(const struct fake_registrar *r)
{
	return &r->last;
}

/** Answer all that was kept, late; how many there were */
int fake_registrar_answer_kept(struct fake_registrar *r, int status)
{
	int n = r->kept_n;

	for (int i = 0; i < n; i++) {
		nta_incoming_treply(r->kept[i], status, NULL, TAG_END());
		nta_incoming_destroy(r->kept[i]);
	}
	r->kept_n = 0;

	return n;
}
