/** @file sim_held.h  Messages that were received and not acted on, in order
 *
 * The conductor's queue: those received earlier first; of one moment, in the
 * order of elements; those of one sender at one element stay in their order.
 */
#ifndef SIPSHARE_SIM_HELD_H
#define SIPSHARE_SIM_HELD_H

#include <stddef.h>
#include <stdint.h>

#include "sim/sim_super.h"

/** A message that an element has received and not acted on */
struct sim_held {
	enum sim_actor actor;
	unsigned number;    /**< by which the element knows it */
	const char *what;   /**< "sip REGISTER", borrowed */
	const char *remote; /**< who has sent it: its address, borrowed */
	int64_t real_us;    /**< when it was held, by the machine's clock; 0: a
				 fault held it first */
};

struct sim_held_queue;

struct sim_held_queue *sim_held_queue_new(void);
struct sim_held_queue *sim_held_queue_free(struct sim_held_queue *q);
void sim_held_add(struct sim_held_queue *q, const struct sim_held *held,
		  unsigned round);
void sim_held_remove(struct sim_held_queue *q, const struct sim_held *held);
void sim_held_forget(struct sim_held_queue *q, unsigned actors);
const struct sim_held *sim_held_pick(const struct sim_held_queue *q,
				     unsigned actors, uint64_t *randomp);
size_t sim_held_count(const struct sim_held_queue *q);
const struct sim_held *sim_held_at(const struct sim_held_queue *q, size_t i);

#endif
