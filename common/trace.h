/** @file trace.h  What crossed the wire, and which decision was made
 *
 * One JSON object a line, to a file, to the control channel, or both:
 *   {"t":US,"actor":"pcscf","kind":"msg","proto":"sip","dir":"send",
 *    "transport":"udp","local":"127.1.1.1:5060","remote":"127.1.1.2:5060",
 *    "text":"REGISTER sip:…"}          or "hex":"…" where the bytes are no text
 *   {"t":US,"actor":"platform","kind":"event","name":"lease.occupied",…}
 * t is clock_now_us(). Where that is not the machine's clock, "w" is what that
 * says: it orders what happened in several processes at one virtual moment.
 * Nothing else is ever parsed to know what happened.
 */
#ifndef SIPSHARE_TRACE_H
#define SIPSHARE_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct trace;

enum trace_proto { TRACE_SIP, TRACE_DIAMETER, TRACE_HTTP };
enum trace_dir { TRACE_SEND, TRACE_RECV };

/** One message at the wire; all borrowed */
struct trace_msg {
	enum trace_proto proto;
	enum trace_dir dir;
	const char *transport; /**< "udp", "tcp" or "tls" */
	const char *local;     /**< as addr_format() gives it */
	const char *remote;
	const void *data; /**< exact bytes; of TLS, the plain text */
	size_t len;
};

/** Takes each line, without its newline */
typedef void trace_sink_cb(const char *line, size_t len, void *arg);
/** Looks at each event once its line has been written; line is borrowed */
typedef void trace_watch_cb(const json_t *line, void *arg);

struct trace *trace_new(const char *actor);
struct trace *trace_free(struct trace *trace);
int trace_open(struct trace *trace, const char *path);
void trace_set_sink(struct trace *trace, trace_sink_cb *cb, void *arg);
void trace_set_watch(struct trace *trace, trace_watch_cb *cb, void *arg);
void trace_message(struct trace *trace, const struct trace_msg *msg);
void trace_event(struct trace *trace, const char *name, json_t *fields);

#endif
