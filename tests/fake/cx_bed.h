/** @file cx_bed.h  One S-CSCF's Cx client and a fake HSS on one loop */
#ifndef SIPSHARE_TESTS_CX_BED_H
#define SIPSHARE_TESTS_CX_BED_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cx.h"
#include "tests/fake/fake_hss.h"

/** What there is, and what came back last */
struct cx_bed {
	struct loop *loop;
	struct element *scscf, *hss_el;
	struct fake_hss *hss;
	struct cx *cx; /**< NULL in cx_bed_setup_alone() */
	int states, answers, err;
	bool is_open;
	struct cx_result result;
	char text[512]; /**< the answer's fields, or the RTR's */
	size_t item_n, cap_n;
	struct cx_req *rtr;
	int rtrs;
};

extern struct cx_bed cx_bed;
extern const struct cx_uar cx_bed_uar;
extern const struct cx_sar cx_bed_sar;

/** An open client; or neither client nor HSS yet */
void cx_bed_setup(void);
void cx_bed_setup_alone(void);
void cx_bed_teardown(void);
struct cx *cx_bed_connect(const char *address, const char *bind);
bool cx_bed_is_open(const void *arg);
bool cx_bed_is_closed(const void *arg);
/** Wait until n answers in all have come, and no more */
void cx_bed_expect_answers(int n);
void cx_bed_on_uaa(int err, const struct cx_uaa *uaa, void *arg);
void cx_bed_on_saa(int err, const struct cx_saa *saa, void *arg);

#endif
