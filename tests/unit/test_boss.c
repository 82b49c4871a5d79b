/* The BOSS between a real HSS and a platform: both ways to open accounts, both
 * ways to give them on (CN103516675A [0076] [0077]) */
#include "boss/boss.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/element.h"
#include "common/https.h"
#include "common/loop.h"
#include "common/mem.h"
#include "ims_core/hss/hss.h"
#include "tests/fake/hss_bed.h"
#include "tests/suite.h"

static struct {
	struct hss_bed bed;
	struct element *platform_el;
	struct https_server *platform;
	struct boss *boss;
	struct ctl *runner;
	char batch[BED_TEXT], pool[BED_TEXT], platform_url[BED_TEXT];
	json_t *pool_seen; /* accounts that the platform was sent */
	int puts, put_status, answers;
	int status, said_n; /* of what the platform asked, with what was said */
	char said[512];
	bool counts_wrongly;
	json_t *result;
	char *error;
} t;

/* --- a platform that takes what it is sent --- */

static void rx_put(struct https_req *req, void *arg)
{
	json_t *body = https_req_json(req);
	json_t *accounts = json_object_get(body, "accounts");
	size_t n = json_array_size(accounts) - t.counts_wrongly;

	(void)arg;
	t.puts++;
	ck_assert_str_eq(https_req_peer_name(req), "boss");
	json_array_extend(t.pool_seen, accounts);
	if (t.put_status != 200)
		https_reply_error(req, t.put_status, "the pool is closed");
	else
		https_reply_json(req, 200,
				 json_pack("{s:I, s:i, s:I}", "added",
					   (json_int_t)n, "known", 0, "total",
					   (json_int_t)n));
	json_decref(body);
}

static void start_platform(void)
{
	static const struct https_route routes[] = {
		{ "PUT", "/v1/pool", rx_put },
		{ NULL, NULL, NULL },
	};
	char *cert = xstrdup(hss_bed_cert(&t.bed, "platform"));
	const struct https_server_cfg cfg = { .listen = "127.0.0.1:0",
					      .cert_file = cert,
					      .ca_file = t.bed.ca };
	char *reason = NULL;

	t.put_status = 200;
	t.pool_seen = json_array();
	t.platform_el = element_new_on(t.bed.loop, "platform");
	ck_assert_msg(!https_server_new(&t.platform, t.platform_el, &cfg,
					routes, NULL, &reason),
		      "%s", reason ? reason : "no reason");
	snprintf(t.platform_url, sizeof(t.platform_url), "https://%s",
		 https_server_addr(t.platform));
	free(cert);
}

/* --- the BOSS, with a runner at its control channel --- */

static void start_boss(void)
{
	const struct boss_cfg cfg = { .hss = t.bed.url,
				      .platform = t.platform_url,
				      .https = "127.0.0.1:0",
				      .cert = hss_bed_cert(&t.bed, "boss"),
				      .ca = t.bed.ca,
				      .realm = "ims.test",
				      .pool_file = t.pool };
	char *reason = NULL;
	int fds[2];

	t.boss = boss_free(t.boss);
	ctl_free(t.bed.peer->ctl);
	ctl_free(t.runner);
	ck_assert_int_eq(socketpair(AF_UNIX,
				    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0, fds),
			 0);
	t.bed.peer->ctl = ctl_new(t.bed.loop, fds[0]);
	t.runner = ctl_new(t.bed.loop, fds[1]);
	ck_assert_msg(!boss_new(&t.boss, t.bed.peer, &cfg, &reason), "%s",
		      reason ? reason : "no reason");
}

static void setup(void)
{
	memset(&t, 0, sizeof(t));
	hss_bed_setup(&t.bed, "boss");
	snprintf(t.batch, sizeof(t.batch), "%.200s/batch.txt", t.bed.dir);
	snprintf(t.pool, sizeof(t.pool), "%.200s/pool.txt", t.bed.dir);
	start_platform();
	start_boss();
}

static void teardown(void)
{
	boss_free(t.boss);
	ctl_free(t.runner);
	https_server_free(t.platform);
	element_free(t.platform_el);
	hss_bed_teardown(&t.bed);
	json_decref(t.pool_seen);
	json_decref(t.result);
	free(t.error);
}

static void on_answer(json_t *result, const char *error, void *arg)
{
	(void)arg;
	json_decref(t.result);
	t.result = json_incref(result);
	xstrset(&t.error, error);
	t.answers++;
}

/* Give a command and wait for what it gives; args are stolen */
static void command(const char *name, json_t *args)
{
	t.answers = 0;
	ctl_call(t.runner, name, args, on_answer, NULL);
	hss_bed_wait(&t.bed, &t.answers, 1);
}

static void expect_error(const char *text)
{
	ck_assert_msg(t.error && strstr(t.error, text), "%s",
		      t.error ? t.error : "no error");
}

static json_int_t number(const char *name)
{
	ck_assert_msg(!t.error, "%s", t.error);

	return json_integer_value(json_object_get(t.result, name));
}

static void open_range(const char *first, const char *last)
{
	command("open_accounts",
		json_pack("{s:s, s:s, s:s}", "first", first, "last", last,
			  "rule", "sip:{number}@ims.test"));
}

static void write_batch(const char *text)
{
	FILE *f = fopen(t.batch, "w");

	fputs(text, f);
	fclose(f);
}

static void sync_by(const char *by)
{
	command("sync", json_pack("{s:s}", "by", by));
}

/* The pool file's text, static */
static const char *pool_text(void)
{
	static char text[4096];
	FILE *f = fopen(t.pool, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	ck_assert_ptr_nonnull(f);
	fclose(f);
	text[n] = '\0';

	return text;
}

static const char *status(size_t i)
{
	json_t *accounts = json_object_get(t.result, "accounts");

	return json_string_value(
		json_object_get(json_array_get(accounts, i), "status"));
}

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
	char *url = NULL, *cert = xstrdup(hss_bed_cert(&t.bed, name));
	const struct https_client_cfg cfg = { .cert_file = cert,
					      .ca_file = t.bed.ca };
	json_t *where = boss_addresses(t.boss);
	struct https_call call = { .method = "POST",
				   .type = "application/json",
				   .body = body,
				   .len = strlen(body) };
	struct https_client *client = NULL;
	char *reason = NULL;

	ck_assert_int_eq(
		https_client_new(&client, t.platform_el, &cfg, &reason), 0);
	url = xasprintf("https://%s/v1/password",
			json_string_value(json_object_get(where, "https")));
	call.url = url;
	t.said_n = 0;
	https_client_call(client, &call, on_status, NULL);
	hss_bed_wait(&t.bed, &t.said_n, 1);
	https_client_free(client);
	json_decref(where);
	free(url);
	free(cert);

	return t.status;
}

START_TEST(the_platform_has_a_password_changed)
{
	open_range("+1", "+1");
	ck_assert_int_eq(ask("platform", "{\"uri\":\"sip:+1@ims.test\","
					 "\"password\":\"n3w\"}"),
			 200);
	ck_assert_int_eq(ask("platform", "{\"uri\":\"sip:+1@ims.test\","
					 "\"password\":\"n3w\"}"),
			 200);
	ck_assert_uint_eq(hss_bed_count(&t.bed, "hss.password-changed"), 2);
	sync_by("file");
	ck_assert_ptr_nonnull(strstr(pool_text(), " n3w "));
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
	t.bed.hss = hss_free(t.bed.hss);
	ck_assert_int_eq(ask("platform", "{\"uri\":\"sip:+1@ims.test\","
					 "\"password\":\"n3w\"}"),
			 502);
}
END_TEST

/* --- opening --- */

START_TEST(a_range_is_opened_at_the_hss)
{
	open_range("+8657110000001", "+8657110000005");
	ck_assert_int_eq(number("opened"), 5);
	ck_assert_int_eq(number("refused"), 0);
	ck_assert_str_eq(status(4), "opened");
	ck_assert_str_eq(hss_bed_user(&t.bed, "sip:+8657110000005@ims.test"),
			 "NOT_REGISTERED -");
}
END_TEST

START_TEST(a_file_is_opened_at_the_hss_and_what_exists_is_told)
{
	write_batch("+1 sip:+1@ims.test s3cret\n+2 sip:+2@ims.test\n");
	command("open_accounts", json_pack("{s:s}", "file", t.batch));
	ck_assert_int_eq(number("opened"), 2);
	command("open_accounts", json_pack("{s:s}", "file", t.batch));
	ck_assert_int_eq(number("opened"), 0);
	ck_assert_int_eq(number("refused"), 2);
	ck_assert_str_eq(status(1), "exists");
}
END_TEST

START_TEST(a_refusal_says_who_refused_what_and_why)
{
	open_range("+5", "+1");
	expect_error("OpenAccountsByRange refused by https://127.0.0.1:");
	expect_error("<last>: range +5 to +1: the last number is below");

	write_batch("+1 sip:+1@ims.test\nbad line here\n");
	command("open_accounts", json_pack("{s:s}", "file", t.batch));
	expect_error("batch.txt:2: number \"bad\"");
	ck_assert_str_eq(hss_bed_user(&t.bed, "sip:+1@ims.test"), "");

	command("open_accounts", json_object());
	expect_error("give first, last and rule, or file alone");
	command("open_accounts", json_pack("{s:s}", "first", "1"));
	expect_error("give first, last and rule");
	sync_by("pigeon");
	expect_error("\"file\" or \"message\" was expected");
}
END_TEST

START_TEST(an_hss_that_is_not_there_is_named)
{
	strcpy(t.bed.url, "https://127.0.0.1:1");
	start_boss();
	open_range("1", "2");
	expect_error("OpenAccountsByRange: https://127.0.0.1:1");
}
END_TEST

/* --- giving on --- */

START_TEST(the_pool_file_holds_all_accounts_that_were_opened)
{
	struct stat st;

	write_batch("+9 sip:+9@ims.test s3cret\n");
	command("open_accounts", json_pack("{s:s}", "file", t.batch));
	sync_by("file");
	ck_assert_int_eq(number("count"), 1);
	ck_assert_str_eq(pool_text(),
			 "sip:+9@ims.test +9@ims.test s3cret ims.test\n");
	ck_assert_int_eq(stat(t.pool, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(the_pool_file_keeps_what_an_earlier_run_wrote)
{
	write_batch("+9 sip:+9@ims.test s3cret\n");
	command("open_accounts", json_pack("{s:s}", "file", t.batch));
	sync_by("file");
	start_boss();
	open_range("+1", "+2");
	sync_by("file");
	ck_assert_int_eq(number("count"), 3);
	ck_assert_ptr_nonnull(strstr(pool_text(), "+9@ims.test s3cret "));
}
END_TEST

START_TEST(closed_accounts_leave_the_pool_and_new_passwords_enter_it)
{
	open_range("+1", "+2");
	sync_by("file");
	command("close_account", json_pack("{s:s}", "uri", "sip:+1@ims.test"));
	ck_assert_str_eq(status(0), "closed");
	command("change_password",
		json_pack("{s:s, s:s}", "uri", "sip:+2@ims.test", "password",
			  "n3w"));
	ck_assert_str_eq(status(0), "changed");
	sync_by("file");
	ck_assert_str_eq(pool_text(),
			 "sip:+2@ims.test +2@ims.test n3w ims.test\n");

	/* opened again, it is back with another password */
	open_range("+1", "+1");
	sync_by("file");
	ck_assert_int_eq(number("count"), 2);
}
END_TEST

START_TEST(a_pool_file_that_is_none_of_ours_is_left_alone)
{
	FILE *f = fopen(t.pool, "w");

	fputs("dear diary\n", f);
	fclose(f);
	open_range("+1", "+1");
	sync_by("file");
	expect_error("pool.txt:1: 2 fields");
	ck_assert_str_eq(pool_text(), "dear diary\n");
}
END_TEST

START_TEST(the_message_holds_all_accounts_in_parts_that_fit)
{
	json_t *first;

	open_range("0001", "2500");
	sync_by("message");
	ck_assert_int_eq(number("count"), 2500);
	ck_assert_int_eq(t.puts, 3);
	ck_assert_uint_eq(json_array_size(t.pool_seen), 2500);
	first = json_array_get(t.pool_seen, 0);
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
	open_range("1", "3");
	t.put_status = 503;
	sync_by("message");
	expect_error("pool not taken by https://127.0.0.1:");
	expect_error("the pool is closed");
	t.put_status = 200;
	t.counts_wrongly = true;
	sync_by("message");
	expect_error("does not count all 3 accounts");
	t.counts_wrongly = false;
	sync_by("message");
	ck_assert_int_eq(number("count"), 3);
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
					.open_list = t.batch,
					.sync_file = true,
					.sync_message = true };
	char *reason = NULL;

	write_batch("+9 sip:+9@ims.test s3cret\n");
	ck_assert_int_eq(boss_shoot(t.boss, &shot, &reason), 0);
	(void)loop_run_until(t.bed.loop, never, NULL, BED_BOUND_MS);
	ck_assert(!boss_has_failed(t.boss));
	ck_assert_uint_eq(json_array_size(t.pool_seen), 4);
	ck_assert_ptr_nonnull(strstr(pool_text(), "sip:+9@ims.test "));
}
END_TEST

START_TEST(by_hand_a_refusal_ends_it_as_failed)
{
	const struct boss_shot shot = { .open_range = "+3-+1",
					.rule = "sip:{number}@ims.test",
					.sync_message = true };
	char *reason = NULL;

	ck_assert_int_eq(boss_shoot(t.boss, &shot, &reason), 0);
	(void)loop_run_until(t.bed.loop, never, NULL, BED_BOUND_MS);
	ck_assert(boss_has_failed(t.boss));
	ck_assert_int_eq(t.puts, 0);
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

		ck_assert_int_ne(boss_shoot(t.boss, &bad[i].shot, &reason), 0);
		ck_assert_msg(strstr(reason, bad[i].text) != NULL, "%s",
			      reason);
		free(reason);
	}
}
END_TEST

START_TEST(it_ends_cleanly_with_requests_under_way)
{
	ctl_call(t.runner, "open_accounts",
		 json_pack("{s:s, s:s, s:s}", "first", "1", "last", "9", "rule",
			   "sip:{number}@ims.test"),
		 on_answer, NULL);
	for (int i = 0; i < 3; i++)
		(void)loop_run_until(t.bed.loop, never, NULL, 1);
	t.boss = boss_free(t.boss);
}
END_TEST

static Suite *boss_suite(void)
{
	Suite *s = suite_create("boss");
	TCase *tc = tcase_create("opening accounts");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_range_is_opened_at_the_hss);
	tcase_add_test(tc, a_file_is_opened_at_the_hss_and_what_exists_is_told);
	tcase_add_test(tc, a_refusal_says_who_refused_what_and_why);
	tcase_add_test(tc, an_hss_that_is_not_there_is_named);
	suite_add_tcase(s, tc);

	tc = tcase_create("giving them on");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_pool_file_holds_all_accounts_that_were_opened);
	tcase_add_test(tc, the_pool_file_keeps_what_an_earlier_run_wrote);
	tcase_add_test(
		tc, closed_accounts_leave_the_pool_and_new_passwords_enter_it);
	tcase_add_test(tc, a_pool_file_that_is_none_of_ours_is_left_alone);
	tcase_add_test(tc, the_message_holds_all_accounts_in_parts_that_fit);
	tcase_add_test(tc, a_platform_that_refuses_or_miscounts_is_named);
	suite_add_tcase(s, tc);

	tc = tcase_create("for the platform");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_platform_has_a_password_changed);
	tcase_add_test(tc, who_may_not_ask_or_asks_nonsense_is_told);
	tcase_add_test(tc, an_hss_that_is_not_there_is_told_to_the_platform);
	suite_add_tcase(s, tc);

	tc = tcase_create("by hand");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, by_hand_it_does_what_the_command_line_says_and_ends);
	tcase_add_test(tc, by_hand_a_refusal_ends_it_as_failed);
	tcase_add_test(
		tc, by_hand_wrong_options_are_refused_before_anything_is_sent);
	tcase_add_test(tc, it_ends_cleanly_with_requests_under_way);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(boss_suite)
