/** @file sim_trace_order.h  The records of a trace: pairing and order
 *
 * Between sim_trace.c, which reads records and makes entries of them, and
 * sim_trace_order.c, which says which belong together and which comes next.
 */
#ifndef SIPSHARE_SIM_TRACE_ORDER_H
#define SIPSHARE_SIM_TRACE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/trace.h"

#define SIM_NONE SIZE_MAX

/** One line of one process */
struct sim_record {
	json_t *line;    /**< holds all strings below */
	int64_t t_us;    /**< by the testbed's clock */
	int64_t real_us; /**< by the machine's: what orders records */
	int64_t at_us; /**< the same, or when it was received: what is first */
	size_t actor;  /**< number of the process, from 0 */
	bool is_msg;
	enum trace_proto proto;
	enum trace_dir dir;
	const char *transport, *local, *remote;
	const char *data;
	size_t len;
	char *owned;     /**< data, where it came as hex */
	uint64_t hash;   /**< of what both ends have in common */
	size_t pair;     /**< the other end's record, or SIM_NONE */
	size_t original; /**< retransmission: record of the first */
};

size_t sim_host_len(const char *address);
void sim_records_pair(struct sim_record *recs, size_t n);
/** order[n] gets the records' indices, as they shall be told */
void sim_records_order(struct sim_record *recs, size_t n, size_t actor_n,
		       size_t *order);

#endif
