#include "common/loop_epoll.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

enum { FDS_MAX = 1024 };

/* Marks which descriptors are epoll instances */
static void find_epolls(bool is_epoll[FDS_MAX])
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *e;

	memset(is_epoll, 0, FDS_MAX * sizeof(bool));
	while (dir && (e = readdir(dir))) {
		char target[64];
		ssize_t n = readlinkat(dirfd(dir), e->d_name, target,
				       sizeof(target) - 1);
		long fd = strtol(e->d_name, NULL, 10);

		if (n <= 0 || fd < 0 || fd >= FDS_MAX)
			continue;
		target[n] = '\0';
		is_epoll[fd] = !strcmp(target, "anon_inode:[eventpoll]");
	}
	if (dir)
		closedir(dir);
}

/* Neither library gives an accessor for its descriptor: it is the one that is
 * new; -1 if there is not exactly one */
static int find_new_epoll(const bool before[FDS_MAX])
{
	bool after[FDS_MAX];
	int fd = -1, found = 0;

	find_epolls(after);
	for (int i = 0; i < FDS_MAX; i++) {
		if (after[i] && !before[i]) {
			fd = i;
			found++;
		}
	}

	return found == 1 ? fd : -1;
}

/** Sofia's root, and the descriptor that it polls by; -1: it was not found */
int loop_epoll_new_root(su_root_t **rootp)
{
	bool before[FDS_MAX];
	int fd;

	unsetenv("SU_PORT");
	su_port_prefer(su_epoll_port_create, su_epoll_clone_start);
	find_epolls(before);
	*rootp = su_root_create(NULL);
	if (!*rootp)
		return -1;

	su_root_threading(*rootp, 0);
	fd = find_new_epoll(before);
	if (fd >= 0)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);

	return fd;
}

/** Libevent's base, NULL on failure, and its descriptor, -1 if not found */
struct event_base *loop_epoll_new_base(int *fdp)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base = NULL;
	bool before[FDS_MAX];

	if (!cfg)
		return NULL;

	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK |
					   EVENT_BASE_FLAG_PRECISE_TIMER);
	event_config_set_max_dispatch_interval(cfg, NULL, 64, 0);
	find_epolls(before);
	base = event_base_new_with_config(cfg);
	*fdp = find_new_epoll(before);
	event_config_free(cfg);

	return base;
}
