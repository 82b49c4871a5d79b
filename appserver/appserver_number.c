/* Real numbers in calls: what the caller shows against what its SIP-URI is
 * bound to ([0112], [0087]), and whom a real number means */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appserver/appserver_binding.h"
#include "appserver/appserver_call.h"
#include "common/mem.h"

enum { NUMBER_LEN = 24 };

/* Text without quotes and what RFC 3966 5.1.1 calls visual separators; false:
 * it is no E.164 number then */
static bool to_number(char number[static NUMBER_LEN], const char *text)
{
	size_t n = 0;

	for (; *text && n < NUMBER_LEN - 1; text++)
		if (!strchr("\"-.() \t", *text))
			number[n++] = *text;
	number[n] = '\0';

	return !*text && as_is_number(number);
}

/* "sip:+8657110000001@ims.test" has its number in it */
static bool number_of_uri(char number[static NUMBER_LEN], const char *uri)
{
	const char *user = strchr(uri, ':');
	const char *end = user ? strchr(user, '@') : NULL;
	char text[NUMBER_LEN];

	if (!end || end - user > NUMBER_LEN)
		return false;

	snprintf(text, sizeof(text), "%.*s", (int)(end - user - 1), user + 1);

	return to_number(number, text);
}

static bool is_empty(const char *display)
{
	return !display || !display[strspn(display, "\" \t")];
}

/**
 * Compare the number-display field ([0112]) with the number it must be
 *
 * @param display From's display name as it came, quotes included; or NULL
 * @param number  The caller's, E.164; NULL: it has none to show
 */
enum as_display as_number_check(const char *display, const char *number)
{
	char shown[NUMBER_LEN];

	if (is_empty(display))
		return number ? AS_DISPLAY_FILLED : AS_DISPLAY_TRUE;
	if (number && to_number(shown, display) && !strcmp(shown, number))
		return AS_DISPLAY_TRUE;

	return AS_DISPLAY_FOREIGN;
}

static void take_binding(struct as_party *party, const struct as_binding *b)
{
	xstrset(&party->uri, b->uri);
	xstrset(&party->number, b->number);
	party->lease_id = b->lease_id;
}

/**
 * Who calls from a SIP-URI that the network has asserted
 *
 * @return 0; 403: the SIP-URI is for lending, and nobody has it here now, so
 *         that no one could be charged
 */
int as_number_caller(const struct appserver *as, const char *uri,
		     struct as_party *party)
{
	const struct as_binding *b = as_binding_of_uri(as, uri);
	char number[NUMBER_LEN];

	if (b) {
		take_binding(party, b);
		return 0;
	}
	if (as_uri_is_lent(as, uri))
		return 403;

	/* an account of its own: its number is that of the account */
	xstrset(&party->uri, uri);
	if (number_of_uri(number, uri))
		xstrset(&party->number, number);

	return 0;
}

static bool has_user_phone(const url_t *url)
{
	char value[8];

	return url->url_params &&
	       url_param(url->url_params, "user", value, sizeof(value)) &&
	       !strcasecmp(value, "phone");
}

/* RFC 3966 5.1.5: a local number is of the context that stands beside it */
static bool dialled(char number[static NUMBER_LEN], const url_t *url)
{
	const char *digits = url->url_user ? url->url_user : url->url_host;
	char context[NUMBER_LEN] = "", text[2 * NUMBER_LEN];

	if (!digits)
		return false;
	if (*digits != '+' && url->url_params)
		(void)url_param(url->url_params, "phone-context", context,
				sizeof(context));
	if (*digits != '+' && *context != '+')
		return false;
	snprintf(text, sizeof(text), "%s%.23s", context, digits);

	return strlen(digits) < NUMBER_LEN && to_number(number, text);
}

/* A number that nobody has here: the AS that follows may know whose it is, so
 * that it stays as it was dialled. The last one makes it the account that the
 * IMS may have under it */
static void take_unbound(const struct appserver *as, const char *number,
			 const url_t *url, struct as_party *party)
{
	const char *host = url->url_type == url_tel ? as->realm : url->url_host;

	free(party->uri);
	if (as->chain == AS_FIRST) {
		party->uri = xasprintf("tel:%s", number);
		xstrset(&party->number, number);
	} else {
		party->uri = xasprintf("sip:%s@%s", number, host);
	}
}

/* Of a SIP-URI that is not bound here. Where there are several AS, it may be
 * bound at another, and the number in it is then not its user's */
static void take_account(const struct appserver *as, struct as_party *party)
{
	char number[NUMBER_LEN];

	if (as->chain == AS_ALONE && number_of_uri(number, party->uri) &&
	    !as_uri_is_lent(as, party->uri))
		xstrset(&party->number, number);
}

/**
 * Who is called by a Request-URI
 *
 * A real number, as tel URI or as SIP URI with user=phone (RFC 3261 19.1.6),
 * is whoever has it bound; of a number that nobody has, the account that the
 * IMS may have under it. Whether there is one, the HSS tells (LIA, 404).
 *
 * @return 0; 484: no complete number; 416: neither sip: nor tel:
 */
int as_number_callee(const struct appserver *as, const url_t *url,
		     struct as_party *party)
{
	const struct as_binding *b;
	char number[NUMBER_LEN];

	if (url->url_type != url_tel && url->url_type != url_sip)
		return 416;
	if (url->url_type == url_tel || has_user_phone(url)) {
		if (!dialled(number, url))
			return 484;
		b = as_binding_of_number(as, number);
		if (b) {
			take_binding(party, b);
			return 0;
		}
		take_unbound(as, number, url, party);
	} else {
		free(party->uri);
		party->uri = xasprintf("sip:%s%s%s",
				       url->url_user ? url->url_user : "",
				       url->url_user ? "@" : "", url->url_host);
	}
	b = as_binding_of_uri(as, party->uri);
	if (b)
		take_binding(party, b);
	else
		take_account(as, party);

	return 0;
}

/** Free what it holds */
void as_party_clear(struct as_party *party)
{
	free(party->uri);
	free(party->number);
	*party = (struct as_party){ 0 };
}
