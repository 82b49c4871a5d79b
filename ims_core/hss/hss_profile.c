#include <stdio.h>

#include <libxml/tree.h>
#include <libxml/xmlwriter.h>

#include "common/mem.h"
#include "ims_core/hss/hss_core.h"

/** A service point trigger (TS 29.228 annex B): one of its members is set */
struct trigger {
	int group;
	const char *method;
	const char *session_case;
};

/** One initial filter criterion; triggers end with an empty one */
struct criterion {
	const char *priority;
	const char *default_handling;
	struct trigger triggers[3];
};

/* Triggers of one group are OR-ed, groups are AND-ed (ConditionTypeCNF 1).
 * REGISTER of every kind goes to the AS as a third-party REGISTER: S520,
 * [0109]; a registration goes on without it (SESSION_CONTINUED). INVITE goes
 * to it where it begins (SessionCase 0), for the number shown, [0112], and the
 * charging, [0087]: without the AS there would be neither, so that there is no
 * call then (SESSION_TERMINATED). */
static const struct criterion criteria[] = {
	{ "0", "0", { { 0, "REGISTER", NULL } } },
	{ "1", "1", { { 0, "INVITE", NULL }, { 1, NULL, "0" } } },
};

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

static void put_trigger(xmlTextWriter *w, const struct trigger *t)
{
	char group[16];

	snprintf(group, sizeof(group), "%d", t->group);
	begin(w, "SPT");
	put(w, "ConditionNegated", "0");
	put(w, "Group", group);
	if (t->method)
		put(w, "Method", t->method);
	else
		put(w, "SessionCase", t->session_case);
	end(w);
}

static void put_criterion(xmlTextWriter *w, const struct criterion *c,
			  const char *appserver)
{
	const struct trigger *t = c->triggers;

	begin(w, "InitialFilterCriteria");
	put(w, "Priority", c->priority);
	begin(w, "TriggerPoint");
	put(w, "ConditionTypeCNF", "1");
	for (; t->method || t->session_case; t++)
		put_trigger(w, t);
	end(w);
	begin(w, "ApplicationServer");
	put(w, "ServerName", appserver);
	put(w, "DefaultHandling", c->default_handling);
	end(w);
	end(w);
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
	for (size_t i = 0; i < sizeof(criteria) / sizeof(criteria[0]); i++)
		if (hss->appserver)
			put_criterion(w, &criteria[i], hss->appserver);
	xmlTextWriterEndDocument(w);
	xmlFreeTextWriter(w);

	*lenp = (size_t)xmlBufferLength(buffer);
	text = xmemdup(xmlBufferContent(buffer), *lenp);
	xmlBufferFree(buffer);

	return text;
}
