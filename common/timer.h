/** @file timer.h  All timers: one heap above one libevent timer
 *
 * A timer is embedded in its owner, or made by timer_new(). It fires once;
 * the callback may start it again or free its owner's timer. It goes by our
 * clock (common/clock.h); one of timer_new_real() by the machine's, which also
 * bounds what hangs while ours stands still.
 */
#ifndef SIPSHARE_TIMER_H
#define SIPSHARE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct timer;
struct timers;

typedef void timer_cb(void *arg);

struct timer *timer_new(struct loop *loop, timer_cb *cb, void *arg);
struct timer *timer_new_real(struct loop *loop, timer_cb *cb, void *arg);
struct timer *timer_free(struct timer *timer);
void timer_start_ms(struct timer *timer, int64_t delay_ms);
void timer_stop(struct timer *timer);
bool timer_is_running(const struct timer *timer);

/** Every timer with a name; defaults, units and clauses stand in timer_names.c
 */
enum timer_id {
	TIMER_NONE,
	TIMER_REG_AWAIT_AUTH,
	TIMER_REG_EXPIRES,
	TIMER_REG_MIN_EXPIRES,
	TIMER_CX_ANSWER,
	TIMER_DIAMETER_WATCHDOG,
	TIMER_DIAMETER_RECONNECT_MIN,
	TIMER_DIAMETER_RECONNECT_MAX,
	TIMER_DIAMETER_CER,
	TIMER_SIP_TRANSACTION,
	TIMER_SIP_C,
	TIMER_DIALOG,
	TIMER_HTTPS_REQUEST,
	TIMER_HTTPS_IDLE,
	TIMER_LOGIN,
	TIMER_MAX_USE,
	TIMER_LEASE_LIMIT,
	TIMER_COOL_DOWN,
	TIMER_DEREG_RETRY,
	TIMER_DEREG_BOUND,
	TIMER_PLATFORM,
	TIMER_WAITING,
	TIMER_RETRY,
	TIMER_RETRY_MAX,
	TIMER_REG_REFRESH,
	TIMER_TAKE_OVER,
	TIMER_STORE_ANSWER,
	TIMER_STORE_RECONNECT_MIN,
	TIMER_STORE_RECONNECT_MAX,
	TIMER_CALL_ANSWER,
	TIMER_CDR_INTERIM,
	TIMER_READY,
	TIMER_DRAIN,
	TIMER_SETTLE,
	TIMER_CALL_RING,
	TIMER_CALL_NO_ANSWER,
	TIMER_RTP_TALK,
	TIMER_WEB_IDLE,
	TIMER_WEB_KEEP_ALIVE,
	TIMER_COUNT
};

/** One row of the table of timers */
struct timer_name {
	const char *name;   /**< as in `--timer NAME=VALUE` */
	int64_t default_ms; /**< */
	const char *unit;   /**< "s" or "ms": unit of the value in options */
	const char *clause; /**< where it is from */
	const char *text;   /**< what it bounds */
};

const struct timer_name *timer_name_get(enum timer_id id);
int64_t timer_value_ms(enum timer_id id);
int timer_override(const char *assignment, const char **reasonp);

/* For the loop */
struct timers *timers_new(int64_t (*now_us)(void));
struct timers *timers_free(struct timers *timers);
int64_t timers_next_us(const struct timers *timers);
int timers_run_due(struct timers *timers, int64_t now_us);

#endif
