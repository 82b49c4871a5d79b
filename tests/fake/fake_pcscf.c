#include "tests/fake/fake_pcscf.h"

#include <stdio.h>
#include <stdlib.h>

#include <check.h>
#include <sofia-sip/auth_digest.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>

#include "common/digest.h"
#include "common/mem.h"
#include "common/sipep.h"

static bool is_right(struct fake_pcscf *fr, const sip_t *sip)
{
	auth_response_t ar = { .ar_size = sizeof(ar) };
	char ha1[DIGEST_HEX_LEN], want[DIGEST_HEX_LEN];
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct digest_input in = { .alg = DIGEST_MD5,
				   .ha1 = ha1,
				   .method = "REGISTER" };
	bool is_it = false;

	if (sip->sip_authorization &&
	    auth_digest_response_get(home, &ar,
				     sip->sip_authorization->au_params) > 0 &&
	    ar.ar_username && ar.ar_response && *ar.ar_response) {
		snprintf(fr->user, sizeof(fr->user), "%s", ar.ar_username);
		digest_ha1(ha1, DIGEST_MD5, ar.ar_username, "ims.test",
			   fr->password);
		in.uri = ar.ar_uri;
		in.nonce = ar.ar_nonce;
		in.nc = ar.ar_nc;
		in.cnonce = ar.ar_cnonce;
		in.qop = ar.ar_qop;
		digest_response(want, &in);
		is_it = digest_equal(want, ar.ar_response);
	}
	su_home_deinit(home);

	return is_it;
}

static void on_register(struct fake_pcscf *fr, nta_incoming_t *irq,
			const sip_t *sip)
{
	char expires[16];

	fr->registers++;
	snprintf(fr->contact, sizeof(fr->contact), URL_PRINT_FORMAT,
		 URL_PRINT_ARGS(sip->sip_contact->m_url));
	snprintf(fr->aor, sizeof(fr->aor), URL_PRINT_FORMAT,
		 URL_PRINT_ARGS(sip->sip_to->a_url));
	if (fr->status) {
		nta_incoming_treply(irq, fr->status,
				    sip_status_phrase(fr->status), TAG_END());
		return;
	}
	if (!is_right(fr, sip)) {
		nta_incoming_treply(
			irq, SIP_401_UNAUTHORIZED,
			SIPTAG_WWW_AUTHENTICATE_STR(
				"Digest realm=\"ims.test\", nonce=\"n1\", "
				"algorithm=MD5, qop=\"auth\""),
			TAG_END());
		return;
	}
	fr->registered++;
	snprintf(expires, sizeof(expires), "%d", fr->expires_s);
	nta_incoming_treply(irq, SIP_200_OK, SIPTAG_EXPIRES_STR(expires),
			    TAG_END());
}

/* To where its Request-URI says; as this one does not record its route, what
 * follows in the dialog goes past it */
static void pass_on(struct fake_pcscf *fr, nta_incoming_t *irq,
		    const sip_t *sip)
{
	const url_t *url = sip->sip_request->rq_url;
	struct sipep_route route = { 0 };
	char next_hop[128];

	fr->invites++;
	snprintf(next_hop, sizeof(next_hop), "sip:%s:%s", url->url_host,
		 url->url_port ? url->url_port : "5060");
	route.next_hop = next_hop;
	(void)sipep_forward(fr->ep, irq, &route);
}

static void on_request(nta_incoming_t *irq, const sip_t *sip, void *arg)
{
	if (sip->sip_request->rq_method == sip_method_invite)
		pass_on(arg, irq, sip);
	else if (sip->sip_request->rq_method == sip_method_register)
		on_register(arg, irq, sip);
}

struct fake_pcscf *fake_pcscf_new(struct element *el)
{
	const struct sipep_cfg cfg = { .listen = "127.0.0.1:0",
				       .allow = "REGISTER, INVITE, CANCEL, "
						"ACK",
				       .supported = "path" };
	struct fake_pcscf *fr = xcalloc(1, sizeof(*fr));
	char *reason = NULL;

	fr->password = "pw-1";
	fr->expires_s = 3600;
	ck_assert_msg(!sipep_new(&fr->ep, el, &cfg, on_request, fr, &reason),
		      "%s", reason);
	snprintf(fr->uri, sizeof(fr->uri), "sip:%s", sipep_addr(fr->ep));

	return fr;
}

struct fake_pcscf *fake_pcscf_free(struct fake_pcscf *fr)
{
	if (fr) {
		sipep_free(fr->ep);
		free(fr);
	}

	return NULL;
}
