/** @file pcscf_core.h  What the P-CSCF's own files share */
#ifndef SIPSHARE_PCSCF_CORE_H
#define SIPSHARE_PCSCF_CORE_H

#include <stdbool.h>

#include <sofia-sip/nta.h>
#include <sofia-sip/sip.h>

struct dialog_table;
struct element;
struct pcscf_register;
struct pcscf_server;
struct pcscf_session;
struct sipep;

/* Dialogs of all UEs together: some kB each */
enum { PCSCF_DIALOG_MAX = 100000 };

struct pcscf {
	struct element *el;
	struct sipep *ep;
	char *icscf, *realm, *visited_network;
	char *addr;                   /* ours, "127.1.1.1:5060" */
	void *users;                  /* tree (tsearch) of struct pcscf_user */
	void *sources;                /* tree of struct pcscf_source */
	struct pcscf_server *servers; /* S-CSCFs heard of */
	struct pcscf_register *registers; /* REGISTERs under way */
	void *subs;                       /* tree of struct pcscf_sub */
	struct pcscf_session *sessions;   /* other requests under way */
	struct dialog_table *dialogs;     /* of registered UEs */
};

/* pcscf_sip.c: Gm and Mw */
int pcscf_sip_open(struct pcscf *pcscf, const char *listen, char **reasonp);
void pcscf_sip_close(struct pcscf *pcscf);
void pcscf_remove_forged(msg_t *msg, sip_t *sip);

/* pcscf_register.c: TS 24.229 5.2.2 */
struct pcscf_register *pcscf_register_new(struct pcscf *pcscf, const sip_t *sip,
					  const char **refusalp);
struct pcscf_register *pcscf_register_free(struct pcscf_register *rq);
const char *pcscf_register_next_hop(const struct pcscf_register *rq);
void pcscf_register_prepare(msg_t *msg, sip_t *sip, void *arg);
void pcscf_register_answered(int status, msg_t *msg, sip_t *sip, void *arg);
char *pcscf_source(const sip_t *sip);

/* pcscf_session.c: TS 24.229 5.2.6, 5.2.7 */
void pcscf_session_rx(struct pcscf *pcscf, nta_incoming_t *irq,
		      const sip_t *sip);
void pcscf_session_rx_again(msg_t *msg, sip_t *sip, void *arg);
void pcscf_sessions_free(struct pcscf *pcscf);

/* pcscf_reg.c: the registrations that this P-CSCF remembers */
/** What a 200 to a REGISTER says about one contact; all borrowed */
struct pcscf_reg_facts {
	const char *impu, *contact;
	const char *source; /* where the UE sends from */
	const char *service_route, *associated_uri; /* header text, or NULL */
	long expires_s;                             /* 0: gone */
};

void pcscf_reg_update(struct pcscf *pcscf, const struct pcscf_reg_facts *facts);
void pcscf_reg_forget_all(struct pcscf *pcscf, const char *impu);
bool pcscf_reg_is_known(const struct pcscf *pcscf, const char *impu,
			const char *source);
bool pcscf_reg_has(const struct pcscf *pcscf, const char *impu);
void pcscf_regs_free(struct pcscf *pcscf);

#endif
