#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "common/addr.h"
#include "sim/sim_net.h"
#include "tests/suite.h"

/* An address of this test alone: no fixed port, nobody else's host */
#define HOST "127.251.7.9"

/* A socket bound to any port of HOST; its port */
static int occupy(int *fdp, int type)
{
	struct addr at;

	ck_assert_int_eq(addr_parse(&at, HOST ":0"), 0);
	*fdp = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(*fdp, 0);
	ck_assert_int_eq(bind(*fdp, (const struct sockaddr *)&at.ss, at.len),
			 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(*fdp, 1), 0);
	addr_local(&at, *fdp);

	return addr_port(&at);
}

START_TEST(two_runs_at_once_get_two_networks)
{
	struct sim_net *a = NULL, *b = NULL;
	char *reason = NULL;

	ck_assert_int_eq(sim_net_take(&a, &reason), 0);
	ck_assert_int_eq(sim_net_take(&b, &reason), 0);
	ck_assert_int_ne(sim_net_number(a), sim_net_number(b));
	ck_assert_str_ne(sim_net_addr(a, SIM_PCSCF_SIP),
			 sim_net_addr(b, SIM_PCSCF_SIP));
	sim_net_free(a);
	sim_net_free(b);
}
END_TEST

START_TEST(each_element_has_its_own_host_and_the_protocols_port)
{
	struct sim_net *net = NULL;
	char *reason = NULL, expected[64], host[64];

	ck_assert_int_eq(sim_net_take(&net, &reason), 0);
	snprintf(expected, sizeof(expected), "127.%d.1.1:5060",
		 sim_net_number(net));
	ck_assert_str_eq(sim_net_addr(net, SIM_PCSCF_SIP), expected);
	snprintf(expected, sizeof(expected), "127.%d.1.4:3868",
		 sim_net_number(net));
	ck_assert_str_eq(sim_net_addr(net, SIM_HSS_DIAMETER), expected);
	snprintf(expected, sizeof(expected), "https://127.%d.2.1:8443",
		 sim_net_number(net));
	ck_assert_str_eq(sim_net_uri(net, SIM_APPSERVER_HTTPS), expected);
	sim_net_hosts(net, "platform", host, sizeof(host));
	snprintf(expected, sizeof(expected), "127.%d.2.2", sim_net_number(net));
	ck_assert_str_eq(host, expected);
	sim_net_hosts(net, "boss", host, sizeof(host));
	snprintf(expected, sizeof(expected), "127.%d.2.3", sim_net_number(net));
	ck_assert_str_eq(host, expected);
	snprintf(expected, sizeof(expected), "https://127.%d.2.4:8443",
		 sim_net_number(net));
	ck_assert_str_eq(sim_net_uri(net, SIM_APPSERVER2_HTTPS), expected);
	sim_net_hosts(net, "nobody", host, sizeof(host));
	ck_assert_str_eq(host, "");
	sim_net_free(net);
}
END_TEST

START_TEST(a_host_gives_every_element_another_port)
{
	struct sim_net *net = NULL;
	char *reason = NULL, host[64];
	int fd, base = occupy(&fd, SOCK_STREAM);

	close(fd);
	if (base > 60000 || base < 2000)
		base = 20000;
	ck_assert_int_eq(sim_net_at_host(&net, HOST, base, &reason), 0);
	for (int i = 0; i < SIM_LINK_COUNT; i++)
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(sim_net_addr(net, (enum sim_link)i),
					 sim_net_addr(net, (enum sim_link)j));
	ck_assert_int_eq(sim_net_number(net), 0);
	/* a second AS is for a network of its own */
	ck_assert_str_eq(sim_net_uri(net, SIM_APPSERVER2_SIP), "");
	sim_net_hosts(net, "appserver2", host, sizeof(host));
	ck_assert_str_eq(host, "");
	sim_net_free(net);
}
END_TEST

static void expect_taken(int type, const char *transport)
{
	struct sim_net *net = NULL;
	char *reason = NULL, at[64];
	int fd, port = occupy(&fd, type);

	ck_assert_int_eq(sim_net_at_host(&net, HOST, port, &reason),
			 EADDRINUSE);
	ck_assert_ptr_null(net);
	snprintf(at, sizeof(at), HOST ":%d (%s)", port, transport);
	ck_assert_msg(strstr(reason, "pcscf") && strstr(reason, at) &&
			      strstr(reason, "--port-base"),
		      "%s", reason);
	free(reason);
	close(fd);
}

START_TEST(a_port_in_use_names_element_address_and_remedy)
{
	expect_taken(SOCK_STREAM, "tcp");
	expect_taken(SOCK_DGRAM, "udp");
}
END_TEST

START_TEST(an_address_of_another_machine_is_refused)
{
	struct sim_net *net = NULL;
	char *reason = NULL;

	/* TEST-NET-1: RFC 5737 */
	ck_assert_int_eq(sim_net_at_host(&net, "192.0.2.1", 5060, &reason),
			 EADDRNOTAVAIL);
	ck_assert_ptr_nonnull(strstr(reason, "no address of this machine"));
	free(reason);
}
END_TEST

START_TEST(what_is_no_address_or_no_port_is_refused)
{
	struct sim_net *net = NULL;
	char *reason = NULL;

	ck_assert_int_eq(sim_net_at_host(&net, "127.0.0.300", 5060, &reason),
			 EINVAL);
	ck_assert_ptr_nonnull(strstr(reason, "127.0.0.300"));
	free(reason);
	ck_assert_int_eq(sim_net_at_host(&net, HOST, 65000, &reason), ERANGE);
	ck_assert_ptr_nonnull(strstr(reason, "65000"));
	free(reason);
	ck_assert_int_eq(sim_net_at_host(&net, HOST, 100, &reason), ERANGE);
	free(reason);
}
END_TEST

static Suite *sim_net_suite(void)
{
	Suite *s = suite_create("sim_net");
	TCase *tc = tcase_create("a network of its own");

	tcase_add_test(tc, two_runs_at_once_get_two_networks);
	tcase_add_test(tc,
		       each_element_has_its_own_host_and_the_protocols_port);
	suite_add_tcase(s, tc);

	tc = tcase_create("one host");
	tcase_add_test(tc, a_host_gives_every_element_another_port);
	tcase_add_test(tc, a_port_in_use_names_element_address_and_remedy);
	tcase_add_test(tc, an_address_of_another_machine_is_refused);
	tcase_add_test(tc, what_is_no_address_or_no_port_is_refused);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(sim_net_suite)
