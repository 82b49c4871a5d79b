/** @file sim_web_conn.h  The live page's connections: HTTP/1.1 on loopback
 *
 * Requests come one after the other, each is answered before the next one is
 * read. A connection may become an event stream. None of them can make us
 * wait, or keep more than a bound.
 */
#ifndef SIPSHARE_SIM_WEB_CONN_H
#define SIPSHARE_SIM_WEB_CONN_H

#include <stddef.h>

#include "sim/sim_web_request.h"

struct loop;
struct sim_web_conn;
struct sim_web_conns;

/** A request that is our own page's: answer it before returning */
typedef void sim_web_request_cb(struct sim_web_conn *conn,
				const struct sim_web_request *req, void *arg);

/** An answer; all borrowed */
struct sim_web_answer {
	int status;
	const char *type;  /**< Content-Type */
	const char *extra; /**< whole header lines, each with its CR LF; or
				NULL */
	const void *body;
	size_t len;
};

/** csp: the answers' Content-Security-Policy, copied. 0; EINVAL or what
 * listen() gives, with a reason */
int sim_web_conns_new(struct sim_web_conns **cp, struct loop *loop,
		      const char *listen, const char *csp, char **reasonp);
struct sim_web_conns *sim_web_conns_free(struct sim_web_conns *conns);
void sim_web_conns_on_request(struct sim_web_conns *conns,
			      sim_web_request_cb *cb, void *arg);
/** "127.0.0.1:8080", with the real port */
const char *sim_web_conns_addr(const struct sim_web_conns *conns);

void sim_web_answer(struct sim_web_conn *conn, const struct sim_web_answer *a);
/** {"error":"…"} */
void sim_web_answer_error(struct sim_web_conn *conn, int status,
			  const char *extra, const char *error);
/** Answer with an event stream, which begins with text */
void sim_web_conn_stream(struct sim_web_conn *conn, const char *text,
			 size_t len);
/** Send to all event streams. Who has not read what was sent before is dropped
 * when that is too much */
void sim_web_conns_send(struct sim_web_conns *conns, const char *text,
			size_t len);
size_t sim_web_conns_stream_count(const struct sim_web_conns *conns);

#endif
