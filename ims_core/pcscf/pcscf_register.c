/* REGISTER at the P-CSCF (TS 24.229 5.2.2): what is added on the way in, and
 * what is kept of the 200 on the way back */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_string.h>

#include "common/element.h"
#include "common/ims_headers.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/timer.h"
#include "ims_core/pcscf/pcscf_reg_event.h"

/** A REGISTER under way; owned by the P-CSCF's list until it is answered */
struct pcscf_register {
	su_home_t home[1];
	struct pcscf_register *next;
	struct pcscf *pcscf;
	char *impu, *source, *next_hop;
	sip_contact_t *contacts;
};

/**
 * Where a request came from as the top Via says, "127.0.0.1:5060": the IP
 * association of TS 24.229 5.2.6.3. Over TCP the port is the one that the
 * sender listens at: the connection's is another each time
 *
 * @return To be freed
 */
char *pcscf_source(const sip_t *sip)
{
	const sip_via_t *via = sip->sip_via;
	bool is_udp = !strcasecmp(via->v_protocol, sip_transport_udp);
	const char *port = is_udp && via->v_rport && *via->v_rport
				   ? via->v_rport
				   : via->v_port;

	return xasprintf("%s:%s",
			 via->v_received ? via->v_received : via->v_host,
			 port ? port : "5060");
}

/**
 * Remember a REGISTER that is to be forwarded
 *
 * @param refusalp What is wrong where there is none, static
 */
struct pcscf_register *pcscf_register_new(struct pcscf *pcscf, const sip_t *sip,
					  const char **refusalp)
{
	struct pcscf_register *rq = su_home_new(sizeof(*rq));

	if (!rq)
		abort();

	rq->pcscf = pcscf;
	rq->next = pcscf->registers;
	pcscf->registers = rq;
	rq->impu = ims_impu(rq->home, sip->sip_to->a_url);
	if (!rq->impu) {
		*refusalp = "To holds no public identity (sip:user@domain or "
			    "tel:number)";
		pcscf_register_free(rq);
		return NULL;
	}
	rq->source = pcscf_source(sip);
	rq->next_hop = ims_next_hop(pcscf->icscf, sip);
	rq->contacts = sip_contact_dup(rq->home, sip->sip_contact);

	return rq;
}

struct pcscf_register *pcscf_register_free(struct pcscf_register *rq)
{
	struct pcscf_register **at = &rq->pcscf->registers;

	while (*at != rq)
		at = &(*at)->next;
	*at = rq->next;
	free(rq->source);
	free(rq->next_hop);
	su_home_unref(rq->home);

	return NULL;
}

const char *pcscf_register_next_hop(const struct pcscf_register *rq)
{
	return rq->next_hop;
}

/* integrity-protected is the network's word, never the UE's; without TLS or
 * IPsec it says how far the UE's address is known (5.2.2.5, 5.2.2.6) */
static void set_integrity(const struct pcscf_register *rq, msg_t *msg,
			  sip_t *sip)
{
	sip_authorization_t *au = sip->sip_authorization;

	for (; au; au = au->au_next) {
		msg_common_t *h = au->au_common;
		const char *response, *value = "integrity-protected=\"no\"";

		if (!au->au_scheme || strcasecmp(au->au_scheme, "Digest") != 0)
			continue;

		while (msg_header_find_param(h, "integrity-protected"))
			msg_header_remove_param(h, "integrity-protected");
		response = msg_header_find_param(h, "response");
		if (response && *response && strcmp(response, "\"\"") != 0)
			value = pcscf_reg_is_known(rq->pcscf, rq->impu,
						   rq->source)
					? "integrity-protected=\"ip-assoc-yes\""
					: "integrity-protected=\"ip-assoc-"
					  "pending\"";
		msg_header_replace_param(msg_home(msg), h, value);
	}
}

/** The REGISTER as it goes to the I-CSCF (5.2.2.1) */
void pcscf_register_prepare(msg_t *msg, sip_t *sip, void *arg)
{
	const struct pcscf_register *rq = arg;
	const struct pcscf *pcscf = rq->pcscf;
	char *path = xasprintf("<sip:term@%s;lr>", pcscf->addr);
	char *visited = xasprintf("\"%s\"", pcscf->visited_network);
	char *icid = ims_charging_vector(pcscf->realm);

	pcscf_remove_forged(msg, sip);
	ims_header_remove(msg, sip, "Route");
	set_integrity(rq, msg, sip);

	/* S502, S512: [0091] [0101]: towards the home network's I-CSCF */
	(void)sip_add_make(msg, sip, sip_path_class, path);
	(void)sip_add_make(msg, sip, sip_require_class, "path");
	ims_header_add(msg, sip, "P-Visited-Network-ID", visited);
	ims_header_add(msg, sip, "P-Charging-Vector", icid);
	free(path);
	free(visited);
	free(icid);
}

static const sip_contact_t *find_contact(const sip_contact_t *m,
					 const url_t *url)
{
	while (m && url_cmp_all(m->m_url, url))
		m = m->m_next;

	return m;
}

static char *header_text(su_home_t *home, const void *header)
{
	return header ? sip_header_as_string(home, header) : NULL;
}

/* The 200 lists all that is bound: what the request named and the answer does
 * not is gone (RFC 3261 10.3 step 8) */
static void remember(struct pcscf_register *rq, const sip_t *sip)
{
	struct pcscf_reg_facts facts = {
		.impu = rq->impu,
		.source = rq->source,
		.service_route = header_text(rq->home, sip->sip_service_route),
		.associated_uri = ims_header_get(sip, "P-Associated-URI"),
	};
	const sip_contact_t *m = rq->contacts;

	for (; m; m = m->m_next) {
		const sip_contact_t *granted;

		if (m->m_url->url_type == url_any) {
			pcscf_reg_forget_all(rq->pcscf, rq->impu);
			return;
		}
		granted = find_contact(sip->sip_contact, m->m_url);
		facts.contact = url_as_string(rq->home, m->m_url);
		facts.expires_s = 0;
		if (granted)
			facts.expires_s = (long)sip_contact_expires(
				granted, sip->sip_expires, sip->sip_date,
				timer_value_ms(TIMER_REG_EXPIRES) / 1000, 0);
		pcscf_reg_update(rq->pcscf, &facts);
	}
	pcscf_reg_event_subscribe(rq->pcscf, rq->impu, facts.service_route);
}

/**
 * The REGISTER's final answer, on its way to the UE (5.2.2.1); the request is
 * forgotten here. From the I-CSCF: S509, S518: [0098] [0107]; to the UE:
 * S510, S519: [0099] [0108]; to the platform, which deregisters in the UE's
 * place: S414: [0122]
 */
void pcscf_register_answered(int status, msg_t *msg, sip_t *sip, void *arg)
{
	struct pcscf_register *rq = arg;

	(void)msg;
	if (status < 200)
		return;

	if (!sip)
		log_warn("pcscf %s: no answer from the I-CSCF at %s (%d)",
			 rq->impu, rq->next_hop, status);
	else if (status < 300)
		remember(rq, sip);
	else
		log_info("pcscf %s: REGISTER got %d %s", rq->impu, status,
			 sip->sip_status->st_phrase);
	pcscf_register_free(rq);
}
