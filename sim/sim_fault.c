#include "sim/sim_fault_core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "sim/sim_fault_match.h"

static const char *const kinds[] = { "kill", "pause", "drop", "delay" };

/* What an element is asked when it is back: what it said before must hold */
static const struct {
	enum sim_actor actor;
	const char *cmd;
} states[] = { { SIM_PLATFORM, "pool" },
	       { SIM_APPSERVER, "bindings" },
	       { SIM_APPSERVER2, "bindings" },
	       { SIM_HSS, "users" } };

/** No faults */
struct sim_faults *sim_faults_new(struct loop *loop,
				  const struct sim_fault_ops *ops, void *arg)
{
	struct sim_faults *f = xcalloc(1, sizeof(*f));

	f->loop = loop;
	f->ops = ops;
	f->arg = arg;
	f->uris = json_object();

	return f;
}

/** Free one; gives the next */
struct fault_rule *sim_fault_rule_free(struct fault_rule *rule)
{
	struct fault_rule *next = NULL;

	if (rule) {
		next = rule->next;
		json_decref(rule->at);
		free(rule);
	}

	return next;
}

static void forget(struct fault_victim *v)
{
	while (v->rules)
		v->rules = sim_fault_rule_free(v->rules);
	v->halt = sim_fault_rule_free(v->halt);
	for (int i = 0; i < 3; i++) {
		json_decref(v->last[i]);
		v->last[i] = NULL;
	}
	v->is_holding = false;
	v->paused_at = 0;
	xstrset(&v->paused_what, NULL);
}

/** Free one that is no longer waited for */
void sim_fault_delayed_free(struct fault_delayed *d)
{
	struct fault_delayed **p = &d->faults->delayed;

	while (*p != d)
		p = &(*p)->next;
	*p = d->next;
	timer_free(d->timer);
	free(d->what);
	free(d);
}

/** Free; what is under way is forgotten. Gives NULL */
struct sim_faults *sim_faults_free(struct sim_faults *f)
{
	if (!f)
		return NULL;

	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		forget(&f->victims[i]);
	while (f->delayed)
		sim_fault_delayed_free(f->delayed);
	while (f->asked) {
		struct fault_asked *a = f->asked;

		f->asked = a->next;
		free(a);
	}
	json_decref(f->uris);
	free(f);

	return NULL;
}

/** From now on every message is held already, and sim_conduct.h says when it
 * is acted on */
void sim_faults_conduct(struct sim_faults *f)
{
	f->is_conducted = true;
}

/** Have an event in the trace */
void sim_fault_note(const struct sim_faults *f, const char *name,
		    enum sim_actor actor, json_t *at)
{
	json_t *fields = json_pack("{s:s}", "element", sim_actor_name(actor));

	if (at)
		json_object_set(fields, "at", at);
	f->ops->note(name, fields, f->arg);
}

/* --- commands to the elements --- */

static void asked_free(struct fault_asked *asked)
{
	struct fault_asked **p = &asked->faults->asked;

	while (*p != asked)
		p = &(*p)->next;
	*p = asked->next;
	free(asked);
}

/** What becomes of a command that tells nothing */
void sim_fault_on_done(json_t *result, const char *error, void *arg)
{
	(void)result;
	(void)error; /* it died, or the message is gone: nothing to do */
	asked_free(arg);
}

/** Tell an element something; args is stolen */
void sim_fault_ask(struct sim_faults *f, enum sim_actor actor, const char *cmd,
		   json_t *args, ctl_answer_cb *cb)
{
	struct fault_asked *asked = xcalloc(1, sizeof(*asked));

	asked->faults = f;
	asked->actor = actor;
	asked->next = f->asked;
	f->asked = asked;
	if (f->ops->call(actor, cmd, args, cb, asked, f->arg))
		asked_free(asked);
}

/** Whether all that was set is in force: the element has said so */
bool sim_faults_is_set(const struct sim_faults *f, enum sim_actor actor)
{
	for (const struct fault_asked *a = f->asked; a; a = a->next)
		if (a->actor == actor)
			return false;

	return true;
}

/** How many faults still wait for their point at an element */
int sim_faults_left(const struct sim_faults *f, enum sim_actor actor)
{
	const struct fault_victim *v = &f->victims[actor];
	int n = v->halt != NULL;

	for (const struct fault_rule *r = v->rules; r; r = r->next)
		n += r->left;

	return n;
}

/** How often an element has died so far: by it, one death is told from another
 * when somebody else has started it again */
unsigned sim_faults_deaths(const struct sim_faults *f, enum sim_actor actor)
{
	return f->victims[actor].life;
}

enum sim_condition sim_faults_condition(const struct sim_faults *f,
					enum sim_actor actor)
{
	return f->victims[actor].condition;
}

/** Whether nothing waits for its point any more, and who was killed is gone. A
 * paused element answers when it is resumed: what it was told of messages that
 * it held beside the one it was paused at is not waited for */
bool sim_faults_has_struck(const struct sim_faults *f, enum sim_actor actor)
{
	enum sim_condition condition = f->victims[actor].condition;

	return !sim_faults_left(f, actor) && condition != SIM_IS_DYING &&
	       (condition == SIM_IS_PAUSED || sim_faults_is_set(f, actor));
}

/* --- setting --- */

/** Kill or pause an element */
void sim_fault_strike_now(struct sim_faults *f, enum sim_actor actor,
			  enum sim_fault_kind kind, json_t *at)
{
	if (kind == SIM_FAULT_KILL) {
		sim_fault_note(f, "fault.kill", actor, at);
		f->victims[actor].condition = SIM_IS_DYING;
		f->ops->kill(actor, f->arg);
		return;
	}
	sim_fault_note(f, "fault.pause", actor, at);
	f->victims[actor].condition = SIM_IS_PAUSED;
	f->ops->pause(actor, true, f->arg);
}

static int set_halt(struct sim_faults *f, const struct sim_fault *fault,
		    struct fault_rule *rule, char **reasonp)
{
	struct fault_victim *v = &f->victims[fault->actor];
	json_t *fields;

	if (fault->kind > SIM_FAULT_PAUSE || v->halt) {
		*reasonp = v->halt ? xasprintf("%s already has a fault that "
					       "waits for an event",
					       sim_actor_name(fault->actor))
				   : xasprintf("%s takes a message, not an "
					       "event",
					       kinds[fault->kind]);
		return EINVAL;
	}
	v->halt = rule;
	fields = json_copy(rule->at);
	json_object_del(fields, "event");
	sim_fault_ask(f, fault->actor, "halt-at",
		      json_pack("{s:O, s:o, s:i}", "event",
				json_object_get(rule->at, "event"), "fields",
				fields, "count", rule->left),
		      sim_fault_on_done);

	return 0;
}

static int set_message(struct sim_faults *f, const struct sim_fault *fault,
		       struct fault_rule *rule, char **reasonp)
{
	struct fault_victim *v = &f->victims[fault->actor];
	struct fault_rule **p = &v->rules;
	int err = sim_fault_match_check(rule->at, reasonp);

	if (err)
		return err;

	while (*p)
		p = &(*p)->next;
	*p = rule;
	if (!v->is_holding && !f->is_conducted)
		sim_fault_ask(f, fault->actor, "hold", NULL, sim_fault_on_done);
	v->is_holding = true;

	return 0;
}

/**
 * Set a fault: it strikes at its point, or at once when it has none
 *
 * It is in force once sim_faults_is_set(). An element that dies takes with it
 * what was still to strike it.
 *
 * @return 0; EINVAL or ENOTCONN (it is down) with a reason
 */
int sim_faults_strike(struct sim_faults *f, const struct sim_fault *fault,
		      char **reasonp)
{
	const struct fault_victim *v = &f->victims[fault->actor];
	struct fault_rule *rule;
	int err;

	if (v->condition >= SIM_IS_DYING) {
		*reasonp =
			xasprintf("%s is down", sim_actor_name(fault->actor));
		return ENOTCONN;
	}
	if (!fault->at && fault->kind <= SIM_FAULT_PAUSE) {
		sim_fault_strike_now(f, fault->actor, fault->kind, NULL);
		return 0;
	}
	if (!fault->at) {
		*reasonp = xasprintf("%s: which message?", kinds[fault->kind]);
		return EINVAL;
	}

	rule = xcalloc(1, sizeof(*rule));
	rule->kind = fault->kind;
	rule->at = json_deep_copy(fault->at);
	rule->left = fault->count > 0 ? fault->count : 1;
	rule->delay_ms = fault->delay_ms;
	err = json_object_get(rule->at, "event")
		      ? set_halt(f, fault, rule, reasonp)
		      : set_message(f, fault, rule, reasonp);
	if (err)
		sim_fault_rule_free(rule);

	return err;
}

/** Start an element again that is down; 0, or why it cannot be */
int sim_faults_restart(struct sim_faults *f, enum sim_actor actor,
		       char **reasonp)
{
	int err = f->ops->restart(actor, f->arg, reasonp);

	if (err)
		return err;

	sim_fault_note(f, "fault.restart", actor, NULL);
	f->victims[actor].condition = SIM_IS_STARTING;

	return 0;
}

/* --- what an element does --- */

/* What it holds to be true now, beside what it said before: I6 */
static void on_state(json_t *result, const char *error, void *arg)
{
	struct fault_asked *asked = arg;
	struct sim_faults *f = asked->faults;
	enum sim_actor actor = asked->actor;

	asked_free(asked);
	if (error)
		return; /* it died again */

	f->victims[actor].condition = SIM_IS_UP;
	/* it said this right after its last line, and before its next one,
	 * which may have been made by now */
	f->ops->note("fault.restarted",
		     json_pack("{s:s, s:O, s:I, s:I}", "element",
			       sim_actor_name(actor), "state", result, "t",
			       (json_int_t)f->victims[actor].heard_us, "w",
			       (json_int_t)f->victims[actor].heard_real_us),
		     f->arg);
}

static void came_up(struct sim_faults *f, enum sim_actor actor)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (states[i].actor == actor) {
			sim_fault_ask(f, actor, states[i].cmd, NULL, on_state);
			return;
		}
	}
	f->victims[actor].condition = SIM_IS_UP;
	sim_fault_note(f, "fault.restarted", actor, NULL);
}

static void halted(struct sim_faults *f, enum sim_actor actor)
{
	struct fault_rule *rule = f->victims[actor].halt;

	if (!rule)
		return;

	f->victims[actor].halt = NULL;
	sim_fault_strike_now(f, actor, rule->kind, rule->at);
	sim_fault_rule_free(rule);
}

/** The supervisor says how an element has changed */
void sim_faults_on_change(struct sim_faults *f, enum sim_actor actor,
			  enum sim_change change)
{
	struct fault_victim *v = &f->victims[actor];

	switch (change) {
	case SIM_WENT_DOWN:
		v->condition = SIM_IS_DOWN;
		v->life++;
		forget(v);
		sim_fault_note(f, "fault.down", actor, NULL);
		break;
	case SIM_CAME_UP:
		came_up(f, actor);
		break;
	case SIM_HALTED:
		halted(f, actor);
		break;
	}
}
