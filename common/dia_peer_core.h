/** @file dia_peer_core.h  What the files of the peer machine share */
#ifndef SIPSHARE_DIA_PEER_CORE_H
#define SIPSHARE_DIA_PEER_CORE_H

#include "common/addr.h"
#include "common/dia_peer.h"

struct dia_connect;
struct dia_held;
struct dia_pending;
struct fsm;

/** States of RFC 6733 5.6. Each side of ours either connects or is connected
 * to, so those of the election (Wait-Conn-Ack/Elect, Wait-Returns) are not. */
enum dia_state {
	DIA_CLOSED,
	DIA_WAIT_CONN_ACK,
	DIA_WAIT_I_CEA,
	DIA_R_OPEN,
	DIA_I_OPEN,
	DIA_CLOSING
};

enum dia_event {
	DIA_EV_TIMEOUT,
	DIA_EV_CONN_ACK,
	DIA_EV_CONN_NACK,
	DIA_EV_CER,
	DIA_EV_CEA,
	DIA_EV_NON_CEA,
	DIA_EV_DWR,
	DIA_EV_DWA,
	DIA_EV_DPR,
	DIA_EV_DPA,
	DIA_EV_MESSAGE,
	DIA_EV_DISC,
	DIA_EV_STOP
};

/** Owned by cx_client or cx_server */
struct dia_peer {
	struct element *el;
	const struct dia_peer_ops *ops;
	void *arg;
	char *origin_host, *origin_realm;

	struct addr to, from;
	bool is_client, has_from;
	bool is_stopped; /* closed by its owner: does not connect again */
	bool is_ended;   /* accepted, and over: its owner is to be told */
	bool is_freed;   /* its memory lives until the stack has unwound */

	struct fsm *fsm, *watchdog;
	struct dia_connect *connect;
	struct stream *stream;
	char local[ADDR_TEXT_LEN], remote[ADDR_TEXT_LEN];
	char *peer_host, *peer_realm; /* of the capabilities exchange */
	unsigned generation;
	int64_t backoff_ms; /* Tc of the next try */

	uint32_t hop_by_hop, end_to_end; /* last ones given */
	struct dia_pending *pending;
	struct dia_held *held;
};

/* dia_connect.c: a TCP connection from a chosen local address */
typedef void dia_connect_cb(int err, int fd, void *arg);
int dia_connect_new(struct dia_connect **cp, struct dia_peer *peer,
		    dia_connect_cb *cb);
struct dia_connect *dia_connect_free(struct dia_connect *connect);

/* dia_base.c: the base protocol's own messages (RFC 6733 5.3 to 5.5) */
void dia_tx_cer(struct dia_peer *peer);
int dia_rx_cer(struct dia_peer *peer, const struct dia_msg *cer);
int dia_rx_cea(struct dia_peer *peer, const struct dia_msg *cea);
void dia_tx_dwr(struct dia_peer *peer);
void dia_rx_dwr(struct dia_peer *peer, const struct dia_msg *dwr);
void dia_tx_dpr(struct dia_peer *peer);
void dia_rx_dpr(struct dia_peer *peer, const struct dia_msg *dpr);

/* dia_rx.c: from octets to events */
ssize_t dia_rx(const uint8_t *data, size_t len, void *arg);
void dia_rx_application(struct dia_peer *peer, const struct dia_msg *msg);
void dia_held_orphan(struct dia_peer *peer);
void dia_malformed(struct dia_peer *peer, const struct dia_msg *msg,
		   const struct dia_fault *fault);

/* dia_watchdog.c (RFC 3539 3.4) */
struct fsm *dia_watchdog_new(struct dia_peer *peer);
void dia_watchdog_up(struct dia_peer *peer);
void dia_watchdog_down(struct dia_peer *peer);
void dia_watchdog_alive(struct dia_peer *peer);

/* dia_peer.c */
void dia_tx(struct dia_peer *peer, struct dia_build *b);

#endif
