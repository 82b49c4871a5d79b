/* The HSS ends a registration (TS 29.228 6.1.3): the account was closed, or
 * has another password. The S-CSCF that has the user, or a challenge of the
 * user, is told by RTR, and only its RTA says that an old password is worth
 * nothing any more */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "ims_core/hss/hss_core.h"

/** An RTR under way; owned by the HSS's list */
struct hss_rtr {
	struct hss_rtr *next, **at;
	struct hss *hss;
	char *impu, *scscf;
	const char *from; /* state before */
	hss_ended_cb *cb;
	void *arg;
};

static void rtr_free(struct hss_rtr *rtr)
{
	*rtr->at = rtr->next;
	if (rtr->next)
		rtr->next->at = rtr->at;
	free(rtr->impu);
	free(rtr->scscf);
	free(rtr);
}

static void end(struct hss_rtr *rtr, int err)
{
	rtr->cb(err, rtr->arg);
	rtr_free(rtr);
}

/* No row: the account is closed */
static void on_stored(int err, const struct store_rows *rows, void *arg)
{
	struct hss_rtr *rtr = arg;
	struct hss_user user;

	if (!err && hss_row_user(&user, rows, 0))
		hss_trace_state(rtr->hss, rtr->impu, rtr->from,
				hss_state_name(&user.reg));
	end(rtr, err);
}

/* An S-CSCF that does not know the user (any more) has put the user out, too */
static bool is_out(const struct cx_result *result)
{
	if (result->is_experimental)
		return result->code == CX_ERROR_USER_UNKNOWN;

	return result->code == CX_SUCCESS;
}

static void on_rta(int err, const struct cx_rta *rta, void *arg)
{
	struct hss_rtr *rtr = arg;

	if (!err && !is_out(&rta->result))
		err = EPROTO;
	if (err) {
		log_warn("hss %s: %s has not confirmed the RTR: %s", rtr->impu,
			 rtr->scscf,
			 rta ? cx_result_name(&rta->result) : strerror(err));
		end(rtr, err);
		return;
	}
	log_info("hss %s: RTA: %s", rtr->impu, cx_result_name(&rta->result));
	hss_store_end_reg(rtr->hss, rtr->impu, rtr->scscf, on_stored, rtr);
}

/**
 * Have the S-CSCF that has the user, registered or only challenged, put the
 * user out
 *
 * @param user As stored, or as it was; borrowed
 * @param why  For the S-CSCF's log
 * @param cb   Called once, from the loop: 0, ENOTCONN, ETIMEDOUT, EPROTO for
 *             a refusal, EIO for the store
 *
 * @return false: nobody has the user; cb is not called
 */
bool hss_end_registration(struct hss *hss, const struct hss_user *user,
			  const char *why, hss_ended_cb *cb, void *arg)
{
	const struct cx_rtr request = { .impi = user->impi,
					.impu = user->impu,
					.reason = CX_PERMANENT_TERMINATION,
					.reason_info = why };
	struct hss_rtr *rtr;

	if (!user->reg.scscf)
		return false;

	rtr = xcalloc(1, sizeof(*rtr));
	rtr->hss = hss;
	rtr->impu = xstrdup(user->impu);
	rtr->scscf = xstrdup(user->reg.scscf);
	rtr->from = hss_state_name(&user->reg);
	rtr->cb = cb;
	rtr->arg = arg;
	rtr->next = hss->rtrs;
	rtr->at = &hss->rtrs;
	if (rtr->next)
		rtr->next->at = &rtr->next;
	hss->rtrs = rtr;
	cx_tx_rtr(hss->cx, rtr->scscf, &request, on_rta, rtr);

	return true;
}

/** End: no answer is waited for; store and Cx are closed */
void hss_rtr_close(struct hss *hss)
{
	struct hss_rtr *next;

	for (struct hss_rtr *rtr = hss->rtrs; rtr; rtr = next) {
		next = rtr->next;
		free(rtr->impu);
		free(rtr->scscf);
		free(rtr);
	}
	hss->rtrs = NULL;
}
