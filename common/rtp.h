/** @file rtp.h  A G.711 tone over RTP, both ways, counted (RFC 3550, 3551)
 *
 * That a call works means that sound crossed: one UDP socket a call sends a
 * packet each 20 ms and counts what comes. No RTCP (SDP says so by RFC 3556),
 * and no line of trace a packet: counts are what is told.
 */
#ifndef SIPSHARE_RTP_H
#define SIPSHARE_RTP_H

#include <stdbool.h>

struct loop;
struct rtp;

/** Payload types of RFC 3551 table 4 */
enum rtp_payload { RTP_PCMU = 0, RTP_PCMA = 8 };

/** What a stream was so far */
struct rtp_counts {
	unsigned sent;
	unsigned received; /**< in their order, the first time */
	unsigned late;     /**< doubled, or after a later one had come */
	unsigned foreign;  /**< no RTP, another source, SSRC or payload type */
};

int rtp_new(struct rtp **rp, struct loop *loop, const char *host,
	    char **reasonp);
struct rtp *rtp_free(struct rtp *rtp);
int rtp_port(const struct rtp *rtp);
int rtp_set_peer(struct rtp *rtp, const char *host, int port,
		 enum rtp_payload payload);
void rtp_talk(struct rtp *rtp, bool is_on);
void rtp_get_counts(const struct rtp *rtp, struct rtp_counts *counts);

#endif
