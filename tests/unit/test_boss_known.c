/* What the BOSS remembers, and how it carries on what was interrupted: its end,
 * or the HSS's, at each point of opening and giving on (CN103516675A [0076]) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "boss/boss_core.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/store.h"
#include "ims_core/hss/hss.h"
#include "tests/fake/boss_bed.h"
#include "tests/suite.h"

#define FIRST "sip:+1@ims.test"

static const struct boss_account *own(const char *uri)
{
	return boss_known_find(boss_bed.boss, uri);
}

static void expect_status(const char *uri, const char *status)
{
	ck_assert_msg(boss_account_is(own(uri), status), "%s is %s", uri,
		      own(uri) ? own(uri)->status : "unknown");
}

static bool has_happened(const void *name)
{
	return hss_bed_count(&boss_bed.bed, name) > 0;
}

/* The BOSS ends when the HSS has done what the event says, before it has heard
 * of it, and starts again */
static void die_at(const char *event)
{
	ck_assert(loop_run_until(boss_bed.bed.loop, has_happened, event,
				 PATIENCE_MS));
	boss_bed_start();
}

static void begin_range(const char *first, const char *last)
{
	boss_bed_begin("open_accounts",
		       json_pack("{s:s, s:s, s:s}", "first", first, "last",
				 last, "rule", "sip:{number}@ims.test"));
}

static void stop_hss(void)
{
	boss_bed.bed.hss = hss_free(boss_bed.bed.hss);
}

/* The HSS is at another port then */
static void start_hss(void)
{
	hss_bed_restart(&boss_bed.bed);
	boss_bed_start();
}

static void sync_count(int n)
{
	boss_bed_sync("message");
	ck_assert_int_eq(boss_bed_number("count"), n);
}

static const char *sent_password(size_t i)
{
	return json_string_value(json_object_get(
		json_array_get(boss_bed.pool_seen, i), "password"));
}

/* --- opening --- */

START_TEST(an_account_has_a_password_on_disk_before_the_hss_is_asked)
{
	char *kept;

	stop_hss();
	begin_range("+1", "+3");
	hss_bed_wait(&boss_bed.bed, &boss_bed.answers, 1);
	boss_bed_expect_error("OpenAccountsByRange: https://127.0.0.1:");
	expect_status(FIRST, BOSS_OPENING);
	kept = xstrdup(own(FIRST)->password);
	ck_assert_uint_eq(strlen(kept), 24);

	boss_bed_start();
	ck_assert(!loop_run_until(boss_bed.bed.loop, has_happened, "none", 1));
	ck_assert_uint_eq(boss_bed.boss->pool.n, 3);
	ck_assert_str_eq(own(FIRST)->password, kept);
	free(kept);
}
END_TEST

START_TEST(a_range_whose_answer_was_lost_is_carried_on_by_the_sync)
{
	begin_range("+1", "+2");
	die_at("hss.account-opened");
	sync_count(2);
	/* the HSS's own passwords are lost: it has got ours */
	ck_assert_uint_eq(hss_bed_count(&boss_bed.bed, "hss.password-changed"),
			  2);
	ck_assert_uint_eq(strlen(sent_password(0)), 24);
	expect_status(FIRST, BOSS_GIVEN);
}
END_TEST

START_TEST(opening_again_what_was_interrupted_opens_it)
{
	begin_range("+1", "+2");
	die_at("hss.account-opened");
	boss_bed_open_range("+1", "+4");
	ck_assert_int_eq(boss_bed_number("opened"), 4);
	ck_assert_uint_eq(hss_bed_count(&boss_bed.bed, "hss.password-changed"),
			  2);
	boss_bed_open_range("+1", "+4");
	ck_assert_int_eq(boss_bed_number("opened"), 0);
	sync_count(4);
}
END_TEST

START_TEST(a_list_that_was_interrupted_keeps_the_passwords_of_the_file)
{
	json_t *file = json_pack("{s:s}", "file", boss_bed.batch);

	boss_bed_write_batch("+1 sip:+1@ims.test s3cret\n"
			     "+2 sip:+2@ims.test\n");
	boss_bed_begin("open_accounts", json_incref(file));
	die_at("hss.account-opened");
	boss_bed_command("open_accounts", file);
	ck_assert_int_eq(boss_bed_number("opened"), 2);
	ck_assert_str_eq(own(FIRST)->password, "s3cret");
	sync_count(2);
}
END_TEST

START_TEST(interrupted_again_while_it_is_carried_on_it_goes_on)
{
	begin_range("+1", "+3");
	die_at("hss.account-opened");
	boss_bed_begin("sync", json_pack("{s:s}", "by", "message"));
	die_at("hss.password-changed");
	sync_count(3);
	ck_assert_str_eq(own(FIRST)->status, BOSS_GIVEN);
}
END_TEST

START_TEST(a_sync_without_the_hss_is_told_what_is_missing_and_gives_nothing)
{
	boss_bed_open_range("+1", "+1");
	begin_range("+2", "+3");
	stop_hss();
	hss_bed_wait(&boss_bed.bed, &boss_bed.answers, 1);
	boss_bed_sync("message");
	boss_bed_expect_error("accounts whose opening was interrupted: ");
	boss_bed_sync("file");
	boss_bed_expect_error("OpenAccountsByList");
	ck_assert_int_eq(boss_bed.puts, 0);
	start_hss();
	sync_count(3);
}
END_TEST

/* A Fault says that nothing was done */
START_TEST(what_the_hss_refuses_is_not_remembered)
{
	boss_bed_command("open_accounts",
			 json_pack("{s:s, s:s, s:s}", "first", "+1", "last",
				   "+2", "rule", "sip:{number}@other.test"));
	boss_bed_expect_error("OpenAccountsByRange refused by ");
	ck_assert_uint_eq(boss_bed.boss->pool.n, 0);
	boss_bed_start();
	sync_count(0);
}
END_TEST

START_TEST(what_others_opened_is_left_alone)
{
	hss_bed_open(&boss_bed.bed, "+1", "+1", "theirs");
	boss_bed_open_range("+1", "+2");
	ck_assert_int_eq(boss_bed_number("opened"), 1);
	ck_assert_str_eq(boss_bed_status(0), "exists");
	ck_assert_ptr_null(own(FIRST));
	sync_count(1);
	ck_assert_uint_eq(hss_bed_count(&boss_bed.bed, "hss.password-changed"),
			  0);
}
END_TEST

START_TEST(what_is_not_to_be_lent_is_not_remembered)
{
	boss_bed_write_batch("+1 sip:+1@ims.test s3cret\n");
	boss_bed_command("open_accounts", json_pack("{s:s, s:b}", "file",
						    boss_bed.batch, "lend", 0));
	ck_assert_int_eq(boss_bed_number("opened"), 1);
	boss_bed_start();
	sync_count(0);
	ck_assert_ptr_null(own(FIRST));
}
END_TEST

/* The number is another account's: there is none of that SIP-URI to change */
START_TEST(what_cannot_be_opened_when_it_is_carried_on_is_forgotten)
{
	hss_bed_open(&boss_bed.bed, "carol", "+2", "hers");
	stop_hss();
	begin_range("+1", "+2");
	hss_bed_wait(&boss_bed.bed, &boss_bed.answers, 1);
	start_hss();
	sync_count(1);
	expect_status(FIRST, BOSS_GIVEN);
	ck_assert_ptr_null(own("sip:+2@ims.test"));
}
END_TEST

START_TEST(commands_are_done_one_after_the_other)
{
	begin_range("+1", "+2");
	begin_range("+1", "+3");
	boss_bed_begin("sync", json_pack("{s:s}", "by", "message"));
	hss_bed_wait(&boss_bed.bed, &boss_bed.answers, 3);
	ck_assert_int_eq(boss_bed_number("count"), 3);
	ck_assert_uint_eq(hss_bed_count(&boss_bed.bed, "hss.password-changed"),
			  0);
}
END_TEST

/* --- giving on --- */

START_TEST(what_was_opened_is_given_after_a_restart)
{
	boss_bed_open_range("+1", "+2");
	boss_bed_start();
	sync_count(2);
	ck_assert_uint_eq(strlen(sent_password(1)), 24);
}
END_TEST

START_TEST(a_password_is_forgotten_when_the_platform_has_confirmed_it)
{
	boss_bed_open_range("+1", "+2");
	boss_bed_sync("file"); /* which nobody confirms */
	expect_status(FIRST, BOSS_OPENED);
	boss_bed.put_status = 503;
	boss_bed_sync("message");
	boss_bed_expect_error("the pool is closed");
	ck_assert_ptr_nonnull(own(FIRST)->password);

	boss_bed.put_status = 200;
	sync_count(2);
	ck_assert_ptr_null(own(FIRST)->password);
	sync_count(0);
	boss_bed_start();
	sync_count(0);
	expect_status(FIRST, BOSS_GIVEN);
	ck_assert_ptr_null(own(FIRST)->password);
	boss_bed_open_range("+1", "+2");
	ck_assert_str_eq(boss_bed_status(0), "exists");

	/* it stays in the file all the same */
	boss_bed_sync("file");
	ck_assert_int_eq(boss_bed_number("count"), 2);
}
END_TEST

/* --- one account --- */

START_TEST(what_is_to_be_closed_is_not_given_whatever_the_hss_says)
{
	boss_bed_open_range("+1", "+2");
	stop_hss();
	boss_bed_command("close_account", json_pack("{s:s}", "uri", FIRST));
	boss_bed_expect_error("CloseAccount: https://127.0.0.1:");
	start_hss();
	sync_count(1);
	boss_bed_command("close_account", json_pack("{s:s}", "uri", FIRST));
	ck_assert_str_eq(boss_bed_status(0), "closed");
	ck_assert_str_eq(hss_bed_user(&boss_bed.bed, FIRST), "");
	boss_bed_open_range("+1", "+1");
	ck_assert_int_eq(boss_bed_number("opened"), 1);
	sync_count(1);
}
END_TEST

START_TEST(a_new_password_that_was_interrupted_is_carried_on)
{
	boss_bed_open_range("+1", "+1");
	sync_count(1);
	boss_bed_begin("change_password", json_pack("{s:s, s:s}", "uri", FIRST,
						    "password", "n3w"));
	die_at("hss.password-changed");
	sync_count(1);
	ck_assert_str_eq(sent_password(1), "n3w");
	ck_assert_uint_eq(hss_bed_count(&boss_bed.bed, "hss.password-changed"),
			  2);
}
END_TEST

START_TEST(without_a_password_it_makes_one_and_the_platform_gets_it)
{
	boss_bed_open_range("+1", "+1");
	sync_count(1);
	boss_bed_command("change_password", json_pack("{s:s}", "uri", FIRST));
	ck_assert_str_eq(boss_bed_status(0), "changed");
	sync_count(1);
	ck_assert_uint_eq(strlen(sent_password(1)), 24);
	ck_assert_str_ne(sent_password(0), sent_password(1));
}
END_TEST

START_TEST(an_account_that_the_hss_does_not_know_any_more_is_forgotten)
{
	boss_bed_open_range("+1", "+1");
	stop_hss();
	ck_assert_int_eq(remove(boss_bed.bed.store), 0);
	start_hss();
	boss_bed_command("change_password", json_pack("{s:s}", "uri", FIRST));
	ck_assert_str_eq(boss_bed_status(0), "unknown");
	ck_assert_ptr_null(own(FIRST));
	sync_count(0);
}
END_TEST

/* --- the store --- */

START_TEST(the_store_is_for_its_owner_alone)
{
	struct stat st;

	ck_assert_int_eq(stat(boss_bed.store, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(a_store_that_is_none_of_ours_is_told_at_the_start)
{
	const struct boss_cfg cfg = {
		.hss = boss_bed.bed.url,
		.cert = hss_bed_cert(&boss_bed.bed, "boss"),
		.ca = boss_bed.bed.ca,
		.realm = "ims.test",
		.store = boss_bed.batch,
	};
	struct boss *boss = NULL;
	char *reason = NULL;

	boss_bed_write_batch("dear diary, this is no store of a BOSS at all\n");
	ck_assert_int_eq(boss_new(&boss, boss_bed.bed.peer, &cfg, &reason),
			 EINVAL);
	ck_assert_msg(strstr(reason, "batch.txt") != NULL, "%s", reason);
	free(reason);
}
END_TEST

/* Nothing can be put into it any more */
static void break_store(void)
{
	static const struct store_stmt drop = { "DROP TABLE account", NULL, 0 };

	store_run(boss_bed.boss->store, &drop, 1, NULL, NULL);
}

START_TEST(what_cannot_be_remembered_is_not_asked_for)
{
	boss_bed_open_range("+1", "+1");
	break_store();
	boss_bed_open_range("+2", "+3");
	boss_bed_expect_error("could not be stored: ");
	boss_bed_expect_error("the HSS was not asked");
	boss_bed_command("change_password", json_pack("{s:s}", "uri", FIRST));
	boss_bed_expect_error("the HSS was not asked");
	boss_bed_command("close_account", json_pack("{s:s}", "uri", FIRST));
	boss_bed_expect_error("the HSS was not asked");
	ck_assert_uint_eq(hss_bed_count(&boss_bed.bed, "hss.account-opened"),
			  1);
	ck_assert_uint_eq(hss_bed_count(&boss_bed.bed, "hss.password-changed"),
			  0);
	ck_assert_str_ne(hss_bed_user(&boss_bed.bed, FIRST), "");
}
END_TEST

START_TEST(what_the_hss_did_and_cannot_be_remembered_is_told)
{
	begin_range("+1", "+1");
	ck_assert(loop_run_until(boss_bed.bed.loop, has_happened,
				 "hss.account-opened", PATIENCE_MS));
	break_store();
	hss_bed_wait(&boss_bed.bed, &boss_bed.answers, 1);
	boss_bed_expect_error("what the HSS did could not be stored");
}
END_TEST

START_TEST(a_new_password_that_cannot_be_remembered_is_told)
{
	boss_bed_open_range("+1", "+1");
	boss_bed_begin("change_password", json_pack("{s:s}", "uri", FIRST));
	ck_assert(loop_run_until(boss_bed.bed.loop, has_happened,
				 "hss.password-changed", PATIENCE_MS));
	break_store();
	hss_bed_wait(&boss_bed.bed, &boss_bed.answers, 1);
	boss_bed_expect_error("what the HSS did could not be stored");
	expect_status(FIRST, BOSS_OPENING);
}
END_TEST

START_TEST(what_the_platform_has_and_cannot_be_remembered_is_told)
{
	boss_bed_open_range("+1", "+2");
	boss_bed_begin("sync", json_pack("{s:s}", "by", "message"));
	hss_bed_wait(&boss_bed.bed, &boss_bed.puts, 1);
	break_store();
	hss_bed_wait(&boss_bed.bed, &boss_bed.answers, 1);
	boss_bed_expect_error("the platform has 2 accounts, but that could not "
			      "be stored");
	expect_status(FIRST, BOSS_OPENED);
}
END_TEST

static Suite *boss_known_suite(void)
{
	Suite *s = suite_create("boss_known");
	TCase *tc = tcase_create("opening");

	tcase_add_checked_fixture(tc, boss_bed_setup, boss_bed_teardown);
	tcase_add_test(
		tc, an_account_has_a_password_on_disk_before_the_hss_is_asked);
	tcase_add_test(tc,
		       a_range_whose_answer_was_lost_is_carried_on_by_the_sync);
	tcase_add_test(tc, opening_again_what_was_interrupted_opens_it);
	tcase_add_test(
		tc,
		a_list_that_was_interrupted_keeps_the_passwords_of_the_file);
	tcase_add_test(tc, interrupted_again_while_it_is_carried_on_it_goes_on);
	tcase_add_test(
		tc,
		a_sync_without_the_hss_is_told_what_is_missing_and_gives_nothing);
	tcase_add_test(tc, what_the_hss_refuses_is_not_remembered);
	tcase_add_test(tc, what_others_opened_is_left_alone);
	tcase_add_test(tc, what_is_not_to_be_lent_is_not_remembered);
	tcase_add_test(
		tc, what_cannot_be_opened_when_it_is_carried_on_is_forgotten);
	tcase_add_test(tc, commands_are_done_one_after_the_other);
	suite_add_tcase(s, tc);

	tc = tcase_create("giving on");
	tcase_add_checked_fixture(tc, boss_bed_setup, boss_bed_teardown);
	tcase_add_test(tc, what_was_opened_is_given_after_a_restart);
	tcase_add_test(
		tc, a_password_is_forgotten_when_the_platform_has_confirmed_it);
	suite_add_tcase(s, tc);

	tc = tcase_create("one account");
	tcase_add_checked_fixture(tc, boss_bed_setup, boss_bed_teardown);
	tcase_add_test(tc,
		       what_is_to_be_closed_is_not_given_whatever_the_hss_says);
	tcase_add_test(tc, a_new_password_that_was_interrupted_is_carried_on);
	tcase_add_test(
		tc, without_a_password_it_makes_one_and_the_platform_gets_it);
	tcase_add_test(
		tc,
		an_account_that_the_hss_does_not_know_any_more_is_forgotten);
	suite_add_tcase(s, tc);

	tc = tcase_create("the store");
	tcase_add_checked_fixture(tc, boss_bed_setup, boss_bed_teardown);
	tcase_add_test(tc, the_store_is_for_its_owner_alone);
	tcase_add_test(tc, a_store_that_is_none_of_ours_is_told_at_the_start);
	tcase_add_test(tc, what_cannot_be_remembered_is_not_asked_for);
	tcase_add_test(tc, what_the_hss_did_and_cannot_be_remembered_is_told);
	tcase_add_test(tc, a_new_password_that_cannot_be_remembered_is_told);
	tcase_add_test(tc,
		       what_the_platform_has_and_cannot_be_remembered_is_told);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(boss_known_suite)
