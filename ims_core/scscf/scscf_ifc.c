/* Does a request match an initial filter criterion (TS 23.218 5.2.3,
 * TS 29.228 annex B.2)? */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_alloc.h>

#include "ims_core/scscf/scscf_profile.h"

struct scscf_ifc *scscf_ifc_free(struct scscf_ifc *ifc)
{
	while (ifc->spts) {
		struct scscf_spt *spt = ifc->spts;

		ifc->spts = spt->next;
		free(spt->text);
		if (spt->has_name)
			regfree(&spt->name);
		if (spt->has_content)
			regfree(&spt->content);
		free(spt);
	}
	free(ifc->server);
	free(ifc->service_info);
	free(ifc);

	return NULL;
}

static bool is_content(const struct scscf_spt *spt, const char *text)
{
	return !spt->has_content ||
	       !regexec(&spt->content, text ? text : "", 0, NULL, 0);
}

static bool is_header(const struct scscf_spt *spt, const sip_header_t *h)
{
	const msg_hclass_t *hc = h->sh_class;
	const char *name = hc->hc_name;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	bool matches;

	if (hc == sip_unknown_class)
		name = h->sh_unknown->un_name;
	/* the request line, the separator and the body have no name */
	if (!name || !*name || regexec(&spt->name, name, 0, NULL, 0))
		return false;

	matches = is_content(spt, hc == sip_unknown_class
					  ? h->sh_unknown->un_value
					  : sip_header_as_string(home, h));
	su_home_deinit(home);

	return matches;
}

static bool has_header(const struct scscf_spt *spt, const sip_t *sip)
{
	const sip_header_t *h =
		sip ? (const sip_header_t *)sip->sip_request : NULL;

	for (h = h ? (const sip_header_t *)h->sh_succ : NULL; h;
	     h = (const sip_header_t *)h->sh_succ)
		if (is_header(spt, h))
			return true;

	return false;
}

/* A line of the SDP: its type's letter, and its value */
static bool has_sdp_line(const struct scscf_spt *spt, const sip_t *sip)
{
	const sip_payload_t *pl = sip ? sip->sip_payload : NULL;
	char *body = pl ? strndup(pl->pl_data, pl->pl_len) : NULL;
	char *save = NULL, *line = body ? strtok_r(body, "\r\n", &save) : NULL;
	bool has = false;

	for (; line && !has; line = strtok_r(NULL, "\r\n", &save)) {
		char type[2] = { line[0], '\0' };

		has = line[0] && line[1] == '=' &&
		      !regexec(&spt->name, type, 0, NULL, 0) &&
		      is_content(spt, line + 2);
	}
	free(body);

	return has;
}

/* SIP is case-sensitive in methods (RFC 3261 7.1) */
static bool is_method(const struct scscf_spt *spt,
		      const struct scscf_ifc_request *rq)
{
	if (strcmp(spt->text, rq->method) != 0)
		return false;

	return !spt->reg_types || (spt->reg_types & (1u << rq->reg_type));
}

static bool spt_matches(const struct scscf_spt *spt,
			const struct scscf_ifc_request *rq)
{
	switch (spt->type) {
	case SPT_METHOD:
		return is_method(spt, rq) != spt->is_negated;
	case SPT_REQUEST_URI:
		return !strcasecmp(spt->text, rq->request_uri) !=
		       spt->is_negated;
	case SPT_SESSION_CASE:
		return (spt->session_case == (int)rq->session_case) !=
		       spt->is_negated;
	case SPT_SIP_HEADER:
		return has_header(spt, rq->sip) != spt->is_negated;
	case SPT_SESSION_DESCRIPTION:
		return has_sdp_line(spt, rq->sip) != spt->is_negated;
	}

	return false;
}

static bool is_in(const struct scscf_spt *spt, int group)
{
	for (int i = 0; i < spt->group_n; i++)
		if (spt->groups[i] == group)
			return true;

	return false;
}

/* CNF: a group is true if one of its triggers is; DNF: if all are */
static bool group_matches(const struct scscf_ifc *ifc, int group,
			  const struct scscf_ifc_request *rq)
{
	const struct scscf_spt *spt = ifc->spts;

	for (; spt; spt = spt->next)
		if (is_in(spt, group) && spt_matches(spt, rq) == ifc->is_cnf)
			return ifc->is_cnf;

	return !ifc->is_cnf;
}

/**
 * Does the request match (a criterion without triggers matches all)?
 * CNF: all groups must be true; DNF: one of them
 */
bool scscf_ifc_matches(const struct scscf_ifc *ifc,
		       const struct scscf_ifc_request *rq)
{
	const struct scscf_spt *spt = ifc->spts;

	if (!spt)
		return true;

	for (; spt; spt = spt->next)
		for (int i = 0; i < spt->group_n; i++)
			if (group_matches(ifc, spt->groups[i], rq) !=
			    ifc->is_cnf)
				return !ifc->is_cnf;

	return ifc->is_cnf;
}
