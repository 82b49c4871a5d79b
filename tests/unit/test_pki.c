#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/mem.h"
#include "common/pki.h"
#include "tests/suite.h"

static const char *const names[] = { "appserver", "platform", NULL };
static const char *const hosts[] = { "127.1.2.1,as.ims.test", "127.1.2.2,::1" };
static char dir[] = "/tmp/sipshare-pki-XXXXXX";

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
	static const char *const files[] = { "ca", "ca-key", "appserver",
					     "platform" };
	char path[128];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s.pem", dir, files[i]);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

static void make(void)
{
	char *reason = NULL;
	int err = pki_make(dir, names, hosts, &reason);

	ck_assert_msg(!err, "%s", reason);
}

static char *path_of(const char *name)
{
	return xasprintf("%s/%s.pem", dir, name);
}

static X509 *load(const char *name)
{
	char *path = path_of(name);
	FILE *f = fopen(path, "re");
	X509 *cert;

	ck_assert_ptr_nonnull(f);
	cert = PEM_read_X509(f, NULL, NULL, NULL);
	ck_assert_ptr_nonnull(cert);
	fclose(f);
	free(path);

	return cert;
}

START_TEST(certificates_are_of_the_ca_and_for_their_hosts)
{
	X509 *ca, *cert;

	make();
	ca = load("ca");
	cert = load("appserver");
	ck_assert_int_eq(X509_verify(cert, X509_get0_pubkey(ca)), 1);
	ck_assert_int_eq(X509_check_issued(ca, cert), X509_V_OK);
	ck_assert_int_eq(X509_check_ip_asc(cert, "127.1.2.1", 0), 1);
	ck_assert_int_eq(X509_check_ip_asc(cert, "127.1.2.2", 0), 0);
	ck_assert_int_eq(X509_check_host(cert, "as.ims.test", 0, 0, NULL), 1);
	ck_assert_int_eq(X509_check_host(cert, "appserver", 0, 0, NULL), 1);
	ck_assert_int_eq(X509_check_ca(ca), 1);
	ck_assert_int_eq(X509_check_ca(cert), 0);
	X509_free(cert);

	cert = load("platform");
	ck_assert_int_eq(X509_check_ip_asc(cert, "::1", 0), 1);
	X509_free(cert);
	X509_free(ca);
}
END_TEST

START_TEST(the_common_name_is_the_elements_name)
{
	char cn[64];
	X509 *cert;

	make();
	cert = load("platform");
	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName,
				  cn, sizeof(cn));
	ck_assert_str_eq(cn, "platform");
	X509_free(cert);
}
END_TEST

START_TEST(keys_are_for_the_owner_only)
{
	static const char *const files[] = { "ca", "ca-key", "appserver" };

	make();
	for (int i = 0; i < 3; i++) {
		char *path = path_of(files[i]);
		struct stat st;

		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_int_eq(st.st_mode & 0777, 0600);
		free(path);
	}
}
END_TEST

static int compare_after(const char *name, const char *const *new_hosts)
{
	X509 *before = load(name), *after;
	char *reason = NULL;
	int cmp, err = pki_make(dir, names, new_hosts, &reason);

	ck_assert_msg(!err, "%s", reason);
	after = load(name);
	cmp = X509_cmp(before, after);
	X509_free(before);
	X509_free(after);

	return cmp;
}

START_TEST(made_again_it_keeps_what_is_good)
{
	make();
	ck_assert_int_eq(compare_after("ca", hosts), 0);
	ck_assert_int_eq(compare_after("appserver", hosts), 0);
}
END_TEST

START_TEST(other_hosts_get_a_new_certificate_of_the_same_ca)
{
	static const char *const moved[] = { "127.2.2.1", "127.1.2.2,::1" };

	make();
	ck_assert_int_ne(compare_after("appserver", moved), 0);
	ck_assert_int_eq(compare_after("platform", moved), 0);
	ck_assert_int_eq(compare_after("ca", moved), 0);
}
END_TEST

START_TEST(a_damaged_file_is_made_anew)
{
	char *path;
	FILE *f;

	make();
	path = path_of("appserver");
	f = fopen(path, "we");
	fputs("-----BEGIN CERTIFICATE-----\nrubbish\n", f);
	fclose(f);
	free(path);
	make();
	X509_free(load("appserver"));
}
END_TEST

static void refused(const char *name, const char *host, const char *wanted)
{
	const char *const one[] = { name, NULL };
	const char *const at[] = { host };
	char *reason = NULL;

	ck_assert_int_eq(pki_make(dir, one, at, &reason), EINVAL);
	ck_assert_msg(strstr(reason, wanted) != NULL, "%s", reason);
	free(reason);
}

START_TEST(names_and_hosts_that_cannot_be_are_refused)
{
	refused("../x", "127.0.0.1", "\"../x\" cannot be an element's name");
	refused("ca", "127.0.0.1", "\"ca\"");
	refused("", "127.0.0.1", "\"\"");
	refused("e0", "not a host", "\"not a host\" is neither");
	refused("e0", "127.0.0.1,,x", "\"\" is neither");
	refused("e0", "a;critical", "neither");
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_named)
{
	char *reason = NULL;

	ck_assert_int_eq(pki_make("/proc/no/such", names, hosts, &reason),
			 ENOENT);
	ck_assert_ptr_nonnull(strstr(reason, "/proc/no/such"));
	free(reason);
}
END_TEST

/* Made at each start of a testbed: an RSA key would take longer than all the
 * rest (RFC 5480: the curve is P-256) */
START_TEST(keys_are_quickly_made)
{
	X509 *cert;
	const EVP_PKEY *key;

	make();
	cert = load("appserver");
	key = X509_get0_pubkey(cert);
	ck_assert_int_eq(EVP_PKEY_get_base_id(key), EVP_PKEY_EC);
	ck_assert_int_eq(EVP_PKEY_get_bits(key), 256);
	X509_free(cert);
}
END_TEST

static Suite *pki_suite(void)
{
	Suite *s = suite_create("pki");
	TCase *tc = tcase_create("make");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, certificates_are_of_the_ca_and_for_their_hosts);
	tcase_add_test(tc, the_common_name_is_the_elements_name);
	tcase_add_test(tc, keys_are_for_the_owner_only);
	tcase_add_test(tc, made_again_it_keeps_what_is_good);
	tcase_add_test(tc, other_hosts_get_a_new_certificate_of_the_same_ca);
	tcase_add_test(tc, a_damaged_file_is_made_anew);
	tcase_add_test(tc, names_and_hosts_that_cannot_be_are_refused);
	tcase_add_test(tc, a_folder_that_cannot_be_made_is_named);
	tcase_add_test(tc, keys_are_quickly_made);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(pki_suite)
