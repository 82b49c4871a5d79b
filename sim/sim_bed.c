#include "sim/sim_bed.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "sim/sim.h"
#include "sim/sim_bed_files.h"
#include "sim/sim_conduct.h"
#include "sim/sim_fault.h"
#include "sim/sim_invariant.h"
#include "sim/sim_net.h"
#include "sim/sim_trace.h"

enum { HOST_LEN = 80 };

/** Owned by the command; it borrows the plan */
struct sim_bed {
	struct sim_net *net;
	struct sim_super *super;
	struct sim_faults *faults;
	struct sim_conduct *conduct;       /* NULL: everyone as they like */
	struct sim_invariants *invariants; /* NULL: the trace is kept */
	int64_t idle_within_ms;
	struct sim_super_cfg cfg;
	struct sim_trace *trace;
	char *dir, *bin;
	bool keeps_trace;
	const struct sim_bed_ops *ops;
	void *arg;
};

static void on_ready(int64_t ready_us, void *arg)
{
	const struct sim_bed *bed = arg;

	bed->ops->ready(ready_us, bed->arg);
}

static bool is_event(const json_t *line, const char *name)
{
	const char *is = json_string_value(json_object_get(line, "name"));

	return is && !strcmp(is, name);
}

/* Where every message is held, that it is tells nothing */
static bool is_of_conductor(const struct sim_bed *bed, const json_t *line)
{
	return bed->conduct && (is_event(line, "message.held") ||
				is_event(line, "message.released"));
}

/* A message that no fault takes waits for its turn */
static void hold(const struct sim_bed *bed, const json_t *line)
{
	const char *actor = NULL, *what = NULL, *remote = NULL;
	int number = 0;
	json_int_t real_us = 0;

	if (json_unpack((json_t *)line, "{s:s, s:i, s:s, s:s, s:I}", "actor",
			&actor, "number", &number, "what", &what, "remote",
			&remote, "w", &real_us) ||
	    sim_actor_find(actor) < 0)
		return;

	sim_conduct_hold(
		bed->conduct,
		&(struct sim_held){ (enum sim_actor)sim_actor_find(actor),
				    (unsigned)number, what, remote, real_us });
}

static void on_trace(json_t *line, void *arg)
{
	const struct sim_bed *bed = arg;

	if (!sim_faults_on_trace(bed->faults, line) && bed->conduct &&
	    is_event(line, "message.held"))
		hold(bed, line);
	if (!bed->keeps_trace)
		(void)sim_invariants_rx_line(bed->invariants, line);
	else if (!is_of_conductor(bed, line))
		(void)sim_trace_add(bed->trace, line);
	bed->ops->trace(bed->arg);
}

static void on_failed(const char *reason, void *arg)
{
	const struct sim_bed *bed = arg;

	bed->ops->failed(reason, bed->arg);
}

/* Who is killed, paused or let go on is asked by the conductor no more, or
 * again */
static void tell_conductor(const struct sim_bed *bed, enum sim_actor actor)
{
	if (bed->conduct)
		sim_conduct_on_change(bed->conduct, actor);
}

static void on_changed(enum sim_actor actor, enum sim_change change, void *arg)
{
	const struct sim_bed *bed = arg;

	sim_faults_on_change(bed->faults, actor, change);
	tell_conductor(bed, actor);
	/* who waits for it looks again */
	bed->ops->trace(bed->arg);
}

static void on_stopped(void *arg)
{
	const struct sim_bed *bed = arg;

	bed->ops->stopped(bed->arg);
}

static const struct sim_super_ops super_ops = { on_ready, on_trace, on_failed,
						on_changed, on_stopped };

static int fault_call(enum sim_actor actor, const char *cmd, json_t *args,
		      ctl_answer_cb *cb, void *cb_arg, void *arg)
{
	return sim_bed_call(arg, actor, cmd, args, cb, cb_arg);
}

static void fault_kill(enum sim_actor actor, void *arg)
{
	const struct sim_bed *bed = arg;

	sim_super_kill(bed->super, actor);
	tell_conductor(bed, actor);
}

static int fault_restart(enum sim_actor actor, void *arg, char **reasonp)
{
	const struct sim_bed *bed = arg;
	int err = sim_super_restart(bed->super, actor, reasonp);

	/* it begins at the time that it is: nothing passes before it is up */
	if (!err && bed->conduct)
		sim_conduct_on_command(bed->conduct);

	return err;
}

static void fault_pause(enum sim_actor actor, bool is_paused, void *arg)
{
	const struct sim_bed *bed = arg;

	sim_super_pause(bed->super, actor, is_paused);
	tell_conductor(bed, actor);
}

static void fault_let_go(enum sim_actor actor, unsigned number,
			 const char *what, void *arg)
{
	const struct sim_bed *bed = arg;

	sim_conduct_hold(bed->conduct,
			 &(struct sim_held){ actor, number, what, "", 0 });
}

static void fault_note(const char *name, json_t *fields, void *arg)
{
	struct sim_bed *bed = arg;

	sim_bed_note(bed, name, fields);
	bed->ops->trace(bed->arg);
}

static const struct sim_fault_ops fault_ops = { fault_call,    fault_kill,
						fault_restart, fault_pause,
						fault_note,    fault_let_go };

static int conduct_call(enum sim_actor actor, const char *cmd, json_t *args,
			ctl_answer_cb *cb, void *cb_arg, void *arg)
{
	const struct sim_bed *bed = arg;

	return sim_super_call(bed->super, actor, cmd, args, cb, cb_arg);
}

static enum sim_condition conduct_condition(enum sim_actor actor, void *arg)
{
	const struct sim_bed *bed = arg;

	return sim_faults_condition(bed->faults, actor);
}

static bool conduct_turn(bool is_changed, void *arg)
{
	const struct sim_bed *bed = arg;

	return bed->ops->turn(is_changed, bed->arg);
}

static bool conduct_may_go(const struct sim_held *next, void *arg)
{
	const struct sim_bed *bed = arg;

	return !bed->ops->may_go || bed->ops->may_go(next, bed->arg);
}

static void conduct_stuck(void *arg)
{
	const struct sim_bed *bed = arg;

	bed->ops->stuck(bed->arg);
}

static const struct sim_conduct_ops conduct_ops = {
	conduct_call, conduct_condition, conduct_turn, conduct_may_go,
	conduct_stuck
};

/* By these the trace knows who is behind an address */
static void name_addresses(const struct sim_bed *bed)
{
	int link_n = bed->cfg.appservers > 1 ? SIM_LINK_ALL : SIM_LINK_COUNT;

	for (int i = 0; i < link_n; i++)
		sim_trace_actor(bed->trace, sim_net_actor((enum sim_link)i),
				sim_net_addr(bed->net, (enum sim_link)i));
	for (int i = 0; i < SIM_ACTOR_COUNT && sim_net_number(bed->net); i++) {
		const char *actor = sim_actor_name((enum sim_actor)i);
		char host[HOST_LEN];

		if (!sim_actor_is_in((enum sim_actor)i, bed->cfg.appservers))
			continue;
		sim_net_hosts(bed->net, actor, host, HOST_LEN);
		sim_trace_actor(bed->trace, actor, host);
	}
}

/**
 * Build a testbed: certificates, users, and all processes started
 *
 * @param ops Called from the loop, never before this has returned; static
 *
 * @return 0, or what could not be made or started; then nothing is left
 */
int sim_bed_new(struct sim_bed **bp, const struct sim_bed_cfg *cfg,
		const struct sim_bed_ops *ops, void *arg, char **reasonp)
{
	struct sim_bed *bed = xcalloc(1, sizeof(*bed));
	int err;

	bed->net = cfg->net;
	bed->dir = xstrdup(cfg->dir);
	bed->bin = sim_bin_dir();
	bed->keeps_trace = cfg->keeps_trace;
	bed->ops = ops;
	bed->arg = arg;
	bed->trace = sim_trace_new();
	bed->idle_within_ms = sim_plan_idle_within_ms(cfg->plan);
	if (!cfg->keeps_trace)
		bed->invariants = sim_invariants_new(bed->idle_within_ms);
	bed->faults = sim_faults_new(cfg->loop, &fault_ops, bed);
	bed->cfg = (struct sim_super_cfg){
		.loop = cfg->loop,
		.net = cfg->net,
		.dir = bed->dir,
		.bin = bed->bin,
		.policy = cfg->plan->policy,
		.store = cfg->plan->store,
		.appservers = cfg->plan->appservers,
		.extra = cfg->plan->extra,
		.extra_n = cfg->plan->extra_n,
	};
	name_addresses(bed);
	err = sim_bed_certificates(&bed->cfg, reasonp);
	if (!err)
		err = sim_bed_users(&bed->cfg, cfg->plan->users, reasonp);
	if (!err && cfg->plan->store)
		err = sim_make_dirs(cfg->plan->store, reasonp);
	if (!err)
		err = sim_super_new(&bed->super, &bed->cfg, &super_ops, bed,
				    reasonp);
	if (err)
		sim_bed_free(bed);
	else
		*bp = bed;

	return err;
}

/** Free it; what still runs is killed, and the network given back */
struct sim_bed *sim_bed_free(struct sim_bed *bed)
{
	if (!bed)
		return NULL;

	sim_super_free(bed->super);
	sim_faults_free(bed->faults);
	sim_conduct_free(bed->conduct);
	sim_invariants_free(bed->invariants);
	sim_net_free(bed->net);
	sim_trace_free(bed->trace);
	free(bed->dir);
	free(bed->bin);
	free(bed);

	return NULL;
}

/**
 * From now on, once it is ready, the runner owns all clocks, and says who acts
 * next
 *
 * @param seed By which that is drawn; 0: as they received
 */
void sim_bed_conduct(struct sim_bed *bed, int seed)
{
	const struct sim_conduct_cfg cfg = { bed->cfg.loop, (uint64_t)seed };

	bed->conduct = sim_conduct_new(&cfg, &conduct_ops, bed);
	bed->cfg.is_conducted = true;
	sim_faults_conduct(bed->faults);
	sim_conduct_start(bed->conduct);
}

/** Stop all; ops->stopped() comes later. Called again, it kills at once */
void sim_bed_stop(struct sim_bed *bed)
{
	if (bed->conduct)
		sim_conduct_end(bed->conduct);
	sim_super_stop(bed->super);
}

/** Send a command; args is stolen. 0, or ENOTCONN and cb is not called */
int sim_bed_call(struct sim_bed *bed, enum sim_actor actor, const char *cmd,
		 json_t *args, ctl_answer_cb *cb, void *arg)
{
	if (bed->conduct)
		sim_conduct_on_command(bed->conduct);

	return sim_super_call(bed->super, actor, cmd, args, cb, arg);
}

/** An event of the runner itself, in the trace, now or at fields' "t"; fields
 * is stolen */
void sim_bed_note(struct sim_bed *bed, const char *name, json_t *fields)
{
	json_t *line = json_pack("{s:I, s:I, s:s, s:s, s:s}", "t",
				 (json_int_t)clock_now_us(), "w",
				 (json_int_t)clock_real_us(), "actor",
				 "sipshare", "kind", "event", "name", name);

	/* what is known to have been true earlier says when */
	if (json_is_integer(json_object_get(fields, "t")))
		json_object_del(line, "w");
	if (json_is_integer(json_object_get(fields, "t")))
		json_object_set(line, "t", json_object_get(fields, "t"));
	if (fields)
		json_object_update_missing(line, fields);
	(void)sim_trace_add(bed->trace, line);
	json_decref(line);
	json_decref(fields);
}

const struct sim_net *sim_bed_net(const struct sim_bed *bed)
{
	return bed->net;
}

struct sim_super *sim_bed_super(struct sim_bed *bed)
{
	return bed->super;
}

/** Stated time of I5 */
int64_t sim_bed_idle_within_ms(const struct sim_bed *bed)
{
	return bed->idle_within_ms;
}

/** What has been found so far, of a bed that does not keep its trace; else
 * NULL: its trace is judged as a whole */
const struct sim_invariants *sim_bed_invariants(const struct sim_bed *bed)
{
	return bed->invariants;
}

/** Who says who acts next; NULL: the bed is not conducted */
struct sim_conduct *sim_bed_conductor(struct sim_bed *bed)
{
	return bed->conduct;
}

struct sim_faults *sim_bed_faults(struct sim_bed *bed)
{
	return bed->faults;
}

struct sim_trace *sim_bed_trace(struct sim_bed *bed)
{
	return bed->trace;
}
