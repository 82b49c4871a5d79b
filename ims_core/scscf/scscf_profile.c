/* Reading the user's profile from the SAA's User-Data (TS 29.228 annex B, E).
 * Unknown elements are skipped: each level of the schema may be extended */
#include "ims_core/scscf/scscf_profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "common/mem.h"

static xmlNode *child(const xmlNode *parent, const char *name)
{
	xmlNode *n = parent ? parent->children : NULL;

	while (n && (n->type != XML_ELEMENT_NODE ||
		     strcmp((const char *)n->name, name) != 0))
		n = n->next;

	return n;
}

static xmlNode *sibling(const xmlNode *node, const char *name)
{
	xmlNode *n = node->next;

	while (n && (n->type != XML_ELEMENT_NODE ||
		     strcmp((const char *)n->name, name) != 0))
		n = n->next;

	return n;
}

/* Text of a child, trimmed, to be freed; NULL where there is none */
static char *text_of(const xmlNode *parent, const char *name)
{
	xmlNode *n = child(parent, name);
	xmlChar *content = n ? xmlNodeGetContent(n) : NULL;
	const char *from = (const char *)content;
	size_t len;
	char *text;

	if (!from)
		return NULL;

	from += strspn(from, " \t\r\n");
	len = strlen(from);
	while (len && strchr(" \t\r\n", from[len - 1]))
		len--;
	text = xstrndup(from, len);
	xmlFree(content);

	return text;
}

static long number_of(const xmlNode *parent, const char *name, long absent)
{
	char *text = text_of(parent, name);
	long n = text ? strtol(text, NULL, 10) : absent;

	if (text && !strcmp(text, "true"))
		n = 1;
	free(text);

	return n;
}

static int compile(regex_t *re, const xmlNode *node, const char *name)
{
	char *text = text_of(node, name);
	int err = regcomp(re, text ? text : "",
			  REG_EXTENDED | REG_ICASE | REG_NOSUB);

	free(text);

	return err ? EINVAL : 0;
}

/* SIPHeader and SessionDescription: a name and a content, both expressions */
static int read_pair(struct scscf_spt *spt, const xmlNode *node,
		     const char *name)
{
	if (compile(&spt->name, node, name))
		return EINVAL;
	spt->has_name = true;
	if (!child(node, "Content"))
		return 0;
	if (compile(&spt->content, node, "Content"))
		return EINVAL;
	spt->has_content = true;

	return 0;
}

static int read_condition(struct scscf_spt *spt, const xmlNode *node)
{
	if (child(node, "Method")) {
		spt->type = SPT_METHOD;
		spt->text = text_of(node, "Method");
	} else if (child(node, "RequestURI")) {
		spt->type = SPT_REQUEST_URI;
		spt->text = text_of(node, "RequestURI");
	} else if (child(node, "SessionCase")) {
		spt->type = SPT_SESSION_CASE;
		spt->session_case = (int)number_of(node, "SessionCase", -1);
	} else if (child(node, "SIPHeader")) {
		spt->type = SPT_SIP_HEADER;
		return read_pair(spt, child(node, "SIPHeader"), "Header");
	} else if (child(node, "SessionDescription")) {
		spt->type = SPT_SESSION_DESCRIPTION;
		return read_pair(spt, child(node, "SessionDescription"),
				 "Line");
	} else {
		return EINVAL;
	}

	return 0;
}

static void read_groups(struct scscf_spt *spt, const xmlNode *node)
{
	const xmlNode *n = child(node, "Group");

	for (; n && spt->group_n < SPT_GROUPS_MAX; n = sibling(n, "Group")) {
		xmlChar *text = xmlNodeGetContent(n);

		spt->groups[spt->group_n++] = atoi((const char *)text);
		xmlFree(text);
	}
	if (!spt->group_n)
		spt->group_n = 1; /* group 0 */
}

static void read_reg_types(struct scscf_spt *spt, const xmlNode *node)
{
	const xmlNode *ext = child(node, "Extension");
	const xmlNode *n = child(ext, "RegistrationType");

	for (; n; n = sibling(n, "RegistrationType")) {
		xmlChar *text = xmlNodeGetContent(n);
		int type = atoi((const char *)text);

		xmlFree(text);
		if (type >= REG_TYPE_INITIAL && type <= REG_TYPE_DE)
			spt->reg_types |= 1u << type;
	}
}

static int read_trigger(struct scscf_ifc *ifc, const xmlNode *point)
{
	const xmlNode *n = child(point, "SPT");

	ifc->is_cnf = number_of(point, "ConditionTypeCNF", 1) != 0;
	for (; n; n = sibling(n, "SPT")) {
		struct scscf_spt *spt = xcalloc(1, sizeof(*spt));

		spt->next = ifc->spts;
		ifc->spts = spt;
		spt->is_negated = number_of(n, "ConditionNegated", 0) != 0;
		read_groups(spt, n);
		read_reg_types(spt, n);
		if (read_condition(spt, n))
			return EINVAL;
	}

	return 0;
}

static void insert_by_priority(struct scscf_profile *profile,
			       struct scscf_ifc *ifc)
{
	struct scscf_ifc **at = &profile->ifcs;

	while (*at && (*at)->priority <= ifc->priority)
		at = &(*at)->next;
	ifc->next = *at;
	*at = ifc;
}

static int read_ifc(struct scscf_profile *profile, const xmlNode *node,
		    char **reasonp)
{
	const xmlNode *as = child(node, "ApplicationServer");
	const xmlNode *point = child(node, "TriggerPoint");
	struct scscf_ifc *ifc = xcalloc(1, sizeof(*ifc));
	int err = 0;

	ifc->priority = number_of(node, "Priority", 0);
	ifc->is_cnf = true;
	/* ProfilePartIndicator: 0 REGISTERED, 1 UNREGISTERED */
	ifc->is_unregistered_only =
		number_of(node, "ProfilePartIndicator", 0) == 1;
	ifc->server = text_of(as, "ServerName");
	ifc->service_info = text_of(as, "ServiceInfo");
	ifc->is_terminated = number_of(as, "DefaultHandling", 0) == 1;
	if (point)
		err = read_trigger(ifc, point);
	if (!err && ifc->server && *ifc->server) {
		insert_by_priority(profile, ifc);
		return 0;
	}

	*reasonp = xasprintf("User-Data: InitialFilterCriteria of priority "
			     "%ld: %s",
			     ifc->priority,
			     err ? "an SPT has no condition, or one that "
				   "cannot be read"
				 : "its ApplicationServer has no ServerName");
	scscf_ifc_free(ifc);

	return EINVAL;
}

/* All identities of the set are associated, those of other profiles too */
static void read_identities(struct scscf_profile *profile, const xmlNode *sp)
{
	const xmlNode *n = child(sp, "PublicIdentity");

	for (; n; n = sibling(n, "PublicIdentity")) {
		char *impu = text_of(n, "Identity");

		if (!impu || number_of(n, "BarringIndication", 0)) {
			free(impu);
			continue;
		}
		profile->impus = xrealloc(profile->impus,
					  (profile->impu_n + 1) *
						  sizeof(*profile->impus));
		profile->impus[profile->impu_n++] = impu;
	}
}

static bool holds(const xmlNode *sp, const char *impu)
{
	const xmlNode *n = child(sp, "PublicIdentity");
	bool is_it = false;

	for (; n && !is_it; n = sibling(n, "PublicIdentity")) {
		char *text = text_of(n, "Identity");

		is_it = text && !strcmp(text, impu);
		free(text);
	}

	return is_it;
}

static int read_subscription(struct scscf_profile *profile, const xmlNode *root,
			     const char *impu, char **reasonp)
{
	const xmlNode *sp = child(root, "ServiceProfile"), *own = NULL;
	int err = 0;

	for (; sp; sp = sibling(sp, "ServiceProfile")) {
		read_identities(profile, sp);
		if (!own && holds(sp, impu))
			own = sp;
	}
	if (!own) {
		*reasonp = xasprintf("User-Data: no ServiceProfile holds %s",
				     impu);
		return EINVAL;
	}
	for (const xmlNode *n = child(own, "InitialFilterCriteria"); n && !err;
	     n = sibling(n, "InitialFilterCriteria"))
		err = read_ifc(profile, n, reasonp);

	return err;
}

/**
 * Read User-Data
 *
 * @param impu    The identity whose ServiceProfile counts
 * @param reasonp On failure: which element is wrong, to be freed
 *
 * @return 0 or EINVAL
 */
int scscf_profile_parse(struct scscf_profile **profilep, const char *xml,
			size_t len, const char *impu, char **reasonp)
{
	struct scscf_profile *profile;
	const xmlNode *root;
	xmlDoc *doc;
	int err;

	doc = xmlReadMemory(xml, (int)len, "User-Data", NULL,
			    XML_PARSE_NONET | XML_PARSE_NOERROR |
				    XML_PARSE_NOWARNING);
	root = doc ? xmlDocGetRootElement(doc) : NULL;
	if (!root || strcmp((const char *)root->name, "IMSSubscription") != 0) {
		xmlFreeDoc(doc);
		*reasonp = xasprintf("User-Data is not an XML document "
				     "IMSSubscription");
		return EINVAL;
	}

	profile = xcalloc(1, sizeof(*profile));
	err = read_subscription(profile, root, impu, reasonp);
	xmlFreeDoc(doc);
	if (err)
		scscf_profile_free(profile);
	else
		*profilep = profile;

	return err;
}

struct scscf_profile *scscf_profile_free(struct scscf_profile *profile)
{
	if (!profile)
		return NULL;

	for (size_t i = 0; i < profile->impu_n; i++)
		free(profile->impus[i]);
	while (profile->ifcs) {
		struct scscf_ifc *ifc = profile->ifcs;

		profile->ifcs = ifc->next;
		scscf_ifc_free(ifc);
	}
	free(profile->impus);
	free(profile);

	return NULL;
}
