/** @file sim_view.h  A finished run on the terminal's whole screen */
#ifndef SIPSHARE_SIM_VIEW_H
#define SIPSHARE_SIM_VIEW_H

#include "sim/sim.h"
#include "sim/sim_label.h"

/**
 * Show a run until the user leaves
 *
 * @param lb     Its labelled trace
 * @param folder The run's
 * @param codep  On success the exit code
 *
 * @return 0, or ENOTTY: no terminal that can do it; print plainly then
 */
int sim_view(const struct sim_label *lb, const char *folder,
	     const struct sim_screen *screen, int *codep);

#endif
