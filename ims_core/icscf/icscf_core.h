/** @file icscf_core.h  What the I-CSCF's own files share */
#ifndef SIPSHARE_ICSCF_CORE_H
#define SIPSHARE_ICSCF_CORE_H

#include <stdbool.h>

#include <sofia-sip/nta.h>
#include <sofia-sip/sip.h>

#include "common/cx.h"
#include "ims_core/icscf/icscf.h"

struct element;
struct icscf_choice;
struct icscf_register;
struct icscf_session;
struct sipep;
struct timer;

struct icscf {
	struct element *el;
	struct sipep *ep;
	struct cx *cx;
	char *hss, *realm, *origin_host;
	struct icscf_choice *choices; /* S-CSCFs by capability */
	int choice_n;
	struct icscf_register *registers; /* REGISTERs that wait for a UAA */
	struct icscf_session *sessions;   /* requests that wait for a LIA */
	struct icscf_register *arriving; /* whose irq is still the endpoint's */
	struct timer *ready_bound;
	bool is_ready;
};

/** A REGISTER under way; owned by the I-CSCF's list until it is forwarded or
 * refused */
struct icscf_register {
	su_home_t home[1];
	struct icscf_register *next;
	struct icscf *icscf;
	nta_incoming_t *irq;
	const sip_t *sip; /* the irq's, for as long as that lives */
	char *impi, *impu, *visited_network;
	char *server_name; /* the S-CSCF chosen */
};

/** Another request under way; owned by the I-CSCF's list likewise */
struct icscf_session {
	su_home_t home[1];
	struct icscf_session *next, **at;
	struct icscf *icscf;
	nta_incoming_t *irq;
	const sip_t *sip; /* the irq's, for as long as that lives */
	char *impu;       /* who is sought */
	char *number; /* the tel URI that the Request-URI becomes, or NULL */
	char *server_name; /* where the user is */
};

/** Why a REGISTER is refused; phrase and text borrowed */
struct icscf_refusal {
	int status;
	const char *phrase;
	const char *text; /* for the Warning */
};

/* icscf_sip.c: Mw */
int icscf_sip_open(struct icscf *icscf, const char *listen, char **reasonp);
void icscf_sip_close(struct icscf *icscf);
void icscf_sip_forward(struct icscf_register *rq);
void icscf_sip_refuse(struct icscf_register *rq,
		      const struct icscf_refusal *refusal);
void icscf_sip_drop(struct icscf_register *rq);

/* icscf_cx.c: Cx */
int icscf_cx_open(struct icscf *icscf, const struct icscf_cfg *cfg,
		  char **reasonp);
void icscf_cx_close(struct icscf *icscf);
void icscf_cx_query(struct icscf_register *rq, enum cx_auth_type type);
void icscf_cx_locate(struct icscf_session *s);

/* icscf_register.c: TS 24.229 5.3.1 */
void icscf_register_start(struct icscf_register *rq);
void icscf_register_rx_uaa(struct icscf_register *rq, int err,
			   const struct cx_uaa *uaa);

/* icscf_session.c: TS 24.229 5.3.2 */
void icscf_session_rx(struct icscf *icscf, nta_incoming_t *irq,
		      const sip_t *sip);
void icscf_session_rx_lia(struct icscf_session *s, int err,
			  const struct cx_lia *lia);
void icscf_session_drop(struct icscf_session *s);

/* icscf_select.c: an S-CSCF by capabilities, TS 29.228 6.7 */
int icscf_choices_set(struct icscf *icscf, const struct icscf_cfg *cfg,
		      char **reasonp);
void icscf_choices_free(struct icscf *icscf);
const char *icscf_select(const struct icscf *icscf, const uint32_t *mandatory,
			 size_t mandatory_n);

#endif
