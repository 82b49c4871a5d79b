/** @file sim_step_core.h  `sipshare step`: what the command's files share */
#ifndef SIPSHARE_SIM_STEP_CORE_H
#define SIPSHARE_SIM_STEP_CORE_H

#include "sim/sim.h"
#include "sim/sim_stepper.h"

struct loop;
struct sim_step_tui;
struct sim_step_web;

/** How it is shown on the terminal; borrowed */
struct sim_step_tui_cfg {
	struct loop *loop;
	const struct sim_screen *screen;
	enum sim_lang lang;
};

extern const struct sim_stepper_ops sim_step_tui_ops;
struct sim_step_tui *sim_step_tui_new(const struct sim_step_tui_cfg *cfg);
struct sim_step_tui *sim_step_tui_free(struct sim_step_tui *tui);

/** Where a browser finds it; borrowed */
struct sim_step_web_cfg {
	struct loop *loop;
	const char *listen; /**< "127.0.0.1:0" */
};

extern const struct sim_stepper_ops sim_step_web_ops;
struct sim_step_web *sim_step_web_new(const struct sim_step_web_cfg *cfg);
struct sim_step_web *sim_step_web_free(struct sim_step_web *web);

#endif
