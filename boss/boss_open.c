/* Accounts are opened at the HSS (S401: [0076]), and what is needed to do so
 * again is on disk before it is asked: each account with a password. If no
 * answer comes, or this process ends, nobody knows which of them are open, nor
 * with what password. The next opening of them, or the next sync, carries that
 * on: those that exist get the password that is on disk (ChangePassword), the
 * others are opened. Told twice it is the same as once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boss/boss_core.h"
#include "common/element.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/numrange.h"
#include "common/password.h"
#include "common/trace.h"

enum way { BY_RANGE, BY_LIST, BY_REST };

static const char *const way_names[] = { "range", "list", "rest" };

/** One opening; owned by the BOSS's turns */
struct boss_open {
	struct boss_turn turn;
	struct boss *boss;
	enum way way;
	char *first, *last, *rule;
	struct boss_list accounts; /* what is asked for */
	struct boss_list report;   /* what has come of it */
	struct boss_list puts;     /* what has been learned by it */
	size_t at;                 /* row of the report that is looked at */
	char *error;
	boss_report_cb *cb;
	void *arg;
};

static void open_free(struct boss_open *open)
{
	boss_list_clear(&open->accounts);
	boss_list_clear(&open->report);
	boss_list_clear(&open->puts);
	free(open->first);
	free(open->last);
	free(open->rule);
	free(open->error);
	free(open);
}

static void tell(const struct boss_open *open)
{
	open->cb(open->error ? NULL : &open->report, open->error, open->arg);
}

static void end(struct boss_open *open)
{
	if (open->error)
		log_warn("boss: %s", open->error);
	boss_turn_leave(open->boss, &open->turn);
	tell(open);
	open_free(open);
}

static void boss_ends(struct boss_turn *turn)
{
	struct boss_open *open = (struct boss_open *)turn;

	xstrset(&open->error, "the BOSS ends");
	tell(open);
	open_free(open);
}

/* --- what has come of it --- */

static void on_learned(int err, void *arg)
{
	struct boss_open *open = arg;
	size_t opened = boss_list_count(&open->report, BOSS_OPENED);

	if (err && !open->error)
		open->error = xasprintf("what the HSS did could not be "
					"stored: %s; open the accounts again",
					strerror(err));
	if (!open->error && open->report.n) {
		log_info("boss: by %s: %zu accounts opened, %zu not",
			 way_names[open->way], opened, open->report.n - opened);
		trace_event(open->boss->el->trace, "boss.accounts-opened",
			    json_pack("{s:s, s:I}", "by", way_names[open->way],
				      "count", (json_int_t)opened));
	}
	end(open);
}

static void learn(struct boss_open *open)
{
	boss_known_put(open->boss, &open->puts, on_learned, open);
}

/* Without a status it is forgotten */
static void learn_later(struct boss_open *open, const struct boss_account *row,
			const char *status)
{
	struct boss_account *a = boss_list_copy(&open->puts, row);

	xstrset(&a->status, status);
}

static void next_row(struct boss_open *open);

/* One that existed has the password that we know, or is none of ours */
static void on_changed(const struct boss_list *report, const char *error,
		       void *arg)
{
	struct boss_open *open = arg;
	struct boss_account *row = &open->report.v[open->at];
	const struct boss_account *own = boss_known_find(open->boss, row->uri);

	if (error) {
		open->error = xstrdup(error);
		learn(open);
		return;
	}
	if (report->n == 1 && own &&
	    boss_account_is(&report->v[0], "changed")) {
		xstrset(&row->status, BOSS_OPENED);
		xstrset(&row->impi, report->v[0].impi);
		boss_account_set_password(row, own->password);
		learn_later(open, row, BOSS_OPENED);
	} else {
		learn_later(open, row, NULL);
	}
	open->at++;
	next_row(open);
}

/* A row of the report; true: it takes a question to the HSS first */
static bool is_open_question(struct boss_open *open, struct boss_account *row)
{
	const struct boss_account *own = boss_known_find(open->boss, row->uri);

	/* the HSS need not repeat a password that it was given */
	if (own && !row->password)
		boss_account_set_password(row, own->password);
	if (boss_account_is(row, BOSS_OPENED) && row->impi && row->password)
		learn_later(open, row, BOSS_OPENED);
	else if (own && own->is_interrupted)
		return true;
	else if (boss_account_is(own, BOSS_OPENING))
		learn_later(open, row, NULL); /* another's, before us */

	return false;
}

static void next_row(struct boss_open *open)
{
	for (; open->at < open->report.n; open->at++) {
		struct boss_account *row = &open->report.v[open->at];

		if (!is_open_question(open, row))
			continue;
		boss_soap_change(
			open->boss, row->uri,
			boss_known_find(open->boss, row->uri)->password,
			on_changed, open);
		return;
	}
	learn(open);
}

/* The HSS did nothing: what was remembered for this alone is forgotten */
static void forget_new(struct boss_open *open)
{
	for (size_t i = 0; i < open->accounts.n; i++) {
		const struct boss_account *own =
			boss_known_find(open->boss, open->accounts.v[i].uri);

		if (boss_account_is(own, BOSS_OPENING) && !own->is_interrupted)
			learn_later(open, own, NULL);
	}
}

static void on_report(const struct boss_list *report, const char *error,
		      void *arg)
{
	struct boss_open *open = arg;

	if (error) {
		open->error = xstrdup(error);
		if (report)
			forget_new(open);
		learn(open);
		return;
	}
	for (size_t i = 0; i < report->n; i++)
		(void)boss_list_copy(&open->report, &report->v[i]);
	next_row(open);
}

/* --- what is asked for --- */

static void ask(struct boss_open *open)
{
	const struct boss_range range = { open->first, open->last, open->rule };

	if (open->way == BY_RANGE)
		boss_soap_open_range(open->boss, &range, on_report, open);
	else
		boss_soap_open_list(open->boss, &open->accounts, on_report,
				    open);
}

static void on_remembered(int err, void *arg)
{
	struct boss_open *open = arg;

	if (err) {
		open->error = xasprintf("the accounts could not be stored: %s; "
					"the HSS was not asked",
					strerror(err));
		end(open);
		return;
	}
	ask(open);
}

/* What is neither open nor closed for certain gets a password, and is put down
 * as asked for. What was opened, or is given, the HSS says */
static int remember(struct boss_open *open, struct boss_account *a)
{
	struct boss_account *own = boss_known_find(open->boss, a->uri);

	if (own && (boss_account_is(own, BOSS_OPENED) ||
		    boss_account_is(own, BOSS_GIVEN)))
		return 0;

	if (own && boss_account_is(own, BOSS_OPENING)) {
		own->is_interrupted = true;
		if (!a->password)
			a->password = xstrdup(own->password);
	}
	if (!a->password)
		a->password = password_random();
	if (!a->password)
		return EIO;
	learn_later(open, a, BOSS_OPENING);

	return 0;
}

static void add_rest(struct boss_open *open)
{
	const struct boss_list *pool = &open->boss->pool;

	for (size_t i = 0; i < pool->n; i++)
		if (boss_account_is(&pool->v[i], BOSS_OPENING))
			(void)boss_list_copy(&open->accounts, &pool->v[i]);
}

static void start(struct boss_turn *turn)
{
	struct boss_open *open = (struct boss_open *)turn;
	int err = 0;

	if (open->way == BY_REST)
		add_rest(open);
	if (open->error || !open->accounts.n) {
		end(open);
		return;
	}
	for (size_t i = 0; i < open->accounts.n && !err; i++)
		err = remember(open, &open->accounts.v[i]);
	if (err)
		on_remembered(err, open);
	else
		boss_known_put(open->boss, &open->puts, on_remembered, open);
}

static struct boss_open *open_new(struct boss *boss, enum way way,
				  boss_report_cb *cb, void *arg)
{
	struct boss_open *open = xcalloc(1, sizeof(*open));

	open->turn.start = start;
	open->turn.end = boss_ends;
	open->boss = boss;
	open->way = way;
	open->cb = cb;
	open->arg = arg;

	return open;
}

static int add_range(struct boss_open *open, char **reasonp)
{
	char number[NUMBER_TEXT_LEN];
	struct numrange range;
	int err = numrange_parse(&range, open->first, open->last, reasonp);

	if (!err)
		err = numrule_check(open->rule, reasonp);
	for (uint32_t i = 0; !err && i < range.count; i++) {
		struct boss_account *a = boss_list_add(&open->accounts);

		numrange_at(number, &range, i);
		a->number = xstrdup(number);
		a->uri = numrule_apply(open->rule, number);
	}

	return err;
}

/** Open the accounts of a range by a rule; both are copied. S401: [0076], first
 * way. What cannot be counted out, and so not remembered, is not asked for */
void boss_open_range(struct boss *boss, const struct boss_range *range,
		     boss_report_cb *cb, void *arg)
{
	struct boss_open *open = open_new(boss, BY_RANGE, cb, arg);
	char *reason = NULL;

	open->first = xstrdup(range->first);
	open->last = xstrdup(range->last);
	open->rule = xstrdup(range->rule);
	if (add_range(open, &reason))
		open->error = xasprintf("open_accounts: %s", reason);
	free(reason);
	boss_turn_enter(boss, &open->turn);
}

/** Open the accounts of a list, which is copied. S401: [0076], second way */
void boss_open_list(struct boss *boss, const struct boss_list *list,
		    boss_report_cb *cb, void *arg)
{
	struct boss_open *open = open_new(boss, BY_LIST, cb, arg);

	for (size_t i = 0; i < list->n; i++)
		(void)boss_list_copy(&open->accounts, &list->v[i]);
	boss_turn_enter(boss, &open->turn);
}

/** Carry on what was interrupted, if anything was */
void boss_open_rest(struct boss *boss, boss_report_cb *cb, void *arg)
{
	boss_turn_enter(boss, &open_new(boss, BY_REST, cb, arg)->turn);
}
