/** @file dia_pending.h  Requests that wait for their answers, by hop-by-hop id
 *
 * Each waits TIMER_CX_ANSWER at most. A callback comes once, from the loop.
 */
#ifndef SIPSHARE_DIA_PENDING_H
#define SIPSHARE_DIA_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/dia_peer.h"

struct dia_pending;
struct loop;

struct dia_pending *dia_pending_new(struct loop *loop);
struct dia_pending *dia_pending_free(struct dia_pending *pending);
void dia_pending_add(struct dia_pending *pending, uint32_t hop_by_hop, int err,
		     dia_answer_cb *cb, void *arg);
bool dia_pending_pause(struct dia_pending *pending, uint32_t hop_by_hop);
void dia_pending_resume(struct dia_pending *pending, uint32_t hop_by_hop);
bool dia_pending_answer(struct dia_pending *pending, uint32_t hop_by_hop,
			int err, const struct dia_msg *answer);
void dia_pending_fail(struct dia_pending *pending, int err);

#endif
