/** @file fake_platform_bed.h  A platform with a registrar, for its unit tests
 *
 * All on one loop. Every lease.state event is checked on its way (I2).
 */
#ifndef SIPSHARE_FAKE_PLATFORM_BED_H
#define SIPSHARE_FAKE_PLATFORM_BED_H

#include <stdbool.h>

#include "platform/platform_lease.h"
#include "platform/platform_units.h"

struct ctl;
struct fake_registrar;
struct loop;

enum { BED_DIR_LEN = 64 };

/** Owned by the test; zeroed before bed_start() */
struct bed {
	struct loop *loop;
	struct element *el;
	struct plat *plat;
	struct fake_registrar *registrar;
	struct ctl *runner; /* of has_https: the control channel's other end */
	char dir[BED_DIR_LEN];
	char store[BED_DIR_LEN + 16], pool_file[BED_DIR_LEN + 16];
	const char *policy;
	const char *boss; /* URL, or NULL */
	int waiting_max;
	bool has_pool_file;
	bool has_https;                /* platform.pem and ca.pem are in dir */
	int states, imports, refusals; /* events seen */
	int bad_counts;                /* of which broke I2 */
	int secrets;                   /* trace events that held a password */
};

void bed_start(struct bed *bed);
void bed_stop(struct bed *bed);
void bed_platform(struct bed *bed);
void bed_restart(struct bed *bed);
void bed_import(struct bed *bed, int first, int last);
struct plat_lease *bed_lease(struct bed *bed, int number);
enum lease_state bed_state(struct bed *bed, int number);
void bed_wait(struct bed *bed, int number, enum lease_state state);
void bed_settle(struct bed *bed, int ms);
int bed_give(struct bed *bed, const char *key);
void bed_timer(const char *assignment);

#endif
