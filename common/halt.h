/** @file halt.h  An element stops in the midst of one of its decisions
 *
 * The runner names an event of the trace; when the element traces it, it sends
 * what it has said so far and waits for SIGCONT, before it does what would have
 * come next. There it can be killed, or looked at and let go: always at the
 * same point, however fast the machine is.
 */
#ifndef SIPSHARE_HALT_H
#define SIPSHARE_HALT_H

#include <jansson.h>

struct ctl;
struct halt;
struct trace;

struct halt *halt_new(struct trace *trace, struct ctl *ctl);
struct halt *halt_free(struct halt *halt);
int halt_at(struct halt *halt, const json_t *where);

#endif
