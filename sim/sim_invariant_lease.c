/* Who has which SIP-URI, and in which state each is: I1, I2, I5 */
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "sim/sim_invariant_core.h"

/* --- I1 --- */

/* The binding of a SIP-URI that holds, or NULL. One that is being given back
 * is not its user's any more: only the platform's word is awaited */
static struct inv_binding *holder(const struct inv_uri *u)
{
	struct inv_binding *b = u->bindings;

	while (b && (b->to != SIZE_MAX || b->is_releasing))
		b = b->next;

	return b;
}

static struct inv_binding *binding_of(const struct inv_uri *u, int64_t lease_id)
{
	struct inv_binding *b = u->bindings;

	while (b && b->lease_id != lease_id)
		b = b->next;

	return b;
}

/** A number has become the user of a SIP-URI */
void inv_bind(struct sim_invariants *inv, int appserver, const char *number,
	      const char *uri, int64_t lease_id)
{
	struct inv_uri *u = inv_uri_get(inv, uri);
	struct inv_user *user = inv_user_get(inv, number);
	const struct inv_binding *other = holder(u);
	struct inv_binding *b;
	struct sim_breach *breach;

	if (other && other->user != user) {
		breach = inv_breach(inv, 1, u, lease_id,
				    "%s is bound to %s (lease %d) while it is "
				    "bound to %s (lease %d)",
				    uri, number, (int)lease_id,
				    other->user->number, (int)other->lease_id);
		breach->user = xstrdup(number);
	}
	if (user->uri && user->uri != u && holder(user->uri) &&
	    holder(user->uri)->user == user) {
		breach = inv_breach(inv, 1, u, lease_id,
				    "%s holds %s while it holds %s", number,
				    uri, user->uri->uri);
		breach->user = xstrdup(number);
	}
	b = xcalloc(1, sizeof(*b));
	b->user = user;
	b->appserver = appserver;
	b->lease_id = lease_id;
	b->from = inv->at;
	b->to = SIZE_MAX;
	b->next = u->bindings;
	u->bindings = b;
	user->uri = u;
}

/** It is its user no more */
void inv_unbind(struct sim_invariants *inv, struct inv_binding *b,
		struct inv_uri *u)
{
	b->to = inv->at;
	if (b->user->uri == u)
		b->user->uri = NULL;
}

void inv_on_bound(struct sim_invariants *inv, const json_t *line)
{
	const char *number = json_find_string(line, "number");
	const char *uri = json_find_string(line, "uri");
	const char *actor = json_find_string(line, "actor");

	if (number && uri)
		inv_bind(inv, actor ? sim_actor_find(actor) : -1, number, uri,
			 json_find_int(line, "lease_id", 0));
}

void inv_on_unbound(struct sim_invariants *inv, const json_t *line)
{
	const char *uri = json_find_string(line, "uri");
	struct inv_uri *u = uri ? inv_uri_find(inv, uri) : NULL;
	struct inv_binding *b = NULL;

	if (u)
		b = binding_of(u, json_find_int(line, "lease_id", 0));
	if (b)
		inv_unbind(inv, b, u);
}

/** The AS has begun to give a number's SIP-URI back: I5's time runs */
void inv_on_fsm(struct sim_invariants *inv, const json_t *line)
{
	const char *machine = json_find_string(line, "machine");
	const char *number = json_find_string(line, "id");
	const char *to = json_find_string(line, "to");
	const struct inv_user *user;
	struct inv_binding *b;

	if (!machine || strcmp(machine, "as.binding") != 0 || !number || !to ||
	    strcmp(to, "releasing") != 0)
		return;

	user = inv_user_get(inv, number);
	b = user->uri ? holder(user->uri) : NULL;
	if (!b || b->user != user)
		return;

	b->is_releasing = true;
	if (user->uri->state != INV_IDLE && user->uri->released_us == NEVER)
		user->uri->released_us = inv->now_us;
}

/* --- I2 --- */

void inv_set_state(struct sim_invariants *inv, struct inv_uri *u, int state)
{
	inv->counts[u->state]--;
	u->state = (enum inv_state)state;
	inv->counts[state]++;
}

static void check_counts(struct sim_invariants *inv, const struct inv_uri *u,
			 const json_t *counts)
{
	int64_t sum = 0, n;

	for (int i = 0; i < INV_STATE_N; i++) {
		n = json_find_int(counts, inv_state_name((enum inv_state)i), 0);
		sum += n;
		if (n != inv->counts[i] && !inv->is_unsure[SIM_PLATFORM])
			inv_breach(inv, 2, u, u ? u->lease_id : 0,
				   "the platform counts %d %s, but by its own "
				   "events they are %d",
				   (int)n, inv_state_name((enum inv_state)i),
				   (int)inv->counts[i]);
	}
	if (inv->size != NEVER && sum != inv->size)
		inv_breach(inv, 2, u, u ? u->lease_id : 0,
			   "the states add up to %d SIP-URIs, but the pool has "
			   "%d",
			   (int)sum, (int)inv->size);
}

void inv_on_imported(struct sim_invariants *inv, const json_t *line)
{
	int64_t size = json_find_int(line, "size", NEVER);

	if (size == NEVER)
		return;

	/* new ones are idle; which they are is told when they are lent */
	if (!inv->is_unsure[SIM_PLATFORM])
		inv->counts[INV_IDLE] +=
			size - (inv->size == NEVER ? 0 : inv->size);
	inv->size = size;
	check_counts(inv, NULL, json_object_get(line, "counts"));
}

static void check_step(struct sim_invariants *inv, const struct inv_uri *u,
		       int from, int to, int64_t lease_id)
{
	if (from != (int)u->state)
		inv_breach(inv, 2, u, lease_id,
			   "%s goes from %s to %s, but it was %s", u->uri,
			   inv_state_name((enum inv_state)from),
			   inv_state_name((enum inv_state)to),
			   inv_state_name(u->state));
	if (to == INV_OCCUPIED && lease_id <= u->lease_id)
		inv_breach(inv, 2, u, lease_id,
			   "%s is lent with the lease id %d after the lease id "
			   "%d",
			   u->uri, (int)lease_id, (int)u->lease_id);
}

void inv_on_lease(struct sim_invariants *inv, const json_t *line)
{
	const char *uri = json_find_string(line, "uri");
	int from = inv_state_of(json_find_string(line, "from"));
	int to = inv_state_of(json_find_string(line, "to"));
	int64_t lease_id = json_find_int(line, "lease_id", 0);
	struct inv_uri *u;

	if (!uri || from < 0 || to < 0)
		return;

	u = inv_uri_get(inv, uri);
	/* a process that has just come back goes on from what is on disk */
	if (!inv->is_unsure[SIM_PLATFORM])
		check_step(inv, u, from, to, lease_id);
	inv_set_state(inv, u, to);
	u->lease_id = lease_id;
	if (to == INV_RECLAIMING && u->released_us == NEVER)
		u->released_us = inv->now_us;
	if (to == INV_IDLE)
		inv_judge_idle(inv, u);
	if (to != INV_RECLAIMING && to != INV_COOLING)
		u->released_us = NEVER;
	check_counts(inv, u, json_object_get(line, "counts"));
}

/* --- I5 --- */

/** A SIP-URI is idle, or the trace has ended: was it in time? */
void inv_judge_idle(struct sim_invariants *inv, const struct inv_uri *u)
{
	int64_t since_us = u->released_us;

	if (since_us == NEVER || inv_is_struck(inv))
		return;
	if (inv->fault_us > since_us)
		since_us = inv->fault_us;
	if (inv->now_us - since_us <= inv->idle_within_us)
		return;

	inv_breach(inv, 5, u, u->lease_id,
		   "%s %s %.3f s after its release or the last fault; stated "
		   "are %.3f s",
		   u->uri, u->state == INV_IDLE ? "is idle" : "is not idle yet",
		   (double)(inv->now_us - since_us) / 1e6,
		   (double)inv->idle_within_us / 1e6);
}
