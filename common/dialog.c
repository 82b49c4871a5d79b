#include "common/dialog_priv.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/element.h"
#include "common/fsm.h"
#include "common/mem.h"

enum dialog_state {
	DIALOG_EARLY,
	DIALOG_CONFIRMED,
	DIALOG_CLOSING, /* ends without a BYE that we saw: one may come yet */
	DIALOG_STATE_N
};

/** The dialogs of a user; gone with the last of them */
struct dialog_user {
	char *impu;
	LIST_HEAD(dialog_of_user, dialog) dialogs;
};

/** Owned by its element */
struct dialog_table {
	struct element *el;
	void *dialogs; /* tree (tsearch), by Call-ID, user's and peer's tag */
	void *users;   /* tree of struct dialog_user */
	size_t n, max;
};

static void early(void *obj, int event, void *data);
static void confirmed(void *obj, int event, void *data);
static void closing(void *obj, int event, void *data);

#define ANY (FSM_BIT(DIALOG_EVENT_N) - 1)

static const struct fsm_state states[DIALOG_STATE_N] = {
	[DIALOG_EARLY] = {
		.name = "EARLY",
		.accepts = ANY,
		.next = FSM_BIT(DIALOG_CONFIRMED),
		.action = early,
	},
	[DIALOG_CONFIRMED] = {
		.name = "CONFIRMED",
		.accepts = ANY,
		.next = FSM_BIT(DIALOG_CLOSING),
		.timer = TIMER_DIALOG,
		.action = confirmed,
	},
	[DIALOG_CLOSING] = {
		.name = "CLOSING",
		.accepts = ANY,
		.timer = TIMER_SIP_TRANSACTION,
		.action = closing,
	},
};

static const char *const events[DIALOG_EVENT_N] = { "ANSWERED", "REFRESHED",
						    "LOST",     "LEFT",
						    "OVER",     "TIMEOUT" };

static const struct fsm_def def = { .name = "dialog",
				    .states = states,
				    .state_n = DIALOG_STATE_N,
				    .events = events,
				    .event_n = DIALOG_EVENT_N,
				    .timeout_event = DIALOG_EV_TIMEOUT };

/* --- the table --- */

static int compare(const void *a, const void *b)
{
	const struct dialog *left = a, *right = b;
	int by = strcmp(left->call_id, right->call_id);

	for (int side = DIALOG_USER; !by && side < DIALOG_SIDE_N; side++)
		by = strcmp(left->end[side].tag, right->end[side].tag);

	return by;
}

static int compare_user(const void *a, const void *b)
{
	return strcmp(((const struct dialog_user *)a)->impu,
		      ((const struct dialog_user *)b)->impu);
}

/** A table for at most so many dialogs */
struct dialog_table *dialog_table_new(struct element *el, size_t max)
{
	struct dialog_table *table = xcalloc(1, sizeof(*table));

	table->el = el;
	table->max = max;

	return table;
}

static void dialog_free(void *node)
{
	struct dialog *d = node;

	fsm_free(d->fsm);
	for (int side = DIALOG_USER; side < DIALOG_SIDE_N; side++) {
		free(d->end[side].tag);
		free(d->end[side].name);
		free(d->end[side].target);
		free(d->end[side].routes);
	}
	free(d->call_id);
	free(d);
}

static void user_free(void *node)
{
	struct dialog_user *user = node;

	free(user->impu);
	free(user);
}

/** Free all dialogs; their first requests are gone already */
struct dialog_table *dialog_table_free(struct dialog_table *table)
{
	if (!table)
		return NULL;

	tdestroy(table->dialogs, dialog_free);
	tdestroy(table->users, user_free);
	free(table);

	return NULL;
}

/** How many there are */
size_t dialog_count(const struct dialog_table *table)
{
	return table->n;
}

/** Whether a call more would be one too many */
bool dialog_is_full(const struct dialog_table *table)
{
	return table->n >= table->max;
}

static struct dialog_user *find_user(const struct dialog_table *table,
				     const char *impu)
{
	const struct dialog_user key = { .impu = (char *)impu };
	struct dialog_user **found = tfind(&key, &table->users, compare_user);

	return found ? *found : NULL;
}

static struct dialog_user *get_user(struct dialog_table *table,
				    const char *impu)
{
	struct dialog_user *user = find_user(table, impu);

	if (user)
		return user;

	user = xcalloc(1, sizeof(*user));
	user->impu = xstrdup(impu);
	LIST_INIT(&user->dialogs);
	if (!tsearch(user, &table->users, compare_user))
		abort(); /* out of memory, as common/mem.h does */

	return user;
}

/** A user's first dialog, of_user has the others; NULL: none */
struct dialog *dialog_first_of(const struct dialog_table *table,
			       const char *impu)
{
	const struct dialog_user *user = find_user(table, impu);

	return user ? LIST_FIRST(&user->dialogs) : NULL;
}

/** The user's public identity */
const char *dialog_impu(const struct dialog *d)
{
	return d->user->impu;
}

/** The dialog with these tags; NULL: there is none (any more) */
struct dialog *dialog_get(const struct dialog_table *table, const char *call_id,
			  const char *user_tag, const char *peer_tag)
{
	const struct dialog key = { .call_id = (char *)call_id,
				    .end = { { .tag = (char *)user_tag },
					     { .tag = (char *)peer_tag } } };
	struct dialog **found = tfind(&key, &table->dialogs, compare);

	return found ? *found : NULL;
}

/** A dialog in EARLY, of which nothing but its key is known */
struct dialog *dialog_new(struct dialog_table *table,
			  const struct dialog_key *key)
{
	struct dialog *d = xcalloc(1, sizeof(*d));

	d->table = table;
	d->call_id = xstrdup(key->call_id);
	d->is_call = key->is_call;
	d->life_ms = timer_value_ms(TIMER_DIALOG);
	for (int side = DIALOG_USER; side < DIALOG_SIDE_N; side++)
		d->end[side].tag = xstrdup(key->tag[side]);
	d->fsm = fsm_new(table->el->loop, table->el->trace, &def, key->impu, d);
	d->user = get_user(table, key->impu);
	LIST_INSERT_HEAD(&d->user->dialogs, d, of_user);
	if (!tsearch(d, &table->dialogs, compare))
		abort(); /* out of memory, as common/mem.h does */
	table->n++;

	return d;
}

/** Its first request is none of its business any more */
void dialog_forget_first(struct dialog *d)
{
	if (!d->first)
		return;

	LIST_REMOVE(d, of_first);
	d->first = NULL;
}

/* Called last by an action: fsm_event() bears that its machine is gone */
static void forget(struct dialog *d)
{
	struct dialog_table *table = d->table;
	struct dialog_user *user = d->user;

	dialog_forget_first(d);
	LIST_REMOVE(d, of_user);
	if (LIST_EMPTY(&user->dialogs)) {
		tdelete(user, &table->users, compare_user);
		user_free(user);
	}
	tdelete(d, &table->dialogs, compare);
	table->n--;
	dialog_free(d);
}

/* --- the states --- */

/* What becomes of its first request decides, nothing else */
static void early(void *obj, int event, void *data)
{
	struct dialog *d = obj;

	(void)data;
	if (event == DIALOG_EV_ANSWERED) {
		dialog_forget_first(d);
		fsm_goto(d->fsm, DIALOG_CONFIRMED);
		fsm_timer_ms(d->fsm, d->life_ms);
	} else if (event == DIALOG_EV_OVER || event == DIALOG_EV_TIMEOUT) {
		forget(d);
	}
}

static void confirmed(void *obj, int event, void *data)
{
	struct dialog *d = obj;

	(void)data;
	switch (event) {
	case DIALOG_EV_ANSWERED: /* again */
	case DIALOG_EV_REFRESHED:
		fsm_timer_ms(d->fsm, d->life_ms);
		break;
	case DIALOG_EV_LOST: /* who asked is to send BYE (RFC 3261 12.2.1.2) */
	case DIALOG_EV_LEFT:
		fsm_goto(d->fsm, DIALOG_CLOSING);
		break;
	default: /* DIALOG_EV_OVER; TIMEOUT: TS 24.229 5.2.8.3, 5.4.5.3 */
		forget(d);
	}
}

static void closing(void *obj, int event, void *data)
{
	(void)data;
	if (event == DIALOG_EV_OVER || event == DIALOG_EV_TIMEOUT)
		forget(obj);
}

/** Something happened to the dialog; it may be gone */
void dialog_tell(struct dialog *d, enum dialog_event event)
{
	(void)fsm_event(d->fsm, (int)event, NULL);
}

/** Whether it was answered, and nobody has begun to end it */
bool dialog_is_up(const struct dialog *d)
{
	return fsm_state(d->fsm) == DIALOG_CONFIRMED;
}

/** Whether only its BYE is awaited */
bool dialog_is_closing(const struct dialog *d)
{
	return fsm_state(d->fsm) == DIALOG_CLOSING;
}

/** It is to end: nothing but a BYE is part of it from now on. One that was not
 * answered yet ends with its first request */
void dialog_leave(struct dialog *d)
{
	dialog_tell(d, DIALOG_EV_LEFT);
}

/** The same dialog as one of its other end's user; NULL: that is not served
 * here */
struct dialog *dialog_twin(const struct dialog *d)
{
	return dialog_get(d->table, d->call_id, d->end[DIALOG_PEER].tag,
			  d->end[DIALOG_USER].tag);
}

/** What finds it again; to be given to dialog_id_clear() */
struct dialog_id dialog_id_copy(const struct dialog *d)
{
	struct dialog_id id = { .call_id = xstrdup(d->call_id) };

	for (int side = DIALOG_USER; side < DIALOG_SIDE_N; side++)
		id.tag[side] = xstrdup(d->end[side].tag);

	return id;
}

void dialog_id_clear(struct dialog_id *id)
{
	free(id->call_id);
	free(id->tag[DIALOG_USER]);
	free(id->tag[DIALOG_PEER]);
	memset(id, 0, sizeof(*id));
}

/** It has ended, for both ends if both are served here */
void dialog_over(struct dialog_table *table, const struct dialog_id *id)
{
	for (int side = DIALOG_USER; side < DIALOG_SIDE_N; side++) {
		struct dialog *d = dialog_get(table, id->call_id, id->tag[side],
					      id->tag[!side]);

		if (d)
			dialog_tell(d, DIALOG_EV_OVER);
	}
}
