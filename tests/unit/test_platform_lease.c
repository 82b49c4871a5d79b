/* A SIP-URI's life: lease states, deregistration (S413, S414), restart */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/element.h"
#include "common/fsm.h"
#include "common/https.h"
#include "common/loop.h"
#include "common/timer.h"
#include "common/trace.h"
#include "tests/fake/fake_platform_bed.h"
#include "tests/fake/fake_registrar.h"
#include "tests/suite.h"

static struct bed t;

static void setup(void)
{
	memset(&t, 0, sizeof(t));
	bed_timer("dereg-retry=10ms");
	bed_timer("dereg-bound=3600s");
	bed_start(&t);
	bed_platform(&t);
}

static void teardown(void)
{
	ck_assert_int_eq(t.bad_counts, 0);
	ck_assert_int_eq(t.secrets, 0);
	bed_stop(&t);
}

static void reclaim(int number)
{
	plat_lease_reclaim(bed_lease(&t, number));
}

/* S405 to S414 */
START_TEST(lease_goes_from_idle_to_idle)
{
	const struct fake_register *last = fake_registrar_last(t.registrar);

	bed_import(&t, 1, 2);
	ck_assert_int_eq(bed_give(&t, "k"), 1);
	ck_assert_int_eq(bed_state(&t, 1), LEASE_OCCUPIED);
	ck_assert_int_eq(t.plat->counts[LEASE_OCCUPIED], 1);
	reclaim(1);
	bed_wait(&t, 1, LEASE_RECLAIMING);
	ck_assert_int_eq(fake_registrar_count(t.registrar), 0);
	bed_wait(&t, 1, LEASE_IDLE);
	ck_assert_int_eq(fake_registrar_count(t.registrar), 1);
	ck_assert_str_eq(last->to, "sip:+861@ims.test");
	ck_assert_str_eq(last->contact, "*");
	ck_assert_str_eq(last->expires, "0");
	ck_assert_str_eq(last->username, "+861@ims.test");
	ck_assert_int_eq(t.states, 3);
}
END_TEST

START_TEST(deregistration_answers_the_challenge_with_the_password)
{
	fake_registrar_set_password(t.registrar, "pw1");
	bed_import(&t, 1, 1);
	bed_give(&t, "k");
	reclaim(1);
	bed_wait(&t, 1, LEASE_IDLE);
	ck_assert(fake_registrar_last(t.registrar)->is_authenticated);
}
END_TEST

/* TS 24.229 5.3.1.3: 403, for its holder never registered with it */
START_TEST(what_was_never_registered_is_registered_and_deregistered)
{
	const struct fake_register *last = fake_registrar_last(t.registrar);

	fake_registrar_set_strict(t.registrar);
	fake_registrar_set_password(t.registrar, "pw1");
	bed_import(&t, 1, 1);
	bed_give(&t, "k");
	reclaim(1);
	bed_wait(&t, 1, LEASE_IDLE);
	/* deregistration, registration, deregistration */
	ck_assert_int_eq(fake_registrar_count(t.registrar), 3);
	ck_assert_str_eq(last->contact, "*");
	ck_assert_str_eq(last->expires, "0");
	ck_assert(last->is_authenticated);
}
END_TEST

START_TEST(reclaimed_twice_is_deregistered_once)
{
	bed_import(&t, 1, 1);
	bed_give(&t, "k");
	reclaim(1);
	reclaim(1);
	bed_wait(&t, 1, LEASE_IDLE);
	reclaim(1);
	bed_settle(&t, 30);
	ck_assert_int_eq(fake_registrar_count(t.registrar), 1);
	ck_assert_int_eq(t.states, 3);
}
END_TEST

START_TEST(refused_deregistration_is_tried_again_until_it_is_taken)
{
	fake_registrar_set_status(t.registrar, 500);
	bed_import(&t, 1, 1);
	bed_give(&t, "k");
	reclaim(1);
	bed_settle(&t, 80);
	ck_assert_int_eq(bed_state(&t, 1), LEASE_RECLAIMING);
	/* 10, 20, 40 ms: the waits double */
	ck_assert_int_ge(fake_registrar_count(t.registrar), 1);
	ck_assert_int_le(fake_registrar_count(t.registrar), 4);
	ck_assert_int_eq(bed_give(&t, "other"), 0);
	fake_registrar_set_status(t.registrar, 200);
	bed_wait(&t, 1, LEASE_IDLE);
}
END_TEST

START_TEST(what_cannot_be_deregistered_is_quarantined)
{
	bed_timer("dereg-bound=60ms");
	fake_registrar_set_status(t.registrar, 403);
	bed_import(&t, 1, 1);
	bed_give(&t, "k");
	reclaim(1);
	bed_wait(&t, 1, LEASE_QUARANTINED);
	ck_assert_int_ge(fake_registrar_count(t.registrar), 2);
	ck_assert_int_eq(bed_give(&t, "other"), 0);
	ck_assert_int_eq(t.plat->counts[LEASE_QUARANTINED], 1);
}
END_TEST

START_TEST(registrar_that_keeps_silent_leads_to_quarantine_at_the_bound)
{
	bed_timer("dereg-bound=60ms");
	fake_registrar_set_status(t.registrar, FAKE_SILENT);
	bed_import(&t, 1, 1);
	bed_give(&t, "k");
	reclaim(1);
	bed_wait(&t, 1, LEASE_QUARANTINED);
	/* the late 200 is nobody's: an operator decides now */
	ck_assert_int_ge(fake_registrar_answer_kept(t.registrar, 200), 1);
	bed_settle(&t, 30);
	ck_assert_int_eq(bed_state(&t, 1), LEASE_QUARANTINED);
}
END_TEST

START_TEST(late_answer_within_the_bound_is_taken)
{
	fake_registrar_set_status(t.registrar, FAKE_SILENT);
	bed_import(&t, 1, 1);
	bed_give(&t, "k");
	reclaim(1);
	bed_settle(&t, 60);
	ck_assert_int_eq(bed_state(&t, 1), LEASE_RECLAIMING);
	ck_assert_int_ge(fake_registrar_answer_kept(t.registrar, 200), 1);
	bed_wait(&t, 1, LEASE_IDLE);
}
END_TEST

START_TEST(cool_down_comes_before_idle)
{
	bed_timer("cool-down=250ms");
	bed_import(&t, 1, 1);
	bed_give(&t, "k");
	reclaim(1);
	bed_wait(&t, 1, LEASE_COOLING);
	ck_assert_int_eq(bed_give(&t, "other"), 0);
	bed_wait(&t, 1, LEASE_IDLE);
	ck_assert_int_eq(bed_give(&t, "other"), 1);
}
END_TEST

START_TEST(lease_ends_at_its_limit)
{
	bed_timer("lease-limit=50ms");
	bed_import(&t, 1, 1);
	bed_give(&t, "k");
	bed_wait(&t, 1, LEASE_RECLAIMING);
	bed_wait(&t, 1, LEASE_IDLE);
	ck_assert_int_eq(bed_lease(&t, 1)->lease_id, 1);
}
END_TEST

/* nobody would ever find it again */
START_TEST(lease_without_a_key_whose_asker_is_gone_is_taken_back)
{
	bed_import(&t, 1, 1);
	plat_alloc(t.plat, NULL, NULL);
	bed_wait(&t, 1, LEASE_RECLAIMING);
	bed_wait(&t, 1, LEASE_IDLE);
}
END_TEST

START_TEST(restart_finds_the_occupied_and_its_limit)
{
	bed_timer("lease-limit=800ms");
	bed_import(&t, 1, 2);
	bed_give(&t, "k");
	bed_restart(&t);
	ck_assert_int_eq(bed_state(&t, 1), LEASE_OCCUPIED);
	ck_assert_int_eq(bed_state(&t, 2), LEASE_IDLE);
	ck_assert_int_eq(bed_lease(&t, 1)->lease_id, 1);
	/* the same key still finds it, and the next one is the next number */
	ck_assert_int_eq(bed_give(&t, "k"), 1);
	ck_assert_int_eq(bed_give(&t, "other"), 2);
	ck_assert_int_eq(bed_lease(&t, 2)->lease_id, 2);
	bed_wait(&t, 1, LEASE_RECLAIMING);
}
END_TEST

START_TEST(restart_goes_on_with_what_is_reclaiming)
{
	fake_registrar_set_status(t.registrar, 503);
	bed_import(&t, 1, 1);
	bed_give(&t, "k");
	reclaim(1);
	bed_wait(&t, 1, LEASE_RECLAIMING);
	bed_restart(&t);
	ck_assert_int_eq(bed_state(&t, 1), LEASE_RECLAIMING);
	fake_registrar_set_status(t.registrar, 200);
	bed_wait(&t, 1, LEASE_IDLE);
}
END_TEST

START_TEST(restart_finds_the_cooling_and_the_quarantined)
{
	bed_timer("cool-down=600ms");
	bed_import(&t, 1, 2);
	bed_give(&t, "k");
	reclaim(1);
	bed_wait(&t, 1, LEASE_COOLING);
	bed_timer("dereg-bound=20ms");
	fake_registrar_set_status(t.registrar, 403);
	bed_give(&t, "l");
	reclaim(2);
	bed_wait(&t, 2, LEASE_QUARANTINED);
	bed_restart(&t);
	ck_assert_int_eq(bed_state(&t, 1), LEASE_COOLING);
	ck_assert_int_eq(bed_state(&t, 2), LEASE_QUARANTINED);
	bed_wait(&t, 1, LEASE_IDLE);
	ck_assert_int_eq(bed_state(&t, 2), LEASE_QUARANTINED);
	ck_assert_int_eq(t.plat->counts[LEASE_IDLE], 1);
	ck_assert_int_eq(t.plat->counts[LEASE_QUARANTINED], 1);
}
END_TEST

/* What one step of the random walk does */
static void random_step(int step)
{
	static const int statuses[] = { 200, 200, 200, 500, FAKE_SILENT };
	int number = 1 + rand() % (int)t.plat->lease_n;
	char key[16];

	switch (rand() % 8) {
	case 0:
	case 1:
	case 2:
		snprintf(key, sizeof(key), "k%d", rand() % step);
		plat_alloc(t.plat, NULL, key);
		break;
	case 3:
	case 4:
		reclaim(number);
		break;
	case 5:
		fake_registrar_set_status(t.registrar, statuses[rand() % 5]);
		(void)fake_registrar_answer_kept(t.registrar, 200);
		break;
	case 6:
		if (step % 10 == 0)
			bed_import(&t, number, number + 2);
		else
			plat_alloc(t.plat, NULL, NULL);
		break;
	default:
		if (step % 16 == 0)
			bed_restart(&t);
		else
			bed_settle(&t, 2);
	}
}

static bool is_all_idle(const void *arg)
{
	const struct plat *plat = arg;

	return plat->counts[LEASE_IDLE] == plat->lease_n;
}

static void ignore(struct plat_job *job, int err, const struct store_rows *rows)
{
	struct plat_row row;

	if (!err && plat_row_get(&row, rows, 0) && row.is_done)
		plat_lease_follow(job->plat, &row);
}

static void all_home(void)
{
	for (int i = 1; i <= (int)t.plat->lease_n; i++) {
		reclaim(i);
		plat_pool_release(t.plat->store, bed_lease(&t, i)->uri,
				  LEASE_IDLE, plat_job_run,
				  plat_job_new(t.plat, NULL, ignore));
	}
}

/* I2 at every event, by bed; and I5: in the end all come back */
START_TEST(counts_add_up_over_a_random_walk)
{
	const char *given = getenv("SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10)
			      : (unsigned)time(NULL);

	printf("seed %u\n", seed);
	srand(seed);
	bed_timer("dereg-retry=1ms");
	bed_timer("dereg-bound=8ms");
	bed_timer("cool-down=2ms");
	bed_import(&t, 1, 5);
	/* on a busy machine less comes of each step */
	for (int step = 1; step <= 400 || (t.states <= 30 && step <= 40000);
	     step++) {
		random_step(step);
		if (step % 4 == 0)
			bed_settle(&t, 2);
		ck_assert_msg(!t.bad_counts, "seed %u, step %d", seed, step);
	}

	ck_assert_int_gt(t.states, 30);
	fake_registrar_set_status(t.registrar, 200);
	bed_timer("dereg-bound=3600s");
	/* what is under way may still meet the short bound */
	for (int round = 0; round < 100 && !is_all_idle(t.plat); round++) {
		bed_settle(&t, 30);
		all_home();
	}
	ck_assert_msg(is_all_idle(t.plat), "seed %u: not all are idle again",
		      seed);
}
END_TEST

static Suite *lease_suite(void)
{
	Suite *s = suite_create("platform_lease");
	TCase *tc = tcase_create("states");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, lease_goes_from_idle_to_idle);
	tcase_add_test(tc, reclaimed_twice_is_deregistered_once);
	tcase_add_test(tc, cool_down_comes_before_idle);
	tcase_add_test(tc, lease_ends_at_its_limit);
	tcase_add_test(tc,
		       lease_without_a_key_whose_asker_is_gone_is_taken_back);
	suite_add_tcase(s, tc);

	tc = tcase_create("deregistration");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
		       deregistration_answers_the_challenge_with_the_password);
	tcase_add_test(tc,
		       refused_deregistration_is_tried_again_until_it_is_taken);
	tcase_add_test(
		tc, what_was_never_registered_is_registered_and_deregistered);
	tcase_add_test(tc, what_cannot_be_deregistered_is_quarantined);
	tcase_add_test(
		tc,
		registrar_that_keeps_silent_leads_to_quarantine_at_the_bound);
	tcase_add_test(tc, late_answer_within_the_bound_is_taken);
	suite_add_tcase(s, tc);

	tc = tcase_create("restart");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, restart_finds_the_occupied_and_its_limit);
	tcase_add_test(tc, restart_goes_on_with_what_is_reclaiming);
	tcase_add_test(tc, restart_finds_the_cooling_and_the_quarantined);
	suite_add_tcase(s, tc);

	tc = tcase_create("property");
	tcase_set_timeout(tc, 20);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, counts_add_up_over_a_random_walk);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(lease_suite)
