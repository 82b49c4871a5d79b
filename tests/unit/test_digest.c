/* RFC 7616, RFC 2617 and RFC 2069 digest */
#include "common/digest.h"

#include <string.h>

#include "tests/suite.h"

/* RFC 7616 3.9.1: user Mufasa, with MD5 and SHA-256 */
static struct digest_input rfc7616(enum digest_alg alg, const char *ha1)
{
	return (struct digest_input){
		.alg = alg,
		.ha1 = ha1,
		.method = "GET",
		.uri = "/dir/index.html",
		.nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
		.nc = "00000001",
		.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
		.qop = "auth"
	};
}

START_TEST(md5_example_of_rfc_7616)
{
	char ha1[DIGEST_HEX_LEN], response[DIGEST_HEX_LEN];
	struct digest_input in = rfc7616(DIGEST_MD5, ha1);

	digest_ha1(ha1, DIGEST_MD5, "Mufasa", "http-auth@example.org",
		   "Circle of Life");
	digest_response(response, &in);
	ck_assert_str_eq(response, "8ca523f5e9506fed4657c9700eebdbec");
}
END_TEST

START_TEST(sha_256_example_of_rfc_7616)
{
	char ha1[DIGEST_HEX_LEN], response[DIGEST_HEX_LEN];
	struct digest_input in = rfc7616(DIGEST_SHA256, ha1);

	digest_ha1(ha1, DIGEST_SHA256, "Mufasa", "http-auth@example.org",
		   "Circle of Life");
	digest_response(response, &in);
	ck_assert_str_eq(response, "753927fa0e85d155564e2e272a28d180"
				   "2ca10daf4496794697cf8db5856cb6c1");
}
END_TEST

/* RFC 2617 3.5 */
START_TEST(example_of_rfc_2617)
{
	char ha1[DIGEST_HEX_LEN], response[DIGEST_HEX_LEN];
	struct digest_input in = { .alg = DIGEST_MD5,
				   .ha1 = ha1,
				   .method = "GET",
				   .uri = "/dir/index.html",
				   .nonce =
					   "dcd98b7102dd2f0e8b11d0f600bfb0c093",
				   .nc = "00000001",
				   .cnonce = "0a4f113b",
				   .qop = "auth" };

	digest_ha1(ha1, DIGEST_MD5, "Mufasa", "testrealm@host.com",
		   "Circle Of Life");
	ck_assert_str_eq(ha1, "939e7578ed9e3c518a452acee763bce9");
	digest_response(response, &in);
	ck_assert_str_eq(response, "6629fae49393a05397450978507c4ef1");
}
END_TEST

/* RFC 2617 3.2.2.1, the case without qop: what RFC 2069 clients send */
START_TEST(without_qop_it_is_rfc_2069)
{
	char ha1[DIGEST_HEX_LEN], response[DIGEST_HEX_LEN];
	struct digest_input in = {
		.alg = DIGEST_MD5,
		.ha1 = ha1,
		.method = "GET",
		.uri = "/dir/index.html",
		.nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093",
	};

	digest_ha1(ha1, DIGEST_MD5, "Mufasa", "testrealm@host.com",
		   "Circle Of Life");
	digest_response(response, &in);
	ck_assert_str_eq(response, "670fd8c2df070c60b045671b8b24ff02");
}
END_TEST

START_TEST(auth_int_takes_the_body_in)
{
	char a[DIGEST_HEX_LEN], b[DIGEST_HEX_LEN];
	struct digest_input in = rfc7616(DIGEST_MD5, "00");

	in.qop = "auth-int";
	in.body = "one";
	digest_response(a, &in);
	in.body = "two";
	digest_response(b, &in);
	ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(algorithm_names_are_read_without_regard_to_case)
{
	enum digest_alg alg;

	ck_assert_int_eq(digest_alg_parse(&alg, "sha-256"), 0);
	ck_assert_int_eq(alg, DIGEST_SHA256);
	ck_assert_int_eq(digest_alg_parse(&alg, NULL), 0);
	ck_assert_int_eq(alg, DIGEST_MD5);
	ck_assert_int_ne(digest_alg_parse(&alg, "SHA-512-256"), 0);
	ck_assert_int_ne(digest_alg_parse(&alg, ""), 0);
}
END_TEST

START_TEST(responses_are_compared_without_regard_to_case_only)
{
	ck_assert(digest_equal("00abcdef", "00ABCDEF"));
	ck_assert(!digest_equal("00abcdef", "00abcdee"));
	ck_assert(!digest_equal("00abcdef", "00abcde"));
	ck_assert(!digest_equal("", "0"));
	/* '@' is 'A' less one, '`' is 'a' less one: no folding of those */
	ck_assert(!digest_equal("@", "`"));
}
END_TEST

START_TEST(nonces_differ)
{
	char a[DIGEST_HEX_LEN], b[DIGEST_HEX_LEN];

	digest_nonce(a);
	digest_nonce(b);
	ck_assert_uint_eq(strlen(a), 32);
	ck_assert_str_ne(a, b);
}
END_TEST

static Suite *digest_suite(void)
{
	Suite *suite = suite_create("digest");
	TCase *tc = tcase_create("RFC 7616");

	tcase_add_test(tc, md5_example_of_rfc_7616);
	tcase_add_test(tc, sha_256_example_of_rfc_7616);
	tcase_add_test(tc, example_of_rfc_2617);
	tcase_add_test(tc, without_qop_it_is_rfc_2069);
	tcase_add_test(tc, auth_int_takes_the_body_in);
	tcase_add_test(tc, algorithm_names_are_read_without_regard_to_case);
	tcase_add_test(tc, responses_are_compared_without_regard_to_case_only);
	tcase_add_test(tc, nonces_differ);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(digest_suite)
