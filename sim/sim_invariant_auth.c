/* I3: which lease's password was a REGISTER made with? Computed again from the
 * messages (RFC 7616 3.4.1), so that it holds of any registrar */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "common/json.h"
#include "common/mem.h"
#include "sim/sim_invariant_core.h"

/* --- passwords: S406, S407 --- */

static void keep_secret(struct sim_invariants *inv, const json_t *body,
			bool is_platform)
{
	const char *uri = json_find_string(body, "uri");
	const char *password = json_find_string(body, "password");
	int64_t lease_id = json_find_int(body, "lease_id", 0);
	struct inv_uri *u;
	struct inv_secret *s;

	if (!uri || !password || lease_id <= 0)
		return;

	u = inv_uri_get(inv, uri);
	if (is_platform && lease_id > u->given_id)
		u->given_id = lease_id;
	for (s = u->secrets; s; s = s->next)
		if (s->lease_id == lease_id)
			return;
	s = xcalloc(1, sizeof(*s));
	s->lease_id = lease_id;
	s->text = xstrdup(password);
	s->next = u->secrets;
	u->secrets = s;
}

void inv_on_http(struct sim_invariants *inv, const struct sim_entry *e)
{
	const char *body = e->data;
	json_t *json;

	/* an answer that nobody received is none */
	if (e->is_lost || strncmp(body, "HTTP/1.1 20", 11) != 0 ||
	    !strstr(body, "\"password\""))
		return;
	body = strstr(body, "\r\n\r\n");
	if (!body)
		return;

	json = json_loads(body + 4, 0, NULL);
	keep_secret(inv, json, !strcmp(e->from, "platform"));
	json_decref(json);
}

/* --- REGISTER --- */

/** A header's value, the caller's; NULL if there is none */
char *inv_header(const char *text, const char *name)
{
	char *line = xasprintf("\n%s:", name);
	const char *p = strcasestr(text, line);

	if (p)
		p += strlen(line);
	free(line);
	if (!p)
		return NULL;
	p += strspn(p, " \t");

	return xstrndup(p, strcspn(p, "\r\n"));
}

/* The value of name=… or name="…"; the caller's; NULL if there is none */
static char *param(const char *value, const char *name)
{
	size_t len = strlen(name);
	const char *p = strcasestr(value, name);

	while (p && (p[len] != '=' || (p > value && !strchr(" ,\t", p[-1]))))
		p = strcasestr(p + 1, name);
	if (!p)
		return NULL;

	p += len + 1;
	if (*p == '"')
		return xstrndup(p + 1, strcspn(p + 1, "\""));

	return xstrndup(p, strcspn(p, ", \t\r\n"));
}

/** Digest credentials as they came (RFC 7616 3.4); strings are owned */
struct credentials {
	char *user, *realm, *nonce, *uri, *response, *alg, *qop, *nc, *cnonce;
};

static void read_credentials(struct credentials *c, const char *value)
{
	c->user = param(value, "username");
	c->realm = param(value, "realm");
	c->nonce = param(value, "nonce");
	c->uri = param(value, "uri");
	c->response = param(value, "response");
	c->alg = param(value, "algorithm");
	c->qop = param(value, "qop");
	c->nc = param(value, "nc");
	c->cnonce = param(value, "cnonce");
}

static void clear_credentials(struct credentials *c)
{
	free(c->user);
	free(c->realm);
	free(c->nonce);
	free(c->uri);
	free(c->response);
	free(c->alg);
	free(c->qop);
	free(c->nc);
	free(c->cnonce);
}

static bool is_made_with(const struct credentials *c, const char *password)
{
	char ha1[DIGEST_HEX_LEN], response[DIGEST_HEX_LEN];
	struct digest_input in = {
		.ha1 = ha1,
		.method = "REGISTER",
		.uri = c->uri,
		.nonce = c->nonce,
		.nc = c->nc,
		.cnonce = c->cnonce,
		.qop = c->qop,
	};

	if (!c->user || !c->realm || !c->nonce || !c->uri || !c->response ||
	    (c->qop && *c->qop && (!c->nc || !c->cnonce)) ||
	    digest_alg_parse(&in.alg, c->alg ? c->alg : "MD5"))
		return false;

	digest_ha1(ha1, in.alg, c->user, c->realm, password);
	digest_response(response, &in);

	return !strcmp(response, c->response);
}

/* "sip:user@host" of To, the caller's */
static char *to_uri(const char *text)
{
	char *to = inv_header(text, "To");
	const char *p = to ? strstr(to, "sip:") : NULL;
	char *uri = p ? xstrndup(p, strcspn(p, ">;? \t")) : NULL;

	free(to);

	return uri;
}

/* What a request and its response have in common, the caller's */
static char *key_of(const char *text)
{
	char *call_id = inv_header(text, "Call-ID");
	char *cseq = inv_header(text, "CSeq");
	char *key = call_id && cseq ? xasprintf("%s %s", call_id, cseq) : NULL;

	free(call_id);
	free(cseq);

	return key;
}

/* Same password for two leases (a BOSS that changes none): the later counts,
 * and stands first */
static const struct inv_secret *secret_of(const struct inv_uri *u,
					  const char *authorization)
{
	const struct inv_secret *s = u->secrets;
	struct credentials c;

	read_credentials(&c, authorization);
	while (s && !is_made_with(&c, s->text))
		s = s->next;
	clear_credentials(&c);

	return s;
}

static void on_request(struct sim_invariants *inv, const char *text,
		       const char *key)
{
	char *authorization = inv_header(text, "Authorization");
	char *uri = to_uri(text);
	struct inv_uri *u = uri ? inv_uri_find(inv, uri) : NULL;
	const struct inv_secret *s = NULL;

	if (u && authorization)
		s = secret_of(u, authorization);
	if (s) {
		struct inv_message *m = inv_message_get(&inv->registers, key);

		m->uri = u;
		m->lease_id = s->lease_id;
	}
	free(authorization);
	free(uri);
}

static void on_ok(struct sim_invariants *inv, const char *key)
{
	struct inv_message *m = inv_message_find(&inv->registers, key);
	const struct inv_uri *u;

	if (!m)
		return;

	u = m->uri;
	if (m->lease_id < u->lease_id ||
	    (m->lease_id == u->lease_id && u->state == INV_IDLE))
		inv_breach(inv, 3, u, m->lease_id,
			   "a REGISTER of %s with the password of the lease "
			   "%d, which has ended, was answered 200",
			   u->uri, (int)m->lease_id);
	inv_message_drop(&inv->registers, m);
}

/** A SIP message: a REGISTER at the registrar, or its 200 */
void inv_on_register(struct sim_invariants *inv, const struct sim_entry *e)
{
	bool is_request = !strncmp(e->data, "REGISTER ", 9);
	bool is_ok = !strncmp(e->data, "SIP/2.0 200", 11);
	char *key;

	if (!(is_request && e->to && !strcmp(e->to, "scscf")) &&
	    !(is_ok && !strcmp(e->from, "scscf")))
		return;

	key = key_of(e->data);
	if (key && is_request)
		on_request(inv, e->data, key);
	else if (key)
		on_ok(inv, key);
	free(key);
}
