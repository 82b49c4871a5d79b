/** @file conduct.h  An element is told what time it is, and when it acts
 *
 * For virtual time and for stepping, the runner owns the clock of all elements
 * and lets one received message at a time be acted on:
 *   conduct {"clock_us":N}   our clock stands at N, and what is received is
 * held (common/hold.h). Answered when nothing is left to do: {"clock_us",
 * "acted": how often something came, "due_us": of the next timer, or -1}
 *   conduct-end {}           the clock goes on, what is held is let go
 */
#ifndef SIPSHARE_CONDUCT_H
#define SIPSHARE_CONDUCT_H

#include <stdint.h>

struct conduct;
struct ctl;
struct hold;
struct loop;

struct conduct *conduct_new(struct loop *loop, struct ctl *ctl,
			    struct hold *hold);
struct conduct *conduct_free(struct conduct *conduct);
void conduct_begin_at(struct conduct *conduct, int64_t clock_us);
void conduct_start(struct conduct *conduct, int64_t clock_us);
void conduct_end(struct conduct *conduct);

#endif
