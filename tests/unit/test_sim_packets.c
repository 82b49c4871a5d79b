/* Packets as they are on the wire: which, how often, and what of them is lost.
 * Where capturing is not allowed, that alone is tested */
#include "sim/sim_packets.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "common/addr.h"
#include "common/loop.h"
#include "common/mem.h"
#include "sim/sim_net.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

enum { NOBODY = 65534, BIG = 60000 };

static struct {
	struct loop *loop;
	struct sim_net *net;
	struct sim_packets *packets;
	int fd; /* sends to itself */
	struct addr addr;
	char *file;
} t;

static int open_udp(struct addr *addr, const char *text)
{
	int fd;

	ck_assert_int_eq(addr_parse(addr, text), 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr->ss, addr->len), 0);
	addr_local(addr, fd);

	return fd;
}

static void setup(void)
{
	char *reason = NULL, *own;
	int number;

	t.loop = loop_new();
	ck_assert_msg(!sim_net_take(&t.net, &reason), "%s", reason);
	number = sim_net_number(t.net);
	own = xasprintf("127.%d.1.1:0", number);
	t.fd = open_udp(&t.addr, own);
	free(own);
	ck_assert_msg(!sim_packets_new(&t.packets, t.loop, number, temp_dir(),
				       &reason),
		      "%s", reason);
	t.file = xasprintf("%s/c.pcapng", temp_dir());
}

static void teardown(void)
{
	sim_packets_free(t.packets);
	sim_net_free(t.net);
	loop_free(t.loop);
	close(t.fd);
	free(t.file);
}

static void send_to(const struct addr *to, size_t len)
{
	static const char data[BIG];

	ck_assert_int_eq(sendto(t.fd, data, len, 0,
				(const struct sockaddr *)&to->ss, to->len),
			 (ssize_t)len);
}

static void finish(void)
{
	FILE *f = fopen(t.file, "we");

	sim_packets_finish(t.packets);
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(sim_packets_write(t.packets, NULL, f), 0);
	fclose(f);
}

/* The last line that a command prints about the file; the caller's to free */
static char *ask(const char *command)
{
	char *line = xasprintf("%s %s 2>/dev/null", command, t.file);
	char text[4096] = "";
	FILE *p = popen(line, "r"); /* NOLINT(cert-env33-c): a test */

	ck_assert_ptr_nonnull(p);
	while (fgets(text, sizeof(text), p))
		;
	ck_assert_int_eq(pclose(p), 0);
	free(line);

	return xstrdup(text);
}

static void expect_last(const char *command, const char *expected)
{
	char *text = ask(command);

	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(packets_of_the_network_are_captured_once_each)
{
	for (size_t i = 1; i <= 3; i++)
		send_to(&t.addr, i);
	finish();
	ck_assert_ptr_null(sim_packets_loss(t.packets));
	expect_last("tshark -T fields -e frame.number -e udp.length -r",
		    "3\t11\n");
}
END_TEST

START_TEST(packets_of_others_are_not)
{
	struct addr other;
	int own = t.fd, fd = open_udp(&other, "127.0.0.1:0");

	send_to(&t.addr, 1);
	t.fd = fd;
	send_to(&other, 2);
	t.fd = own;
	send_to(&t.addr, 3);
	close(fd);
	finish();
	expect_last("tshark -T fields -e frame.number -e udp.length -r",
		    "2\t11\n");
}
END_TEST

static bool never(const void *arg)
{
	(void)arg;

	return false;
}

/* More than the ring can hold: the loop reads it meanwhile */
START_TEST(a_long_run_is_captured_as_it_goes)
{
	enum { ROUNDS = 40, EACH = 25 };

	for (int i = 0; i < ROUNDS; i++) {
		for (int j = 0; j < EACH; j++)
			send_to(&t.addr, BIG);
		loop_run_until(t.loop, never, NULL, 1);
	}
	finish();
	ck_assert_msg(!sim_packets_loss(t.packets), "%s",
		      sim_packets_loss(t.packets));
	expect_last("tshark -T fields -e frame.number -e frame.cap_len -r",
		    "1000\t60042\n");
}
END_TEST

START_TEST(a_burst_beyond_the_ring_is_told_as_lost)
{
	unsigned lost, all, seen;
	char *text;

	for (int i = 0; i < 1000; i++)
		send_to(&t.addr, BIG);
	finish();
	ck_assert_ptr_nonnull(sim_packets_loss(t.packets));
	ck_assert_int_eq(sscanf(sim_packets_loss(t.packets),
				"the capture lost %u of %u packets", &lost,
				&all),
			 2);
	ck_assert_uint_eq(all, 1000);
	text = ask("capinfos -Mc");
	ck_assert_int_eq(sscanf(text, "Number of packets: %u", &seen), 1);
	ck_assert_uint_eq(seen + lost, all);
	free(text);
	text = ask("capinfos -k");
	ck_assert_msg(strstr(text, sim_packets_loss(t.packets)) != NULL, "%s",
		      text);
	free(text);
}
END_TEST

START_TEST(nothing_but_the_capture_is_left)
{
	char *spool = xasprintf("%s/packets", temp_dir());

	ck_assert_int_eq(access(spool, F_OK), -1);
	finish();
	expect_last("capinfos -c", "Number of packets:   0\n");
	free(spool);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_told)
{
	struct sim_packets *packets;
	char *reason = NULL;

	ck_assert_int_eq(
		sim_packets_new(&packets, t.loop, 1, "/nowhere", &reason),
		ENOENT);
	ck_assert_str_eq(reason, "cannot write /nowhere/packets: No such file "
				 "or directory");
	free(reason);
}
END_TEST

/* As root it needs to be someone else first */
START_TEST(who_may_not_capture_is_told_how)
{
	char *reason = NULL;

	if (!geteuid())
		ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
	ck_assert_int_eq(sim_packets_check(&reason), EPERM);
	ck_assert_ptr_nonnull(strstr(reason, "needs CAP_NET_RAW: run as root"));
	ck_assert_ptr_nonnull(strstr(reason, "sudo setcap cap_net_raw+ep /"));
	free(reason);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sim_packets");
	TCase *tc = tcase_create("not allowed");
	char *reason;

	tcase_add_test(tc, who_may_not_capture_is_told_how);
	suite_add_tcase(s, tc);
	if (sim_packets_check(&reason)) {
		printf("only the refusal is tested: %s\n", reason);
		free(reason);
		return s;
	}

	tc = tcase_create("at lo");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, packets_of_the_network_are_captured_once_each);
	tcase_add_test(tc, packets_of_others_are_not);
	tcase_add_test(tc, a_long_run_is_captured_as_it_goes);
	tcase_add_test(tc, a_burst_beyond_the_ring_is_told_as_lost);
	tcase_add_test(tc, nothing_but_the_capture_is_left);
	tcase_add_test(tc, a_folder_that_is_not_there_is_told);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
