#include "common/tls_secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/uio.h>

#include "common/log.h"
#include "common/mem.h"

/** Owned by its element */
struct tls_secrets {
	int fd;
	bool is_failed;
};

/**
 * Append to a file, made with mode 0600 if there is none
 *
 * @param reasonp On failure: what is wrong with it; the caller's to free
 *
 * @return 0, what open() said, or EPERM for what others could read
 */
int tls_secrets_open(struct tls_secrets **sp, const char *path, char **reasonp)
{
	/* the descriptor must not wait for a reader of a FIFO */
	int fd = open(path,
		      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK,
		      0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		int err = errno;

		*reasonp = xstrdup(strerror(err));
		if (fd >= 0)
			close(fd);
		return err;
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_mode & (S_IRWXG | S_IRWXO)) {
		*reasonp = xstrdup("must be a file of your own that nobody "
				   "else may read (chmod 600), or none yet");
		close(fd);
		return EPERM;
	}
	*sp = xcalloc(1, sizeof(**sp));
	(*sp)->fd = fd;

	return 0;
}

/** Close it; gives NULL */
struct tls_secrets *tls_secrets_free(struct tls_secrets *secrets)
{
	if (secrets)
		close(secrets->fd);
	free(secrets);

	return NULL;
}

/** Append a line, given without its newline */
void tls_secrets_write(struct tls_secrets *secrets, const char *line)
{
	struct iovec parts[2] = { { (void *)line, strlen(line) },
				  { (void *)"\n", 1 } };

	/* in one go: the elements of a run share the file */
	if (writev(secrets->fd, parts, 2) >= 0 || secrets->is_failed)
		return;

	secrets->is_failed = true;
	log_error("tls: secrets cannot be written: %s", strerror(errno));
}
