#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/dia_msg.h"
#include "common/mem.h"

enum { AVP_HEADER_LEN = 8, VENDOR_LEN = 4, FIRST_ROOM = 512 };

static void set24(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 16);
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)v;
}

static void set32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	set24(p + 1, v);
}

/* Room for len octets more, zeroed */
static uint8_t *grow(struct dia_build *b, size_t len)
{
	uint8_t *at;

	while (b->room - b->len < len) {
		b->room = b->room ? 2 * b->room : FIRST_ROOM;
		b->data = xrealloc(b->data, b->room);
	}
	at = b->data + b->len;
	memset(at, 0, len);
	b->len += len;

	return at;
}

/** Begin a message with header's flags, code, application and identifiers */
void dia_build_start(struct dia_build *b, const struct dia_msg *header)
{
	uint8_t *p;

	b->len = 0;
	p = grow(b, DIA_HEADER_LEN);
	p[0] = 1;
	p[4] = header->flags;
	set24(p + 5, header->code);
	set32(p + 8, header->application);
	set32(p + 12, header->hop_by_hop);
	set32(p + 16, header->end_to_end);
}

static void put_header(struct dia_build *b, enum dia_avp_id id, size_t len)
{
	const struct dia_avp_def *def = dia_avp_def(id);
	size_t head = AVP_HEADER_LEN + (def->vendor ? VENDOR_LEN : 0);
	uint8_t *p = grow(b, head);

	set32(p, def->code);
	p[4] = def->flags;
	set24(p + 5, head + len);
	if (def->vendor) {
		p[4] |= DIA_AVP_V;
		set32(p + AVP_HEADER_LEN, def->vendor);
	}
}

/** Add an AVP; it is padded to four octets (RFC 6733 4.1) */
void dia_put(struct dia_build *b, enum dia_avp_id id, const void *data,
	     size_t len)
{
	put_header(b, id, len);
	dia_put_raw(b, data, len);
	(void)grow(b, (4 - len % 4) % 4);
}

void dia_put_text(struct dia_build *b, enum dia_avp_id id, const char *text)
{
	dia_put(b, id, text, strlen(text));
}

void dia_put_u32(struct dia_build *b, enum dia_avp_id id, uint32_t value)
{
	uint8_t v[4];

	set32(v, value);
	dia_put(b, id, v, sizeof(v));
}

/** Add octets as they are: AVPs that are passed on unchanged */
void dia_put_raw(struct dia_build *b, const void *raw, size_t len)
{
	uint8_t *p = grow(b, len);

	if (len)
		memcpy(p, raw, len);
}

/** Begin a grouped AVP; what is put until dia_group_end() is in it */
size_t dia_group(struct dia_build *b, enum dia_avp_id id)
{
	size_t at = b->len;

	put_header(b, id, 0);

	return at;
}

/**
 * End the group that dia_group() began. An empty one is taken back: some
 * peers drop a message that has one.
 *
 * @return Whether there is a group
 */
bool dia_group_end(struct dia_build *b, size_t group)
{
	size_t head = AVP_HEADER_LEN +
		      (b->data[group + 4] & DIA_AVP_V ? VENDOR_LEN : 0);

	if (b->len == group + head) {
		b->len = group;
		return false;
	}
	set24(b->data + group + 5, b->len - group);

	return true;
}

/** Write the message's length; EMSGSIZE where it is over DIA_MSG_MAX */
int dia_build_end(struct dia_build *b)
{
	if (b->len > DIA_MSG_MAX)
		return EMSGSIZE;

	set24(b->data + 1, b->len);

	return 0;
}

/** Free what the message took; it can be started again */
void dia_build_clear(struct dia_build *b)
{
	free(b->data);
	*b = (struct dia_build){ 0 };
}

/** What every Cx message has behind its Session-Id (TS 29.229 6.1) */
void dia_put_cx_head(struct dia_build *b)
{
	enum { NO_STATE_MAINTAINED = 1 };
	size_t group = dia_group(b, AVP_VENDOR_SPECIFIC_APPLICATION_ID);

	dia_put_u32(b, AVP_VENDOR_ID, DIA_VENDOR_3GPP);
	dia_put_u32(b, AVP_AUTH_APPLICATION_ID, DIA_APP_CX);
	(void)dia_group_end(b, group);
	dia_put_u32(b, AVP_AUTH_SESSION_STATE, NO_STATE_MAINTAINED);
}
