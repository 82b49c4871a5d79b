#include "sim/sim_up.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/random.h>

#include "common/mem.h"
#include "common/numrange.h"

enum { PASSWORD_LEN = 16, LINE_LEN = 512 };

/**
 * "+8657110000001-+8657110000005" into its two numbers
 *
 * @return 0, or EINVAL with what is wrong; both are the caller's to free
 */
int sim_range_split(const char *range, char **firstp, char **lastp,
		    char **reasonp)
{
	const char *dash = strchr(range, '-');
	struct numrange parsed;
	char *first, *last, *why = NULL;

	if (!dash) {
		*reasonp = xasprintf("%s: must be FIRST-LAST, as "
				     "+8657110000001-+8657110000005",
				     range);
		return EINVAL;
	}
	first = xstrndup(range, (size_t)(dash - range));
	last = xstrdup(dash + 1);
	if (numrange_parse(&parsed, first, last, &why)) {
		*reasonp = xasprintf("%s: %s", range, why);
		free(why);
		free(first);
		free(last);
		return EINVAL;
	}
	*firstp = first;
	*lastp = last;

	return 0;
}

/* 80 bits, of letters and digits that are not mistaken for one another */
static int make_password(char password[PASSWORD_LEN + 1])
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	unsigned char random[PASSWORD_LEN];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return errno ? errno : EIO;

	for (int i = 0; i < PASSWORD_LEN; i++)
		password[i] = letters[random[i] % (sizeof(letters) - 1)];
	password[PASSWORD_LEN] = '\0';

	return 0;
}

/* What an earlier `up` on the same store gave out: number to password */
static json_t *read_known(const char *path)
{
	json_t *known = json_object();
	FILE *f = fopen(path, "re");
	char line[LINE_LEN];

	while (f && fgets(line, sizeof(line), f)) {
		char *save = NULL;
		const char *number = strtok_r(line, " \n", &save);
		const char *uri = strtok_r(NULL, " \n", &save);
		const char *password = strtok_r(NULL, " \n", &save);

		if (uri && password)
			json_object_set_new(known, number,
					    json_string(password));
	}
	if (f)
		(void)fclose(f);

	return known;
}

static int write_lines(FILE *f, const struct numrange *range,
		       const json_t *known)
{
	int err = 0;

	for (uint32_t i = 0; i < range->count && !err; i++) {
		char number[NUMBER_TEXT_LEN], fresh[PASSWORD_LEN + 1];
		const char *password;

		numrange_at(number, range, i);
		password = json_string_value(json_object_get(known, number));
		if (!password)
			err = make_password(fresh);
		if (!err && fprintf(f, "%s sip:%s@" SIM_REALM " %s\n", number,
				    number, password ? password : fresh) < 0)
			err = errno;
	}

	return err;
}

/**
 * Write the file of users that BOSS opens: NUMBER SIP-URI PASSWORD a line,
 * its owner's alone to read; a number that was there keeps its password
 *
 * @return 0, or what was wrong with the range or the file
 */
int sim_up_accounts(struct sim_up *up, char **reasonp)
{
	const char *dir = up->plan.store ? up->plan.store : up->folder.path;
	char *first = NULL, *last = NULL, *path, *why = NULL;
	struct numrange range;
	json_t *known;
	int err = sim_range_split(up->cfg->users, &first, &last, reasonp), fd;
	FILE *f;

	if (err)
		return err;

	(void)numrange_parse(&range, first, last, &why);
	free(first);
	free(last);
	if (up->plan.store && sim_make_dirs(dir, reasonp))
		return EIO;
	path = xasprintf("%s/accounts.txt", dir);
	known = read_known(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	err = f ? write_lines(f, &range, known) : errno;
	if (f && fclose(f) && !err)
		err = errno;
	json_decref(known);
	if (err) {
		*reasonp =
			xasprintf("cannot write %s: %s", path, strerror(err));
		free(path);
		return err;
	}
	up->accounts = path;
	up->user_n = (int)range.count;

	return 0;
}
