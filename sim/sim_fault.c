#include "sim/sim_fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "sim/sim_fault_match.h"

/** One fault that still waits for its point; owned by its element's list */
struct rule {
	struct rule *next;
	enum sim_fault_kind kind;
	json_t *at;
	int left;
	int64_t delay_ms;
};

/** A message that is delayed; owned by sim_faults */
struct delayed {
	struct delayed *next;
	struct sim_faults *faults;
	enum sim_actor actor;
	unsigned life; /* of the element that holds it */
	json_int_t number;
	char *what;
	struct timer *timer;
};

/** What is known of one element */
struct victim {
	struct rule *rules; /* of messages, in the order they were set */
	struct rule *halt;  /* at an event; one, as common/halt.h has it */
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
	struct victim victims[SIM_ACTOR_COUNT];
	struct delayed *delayed;
	json_t *uris; /* real number → SIP-URI that it leases */
	struct asked *asked;
	bool is_conducted; /* all is held, and let go, by another */
};

/** A command that an element has not answered yet; owned by sim_faults */
struct asked {
	struct asked *next;
	struct sim_faults *faults;
	enum sim_actor actor;
};

static const char *const kinds[] = { "kill", "pause", "drop", "delay" };

static const char *const protos[] = { "sip", "http", "diameter" };

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

static struct rule *rule_free(struct rule *rule)
{
	struct rule *next = NULL;

	if (rule) {
		next = rule->next;
		json_decref(rule->at);
		free(rule);
	}

	return next;
}

static void forget(struct victim *v)
{
	while (v->rules)
		v->rules = rule_free(v->rules);
	v->halt = rule_free(v->halt);
	for (int i = 0; i < 3; i++) {
		json_decref(v->last[i]);
		v->last[i] = NULL;
	}
	v->is_holding = false;
	v->paused_at = 0;
	xstrset(&v->paused_what, NULL);
}

static void delayed_free(struct delayed *d)
{
	struct delayed **p = &d->faults->delayed;

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
		delayed_free(f->delayed);
	while (f->asked) {
		struct asked *a = f->asked;

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

static void note(const struct sim_faults *f, const char *name,
		 enum sim_actor actor, json_t *at)
{
	json_t *fields = json_pack("{s:s}", "element", sim_actor_name(actor));

	if (at)
		json_object_set(fields, "at", at);
	f->ops->note(name, fields, f->arg);
}

/* --- commands to the elements --- */

static void asked_free(struct asked *asked)
{
	struct asked **p = &asked->faults->asked;

	while (*p != asked)
		p = &(*p)->next;
	*p = asked->next;
	free(asked);
}

static void on_done(json_t *result, const char *error, void *arg)
{
	(void)result;
	(void)error; /* it died, or the message is gone: nothing to do */
	asked_free(arg);
}

static void ask(struct sim_faults *f, enum sim_actor actor, const char *cmd,
		json_t *args, ctl_answer_cb *cb)
{
	struct asked *asked = xcalloc(1, sizeof(*asked));

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
	for (const struct asked *a = f->asked; a; a = a->next)
		if (a->actor == actor)
			return false;

	return true;
}

/** How many faults still wait for their point at an element */
int sim_faults_left(const struct sim_faults *f, enum sim_actor actor)
{
	const struct victim *v = &f->victims[actor];
	int n = v->halt != NULL;

	for (const struct rule *r = v->rules; r; r = r->next)
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

static void strike_now(struct sim_faults *f, enum sim_actor actor,
		       enum sim_fault_kind kind, json_t *at)
{
	if (kind == SIM_FAULT_KILL) {
		note(f, "fault.kill", actor, at);
		f->victims[actor].condition = SIM_IS_DYING;
		f->ops->kill(actor, f->arg);
		return;
	}
	note(f, "fault.pause", actor, at);
	f->victims[actor].condition = SIM_IS_PAUSED;
	f->ops->pause(actor, true, f->arg);
}

static int set_halt(struct sim_faults *f, const struct sim_fault *fault,
		    struct rule *rule, char **reasonp)
{
	struct victim *v = &f->victims[fault->actor];
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
	ask(f, fault->actor, "halt-at",
	    json_pack("{s:O, s:o, s:i}", "event",
		      json_object_get(rule->at, "event"), "fields", fields,
		      "count", rule->left),
	    on_done);

	return 0;
}

static int set_message(struct sim_faults *f, const struct sim_fault *fault,
		       struct rule *rule, char **reasonp)
{
	struct victim *v = &f->victims[fault->actor];
	struct rule **p = &v->rules;
	int err = sim_fault_match_check(rule->at, reasonp);

	if (err)
		return err;

	while (*p)
		p = &(*p)->next;
	*p = rule;
	if (!v->is_holding && !f->is_conducted)
		ask(f, fault->actor, "hold", NULL, on_done);
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
	const struct victim *v = &f->victims[fault->actor];
	struct rule *rule;
	int err;

	if (v->condition >= SIM_IS_DYING) {
		*reasonp =
			xasprintf("%s is down", sim_actor_name(fault->actor));
		return ENOTCONN;
	}
	if (!fault->at && fault->kind <= SIM_FAULT_PAUSE) {
		strike_now(f, fault->actor, fault->kind, NULL);
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
		rule_free(rule);

	return err;
}

/** Start an element again that is down; 0, or why it cannot be */
int sim_faults_restart(struct sim_faults *f, enum sim_actor actor,
		       char **reasonp)
{
	int err = f->ops->restart(actor, f->arg, reasonp);

	if (err)
		return err;

	note(f, "fault.restart", actor, NULL);
	f->victims[actor].condition = SIM_IS_STARTING;

	return 0;
}

/* --- what an element does --- */

static void let_go(struct sim_faults *f, enum sim_actor actor,
		   json_int_t number, const char *what)
{
	if (f->is_conducted) {
		f->ops->let_go(actor, (unsigned)number, what, f->arg);
		return;
	}
	ask(f, actor, "release-held", json_pack("{s:I}", "number", number),
	    on_done);
}

/* Once nothing is waited for; what is delayed would be let go by this too */
static void unhold(struct sim_faults *f, enum sim_actor actor)
{
	struct victim *v = &f->victims[actor];

	if (!v->is_holding || v->rules || v->condition != SIM_IS_UP)
		return;
	for (const struct delayed *d = f->delayed; d; d = d->next)
		if (d->actor == actor)
			return;

	v->is_holding = false;
	if (!f->is_conducted)
		ask(f, actor, "unhold", NULL, on_done);
}

/** Let an element go on that was paused; EINVAL if it is not */
int sim_faults_resume(struct sim_faults *f, enum sim_actor actor,
		      char **reasonp)
{
	struct victim *v = &f->victims[actor];

	if (v->condition != SIM_IS_PAUSED) {
		*reasonp = xasprintf("%s is not paused", sim_actor_name(actor));
		return EINVAL;
	}
	v->condition = SIM_IS_UP;
	f->ops->pause(actor, false, f->arg);
	note(f, "fault.resume", actor, NULL);
	if (v->paused_at)
		let_go(f, actor, v->paused_at, v->paused_what);
	v->paused_at = 0;
	unhold(f, actor);

	return 0;
}

static void on_delay(void *arg)
{
	struct delayed *d = arg;
	struct sim_faults *f = d->faults;
	enum sim_actor actor = d->actor;

	if (d->life == f->victims[actor].life)
		let_go(f, actor, d->number, d->what);
	delayed_free(d);
	unhold(f, actor);
}

/** A message that an element holds */
struct message {
	json_int_t number;
	const char *what;
};

static void delay(struct sim_faults *f, enum sim_actor actor,
		  const struct message *m, int64_t delay_ms)
{
	struct delayed *d = xcalloc(1, sizeof(*d));

	d->faults = f;
	d->actor = actor;
	d->life = f->victims[actor].life;
	d->number = m->number;
	d->what = xstrdup(m->what);
	d->timer = timer_new(f->loop, on_delay, d);
	d->next = f->delayed;
	f->delayed = d;
	timer_start_ms(d->timer, delay_ms);
}

static void strike_message(struct sim_faults *f, enum sim_actor actor,
			   const struct rule *rule, const struct message *m)
{
	if (rule->kind <= SIM_FAULT_PAUSE) {
		f->victims[actor].paused_at = m->number;
		xstrset(&f->victims[actor].paused_what, m->what);
		strike_now(f, actor, rule->kind, rule->at);
		return;
	}
	note(f, rule->kind == SIM_FAULT_DROP ? "fault.drop" : "fault.delay",
	     actor, rule->at);
	if (rule->kind == SIM_FAULT_DROP)
		ask(f, actor, "drop-held",
		    json_pack("{s:I}", "number", m->number), on_done);
	else
		delay(f, actor, m, rule->delay_ms);
}

static const char *user_uri(const struct sim_faults *f, const struct rule *rule)
{
	const char *user = json_string_value(json_object_get(rule->at, "user"));

	return user ? json_string_value(json_object_get(f->uris, user)) : NULL;
}

/* The text of the message that was held: the last of its proto received */
static const char *text_of(const struct victim *v, const char *what)
{
	const char *text = NULL;

	for (int i = 0; i < 3; i++)
		if (!strncmp(what, protos[i], strlen(protos[i])))
			text = json_string_value(
				json_object_get(v->last[i], "text"));

	return text ? text : "";
}

/* False: it is none of a fault's business, and nobody holds it for one */
static bool on_held(struct sim_faults *f, enum sim_actor actor,
		    const json_t *line)
{
	const struct message m = {
		json_integer_value(json_object_get(line, "number")),
		json_string_value(json_object_get(line, "what"))
	};
	struct victim *v = &f->victims[actor];
	struct rule **p = &v->rules;

	if (!v->is_holding || !m.what)
		return false;

	while (*p && !sim_fault_match((*p)->at, m.what, text_of(v, m.what),
				      user_uri(f, *p)))
		p = &(*p)->next;
	if (!*p) {
		let_go(f, actor, m.number, m.what);
		return true;
	}

	(*p)->left--;
	strike_message(f, actor, *p, &m);
	if (!(*p)->left)
		*p = rule_free(*p);
	unhold(f, actor);

	return true;
}

static void keep_last(struct victim *v, json_t *line)
{
	const char *proto = json_string_value(json_object_get(line, "proto"));

	for (int i = 0; i < 3; i++) {
		if (!proto || strcmp(proto, protos[i]) != 0)
			continue;
		json_decref(v->last[i]);
		v->last[i] = json_incref(line);
	}
}

/** A line of trace has come; true: it tells of a held message, of which the
 * faults have taken care */
bool sim_faults_on_trace(struct sim_faults *f, json_t *line)
{
	const char *name = json_string_value(json_object_get(line, "name"));
	const char *from = json_string_value(json_object_get(line, "actor"));
	const char *dir = json_string_value(json_object_get(line, "dir"));
	int actor = from ? sim_actor_find(from) : -1;

	if (actor < 0)
		return false;

	f->victims[actor].heard_us =
		json_integer_value(json_object_get(line, "t"));
	f->victims[actor].heard_real_us = json_integer_value(
		json_object_get(line, json_object_get(line, "w") ? "w" : "t"));
	if (name && !strcmp(name, "message.held"))
		return on_held(f, (enum sim_actor)actor, line);
	if (name && !strcmp(name, "ue.leased"))
		json_object_set(
			f->uris,
			json_string_value(json_object_get(line, "number")),
			json_object_get(line, "uri"));
	else if (dir && !strcmp(dir, "recv") && f->victims[actor].is_holding)
		keep_last(&f->victims[actor], line);

	return false;
}

/* What it holds to be true now, beside what it said before: I6 */
static void on_state(json_t *result, const char *error, void *arg)
{
	struct asked *asked = arg;
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
			ask(f, actor, states[i].cmd, NULL, on_state);
			return;
		}
	}
	f->victims[actor].condition = SIM_IS_UP;
	note(f, "fault.restarted", actor, NULL);
}

static void halted(struct sim_faults *f, enum sim_actor actor)
{
	struct rule *rule = f->victims[actor].halt;

	if (!rule)
		return;

	f->victims[actor].halt = NULL;
	strike_now(f, actor, rule->kind, rule->at);
	rule_free(rule);
}

/** The supervisor says how an element has changed */
void sim_faults_on_change(struct sim_faults *f, enum sim_actor actor,
			  enum sim_change change)
{
	struct victim *v = &f->victims[actor];

	switch (change) {
	case SIM_WENT_DOWN:
		v->condition = SIM_IS_DOWN;
		v->life++;
		forget(v);
		note(f, "fault.down", actor, NULL);
		break;
	case SIM_CAME_UP:
		came_up(f, actor);
		break;
	case SIM_HALTED:
		halted(f, actor);
		break;
	}
}
