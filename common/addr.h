/** @file addr.h  Socket addresses as text: 127.0.0.1:5060, [::1]:5060 */
#ifndef SIPSHARE_ADDR_H
#define SIPSHARE_ADDR_H

#include <sys/socket.h>

enum { ADDR_TEXT_LEN = 64 };

/** A socket address with its length */
struct addr {
	struct sockaddr_storage ss;
	socklen_t len;
};

int addr_parse(struct addr *addr, const char *text);
char *addr_format(char text[static ADDR_TEXT_LEN], const struct addr *addr);
char *addr_host(char text[static ADDR_TEXT_LEN], const struct addr *addr);
int addr_port(const struct addr *addr);
const char *addr_own_host(char host[static ADDR_TEXT_LEN], const char *listen,
			  const char *to);
void addr_local(struct addr *addr, int fd);
void addr_peer(struct addr *addr, int fd);

#endif
