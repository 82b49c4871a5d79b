/** @file pcscf_reg.h  The registrations that the P-CSCF remembers */
#ifndef SIPSHARE_PCSCF_REG_H
#define SIPSHARE_PCSCF_REG_H

#include "ims_core/pcscf/pcscf_core.h"

struct fsm;
struct pcscf_source;

/** One contact; owned by its user */
struct pcscf_reg {
	struct pcscf_reg *next;
	struct pcscf_user *user;
	struct fsm *fsm;
	char *contact;
	char *source, *service_route, *associated_uri;
	struct pcscf_source *from; /* who else sends from there */
	struct pcscf_reg *next_from;
};

/** One public identity with its contacts; owned by the P-CSCF's tree */
struct pcscf_user {
	char *impu;
	struct pcscf *pcscf;
	struct pcscf_reg *regs;
};

/* pcscf_reg.c */
struct pcscf_user *pcscf_user_find(const struct pcscf *pcscf, const char *impu);

/* pcscf_reg_find.c: by where the UE sends from (TS 24.229 5.2.6.3) */
void pcscf_reg_link(struct pcscf_reg *reg);
void pcscf_reg_unlink(struct pcscf_reg *reg);
bool pcscf_reg_is_source(const struct pcscf *pcscf, const char *source);
const struct pcscf_reg *pcscf_reg_of(const struct pcscf *pcscf,
				     const char *source, const sip_t *sip);
const struct pcscf_reg *pcscf_reg_at(const struct pcscf *pcscf,
				     const sip_t *sip);
bool pcscf_reg_implies(const struct pcscf_reg *reg, const char *identity);
char *pcscf_reg_identity(const struct pcscf_reg *reg, su_home_t *home);
bool pcscf_reg_is_server(const struct pcscf *pcscf, const char *source);
void pcscf_servers_free(struct pcscf *pcscf);

#endif
