#include "boss/boss_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "common/mem.h"
#include "common/numrange.h"

enum { FIELDS_MAX = 5, LINE_LEN_MAX = 1024 };

static const char blanks[] = " \t\r\n";

/* --- lists --- */

/** An empty account at the end, borrowed until the next one */
struct boss_account *boss_list_add(struct boss_list *list)
{
	if (list->n == list->room) {
		list->room = list->room ? 2 * list->room : 8;
		list->v = xrealloc(list->v, list->room * sizeof(*list->v));
	}
	memset(&list->v[list->n], 0, sizeof(*list->v));

	return &list->v[list->n++];
}

/** A copy of an account at the end, borrowed until the next one */
struct boss_account *boss_list_copy(struct boss_list *list,
				    const struct boss_account *a)
{
	struct boss_account *copy = boss_list_add(list);

	copy->number = xstrdup(a->number);
	copy->uri = xstrdup(a->uri);
	copy->impi = xstrdup(a->impi);
	copy->password = xstrdup(a->password);
	copy->status = xstrdup(a->status);

	return copy;
}

bool boss_account_is(const struct boss_account *a, const char *status)
{
	return a && a->status && !strcmp(a->status, status);
}

/** Another password, copied, or NULL; the old one is wiped */
void boss_account_set_password(struct boss_account *a, const char *password)
{
	char *copy = xstrdup(password);

	if (a->password)
		OPENSSL_cleanse(a->password, strlen(a->password));
	free(a->password);
	a->password = copy;
}

/** Forget what it holds; the password is wiped */
void boss_account_clear(struct boss_account *a)
{
	boss_account_set_password(a, NULL);
	free(a->number);
	free(a->uri);
	free(a->impi);
	free(a->status);
	memset(a, 0, sizeof(*a));
}

/** Empty a list; passwords are wiped */
void boss_list_clear(struct boss_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		boss_account_clear(&list->v[i]);
	free(list->v);
	*list = (struct boss_list){ 0 };
}

/** How many are of a status */
size_t boss_list_count(const struct boss_list *list, const char *status)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += boss_account_is(&list->v[i], status);

	return n;
}

/* --- reading files of fields parted by blanks --- */

/** Takes a line's fields; gives what is wrong, the caller's, or NULL */
typedef char *line_fn(struct boss_list *list, char **fields, int n,
		      const char *realm);

/* Fields of a line, cut in place; one more than may be tells of too many */
static int cut(char **fields, char *line)
{
	char *rest = NULL;
	int n = 0;
	char *field = strtok_r(line, blanks, &rest);

	for (; field && n < FIELDS_MAX; field = strtok_r(NULL, blanks, &rest))
		fields[n++] = field;

	return n;
}

static char *read_line(struct boss_list *list, char *line, size_t len,
		       line_fn *take, const char *realm)
{
	char *fields[FIELDS_MAX];
	int n;

	if (strlen(line) != len)
		return xstrdup("holds a NUL byte; this is no text file");
	if (len > LINE_LEN_MAX)
		return xasprintf("is longer than %d characters", LINE_LEN_MAX);

	n = cut(fields, line);
	if (!n || *fields[0] == '#')
		return NULL;
	if (list->n == NUMRANGE_MAX)
		return xasprintf("more than %d accounts in one file",
				 NUMRANGE_MAX);

	return take(list, fields, n, realm);
}

/* A SIP-URI that stands twice is surely a slip: say where both are */
static char *check_once(json_t *seen, const struct boss_list *list, size_t had,
			int line)
{
	const char *uri;
	json_t *at;

	if (list->n == had)
		return NULL;

	uri = list->v[had].uri;
	at = json_object_get(seen, uri);
	if (at)
		return xasprintf("%s is in line %d already", uri,
				 (int)json_integer_value(at));
	json_object_set_new(seen, uri, json_integer(line));

	return NULL;
}

static int read_file(struct boss_list *list, const char *file, line_fn *take,
		     const char *realm, char **reasonp)
{
	FILE *f = fopen(file, "re");
	json_t *seen;
	char *line = NULL, *why = NULL;
	size_t room = 0;
	ssize_t len;
	int number = 0;
	int err = errno;

	if (!f) {
		*reasonp = xasprintf("%s: %s", file, strerror(err));
		return err;
	}

	seen = json_object();
	while (!why && (len = getline(&line, &room, f)) >= 0) {
		size_t had = list->n;

		number++;
		why = read_line(list, line, (size_t)len, take, realm);
		if (!why)
			why = check_once(seen, list, had, number);
	}
	if (why)
		*reasonp = xasprintf("%s:%d: %s", file, number, why);
	else if (ferror(f))
		*reasonp = xasprintf("%s: cannot be read", file);
	err = why ? EINVAL : ferror(f) ? EIO : 0;
	if (err)
		boss_list_clear(list);
	if (line)
		OPENSSL_cleanse(line, room);
	free(line);
	free(why);
	json_decref(seen);
	fclose(f);

	return err;
}

static char *take_batch_line(struct boss_list *list, char **fields, int n,
			     const char *realm)
{
	const char *password = n > 2 ? fields[2] : NULL;
	struct boss_account *a;
	char *why = NULL;

	if (n < 2)
		return xasprintf("\"%.40s\": NUMBER SIP-URI [PASSWORD] was "
				 "expected",
				 fields[0]);
	if (password && *password == '#')
		return xstrdup("a comment needs a line of its own");
	if (n > 3)
		return xstrdup("4 fields or more; NUMBER SIP-URI [PASSWORD] "
			       "were expected, and no blank in a password");
	if (number_check(fields[0], &why) ||
	    sipuri_check(fields[1], realm, &why) ||
	    (password && password_check(password, &why)))
		return why;

	a = boss_list_add(list);
	a->number = xstrdup(fields[0]);
	a->uri = xstrdup(fields[1]);
	a->password = xstrdup(password);

	return NULL;
}

/**
 * Read the file of accounts to be opened: `NUMBER SIP-URI [PASSWORD]` a line,
 * comments on lines of their own that begin with '#'. S401: [0076]
 *
 * @param list    Empty; filled with all accounts, or left empty
 * @param realm   The SIP-URIs' host
 * @param reasonp On failure `file:line: what is wrong`; the caller's to free
 *
 * @return 0, EINVAL, or what opening the file gave
 */
int boss_batch_read(struct boss_list *list, const char *file, const char *realm,
		    char **reasonp)
{
	int err = read_file(list, file, take_batch_line, realm, reasonp);

	if (err || list->n)
		return err;
	*reasonp = xasprintf("%s: no account in it; write NUMBER SIP-URI "
			     "[PASSWORD] lines",
			     file);

	return EINVAL;
}

static char *take_pool_line(struct boss_list *list, char **fields, int n,
			    const char *realm)
{
	struct boss_account *a;
	char *why = NULL;

	(void)realm;
	if (n != 4)
		return xasprintf("%d fields; SIP-URI IMPI PASSWORD REALM were "
				 "expected",
				 n);
	if (sipuri_check(fields[0], NULL, &why) ||
	    password_check(fields[2], &why))
		return why;

	a = boss_list_add(list);
	a->uri = xstrdup(fields[0]);
	a->impi = xstrdup(fields[1]);
	a->password = xstrdup(fields[2]);

	return NULL;
}

/** Read a pool file, as boss_pool_write() writes it; as boss_batch_read() */
int boss_pool_read(struct boss_list *list, const char *file, char **reasonp)
{
	return read_file(list, file, take_pool_line, NULL, reasonp);
}

/* --- writing --- */

static int write_lines(int fd, const struct boss_list *list, const char *realm)
{
	FILE *f = fdopen(fd, "w");
	int err = 0;

	if (!f) {
		err = errno;
		close(fd);
		return err;
	}

	for (size_t i = 0; i < list->n && !err; i++) {
		const struct boss_account *a = &list->v[i];

		if (fprintf(f, "%s %s %s %s\n", a->uri, a->impi, a->password,
			    realm) < 0)
			err = errno;
	}
	if (!err && (fflush(f) || fsync(fd)))
		err = errno;
	if (fclose(f) && !err)
		err = errno;

	return err;
}

/* A rename is on disk when its directory is */
static void sync_directory(const char *file)
{
	char *copy = xstrdup(file);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(copy);
}

/**
 * Write a pool file: `SIP-URI IMPI PASSWORD REALM` a line. It is the old one
 * or the new one at every moment, and only its owner may read it: mkstemp()
 * makes it with mode 0600.
 *
 * @param reasonp On failure which file and why; the caller's to free
 */
int boss_pool_write(const struct boss_list *list, const char *file,
		    const char *realm, char **reasonp)
{
	char *temporary = xasprintf("%s.XXXXXX", file);
	int fd = mkstemp(temporary);
	int err = fd < 0 ? errno : write_lines(fd, list, realm);

	if (!err && rename(temporary, file))
		err = errno;
	if (err) {
		*reasonp = xasprintf("pool file %s cannot be written: %s", file,
				     strerror(err));
		if (fd >= 0)
			(void)unlink(temporary);
	} else {
		sync_directory(file);
	}
	free(temporary);

	return err;
}
