/* The pool on disk, in each of its databases: both policies [0082] [0083],
 * keys, lease ids, batches */
#include "platform/platform_pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "common/mem.h"
#include "tests/fake/fake_pg.h"
#include "tests/suite.h"

/** The first row of an answer, kept */
struct answer {
	bool is_here, has_row;
	int err;
	struct plat_row row;
	char uri[64], holder[64], password[32];
	int row_n;
};

static struct {
	struct loop *loop;
	struct store *store;
	struct answer last;
} t;

/* Started once, by the process that runs the tests */
static struct fake_pg *server;

static void open_pool(const char *where)
{
	char *reason = NULL;
	int err;

	t.loop = loop_new();
	err = plat_pool_open(&t.store, t.loop, where, &reason);
	ck_assert_msg(!err, "%s", reason ? reason : "no reason");
}

static void setup(void)
{
	open_pool("memory");
}

static void start_server(void)
{
	server = fake_pg_start();
}

static void stop_server(void)
{
	server = fake_pg_stop(server);
}

static void setup_pg(void)
{
	fake_pg_empty(server);
	open_pool(fake_pg_uri(server));
}

static void teardown(void)
{
	store_close(t.store);
	loop_free(t.loop);
}

static void on_answer(int err, const struct store_rows *rows, void *arg)
{
	struct answer *a = arg;

	memset(a, 0, sizeof(*a));
	a->is_here = true;
	a->err = err;
	a->row_n = store_row_count(rows);
	a->has_row = plat_row_get(&a->row, rows, 0);
	if (!a->has_row)
		return;
	snprintf(a->uri, sizeof(a->uri), "%s", a->row.uri);
	snprintf(a->password, sizeof(a->password), "%s", a->row.password);
	snprintf(a->holder, sizeof(a->holder), "%s",
		 a->row.holder ? a->row.holder : "");
}

static bool is_here(const void *arg)
{
	return ((const struct answer *)arg)->is_here;
}

static const struct answer *wait_answer(void)
{
	ck_assert(loop_run_until(t.loop, is_here, &t.last, PATIENCE_MS));
	ck_assert_int_eq(t.last.err, 0);
	t.last.is_here = false;

	return &t.last;
}

/* SIP-URIs of these numbers, with this password */
static int import(int first, int last, const char *password)
{
	json_t *accounts = json_array();
	char uri[64];

	for (int i = first; i <= last; i++) {
		snprintf(uri, sizeof(uri), "sip:+86%d@ims.test", i);
		json_array_append_new(accounts,
				      json_pack("{s:s,s:s,s:s,s:s}", "uri", uri,
						"impi", uri + 4, "password",
						password, "realm", "ims.test"));
	}
	plat_pool_import(t.store, accounts, on_answer, &t.last);
	json_decref(accounts);

	return wait_answer()->row_n;
}

/* The number of the SIP-URI given, 0 if none was idle */
static int give(const char *policy, const char *key)
{
	plat_pool_give(t.store, plat_policy_find(policy), key, on_answer,
		       &t.last);
	wait_answer();

	return t.last.has_row ? (int)t.last.row.number : 0;
}

/* The whole way back: reclaiming, then idle */
static void take_back(int number, int64_t lease_id)
{
	struct plat_move m = { number, lease_id, LEASE_RECLAIMING, LEASE_IDLE };
	char uri[64];

	snprintf(uri, sizeof(uri), "sip:+86%d@ims.test", number);
	plat_pool_reclaim(t.store, uri, lease_id, on_answer, &t.last);
	ck_assert(wait_answer()->row.is_done);
	plat_pool_move(t.store, &m, on_answer, &t.last);
	ck_assert(wait_answer()->row.is_done);
}

START_TEST(round_robin_starts_after_the_last_one_given)
{
	import(1, 4, "p");
	ck_assert_int_eq(give("round-robin", NULL), 1);
	take_back(1, 1);
	/* 1 is idle again, but 2 comes after the last */
	ck_assert_int_eq(give("round-robin", NULL), 2);
	ck_assert_int_eq(give("round-robin", NULL), 3);
	take_back(2, 2);
	ck_assert_int_eq(give("round-robin", NULL), 4);
	ck_assert_int_eq(give("round-robin", NULL), 1);
}
END_TEST

START_TEST(round_robin_wraps_and_passes_over_the_occupied)
{
	import(1, 4, "p");
	for (int i = 1; i <= 4; i++)
		ck_assert_int_eq(give("round-robin", NULL), i);
	take_back(3, 3);
	take_back(2, 2);
	ck_assert_int_eq(give("round-robin", NULL), 2);
	ck_assert_int_eq(give("round-robin", NULL), 3);
	ck_assert_int_eq(give("round-robin", NULL), 0);
}
END_TEST

START_TEST(round_robin_of_one_gives_it_again)
{
	import(1, 1, "p");
	ck_assert_int_eq(give("round-robin", NULL), 1);
	ck_assert_int_eq(give("round-robin", NULL), 0);
	take_back(1, 1);
	ck_assert_int_eq(give("round-robin", NULL), 1);
}
END_TEST

START_TEST(idle_queue_gives_the_one_idle_longest)
{
	import(1, 3, "p");
	for (int i = 1; i <= 3; i++)
		ck_assert_int_eq(give("idle-queue", NULL), i);
	take_back(3, 3);
	take_back(1, 1);
	import(4, 4, "p");
	take_back(2, 2);
	ck_assert_int_eq(give("idle-queue", NULL), 3);
	ck_assert_int_eq(give("idle-queue", NULL), 1);
	ck_assert_int_eq(give("idle-queue", NULL), 4);
	ck_assert_int_eq(give("idle-queue", NULL), 2);
	ck_assert_int_eq(give("idle-queue", NULL), 0);
}
END_TEST

START_TEST(empty_pool_gives_nothing)
{
	ck_assert_int_eq(give("round-robin", NULL), 0);
	ck_assert_int_eq(give("idle-queue", "k"), 0);
}
END_TEST

START_TEST(reclaiming_cooling_and_quarantined_are_not_given)
{
	struct plat_move m = { 1, 1, LEASE_RECLAIMING, LEASE_COOLING };

	import(1, 1, "p");
	give("idle-queue", NULL);
	plat_pool_reclaim(t.store, "sip:+861@ims.test", 1, on_answer, &t.last);
	wait_answer();
	ck_assert_int_eq(give("idle-queue", NULL), 0);
	plat_pool_move(t.store, &m, on_answer, &t.last);
	wait_answer();
	ck_assert_int_eq(give("round-robin", NULL), 0);
	m.from = LEASE_COOLING;
	m.to = LEASE_QUARANTINED;
	plat_pool_move(t.store, &m, on_answer, &t.last);
	wait_answer();
	ck_assert_int_eq(give("round-robin", NULL), 0);
	plat_pool_release(t.store, "sip:+861@ims.test", LEASE_IDLE, on_answer,
			  &t.last);
	ck_assert(wait_answer()->row.is_done);
	ck_assert_int_eq(give("round-robin", NULL), 1);
}
END_TEST

START_TEST(same_key_gives_the_same_lease_while_it_lasts)
{
	import(1, 3, "p");
	ck_assert_int_eq(give("round-robin", "k"), 1);
	ck_assert(t.last.row.is_done);
	ck_assert_int_eq(give("round-robin", "k"), 1);
	ck_assert(!t.last.row.is_done);
	ck_assert_int_eq(t.last.row.lease_id, 1);
	ck_assert_int_eq(give("round-robin", "other"), 2);
	take_back(1, 1);
	ck_assert_int_eq(give("round-robin", "k"), 3);
	ck_assert_int_eq(t.last.row.lease_id, 3);
}
END_TEST

START_TEST(lease_ids_only_grow)
{
	import(1, 2, "p");
	for (int64_t id = 1; id < 20; id++) {
		int number = give(id % 2 ? "round-robin" : "idle-queue", NULL);

		ck_assert_int_eq(t.last.row.lease_id, id);
		take_back(number, id);
	}
}
END_TEST

START_TEST(known_account_keeps_its_lease_and_takes_the_new_password)
{
	ck_assert_int_eq(import(1, 3, "old"), 3);
	give("round-robin", NULL);
	ck_assert_int_eq(import(1, 4, "new"), 4);
	plat_pool_get(t.store, 1, on_answer, &t.last);
	wait_answer();
	ck_assert_int_eq(t.last.row.state, LEASE_OCCUPIED);
	ck_assert_int_eq(t.last.row.lease_id, 1);
	ck_assert_str_eq(t.last.password, "new");
	plat_pool_get(t.store, 4, on_answer, &t.last);
	ck_assert_str_eq(wait_answer()->uri, "sip:+864@ims.test");
}
END_TEST

START_TEST(reclaim_tells_an_older_and_another_lease_apart)
{
	import(1, 2, "p");
	give("round-robin", NULL);
	give("round-robin", NULL);
	take_back(1, 1);
	/* 1 is over, and a repeat finds that */
	plat_pool_reclaim(t.store, "sip:+861@ims.test", 1, on_answer, &t.last);
	wait_answer();
	ck_assert(!t.last.row.is_done);
	ck_assert_int_eq(t.last.row.lease_id, 1);
	/* 2 is another's */
	plat_pool_reclaim(t.store, "sip:+861@ims.test", 2, on_answer, &t.last);
	wait_answer();
	ck_assert(!t.last.row.is_done);
	ck_assert_str_eq(t.last.holder, "sip:+862@ims.test");
	/* not in the pool */
	plat_pool_reclaim(t.store, "sip:nobody@ims.test", 2, on_answer,
			  &t.last);
	ck_assert(!wait_answer()->has_row);
}
END_TEST

START_TEST(move_of_an_older_lease_changes_nothing)
{
	struct plat_move old = { 1, 1, LEASE_RECLAIMING, LEASE_IDLE };

	import(1, 1, "p");
	give("round-robin", NULL);
	take_back(1, 1);
	give("round-robin", NULL);
	plat_pool_reclaim(t.store, "sip:+861@ims.test", 2, on_answer, &t.last);
	wait_answer();
	plat_pool_move(t.store, &old, on_answer, &t.last);
	ck_assert(!wait_answer()->has_row);
}
END_TEST

/* A batch that is given again with more in it: numbers have no gap */
START_TEST(batch_numbers_what_is_new_without_a_gap)
{
	import(1, 2, "p");
	import(4, 5, "p");
	import(1, 6, "p");
	for (int i = 1; i <= 6; i++)
		ck_assert_int_eq(give("round-robin", NULL), i);
	ck_assert_str_eq(t.last.uri, "sip:+866@ims.test");
}
END_TEST

START_TEST(unknown_policy_is_not_found)
{
	ck_assert_ptr_null(plat_policy_find("random"));
}
END_TEST

static TCase *both(const char *name, void (*fixture)(void))
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, fixture, teardown);
	tcase_add_test(tc, round_robin_starts_after_the_last_one_given);
	tcase_add_test(tc, round_robin_wraps_and_passes_over_the_occupied);
	tcase_add_test(tc, round_robin_of_one_gives_it_again);
	tcase_add_test(tc, idle_queue_gives_the_one_idle_longest);
	tcase_add_test(tc, empty_pool_gives_nothing);
	tcase_add_test(tc, reclaiming_cooling_and_quarantined_are_not_given);
	tcase_add_test(tc, unknown_policy_is_not_found);
	tcase_add_test(tc, batch_numbers_what_is_new_without_a_gap);
	tcase_add_test(tc, same_key_gives_the_same_lease_while_it_lasts);
	tcase_add_test(tc, lease_ids_only_grow);
	tcase_add_test(
		tc, known_account_keeps_its_lease_and_takes_the_new_password);
	tcase_add_test(tc, reclaim_tells_an_older_and_another_lease_apart);
	tcase_add_test(tc, move_of_an_older_lease_changes_nothing);

	return tc;
}

static Suite *pool_suite(void)
{
	Suite *s = suite_create("platform_pool");
	TCase *tc = both("postgresql", setup_pg);

	suite_add_tcase(s, both("sqlite", setup));
	tcase_add_unchecked_fixture(tc, start_server, stop_server);
	tcase_set_timeout(tc, 20);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(pool_suite)
