/* Third-party REGISTER to each application server whose initial filter
 * criterion says so (TS 24.229 5.4.1.7) */
#include <stdlib.h>
#include <string.h>

#include <libxml/tree.h>
#include <sofia-sip/su_alloc.h>

#include "common/element.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/sipreg.h"
#include "common/trace.h"
#include "ims_core/scscf/scscf_profile.h"
#include "ims_core/scscf/scscf_reg.h"

/** One REGISTER under way to an AS; owned by the S-CSCF's list */
struct scscf_third_party {
	struct scscf_third_party *next;
	struct scscf *scscf;
	struct sipreg *sipreg;
	char *impu, *server;
	bool is_terminated; /* DefaultHandling SESSION_TERMINATED */
	bool is_deregister;
};

static void unlink_one(struct scscf_third_party *tp)
{
	struct scscf_third_party **at = &tp->scscf->third_parties;

	while (*at != tp)
		at = &(*at)->next;
	*at = tp->next;
}

static void third_party_free(void *arg)
{
	struct scscf_third_party *tp = arg;

	free(tp->impu);
	free(tp->server);
	free(tp);
}

static void on_failed(const struct scscf_third_party *tp,
		      const struct sipreg_result *result)
{
	log_warn("scscf %s: third-party REGISTER to %s failed: %d %s; by its "
		 "DefaultHandling the registration %s",
		 tp->impu, tp->server, result->status, result->phrase,
		 tp->is_terminated ? "ends" : "goes on");
	if (tp->is_terminated && !tp->is_deregister)
		scscf_deregister_by_as(tp->scscf, tp->impu);
}

/* S521: [0110] */
static void on_answer(const struct sipreg_result *result, void *arg)
{
	struct scscf_third_party *tp = arg;

	trace_event(tp->scscf->el->trace, "scscf.third_party",
		    json_pack("{s:s, s:s, s:i}", "impu", tp->impu, "as",
			      tp->server, "status", result->status));
	unlink_one(tp);
	if (result->status >= 300)
		on_failed(tp, result);
	tp->sipreg = sipreg_free(tp->sipreg);
	loop_defer(tp->scscf->el->loop, third_party_free, tp);
}

/* TS 24.229 7.6: ServiceInfo as the criterion has it, escaped again */
static char *make_body(const char *service_info)
{
	xmlChar *text;
	char *body;

	if (!service_info)
		return NULL;

	text = xmlEncodeSpecialChars(NULL, BAD_CAST service_info);
	body = xasprintf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
			 "<ims-3gpp version=\"1\"><service-info>%s"
			 "</service-info></ims-3gpp>\r\n",
			 (const char *)text);
	xmlFree(text);

	return body;
}

static void put_copy(FILE *f, const sip_t *sip, const char *name)
{
	const char *value = sip ? ims_header_get(sip, name) : NULL;

	if (value)
		fprintf(f, "%s: %s\r\n", name, value);
}

/* What the UE's REGISTER brought is passed on; at expiry the charging vector
 * is a new one (5.4.1.7) */
static char *make_headers(const struct scscf *scscf, const sip_t *sip)
{
	char *text = NULL, *icid;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort();
	put_copy(f, sip, "P-Access-Network-Info");
	put_copy(f, sip, "P-Visited-Network-ID");
	put_copy(f, sip, "P-Charging-Vector");
	if (!sip) {
		icid = ims_charging_vector(scscf->realm);
		fprintf(f, "P-Charging-Vector: %s\r\n", icid);
		free(icid);
	}
	fclose(f);

	return text;
}

/* S520: [0109] */
static void tx_register(struct scscf_reg *reg, const struct scscf_ifc *ifc,
			const struct scscf_news *news)
{
	struct scscf *scscf = reg->scscf;
	struct scscf_third_party *tp = xcalloc(1, sizeof(*tp));
	char *extra = make_headers(scscf, news->sip);
	char *body = make_body(ifc->service_info);
	const struct sipreg_cfg cfg = {
		.registrar = ifc->server,
		.aor = reg->impu,
		.from = scscf->name,
		.contact = scscf->name,
		.expires_s = news->expires_s,
		.extra = extra,
		.body = body,
		.body_type = body ? "application/3gpp-ims+xml" : NULL,
	};

	tp->scscf = scscf;
	tp->impu = xstrdup(reg->impu);
	tp->server = xstrdup(ifc->server);
	tp->is_terminated = ifc->is_terminated;
	tp->is_deregister = news->type == REG_TYPE_DE;
	tp->next = scscf->third_parties;
	scscf->third_parties = tp;
	tp->sipreg = sipreg_new(scscf->ep, &cfg, on_answer, tp);
	sipreg_start(tp->sipreg, news->expires_s);
	free(extra);
	free(body);
}

/**
 * Tell each AS that wants to know that the user has registered, has done so
 * again, or is gone
 */
void scscf_third_party_register(struct scscf_reg *reg,
				const struct scscf_news *news)
{
	const struct scscf_ifc_request rq = {
		.method = "REGISTER",
		.request_uri = reg->scscf->name,
		.sip = news->sip,
		.session_case = CASE_ORIGINATING,
		.reg_type = (enum scscf_reg_type)news->type,
	};
	const struct scscf_ifc *ifc = reg->profile ? reg->profile->ifcs : NULL;

	for (; ifc; ifc = ifc->next)
		if (!ifc->is_unregistered_only && scscf_ifc_matches(ifc, &rq))
			tx_register(reg, ifc, news);
}

/** Give up those under way: the S-CSCF goes away */
void scscf_third_parties_free(struct scscf *scscf)
{
	struct scscf_third_party *tp;

	while ((tp = scscf->third_parties)) {
		scscf->third_parties = tp->next;
		sipreg_free(tp->sipreg);
		third_party_free(tp);
	}
}
