/** @file scscf_profile.h  The user's profile: Cx User-Data (TS 29.228 annex B)
 *
 * Public identities and initial filter criteria, read from XML, and whether a
 * request matches a criterion (TS 23.218 5.2). Knows no other part.
 */
#ifndef SIPSHARE_SCSCF_PROFILE_H
#define SIPSHARE_SCSCF_PROFILE_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sofia-sip/sip.h>

enum scscf_session_case {
	CASE_ORIGINATING,
	CASE_TERMINATING_REGISTERED,
	CASE_TERMINATING_UNREGISTERED,
	CASE_ORIGINATING_UNREGISTERED
};

/** RegistrationType of a REGISTER */
enum scscf_reg_type { REG_TYPE_INITIAL, REG_TYPE_RE, REG_TYPE_DE };

enum scscf_spt_type {
	SPT_REQUEST_URI,
	SPT_METHOD,
	SPT_SIP_HEADER,
	SPT_SESSION_CASE,
	SPT_SESSION_DESCRIPTION
};

enum { SPT_GROUPS_MAX = 8 };

/** Service point trigger; owned by its criterion */
struct scscf_spt {
	struct scscf_spt *next;
	enum scscf_spt_type type;
	bool is_negated, has_content;
	int groups[SPT_GROUPS_MAX], group_n;
	char *text;            /**< Method, RequestURI */
	regex_t name, content; /**< of SIPHeader, SessionDescription */
	bool has_name;
	int session_case;
	unsigned reg_types; /**< bits of enum scscf_reg_type, 0: any */
};

/** Initial filter criterion; owned by its profile */
struct scscf_ifc {
	struct scscf_ifc *next; /**< by priority */
	long priority;
	bool is_cnf, is_unregistered_only;
	struct scscf_spt *spts;
	char *server;       /**< the AS's SIP URI */
	char *service_info; /**< or NULL */
	bool is_terminated; /**< DefaultHandling SESSION_TERMINATED */
};

/** Owned by its registration */
struct scscf_profile {
	char **impus; /**< not barred, the default one first */
	size_t impu_n;
	struct scscf_ifc *ifcs;
};

/** A request as the criteria see it; sip may be NULL */
struct scscf_ifc_request {
	const char *method, *request_uri;
	const sip_t *sip;
	enum scscf_session_case session_case;
	enum scscf_reg_type reg_type; /**< of REGISTER */
};

/* scscf_profile.c */
int scscf_profile_parse(struct scscf_profile **profilep, const char *xml,
			size_t len, const char *impu, char **reasonp);
struct scscf_profile *scscf_profile_free(struct scscf_profile *profile);

/* scscf_ifc.c */
struct scscf_ifc *scscf_ifc_free(struct scscf_ifc *ifc);
bool scscf_ifc_matches(const struct scscf_ifc *ifc,
		       const struct scscf_ifc_request *rq);

#endif
