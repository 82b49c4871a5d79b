/** @file sim_super_args.h  The command line of each element */
#ifndef SIPSHARE_SIM_SUPER_ARGS_H
#define SIPSHARE_SIM_SUPER_ARGS_H

#include "sim/sim_super.h"

/** A NULL-ended argv whose strings it owns */
struct sim_args {
	char **v;
	int n;
};

void sim_args_make(struct sim_args *args, enum sim_actor actor,
		   const struct sim_super_cfg *cfg);
void sim_args_clear(struct sim_args *args);
char *sim_pool_file(const struct sim_super_cfg *cfg);
char *sim_users_file(const struct sim_super_cfg *cfg);

#endif
