#include "tests/fake/raw.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <check.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/addr.h"
#include "common/mem.h"

static int bound_ms = 4000; /* the test process's own */

void raw_set_bound_ms(int ms)
{
	bound_ms = ms;
}

static int connect_to(const char *to, int type)
{
	struct addr addr;
	int fd;

	ck_assert_msg(!addr_parse(&addr, to), "%s", to);
	fd = socket(addr.ss.ss_family, type | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	if (connect(fd, (struct sockaddr *)&addr.ss, addr.len)) {
		close(fd);
		return -1;
	}

	return fd;
}

/* SIP and HTTP alike: a head, and a body of Content-Length */
static bool is_whole(const struct raw_answer *a)
{
	const char *head_end = strstr(a->data, "\r\n\r\n");
	const char *length = strcasestr(a->data, "\r\nContent-Length:");
	size_t body = length && head_end && length < head_end
			      ? strtoul(length + 17, NULL, 10)
			      : 0;

	return head_end &&
	       (size_t)a->len >= (size_t)(head_end - a->data) + 4 + body;
}

static bool is_readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, bound_ms) > 0;
}

static void receive(struct raw_answer *a, int fd)
{
	while (a->len < RAW_MAX - 1 && !is_whole(a) && is_readable(fd)) {
		ssize_t n = recv(fd, a->data + a->len,
				 (size_t)(RAW_MAX - 1 - a->len), 0);

		a->is_closed = n <= 0;
		if (n <= 0)
			break;
		a->len += n;
		a->data[a->len] = '\0';
	}
}

static void exchange(struct raw_answer *a, const char *to, int type,
		     const void *data, size_t len)
{
	int fd = connect_to(to, type);
	const char *p = data;

	memset(a, 0, sizeof(*a));
	if (fd < 0) {
		a->len = -1;
		return;
	}
	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			break; /* closed on us: what it said is read below */
		p += n;
		len -= (size_t)n;
	}
	receive(a, fd);
	close(fd);
}

void raw_udp(struct raw_answer *a, const char *to, const void *data, size_t len)
{
	exchange(a, to, SOCK_DGRAM, data, len);
}

void raw_tcp(struct raw_answer *a, const char *to, const void *data, size_t len)
{
	exchange(a, to, SOCK_STREAM, data, len);
}

static SSL_CTX *new_ctx(const char *cert, const char *ca)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	ck_assert_ptr_nonnull(ctx);
	if (ca) {
		ck_assert_int_eq(SSL_CTX_load_verify_locations(ctx, ca, NULL),
				 1);
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	}
	if (cert) {
		ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(ctx, cert),
				 1);
		ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(ctx, cert,
							     SSL_FILETYPE_PEM),
				 1);
	}

	return ctx;
}

static void tls_failed(struct raw_answer *a)
{
	unsigned long e = ERR_get_error();

	a->len = -1;
	ERR_error_string_n(e, a->data, sizeof(a->data));
}

static void tls_exchange(struct raw_answer *a, SSL *ssl, const char *text)
{
	int n = SSL_connect(ssl);

	if (n == 1)
		n = SSL_write(ssl, text, (int)strlen(text));
	if (n <= 0) {
		tls_failed(a);
		return;
	}
	while (bound_ms && !is_whole(a)) {
		n = SSL_read(ssl, a->data + a->len,
			     (int)(RAW_MAX - 1 - a->len));
		if (n <= 0)
			break;
		a->len += n;
	}
	if (n <= 0) {
		a->is_closed = 1;
		/* TLS 1.3: that a certificate is missing is said only here */
		if (!a->len && SSL_get_error(ssl, n) == SSL_ERROR_SSL)
			tls_failed(a);
	}
}

void raw_tls(struct raw_answer *a, const char *to, const char *cert,
	     const char *ca, const char *text)
{
	struct timeval bound = { .tv_sec = bound_ms / 1000 };
	SSL_CTX *ctx = new_ctx(cert, ca);
	SSL *ssl = SSL_new(ctx);
	int fd = connect_to(to, SOCK_STREAM);

	memset(a, 0, sizeof(*a));
	ck_assert_int_ge(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound));
	SSL_set_fd(ssl, fd);
	tls_exchange(a, ssl, text);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
}

void raw_https(struct raw_answer *a, const char *to, const char *cert,
	       const char *ca, const char *head, const char *body)
{
	char *text = xasprintf("%s\r\nHost: %s\r\nContent-Length: %zu\r\n\r\n"
			       "%s",
			       head, to, strlen(body), body);

	raw_tls(a, to, cert, ca, text);
	free(text);
}
