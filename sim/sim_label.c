#include "sim/sim_label.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sim/sim_label_msg.h"

/** What was found of one entry; strings are owned */
struct label {
	const struct sim_step *step;
	enum sim_wire wire;
	char *ids, *impu, *summary;
};

/** What has been seen so far, while labelling; jansson's objects are the maps,
 * and sets */
struct seen {
	json_t *steps;     /**< "REF IMPU" → index of the last one, from 1;
				negative: replaced by what is no step */
	json_t *calls;     /**< set of "FROM TO CALL-ID" */
	json_t *exchanges; /**< "FROM TO …" → [[row or -1, impu], …] */
};

/** Owned by the runner */
struct sim_label {
	const struct sim_trace *tr;
	struct label *labels;
	size_t n, max;
	struct seen seen;
};

/** An entry that is looked up, and its request if it is an answer */
struct candidate {
	const struct sim_entry *entry;
	const struct sim_facts *facts;
	const struct sim_step *request;
};

/* --- what was seen --- */

/* Which of several of a kind plays a role: "appserver2" that of the appserver,
 * and is its "2"; "" for the only, or first, one; NULL: another role's */
static const char *nth_of(const char *role, const char *actor)
{
	size_t len = strlen(role);

	if (!actor || strncmp(actor, role, len) != 0 ||
	    actor[len + strspn(actor + len, "0123456789")])
		return NULL;

	return actor + len;
}

/* The same step goes between others where one of its ends is another one of
 * its kind: the third-party REGISTER to each AS */
static char *step_key(const struct sim_step *step, const struct sim_entry *e,
		      const char *impu)
{
	const char *from = nth_of(step->from, e->from);
	const char *to = step->to ? nth_of(step->to, e->to) : NULL;

	return xasprintf("%s/%s%s %s %s", step->id,
			 step->part ? step->part : "", from ? from : "",
			 to ? to : "", impu ? impu : "");
}

static json_int_t last_seen(const struct seen *seen,
			    const struct sim_step *step,
			    const struct candidate *c)
{
	char *key = step_key(step, c->entry, c->facts->impu);
	json_int_t last = json_integer_value(json_object_get(seen->steps, key));

	free(key);

	return last;
}

static void note_replaced(struct seen *seen, const struct sim_step *step,
			  const struct candidate *c)
{
	json_int_t last = last_seen(seen, step, c);
	char *key = step_key(step, c->entry, c->facts->impu);

	if (last > 0)
		json_object_set_new_nocheck(seen->steps, key,
					    json_integer(-last));
	free(key);
}

static void note_step(struct seen *seen, const struct sim_step *step,
		      const struct candidate *c, size_t i)
{
	char *key = step_key(step, c->entry, c->facts->impu);

	json_object_set_new_nocheck(seen->steps, key,
				    json_integer((json_int_t)i + 1));
	free(key);
}

static char *call_key(const struct sim_entry *e, const struct sim_facts *facts)
{
	return xasprintf("%s %s %s", e->from, e->to,
			 facts->call_id ? facts->call_id : "");
}

static bool is_first_of_call(const struct seen *seen, const struct sim_entry *e,
			     const struct sim_facts *facts)
{
	char *key = call_key(e, facts);
	bool is_first = !json_object_get(seen->calls, key);

	free(key);

	return is_first;
}

static void note_call(struct seen *seen, const struct sim_entry *e,
		      const struct sim_facts *facts)
{
	char *key = call_key(e, facts);

	json_object_set_new_nocheck(seen->calls, key, json_true());
	free(key);
}

/* Client first, for the request as for its answers */
static char *exchange_key(const struct sim_entry *e,
			  const struct sim_facts *facts)
{
	return xasprintf("%s %s %s", facts->is_request ? e->from : e->to,
			 facts->is_request ? e->to : e->from, facts->exchange);
}

static void note_request(struct seen *seen, const struct sim_entry *e,
			 const struct sim_facts *facts, int row)
{
	char *key = exchange_key(e, facts);
	json_t *queue = json_object_get(seen->exchanges, key);

	if (!queue || !facts->is_in_order) {
		queue = json_array();
		json_object_set_new_nocheck(seen->exchanges, key, queue);
	}
	json_array_append_new(
		queue, json_pack("[i, o]", row,
				 facts->impu ? json_string_nocheck(facts->impu)
					     : json_null()));
	free(key);
}

/* The request that an answer belongs to: its row (-1: of no step), and its
 * public identity where the answer has none */
static int take_request(struct seen *seen, const struct sim_entry *e,
			struct sim_facts *facts)
{
	char *key = exchange_key(e, facts);
	json_t *queue = json_object_get(seen->exchanges, key);
	json_t *request = json_array_get(queue, 0);
	const char *impu = json_string_value(json_array_get(request, 1));
	int row = request ? (int)json_integer_value(json_array_get(request, 0))
			  : -1;

	if (impu && !facts->impu)
		facts->impu = xstrdup(impu);
	/* 1xx is not the answer yet; SIP's may come again */
	if (request && facts->is_in_order && facts->status >= 200)
		json_array_remove(queue, 0);
	free(key);

	return row;
}

/* --- matching --- */

static bool is_same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static bool is_called(const struct sim_step *step,
		      const struct sim_facts *facts)
{
	size_t len = strlen(step->what);
	char status[16];

	if (facts->status) {
		(void)snprintf(status, sizeof(status), "%d", facts->status);
		return !strncmp(status, step->what, len);
	}
	if (!facts->what)
		return false;
	if (step->what[len - 1] == '/')
		return !strncmp(facts->what, step->what, len);

	return !strcmp(facts->what, step->what);
}

static bool is_between(const struct sim_step *step, const struct sim_entry *e)
{
	if (!nth_of(step->from, e->from))
		return false;

	return step->to ? nth_of(step->to, e->to) != NULL : !e->to;
}

static const struct sim_step *find(const char *ref)
{
	return sim_steps_find(ref, strlen(ref));
}

static bool is_one_of(const char *refs, const struct sim_step *step)
{
	const char *ref;
	size_t len;
	bool is_or;

	while ((ref = sim_steps_next_ref(&refs, &len, &is_or))) {
		if (sim_steps_find(ref, len) == step)
			return true;
	}

	return false;
}

static bool is_match(const struct seen *seen, const struct sim_step *step,
		     const struct candidate *c)
{
	const struct sim_facts *facts = c->facts;
	unsigned flags = step->flags & ~(unsigned)SIM_FIRST;

	if (!step->what || step->wire != facts->wire ||
	    !is_between(step, c->entry) || !is_called(step, facts) ||
	    (flags & facts->flags) != flags)
		return false;
	if (step->answers && !is_one_of(step->answers, c->request))
		return false;
	if (step->flags & SIM_FIRST && !is_first_of_call(seen, c->entry, facts))
		return false;

	return !step->follows || last_seen(seen, find(step->follows), c) >
					 llabs(last_seen(seen, step, c));
}

/* Of several rows that fit, the one that follows the latest step */
static const struct sim_step *find_row(const struct seen *seen,
				       const struct candidate *c)
{
	const struct sim_step *best = NULL;
	json_int_t best_last = -1;

	for (size_t i = 0; i < sim_steps_count(); i++) {
		const struct sim_step *step = sim_steps_at(i);
		json_int_t last = 0;

		if (!is_match(seen, step, c))
			continue;
		if (step->follows)
			last = last_seen(seen, find(step->follows), c);
		if (last > best_last) {
			best = step;
			best_last = last;
		}
	}

	return best;
}

/* "S408 S501": before it, the steps of the sequence that this message is too */
static char *make_ids(const struct sim_step *step)
{
	char *ids = xstrdup(step->id);
	size_t len;
	bool is_or;

	for (size_t i = 0; i < sim_steps_count(); i++) {
		const struct sim_step *whole = sim_steps_at(i);
		const char *list = whole->is, *ref;

		if (whole->wire == SIM_FIGURE || is_same(whole->id, step->id))
			continue;
		while ((ref = sim_steps_next_ref(&list, &len, &is_or))) {
			char *more;

			if (sim_steps_find(ref, len) != step)
				continue;
			more = xasprintf("%s %s", whole->id, ids);
			free(ids);
			ids = more;
		}
	}

	return ids;
}

/* A SIP request that is no step, in the place of one that was: what follows is
 * about this one now. A row that is the first of its Call-ID stands for those
 * after it too. */
static void replace_steps(struct seen *seen, const struct candidate *c)
{
	for (size_t i = 0; i < sim_steps_count(); i++) {
		const struct sim_step *step = sim_steps_at(i);

		if (step->wire == SIM_SIP && step->what &&
		    !(step->flags & SIM_FIRST) && is_between(step, c->entry) &&
		    is_called(step, c->facts))
			note_replaced(seen, step, c);
	}
}

static int row_number(const struct sim_step *step)
{
	return step ? (int)(step - sim_steps_at(0)) : -1;
}

static const struct sim_step *label_new_entry(struct seen *seen,
					      const struct sim_entry *e,
					      struct sim_facts *facts, size_t i)
{
	struct candidate c = { e, facts, NULL };
	const struct sim_step *step;

	if (!facts->is_request && facts->exchange) {
		int row = take_request(seen, e, facts);

		c.request = row < 0 ? NULL : sim_steps_at((size_t)row);
	}
	step = find_row(seen, &c);
	if (step)
		note_step(seen, step, &c, i);
	else if (facts->is_request && facts->wire == SIM_SIP)
		replace_steps(seen, &c);
	if (facts->is_request && facts->exchange)
		note_request(seen, e, facts, row_number(step));
	if (facts->call_id && facts->is_request)
		note_call(seen, e, facts);

	return step;
}

static void label_entry(struct sim_label *lb, size_t i)
{
	const struct sim_entry *e = sim_trace_entry(lb->tr, i);
	struct label *label = &lb->labels[i];
	struct sim_facts facts;

	sim_facts_read(&facts, e);
	/* the same bytes again are the same step; nothing new has happened */
	if (e->is_retransmission)
		label->step = lb->labels[e->original].step;
	else
		label->step = label_new_entry(&lb->seen, e, &facts, i);
	label->ids = label->step ? make_ids(label->step) : xstrdup("");
	label->wire = facts.wire;
	label->impu = facts.impu;
	label->summary = facts.summary;
	facts.impu = facts.summary = NULL;
	sim_facts_clear(&facts);
}

/** Labels of a trace that still grows: of none of its entries yet */
struct sim_label *sim_label_open(const struct sim_trace *tr)
{
	struct sim_label *lb = xcalloc(1, sizeof(*lb));

	lb->tr = tr;
	lb->seen = (struct seen){ json_object(), json_object(), json_object() };

	return lb;
}

/** Label on, so that entries 0 to n - 1 are; those that were must not have
 * changed */
void sim_label_more(struct sim_label *lb, size_t n)
{
	if (n > lb->max) {
		lb->max = n > 2 * lb->max ? n : 2 * lb->max;
		lb->labels =
			xrealloc(lb->labels, lb->max * sizeof(*lb->labels));
	}
	while (lb->n < n)
		label_entry(lb, lb->n++);
}

struct sim_label *sim_label_new(const struct sim_trace *tr)
{
	struct sim_label *lb = sim_label_open(tr);

	sim_label_more(lb, sim_trace_count(tr));

	return lb;
}

struct sim_label *sim_label_free(struct sim_label *lb)
{
	if (!lb)
		return NULL;

	for (size_t i = 0; i < lb->n; i++) {
		free(lb->labels[i].ids);
		free(lb->labels[i].impu);
		free(lb->labels[i].summary);
	}
	json_decref(lb->seen.steps);
	json_decref(lb->seen.calls);
	json_decref(lb->seen.exchanges);
	free(lb->labels);
	free(lb);

	return NULL;
}

/** How many entries are labelled, from the first on */
size_t sim_label_count(const struct sim_label *lb)
{
	return lb->n;
}

const struct sim_trace *sim_label_trace(const struct sim_label *lb)
{
	return lb->tr;
}

const struct sim_step *sim_label_step(const struct sim_label *lb, size_t i)
{
	return lb->labels[i].step;
}

enum sim_wire sim_label_wire(const struct sim_label *lb, size_t i)
{
	return lb->labels[i].wire;
}

const char *sim_label_ids(const struct sim_label *lb, size_t i)
{
	return lb->labels[i].ids;
}

bool sim_label_has_id(const struct sim_label *lb, size_t i, const char *id)
{
	size_t len = strlen(id);
	const char *at = sim_label_ids(lb, i);

	for (; (at = strcasestr(at, id)); at++) {
		if (at[len] == '\0' || at[len] == ' ')
			return true;
	}

	return false;
}

const char *sim_label_impu(const struct sim_label *lb, size_t i)
{
	return lb->labels[i].impu;
}

const char *sim_label_summary(const struct sim_label *lb, size_t i)
{
	return lb->labels[i].summary;
}
