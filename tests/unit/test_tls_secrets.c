/* The keys of TLS connections: in a file of one's own, and only when asked for
 */
#include "common/tls_secrets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "common/element.h"
#include "common/https_tls.h"
#include "common/mem.h"
#include "tests/fake/https_bench.h"
#include "tests/suite.h"

static char *path;

static void setup(void)
{
	bench_setup();
	path = xasprintf("%s/keys", bench.dir);
}

static void teardown(void)
{
	bench_teardown();
	free(path);
}

static struct tls_secrets *open_file(void)
{
	struct tls_secrets *secrets = NULL;
	char *reason = NULL;

	ck_assert_msg(!tls_secrets_open(&secrets, path, &reason), "%s", reason);

	return secrets;
}

static void serve(void)
{
	bench_serve(true, 0);
	bench_client(bench.cert, bench.ca);
	ck_assert_int_eq(bench_call("POST", "/echo", "hi")->status, 200);
}

static char *read_file(void)
{
	FILE *f = fopen(path, "re");
	size_t room = 1 << 16, len;
	char *text = xcalloc(1, room);

	ck_assert_ptr_nonnull(f);
	len = fread(text, 1, room - 1, f);
	text[len] = '\0';
	fclose(f);

	return text;
}

/* RFC 8446 7.1: five of them for each connection, at each end */
START_TEST(both_ends_reveal_the_same_keys)
{
	static const char *const labels[] = {
		"CLIENT_HANDSHAKE_TRAFFIC_SECRET ",
		"SERVER_HANDSHAKE_TRAFFIC_SECRET ", "CLIENT_TRAFFIC_SECRET_0 ",
		"SERVER_TRAFFIC_SECRET_0 "
	};
	char *text;

	bench.server_el->tls_secrets = open_file();
	bench.client_el->tls_secrets = open_file();
	serve();
	text = read_file();
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		const char *one = strstr(text, labels[i]);
		const char *other = one ? strstr(one + 1, labels[i]) : NULL;

		ck_assert_msg(
			other && !strncmp(one, other, strcspn(one, "\n") + 1),
			"no two %s in:\n%s", labels[i], text);
	}
	free(text);
}
END_TEST

static void has_not(json_t *lines, const char *secret)
{
	char *text = json_dumps(lines, 0);

	ck_assert_ptr_nonnull(strstr(text, "POST /echo"));
	ck_assert_msg(!strstr(text, secret), "%s in %s", secret, text);
	free(text);
}

START_TEST(the_trace_has_no_keys)
{
	char *text, *secret;

	bench.server_el->tls_secrets = open_file();
	bench.client_el->tls_secrets = open_file();
	serve();
	text = read_file();
	secret = strrchr(text, ' '); /* LABEL RANDOM SECRET */
	ck_assert_ptr_nonnull(secret);
	secret[strcspn(secret, "\n")] = '\0';
	ck_assert_uint_gt(strlen(secret), 64);
	has_not(bench.server_lines, secret + 1);
	has_not(bench.client_lines, secret + 1);
	free(text);
}
END_TEST

START_TEST(nothing_is_revealed_unless_it_is_asked_for)
{
	char *reason = NULL;
	SSL_CTX *ctx = https_tls_client(NULL, bench.ca, &reason);

	ck_assert_msg(ctx != NULL, "%s", reason);
	https_tls_reveal(ctx, NULL);
	ck_assert(!SSL_CTX_get_keylog_callback(ctx));
	SSL_CTX_free(ctx);
	serve();
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(the_file_is_its_owners_alone_and_grows)
{
	struct tls_secrets *secrets = open_file();
	struct stat st;
	char *text;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	tls_secrets_write(secrets, "ONE 1 2");
	tls_secrets_free(secrets);
	secrets = open_file();
	tls_secrets_write(secrets, "TWO 3 4");
	tls_secrets_free(secrets);
	text = read_file();
	ck_assert_str_eq(text, "ONE 1 2\nTWO 3 4\n");
	free(text);
}
END_TEST

static void check_refused(int err, const char *needle)
{
	struct tls_secrets *secrets = NULL;
	char *reason = NULL;

	ck_assert_int_eq(tls_secrets_open(&secrets, path, &reason), err);
	ck_assert_msg(strstr(reason, needle) != NULL, "%s", reason);
	ck_assert_ptr_null(secrets);
	free(reason);
}

START_TEST(a_file_that_others_may_read_is_refused)
{
	tls_secrets_free(open_file());
	ck_assert_int_eq(chmod(path, 0640), 0);
	check_refused(EPERM, "chmod 600");
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	xstrset(&path, "/dev/null");
	check_refused(EPERM, "must be a file");
	xstrset(&path, "/nowhere/keys");
	check_refused(ENOENT, "No such file");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("tls_secrets");
	TCase *tc = tcase_create("RFC 8446 7.1");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, both_ends_reveal_the_same_keys);
	tcase_add_test(tc, the_trace_has_no_keys);
	tcase_add_test(tc, nothing_is_revealed_unless_it_is_asked_for);
	tcase_add_test(tc, the_file_is_its_owners_alone_and_grows);
	tcase_add_test(tc, a_file_that_others_may_read_is_refused);
	tcase_add_test(tc, what_is_no_file_is_refused);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
