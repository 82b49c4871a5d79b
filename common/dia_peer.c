#include "common/dia_peer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/dia_peer_core.h"
#include "common/dia_pending.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/stream.h"
#include "common/trace.h"

static void on_end(int err, void *arg)
{
	static char by_peer[] = "the peer closed";
	struct dia_peer *peer = arg;

	(void)fsm_event(peer->fsm, DIA_EV_DISC, err ? strerror(err) : by_peer);
}

static const struct stream_ops stream_ops = { NULL, dia_rx, on_end };

static void take_stream(struct dia_peer *peer, struct stream *stream)
{
	peer->stream = stream;
	peer->generation++;
	stream_local(stream, peer->local);
	stream_remote(stream, peer->remote);
	stream_set_ops(stream, &stream_ops, peer);
}

/* Tc doubles with each failure (RFC 6733 2.1) */
static int64_t next_backoff_ms(struct dia_peer *peer)
{
	int64_t max = timer_value_ms(TIMER_DIAMETER_RECONNECT_MAX);
	int64_t now = peer->backoff_ms < max ? peer->backoff_ms : max;

	peer->backoff_ms = 2 * now;

	return now;
}

static void say_lost(const struct dia_peer *peer, const char *why,
		     int64_t retry_ms)
{
	enum log_level level = fsm_state(peer->fsm) == DIA_CLOSING
				       ? LOG_LEVEL_INFO
				       : LOG_LEVEL_WARN;

	trace_event(peer->el->trace, "diameter.down",
		    json_pack("{s:s, s:s, s:I}", "peer", peer->remote, "why",
			      why, "retry_ms", (json_int_t)retry_ms));
	if (retry_ms)
		log_line(level,
			 "diameter %s: no connection: %s; next try in "
			 "%" PRId64 " ms",
			 peer->remote, why, retry_ms);
	else
		log_line(level, "diameter %s: connection ended: %s",
			 peer->remote, why);
}

/**
 * The connection is lost, or could not be had: close it, fail what waits for
 * answers, and try again later, or end
 */
void dia_peer_lost(struct dia_peer *peer, const char *why)
{
	bool was_open =
		dia_peer_is_open(peer) || fsm_state(peer->fsm) == DIA_CLOSING;
	int64_t retry_ms = 0;

	peer->stream = stream_free(peer->stream);
	peer->connect = dia_connect_free(peer->connect);
	dia_watchdog_down(peer);
	dia_pending_fail(peer->pending, ENOTCONN);
	peer->is_ended = !peer->is_client;
	if (peer->is_client && !peer->is_stopped)
		retry_ms = next_backoff_ms(peer);
	say_lost(peer, why, retry_ms);
	fsm_goto(peer->fsm, DIA_CLOSED);
	if (peer->is_ended || retry_ms)
		fsm_timer_ms(peer->fsm, retry_ms);
	if (was_open)
		peer->ops->state(peer, false, peer->arg);
}

/* The socket is there, or not */
static void on_connect(int err, int fd, void *arg)
{
	struct dia_peer *peer = arg;

	peer->connect = dia_connect_free(peer->connect);
	if (err) {
		(void)fsm_event(peer->fsm, DIA_EV_CONN_NACK, strerror(err));
		return;
	}
	take_stream(peer, stream_new(peer->el->loop, fd));
	(void)fsm_event(peer->fsm, DIA_EV_CONN_ACK, NULL);
}

static void start_connecting(struct dia_peer *peer)
{
	int err = dia_connect_new(&peer->connect, peer, on_connect);

	fsm_goto(peer->fsm, DIA_WAIT_CONN_ACK);
	if (err)
		dia_peer_lost(peer, strerror(err));
}

static void opened(struct dia_peer *peer, int state)
{
	peer->backoff_ms = timer_value_ms(TIMER_DIAMETER_RECONNECT_MIN);
	fsm_goto(peer->fsm, state);
	dia_watchdog_up(peer);
	log_info("diameter %s: open with %s", peer->remote, peer->peer_host);
	peer->ops->state(peer, true, peer->arg);
}

static void closed(void *obj, int event, void *data)
{
	struct dia_peer *peer = obj;

	if (event == DIA_EV_CER) {
		if (dia_rx_cer(peer, data))
			dia_peer_lost(peer, "its CER was refused");
		else
			opened(peer, DIA_R_OPEN);
	} else if (event == DIA_EV_DISC) {
		dia_peer_lost(peer, data);
	} else if (event == DIA_EV_STOP) {
		peer->is_stopped = true;
	} else if (peer->is_ended) {
		peer->ops->ended(peer, peer->arg);
	} else if (!peer->is_client) {
		dia_peer_lost(peer, "it sent no CER in time");
	} else if (!peer->is_stopped) {
		start_connecting(peer);
	}
}

static void wait_conn_ack(void *obj, int event, void *data)
{
	struct dia_peer *peer = obj;

	peer->is_stopped |= event == DIA_EV_STOP;
	if (event == DIA_EV_CONN_ACK) {
		fsm_goto(peer->fsm, DIA_WAIT_I_CEA);
		dia_tx_cer(peer);
	} else {
		dia_peer_lost(peer, data ? data : "it does not answer");
	}
}

static void wait_i_cea(void *obj, int event, void *data)
{
	struct dia_peer *peer = obj;

	peer->is_stopped |= event == DIA_EV_STOP;
	if (event == DIA_EV_CEA && !dia_rx_cea(peer, data))
		opened(peer, DIA_I_OPEN);
	else if (event == DIA_EV_CEA)
		dia_peer_lost(peer, "its CEA refuses us");
	else if (event == DIA_EV_DISC)
		dia_peer_lost(peer, data);
	else
		dia_peer_lost(peer, event == DIA_EV_NON_CEA
					    ? "its first message is no CEA"
					    : "it sent no CEA in time");
}

static void disconnect(struct dia_peer *peer)
{
	peer->is_stopped = true;
	fsm_goto(peer->fsm, DIA_CLOSING);
	dia_tx_dpr(peer);
}

static void open(void *obj, int event, void *data)
{
	struct dia_peer *peer = obj;

	switch (event) {
	case DIA_EV_MESSAGE:
		dia_rx_application(peer, data);
		break;
	case DIA_EV_CER: /* capabilities again (RFC 6733 5.6) */
		if (dia_rx_cer(peer, data))
			dia_peer_lost(peer, "its CER was refused");
		break;
	case DIA_EV_DWR:
		dia_rx_dwr(peer, data);
		break;
	case DIA_EV_DPR:
		fsm_goto(peer->fsm, DIA_CLOSING);
		dia_rx_dpr(peer, data);
		break;
	case DIA_EV_STOP:
		disconnect(peer);
		break;
	case DIA_EV_DISC:
		dia_peer_lost(peer, data);
		break;
	default: /* a DWA: the watchdog has seen it already */
		break;
	}
}

/* Whoever asked to disconnect closes, after the answer (RFC 6733 5.4) */
static void closing(void *obj, int event, void *data)
{
	struct dia_peer *peer = obj;

	if (event == DIA_EV_STOP)
		peer->is_stopped = true;
	else if (event == DIA_EV_DPR)
		dia_rx_dpr(peer, data);
	else if (event != DIA_EV_DWA)
		dia_peer_lost(peer, "disconnected by DPR");
}

#define OPEN_EVENTS                                                            \
	(FSM_BIT(DIA_EV_MESSAGE) | FSM_BIT(DIA_EV_DWR) | FSM_BIT(DIA_EV_DWA) | \
	 FSM_BIT(DIA_EV_DPR) | FSM_BIT(DIA_EV_CER) | FSM_BIT(DIA_EV_DISC) |    \
	 FSM_BIT(DIA_EV_STOP))

static const struct fsm_state states[] = {
	[DIA_CLOSED] = {
		.name = "Closed",
		.accepts = FSM_BIT(DIA_EV_TIMEOUT) | FSM_BIT(DIA_EV_CER) |
			   FSM_BIT(DIA_EV_DISC) | FSM_BIT(DIA_EV_STOP),
		.next = FSM_BIT(DIA_WAIT_CONN_ACK) | FSM_BIT(DIA_R_OPEN) |
			FSM_BIT(DIA_CLOSED),
		.action = closed,
	},
	[DIA_WAIT_CONN_ACK] = {
		.name = "Wait-Conn-Ack",
		.accepts = FSM_BIT(DIA_EV_TIMEOUT) |
			   FSM_BIT(DIA_EV_CONN_ACK) |
			   FSM_BIT(DIA_EV_CONN_NACK) | FSM_BIT(DIA_EV_STOP),
		.next = FSM_BIT(DIA_CLOSED) | FSM_BIT(DIA_WAIT_I_CEA),
		.timer = TIMER_DIAMETER_CER,
		.action = wait_conn_ack,
	},
	[DIA_WAIT_I_CEA] = {
		.name = "Wait-I-CEA",
		.accepts = FSM_BIT(DIA_EV_TIMEOUT) | FSM_BIT(DIA_EV_CEA) |
			   FSM_BIT(DIA_EV_NON_CEA) | FSM_BIT(DIA_EV_DISC) |
			   FSM_BIT(DIA_EV_STOP),
		.next = FSM_BIT(DIA_CLOSED) | FSM_BIT(DIA_I_OPEN),
		.timer = TIMER_DIAMETER_CER,
		.action = wait_i_cea,
	},
	[DIA_R_OPEN] = {
		.name = "R-Open",
		.accepts = OPEN_EVENTS,
		.next = FSM_BIT(DIA_CLOSED) | FSM_BIT(DIA_CLOSING),
		.action = open,
	},
	[DIA_I_OPEN] = {
		.name = "I-Open",
		.accepts = OPEN_EVENTS,
		.next = FSM_BIT(DIA_CLOSED) | FSM_BIT(DIA_CLOSING),
		.action = open,
	},
	[DIA_CLOSING] = {
		.name = "Closing",
		.accepts = FSM_BIT(DIA_EV_TIMEOUT) | FSM_BIT(DIA_EV_DPA) |
			   FSM_BIT(DIA_EV_DPR) | FSM_BIT(DIA_EV_DWA) |
			   FSM_BIT(DIA_EV_DISC) | FSM_BIT(DIA_EV_STOP),
		.next = FSM_BIT(DIA_CLOSED),
		.timer = TIMER_DIAMETER_CER,
		.action = closing,
	},
};

/* Names of RFC 6733 5.6, without the I- and R- of who began */
static const char *const events[] = {
	"Timeout",     "Rcv-Conn-Ack", "Rcv-Conn-Nack", "Conn-CER", "Rcv-CEA",
	"Rcv-Non-CEA", "Rcv-DWR",      "Rcv-DWA",       "Rcv-DPR",  "Rcv-DPA",
	"Rcv-Message", "Peer-Disc",    "Stop",
};

static const struct fsm_def def = {
	.name = "diameter.peer",
	.states = states,
	.state_n = sizeof(states) / sizeof(states[0]),
	.events = events,
	.event_n = sizeof(events) / sizeof(events[0]),
	.timeout_event = DIA_EV_TIMEOUT,
};

static struct dia_peer *new_peer(struct element *el,
				 const struct dia_peer_cfg *cfg,
				 const struct dia_peer_ops *ops, void *arg)
{
	struct dia_peer *peer = xcalloc(1, sizeof(*peer));

	peer->el = el;
	peer->ops = ops;
	peer->arg = arg;
	peer->origin_host = xstrdup(cfg->origin_host);
	peer->origin_realm = xstrdup(cfg->origin_realm);
	peer->peer_host = xstrdup("");
	peer->peer_realm = xstrdup("");
	peer->backoff_ms = timer_value_ms(TIMER_DIAMETER_RECONNECT_MIN);
	/* hop-by-hop ids start anywhere (RFC 6733 3); end-to-end ids have
	 * the time in their high 12 bits, so that none returns after a
	 * restart */
	if (getrandom(&peer->hop_by_hop, sizeof(peer->hop_by_hop), 0) < 0)
		peer->hop_by_hop = (uint32_t)clock_now_us();
	peer->end_to_end =
		(uint32_t)clock_wall_s() << 20 | (peer->hop_by_hop & 0xfffff);
	peer->pending = dia_pending_new(el->loop);

	return peer;
}

static int parse_bind(struct addr *from, const char *bind)
{
	bool is_bare_ipv6 = strchr(bind, ':') && bind[0] != '[';
	char text[ADDR_TEXT_LEN + 8];

	(void)snprintf(text, sizeof(text), is_bare_ipv6 ? "[%s]:0" : "%s:0",
		       bind);

	return addr_parse(from, text);
}

/**
 * A peer that connects, from the next turn on, and stays connected
 *
 * @param cfg Copied
 *
 * @return 0, or EINVAL for an address that cannot be read
 */
int dia_peer_connect(struct dia_peer **pp, struct element *el,
		     const struct dia_peer_cfg *cfg,
		     const struct dia_peer_ops *ops, void *arg, char **reasonp)
{
	struct addr to, from = { .len = 0 };
	struct dia_peer *peer;

	if (addr_parse(&to, cfg->address) || !addr_port(&to)) {
		*reasonp = xasprintf("Diameter peer \"%s\" is no address; "
				     "write it as 127.0.0.1:3868",
				     cfg->address);
		return EINVAL;
	}
	if (cfg->bind && parse_bind(&from, cfg->bind)) {
		*reasonp = xasprintf("local Diameter address \"%s\" is no IP "
				     "address; write it as 127.0.0.1",
				     cfg->bind);
		return EINVAL;
	}

	peer = new_peer(el, cfg, ops, arg);
	peer->is_client = true;
	peer->to = to;
	peer->from = from;
	peer->has_from = cfg->bind;
	(void)addr_format(peer->remote, &to);
	peer->fsm = fsm_new(el->loop, el->trace, &def, peer->remote, peer);
	peer->watchdog = dia_watchdog_new(peer);
	fsm_timer_ms(peer->fsm, 0);
	*pp = peer;

	return 0;
}

/** A peer that has connected to us; the stream is its own from now on */
struct dia_peer *dia_peer_accept(struct element *el,
				 const struct dia_peer_cfg *cfg,
				 struct stream *stream,
				 const struct dia_peer_ops *ops, void *arg)
{
	struct dia_peer *peer = new_peer(el, cfg, ops, arg);

	stream_remote(stream, peer->remote);
	peer->fsm = fsm_new(el->loop, el->trace, &def, peer->remote, peer);
	peer->watchdog = dia_watchdog_new(peer);
	fsm_timer_ms(peer->fsm, timer_value_ms(TIMER_DIAMETER_CER));
	take_stream(peer, stream);

	return peer;
}

/** Disconnect by DPR and stay disconnected; ops->state() tells when it is
 * done, if the peer was open */
void dia_peer_close(struct dia_peer *peer)
{
	(void)fsm_event(peer->fsm, DIA_EV_STOP, NULL);
}

static void free_now(void *arg)
{
	struct dia_peer *peer = arg;

	fsm_free(peer->fsm);
	fsm_free(peer->watchdog);
	free(peer->origin_host);
	free(peer->origin_realm);
	free(peer->peer_host);
	free(peer->peer_realm);
	free(peer);
}

/** Say good-bye if it is open, and free; nobody is called any more */
struct dia_peer *dia_peer_free(struct dia_peer *peer)
{
	if (!peer)
		return NULL;

	if (dia_peer_is_open(peer))
		dia_tx_dpr(peer);
	peer->is_freed = true;
	dia_held_orphan(peer);
	peer->stream = stream_free(peer->stream);
	peer->connect = dia_connect_free(peer->connect);
	peer->pending = dia_pending_free(peer->pending);
	peer->fsm = fsm_free(peer->fsm);
	peer->watchdog = fsm_free(peer->watchdog);
	loop_defer(peer->el->loop, free_now, peer);

	return NULL;
}

bool dia_peer_is_open(const struct dia_peer *peer)
{
	int state = fsm_state(peer->fsm);

	return state == DIA_I_OPEN || state == DIA_R_OPEN;
}

unsigned dia_peer_generation(const struct dia_peer *peer)
{
	return peer->generation;
}

const char *dia_peer_host(const struct dia_peer *peer)
{
	return peer->peer_host;
}

/** The other side's Origin-Realm, likewise */
const char *dia_peer_realm(const struct dia_peer *peer)
{
	return peer->peer_realm;
}

/** The other side's address: "127.0.0.1:3868" */
const char *dia_peer_remote(const struct dia_peer *peer)
{
	return peer->remote;
}
