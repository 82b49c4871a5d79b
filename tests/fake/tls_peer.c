#include "tests/fake/tls_peer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <openssl/ssl.h>

#include "common/addr.h"
#include "common/loop.h"
#include "common/mem.h"

static void on_rx(struct bufferevent *bev, void *arg)
{
	struct tls_peer *peer = arg;

	peer->len += bufferevent_read(bev, peer->rx + peer->len,
				      TLS_PEER_RX_MAX - 1 - peer->len);
	peer->rx[peer->len] = '\0';
}

static void on_what(struct bufferevent *bev, short what, void *arg)
{
	struct tls_peer *peer = arg;
	int on = 1;

	if (what & BEV_EVENT_CONNECTED) {
		(void)setsockopt(bufferevent_getfd(bev), IPPROTO_TCP,
				 TCP_NODELAY, &on, sizeof(on));
		peer->is_open = true;
	}
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		peer->is_closed = true;
}

static void start(struct tls_peer *peer, int fd,
		  enum bufferevent_ssl_state state)
{
	struct event_base *base = loop_base(peer->loop);

	if (peer->ctx)
		peer->bev = bufferevent_openssl_socket_new(
			base, fd, SSL_new(peer->ctx), state,
			BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	else
		peer->bev = bufferevent_socket_new(
			base, fd,
			BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	bufferevent_setcb(peer->bev, on_rx, NULL, on_what, peer);
	bufferevent_enable(peer->bev, EV_READ | EV_WRITE);
}

static struct tls_peer *connect_to(struct loop *loop, const char *text,
				   SSL_CTX *ctx)
{
	struct tls_peer *peer = xcalloc(1, sizeof(*peer));
	struct addr addr;

	peer->loop = loop;
	peer->ctx = ctx;
	if (addr_parse(&addr, text))
		abort();
	start(peer, -1, BUFFEREVENT_SSL_CONNECTING);
	if (bufferevent_socket_connect(peer->bev, (struct sockaddr *)&addr.ss,
				       (int)addr.len))
		abort();

	return peer;
}

/** Connect; cert NULL: show none. The server's certificate is not looked at */
struct tls_peer *tls_peer_connect(struct loop *loop, const char *addr,
				  const char *cert)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (cert) {
		SSL_CTX_use_certificate_chain_file(ctx, cert);
		SSL_CTX_use_PrivateKey_file(ctx, cert, SSL_FILETYPE_PEM);
	}

	return connect_to(loop, addr, ctx);
}

/** Connect by TCP alone */
struct tls_peer *tls_peer_connect_plain(struct loop *loop, const char *addr)
{
	return connect_to(loop, addr, NULL);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
		      struct sockaddr *sa, int len, void *arg)
{
	struct tls_peer *peer = arg;

	(void)listener;
	(void)sa;
	(void)len;
	if (peer->bev)
		bufferevent_free(peer->bev);
	start(peer, fd, BUFFEREVENT_SSL_ACCEPTING);
}

static struct tls_peer *listen_with(struct loop *loop, SSL_CTX *ctx)
{
	struct tls_peer *peer = xcalloc(1, sizeof(*peer));
	char text[ADDR_TEXT_LEN];
	struct addr addr;

	peer->loop = loop;
	peer->ctx = ctx;
	if (addr_parse(&addr, "127.0.0.1:0"))
		abort();
	peer->listener = evconnlistener_new_bind(
		loop_base(loop), on_accept, peer, LEV_OPT_CLOSE_ON_FREE, 8,
		(struct sockaddr *)&addr.ss, (int)addr.len);
	addr_local(&addr, evconnlistener_get_fd(peer->listener));
	snprintf(peer->url, sizeof(peer->url), "https://%s/x",
		 addr_format(text, &addr));

	return peer;
}

/** A server of that certificate */
struct tls_peer *tls_peer_listen(struct loop *loop, const char *cert)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_use_certificate_chain_file(ctx, cert);
	SSL_CTX_use_PrivateKey_file(ctx, cert, SSL_FILETYPE_PEM);

	return listen_with(loop, ctx);
}

/** A server of TCP alone */
struct tls_peer *tls_peer_listen_plain(struct loop *loop)
{
	return listen_with(loop, NULL);
}

struct tls_peer *tls_peer_free(struct tls_peer *peer)
{
	if (!peer)
		return NULL;

	if (peer->bev)
		bufferevent_free(peer->bev);
	if (peer->listener)
		evconnlistener_free(peer->listener);
	SSL_CTX_free(peer->ctx);
	free(peer);

	return NULL;
}

void tls_peer_tx(struct tls_peer *peer, const void *bytes, size_t len)
{
	bufferevent_write(peer->bev, bytes, len);
}

void tls_peer_tx_text(struct tls_peer *peer, const char *text)
{
	tls_peer_tx(peer, text, strlen(text));
}

/** Send what was written and close at once, with close_notify or without */
void tls_peer_shut(struct tls_peer *peer, bool is_polite)
{
	SSL *ssl = bufferevent_openssl_get_ssl(peer->bev);
	struct evbuffer *out = bufferevent_get_output(peer->bev);
	size_t len = evbuffer_get_length(out);
	int fd = bufferevent_getfd(peer->bev);

	bufferevent_disable(peer->bev, EV_READ | EV_WRITE);
	if (ssl && len)
		(void)SSL_write(ssl, evbuffer_pullup(out, -1), (int)len);
	if (ssl && is_polite)
		(void)SSL_shutdown(ssl);
	(void)shutdown(fd, SHUT_RDWR);
}
