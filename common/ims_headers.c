#include "common/ims_headers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_uniqueid.h>

#include "common/mem.h"

static const char *param(su_home_t *home, const sip_authorization_t *au,
			 const char *name)
{
	const char *value = msg_header_find_param(au->au_common, name);

	if (!value)
		return NULL;

	return *value == '"' ? msg_unquote_dup(home, value)
			     : su_strdup(home, value);
}

/**
 * The first Digest credentials of a request (RFC 3261 22.4)
 *
 * @param cred Written in any case; strings live in home
 *
 * @return Whether there are any, be it without a response (TS 24.229 5.1.1.2)
 */
bool ims_credentials_get(struct ims_credentials *cred, su_home_t *home,
			 const sip_t *sip)
{
	const sip_authorization_t *au = sip->sip_authorization;

	memset(cred, 0, sizeof(*cred));
	while (au &&
	       (!au->au_scheme || strcasecmp(au->au_scheme, "Digest") != 0))
		au = au->au_next;
	if (!au)
		return false;

	cred->username = param(home, au, "username");
	cred->realm = param(home, au, "realm");
	cred->nonce = param(home, au, "nonce");
	cred->uri = param(home, au, "uri");
	cred->response = param(home, au, "response");
	cred->algorithm = param(home, au, "algorithm");
	cred->qop = param(home, au, "qop");
	cred->nc = param(home, au, "nc");
	cred->cnonce = param(home, au, "cnonce");

	return true;
}

/* Without visual separators and parameters (RFC 3966 5); NULL: no number */
static char *tel_identity(su_home_t *home, const char *number)
{
	size_t len = number ? strcspn(number, ";") : 0;
	char *text, *p;

	if (!len)
		return NULL;

	text = su_sprintf(home, "tel:%.*s", (int)len, number);
	p = text + strlen("tel:");
	for (size_t i = 0; i < len; i++)
		if (!strchr("-.()", number[i]))
			*p++ = number[i];
	*p = '\0';

	return text;
}

/**
 * A public identity as the HSS knows it: scheme, user and host, without port
 * and parameters (TS 23.003 13.4, RFC 3261 10.3 step 5)
 *
 * @return In home; NULL where the URI cannot be an identity
 */
char *ims_impu(su_home_t *home, const url_t *url)
{
	if (url->url_type == url_tel)
		return tel_identity(home, url->url_user ? url->url_user
							: url->url_host);
	if (url->url_type != url_sip && url->url_type != url_sips)
		return NULL;
	if (!url->url_user || !*url->url_user || !url->url_host)
		return NULL;

	return su_sprintf(home, "%s:%s@%s", url->url_scheme, url->url_user,
			  url->url_host);
}

/**
 * The private identity of a REGISTER: the username of its credentials, or,
 * for clients that know no IMS, the To URI without its scheme (TS 24.229
 * 5.4.1.2.1, TS 23.003 13.3)
 *
 * @return In home; NULL where there is none
 */
char *ims_impi(su_home_t *home, const sip_t *sip)
{
	struct ims_credentials cred;
	const char *impu;

	if (ims_credentials_get(&cred, home, sip) && cred.username &&
	    *cred.username)
		return su_strdup(home, cred.username);

	impu = ims_impu(home, sip->sip_to->a_url);

	return impu ? su_strdup(home, strchr(impu, ':') + 1) : NULL;
}

/** Does the REGISTER only take contacts away (TS 24.229 5.4.1.4)? */
bool ims_is_deregister(const sip_t *sip)
{
	const sip_expires_t *ex = sip->sip_expires;
	const sip_contact_t *m = sip->sip_contact;

	if (!m)
		return false;
	for (; m; m = m->m_next) {
		if (m->m_url->url_type == url_any)
			return true;
		if (m->m_expires ? strtoul(m->m_expires, NULL, 10) != 0
				 : !ex || ex->ex_delta != 0)
			return false;
	}

	return true;
}

/** Value of the first header of a name that the library does not know */
const char *ims_header_get(const sip_t *sip, const char *name)
{
	const sip_unknown_t *un = sip->sip_unknown;

	while (un && (!un->un_name || strcasecmp(un->un_name, name) != 0))
		un = un->un_next;

	return un ? un->un_value : NULL;
}

static bool is_named(const msg_header_t *h, const char *name)
{
	const msg_hclass_t *hc = h->sh_class;

	const char *own =
		hc == sip_unknown_class ? h->sh_unknown->un_name : hc->hc_name;

	return own && !strcasecmp(own, name);
}

/** Take every header of that name out of a message, typed or unknown */
void ims_header_remove(msg_t *msg, sip_t *sip, const char *name)
{
	msg_header_t **head = msg_chain_head(msg);
	msg_header_t *h = head ? *head : NULL;

	while (h) {
		msg_header_t *next = h->sh_succ;

		if (is_named(h, name))
			msg_header_remove(msg, (msg_pub_t *)sip, h);
		h = next;
	}
}

/** Add a header that the library does not type. Text with several lines would
 * land behind the message's separator: one header a call */
void ims_header_add(msg_t *msg, sip_t *sip, const char *name, const char *value)
{
	char *text = xasprintf("%s: %s", name, value);

	(void)sip_add_make(msg, sip, sip_unknown_class, text);
	free(text);
}

/** Put Routes on top of those that are there: "<sip:a;lr>, <sip:b;lr>" */
void ims_route_push(msg_t *msg, sip_t *sip, const char *text)
{
	const sip_route_t *rest = sip_route_dup(msg_home(msg), sip->sip_route);

	while (sip->sip_route)
		(void)sip_header_remove(msg, sip,
					(sip_header_t *)sip->sip_route);
	(void)sip_add_make(msg, sip, sip_route_class, text);
	if (rest)
		(void)sip_add_dup(msg, sip, (const sip_header_t *)rest);
}

/** Replace the Request-URI; one that cannot be read changes nothing */
void ims_request_uri_set(msg_t *msg, sip_t *sip, const char *uri)
{
	const url_t *url = url_make(msg_home(msg), uri);

	if (!url)
		return;

	*sip->sip_request->rq_url = *url;
	msg_fragment_clear(sip->sip_request->rq_common);
}

/**
 * The public identity that the network asserts (RFC 3325 9.1): the SIP URI of
 * P-Asserted-Identity where there are two, a SIP and a tel URI
 *
 * @return In home; NULL: none is asserted
 */
char *ims_asserted(su_home_t *home, const sip_t *sip)
{
	const sip_p_asserted_identity_t *first = sip_p_asserted_identity(sip);
	const sip_p_asserted_identity_t *pai = first;

	while (pai && pai->paid_url->url_type == url_tel)
		pai = pai->paid_next;
	if (!pai)
		pai = first;

	return pai ? ims_impu(home, pai->paid_url) : NULL;
}

/**
 * A new P-Charging-Vector's value (RFC 7315 4.6, TS 24.229 5.2.2.1)
 *
 * @param generated_at Host that made it
 *
 * @return To be freed
 */
char *ims_charging_vector(const char *generated_at)
{
	char icid[su_guid_strlen + 1];
	su_guid_t guid[1];

	su_guid_generate(guid);
	su_guid_sprintf(icid, sizeof(icid), guid);

	return xasprintf("icid-value=\"%s\";icid-generated-at=%s", icid,
			 generated_at);
}

/**
 * A Warning's value: `399 agent "text"` (RFC 3261 20.43)
 *
 * @param agent Host that warns, "scscf.ims.test"
 *
 * @return To be freed; quotes and line ends in the text are made harmless
 */
char *ims_warning(const char *agent, const char *fmt, ...)
{
	char *text, *warning;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ')
			*p = '\'';
	warning = xasprintf("399 %s \"%s\"", agent, text);
	free(text);

	return warning;
}

/**
 * A next hop as sipep_forward() takes it: the transport that the request came
 * by is kept on the way in, unless the configuration names one
 *
 * @param where "127.1.1.2:5060", or a SIP URI
 *
 * @return To be freed
 */
char *ims_next_hop(const char *where, const sip_t *sip)
{
	bool is_uri = !strncasecmp(where, "sip:", 4) ||
		      !strncasecmp(where, "sips:", 5);
	const char *by = sip->sip_via ? sip->sip_via->v_protocol : NULL;
	bool is_tcp = by && !strcasecmp(by, sip_transport_tcp) &&
		      !strstr(where, ";transport=");

	return xasprintf("%s%s%s", is_uri ? "" : "sip:", where,
			 is_tcp ? ";transport=tcp" : "");
}
