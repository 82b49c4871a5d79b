#include "common/rtp.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"

enum {
	PTIME_MS = 20, /* RFC 3551 4.2 */
	SAMPLES = 160, /* of 8 kHz, an octet each */
	US_SAMPLE = 125,
	PTIME_US = SAMPLES * US_SAMPLE,
	HEADER_LEN = 12,
	PACKET_LEN = HEADER_LEN + SAMPLES,
	VERSION_2 = 0x80,
	VERSION_MASK = 0xc0,
	MARKER = 0x80,
	DATAGRAM_MAX = 2048,
	READS_MAX = 64,   /* a turn: a flood leaves the loop to others */
	BEHIND_MAX = 5,   /* packets; more are left out, not sent in a burst */
	PORT_TRIES = 16,  /* for an even one (RFC 3550 11) */
	HALF_SEQ = 0x8000 /* further ahead is behind (RFC 3550 A.1) */
};

/** One socket, one stream each way. Owned by its call */
struct rtp {
	int fd, port;
	struct loop_watch *watch;
	struct timer *timer;
	int64_t due_us; /* of the next packet, without the timer's delays */
	int left;       /* packets that may still be sent: a bound */
	struct addr peer;
	enum rtp_payload payload;
	struct rtp_counts counts;
	bool is_talking, is_first;
	uint32_t ssrc, timestamp;
	uint16_t seq;
	bool has_source; /* a first packet came; the next two are its */
	uint32_t source_ssrc;
	uint16_t highest_seq;
};

/* 1 kHz at 0 dBm0: ITU-T G.711 tables 5 and 6 */
static const uint8_t tone_a_law[] = { 0x34, 0x21, 0x21, 0x34,
				      0xb4, 0xa1, 0xa1, 0xb4 };
static const uint8_t tone_u_law[] = { 0x1e, 0x0b, 0x0b, 0x1e,
				      0x9e, 0x8b, 0x8b, 0x9e };

static void put_16(uint8_t *at, uint16_t n)
{
	at[0] = (uint8_t)(n >> 8);
	at[1] = (uint8_t)n;
}

static void put_32(uint8_t *at, uint32_t n)
{
	put_16(at, (uint16_t)(n >> 16));
	put_16(at + 2, (uint16_t)n);
}

static uint16_t get_16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get_32(const uint8_t *at)
{
	return (uint32_t)get_16(at) << 16 | get_16(at + 2);
}

/* RFC 3550 5.1; the marker begins a talkspurt (RFC 3551 4.1) */
static void send_packet(struct rtp *rtp)
{
	const uint8_t *tone =
		rtp->payload == RTP_PCMA ? tone_a_law : tone_u_law;
	uint8_t packet[PACKET_LEN];

	packet[0] = VERSION_2;
	packet[1] = (uint8_t)((rtp->is_first ? MARKER : 0) | rtp->payload);
	put_16(packet + 2, rtp->seq);
	put_32(packet + 4, rtp->timestamp);
	put_32(packet + 8, rtp->ssrc);
	for (int i = 0; i < SAMPLES; i++)
		packet[HEADER_LEN + i] = tone[i % (int)sizeof(tone_a_law)];
	/* what the network does not take is lost, as any packet may be */
	if (sendto(rtp->fd, packet, sizeof(packet), MSG_DONTWAIT,
		   (const struct sockaddr *)&rtp->peer.ss,
		   rtp->peer.len) == (ssize_t)sizeof(packet))
		rtp->counts.sent++;
	rtp->is_first = false;
	rtp->seq++;
	rtp->timestamp += SAMPLES;
}

static void on_due(void *arg)
{
	struct rtp *rtp = arg;
	int64_t now_us = clock_now_us();
	int64_t behind = (now_us - rtp->due_us) / PTIME_US;

	if (behind > BEHIND_MAX) {
		/* the clock of the samples went on meanwhile */
		rtp->timestamp += (uint32_t)behind * SAMPLES;
		rtp->due_us += behind * PTIME_US;
	}
	send_packet(rtp);
	if (--rtp->left <= 0) {
		rtp->is_talking = false;
		return;
	}
	rtp->due_us += PTIME_US;
	timer_start_ms(rtp->timer, rtp->due_us > now_us
					   ? (rtp->due_us - now_us + 500) / 1000
					   : 0);
}

static bool is_from_peer(const struct rtp *rtp,
			 const struct sockaddr_storage *from, socklen_t len)
{
	struct addr addr = { .ss = *from, .len = len };
	char a[ADDR_TEXT_LEN], b[ADDR_TEXT_LEN];

	return rtp->peer.len &&
	       !strcmp(addr_format(a, &addr), addr_format(b, &rtp->peer));
}

static void on_packet(struct rtp *rtp, const uint8_t *data, size_t len)
{
	uint16_t seq = get_16(data + 2), ahead;
	uint32_t ssrc = get_32(data + 8);

	if (len < HEADER_LEN || (data[0] & VERSION_MASK) != VERSION_2 ||
	    (data[1] & ~MARKER) != (int)rtp->payload ||
	    (rtp->has_source && ssrc != rtp->source_ssrc)) {
		rtp->counts.foreign++;
		return;
	}
	ahead = (uint16_t)(seq - rtp->highest_seq);
	if (rtp->has_source && (ahead == 0 || ahead >= HALF_SEQ)) {
		rtp->counts.late++;
		return;
	}
	rtp->has_source = true;
	rtp->source_ssrc = ssrc;
	rtp->highest_seq = seq;
	rtp->counts.received++;
}

static void on_readable(void *arg)
{
	struct rtp *rtp = arg;

	for (int i = 0; i < READS_MAX; i++) {
		uint8_t data[DATAGRAM_MAX] = { 0 };
		struct sockaddr_storage from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(rtp->fd, data, sizeof(data), MSG_DONTWAIT,
				     (struct sockaddr *)&from, &from_len);

		/* also ECONNREFUSED: the peer has closed its socket already */
		if (n < 0)
			return;
		if (is_from_peer(rtp, &from, from_len))
			on_packet(rtp, data, (size_t)n);
		else
			rtp->counts.foreign++;
	}
}

/* "127.0.0.1", "::1" or "[::1]", and a port; 0, or EINVAL */
static int make_addr(struct addr *addr, const char *host, int port)
{
	bool is_bare_ipv6 = strchr(host, ':') && host[0] != '[';
	char *text = xasprintf(is_bare_ipv6 ? "[%s]:%d" : "%s:%d", host, port);
	int err = addr_parse(addr, text);

	free(text);

	return err ? EINVAL : 0;
}

/* A UDP socket at any free port of addr, which then names it; -1 with errno */
static int open_socket(struct addr *addr)
{
	int fd = socket(addr->ss.ss_family,
			SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -1;
	if (bind(fd, (const struct sockaddr *)&addr->ss, addr->len)) {
		err = errno;
		close(fd);
		errno = err;
		return -1;
	}
	addr_local(addr, fd);

	return fd;
}

/* An even port, if one comes up soon (RFC 3550 11: should) */
static int open_even(struct rtp *rtp, const struct addr *any)
{
	for (int i = 0; i < PORT_TRIES; i++) {
		struct addr addr = *any;
		int fd = open_socket(&addr);

		if (fd < 0)
			return errno;
		if (rtp->fd >= 0)
			close(rtp->fd);
		rtp->fd = fd;
		rtp->port = addr_port(&addr);
		if (rtp->port % 2 == 0)
			return 0;
	}

	return 0;
}

static uint32_t random_32(void)
{
	uint8_t bytes[4];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		abort(); /* no randomness: nothing here would be safe */

	return get_32(bytes);
}

/**
 * A socket at a free port of a host; nothing is sent, and what comes is
 * foreign, until rtp_set_peer()
 *
 * @param host    This end: "127.1.3.1", "::1"
 * @param reasonp On failure: what and where, the caller's to free
 *
 * @return 0, EINVAL or another errno
 */
int rtp_new(struct rtp **rp, struct loop *loop, const char *host,
	    char **reasonp)
{
	struct rtp *rtp = xcalloc(1, sizeof(*rtp));
	struct addr any;
	int err;

	rtp->fd = -1;
	err = make_addr(&any, host, 0);
	if (!err)
		err = open_even(rtp, &any);
	if (err) {
		*reasonp = xasprintf("no UDP socket for RTP at %s: %s", host,
				     strerror(err));
		if (rtp->fd >= 0)
			close(rtp->fd);
		free(rtp);
		return err;
	}
	rtp->watch = loop_watch_fd(loop, rtp->fd, LOOP_READ, on_readable, rtp);
	rtp->timer = timer_new(loop, on_due, rtp);
	rtp->left = (int)(timer_value_ms(TIMER_RTP_TALK) / PTIME_MS);
	rtp->ssrc = random_32();
	rtp->timestamp = random_32();
	rtp->seq = (uint16_t)random_32();
	*rp = rtp;

	return 0;
}

/** Close; what comes later comes to nobody */
struct rtp *rtp_free(struct rtp *rtp)
{
	if (!rtp)
		return NULL;

	timer_free(rtp->timer);
	loop_unwatch(rtp->watch);
	close(rtp->fd);
	free(rtp);

	return NULL;
}

/** The socket's port, for SDP */
int rtp_port(const struct rtp *rtp)
{
	return rtp->port;
}

/**
 * Whom to send to, and from whom alone packets count; may change in a call
 *
 * @return 0, or EINVAL where host is no address: nothing has changed
 */
int rtp_set_peer(struct rtp *rtp, const char *host, int port,
		 enum rtp_payload payload)
{
	struct addr peer;
	char a[ADDR_TEXT_LEN], b[ADDR_TEXT_LEN];

	if (make_addr(&peer, host, port))
		return EINVAL;

	/* another address, another source */
	if (rtp->peer.len &&
	    strcmp(addr_format(a, &peer), addr_format(b, &rtp->peer)) != 0)
		rtp->has_source = false;
	rtp->peer = peer;
	rtp->payload = payload;

	return 0;
}

/** Send the tone, or be silent. The timer `rtp-talk` bounds what is sent in
 * all; without a peer nothing is sent */
void rtp_talk(struct rtp *rtp, bool is_on)
{
	int64_t now_us;

	if (is_on == rtp->is_talking || (is_on && !rtp->peer.len))
		return;

	rtp->is_talking = is_on && rtp->left > 0;
	if (!rtp->is_talking) {
		timer_stop(rtp->timer);
		return;
	}
	now_us = clock_now_us();
	/* the samples' clock goes on in silence (RFC 3550 5.1) */
	if (rtp->due_us && now_us > rtp->due_us)
		rtp->timestamp +=
			(uint32_t)((now_us - rtp->due_us) / US_SAMPLE);
	rtp->is_first = true;
	rtp->due_us = now_us;
	timer_start_ms(rtp->timer, 0);
}

/** What was sent and received so far */
void rtp_get_counts(const struct rtp *rtp, struct rtp_counts *counts)
{
	*counts = rtp->counts;
}
