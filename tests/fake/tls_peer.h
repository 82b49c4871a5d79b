/** @file tls_peer.h  A TLS peer that sends just the bytes that the test says
 *
 * As a client it connects to a server under test; as a server it takes one
 * connection of a client under test.
 */
#ifndef SIPSHARE_TESTS_TLS_PEER_H
#define SIPSHARE_TESTS_TLS_PEER_H

#include <stdbool.h>
#include <stddef.h>

struct bufferevent;
struct evconnlistener;
struct loop;
struct tls_peer;

enum { TLS_PEER_RX_MAX = 1 << 17 };

/** All may be read by the test */
struct tls_peer {
	struct loop *loop;
	struct bufferevent *bev;
	struct evconnlistener *listener;
	void *ctx; /**< SSL_CTX, NULL: plain TCP */
	char rx[TLS_PEER_RX_MAX];
	size_t len;
	bool is_open, is_closed;
	char url[64]; /**< of a server */
};

struct tls_peer *tls_peer_connect(struct loop *loop, const char *addr,
				  const char *cert);
struct tls_peer *tls_peer_connect_plain(struct loop *loop, const char *addr);
struct tls_peer *tls_peer_listen(struct loop *loop, const char *cert);
struct tls_peer *tls_peer_listen_plain(struct loop *loop);
struct tls_peer *tls_peer_free(struct tls_peer *peer);
void tls_peer_tx(struct tls_peer *peer, const void *bytes, size_t len);
void tls_peer_tx_text(struct tls_peer *peer, const char *text);
void tls_peer_shut(struct tls_peer *peer, bool is_polite);

#endif
