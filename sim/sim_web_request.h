/** @file sim_web_request.h  A request of the live page, read and checked
 *
 * HTTP/1.1 as browsers and curl send it (RFC 9112), small and whole; the rest
 * is refused. No I/O. What keeps other sites' pages out stands here: a foreign
 * name that resolves to us (DNS rebinding) shows in Host, a foreign page in
 * Origin or Sec-Fetch-Site.
 */
#ifndef SIPSHARE_SIM_WEB_REQUEST_H
#define SIPSHARE_SIM_WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct addr;

enum { SIM_WEB_HEAD_MAX = 32 << 10, SIM_WEB_BODY_MAX = 4 << 10 };

/** One request; owns its text. Headers that are not there are NULL */
struct sim_web_request {
	char *text; /**< head and body, NUL behind each part */
	const char *method, *path;
	const char *host, *origin, *site, *type;
	const char *body;
	size_t body_len;
};

/** Why it is refused */
struct sim_web_refusal {
	int status;
	char error[200];
};

/** The first request in the bytes so far: how many bytes it has, 0: more are
 * needed, -1: it is refused, and what follows cannot be read */
ssize_t sim_web_request_read(struct sim_web_request *req, const uint8_t *data,
			     size_t len, struct sim_web_refusal *no);
void sim_web_request_free(struct sim_web_request *req);
/** Whether it comes from our own page, or from a user of this machine; addr:
 * where we listen */
bool sim_web_request_is_own(const struct sim_web_request *req,
			    const struct addr *addr,
			    struct sim_web_refusal *no);
/** Whether it proves to come from our own page, as what acts must, and brings
 * JSON */
bool sim_web_request_may_act(const struct sim_web_request *req,
			     struct sim_web_refusal *no);
/** 127.0.0.0/8 or ::1 */
bool sim_web_is_loopback(const struct addr *addr);

#endif
