/* The BOSS between a real HSS and a platform: both ways to open accounts, both
 * ways to give them on (CN103516675A [0076] [0077]) */
#include "boss/boss.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/element.h"
#include "common/https.h"
#include "common/loop.h"
#include "common/mem.h"
#include "ims_core/hss/hss.h"
#include "tests/fake/boss_bed.h"
#include "tests/suite.h"

/* what the platform asked for came to */
static struct {
	int status, said_n;
	char said[512];
} t;

/* --- the platform asks --- */

static void on_status(const struct https_resp *resp, void *arg)
{
	(void)arg;
	snprintf(t.said, sizeof(t.said), "%s", resp->body ? resp->body : "");
	t.status = resp->status;
	t.said_n++;
}

/* POST it as that client; gives the answer's status */
static int ask(const char *name, const char *body)
{
	char *url = NULL, *cert = xstrdup(hss_bed_cert(&boss_bed.bed, name));
	const struct https_client_cfg cfg = { .cert_file = cert,
					      .ca_file = boss_bed.bed.ca };
	json_t *where = boss_addresses(boss_bed.boss);
	struct https_call call = { .method = "POST",
				   .type = "application/json",
				   .body = body,
				   .len = strlen(body) };
	struct https_client *client = NULL;
	char *reason = NULL;

	ck_assert_int_eq(
		https_client_new(&client, boss_bed.platform_el, &cfg, &reason),
		0);
	url = xasprintf("https://%s/v1/password",
			json_string_value(json_object_get(where, "https")));
	call.url = url;
	t.said_n = 0;
	https_client_call(client, &call, on_status, NULL);
	hss_bed_wait(&boss_bed.bed, &t.said_n, 1);
	https_client_free(client);
	json_decref(where);
	free(url);
	free(cert);

	return t.status;
}

START_TEST(the_platform_has_a_password_changed)
{
	static const char body[] = "{\"uri\":\"sip:+1@ims.test\","
				   "\"password\":\"n3w\"}";

	boss_bed_open_range("+1", "+2");
	ck_assert_int_eq(ask("platform", body), 200);
	ck_assert_int_eq(ask("platform", body), 200);
	ck_assert_uint_eq(hss_bed_count(&boss_bed.bed, "hss.password-changed"),
			  2);

	/* who asks for another password has the account */
	boss_bed_sync("file");
	ck_assert_int_eq(boss_bed_number("count"), 1);
	ck_assert_ptr_null(strstr(boss_bed_pool_text(), "sip:+1@"));
	ck_assert_ptr_nonnull(strstr(boss_bed_pool_text(), "sip:+2@"));
}
END_TEST

START_TEST(who_may_not_ask_or_asks_nonsense_is_told)
{
	ck_assert_int_eq(ask("appserver", "{}"), 403);
	ck_assert_int_eq(ask("platform", "{"), 400);
	ck_assert_int_eq(ask("platform", "{\"uri\":\"sip:+1@ims.test\"}"), 400);
	ck_assert_ptr_nonnull(strstr(t.said, "password"));
	ck_assert_int_eq(ask("platform", "{\"uri\":\"sip:+1@other.test\","
					 "\"password\":\"n3w\"}"),
			 400);
	ck_assert_int_eq(ask("platform", "{\"uri\":\"sip:+1@ims.test\","
					 "\"password\":\"n3w\"}"),
			 404);
	ck_assert_ptr_nonnull(strstr(t.said, "sip:+1@ims.test"));
	ck_assert_ptr_null(strstr(t.said, "n3w"));
}
END_TEST

START_TEST(an_hss_that_is_not_there_is_told_to_the_platform)
{
	boss_bed.bed.hss = hss_free(boss_bed.bed.hss);
	ck_assert_int_eq(ask("platform", "{\"uri\":\"sip:+1@ims.test\","
					 "\"password\":\"n3w\"}"),
			 502);
}
END_TEST

/* --- opening --- */

START_TEST(a_range_is_opened_at_the_hss)
{
	boss_bed_open_range("+8657110000001", "+8657110000005");
	ck_assert_int_eq(boss_bed_number("opened"), 5);
	ck_assert_int_eq(boss_bed_number("refused"), 0);
	ck_assert_str_eq(boss_bed_status(4), "opened");
	ck_assert_str_eq(
		hss_bed_user(&boss_bed.bed, "sip:+8657110000005@ims.test"),
		"NOT_REGISTERED -");
}
END_TEST

START_TEST(a_file_is_opened_at_the_hss_and_what_exists_is_told)
{
	boss_bed_write_batch("+1 sip:+1@ims.test s3cret\n+2 sip:+2@ims.test\n");
	boss_bed_command("open_accounts",
			 json_pack("{s:s}", "file", boss_bed.batch));
	ck_assert_int_eq(boss_bed_number("opened"), 2);
	boss_bed_command("open_accounts",
			 json_pack("{s:s}", "file", boss_bed.batch));
	ck_assert_int_eq(boss_bed_number("opened"), 0);
	ck_assert_int_eq(boss_bed_number("refused"), 2);
	ck_assert_str_eq(boss_bed_status(1), "exists");
}
END_TEST

START_TEST(a_refusal_says_who_refused_what_and_why)
{
	boss_bed_command("open_accounts",
			 json_pack("{s:s, s:s, s:s}", "first", "+1", "last",
				   "+5", "rule", "sip:{number}@other.test"));
	boss_bed_expect_error(
		"OpenAccountsByRange refused by https://127.0.0.1:");
	boss_bed_expect_error("<rule>: ");

	boss_bed_open_range("+5", "+1");
	boss_bed_expect_error("range +5 to +1: the last number is below");

	boss_bed_write_batch("+1 sip:+1@ims.test\nbad line here\n");
	boss_bed_command("open_accounts",
			 json_pack("{s:s}", "file", boss_bed.batch));
	boss_bed_expect_error("batch.txt:2: number \"bad\"");
	ck_assert_str_eq(hss_bed_user(&boss_bed.bed, "sip:+1@ims.test"), "");

	boss_bed_command("open_accounts", json_object());
	boss_bed_expect_error("give first, last and rule, or file alone");
	boss_bed_command("open_accounts", json_pack("{s:s}", "first", "1"));
	boss_bed_expect_error("give first, last and rule");
	boss_bed_sync("pigeon");
	boss_bed_expect_error("\"file\" or \"message\" was expected");
}
END_TEST

START_TEST(an_hss_that_is_not_there_is_named)
{
	strcpy(boss_bed.bed.url, "https://127.0.0.1:1");
	boss_bed_start();
	boss_bed_open_range("1", "2");
	boss_bed_expect_error("OpenAccountsByRange: https://127.0.0.1:1");
}
END_TEST

/* --- giving on --- */

START_TEST(the_pool_file_holds_all_accounts_that_were_opened)
{
	struct stat st;

	boss_bed_write_batch("+9 sip:+9@ims.test s3cret\n");
	boss_bed_command("open_accounts",
			 json_pack("{s:s}", "file", boss_bed.batch));
	boss_bed_sync("file");
	ck_assert_int_eq(boss_bed_number("count"), 1);
	ck_assert_str_eq(boss_bed_pool_text(),
			 "sip:+9@ims.test +9@ims.test s3cret ims.test\n");
	ck_assert_int_eq(stat(boss_bed.pool, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(the_pool_file_keeps_what_an_earlier_run_wrote)
{
	strcpy(boss_bed.store, "memory");
	boss_bed_start();
	boss_bed_write_batch("+9 sip:+9@ims.test s3cret\n");
	boss_bed_command("open_accounts",
			 json_pack("{s:s}", "file", boss_bed.batch));
	boss_bed_sync("file");
	boss_bed_start();
	boss_bed_open_range("+1", "+2");
	boss_bed_sync("file");
	ck_assert_int_eq(boss_bed_number("count"), 3);
	ck_assert_ptr_nonnull(
		strstr(boss_bed_pool_text(), "+9@ims.test s3cret "));
}
END_TEST

START_TEST(closed_accounts_leave_the_pool_and_new_passwords_enter_it)
{
	boss_bed_open_range("+1", "+2");
	boss_bed_sync("file");
	boss_bed_command("close_account",
			 json_pack("{s:s}", "uri", "sip:+1@ims.test"));
	ck_assert_str_eq(boss_bed_status(0), "closed");
	boss_bed_command("change_password",
			 json_pack("{s:s, s:s}", "uri", "sip:+2@ims.test",
				   "password", "n3w"));
	ck_assert_str_eq(boss_bed_status(0), "changed");
	boss_bed_sync("file");
	ck_assert_str_eq(boss_bed_pool_text(),
			 "sip:+2@ims.test +2@ims.test n3w ims.test\n");

	/* opened again, it is back with another password */
	boss_bed_open_range("+1", "+1");
	boss_bed_sync("file");
	ck_assert_int_eq(boss_bed_number("count"), 2);
}
END_TEST

START_TEST(a_pool_file_that_is_none_of_ours_is_left_alone)
{
	FILE *f = fopen(boss_bed.pool, "w");

	fputs("dear diary\n", f);
	fclose(f);
	boss_bed_open_range("+1", "+1");
	boss_bed_sync("file");
	boss_bed_expect_error("pool.txt:1: 2 fields");
	ck_assert_str_eq(boss_bed_pool_text(), "dear diary\n");
}
END_TEST

START_TEST(the_message_holds_all_accounts_in_parts_that_fit)
{
	json_t *first;

	boss_bed_open_range("0001", "2500");
	boss_bed_sync("message");
	ck_assert_int_eq(boss_bed_number("count"), 2500);
	ck_assert_int_eq(boss_bed.puts, 3);
	ck_assert_uint_eq(json_array_size(boss_bed.pool_seen), 2500);
	first = json_array_get(boss_bed.pool_seen, 0);
	ck_assert_str_eq(json_string_value(json_object_get(first, "uri")),
			 "sip:0001@ims.test");
	ck_assert_str_eq(json_string_value(json_object_get(first, "impi")),
			 "0001@ims.test");
	ck_assert_str_eq(json_string_value(json_object_get(first, "realm")),
			 "ims.test");
	ck_assert_uint_eq(
		json_string_length(json_object_get(first, "password")), 24);
}
END_TEST

START_TEST(a_platform_that_refuses_or_miscounts_is_named)
{
	boss_bed_open_range("1", "3");
	boss_bed.put_status = 503;
	boss_bed_sync("message");
	boss_bed_expect_error("pool not taken by https://127.0.0.1:");
	boss_bed_expect_error("the pool is closed");
	boss_bed.put_status = 200;
	boss_bed.counts_wrongly = true;
	boss_bed_sync("message");
	boss_bed_expect_error("does not count all 3 accounts");
	boss_bed.counts_wrongly = false;
	boss_bed_sync("message");
	ck_assert_int_eq(boss_bed_number("count"), 3);
}
END_TEST

/* --- by hand --- */

static bool never(const void *arg)
{
	(void)arg;

	return false;
}

START_TEST(by_hand_it_does_what_the_command_line_says_and_ends)
{
	const struct boss_shot shot = { .open_range = "+1-+3",
					.rule = "sip:{number}@ims.test",
					.open_list = boss_bed.batch,
					.sync_file = true,
					.sync_message = true };
	char *reason = NULL;

	boss_bed_write_batch("+9 sip:+9@ims.test s3cret\n");
	ck_assert_int_eq(boss_shoot(boss_bed.boss, &shot, &reason), 0);
	(void)loop_run_until(boss_bed.bed.loop, never, NULL, PATIENCE_MS);
	ck_assert(!boss_has_failed(boss_bed.boss));
	ck_assert_uint_eq(json_array_size(boss_bed.pool_seen), 4);
	ck_assert_ptr_nonnull(strstr(boss_bed_pool_text(), "sip:+9@ims.test "));
}
END_TEST

START_TEST(by_hand_a_refusal_ends_it_as_failed)
{
	const struct boss_shot shot = { .open_range = "+3-+1",
					.rule = "sip:{number}@ims.test",
					.sync_message = true };
	char *reason = NULL;

	ck_assert_int_eq(boss_shoot(boss_bed.boss, &shot, &reason), 0);
	(void)loop_run_until(boss_bed.bed.loop, never, NULL, PATIENCE_MS);
	ck_assert(boss_has_failed(boss_bed.boss));
	ck_assert_int_eq(boss_bed.puts, 0);
}
END_TEST

START_TEST(by_hand_wrong_options_are_refused_before_anything_is_sent)
{
	const struct {
		struct boss_shot shot;
		const char *text;
	} bad[] = {
		{ { 0 }, "nothing to do" },
		{ { .open_range = "+1" }, "FIRST-LAST" },
		{ { .open_range = "+1-+2" }, "go together" },
		{ { .rule = "x", .sync_file = true }, "go together" },
		{ { .open_list = "/nowhere/x" }, "/nowhere/x: No such file" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *reason = NULL;

		ck_assert_int_ne(
			boss_shoot(boss_bed.boss, &bad[i].shot, &reason), 0);
		ck_assert_msg(strstr(reason, bad[i].text) != NULL, "%s",
			      reason);
		free(reason);
	}
}
END_TEST

START_TEST(it_ends_cleanly_with_requests_under_way)
{
	boss_bed_begin("open_accounts",
		       json_pack("{s:s, s:s, s:s}", "first", "1", "last", "9",
				 "rule", "sip:{number}@ims.test"));
	boss_bed_begin("sync", json_pack("{s:s}", "by", "message"));
	for (int i = 0; i < 3; i++)
		(void)loop_run_until(boss_bed.bed.loop, never, NULL, 1);
	boss_bed.boss = boss_free(boss_bed.boss);
}
END_TEST

static Suite *boss_suite(void)
{
	Suite *s = suite_create("boss");
	TCase *tc = tcase_create("opening accounts");

	tcase_add_checked_fixture(tc, boss_bed_setup, boss_bed_teardown);
	tcase_add_test(tc, a_range_is_opened_at_the_hss);
	tcase_add_test(tc, a_file_is_opened_at_the_hss_and_what_exists_is_told);
	tcase_add_test(tc, a_refusal_says_who_refused_what_and_why);
	tcase_add_test(tc, an_hss_that_is_not_there_is_named);
	suite_add_tcase(s, tc);

	tc = tcase_create("giving them on");
	tcase_add_checked_fixture(tc, boss_bed_setup, boss_bed_teardown);
	tcase_add_test(tc, the_pool_file_holds_all_accounts_that_were_opened);
	tcase_add_test(tc, the_pool_file_keeps_what_an_earlier_run_wrote);
	tcase_add_test(
		tc, closed_accounts_leave_the_pool_and_new_passwords_enter_it);
	tcase_add_test(tc, a_pool_file_that_is_none_of_ours_is_left_alone);
	tcase_add_test(tc, the_message_holds_all_accounts_in_parts_that_fit);
	tcase_add_test(tc, a_platform_that_refuses_or_miscounts_is_named);
	suite_add_tcase(s, tc);

	tc = tcase_create("for the platform");
	tcase_add_checked_fixture(tc, boss_bed_setup, boss_bed_teardown);
	tcase_add_test(tc, the_platform_has_a_password_changed);
	tcase_add_test(tc, who_may_not_ask_or_asks_nonsense_is_told);
	tcase_add_test(tc, an_hss_that_is_not_there_is_told_to_the_platform);
	suite_add_tcase(s, tc);

	tc = tcase_create("by hand");
	tcase_add_checked_fixture(tc, boss_bed_setup, boss_bed_teardown);
	tcase_add_test(tc, by_hand_it_does_what_the_command_line_says_and_ends);
	tcase_add_test(tc, by_hand_a_refusal_ends_it_as_failed);
	tcase_add_test(
		tc, by_hand_wrong_options_are_refused_before_anything_is_sent);
	tcase_add_test(tc, it_ends_cleanly_with_requests_under_way);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(boss_suite)
