/** @file https_framer.h  Cuts a byte stream into HTTP/1.1 messages (RFC 9112)
 *
 * It only cuts, for the trace: evhttp reads the messages. Where a message
 * ends is decided as evhttp decides it, LF alone as a line's end included.
 */
#ifndef SIPSHARE_HTTPS_FRAMER_H
#define SIPSHARE_HTTPS_FRAMER_H

#include <stdbool.h>
#include <stddef.h>

struct https_framer;

/** A message, head and body, exact bytes; is_whole false: the stream ended
 * or broke within it */
typedef void https_framer_cb(const char *data, size_t len, bool is_whole,
			     void *arg);

struct https_framer *https_framer_new(size_t len_max, https_framer_cb *cb,
				      void *arg);
struct https_framer *https_framer_free(struct https_framer *framer);
void https_framer_rx(struct https_framer *framer, const void *data, size_t len);
void https_framer_end(struct https_framer *framer);
bool https_framer_is_within(const struct https_framer *framer);

#endif
