#include "common/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * Read "host:port", with the host a numeric IPv4 address or IPv6 in brackets.
 * No name is looked up: that would block.
 *
 * @return 0, or EINVAL; addr is written on success only
 */
int addr_parse(struct addr *addr, const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[ADDR_TEXT_LEN];
	struct addr a = { .len = 0 };
	bool is_ipv6;
	size_t len;
	char *end;
	long port;

	if (!colon || colon == text || !colon[1])
		return EINVAL;

	port = strtol(colon + 1, &end, 10);
	if (*end || port < 0 || port > 65535)
		return EINVAL;

	len = (size_t)(colon - text);
	is_ipv6 = text[0] == '[' && text[len - 1] == ']';
	if (is_ipv6) {
		text++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return EINVAL;

	memcpy(host, text, len);
	host[len] = '\0';
	if (!is_ipv6 &&
	    inet_pton(AF_INET, host,
		      &((struct sockaddr_in *)&a.ss)->sin_addr) == 1) {
		a.ss.ss_family = AF_INET;
		((struct sockaddr_in *)&a.ss)->sin_port = htons((uint16_t)port);
		a.len = sizeof(struct sockaddr_in);
	} else if (is_ipv6 &&
		   inet_pton(AF_INET6, host,
			     &((struct sockaddr_in6 *)&a.ss)->sin6_addr) == 1) {
		a.ss.ss_family = AF_INET6;
		((struct sockaddr_in6 *)&a.ss)->sin6_port =
			htons((uint16_t)port);
		a.len = sizeof(struct sockaddr_in6);
	} else {
		return EINVAL;
	}
	*addr = a;

	return 0;
}

static void print_host(char *text, const struct addr *addr, bool brackets)
{
	char host[INET6_ADDRSTRLEN] = "?";
	const struct sockaddr_in6 *in6 = (const void *)&addr->ss;
	const struct sockaddr_in *in = (const void *)&addr->ss;

	if (addr->ss.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
	else if (addr->ss.ss_family == AF_INET)
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));

	if (brackets && addr->ss.ss_family == AF_INET6)
		snprintf(text, ADDR_TEXT_LEN, "[%s]", host);
	else
		snprintf(text, ADDR_TEXT_LEN, "%s", host);
}

/** Write "host:port", IPv6 in brackets; gives text */
char *addr_format(char text[static ADDR_TEXT_LEN], const struct addr *addr)
{
	size_t len;

	print_host(text, addr, true);
	len = strlen(text);
	snprintf(text + len, ADDR_TEXT_LEN - len, ":%d", addr_port(addr));

	return text;
}

/** Write the host alone, without brackets; gives text */
char *addr_host(char text[static ADDR_TEXT_LEN], const struct addr *addr)
{
	print_host(text, addr, false);

	return text;
}

/** The port, 0 to 65535 */
int addr_port(const struct addr *addr)
{
	if (addr->ss.ss_family == AF_INET6)
		return ntohs(
			((const struct sockaddr_in6 *)&addr->ss)->sin6_port);
	if (addr->ss.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&addr->ss)->sin_port);

	return 0;
}

/**
 * The host to call from: on the loopback net each element is a host of its
 * own, and is seen as it; elsewhere the system knows the way
 *
 * @param host   Room for the answer
 * @param listen Where the element listens: "127.1.1.2:5060"
 * @param to     Whom it calls: "127.1.1.4:3868" or "https://127.1.2.1:8443"
 *
 * @return host, or NULL: leave it to the system
 */
const char *addr_own_host(char host[static ADDR_TEXT_LEN], const char *listen,
			  const char *to)
{
	const char *slashes = strstr(to, "//");
	const char *to_host = slashes ? slashes + 2 : to;
	struct addr addr;

	if (strncmp(listen, "127.", 4) != 0 ||
	    strncmp(to_host, "127.", 4) != 0 || addr_parse(&addr, listen))
		return NULL;

	return addr_host(host, &addr);
}

/** This end's address of a socket */
void addr_local(struct addr *addr, int fd)
{
	memset(addr, 0, sizeof(*addr));
	addr->len = sizeof(addr->ss);
	if (getsockname(fd, (struct sockaddr *)&addr->ss, &addr->len))
		addr->len = 0;
}

/** The other end's address of a socket */
void addr_peer(struct addr *addr, int fd)
{
	memset(addr, 0, sizeof(*addr));
	addr->len = sizeof(addr->ss);
	if (getpeername(fd, (struct sockaddr *)&addr->ss, &addr->len))
		addr->len = 0;
}
