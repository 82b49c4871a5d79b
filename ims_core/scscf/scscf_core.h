/** @file scscf_core.h  What the S-CSCF's own files share: its objects
 *
 * scscf 1-n reg (a public identity) 1-n contact, 1-n auth (a challenge);
 * a register is one REGISTER under way.
 */
#ifndef SIPSHARE_SCSCF_CORE_H
#define SIPSHARE_SCSCF_CORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <sofia-sip/nta.h>
#include <sofia-sip/sip.h>

#include "common/cx.h"
#include "common/digest.h"
#include "common/ims_headers.h"

struct dialog_table;
struct element;
struct fsm;
struct scscf_auth;
struct scscf_contact;
struct scscf_profile;
struct scscf_revoked;
struct scscf_sub;
struct scscf_release;
struct scscf_session;
struct scscf_third_party;
struct sipep;
struct timer;

/* Dialogs of all users together: some kB each */
enum { SCSCF_DIALOG_MAX = 100000 };

struct scscf {
	struct element *el;
	struct sipep *ep;
	struct cx *cx;
	char *hss, *realm, *origin_host, *name;
	bool is_offered[DIGEST_ALG_N];
	void *regs;    /* tree (tsearch) of scscf_reg, by impu */
	void *auths;   /* tree of scscf_auth, by nonce */
	void *revoked; /* tree of scscf_revoked, by nonce */
	struct scscf_revoked *revoked_first, *revoked_last;
	int revoked_n;
	struct scscf_register *registers; /* REGISTERs under way */
	struct scscf_register *arriving;  /* whose irq is the endpoint's */
	struct scscf_third_party *third_parties;
	LIST_HEAD(scscf_subs, scscf_sub) subs; /* who is told of them */
	struct scscf_session *sessions;        /* other requests under way */
	struct dialog_table *dialogs;          /* of calls of our users */
	LIST_HEAD(scscf_releases, scscf_release) releases;
	char *icscf; /* of our own domain, or NULL */
	struct timer *ready_bound;
	bool is_ready;
};

/** A public identity; owned by the tree. Without contacts and challenges it is
 * freed */
struct scscf_reg {
	char *impu; /* first: the tree's key */
	struct scscf *scscf;
	struct fsm *fsm; /* scscf_reg.c */
	char *impi;      /* who registered it; NULL before */
	struct scscf_contact *contacts;
	struct scscf_profile *profile;             /* from the SAA */
	struct scscf_auth *auths;                  /* newest first */
	LIST_HEAD(scscf_reg_subs, scscf_sub) subs; /* reg event */
};

/** One REGISTER under way; owned by the S-CSCF's list until answered */
struct scscf_register {
	su_home_t home[1];
	struct scscf_register *next;
	struct scscf *scscf;
	nta_incoming_t *irq;
	msg_t *msg;
	const sip_t *sip;
	char *impu, *impi;
	struct ims_credentials cred;
	bool has_cred;
};

/** An answer to a REGISTER; all borrowed */
struct scscf_answer {
	int status;
	const char *phrase;
	const char *headers; /* lines, or NULL */
	const char *warning; /* what is wrong and what to do, or NULL */
};

/** A Cx answer as the state machines see it; data is borrowed */
struct scscf_cx_answer {
	int err;
	const struct cx_maa *maa;
	const struct cx_saa *saa;
};

/* scscf_sip.c: Mw */
int scscf_sip_open(struct scscf *scscf, const char *listen, char **reasonp);
void scscf_sip_close(struct scscf *scscf);
void scscf_answer(struct scscf_register *rq, const struct scscf_answer *answer);
void scscf_refuse(struct scscf_register *rq, int status, const char *phrase,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* scscf_cx.c: Cx */
int scscf_cx_open(struct scscf *scscf, const char *hss, char **reasonp);
void scscf_cx_close(struct scscf *scscf);
void scscf_cx_tx_mar(struct scscf_auth *auth);
void scscf_cx_tx_sar(struct scscf_auth *auth, enum cx_sat type);
void scscf_cx_tell(const struct scscf_reg *reg, const char *impi,
		   enum cx_sat type);
char *scscf_cx_trouble(const struct scscf *scscf, int err,
		       const struct cx_result *result);

/* scscf_register.c */
void scscf_rx_register(struct scscf_register *rq);

#endif
