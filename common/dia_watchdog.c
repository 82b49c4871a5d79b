#include "common/dia_peer_core.h"
#include "common/element.h"
#include "common/fsm.h"

/* RFC 3539 3.4.1. "Pending" is a state here and not a flag. A connection that
 * was lost and is back is used at once (no REOPEN): with one peer there is no
 * other connection to prefer meanwhile. Tw has no jitter, so that runs repeat.
 */
enum state { WD_INITIAL, WD_OKAY, WD_PENDING, WD_SUSPECT, WD_DOWN };
enum event { WD_EV_TIMEOUT, WD_EV_UP, WD_EV_DOWN };

static void initial(void *obj, int event, void *data)
{
	struct dia_peer *peer = obj;

	(void)data;
	if (event == WD_EV_UP)
		fsm_goto(peer->watchdog, WD_OKAY);
}

static void okay(void *obj, int event, void *data)
{
	struct dia_peer *peer = obj;

	(void)data;
	if (event == WD_EV_DOWN) {
		fsm_goto(peer->watchdog, WD_DOWN);
	} else if (event == WD_EV_TIMEOUT) {
		fsm_goto(peer->watchdog, WD_PENDING);
		dia_tx_dwr(peer);
	} else {
		fsm_timer_ms(peer->watchdog,
			     timer_value_ms(TIMER_DIAMETER_WATCHDOG));
	}
}

static void waiting(void *obj, int event, void *data)
{
	struct dia_peer *peer = obj;

	(void)data;
	if (event == WD_EV_UP)
		fsm_goto(peer->watchdog, WD_OKAY);
	else if (event == WD_EV_DOWN)
		fsm_goto(peer->watchdog, WD_DOWN);
	else if (fsm_state(peer->watchdog) == WD_PENDING)
		fsm_goto(peer->watchdog, WD_SUSPECT);
	else
		dia_peer_lost(peer, "it does not answer the watchdog");
}

#define ALL (FSM_BIT(WD_EV_TIMEOUT) | FSM_BIT(WD_EV_UP) | FSM_BIT(WD_EV_DOWN))

static const struct fsm_state states[] = {
	[WD_INITIAL] = {
		.name = "INITIAL",
		.accepts = FSM_BIT(WD_EV_UP) | FSM_BIT(WD_EV_DOWN),
		.next = FSM_BIT(WD_OKAY),
		.action = initial,
	},
	[WD_OKAY] = {
		.name = "OKAY",
		.accepts = ALL,
		.next = FSM_BIT(WD_PENDING) | FSM_BIT(WD_DOWN),
		.timer = TIMER_DIAMETER_WATCHDOG,
		.action = okay,
	},
	[WD_PENDING] = {
		.name = "OKAY/Pending",
		.accepts = ALL,
		.next = FSM_BIT(WD_OKAY) | FSM_BIT(WD_SUSPECT) |
			FSM_BIT(WD_DOWN),
		.timer = TIMER_DIAMETER_WATCHDOG,
		.action = waiting,
	},
	[WD_SUSPECT] = {
		.name = "SUSPECT",
		.accepts = ALL,
		.next = FSM_BIT(WD_OKAY) | FSM_BIT(WD_DOWN),
		.timer = TIMER_DIAMETER_WATCHDOG,
		.action = waiting,
	},
	[WD_DOWN] = {
		.name = "DOWN",
		.accepts = FSM_BIT(WD_EV_UP) | FSM_BIT(WD_EV_DOWN),
		.next = FSM_BIT(WD_OKAY),
		.action = initial,
	},
};

static const char *const events[] = { "Timer", "Receive", "Down" };

static const struct fsm_def def = {
	.name = "diameter.watchdog",
	.states = states,
	.state_n = sizeof(states) / sizeof(states[0]),
	.events = events,
	.event_n = sizeof(events) / sizeof(events[0]),
	.timeout_event = WD_EV_TIMEOUT,
};

/** The watchdog of one peer; it sleeps until dia_watchdog_up() */
struct fsm *dia_watchdog_new(struct dia_peer *peer)
{
	return fsm_new(peer->el->loop, peer->el->trace, &def, peer->remote,
		       peer);
}

/** The peer is open */
void dia_watchdog_up(struct dia_peer *peer)
{
	(void)fsm_event(peer->watchdog, WD_EV_UP, NULL);
}

/** The connection is gone */
void dia_watchdog_down(struct dia_peer *peer)
{
	(void)fsm_event(peer->watchdog, WD_EV_DOWN, NULL);
}

/** A message came, any: it is life enough (3.4.1) */
void dia_watchdog_alive(struct dia_peer *peer)
{
	int state = fsm_state(peer->watchdog);

	if (state != WD_INITIAL && state != WD_DOWN)
		(void)fsm_event(peer->watchdog, WD_EV_UP, NULL);
}
