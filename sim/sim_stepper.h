/** @file sim_stepper.h  `sipshare step`: each received message waits for the
 * student
 *
 * The engine between the run and who looks at it, on the terminal's screen
 * (sim_step_tui.c) or in a browser (sim_step_web.c). While a message waits,
 * no clock moves: no timer fires, nothing is sent again, whatever the student
 * thinks about.
 */
#ifndef SIPSHARE_SIM_STEPPER_H
#define SIPSHARE_SIM_STEPPER_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/sim_ladder.h"
#include "sim/sim_run.h"

struct sim_stepper;

enum sim_stepper_state {
	STEP_STARTING,
	STEP_RUNNING, /**< elements act, or time passes */
	STEP_HELD,    /**< a message waits for the student */
	STEP_OVER,    /**< the run has ended */
	STEP_LEFT,    /**< and the student has left */
	STEP_FAILED   /**< there is nothing to look at */
};

/** Who shows it. Called from the loop */
struct sim_stepper_ops {
	int (*open)(struct sim_stepper *step, void *arg, char **reasonp);
	/** The labels are about to be freed; changed() follows */
	void (*forget)(void *arg);
	void (*changed)(void *arg);
	/** The run has ended: as changed(), once, and the last time */
	void (*over)(void *arg);
};

struct sim_stepper *sim_stepper_new(const struct sim_stepper_ops *ops,
				    void *arg);
struct sim_stepper *sim_stepper_free(struct sim_stepper *step);
extern const struct sim_run_front sim_stepper_front;

/* What the student says: 0; EBUSY: nothing waits; EINVAL, ENOENT: no such step,
 * with a reason */
int sim_stepper_next(struct sim_stepper *step, char **reasonp);
int sim_stepper_until(struct sim_stepper *step, const char *ref,
		      char **reasonp);
int sim_stepper_end(struct sim_stepper *step, char **reasonp);
void sim_stepper_quit(struct sim_stepper *step);

enum sim_stepper_state sim_stepper_state(const struct sim_stepper *step);
struct sim_run *sim_stepper_run(const struct sim_stepper *step);
const struct sim_label *sim_stepper_labels(const struct sim_stepper *step);
size_t sim_stepper_held_count(const struct sim_stepper *step);
const struct sim_held *sim_stepper_held(const struct sim_stepper *step,
					size_t i);
size_t sim_stepper_entry(const struct sim_stepper *step,
			 const struct sim_held *held);
char *sim_stepper_sentence(const struct sim_stepper *step, enum sim_lang lang);

#endif
