/** @file sim_trace_read.h  A finished run's trace.jsonl, read back */
#ifndef SIPSHARE_SIM_TRACE_READ_H
#define SIPSHARE_SIM_TRACE_READ_H

#include "sim/sim_trace.h"

/**
 * Read what sim_label_write_jsonl() has written: the same entries, in the same
 * order
 *
 * @param reasonp On failure: file, line, what is wrong with it; the caller's
 *
 * @return 0; EINVAL: it is no such file, or is cut off; or what the system
 *         said
 */
int sim_trace_read(struct sim_trace **trp, const char *path, char **reasonp);

#endif
