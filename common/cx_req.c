#include <errno.h>
#include <stdlib.h>

#include "common/cx_core.h"
#include "common/log.h"
#include "common/mem.h"

/** A request of the other side's, until it is answered; owned by its list */
struct cx_req {
	struct cx_req *next, **linkp; /* linkp: what points here */
	struct cx_reqs *reqs;
	unsigned peer_id, generation;
	struct dia_msg header; /* its octets are not kept */
	struct dia_build kept; /* Session-Id first, then each Proxy-Info */
	size_t session_len;
};

/** Remember what the answer has to copy (RFC 6733 6.2) */
struct cx_req *cx_req_new(struct cx_reqs *reqs, unsigned peer_id,
			  const struct dia_peer *peer,
			  const struct dia_msg *msg)
{
	struct cx_req *req = xcalloc(1, sizeof(*req));
	struct dia_iter it = dia_iter_msg(msg);
	struct dia_avp avp;

	req->reqs = reqs;
	req->peer_id = peer_id;
	req->generation = dia_peer_generation(peer);
	req->header = *msg;
	req->header.raw = NULL;
	if (dia_find(&avp, it, AVP_SESSION_ID))
		dia_put_raw(&req->kept, avp.raw, avp.raw_len);
	req->session_len = req->kept.len;
	while (!dia_next(&it, &avp))
		if (avp.id == AVP_PROXY_INFO)
			dia_put_raw(&req->kept, avp.raw, avp.raw_len);
	req->next = reqs->first;
	req->linkp = &reqs->first;
	if (req->next)
		req->next->linkp = &req->next;
	reqs->first = req;

	return req;
}

static void req_free(struct cx_req *req)
{
	dia_build_clear(&req->kept);
	free(req);
}

/** Free all; none of them can be answered any more */
void cx_reqs_free(struct cx_reqs *reqs)
{
	while (reqs->first) {
		struct cx_req *req = reqs->first;

		reqs->first = req->next;
		req_free(req);
	}
}

static void unlink_req(struct cx_req *req)
{
	*req->linkp = req->next;
	if (req->next)
		req->next->linkp = req->linkp;
}

static void build(struct dia_build *b, const struct cx_req *req,
		  const struct cx_field *fields, const void *answer)
{
	struct dia_msg header = req->header;

	header.flags &= DIA_PROXIABLE;
	dia_build_start(b, &header);
	dia_put_raw(b, req->kept.data, req->session_len);
	dia_put_cx_head(b);
	dia_put_text(b, AVP_ORIGIN_HOST, req->reqs->origin_host);
	dia_put_text(b, AVP_ORIGIN_REALM, req->reqs->origin_realm);
	cx_encode(b, fields, answer);
	dia_put_raw(b, req->kept.data + req->session_len,
		    req->kept.len - req->session_len);
}

static void tx(struct dia_peer *peer, const struct cx_req *req,
	       const struct cx_field *fields, const void *answer)
{
	const struct cx_rta too_long = {
		{ .code = CX_UNABLE_TO_COMPLY,
		  .text = "the answer is too long for a message" }
	};
	const char *name = dia_command_name(req->header.code, false);
	struct dia_build b = { 0 };
	int err;

	build(&b, req, fields, answer);
	err = dia_peer_tx_answer(peer, &b);
	if (err == EMSGSIZE) {
		log_error("cx: a %s to %s is over %d octets: refused", name,
			  dia_peer_host(peer), DIA_MSG_MAX);
		build(&b, req, cx_rta_fields, &too_long);
		err = dia_peer_tx_answer(peer, &b);
	}
	if (err)
		log_warn("cx: a %s to %s could not be sent: dropped", name,
			 dia_peer_host(peer));
}

/* Answer on the connection that the request came on, or not at all: its
 * hop-by-hop identifier means nothing on another (RFC 6733 6.2) */
static void answer(struct cx_req *req, uint32_t command,
		   const struct cx_field *fields, const void *typed)
{
	struct dia_peer *peer = req->reqs->find(req->reqs->owner, req->peer_id);

	unlink_req(req);
	if (req->header.code != command)
		log_error("cx: a %s cannot answer a %s: dropped",
			  dia_command_name(command, false),
			  dia_command_name(req->header.code, true));
	else if (!peer || dia_peer_generation(peer) != req->generation)
		log_warn("cx: whoever sent the %s is gone: answer dropped",
			 dia_command_name(command, true));
	else
		tx(peer, req, fields, typed);
	req_free(req);
}

/** Answer a UAR; req is gone then, here and below */
void cx_tx_uaa(struct cx_req *req, const struct cx_uaa *uaa)
{
	answer(req, DIA_UA, cx_uaa_fields, uaa);
}

/** Answer a MAR */
void cx_tx_maa(struct cx_req *req, const struct cx_maa *maa)
{
	answer(req, DIA_MA, cx_maa_fields, maa);
}

/** Answer a SAR */
void cx_tx_saa(struct cx_req *req, const struct cx_saa *saa)
{
	answer(req, DIA_SA, cx_saa_fields, saa);
}

/** Answer a LIR */
void cx_tx_lia(struct cx_req *req, const struct cx_lia *lia)
{
	answer(req, DIA_LI, cx_lia_fields, lia);
}

/** Answer a RTR */
void cx_tx_rta(struct cx_req *req, const struct cx_rta *rta)
{
	answer(req, DIA_RT, cx_rta_fields, rta);
}

/** Where a request goes; host NULL: whoever serves the realm */
void cx_put_destination(struct dia_build *b, const char *realm,
			const char *host)
{
	if (host)
		dia_put_text(b, AVP_DESTINATION_HOST, host);
	dia_put_text(b, AVP_DESTINATION_REALM, realm);
}

/** A result's name: "SUCCESS", "ERROR_USER_UNKNOWN", "unknown" */
const char *cx_result_name(const struct cx_result *result)
{
	return dia_result_name(result->code, result->is_experimental);
}
