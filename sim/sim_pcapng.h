/** @file sim_pcapng.h  A trace as capture.pcapng, for Wireshark
 *
 * Exported PDUs (LINKTYPE_WIRESHARK_UPPER_PDU): each record names its
 * dissector, addresses and ports, so the plain text of TLS is seen too.
 */
#ifndef SIPSHARE_SIM_PCAPNG_H
#define SIPSHARE_SIM_PCAPNG_H

#include <stdint.h>
#include <stdio.h>

#include "sim/sim_trace.h"

/** offset_us: wall clock minus the trace's clock (clock_wall_us() -
 * clock_now_us()). 0, or errno of the failed write */
int sim_pcapng_write(const struct sim_trace *tr, int64_t offset_us, FILE *f);

#endif
