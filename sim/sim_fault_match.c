#include "sim/sim_fault_match.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"

/* The nth word of a text, from 0, cut to what word has room for */
static void nth_word(char *word, size_t room, const char *text, int n)
{
	size_t len;

	while (n-- > 0 && *text) {
		text += strcspn(text, " ");
		text += strspn(text, " ");
	}
	len = strcspn(text, " ");
	(void)snprintf(word, room, "%.*s", (int)len, text);
}

/* The method of a SIP message: a response has it in its CSeq (RFC 3261 20.16)
 */
static bool has_cseq_method(const char *text, const char *method)
{
	const char *line = strcasestr(text, "\nCSeq");
	size_t len = line ? strcspn(line + 1, "\r\n") : 0;
	size_t room = strlen(method);

	return line && len > room && line[1 + len - room - 1] == ' ' &&
	       !strncasecmp(line + 1 + len - room, method, room);
}

static bool is_method(const char *what, const char *text, const char *method)
{
	char words[4][64];

	for (int i = 0; i < 4; i++)
		nth_word(words[i], sizeof(words[i]), what, i);
	/* "http POST /v1/leases", "sip REGISTER", "diameter MAR" */
	if (!strcasecmp(words[1], method))
		return true;
	/* "http 201 to POST https://…" */
	if (!strcmp(words[2], "to"))
		return !strcasecmp(words[3], method);

	return !strcmp(words[0], "sip") && has_cseq_method(text, method);
}

static bool is_status(const char *what, json_int_t status)
{
	char word[16], wanted[16];

	nth_word(word, sizeof(word), what, 1);
	(void)snprintf(wanted, sizeof(wanted), "%d", (int)status);

	return !strcmp(word, wanted);
}

static bool is_proto(const char *what, const char *proto)
{
	char word[16];

	nth_word(word, sizeof(word), what, 0);

	return !strcmp(word, proto);
}

/**
 * Whether conditions can be met by a message at all
 *
 * @return 0, or EINVAL with what is wrong
 */
int sim_fault_match_check(const json_t *at, char **reasonp)
{
	static const char *const names[] = { "proto", "method", "status",
					     "path",  "text",   "user" };
	static const char protos[] = " sip http diameter ";
	const char *proto = json_string_value(json_object_get(at, "proto"));
	char *word = xasprintf(" %s ", proto ? proto : "");
	bool is_known = proto && strstr(protos, word);
	const char *key;
	json_t *value;
	size_t i;

	free(word);
	if (!is_known) {
		*reasonp = xstrdup("a message is told by proto: \"sip\", "
				   "\"http\" or \"diameter\"");
		return EINVAL;
	}
	json_object_foreach((json_t *)at, key, value)
	{
		for (i = 0; i < 6 && strcmp(key, names[i]) != 0; i++)
			;
		if (i == 6 || json_is_integer(value) != (i == 2)) {
			*reasonp =
				xasprintf("a message has no '%s' of that type: "
					  "proto, method, status (a number), "
					  "path, text",
					  key);
			return EINVAL;
		}
	}

	return 0;
}

/**
 * Whether a message meets all conditions
 *
 * @param at       Checked by sim_fault_match_check()
 * @param what     As hold_message() was given it
 * @param text     Its bytes as far as they are text, or ""
 * @param user_uri The SIP-URI that the user of `at` leases, or NULL
 */
bool sim_fault_match(const json_t *at, const char *what, const char *text,
		     const char *user_uri)
{
	const char *proto = json_string_value(json_object_get(at, "proto"));
	const char *method = json_string_value(json_object_get(at, "method"));
	const json_t *status = json_object_get(at, "status");
	const char *path = json_string_value(json_object_get(at, "path"));
	const char *part = json_string_value(json_object_get(at, "text"));
	const char *user = json_string_value(json_object_get(at, "user"));

	if (!is_proto(what, proto) || (path && !strstr(what, path)) ||
	    (method && !is_method(what, text, method)) ||
	    (status && !is_status(what, json_integer_value(status))) ||
	    (part && !strstr(text, part)))
		return false;

	return !user || strstr(text, user) ||
	       (user_uri && strstr(text, user_uri));
}
