/* One account is closed, or gets another password, as an operator wishes. The
 * wish is on disk before the HSS is asked: what is to be closed is not given to
 * the platform any more, and what is to have another password is as one whose
 * opening was interrupted, until the HSS has said that it has it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boss/boss_core.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/password.h"

/** One edit; owned by the BOSS's turns */
struct boss_edit {
	struct boss_turn turn;
	struct boss *boss;
	bool is_close;
	char *uri, *password;
	struct boss_list report;
	char *error;
	boss_report_cb *cb;
	void *arg;
};

static void edit_free(struct boss_edit *edit)
{
	if (edit->password)
		explicit_bzero(edit->password, strlen(edit->password));
	boss_list_clear(&edit->report);
	free(edit->password);
	free(edit->uri);
	free(edit->error);
	free(edit);
}

static void tell(const struct boss_edit *edit)
{
	edit->cb(edit->error ? NULL : &edit->report, edit->error, edit->arg);
}

static void end(struct boss_edit *edit)
{
	boss_turn_leave(edit->boss, &edit->turn);
	tell(edit);
	edit_free(edit);
}

static void boss_ends(struct boss_turn *turn)
{
	struct boss_edit *edit = (struct boss_edit *)turn;

	xstrset(&edit->error, "the BOSS ends");
	tell(edit);
	edit_free(edit);
}

static void on_stored(int err, void *arg)
{
	struct boss_edit *edit = arg;

	if (err)
		edit->error = xasprintf("what the HSS did could not be "
					"stored: %s; ask again",
					strerror(err));
	end(edit);
}

/* Of ours, as it is now; status NULL: forget it */
static void put(struct boss_edit *edit, const char *status, boss_stored_cb *cb)
{
	struct boss_list list = { 0 };
	struct boss_account *a =
		boss_list_copy(&list, boss_known_find(edit->boss, edit->uri));

	boss_account_set_password(a, edit->password);
	xstrset(&a->status, status);
	if (edit->report.n && edit->report.v[0].impi)
		xstrset(&a->impi, edit->report.v[0].impi);
	boss_known_put(edit->boss, &list, cb, edit);
}

static void on_report(const struct boss_list *report, const char *error,
		      void *arg)
{
	struct boss_edit *edit = arg;
	bool is_changed;

	if (error) {
		edit->error = xstrdup(error);
		end(edit);
		return;
	}
	for (size_t i = 0; i < report->n; i++)
		(void)boss_list_copy(&edit->report, &report->v[i]);
	is_changed =
		report->n == 1 && boss_account_is(&report->v[0], "changed");
	if (edit->is_close || !boss_known_find(edit->boss, edit->uri))
		end(edit);
	else
		put(edit, is_changed ? BOSS_OPENED : NULL, on_stored);
}

static void ask(struct boss_edit *edit)
{
	if (edit->is_close)
		boss_soap_close(edit->boss, edit->uri, on_report, edit);
	else
		boss_soap_change(edit->boss, edit->uri, edit->password,
				 on_report, edit);
}

static void on_remembered(int err, void *arg)
{
	struct boss_edit *edit = arg;

	if (err) {
		edit->error = xasprintf("%s could not be stored: %s; the HSS "
					"was not asked",
					edit->uri, strerror(err));
		end(edit);
		return;
	}
	ask(edit);
}

static void start(struct boss_turn *turn)
{
	struct boss_edit *edit = (struct boss_edit *)turn;

	if (!boss_known_find(edit->boss, edit->uri)) {
		ask(edit);
		return;
	}
	if (!edit->is_close && !edit->password)
		edit->password = password_random();
	if (!edit->is_close && !edit->password)
		on_remembered(EIO, edit);
	else
		put(edit, edit->is_close ? BOSS_CLOSED : BOSS_OPENING,
		    on_remembered);
}

static struct boss_edit *edit_new(struct boss *boss, const char *uri,
				  boss_report_cb *cb, void *arg)
{
	struct boss_edit *edit = xcalloc(1, sizeof(*edit));

	edit->turn.start = start;
	edit->turn.end = boss_ends;
	edit->boss = boss;
	edit->uri = xstrdup(uri);
	edit->cb = cb;
	edit->arg = arg;

	return edit;
}

/** Close an account */
void boss_edit_close(struct boss *boss, const char *uri, boss_report_cb *cb,
		     void *arg)
{
	struct boss_edit *edit = edit_new(boss, uri, cb, arg);

	edit->is_close = true;
	boss_turn_enter(boss, &edit->turn);
}

/** Give an account another password, and with the next sync the platform;
 * NULL: a random one */
void boss_edit_password(struct boss *boss, const char *uri,
			const char *password, boss_report_cb *cb, void *arg)
{
	struct boss_edit *edit = edit_new(boss, uri, cb, arg);

	edit->password = xstrdup(password);
	boss_turn_enter(boss, &edit->turn);
}
