/* A request for a user that we serve (TS 24.229 5.4.3.3): to each contact, by
 * its Path */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>

#include "common/element.h"
#include "common/mem.h"
#include "common/trace.h"
#include "ims_core/scscf/scscf_session.h"

/** One contact that the request goes to; in the session's home */
struct target {
	struct scscf_session *s;
	char *contact, *path, *called;
};

static bool has_alias(const struct scscf_reg *reg, const char *impu)
{
	for (size_t i = 0; reg->profile && i < reg->profile->impu_n; i++)
		if (!strcmp(reg->profile->impus[i], impu))
			return true;

	return false;
}

/** What a walk over the table looks for */
struct search {
	const char *impu;
	const struct scscf_reg *found;
};

static void look(const void *node, VISIT which, void *arg)
{
	const struct scscf_reg *reg = *(struct scscf_reg *const *)node;
	struct search *search = arg;

	if (!search->found && (which == postorder || which == leaf) &&
	    has_alias(reg, search->impu))
		search->found = reg;
}

/* The number's own SIP-URI is tried before all are looked at */
static const struct scscf_reg *find_alias(const struct scscf *scscf,
					  const char *impu)
{
	struct search search = { impu, NULL };
	char *sip = xasprintf("sip:%s@%s", impu + 4, scscf->realm);

	search.found = scscf_reg_find(scscf, sip);
	free(sip);
	if (!search.found || !has_alias(search.found, impu)) {
		search.found = NULL;
		twalk_r(scscf->regs, look, &search);
	}

	return search.found;
}

/** The registration of a user: by its identity, or by a tel URI that its
 * profile implies; NULL: none */
const struct scscf_reg *scscf_reg_serving(const struct scscf *scscf,
					  const char *impu)
{
	const struct scscf_reg *reg = scscf_reg_find(scscf, impu);

	if (!reg && !strncmp(impu, "tel:", 4))
		reg = find_alias(scscf, impu);

	return reg;
}

/** The same of the served user */
const struct scscf_reg *scscf_session_reg(const struct scscf_session *s)
{
	return scscf_reg_serving(s->scscf, s->impu);
}

static bool is_reachable(const struct scscf_session *s)
{
	const struct scscf_reg *reg = scscf_session_reg(s);

	return reg && scscf_reg_is_registered(reg) && reg->contacts;
}

static size_t nobody(struct scscf_session *s)
{
	return scscf_session_nowhere(s, SIP_480_TEMPORARILY_UNAVAILABLE,
				     "%s is not registered", s->impu);
}

/** Take in a request that the I-CSCF sent here */
void scscf_term_rx(struct scscf_session *s)
{
	s->session_case = CASE_TERMINATING_REGISTERED;
	s->impu = ims_impu(s->home, s->sip->sip_request->rq_url);
	if (!s->impu)
		scscf_session_refuse(s, SIP_404_NOT_FOUND,
				     "the Request-URI holds no public identity "
				     "(sip:user@domain or tel:number)");
	else if (!is_reachable(s))
		scscf_session_refuse(s, SIP_480_TEMPORARILY_UNAVAILABLE,
				     "%s is not registered", s->impu);
	else
		scscf_session_go(s);
}

/* Items 9 to 12: where the UE is, and whom it was for */
static void prepare(msg_t *msg, sip_t *sip, void *arg)
{
	const struct target *t = arg;

	ims_header_remove(msg, sip, "P-Served-User");
	ims_header_remove(msg, sip, "P-Called-Party-ID");
	ims_header_add(msg, sip, "P-Called-Party-ID", t->called);
	sipep_record_route(t->s->scscf->ep, msg, sip, "term");
	if (t->path)
		ims_route_push(msg, sip, t->path);
	ims_request_uri_set(msg, sip, t->contact);
}

static void answered(int status, msg_t *msg, sip_t *sip, void *arg)
{
	const struct target *t = arg;

	scscf_session_answered(status, msg, sip, t->s);
}

static void route_to(struct sipep_route *route, struct scscf_session *s,
		     const struct scscf_contact *c)
{
	struct target *t = su_zalloc(s->home, sizeof(*t));
	const sip_route_t *path;
	char *next_hop = NULL;

	t->s = s;
	t->called = su_sprintf(s->home, "<%s>", s->impu);
	t->contact = su_strdup(s->home, c->uri);
	t->path = su_strdup(s->home, c->path);
	path = t->path ? sip_route_make(s->home, t->path) : NULL;
	route->next_hop = t->contact;
	if (path) {
		next_hop = ims_next_hop(url_as_string(s->home, path->r_url),
					s->sip);
		route->next_hop = su_strdup(s->home, next_hop);
	}
	free(next_hop);
	route->prepare = prepare;
	route->response = answered;
	route->arg = t;
}

/**
 * To all contacts at once (item 12: forking; their q is not looked at, so that
 * all of a user's terminals ring). An AS that changed the Request-URI has sent
 * the call to somebody else: it leaves as an originating one
 */
size_t scscf_term_routes(struct scscf_session *s,
			 const struct sipep_route **routesp)
{
	const struct scscf_reg *reg = scscf_session_reg(s);
	char *target = ims_impu(s->home, s->sip->sip_request->rq_url);
	struct sipep_route *routes;
	size_t n = 0;

	s->is_diverted = !target || strcmp(target, s->impu) != 0;
	if (s->is_diverted)
		return scscf_orig_routes(s, routesp);
	if (!is_reachable(s))
		return nobody(s);

	for (const struct scscf_contact *c = reg->contacts; c; c = c->next)
		n++;
	routes = su_zalloc(s->home, (isize_t)(n * sizeof(*routes)));
	n = 0;
	for (const struct scscf_contact *c = reg->contacts; c; c = c->next)
		route_to(&routes[n++], s, c);
	*routesp = routes;
	trace_event(s->scscf->el->trace, "scscf.delivered",
		    json_pack("{s:s, s:i, s:s}", "impu", s->impu, "contacts",
			      (int)n, "call_id", s->sip->sip_call_id->i_id));

	return n;
}
