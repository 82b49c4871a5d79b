/** @file sim_bed.h  One testbed: network, folder, certificates, processes
 *
 * What `run` and `up` have in common. Every line of trace is collected here.
 */
#ifndef SIPSHARE_SIM_BED_H
#define SIPSHARE_SIM_BED_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/ctl.h"
#include "sim/sim_super.h"

struct sim_bed;
struct sim_conduct;
struct sim_faults;
struct sim_held;
struct sim_invariants;
struct sim_net;
struct sim_trace;

enum { SIM_EXTRA_MAX = 64 };

/** What a scenario or a command line asks for; sim_plan_clear() frees it */
struct sim_plan {
	char *policy;   /**< NULL: the platform's default */
	char *store;    /**< folder of the databases; NULL: in memory */
	int appservers; /**< how many AS; 0: one */
	bool is_memory; /**< a run has a folder for them unless this is set */
	bool is_fast;   /**< in virtual time, conducted (sim_conduct.h) */
	int seed;       /**< of who acts next; 0: in the order of arrival */
	int64_t idle_within_ms; /**< stated time of I5; 0: by the timers */
	json_t *users; /**< real number to secret, that the AS knows; or NULL */
	struct sim_extra extra[SIM_EXTRA_MAX];
	int extra_n;
};

/** Where to build; borrowed but for net, which the bed owns from then on,
 * also when it could not start */
struct sim_bed_cfg {
	struct loop *loop;
	struct sim_net *net;
	const char *dir; /**< an empty folder */
	const struct sim_plan *plan;
	bool keeps_trace; /**< in memory: of what ends, not of what stays up */
};

/** As sim_super_ops, but that the trace's lines are kept here first */
struct sim_bed_ops {
	void (*ready)(int64_t ready_us, void *arg);
	void (*trace)(void *arg);
	void (*failed)(const char *reason, void *arg);
	void (*stopped)(void *arg);
	/** Of a bed that is conducted: see sim_conduct.h. NULL: it is not */
	bool (*turn)(bool is_changed, void *arg);
	bool (*may_go)(const struct sim_held *next, void *arg);
	void (*stuck)(void *arg);
};

bool sim_plan_add(struct sim_plan *plan, int actor, const char *name,
		  const char *value);
void sim_plan_clear(struct sim_plan *plan);
int64_t sim_plan_idle_within_ms(const struct sim_plan *plan);

int sim_bed_new(struct sim_bed **bp, const struct sim_bed_cfg *cfg,
		const struct sim_bed_ops *ops, void *arg, char **reasonp);
struct sim_bed *sim_bed_free(struct sim_bed *bed);
void sim_bed_conduct(struct sim_bed *bed, int seed);
void sim_bed_stop(struct sim_bed *bed);

int sim_bed_call(struct sim_bed *bed, enum sim_actor actor, const char *cmd,
		 json_t *args, ctl_answer_cb *cb, void *arg);
void sim_bed_note(struct sim_bed *bed, const char *name, json_t *fields);
const struct sim_net *sim_bed_net(const struct sim_bed *bed);
struct sim_super *sim_bed_super(struct sim_bed *bed);
int64_t sim_bed_idle_within_ms(const struct sim_bed *bed);
const struct sim_invariants *sim_bed_invariants(const struct sim_bed *bed);
struct sim_faults *sim_bed_faults(struct sim_bed *bed);
struct sim_conduct *sim_bed_conductor(struct sim_bed *bed);
struct sim_trace *sim_bed_trace(struct sim_bed *bed);

#endif
