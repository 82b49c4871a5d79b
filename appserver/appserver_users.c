/* The users file: a line a user, "number secret" */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "appserver/appserver_core.h"
#include "common/mem.h"

/** Whether text is an international number: '+' and 2 to 15 digits, the first
 * not 0 (E.164 6.1, 6.2.1) */
bool as_is_number(const char *text)
{
	enum { DIGITS_MAX = 15 };
	size_t n = strspn(text + (*text == '+'), "0123456789");

	return *text == '+' && n >= 2 && n <= DIGITS_MAX && !text[n + 1] &&
	       text[1] != '0';
}

/* NULL, or what is wrong with the line */
static const char *take_line(struct as_login *login, char *line)
{
	char *save = NULL;
	const char *number = strtok_r(line, " \t\r\n", &save);
	const char *secret = strtok_r(NULL, " \t\r\n", &save);

	if (!number || *number == '#')
		return NULL;
	if (!as_is_number(number))
		return "the first word is no E.164 number as +8613800138000";
	if (!secret)
		return "the secret is missing: write \"number secret\"";
	if (strtok_r(NULL, " \t\r\n", &save))
		return "there is more than a number and a secret";
	if (as_user_add(login, number, secret))
		return "this number stands in the file before";

	return NULL;
}

/**
 * Read the users
 *
 * @param reasonp On failure: file:line and what is wrong there; the caller's
 *
 * @return 0, EINVAL for a bad line, or errno of the file
 */
int as_users_read(struct as_login *login, const char *path, char **reasonp)
{
	FILE *f = fopen(path, "re");
	const char *wrong = NULL;
	char *line = NULL;
	size_t room = 0;
	int number = 0;
	int err = 0;

	if (!f) {
		err = errno;
		*reasonp = xasprintf("--users %s: %s; give a file with a line "
				     "\"number secret\" for each user",
				     path, strerror(err));
		return err;
	}

	while (!wrong && getline(&line, &room, f) >= 0) {
		number++;
		wrong = take_line(login, line);
	}
	if (wrong) {
		*reasonp = xasprintf("%s:%d: %s", path, number, wrong);
		err = EINVAL;
	}
	if (line)
		OPENSSL_cleanse(line, room);
	free(line);
	(void)fclose(f);

	return err;
}
