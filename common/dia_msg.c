#include "common/dia_msg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { AVP_HEADER_LEN = 8, VENDOR_LEN = 4, VERSION = 1 };

static uint32_t get24(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | get24(p + 1);
}

/**
 * Judge the header and find where the message ends (RFC 6733 3)
 *
 * @param framep Set with 0: the message's length, at most DIA_MSG_MAX; the
 *               message may not be here whole
 *
 * @return 0, EAGAIN for less than a header, EPROTONOSUPPORT for a version
 *         that is not 1, EMSGSIZE for a length that is none
 */
int dia_frame(const uint8_t *data, size_t len, size_t *framep)
{
	uint32_t frame;

	if (len < DIA_HEADER_LEN)
		return EAGAIN;
	if (data[0] != VERSION)
		return EPROTONOSUPPORT;

	frame = get24(data + 1);
	if (frame < DIA_HEADER_LEN || frame > DIA_MSG_MAX || frame % 4)
		return EMSGSIZE;
	*framep = frame;

	return 0;
}

/** Read the header's fields alone, from DIA_HEADER_LEN octets, unjudged */
void dia_header(struct dia_msg *msg, const uint8_t *data)
{
	msg->version = data[0];
	msg->length = get24(data + 1);
	msg->flags = data[4];
	msg->code = get24(data + 5);
	msg->application = get32(data + 8);
	msg->hop_by_hop = get32(data + 12);
	msg->end_to_end = get32(data + 16);
	msg->raw = data;
}

/**
 * Read a message that is here whole; its AVPs are not looked at
 *
 * @return 0, EMSGSIZE where len is not its length, or as dia_frame()
 */
int dia_msg_read(struct dia_msg *msg, const uint8_t *data, size_t len)
{
	size_t frame;
	int err = dia_frame(data, len, &frame);

	if (err)
		return err;
	if (frame != len)
		return EMSGSIZE;

	dia_header(msg, data);

	return 0;
}

bool dia_is_request(const struct dia_msg *msg)
{
	return msg->flags & DIA_REQUEST;
}

/** The message's command: "UAR", "UAA" */
const char *dia_msg_name(const struct dia_msg *msg)
{
	return dia_command_name(msg->code, dia_is_request(msg));
}

/** All AVPs of a message that dia_msg_read() took */
struct dia_iter dia_iter_msg(const struct dia_msg *msg)
{
	return (struct dia_iter){ msg->raw + DIA_HEADER_LEN,
				  msg->length - DIA_HEADER_LEN };
}

/** All AVPs of a grouped AVP */
struct dia_iter dia_iter_group(const struct dia_avp *avp)
{
	return (struct dia_iter){ avp->data, avp->len };
}

/**
 * Read the next AVP (RFC 6733 4.1)
 *
 * @return 0; ENOENT at the end; EBADMSG where its length does not fit. Then
 *         avp has what could be read of the header, and no data.
 */
int dia_next(struct dia_iter *it, struct dia_avp *avp)
{
	size_t head = AVP_HEADER_LEN;
	size_t len, padded;

	memset(avp, 0, sizeof(*avp));
	if (!it->left)
		return ENOENT;

	avp->raw = it->at;
	if (it->left < head)
		return EBADMSG;

	avp->code = get32(it->at);
	avp->flags = it->at[4];
	len = get24(it->at + 5);
	if (avp->flags & DIA_AVP_V)
		head += VENDOR_LEN;
	if (it->left < head)
		return EBADMSG;
	if (avp->flags & DIA_AVP_V)
		avp->vendor = get32(it->at + AVP_HEADER_LEN);

	avp->id = dia_avp_id(avp->code, avp->vendor);
	padded = (len + 3) & ~(size_t)3;
	if (len < head || padded > it->left)
		return EBADMSG;

	avp->data = it->at + head;
	avp->len = len - head;
	avp->raw_len = padded;
	it->at += padded;
	it->left -= padded;

	return 0;
}

/** Find the first of an AVP; the iterator is a copy, so searches start anew */
bool dia_find(struct dia_avp *avp, struct dia_iter it, enum dia_avp_id id)
{
	while (!dia_next(&it, avp))
		if (avp->id == id)
			return true;

	return false;
}

/** The value of a 32 bit AVP; 0 where its length is not that of one */
uint32_t dia_u32(const struct dia_avp *avp)
{
	return avp->len == 4 ? get32(avp->data) : 0;
}

/**
 * Show an AVP of the message as text, for people: what is not printable is
 * shown as "?", what does not fit is cut
 *
 * @return Whether the message has it
 */
bool dia_text(char *text, size_t room, const struct dia_msg *msg,
	      enum dia_avp_id id)
{
	enum dia_type type = dia_avp_def(id)->type;
	struct dia_avp avp;
	size_t n;

	if (!dia_find(&avp, dia_iter_msg(msg), id))
		return false;

	if (type == DIA_U32 || type == DIA_ENUM) {
		(void)snprintf(text, room, "%" PRIu32, dia_u32(&avp));
		return true;
	}

	for (n = 0; n < avp.len && n + 1 < room; n++) {
		uint8_t c = avp.data[n];

		text[n] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
	}
	text[n] = '\0';

	return true;
}

/**
 * Show an answer's result: "2001 SUCCESS", "5001 ERROR_USER_UNKNOWN"
 *
 * @return Whether the message has one
 */
bool dia_result_text(char *text, size_t room, const struct dia_msg *msg)
{
	bool is_experimental = false;
	struct dia_avp avp, group;

	if (!dia_find(&avp, dia_iter_msg(msg), AVP_RESULT_CODE)) {
		is_experimental = true;
		if (!dia_find(&group, dia_iter_msg(msg),
			      AVP_EXPERIMENTAL_RESULT) ||
		    !dia_find(&avp, dia_iter_group(&group),
			      AVP_EXPERIMENTAL_RESULT_CODE))
			return false;
	}
	(void)snprintf(text, room, "%" PRIu32 " %s", dia_u32(&avp),
		       dia_result_name(dia_u32(&avp), is_experimental));

	return true;
}
