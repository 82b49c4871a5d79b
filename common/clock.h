/** @file clock.h  The only source of time
 *
 * One clock a process: microseconds of CLOCK_MONOTONIC, the same for every
 * process of a machine, so that their traces merge. It can be taken over
 * (virtual time): from then on it stands still until it is moved, or given
 * back: then it goes on from where it stood.
 */
#ifndef SIPSHARE_CLOCK_H
#define SIPSHARE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

int64_t clock_now_us(void);
int64_t clock_wall_us(void);
int64_t clock_wall_s(void);
int64_t clock_real_us(void);
void clock_take_over(void);
void clock_take_over_at(int64_t us);
void clock_give_back(void);
void clock_set_us(int64_t us);
void clock_advance_us(int64_t us);
bool clock_is_virtual(void);
bool clock_is_real(void);

#endif
