/** @file cx_codec.h  Typed Cx commands from and to AVPs, by tables
 *
 * One table a command says which AVP is which field of its struct (cx.h), for
 * reading and for writing. Nothing here does I/O.
 */
#ifndef SIPSHARE_CX_CODEC_H
#define SIPSHARE_CX_CODEC_H

#include "common/cx.h"
#include "common/dia_msg.h"

/** How a field is kept */
enum cx_kind {
	CX_KIND_TEXT,    /**< const char * */
	CX_KIND_DATA,    /**< const char * with its size_t at count */
	CX_KIND_U32,     /**< uint32_t, or an enum */
	CX_KIND_U32_SET, /**< the same, left out where 0 */
	CX_KIND_BOOL,    /**< bool, 0 or 1 */
	CX_KIND_PRESENT, /**< bool: the AVP is there, with value 0 */
	CX_KIND_COUNT,   /**< size_t, written only */
	CX_KIND_GROUP,   /**< members at offset */
	CX_KIND_RESULT   /**< struct cx_result */
};

/** One AVP of a command or group */
struct cx_field {
	enum dia_avp_id id; /**< AVP_NONE ends a table */
	enum cx_kind kind;
	uint16_t offset;
	uint16_t count;  /**< of an array: where its size_t is; 0: single */
	uint16_t stride; /**< of an array: size of one */
	uint16_t max;    /**< of an array: room */
	const struct cx_field *group;
};

extern const struct cx_field cx_uar_fields[], cx_uaa_fields[], cx_mar_fields[],
	cx_maa_fields[], cx_sar_fields[], cx_saa_fields[], cx_lir_fields[],
	cx_lia_fields[], cx_rtr_fields[], cx_rta_fields[];

void cx_encode(struct dia_build *b, const struct cx_field *fields,
	       const void *from);
char *cx_decode(void *to, const struct cx_field *fields,
		const struct dia_msg *msg);

#endif
