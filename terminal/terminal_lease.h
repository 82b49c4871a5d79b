/** @file terminal_lease.h  What S407 brought, in one block of memory
 *
 * All that must be forgotten after S412 stands in this one block, so that
 * wiping it wipes all. Its pointers point into itself.
 */
#ifndef SIPSHARE_TERMINAL_LEASE_H
#define SIPSHARE_TERMINAL_LEASE_H

#include <stddef.h>
#include <stdint.h>

struct ue_lease {
	size_t size; /**< of the block, texts included */
	int64_t lease_id;
	int expires_s;
	int64_t limit_us; /**< its end, by clock_now_us() */
	const char *uri, *impi, *password, *realm, *proxy;
	char texts[];
};

struct ue_lease *ue_lease_new(const struct ue_lease *from);

#endif
