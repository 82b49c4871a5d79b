#include "tests/fake/scscf_bed.h"

#include <stdio.h>
#include <string.h>

#include <check.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/timer.h"
#include "common/trace.h"

struct scscf_bed scscf_bed;

static void on_trace(const char *line, size_t len, void *arg)
{
	(void)arg;
	if (strstr(line, "\"diameter\"") &&
	    strstr(line, "\"local\":\"127.0.0.3:"))
		scscf_bed.from_own_host++;
	if (strstr(line, "\"scscf.auth\"") && strstr(line, "reason"))
		snprintf(scscf_bed.last_auth, sizeof(scscf_bed.last_auth),
			 "%.*s", (int)len, line);
}

static bool is_open(const void *arg)
{
	(void)arg;

	return cx_is_open(scscf_bed.scscf->cx);
}

void scscf_bed_start(const char *digest, enum fake_transport by)
{
	struct scscf_cfg cfg = { .listen = "127.0.0.1:0",
				 .realm = "ims.test",
				 .origin_host = "scscf.ims.test",
				 .digest = digest };
	char *reason = NULL;

	memset(&scscf_bed, 0, sizeof(scscf_bed));
	scscf_bed.loop = loop_new();
	scscf_bed.hss_el = element_new_on(scscf_bed.loop, "hss");
	scscf_bed.el = element_new_on(scscf_bed.loop, "scscf");
	trace_set_sink(scscf_bed.el->trace, on_trace, NULL);
	scscf_bed.hss = fake_hss_new(scscf_bed.hss_el);
	scscf_bed.hss->lia.server_name = "sip:scscf.ims.test";
	cfg.hss = fake_hss_addr(scscf_bed.hss);
	ck_assert_int_eq(
		scscf_new(&scscf_bed.scscf, scscf_bed.el, &cfg, &reason), 0);
	ck_assert(loop_run_until(scscf_bed.loop, is_open, NULL, SCSCF_BED_MS));
	scscf_bed.ue_peer = fake_peer_new(scscf_bed.loop, by);
	fake_ue_init(&scscf_bed.ue, scscf_bed.ue_peer,
		     scscf_addr(scscf_bed.scscf));
}

void scscf_bed_setup(void)
{
	scscf_bed_start("md5", FAKE_UDP);
}

void scscf_bed_teardown(void)
{
	fake_peer_free(scscf_bed.ue_peer);
	fake_peer_free(scscf_bed.as);
	scscf_free(scscf_bed.scscf);
	fake_hss_free(scscf_bed.hss);
	element_free(scscf_bed.el);
	element_free(scscf_bed.hss_el);
	loop_free(scscf_bed.loop);
}

const struct scscf_reg *scscf_bed_find_reg(void)
{
	return scscf_reg_find(scscf_bed.scscf, SCSCF_BED_IMPU);
}

static bool has_sar(const void *arg)
{
	return scscf_bed.hss->sar_n >= *(const int *)arg;
}

void scscf_bed_expect_sar(int n, enum cx_sat type)
{
	ck_assert(loop_run_until(scscf_bed.loop, has_sar, &n, SCSCF_BED_MS));
	ck_assert_int_eq(scscf_bed.hss->sar_n, n);
	ck_assert_int_eq(scscf_bed.hss->seen.sat, type);
}
