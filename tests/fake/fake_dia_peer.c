#include "tests/fake/fake_dia_peer.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/stream.h"

static void put_capabilities(struct dia_build *b)
{
	static const uint8_t ip[] = { 0, 1, 127, 0, 0, 1 };

	dia_put(b, AVP_HOST_IP_ADDRESS, ip, sizeof(ip));
	dia_put_u32(b, AVP_VENDOR_ID, 0);
	dia_put_text(b, AVP_PRODUCT_NAME, "fake");
	dia_put_u32(b, AVP_AUTH_APPLICATION_ID, DIA_APP_CX);
}

/** Begin an answer to a message that came, with result and origin */
void fake_dia_peer_answer(struct dia_build *b, const struct dia_msg *request,
			  uint32_t result)
{
	struct dia_msg header = *request;

	header.flags &= DIA_PROXIABLE;
	dia_build_start(b, &header);
	dia_put_u32(b, AVP_RESULT_CODE, result);
	dia_put_text(b, AVP_ORIGIN_HOST, "fake.ims.test");
	dia_put_text(b, AVP_ORIGIN_REALM, "ims.test");
}

static void answer_base(struct fake_dia_peer *peer, const struct dia_msg *msg)
{
	struct dia_build b = { 0 };

	if (peer->is_mute || !dia_is_request(msg) ||
	    (msg->code != DIA_CE && msg->code != DIA_DW))
		return;

	fake_dia_peer_answer(&b, msg, DIA_SUCCESS);
	if (msg->code == DIA_CE)
		put_capabilities(&b);
	fake_dia_peer_tx_build(peer, &b);
}

static ssize_t on_rx(const uint8_t *data, size_t len, void *arg)
{
	struct fake_dia_peer *peer = arg;
	int i = peer->message_n;
	size_t frame;

	if (dia_frame(data, len, &frame) || len < frame)
		return 0;
	if (i == FAKE_DIA_MESSAGES)
		abort();

	peer->octets[i] = xmemdup(data, frame);
	dia_header(&peer->messages[i], peer->octets[i]);
	peer->message_n++;
	answer_base(peer, &peer->messages[i]);

	return (ssize_t)frame;
}

static void on_end(int err, void *arg)
{
	struct fake_dia_peer *peer = arg;

	(void)err;
	peer->is_closed = true;
	fake_dia_peer_hang_up(peer);
}

static const struct stream_ops ops = { NULL, on_rx, on_end };

static void on_accept(struct stream *stream, void *arg)
{
	struct fake_dia_peer *peer = arg;

	stream_free(peer->stream);
	peer->stream = stream;
	peer->connections++;
	stream_set_ops(stream, &ops, peer);
}

/** A server on 127.0.0.1, any port; it answers CER and DWR unless is_mute */
struct fake_dia_peer *fake_dia_peer_listen(struct loop *loop)
{
	struct fake_dia_peer *peer = xcalloc(1, sizeof(*peer));
	struct addr at;

	peer->loop = loop;
	if (addr_parse(&at, "127.0.0.1:0") ||
	    stream_listen(&peer->listener, loop, &at, on_accept, peer))
		abort();
	stream_listener_addr(peer->listener, &at);
	(void)addr_format(peer->address, &at);

	return peer;
}

/** A client, connecting; it sends nothing by itself */
struct fake_dia_peer *fake_dia_peer_connect(struct loop *loop,
					    const char *address)
{
	struct fake_dia_peer *peer = xcalloc(1, sizeof(*peer));
	struct addr to;

	peer->loop = loop;
	if (addr_parse(&to, address) ||
	    stream_connect(&peer->stream, loop, &to, &ops, peer))
		abort();

	return peer;
}

/** Close the connection without a word */
void fake_dia_peer_hang_up(struct fake_dia_peer *peer)
{
	peer->stream = stream_free(peer->stream);
}

struct fake_dia_peer *fake_dia_peer_free(struct fake_dia_peer *peer)
{
	if (!peer)
		return NULL;

	for (int i = 0; i < peer->message_n; i++)
		free(peer->octets[i]);
	fake_dia_peer_hang_up(peer);
	stream_unlisten(peer->listener);
	free(peer);

	return NULL;
}

/** Send octets as they are */
void fake_dia_peer_tx(struct fake_dia_peer *peer, const void *data, size_t len)
{
	if (peer->stream)
		stream_write(peer->stream, data, len);
}

/** Send what was built, and clear it */
void fake_dia_peer_tx_build(struct fake_dia_peer *peer, struct dia_build *b)
{
	if (dia_build_end(b))
		abort();
	fake_dia_peer_tx(peer, b->data, b->len);
	dia_build_clear(b);
}

/** Offer Cx, as scscf.ims.test */
void fake_dia_peer_tx_cer(struct fake_dia_peer *peer)
{
	const struct dia_msg header = { .flags = DIA_REQUEST,
					.code = DIA_CE,
					.hop_by_hop = 1,
					.end_to_end = 1 };
	struct dia_build b = { 0 };

	dia_build_start(&b, &header);
	dia_put_text(&b, AVP_ORIGIN_HOST, "scscf.ims.test");
	dia_put_text(&b, AVP_ORIGIN_REALM, "ims.test");
	put_capabilities(&b);
	fake_dia_peer_tx_build(peer, &b);
}

/** The last message that came of a command, or NULL */
const struct dia_msg *fake_dia_peer_find(const struct fake_dia_peer *peer,
					 uint32_t command, bool is_request)
{
	for (int i = peer->message_n - 1; i >= 0; i--)
		if (peer->messages[i].code == command &&
		    dia_is_request(&peer->messages[i]) == is_request)
			return &peer->messages[i];

	return NULL;
}
