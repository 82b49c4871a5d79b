/* Fuzzes what octets from a peer meet: framing, AVPs, the dictionary's checks,
 * the typed commands, and error answers. */
#include <stdlib.h>
#include <string.h>

#include "common/cx_codec.h"
#include "common/dia_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Any command; zeroed before it is read into */
union command {
	struct cx_uar uar;
	struct cx_uaa uaa;
	struct cx_mar mar;
	struct cx_maa maa;
	struct cx_sar sar;
	struct cx_saa saa;
	struct cx_lir lir;
	struct cx_lia lia;
	struct cx_rtr rtr;
	struct cx_rta rta;
};

static const struct cx_field *fields_of(const struct dia_msg *msg)
{
	bool is_request = dia_is_request(msg);

	switch (msg->code) {
	case DIA_UA:
		return is_request ? cx_uar_fields : cx_uaa_fields;
	case DIA_MA:
		return is_request ? cx_mar_fields : cx_maa_fields;
	case DIA_SA:
		return is_request ? cx_sar_fields : cx_saa_fields;
	case DIA_LI:
		return is_request ? cx_lir_fields : cx_lia_fields;
	default:
		return is_request ? cx_rtr_fields : cx_rta_fields;
	}
}

/* What was read is written, and what was written must be read again */
static void round_trip(const struct dia_msg *msg)
{
	const struct cx_field *fields = fields_of(msg);
	struct dia_build b = { 0 };
	union command first, second;
	struct dia_msg again;
	char *kept, *kept_again;

	memset(&first, 0, sizeof(first));
	memset(&second, 0, sizeof(second));
	kept = cx_decode(&first, fields, msg);
	dia_build_start(&b, msg);
	cx_encode(&b, fields, &first);
	if (!dia_build_end(&b)) {
		if (dia_msg_read(&again, b.data, b.len))
			abort();
		kept_again = cx_decode(&second, fields, &again);
		free(kept_again);
	}
	dia_build_clear(&b);
	free(kept);
}

/* A Failed-AVP is made from anything that was refused */
static void refuse(const struct dia_msg *msg, const struct dia_fault *fault)
{
	struct dia_build b = { 0 };
	struct dia_msg again;

	dia_build_start(&b, msg);
	dia_put_failed(&b, fault);
	if (dia_build_end(&b) || dia_msg_read(&again, b.data, b.len))
		abort();
	dia_build_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dia_fault fault;
	struct dia_msg msg;
	char text[64];
	size_t frame;

	if (dia_frame(data, size, &frame) || frame > size ||
	    dia_msg_read(&msg, data, frame))
		return 0;

	(void)dia_msg_name(&msg);
	(void)dia_result_text(text, sizeof(text), &msg);
	for (int id = 1; id < AVP_COUNT; id++)
		(void)dia_text(text, sizeof(text), &msg, (enum dia_avp_id)id);
	if (dia_check(&fault, &msg))
		refuse(&msg, &fault);
	else
		round_trip(&msg);

	return 0;
}
