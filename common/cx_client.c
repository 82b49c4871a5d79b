#include "common/cx.h"

#include <stdlib.h>

#include "common/cx_core.h"
#include "common/element.h"
#include "common/mem.h"

/** The CSCFs' end; owned by the role */
struct cx {
	struct element *el;
	struct dia_peer *peer;
	char *origin_host, *origin_realm, *destination_realm;
	struct cx_calls calls;
	struct cx_reqs reqs;
	cx_state_cb *on_state;
	void *state_arg;
	cx_rtr_cb *on_rtr;
	void *rtr_arg;
	bool is_leaving; /* the element ends with the connection */
};

static void on_state(struct dia_peer *peer, bool is_open, void *arg)
{
	struct cx *cx = arg;

	(void)peer;
	if (cx->on_state)
		cx->on_state(is_open, cx->state_arg);
	if (cx->is_leaving && !is_open)
		element_stop(cx->el);
}

/* The HSS asks an S-CSCF for this alone (TS 29.228 6.1.3). A PPR gets 3001. */
static bool serves(uint32_t command)
{
	return command == DIA_RT;
}

static void on_request(struct dia_peer *peer, const struct dia_msg *msg,
		       void *arg)
{
	struct cx *cx = arg;
	const struct cx_rta unable = {
		{ .code = CX_UNABLE_TO_COMPLY,
		  .text = "no user is registered here" }
	};
	struct cx_req *req = cx_req_new(&cx->reqs, 0, peer, msg);
	struct cx_rtr rtr = { 0 };
	char *text = cx_decode(&rtr, cx_rtr_fields, msg);

	if (cx->on_rtr)
		cx->on_rtr(req, &rtr, cx->rtr_arg);
	else
		cx_tx_rta(req, &unable);
	free(text);
}

static const struct dia_peer_ops ops = { on_state, NULL, serves, on_request };

static struct dia_peer *find_peer(void *owner, unsigned id)
{
	const struct cx *cx = owner;

	(void)id; /* there is only the one */

	return cx->peer;
}

/**
 * A Cx client; it connects from the next turn on, and again when it must
 *
 * @param cfg Copied; destination_realm NULL: origin_realm
 *
 * @return 0, or EINVAL for an address that cannot be read
 */
int cx_new(struct cx **cxp, struct element *el, const struct cx_cfg *cfg,
	   char **reasonp)
{
	const struct dia_peer_cfg peer_cfg = {
		.origin_host = cfg->origin_host,
		.origin_realm = cfg->origin_realm,
		.address = cfg->address,
		.bind = cfg->bind,
	};
	struct cx *cx = xcalloc(1, sizeof(*cx));
	int err = dia_peer_connect(&cx->peer, el, &peer_cfg, &ops, cx, reasonp);

	if (err) {
		free(cx);
		return err;
	}

	cx->el = el;
	cx->origin_host = xstrdup(cfg->origin_host);
	cx->origin_realm = xstrdup(cfg->origin_realm);
	cx->destination_realm =
		xstrdup(cfg->destination_realm ? cfg->destination_realm
					       : cfg->origin_realm);
	cx->reqs = (struct cx_reqs){ .el = el,
				     .find = find_peer,
				     .owner = cx,
				     .origin_host = cx->origin_host,
				     .origin_realm = cx->origin_realm };
	*cxp = cx;

	return 0;
}

/** Disconnect and free; no callback comes any more, and no request of the
 * other side's can be answered */
struct cx *cx_free(struct cx *cx)
{
	if (!cx)
		return NULL;

	dia_peer_free(cx->peer);
	cx_calls_free(&cx->calls);
	cx_reqs_free(&cx->reqs);
	free(cx->origin_host);
	free(cx->origin_realm);
	free(cx->destination_realm);
	free(cx);

	return NULL;
}

/** Who is told when the peer opens or is lost; one, NULL: nobody */
void cx_on_state(struct cx *cx, cx_state_cb *cb, void *arg)
{
	cx->on_state = cb;
	cx->state_arg = arg;
}

/** Who is given RTRs; without, they are answered with UNABLE_TO_COMPLY */
void cx_on_rtr(struct cx *cx, cx_rtr_cb *cb, void *arg)
{
	cx->on_rtr = cb;
	cx->rtr_arg = arg;
}

bool cx_is_open(const struct cx *cx)
{
	return dia_peer_is_open(cx->peer);
}

/** Disconnect by DPR, and stay so; cx_on_state()'s callback tells when it is
 * done, if the peer was open */
void cx_close(struct cx *cx)
{
	dia_peer_close(cx->peer);
}

/**
 * For element_on_term(): disconnect by DPR, wait for the DPA (RFC 6733 5.4),
 * then stop the element. Its drain is the bound of an HSS that does not answer.
 */
void cx_leave(struct cx *cx)
{
	cx->is_leaving = true;
	if (cx_is_open(cx))
		cx_close(cx);
	else
		element_stop(cx->el);
}

static void tx(struct cx *cx, uint32_t command, const struct cx_field *fields,
	       const void *typed, union cx_cb cb, void *arg)
{
	struct dia_build b = { 0 };

	dia_peer_start_request(cx->peer, &b, command);
	cx_put_destination(&b, cx->destination_realm, NULL);
	cx_encode(&b, fields, typed);
	cx_call_tx(&cx->calls, cx->peer, &b, command, cb, arg);
}

/** S503, S513: may this user register, and where (TS 29.228 6.1.1) */
void cx_tx_uar(struct cx *cx, const struct cx_uar *uar, cx_uaa_cb *cb,
	       void *arg)
{
	tx(cx, DIA_UA, cx_uar_fields, uar, (union cx_cb){ .uaa = cb }, arg);
}

/** S506: ask for what the user is authenticated with (6.3); item_n 0 is 1,
 * since peers refuse 0 */
void cx_tx_mar(struct cx *cx, const struct cx_mar *mar, cx_maa_cb *cb,
	       void *arg)
{
	struct cx_mar counted = *mar;

	if (!counted.item_n)
		counted.item_n = 1;
	tx(cx, DIA_MA, cx_mar_fields, &counted, (union cx_cb){ .maa = cb },
	   arg);
}

/** S516: set the registration's state, fetch the profile (6.1.2) */
void cx_tx_sar(struct cx *cx, const struct cx_sar *sar, cx_saa_cb *cb,
	       void *arg)
{
	tx(cx, DIA_SA, cx_sar_fields, sar, (union cx_cb){ .saa = cb }, arg);
}

/** Ask which S-CSCF serves a user (6.1.4) */
void cx_tx_lir(struct cx *cx, const struct cx_lir *lir, cx_lia_cb *cb,
	       void *arg)
{
	tx(cx, DIA_LI, cx_lir_fields, lir, (union cx_cb){ .lia = cb }, arg);
}

/** arg's owner goes away: no answer comes to it any more */
void cx_forget(struct cx *cx, const void *arg)
{
	cx_calls_forget(&cx->calls, arg);
}
