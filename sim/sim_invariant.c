#include "sim/sim_invariant.h"

#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "sim/sim_invariant_core.h"

static const char *const state_names[INV_STATE_N] = { "idle", "occupied",
						      "reclaiming", "cooling",
						      "quarantined" };

const char *inv_state_name(enum inv_state state)
{
	return state_names[state];
}

/** The state of that name, or -1 */
int inv_state_of(const char *name)
{
	for (int i = 0; name && i < INV_STATE_N; i++)
		if (!strcmp(name, state_names[i]))
			return i;

	return -1;
}

/** No entries yet; idle_within_ms is the stated time of I5 */
struct sim_invariants *sim_invariants_new(int64_t idle_within_ms)
{
	struct sim_invariants *inv = xcalloc(1, sizeof(*inv));

	inv->idle_within_us = idle_within_ms * 1000;
	inv->size = NEVER;
	inv->fault_us = NEVER;

	return inv;
}

static void uri_free(void *node)
{
	struct inv_uri *u = node;

	while (u->bindings) {
		struct inv_binding *b = u->bindings;

		u->bindings = b->next;
		free(b);
	}
	while (u->secrets) {
		struct inv_secret *s = u->secrets;

		u->secrets = s->next;
		free(s->text);
		free(s);
	}
	free(u->uri);
	free(u);
}

static void user_free(void *node)
{
	struct inv_user *user = node;

	free(user->number);
	free(user);
}

static void message_free(void *node)
{
	struct inv_message *m = node;

	free(m->key);
	free(m);
}

struct sim_invariants *sim_invariants_free(struct sim_invariants *inv)
{
	if (!inv)
		return NULL;

	tdestroy(inv->uris, uri_free);
	tdestroy(inv->users, user_free);
	tdestroy(inv->registers, message_free);
	tdestroy(inv->invites, message_free);
	tdestroy(inv->charged, message_free);
	for (size_t i = 0; i < inv->breach_n; i++) {
		free(inv->breaches[i].text);
		free(inv->breaches[i].uri);
		free(inv->breaches[i].user);
	}
	free(inv->breaches);
	free(inv);

	return NULL;
}

/* --- the model's trees: each begins with its key --- */

static int by_key(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void *get(void **tree, const char *key, size_t size)
{
	void *const *found = tfind(&key, tree, by_key);
	void *node;

	if (found)
		return *found;

	node = xcalloc(1, size);
	*(char **)node = xstrdup(key);
	if (!tsearch(node, tree, by_key))
		abort(); /* out of memory, as common/mem.h does */

	return node;
}

/** The SIP-URI of the model; made idle if it is new */
struct inv_uri *inv_uri_get(struct sim_invariants *inv, const char *uri)
{
	struct inv_uri *u = inv_uri_find(inv, uri);

	if (u)
		return u;

	u = get(&inv->uris, uri, sizeof(*u));
	u->released_us = NEVER;

	return u;
}

struct inv_uri *inv_uri_find(const struct sim_invariants *inv, const char *uri)
{
	void *const *found = tfind(&uri, &inv->uris, by_key);

	return found ? *found : NULL;
}

struct inv_user *inv_user_get(struct sim_invariants *inv, const char *number)
{
	return get(&inv->users, number, sizeof(struct inv_user));
}

struct inv_message *inv_message_get(void **tree, const char *key)
{
	return get(tree, key, sizeof(struct inv_message));
}

struct inv_message *inv_message_find(void *const *tree, const char *key)
{
	void *const *found = tfind(&key, tree, by_key);

	return found ? *found : NULL;
}

void inv_message_drop(void **tree, struct inv_message *m)
{
	tdelete(m, tree, by_key);
	message_free(m);
}

/** Is any element down or paused? */
bool inv_is_struck(const struct sim_invariants *inv)
{
	for (int i = 0; i < SIM_ACTOR_COUNT; i++)
		if (inv->is_struck[i])
			return true;

	return false;
}

/** Note that an invariant does not hold; uri may be NULL */
struct sim_breach *inv_breach(struct sim_invariants *inv, int number,
			      const struct inv_uri *uri, int64_t lease_id,
			      const char *fmt, ...)
{
	struct sim_breach *b;
	va_list ap;

	inv->breaches = xrealloc(inv->breaches,
				 (inv->breach_n + 1) * sizeof(*inv->breaches));
	b = &inv->breaches[inv->breach_n++];
	*b = (struct sim_breach){ .number = number,
				  .uri = uri ? xstrdup(uri->uri) : NULL,
				  .lease_id = lease_id,
				  .t_us = inv->now_us };
	va_start(ap, fmt);
	b->text = xvasprintf(fmt, ap);
	va_end(ap);

	return b;
}

/* --- entries --- */

static void on_fault(struct sim_invariants *inv, const char *name,
		     const json_t *line)
{
	const char *element = json_find_string(line, "element");
	int actor = element ? sim_actor_find(element) : -1;

	if (actor < 0)
		return;

	inv->fault_us = inv->now_us;
	if (!strcmp(name, "fault.kill"))
		inv->is_unsure[actor] = inv->is_struck[actor] = true;
	else if (!strcmp(name, "fault.pause"))
		inv->is_struck[actor] = true;
	else if (!strcmp(name, "fault.resume"))
		inv->is_struck[actor] = false;
	if (strcmp(name, "fault.restarted") != 0)
		return;

	inv_on_restarted(inv, line);
	inv->is_unsure[actor] = inv->is_struck[actor] = false;
}

static void on_event(struct sim_invariants *inv, const struct sim_entry *e)
{
	static const struct {
		const char *name;
		void (*cb)(struct sim_invariants *inv, const json_t *line);
	} events[] = { { "as.bound", inv_on_bound },
		       { "as.unbound", inv_on_unbound },
		       { "as.cdr", inv_on_cdr },
		       { "fsm", inv_on_fsm },
		       { "lease.state", inv_on_lease },
		       { "platform.pool-imported", inv_on_imported } };

	if (!strncmp(e->name, "fault.", 6))
		on_fault(inv, e->name, e->fields);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (!strcmp(e->name, events[i].name))
			events[i].cb(inv, e->fields);
}

/** Look at the next entry; all borrowed */
void sim_invariants_rx(struct sim_invariants *inv, const struct sim_entry *e)
{
	inv->now_us = e->t_us;
	if (e->name)
		on_event(inv, e);
	else if (e->proto == TRACE_HTTP)
		inv_on_http(inv, e);
	else if (e->proto == TRACE_SIP && !e->is_lost) {
		inv_on_register(inv, e);
		inv_on_invite(inv, e);
	}
	inv->at++;
}

/**
 * The same for a line as it comes, of a testbed that stays up: its events alone
 * count, as the messages' order over processes is not known yet
 *
 * @return 0, or EINVAL: not a line of trace
 */
int sim_invariants_rx_line(struct sim_invariants *inv, json_t *line)
{
	struct sim_entry e = { .from = json_find_string(line, "actor"),
			       .name = json_find_string(line, "name"),
			       .t_us = json_find_int(line, "t", NEVER),
			       .fields = line };

	if (!e.from || e.t_us == NEVER)
		return EINVAL;
	if (e.name)
		sim_invariants_rx(inv, &e);

	return 0;
}

static void judge_end(const void *node, VISIT visit, void *arg)
{
	if (visit == postorder || visit == leaf)
		inv_judge_idle(arg, *(const struct inv_uri *const *)node);
}

/** The trace has ended at t_us: what should have become idle by then? */
void sim_invariants_end(struct sim_invariants *inv, int64_t t_us)
{
	inv->now_us = t_us;
	twalk_r(inv->uris, judge_end, inv);
}

size_t sim_invariants_count(const struct sim_invariants *inv)
{
	return inv->breach_n;
}

const struct sim_breach *sim_invariants_breach(const struct sim_invariants *inv,
					       size_t i)
{
	return &inv->breaches[i];
}
