/** @file https_guest.h  A peer that says what the test wants, at our HTTPS
 * server
 */
#ifndef SIPSHARE_TESTS_HTTPS_GUEST_H
#define SIPSHARE_TESTS_HTTPS_GUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/fake/https_bench.h"
#include "tests/fake/tls_peer.h"

/** NULL: none is there */
extern struct tls_peer *guest;

void guest_setup(void);
void guest_teardown(void);
/** Server and client of ours, and no guest */
void guest_none(void);
bool guest_is_open(const void *arg);
bool guest_is_closed(const void *arg);
bool guest_has_kept(const void *arg);
void guest_has(const char *text, const char *wanted);
/** A guest with the right certificate, its handshake done */
void guest_open(size_t body_max);

#endif
