#include "common/soap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlwriter.h>

#include "common/mem.h"

static const char envelope_ns[] = "http://schemas.xmlsoap.org/soap/envelope/";

/** Owns the document; el are borrowed from it */
struct soap {
	xmlDoc *doc;
	const xmlNode *operation;
};

/* --- reading --- */

static int refuse(char **reasonp, char *reason)
{
	*reasonp = reason;

	return EBADMSG;
}

static bool is_of(const xmlNode *el, const char *ns, const char *name)
{
	return el && !strcmp(soap_name(el), name) &&
	       !strcmp(soap_namespace(el), ns);
}

/* A DTD is where entities come from, and SOAP forbids it (SOAP 1.1 3): stop
 * at its first byte, before anything of it is declared */
static void refuse_dtd(void *arg, const xmlChar *name, const xmlChar *id,
		       const xmlChar *system_id)
{
	xmlParserCtxt *ctxt = arg;
	int *dtd_linep = ctxt->_private;

	(void)name;
	(void)id;
	(void)system_id;
	*dtd_linep = xmlSAX2GetLineNumber(ctxt);
	xmlStopParser(ctxt);
}

/** libxml2's last word, without its newline; the caller's to free. Not what it
 * quotes from the message: a password that holds an & or a < is taken for
 * markup */
static char *parser_reason(xmlParserCtxt *ctxt)
{
	const xmlError *e = xmlCtxtGetLastError(ctxt);
	const char *text = e && e->message ? e->message : "no XML";
	int n = (int)strcspn(text, "\n");

	if (e && e->str1 && memmem(text, (size_t)n, e->str1, strlen(e->str1))) {
		text = "tags do not match, or an entity is not declared";
		n = (int)strlen(text);
	}

	return xasprintf("line %d: malformed XML: %.*s", e ? e->line : 1, n,
			 text);
}

static int parse_xml(xmlDoc **docp, const char *text, size_t len,
		     char **reasonp)
{
	const int options = XML_PARSE_NONET | XML_PARSE_NOERROR |
			    XML_PARSE_NOWARNING | XML_PARSE_NOCDATA |
			    XML_PARSE_BIG_LINES;
	xmlParserCtxt *ctxt;
	xmlDoc *doc;
	int dtd_line = 0;
	int err = 0;

	if (!len || len > SOAP_LEN_MAX)
		return refuse(reasonp, xasprintf("SOAP message of %zu bytes; "
						 "1 to %d are allowed",
						 len, SOAP_LEN_MAX));

	ctxt = xmlNewParserCtxt();
	ctxt->_private = &dtd_line;
	ctxt->sax->internalSubset = refuse_dtd;
	doc = xmlCtxtReadMemory(ctxt, text, (int)len, NULL, NULL, options);
	if (dtd_line || !doc) {
		*reasonp = dtd_line ? xasprintf("line %d: <!DOCTYPE> is not "
						"allowed in SOAP",
						dtd_line)
				    : parser_reason(ctxt);
		xmlFreeDoc(doc); /* a stopped parser gives what it has */
		err = EBADMSG;
	} else {
		*docp = doc;
	}
	xmlFreeParserCtxt(ctxt);

	return err;
}

/* SOAP 1.1 4.2.3: a header entry that must be understood, and is not */
static const xmlNode *find_must_understand(const xmlNode *header)
{
	const xmlNode *el = soap_first(header);

	for (; el; el = soap_next(el)) {
		xmlChar *must =
			xmlGetNsProp((xmlNode *)el, BAD_CAST "mustUnderstand",
				     BAD_CAST envelope_ns);
		bool is_must = must && !xmlStrcmp(must, BAD_CAST "1");

		xmlFree(must);
		if (is_must)
			return el;
	}

	return NULL;
}

static int find_operation(struct soap *soap, enum soap_code *codep,
			  char **reasonp)
{
	const xmlNode *root = xmlDocGetRootElement(soap->doc);
	const xmlNode *el = soap_first(root);
	const xmlNode *must;

	if (strcmp(soap_name(root), "Envelope") != 0 ||
	    strcmp(soap_namespace(root), envelope_ns) != 0) {
		*codep = SOAP_VERSION_MISMATCH;
		return refuse(reasonp,
			      xasprintf("line %ld: <%s> is not a SOAP "
					"1.1 Envelope",
					soap_line(root), soap_name(root)));
	}

	if (is_of(el, envelope_ns, "Header")) {
		must = find_must_understand(el);
		if (must) {
			*codep = SOAP_MUST_UNDERSTAND;
			return refuse(reasonp, xasprintf("line %ld: header "
							 "<%s> is not "
							 "understood",
							 soap_line(must),
							 soap_name(must)));
		}
		el = soap_next(el);
	}
	if (!is_of(el, envelope_ns, "Body"))
		return refuse(reasonp,
			      xasprintf("line %ld: <Envelope> has no <Body>",
					soap_line(root)));

	soap->operation = soap_first(el);
	if (!soap->operation)
		return refuse(reasonp, xasprintf("line %ld: <Body> is empty",
						 soap_line(el)));
	if (soap_next(soap->operation))
		return refuse(reasonp,
			      xasprintf("line %ld: <%s> is a second operation "
					"in <Body>",
					soap_line(soap_next(soap->operation)),
					soap_name(soap_next(soap->operation))));

	return 0;
}

/**
 * Read an envelope
 *
 * @param sp      Set to it, the caller's: soap_free()
 * @param text    UTF-8 or what its XML declaration says, len bytes
 * @param codep   On failure the code for the Fault to be answered
 * @param reasonp On failure what is wrong, with its line; the caller's to free
 *
 * @return 0 or EBADMSG
 */
int soap_parse(struct soap **sp, const char *text, size_t len,
	       enum soap_code *codep, char **reasonp)
{
	struct soap *soap = xcalloc(1, sizeof(*soap));
	int err;

	*codep = SOAP_CLIENT;
	err = parse_xml(&soap->doc, text, len, reasonp);
	if (!err)
		err = find_operation(soap, codep, reasonp);
	if (err)
		soap_free(soap);
	else
		*sp = soap;

	return err;
}

struct soap *soap_free(struct soap *soap)
{
	if (soap) {
		xmlFreeDoc(soap->doc);
		free(soap);
	}

	return NULL;
}

/** The one element in the Body; never NULL */
const struct _xmlNode *soap_operation(const struct soap *soap)
{
	return soap->operation;
}

/** Whether it is a Fault; its faultstring goes to *textp, the caller's */
bool soap_is_fault(const struct soap *soap, char **textp)
{
	const xmlNode *el;

	if (!is_of(soap->operation, envelope_ns, "Fault"))
		return false;

	*textp = NULL;
	for (el = soap_first(soap->operation); el; el = soap_next(el))
		if (!*textp && !strcmp(soap_name(el), "faultstring")) {
			xmlChar *text = xmlNodeGetContent(el);

			*textp = xstrdup((const char *)text);
			xmlFree(text);
		}
	if (!*textp)
		*textp = xstrdup("SOAP Fault without a faultstring");

	return true;
}

/** Name without prefix */
const char *soap_name(const struct _xmlNode *el)
{
	return (const char *)el->name;
}

/** Namespace's name, "" if it has none */
const char *soap_namespace(const struct _xmlNode *el)
{
	return el->ns && el->ns->href ? (const char *)el->ns->href : "";
}

/** Line in the text that was read, from 1 */
long soap_line(const struct _xmlNode *el)
{
	return xmlGetLineNo(el);
}

static const xmlNode *skip_to_element(const xmlNode *node)
{
	while (node && node->type != XML_ELEMENT_NODE)
		node = node->next;

	return node;
}

/** First child element, or NULL */
const struct _xmlNode *soap_first(const struct _xmlNode *el)
{
	return skip_to_element(el->children);
}

/** Next element beside this one, or NULL */
const struct _xmlNode *soap_next(const struct _xmlNode *el)
{
	return skip_to_element(el->next);
}

/** The element's text without blanks around it (xsd:token); caller's to free */
static char *trimmed_text(const xmlNode *el)
{
	xmlChar *raw = xmlNodeGetContent(el);
	const char *text = raw ? (const char *)raw : "";
	const char *blanks = " \t\r\n";
	size_t n;
	char *copy;

	text += strspn(text, blanks);
	n = strlen(text);
	while (n && strchr(blanks, text[n - 1]))
		n--;
	copy = xstrndup(text, n);
	xmlFree(raw);

	return copy;
}

static int take_field(const xmlNode *el, const struct soap_field *fields,
		      char **reasonp)
{
	const struct soap_field *f = fields;

	while (f->name && strcmp(f->name, soap_name(el)) != 0)
		f++;
	if (!f->name)
		return refuse(reasonp, xasprintf("line %ld: <%s> is not known "
						 "in <%s>",
						 soap_line(el), soap_name(el),
						 soap_name(el->parent)));
	if (*f->textp)
		return refuse(reasonp, xasprintf("line %ld: <%s> is given "
						 "twice",
						 soap_line(el), f->name));
	if (soap_first(el))
		return refuse(reasonp,
			      xasprintf("line %ld: <%s> holds <%s>; text was "
					"expected",
					soap_line(el), f->name,
					soap_name(soap_first(el))));

	*f->textp = trimmed_text(el);

	return 0;
}

/**
 * Read the children of an element that is a flat record
 *
 * @param el      The element
 * @param fields  Which children it may and must have, in any order
 * @param reasonp On failure what is wrong, with element and line
 *
 * @return 0, or EBADMSG: then every *textp is NULL
 */
int soap_fields(const struct _xmlNode *el, const struct soap_field *fields,
		char **reasonp)
{
	const struct soap_field *f;
	const xmlNode *child;
	int err = 0;

	for (f = fields; f->name; f++)
		*f->textp = NULL;
	for (child = soap_first(el); child && !err; child = soap_next(child))
		err = take_field(child, fields, reasonp);
	for (f = fields; f->name && !err; f++)
		if (!*f->textp && !f->is_optional)
			err = refuse(reasonp,
				     xasprintf("line %ld: <%s> has no <%s>",
					       soap_line(el), soap_name(el),
					       f->name));
	for (f = fields; f->name && err; f++) {
		free(*f->textp);
		*f->textp = NULL;
	}

	return err;
}

/* --- writing --- */

/** The writer writes into the buffer; both are ours */
struct soap_out {
	xmlBuffer *buffer;
	xmlTextWriter *writer;
};

static struct soap_out *out_begin(void)
{
	struct soap_out *out = xcalloc(1, sizeof(*out));

	out->buffer = xmlBufferCreate();
	/* the default grows by little each time: a long report would be
	 * copied over and over */
	xmlBufferSetAllocationScheme(out->buffer, XML_BUFFER_ALLOC_DOUBLEIT);
	out->writer = xmlNewTextWriterMemory(out->buffer, 0);
	xmlTextWriterStartDocument(out->writer, NULL, "UTF-8", NULL);
	xmlTextWriterStartElementNS(out->writer, BAD_CAST "soap",
				    BAD_CAST "Envelope", BAD_CAST envelope_ns);
	xmlTextWriterStartElement(out->writer, BAD_CAST "soap:Body");

	return out;
}

/** Begin an envelope whose Body holds operation of namespace ns */
struct soap_out *soap_out_new(const char *ns, const char *operation)
{
	struct soap_out *out = out_begin();

	xmlTextWriterStartElementNS(out->writer, NULL, BAD_CAST operation,
				    BAD_CAST ns);

	return out;
}

/** Begin an element; what follows goes into it */
void soap_out_open(struct soap_out *out, const char *name)
{
	xmlTextWriterStartElement(out->writer, BAD_CAST name);
}

/** Put an element with text, escaped here; NULL puts none */
void soap_out_put(struct soap_out *out, const char *name, const char *text)
{
	if (text)
		xmlTextWriterWriteElement(out->writer, BAD_CAST name,
					  BAD_CAST text);
}

/** End the element that was last begun */
void soap_out_close(struct soap_out *out)
{
	xmlTextWriterEndElement(out->writer);
}

/** End the envelope and out; gives the text, NUL behind it, caller's to free */
char *soap_out_done(struct soap_out *out, size_t *lenp)
{
	char *text;

	xmlTextWriterEndDocument(out->writer);
	xmlFreeTextWriter(out->writer);
	*lenp = (size_t)xmlBufferLength(out->buffer);
	text = xmemdup(xmlBufferContent(out->buffer), *lenp);
	xmlBufferFree(out->buffer);
	free(out);

	return text;
}

/**
 * A Fault (SOAP 1.1 4.4), which goes with status 500 (6.2)
 *
 * @param code Who was wrong
 * @param text What, where, what to do; may quote what the peer sent: what is
 *             not printable ASCII becomes '?'
 *
 * @return The envelope's text, the caller's to free
 */
char *soap_fault(enum soap_code code, const char *text, size_t *lenp)
{
	static const char *const codes[] = {
		[SOAP_CLIENT] = "soap:Client",
		[SOAP_SERVER] = "soap:Server",
		[SOAP_VERSION_MISMATCH] = "soap:VersionMismatch",
		[SOAP_MUST_UNDERSTAND] = "soap:MustUnderstand",
	};
	struct soap_out *out = out_begin();
	char *clean = xstrdup(text);
	char *c;

	for (c = clean; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	soap_out_open(out, "soap:Fault");
	soap_out_put(out, "faultcode", codes[code]);
	soap_out_put(out, "faultstring", clean);
	free(clean);

	return soap_out_done(out, lenp);
}
