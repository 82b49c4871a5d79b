#include "common/clock.h"

#include <time.h>

/* The process has one clock, as the machine has: not a role's state */
static struct {
	bool is_virtual;
	int64_t virtual_us;
	int64_t late_us; /* how far ahead the machine's clock is */
	int64_t wall_offset_us;
} the_clock;

static int64_t read_us(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);

	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/** Microseconds since an arbitrary point, the same one for every process */
int64_t clock_now_us(void)
{
	return the_clock.is_virtual
		       ? the_clock.virtual_us
		       : read_us(CLOCK_MONOTONIC) - the_clock.late_us;
}

/** Microseconds of the machine's clock, whatever ours says: for what orders
 * events among processes, and for bounds on a process that hangs */
int64_t clock_real_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

/**
 * Microseconds since 1970 by the testbed's clock. The offset is read once, so
 * that a step of the machine's clock moves no timer.
 */
int64_t clock_wall_us(void)
{
	if (!the_clock.wall_offset_us)
		the_clock.wall_offset_us =
			read_us(CLOCK_REALTIME) - read_us(CLOCK_MONOTONIC);

	return clock_now_us() + the_clock.wall_offset_us;
}

/** Seconds since 1970 by the testbed's clock */
int64_t clock_wall_s(void)
{
	return clock_wall_us() / 1000000;
}

/** Stop the clock where it is; only clock_set_us() and clock_advance_us() move
 * it from now on */
void clock_take_over(void)
{
	the_clock.virtual_us = clock_now_us();
	the_clock.is_virtual = true;
}

/** Stop the clock at a time of others, before anything has asked for it */
void clock_take_over_at(int64_t us)
{
	the_clock.virtual_us = us;
	the_clock.is_virtual = true;
}

/** Let the clock go again, from where it stands */
void clock_give_back(void)
{
	if (!the_clock.is_virtual)
		return;
	the_clock.late_us = read_us(CLOCK_MONOTONIC) - the_clock.virtual_us;
	the_clock.is_virtual = false;
}

/** Move a clock that was taken over to a time; it never goes back */
void clock_set_us(int64_t us)
{
	if (us > the_clock.virtual_us)
		the_clock.virtual_us = us;
}

/** Move a clock that was taken over; us must not be negative */
void clock_advance_us(int64_t us)
{
	if (us > 0)
		the_clock.virtual_us += us;
}

bool clock_is_virtual(void)
{
	return the_clock.is_virtual;
}

/** Is it the machine's clock, and was it ever since the start? */
bool clock_is_real(void)
{
	return !the_clock.is_virtual && the_clock.late_us == 0;
}
