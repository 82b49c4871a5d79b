/** @file dia_msg.h  Diameter messages read in place and written (RFC 6733 3, 4)
 *
 * No I/O and no state. Reading is strict about lengths and lenient about the
 * M bits of AVPs; it allocates nothing, and what it gives points into the
 * message. Writing goes through struct dia_build.
 */
#ifndef SIPSHARE_DIA_MSG_H
#define SIPSHARE_DIA_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/dia_dict.h"

enum { DIA_HEADER_LEN = 20, DIA_MSG_MAX = 65536 };
enum {
	DIA_REQUEST = 0x80,
	DIA_PROXIABLE = 0x40,
	DIA_ERROR = 0x20,
	DIA_RETRANSMITTED = 0x10
};
enum { DIA_AVP_V = 0x80, DIA_AVP_M = 0x40 };

/** A message's header, and where its AVPs are */
struct dia_msg {
	uint8_t version, flags;
	uint32_t length, code, application, hop_by_hop, end_to_end;
	const uint8_t *raw;
};

/** One AVP */
struct dia_avp {
	uint32_t code, vendor;
	enum dia_avp_id id; /**< AVP_NONE: not in the dictionary */
	uint8_t flags;
	const uint8_t *data;
	size_t len;         /**< of data, without padding */
	const uint8_t *raw; /**< header and data with padding */
	size_t raw_len;
};

/** Steps through the AVPs of a message or group */
struct dia_iter {
	const uint8_t *at;
	size_t left;
};

int dia_frame(const uint8_t *data, size_t len, size_t *framep);
void dia_header(struct dia_msg *msg, const uint8_t *data);
int dia_msg_read(struct dia_msg *msg, const uint8_t *data, size_t len);
bool dia_is_request(const struct dia_msg *msg);
const char *dia_msg_name(const struct dia_msg *msg);

struct dia_iter dia_iter_msg(const struct dia_msg *msg);
struct dia_iter dia_iter_group(const struct dia_avp *avp);
int dia_next(struct dia_iter *it, struct dia_avp *avp);
bool dia_find(struct dia_avp *avp, struct dia_iter it, enum dia_avp_id id);
uint32_t dia_u32(const struct dia_avp *avp);
bool dia_text(char *text, size_t room, const struct dia_msg *msg,
	      enum dia_avp_id id);
bool dia_result_text(char *text, size_t room, const struct dia_msg *msg);

/** A message being written; start it zeroed */
struct dia_build {
	uint8_t *data;
	size_t len, room;
};

void dia_build_start(struct dia_build *b, const struct dia_msg *header);
void dia_put(struct dia_build *b, enum dia_avp_id id, const void *data,
	     size_t len);
void dia_put_text(struct dia_build *b, enum dia_avp_id id, const char *text);
void dia_put_u32(struct dia_build *b, enum dia_avp_id id, uint32_t value);
void dia_put_raw(struct dia_build *b, const void *raw, size_t len);
void dia_put_cx_head(struct dia_build *b);
size_t dia_group(struct dia_build *b, enum dia_avp_id id);
bool dia_group_end(struct dia_build *b, size_t group);
int dia_build_end(struct dia_build *b);
void dia_build_clear(struct dia_build *b);

#endif
