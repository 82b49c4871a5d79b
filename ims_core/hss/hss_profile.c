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
	bool is_needed; /* of the last AS: without it there is no session */
	struct trigger triggers[3];
};

/* Triggers of one group are OR-ed, groups are AND-ed (ConditionTypeCNF 1).
 * REGISTER of every kind goes to the AS as a third-party REGISTER: S520,
 * [0109]; a registration goes on without it (SESSION_CONTINUED). INVITE goes
 * to it where it begins (SessionCase 0), for the number shown, [0112], and the
 * charging, [0087]: without the AS there would be neither, so that there is no
 * call then (SESSION_TERMINATED). Of several AS each has its criteria, by
 * priority. One that does not answer is passed by, for the callers of the
 * others; the last one refuses a call that is none of its own, and that the
 * ones before have not had (appserver_chain.c). */
static const struct criterion criteria[] = {
	{ false, { { 0, "REGISTER", NULL } } },
	{ true, { { 0, "INVITE", NULL }, { 1, NULL, "0" } } },
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
	put(w, "ConditionNegated", "0");
	put_number(w, "Group", t->group);
	if (t->method)
		put(w, "Method", t->method);
	else
		put(w, "SessionCase", t->session_case);
	end(w);
}

/* Criterion i of an AS */
static void put_criterion(xmlTextWriter *w, const struct hss *hss, int as,
			  int i)
{
	const struct trigger *t = criteria[i].triggers;
	bool is_last = as == hss->appserver_n - 1;

	begin(w, "InitialFilterCriteria");
	put_number(w, "Priority", as * CRITERION_N + i);
	begin(w, "TriggerPoint");
	put(w, "ConditionTypeCNF", "1");
	for (; t->method || t->session_case; t++)
		put_trigger(w, t);
	end(w);
	begin(w, "ApplicationServer");
	put(w, "ServerName", hss->appservers[as]);
	put_number(w, "DefaultHandling", criteria[i].is_needed && is_last);
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
	for (int as = 0; as < hss->appserver_n; as++)
		for (int i = 0; i < CRITERION_N; i++)
			put_criterion(w, hss, as, i);
	xmlTextWriterEndDocument(w);
	xmlFreeTextWriter(w);

	*lenp = (size_t)xmlBufferLength(buffer);
	text = xmemdup(xmlBufferContent(buffer), *lenp);
	xmlBufferFree(buffer);

	return text;
}
