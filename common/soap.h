/** @file soap.h  SOAP 1.1 envelopes, document/literal, over libxml2
 *
 * The same codec for who asks and who answers. No DTD, so no entity of the
 * sender's is ever expanded or fetched; sizes and depth are bounded. What is
 * wrong is named by element and line.
 */
#ifndef SIPSHARE_SOAP_H
#define SIPSHARE_SOAP_H

#include <stdbool.h>
#include <stddef.h>

/** Media type of SOAP over HTTP (SOAP 1.1 6) */
#define SOAP_TYPE "text/xml; charset=utf-8"

/** The provisioning service's namespace; hss.wsdl describes it */
#define SOAP_PROVISIONING_NS "urn:sipshare:provisioning:1"

enum { SOAP_LEN_MAX = 64 * 1024 * 1024 };

/** Fault codes (SOAP 1.1 4.4.1) */
enum soap_code {
	SOAP_CLIENT,
	SOAP_SERVER,
	SOAP_VERSION_MISMATCH,
	SOAP_MUST_UNDERSTAND
};

struct soap;     /**< an envelope that was read */
struct soap_out; /**< an envelope being written */
struct _xmlNode; /**< an element, borrowed from its envelope */

/** One child of an element that holds text; a table ends with a NULL name */
struct soap_field {
	const char *name;
	char **textp; /**< set to the text, the caller's to free */
	bool is_optional;
};

int soap_parse(struct soap **sp, const char *text, size_t len,
	       enum soap_code *codep, char **reasonp);
struct soap *soap_free(struct soap *soap);
const struct _xmlNode *soap_operation(const struct soap *soap);
bool soap_is_fault(const struct soap *soap, char **textp);

const char *soap_name(const struct _xmlNode *el);
const char *soap_namespace(const struct _xmlNode *el);
long soap_line(const struct _xmlNode *el);
const struct _xmlNode *soap_first(const struct _xmlNode *el);
const struct _xmlNode *soap_next(const struct _xmlNode *el);
int soap_fields(const struct _xmlNode *el, const struct soap_field *fields,
		char **reasonp);

struct soap_out *soap_out_new(const char *ns, const char *operation);
void soap_out_open(struct soap_out *out, const char *name);
void soap_out_put(struct soap_out *out, const char *name, const char *text);
void soap_out_close(struct soap_out *out);
char *soap_out_done(struct soap_out *out, size_t *lenp);
char *soap_fault(enum soap_code code, const char *text, size_t *lenp);

#endif
