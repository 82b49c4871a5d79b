/* A new password for each lease: the platform, a registrar and a BOSS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/element.h"
#include "common/fsm.h"
#include "common/https.h"
#include "common/json.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/pki.h"
#include "tests/fake/fake_platform_bed.h"
#include "tests/fake/fake_registrar.h"
#include "tests/suite.h"

static const char *const names[] = { "platform", "boss", NULL };
static const char *const hosts[] = { "127.0.0.1", "127.0.0.1" };

static struct {
	struct bed bed;
	struct element *el;
	struct https_server *boss;
	struct https_client *client;
	char *url;
	int status; /* 0: keeps silent */
	int count;
	char uri[64], password[64], first[64];
	char given[64]; /* what the platform would give next */
} t;

/* What the BOSS says; it is the HSS that has the password then */
static void rx_password(struct https_req *req, void *arg)
{
	json_t *body = https_req_json(req);

	(void)arg;
	ck_assert_str_eq(https_req_peer_name(req), "platform");
	snprintf(t.uri, sizeof(t.uri), "%s", json_find_string(body, "uri"));
	snprintf(t.password, sizeof(t.password), "%s",
		 json_find_string(body, "password"));
	json_decref(body);
	if (!t.count++)
		memcpy(t.first, t.password, sizeof(t.first));
	if (t.status == 200)
		fake_registrar_set_status(t.bed.registrar, 200);
	if (t.status == 200)
		https_reply_json(req, 200, json_pack("{s:s}", "uri", t.uri));
	else if (t.status)
		https_reply_error(req, t.status, "not now");
}

static void setup(void)
{
	static const struct https_route routes[] = {
		{ "POST", "/v1/password", rx_password },
		{ NULL, NULL, NULL },
	};
	struct https_server_cfg cfg = { .listen = "127.0.0.1:0" };
	char *cert, *ca, *reason = NULL;

	memset(&t, 0, sizeof(t));
	bed_timer("dereg-retry=10ms");
	bed_timer("dereg-bound=3600s");
	bed_start(&t.bed);
	ck_assert_int_eq(pki_make(t.bed.dir, names, hosts, &reason), 0);
	cert = xasprintf("%s/boss.pem", t.bed.dir);
	ca = xasprintf("%s/ca.pem", t.bed.dir);
	cfg.cert_file = cert;
	cfg.ca_file = ca;
	t.el = element_new_on(t.bed.loop, "boss");
	ck_assert_msg(
		!https_server_new(&t.boss, t.el, &cfg, routes, NULL, &reason),
		"%s", reason ? reason : "no reason");
	free(cert);
	free(ca);
	t.url = xasprintf("https://%s/", https_server_addr(t.boss));
	t.status = 200;
	t.bed.boss = t.url;
	bed_platform(&t.bed);
	bed_import(&t.bed, 1, 1);
}

static void teardown(void)
{
	ck_assert_int_eq(t.bed.bad_counts, 0);
	t.bed.plat = plat_free(t.bed.plat);
	https_server_free(t.boss);
	element_free(t.el);
	free(t.url);
	bed_stop(&t.bed);
}

static void reclaim(void)
{
	plat_lease_reclaim(bed_lease(&t.bed, 1));
}

static void on_row(int err, const struct store_rows *rows, void *arg)
{
	struct plat_row row;

	(void)arg;
	ck_assert(!err && plat_row_get(&row, rows, 0));
	snprintf(t.given, sizeof(t.given), "%s", row.password);
}

static bool is_given(const void *arg)
{
	(void)arg;

	return t.given[0];
}

/* The password that the store holds for the next lease */
static const char *stored(void)
{
	t.given[0] = '\0';
	plat_pool_get(t.bed.plat->store, 1, on_row, NULL);
	ck_assert(loop_run_until(t.bed.loop, is_given, NULL, PATIENCE_MS));

	return t.given;
}

static bool is_told(const void *arg)
{
	return t.count >= *(const int *)arg;
}

static void wait_told(int n)
{
	ck_assert_msg(loop_run_until(t.bed.loop, is_told, &n, PATIENCE_MS),
		      "the BOSS was told %d times, not %d", t.count, n);
}

START_TEST(each_lease_has_a_password_of_its_own)
{
	bed_give(&t.bed, "k");
	reclaim();
	bed_wait(&t.bed, 1, LEASE_IDLE);
	ck_assert_int_eq(t.count, 1);
	ck_assert_str_eq(t.uri, "sip:+861@ims.test");
	ck_assert_str_ne(t.password, "pw1");
	ck_assert_str_eq(stored(), t.password);
	bed_give(&t.bed, "l");
	reclaim();
	bed_wait(&t.bed, 1, LEASE_IDLE);
	ck_assert_int_eq(t.count, 2);
	ck_assert_str_ne(t.password, t.first);
	ck_assert_str_eq(stored(), t.password);
}
END_TEST

START_TEST(it_is_not_idle_before_the_hss_has_the_password)
{
	t.status = 502;
	bed_give(&t.bed, "k");
	reclaim();
	wait_told(2);
	ck_assert_int_eq(bed_state(&t.bed, 1), LEASE_RECLAIMING);
	ck_assert_int_eq(bed_give(&t.bed, "other"), 0);
	/* the same one each time, and the SIP-URI is deregistered only once */
	ck_assert_str_eq(t.password, t.first);
	ck_assert_int_eq(fake_registrar_count(t.bed.registrar), 1);
	t.status = 200;
	bed_wait(&t.bed, 1, LEASE_IDLE);
	ck_assert_str_eq(stored(), t.first);
}
END_TEST

START_TEST(a_boss_that_refuses_leads_to_quarantine_at_the_bound)
{
	bed_timer("dereg-bound=80ms");
	t.status = 502;
	bed_give(&t.bed, "k");
	reclaim();
	bed_wait(&t.bed, 1, LEASE_QUARANTINED);
	ck_assert_int_ge(t.count, 2);
}
END_TEST

/* The HSS may have it: a restart tells it again, and no other one */
START_TEST(a_restart_with_no_answer_yet_sends_the_same_password)
{
	t.status = 0;
	bed_give(&t.bed, "k");
	reclaim();
	wait_told(1);
	t.status = 200;
	bed_restart(&t.bed);
	bed_wait(&t.bed, 1, LEASE_IDLE);
	ck_assert_str_eq(t.password, t.first);
	ck_assert_str_eq(stored(), t.first);
	/* deregistered with the old one, which is of no use any more */
	ck_assert_int_eq(fake_registrar_count(t.bed.registrar), 1);
}
END_TEST

/* TS 29.228 6.1.3: at the change the HSS ends whoever's registration */
START_TEST(a_password_that_is_not_the_hss_s_is_replaced)
{
	fake_registrar_set_status(t.bed.registrar, 403);
	bed_give(&t.bed, "k");
	reclaim();
	bed_wait(&t.bed, 1, LEASE_IDLE);
	/* one to get in again, one for the next lease */
	ck_assert_int_eq(t.count, 2);
	ck_assert_str_eq(stored(), t.password);
}
END_TEST

START_TEST(a_batch_that_is_older_does_not_bring_an_old_password_back)
{
	bed_give(&t.bed, "k");
	reclaim();
	bed_wait(&t.bed, 1, LEASE_IDLE);
	bed_import(&t.bed, 1, 2);
	ck_assert_str_eq(stored(), t.password);
}
END_TEST

static void release(struct plat_job *job, int err,
		    const struct store_rows *rows)
{
	struct plat_row row;

	ck_assert(!err && plat_row_get(&row, rows, 0) && row.is_done);
	plat_lease_follow(job->plat, &row);
}

START_TEST(what_an_operator_releases_gets_its_password_first)
{
	bed_timer("dereg-bound=80ms");
	t.status = 502;
	bed_give(&t.bed, "k");
	reclaim();
	bed_wait(&t.bed, 1, LEASE_QUARANTINED);
	t.status = 200;
	plat_pool_release(t.bed.plat->store, bed_lease(&t.bed, 1)->uri,
			  LEASE_RECLAIMING, plat_job_run,
			  plat_job_new(t.bed.plat, NULL, release));
	bed_wait(&t.bed, 1, LEASE_IDLE);
	ck_assert_str_eq(stored(), t.first);
}
END_TEST

START_TEST(a_late_answer_of_the_boss_changes_nothing)
{
	bed_timer("dereg-bound=60ms");
	t.status = 0;
	bed_give(&t.bed, "k");
	reclaim();
	bed_wait(&t.bed, 1, LEASE_QUARANTINED);
	bed_settle(&t.bed, 30);
	ck_assert_int_eq(bed_state(&t.bed, 1), LEASE_QUARANTINED);
}
END_TEST

static Suite *passwd_suite(void)
{
	Suite *s = suite_create("platform_passwd");
	TCase *tc = tcase_create("password");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_lease_has_a_password_of_its_own);
	tcase_add_test(tc, it_is_not_idle_before_the_hss_has_the_password);
	tcase_add_test(tc,
		       a_boss_that_refuses_leads_to_quarantine_at_the_bound);
	tcase_add_test(tc,
		       a_restart_with_no_answer_yet_sends_the_same_password);
	tcase_add_test(tc, a_password_that_is_not_the_hss_s_is_replaced);
	tcase_add_test(
		tc, a_batch_that_is_older_does_not_bring_an_old_password_back);
	tcase_add_test(tc, what_an_operator_releases_gets_its_password_first);
	tcase_add_test(tc, a_late_answer_of_the_boss_changes_nothing);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(passwd_suite)
