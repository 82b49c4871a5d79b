/** @file raw.h  Clients that send what the test says, right or wrong
 *
 * Blocking, with a bound of some seconds; an answer ends with a NUL.
 */
#ifndef SIPSHARE_TESTS_RAW_H
#define SIPSHARE_TESTS_RAW_H

#include <stddef.h>
#include <sys/types.h>

enum { RAW_MAX = 1 << 17 };

/** What came back: bytes until the peer closed, was silent for the bound, or
 * a whole message (SIP, HTTP) was there. len -1: the connection failed */
struct raw_answer {
	char data[RAW_MAX];
	ssize_t len;
	int is_closed; /**< the peer closed */
};

/** How long to wait for an answer from now on; 0 where none is expected: the
 * connection is closed as soon as all was sent */
void raw_set_bound_ms(int ms);
void raw_udp(struct raw_answer *a, const char *to, const void *data,
	     size_t len);
void raw_tcp(struct raw_answer *a, const char *to, const void *data,
	     size_t len);
/** cert, ca: PEM files or NULL. The handshake's failure gives len -1 and the
 * reason in data */
void raw_tls(struct raw_answer *a, const char *to, const char *cert,
	     const char *ca, const char *text);
/** One HTTP request over TLS with its Content-Length */
void raw_https(struct raw_answer *a, const char *to, const char *cert,
	       const char *ca, const char *head, const char *body);

#endif
