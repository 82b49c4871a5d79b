/** @file fake_ue.h  REGISTERs as a UE writes them, on a fake_peer */
#ifndef SIPSHARE_TESTS_FAKE_UE_H
#define SIPSHARE_TESTS_FAKE_UE_H

#include <stdbool.h>

#include "common/digest.h"
#include "tests/fake/fake_peer.h"

/** One UE; the test sets what it wants otherwise. Strings are borrowed */
struct fake_ue {
	struct fake_peer *peer;
	const char *to; /**< the CSCF: "127.0.0.1:PORT" */
	const char *impu, *impi, *password, *realm, *uri;
	const char *contact; /**< NULL: none; the default is the peer's */
	const char *call_id;
	const char *expires; /**< NULL: no Expires */
	const char *extra;   /**< further lines, or "" */
	bool is_plain;       /**< first REGISTER without Authorization */
	enum digest_alg alg;
	unsigned nc; /**< of the next answer to a challenge */
	int cseq, branch;
	char default_contact[128], nonce[128];
};

void fake_ue_init(struct fake_ue *ue, struct fake_peer *peer, const char *to);
void fake_ue_register(struct fake_ue *ue);
/** Take the nonce of a 401 for fake_ue_answer() */
void fake_ue_take(struct fake_ue *ue, const char *text);
void fake_ue_answer(struct fake_ue *ue);
/** The REGISTER sent last once more, in its own transaction */
void fake_ue_repeat(struct fake_ue *ue);
/** Both REGISTERs; the final response, checked */
const char *fake_ue_register_through(struct fake_ue *ue, int status);

#endif
