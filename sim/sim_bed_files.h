/** @file sim_bed_files.h  What the elements find in the run's folder */
#ifndef SIPSHARE_SIM_BED_FILES_H
#define SIPSHARE_SIM_BED_FILES_H

#include <jansson.h>

#include "sim/sim_super.h"

int sim_bed_certificates(const struct sim_super_cfg *cfg, char **reasonp);
int sim_bed_users(const struct sim_super_cfg *cfg, const json_t *users,
		  char **reasonp);

#endif
