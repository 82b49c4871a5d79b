/* Whose registration a request belongs to: by where it comes from, by who it
 * says it is, by the contact it goes to (TS 24.229 5.2.6.3, 5.2.6.4) */
#include "ims_core/pcscf/pcscf_reg.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>

#include "common/ims_headers.h"
#include "common/mem.h"

/** The contacts registered from one place; owned by the P-CSCF's tree, gone
 * with the last of them */
struct pcscf_source {
	char *source;
	struct pcscf_reg *regs;
};

/** An S-CSCF that some 200 named; owned by the P-CSCF's list */
struct pcscf_server {
	struct pcscf_server *next;
	char *addr;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct pcscf_source *)a)->source,
		      ((const struct pcscf_source *)b)->source);
}

static struct pcscf_source *find_source(const struct pcscf *pcscf,
					const char *source)
{
	const struct pcscf_source key = { .source = (char *)source };
	struct pcscf_source **found = tfind(&key, &pcscf->sources, compare);

	return found ? *found : NULL;
}

/** Is some UE registered from there? */
bool pcscf_reg_is_source(const struct pcscf *pcscf, const char *source)
{
	return find_source(pcscf, source) != NULL;
}

/** Is that the address of an S-CSCF that a Service-Route named? */
bool pcscf_reg_is_server(const struct pcscf *pcscf, const char *source)
{
	const struct pcscf_server *server = pcscf->servers;

	while (server && strcmp(server->addr, source) != 0)
		server = server->next;

	return server;
}

/* There are as many as the network has S-CSCFs: kept for good */
static void keep_server(struct pcscf *pcscf, const char *service_route)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const sip_route_t *route = sip_route_make(home, service_route);
	struct pcscf_server *server;
	char *addr;

	if (!route || !route->r_url->url_host) {
		su_home_deinit(home);
		return;
	}
	addr = xasprintf("%s:%s", route->r_url->url_host,
			 route->r_url->url_port ? route->r_url->url_port
						: "5060");
	su_home_deinit(home);
	if (pcscf_reg_is_server(pcscf, addr)) {
		free(addr);
		return;
	}
	server = xcalloc(1, sizeof(*server));
	server->addr = addr;
	server->next = pcscf->servers;
	pcscf->servers = server;
}

void pcscf_servers_free(struct pcscf *pcscf)
{
	struct pcscf_server *server;

	while ((server = pcscf->servers)) {
		pcscf->servers = server->next;
		free(server->addr);
		free(server);
	}
}

/** Let the registration be found by its source; it was not before */
void pcscf_reg_link(struct pcscf_reg *reg)
{
	struct pcscf *pcscf = reg->user->pcscf;
	struct pcscf_source *from = find_source(pcscf, reg->source);

	if (!from) {
		from = xcalloc(1, sizeof(*from));
		from->source = xstrdup(reg->source);
		tsearch(from, &pcscf->sources, compare);
	}
	reg->from = from;
	reg->next_from = from->regs;
	from->regs = reg;
	if (reg->service_route)
		keep_server(pcscf, reg->service_route);
}

/** It moves, or goes away */
void pcscf_reg_unlink(struct pcscf_reg *reg)
{
	struct pcscf_source *from = reg->from;
	struct pcscf_reg **at = from ? &from->regs : NULL;

	if (!from)
		return;

	while (*at != reg)
		at = &(*at)->next_from;
	*at = reg->next_from;
	reg->from = NULL;
	if (from->regs)
		return;

	tdelete(from, &reg->user->pcscf->sources, compare);
	free(from->source);
	free(from);
}

/** Is an identity one of those that the registration implies (the 200's
 * P-Associated-URI)? */
bool pcscf_reg_implies(const struct pcscf_reg *reg, const char *identity)
{
	char *text = xasprintf("<%s>", identity);
	bool has = !strcmp(reg->user->impu, identity) ||
		   (reg->associated_uri && strstr(reg->associated_uri, text));

	free(text);

	return has;
}

/** The default identity: the first one in P-Associated-URI; in home */
char *pcscf_reg_identity(const struct pcscf_reg *reg, su_home_t *home)
{
	const char *uri =
		reg->associated_uri ? strchr(reg->associated_uri, '<') : NULL;

	if (!uri)
		return su_strdup(home, reg->user->impu);

	return su_strndup(home, uri + 1, (isize_t)strcspn(uri + 1, ">"));
}

static const struct pcscf_reg *
find_user_from(const struct pcscf *pcscf, const char *source, const url_t *url)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *impu = ims_impu(home, url);
	const struct pcscf_user *user =
		impu ? pcscf_user_find(pcscf, impu) : NULL;
	const struct pcscf_reg *reg = user ? user->regs : NULL;

	while (reg && strcmp(reg->source, source) != 0)
		reg = reg->next;
	su_home_deinit(home);

	return reg;
}

static const struct pcscf_reg *find_contact(const struct pcscf_source *from,
					    const url_t *url)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *contact = url_as_string(home, url);
	const struct pcscf_reg *reg = from ? from->regs : NULL;

	while (reg && strcmp(reg->contact, contact) != 0)
		reg = reg->next_from;
	su_home_deinit(home);

	return reg;
}

/**
 * Which registration a UE's request belongs to (5.2.6.3): of those made from
 * its source, the one of the identity that it prefers or writes into From, the
 * one of its Contact, or the only one. A process that plays many UEs on one
 * address says by these which of them it is.
 *
 * @return NULL: nobody registered from there, or it cannot be told who it is
 */
const struct pcscf_reg *pcscf_reg_of(const struct pcscf *pcscf,
				     const char *source, const sip_t *sip)
{
	const sip_p_preferred_identity_t *ppi = sip_p_preferred_identity(sip);
	const struct pcscf_source *from = find_source(pcscf, source);
	const struct pcscf_reg *reg = NULL;

	if (!from)
		return NULL;
	if (ppi)
		reg = find_user_from(pcscf, source, ppi->ppid_url);
	if (!reg)
		reg = find_user_from(pcscf, source, sip->sip_from->a_url);
	if (!reg && sip->sip_contact)
		reg = find_contact(from, sip->sip_contact->m_url);
	if (!reg && !from->regs->next_from)
		reg = from->regs;

	return reg;
}

/** The registration whose contact a request is for (5.2.6.4); NULL: it is not
 * registered here (any more) */
const struct pcscf_reg *pcscf_reg_at(const struct pcscf *pcscf,
				     const sip_t *sip)
{
	const url_t *url = sip->sip_request->rq_url;
	char *source = xasprintf("%s:%s", url->url_host ? url->url_host : "",
				 url->url_port ? url->url_port : "5060");
	const struct pcscf_reg *reg =
		find_contact(find_source(pcscf, source), url);
	const char *called = ims_header_get(sip, "P-Called-Party-ID");
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const sip_route_t *id = called ? sip_route_make(home, called) : NULL;
	const char *impu = id ? ims_impu(home, id->r_url) : NULL;
	const struct pcscf_user *user =
		impu ? pcscf_user_find(pcscf, impu) : NULL;
	const char *contact = url_as_string(home, url);

	free(source);
	/* behind a NAT the contact is not where the UE sends from */
	for (const struct pcscf_reg *r = user ? user->regs : NULL; r && !reg;
	     r = r->next)
		if (!strcmp(r->contact, contact))
			reg = r;
	su_home_deinit(home);

	return reg;
}
