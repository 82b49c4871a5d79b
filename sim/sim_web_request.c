#include "sim/sim_web_request.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <netinet/in.h>

#include "common/addr.h"
#include "common/mem.h"

static int refuse(struct sim_web_refusal *no, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct sim_web_refusal *no, int status, const char *fmt, ...)
{
	va_list ap;

	no->status = status;
	va_start(ap, fmt);
	(void)vsnprintf(no->error, sizeof(no->error), fmt, ap);
	va_end(ap);

	return status;
}

/* --- reading --- */

/** The headers that are looked at */
struct headers {
	struct sim_web_request *req;
	const char *length, *coding;
};

static int read_first(struct sim_web_request *req, char *line,
		      struct sim_web_refusal *no)
{
	char *path = strchr(line, ' ');
	char *version = path ? strchr(path + 1, ' ') : NULL;

	if (!version || path == line || version == path + 1)
		return refuse(no, 400,
			      "the first line is no request: METHOD PATH "
			      "HTTP/1.1");
	*path++ = '\0';
	*version++ = '\0';
	if (strcmp(version, "HTTP/1.1") != 0)
		return refuse(no, 505, "only HTTP/1.1 is spoken here");

	req->method = line;
	req->path = path;

	return 0;
}

static int read_header(struct headers *h, char *line,
		       struct sim_web_refusal *no)
{
	const struct {
		const char *name;
		const char **valuep;
	} known[] = { { "Host", &h->req->host },
		      { "Origin", &h->req->origin },
		      { "Sec-Fetch-Site", &h->req->site },
		      { "Content-Type", &h->req->type },
		      { "Content-Length", &h->length },
		      { "Transfer-Encoding", &h->coding } };
	size_t len = strcspn(line, ": \t\r\n");
	char *value = line + len + 1;
	char *end;

	if (!len || line[len] != ':' || strpbrk(value, "\r\n"))
		return refuse(no, 400,
			      "a header is not of the form "
			      "NAME: VALUE");

	line[len] = '\0';
	value += strspn(value, " \t");
	end = value + strlen(value);
	while (end > value && strchr(" \t", end[-1]))
		*--end = '\0';
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcasecmp(known[i].name, line) != 0)
			continue;
		/* which of two would count is anybody's guess */
		if (*known[i].valuep)
			return refuse(no, 400, "the header %s comes twice",
				      known[i].name);
		*known[i].valuep = value;
	}

	return 0;
}

static int read_length(size_t *np, const struct headers *h,
		       struct sim_web_refusal *no)
{
	*np = 0;
	if (h->coding)
		return refuse(no, 501,
			      "a Transfer-Encoding is not taken; send "
			      "a Content-Length");
	if (!h->length)
		return 0;
	if (!*h->length || h->length[strspn(h->length, "0123456789")])
		return refuse(no, 400, "Content-Length is not a number");
	if (strlen(h->length) > 8 ||
	    strtoul(h->length, NULL, 10) > SIM_WEB_BODY_MAX)
		return refuse(no, 413, "the body is longer than %d bytes",
			      SIM_WEB_BODY_MAX);
	*np = strtoul(h->length, NULL, 10);

	return 0;
}

static int read_head(struct sim_web_request *req, size_t *body_lenp,
		     struct sim_web_refusal *no)
{
	struct headers h = { .req = req };
	char *line = req->text, *end = strstr(line, "\r\n");
	int status;

	*end = '\0';
	status = read_first(req, line, no);
	for (line = end + 2; !status && *line != '\r'; line = end + 2) {
		end = strstr(line, "\r\n");
		*end = '\0';
		status = read_header(&h, line, no);
	}
	if (!status)
		status = read_length(body_lenp, &h, no);

	return status;
}

/* 0: no head yet; -1: there will be none */
static ssize_t head_length(const uint8_t *data, size_t len,
			   struct sim_web_refusal *no)
{
	const uint8_t *end = memmem(data, len, "\r\n\r\n", 4);
	const uint8_t *lf = memchr(data, '\n', len);
	size_t head = end ? (size_t)(end - data) + 4 : len;

	if (head > SIM_WEB_HEAD_MAX)
		refuse(no, 431, "the headers are longer than %d bytes",
		       SIM_WEB_HEAD_MAX);
	else if ((lf && (lf == data || lf[-1] != '\r')) ||
		 memchr(data, '\0', head))
		refuse(no, 400,
		       "the head is not text with lines that end "
		       "with CR LF");
	else
		return end ? (ssize_t)head : 0;

	return -1;
}

ssize_t sim_web_request_read(struct sim_web_request *req, const uint8_t *data,
			     size_t len, struct sim_web_refusal *no)
{
	ssize_t head = head_length(data, len, no);
	size_t body = 0;
	int status;

	if (head <= 0)
		return head;

	*req = (struct sim_web_request){
		.text = xcalloc(1, (size_t)head + SIM_WEB_BODY_MAX + 1)
	};
	memcpy(req->text, data, (size_t)head);
	status = read_head(req, &body, no);
	if (status || len - (size_t)head < body) {
		sim_web_request_free(req);
		return status ? -1 : 0;
	}
	memcpy(req->text + head, data + head, body);
	req->body = req->text + head;
	req->body_len = body;

	return head + (ssize_t)body;
}

void sim_web_request_free(struct sim_web_request *req)
{
	free(req->text);
	*req = (struct sim_web_request){ .text = NULL };
}

/* --- checking --- */

static bool is_name(const char *host, const char *name, int port)
{
	char own[2 * ADDR_TEXT_LEN];

	(void)snprintf(own, sizeof(own), "%s:%d", name, port);

	/* a browser does not write the port of http:// */
	return !strcmp(host, own) || (port == 80 && !strcmp(host, name));
}

/* A name that somebody else's DNS made point to us is none of these */
static bool is_our_name(const char *host, const struct addr *addr)
{
	char own[ADDR_TEXT_LEN];
	int port = addr_port(addr);

	return is_name(host, "127.0.0.1", port) ||
	       is_name(host, "localhost", port) ||
	       is_name(host, "[::1]", port) ||
	       !strcmp(host, addr_format(own, addr));
}

static bool is_same_origin(const char *origin, const char *host)
{
	static const char scheme[] = "http://";

	return !strncmp(origin, scheme, sizeof(scheme) - 1) &&
	       !strcmp(origin + sizeof(scheme) - 1, host);
}

static bool is_own_site(const char *site)
{
	return !strcmp(site, "same-origin") || !strcmp(site, "none");
}

bool sim_web_request_is_own(const struct sim_web_request *req,
			    const struct addr *addr, struct sim_web_refusal *no)
{
	char own[ADDR_TEXT_LEN];
	bool is_page = !strcmp(req->path, "/");

	if (!req->host)
		refuse(no, 400, "the header Host is missing");
	else if (!is_our_name(req->host, addr))
		refuse(no, 403, "this page is http://%s/ and has no other name",
		       addr_format(own, addr));
	else if (req->origin && !is_same_origin(req->origin, req->host))
		refuse(no, 403, "a page of another origin asks");
	/* a link from elsewhere may lead to the page, to nothing else */
	else if (req->site && !is_page && !is_own_site(req->site))
		refuse(no, 403, "a page of another site asks");
	else
		return true;

	return false;
}

static bool is_json(const char *type)
{
	static const char json[] = "application/json";
	size_t len = sizeof(json) - 1;

	return type && !strncasecmp(type, json, len) &&
	       (!type[len] || strchr("; \t", type[len]));
}

bool sim_web_request_may_act(const struct sim_web_request *req,
			     struct sim_web_refusal *no)
{
	bool is_proven =
		req->origin || (req->site && !strcmp(req->site, "same-origin"));

	if (!is_proven)
		refuse(no, 403,
		       "nothing shows that our page asks: send Origin: "
		       "http://%s",
		       req->host);
	else if (!is_json(req->type))
		refuse(no, 415, "the Content-Type must be application/json");
	else
		return true;

	return false;
}

bool sim_web_is_loopback(const struct addr *addr)
{
	const struct sockaddr_in6 *in6 = (const void *)&addr->ss;
	const struct sockaddr_in *in = (const void *)&addr->ss;

	if (addr->ss.ss_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;

	return addr->ss.ss_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}
