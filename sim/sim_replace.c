#include "sim/sim_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "common/mem.h"

/** Owned by who opened it */
struct sim_replace {
	char *path; /**< where it will be */
	char *temp; /**< where it is; NULL: at its place */
	FILE *f;
};

/* A symbolic link stays one: it is its target that is replaced */
static char *follow(const char *path)
{
	char *real = realpath(path, NULL);

	return real ? real : xstrdup(path);
}

static FILE *open_temp(struct sim_replace *r)
{
	mode_t mask = umask(0);
	FILE *f = NULL;
	int fd;

	(void)umask(mask);
	r->temp = xasprintf("%s.XXXXXX", r->path);
	fd = mkostemp(r->temp, O_CLOEXEC);
	if (fd >= 0) {
		/* as any other new file, not as mkostemp() has it */
		(void)fchmod(fd, 0666 & ~mask);
		f = fdopen(fd, "w");
	} else {
		free(r->temp);
		r->temp = NULL;
	}

	return f;
}

int sim_replace_open(struct sim_replace **rp, const char *path, char **reasonp)
{
	struct sim_replace *r = xcalloc(1, sizeof(*r));
	struct stat st;
	bool is_there;
	int err;

	r->path = follow(path);
	is_there = stat(r->path, &st) == 0;
	if (is_there && S_ISDIR(st.st_mode))
		errno = EISDIR;
	else if (is_there && !S_ISREG(st.st_mode))
		r->f = fopen(r->path, "we");
	else if (!is_there || access(r->path, W_OK) == 0)
		r->f = open_temp(r);
	if (!r->f) {
		err = errno;
		*reasonp =
			xasprintf("cannot write %s: %s", path, strerror(err));
		sim_replace_abort(r);
		return err;
	}
	*rp = r;

	return 0;
}

FILE *sim_replace_file(const struct sim_replace *r)
{
	return r->f;
}

int sim_replace_commit(struct sim_replace *r, char **reasonp)
{
	int err = fflush(r->f) || ferror(r->f) ? errno : 0;

	if (fclose(r->f) && !err)
		err = errno;
	r->f = NULL;
	if (!err && r->temp && rename(r->temp, r->path) < 0)
		err = errno;
	if (err) {
		*reasonp = xasprintf("cannot write %s: %s", r->path,
				     strerror(err));
	} else {
		free(r->temp);
		r->temp = NULL;
	}
	sim_replace_abort(r);

	return err;
}

void sim_replace_abort(struct sim_replace *r)
{
	if (!r)
		return;

	if (r->f)
		(void)fclose(r->f);
	if (r->temp)
		(void)unlink(r->temp);
	free(r->temp);
	free(r->path);
	free(r);
}
