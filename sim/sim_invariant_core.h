/** @file sim_invariant_core.h  What the checker's own files share: its model */
#ifndef SIPSHARE_SIM_INVARIANT_CORE_H
#define SIPSHARE_SIM_INVARIANT_CORE_H

#include "sim/sim_invariant.h"
#include "sim/sim_super.h"

enum { NEVER = -1 };

/** The life of a lease, in order: after a restart it may be one further than
 * the last line said that its process could still write */
enum inv_state {
	INV_IDLE,
	INV_OCCUPIED,
	INV_RECLAIMING,
	INV_COOLING,
	INV_QUARANTINED,
	INV_STATE_N
};

/** A binding that is or was: who used a SIP-URI, from when to when */
struct inv_binding {
	struct inv_binding *next; /**< the one before, of the same SIP-URI */
	struct inv_user *user;
	int appserver; /**< enum sim_actor: who bound it */
	int64_t lease_id;
	size_t from, to; /**< entries; to SIZE_MAX: it holds */
	bool is_releasing;
};

/** A password that was lent with a lease */
struct inv_secret {
	struct inv_secret *next;
	int64_t lease_id;
	char *text;
};

/** One SIP-URI of the pool */
struct inv_uri {
	char *uri;
	enum inv_state state;
	int64_t lease_id; /**< the last one */
	int64_t given_id; /**< the last one that was answered */
	struct inv_binding *bindings;
	struct inv_secret *secrets;
	int64_t released_us; /**< its way back to idle began; NEVER */
};

/** One real number */
struct inv_user {
	char *number;
	struct inv_uri *uri; /**< that it is bound to, or NULL */
};

/** A REGISTER that its registrar has not answered, or an INVITE at the AS */
struct inv_message {
	char *key;
	struct inv_uri *uri;
	int64_t lease_id; /**< whose password it was made with */
	size_t at;        /**< entry */
};

/** Owned by the run */
struct sim_invariants {
	int64_t idle_within_us;
	int64_t now_us;
	size_t at; /**< number of the entry that is looked at */
	void *uris, *users, *registers, *invites; /**< search.h trees */
	void *charged; /**< one more: calls, by icid */
	int64_t size;  /**< of the pool; NEVER */
	int64_t counts[INV_STATE_N];
	int64_t fault_us;                /**< end of the last one; NEVER */
	bool is_struck[SIM_ACTOR_COUNT]; /**< down or paused */
	bool is_unsure[SIM_ACTOR_COUNT]; /**< its last lines may be lost */
	struct sim_breach *breaches;
	size_t breach_n;
};

/* sim_invariant.c */
struct inv_uri *inv_uri_get(struct sim_invariants *inv, const char *uri);
struct inv_uri *inv_uri_find(const struct sim_invariants *inv, const char *uri);
struct inv_user *inv_user_get(struct sim_invariants *inv, const char *number);
struct inv_message *inv_message_get(void **tree, const char *key);
struct inv_message *inv_message_find(void *const *tree, const char *key);
void inv_message_drop(void **tree, struct inv_message *m);
bool inv_is_struck(const struct sim_invariants *inv);
int inv_state_of(const char *name);
const char *inv_state_name(enum inv_state state);
struct sim_breach *inv_breach(struct sim_invariants *inv, int number,
			      const struct inv_uri *uri, int64_t lease_id,
			      const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* sim_invariant_lease.c: I1, I2, I5 */
void inv_on_bound(struct sim_invariants *inv, const json_t *line);
void inv_on_unbound(struct sim_invariants *inv, const json_t *line);
void inv_on_fsm(struct sim_invariants *inv, const json_t *line);
void inv_on_lease(struct sim_invariants *inv, const json_t *line);
void inv_on_imported(struct sim_invariants *inv, const json_t *line);
void inv_bind(struct sim_invariants *inv, int appserver, const char *number,
	      const char *uri, int64_t lease_id);
void inv_unbind(struct sim_invariants *inv, struct inv_binding *b,
		struct inv_uri *u);
void inv_set_state(struct sim_invariants *inv, struct inv_uri *u, int state);
void inv_judge_idle(struct sim_invariants *inv, const struct inv_uri *u);

/* sim_invariant_auth.c: I3 */
void inv_on_http(struct sim_invariants *inv, const struct sim_entry *e);
void inv_on_register(struct sim_invariants *inv, const struct sim_entry *e);
char *inv_header(const char *text, const char *name);

/* sim_invariant_call.c: I4 */
void inv_on_invite(struct sim_invariants *inv, const struct sim_entry *e);
void inv_on_cdr(struct sim_invariants *inv, const json_t *line);

/* sim_invariant_restart.c: I6 */
void inv_on_restarted(struct sim_invariants *inv, const json_t *line);

#endif
