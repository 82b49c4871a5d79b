#include <stdio.h>

#include <libxml/tree.h>
#include <libxml/xmlwriter.h>

#include "common/mem.h"
#include "ims_core/hss/hss_core.h"

/** A service point trigger (TS 29.228 annex B): method, session_case or header
 * is set */
struct trigger {
	int group;
	const char *method;
	const char *session_case;
	const char *header, *content; /* content is a regular expression */
	bool is_negated;
};

/** Which AS a criterion is for, by where it stands among them */
enum {
	PLACE_ALONE = 1 << 0,
	PLACE_BEFORE = 1 << 1, /* another follows */
	PLACE_LAST = 1 << 2
};

/** One initial filter criterion; triggers end with an empty one */
struct criterion {
	unsigned places;
	const char *default_handling;
	struct trigger triggers[4];
};

#define INVITE_BEGINS                                                          \
	{ .group = 0, .method = "INVITE" },                                    \
	{                                                                      \
		.group = 1, .session_case = "0"                                \
	}
#define CHARGED                                                                \
	.group = 2, .header = "P-Charging-Vector", .content = "charged-by="

/* Triggers of one group are OR-ed, groups are AND-ed (ConditionTypeCNF 1).
 * REGISTER of every kind goes to the AS as a third-party REGISTER: S520,
 * [0109]; a registration goes on without it (SESSION_CONTINUED). INVITE goes
 * to it where it begins (SessionCase 0), for the number shown, [0112], and the
 * charging, [0087]: without the AS there would be neither, so that there is no
 * call then (SESSION_TERMINATED). Of several AS each has its criteria, by
 * priority, and is passed by when it does not answer: for the callers of those
 * that follow, and of one before, which has left its mark (docs/wire.md). */
static const struct criterion criteria[] = {
	{ PLACE_ALONE | PLACE_BEFORE | PLACE_LAST,
	  "0",
	  { { .method = "REGISTER" } } },
	{ PLACE_ALONE, "1", { INVITE_BEGINS } },
	{ PLACE_BEFORE, "0", { INVITE_BEGINS } },
	{ PLACE_LAST, "0", { INVITE_BEGINS, { CHARGED } } },
	{ PLACE_LAST, "1", { INVITE_BEGINS, { CHARGED, .is_negated = true } } },
};
enum { CRITERION_N = sizeof(criteria) / sizeof(criteria[0]) };

static void begin(xmlTextWriter *w, const char *name)
{
	xmlTextWriterStartElement(w, BAD_CAST name);
}

static void end(xmlTextWriter *w)
{
	xmlTextWriterEndElement(w);
}

static void put(xmlTextWriter *w, const char *name, const char *text)
{
	xmlTextWriterWriteElement(w, BAD_CAST name, BAD_CAST text);
}

static void put_number(xmlTextWriter *w, const char *name, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	put(w, name, text);
}

static void put_trigger(xmlTextWriter *w, const struct trigger *t)
{
	begin(w, "SPT");
	put_number(w, "ConditionNegated", t->is_negated);
	put_number(w, "Group", t->group);
	if (t->method)
		put(w, "Method", t->method);
	if (t->session_case)
		put(w, "SessionCase", t->session_case);
	if (t->header) {
		begin(w, "SIPHeader");
		put(w, "Header", t->header);
		put(w, "Content", t->content);
		end(w);
	}
	end(w);
}

static bool is_empty(const struct trigger *t)
{
	return !t->method && !t->session_case && !t->header;
}

static void put_criterion(xmlTextWriter *w, const struct criterion *c,
			  int priority, const char *appserver)
{
	begin(w, "InitialFilterCriteria");
	put_number(w, "Priority", priority);
	begin(w, "TriggerPoint");
	put(w, "ConditionTypeCNF", "1");
	for (const struct trigger *t = c->triggers; !is_empty(t); t++)
		put_trigger(w, t);
	end(w);
	begin(w, "ApplicationServer");
	put(w, "ServerName", appserver);
	put(w, "DefaultHandling", c->default_handling);
	end(w);
	end(w);
}

/* All criteria of the AS of that number, from 0 */
static void put_criteria(xmlTextWriter *w, const struct hss *hss, int as)
{
	unsigned place = hss->appserver_n == 1        ? PLACE_ALONE
			 : as == hss->appserver_n - 1 ? PLACE_LAST
						      : PLACE_BEFORE;

	for (int i = 0; i < CRITERION_N; i++)
		if (criteria[i].places & place)
			put_criterion(w, &criteria[i], as * CRITERION_N + i,
				      hss->appservers[as]);
}

static void put_identity(xmlTextWriter *w, const char *scheme, const char *uri)
{
	begin(w, "PublicIdentity");
	put(w, "BarringIndication", "0");
	begin(w, "Identity");
	xmlTextWriterWriteFormatString(w, "%s%s", scheme, uri);
	end(w);
	end(w);
}

/**
 * The user's profile, User-Data of the SAA (TS 29.228 annex E): the SIP-URI,
 * the default identity, and the number's tel URI, registered with it. The order
 * of elements is fixed by its schema; nothing optional is sent that a reader
 * might not know.
 *
 * @return The text, the caller's to free
 */
char *hss_profile(const struct hss *hss, const struct hss_user *user,
		  size_t *lenp)
{
	xmlBuffer *buffer = xmlBufferCreate();
	xmlTextWriter *w = xmlNewTextWriterMemory(buffer, 0);
	char *text;

	xmlTextWriterStartDocument(w, NULL, "UTF-8", NULL);
	begin(w, "IMSSubscription");
	put(w, "PrivateID", user->impi);
	begin(w, "ServiceProfile");
	put_identity(w, "", user->impu);
	/* who is called by number is found (TS 23.003 13.4) */
	if (user->number && user->number[0] == '+')
		put_identity(w, "tel:", user->number);
	for (int as = 0; as < hss->appserver_n; as++)
		put_criteria(w, hss, as);
	xmlTextWriterEndDocument(w);
	xmlFreeTextWriter(w);

	*lenp = (size_t)xmlBufferLength(buffer);
	text = xmemdup(xmlBufferContent(buffer), *lenp);
	xmlBufferFree(buffer);

	return text;
}
