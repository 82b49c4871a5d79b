/** @file scscf_reg.h  Registrations: a public identity and its contacts */
#ifndef SIPSHARE_SCSCF_REG_H
#define SIPSHARE_SCSCF_REG_H

#include <jansson.h>

#include "ims_core/scscf/scscf_core.h"

enum { REG_NOT_REGISTERED, REG_REGISTERED, REG_STATE_N };
enum {
	REG_EV_BOUND,
	REG_EV_UNBOUND,
	REG_EV_TERMINATED,
	REG_EV_EXPIRED,
	REG_EV_N
};

/** One binding (RFC 3261 10.3); owned by its reg */
struct scscf_contact {
	struct scscf_contact *next;
	url_t *url;
	char *uri, *call_id, *q, *path;
	uint32_t cseq;
	int64_t expires_us; /* by clock_now_us() */
};

/* scscf_reg.c: the machine */
struct scscf_reg *scscf_reg_find(const struct scscf *scscf, const char *impu);
struct scscf_reg *scscf_reg_of(const struct scscf *scscf, const char *impi);
struct scscf_reg *scscf_reg_get(struct scscf *scscf, const char *impu);
bool scscf_reg_is_registered(const struct scscf_reg *reg);
void scscf_reg_event(struct scscf_reg *reg, int event);
void scscf_reg_forget_if_idle(struct scscf_reg *reg);
void scscf_reg_end_auths(struct scscf_reg *reg, int event);
json_t *scscf_regs_json(const struct scscf *scscf);
void scscf_regs_free(struct scscf *scscf);

/* scscf_contacts.c: the bindings, RFC 3261 10.3 */
const char *scscf_contacts_malformed(const sip_t *sip);
bool scscf_contacts_is_stale(const struct scscf_reg *reg, const sip_t *sip);
bool scscf_contacts_is_brief(const sip_t *sip);
bool scscf_contacts_will_remain(const struct scscf_reg *reg, const sip_t *sip);
void scscf_contacts_apply(struct scscf_reg *reg, const sip_t *sip);
void scscf_contacts_drop_expired(struct scscf_reg *reg);
void scscf_contacts_free(struct scscf_reg *reg);
int64_t scscf_contacts_first_ms(const struct scscf_reg *reg);
int64_t scscf_contacts_last_s(const struct scscf_reg *reg);
char *scscf_contacts_text(const struct scscf_reg *reg);

/* scscf_deregister.c: TS 24.229 5.4.1.4, 5.4.1.5 */
void scscf_deregister_expired(struct scscf_reg *reg);
void scscf_deregister_by_network(struct scscf_reg *reg);
void scscf_deregister_by_as(struct scscf *scscf, const char *impu);

/* scscf_third_party.c: TS 24.229 5.4.1.7 */
/** What the AS is told about; sip is the UE's REGISTER, or NULL at expiry */
struct scscf_news {
	int type; /* enum scscf_reg_type */
	const sip_t *sip;
	int expires_s;
};

void scscf_third_party_register(struct scscf_reg *reg,
				const struct scscf_news *news);
void scscf_third_parties_free(struct scscf *scscf);

#endif
