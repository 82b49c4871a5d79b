/** @file https_req.h  A request at the server, for https_server.c alone
 *
 * Roles know it by common/https.h. It outlives its connection: what its
 * client asked is copied, so that a late answer finds it, and is dropped.
 */
#ifndef SIPSHARE_HTTPS_REQ_H
#define SIPSHARE_HTTPS_REQ_H

#include <stdbool.h>

struct evhttp_request;
struct https_req;

/** The server's side of an answer: called once, before req is freed */
typedef void https_req_answered_cb(struct https_req *req, void *arg);

struct https_req *https_req_new(struct evhttp_request *evreq, char *peer_name,
				https_req_answered_cb *cb, void *arg);
void https_req_free(struct https_req *req);
bool https_req_leave(struct https_req *req);
struct evhttp_request *https_req_ev(const struct https_req *req);
const char *https_req_method(const struct https_req *req);
int https_req_fault(const struct https_req *req, char **reasonp);

#endif
