/* The batch as a text file (S401, S301: [0077]): receiving unit 021's other
 * door */
#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/element.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/trace.h"
#include "platform/platform_units.h"

enum { FIELD_N = 4 };

/** A watch on the folder of the pool file. Owned by the platform */
struct plat_file {
	struct plat *plat;
	char *path, *dir, *name;
	int fd; /* inotify */
	struct loop_watch *watch;
};

/* Cut a line at its blanks; how many words it has */
static int split(char *words[FIELD_N + 1], char *line)
{
	char *save = NULL;
	int n = 0;

	for (char *w = strtok_r(line, " \t\r\n", &save); w && n <= FIELD_N;
	     w = strtok_r(NULL, " \t\r\n", &save))
		words[n++] = w;

	return n;
}

/* An empty line or one that begins with # is passed over */
static int read_line(json_t *accounts, char *line, char **reasonp)
{
	char *words[FIELD_N + 1];
	json_t *account;
	int n = split(words, line);
	int err;

	if (!n || words[0][0] == '#')
		return 0;
	if (n != FIELD_N) {
		*reasonp = xasprintf("%s%d words; a line must be: SIP-URI "
				     "IMPI password realm",
				     n > FIELD_N ? "more than " : "",
				     n > FIELD_N ? FIELD_N : n);
		return EINVAL;
	}

	account = json_pack("{s:s, s:s, s:s, s:s}", "uri", words[0], "impi",
			    words[1], "password", words[2], "realm", words[3]);
	if (!account) {
		*reasonp = xstrdup("the line is not UTF-8");
		return EINVAL;
	}
	err = plat_account_check(account, reasonp);
	if (err)
		json_decref(account);
	else
		json_array_append_new(accounts, account);

	return err;
}

/* All lines, or the first that is wrong */
static int read_lines(json_t *accounts, FILE *f, int *linep, char **reasonp)
{
	char *line = NULL;
	size_t size = 0;
	int err = 0;
	ssize_t len;

	*linep = 0;
	while (!err && (len = getline(&line, &size, f)) >= 0) {
		++*linep;
		if (strlen(line) != (size_t)len) {
			*reasonp = xstrdup("the line holds a NUL byte");
			err = EINVAL;
		} else {
			err = read_line(accounts, line, reasonp);
		}
	}
	if (!err && ferror(f)) {
		err = errno ? errno : EIO;
		*reasonp = xstrdup(strerror(err));
	}
	if (line)
		explicit_bzero(line, size); /* passwords */
	free(line);

	return err;
}

/**
 * Read a pool file whole: lines `SIP-URI IMPI password realm`
 *
 * @param accountsp The batch, checked; the caller's to json_decref()
 * @param reasonp   On failure "file:line: what is wrong"; the caller's
 *
 * @return 0, ENOENT, EINVAL or another errno; on failure nothing is taken
 */
int plat_file_read(json_t **accountsp, const char *path, char **reasonp)
{
	json_t *accounts;
	char *reason = NULL;
	int line = 0;
	FILE *f = fopen(path, "re");
	int err;

	if (!f) {
		err = errno;
		*reasonp = xasprintf("%s: %s", path, strerror(err));
		return err;
	}

	accounts = json_array();
	err = read_lines(accounts, f, &line, &reason);
	(void)fclose(f);
	if (err)
		*reasonp = xasprintf("%s:%d: %s; nothing was taken", path, line,
				     reason);
	if (!err && plat_accounts_check(accounts, &reason)) {
		err = EINVAL;
		*reasonp = xasprintf("%s: %s", path, reason);
	}
	free(reason);
	if (err)
		json_decref(accounts);
	else
		*accountsp = accounts;

	return err;
}

/* Which file it was does not matter to the store: all is taken or nothing */
static int import(const struct plat_file *file, char **reasonp)
{
	json_t *accounts = NULL;
	int err = plat_file_read(&accounts, file->path, reasonp);

	if (err)
		return err;

	plat_recv_batch(file->plat, NULL, accounts, "file");
	json_decref(accounts);

	return 0;
}

static bool has_our_name(const struct plat_file *file)
{
	_Alignas(struct inotify_event) char buf[4096];
	bool is_ours = false;
	ssize_t n;

	while ((n = read(file->fd, buf, sizeof(buf))) > 0) {
		const struct inotify_event *ev;

		for (char *p = buf; p < buf + n; p += sizeof(*ev) + ev->len) {
			ev = (const struct inotify_event *)(void *)p;
			if (ev->len && !strcmp(ev->name, file->name))
				is_ours = true;
		}
	}

	return is_ours;
}

/* Written to its end, or put in place by rename */
static void on_change(void *arg)
{
	const struct plat_file *file = arg;
	char *reason = NULL;

	if (!has_our_name(file) || !import(file, &reason))
		return;

	log_error("platform: %s", reason);
	trace_event(file->plat->el->trace, "platform.pool-refused",
		    json_pack("{s:s, s:s}", "by", "file", "reason", reason));
	free(reason);
}

static int watch(struct plat_file *file, char **reasonp)
{
	int err;

	file->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (file->fd >= 0 &&
	    inotify_add_watch(file->fd, file->dir,
			      IN_CLOSE_WRITE | IN_MOVED_TO) >= 0) {
		file->watch = loop_watch_fd(file->plat->el->loop, file->fd,
					    LOOP_READ, on_change, file);
		return 0;
	}

	err = errno;
	*reasonp = xasprintf("--pool-file %s: the folder %s cannot be watched: "
			     "%s; make it first",
			     file->path, file->dir, strerror(err));
	return err;
}

/**
 * Read the pool file, and again whenever it is replaced
 *
 * A file that is not there yet is waited for.
 *
 * @param reasonp On failure: file and line, what is wrong; the caller's
 */
int plat_file_new(struct plat_file **fp, struct plat *plat, const char *path,
		  char **reasonp)
{
	struct plat_file *file = xcalloc(1, sizeof(*file));
	char *copy = xstrdup(path);
	int err;

	file->plat = plat;
	file->path = xstrdup(path);
	file->name = xstrdup(basename(copy));
	free(copy);
	copy = xstrdup(path);
	file->dir = xstrdup(dirname(copy));
	free(copy);
	/* watched first: a file that comes while we read is read again */
	err = watch(file, reasonp);
	if (!err)
		err = import(file, reasonp);
	if (err == ENOENT && file->watch) {
		log_info("platform: %s; waiting for it", *reasonp);
		free(*reasonp);
		*reasonp = NULL;
		err = 0;
	}
	if (err)
		plat_file_free(file);
	else
		*fp = file;

	return err;
}

struct plat_file *plat_file_free(struct plat_file *file)
{
	if (!file)
		return NULL;

	loop_unwatch(file->watch);
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	free(file->dir);
	free(file->name);
	free(file);

	return NULL;
}
