#include "common/cx_codec.h"

#include <string.h>

#include "common/mem.h"

_Static_assert(sizeof(enum cx_sat) == sizeof(uint32_t) &&
		       sizeof(enum cx_auth_type) == sizeof(uint32_t) &&
		       sizeof(enum cx_reason) == sizeof(uint32_t),
	       "enums are read and written as uint32_t");

/* Every AVP has a header of eight octets at least, so the strings of a message
 * with their NULs never take more than the message did */
struct text {
	char *buf;
	size_t used;
};

static const char *keep(struct text *text, const struct dia_avp *avp)
{
	char *s = text->buf + text->used;

	if (avp->len)
		memcpy(s, avp->data, avp->len);
	s[avp->len] = '\0';
	text->used += avp->len + 1;

	return s;
}

static void put_result(struct dia_build *b, const struct cx_result *result)
{
	size_t group;

	if (result->is_experimental) {
		group = dia_group(b, AVP_EXPERIMENTAL_RESULT);
		dia_put_u32(b, AVP_VENDOR_ID, DIA_VENDOR_3GPP);
		dia_put_u32(b, AVP_EXPERIMENTAL_RESULT_CODE, result->code);
		(void)dia_group_end(b, group);
	} else {
		dia_put_u32(b, AVP_RESULT_CODE, result->code);
	}
	if (result->text)
		dia_put_text(b, AVP_ERROR_MESSAGE, result->text);
}

static size_t count_of(const struct cx_field *f, const void *from)
{
	size_t n = 1;

	if (f->stride) {
		memcpy(&n, (const char *)from + f->count, sizeof(n));
		n = n < f->max ? n : f->max;
	}

	return n;
}

/* One value, at its place. A NULL string is an AVP that is left out */
static void put_value(struct dia_build *b, const struct cx_field *f,
		      const void *from, const char *at)
{
	const char *s;
	uint32_t v;
	size_t n;

	switch (f->kind) {
	case CX_KIND_TEXT:
		memcpy(&s, at, sizeof(s));
		if (s)
			dia_put_text(b, f->id, s);
		break;
	case CX_KIND_DATA:
		memcpy(&s, at, sizeof(s));
		memcpy(&n, (const char *)from + f->count, sizeof(n));
		if (s)
			dia_put(b, f->id, s, n);
		break;
	case CX_KIND_U32:
	case CX_KIND_U32_SET:
		memcpy(&v, at, sizeof(v));
		if (v || f->kind == CX_KIND_U32)
			dia_put_u32(b, f->id, v);
		break;
	case CX_KIND_BOOL:
		dia_put_u32(b, f->id, *(const bool *)at);
		break;
	case CX_KIND_PRESENT:
		if (*(const bool *)at)
			dia_put_u32(b, f->id, 0);
		break;
	case CX_KIND_COUNT:
		memcpy(&n, at, sizeof(n));
		if (n)
			dia_put_u32(b, f->id, (uint32_t)n);
		break;
	case CX_KIND_RESULT:
		put_result(b, (const struct cx_result *)(const void *)at);
		break;
	case CX_KIND_GROUP:
		break;
	}
}

/* The members of a single group are the command's own */
static void put_group(struct dia_build *b, const struct cx_field *f,
		      const void *at)
{
	size_t group = dia_group(b, f->id);

	cx_encode(b, f->group, at);
	(void)dia_group_end(b, group);
}

/**
 * Write a command's own AVPs. Recursion is as deep as the tables' groups.
 *
 * @param from The command's struct that the table describes
 */
void cx_encode(struct dia_build *b, const struct cx_field *fields,
	       const void *from)
{
	for (const struct cx_field *f = fields; f->id; f++) {
		const char *at = (const char *)from + f->offset;
		size_t n = count_of(f, from);

		for (size_t i = 0; i < n; i++, at += f->stride) {
			if (f->kind == CX_KIND_GROUP)
				put_group(b, f, at);
			else
				put_value(b, f, from, at);
		}
	}
}

static void get_result(struct cx_result *result, struct dia_iter it,
		       struct text *text)
{
	struct dia_avp avp, group;

	if (dia_find(&avp, it, AVP_RESULT_CODE)) {
		result->code = dia_u32(&avp);
	} else if (dia_find(&group, it, AVP_EXPERIMENTAL_RESULT) &&
		   dia_find(&avp, dia_iter_group(&group),
			    AVP_EXPERIMENTAL_RESULT_CODE)) {
		result->code = dia_u32(&avp);
		result->is_experimental = true;
	}
	if (dia_find(&avp, it, AVP_ERROR_MESSAGE))
		result->text = keep(text, &avp);
}

static void get_value(const struct cx_field *f, const struct dia_avp *avp,
		      void *to, char *at, struct text *text)
{
	const char *s;
	uint32_t v;

	switch (f->kind) {
	case CX_KIND_DATA:
		memcpy((char *)to + f->count, &avp->len, sizeof(avp->len));
		/* fall through */
	case CX_KIND_TEXT:
		s = keep(text, avp);
		memcpy(at, &s, sizeof(s));
		break;
	case CX_KIND_U32:
	case CX_KIND_U32_SET:
		v = dia_u32(avp);
		memcpy(at, &v, sizeof(v));
		break;
	case CX_KIND_BOOL:
		*(bool *)at = dia_u32(avp) != 0;
		break;
	case CX_KIND_PRESENT:
		*(bool *)at = true;
		break;
	case CX_KIND_COUNT: /* what came is what counts */
	case CX_KIND_GROUP:
	case CX_KIND_RESULT:
		break;
	}
}

/* Where the next element goes; NULL where the array is full */
static char *next_place(const struct cx_field *f, void *to)
{
	size_t n = 0;

	if (!f->stride)
		return (char *)to + f->offset;

	memcpy(&n, (char *)to + f->count, sizeof(n));
	if (n == f->max)
		return NULL;

	n++;
	memcpy((char *)to + f->count, &n, sizeof(n));

	return (char *)to + f->offset + (n - 1) * f->stride;
}

static void decode(void *to, const struct cx_field *fields, struct dia_iter in,
		   struct text *text);

static void decode_one(void *to, const struct cx_field *f,
		       const struct dia_avp *avp, struct text *text)
{
	char *at = next_place(f, to);

	if (!at)
		return;
	if (f->kind == CX_KIND_GROUP)
		decode(at, f->group, dia_iter_group(avp), text);
	else
		get_value(f, avp, to, at, text);
}

/* Each field of the table is looked for: the first one of its kind, or all of
 * them for an array */
static void decode(void *to, const struct cx_field *fields, struct dia_iter in,
		   struct text *text)
{
	for (const struct cx_field *f = fields; f->id; f++) {
		struct dia_iter it = in;
		struct dia_avp avp;

		if (f->kind == CX_KIND_RESULT)
			get_result((struct cx_result *)(void *)((char *)to +
								f->offset),
				   in, text);
		while (f->kind != CX_KIND_RESULT && !dia_next(&it, &avp)) {
			if (avp.id != f->id)
				continue;
			decode_one(to, f, &avp, text);
			if (!f->stride)
				break;
		}
	}
}

/**
 * Read a message that dia_check() found right
 *
 * @param to The command's struct, zeroed by the caller
 *
 * @return What its strings point into; the caller frees it after use
 */
char *cx_decode(void *to, const struct cx_field *fields,
		const struct dia_msg *msg)
{
	struct text text = { .buf = xcalloc(1, msg->length) };

	decode(to, fields, dia_iter_msg(msg), &text);

	return text.buf;
}
