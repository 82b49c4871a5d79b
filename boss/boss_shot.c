#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boss/boss_core.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"

/** One thing after the other, each begun when the one before has ended */
enum stage { STAGE_RANGE, STAGE_LIST, STAGE_FILE, STAGE_MESSAGE, STAGE_END };

/** What was asked for on the command line; owned by the BOSS */
struct boss_shooting {
	struct boss_shot shot;
	char *first, *last;
	struct boss_list list;
	enum stage stage;
	struct timer *turn;
};

static void next(struct boss *boss)
{
	boss->shooting->stage++;
	timer_start_ms(boss->shooting->turn, 0);
}

static void fail(struct boss *boss, const char *error)
{
	fprintf(stderr, "boss: %s\n", error);
	boss->has_failed = true;
	element_stop(boss->el);
}

static void on_report(const struct boss_list *report, const char *error,
		      void *arg)
{
	struct boss *boss = arg;
	size_t opened;

	if (error) {
		fail(boss, error);
		return;
	}

	opened = boss_list_count(report, "opened");
	printf("%zu accounts opened, %zu not\n", opened, report->n - opened);
	for (size_t i = 0; i < report->n; i++) {
		const struct boss_account *a = &report->v[i];

		if (!strcmp(a->status, "opened"))
			continue;
		fprintf(stderr, "boss: %s %s: %s\n",
			a->number ? a->number : "-", a->uri, a->status);
		boss->has_failed = true;
	}
	next(boss);
}

static void on_sent(size_t count, const char *error, void *arg)
{
	struct boss *boss = arg;

	if (error) {
		fail(boss, error);
		return;
	}
	if (boss->shooting->stage == STAGE_FILE)
		printf("%zu accounts in %s\n", count, boss->pool_file);
	else
		printf("%zu accounts at %s\n", count, boss->platform_url);
	next(boss);
}

static void on_turn(void *arg)
{
	struct boss *boss = arg;
	const struct boss_shooting *s = boss->shooting;
	const struct boss_range range = { s->first, s->last, s->shot.rule };

	if (s->stage == STAGE_RANGE && s->first)
		boss_open_range(boss, &range, on_report, boss);
	else if (s->stage == STAGE_LIST && s->list.n)
		boss_open_list(boss, &s->list, on_report, boss);
	else if (s->stage == STAGE_FILE && s->shot.sync_file)
		boss_sync(boss, true, on_sent, boss);
	else if (s->stage == STAGE_MESSAGE && s->shot.sync_message)
		boss_sync(boss, false, on_sent, boss);
	else if (s->stage == STAGE_END)
		element_stop(boss->el);
	else
		next(boss);
}

static int check(const struct boss *boss, const struct boss_shot *shot,
		 char **reasonp)
{
	const char *reason = NULL;

	if (!shot->open_range && !shot->open_list && !shot->sync_file &&
	    !shot->sync_message)
		reason = "nothing to do: give --open-range, --open-list, "
			 "--sync-file or --sync-message";
	else if (shot->open_range && !strchr(shot->open_range, '-'))
		reason = "--open-range: FIRST-LAST was expected";
	else if (!shot->open_range != !shot->rule)
		reason = "--open-range and --rule go together";
	else if (shot->sync_file && !boss->pool_file)
		reason = "--sync-file needs --pool-file";
	else if (shot->sync_message && !boss->platform_url)
		reason = "--sync-message needs --platform";
	if (!reason)
		return 0;

	*reasonp = xstrdup(reason);

	return EINVAL;
}

/**
 * Started by hand: do what the command line says, then stop the element. All
 * of the input is checked before anything is sent.
 *
 * @param shot    What to do; its strings must outlive the BOSS
 * @param reasonp On failure what is wrong; the caller's to free
 */
int boss_shoot(struct boss *boss, const struct boss_shot *shot, char **reasonp)
{
	struct boss_list list = { 0 };
	struct boss_shooting *s;
	const char *dash;
	int err = check(boss, shot, reasonp);

	if (!err && shot->open_list)
		err = boss_batch_read(&list, shot->open_list, boss->realm,
				      reasonp);
	if (err)
		return err;

	s = xcalloc(1, sizeof(*s));
	s->shot = *shot;
	s->list = list;
	if (shot->open_range) {
		dash = strchr(shot->open_range, '-');
		s->first = xstrndup(shot->open_range,
				    (size_t)(dash - shot->open_range));
		s->last = xstrdup(dash + 1);
	}
	s->turn = timer_new(boss->el->loop, on_turn, boss);
	boss->shooting = s;
	timer_start_ms(s->turn, 0);

	return 0;
}

/** Forget it, done or not */
void boss_shot_free(struct boss *boss)
{
	struct boss_shooting *s = boss->shooting;

	if (!s)
		return;

	timer_free(s->turn);
	boss_list_clear(&s->list);
	free(s->first);
	free(s->last);
	free(s);
	boss->shooting = NULL;
}
