/* Two platforms on one pool: what one does the other finds, and a platform
 * that is gone leaves nothing behind */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/loop.h"
#include "tests/fake/fake_pg.h"
#include "tests/fake/fake_platform_bed.h"
#include "tests/fake/fake_registrar.h"
#include "tests/suite.h"

static struct bed a, b;
static struct fake_pg *server; /* of the process that runs the tests */

static void start_server(void)
{
	server = fake_pg_start();
}

static void stop_server(void)
{
	server = fake_pg_stop(server);
}

static void setup(void)
{
	fake_pg_empty(server);
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	bed_timer("dereg-retry=10ms");
	bed_timer("dereg-bound=3600s");
	bed_timer("take-over=30ms");
	bed_start(&a);
	snprintf(a.store, sizeof(a.store), "%s", fake_pg_uri(server));
	bed_platform(&a);
	b.loop = a.loop;
	b.policy = a.policy;
	b.registrar = a.registrar;
	snprintf(b.store, sizeof(b.store), "%s", a.store);
	snprintf(b.dir, sizeof(b.dir), "%s", a.dir);
	bed_platform(&b);
}

static void teardown(void)
{
	ck_assert_int_eq(a.bad_counts + b.bad_counts, 0);
	ck_assert_int_eq(a.secrets + b.secrets, 0);
	b.plat = plat_free(b.plat);
	b.el = element_free(b.el);
	bed_stop(&a);
}

/* What the pool says, whoever did it */
static bool is_stored(const void *state)
{
	char sql[128];

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM account WHERE state <> '%s'",
		 (const char *)state);

	return fake_pg_get(server, sql) == 0;
}

static void wait_stored(const char *state)
{
	ck_assert_msg(loop_run_until(a.loop, is_stored, state, PATIENCE_MS),
		      "not all are %s", state);
}

/* B learns what A has imported when it meets it, or reads the pool */
static void import(int n)
{
	bed_import(&a, 1, n);
	plat_share_learn(b.plat);
	bed_settle(&b, 20);
	ck_assert_int_eq(b.plat->lease_n, n);
}

START_TEST(round_robin_goes_on_over_both)
{
	import(4);
	ck_assert_int_eq(bed_give(&a, "k1"), 1);
	ck_assert_int_eq(bed_give(&b, "k2"), 2);
	ck_assert_int_eq(bed_give(&b, "k3"), 3);
	ck_assert_int_eq(bed_give(&a, "k4"), 4);
	ck_assert_int_eq(bed_give(&a, "k5"), 0);
	ck_assert_int_eq(bed_give(&b, "k6"), 0);
	ck_assert_int_eq(a.plat->counts[LEASE_OCCUPIED], 2);
}
END_TEST

START_TEST(repeat_at_the_other_platform_finds_the_same_lease)
{
	import(3);
	ck_assert_int_eq(bed_give(&a, "k"), 1);
	ck_assert_int_eq(bed_give(&b, "k"), 1);
	ck_assert_int_eq(bed_state(&b, 1), LEASE_OCCUPIED);
	ck_assert_int_eq(bed_give(&b, "other"), 2);
}
END_TEST

/* Both messages are under way at once: one of them meets the other's key */
START_TEST(same_key_at_both_at_once_gives_one_lease)
{
	char key[16];

	import(40);
	for (int i = 0; i < 40; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		plat_alloc(a.plat, NULL, key);
		plat_alloc(b.plat, NULL, key);
	}
	wait_stored("occupied");
	ck_assert_int_eq(fake_pg_get(server, "SELECT count(DISTINCT key)"
					     " FROM account"),
			 40);
}
END_TEST

START_TEST(lease_of_one_is_reclaimed_at_the_other)
{
	import(1);
	ck_assert_int_eq(bed_give(&a, "k"), 1);
	/* B meets it by a repeat, and is asked to end it */
	ck_assert_int_eq(bed_give(&b, "k"), 1);
	plat_lease_reclaim(bed_lease(&b, 1));
	wait_stored("idle");
	ck_assert_int_eq(fake_registrar_count(a.registrar), 1);
	/* A's memory is behind, and its store is not */
	ck_assert_int_eq(bed_state(&a, 1), LEASE_OCCUPIED);
	ck_assert_int_eq(bed_give(&a, "l"), 1);
	ck_assert_int_eq(bed_lease(&a, 1)->lease_id, 2);
	plat_lease_reclaim(bed_lease(&a, 1));
	bed_wait(&a, 1, LEASE_IDLE);
}
END_TEST

START_TEST(limit_of_a_lease_that_another_has_ended_ends_nothing)
{
	bed_timer("lease-limit=2s");
	import(1);
	bed_give(&a, "k");
	bed_give(&b, "k");
	plat_lease_reclaim(bed_lease(&b, 1));
	wait_stored("idle");
	bed_timer("lease-limit=30s");
	ck_assert_int_eq(bed_give(&b, "l"), 1);
	bed_settle(&a, 2200);
	ck_assert_int_eq(bed_state(&a, 1), LEASE_OCCUPIED);
	ck_assert_int_eq(bed_lease(&a, 1)->lease_id, 2);
	ck_assert(is_stored("occupied"));
}
END_TEST

START_TEST(what_the_other_imported_is_given_and_reclaimed)
{
	bed_import(&a, 1, 3);
	ck_assert_int_eq(b.plat->lease_n, 0);
	ck_assert_int_eq(bed_give(&b, "k"), 1);
	bed_settle(&b, 30);
	ck_assert_int_eq(b.plat->lease_n, 3);
	ck_assert_int_eq(bed_state(&b, 1), LEASE_OCCUPIED);
	plat_lease_reclaim(bed_lease(&b, 1));
	bed_wait(&b, 1, LEASE_IDLE);
}
END_TEST

START_TEST(batches_at_both_are_one_pool)
{
	bed_import(&a, 1, 3);
	bed_import(&b, 2, 5);
	ck_assert_int_eq(b.plat->lease_n, 5);
	ck_assert_int_eq(fake_pg_get(server, "SELECT max(number) FROM account"),
			 5);
	bed_import(&a, 5, 6);
	ck_assert_int_eq(a.plat->lease_n, 6);
	ck_assert_str_eq(bed_lease(&a, 4)->uri, "sip:+864@ims.test");
}
END_TEST

static void end_a(void)
{
	a.plat = plat_free(a.plat);
	a.el = element_free(a.el);
}

START_TEST(reclaiming_of_one_that_is_gone_is_seen_through)
{
	fake_registrar_set_status(a.registrar, 503);
	import(2);
	bed_give(&a, "k");
	plat_lease_reclaim(bed_lease(&a, 1));
	bed_wait(&a, 1, LEASE_RECLAIMING);
	end_a();
	fake_registrar_set_status(b.registrar, 200);
	bed_wait(&b, 1, LEASE_IDLE);
	wait_stored("idle");
}
END_TEST

START_TEST(limit_of_a_lease_whose_platform_is_gone_holds)
{
	bed_timer("lease-limit=500ms");
	import(2);
	bed_give(&a, "k");
	end_a();
	bed_wait(&b, 1, LEASE_OCCUPIED);
	wait_stored("idle");
	ck_assert_int_eq(fake_registrar_count(b.registrar), 1);
}
END_TEST

START_TEST(cool_down_of_one_that_is_gone_ends)
{
	bed_timer("cool-down=300ms");
	import(1);
	bed_give(&a, "k");
	plat_lease_reclaim(bed_lease(&a, 1));
	bed_wait(&a, 1, LEASE_COOLING);
	end_a();
	bed_wait(&b, 1, LEASE_COOLING);
	wait_stored("idle");
}
END_TEST

START_TEST(what_is_seen_through_by_one_is_left_alone_by_the_other)
{
	fake_registrar_set_status(a.registrar, FAKE_SILENT);
	import(1);
	bed_give(&a, "k");
	plat_lease_reclaim(bed_lease(&a, 1));
	bed_settle(&a, 200);
	ck_assert_int_eq(fake_registrar_count(a.registrar), 1);
	ck_assert_ptr_null(bed_lease(&b, 1)->dereg);
	fake_registrar_set_status(a.registrar, 200);
	(void)fake_registrar_answer_kept(a.registrar, 200);
	bed_wait(&a, 1, LEASE_IDLE);
}
END_TEST

START_TEST(restarted_platform_takes_up_what_it_left)
{
	fake_registrar_set_status(a.registrar, 503);
	import(2);
	bed_give(&a, "k");
	plat_lease_reclaim(bed_lease(&a, 1));
	bed_give(&a, "l");
	b.plat = plat_free(b.plat);
	b.el = element_free(b.el);
	bed_restart(&a);
	ck_assert_int_eq(bed_state(&a, 1), LEASE_RECLAIMING);
	ck_assert_int_eq(bed_state(&a, 2), LEASE_OCCUPIED);
	fake_registrar_set_status(a.registrar, 200);
	bed_wait(&a, 1, LEASE_IDLE);
	bed_platform(&b);
}
END_TEST

/* Its bound is over while the store is away: that is not the IMS's fault */
START_TEST(outage_of_the_store_quarantines_nothing)
{
	fake_registrar_set_status(a.registrar, 503);
	import(1);
	bed_give(&a, "k");
	plat_lease_reclaim(bed_lease(&a, 1));
	bed_wait(&a, 1, LEASE_RECLAIMING);
	fake_pg_crash(server);
	clock_take_over();
	clock_advance_us(3601 * 1000000LL);
	clock_give_back();
	bed_settle(&a, 100);
	fake_registrar_set_status(a.registrar, 200);
	fake_pg_restart(server);
	wait_stored("idle");
}
END_TEST

static const char kill_sessions[] =
	"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
	" WHERE application_name LIKE 'sipshare%'";

/* Whether each change was made or not, in the end memory and store agree */
static bool both_know_idle(const void *arg)
{
	(void)arg;

	return a.plat->counts[LEASE_IDLE] == 20 &&
	       b.plat->counts[LEASE_IDLE] == 20;
}

START_TEST(lost_connections_lose_no_sip_uri)
{
	char key[16];

	import(20);
	for (int round = 0; round < 6; round++) {
		for (int i = 1; i <= 20; i++) {
			snprintf(key, sizeof(key), "r%d-%d", round, i);
			plat_alloc(i % 2 ? a.plat : b.plat, NULL, key);
		}
		bed_settle(&a, round);
		(void)fake_pg_get(server, kill_sessions);
		bed_settle(&a, 120);
		for (int i = 1; i <= 20; i++) {
			plat_lease_reclaim(bed_lease(&a, i));
			plat_lease_reclaim(bed_lease(&b, i));
		}
		bed_settle(&a, round);
		(void)fake_pg_get(server, kill_sessions);
		bed_settle(&a, 120);
	}
	for (int i = 1; i <= 20; i++) {
		plat_lease_reclaim(bed_lease(&a, i));
		plat_lease_reclaim(bed_lease(&b, i));
	}
	wait_stored("idle");
	bed_settle(&a, 60);
	a.plat->is_unsure = true; /* read it all */
	b.plat->is_unsure = true;
	ck_assert_msg(loop_run_until(a.loop, both_know_idle, NULL, PATIENCE_MS),
		      "of 20 idle ones A knows %d, B %d",
		      (int)a.plat->counts[LEASE_IDLE],
		      (int)b.plat->counts[LEASE_IDLE]);
}
END_TEST

static Suite *share_suite(void)
{
	Suite *s = suite_create("platform_share");
	TCase *tc = tcase_create("two platforms");

	tcase_add_unchecked_fixture(tc, start_server, stop_server);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, round_robin_goes_on_over_both);
	tcase_add_test(tc, repeat_at_the_other_platform_finds_the_same_lease);
	tcase_add_test(tc, same_key_at_both_at_once_gives_one_lease);
	tcase_add_test(tc, lease_of_one_is_reclaimed_at_the_other);
	tcase_add_test(tc,
		       limit_of_a_lease_that_another_has_ended_ends_nothing);
	tcase_add_test(tc, what_the_other_imported_is_given_and_reclaimed);
	tcase_add_test(tc, batches_at_both_are_one_pool);
	tcase_add_test(tc, reclaiming_of_one_that_is_gone_is_seen_through);
	tcase_add_test(tc, limit_of_a_lease_whose_platform_is_gone_holds);
	tcase_add_test(tc, cool_down_of_one_that_is_gone_ends);
	tcase_add_test(tc,
		       what_is_seen_through_by_one_is_left_alone_by_the_other);
	tcase_add_test(tc, restarted_platform_takes_up_what_it_left);
	tcase_add_test(tc, lost_connections_lose_no_sip_uri);
	suite_add_tcase(s, tc);

	/* a server that the test itself starts again */
	tc = tcase_create("outage");
	tcase_add_checked_fixture(tc, start_server, stop_server);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, outage_of_the_store_quarantines_nothing);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(share_suite)
