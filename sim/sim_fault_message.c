/* Faults at messages: what an element holds is lost, delayed or let go, or it
 * is struck while it holds it */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "sim/sim_fault_core.h"
#include "sim/sim_fault_match.h"

static const char *const protos[] = { "sip", "http", "diameter" };

static void let_go(struct sim_faults *f, enum sim_actor actor,
		   json_int_t number, const char *what)
{
	if (f->is_conducted) {
		f->ops->let_go(actor, (unsigned)number, what, f->arg);
		return;
	}
	sim_fault_ask(f, actor, "release-held",
		      json_pack("{s:I}", "number", number), sim_fault_on_done);
}

/* Once nothing is waited for; what is delayed would be let go by this too */
static void unhold(struct sim_faults *f, enum sim_actor actor)
{
	struct fault_victim *v = &f->victims[actor];

	if (!v->is_holding || v->rules || v->condition != SIM_IS_UP)
		return;
	for (const struct fault_delayed *d = f->delayed; d; d = d->next)
		if (d->actor == actor)
			return;

	v->is_holding = false;
	if (!f->is_conducted)
		sim_fault_ask(f, actor, "unhold", NULL, sim_fault_on_done);
}

/** Let an element go on that was paused; EINVAL if it is not */
int sim_faults_resume(struct sim_faults *f, enum sim_actor actor,
		      char **reasonp)
{
	struct fault_victim *v = &f->victims[actor];

	if (v->condition != SIM_IS_PAUSED) {
		*reasonp = xasprintf("%s is not paused", sim_actor_name(actor));
		return EINVAL;
	}
	v->condition = SIM_IS_UP;
	f->ops->pause(actor, false, f->arg);
	sim_fault_note(f, "fault.resume", actor, NULL);
	if (v->paused_at)
		let_go(f, actor, v->paused_at, v->paused_what);
	v->paused_at = 0;
	unhold(f, actor);

	return 0;
}

static void on_delay(void *arg)
{
	struct fault_delayed *d = arg;
	struct sim_faults *f = d->faults;
	enum sim_actor actor = d->actor;

	if (d->life == f->victims[actor].life)
		let_go(f, actor, d->number, d->what);
	sim_fault_delayed_free(d);
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
	struct fault_delayed *d = xcalloc(1, sizeof(*d));

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
			   const struct fault_rule *rule,
			   const struct message *m)
{
	if (rule->kind <= SIM_FAULT_PAUSE) {
		f->victims[actor].paused_at = m->number;
		xstrset(&f->victims[actor].paused_what, m->what);
		sim_fault_strike_now(f, actor, rule->kind, rule->at);
		return;
	}
	sim_fault_note(
		f, rule->kind == SIM_FAULT_DROP ? "fault.drop" : "fault.delay",
		actor, rule->at);
	if (rule->kind == SIM_FAULT_DROP)
		sim_fault_ask(f, actor, "drop-held",
			      json_pack("{s:I}", "number", m->number),
			      sim_fault_on_done);
	else
		delay(f, actor, m, rule->delay_ms);
}

static const char *user_uri(const struct sim_faults *f,
			    const struct fault_rule *rule)
{
	const char *user = json_string_value(json_object_get(rule->at, "user"));

	return user ? json_string_value(json_object_get(f->uris, user)) : NULL;
}

/* The text of the message that was held: the last of its proto received */
static const char *text_of(const struct fault_victim *v, const char *what)
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
	struct fault_victim *v = &f->victims[actor];
	struct fault_rule **p = &v->rules;

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
		*p = sim_fault_rule_free(*p);
	unhold(f, actor);

	return true;
}

static void keep_last(struct fault_victim *v, json_t *line)
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
