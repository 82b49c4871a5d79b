/** @file fake_dia_peer.h  A Diameter peer made of octets: sends what the test
 * says, well-formed or not, and keeps what came
 */
#ifndef SIPSHARE_TESTS_FAKE_DIA_PEER_H
#define SIPSHARE_TESTS_FAKE_DIA_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/dia_msg.h"

struct loop;
struct stream;
struct stream_listener;

enum { FAKE_DIA_MESSAGES = 32 };

struct fake_dia_peer {
	struct loop *loop;
	struct stream_listener *listener;
	struct stream *stream;
	char address[ADDR_TEXT_LEN]; /**< where it listens */
	int connections;             /**< accepted so far */
	bool is_closed;              /**< by the other side */
	bool is_mute; /**< answers neither CER nor DWR by itself */

	/** What came, in order; each whole, the octets are owned here */
	struct dia_msg messages[FAKE_DIA_MESSAGES];
	uint8_t *octets[FAKE_DIA_MESSAGES];
	int message_n;
};

struct fake_dia_peer *fake_dia_peer_listen(struct loop *loop);
struct fake_dia_peer *fake_dia_peer_connect(struct loop *loop,
					    const char *address);
struct fake_dia_peer *fake_dia_peer_free(struct fake_dia_peer *peer);
void fake_dia_peer_hang_up(struct fake_dia_peer *peer);
void fake_dia_peer_tx(struct fake_dia_peer *peer, const void *data, size_t len);
/** Send what was built, and clear it */
void fake_dia_peer_tx_build(struct fake_dia_peer *peer, struct dia_build *b);
void fake_dia_peer_tx_cer(struct fake_dia_peer *peer);
/** Begin an answer to a message that came, with result and origin */
void fake_dia_peer_answer(struct dia_build *b, const struct dia_msg *request,
			  uint32_t result);
/** The last message that came of a command, or NULL */
const struct dia_msg *fake_dia_peer_find(const struct fake_dia_peer *peer,
					 uint32_t command, bool is_request);

#endif
