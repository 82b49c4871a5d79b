/** @file fake_peer.h  A SIP peer on a bare socket: records what comes, sends
 * what the test says
 *
 * On the loop of the parts under test. Text is written with \n, sent with
 * CRLF, and given its Content-Length. What does not come ends the test.
 */
#ifndef SIPSHARE_TESTS_FAKE_PEER_H
#define SIPSHARE_TESTS_FAKE_PEER_H

#include <stdbool.h>

struct fake_peer;
struct loop;

enum fake_transport { FAKE_UDP, FAKE_TCP };

struct fake_peer *fake_peer_new(struct loop *loop, enum fake_transport by);
struct fake_peer *fake_peer_free(struct fake_peer *peer);
/** Where it listens: "127.0.0.1:PORT" */
const char *fake_peer_addr(const struct fake_peer *peer);
/** "UDP" or "TCP", for Via */
const char *fake_peer_transport(const struct fake_peer *peer);
void fake_peer_tx(struct fake_peer *peer, const char *to, const char *text);
/** Exact bytes, as they are */
void fake_peer_tx_raw(struct fake_peer *peer, const char *to, const char *text);
/** Wait for the next message; borrowed until the next one */
const char *fake_peer_rx(struct fake_peer *peer);
/** Wait for the next message that begins so; others are skipped */
const char *fake_peer_expect(struct fake_peer *peer, const char *start);
/** Wait for a final response and check its status */
const char *fake_peer_expect_status(struct fake_peer *peer, int status);
/** How many messages came that no one asked for yet */
int fake_peer_pending(const struct fake_peer *peer);
/** Answer the message received last; headers are lines, or "" */
void fake_peer_reply(struct fake_peer *peer, int status, const char *headers);

/** Value of the nth header line of a name, in a static buffer; "": none */
const char *fake_header(const char *text, const char *name, int nth);

#endif
