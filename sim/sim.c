#include "sim/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "common/mem.h"

enum { WIDTH_DEFAULT = 160, WIDTH_MIN = 40, WIDTH_MAX = 400, TRIES = 1000 };

/* A folder with this in it is a run's, and may be emptied */
#define MARK ".sipshare-run"

/** The folder of this program, where the elements are; the caller frees it */
char *sim_bin_dir(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n <= 0)
		return xstrdup(".");

	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';

	return xstrdup(path);
}

/**
 * Where a scenario is: as it is called, or, if there is none, among those that
 * were installed beside the elements. The caller frees it.
 */
char *sim_find_scenario(const char *file)
{
	char *dir, *path;

	if (file[0] == '/' || access(file, F_OK) == 0)
		return xstrdup(file);

	dir = sim_bin_dir();
	path = xasprintf("%s/%s", dir, file);
	if (access(path, F_OK) < 0) {
		free(path);
		path = xstrdup(file); /* the message names what was asked for */
	}
	free(dir);

	return path;
}

/** Make a folder and those above it; 0, or errno and a reason */
int sim_make_dirs(const char *path, char **reasonp)
{
	char *p = xstrdup(path);
	int err = 0;

	for (char *c = p + 1; !err; c++) {
		char was = *c;

		if (was != '/' && was != '\0')
			continue;
		*c = '\0';
		if (mkdir(p, 0755) < 0 && errno != EEXIST)
			err = errno;
		*c = was;
		if (!was)
			break;
	}
	if (err)
		*reasonp = xasprintf("cannot make the folder %s: %s", path,
				     strerror(err));
	free(p);

	return err;
}

/* Remove all in a folder but the mark; symbolic links are not followed */
static int empty_folder(const char *path)
{
	char *paths[] = { (char *)path, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	const FTSENT *e;
	int err = 0;

	if (!fts)
		return errno;

	while ((e = fts_read(fts))) {
		if (e->fts_level == 0 || e->fts_info == FTS_D ||
		    !strcmp(e->fts_name, MARK))
			continue;
		if (remove(e->fts_accpath) < 0)
			err = errno;
	}
	(void)fts_close(fts);

	return err;
}

static bool is_empty(const char *path)
{
	char *paths[] = { (char *)path, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	bool found = false;

	if (!fts)
		return false;
	(void)fts_read(fts);
	found = fts_children(fts, FTS_NAMEONLY) != NULL;
	(void)fts_close(fts);

	return !found;
}

/* The folder is locked: make it fresh */
static int refresh(const char *path, char **reasonp)
{
	char *mark = xasprintf("%s/" MARK, path);
	int fd, err = 0;

	/* never empty what is not ours, whatever --runs says */
	if (access(mark, F_OK) < 0 && !is_empty(path)) {
		*reasonp = xasprintf("%s holds files that are of no run: take "
				     "another --runs, or move them away",
				     path);
		free(mark);
		return EEXIST;
	}
	fd = open(mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		err = errno;
	else
		close(fd);
	if (!err)
		err = empty_folder(path);
	if (err)
		*reasonp = xasprintf("cannot make %s fresh: %s", path,
				     strerror(err));
	free(mark);

	return err;
}

/**
 * Make runs/name fresh and hold it; if another run holds it, runs/name-2 …
 *
 * @param folder Filled on success; sim_folder_close() gives it back
 *
 * @return 0, EEXIST if it holds what is of no run, or what the system said
 */
int sim_folder_open(struct sim_folder *folder, const char *runs,
		    const char *name, char **reasonp)
{
	int err = 0;

	for (int i = 1; i <= TRIES; i++) {
		char *path = i == 1 ? xasprintf("%s/%s", runs, name)
				    : xasprintf("%s/%s-%d", runs, name, i);
		int fd = -1;

		err = sim_make_dirs(path, reasonp);
		if (!err)
			fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (!err && fd < 0) {
			err = errno;
			*reasonp = xasprintf("%s: %s", path, strerror(err));
		}
		if (!err && flock(fd, LOCK_EX | LOCK_NB) < 0) {
			/* of a run that is alive */
			close(fd);
			free(path);
			continue;
		}
		if (!err)
			err = refresh(path, reasonp);
		if (!err) {
			*folder = (struct sim_folder){ path, fd };
			return 0;
		}
		if (fd >= 0)
			close(fd);
		free(path);
		return err;
	}
	*reasonp = xasprintf("%s/%s to %s-%d are all in use: end other runs",
			     runs, name, name, TRIES);

	return EBUSY;
}

void sim_folder_close(struct sim_folder *folder)
{
	if (!folder->path)
		return;

	close(folder->lock_fd);
	free(folder->path);
	*folder = (struct sim_folder){ NULL, -1 };
}

/** How wide f is, and whether it takes colours (https://no-color.org) */
void sim_screen_get(struct sim_screen *screen, FILE *f, bool no_colour)
{
	const char *columns = getenv("COLUMNS");
	const char *none = getenv("NO_COLOR");
	bool is_tty = isatty(fileno(f));
	struct winsize size;

	screen->width = WIDTH_DEFAULT;
	if (is_tty && ioctl(fileno(f), TIOCGWINSZ, &size) == 0 && size.ws_col)
		screen->width = size.ws_col;
	else if (columns && strtol(columns, NULL, 10) > 0)
		screen->width = (int)strtol(columns, NULL, 10);
	if (screen->width < WIDTH_MIN)
		screen->width = WIDTH_MIN;
	if (screen->width > WIDTH_MAX)
		screen->width = WIDTH_MAX;
	screen->is_colour = is_tty && !no_colour && !(none && *none);
	/* a file is read anywhere, a terminal by its locale */
	screen->is_ascii = is_tty && strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

/** "scenarios/patent.lua" → "patent"; the caller frees it */
char *sim_name_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash ? slash + 1 : file;
	const char *dot = strrchr(base, '.');
	char *name = dot && dot > base ? xstrndup(base, (size_t)(dot - base))
				       : xstrdup(base);

	/* a folder's name: nothing that a shell or a path would trip over */
	for (char *p = name; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
			    "XYZ0123456789._-",
			    *p))
			*p = '_';
	if (name[0] == '.' || !name[0]) {
		free(name);
		name = xstrdup("scenario");
	}

	return name;
}
