/** @file sim_invariant.h  What must hold in every scenario, whatever it does
 *
 *   I1 no SIP-URI is bound to two real numbers at once; no real number holds
 *      two SIP-URIs
 *   I2 idle + occupied + reclaiming + cooling + quarantined = the pool's size,
 *      at every event
 *   I3 no REGISTER with a password of an earlier lease is answered 200
 *   I4 every charging record's real number is the one bound when the call
 * began, and no call is charged twice I5 every SIP-URI is idle again within a
 * stated time after the last release or fault (or quarantined: that is shown,
 * and an operator's to end) I6 what was answered is still true after kill -9
 * and restart of a process
 *
 * Checked over the trace alone, entry by entry, in its order.
 */
#ifndef SIPSHARE_SIM_INVARIANT_H
#define SIPSHARE_SIM_INVARIANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/sim_label.h"

struct sim_invariants;
struct sim_screen;

enum { SIM_INVARIANT_N = 6 };

/** One of them did not hold. Strings are owned by the checker, or NULL */
struct sim_breach {
	int number; /**< 1 to SIM_INVARIANT_N */
	char *text; /**< a sentence */
	char *uri, *user;
	int64_t lease_id; /**< 0: none is concerned */
	int64_t t_us;     /**< when it came to light */
};

struct sim_invariants *sim_invariants_new(int64_t idle_within_ms);
struct sim_invariants *sim_invariants_free(struct sim_invariants *inv);
void sim_invariants_rx(struct sim_invariants *inv, const struct sim_entry *e);
int sim_invariants_rx_line(struct sim_invariants *inv, json_t *line);
void sim_invariants_end(struct sim_invariants *inv, int64_t t_us);
size_t sim_invariants_count(const struct sim_invariants *inv);
const struct sim_breach *sim_invariants_breach(const struct sim_invariants *inv,
					       size_t i);
bool sim_breach_concerns(const struct sim_breach *breach,
			 const struct sim_entry *e);

/* sim_invariant_print.c */
void sim_invariants_print(const struct sim_invariants *inv,
			  const struct sim_label *labels, FILE *f,
			  const struct sim_screen *screen);

#endif
