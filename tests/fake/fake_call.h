/** @file fake_call.h  One end of a call, message by message, on a fake_peer
 *
 * Keeps the dialog's state as RFC 3261 12 says, and nothing else: no
 * transactions, no timers. What is sent is what the test says.
 */
#ifndef SIPSHARE_TESTS_FAKE_CALL_H
#define SIPSHARE_TESTS_FAKE_CALL_H

#include "tests/fake/fake_peer.h"

enum { FAKE_CALL_TEXT = 512, FAKE_CALL_LONG = 4096 };

/** The test sets what it wants otherwise */
struct fake_call {
	struct fake_peer *peer;
	const char *hop; /**< where requests are sent: "127.0.0.1:PORT" */
	char call_id[64];
	char local[FAKE_CALL_TEXT], remote[FAKE_CALL_TEXT]; /**< From, To */
	char contact[FAKE_CALL_TEXT];
	char target[FAKE_CALL_TEXT]; /**< the other end's Contact */
	char routes[FAKE_CALL_LONG]; /**< Route's value; "": none */
	char extra[FAKE_CALL_LONG];  /**< further lines of the next request */
	int cseq, branch;
	char invite[FAKE_CALL_LONG * 2];  /**< sent, for CANCEL, repeats */
	char request[FAKE_CALL_LONG * 2]; /**< received, to be answered */
};

void fake_call_init(struct fake_call *call, struct fake_peer *peer,
		    const char *hop, const char *from);
/** INVITE with an offer, to a URI */
void fake_call_invite(struct fake_call *call, const char *uri);
/** A request within the dialog, or, before there is one, to target */
void fake_call_tx(struct fake_call *call, const char *method);
void fake_call_ack(struct fake_call *call);
void fake_call_cancel(struct fake_call *call);
/** The same INVITE again */
void fake_call_repeat(struct fake_call *call);
/** Wait for a response; of 101 to 299 its dialog is taken */
const char *fake_call_expect_status(struct fake_call *call, int status);
/** Wait for a request; of an INVITE its dialog is taken */
const char *fake_call_expect(struct fake_call *call, const char *method);
/** Answer the request that came last; headers are lines, or "" */
void fake_call_reply(struct fake_call *call, int status, const char *headers);
/** Answer 200 with an SDP answer */
void fake_call_answer(struct fake_call *call);

#endif
