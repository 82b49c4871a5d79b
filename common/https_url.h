/** @file https_url.h  Where a client's request goes */
#ifndef SIPSHARE_HTTPS_URL_H
#define SIPSHARE_HTTPS_URL_H

#include <event2/http.h>

#include "common/addr.h"

/** A URL's parts: of https://host:port/path */
struct https_url {
	char host[ADDR_TEXT_LEN];
	int port;
	char *authority;
	const char *path; /* in the URL */
};

int https_url_read(struct https_url *target, const char *url);
void https_url_clear(struct https_url *target);
int https_method_read(enum evhttp_cmd_type *typep, const char *method);

#endif
