/* I6: a process is back; what it has on disk is compared with what was
 * answered, in its own events and messages, before it was killed */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "sim/sim_invariant_core.h"

static const json_t *find_by(const json_t *list, const char *field,
			     const char *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *text = json_find_string(item, field);

		if (text && !strcmp(text, value))
			return item;
	}

	return NULL;
}

/* --- the platform: {size, uris: [{uri, state, lease_id}]} --- */

/* Whether what is on disk can follow from the last that was heard: the same,
 * or one step on, whose line died with the process */
static bool can_follow(const struct inv_uri *u, int state, int64_t lease_id)
{
	int last = (int)u->state;

	if (lease_id > u->lease_id)
		return state == INV_OCCUPIED &&
		       (last == INV_IDLE || last == INV_COOLING ||
			last == INV_QUARANTINED);
	if (lease_id < u->lease_id)
		return false;
	if (state == last)
		return true;

	switch (last) {
	case INV_OCCUPIED:
		return state == INV_RECLAIMING;
	case INV_RECLAIMING:
		return state == INV_COOLING || state == INV_IDLE ||
		       state == INV_QUARANTINED;
	case INV_COOLING:
	case INV_QUARANTINED:
		return state == INV_IDLE;
	default:
		return false;
	}
}

static void check_uri(struct sim_invariants *inv, const json_t *item)
{
	const char *uri = json_find_string(item, "uri");
	int state = inv_state_of(json_find_string(item, "state"));
	int64_t lease_id = json_find_int(item, "lease_id", 0);
	struct inv_uri *u;

	if (!uri || state < 0)
		return;

	u = inv_uri_get(inv, uri);
	if (!can_follow(u, state, lease_id) || lease_id < u->given_id)
		inv_breach(inv, 6, u, u->lease_id,
			   "%s was %s (lease %d, lent till %d) before the "
			   "platform was killed, and is %s (lease %d) after it",
			   uri, inv_state_name(u->state), (int)u->lease_id,
			   (int)u->given_id,
			   inv_state_name((enum inv_state)state),
			   (int)lease_id);
	u->state = (enum inv_state)state;
	u->lease_id = lease_id;
	if (state == INV_RECLAIMING && u->released_us == NEVER)
		u->released_us = inv->now_us;
	if (state == INV_IDLE)
		u->released_us = NEVER;
}

/** What a walk over the model looks for */
struct look {
	struct sim_invariants *inv;
	const json_t *list;
	const char *field, *who;
	int actor;
};

static void check_is_there(const void *node, VISIT visit, void *arg)
{
	const struct inv_uri *u = *(const struct inv_uri *const *)node;
	const struct look *look = arg;

	if ((visit != postorder && visit != leaf) ||
	    find_by(look->list, look->field, u->uri))
		return;

	inv_breach(look->inv, 6, u, u->lease_id,
		   "%s is not known any more to the %s that was restarted",
		   u->uri, look->who);
}

static void on_pool(struct sim_invariants *inv, const json_t *state)
{
	const json_t *uris = json_object_get(state, "uris"), *item;
	struct look look = { inv, uris, "uri", "platform", SIM_PLATFORM };
	int64_t size = json_find_int(state, "size", NEVER);
	int64_t known;
	size_t i;

	twalk_r(inv->uris, check_is_there, &look);
	if (inv->size != NEVER && size < inv->size)
		inv_breach(inv, 6, NULL, 0,
			   "the pool had %d SIP-URIs before the platform was "
			   "killed, and has %d after it",
			   (int)inv->size, (int)size);
	json_array_foreach(uris, i, item)
	{
		check_uri(inv, item);
	}

	/* from now on count by what is on disk */
	inv->size = size;
	memset(inv->counts, 0, sizeof(inv->counts));
	json_array_foreach(uris, i, item)
	{
		known = inv_state_of(json_find_string(item, "state"));
		if (known >= 0)
			inv->counts[known]++;
	}
}

/* --- the AS: [{number, uri, lease_id, state}] --- */

static void check_binding(const struct look *look, struct inv_user *user)
{
	struct sim_invariants *inv = look->inv;
	const json_t *item = find_by(look->list, "number", user->number);
	const char *uri = json_find_string(item, "uri");
	const char *state = json_find_string(item, "state");
	struct inv_uri *u = user->uri;
	struct inv_binding *b = u ? u->bindings : NULL;
	struct sim_breach *breach;

	while (b && (b->to != SIZE_MAX || b->user != user))
		b = b->next;
	if (!b || b->appserver != look->actor)
		return;

	if (uri && state && !strcmp(uri, u->uri) &&
	    json_find_int(item, "lease_id", 0) == b->lease_id) {
		/* a release that was not answered may be forgotten */
		b->is_releasing = !strcmp(state, "releasing");
		if (!b->is_releasing && u->state == INV_OCCUPIED)
			u->released_us = NEVER;
		return;
	}
	if (!b->is_releasing) {
		breach = inv_breach(inv, 6, u, b->lease_id,
				    "%s was bound to %s (lease %d) before the "
				    "AS was killed, and is not after it",
				    u->uri, user->number, (int)b->lease_id);
		breach->user = xstrdup(user->number);
	}
	inv_unbind(inv, b, u);
}

static void check_user(const void *node, VISIT visit, void *arg)
{
	const struct look *look = arg;

	if (visit == postorder || visit == leaf)
		check_binding(look, *(struct inv_user *const *)node);
}

/* One that was on disk, but whose line died with the process */
static void adopt(struct sim_invariants *inv, int actor, const json_t *item)
{
	const char *number = json_find_string(item, "number");
	const char *uri = json_find_string(item, "uri");
	const char *state = json_find_string(item, "state");
	const struct inv_user *user;

	if (!number || !uri || !state || strcmp(state, "bound") != 0)
		return;

	user = inv_user_get(inv, number);
	if (!user->uri)
		inv_bind(inv, actor, number, uri,
			 json_find_int(item, "lease_id", 0));
}

static void on_bindings(struct sim_invariants *inv, int actor,
			const json_t *state)
{
	struct look look = { .inv = inv, .list = state, .actor = actor };
	const json_t *item;
	size_t i;

	twalk_r(inv->users, check_user, &look);
	json_array_foreach(state, i, item)
	{
		adopt(inv, actor, item);
	}
}

/** An element is back, with what it says that it knows */
void inv_on_restarted(struct sim_invariants *inv, const json_t *line)
{
	const char *element = json_find_string(line, "element");
	const json_t *state = json_object_get(line, "state");
	struct look look = { inv, state, "impu", "HSS", SIM_HSS };
	int actor = sim_actor_find(element);

	if (!state)
		return;
	if (!strcmp(element, "platform"))
		on_pool(inv, state);
	else if (actor == SIM_APPSERVER || actor == SIM_APPSERVER2)
		on_bindings(inv, actor, state);
	else if (!strcmp(element, "hss"))
		twalk_r(inv->uris, check_is_there, &look);
}
