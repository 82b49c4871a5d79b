/** @file sim_fault_core.h  What the faults' own files share */
#ifndef SIPSHARE_SIM_FAULT_CORE_H
#define SIPSHARE_SIM_FAULT_CORE_H

#include "sim/sim_fault.h"

/** One fault that still waits for its point; owned by its element's list */
struct fault_rule {
	struct fault_rule *next;
	enum sim_fault_kind kind;
	json_t *at;
	int left;
	int64_t delay_ms;
};

/** A message that is delayed; owned by sim_faults */
struct fault_delayed {
	struct fault_delayed *next;
	struct sim_faults *faults;
	enum sim_actor actor;
	unsigned life; /* of the element that holds it */
	json_int_t number;
	char *what;
	struct timer *timer;
};

/** What is known of one element */
struct fault_victim {
	struct fault_rule *rules; /* of messages, in the order they were set */
	struct fault_rule *halt; /* at an event; one, as common/halt.h has it */
	enum sim_condition condition;
	unsigned life;                   /* counts its deaths */
	int64_t heard_us, heard_real_us; /* times of its last line */
	bool is_holding;
	json_int_t paused_at; /* the message that it was paused at; 0: none */
	char *paused_what;
	json_t *last[3]; /* message received, by proto */
};

/** Owned by the bed */
struct sim_faults {
	struct loop *loop;
	const struct sim_fault_ops *ops;
	void *arg;
	struct fault_victim victims[SIM_ACTOR_COUNT];
	struct fault_delayed *delayed;
	json_t *uris; /* real number → SIP-URI that it leases */
	struct fault_asked *asked;
	bool is_conducted; /* all is held, and let go, by another */
};

/** A command that an element has not answered yet; owned by sim_faults */
struct fault_asked {
	struct fault_asked *next;
	struct sim_faults *faults;
	enum sim_actor actor;
};

/* sim_fault.c */
struct fault_rule *sim_fault_rule_free(struct fault_rule *rule);
void sim_fault_delayed_free(struct fault_delayed *d);
void sim_fault_note(const struct sim_faults *f, const char *name,
		    enum sim_actor actor, json_t *at);
void sim_fault_on_done(json_t *result, const char *error, void *arg);
void sim_fault_ask(struct sim_faults *f, enum sim_actor actor, const char *cmd,
		   json_t *args, ctl_answer_cb *cb);
void sim_fault_strike_now(struct sim_faults *f, enum sim_actor actor,
			  enum sim_fault_kind kind, json_t *at);

#endif
