#include "common/https_url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { PORT_DEFAULT = 443 };

/**
 * Read https://IP[:port][/path]. No name is looked up: that would block, and
 * the testbed's hosts are addresses.
 *
 * @return 0, the target to be given to https_url_clear(); or EINVAL
 */
int https_url_read(struct https_url *target, const char *url)
{
	static const char scheme[] = "https://";
	const char *authority = url + sizeof(scheme) - 1;
	struct addr addr;
	size_t len;
	int err;

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return EINVAL;
	/* a space or a line's end would end the request line early */
	for (const char *p = url; *p; p++)
		if (*p <= ' ' || *p == 0x7f)
			return EINVAL;

	len = strcspn(authority, "/?#");
	target->authority = xstrndup(authority, len);
	target->path = authority[len] == '/' ? authority + len : "/";
	err = addr_parse(&addr, target->authority);
	if (err) {
		char *with_port = xasprintf("%s:%d", target->authority,
					    (int)PORT_DEFAULT);

		err = addr_parse(&addr, with_port);
		free(with_port);
	}
	if (!err && addr_port(&addr)) {
		addr_host(target->host, &addr);
		target->port = addr_port(&addr);
	} else {
		free(target->authority);
		target->authority = NULL;
		err = EINVAL;
	}

	return err;
}

/** GET, POST, PUT or DELETE as evhttp names it; 0 or EINVAL */
int https_method_read(enum evhttp_cmd_type *typep, const char *method)
{
	static const struct {
		const char *name;
		enum evhttp_cmd_type type;
	} methods[] = { { "GET", EVHTTP_REQ_GET },
			{ "POST", EVHTTP_REQ_POST },
			{ "PUT", EVHTTP_REQ_PUT },
			{ "DELETE", EVHTTP_REQ_DELETE } };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (!strcmp(method, methods[i].name)) {
			*typep = methods[i].type;
			return 0;
		}
	}

	return EINVAL;
}

void https_url_clear(struct https_url *target)
{
	free(target->authority);
	target->authority = NULL;
}
