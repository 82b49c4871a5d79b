/** @file dia_peer.h  One Diameter connection to a peer (RFC 6733 5)
 *
 * Either it connects, and does so again whenever the connection is lost, or it
 * was accepted, and ends with its connection. Capabilities, watchdog and
 * disconnection are done here; requests and answers of the application pass
 * through, each traced, and held when told.
 */
#ifndef SIPSHARE_DIA_PEER_H
#define SIPSHARE_DIA_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/dia_check.h"

struct dia_peer;
struct element;
struct stream;

/** Who we are; all copied */
struct dia_peer_cfg {
	const char *origin_host, *origin_realm;
	const char *address; /**< to connect to: "127.0.0.1:3868" */
	const char *bind;    /**< local address without port, or NULL */
};

/** What the owner is told. The peer may be freed in any of them */
struct dia_peer_ops {
	/** Capabilities are exchanged, or the connection is lost */
	void (*state)(struct dia_peer *peer, bool is_open, void *arg);
	/** An accepted connection has ended: free the peer */
	void (*ended)(struct dia_peer *peer, void *arg);
	/** Whether this side serves a command; if not, 3001 is answered */
	bool (*serves)(uint32_t command);
	/** A request that dia_check() found right; answer it, now or later */
	void (*request)(struct dia_peer *peer, const struct dia_msg *msg,
			void *arg);
};

/** err: 0, ETIMEDOUT, ENOTCONN or EBADMSG; the answer is NULL with err */
typedef void dia_answer_cb(int err, const struct dia_msg *answer, void *arg);

int dia_peer_connect(struct dia_peer **pp, struct element *el,
		     const struct dia_peer_cfg *cfg,
		     const struct dia_peer_ops *ops, void *arg, char **reasonp);
struct dia_peer *dia_peer_accept(struct element *el,
				 const struct dia_peer_cfg *cfg,
				 struct stream *stream,
				 const struct dia_peer_ops *ops, void *arg);
void dia_peer_close(struct dia_peer *peer);
void dia_peer_lost(struct dia_peer *peer, const char *why);
struct dia_peer *dia_peer_free(struct dia_peer *peer);

bool dia_peer_is_open(const struct dia_peer *peer);
/** Grows with each connection: an answer belongs to the one that asked */
unsigned dia_peer_generation(const struct dia_peer *peer);
/** The other side's Origin-Host; "" before capabilities are exchanged */
const char *dia_peer_host(const struct dia_peer *peer);
const char *dia_peer_realm(const struct dia_peer *peer);
const char *dia_peer_remote(const struct dia_peer *peer);

void dia_peer_start_request(struct dia_peer *peer, struct dia_build *b,
			    uint32_t command);
void dia_peer_tx_request(struct dia_peer *peer, struct dia_build *b,
			 dia_answer_cb *cb, void *arg);
int dia_peer_tx_answer(struct dia_peer *peer, struct dia_build *b);
void dia_peer_tx_error(struct dia_peer *peer, const struct dia_msg *request,
		       const struct dia_fault *fault);

#endif
