/** @file hold.h  A received message can wait before its process acts on it
 *
 * Every protocol's receiving edge asks hold_message() first. While holding is
 * on, messages queue here in the order they came, each with a number, until
 * the runner releases them.
 */
#ifndef SIPSHARE_HOLD_H
#define SIPSHARE_HOLD_H

#include <stdbool.h>
#include <stddef.h>

struct hold;
struct trace;

/** Go on with the message (is_dropped: only free it). Called once */
typedef void hold_done_cb(bool is_dropped, void *arg);

struct hold *hold_new(struct trace *trace);
struct hold *hold_free(struct hold *hold);
bool hold_message(struct hold *hold, const char *what, const char *remote,
		  hold_done_cb *cb, void *arg);
void hold_start(struct hold *hold);
void hold_stop(struct hold *hold);
int hold_release(struct hold *hold, unsigned number);
int hold_drop(struct hold *hold, unsigned number);
void hold_drop_of(struct hold *hold, const void *arg);
size_t hold_count(const struct hold *hold);

#endif
