/* Two AS, two platforms, one PostgreSQL, as real processes: no SIP-URI is given
 * twice, and kill -9 of a platform loses none */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <check.h>
#include <libpq-fe.h>
#include <openssl/ssl.h>

#include "common/addr.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/pki.h"
#include "platform/platform_pool.h"
#include "tests/fake/fake_pg.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

enum {
	APPLIES_MAX = 10000, /* at once, at the store */
	APPLIES_HTTPS = 3000,
	WORKERS = 64,
	PLATFORMS = 2,
	TRIES_MAX = 2000
};

/** What one apply message was answered */
struct result {
	int64_t lease_id;
	char uri[40];
};

/** Seen by all processes of the test */
struct shared {
	atomic_int done, failed, repeated;
	struct result results[APPLIES_MAX];
};

static struct {
	int n; /* applies, and SIP-URIs in the pool */
	struct shared *shared;
	struct proc platforms[PLATFORMS];
	char *addrs[PLATFORMS]; /* HTTPS: host:port */
	const char *dir;        /* asked for once: a worker would get its own */
	char pool_file[128];
} t;

/* Started once, by the process that runs the tests */
static struct fake_pg *server;

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void write_pool(void)
{
	FILE *f = fopen(t.pool_file, "w");

	ck_assert_ptr_nonnull(f);
	for (int i = 1; i <= t.n; i++)
		fprintf(f, "sip:+86%d@ims.test +86%d@ims.test pw ims.test\n", i,
			i);
	ck_assert_int_eq(fclose(f), 0);
}

static void start_server(void)
{
	server = fake_pg_start();
}

static void stop_server(void)
{
	server = fake_pg_stop(server);
}

static void setup(int n)
{
	static const char *const names[] = { "platform", "appserver",
					     "appserver2", NULL };
	static const char *const hosts[] = { "127.0.0.1", NULL, NULL, NULL };
	char *reason = NULL;

	t.n = n;
	t.dir = temp_dir();
	ck_assert_msg(!pki_make(t.dir, names, hosts, &reason), "%s", reason);
	snprintf(t.pool_file, sizeof(t.pool_file), "%s/pool.txt", t.dir);
	write_pool();
	fake_pg_empty(server);
	t.shared = mmap(NULL, sizeof(*t.shared), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(t.shared, MAP_FAILED);
}

static void setup_https(void)
{
	setup(APPLIES_HTTPS);
}

static void setup_at_once(void)
{
	setup(APPLIES_MAX);
}

static void teardown(void)
{
	munmap(t.shared, sizeof(*t.shared));
}

static void start_platform(int i, const char *store)
{
	static const char bin[] = BUILD_DIR "/bin/platform";
	char cert[128], ca[128], log[128];
	/* clang-format off */
	const char *const argv[] = {
		bin,
		"--https", "127.0.0.1:0", "--sip", "127.0.0.1:0",
		"--store", store, "--pool-file", t.pool_file,
		"--cert", cert, "--ca", ca, "--pcscf", "sip:127.0.0.1:9",
		"--log", log, NULL
	};
	/* clang-format on */

	snprintf(cert, sizeof(cert), "%s/platform.pem", t.dir);
	snprintf(ca, sizeof(ca), "%s/ca.pem", t.dir);
	snprintf(log, sizeof(log), "%s/platform%d.log", t.dir, i);
	proc_start(&t.platforms[i], argv);
}

static void wait_ready(int i)
{
	struct proc *p = &t.platforms[i];
	json_t *addresses;

	ck_assert_msg(proc_wait_text(p, "platform ready ", PATIENCE_MS) &&
			      proc_wait_text(p, "}\n", PATIENCE_MS),
		      "platform %d is not ready:\n%s", i, p->text);
	addresses = proc_json(p, "platform ready ");
	t.addrs[i] =
		xstrdup(json_string_value(json_object_get(addresses, "https")));
	json_decref(addresses);
}

static void stop_platform(int i)
{
	int code = proc_stop(&t.platforms[i], SIGTERM);

	ck_assert_msg(code == 0, "platform %d: exit %d:\n%s", i, code,
		      t.platforms[i].text);
	free(t.platforms[i].text);
	free(t.addrs[i]);
}

static SSL_CTX *new_ctx(const char *name)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	char *pem = xasprintf("%s/%s.pem", t.dir, name);

	if (SSL_CTX_use_certificate_chain_file(ctx, pem) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, pem, SSL_FILETYPE_PEM) != 1) {
		atomic_fetch_add(&t.shared->failed, 1);
		_exit(3);
	}
	free(pem);

	return ctx;
}

/* Blocking: each worker is a process of its own */
static SSL *dial(SSL_CTX *ctx, const char *addr)
{
	const char *colon = strrchr(addr, ':');
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	SSL *ssl = SSL_new(ctx);

	sin.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!connect(fd, (struct sockaddr *)&sin, sizeof(sin)) &&
	    SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1)
		return ssl;

	SSL_free(ssl);
	close(fd);

	return NULL;
}

static SSL *hang_up(SSL *ssl)
{
	if (ssl) {
		close(SSL_get_fd(ssl));
		SSL_free(ssl);
	}

	return NULL;
}

/* The answer's body, whole; NULL if none came */
static char *read_answer(SSL *ssl, char *buf, int room)
{
	int len = 0, n;

	while ((n = SSL_read(ssl, buf + len, room - 1 - len)) > 0) {
		const char *length, *body;

		len += n;
		buf[len] = '\0';
		body = strstr(buf, "\r\n\r\n");
		length = strcasestr(buf, "\r\nContent-Length:");
		if (body && length &&
		    buf + len >= body + 4 + strtol(length + 17, NULL, 10))
			return buf + (body + 4 - buf);
	}

	return NULL;
}

static bool apply(SSL *ssl, int i, struct result *r)
{
	char buf[4096], *body;
	int n = snprintf(buf, sizeof(buf),
			 "POST /v1/leases HTTP/1.1\r\nHost: platform\r\n"
			 "Content-Length: 0\r\nIdempotency-Key: key-%d\r\n\r\n",
			 i);
	json_t *json;

	if (SSL_write(ssl, buf, n) != n)
		return false;
	body = read_answer(ssl, buf, sizeof(buf));
	if (!body || strncmp(buf, "HTTP/1.1 201", 12) != 0)
		return false;

	json = json_loads(body, 0, NULL);
	r->lease_id = json_integer_value(json_object_get(json, "lease_id"));
	snprintf(r->uri, sizeof(r->uri), "%s",
		 json_string_value(json_object_get(json, "uri")));
	json_decref(json);

	return true;
}

/** A worker: one connection of an AS, to one platform at a time */
struct worker {
	SSL_CTX *ctx;
	SSL *ssl;
	int at, platform_n;
};

/* A platform that does not answer is left for the other one, which is asked by
 * the same key */
static void apply_until_answered(struct worker *w, int i)
{
	for (int tries = 0; tries < TRIES_MAX; tries++) {
		if (!w->ssl)
			w->ssl = dial(w->ctx, t.addrs[w->at]);
		if (w->ssl && apply(w->ssl, i, &t.shared->results[i]))
			return;
		if (w->ssl)
			atomic_fetch_add(&t.shared->repeated, 1);
		w->ssl = hang_up(w->ssl);
		w->at = (w->at + 1) % w->platform_n;
	}
	atomic_fetch_add(&t.shared->failed, 1);
	_exit(1);
}

static void work(int number, int platform_n)
{
	struct worker w = {
		.ctx = new_ctx(number % 4 < 2 ? "appserver" : "appserver2"),
		.at = number % platform_n,
		.platform_n = platform_n,
	};

	signal(SIGPIPE, SIG_IGN); /* a platform that was killed */
	for (int i = number; i < t.n; i += WORKERS) {
		apply_until_answered(&w, i);
		atomic_fetch_add(&t.shared->done, 1);
	}
	hang_up(w.ssl);
	SSL_CTX_free(w.ctx);
	_exit(0);
}

static void start_workers(pid_t *pids, int platform_n)
{
	for (int i = 0; i < WORKERS; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (!pids[i])
			work(i, platform_n);
	}
}

static void wait_workers(const pid_t *pids)
{
	int status;

	for (int i = 0; i < WORKERS; i++)
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
	ck_assert_int_eq(t.shared->failed, 0);
}

static int by_lease(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	return (x->lease_id > y->lease_id) - (x->lease_id < y->lease_id);
}

static int by_uri(const void *a, const void *b)
{
	return strcmp(((const struct result *)a)->uri,
		      ((const struct result *)b)->uri);
}

static void expect_each_once(void)
{
	struct result *v = t.shared->results;

	qsort(v, t.n, sizeof(*v), by_uri);
	for (int i = 1; i < t.n; i++)
		ck_assert_msg(strcmp(v[i - 1].uri, v[i].uri) != 0,
			      "%s was given twice: leases %" PRId64
			      " and %" PRId64,
			      v[i].uri, v[i - 1].lease_id, v[i].lease_id);
	qsort(v, t.n, sizeof(*v), by_lease);
	for (int i = 0; i < t.n; i++)
		ck_assert_msg(v[i].lease_id > (i ? v[i - 1].lease_id : 0),
			      "lease %" PRId64 " twice", v[i].lease_id);
}

static void expect_row(const PGresult *res, int i)
{
	const struct result *r = &t.shared->results[i];

	ck_assert_int_eq(strtoll(PQgetvalue(res, i, 0), NULL, 10), r->lease_id);
	ck_assert_str_eq(PQgetvalue(res, i, 1), r->uri);
}

/* What was answered is what is stored, and nothing else is */
static void expect_stored(void)
{
	PGconn *conn = PQconnectdb(fake_pg_uri(server));
	PGresult *res = PQexec(conn, "SELECT lease_id, uri FROM account WHERE "
				     "state = 'occupied' ORDER BY lease_id");

	ck_assert_int_eq(PQntuples(res), t.n);
	for (int i = 0; i < t.n; i++)
		expect_row(res, i);
	PQclear(res);
	PQfinish(conn);
}

START_TEST(two_as_at_one_platform_get_no_sip_uri_twice)
{
	pid_t pids[WORKERS];
	double start;

	start_platform(0, fake_pg_uri(server));
	wait_ready(0);
	start = now_s();
	start_workers(pids, 1);
	wait_workers(pids);
	printf("two AS, one platform: %d applies over HTTPS, %d at a time, in "
	       "%.2f s\n",
	       t.n, WORKERS, now_s() - start);
	expect_each_once();
	expect_stored();
	stop_platform(0);
}
END_TEST

START_TEST(two_platforms_give_no_sip_uri_twice_and_a_kill_loses_none)
{
	pid_t pids[WORKERS];
	double start;

	/* both read the pool file at once, too */
	for (int i = 0; i < PLATFORMS; i++)
		start_platform(i, fake_pg_uri(server));
	for (int i = 0; i < PLATFORMS; i++)
		wait_ready(i);
	start = now_s();
	start_workers(pids, PLATFORMS);
	while (t.shared->done < t.n / 2 && !t.shared->failed)
		(void)poll(NULL, 0, 1);
	ck_assert_int_eq(proc_stop(&t.platforms[0], SIGKILL), 128 + SIGKILL);
	wait_workers(pids);
	printf("two platforms, one PostgreSQL: %d applies over HTTPS, %d at a "
	       "time, one platform killed at half, in %.2f s; %d asked again\n",
	       t.n, WORKERS, now_s() - start, t.shared->repeated);
	ck_assert_int_gt(t.shared->repeated, 0);
	expect_each_once();
	expect_stored();
	free(t.platforms[0].text);
	free(t.addrs[0]);
	stop_platform(1);
}
END_TEST

static int own_done; /* by this process */

static void on_given(int err, const struct store_rows *rows, void *arg)
{
	struct result *r = arg;
	struct plat_row row;

	if (err || !plat_row_get(&row, rows, 0)) {
		atomic_fetch_add(&t.shared->failed, 1);
	} else {
		r->lease_id = row.lease_id;
		snprintf(r->uri, sizeof(r->uri), "%s", row.uri);
	}
	own_done++;
}

static bool is_half_done(const void *arg)
{
	(void)arg;

	return own_done == t.n / 2;
}

/* One process's half of the applies: all queued before any is answered */
static void give_half(int half, const char *policy)
{
	struct loop *loop = loop_new();
	struct store *store = NULL;
	char *reason = NULL;
	char key[16];

	if (plat_pool_open(&store, loop, fake_pg_uri(server), &reason))
		_exit(3);
	for (int i = half; i < t.n; i += 2) {
		snprintf(key, sizeof(key), "k%d", i);
		plat_pool_give(store, plat_policy_find(policy), key, on_given,
			       &t.shared->results[i]);
	}
	_exit(loop_run_until(loop, is_half_done, NULL, PATIENCE_MS) ? 0 : 1);
}

static void import_pool(void)
{
	start_platform(0, fake_pg_uri(server));
	wait_ready(0);
	stop_platform(0);
}

START_TEST(ten_thousand_applies_at_once_get_ten_thousand_sip_uris)
{
	static const char *const policies[] = { "round-robin", "idle-queue" };
	pid_t pids[2];
	double start;
	int status;

	import_pool();
	start = now_s();
	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (!pids[i])
			give_half(i, policies[_i]);
	}
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	printf("%s: %d applies at once from two processes, in %.2f s\n",
	       policies[_i], t.n, now_s() - start);
	ck_assert_int_eq(t.shared->failed, 0);
	expect_each_once();
	expect_stored();
}
END_TEST

static Suite *two_platforms_suite(void)
{
	Suite *suite = suite_create("two platforms");
	TCase *tc = tcase_create("over HTTPS");

	tcase_add_unchecked_fixture(tc, start_server, stop_server);
	tcase_add_checked_fixture(tc, setup_https, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, two_as_at_one_platform_get_no_sip_uri_twice);
	tcase_add_test(
		tc, two_platforms_give_no_sip_uri_twice_and_a_kill_loses_none);
	suite_add_tcase(suite, tc);

	tc = tcase_create("at once");
	tcase_add_unchecked_fixture(tc, start_server, stop_server);
	tcase_add_checked_fixture(tc, setup_at_once, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(
		tc, ten_thousand_applies_at_once_get_ten_thousand_sip_uris, 0,
		2);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(two_platforms_suite)
