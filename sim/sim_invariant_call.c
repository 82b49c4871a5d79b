/* I4: who is charged is who had the SIP-URI when the call began, and by one AS
 * alone */
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "sim/sim_invariant_core.h"

/** A SIP message: an INVITE that begins a call at an AS */
void inv_on_invite(struct sim_invariants *inv, const struct sim_entry *e)
{
	struct inv_message *m;
	char *call_id;

	if (strncmp(e->data, "INVITE ", 7) != 0 || !e->to ||
	    strncmp(e->to, "appserver", 9) != 0)
		return;

	call_id = inv_header(e->data, "Call-ID");
	if (call_id && !inv_message_find(&inv->invites, call_id)) {
		m = inv_message_get(&inv->invites, call_id);
		m->at = inv->at;
	}
	free(call_id);
}

/* Who had the SIP-URI at that entry, or NULL */
static const struct inv_binding *holder_at(const struct inv_uri *u, size_t at)
{
	const struct inv_binding *b = u ? u->bindings : NULL;

	while (b && (b->from > at || b->to < at))
		b = b->next;

	return b;
}

static const struct inv_binding *holder_by_lease(const struct inv_uri *u,
						 int64_t lease_id)
{
	const struct inv_binding *b = u ? u->bindings : NULL;

	while (b && b->lease_id != lease_id)
		b = b->next;

	return b;
}

/** One side of a call, as the record names it */
struct side {
	const char *uri, *number;
	int64_t lease_id;
};

static void check_side(struct sim_invariants *inv, const struct side *side,
		       const struct inv_message *invite, const char *call_id)
{
	const struct inv_uri *u =
		side->uri ? inv_uri_find(inv, side->uri) : NULL;
	const struct inv_binding *b =
		invite ? holder_at(u, invite->at)
		       : holder_by_lease(u, side->lease_id);
	const char *right = b ? b->user->number : NULL;

	/* nobody leases it: an account of its own */
	if (!right && !side->lease_id)
		return;
	if (right && side->number && !strcmp(side->number, right) &&
	    side->lease_id == b->lease_id)
		return;

	inv_breach(inv, 4, u, b ? b->lease_id : side->lease_id,
		   "the record of the call %s has %s (lease %d) for %s, which "
		   "was bound to %s (lease %d) when the call began",
		   call_id, side->number ? side->number : "no real number",
		   (int)side->lease_id, side->uri ? side->uri : "no SIP-URI",
		   right ? right : "nobody", b ? (int)b->lease_id : 0);
}

/* Of the AS that a call passes, one charges it: they know it by its icid */
static void check_is_first(struct sim_invariants *inv, const json_t *line,
			   const struct side *caller)
{
	const char *icid = json_find_string(line, "icid");

	if (!icid)
		return;

	if (inv_message_find(&inv->charged, icid))
		inv_breach(inv, 4,
			   caller->uri ? inv_uri_find(inv, caller->uri) : NULL,
			   caller->lease_id,
			   "the call with the icid %s is charged twice", icid);
	(void)inv_message_get(&inv->charged, icid);
}

void inv_on_cdr(struct sim_invariants *inv, const json_t *line)
{
	const char *call_id = json_find_string(line, "call_id");
	const char *role = json_find_string(line, "role");
	const struct side caller = { json_find_string(line, "uri"),
				     json_find_string(line, "number"),
				     json_find_int(line, "lease_id", 0) };
	const struct side callee = { json_find_string(line, "callee_uri"),
				     json_find_string(line, "callee_number"),
				     json_find_int(line, "callee_lease_id",
						   0) };
	const struct inv_message *invite =
		call_id ? inv_message_find(&inv->invites, call_id) : NULL;

	bool is_charged = !role || strcmp(role, "terminating") != 0;

	/* the callee's AS does not know who the caller is: that is in the
	 * caller's own record */
	if (is_charged)
		check_side(inv, &caller, invite, call_id ? call_id : "(none)");
	/* of a testbed that stays up no messages are kept, nor this */
	if (is_charged && invite)
		check_is_first(inv, line, &caller);
	/* what the record does not tell of the other side is not wrong */
	if (callee.number)
		check_side(inv, &callee, invite, call_id ? call_id : "(none)");
}
