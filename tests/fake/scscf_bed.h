/** @file scscf_bed.h  An S-CSCF against a fake HSS and a bare UE */
#ifndef SIPSHARE_TESTS_SCSCF_BED_H
#define SIPSHARE_TESTS_SCSCF_BED_H

#include "ims_core/scscf/scscf.h"
#include "ims_core/scscf/scscf_reg.h"
#include "tests/fake/fake_hss.h"
#include "tests/fake/fake_ue.h"

enum { SCSCF_BED_MS = 3000 };

#define SCSCF_BED_IMPU "sip:+8657110000001@ims.test"

/** What each test has; its process is its own */
struct scscf_bed {
	struct loop *loop;
	struct element *hss_el, *el;
	struct fake_hss *hss;
	struct scscf *scscf;
	struct fake_peer *ue_peer, *as;
	struct fake_ue ue;
	char profile[2048];
	int from_own_host;   /* Diameter messages at 127.0.0.3 */
	char last_auth[512]; /* last scscf.auth event */
};

extern struct scscf_bed scscf_bed;

/** For a set-up of its own, after scscf_bed_teardown() */
void scscf_bed_start(const char *digest, enum fake_transport by);
void scscf_bed_setup(void);
void scscf_bed_teardown(void);
/** Of SCSCF_BED_IMPU, or NULL */
const struct scscf_reg *scscf_bed_find_reg(void);
/** The nth SAR comes, and is of this type */
void scscf_bed_expect_sar(int n, enum cx_sat type);

#endif
