#include "sim/sim_pcapng_block.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/mem.h"

/* draft-ietf-opsawg-pcapng 4 */
enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
	BLOCK_SECRETS = 10,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	SECRETS_TLS_KEY_LOG = 0x544c534b
};

/* Options: a code is of its block, but for the first two */
enum {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	SECTION_APPLICATION = 4,
	LINK_NAME = 2,
	LINK_DIGITS = 9,
	LINK_FILTER = 11,
	STATISTICS_RECEIVED = 4,
	STATISTICS_DROPPED = 5
};

/* Wireshark takes no block above 16 MiB */
enum { SECRETS_MAX = 1 << 20 };

/** Free what the block has */
void sim_block_clear(struct sim_block *b)
{
	free(b->data);
	*b = (struct sim_block){ NULL, 0, 0 };
}

void sim_block_put(struct sim_block *b, const void *data, size_t len)
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
void sim_block_put_u32(struct sim_block *b, uint32_t value)
{
	sim_block_put(b, &value, sizeof(value));
}

void sim_block_put_u16(struct sim_block *b, uint16_t value)
{
	sim_block_put(b, &value, sizeof(value));
}

static void put_time(struct sim_block *b, uint64_t time)
{
	sim_block_put_u32(b, (uint32_t)(time >> 32));
	sim_block_put_u32(b, (uint32_t)time);
}

static void pad(struct sim_block *b)
{
	static const char zeros[4];

	sim_block_put(b, zeros, (4 - b->len % 4) % 4);
}

static void put_option(struct sim_block *b, uint16_t code, const void *data,
		       size_t len)
{
	sim_block_put_u16(b, code);
	sim_block_put_u16(b, (uint16_t)len);
	sim_block_put(b, data, len);
	pad(b);
}

static void put_text(struct sim_block *b, uint16_t code, const char *text)
{
	if (text)
		put_option(b, code, text, strnlen(text, UINT16_MAX));
}

/* A byte says that it is text, as libpcap takes it */
static void put_filter(struct sim_block *b, const char *filter)
{
	size_t len = filter ? strlen(filter) : 0;

	if (!filter)
		return;

	sim_block_put_u16(b, LINK_FILTER);
	sim_block_put_u16(b, (uint16_t)(len + 1));
	sim_block_put(b, "", 1);
	sim_block_put(b, filter, len);
	pad(b);
}

static void write_block(struct sim_block *b, uint32_t type, FILE *f)
{
	uint32_t head[2];

	pad(b);
	head[0] = type;
	head[1] = (uint32_t)b->len + 12;
	fwrite(head, sizeof(head), 1, f);
	fwrite(b->data, 1, b->len, f);
	fwrite(&head[1], sizeof(head[1]), 1, f);
	b->len = 0;
}

/** The file's first block; comment (or NULL) is about all that follows */
void sim_block_write_section(struct sim_block *b, const char *comment, FILE *f)
{
	sim_block_put_u32(b, BYTE_ORDER_MAGIC);
	sim_block_put_u16(b, 1); /* version 1.0 */
	sim_block_put_u16(b, 0);
	sim_block_put_u32(b, UINT32_MAX); /* section's length: not said */
	sim_block_put_u32(b, UINT32_MAX);
	put_text(b, OPTION_COMMENT, comment);
	put_text(b, SECTION_APPLICATION, "sipshare");
	put_option(b, OPTION_END, NULL, 0);
	write_block(b, BLOCK_SECTION, f);
}

/** The one interface that all packets are of: its number is 0 */
void sim_block_write_link(struct sim_block *b,
			  const struct sim_block_link *link, FILE *f)
{
	sim_block_put_u16(b, link->type);
	sim_block_put_u16(b, 0);
	sim_block_put_u32(b, link->snap_len);
	put_text(b, LINK_NAME, link->name);
	put_option(b, LINK_DIGITS, &link->digits, 1);
	put_filter(b, link->filter);
	put_option(b, OPTION_END, NULL, 0);
	write_block(b, BLOCK_INTERFACE, f);
}

void sim_block_write_packet(struct sim_block *b,
			    const struct sim_block_packet *packet, FILE *f)
{
	sim_block_put_u32(b, 0); /* interface */
	put_time(b, packet->time);
	sim_block_put_u32(b, (uint32_t)packet->len);
	sim_block_put_u32(b, (uint32_t)packet->wire_len);
	sim_block_put(b, packet->data, packet->len);
	write_block(b, BLOCK_PACKET, f);
}

/** How many packets the interface received, and dropped of them, until time */
void sim_block_write_statistics(struct sim_block *b, uint64_t time,
				const uint64_t counts[2], FILE *f)
{
	sim_block_put_u32(b, 0); /* interface */
	put_time(b, time);
	put_option(b, STATISTICS_RECEIVED, &counts[0], sizeof(counts[0]));
	put_option(b, STATISTICS_DROPPED, &counts[1], sizeof(counts[1]));
	put_option(b, OPTION_END, NULL, 0);
	write_block(b, BLOCK_STATISTICS, f);
}

static void write_secrets(struct sim_block *b, const struct sim_block *text,
			  FILE *f)
{
	sim_block_put_u32(b, SECRETS_TLS_KEY_LOG);
	sim_block_put_u32(b, (uint32_t)text->len);
	sim_block_put(b, text->data, text->len);
	write_block(b, BLOCK_SECRETS, f);
}

static bool is_new(json_t *seen, const char *line)
{
	/* what is no UTF-8 is no key log either */
	return !json_object_get(seen, line) &&
	       !json_object_set_new(seen, line, json_null());
}

/**
 * The keys by which Wireshark reads the packets: it wants them first
 *
 * @param keys Key log (NSS): read to its end, each line is written once, as
 * both ends of a connection give the same
 *
 * @return 0, or errno of the failed read
 */
int sim_block_write_secrets(struct sim_block *b, FILE *keys, FILE *f)
{
	struct sim_block text = { NULL, 0, 0 };
	json_t *seen = json_object();
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	while ((len = getline(&line, &room, keys)) >= 0) {
		if (!is_new(seen, line))
			continue;
		sim_block_put(&text, line, (size_t)len);
		if (text.len < SECRETS_MAX)
			continue;
		write_secrets(b, &text, f);
		text.len = 0;
	}
	if (text.len)
		write_secrets(b, &text, f);
	sim_block_clear(&text);
	json_decref(seen);
	free(line);

	return ferror(keys) ? (errno ? errno : EIO) : 0;
}
