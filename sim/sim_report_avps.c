#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "common/dia_msg.h"
#include "common/mem.h"
#include "sim/sim_report.h"

/* Deeper than any group of Cx; a hostile one is shown as octets from there */
enum { DEPTH_MAX = 8 };

static json_t *read_avps(struct dia_iter it, int depth);

static json_t *octets(const struct dia_avp *avp)
{
	char *hex = xcalloc(2, avp->len + 2);
	json_t *value;

	hex[0] = '0';
	hex[1] = 'x';
	for (size_t i = 0; i < avp->len; i++)
		(void)snprintf(hex + 2 + 2 * i, 3, "%02x", avp->data[i]);
	value = json_string(hex);
	free(hex);

	return value;
}

/* Text where it is text: User-Data and the digest's strings are */
static json_t *text_or_octets(const struct dia_avp *avp)
{
	const char *text = (const char *)avp->data;
	json_t *value = json_stringn(text, avp->len);
	bool is_plain = value != NULL && avp->len > 0;

	for (size_t i = 0; i < avp->len && is_plain; i++)
		is_plain = avp->data[i] >= ' ' || strchr("\t\r\n", text[i]);
	if (is_plain && !memchr(text, '\0', avp->len))
		return value;
	json_decref(value);

	return octets(avp);
}

/* RFC 6733 4.3.1: two bytes of family, then the address */
static json_t *address(const struct dia_avp *avp)
{
	char text[INET6_ADDRSTRLEN];
	bool is_v4 = avp->len == 6 && avp->data[1] == 1;
	bool is_v6 = avp->len == 18 && avp->data[1] == 2;

	if (!is_v4 && !is_v6)
		return octets(avp);
	(void)inet_ntop(is_v4 ? AF_INET : AF_INET6, avp->data + 2, text,
			sizeof(text));

	return json_string(text);
}

static json_t *number(const struct dia_avp *avp)
{
	uint32_t value = dia_u32(avp);
	bool is_experimental = avp->id == AVP_EXPERIMENTAL_RESULT_CODE;
	char text[64];

	if (avp->id != AVP_RESULT_CODE && !is_experimental)
		return json_integer(value);
	(void)snprintf(text, sizeof(text), "%u DIAMETER_%s", value,
		       dia_result_name(value, is_experimental));

	return json_string(text);
}

static json_t *value_of(const struct dia_avp *avp, enum dia_type type)
{
	switch (type) {
	case DIA_U32:
	case DIA_ENUM:
		return avp->len == 4 ? number(avp) : octets(avp);
	case DIA_ADDRESS:
		return address(avp);
	default:
		return text_or_octets(avp);
	}
}

static json_t *read_avp(const struct dia_avp *avp, int depth)
{
	const struct dia_avp_def *def = dia_avp_def(avp->id);
	json_t *row =
		json_pack("{s:I, s:I, s:s*}", "code", (json_int_t)avp->code,
			  "vendor", (json_int_t)avp->vendor, "name", def->name);

	if (avp->id != AVP_NONE && def->type == DIA_GROUPED &&
	    depth < DEPTH_MAX)
		json_object_set_new(row, "group",
				    read_avps(dia_iter_group(avp), depth + 1));
	else
		json_object_set_new(
			row, "value",
			value_of(avp, avp->id ? def->type : DIA_OCTETS));

	return row;
}

static json_t *read_avps(struct dia_iter it, int depth)
{
	json_t *rows = json_array();
	struct dia_avp avp;

	while (!dia_next(&it, &avp))
		json_array_append_new(rows, read_avp(&avp, depth));
	/* broken: what is left cannot be told apart */
	if (it.left) {
		struct dia_avp rest = { .data = it.at, .len = it.left };

		json_array_append_new(rows, json_pack("{s:s, s:i, s:i, s:o}",
						      "name", "malformed",
						      "code", 0, "vendor", 0,
						      "value", octets(&rest)));
	}

	return rows;
}

json_t *sim_report_avps(const void *data, size_t len)
{
	struct dia_msg msg;

	if (len < DIA_HEADER_LEN || dia_msg_read(&msg, data, len)) {
		struct dia_avp all = { .data = data, .len = len };

		return json_pack("[{s:s, s:i, s:i, s:o}]", "name", "malformed",
				 "code", 0, "vendor", 0, "value", octets(&all));
	}

	return read_avps(dia_iter_msg(&msg), 0);
}
