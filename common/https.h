/** @file https.h  HTTPS server and client: evhttp over OpenSSL, TLS 1.3
 *
 * Every message is traced with its exact plain bytes at both ends, and a
 * received one can be held. Answers and requests are small (JSON, SOAP):
 * whole bodies only, bounded.
 */
#ifndef SIPSHARE_HTTPS_H
#define SIPSHARE_HTTPS_H

#include <stddef.h>

#include <jansson.h>

struct element;
struct https_client;
struct https_req;
struct https_server;

/** How to listen. Strings are borrowed until https_server_new() returns */
struct https_server_cfg {
	const char *listen;    /**< "127.0.0.1:8443", port 0: any */
	const char *cert_file; /**< PEM, certificate and key */
	const char *ca_file;   /**< PEM; clients must show a certificate of it;
				    NULL: clients need none */
	size_t body_max;       /**< larger bodies get 413; 0: 1 MiB */
};

/** A request came: answer it once, now or later, by https_reply…() */
typedef void https_route_cb(struct https_req *req, void *arg);

/** One row of a server's routes, which end with a NULL method. A path that
 * ends with '/' matches all that begins with it. Another path gives 404, a
 * known path with another method 405. */
struct https_route {
	const char *method;
	const char *path;
	https_route_cb *cb;
};

int https_server_new(struct https_server **sp, struct element *el,
		     const struct https_server_cfg *cfg,
		     const struct https_route *routes, void *arg,
		     char **reasonp);
struct https_server *https_server_free(struct https_server *server);
const char *https_server_addr(const struct https_server *server);

const char *https_req_path(const struct https_req *req);
const char *https_req_header(const struct https_req *req, const char *name);
const char *https_req_body(const struct https_req *req, size_t *lenp);
const char *https_req_peer_name(const struct https_req *req);
/** Call cb if the client goes away before the answer; req is gone after it */
void https_req_on_gone(struct https_req *req, void (*cb)(void *arg), void *arg);
void https_req_add_header(struct https_req *req, const char *name,
			  const char *value);
void https_reply(struct https_req *req, int status, const char *type,
		 const void *body, size_t len);
void https_reply_json(struct https_req *req, int status, json_t *body);
void https_reply_error(struct https_req *req, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
json_t *https_req_json(struct https_req *req);

/** Who we are and whom we trust, as a client */
struct https_client_cfg {
	const char *cert_file; /**< PEM, certificate and key; NULL: none */
	const char *ca_file;   /**< PEM; the server's must be of it */
	const char *bind;      /**< local address, without port; NULL: any */
};

/** One request; all borrowed until https_call() returns */
struct https_call {
	const char *method;     /**< GET POST PUT DELETE */
	const char *url;        /**< https://host:port/path */
	const char *type;       /**< of the body; NULL: none */
	const char *headers[8]; /**< name, value, …, NULL */
	const void *body;
	size_t len;
};

/** What came back; borrowed. On failure status is 0 and error says what and
 * where: "https://127.1.2.2:8443: connection refused" */
struct https_resp {
	int status;
	const char *error;
	const char *body; /**< NUL behind it */
	size_t len;
	int retry_after_s; /**< 0: none given */
};

typedef void https_resp_cb(const struct https_resp *resp, void *arg);

int https_client_new(struct https_client **cp, struct element *el,
		     const struct https_client_cfg *cfg, char **reasonp);
struct https_client *https_client_free(struct https_client *client);
void https_client_call(struct https_client *client,
		       const struct https_call *call, https_resp_cb *cb,
		       void *arg);
const char *https_resp_reason(const struct https_resp *resp, char *text,
			      size_t len);

#endif
