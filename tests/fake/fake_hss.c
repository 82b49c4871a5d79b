#include "tests/fake/fake_hss.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* One public identity, no criteria: enough for a registration */
static const char profile[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
	"<IMSSubscription><PrivateID>+8657110000001@ims.test</PrivateID>"
	"<ServiceProfile><PublicIdentity>"
	"<Identity>sip:+8657110000001@ims.test</Identity>"
	"</PublicIdentity></ServiceProfile></IMSSubscription>";

static void note(char to[static FAKE_HSS_TEXT], const char *s)
{
	(void)snprintf(to, FAKE_HSS_TEXT, "%s", s ? s : "");
}

static void on_uar(struct cx_req *req, const struct cx_uar *uar, void *arg)
{
	struct fake_hss *hss = arg;

	hss->uar_n++;
	note(hss->seen.impi, uar->impi);
	note(hss->seen.impu, uar->impu);
	note(hss->seen.visited_network, uar->visited_network);
	hss->seen.auth_type = uar->type;
	if (!hss->is_silent)
		cx_tx_uaa(req, &hss->uaa);
}

static void on_mar(struct cx_req *req, const struct cx_mar *mar, void *arg)
{
	struct fake_hss *hss = arg;
	struct cx_maa maa = hss->maa;

	hss->mar_n++;
	note(hss->seen.impi, mar->impi);
	note(hss->seen.impu, mar->impu);
	note(hss->seen.scheme, mar->scheme);
	note(hss->seen.server_name, mar->server_name);
	hss->seen.item_n = mar->item_n;
	if (!maa.impi)
		maa.impi = mar->impi;
	if (!maa.impu)
		maa.impu = mar->impu;
	if (!hss->is_silent)
		cx_tx_maa(req, &maa);
}

static void on_sar(struct cx_req *req, const struct cx_sar *sar, void *arg)
{
	struct fake_hss *hss = arg;
	struct cx_saa saa = hss->saa;

	hss->sar_n++;
	note(hss->seen.impi, sar->impi);
	note(hss->seen.impu, sar->impu);
	note(hss->seen.server_name, sar->server_name);
	hss->seen.sat = sar->type;
	hss->seen.has_user_data = sar->has_user_data;
	if (!saa.impi)
		saa.impi = sar->impi;
	if (!hss->is_silent)
		cx_tx_saa(req, &saa);
}

static void on_lir(struct cx_req *req, const struct cx_lir *lir, void *arg)
{
	struct fake_hss *hss = arg;

	hss->lir_n++;
	note(hss->seen.impu, lir->impu);
	hss->seen.is_originating = lir->is_originating;
	if (!hss->is_silent)
		cx_tx_lia(req, &hss->lia);
}

static const struct cx_server_ops ops = { on_uar, on_mar, on_sar, on_lir };

static void set_defaults(struct fake_hss *hss)
{
	static const struct cx_result ok = { .code = CX_SUCCESS };

	hss->uaa.result = (struct cx_result){ .code = CX_FIRST_REGISTRATION,
					      .is_experimental = true };
	hss->uaa.server_name = "sip:scscf.ims.test";
	hss->maa.result = ok;
	hss->saa.result = ok;
	hss->saa.user_data = profile;
	hss->saa.user_data_len = strlen(profile);
	hss->lia.result = ok;
	hss->lia.server_name = "sip:scscf.ims.test";
	/* MD5("+8657110000001@ims.test:ims.test:secret") */
	fake_hss_set_digest(hss, "ims.test", "MD5",
			    "365cdbf8cfe717048acb934da634fb84");
}

/** An HSS on 127.0.0.1, any port; ends the test when it cannot listen */
struct fake_hss *fake_hss_new(struct element *el)
{
	struct fake_hss *hss = xcalloc(1, sizeof(*hss));
	const struct cx_cfg cfg = { .address = "127.0.0.1:0",
				    .origin_host = "hss.ims.test",
				    .origin_realm = "ims.test" };
	char *reason = NULL;

	set_defaults(hss);
	if (cx_server_new(&hss->server, el, &cfg, &ops, hss, &reason)) {
		(void)fprintf(stderr, "fake_hss: %s\n", reason);
		abort();
	}

	return hss;
}

struct fake_hss *fake_hss_free(struct fake_hss *hss)
{
	if (hss) {
		cx_server_free(hss->server);
		free(hss);
	}

	return NULL;
}

/** Where it listens: "127.0.0.1:PORT" */
const char *fake_hss_addr(const struct fake_hss *hss)
{
	return cx_server_addr(hss->server);
}

/** Answer MARs with this one item; the strings are borrowed */
void fake_hss_set_digest(struct fake_hss *hss, const char *realm,
			 const char *algorithm, const char *ha1)
{
	hss->maa.item_n = 1;
	hss->maa.items[0] = (struct cx_auth_item){ .scheme = "SIP Digest",
						   .realm = realm,
						   .algorithm = algorithm,
						   .qop = "auth",
						   .ha1 = ha1 };
}

static void on_rta(int err, const struct cx_rta *rta, void *arg)
{
	struct fake_hss *hss = arg;

	hss->rta_n++;
	hss->rta_err = err;
	hss->rta = (struct cx_result){ 0 };
	if (rta)
		hss->rta = rta->result;
	hss->rta.text = NULL; /* borrowed from the answer */
}

/**
 * Deregister a user at the S-CSCF (TS 29.228 6.1.3); the answer, or its
 * absence, is counted in rta_n
 */
void fake_hss_rtr(struct fake_hss *hss, const char *impi, const char *impu,
		  enum cx_reason reason)
{
	const struct cx_rtr rtr = { .impi = impi,
				    .impu = impu,
				    .reason = reason };

	cx_tx_rtr(hss->server, hss->lia.server_name, &rtr, on_rta, hss);
}
