#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/http.h>

#include "common/element.h"
#include "common/https_linger.h"
#include "common/https_server_core.h"
#include "common/https_tls.h"
#include "common/loop.h"
#include "common/mem.h"

enum { BODY_MAX_DEFAULT = 1 << 20 };

static int listen_at(struct https_server *server, const char *text,
		     char **reasonp)
{
	struct evhttp_bound_socket *bound;
	char host[ADDR_TEXT_LEN];
	struct addr addr;

	if (addr_parse(&addr, text)) {
		*reasonp = xasprintf("https: \"%s\" is no address to listen "
				     "at; write IP:PORT, like 127.0.0.1:8443",
				     text);
		return EINVAL;
	}

	errno = 0;
	bound = evhttp_bind_socket_with_handle(server->http,
					       addr_host(host, &addr),
					       (uint16_t)addr_port(&addr));
	if (!bound) {
		int err = errno ? errno : EIO;

		*reasonp = xasprintf("https: cannot listen at %s: %s", text,
				     strerror(err));
		return err;
	}
	addr_local(&addr, evhttp_bound_socket_get_fd(bound));
	addr_format(server->addr, &addr);

	return 0;
}

/* All methods come to us, so that a known path is answered 405, not 501 */
static void set_up(struct https_server *server)
{
	enum {
		METHODS = EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
			  EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
			  EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH
	};

	evhttp_set_allowed_methods(server->http, METHODS);
	evhttp_set_max_headers_size(server->http, HTTPS_HEADERS_MAX);
	evhttp_set_max_body_size(server->http, (ev_ssize_t)server->body_max);
	evhttp_set_default_content_type(server->http, NULL);
	evhttp_set_bevcb(server->http, https_conn_accept, server);
	evhttp_set_gencb(server->http, https_pending_rx, server);
}

/**
 * Listen, and give requests to their routes
 *
 * @param sp      The server, written on success
 * @param el      Its loop, trace and hold queue are used
 * @param cfg     Address, files, bound
 * @param routes  Borrowed for the server's life
 * @param arg     Of the routes' callbacks
 * @param reasonp On failure: what, where; the caller's to free
 *
 * @return 0; EINVAL for an address or file that cannot be used; EADDRINUSE
 *         and what else bind() gives
 */
int https_server_new(struct https_server **sp, struct element *el,
		     const struct https_server_cfg *cfg,
		     const struct https_route *routes, void *arg,
		     char **reasonp)
{
	struct https_server *server = xcalloc(1, sizeof(*server));
	int err = EINVAL;

	server->el = el;
	server->routes = routes;
	server->arg = arg;
	server->body_max = cfg->body_max ? cfg->body_max : BODY_MAX_DEFAULT;
	server->lingers = https_lingers_new(el->loop);
	server->ctx = https_tls_server(cfg->cert_file, cfg->ca_file, reasonp);
	if (!server->ctx)
		goto out;

	https_tls_reveal(server->ctx, el->tls_secrets);
	server->http = evhttp_new(loop_base(el->loop));
	if (!server->http)
		abort(); /* out of memory */
	set_up(server);
	err = listen_at(server, cfg->listen, reasonp);

out:
	if (err)
		https_server_free(server);
	else
		*sp = server;

	return err;
}

/** Close all connections. A request not yet answered is gone, and its handler
 * is not told: nothing may be done with it any more. */
struct https_server *https_server_free(struct https_server *server)
{
	if (!server)
		return NULL;

	server->is_closing = true;
	if (server->http)
		evhttp_free(server->http);
	https_pending_drop_all(server);
	https_conn_drop_all(server);
	https_lingers_free(server->lingers);
	SSL_CTX_free(server->ctx);
	free(server);

	return NULL;
}

/** Where it listens, with the real port */
const char *https_server_addr(const struct https_server *server)
{
	return server->addr;
}
