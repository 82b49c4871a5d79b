/* Results as JUnit's XML: what CI systems read, whatever a message held */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xmlschemastypes.h>
#include <libxml/xpath.h>

#include "common/mem.h"
#include "sim/sim_result.h"
#include "tests/fake/fake_results.h"
#include "tests/suite.h"

static struct sim_results results;
static xmlDoc *doc;

static xmlSchema *read_schema(void)
{
	xmlSchemaParserCtxt *parser =
		xmlSchemaNewParserCtxt("tests/data/junit.xsd");
	xmlSchema *schema = xmlSchemaParse(parser);

	ck_assert_ptr_nonnull(schema);
	xmlSchemaFreeParserCtxt(parser);

	return schema;
}

/* Write the results, read them as CI does, and check them by the schema */
static void write_all(void)
{
	xmlSchema *schema = read_schema();
	xmlSchemaValidCtxt *valid = xmlSchemaNewValidCtxt(schema);
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	ck_assert_int_eq(sim_junit_write(results.suites, results.n, f), 0);
	fclose(f);
	doc = xmlReadMemory(text, (int)len, "junit.xml", NULL, XML_PARSE_HUGE);
	ck_assert_msg(doc != NULL, "no XML:\n%s", text);
	ck_assert_msg(!xmlSchemaValidateDoc(valid, doc), "not valid:\n%s",
		      text);
	xmlSchemaFreeValidCtxt(valid);
	xmlSchemaFree(schema);
	free(text);
}

static void clear(void)
{
	sim_results_clear(&results);
	xmlFreeDoc(doc);
	doc = NULL;
	xmlSchemaCleanupTypes();
	xmlCleanupParser();
}

/* What an XPath expression gives as text; the caller's */
static char *at(const char *path)
{
	xmlXPathContext *context = xmlXPathNewContext(doc);
	char *expression = xasprintf("string(%s)", path);
	xmlXPathObject *found =
		xmlXPathEvalExpression(BAD_CAST expression, context);
	char *text = xstrdup((const char *)found->stringval);

	xmlXPathFreeObject(found);
	xmlXPathFreeContext(context);
	free(expression);

	return text;
}

static void expect(const char *path, const char *value)
{
	char *text = at(path);

	ck_assert_msg(!strcmp(text, value), "%s is \"%s\", not \"%s\"", path,
		      text, value);
	free(text);
}

START_TEST(each_end_has_its_element_and_is_counted)
{
	fake_results(&results, "text");
	write_all();
	expect("count(//testsuite)", "2");
	expect("/testsuites/@tests", "4");
	expect("/testsuites/@failures", "1");
	expect("/testsuites/@errors", "1");
	expect("/testsuites/@skipped", "1");
	expect("/testsuites/@time", "0.250000");
	expect("//testsuite[1]/@name", "scenarios/a.lua");
	expect("//testsuite[1]/@timestamp", "2026-11-29T10:30:00Z");
	expect("//testsuite[1]/testcase/@classname", "a");
	expect("//testsuite[1]/testcase/@time", "0.250000");
	expect("count(//testsuite[1]/testcase/*)", "0");
	expect("normalize-space(//testsuite[1]/system-out)", "runs/a");
	expect("count(//failure) + 10 * count(//error) + 100 * "
	       "count(//skipped)",
	       "111");
}
END_TEST

START_TEST(a_failure_has_expected_got_and_the_ladder)
{
	fake_results(&results, "text");
	write_all();
	expect("//failure/@message", "text");
	expect("//failure", "expected: text\ngot: text\nthe ladder around "
			    "it:\n  line 1\n  text\n\n");
}
END_TEST

START_TEST(hostile_bytes_are_text_and_shown)
{
	static const char shown[] = "\\x1b[2J\\x01\\xff<script>&\"']]>\\u{fffe}"
				    "\\u{202e}\\r\\n#%";
	char *text;

	fake_results(&results, FAKE_HOSTILE);
	write_all();
	expect("count(//script)", "0");
	expect("//testsuite[2]/@name", shown);
	expect("//failure/@message", shown);
	text = at("//failure");
	ck_assert_ptr_nonnull(strstr(text, "\\x1b[2J\\x01\\xff<script>&"));
	ck_assert_ptr_null(strchr(text, '\033'));
	ck_assert_ptr_null(strchr(text, '\r'));
	free(text);
}
END_TEST

START_TEST(a_header_of_64_kb_is_whole)
{
	enum { LEN = 65536 };
	char *big = xcalloc(1, LEN + 1);

	memset(big, 'x', LEN);
	fake_results(&results, big);
	write_all();
	expect("string-length(//failure/@message)", "65536");
	free(big);
}
END_TEST

START_TEST(a_write_that_fails_is_told)
{
	FILE *f = fopen("/dev/full", "w");

	fake_results(&results, "text");
	ck_assert_int_eq(sim_junit_write(results.suites, results.n, f), ENOSPC);
	fclose(f);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sim_junit");
	TCase *tc = tcase_create("XML");

	tcase_add_checked_fixture(tc, NULL, clear);
	tcase_add_test(tc, each_end_has_its_element_and_is_counted);
	tcase_add_test(tc, a_failure_has_expected_got_and_the_ladder);
	tcase_add_test(tc, hostile_bytes_are_text_and_shown);
	tcase_add_test(tc, a_header_of_64_kb_is_whole);
	tcase_add_test(tc, a_write_that_fails_is_told);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
