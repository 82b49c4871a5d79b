/* A request of a user that we serve (TS 24.229 5.4.3.2), and where it goes when
 * the application servers have had it: to its own home network's I-CSCF, or
 * where its Request-URI says */
#include <stdlib.h>
#include <strings.h>

#include <sofia-sip/sip_status.h>

#include "common/element.h"
#include "common/mem.h"
#include "common/trace.h"
#include "ims_core/scscf/scscf_session.h"

/* Not the user's any more, or never: the profile of the HSS decides (5.4.3.2
 * items 1 and 2) */
static bool may_call(const struct scscf_session *s)
{
	const struct scscf_reg *reg = scscf_session_reg(s);

	return reg && scscf_reg_is_registered(reg);
}

/** Take in a request along the Service-Route */
void scscf_orig_rx(struct scscf_session *s)
{
	s->session_case = CASE_ORIGINATING;
	s->impu = ims_asserted(s->home, s->sip);
	if (!s->impu)
		scscf_session_refuse(s, SIP_403_FORBIDDEN,
				     "no P-Asserted-Identity says who calls: "
				     "requests come through the P-CSCF");
	else if (!may_call(s))
		scscf_session_refuse(s, SIP_403_FORBIDDEN,
				     "%s is not registered here (any more); "
				     "REGISTER first",
				     s->impu);
	else
		scscf_session_go(s);
}

static void prepare(msg_t *msg, sip_t *sip, void *arg)
{
	const struct scscf_session *s = arg;

	ims_header_remove(msg, sip, "P-Served-User");
	sipep_record_route(s->scscf->ep, msg, sip, "orig");
}

static bool is_home(const struct scscf *scscf, const url_t *url)
{
	return url->url_type == url_tel ||
	       (url->url_host && !strcasecmp(url->url_host, scscf->realm));
}

/** Onward: there is no ENUM here, so that a tel URI is the HSS's to know
 * (LIR by the I-CSCF, TS 24.229 5.3.2.1) */
size_t scscf_orig_routes(struct scscf_session *s,
			 const struct sipep_route **routesp)
{
	const url_t *url = s->sip->sip_request->rq_url;
	const struct scscf *scscf = s->scscf;
	struct sipep_route *route;
	char *next_hop, *uri = url_as_string(s->home, url);

	if (is_home(scscf, url) && !scscf->icscf)
		return scscf_session_nowhere(
			s, SIP_500_INTERNAL_SERVER_ERROR,
			"the S-CSCF was started without --icscf: it cannot "
			"send calls into its own domain");
	if (!is_home(scscf, url) && !url->url_host)
		return scscf_session_nowhere(s, SIP_404_NOT_FOUND,
					     "%s names no domain", uri);

	route = su_zalloc(s->home, sizeof(*route));
	next_hop =
		ims_next_hop(is_home(scscf, url) ? scscf->icscf : uri, s->sip);
	route->next_hop = su_strdup(s->home, next_hop);
	free(next_hop);
	route->prepare = prepare;
	route->response = scscf_session_answered;
	route->arg = s;
	*routesp = route;
	trace_event(scscf->el->trace, "scscf.routed",
		    json_pack("{s:s, s:s, s:s, s:s}", "impu", s->impu, "to",
			      uri, "by", route->next_hop, "call_id",
			      s->sip->sip_call_id->i_id));

	return 1;
}
