#include "sim/sim_verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sim/sim_verdict_expect.h"

#define NEVER SIZE_MAX

/** One row of the table, as seen in one scope */
struct mark {
	size_t count, lost;
	size_t first; /**< entry, or NEVER */
};

/** The whole run, or what is about one public identity */
struct scope {
	const char *impu; /**< NULL: the whole run */
	struct mark *marks;
};

/** Owned by who asked */
struct sim_verdict {
	const struct sim_label *lb;
	json_t *impus; /**< public identity → index in scopes */
	struct scope *scopes;
	size_t scope_n;
	struct sim_seen *seen;
	size_t seen_n;
	bool *is_broken; /**< of each row: its order was found broken */
	char **violations;
	size_t *violation_entries; /**< where each is */
	size_t violation_n;
};

/* --- what was seen --- */

static struct scope *add_scope(struct sim_verdict *v, const char *impu)
{
	struct scope *scope;

	v->scopes = xrealloc(v->scopes, (v->scope_n + 1) * sizeof(*v->scopes));
	scope = &v->scopes[v->scope_n++];
	scope->impu = impu;
	scope->marks = xcalloc(sim_steps_count(), sizeof(*scope->marks));
	for (size_t i = 0; i < sim_steps_count(); i++)
		scope->marks[i].first = NEVER;

	return scope;
}

static struct scope *find_scope(struct sim_verdict *v, const char *impu)
{
	const json_t *index = json_object_get(v->impus, impu);

	if (index)
		return &v->scopes[json_integer_value(index)];
	json_object_set_new_nocheck(v->impus, impu,
				    json_integer((json_int_t)v->scope_n));

	return add_scope(v, impu);
}

static void mark(struct scope *scope, size_t row, size_t i, bool is_lost)
{
	struct mark *m = &scope->marks[row];

	if (is_lost) {
		m->lost++;
		return;
	}
	if (!m->count++)
		m->first = i;
}

/* A message that was sent several times counts once, when it has arrived */
static void mark_all(struct sim_verdict *v)
{
	const struct sim_trace *tr = sim_label_trace(v->lb);
	bool *has_arrived = xcalloc(sim_trace_count(tr) + 1, sizeof(bool));

	for (size_t i = 0; i < sim_trace_count(tr); i++) {
		const struct sim_entry *e = sim_trace_entry(tr, i);
		const struct sim_step *step = sim_label_step(v->lb, i);
		const char *impu = sim_label_impu(v->lb, i);
		size_t first = e->is_retransmission ? e->original : i;
		size_t row;

		if (!step || has_arrived[first])
			continue;
		has_arrived[first] = !e->is_lost;
		row = (size_t)(step - sim_steps_at(0));
		mark(&v->scopes[0], row, i, e->is_lost);
		if (impu)
			mark(find_scope(v, impu), row, i, e->is_lost);
	}
	free(has_arrived);
}

static struct mark eval_list(const struct scope *scope, const char *list,
			     int depth);

static struct mark eval(const struct scope *scope, const struct sim_step *step,
			int depth)
{
	/* the table nests twice: S103 is S408, which is S501 */
	if (step->is && depth < 4)
		return eval_list(scope, step->is, depth + 1);

	return scope->marks[step - sim_steps_at(0)];
}

/* One or the other: as often as both, as early as the first */
static void add_alternative(struct mark *group, const struct mark *m)
{
	group->count += m->count;
	group->lost += m->lost;
	if (m->first < group->first)
		group->first = m->first;
}

/* All of them: as often as the rarest, done when the last is there */
static void add_group(struct mark *all, const struct mark *group)
{
	if (group->count < all->count)
		all->count = group->count;
	all->lost += group->lost;
	if (group->count && (all->first == NEVER || group->first > all->first))
		all->first = group->first;
}

static struct mark eval_list(const struct scope *scope, const char *list,
			     int depth)
{
	struct mark all = { SIZE_MAX, 0, NEVER };
	struct mark group = { 0, 0, NEVER };
	bool has_group = false, is_or;
	const char *ref;
	size_t len;

	while ((ref = sim_steps_next_ref(&list, &len, &is_or))) {
		struct mark m = eval(scope, sim_steps_find(ref, len), depth);

		if (has_group && !is_or) {
			add_group(&all, &group);
			group = (struct mark){ 0, 0, NEVER };
		}
		has_group = true;
		add_alternative(&group, &m);
	}
	add_group(&all, &group);

	return all;
}

/* --- order --- */

static double ms_of(const struct sim_verdict *v, size_t entry)
{
	const struct sim_trace *tr = sim_label_trace(v->lb);

	return (double)(sim_trace_entry(tr, entry)->t_us -
			sim_trace_entry(tr, 0)->t_us) /
	       1000.0;
}

static void add_violation(struct sim_verdict *v, const struct scope *scope,
			  const struct sim_step *step, size_t first,
			  const char *before, size_t before_first)
{
	v->violations =
		xrealloc(v->violations, (v->violation_n + 1) * sizeof(char *));
	v->violation_entries = xrealloc(v->violation_entries,
					(v->violation_n + 1) * sizeof(size_t));
	v->violation_entries[v->violation_n] = first;
	v->violations[v->violation_n++] = xasprintf(
		"%s%s%s (%.3f ms) came before %s (%.3f ms), which it has to "
		"follow: %s%s%s",
		step->id, step->part ? "/" : "", step->part ? step->part : "",
		ms_of(v, first), before, ms_of(v, before_first),
		step->paragraph, scope->impu ? "; for " : "",
		scope->impu ? scope->impu : "");
}

/* One step that must come before, or alternatives: the earliest counts */
static void check_group(struct sim_verdict *v, const struct scope *scope,
			const struct sim_step *step, const char *group,
			const struct mark *before)
{
	size_t row = (size_t)(step - sim_steps_at(0));
	size_t first = scope->marks[row].first;
	char *name;

	if (v->is_broken[row] || before->first == NEVER ||
	    before->first <= first)
		return;

	name = xstrndup(group, strcspn(group, " "));
	add_violation(v, scope, step, first, name, before->first);
	free(name);
	v->is_broken[row] = true;
}

static void check_step(struct sim_verdict *v, const struct scope *scope,
		       const struct sim_step *step)
{
	const char *list = step->after, *ref, *group = NULL;
	struct mark before = { 0, 0, NEVER };
	size_t len;
	bool is_or;

	while ((ref = sim_steps_next_ref(&list, &len, &is_or))) {
		struct mark m = eval(scope, sim_steps_find(ref, len), 0);

		if (group && !is_or) {
			check_group(v, scope, step, group, &before);
			before = (struct mark){ 0, 0, NEVER };
		}
		if (!is_or)
			group = ref;
		add_alternative(&before, &m);
	}
	if (group)
		check_group(v, scope, step, group, &before);
}

/* First over the whole run, then for each public identity: what is right for
 * every one of them is right for the run, so no false alarm there */
static void check_order(struct sim_verdict *v)
{
	v->is_broken = xcalloc(sim_steps_count(), sizeof(bool));
	for (size_t s = 0; s < v->scope_n; s++) {
		const struct scope *scope = &v->scopes[s];

		for (size_t i = 0; i < sim_steps_count(); i++) {
			if (scope->marks[i].count)
				check_step(v, scope, sim_steps_at(i));
		}
	}
}

/* --- the verdict --- */

static void add_seen(struct sim_verdict *v, const char *ref)
{
	struct mark m =
		eval(&v->scopes[0], sim_steps_find(ref, strlen(ref)), 0);
	struct sim_seen *seen;

	v->seen = xrealloc(v->seen, (v->seen_n + 1) * sizeof(*v->seen));
	seen = &v->seen[v->seen_n++];
	*seen = (struct sim_seen){ .ref = xstrdup(ref),
				   .count = m.count,
				   .lost = m.lost };
	if (m.count) {
		const struct sim_trace *tr = sim_label_trace(v->lb);

		seen->first_entry = m.first;
		seen->first_us = sim_trace_entry(tr, m.first)->t_us -
				 sim_trace_entry(tr, 0)->t_us;
	}
}

/**
 * Judge a labelled trace, which must outlive the verdict
 *
 * @param expect  Steps that must have been seen; see the top of the header
 * @param reasonp On failure what is wrong in expect; the caller's to free
 *
 * @return 0 or EINVAL
 */
int sim_verdict_new(struct sim_verdict **vp, const struct sim_label *lb,
		    const char *expect, char **reasonp)
{
	struct sim_verdict *v;
	char **refs;
	size_t ref_n;
	int err = sim_expect_parse(&refs, &ref_n, expect, reasonp);

	if (err)
		return err;

	v = xcalloc(1, sizeof(*v));
	v->lb = lb;
	v->impus = json_object();
	add_scope(v, NULL);
	mark_all(v);
	check_order(v);
	for (size_t i = 0; i < ref_n; i++)
		add_seen(v, refs[i]);
	sim_expect_free(refs, ref_n);
	*vp = v;

	return 0;
}

struct sim_verdict *sim_verdict_free(struct sim_verdict *v)
{
	if (!v)
		return NULL;

	for (size_t i = 0; i < v->scope_n; i++)
		free(v->scopes[i].marks);
	for (size_t i = 0; i < v->seen_n; i++)
		free((char *)v->seen[i].ref);
	for (size_t i = 0; i < v->violation_n; i++)
		free(v->violations[i]);
	json_decref(v->impus);
	free(v->scopes);
	free(v->seen);
	free(v->is_broken);
	free((void *)v->violations);
	free(v->violation_entries);
	free(v);

	return NULL;
}

bool sim_verdict_is_pass(const struct sim_verdict *v)
{
	return !sim_verdict_missing(v) && !v->violation_n;
}

size_t sim_verdict_count(const struct sim_verdict *v)
{
	return v->seen_n;
}

const struct sim_seen *sim_verdict_step(const struct sim_verdict *v, size_t i)
{
	return &v->seen[i];
}

size_t sim_verdict_missing(const struct sim_verdict *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->seen_n; i++)
		n += !v->seen[i].count;

	return n;
}

size_t sim_verdict_violations(const struct sim_verdict *v)
{
	return v->violation_n;
}

const char *sim_verdict_violation(const struct sim_verdict *v, size_t i)
{
	return v->violations[i];
}

size_t sim_verdict_violation_entry(const struct sim_verdict *v, size_t i)
{
	return v->violation_entries[i];
}
