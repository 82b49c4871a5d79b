/* A G.711 tone over RTP between two ends and against a bare socket */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/rtp.h"
#include "common/timer.h"
#include "tests/suite.h"

enum { PACKET_LEN = 172, SOME = 10 };

static struct {
	struct loop *loop;
	struct rtp *a, *b;
	int fd; /* a bare socket at 127.0.0.1 */
	int port;
	int wanted;
} t;

static struct rtp *end_new(const char *host)
{
	struct rtp *rtp = NULL;
	char *reason = NULL;

	ck_assert_msg(!rtp_new(&rtp, t.loop, host, &reason), "%s", reason);

	return rtp;
}

static void setup(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);

	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.a = end_new("127.0.0.1");
	t.b = end_new("127.0.0.2");
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	t.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert(!bind(t.fd, (struct sockaddr *)&at, len));
	ck_assert(!getsockname(t.fd, (struct sockaddr *)&at, &len));
	t.port = ntohs(at.sin_port);
}

static void teardown(void)
{
	rtp_free(t.a);
	rtp_free(t.b);
	close(t.fd);
	loop_free(t.loop);
}

static struct rtp_counts counts_of(const struct rtp *rtp)
{
	struct rtp_counts counts;

	rtp_get_counts(rtp, &counts);

	return counts;
}

static bool both_heard(const void *arg)
{
	(void)arg;

	return counts_of(t.a).received >= SOME &&
	       counts_of(t.b).received >= SOME;
}

static bool all_came(const void *arg)
{
	struct rtp_counts c = counts_of(arg);

	return (int)(c.received + c.late + c.foreign) >= t.wanted;
}

static bool never(const void *arg)
{
	(void)arg;

	return false;
}

static void tx(const uint8_t *packet, size_t len)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)rtp_port(t.a)) };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(sendto(t.fd, packet, len, 0, (struct sockaddr *)&to,
				sizeof(to)),
			 (ssize_t)len);
	t.wanted++;
	ck_assert(loop_run_until(t.loop, all_came, t.a, PATIENCE_MS));
}

static void tx_seq(int seq, uint8_t payload, uint8_t ssrc)
{
	uint8_t packet[PACKET_LEN] = { 0x80, payload, (uint8_t)(seq >> 8),
				       (uint8_t)seq };

	packet[11] = ssrc;
	tx(packet, sizeof(packet));
}

static void rx(uint8_t *packet)
{
	ssize_t n = recv(t.fd, packet, PACKET_LEN + 1, 0);

	ck_assert_int_eq(n, PACKET_LEN);
}

static unsigned get(const uint8_t *at, int len)
{
	unsigned n = 0;

	for (int i = 0; i < len; i++)
		n = n << 8 | at[i];

	return n;
}

START_TEST(sound_crosses_both_ways)
{
	ck_assert(!rtp_set_peer(t.a, "127.0.0.2", rtp_port(t.b), RTP_PCMA));
	ck_assert(!rtp_set_peer(t.b, "127.0.0.1", rtp_port(t.a), RTP_PCMA));
	rtp_talk(t.a, true);
	rtp_talk(t.b, true);
	ck_assert(loop_run_until(t.loop, both_heard, NULL, PATIENCE_MS));
	ck_assert_uint_eq(counts_of(t.a).foreign + counts_of(t.b).foreign, 0);
	ck_assert_uint_eq(counts_of(t.a).late + counts_of(t.b).late, 0);
	ck_assert_uint_ge(counts_of(t.a).sent, counts_of(t.b).received);
}
END_TEST

/* RFC 3550 5.1, RFC 3551 4.1 */
START_TEST(packets_have_a_sequence_a_clock_a_source_and_one_marker)
{
	uint8_t first[PACKET_LEN + 1], second[PACKET_LEN + 1];

	ck_assert(!rtp_set_peer(t.a, "127.0.0.1", t.port, RTP_PCMU));
	rtp_talk(t.a, true);
	(void)loop_run_until(t.loop, never, NULL, 60);
	rx(first);
	rx(second);
	ck_assert_uint_eq(first[0], 0x80);
	ck_assert_uint_eq(first[1], 0x80 | RTP_PCMU);
	ck_assert_uint_eq(second[1], RTP_PCMU);
	ck_assert_uint_eq((get(first + 2, 2) + 1) & 0xffff, get(second + 2, 2));
	ck_assert_uint_eq(get(first + 4, 4) + 160, get(second + 4, 4));
	ck_assert_mem_eq(first + 8, second + 8, 4);
	/* ITU-T G.711 table 6: 1 kHz at 0 dBm0 */
	ck_assert_mem_eq(first + 12, "\x1e\x0b\x0b\x1e\x9e\x8b\x8b\x9e", 8);
}
END_TEST

START_TEST(a_packet_leaves_each_20_ms)
{
	ck_assert(!rtp_set_peer(t.a, "127.0.0.1", t.port, RTP_PCMA));
	rtp_talk(t.a, true);
	(void)loop_run_until(t.loop, never, NULL, 500);
	/* 26; fewer on a machine that was away, never more */
	ck_assert_uint_ge(counts_of(t.a).sent, 15);
	ck_assert_uint_le(counts_of(t.a).sent, 27);
}
END_TEST

START_TEST(the_odd_ones_are_counted_apart)
{
	static const uint8_t none[] = { 0x80 };
	static const uint8_t version_0[PACKET_LEN] = { 0x00, RTP_PCMA };
	struct rtp_counts c;

	ck_assert(!rtp_set_peer(t.a, "127.0.0.1", t.port, RTP_PCMA));
	tx_seq(0xffff, RTP_PCMA, 1);
	tx_seq(1, RTP_PCMA, 1);        /* 0 is not there yet */
	tx_seq(0, RTP_PCMA, 1);        /* late */
	tx_seq(1, RTP_PCMA, 1);        /* doubled */
	tx_seq(2, RTP_PCMU, 1);        /* another codec */
	tx_seq(3, RTP_PCMA, 2);        /* another source */
	tx(none, sizeof(none));        /* no RTP */
	tx(version_0, PACKET_LEN);     /* neither */
	tx_seq(4, 0x80 | RTP_PCMA, 1); /* a marker is allowed */
	c = counts_of(t.a);
	ck_assert_uint_eq(c.received, 3);
	ck_assert_uint_eq(c.late, 2);
	ck_assert_uint_eq(c.foreign, 4);
}
END_TEST

START_TEST(who_is_not_the_peer_is_foreign)
{
	tx_seq(1, RTP_PCMA, 1);
	ck_assert(!rtp_set_peer(t.a, "127.0.0.1", t.port ^ 1, RTP_PCMA));
	tx_seq(2, RTP_PCMA, 1);
	ck_assert_uint_eq(counts_of(t.a).foreign, 2);
	ck_assert_uint_eq(counts_of(t.a).received, 0);
}
END_TEST

START_TEST(a_talk_is_bounded)
{
	const char *wrong = NULL;

	ck_assert(!timer_override("rtp-talk=100ms", &wrong));
	rtp_free(t.a);
	t.a = end_new("127.0.0.1");
	ck_assert(!rtp_set_peer(t.a, "127.0.0.1", t.port, RTP_PCMA));
	rtp_talk(t.a, true);
	(void)loop_run_until(t.loop, never, NULL, 300);
	ck_assert_uint_eq(counts_of(t.a).sent, 5);
	rtp_talk(t.a, true);
	(void)loop_run_until(t.loop, never, NULL, 60);
	ck_assert_uint_eq(counts_of(t.a).sent, 5);
}
END_TEST

START_TEST(silence_can_be_told_and_nobody_is_talked_to_without_a_peer)
{
	unsigned sent;

	rtp_talk(t.a, true);
	(void)loop_run_until(t.loop, never, NULL, 40);
	ck_assert_uint_eq(counts_of(t.a).sent, 0);
	ck_assert(!rtp_set_peer(t.a, "127.0.0.1", t.port, RTP_PCMA));
	rtp_talk(t.a, true);
	(void)loop_run_until(t.loop, never, NULL, 40);
	rtp_talk(t.a, false);
	sent = counts_of(t.a).sent;
	(void)loop_run_until(t.loop, never, NULL, 60);
	ck_assert_uint_gt(sent, 0);
	ck_assert_uint_eq(counts_of(t.a).sent, sent);
}
END_TEST

START_TEST(a_host_that_is_none_is_named)
{
	struct rtp *rtp = NULL;
	char *reason = NULL;

	ck_assert(rtp_new(&rtp, t.loop, "nowhere", &reason));
	ck_assert(strstr(reason, "no UDP socket for RTP at nowhere"));
	free(reason);
	ck_assert(rtp_new(&rtp, t.loop, "192.0.2.1", &reason));
	ck_assert(strstr(reason, "192.0.2.1"));
	free(reason);
	ck_assert(rtp_set_peer(t.a, "nowhere", 5, RTP_PCMA));
	ck_assert_int_eq(rtp_port(t.a) % 2, 0);
	rtp_free(end_new("::1"));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("rtp");
	TCase *tc = tcase_create("rtp");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, sound_crosses_both_ways);
	tcase_add_test(tc,
		       packets_have_a_sequence_a_clock_a_source_and_one_marker);
	tcase_add_test(tc, a_packet_leaves_each_20_ms);
	tcase_add_test(tc, the_odd_ones_are_counted_apart);
	tcase_add_test(tc, who_is_not_the_peer_is_foreign);
	tcase_add_test(tc, a_talk_is_bounded);
	tcase_add_test(
		tc, silence_can_be_told_and_nobody_is_talked_to_without_a_peer);
	tcase_add_test(tc, a_host_that_is_none_is_named);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
