/** @file sim_run.h  One scenario's run: engine, testbed, result */
#ifndef SIPSHARE_SIM_RUN_H
#define SIPSHARE_SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "common/opt.h"
#include "sim/sim.h"
#include "sim/sim_lua.h"

struct loop;
struct sim_bed;
struct sim_held;
struct sim_run;
struct sim_label;
struct sim_net;
struct sim_plan;
struct sim_packets;
struct sim_live;
struct sim_results;
struct timer;

/** Exit code of a run that signal n ended: this and n */
enum { SIM_SIGNAL_EXIT = 128 };

/** Who looks on, and says when each received message is acted on: the run is
 * conducted then (sim_conduct.h) */
struct sim_run_front {
	/** The testbed is up. 0, or why there is nothing to look at */
	int (*open)(struct sim_run *run, void *arg, char **reasonp);
	/** May this be acted on now? False: sim_conduct_go() says when */
	bool (*may_go)(const struct sim_held *next, void *arg);
	/** All elements have stopped, all traces are read: ends the loop, when
	 * its user has seen it */
	void (*over)(void *arg);
};

/** What the command line of `sipshare run` gave; borrowed */
struct sim_run_cfg {
	struct loop *loop;
	const char *runs;    /**< folder of the runs' folders */
	const char *policy;  /**< goes before the scenario's; NULL: none */
	const char *capture; /**< "wire", or "messages"; so is NULL */
	json_t *params;
	int timeout_s;
	int seed;     /**< of a fast run; 0: as the scenario says */
	bool is_fast; /**< in virtual time, whatever the scenario says */
	struct sim_results *results; /**< each run adds its own */
	bool no_colour, is_quiet, has_all_events;
	const struct sim_run_front *front; /**< NULL: nobody */
	void *front_arg;
	bool is_live; /**< the ladder is printed as it comes */
};

/** One run; owned by sim_run_file() */
struct sim_run {
	const struct sim_run_cfg *cfg;
	const char *file;
	char *name;
	struct sim_lua *lua;
	struct sim_bed *bed;
	struct sim_packets *packets; /**< NULL: messages are captured */
	struct sim_live *live;       /**< NULL: the ladder comes at the end */
	struct sim_folder folder;
	int64_t started_us, ready_us; /**< by the machine's clock; ready_us:
					   -1 until then */
	bool is_fast;
	int seed;             /**< 0: who has received first acts first */
	struct timer *settle; /**< looks whether all steps have come */
	int64_t settle_us;    /**< till when */
	char *bad_end;        /**< an element did not end well; NULL: none */
	int signo;            /**< that ended it, or 0 */
	bool is_stopped;      /**< all elements are gone */
	const char *verdict;  /**< "PASS", "FAIL" …; NULL: not reported yet */
	int code;             /**< then: the exit code */
};

/* sim_run_cmd.c: of run and step alike */
enum { SIM_RUN_OPTION_N = 6 };
void sim_run_options(struct opt opts[SIM_RUN_OPTION_N], struct sim_run_cfg *cfg,
		     struct opt_list *sets);
bool sim_run_settings(struct sim_run_cfg *cfg, const char *cmd,
		      const struct opt_list *sets);

char *sim_run_check(const struct sim_run_cfg *cfg, const char *file);
int sim_run_file(const struct sim_run_cfg *cfg, const char *file);

/* sim_run_capture.c */
bool sim_run_can_capture(const char *cmd, const char *what);
int sim_run_start_capture(struct sim_run *run, struct sim_plan *plan,
			  const struct sim_net *net, char **reasonp);
int sim_run_write_capture(const struct sim_run *run,
			  const struct sim_label *labels, FILE *f);
void sim_run_print_capture(const struct sim_run *run);
void sim_run_end_capture(struct sim_run *run);

/* sim_run_report.c */
void sim_run_go_live(struct sim_run *run);
bool sim_run_has_steps(const struct sim_run *run);
int sim_run_report(struct sim_run *run);

#endif
