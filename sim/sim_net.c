#include "sim/sim_net.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "common/addr.h"
#include "common/mem.h"

enum { NET_FIRST = 1, NET_LAST = 254, LOCK_PORT = 5059, TEXT_LEN = 96 };

/** Held by the run; closing lock_fd gives the network back */
struct sim_net {
	int number; /* N of 127.N, 0 when at a host */
	int lock_fd;
	char addr[SIM_LINK_ALL][TEXT_LEN]; /* "": it has none */
	char uri[SIM_LINK_ALL][TEXT_LEN];
};

/** One place of the plan */
struct place {
	const char *actor;
	const char *proto;
	const char *scheme;
	const char *host; /* behind 127.N. */
	int port;
	int host_port; /* when all share one address */
	bool is_udp;   /* as well as TCP */
};

static const struct place places[SIM_LINK_ALL] = {
	[SIM_PCSCF_SIP] = { "pcscf", "SIP", "sip:", "1.1", 5060, 5060, true },
	[SIM_ICSCF_SIP] = { "icscf", "SIP", "sip:", "1.2", 5060, 5061, true },
	[SIM_SCSCF_SIP] = { "scscf", "SIP", "sip:", "1.3", 5060, 5062, true },
	[SIM_HSS_DIAMETER] = { "hss", "Diameter", "aaa://", "1.4", 3868, 3868,
			       false },
	[SIM_HSS_SOAP] = { "hss", "SOAP", "https://", "1.4", 8443, 8443,
			   false },
	[SIM_APPSERVER_HTTPS] = { "appserver", "HTTPS", "https://", "2.1", 8443,
				  8444, false },
	[SIM_APPSERVER_SIP] = { "appserver", "SIP", "sip:", "2.1", 5060, 5063,
				true },
	[SIM_PLATFORM_HTTPS] = { "platform", "HTTPS", "https://", "2.2", 8443,
				 8445, false },
	[SIM_PLATFORM_SIP] = { "platform", "SIP", "sip:", "2.2", 5060, 5064,
			       true },
	[SIM_BOSS_HTTPS] = { "boss", "HTTPS", "https://", "2.3", 8443, 8446,
			     false },
	[SIM_TERMINAL_SIP] = { "terminal", "SIP", "sip:", "3.1", 5060, 5065,
			       true },
	[SIM_APPSERVER2_HTTPS] = { "appserver2", "HTTPS", "https://", "2.4",
				   8443, 0, false },
	[SIM_APPSERVER2_SIP] = { "appserver2", "SIP", "sip:", "2.4", 5060, 0,
				 true },
};

static int bind_new(int *fdp, const char *text, int type, bool may_reuse)
{
	struct addr addr;
	int one = 1, err = addr_parse(&addr, text), fd;

	if (err)
		return err;
	fd = socket(addr.ss.ss_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;

	/* what lingers in TIME_WAIT does not count; who listens does */
	if (may_reuse)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
				 sizeof(one));
	if (bind(fd, (const struct sockaddr *)&addr.ss, addr.len) < 0 ||
	    (type == SOCK_STREAM && may_reuse && listen(fd, 1) < 0)) {
		err = errno;
		close(fd);
		return err;
	}
	*fdp = fd;

	return 0;
}

static int probe(const char *text, int type)
{
	int fd = -1, err = bind_new(&fd, text, type, type == SOCK_STREAM);

	if (!err)
		close(fd);

	return err;
}

/* 0, or why the link's address cannot be had, and on which transport */
static int probe_link(const struct sim_net *net, int link,
		      const char **transportp)
{
	int err;

	*transportp = "tcp";
	err = probe(net->addr[link], SOCK_STREAM);
	if (err || !places[link].is_udp)
		return err;

	*transportp = "udp";

	return probe(net->addr[link], SOCK_DGRAM);
}

static void fill_uris(struct sim_net *net)
{
	for (int i = 0; i < SIM_LINK_ALL; i++)
		if (net->addr[i][0])
			(void)snprintf(net->uri[i], TEXT_LEN, "%s%.80s",
				       places[i].scheme, net->addr[i]);
}

static bool all_free(const struct sim_net *net)
{
	const char *transport;

	for (int i = 0; i < SIM_LINK_ALL; i++)
		if (probe_link(net, i, &transport))
			return false;

	return true;
}

static struct sim_net *try_number(int number, int *errp)
{
	struct sim_net *net = xcalloc(1, sizeof(*net));
	char lock[TEXT_LEN];

	net->number = number;
	net->lock_fd = -1;
	(void)snprintf(lock, sizeof(lock), "127.%d.0.1:%d", number, LOCK_PORT);
	for (int i = 0; i < SIM_LINK_ALL; i++)
		(void)snprintf(net->addr[i], TEXT_LEN, "127.%d.%s:%d", number,
			       places[i].host, places[i].port);
	fill_uris(net);

	*errp = bind_new(&net->lock_fd, lock, SOCK_STREAM, false);
	/* something started by hand may sit there without the lock */
	if (!*errp && !all_free(net))
		*errp = EADDRINUSE;

	return *errp ? sim_net_free(net) : net;
}

/**
 * Take the first free loopback network and hold it
 *
 * Binding a TCP port of 127.N.0.1 is atomic, so that two runs at once never
 * get the same, and nothing is left behind by one that was killed.
 *
 * @return 0, or the last network's error
 */
int sim_net_take(struct sim_net **np, char **reasonp)
{
	int err = 0;

	for (int n = NET_FIRST; n <= NET_LAST; n++) {
		struct sim_net *net = try_number(n, &err);

		if (net) {
			*np = net;
			return 0;
		}
		if (err != EADDRINUSE)
			break;
	}
	*reasonp = xasprintf(
		"no loopback network 127.%d to 127.%d is free (%s): end other "
		"runs of sipshare, or see that the interface lo is up "
		"(ip link set lo up)",
		NET_FIRST, NET_LAST, strerror(err));

	return err;
}

static void tell_why(char **reasonp, const struct sim_net *net, int link,
		     const char *transport, int err)
{
	const struct place *p = &places[link];
	const char *what = "take another --port-base";

	if (err == EADDRINUSE)
		what = "end the program that uses it, or take another "
		       "--port-base";
	else if (err == EADDRNOTAVAIL)
		what = "that is no address of this machine (ip address "
		       "lists them)";
	else if (err == EACCES)
		what = "ports below 1024 are root's: take a higher "
		       "--port-base";
	*reasonp = xasprintf("%s: cannot listen for %s at %s (%s): %s; %s",
			     p->actor, p->proto, net->addr[link], transport,
			     strerror(err), what);
}

/**
 * All elements at one host's address, each with ports of its own
 *
 * @param host      IPv4 or IPv6 address as text
 * @param port_base The P-CSCF's port; the others keep their distance to it
 *
 * @return 0, EINVAL for no address, ERANGE for ports beyond 65535, or why a
 *         port cannot be had (reasonp names the element)
 */
int sim_net_at_host(struct sim_net **np, const char *host, int port_base,
		    char **reasonp)
{
	struct sim_net *net = xcalloc(1, sizeof(*net));
	bool is_bare_v6 = strchr(host, ':') && host[0] != '[';
	int err = 0;

	net->lock_fd = -1;
	for (int i = 0; i < SIM_LINK_COUNT && !err; i++) {
		int port = places[i].host_port + port_base - SIM_PORT_BASE;
		struct addr addr;

		if (port < 1 || port > 65535)
			err = ERANGE;
		(void)snprintf(net->addr[i], TEXT_LEN, "%s%.64s%s:%d",
			       is_bare_v6 ? "[" : "", host,
			       is_bare_v6 ? "]" : "", port);
		if (!err)
			err = addr_parse(&addr, net->addr[i]);
		if (err && err != ERANGE)
			err = EINVAL;
	}
	if (err == ERANGE)
		*reasonp =
			xasprintf("--port-base %d: the ports would go from "
				  "%d to %d, not within 1 to 65535",
				  port_base, 3868 + port_base - SIM_PORT_BASE,
				  8445 + port_base - SIM_PORT_BASE);
	else if (err)
		*reasonp = xasprintf("--host %s: not an IPv4 or IPv6 address",
				     host);
	fill_uris(net);

	for (int i = 0; i < SIM_LINK_COUNT && !err; i++) {
		const char *transport;

		err = probe_link(net, i, &transport);
		if (err)
			tell_why(reasonp, net, i, transport, err);
	}
	if (err)
		sim_net_free(net);
	else
		*np = net;

	return err;
}

/** Give the network back; gives NULL */
struct sim_net *sim_net_free(struct sim_net *net)
{
	if (net && net->lock_fd >= 0)
		close(net->lock_fd);
	free(net);

	return NULL;
}

/** N of 127.N.0.0/16; 0 when all share one host */
int sim_net_number(const struct sim_net *net)
{
	return net->number;
}

/** "127.1.1.1:5060" */
const char *sim_net_addr(const struct sim_net *net, enum sim_link link)
{
	return net->addr[link];
}

/** "sip:127.1.1.1:5060", "https://127.1.2.1:8443" */
const char *sim_net_uri(const struct sim_net *net, enum sim_link link)
{
	return net->uri[link];
}

/** Who listens there: "pcscf" */
const char *sim_net_actor(enum sim_link link)
{
	return places[link].actor;
}

/** What is spoken there: "SIP" */
const char *sim_net_proto(enum sim_link link)
{
	return places[link].proto;
}

/** The actor's host without port or brackets; "" if it has none */
void sim_net_hosts(const struct sim_net *net, const char *actor, char *text,
		   int room)
{
	text[0] = '\0';
	for (int i = 0; i < SIM_LINK_ALL; i++) {
		const char *a = net->addr[i] + (net->addr[i][0] == '[');
		const char *end = strrchr(a, ':');

		if (strcmp(places[i].actor, actor) != 0 || !*a)
			continue;
		if (end > a && end[-1] == ']')
			end--;
		(void)snprintf(text, (size_t)room, "%.*s", (int)(end - a), a);
		return;
	}
}
