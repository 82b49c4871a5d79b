#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "platform/platform_units.h"

/** Which characters a field may hold, and how it looks */
struct field {
	const char *name;
	const char *prefix; /* "": none */
	const char *banned;
	bool has_at; /* user@domain, both there */
	const char *example;
};

enum { FIELD_MAX = 255 };

static const struct field fields[] = {
	/* a public identity in canonical form (TS 23.003 13.4): no port,
	 * parameters or headers */
	{ "uri", "sip:", " \t<>\"?;,", true, "sip:+8657110000001@ims.test" },
	/* a network access identifier (TS 23.003 13.3) */
	{ "impi", "", " \t<>\":;,", true, "+8657110000001@ims.test" },
	{ "password", "", " \t", false, "a word without blanks" },
	{ "realm", "", " \t<>\"@:;,", false, "ims.test" },
};

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;

	return false;
}

static bool is_user_at_domain(const char *s)
{
	const char *at = strchr(s, '@');

	return at && at > s && at[1] && !strchr(at + 1, '@') &&
	       !strchr(at + 1, ':');
}

/* The value itself is named only where it is no secret */
static int check_field(const json_t *account, const struct field *f,
		       char **reasonp)
{
	const char *value = json_need_string(account, f->name, reasonp);
	const char *rest = value;
	bool is_good;

	if (!value)
		return EINVAL;

	is_good = strlen(value) <= FIELD_MAX && !has_control(value) &&
		  !strpbrk(value, f->banned) &&
		  !strncmp(value, f->prefix, strlen(f->prefix));
	if (is_good)
		rest += strlen(f->prefix);
	if (is_good && (!f->has_at || is_user_at_domain(rest)))
		return 0;

	*reasonp = xasprintf("the field \"%s\" must look like %s, %d bytes at "
			     "most",
			     f->name, f->example, FIELD_MAX);
	return EINVAL;
}

/**
 * Whether one account can be taken into the pool
 *
 * @param account {"uri","impi","password","realm"}
 * @param reasonp On failure: names the field, never the password; the
 *                caller's to free
 *
 * @return 0, or EINVAL
 */
int plat_account_check(const json_t *account, char **reasonp)
{
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(fields) / sizeof(fields[0]); i++)
		err = check_field(account, &fields[i], reasonp);

	return err;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void keep(void *node)
{
	(void)node;
}

/**
 * Whether a whole batch can be taken: each account, and no SIP-URI twice
 *
 * @param reasonp On failure: names the item's index (from 0) and the field
 *
 * @return 0, or EINVAL
 */
int plat_accounts_check(const json_t *accounts, char **reasonp)
{
	void *seen = NULL;
	char *reason = NULL;
	size_t i, n = json_array_size(accounts);

	for (i = 0; i < n && !reason; i++) {
		const json_t *item = json_array_get(accounts, i);
		const char *uri = json_find_string(item, "uri");
		const char **slot;

		if (plat_account_check(item, &reason))
			break;
		slot = tsearch(uri, &seen, by_text);
		if (slot && *slot != uri)
			reason = xasprintf("the field \"uri\" holds %s, which "
					   "stands in this batch already",
					   uri);
		if (reason)
			break;
	}
	tdestroy(seen, keep);
	if (!reason)
		return 0;

	*reasonp = xasprintf("accounts[%zu]: %s; nothing was taken", i, reason);
	free(reason);

	return EINVAL;
}
