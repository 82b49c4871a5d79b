/* When the AS acts by itself: [0115]'s maximum use time after the call-end
 * message, the lease's own end, and repeats of what the platform has not
 * answered. Deadlines are kept by the wall clock, so that they hold over a
 * restart. */
#include "appserver/appserver_binding.h"
#include "common/clock.h"
#include "common/fsm.h"
#include "common/timer.h"

/** Milliseconds since 1970 */
int64_t as_wall_ms(void)
{
	return clock_wall_us() / 1000;
}

static int64_t due_ms(const struct as_binding *b)
{
	int64_t limit_ms = b->expires_s * 1000;

	return b->deadline_ms > 0 && b->deadline_ms < limit_ms ? b->deadline_ms
							       : limit_ms;
}

/** Have AS_EV_DUE when a bound number's time is over */
void as_timer_arm(struct as_binding *b)
{
	int64_t left_ms = due_ms(b) - as_wall_ms();

	fsm_timer_ms(b->fsm, left_ms > 0 ? left_ms : 0);
}

/** Whether a bound number's time is over */
bool as_timer_is_due(const struct as_binding *b)
{
	return as_wall_ms() >= due_ms(b);
}

/** Whether the lease itself is at its end */
bool as_timer_is_limit(const struct as_binding *b)
{
	return as_wall_ms() >= b->expires_s * 1000;
}

/** Seconds until then, rounded up; 0 if it has passed */
int as_timer_left_s(int64_t deadline_ms)
{
	int64_t left_ms = deadline_ms == AS_AFTER_CALL
				  ? timer_value_ms(TIMER_MAX_USE)
				  : deadline_ms - as_wall_ms();

	return left_ms > 0 ? (int)((left_ms + 999) / 1000) : 0;
}

/** The platform has been asked: have AS_EV_DUE when the terminal, which would
 * wait no longer than the HTTPS client does, is to be told so */
void as_timer_answer(struct as_binding *b)
{
	b->turn = AS_PLATFORM;
	fsm_timer_ms(b->fsm, timer_value_ms(TIMER_PLATFORM));
}

/** Have AS_EV_DUE when to ask the platform again: doubled each time */
void as_timer_retry(struct as_binding *b)
{
	enum { DOUBLED_MAX = 16 };
	int64_t delay_ms =
		timer_value_ms(TIMER_RETRY)
		<< (b->retries < DOUBLED_MAX ? b->retries : DOUBLED_MAX);
	int64_t max_ms = timer_value_ms(TIMER_RETRY_MAX);

	b->retries++;
	b->turn = AS_PAUSE;
	fsm_timer_ms(b->fsm, delay_ms < max_ms ? delay_ms : max_ms);
}
