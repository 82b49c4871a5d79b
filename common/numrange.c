#include "common/numrange.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

static const char placeholder[] = "{number}";

static int refuse(char **reasonp, char *reason)
{
	*reasonp = reason;

	return EINVAL;
}

/**
 * Check a number: an optional '+' and 1 to 15 digits (ITU-T E.164 6.2.1)
 *
 * @return 0, or EINVAL with the reason, the caller's to free
 */
int number_check(const char *number, char **reasonp)
{
	const char *digits = number + (*number == '+');
	size_t n = strspn(digits, "0123456789");

	if (digits[n])
		return refuse(reasonp,
			      xasprintf("number \"%.40s\": character %zu is "
					"not a digit; write +8613800138000",
					number,
					(size_t)(digits - number) + n + 1));
	if (!n)
		return refuse(reasonp,
			      xasprintf("number \"%s\" has no digits; write "
					"+8613800138000",
					number));
	if (n > NUMBER_DIGITS_MAX)
		return refuse(reasonp,
			      xasprintf("number \"%.40s\" has %zu digits; "
					"E.164 allows %d",
					number, n, NUMBER_DIGITS_MAX));

	return 0;
}

static int check_alike(const char *first, const char *last, char **reasonp)
{
	if ((*first == '+') != (*last == '+'))
		return refuse(reasonp,
			      xasprintf("range %s to %s: write both numbers "
					"with a +, or neither",
					first, last));
	if (strlen(first) != strlen(last))
		return refuse(reasonp,
			      xasprintf("range %s to %s: the numbers must have "
					"as many digits as each other",
					first, last));
	if (strcmp(first, last) > 0)
		return refuse(reasonp,
			      xasprintf("range %s to %s: the last number is "
					"below the first",
					first, last));

	return 0;
}

/**
 * Read a range, both ends included. Numbers of one length only: what would
 * come between 99 and 101, 100 or 0100, nobody can know.
 *
 * @return 0, or EINVAL with the reason, the caller's to free
 */
int numrange_parse(struct numrange *range, const char *first, const char *last,
		   char **reasonp)
{
	bool has_plus = *first == '+';
	uint64_t from, to;
	int err = number_check(first, reasonp);

	if (!err)
		err = number_check(last, reasonp);
	if (!err)
		err = check_alike(first, last, reasonp);
	if (err)
		return err;

	from = strtoull(first + has_plus, NULL, 10);
	to = strtoull(last + has_plus, NULL, 10);
	if (to - from >= NUMRANGE_MAX)
		return refuse(reasonp,
			      xasprintf("range %s to %s holds %" PRIu64
					" numbers; at most %d in one request",
					first, last, to - from + 1,
					NUMRANGE_MAX));

	range->first = from;
	range->count = (uint32_t)(to - from + 1);
	range->digits = (int)strlen(first + has_plus);
	range->has_plus = has_plus;

	return 0;
}

/** The range's i-th number, from 0, written as its ends were */
void numrange_at(char text[static NUMBER_TEXT_LEN],
		 const struct numrange *range, uint32_t i)
{
	uint64_t n = range->first + i;
	int at = range->digits + range->has_plus;

	text[at] = '\0';
	while (at > range->has_plus) {
		text[--at] = (char)('0' + n % 10);
		n /= 10;
	}
	if (range->has_plus)
		text[0] = '+';
}

/* user part of a SIP-URI without its password and escapes: RFC 3261 25.1,
 * unreserved and user-unreserved */
static bool is_user_char(char c)
{
	return isalnum((unsigned char)c) ||
	       (c && strchr("-_.!~*'()&=+$,;?/", c));
}

static bool is_host_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-.", c));
}

/** How many characters of text pass */
static size_t span(const char *text, bool (*passes)(char c))
{
	size_t n = 0;

	while (passes(text[n]))
		n++;

	return n;
}

/**
 * Check a SIP-URI of an account: `sip:user@host`, no port, no parameters
 *
 * @param uri     To be checked
 * @param realm   The only host allowed; NULL: any
 * @param reasonp On failure the reason, the caller's to free
 *
 * @return 0 or EINVAL
 */
int sipuri_check(const char *uri, const char *realm, char **reasonp)
{
	const char *user = uri + 4;
	const char *host;
	size_t n;

	if (strncmp(uri, "sip:", 4) != 0)
		return refuse(reasonp, xasprintf("SIP-URI \"%.80s\" does not "
						 "begin with sip:",
						 uri));
	n = span(user, is_user_char);
	host = user + n + 1;
	if (!n || user[n] != '@')
		return refuse(reasonp,
			      xasprintf("SIP-URI \"%.80s\": user part wrong at "
					"character %zu; write sip:user@host",
					uri, n + 5));
	n = span(host, is_host_char);
	if (!n || host[n])
		return refuse(reasonp,
			      xasprintf("SIP-URI \"%.80s\": host wrong at "
					"character %zu; write sip:user@host "
					"without port or parameters",
					uri, (size_t)(host - uri) + n + 1));
	if (strlen(uri) > SIPURI_TEXT_MAX)
		return refuse(
			reasonp,
			xasprintf("SIP-URI \"%.80s...\" is longer than %d "
				  "characters",
				  uri, SIPURI_TEXT_MAX));
	if (realm && strcasecmp(host, realm) != 0)
		return refuse(reasonp, xasprintf("SIP-URI \"%.80s\" is of "
						 "another domain than %s",
						 uri, realm));

	return 0;
}

/**
 * Check a rule: a SIP-URI with `{number}` once in its user part
 *
 * @return 0, or EINVAL with the reason, the caller's to free
 */
int numrule_check(const char *rule, char **reasonp)
{
	const char *at = strstr(rule, placeholder);
	const char *host = strchr(rule, '@');
	char *why = NULL, *uri;
	int err;

	if (!at || (host && at > host))
		return refuse(reasonp,
			      xasprintf("rule \"%.80s\" has no {number} before "
					"the @; write sip:{number}@ims.test",
					rule));

	/* the longest number shows whether the longest SIP-URI still fits;
	 * a second placeholder is left over, and its brace is refused */
	uri = numrule_apply(rule, "+123456789012345");
	err = sipuri_check(uri, NULL, &why);
	if (err)
		*reasonp = xasprintf("rule \"%.80s\": gives %s", rule, why);
	free(why);
	free(uri);

	return err;
}

/** The SIP-URI that a checked rule makes of a number; the caller's to free */
char *numrule_apply(const char *rule, const char *number)
{
	const char *at = strstr(rule, placeholder);

	return xasprintf("%.*s%s%s", (int)(at - rule), rule, number,
			 at + sizeof(placeholder) - 1);
}

/**
 * Check a password: printable ASCII without blanks, for it stands in files
 * whose fields are parted by blanks
 *
 * @return 0, or EINVAL with the reason (never the password itself)
 */
int password_check(const char *password, char **reasonp)
{
	size_t n = strlen(password);
	size_t i;

	if (!n || n > PASSWORD_TEXT_MAX)
		return refuse(reasonp,
			      xasprintf("password of %zu characters; 1 to %d "
					"are allowed",
					n, PASSWORD_TEXT_MAX));
	for (i = 0; i < n; i++)
		if (!isgraph((unsigned char)password[i]))
			return refuse(reasonp,
				      xasprintf("password: character %zu is "
						"not printable ASCII",
						i + 1));

	return 0;
}
