#include "sim/sim_label_msg.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/dia_msg.h"
#include "common/mem.h"
#include "common/soap.h"

enum { JSON_BODY_MAX = 64 * 1024, IMPU_TEXT_LEN = 256 };

/** What is left of a message's text */
struct text {
	const char *at, *end;
};

/** One line or value, not ended by a NUL */
struct span {
	const char *p;
	size_t len;
};

/** Headers of SIP that count, the first of each */
struct sip_headers {
	struct span via, to, call_id, cseq, contact, expires, authorization;
};

static struct span trim(const char *p, const char *end)
{
	while (p < end && isspace((unsigned char)*p))
		p++;
	while (end > p && isspace((unsigned char)end[-1]))
		end--;

	return (struct span){ p, (size_t)(end - p) };
}

/* false at the blank line, which is eaten, and at the end */
static bool next_line(struct text *text, struct span *line)
{
	const char *nl;

	if (text->at == text->end)
		return false;

	nl = memchr(text->at, '\n', (size_t)(text->end - text->at));
	*line = trim(text->at, nl ? nl : text->end);
	text->at = nl ? nl + 1 : text->end;

	return line->len > 0;
}

/* As a string: a NUL would cut it, and make "REGISTER\0x" a REGISTER */
static char *copy(struct span s)
{
	static const char nul[] = "\\x00";
	size_t extra = sizeof(nul) - 2, n = 0;
	char *text, *out;

	if (!s.p)
		return NULL;

	for (size_t i = 0; i < s.len; i++)
		n += !s.p[i];
	text = out = xcalloc(s.len + n * extra + 1, 1);
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i])
			*out++ = s.p[i];
		else
			out = stpcpy(out, nul);
	}

	return text;
}

static bool split_header(struct span line, struct span *name,
			 struct span *value)
{
	const char *colon = memchr(line.p, ':', line.len);

	if (!colon)
		return false;
	*name = trim(line.p, colon);
	*value = trim(colon + 1, line.p + line.len);

	return true;
}

static bool is_word(struct span s, const char *word)
{
	return s.len == strlen(word) && !strncasecmp(s.p, word, s.len);
}

/* "SIP/2.0 401 Unauthorized", "HTTP/1.1 200 OK": the status, or 0 */
static int read_status(struct span line, char **summaryp)
{
	const char *sp = memchr(line.p, ' ', line.len);
	struct span rest;

	if (!sp)
		return 0;
	rest = trim(sp, line.p + line.len);
	if (rest.len < 3 || !isdigit((unsigned char)rest.p[0]) ||
	    !isdigit((unsigned char)rest.p[1]) ||
	    !isdigit((unsigned char)rest.p[2]))
		return 0;
	*summaryp = copy(rest);

	return (rest.p[0] - '0') * 100 + (rest.p[1] - '0') * 10 + rest.p[2] -
	       '0';
}

static bool begins(struct span s, const char *prefix)
{
	return s.len >= strlen(prefix) &&
	       !strncasecmp(s.p, prefix, strlen(prefix));
}

/* --- SIP (RFC 3261 7) --- */

static struct span *sip_slot(struct sip_headers *h, struct span name)
{
	const struct {
		const char *name, *compact;
		struct span *slot;
	} known[] = { { "Via", "v", &h->via },
		      { "To", "t", &h->to },
		      { "Call-ID", "i", &h->call_id },
		      { "CSeq", "CSeq", &h->cseq },
		      { "Contact", "m", &h->contact },
		      { "Expires", "Expires", &h->expires },
		      { "Authorization", "Authorization", &h->authorization } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (is_word(name, known[i].name) ||
		    is_word(name, known[i].compact))
			return known[i].slot;
	}

	return NULL;
}

static void read_sip_headers(struct sip_headers *h, struct text *text)
{
	struct span line, name, value, *slot;

	while (next_line(text, &line)) {
		if (!split_header(line, &name, &value))
			continue;
		slot = sip_slot(h, name);
		if (slot && !slot->p)
			*slot = value;
	}
}

/* The URI of To without parameters: "sip:user@host", its host in lower case */
static char *read_uri(struct span to)
{
	const char *open, *p, *end;
	char *uri, *at;
	size_t n = 0;

	if (!to.p)
		return NULL;

	end = to.p + to.len;
	open = memchr(to.p, '<', to.len);
	p = open ? open + 1 : to.p;
	while (p + n < end && (!p[n] || !strchr(">;? \t", p[n])))
		n++;
	uri = copy((struct span){ p, n });
	at = strchr(uri, '@');
	for (char *c = at ? at : uri + strlen(uri); *c; c++)
		*c = (char)tolower((unsigned char)*c);

	return uri;
}

/* The value of a parameter: what follows `key`, which ends with '=' */
static const char *find_param(const char *value, const char *key)
{
	const char *p = value ? strcasestr(value, key) : NULL;

	while (p && p > value && isalnum((unsigned char)p[-1]))
		p = strcasestr(p + 1, key);

	return p ? p + strlen(key) : NULL;
}

/* RFC 3261 10.2.1.1: the Contact's own parameter goes before Expires */
static unsigned expires_flag(const struct sip_headers *h)
{
	char *contact = copy(h->contact), *expires = copy(h->expires);
	const char *value = find_param(contact, "expires=");
	bool is_zero;

	if (!value)
		value = expires;
	is_zero = value && isdigit((unsigned char)value[0]) &&
		  strtoul(value, NULL, 10) == 0;
	if (contact && contact[0] == '*')
		is_zero = true;
	free(contact);
	free(expires);

	return is_zero ? SIM_EXPIRES_0 : SIM_EXPIRES;
}

/* A first REGISTER may carry an empty response (TS 24.229 5.1.1.2.2) */
static unsigned credentials_flag(const struct sip_headers *h)
{
	char *value = copy(h->authorization);
	const char *response = find_param(value, "response=");
	bool has = response && response[strspn(response, "\" \t,")];

	if (has && response[0] == '"' && response[1] == '"')
		has = false;
	free(value);

	return has ? SIM_CREDENTIALS : SIM_NO_CREDENTIALS;
}

static void read_sip(struct sim_facts *facts, struct text text)
{
	struct sip_headers h = { 0 };
	char *cseq, *via;
	const char *branch;
	struct span line;

	facts->wire = SIM_SIP;
	if (!next_line(&text, &line))
		return;

	read_sip_headers(&h, &text);
	if (begins(line, "SIP/")) {
		facts->status = read_status(line, &facts->summary);
	} else {
		const char *sp = memchr(line.p, ' ', line.len);

		facts->is_request = true;
		facts->what = copy(trim(line.p, sp ? sp : line.p + line.len));
		facts->flags = expires_flag(&h) | credentials_flag(&h);
		facts->summary = xstrdup(facts->what);
	}
	facts->impu = read_uri(h.to);
	facts->call_id = copy(h.call_id);
	cseq = copy(h.cseq);
	via = copy(h.via);
	branch = find_param(via, "branch=");
	/* RFC 3261 17.1.3: branch and CSeq's method match a response */
	facts->exchange = xasprintf(
		"%s %s %.*s", facts->call_id ? facts->call_id : "",
		cseq ? cseq : "", branch ? (int)strcspn(branch, ";, ") : 0,
		branch ? branch : "");
	if (facts->is_request && facts->flags & SIM_EXPIRES_0 &&
	    !strcmp(facts->what, "REGISTER"))
		xstrset(&facts->summary, "REGISTER (Expires 0)");
	free(cseq);
	free(via);
}

/* --- HTTP (RFC 9112), JSON and SOAP in it --- */

static char *find_uri(json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		struct span s = { json_string_value(value),
				  json_string_length(value) };

		if (s.p && begins(s, "sip:"))
			return read_uri(s);
	}

	return NULL;
}

static void read_json(struct sim_facts *facts, struct text body)
{
	size_t len = (size_t)(body.end - body.at);
	json_t *json = len > JSON_BODY_MAX
			       ? NULL
			       : json_loadb(body.at, len, JSON_ALLOW_NUL, NULL);

	facts->impu = find_uri(json);
	json_decref(json);
}

static void read_soap(struct sim_facts *facts, struct text body)
{
	struct soap *soap = NULL;
	enum soap_code code;
	char *reason = NULL;

	facts->wire = SIM_SOAP;
	if (soap_parse(&soap, body.at, (size_t)(body.end - body.at), &code,
		       &reason)) {
		free(reason);
		return;
	}

	if (facts->is_request) {
		xstrset(&facts->what, soap_name(soap_operation(soap)));
		xstrset(&facts->summary, facts->what);
	}
	soap_free(soap);
}

static char *read_request_line(struct span line)
{
	const char *sp = memchr(line.p, ' ', line.len);
	size_t n = sp ? (size_t)(sp - line.p) + 1 : line.len;

	while (n < line.len && !strchr(" ?", line.p[n]))
		n++;

	return xstrndup(line.p, n);
}

static void read_http(struct sim_facts *facts, struct text text,
		      const struct sim_entry *e)
{
	struct span line, name, value, type = { "", 0 };

	facts->wire = SIM_HTTPS;
	facts->is_in_order = true;
	if (!next_line(&text, &line))
		return;

	if (begins(line, "HTTP/")) {
		facts->status = read_status(line, &facts->summary);
	} else {
		facts->is_request = true;
		facts->what = read_request_line(line);
		facts->summary = xstrdup(facts->what);
	}
	facts->exchange =
		xasprintf("%s %s", facts->is_request ? e->src : e->dst,
			  facts->is_request ? e->dst : e->src);
	while (next_line(&text, &line)) {
		if (split_header(line, &name, &value) &&
		    is_word(name, "Content-Type"))
			type = value;
	}
	if (text.at == text.end)
		facts->flags |= SIM_NO_BODY;
	else if (begins(type, "text/xml"))
		read_soap(facts, text);
	else
		read_json(facts, text);
}

/* --- Diameter (RFC 6733 3) --- */

static void read_diameter(struct sim_facts *facts, const struct sim_entry *e)
{
	char impu[IMPU_TEXT_LEN], result[80];
	struct dia_msg msg;

	facts->wire = SIM_CX;
	if (dia_msg_read(&msg, e->data, e->len)) {
		facts->summary =
			xasprintf("broken Diameter, %zu bytes", e->len);
		return;
	}

	facts->is_request = dia_is_request(&msg);
	facts->what = xstrdup(dia_msg_name(&msg));
	/* hop-by-hop is the connection's own (RFC 6733 3) */
	facts->exchange = xasprintf("%u %08x %08x", msg.code, msg.hop_by_hop,
				    msg.end_to_end);
	if (dia_text(impu, sizeof(impu), &msg, AVP_PUBLIC_IDENTITY))
		facts->impu = read_uri((struct span){ impu, strlen(impu) });
	if (!facts->is_request && dia_result_text(result, sizeof(result), &msg))
		facts->summary = xasprintf("%s %s", facts->what, result);
	else
		facts->summary = xstrdup(facts->what);
}

/* " number=+86…": what says more about an event */
static void add_field(char **textp, const char *key, const json_t *value)
{
	static const char *const common[] = { "t", "actor", "kind", "name" };
	char *more = NULL;

	for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++) {
		if (!strcmp(key, common[i]))
			return;
	}

	if (json_is_string(value))
		more = xasprintf("%s %s=%s", *textp, key,
				 json_string_value(value));
	else if (json_is_integer(value))
		more = xasprintf("%s %s=%" JSON_INTEGER_FORMAT, *textp, key,
				 json_integer_value(value));
	if (more) {
		free(*textp);
		*textp = more;
	}
}

static void read_event(struct sim_facts *facts, const struct sim_entry *e)
{
	const char *machine, *id, *from, *to, *key;
	json_t *value;

	facts->wire = SIM_EVENT;
	facts->what = xstrdup(e->name);
	facts->impu = find_uri(e->fields);
	if (!strcmp(e->name, "fsm") &&
	    !json_unpack(e->fields, "{s:s, s:s, s:s, s:s}", "machine", &machine,
			 "id", &id, "from", &from, "to", &to)) {
		facts->summary =
			xasprintf("%s %s: %s to %s", machine, id, from, to);
		return;
	}

	facts->summary = xstrdup(e->name);
	json_object_foreach(e->fields, key, value)
	{
		add_field(&facts->summary, key, value);
	}
}

/** Read one entry; what cannot be read stays NULL. sim_facts_clear() it */
void sim_facts_read(struct sim_facts *facts, const struct sim_entry *entry)
{
	struct text text = { entry->data, NULL };

	*facts = (struct sim_facts){ 0 };
	if (entry->name) {
		read_event(facts, entry);
		return;
	}

	text.end = text.at + entry->len;
	if (entry->proto == TRACE_SIP)
		read_sip(facts, text);
	else if (entry->proto == TRACE_HTTP)
		read_http(facts, text, entry);
	else
		read_diameter(facts, entry);
	if (!facts->summary)
		facts->summary = xasprintf("unreadable, %zu bytes", entry->len);
}

void sim_facts_clear(struct sim_facts *facts)
{
	free(facts->what);
	free(facts->summary);
	free(facts->impu);
	free(facts->call_id);
	free(facts->exchange);
	*facts = (struct sim_facts){ 0 };
}
