#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/dia_peer_core.h"
#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/stream.h"
#include "common/timer.h"

enum { RELAY = 0xffffffff };

static const char product[] = "sipshare";

static void start(struct dia_peer *peer, struct dia_build *b,
		  enum dia_command_code code)
{
	const struct dia_msg header = { .flags = DIA_REQUEST,
					.code = code,
					.hop_by_hop = ++peer->hop_by_hop,
					.end_to_end = ++peer->end_to_end };

	dia_build_start(b, &header);
	dia_put_text(b, AVP_ORIGIN_HOST, peer->origin_host);
	dia_put_text(b, AVP_ORIGIN_REALM, peer->origin_realm);
}

static void start_answer(struct dia_peer *peer, struct dia_build *b,
			 const struct dia_msg *request, uint32_t result)
{
	struct dia_msg header = *request;

	header.flags = 0;
	dia_build_start(b, &header);
	dia_put_u32(b, AVP_RESULT_CODE, result);
	dia_put_text(b, AVP_ORIGIN_HOST, peer->origin_host);
	dia_put_text(b, AVP_ORIGIN_REALM, peer->origin_realm);
}

static void finish(struct dia_peer *peer, struct dia_build *b)
{
	(void)dia_build_end(b); /* none of these can be too long */
	dia_tx(peer, b);
}

static void put_host_ip(struct dia_peer *peer, struct dia_build *b)
{
	uint8_t v[18] = { 0 };
	size_t len;
	struct addr a;

	addr_local(&a, stream_fd(peer->stream));
	if (a.ss.ss_family == AF_INET6) {
		v[1] = 2;
		len = sizeof(struct in6_addr);
		memcpy(v + 2, &((struct sockaddr_in6 *)&a.ss)->sin6_addr, len);
	} else {
		v[1] = 1;
		len = sizeof(struct in_addr);
		memcpy(v + 2, &((struct sockaddr_in *)&a.ss)->sin_addr, len);
	}
	dia_put(b, AVP_HOST_IP_ADDRESS, v, 2 + len);
}

/* One Vendor-Specific-Application-Id: what Cx peers look for (RFC 6733 6.11) */
static void put_capabilities(struct dia_peer *peer, struct dia_build *b)
{
	size_t group;

	put_host_ip(peer, b);
	dia_put_u32(b, AVP_VENDOR_ID, 0);
	dia_put_text(b, AVP_PRODUCT_NAME, product);
	dia_put_u32(b, AVP_SUPPORTED_VENDOR_ID, DIA_VENDOR_3GPP);
	group = dia_group(b, AVP_VENDOR_SPECIFIC_APPLICATION_ID);
	dia_put_u32(b, AVP_VENDOR_ID, DIA_VENDOR_3GPP);
	dia_put_u32(b, AVP_AUTH_APPLICATION_ID, DIA_APP_CX);
	(void)dia_group_end(b, group);
}

static bool is_ours(const struct dia_avp *avp)
{
	uint32_t application = dia_u32(avp);

	return avp->id == AVP_AUTH_APPLICATION_ID &&
	       (application == DIA_APP_CX || application == (uint32_t)RELAY);
}

/* The other side serves Cx, or relays everything (RFC 6733 2.4, 5.3) */
static bool has_common_application(const struct dia_msg *msg)
{
	struct dia_iter it = dia_iter_msg(msg);
	struct dia_avp avp, inner;

	while (!dia_next(&it, &avp)) {
		if (is_ours(&avp))
			return true;
		if (avp.id == AVP_VENDOR_SPECIFIC_APPLICATION_ID &&
		    dia_find(&inner, dia_iter_group(&avp),
			     AVP_AUTH_APPLICATION_ID) &&
		    is_ours(&inner))
			return true;
	}

	return false;
}

static void take(char **sp, const struct dia_msg *msg, enum dia_avp_id id)
{
	struct dia_avp avp;

	free(*sp);
	*sp = dia_find(&avp, dia_iter_msg(msg), id)
		      ? xstrndup((const char *)avp.data, avp.len)
		      : xstrdup("");
}

/** Ask for the other side's capabilities (RFC 6733 5.3.1) */
void dia_tx_cer(struct dia_peer *peer)
{
	struct dia_build b = { 0 };

	start(peer, &b, DIA_CE);
	put_capabilities(peer, &b);
	finish(peer, &b);
}

/**
 * Answer a CER (5.3.2)
 *
 * @return 0, or EPROTO: there is no common application, which was answered
 */
int dia_rx_cer(struct dia_peer *peer, const struct dia_msg *cer)
{
	struct dia_build b = { 0 };
	struct dia_fault fault;

	if (!has_common_application(cer)) {
		dia_fault_set(&fault, DIA_NO_COMMON_APPLICATION,
			      "the CER does not offer application %d (Cx)",
			      DIA_APP_CX);
		dia_malformed(peer, cer, &fault);
		return EPROTO;
	}

	take(&peer->peer_host, cer, AVP_ORIGIN_HOST);
	take(&peer->peer_realm, cer, AVP_ORIGIN_REALM);
	start_answer(peer, &b, cer, DIA_SUCCESS);
	put_capabilities(peer, &b);
	finish(peer, &b);

	return 0;
}

/** Read a CEA; EPROTO where the other side refuses us, which is logged */
int dia_rx_cea(struct dia_peer *peer, const struct dia_msg *cea)
{
	char result[64] = "no result", text[128] = "no Error-Message";
	struct dia_avp avp;

	(void)dia_result_text(result, sizeof(result), cea);
	if (!dia_find(&avp, dia_iter_msg(cea), AVP_RESULT_CODE) ||
	    dia_u32(&avp) != DIA_SUCCESS) {
		(void)dia_text(text, sizeof(text), cea, AVP_ERROR_MESSAGE);
		log_warn("diameter %s: CEA with %s (%s)", peer->remote, result,
			 text);
		return EPROTO;
	}
	if (!has_common_application(cea)) {
		log_warn("diameter %s: the CEA does not offer application %d "
			 "(Cx)",
			 peer->remote, DIA_APP_CX);
		return EPROTO;
	}
	take(&peer->peer_host, cea, AVP_ORIGIN_HOST);
	take(&peer->peer_realm, cea, AVP_ORIGIN_REALM);

	return 0;
}

/** Ask whether the other side is alive (5.5.1) */
void dia_tx_dwr(struct dia_peer *peer)
{
	struct dia_build b = { 0 };

	start(peer, &b, DIA_DW);
	finish(peer, &b);
}

/** Say so (5.5.2) */
void dia_rx_dwr(struct dia_peer *peer, const struct dia_msg *dwr)
{
	struct dia_build b = { 0 };

	start_answer(peer, &b, dwr, DIA_SUCCESS);
	finish(peer, &b);
}

/** Announce that the connection ends (5.4.1): the element goes away */
void dia_tx_dpr(struct dia_peer *peer)
{
	struct dia_build b = { 0 };

	start(peer, &b, DIA_DP);
	dia_put_u32(&b, AVP_DISCONNECT_CAUSE, DIA_REBOOTING);
	finish(peer, &b);
}

/** Answer a DPR (5.4.2). Who is busy or does not want us is not bothered
 * again soon */
void dia_rx_dpr(struct dia_peer *peer, const struct dia_msg *dpr)
{
	struct dia_build b = { 0 };
	struct dia_avp cause;

	if (dia_find(&cause, dia_iter_msg(dpr), AVP_DISCONNECT_CAUSE) &&
	    dia_u32(&cause) != DIA_REBOOTING)
		peer->backoff_ms = timer_value_ms(TIMER_DIAMETER_RECONNECT_MAX);
	start_answer(peer, &b, dpr, DIA_SUCCESS);
	finish(peer, &b);
}
