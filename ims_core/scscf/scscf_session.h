/** @file scscf_session.h  Requests other than REGISTER at the S-CSCF
 *
 * One session is one pass of a dialog's first request, or of a request without
 * a dialog, through this S-CSCF: from the served user or an AS, to the next AS
 * or onward. With an AS between there are two.
 */
#ifndef SIPSHARE_SCSCF_SESSION_H
#define SIPSHARE_SCSCF_SESSION_H

#include "common/dialog.h"
#include "common/sipep.h"
#include "ims_core/scscf/scscf_profile.h"
#include "ims_core/scscf/scscf_reg.h"

/** Owned by the S-CSCF's list until it is answered */
struct scscf_session {
	su_home_t home[1];
	struct scscf_session *next, **at;
	struct scscf *scscf;
	nta_incoming_t *irq;
	const sip_t *sip; /* the irq's, for as long as that lives */
	char *impu;       /* the served user */
	enum scscf_session_case session_case;
	int done_n;         /* criteria looked at, by priority */
	char *odi;          /* original dialog identifier; NULL: no AS yet */
	char *server;       /* AS that has it now; NULL: none */
	bool is_diverted;   /* by an AS: to somebody else than impu */
	bool is_terminated; /* that AS's DefaultHandling SESSION_TERMINATED */
	bool is_passed_on;  /* that AS has sent it on: it has not failed */
	struct sipep_refusal refusal; /* why it goes nowhere */
	struct dialog_first first;    /* the dialogs that it makes */
};

/* scscf_session.c: which procedure, and what all share */
void scscf_session_rx(struct scscf *scscf, nta_incoming_t *irq,
		      const sip_t *sip);
struct scscf_session *scscf_session_new(struct scscf *scscf,
					nta_incoming_t *irq, const sip_t *sip);
void scscf_session_go(struct scscf_session *s);
void scscf_session_refuse(struct scscf_session *s, int status,
			  const char *phrase, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
size_t scscf_session_nowhere(struct scscf_session *s, int status,
			     const char *phrase, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void scscf_session_answered(int status, msg_t *msg, sip_t *sip, void *arg);
void scscf_session_rx_again(msg_t *msg, sip_t *sip, void *arg);
bool scscf_session_is_served(const struct scscf *scscf, const char *impu);
void scscf_sessions_free(struct scscf *scscf);

/* Where it goes next: an array in the session's home, and how many. 0:
 * nowhere, refusal says why */
size_t scscf_session_routes(struct scscf_session *s,
			    const struct sipep_route **routesp);

/* scscf_isc.c: TS 24.229 5.4.3.2, 5.4.3.3, TS 23.218 5.2: to the AS */
size_t scscf_isc_routes(struct scscf_session *s,
			const struct sipep_route **routesp);
bool scscf_isc_returns(struct scscf_session *s, const url_t *own_route);

/* scscf_session_orig.c: TS 24.229 5.4.3.2 */
void scscf_orig_rx(struct scscf_session *s);
size_t scscf_orig_routes(struct scscf_session *s,
			 const struct sipep_route **routesp);

/* scscf_session_term.c: TS 24.229 5.4.3.3 */
void scscf_term_rx(struct scscf_session *s);
size_t scscf_term_routes(struct scscf_session *s,
			 const struct sipep_route **routesp);
const struct scscf_reg *scscf_session_reg(const struct scscf_session *s);
const struct scscf_reg *scscf_reg_serving(const struct scscf *scscf,
					  const char *impu);

#endif
