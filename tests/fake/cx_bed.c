#include "tests/fake/cx_bed.h"

#include <stdio.h>
#include <string.h>

#include <check.h>

#include "common/element.h"
#include "common/loop.h"
#include "tests/patience.h"

struct cx_bed cx_bed;
const struct cx_uar cx_bed_uar = { .impi = "a@ims.test",
				   .impu = "sip:a@ims.test",
				   .visited_network = "ims.test" };
const struct cx_sar cx_bed_sar = { .impi = "a@ims.test",
				   .impu = "sip:a@ims.test",
				   .server_name = "sip:s1.ims.test:5060",
				   .type = CX_SAT_REGISTRATION,
				   .has_user_data = true };

static void on_state(bool is_open, void *arg)
{
	(void)arg;
	cx_bed.states++;
	cx_bed.is_open = is_open;
}

static void on_rtr(struct cx_req *req, const struct cx_rtr *rtr, void *arg)
{
	(void)arg;
	cx_bed.rtrs++;
	cx_bed.rtr = req;
	(void)snprintf(cx_bed.text, sizeof(cx_bed.text), "%s %s %d %s",
		       rtr->impi, rtr->impu, rtr->reason,
		       rtr->reason_info ? rtr->reason_info : "-");
}

struct cx *cx_bed_connect(const char *address, const char *bind)
{
	const struct cx_cfg cfg = { .address = address,
				    .bind = bind,
				    .origin_host = "scscf.ims.test",
				    .origin_realm = "ims.test",
				    .destination_realm = "ims.test" };
	struct cx *cx = NULL;
	char *reason = NULL;

	ck_assert_int_eq(cx_new(&cx, cx_bed.scscf, &cfg, &reason), 0);
	cx_on_state(cx, on_state, NULL);
	cx_on_rtr(cx, on_rtr, NULL);

	return cx;
}

bool cx_bed_is_open(const void *arg)
{
	(void)arg;

	return cx_bed.cx && cx_is_open(cx_bed.cx);
}

bool cx_bed_is_closed(const void *arg)
{
	return !cx_bed_is_open(arg);
}

static bool has_answer(const void *arg)
{
	return cx_bed.answers >= *(const int *)arg;
}

void cx_bed_setup_alone(void)
{
	memset(&cx_bed, 0, sizeof(cx_bed));
	cx_bed.loop = loop_new();
	cx_bed.scscf = element_new_on(cx_bed.loop, "scscf");
	cx_bed.hss_el = element_new_on(cx_bed.loop, "hss");
}

void cx_bed_setup(void)
{
	cx_bed_setup_alone();
	cx_bed.hss = fake_hss_new(cx_bed.hss_el);
	cx_bed.cx = cx_bed_connect(fake_hss_addr(cx_bed.hss), NULL);
	ck_assert(
		loop_run_until(cx_bed.loop, cx_bed_is_open, NULL, PATIENCE_MS));
}

void cx_bed_teardown(void)
{
	cx_bed.cx = cx_free(cx_bed.cx);
	fake_hss_free(cx_bed.hss);
	element_free(cx_bed.scscf);
	element_free(cx_bed.hss_el);
	loop_free(cx_bed.loop);
}

void cx_bed_expect_answers(int n)
{
	ck_assert(loop_run_until(cx_bed.loop, has_answer, &n, PATIENCE_MS));
	ck_assert_int_eq(cx_bed.answers, n);
}

void cx_bed_on_uaa(int err, const struct cx_uaa *uaa, void *arg)
{
	(void)arg;
	cx_bed.answers++;
	cx_bed.err = err;
	if (!uaa)
		return;
	cx_bed.result = uaa->result;
	cx_bed.cap_n = uaa->cap_n;
	(void)snprintf(cx_bed.text, sizeof(cx_bed.text), "%s %s",
		       uaa->server_name ? uaa->server_name : "-",
		       uaa->result.text ? uaa->result.text : "-");
}

void cx_bed_on_saa(int err, const struct cx_saa *saa, void *arg)
{
	(void)arg;
	cx_bed.answers++;
	cx_bed.err = err;
	if (!saa)
		return;
	cx_bed.result = saa->result;
	if (saa->user_data)
		ck_assert_uint_eq(strlen(saa->user_data), saa->user_data_len);
	(void)snprintf(cx_bed.text, sizeof(cx_bed.text), "%s %.20s", saa->impi,
		       saa->user_data ? saa->user_data : "-");
}
