/** @file terminal_sdp.h  Offer and answer of one audio stream (RFC 3264)
 *
 * G.711 A-law or mu-law over RTP/AVP; whatever else is offered is refused by
 * port 0. Text in, text out; the library's parser reads.
 */
#ifndef SIPSHARE_TERMINAL_SDP_H
#define SIPSHARE_TERMINAL_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rtp.h"

/** This end */
struct ue_sdp_local {
	const char *host; /**< "127.1.3.1" */
	int port;         /**< of RTP */
	uint64_t id;      /**< of the o= line, the same for the call's life */
	unsigned version; /**< of the o= line, grows with each */
};

/** The other end, as its offer or answer says */
struct ue_sdp_remote {
	char host[64];
	int port;
	enum rtp_payload payload;
	bool is_listening; /**< sendrecv or recvonly: we may send */
};

char *ue_sdp_offer(const struct ue_sdp_local *local);
int ue_sdp_read_answer(struct ue_sdp_remote *remote, const char *text,
		       size_t len, char **reasonp);
int ue_sdp_answer(char **answerp, struct ue_sdp_remote *remote,
		  const struct ue_sdp_local *local, const char *text,
		  size_t len, char **reasonp);

#endif
