/** @file pcscf_bed.h  A P-CSCF between bare UEs, a bare I- and a bare S-CSCF */
#ifndef SIPSHARE_TESTS_PCSCF_BED_H
#define SIPSHARE_TESTS_PCSCF_BED_H

#include "ims_core/pcscf/pcscf.h"
#include "ims_core/pcscf/pcscf_core.h"
#include "tests/fake/fake_call.h"
#include "tests/fake/fake_ue.h"

#define PCSCF_BED_IMPU "sip:+8657110000001@ims.test"
#define PCSCF_BED_TEL "tel:+8657110000001"

/** What each test has; its process is its own */
struct pcscf_bed {
	struct loop *loop;
	struct element *el;
	struct pcscf *pcscf;
	struct fake_peer *ue_peer, *stranger_peer, *icscf, *scscf;
	struct fake_ue ue;
	struct fake_call ue_call, stranger, net;
	char ok[512], contact[128];
};

extern struct pcscf_bed pcscf_bed;

void pcscf_bed_setup(void);
void pcscf_bed_teardown(void);
/** The UE registers; the S-CSCF is named by its Service-Route */
void pcscf_bed_register(void);
/** So does another, from its own address */
void pcscf_bed_register_stranger(void);
/** The UE calls sip:b@ims.test, with further lines; what the S-CSCF gets */
const char *pcscf_bed_invite_passes(const char *extra);
/** The S-CSCF has a call for the UE, with further lines */
void pcscf_bed_call_ue(const char *extra);
/** Ends the test unless the header's first line holds what */
void pcscf_bed_contains(const char *text, const char *header, const char *what);

#endif
