/* The HSS's provisioning service over HTTPS: both ways to open accounts
 * (CN103516675A [0076]), close, change, and what is refused */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/element.h"
#include "common/https.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/soap.h"
#include "ims_core/hss/hss_core.h"
#include "tests/fake/hss_bed.h"
#include "tests/suite.h"

#define HEAD "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'>"
#define BODY(xml) HEAD "\n<e:Body>\n" xml "\n</e:Body></e:Envelope>"
#define OP(name, inside)                                                       \
	BODY("<" name " xmlns='urn:sipshare:provisioning:1'>\n" inside         \
	     "</" name ">")
#define RANGE(first, last, rule)                                               \
	OP("OpenAccountsByRange", "<first>" first "</first>\n<last>" last      \
				  "</last>\n<rule>" rule "</rule>\n")
#define ACCOUNT(number, uri)                                                   \
	"<account><number>" number "</number><uri>" uri "</uri></account>\n"
#define RULE "sip:{number}@ims.test"

static struct {
	struct hss_bed bed;
	struct https_client *client;
	int answers, status;
	char *body, *error;
} t;

static void use_client(const char *name)
{
	const struct https_client_cfg cfg = {
		.cert_file = name ? hss_bed_cert(&t.bed, name) : NULL,
		.ca_file = t.bed.ca,
	};
	char *reason = NULL;

	https_client_free(t.client);
	ck_assert_msg(!https_client_new(&t.client, t.bed.peer, &cfg, &reason),
		      "%s", reason ? reason : "no reason");
}

static void setup(void)
{
	memset(&t, 0, sizeof(t));
	hss_bed_setup(&t.bed, "boss");
	use_client("boss");
}

static void teardown(void)
{
	https_client_free(t.client);
	hss_bed_teardown(&t.bed);
	free(t.body);
	free(t.error);
}

static void on_resp(const struct https_resp *resp, void *arg)
{
	(void)arg;
	t.answers++;
	t.status = resp->status;
	xstrset(&t.error, resp->error);
	xstrset(&t.body, resp->body);
}

static void call(const char *method, const char *type, const char *body,
		 size_t len)
{
	const struct https_call c = { .method = method,
				      .url = t.bed.url,
				      .type = type,
				      .body = body,
				      .len = len };

	https_client_call(t.client, &c, on_resp, NULL);
	hss_bed_wait(&t.bed, &t.answers, 1);
	t.answers = 0;
}

static void post(const char *body)
{
	call("POST", SOAP_TYPE, body, strlen(body));
}

static void expect_body(int status, const char *text)
{
	ck_assert_msg(t.status == status && t.body && strstr(t.body, text),
		      "%d %s", t.status, t.error ? t.error : t.body);
}

static void expect_fault(const char *code, const char *text)
{
	char *element = xasprintf("<faultcode>soap:%s<", code);

	expect_body(500, element);
	expect_body(500, text);
	free(element);
}

/* The n-th element of a name in the answer, from 0; static text */
static const char *value(const char *name, int n)
{
	static char text[256];
	char tag[64];
	const char *p = t.body;

	snprintf(tag, sizeof(tag), "<%s>", name);
	do {
		p = strstr(p, tag);
		ck_assert_msg(p != NULL, "no %s in %s", tag, t.body);
		p += strlen(tag);
	} while (n--);
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(p, "<"), p);

	return text;
}

/* --- both ways to open --- */

START_TEST(a_range_is_opened_with_a_password_for_each)
{
	char *first;

	post(RANGE("+8657110000001", "+8657110000005", RULE));
	expect_body(200, "OpenAccountsByRangeResponse");
	ck_assert_str_eq(value("done", 0), "5");
	ck_assert_str_eq(value("refused", 0), "0");
	ck_assert_str_eq(value("number", 4), "+8657110000005");
	ck_assert_str_eq(value("uri", 4), "sip:+8657110000005@ims.test");
	ck_assert_str_eq(value("impi", 4), "+8657110000005@ims.test");
	ck_assert_str_eq(value("status", 4), "opened");
	first = xstrdup(value("password", 0));
	ck_assert_uint_eq(strlen(first), 24);
	ck_assert_str_ne(first, value("password", 1));
	free(first);
	ck_assert_str_eq(hss_bed_user(&t.bed, "sip:+8657110000003@ims.test"),
			 "NOT_REGISTERED -");
	ck_assert_uint_eq(hss_bed_count(&t.bed, "hss.account-opened"), 1);
}
END_TEST

START_TEST(a_list_is_opened_with_its_own_passwords)
{
	post(OP("OpenAccountsByList",
		"<account><number>+1</number><uri>sip:bob@ims.test</uri>"
		"<password>&lt;&amp;&gt;</password></account>\n" ACCOUNT(
			"2", "sip:2@ims.test")));
	expect_body(200, "OpenAccountsByListResponse");
	ck_assert_str_eq(value("done", 0), "2");
	ck_assert_str_eq(value("password", 0), "&lt;&amp;&gt;");
	ck_assert_str_eq(value("uri", 0), "sip:bob@ims.test");
	ck_assert_str_eq(value("number", 1), "2");
}
END_TEST

START_TEST(what_exists_is_left_as_it_is_and_told)
{
	post(RANGE("11", "12", RULE));
	post(RANGE("10", "13", RULE));
	ck_assert_str_eq(value("done", 0), "2");
	ck_assert_str_eq(value("refused", 0), "2");
	ck_assert_str_eq(value("status", 0), "opened");
	ck_assert_str_eq(value("status", 1), "exists");
	ck_assert_str_eq(value("status", 2), "exists");
	ck_assert_str_eq(value("status", 3), "opened");
	/* only the two that are new have passwords to tell */
	ck_assert_ptr_null(strstr(
		strstr(strstr(t.body, "<password>") + 1, "<password>") + 1,
		"<password>"));

	/* twice in one list, and a number that is another account's */
	post(OP("OpenAccountsByList",
		ACCOUNT("20", "sip:20@ims.test")
			ACCOUNT("21", "sip:20@ims.test")
				ACCOUNT("11", "sip:22@ims.test")));
	ck_assert_str_eq(value("status", 0), "opened");
	ck_assert_str_eq(value("status", 1), "exists");
	ck_assert_str_eq(value("status", 2), "exists");
}
END_TEST

START_TEST(the_longest_range_is_opened)
{
	post(RANGE("+8600000000000", "+8600000099999", RULE));
	expect_body(200, "<done>100000</done>");
	ck_assert_str_eq(hss_bed_user(&t.bed, "sip:+8600000099999@ims.test"),
			 "NOT_REGISTERED -");
}
END_TEST

START_TEST(accounts_outlive_a_restart_and_hold_no_password)
{
	char *command = xasprintf("! grep -qa 'pa55word' %s*", t.bed.store);

	post(OP("OpenAccountsByList",
		"<account><number>1</number><uri>sip:1@ims.test</uri>"
		"<password>pa55word</password></account>"));
	expect_body(200, "<done>1</done>");
	hss_bed_restart(&t.bed);
	ck_assert_str_eq(hss_bed_user(&t.bed, "sip:1@ims.test"),
			 "NOT_REGISTERED -");
	ck_assert_int_eq(system(command), 0); /* NOLINT: our own file */
	free(command);
}
END_TEST

/* --- close and change --- */

START_TEST(an_account_is_closed_once)
{
	post(RANGE("1", "1", RULE));
	post(OP("CloseAccount", "<uri>sip:1@ims.test</uri>"));
	ck_assert_str_eq(value("status", 0), "closed");
	ck_assert_str_eq(value("number", 0), "1");
	ck_assert_str_eq(hss_bed_user(&t.bed, "sip:1@ims.test"), "");
	post(OP("CloseAccount", "<uri>sip:1@ims.test</uri>"));
	ck_assert_str_eq(value("status", 0), "unknown");
	ck_assert_str_eq(value("refused", 0), "1");
	ck_assert_ptr_null(strstr(t.body, "<impi>"));
}
END_TEST

START_TEST(a_password_is_changed_to_the_one_given_or_a_random_one)
{
	char *old;

	post(RANGE("1", "1", RULE));
	old = xstrdup(value("password", 0));
	post(OP("ChangePassword", "<uri>sip:1@ims.test</uri>"));
	ck_assert_str_eq(value("status", 0), "changed");
	ck_assert_str_ne(value("password", 0), old);
	free(old);
	post(OP("ChangePassword",
		"<uri>sip:1@ims.test</uri><password>n3w</password>"));
	ck_assert_str_eq(value("password", 0), "n3w");
	post(OP("ChangePassword",
		"<uri>sip:2@ims.test</uri><password>n3w</password>"));
	ck_assert_str_eq(value("status", 0), "unknown");
	ck_assert_ptr_null(strstr(t.body, "n3w"));
}
END_TEST

/* --- faults: each names element and line, and changes nothing --- */

/** A request and what its Fault says */
struct fault {
	const char *body, *code, *text;
};

/* clang-format off */
static const struct fault faults[] = {
	{ "no xml", "Client", "line 1: malformed XML" },
	{ "", "Client", "0 bytes" },
	{ BODY("<a>\n</b>"), "Client", "line 4: malformed XML" },
	{ BODY("<DropAll xmlns='urn:sipshare:provisioning:1'/>"), "Client",
	  "line 3: &lt;DropAll&gt;" },
	{ BODY("<CloseAccount xmlns='urn:other'/>"), "Client",
	  "is no operation of this service" },
	{ OP("OpenAccountsByRange", "<first>1</first>"), "Client",
	  "line 3: &lt;OpenAccountsByRange&gt; has no &lt;last&gt;" },
	{ RANGE("5", "1", RULE), "Client",
	  "line 5: &lt;last&gt;: range 5 to 1" },
	{ RANGE("100000", "299999", RULE), "Client", "at most 100000" },
	{ RANGE("1x", "2", RULE), "Client",
	  "line 4: &lt;first&gt;: number" },
	{ RANGE("1", "2", "sip:x@ims.test"), "Client",
	  "line 6: &lt;rule&gt;: rule" },
	{ RANGE("1", "2", "sip:{number}@other.test"), "Client",
	  "line 6: &lt;rule&gt;: SIP-URI" },
	{ OP("OpenAccountsByList", ""), "Client", "has no &lt;account&gt;" },
	{ OP("OpenAccountsByList", ACCOUNT("1", "sip:1@ims.test") "<x/>"),
	  "Client", "line 5: &lt;x&gt; is not known here" },
	{ OP("OpenAccountsByList", ACCOUNT("1", "sip:1@ims.test")
	     ACCOUNT("2", "sip:2@other.test")), "Client",
	  "line 5: &lt;uri&gt;: SIP-URI" },
	{ OP("OpenAccountsByList", ACCOUNT("1", "sip:1@ims.test")
	     ACCOUNT("two", "sip:2@ims.test")), "Client",
	  "line 5: &lt;number&gt;" },
	{ OP("ChangePassword", "<uri>sip:1@ims.test</uri>\n"
	     "<password>a b</password>"), "Client",
	  "line 5: &lt;password&gt;: password: character 2" },
	{ OP("CloseAccount", "<uri>1</uri>"), "Client", "line 4: &lt;uri&gt;" },
	{ OP("CloseAccount", "<uri>sip:1@ims.test</uri><force/>"), "Client",
	  "&lt;force&gt; is not known in &lt;CloseAccount&gt;" },
	{ "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"
	  OP("CloseAccount", "<uri>&a;</uri>"), "Client",
	  "line 1: &lt;!DOCTYPE&gt; is not allowed" },
	{ "<Envelope><Body/></Envelope>", "VersionMismatch",
	  "not a SOAP 1.1 Envelope" },
	{ HEAD "<e:Header><Pay e:mustUnderstand='1'/></e:Header>"
	  "<e:Body><x/></e:Body></e:Envelope>", "MustUnderstand",
	  "&lt;Pay&gt;" },
};
/* clang-format on */

START_TEST(a_wrong_request_gets_a_fault_and_changes_nothing)
{
	const struct fault *f = &faults[_i];

	post(f->body);
	expect_fault(f->code, f->text);
	ck_assert_str_eq(hss_bed_user(&t.bed, "sip:1@ims.test"), "");
	ck_assert_uint_eq(hss_bed_count(&t.bed, "hss.account-opened"), 0);
}
END_TEST

START_TEST(a_body_beyond_the_bound_is_refused)
{
	enum { LEN = 33 * 1024 * 1024 };
	char *body = xcalloc(1, LEN);

	memset(body, ' ', LEN);
	call("POST", SOAP_TYPE, body, LEN);
	ck_assert_msg(t.status == 413, "%d %s", t.status, t.error);
	free(body);
}
END_TEST

START_TEST(a_list_beyond_the_bound_is_refused)
{
	enum { N = 100001 };
	char *body = NULL;
	size_t len;
	FILE *f = open_memstream(&body, &len);

	fputs(HEAD "<e:Body><OpenAccountsByList "
		   "xmlns='urn:sipshare:provisioning:1'>",
	      f);
	for (int i = 0; i < N; i++)
		fprintf(f, "\n" ACCOUNT("%d", "sip:%d@ims.test"), i, i);
	fputs("</OpenAccountsByList></e:Body></e:Envelope>", f);
	fclose(f);
	post(body);
	expect_fault("Client", "more than 100000 accounts");
	free(body);
}
END_TEST

/* --- who may --- */

START_TEST(another_client_s_certificate_is_refused)
{
	use_client("appserver");
	post(RANGE("1", "1", RULE));
	expect_body(403, "appserver: only boss may provision");
	ck_assert_str_eq(hss_bed_user(&t.bed, "sip:1@ims.test"), "");
}
END_TEST

START_TEST(a_client_without_a_certificate_is_refused)
{
	use_client(NULL);
	post(RANGE("1", "1", RULE));
	ck_assert_int_eq(t.status, 0);
	ck_assert_ptr_nonnull(t.error);
	ck_assert_str_eq(hss_bed_user(&t.bed, "sip:1@ims.test"), "");
}
END_TEST

START_TEST(what_is_no_soap_is_refused_by_http)
{
	call("POST", "application/json", "{}", 2);
	ck_assert_int_eq(t.status, 415);
	call("PUT", SOAP_TYPE, "x", 1);
	ck_assert_int_eq(t.status, 405);
}
END_TEST

START_TEST(the_wsdl_is_served)
{
	size_t n = strlen(t.bed.url);

	snprintf(t.bed.url + n, sizeof(t.bed.url) - n, "?wsdl");
	call("GET", NULL, NULL, 0);
	ck_assert_int_eq(t.status, 200);
	ck_assert_str_eq(t.body, hss_wsdl);
}
END_TEST

static bool has_batch(const void *arg)
{
	(void)arg;

	return t.bed.hss->batches != NULL;
}

START_TEST(an_hss_that_ends_in_the_midst_of_a_batch_leaves_nothing)
{
	const char *body = RANGE("000000", "099999", RULE);
	const struct https_call c = { .method = "POST",
				      .url = t.bed.url,
				      .type = SOAP_TYPE,
				      .body = body,
				      .len = strlen(body) };

	https_client_call(t.client, &c, on_resp, NULL);
	ck_assert(loop_run_until(t.bed.loop, has_batch, NULL, PATIENCE_MS));
	hss_bed_restart(&t.bed);
	ck_assert_str_eq(hss_bed_user(&t.bed, "sip:000000@ims.test"), "");
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
}

static Suite *hss_soap_suite(void)
{
	Suite *s = suite_create("hss_soap");
	TCase *tc = tcase_create("accounts");

	add_tests(tc);
	tcase_add_test(tc, a_range_is_opened_with_a_password_for_each);
	tcase_add_test(tc, a_list_is_opened_with_its_own_passwords);
	tcase_add_test(tc, what_exists_is_left_as_it_is_and_told);
	tcase_add_test(tc, the_longest_range_is_opened);
	tcase_add_test(tc, accounts_outlive_a_restart_and_hold_no_password);
	tcase_add_test(tc, an_account_is_closed_once);
	tcase_add_test(tc,
		       a_password_is_changed_to_the_one_given_or_a_random_one);
	suite_add_tcase(s, tc);

	tc = tcase_create("faults");
	add_tests(tc);
	tcase_add_loop_test(tc,
			    a_wrong_request_gets_a_fault_and_changes_nothing, 0,
			    sizeof(faults) / sizeof(faults[0]));
	tcase_add_test(tc, a_body_beyond_the_bound_is_refused);
	tcase_add_test(tc, a_list_beyond_the_bound_is_refused);
	suite_add_tcase(s, tc);

	tc = tcase_create("HTTPS");
	add_tests(tc);
	tcase_add_test(tc, another_client_s_certificate_is_refused);
	tcase_add_test(tc, a_client_without_a_certificate_is_refused);
	tcase_add_test(tc, what_is_no_soap_is_refused_by_http);
	tcase_add_test(tc, the_wsdl_is_served);
	tcase_add_test(tc,
		       an_hss_that_ends_in_the_midst_of_a_batch_leaves_nothing);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(hss_soap_suite)
