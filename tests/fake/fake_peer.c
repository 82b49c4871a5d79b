#include "tests/fake/fake_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>

#include "common/addr.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/stream.h"
#include "tests/patience.h"

enum { QUEUE_MAX = 64, DATAGRAM_MAX = 65536 };

/** Owned by the test */
struct fake_peer {
	struct loop *loop;
	enum fake_transport by;
	char addr[ADDR_TEXT_LEN];
	int fd;
	struct loop_watch *watch;
	struct stream_listener *listener;
	struct stream *stream; /* TCP: the connection used last */
	struct stream *streams[QUEUE_MAX];
	int stream_n;
	struct addr from; /* UDP: who sent the message received last */
	char *queue[QUEUE_MAX];
	int queue_n;
	char *last;
};

static void put(struct fake_peer *peer, const char *data, size_t len)
{
	ck_assert_int_lt(peer->queue_n, QUEUE_MAX);
	peer->queue[peer->queue_n++] = xstrndup(data, len);
}

static void on_datagram(void *arg)
{
	struct fake_peer *peer = arg;
	static char data[DATAGRAM_MAX];
	ssize_t n;

	peer->from.len = sizeof(peer->from.ss);
	n = recvfrom(peer->fd, data, sizeof(data), MSG_DONTWAIT,
		     (struct sockaddr *)&peer->from.ss, &peer->from.len);
	if (n > 0)
		put(peer, data, (size_t)n);
}

static ssize_t on_bytes(const uint8_t *data, size_t len, void *arg)
{
	const char *text = (const char *)data;
	const char *end = memmem(text, len, "\r\n\r\n", 4);
	size_t head_len, body_len;
	char *head;

	if (!end)
		return 0;

	head_len = (size_t)(end - text) + 4;
	head = xstrndup(text, head_len);
	body_len = strtoul(fake_header(head, "Content-Length", 0), NULL, 10);
	free(head);
	if (len < head_len + body_len)
		return 0;
	put(arg, text, head_len + body_len);

	return (ssize_t)(head_len + body_len);
}

static void on_end(int err, void *arg)
{
	struct fake_peer *peer = arg;

	(void)err;
	peer->stream = NULL;
}

static const struct stream_ops ops = { .rx = on_bytes, .end = on_end };

static void keep(struct fake_peer *peer, struct stream *stream)
{
	ck_assert_int_lt(peer->stream_n, QUEUE_MAX);
	peer->streams[peer->stream_n++] = stream;
	peer->stream = stream;
}

static void on_accept(struct stream *stream, void *arg)
{
	stream_set_ops(stream, &ops, arg);
	keep(arg, stream);
}

static void listen_udp(struct fake_peer *peer, struct addr *at)
{
	peer->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(peer->fd, (struct sockaddr *)&at->ss, at->len),
			 0);
	addr_local(at, peer->fd);
	peer->watch = loop_watch_fd(peer->loop, peer->fd, LOOP_READ,
				    on_datagram, peer);
}

struct fake_peer *fake_peer_new(struct loop *loop, enum fake_transport by)
{
	struct fake_peer *peer = xcalloc(1, sizeof(*peer));
	struct addr at;

	peer->loop = loop;
	peer->by = by;
	peer->fd = -1;
	ck_assert_int_eq(addr_parse(&at, "127.0.0.1:0"), 0);
	if (by == FAKE_UDP) {
		listen_udp(peer, &at);
	} else {
		ck_assert_int_eq(stream_listen(&peer->listener, loop, &at,
					       on_accept, peer),
				 0);
		stream_listener_addr(peer->listener, &at);
	}
	addr_format(peer->addr, &at);

	return peer;
}

struct fake_peer *fake_peer_free(struct fake_peer *peer)
{
	if (!peer)
		return NULL;

	loop_unwatch(peer->watch);
	if (peer->fd >= 0)
		close(peer->fd);
	stream_unlisten(peer->listener);
	for (int i = 0; i < peer->stream_n; i++)
		stream_free(peer->streams[i]);
	for (int i = 0; i < peer->queue_n; i++)
		free(peer->queue[i]);
	free(peer->last);
	free(peer);

	return NULL;
}

const char *fake_peer_addr(const struct fake_peer *peer)
{
	return peer->addr;
}

const char *fake_peer_transport(const struct fake_peer *peer)
{
	return peer->by == FAKE_UDP ? "UDP" : "TCP";
}

/* With CRLF, and a Content-Length where there is none */
static char *make_wire(const char *text)
{
	const char *body = strstr(text, "\n\n");
	bool has_length = strcasestr(text, "\nContent-Length:");
	char *wire = NULL;
	size_t len, body_len = body ? strlen(body + 2) : 0;
	FILE *f = open_memstream(&wire, &len);

	for (const char *p = text; *p && p != body; p++) {
		if (*p == '\n' && (p == text || p[-1] != '\r'))
			fputc('\r', f);
		fputc(*p, f);
	}
	if (!has_length)
		fprintf(f, "%sContent-Length: %zu\r\n", body ? "\r\n" : "",
			body_len);
	else if (body)
		fputs("\r\n", f);
	fprintf(f, "\r\n%s", body ? body + 2 : "");
	fclose(f);

	return wire;
}

void fake_peer_tx_raw(struct fake_peer *peer, const char *to, const char *text)
{
	struct addr addr;
	struct stream *stream;

	if (to)
		ck_assert_int_eq(addr_parse(&addr, to), 0);
	else
		addr = peer->from;
	if (peer->by == FAKE_UDP) {
		ck_assert_int_gt(sendto(peer->fd, text, strlen(text), 0,
					(struct sockaddr *)&addr.ss, addr.len),
				 0);
		return;
	}
	if (!peer->stream) {
		ck_assert_int_eq(
			stream_connect(&stream, peer->loop, &addr, &ops, peer),
			0);
		keep(peer, stream);
	}
	stream_write(peer->stream, text, strlen(text));
}

void fake_peer_tx(struct fake_peer *peer, const char *to, const char *text)
{
	char *wire = make_wire(text);

	fake_peer_tx_raw(peer, to, wire);
	free(wire);
}

static bool has_message(const void *arg)
{
	return ((const struct fake_peer *)arg)->queue_n > 0;
}

const char *fake_peer_rx(struct fake_peer *peer)
{
	if (!loop_run_until(peer->loop, has_message, peer, PATIENCE_MS))
		ck_abort_msg("no message came to %s; the last one was:\n%s",
			     peer->addr, peer->last ? peer->last : "(none)");
	free(peer->last);
	peer->last = peer->queue[0];
	peer->queue_n--;
	memmove(peer->queue, peer->queue + 1,
		(size_t)peer->queue_n * sizeof(*peer->queue));

	return peer->last;
}

const char *fake_peer_expect(struct fake_peer *peer, const char *start)
{
	const char *text;

	do
		text = fake_peer_rx(peer);
	while (strncmp(text, start, strlen(start)) != 0);

	return text;
}

const char *fake_peer_expect_status(struct fake_peer *peer, int status)
{
	const char *text;
	int got;

	do {
		text = fake_peer_expect(peer, "SIP/2.0 ");
		got = atoi(text + strlen("SIP/2.0 "));
	} while (got < 200);
	if (got != status)
		ck_abort_msg("expected %d, got:\n%s", status, text);

	return text;
}

int fake_peer_pending(const struct fake_peer *peer)
{
	return peer->queue_n;
}

void fake_peer_reply(struct fake_peer *peer, int status, const char *headers)
{
	static const char *const copied[] = { "From", "Call-ID", "CSeq" };
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fprintf(f, "SIP/2.0 %d Said By The Test\n", status);
	for (int i = 0; *fake_header(peer->last, "Via", i); i++)
		fprintf(f, "Via: %s\n", fake_header(peer->last, "Via", i));
	for (size_t i = 0; i < sizeof(copied) / sizeof(*copied); i++)
		fprintf(f, "%s: %s\n", copied[i],
			fake_header(peer->last, copied[i], 0));
	fprintf(f, "To: %s;tag=fake\n%s", fake_header(peer->last, "To", 0),
		headers);
	fclose(f);
	fake_peer_tx(peer, NULL, text);
	free(text);
}

const char *fake_header(const char *text, const char *name, int nth)
{
	static char value[4096];
	const char *p = text;

	while ((p = strchr(p, '\n')) && p[1] && p[1] != '\r') {
		size_t n = strlen(name);
		const char *v = p + 1 + n;

		p++;
		if (strncasecmp(p, name, n) != 0 || *v != ':' || nth-- > 0)
			continue;
		v += 1 + strspn(v + 1, " ");
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(v, "\r\n"),
			 v);
		return value;
	}

	return "";
}
