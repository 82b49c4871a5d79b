/* The S-CSCF's edge to the HSS: Cx (TS 29.228 6.1.2, 6.1.3, 6.3) */
#include <errno.h>
#include <string.h>

#include <jansson.h>
#include <stdlib.h>

#include "common/addr.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/timer.h"
#include "ims_core/scscf/scscf.h"
#include "ims_core/scscf/scscf_auth.h"
#include "ims_core/scscf/scscf_reg.h"

static void become_ready(struct scscf *scscf)
{
	if (scscf->is_ready)
		return;

	scscf->is_ready = true;
	timer_stop(scscf->ready_bound);
	element_ready(scscf->el, json_pack("{s:s}", "sip", scscf_addr(scscf)));
}

static void ready_without_hss(void *arg)
{
	const struct scscf *scscf = arg;

	log_warn("scscf: the HSS at %s cannot be reached yet", scscf->hss);
	become_ready(arg);
}

static void on_state(bool is_open, void *arg)
{
	const struct scscf *scscf = arg;

	log_info("scscf: HSS at %s is %s", scscf->hss,
		 is_open ? "connected" : "lost");
	if (is_open)
		become_ready(arg);
}

/* Registration-Termination (TS 24.229 5.4.1.5). A user whom we do not have
 * (any more) has nothing left to end, but the HSS must learn so */
static void on_rtr(struct cx_req *req, const struct cx_rtr *rtr, void *arg)
{
	struct scscf *scscf = arg;
	struct scscf_reg *reg = rtr->impu ? scscf_reg_find(scscf, rtr->impu)
					  : scscf_reg_of(scscf, rtr->impi);
	struct cx_rta rta = { .result = { CX_SUCCESS, false, NULL } };

	log_info("scscf %s: RTR, reason %d %s", rtr->impu ? rtr->impu : "?",
		 (int)rtr->reason, rtr->reason_info ? rtr->reason_info : "");
	if (!reg)
		rta.result =
			(struct cx_result){ CX_ERROR_USER_UNKNOWN, true, NULL };
	for (; reg; reg = rtr->impu ? NULL : scscf_reg_of(scscf, rtr->impi))
		scscf_deregister_by_network(reg);
	cx_tx_rta(req, &rta);
}

static void on_term(void *arg)
{
	const struct scscf *scscf = arg;

	cx_leave(scscf->cx);
}

/** Connect to the HSS; EINVAL with the reason where the address is wrong */
int scscf_cx_open(struct scscf *scscf, const char *hss, char **reasonp)
{
	char host[ADDR_TEXT_LEN];
	const struct cx_cfg cfg = { .address = hss,
				    .bind = addr_own_host(
					    host, scscf_addr(scscf), hss),
				    .origin_host = scscf->origin_host,
				    .origin_realm = scscf->realm,
				    .destination_realm = scscf->realm };
	int err = cx_new(&scscf->cx, scscf->el, &cfg, reasonp);

	if (err)
		return err;

	cx_on_state(scscf->cx, on_state, scscf);
	element_on_term(scscf->el, on_term, scscf);
	cx_on_rtr(scscf->cx, on_rtr, scscf);
	/* a tenth of what the runner waits: the HSS may be the one that is
	 * slow, and it must not be us who is blamed */
	scscf->ready_bound =
		timer_new(scscf->el->loop, ready_without_hss, scscf);
	timer_start_ms(scscf->ready_bound, timer_value_ms(TIMER_READY) / 10);

	return 0;
}

void scscf_cx_close(struct scscf *scscf)
{
	scscf->cx = cx_free(scscf->cx);
	scscf->ready_bound = timer_free(scscf->ready_bound);
}

static void on_maa(int err, const struct cx_maa *maa, void *arg)
{
	struct scscf_auth *auth = arg;
	struct scscf_cx_answer answer = { .err = err, .maa = maa };

	(void)fsm_event(auth->fsm, AUTH_EV_RX_MAA, &answer);
}

static void on_saa(int err, const struct cx_saa *saa, void *arg)
{
	struct scscf_auth *auth = arg;
	struct scscf_cx_answer answer = { .err = err, .saa = saa };

	(void)fsm_event(auth->fsm, AUTH_EV_RX_SAA, &answer);
}

/** Multimedia-Auth-Request for a challenge. S506: [0095] */
void scscf_cx_tx_mar(struct scscf_auth *auth)
{
	struct scscf *scscf = auth->reg->scscf;
	struct cx_mar mar = { .impi = auth->impi,
			      .impu = auth->reg->impu,
			      .scheme = "SIP Digest",
			      .server_name = scscf->name,
			      .item_n = 1 };

	/* TS 29.229 knows MD5 alone: a second item is what makes the HSS
	 * give SHA-256 (RFC 8760) */
	if (scscf->is_offered[DIGEST_SHA256])
		mar.item_n = 2;
	cx_tx_mar(scscf->cx, &mar, on_maa, auth);
}

/** Server-Assignment-Request whose answer the challenge's machine awaits.
 * S516: [0105] */
void scscf_cx_tx_sar(struct scscf_auth *auth, enum cx_sat type)
{
	const struct scscf_reg *reg = auth->reg;
	const struct cx_sar sar = { .impi = auth->impi,
				    .impu = reg->impu,
				    .server_name = reg->scscf->name,
				    .type = type,
				    .has_user_data = reg->profile != NULL };

	cx_tx_sar(reg->scscf->cx, &sar, on_saa, auth);
}

static void on_told(int err, const struct cx_saa *saa, void *arg)
{
	const struct scscf *scscf = arg;
	char *trouble;

	if (!err && saa->result.code == CX_SUCCESS)
		return;

	trouble = scscf_cx_trouble(scscf, err, saa ? &saa->result : NULL);
	log_warn("scscf: SAR that ends a registration: %s", trouble);
	free(trouble);
}

/** Server-Assignment-Request that nobody waits for: the user is gone here,
 * whatever the HSS says */
void scscf_cx_tell(const struct scscf_reg *reg, const char *impi,
		   enum cx_sat type)
{
	struct scscf *scscf = reg->scscf;
	const struct cx_sar sar = { .impi = impi,
				    .impu = reg->impu,
				    .server_name = scscf->name,
				    .type = type,
				    .has_user_data = true };

	cx_tx_sar(scscf->cx, &sar, on_told, scscf);
}

/** Why the HSS did not do what was asked, and what to do; to be freed */
char *scscf_cx_trouble(const struct scscf *scscf, int err,
		       const struct cx_result *result)
{
	if (err == ETIMEDOUT)
		return xasprintf("the HSS at %s gave no answer in time; see "
				 "whether it runs, then register again",
				 scscf->hss);
	if (err == ENOTCONN)
		return xasprintf("the HSS at %s is not connected; see whether "
				 "it runs, then register again",
				 scscf->hss);
	if (err || !result)
		return xasprintf("the HSS at %s sent an answer that cannot be "
				 "read: %s",
				 scscf->hss, strerror(err));

	return xasprintf("the HSS at %s refused: %s (%u)%s%s", scscf->hss,
			 cx_result_name(result), (unsigned)result->code,
			 result->text ? ": " : "",
			 result->text ? result->text : "");
}
