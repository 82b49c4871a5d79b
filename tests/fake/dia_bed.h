/** @file dia_bed.h  A Cx client of ours against a peer made of octets, or such
 * a peer against a server of ours
 */
#ifndef SIPSHARE_TESTS_DIA_BED_H
#define SIPSHARE_TESTS_DIA_BED_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cx.h"
#include "common/loop.h"
#include "tests/fake/fake_dia_peer.h"
#include "tests/fake/fake_hss.h"

/** What there is, and what was seen */
struct dia_bed {
	struct loop *loop;
	struct element *el;
	struct fake_dia_peer *peer;
	struct cx *cx;
	struct fake_hss *hss;
	int answers, err;
	uint32_t result;
	int malformed, unmatched, downs;
	long retry_ms;
	int sent, received;
};

extern struct dia_bed dia_bed;

bool dia_bed_is_closed(const void *arg);
bool dia_bed_has_message(const void *arg);
/** Run until it holds, within a bound */
void dia_bed_wait_for(loop_pred *pred);
void dia_bed_wait_for_n(loop_pred *pred, int n);
void dia_bed_advance_ms(int64_t ms);
void dia_bed_setup(void);
void dia_bed_teardown(void);
/** What came last at the peer */
const struct dia_msg *dia_bed_last(void);
/** An answer that can be checked, with this result */
void dia_bed_expect_result(const struct dia_msg *msg, uint32_t result,
			   bool has_e_bit);

#endif
