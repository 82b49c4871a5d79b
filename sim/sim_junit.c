#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <libxml/xmlwriter.h>

#include "common/mem.h"
#include "sim/sim.h"
#include "sim/sim_ladder_text.h"
#include "sim/sim_result.h"

/** How many cases ended how */
struct counts {
	size_t all, failed, broken, skipped;
	double time_s;
};

static void add_counts(struct counts *counts, const struct sim_suite *suite)
{
	counts->all += suite->n;
	counts->failed += sim_suite_count(suite, SIM_FAILED);
	counts->broken += sim_suite_count(suite, SIM_BROKEN);
	counts->skipped += sim_suite_count(suite, SIM_SKIPPED);
	counts->time_s += suite->time_s;
}

/* XML 1.0 2.2 has most control characters nowhere, not even as "&#27;": they
 * are shown, as a terminal is shown them */
static void put_attribute(xmlTextWriter *w, const char *name, const char *value)
{
	char *clean = sim_text_clean(value, false);

	(void)xmlTextWriterWriteAttribute(w, BAD_CAST name, BAD_CAST clean);
	free(clean);
}

static void put_number(xmlTextWriter *w, const char *name, size_t n)
{
	(void)xmlTextWriterWriteFormatAttribute(w, BAD_CAST name, "%zu", n);
}

static void put_time(xmlTextWriter *w, double time_s)
{
	(void)xmlTextWriterWriteFormatAttribute(w, BAD_CAST "time", "%.6f",
						time_s);
}

static void put_counts(xmlTextWriter *w, const struct counts *counts)
{
	put_number(w, "tests", counts->all);
	put_number(w, "failures", counts->failed);
	put_number(w, "errors", counts->broken);
	put_number(w, "skipped", counts->skipped);
	put_time(w, counts->time_s);
}

static void put_text(xmlTextWriter *w, const char *label, const char *text)
{
	char *clean;

	if (!text)
		return;

	clean = sim_text_clean(text, true);
	(void)xmlTextWriterWriteString(w, BAD_CAST label);
	(void)xmlTextWriterWriteString(w, BAD_CAST clean);
	(void)xmlTextWriterWriteString(w, BAD_CAST "\n");
	free(clean);
}

static void put_problem(xmlTextWriter *w, const struct sim_case *c)
{
	static const char *const elements[] = { [SIM_FAILED] = "failure",
						[SIM_BROKEN] = "error",
						[SIM_SKIPPED] = "skipped" };

	if (c->result == SIM_PASSED)
		return;

	(void)xmlTextWriterStartElement(w, BAD_CAST elements[c->result]);
	if (c->message)
		put_attribute(w, "message", c->message);
	put_text(w, "expected: ", c->expected);
	put_text(w, "got: ", c->got);
	put_text(w, "the ladder around it:\n", c->ladder);
	(void)xmlTextWriterEndElement(w);
}

static void put_case(xmlTextWriter *w, const struct sim_case *c,
		     const char *class)
{
	(void)xmlTextWriterStartElement(w, BAD_CAST "testcase");
	put_attribute(w, "classname", class);
	put_attribute(w, "name", c->name);
	put_time(w, c->time_s);
	put_problem(w, c);
	(void)xmlTextWriterEndElement(w);
}

static void put_suite(xmlTextWriter *w, const struct sim_suite *suite)
{
	struct counts counts = { 0 };
	char *class = sim_name_of(suite->file);
	time_t began_s = (time_t)(suite->wall_us / 1000000);
	char when[64];
	struct tm tm;

	add_counts(&counts, suite);
	(void)xmlTextWriterStartElement(w, BAD_CAST "testsuite");
	put_attribute(w, "name", suite->file);
	put_counts(w, &counts);
	if (suite->wall_us && gmtime_r(&began_s, &tm) &&
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm))
		put_attribute(w, "timestamp", when);
	for (size_t i = 0; i < suite->n; i++)
		put_case(w, &suite->cases[i], class);
	if (suite->folder) {
		(void)xmlTextWriterStartElement(w, BAD_CAST "system-out");
		put_text(w, "", suite->folder);
		(void)xmlTextWriterEndElement(w);
	}
	(void)xmlTextWriterEndElement(w);
	free(class);
}

int sim_junit_write(const struct sim_suite *suites, size_t n, FILE *f)
{
	struct counts counts = { 0 };
	xmlBuffer *buffer = xmlBufferCreate();
	xmlTextWriter *w = xmlNewTextWriterMemory(buffer, 0);
	int err = ENOMEM;

	if (!w)
		goto out;

	for (size_t i = 0; i < n; i++)
		add_counts(&counts, &suites[i]);
	(void)xmlTextWriterSetIndent(w, 1);
	(void)xmlTextWriterStartDocument(w, NULL, "UTF-8", NULL);
	(void)xmlTextWriterStartElement(w, BAD_CAST "testsuites");
	put_attribute(w, "name", "sipshare");
	put_counts(w, &counts);
	for (size_t i = 0; i < n; i++)
		put_suite(w, &suites[i]);
	err = xmlTextWriterEndDocument(w) < 0 ? ENOMEM : 0;
	xmlFreeTextWriter(w);
	if (!err)
		(void)fputs((const char *)xmlBufferContent(buffer), f);
	if (!err && (fflush(f) || ferror(f)))
		err = errno ? errno : EIO;

out:
	xmlBufferFree(buffer);

	return err;
}
