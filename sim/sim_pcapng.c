#include "sim/sim_pcapng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "sim/sim_pcapng_block.h"
#include "sim/sim_trace_order.h"

/* Tags of the link type: Wireshark's epan/exported_pdu.h */
enum { LINKTYPE_WIRESHARK_UPPER_PDU = 252 };

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

/* Tags are in network order whatever the section's is */
static void put_tag(struct sim_block *b, uint16_t tag, const void *data,
		    size_t len)
{
	size_t padded = (len + 3) / 4 * 4;

	sim_block_put_u16(b, htons(tag));
	sim_block_put_u16(b, htons((uint16_t)padded));
	sim_block_put(b, data, len);
	sim_block_put(b, "\0\0\0", padded - len);
}

static void put_tag_u32(struct sim_block *b, uint16_t tag, uint32_t value)
{
	uint32_t net = htonl(value);

	put_tag(b, tag, &net, sizeof(net));
}

/* What is no address is left out: the message is still worth showing */
static void put_address(struct sim_block *b, const char *address, bool is_src)
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

static void put_message(struct sim_block *b, const struct sim_entry *e)
{
	static const char *const dissectors[] = { "sip", "diameter", "http" };
	const char *name = dissectors[e->proto];

	put_tag(b, TAG_DISSECTOR, name, strlen(name));
	put_address(b, e->src, true);
	put_address(b, e->dst, false);
	put_tag_u32(b, TAG_PORT_TYPE,
		    strcmp(e->transport, "udp") != 0 ? PORT_TCP : PORT_UDP);
	put_tag(b, TAG_END, NULL, 0);
	sim_block_put(b, e->data, e->len);
}

static void write_message(FILE *f, struct sim_block *b,
			  const struct sim_entry *e, int64_t offset_us)
{
	struct sim_block message = { 0 };
	struct sim_block_packet packet;

	put_message(&message, e);
	packet = (struct sim_block_packet){ (uint64_t)(e->t_us + offset_us),
					    message.data, message.len,
					    message.len };
	sim_block_write_packet(b, &packet, f);
	sim_block_clear(&message);
}

int sim_pcapng_write(const struct sim_trace *tr, int64_t offset_us, FILE *f)
{
	static const struct sim_block_link link = {
		.type = LINKTYPE_WIRESHARK_UPPER_PDU, .digits = 6
	};
	struct sim_block b = { 0 };

	sim_block_write_section(&b, NULL, f);
	sim_block_write_link(&b, &link, f);
	for (size_t i = 0; i < sim_trace_count(tr); i++) {
		const struct sim_entry *e = sim_trace_entry(tr, i);

		if (!e->name)
			write_message(f, &b, e, offset_us);
	}
	sim_block_clear(&b);

	return fflush(f) || ferror(f) ? (errno ? errno : EIO) : 0;
}
