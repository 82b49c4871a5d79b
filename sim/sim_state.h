/** @file sim_state.h  What each actor knows at one point of a trace, as text
 *
 * By the named events alone, as the page's state.js has it: the pool with each
 * SIP-URI's state and holder, the AS's bindings, the terminals' memory,
 * registrations, calls, charging records.
 */
#ifndef SIPSHARE_SIM_STATE_H
#define SIPSHARE_SIM_STATE_H

#include <stdio.h>

#include "sim/sim_ladder.h"

/** Write the state after the first n entries. Bytes are as they came: whoever
 * shows them makes them harmless (sim_ladder_text.h) */
void sim_state_print(const struct sim_trace *tr, size_t n, enum sim_lang lang,
		     FILE *f);

#endif
