/* Application servers in the way of a request (TS 24.229 5.4.3.2, 5.4.3.3,
 * TS 23.218 5.2.3): each initial filter criterion that matches, by priority.
 * The AS sends the request back along its Route, whose original dialog
 * identifier says where we were. */
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_uniqueid.h>

#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/trace.h"
#include "ims_core/scscf/scscf_session.h"

/* The next criterion that matches; those before it are done */
static const struct scscf_ifc *next_criterion(struct scscf_session *s)
{
	const struct scscf_reg *reg = scscf_session_reg(s);
	const struct scscf_ifc *ifc =
		reg && reg->profile ? reg->profile->ifcs : NULL;
	const struct scscf_ifc_request rq = {
		.method = s->sip->sip_request->rq_method_name,
		.request_uri =
			url_as_string(s->home, s->sip->sip_request->rq_url),
		.sip = s->sip,
		.session_case = s->session_case,
	};
	int n = 0;

	for (; ifc; ifc = ifc->next) {
		if (n++ < s->done_n)
			continue;
		s->done_n = n;
		if (!ifc->is_unregistered_only && scscf_ifc_matches(ifc, &rq))
			return ifc;
	}

	return NULL;
}

/* 5.4.3.2 item 5: the AS on top, then us with the odi */
static void prepare(msg_t *msg, sip_t *sip, void *arg)
{
	const struct scscf_session *s = arg;
	bool is_orig = s->session_case == CASE_ORIGINATING;
	char *route = xasprintf("<%s;lr>, <sip:%s;lr;odi=%s>", s->server,
				sipep_addr(s->scscf->ep), s->odi);
	char *served = xasprintf("<%s>;sescase=%s;regstate=reg", s->impu,
				 is_orig ? "orig" : "term");

	ims_route_push(msg, sip, route);
	ims_header_remove(msg, sip, "P-Served-User");
	ims_header_add(msg, sip, "P-Served-User", served);
	sipep_record_route(s->scscf->ep, msg, sip, is_orig ? "orig" : "term");
	free(route);
	free(served);
}

/* No answer of the AS, 408 or 5xx, and nothing heard of it before: its
 * criterion's DefaultHandling says whether the call goes on without it. A 408
 * or 5xx after the AS has sent the request on is whatever it met there: another
 * try would reach the callee a second time */
static size_t on_failure(int status, const struct sipep_route **routesp,
			 void *arg)
{
	struct scscf_session *s = arg;

	if (s->is_passed_on)
		return 0;

	log_warn("scscf %s: AS %s failed (%d); by its DefaultHandling the "
		 "session %s",
		 s->impu, s->server, status,
		 s->is_terminated ? "ends" : "goes on");
	trace_event(s->scscf->el->trace, "scscf.isc_failed",
		    json_pack("{s:s, s:s, s:i, s:b, s:s}", "impu", s->impu,
			      "as", s->server, "status", status, "continues",
			      !s->is_terminated, "call_id",
			      s->sip->sip_call_id->i_id));

	return s->is_terminated ? 0 : scscf_session_routes(s, routesp);
}

static char *make_odi(su_home_t *home)
{
	char text[su_guid_strlen + 1];
	su_guid_t guid[1];

	su_guid_generate(guid);
	su_guid_sprintf(text, sizeof(text), guid);

	return su_strdup(home, text);
}

/** To the next AS whose criterion matches; 0: there is none (left) */
size_t scscf_isc_routes(struct scscf_session *s,
			const struct sipep_route **routesp)
{
	const struct scscf_ifc *ifc = next_criterion(s);
	struct sipep_route *route;
	char *next_hop;

	s->server = NULL;
	if (!ifc)
		return 0;

	if (!s->odi)
		s->odi = make_odi(s->home);
	s->server = su_strdup(s->home, ifc->server);
	s->is_passed_on = false;
	s->is_terminated = ifc->is_terminated;
	route = su_zalloc(s->home, sizeof(*route));
	next_hop = ims_next_hop(s->server, s->sip);
	route->next_hop = su_strdup(s->home, next_hop);
	free(next_hop);
	route->prepare = prepare;
	route->response = scscf_session_answered;
	route->elsewhere = on_failure;
	route->arg = s;
	*routesp = route;
	trace_event(s->scscf->el->trace, "scscf.isc",
		    json_pack("{s:s, s:s, s:s, s:s}", "impu", s->impu, "as",
			      s->server, "method",
			      s->sip->sip_request->rq_method_name, "call_id",
			      s->sip->sip_call_id->i_id));

	return 1;
}

/** A request comes back from an AS: take up where the session that it names
 * was; false: it names none that is under way */
bool scscf_isc_returns(struct scscf_session *s, const url_t *own_route)
{
	struct scscf_session *from = s->scscf->sessions;
	char odi[64] = "";

	(void)url_param(own_route->url_params, "odi", odi, sizeof(odi));
	if (!odi[0])
		return false;

	while (from && (!from->odi || strcmp(from->odi, odi) != 0))
		from = from->next;
	if (!from)
		return false;

	s->impu = su_strdup(s->home, from->impu);
	s->session_case = from->session_case;
	s->done_n = from->done_n;
	from->is_passed_on = true;

	return true;
}
