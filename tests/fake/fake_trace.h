/** @file fake_trace.h  Trace lines of the whole sequence, made by hand */
#ifndef SIPSHARE_TESTS_FAKE_TRACE_H
#define SIPSHARE_TESTS_FAKE_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/trace.h"
#include "sim/sim_label.h"

/** Which ends of a message are traced */
enum fake_ends { FAKE_SENT = 1, FAKE_RECEIVED = 2, FAKE_BOTH = 3 };

#define FAKE_IMPU "sip:+8657110000001@ims.test"

/** One message; its receiver sees it 100 microseconds after its sender */
struct fake_msg {
	int64_t t_us;
	enum trace_proto proto;
	const char *from, *to; /**< actors */
	const void *data;
	size_t len;
	enum fake_ends ends;
	const char *transport; /**< NULL: udp for SIP, tcp and tls else */
};

/** Append its lines to an array of lines */
void fake_trace_msg(json_t *lines, const struct fake_msg *msg);
/** A Cx message about FAKE_IMPU: a request to the HSS, an answer from it */
void fake_trace_cx(json_t *lines, const struct fake_msg *msg, uint32_t code);
void fake_trace_event(json_t *lines, int64_t t_us, const char *actor,
		      const char *name, json_t *fields);
/** The patent's sequence from S401 to S521, a message each millisecond; those
 * whose id stands in `skip` ("S413 S520") are left out, those in `alone` are
 * traced by their sender only. Either may be NULL */
json_t *fake_trace_patent(const char *skip, const char *alone);
/** When the row called id was sent, in microseconds, or -1 */
int64_t fake_trace_time(const char *id);
/** The finished trace of lines, which are stolen */
struct sim_trace *fake_trace_load(json_t *lines);
/** The index of the first entry with these ids, or the count of entries */
size_t fake_trace_find(const struct sim_label *lb, const char *ids);
const char *fake_trace_address(const char *actor, enum trace_proto proto);

#endif
