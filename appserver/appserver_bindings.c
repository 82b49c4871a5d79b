/* All bindings of the AS: by real number, and by SIP-URI the bound ones */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "appserver/appserver_binding.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/mem.h"
#include "common/store.h"

static int by_uri(const void *a, const void *b)
{
	return strcmp(((const struct as_binding *)a)->uri,
		      ((const struct as_binding *)b)->uri);
}

/** Who is bound to a SIP-URI; borrowed, or NULL */
struct as_binding *as_binding_of_uri(const struct appserver *as,
				     const char *uri)
{
	const struct as_binding key = { .uri = (char *)uri };
	struct as_binding *const *found = tfind(&key, &as->uris, by_uri);

	return found ? *found : NULL;
}

/** b has become the user of its SIP-URI */
void as_uri_add(struct as_binding *b)
{
	if (!tsearch(b, &b->as->uris, by_uri))
		abort(); /* out of memory, as common/mem.h does */
}

/** b is the user of its SIP-URI no more; nothing happens if it was not */
void as_uri_remove(struct as_binding *b)
{
	if (b->uri && as_binding_of_uri(b->as, b->uri) == b)
		tdelete(b, &b->as->uris, by_uri);
}

static int by_number(const void *a, const void *b)
{
	return strcmp(((const struct as_binding *)a)->number,
		      ((const struct as_binding *)b)->number);
}

static struct as_binding *binding_get(struct appserver *as, const char *number)
{
	const struct as_binding key = { .number = (char *)number };
	struct as_binding *const *found = tfind(&key, &as->bindings, by_number);
	struct as_binding *b;

	if (found)
		return *found;

	b = xcalloc(1, sizeof(*b));
	b->as = as;
	b->number = xstrdup(number);
	b->fsm = fsm_new(as->el->loop, as->el->trace, &as_machine, number, b);
	if (!tsearch(b, &as->bindings, by_number))
		abort(); /* out of memory, as common/mem.h does */

	return b;
}

/** The binding of a real number that has a SIP-URI; borrowed, or NULL */
struct as_binding *as_binding_of_number(const struct appserver *as,
					const char *number)
{
	const struct as_binding key = { .number = (char *)number };
	struct as_binding *const *found = tfind(&key, &as->bindings, by_number);

	return found && fsm_state((*found)->fsm) == AS_BOUND ? *found : NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/** Whether a SIP-URI is one that the platform lends: nobody's own account */
bool as_uri_is_lent(const struct appserver *as, const char *uri)
{
	return tfind(uri, &as->lent, by_text);
}

/** The platform lends this SIP-URI */
void as_uri_lend(struct appserver *as, const char *uri)
{
	if (!as_uri_is_lent(as, uri) &&
	    !tsearch(xstrdup(uri), &as->lent, by_text))
		abort(); /* out of memory, as common/mem.h does */
}

/** What earlier runs have seen lent */
void as_uris_load(struct appserver *as, const struct store_rows *rows)
{
	for (int i = 0; i < store_row_count(rows); i++)
		as_uri_lend(as, store_text(rows, i, 0));
}

/** The IMS has registered, or deregistered, a SIP-URI (S520) */
void as_registration_rx(struct appserver *as, const char *uri, bool is_on)
{
	const struct as_binding *b = as_binding_of_uri(as, uri);

	if (b)
		(void)fsm_event(b->fsm,
				is_on ? AS_EV_REGISTERED : AS_EV_DEREGISTERED,
				NULL);
}

/** A logged-in number wants something; req is answered now or later */
void as_binding_rx(struct appserver *as, const char *number, enum as_want want,
		   struct https_req *req)
{
	static const enum as_event events[] = {
		[AS_WANT_URI] = AS_EV_WANT_URI,
		[AS_WANT_RELEASE] = AS_EV_WANT_RELEASE,
		[AS_WANT_CALL_END] = AS_EV_WANT_CALL_END,
	};

	(void)fsm_event(binding_get(as, number)->fsm, (int)events[want], req);
}

static void load(struct appserver *as, const struct store_rows *rows, int row)
{
	struct as_binding *b = binding_get(as, store_text(rows, row, 0));
	const char *state = store_text(rows, row, 1);

	xstrset(&b->key, store_text(rows, row, 2));
	xstrset(&b->uri, store_text(rows, row, 3));
	xstrset(&b->impi, store_text(rows, row, 4));
	xstrset(&b->password, store_text(rows, row, 5));
	b->lease_id = store_int(rows, row, 6);
	b->expires_s = store_int(rows, row, 7);
	b->deadline_ms = store_int(rows, row, 8);
	b->reg = (enum as_reg)store_int(rows, row, 9);

	b->is_bound = strcmp(state, "requested") != 0;
	if (!strcmp(state, "requested")) {
		fsm_restore(b->fsm, AS_REQUESTED);
		as_tx_lease(b);
	} else if (!strcmp(state, "releasing")) {
		fsm_restore(b->fsm, AS_RELEASING);
		as_tx_reclaim(b);
	} else {
		fsm_restore(b->fsm, AS_BOUND);
		as_uri_add(b);
		as_timer_arm(b);
		/* its calls ended with the run before this one */
		(void)fsm_event(b->fsm, AS_EV_CALL_OVER, NULL);
	}
}

/** Go on where the last run was stopped: rows as as_store_load() selects */
void as_bindings_load(struct appserver *as, const struct store_rows *rows)
{
	for (int i = 0; i < store_row_count(rows); i++)
		load(as, rows, i);
}

static void keep(void *node)
{
	(void)node;
}

static void binding_free(void *node)
{
	struct as_binding *b = node;

	while (b->waiters) {
		struct as_waiter *w = b->waiters;

		b->waiters = w->next;
		free(w);
	}
	as_binding_clear(b);
	fsm_free(b->fsm);
	free(b->number);
	free(b);
}

/** Free all; server, client and store must be gone */
void as_bindings_free(struct appserver *as)
{
	tdestroy(as->uris, keep);
	tdestroy(as->bindings, binding_free);
	tdestroy(as->lent, free);
	as->uris = as->bindings = as->lent = NULL;
}

static void add_json(const void *node, VISIT visit, void *arg)
{
	const struct as_binding *b = *(const struct as_binding *const *)node;

	if ((visit != postorder && visit != leaf) ||
	    fsm_state(b->fsm) == AS_NONE)
		return;

	json_array_append_new(
		arg,
		json_pack("{s:s, s:s?, s:I, s:s, s:b}", "number", b->number,
			  "uri", b->uri, "lease_id", (json_int_t)b->lease_id,
			  "state", fsm_name(b->fsm), "registered",
			  b->uri && as_isc_is_registered(b->as->isc, b->uri)));
}

/** [{number, uri, lease_id, state, registered}], ordered by number */
json_t *as_bindings_json(const struct appserver *as)
{
	json_t *list = json_array();

	twalk_r(as->bindings, add_json, list);

	return list;
}
