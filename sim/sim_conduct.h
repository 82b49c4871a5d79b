/** @file sim_conduct.h  Who acts next, and when: the runner owns the clock
 *
 * While a testbed is conducted, every element's clock stands and every message
 * received is held (common/conduct.h). When all elements say, twice in a row
 * and with nothing done in between, that they have nothing left to do, one
 * thing happens: the scenario goes on; or, if it waits, one held message is
 * acted on; or, if none is held, time passes up to the next timer. So a day of
 * traffic takes as long as its messages take, a student may think for an hour
 * before each, and the same scenario with the same seed goes the same way.
 */
#ifndef SIPSHARE_SIM_CONDUCT_H
#define SIPSHARE_SIM_CONDUCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/ctl.h"
#include "sim/sim_fault.h"
#include "sim/sim_held.h"
#include "sim/sim_super.h"

struct loop;
struct sim_conduct;

/** What the conductor asks of the testbed and of the scenario */
struct sim_conduct_ops {
	int (*call)(enum sim_actor actor, const char *cmd, json_t *args,
		    ctl_answer_cb *cb, void *cb_arg, void *arg);
	enum sim_condition (*condition)(enum sim_actor actor, void *arg);
	/** Nothing is left to do: let the scenario go on, by one task; what it
	 * tells elements is told by sim_conduct_on_command(). False: it waits.
	 * is_changed: something has happened since it was asked last
	 */
	bool (*turn)(bool is_changed, void *arg);
	/** May this be acted on now? False: when sim_conduct_go() is called.
	 * NULL: always */
	bool (*may_go)(const struct sim_held *next, void *arg);
	/** No message is held and no timer runs: nothing will happen any more
	 */
	void (*stuck)(void *arg);
};

/** How to conduct */
struct sim_conduct_cfg {
	struct loop *loop;
	/** Which element acts next is drawn, by this; 0: they act in the order
	 * in which they received */
	uint64_t seed;
};

struct sim_conduct *sim_conduct_new(const struct sim_conduct_cfg *cfg,
				    const struct sim_conduct_ops *ops,
				    void *arg);
struct sim_conduct *sim_conduct_free(struct sim_conduct *conduct);
void sim_conduct_start(struct sim_conduct *conduct);
void sim_conduct_end(struct sim_conduct *conduct);

void sim_conduct_hold(struct sim_conduct *conduct, const struct sim_held *held);
void sim_conduct_on_command(struct sim_conduct *conduct);
void sim_conduct_on_change(struct sim_conduct *conduct, enum sim_actor actor);
void sim_conduct_go(struct sim_conduct *conduct);

const struct sim_held_queue *
sim_conduct_held(const struct sim_conduct *conduct);

#endif
