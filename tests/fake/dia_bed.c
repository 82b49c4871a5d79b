#include "tests/fake/dia_bed.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/clock.h"
#include "common/dia_check.h"
#include "common/element.h"
#include "common/trace.h"
#include "tests/patience.h"

struct dia_bed dia_bed;

bool dia_bed_is_closed(const void *arg)
{
	(void)arg;

	return dia_bed.peer->is_closed;
}

bool dia_bed_has_message(const void *arg)
{
	return dia_bed.peer->message_n >= *(const int *)arg;
}

void dia_bed_wait_for(loop_pred *pred)
{
	ck_assert(loop_run_until(dia_bed.loop, pred, NULL, PATIENCE_MS));
}

void dia_bed_wait_for_n(loop_pred *pred, int n)
{
	ck_assert(loop_run_until(dia_bed.loop, pred, &n, PATIENCE_MS));
}

void dia_bed_advance_ms(int64_t ms)
{
	clock_advance_us(ms * 1000);
}

static void on_line(const char *line, size_t len, void *arg)
{
	const char *retry = strstr(line, "\"retry_ms\":");

	(void)len;
	(void)arg;
	if (retry) {
		dia_bed.downs++;
		dia_bed.retry_ms =
			strtol(retry + strlen("\"retry_ms\":"), NULL, 10);
	}
	dia_bed.malformed += strstr(line, "diameter.malformed") != NULL;
	dia_bed.unmatched += strstr(line, "diameter.unmatched") != NULL;
	dia_bed.sent += strstr(line, "\"dir\":\"send\"") != NULL;
	dia_bed.received += strstr(line, "\"dir\":\"recv\"") != NULL;
}

void dia_bed_setup(void)
{
	memset(&dia_bed, 0, sizeof(dia_bed));
	dia_bed.loop = loop_new();
	dia_bed.el = element_new_on(dia_bed.loop, "scscf");
	trace_set_sink(dia_bed.el->trace, on_line, NULL);
}

void dia_bed_teardown(void)
{
	cx_free(dia_bed.cx);
	fake_hss_free(dia_bed.hss);
	fake_dia_peer_free(dia_bed.peer);
	element_free(dia_bed.el);
	loop_free(dia_bed.loop);
}

const struct dia_msg *dia_bed_last(void)
{
	ck_assert_int_gt(dia_bed.peer->message_n, 0);

	return &dia_bed.peer->messages[dia_bed.peer->message_n - 1];
}

void dia_bed_expect_result(const struct dia_msg *msg, uint32_t result,
			   bool has_e_bit)
{
	struct dia_fault fault;
	struct dia_avp avp;

	ck_assert_ptr_nonnull(msg);
	ck_assert(dia_find(&avp, dia_iter_msg(msg), AVP_RESULT_CODE));
	ck_assert_uint_eq(dia_u32(&avp), result);
	ck_assert_int_eq((msg->flags & DIA_ERROR) != 0, has_e_bit);
	ck_assert_int_eq(dia_check(&fault, msg), 0);
}
