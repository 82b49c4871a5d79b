/** @file sim_label.h  Which step of the patent each entry of a trace is
 *
 * By the table alone (sim_steps.h): what is on the wire, so that a foreign
 * box's messages are labelled too, and what its conversation has seen before.
 */
#ifndef SIPSHARE_SIM_LABEL_H
#define SIPSHARE_SIM_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "sim/sim_steps.h"
#include "sim/sim_trace.h"

struct sim_label;

/** Label a finished trace, which must outlive the labels */
struct sim_label *sim_label_new(const struct sim_trace *tr);
struct sim_label *sim_label_open(const struct sim_trace *tr);
void sim_label_more(struct sim_label *lb, size_t n);
size_t sim_label_count(const struct sim_label *lb);
struct sim_label *sim_label_free(struct sim_label *lb);
const struct sim_trace *sim_label_trace(const struct sim_label *lb);
/** The row that entry i is, or NULL */
const struct sim_step *sim_label_step(const struct sim_label *lb, size_t i);
/** What carries entry i */
enum sim_wire sim_label_wire(const struct sim_label *lb, size_t i);
/** "S408 S501", or ""; borrowed from lb */
const char *sim_label_ids(const struct sim_label *lb, size_t i);
/** Is entry i the step of that id? In either case; "407" is "S407", too */
bool sim_label_has_id(const struct sim_label *lb, size_t i, const char *id);
/** The public identity that entry i is about, or NULL */
const char *sim_label_impu(const struct sim_label *lb, size_t i);
/** "REGISTER", "401 Unauthorized", "MAR", "POST /v1/login", an event's name:
 * as it came, hostile bytes included; borrowed from lb */
const char *sim_label_summary(const struct sim_label *lb, size_t i);
/**
 * Write trace.jsonl: a line an entry, in order, with these fields
 *   n, t_us       index, and microseconds since the first entry
 *   kind          "msg" or "event"
 *   steps, impu   "S408 S501" and the public identity, where there are any
 * of an event
 *   actor, name   and its own fields
 * of a message
 *   from, to      actors
 *   proto         "sip", "diameter", "http"; transport: "udp", "tcp", "tls"
 *   src, dst      addresses
 *   summary       as above
 *   text, or hex  the bytes; hex if they are no UTF-8, and for Diameter
 *   recv_us       from sending to receiving, if both ends were seen
 *   lost          true: sent, but not seen by a receiver that traces
 *   retransmission_of   index of the first of the same bytes
 *
 * @return 0, or errno of the failed write
 */
int sim_label_write_jsonl(const struct sim_label *lb, FILE *f);
/** One such line, which the caller owns */
json_t *sim_label_json(const struct sim_label *lb, size_t i);
/** Any bytes as a JSON string: '?' for what is no UTF-8 */
json_t *sim_label_text_json(const char *s);

#endif
