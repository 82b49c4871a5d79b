/** @file sim_label_msg.h  What a label has to know of one entry
 *
 * A reader for traces, not for a network element: it takes the few facts that
 * the step table asks for, and goes on where a message is broken or cut.
 */
#ifndef SIPSHARE_SIM_LABEL_MSG_H
#define SIPSHARE_SIM_LABEL_MSG_H

#include <stdbool.h>

#include "sim/sim_steps.h"
#include "sim/sim_trace.h"

/** Strings are owned; NULL where the message has none */
struct sim_facts {
	enum sim_wire wire;
	bool is_request;
	int status;       /**< of a SIP or HTTP response, or 0 */
	char *what;       /**< as in struct sim_step; NULL: a response */
	char *summary;    /**< for the ladder, bytes as they came */
	char *impu;       /**< public identity: "sip:…" without parameters */
	char *call_id;    /**< SIP */
	char *exchange;   /**< what a request and its answers have in common */
	bool is_in_order; /**< answers come in the order of requests (HTTP) */
	unsigned flags;   /**< as in struct sim_step, but for SIM_FIRST */
};

void sim_facts_read(struct sim_facts *facts, const struct sim_entry *entry);
void sim_facts_clear(struct sim_facts *facts);

#endif
