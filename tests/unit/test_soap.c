/* SOAP 1.1 envelopes, and what hostile senders make of them */
#include "common/soap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tests/suite.h"

#define ENV "http://schemas.xmlsoap.org/soap/envelope/"
#define OPEN "<e:Envelope xmlns:e='" ENV "'>\n<e:Body>\n"
#define CLOSE "\n</e:Body>\n</e:Envelope>\n"

static struct soap *read_soap(const char *text)
{
	struct soap *soap = NULL;
	enum soap_code code;
	char *reason = NULL;
	int err = soap_parse(&soap, text, strlen(text), &code, &reason);

	ck_assert_msg(!err, "%s", reason ? reason : "no reason");

	return soap;
}

static void expect_refused_bytes(const char *data, size_t len,
				 enum soap_code code, const char *text)
{
	struct soap *soap = NULL;
	enum soap_code got;
	char *reason = NULL;

	ck_assert_int_eq(soap_parse(&soap, data, len, &got, &reason), EBADMSG);
	ck_assert_ptr_null(soap);
	ck_assert_ptr_nonnull(reason);
	ck_assert_msg(strstr(reason, text) != NULL, "%s", reason);
	ck_assert_int_eq(got, code);
	free(reason);
}

static void expect_refused(const char *data, enum soap_code code,
			   const char *text)
{
	expect_refused_bytes(data, strlen(data), code, text);
}

/* --- envelopes --- */

START_TEST(what_is_written_is_read_again)
{
	struct soap_out *out = soap_out_new(SOAP_PROVISIONING_NS, "Op");
	const struct _xmlNode *el;
	struct soap *soap;
	char *a, *b, *c, *text;
	size_t len;
	char *reason = NULL;
	const struct soap_field fields[] = { { "a", &a, false },
					     { "b", &b, false },
					     { "c", &c, true },
					     { NULL, NULL, false } };

	soap_out_open(out, "item");
	soap_out_put(out, "a", "<&>\"']]>");
	soap_out_put(out, "b", "");
	soap_out_put(out, "c", NULL);
	soap_out_close(out);
	text = soap_out_done(out, &len);
	ck_assert_uint_eq(len, strlen(text));

	soap = read_soap(text);
	el = soap_operation(soap);
	ck_assert_str_eq(soap_name(el), "Op");
	ck_assert_str_eq(soap_namespace(el), SOAP_PROVISIONING_NS);
	el = soap_first(el);
	ck_assert_str_eq(soap_name(el), "item");
	ck_assert_int_eq(soap_fields(el, fields, &reason), 0);
	ck_assert_str_eq(a, "<&>\"']]>");
	ck_assert_str_eq(b, "");
	ck_assert_ptr_null(c);
	free(a);
	free(b);
	soap_free(soap);
	free(text);
}
END_TEST

START_TEST(a_fault_is_told_from_an_answer)
{
	size_t len;
	char *text = soap_fault(SOAP_CLIENT, "line 3: <last> is \x01 \xff bad",
				&len);
	struct soap *soap = read_soap(text);
	char *why = NULL;

	ck_assert_ptr_nonnull(strstr(text, "<faultcode>soap:Client<"));
	ck_assert(soap_is_fault(soap, &why));
	ck_assert_str_eq(why, "line 3: <last> is ? ? bad");
	free(why);
	soap_free(soap);
	free(text);

	soap = read_soap(OPEN "<Op/>" CLOSE);
	ck_assert(!soap_is_fault(soap, &why));
	soap_free(soap);
}
END_TEST

START_TEST(blanks_comments_and_cdata_are_read_as_xml_means_them)
{
	struct soap *soap =
		read_soap(OPEN "<!-- x --><Op><?pi y?>\n"
			       "<a> <![CDATA[1<2]]> </a></Op>" CLOSE);
	char *a, *reason = NULL;
	const struct soap_field fields[] = { { "a", &a, false },
					     { NULL, NULL, false } };

	ck_assert_int_eq(soap_fields(soap_operation(soap), fields, &reason), 0);
	ck_assert_str_eq(a, "1<2");
	free(a);
	soap_free(soap);
}
END_TEST

START_TEST(a_header_that_need_not_be_understood_is_skipped)
{
	soap_free(read_soap("<e:Envelope xmlns:e='" ENV "'><e:Header><x/>"
			    "<y e:mustUnderstand='0'/></e:Header><e:Body><Op/>"
			    "</e:Body></e:Envelope>"));
}
END_TEST

/* --- wrong envelopes --- */

START_TEST(malformed_xml_is_refused_by_line)
{
	expect_refused("", SOAP_CLIENT, "0 bytes");
	expect_refused("not xml", SOAP_CLIENT, "line 1: malformed XML");
	expect_refused(OPEN "<a>\n</b>" CLOSE, SOAP_CLIENT,
		       "line 4: malformed XML");
	expect_refused(OPEN "<a", SOAP_CLIENT, "malformed XML");
	expect_refused(OPEN "<a>&nothing;</a>" CLOSE, SOAP_CLIENT, "entity");
	expect_refused(OPEN "<a>\xff\xfe</a>" CLOSE, SOAP_CLIENT, "UTF-8");
	expect_refused_bytes("<a>\0</a>", 8, SOAP_CLIENT, "malformed XML");
}
END_TEST

/* A password that is not escaped is not quoted either */
START_TEST(what_is_malformed_is_not_quoted)
{
	static const char *const passwords[] = { "a&s3cret;b", "a<s3cret>b",
						 "a&s3cret" };

	for (size_t i = 0; i < sizeof(passwords) / sizeof(passwords[0]); i++) {
		char *text = xasprintf(OPEN "<password>%s</password>" CLOSE,
				       passwords[i]);
		struct soap *soap = NULL;
		enum soap_code code;
		char *reason = NULL;

		ck_assert_int_eq(
			soap_parse(&soap, text, strlen(text), &code, &reason),
			EBADMSG);
		ck_assert_msg(strstr(reason, "malformed XML") &&
				      !strstr(reason, "s3"),
			      "%s", reason);
		free(reason);
		free(text);
	}
}
END_TEST

START_TEST(another_envelope_is_a_version_mismatch)
{
	expect_refused("<e:Envelope xmlns:e='http://www.w3.org/2003/05/"
		       "soap-envelope'><e:Body><a/></e:Body></e:Envelope>",
		       SOAP_VERSION_MISMATCH, "<Envelope> is not a SOAP 1.1");
	expect_refused("<html/>", SOAP_VERSION_MISMATCH, "<html>");
}
END_TEST

START_TEST(a_header_that_must_be_understood_is_refused)
{
	expect_refused("<e:Envelope xmlns:e='" ENV "'><e:Header>\n"
		       "<Pay e:mustUnderstand='1'/></e:Header><e:Body><Op/>"
		       "</e:Body></e:Envelope>",
		       SOAP_MUST_UNDERSTAND, "line 2: header <Pay>");
}
END_TEST

START_TEST(a_body_holds_exactly_one_operation)
{
	expect_refused("<e:Envelope xmlns:e='" ENV "'/>", SOAP_CLIENT,
		       "no <Body>");
	expect_refused(OPEN CLOSE, SOAP_CLIENT, "<Body> is empty");
	expect_refused(OPEN "<a/>\n<b/>" CLOSE, SOAP_CLIENT,
		       "line 4: <b> is a second operation");
}
END_TEST

/* --- attacks --- */

START_TEST(an_external_entity_is_refused_unread)
{
	expect_refused("<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY x SYSTEM "
		       "'file:///etc/passwd'>]>\n" OPEN "<a>&x;</a>" CLOSE,
		       SOAP_CLIENT, "line 2: <!DOCTYPE> is not allowed");
	expect_refused("<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/x.dtd'>\n" OPEN
		       "<a/>" CLOSE,
		       SOAP_CLIENT, "<!DOCTYPE> is not allowed");
}
END_TEST

START_TEST(entities_that_multiply_are_refused_unexpanded)
{
	expect_refused("<!DOCTYPE a [<!ENTITY a 'ha'>"
		       "<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
		       "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>"
		       "<!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>]>\n" OPEN
		       "<a x='&d;'>&d;</a>" CLOSE,
		       SOAP_CLIENT, "<!DOCTYPE> is not allowed");
}
END_TEST

START_TEST(elements_nested_without_end_are_refused)
{
	enum { DEPTH = 100000 };
	static const char tag[] = { '<', 'a', '>' };
	char *text = xcalloc(DEPTH, sizeof(tag));
	size_t i;

	for (i = 0; i < DEPTH; i++)
		memcpy(text + sizeof(tag) * i, tag, sizeof(tag));
	expect_refused_bytes(text, sizeof(tag) * DEPTH, SOAP_CLIENT,
			     "malformed XML");
	free(text);
}
END_TEST

START_TEST(every_way_to_cut_a_message_short_is_refused)
{
	const char *whole = OPEN "<Op><a>1</a></Op>" CLOSE;
	size_t last = strlen(whole) - 1; /* without its newline it is whole */

	for (size_t n = 1; n < last; n++)
		expect_refused_bytes(whole, n, SOAP_CLIENT, "line");
}
END_TEST

/* --- records --- */

static void expect_fields_refused(const char *op, const char *text)
{
	char *body = xasprintf("%s%s%s", OPEN, op, CLOSE);
	struct soap *soap = read_soap(body);
	char *a, *b, *reason = NULL;
	const struct soap_field fields[] = { { "a", &a, false },
					     { "b", &b, true },
					     { NULL, NULL, false } };

	ck_assert_int_eq(soap_fields(soap_operation(soap), fields, &reason),
			 EBADMSG);
	ck_assert_msg(strstr(reason, text) != NULL, "%s", reason);
	ck_assert_ptr_null(a);
	ck_assert_ptr_null(b);
	free(reason);
	soap_free(soap);
	free(body);
}

START_TEST(wrong_children_are_named_with_their_line)
{
	expect_fields_refused("<Op/>", "line 3: <Op> has no <a>");
	expect_fields_refused("<Op>\n<a>1</a>\n<a>2</a></Op>",
			      "line 5: <a> is given twice");
	expect_fields_refused("<Op>\n<a>1</a><c/></Op>",
			      "line 4: <c> is not known in <Op>");
	expect_fields_refused("<Op>\n<a><b>1</b></a></Op>",
			      "line 4: <a> holds <b>");
}
END_TEST

static Suite *soap_suite(void)
{
	Suite *s = suite_create("soap");
	TCase *tc = tcase_create("envelopes");

	tcase_add_test(tc, what_is_written_is_read_again);
	tcase_add_test(tc, a_fault_is_told_from_an_answer);
	tcase_add_test(tc,
		       blanks_comments_and_cdata_are_read_as_xml_means_them);
	tcase_add_test(tc, a_header_that_need_not_be_understood_is_skipped);
	suite_add_tcase(s, tc);

	tc = tcase_create("wrong envelopes");
	tcase_add_test(tc, malformed_xml_is_refused_by_line);
	tcase_add_test(tc, what_is_malformed_is_not_quoted);
	tcase_add_test(tc, another_envelope_is_a_version_mismatch);
	tcase_add_test(tc, a_header_that_must_be_understood_is_refused);
	tcase_add_test(tc, a_body_holds_exactly_one_operation);
	tcase_add_test(tc, wrong_children_are_named_with_their_line);
	suite_add_tcase(s, tc);

	tc = tcase_create("attacks");
	tcase_add_test(tc, an_external_entity_is_refused_unread);
	tcase_add_test(tc, entities_that_multiply_are_refused_unexpanded);
	tcase_add_test(tc, elements_nested_without_end_are_refused);
	tcase_add_test(tc, every_way_to_cut_a_message_short_is_refused);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(soap_suite)
