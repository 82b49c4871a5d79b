/** @file sim_trace.h  The run's trace: lines of every process, made one story
 *
 * Lines come from any process in any order (common/trace.h). finish() sorts
 * them by time, a send always before its receive, and joins the two ends of a
 * message into one entry; where only one end is ours (the other is a foreign
 * box) the one record is the entry.
 */
#ifndef SIPSHARE_SIM_TRACE_H
#define SIPSHARE_SIM_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/trace.h"

struct sim_trace;

/** One message, or one event of an actor. All borrowed from the trace, until
 * the next sim_trace_finish() */
struct sim_entry {
	int64_t t_us;     /**< of sending; of receiving if only that was seen */
	const char *from; /**< actor, or the address where none is known */
	const char *to;   /**< the same; NULL: an event inside `from` */

	/* a message */
	enum trace_proto proto;
	const char *transport; /**< "udp", "tcp", "tls" */
	const char *src, *dst; /**< addresses, as the sender saw them */
	const void *data;      /**< exact bytes, NUL behind them */
	size_t len;
	int64_t send_us, recv_us; /**< -1: that end was not seen */
	int64_t recv_real_us;     /**< by the machine's clock */
	bool is_lost;             /**< never received, though the receiver is
				       one of ours */
	bool is_retransmission;   /**< same bytes sent before, over UDP */
	size_t original;          /**< then: the first one's index */

	/* an event */
	const char *name; /**< NULL: a message */
	json_t *fields;   /**< the whole line */
};

struct sim_trace *sim_trace_new(void);
struct sim_trace *sim_trace_of(struct sim_entry *entries, size_t n,
			       json_t *lines);
struct sim_trace *sim_trace_free(struct sim_trace *tr);
/** 0, or EINVAL: not a trace line; line is borrowed */
int sim_trace_add(struct sim_trace *tr, json_t *line);
int sim_trace_add_text(struct sim_trace *tr, const char *text, size_t len);
/** address: "host:port", "host", or "*": whoever is not known otherwise */
void sim_trace_actor(struct sim_trace *tr, const char *name,
		     const char *address);
/** May be called again when more lines have come */
void sim_trace_finish(struct sim_trace *tr);
size_t sim_trace_count(const struct sim_trace *tr);
const struct sim_entry *sim_trace_entry(const struct sim_trace *tr, size_t i);

#endif
