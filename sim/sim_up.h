/** @file sim_up.h  `sipshare up`: what its files share */
#ifndef SIPSHARE_SIM_UP_H
#define SIPSHARE_SIM_UP_H

#include <stdbool.h>

#include "sim/sim.h"
#include "sim/sim_bed.h"

struct loop;

/** Command line of `sipshare up`; borrowed from argv */
struct sim_up_cfg {
	const char *host;  /**< NULL: a loopback network of its own */
	const char *users; /**< FIRST-LAST, or NULL */
	const char *pool;  /**< FIRST-LAST, or NULL */
	const char *store; /**< folder, or "memory" */
	const char *runs, *policy;
	int port_base;
	bool is_json;
};

/** The command, from start to end */
struct sim_up {
	const struct sim_up_cfg *cfg;
	struct loop *loop;
	struct sim_bed *bed;
	struct sim_folder folder;
	struct sim_plan plan;
	char *accounts; /**< file of the users' passwords; NULL: no users */
	int stage;
	int user_n, pool_n; /**< accounts asked for */
	bool is_up, is_ending;
	size_t breach_n; /**< invariants broken so far */
	int code;
};

/* sim_up_accounts.c */
int sim_up_accounts(struct sim_up *up, char **reasonp);
int sim_range_split(const char *range, char **firstp, char **lastp,
		    char **reasonp);

/* sim_up_print.c */
void sim_up_print(const struct sim_up *up);

#endif
