/** @file sim_message.h  One entry of a trace, laid out to be read */
#ifndef SIPSHARE_SIM_MESSAGE_H
#define SIPSHARE_SIM_MESSAGE_H

#include <stdio.h>

#include "sim/sim_ladder.h"

/** Write entry i: what it is, from where to where, and all that is in it: text
 * as it came, Diameter as a tree, an event's fields. Bytes are as they came,
 * but for NUL: whoever shows them makes them harmless (sim_ladder_text.h) */
void sim_message_print(const struct sim_label *lb, size_t i, enum sim_lang lang,
		       FILE *f);

#endif
