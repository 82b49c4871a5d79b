#include "sim/sim_page.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"

extern char **environ;

/* RFC 3986 2.3, and the slashes between its parts */
static bool is_plain(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-._~/", c));
}

char *sim_page_url(const char *folder)
{
	static const char prefix[] = "file://";
	char *path = xasprintf("%s/report.html", folder);
	char *real = realpath(path, NULL);
	char *url, *to;

	free(path);
	if (!real)
		return NULL;

	url = xcalloc(sizeof(prefix) + 3 * strlen(real), 1);
	memcpy(url, prefix, sizeof(prefix));
	to = url + sizeof(prefix) - 1;
	for (const char *s = real; *s; s++) {
		if (is_plain(*s))
			*to++ = *s;
		else
			to += snprintf(to, 4, "%%%02X", (unsigned char)*s);
	}
	free(real);

	return url;
}

/* NULL also if it is empty */
static const char *find_env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

bool sim_page_open(const char *url)
{
	const char *chosen = find_env("BROWSER");
	const char *browser = chosen ? chosen : "xdg-open";
	char *argv[] = { (char *)browser, (char *)url, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	pid_t pid;
	int err;

	if (!find_env("DISPLAY") && !find_env("WAYLAND_DISPLAY"))
		return false;

	/* it outlives us, and has nothing to say on our terminal */
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID);
	for (int fd = 0; fd <= 2; fd++)
		(void)posix_spawn_file_actions_addopen(&actions, fd,
						       "/dev/null", O_RDWR, 0);
	err = posix_spawnp(&pid, browser, &actions, &attr, argv, environ);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&actions);

	return !err;
}
