/* What bad input gets, over the real processes of `sipshare up`: a clear
 * error, nothing half done, no crash. After each, every process still lives
 * and a good request still succeeds. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "tests/fake/proc.h"
#include "tests/fake/raw.h"
#include "tests/suite.h"

static struct {
	struct proc proc;
	json_t *up; /* what `up --json` printed */
	char *platform_ca, *as_cert, *boss_cert;
	struct raw_answer answer;
	int branch;
} t;

static const char *address(const char *actor, const char *kind)
{
	const json_t *elements = json_object_get(t.up, "elements");
	const char *a = json_string_value(
		json_object_get(json_object_get(elements, actor), kind));

	ck_assert_msg(a != NULL, "%s has no %s address", actor, kind);

	return a;
}

static char *pki_file(const char *name)
{
	return xasprintf("%s/pki/%s.pem",
			 json_string_value(json_object_get(t.up, "dir")), name);
}

/* Once for the whole case: 0.5 s a start is too much for each test */
static void up(void)
{
	const char *argv[] = { PROC_SIPSHARE,
			       "up",
			       "--json",
			       "--users",
			       "+8657110000001-+8657110000003",
			       "--pool",
			       "+8657120000001-+8657120000002",
			       "--runs",
			       temp_dir(),
			       NULL };

	proc_start(&t.proc, argv);
	ck_assert_msg(proc_wait_text(&t.proc, "}\n", PATIENCE_MS),
		      "not up:\n%s", t.proc.text);
	t.up = proc_json(&t.proc, "{");
	t.platform_ca = pki_file("ca");
	t.as_cert = pki_file("appserver");
	t.boss_cert = pki_file("boss");
}

static void down(void)
{
	int code = proc_stop(&t.proc, SIGINT);

	ck_assert_msg(code == 0, "exit %d:\n%s", code, t.proc.text);
	json_decref(t.up);
	free(t.platform_ca);
	free(t.as_cert);
	free(t.boss_cert);
	free(t.proc.text);
}

/** One SIP request of plain RFC 3261; extra are whole header lines */
static char *sip(const char *method, const char *user, const char *extra,
		 const char *body)
{
	t.branch++;

	return xasprintf("%s sip:ims.test SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 127.0.0.1:9;rport;"
			 "branch=z9hG4bK-%d-%d\r\n"
			 "Max-Forwards: 70\r\n"
			 "From: <sip:%s@ims.test>;tag=%d\r\n"
			 "To: <sip:%s@ims.test>\r\n"
			 "Call-ID: %d-%d@test\r\nCSeq: %d %s\r\n"
			 "Contact: <sip:%s@127.0.0.1:9>\r\n"
			 "Expires: 600\r\n%s\r\n%s",
			 method, (int)getpid(), t.branch, user, t.branch, user,
			 (int)getpid(), t.branch, t.branch, method, user, extra,
			 body);
}

static const char *sip_answer(const char *method, const char *user,
			      const char *extra)
{
	char *text = sip(method, user, extra, "");

	raw_udp(&t.answer, address("pcscf", "sip"), text, strlen(text));
	free(text);

	return t.answer.data;
}

#define ASSERT_BEGINS(text, begin)                                             \
	ck_assert_msg(!strncmp(text, begin, strlen(begin)),                    \
		      "expected \"%s\", got:\n%s", begin, text)
#define ASSERT_HAS(text, part)                                                 \
	ck_assert_msg(strstr(text, part) != NULL, "expected \"%s\" in:\n%s",   \
		      part, text)

static void assert_all_alive(void)
{
	const json_t *e;
	const char *name;

	json_object_foreach(json_object_get(t.up, "elements"), name, e)
	{
		pid_t pid =
			(pid_t)json_integer_value(json_object_get(e, "pid"));

		ck_assert_msg(pid > 0 && kill(pid, 0) == 0, "%s is dead", name);
	}
	/* the way P, I, HSS, S and back still works */
	ASSERT_BEGINS(sip_answer("REGISTER", "+8657110000003", ""),
		      "SIP/2.0 401 ");
}

START_TEST(unknown_user_gets_403)
{
	ASSERT_BEGINS(sip_answer("REGISTER", "nobody", ""), "SIP/2.0 403 ");
	assert_all_alive();
}
END_TEST

/* Takes the nonce of a 401 over into nonce */
static void take_nonce(char *nonce, size_t size)
{
	const char *begin = strstr(t.answer.data, "nonce=\"");

	ck_assert_msg(begin != NULL, "no nonce in:\n%s", t.answer.data);
	begin += 7;
	snprintf(nonce, size, "%.*s", (int)strcspn(begin, "\""), begin);
}

START_TEST(wrong_digest_gets_403)
{
	char nonce[128];
	char *extra;

	sip_answer("REGISTER", "+8657110000001", "");
	take_nonce(nonce, sizeof(nonce));
	extra = xasprintf("Authorization: Digest username=\"+8657110000001@"
			  "ims.test\", realm=\"ims.test\", nonce=\"%s\", "
			  "uri=\"sip:ims.test\", algorithm=MD5, qop=auth, "
			  "nc=00000001, cnonce=\"1\", response=\""
			  "00000000000000000000000000000000\"\r\n",
			  nonce);
	ASSERT_BEGINS(sip_answer("REGISTER", "+8657110000001", extra),
		      "SIP/2.0 403 ");
	free(extra);
	assert_all_alive();
}
END_TEST

START_TEST(repeated_single_header_gets_400)
{
	ASSERT_BEGINS(sip_answer("REGISTER", "a",
				 "Subject: a\r\n"
				 "Subject: b\r\n"),
		      "SIP/2.0 400 ");
	ASSERT_BEGINS(sip_answer("REGISTER", "a", "Max-Forwards: 1\r\n"),
		      "SIP/2.0 400 ");
	assert_all_alive();
}
END_TEST

/* RFC 3261 18.3: a UDP message shorter than its Content-Length */
START_TEST(sip_message_cut_short_gets_400)
{
	ASSERT_BEGINS(sip_answer("REGISTER", "a", "Content-Length: 500\r\n"),
		      "SIP/2.0 400 ");
	assert_all_alive();
}
END_TEST

START_TEST(oversized_sip_message_harms_nobody)
{
	size_t size = 60000;
	char *big = xcalloc(1, size + 16);
	char *extra;

	memset(big, 'x', size);
	extra = xasprintf("X-Big: %s\r\n", big);
	sip_answer("REGISTER", "+8657110000001", extra);
	free(extra);
	free(big);
	assert_all_alive();
}
END_TEST

/* Over TCP there is no end: 1 MB of one header line */
START_TEST(endless_sip_header_over_tcp_is_cut_off)
{
	static const char start[] = "REGISTER sip:ims.test SIP/2.0\r\nX: ";
	size_t size = 1 << 20;
	char *big = xcalloc(1, size + 1);

	memset(big, 'x', size);
	memcpy(big, start, sizeof(start) - 1);
	raw_tcp(&t.answer, address("pcscf", "sip"), big, size);
	ck_assert_msg(t.answer.is_closed || t.answer.len > 0,
		      "the connection stays open");
	free(big);
	assert_all_alive();
}
END_TEST

START_TEST(bytes_that_are_no_sip_harm_nobody)
{
	static const char junk[] = "\x00\xff\x16\x03\x01 not SIP\r\n\r\n";

	raw_set_bound_ms(0);
	raw_udp(&t.answer, address("scscf", "sip"), junk, sizeof(junk));
	raw_tcp(&t.answer, address("icscf", "sip"), junk, sizeof(junk));
	raw_set_bound_ms(4000);
	assert_all_alive();
}
END_TEST

START_TEST(method_that_nobody_knows_gets_an_answer)
{
	const char *answer = sip_answer("FROBNICATE", "a", "");

	ck_assert_msg(!strncmp(answer, "SIP/2.0 4", 9) ||
			      !strncmp(answer, "SIP/2.0 5", 9),
		      "%s", answer);
	assert_all_alive();
}
END_TEST

static void diameter_is_refused(const void *data, size_t len)
{
	raw_tcp(&t.answer, address("hss", "diameter"), data, len);
	ck_assert_msg(t.answer.is_closed || t.answer.len > 0,
		      "neither answered nor closed");
	assert_all_alive();
}

START_TEST(diameter_of_another_version_is_refused)
{
	static const unsigned char m[20] = { 2, 0, 0, 20, 0x80, 0, 1, 1 };

	diameter_is_refused(m, sizeof(m));
}
END_TEST

START_TEST(oversized_diameter_message_is_refused)
{
	static const unsigned char m[20] = {
		1, 0xff, 0xff, 0xfc, 0x80, 0, 1, 1
	};

	diameter_is_refused(m, sizeof(m));
}
END_TEST

START_TEST(diameter_avp_with_a_bad_length_is_refused)
{
	/* a CER whose Origin-Host claims more than there is */
	static const unsigned char m[28] = { 1, 0, 0, 28, 0x80, 0, 1, 1, 0, 0,
					     0, 0, 0, 0,  0,    1, 0, 0, 0, 1,
					     0, 0, 1, 8,  0x40, 0, 1, 0 };

	diameter_is_refused(m, sizeof(m));
}
END_TEST

START_TEST(diameter_message_cut_short_harms_nobody)
{
	static const unsigned char m[24] = { 1, 0, 0, 200, 0x80, 0, 1, 1 };

	/* the rest never comes */
	raw_set_bound_ms(0);
	raw_tcp(&t.answer, address("hss", "diameter"), m, sizeof(m));
	ck_assert_int_ge(t.answer.len, 0);
	raw_set_bound_ms(4000);
	assert_all_alive();
}
END_TEST

static const char *platform(const char *head, const char *body)
{
	raw_https(&t.answer, address("platform", "https"), t.as_cert,
		  t.platform_ca, head, body);

	return t.answer.data;
}

START_TEST(client_without_a_certificate_is_refused_by_the_platform)
{
	raw_https(&t.answer, address("platform", "https"), NULL, t.platform_ca,
		  "POST /v1/leases HTTP/1.1", "");
	ck_assert_int_eq((int)t.answer.len, -1);
	ASSERT_HAS(t.answer.data, "certificate");
	assert_all_alive();
}
END_TEST

START_TEST(unknown_sip_uri_in_a_reclaim_gets_404_that_names_it)
{
	const char *answer = platform("DELETE /v1/leases/1 HTTP/1.1",
				      "{\"uri\":\"sip:nobody@ims.test\"}");

	ASSERT_BEGINS(answer, "HTTP/1.1 404 ");
	ASSERT_HAS(answer, "sip:nobody@ims.test");
	assert_all_alive();
}
END_TEST

START_TEST(malformed_json_gets_400_with_its_place)
{
	const char *answer = platform("DELETE /v1/leases/1 HTTP/1.1",
				      "{\"uri\":\n nonsense}");

	ASSERT_BEGINS(answer, "HTTP/1.1 400 ");
	ASSERT_HAS(answer, "line 2");
	raw_https(&t.answer, address("appserver", "https"), NULL, t.platform_ca,
		  "POST /v1/login HTTP/1.1", "[1,");
	ASSERT_BEGINS(t.answer.data, "HTTP/1.1 400 ");
	assert_all_alive();
}
END_TEST

START_TEST(missing_field_gets_400_that_names_it)
{
	raw_https(&t.answer, address("appserver", "https"), NULL, t.platform_ca,
		  "POST /v1/login HTTP/1.1", "{\"secret\":\"x\"}");
	ASSERT_BEGINS(t.answer.data, "HTTP/1.1 400 ");
	ASSERT_HAS(t.answer.data, "number");
	assert_all_alive();
}
END_TEST

START_TEST(unknown_number_gets_401)
{
	raw_https(&t.answer, address("appserver", "https"), NULL, t.platform_ca,
		  "POST /v1/login HTTP/1.1",
		  "{\"number\":\"+8613900000000\",\"secret\":\"x\"}");
	ASSERT_BEGINS(t.answer.data, "HTTP/1.1 401 ");
	assert_all_alive();
}
END_TEST

START_TEST(oversized_http_body_gets_413)
{
	const char *answer;

	raw_tls(&t.answer, address("platform", "https"), t.as_cert,
		t.platform_ca,
		"DELETE /v1/leases/1 HTTP/1.1\r\nHost: x\r\n"
		"Content-Length: 99999999\r\n\r\n{");
	answer = t.answer.data;
	ASSERT_BEGINS(answer, "HTTP/1.1 413 ");
	assert_all_alive();
}
END_TEST

START_TEST(http_request_cut_short_takes_no_sip_uri)
{
	raw_set_bound_ms(0);
	raw_tls(&t.answer, address("platform", "https"), t.as_cert,
		t.platform_ca, "POST /v1/lea");
	raw_set_bound_ms(4000);
	ASSERT_HAS(platform("GET /v1/pool HTTP/1.1", ""), "\"idle\":2");
	assert_all_alive();
}
END_TEST

START_TEST(empty_pool_gets_503_with_retry_after)
{
	ASSERT_BEGINS(platform("POST /v1/leases HTTP/1.1\r\n"
			       "Idempotency-Key: a",
			       ""),
		      "HTTP/1.1 201 ");
	ASSERT_BEGINS(platform("POST /v1/leases HTTP/1.1\r\n"
			       "Idempotency-Key: b",
			       ""),
		      "HTTP/1.1 201 ");
	ASSERT_BEGINS(platform("POST /v1/leases HTTP/1.1\r\n"
			       "Idempotency-Key: c",
			       ""),
		      "HTTP/1.1 503 ");
	ASSERT_HAS(t.answer.data, "Retry-After: ");
	assert_all_alive();
}
END_TEST

static const char *provision(const char *body)
{
	raw_https(&t.answer, address("hss", "soap"), t.boss_cert, t.platform_ca,
		  "POST /provisioning HTTP/1.1\r\nContent-Type: text/xml",
		  body);

	return t.answer.data;
}

START_TEST(malformed_soap_gets_a_fault_with_its_line)
{
	const char *answer = provision("<a>\n<b></a>");

	ASSERT_BEGINS(answer, "HTTP/1.1 500 ");
	ASSERT_HAS(answer, "Fault>");
	ASSERT_HAS(answer, "line 2");
	assert_all_alive();
}
END_TEST

START_TEST(soap_that_names_a_file_gets_a_fault_and_no_file)
{
	const char *answer = provision(
		"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
		"<a>&x;</a>");

	ASSERT_BEGINS(answer, "HTTP/1.1 500 ");
	ck_assert_ptr_null(strstr(answer, "root:"));
	assert_all_alive();
}
END_TEST

static Suite *bad_input_suite(void)
{
	Suite *suite = suite_create("bad_input");
	TCase *tc = tcase_create("over real processes");

	tcase_add_unchecked_fixture(tc, up, down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, unknown_user_gets_403);
	tcase_add_test(tc, wrong_digest_gets_403);
	tcase_add_test(tc, repeated_single_header_gets_400);
	tcase_add_test(tc, sip_message_cut_short_gets_400);
	tcase_add_test(tc, oversized_sip_message_harms_nobody);
	tcase_add_test(tc, endless_sip_header_over_tcp_is_cut_off);
	tcase_add_test(tc, bytes_that_are_no_sip_harm_nobody);
	tcase_add_test(tc, method_that_nobody_knows_gets_an_answer);
	tcase_add_test(tc, diameter_of_another_version_is_refused);
	tcase_add_test(tc, oversized_diameter_message_is_refused);
	tcase_add_test(tc, diameter_avp_with_a_bad_length_is_refused);
	tcase_add_test(tc, diameter_message_cut_short_harms_nobody);
	tcase_add_test(tc,
		       client_without_a_certificate_is_refused_by_the_platform);
	tcase_add_test(tc, unknown_sip_uri_in_a_reclaim_gets_404_that_names_it);
	tcase_add_test(tc, malformed_json_gets_400_with_its_place);
	tcase_add_test(tc, missing_field_gets_400_that_names_it);
	tcase_add_test(tc, unknown_number_gets_401);
	tcase_add_test(tc, oversized_http_body_gets_413);
	tcase_add_test(tc, http_request_cut_short_takes_no_sip_uri);
	tcase_add_test(tc, empty_pool_gets_503_with_retry_after);
	tcase_add_test(tc, malformed_soap_gets_a_fault_with_its_line);
	tcase_add_test(tc, soap_that_names_a_file_gets_a_fault_and_no_file);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(bad_input_suite)
