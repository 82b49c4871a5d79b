#include "sim/sim_pcapng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "common/mem.h"
#include "sim/sim_trace_order.h"

/* draft-ietf-opsawg-pcapng 4; the link type's tags are in Wireshark's
 * epan/exported_pdu.h */
enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	LINKTYPE_WIRESHARK_UPPER_PDU = 252
};

enum {
	TAG_END = 0,
	TAG_DISSECTOR = 12,
	TAG_IPV4_SRC = 20,
	TAG_IPV4_DST = 21,
	TAG_IPV6_SRC = 22,
	TAG_IPV6_DST = 23,
	TAG_PORT_TYPE = 24,
	TAG_SRC_PORT = 25,
	TAG_DST_PORT = 26
};

enum { PORT_TCP = 2, PORT_UDP = 3 };

/** A block being made */
struct block {
	unsigned char *data;
	size_t len, max;
};

static void put(struct block *b, const void *data, size_t len)
{
	if (b->len + len > b->max) {
		b->max = 2 * (b->len + len);
		b->data = xrealloc(b->data, b->max);
	}
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
}

/* The section says which byte order its writer has: ours */
static void put_u32(struct block *b, uint32_t value)
{
	put(b, &value, sizeof(value));
}

static void put_u16(struct block *b, uint16_t value)
{
	put(b, &value, sizeof(value));
}

static void pad(struct block *b)
{
	static const char zeros[4];

	put(b, zeros, (4 - b->len % 4) % 4);
}

static void write_block(FILE *f, uint32_t type, struct block *body)
{
	uint32_t head[2];

	pad(body);
	head[0] = type;
	head[1] = (uint32_t)body->len + 12;
	fwrite(head, sizeof(head), 1, f);
	fwrite(body->data, 1, body->len, f);
	fwrite(&head[1], sizeof(head[1]), 1, f);
	body->len = 0;
}

/* Tags are in network order whatever the section's is */
static void put_tag(struct block *b, uint16_t tag, const void *data, size_t len)
{
	size_t padded = (len + 3) / 4 * 4;

	put_u16(b, htons(tag));
	put_u16(b, htons((uint16_t)padded));
	put(b, data, len);
	put(b, "\0\0\0", padded - len);
}

static void put_tag_u32(struct block *b, uint16_t tag, uint32_t value)
{
	uint32_t net = htonl(value);

	put_tag(b, tag, &net, sizeof(net));
}

/* What is no address is left out: the message is still worth showing */
static void put_address(struct block *b, const char *address, bool is_src)
{
	size_t len = sim_host_len(address);
	const char *port = address + len;
	char host[64];
	unsigned char ip[16];

	if (address[0] == '[' && len > 1)
		(void)snprintf(host, sizeof(host), "%.*s", (int)len - 2,
			       address + 1);
	else
		(void)snprintf(host, sizeof(host), "%.*s", (int)len, address);
	if (inet_pton(AF_INET, host, ip) == 1)
		put_tag(b, is_src ? TAG_IPV4_SRC : TAG_IPV4_DST, ip, 4);
	else if (inet_pton(AF_INET6, host, ip) == 1)
		put_tag(b, is_src ? TAG_IPV6_SRC : TAG_IPV6_DST, ip, 16);
	put_tag_u32(b, is_src ? TAG_SRC_PORT : TAG_DST_PORT,
		    port[0] == ':' ? (uint32_t)strtoul(port + 1, NULL, 10) : 0);
}

static void put_message(struct block *b, const struct sim_entry *e)
{
	static const char *const dissectors[] = { "sip", "diameter", "http" };
	const char *name = dissectors[e->proto];

	put_tag(b, TAG_DISSECTOR, name, strlen(name));
	put_address(b, e->src, true);
	put_address(b, e->dst, false);
	put_tag_u32(b, TAG_PORT_TYPE,
		    strcmp(e->transport, "udp") != 0 ? PORT_TCP : PORT_UDP);
	put_tag(b, TAG_END, NULL, 0);
	put(b, e->data, e->len);
}

static void write_start(FILE *f, struct block *b)
{
	put_u32(b, BYTE_ORDER_MAGIC);
	put_u16(b, 1); /* version 1.0 */
	put_u16(b, 0);
	put_u32(b, UINT32_MAX); /* section's length: not said */
	put_u32(b, UINT32_MAX);
	write_block(f, BLOCK_SECTION, b);

	put_u16(b, LINKTYPE_WIRESHARK_UPPER_PDU);
	put_u16(b, 0);
	put_u32(b, 0); /* no limit; time in microseconds, as by default */
	write_block(f, BLOCK_INTERFACE, b);
}

static void write_packet(FILE *f, struct block *b, const struct sim_entry *e,
			 int64_t offset_us)
{
	struct block message = { 0 };
	uint64_t us = (uint64_t)(e->t_us + offset_us);

	put_message(&message, e);
	put_u32(b, 0); /* interface */
	put_u32(b, (uint32_t)(us >> 32));
	put_u32(b, (uint32_t)us);
	put_u32(b, (uint32_t)message.len); /* captured, and on the wire */
	put_u32(b, (uint32_t)message.len);
	put(b, message.data, message.len);
	write_block(f, BLOCK_PACKET, b);
	free(message.data);
}

int sim_pcapng_write(const struct sim_trace *tr, int64_t offset_us, FILE *f)
{
	struct block b = { 0 };

	write_start(f, &b);
	for (size_t i = 0; i < sim_trace_count(tr); i++) {
		const struct sim_entry *e = sim_trace_entry(tr, i);

		if (!e->name)
			write_packet(f, &b, e, offset_us);
	}
	free(b.data);

	return fflush(f) || ferror(f) ? (errno ? errno : EIO) : 0;
}
