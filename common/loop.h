/** @file loop.h  The event loop: libevent outside, sofia's root stepped inside
 *
 * One process, one thread, one loop. Nothing run by it may block.
 */
#ifndef SIPSHARE_LOOP_H
#define SIPSHARE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_watch;
struct event_base;
struct su_root_s;
struct timers;

typedef void loop_cb(void *arg);
typedef bool loop_pred(const void *arg);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop *loop_new(void);
struct loop *loop_free(struct loop *loop);

int loop_run(struct loop *loop);
bool loop_run_until(struct loop *loop, loop_pred *pred, const void *arg,
		    int bound_ms);
void loop_stop(struct loop *loop);

void loop_defer(struct loop *loop, loop_cb *cb, void *arg);
void loop_when_idle(struct loop *loop, loop_cb *cb, void *arg);
void loop_ignore_fd(struct loop *loop, int fd);
void loop_count(struct loop *loop);
uint64_t loop_acted(const struct loop *loop);
int64_t loop_due_us(const struct loop *loop);
struct loop_watch *loop_watch_fd(struct loop *loop, int fd, int what,
				 loop_cb *cb, void *arg);
struct loop_watch *loop_watch_signal(struct loop *loop, int signo, loop_cb *cb,
				     void *arg);
struct loop_watch *loop_unwatch(struct loop_watch *watch);

struct event_base *loop_base(struct loop *loop);
struct su_root_s *loop_root(struct loop *loop);
struct timers *loop_timers(struct loop *loop);
struct timers *loop_real_timers(struct loop *loop);

#endif
