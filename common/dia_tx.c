#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/dia_peer_core.h"
#include "common/dia_pending.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/log.h"
#include "common/stream.h"
#include "common/trace.h"

/** Send a message that fits, and trace its octets; the builder is cleared */
void dia_tx(struct dia_peer *peer, struct dia_build *b)
{
	const struct trace_msg traced = { .proto = TRACE_DIAMETER,
					  .dir = TRACE_SEND,
					  .transport = "tcp",
					  .local = peer->local,
					  .remote = peer->remote,
					  .data = b->data,
					  .len = b->len };

	trace_message(peer->el->trace, &traced);
	stream_write(peer->stream, b->data, b->len);
	dia_build_clear(b);
}

/**
 * Begin a request of Cx: header and what every one has (TS 29.229 6.1), but
 * for the destination
 */
void dia_peer_start_request(struct dia_peer *peer, struct dia_build *b,
			    uint32_t command)
{
	const struct dia_msg header = { .flags = DIA_REQUEST | DIA_PROXIABLE,
					.code = command,
					.application = DIA_APP_CX,
					.hop_by_hop = ++peer->hop_by_hop,
					.end_to_end = ++peer->end_to_end };
	char session[256];

	(void)snprintf(session, sizeof(session), "%s;%" PRIu32 ";%" PRIu32,
		       peer->origin_host, (uint32_t)clock_wall_s(),
		       header.end_to_end);
	dia_build_start(b, &header);
	dia_put_text(b, AVP_SESSION_ID, session);
	dia_put_cx_head(b);
	dia_put_text(b, AVP_ORIGIN_HOST, peer->origin_host);
	dia_put_text(b, AVP_ORIGIN_REALM, peer->origin_realm);
}

/**
 * Send a request that dia_peer_start_request() began last
 *
 * @param cb Called once, from the loop: ENOTCONN if the peer is not open
 */
void dia_peer_tx_request(struct dia_peer *peer, struct dia_build *b,
			 dia_answer_cb *cb, void *arg)
{
	int err = dia_peer_is_open(peer) ? 0 : ENOTCONN;

	if (!err && dia_build_end(b)) {
		log_error("diameter %s: a request of %zu octets is too long "
			  "to send",
			  peer->remote, b->len);
		err = EBADMSG;
	}
	dia_pending_add(peer->pending, peer->hop_by_hop, err, cb, arg);
	if (!err)
		dia_tx(peer, b);
	dia_build_clear(b);
}

/**
 * Send an answer on the connection that there is: whoever answers later has
 * compared dia_peer_generation()
 *
 * @return 0, ENOTCONN, or EMSGSIZE: nothing was sent; the builder is cleared
 */
int dia_peer_tx_answer(struct dia_peer *peer, struct dia_build *b)
{
	int err = 0;

	if (!peer->stream || fsm_state(peer->fsm) == DIA_CLOSED)
		err = ENOTCONN;
	else
		err = dia_build_end(b);
	if (!err)
		dia_tx(peer, b);
	dia_build_clear(b);

	return err;
}

/* Those that the request had, unchanged (RFC 6733 6.2) */
static void put_proxy_infos(struct dia_build *b, const struct dia_msg *request)
{
	struct dia_iter it = dia_iter_msg(request);
	struct dia_avp avp;

	while (!dia_next(&it, &avp))
		if (avp.id == AVP_PROXY_INFO)
			dia_put_raw(b, avp.raw, avp.raw_len);
}

/**
 * Answer a request with a protocol error or permanent failure: the command's
 * own grammar for a failure, RFC 6733 7.2 with the E bit for an error
 */
void dia_peer_tx_error(struct dia_peer *peer, const struct dia_msg *request,
		       const struct dia_fault *fault)
{
	bool is_error = fault->result / 1000 == 3;
	struct dia_build b = { 0 };
	struct dia_msg header = *request;
	struct dia_avp session;

	header.flags = (uint8_t)((request->flags & DIA_PROXIABLE) |
				 (is_error ? DIA_ERROR : 0));
	dia_build_start(&b, &header);
	if (dia_find(&session, dia_iter_msg(request), AVP_SESSION_ID))
		dia_put_raw(&b, session.raw, session.raw_len);
	if (!is_error && request->application == DIA_APP_CX)
		dia_put_cx_head(&b);
	dia_put_u32(&b, AVP_RESULT_CODE, fault->result);
	dia_put_text(&b, AVP_ORIGIN_HOST, peer->origin_host);
	dia_put_text(&b, AVP_ORIGIN_REALM, peer->origin_realm);
	dia_put_text(&b, AVP_ERROR_MESSAGE, fault->text);
	dia_put_failed(&b, fault);
	put_proxy_infos(&b, request);
	if (peer->stream && !dia_build_end(&b))
		dia_tx(peer, &b);
	dia_build_clear(&b);
}
