/* The terminal, told over its control channel, between a fake AS and a fake
 * registrar: S402 to S412, what is refused, what is lost */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/ctl.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/pki.h"
#include "common/timer.h"
#include "terminal/terminal.h"
#include "terminal/terminal_core.h"
#include "tests/fake/fake_as.h"
#include "tests/fake/fake_pcscf.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

#define ALICE "+8613800138000"

enum { SECOND_US = 1000000 };

static struct {
	struct loop *loop;
	struct element *el, *as_el, *ims_el;
	struct fake_as *as;
	struct fake_pcscf *ims;
	struct terminal *terminal;
	struct ctl *ctl; /* the runner's end */
	char ca[96];
	json_t *result;
	char error[512];
	bool is_done;
} t;

static void on_answer(json_t *result, const char *error, void *arg)
{
	(void)arg;
	t.is_done = true;
	t.result = json_incref(result);
	snprintf(t.error, sizeof(t.error), "%s", error ? error : "");
}

static bool is_done(const void *arg)
{
	(void)arg;

	return t.is_done;
}

static void tell(const char *cmd, json_t *args)
{
	json_decref(t.result);
	t.result = NULL;
	t.is_done = false;
	ctl_call(t.ctl, cmd, args, on_answer, NULL);
	ck_assert_msg(loop_run_until(t.loop, is_done, NULL, PATIENCE_MS),
		      "%s was not answered", cmd);
}

static void expect_ok(const char *cmd)
{
	tell(cmd, json_pack("{s:s}", "number", ALICE));
	ck_assert_msg(!*t.error, "%s: %s", cmd, t.error);
}

static void expect_failure(const char *cmd, const char *needle)
{
	tell(cmd, json_pack("{s:s}", "number", ALICE));
	ck_assert_msg(strstr(t.error, needle), "%s: \"%s\" is not in \"%s\"",
		      cmd, needle, t.error);
}

static void expect_state(const char *state)
{
	expect_ok("state");
	ck_assert_str_eq(json_string_value(json_object_get(t.result, "state")),
			 state);
}

static void expect_memory(bool holds_secret)
{
	expect_ok("memory");
	ck_assert_int_eq(
		json_is_true(json_object_get(t.result, "holds_secret")),
		holds_secret);
}

static void make_files(void)
{
	static const char *const names[] = { "appserver", NULL };
	static const char *const hosts[] = { "127.0.0.1", NULL };
	char *reason = NULL;

	ck_assert_msg(!pki_make(temp_dir(), names, hosts, &reason), "%s",
		      reason);
	snprintf(t.ca, sizeof(t.ca), "%s/ca.pem", temp_dir());
}

static void setup(void)
{
	struct terminal_cfg cfg = { .sip = "127.0.0.1:0", .ca = t.ca };
	const char *wrong = NULL;
	char *reason = NULL;
	int fds[2];

	memset(&t, 0, sizeof(t));
	make_files();
	ck_assert_int_eq(timer_override("https-request=150ms", &wrong), 0);
	ck_assert_int_eq(timer_override("retry=10ms", &wrong), 0);
	t.loop = loop_new();
	t.el = element_new_on(t.loop, "terminal");
	t.as_el = element_new_on(t.loop, "appserver");
	t.ims_el = element_new_on(t.loop, "pcscf");
	t.as = fake_as_new(t.as_el, temp_dir());
	t.ims = fake_pcscf_new(t.ims_el);
	snprintf(t.as->proxy, sizeof(t.as->proxy), "%s", t.ims->uri);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	t.el->ctl = ctl_new(t.loop, fds[0]);
	t.ctl = ctl_new(t.loop, fds[1]);
	cfg.appserver = t.as->url;
	ck_assert_msg(!terminal_new(&t.terminal, t.el, &cfg, &reason), "%s",
		      reason);
	tell("add",
	     json_pack("{s:s, s:s}", "number", ALICE, "secret", "s3cret"));
	ck_assert_str_eq(t.error, "");
}

static void teardown(void)
{
	json_decref(t.result);
	terminal_free(t.terminal);
	fake_as_free(t.as);
	fake_pcscf_free(t.ims);
	ctl_free(t.ctl);
	element_free(t.el);
	element_free(t.as_el);
	element_free(t.ims_el);
	loop_free(t.loop);
}

static void lease(void)
{
	expect_ok("login");
	expect_ok("request_uri");
}

START_TEST(the_whole_sequence_passes)
{
	expect_state("logged-out");
	expect_ok("login");
	ck_assert_ptr_nonnull(strstr(t.as->last_body, "s3cret"));
	expect_state("logged-in");
	expect_ok("request_uri");
	ck_assert_str_eq(t.as->last_authorization, "Bearer t0ken");
	ck_assert_str_eq(t.as->last_body, "{\"number\":\"" ALICE "\"}");
	ck_assert_ptr_null(json_object_get(t.result, "password"));
	expect_state("leased");
	expect_memory(true);
	expect_ok("register");
	ck_assert_int_eq(
		json_integer_value(json_object_get(t.result, "status")), 200);
	ck_assert_str_eq(t.ims->aor, "sip:+8657110000001@ims.test");
	ck_assert_str_eq(t.ims->user, "+8657110000001@ims.test");
	ck_assert_ptr_nonnull(strstr(t.ims->contact, "sip:ue1@127.0.0.1"));
	expect_state("registered");
	expect_ok("release");
	expect_state("released");
	ck_assert_ptr_null(json_object_get(t.result, "uri"));
	expect_memory(false);
	/* the platform deregisters, not the UE (S413) */
	ck_assert_int_eq(t.ims->registers, 2);
}
END_TEST

START_TEST(after_release_it_can_ask_again)
{
	lease();
	expect_ok("release");
	expect_ok("request_uri");
	expect_state("leased");
}
END_TEST

START_TEST(a_refused_login_names_who_and_why)
{
	t.as->login =
		(struct fake_reply){ .status = 401,
				     .body = "{\"error\":\"wrong secret\"}" };
	expect_failure("login", "login refused by https://127.0.0.1:");
	expect_failure("login", "401");
	expect_failure("login", "wrong secret");
	expect_state("logged-out");
}
END_TEST

/* Where there are two, each UE has its own */
START_TEST(a_ue_may_log_in_at_another_appserver)
{
	struct fake_as *other = fake_as_new(t.as_el, temp_dir());
	const char *bob = "+8613900139000";

	tell("add", json_pack("{s:s, s:s, s:s}", "number", bob, "secret", "s",
			      "appserver", other->url));
	ck_assert_str_eq(t.error, "");
	tell("login", json_pack("{s:s}", "number", bob));
	ck_assert_str_eq(t.error, "");
	expect_ok("login");
	ck_assert_int_eq(other->logins, 1);
	ck_assert_int_eq(t.as->logins, 1);
	other->uri = (struct fake_reply){ .status = 503, .body = "{}" };
	tell("request_uri", json_pack("{s:s}", "number", bob));
	ck_assert_msg(strstr(t.error, other->url), "%s", t.error);
	fake_as_free(other);
}
END_TEST

START_TEST(an_appserver_without_https_is_refused)
{
	tell("add", json_pack("{s:s, s:s, s:s}", "number", "+8613900139000",
			      "secret", "s", "appserver", "appserver2"));
	ck_assert_str_eq(t.error, "terminal: appserver appserver2: must be "
				  "https://HOST:PORT");
}
END_TEST

START_TEST(an_unreachable_appserver_is_named)
{
	char url[80];

	snprintf(url, sizeof(url), "%s", t.as->url);
	t.as = fake_as_free(t.as);
	expect_failure("login", "login failed: ");
	ck_assert_ptr_nonnull(strstr(t.error, url + 8));
	expect_state("logged-out");
}
END_TEST

START_TEST(a_lost_answer_is_asked_for_again)
{
	expect_ok("login");
	t.as->lose = 1;
	expect_ok("request_uri");
	ck_assert_int_eq(t.as->uris, 2);
	t.as->lose = 1;
	expect_ok("release");
	ck_assert_int_eq(t.as->releases, 2);
}
END_TEST

START_TEST(a_silent_appserver_is_given_up)
{
	expect_ok("login");
	t.as->uri.is_silent = true;
	expect_failure("request_uri", "SIP-URI use request failed: ");
	ck_assert_int_eq(t.as->uris, 3);
	expect_state("logged-in");
}
END_TEST

START_TEST(an_empty_pool_is_told_with_its_retry_after)
{
	expect_ok("login");
	t.as->uri = (struct fake_reply){ .status = 503,
					 .body = "{\"error\":\"none idle\"}",
					 .retry_after_s = 7 };
	expect_failure("request_uri", "pool-exhausted: ");
	ck_assert_ptr_nonnull(strstr(t.error, "Retry-After: 7 s"));
	ck_assert_ptr_nonnull(strstr(t.error, "none idle"));
	expect_state("logged-in");
}
END_TEST

/* What an AS may say that is no SIP-URI, and what the runner is told */
static const struct {
	const char *body, *needle;
} no_leases[] = {
	{ "", "empty" },
	{ "<html>", "not JSON" },
	{ "[]", "JSON object" },
	{ "{}", "\"uri\"" },
	{ "{\"uri\":\"sip:x@y\",\"impi\":\"x@y\"}", "\"password\"" },
	{ "{\"uri\":\"sip:x@y\",\"impi\":\"x@y\",\"password\":\"p\","
	  "\"realm\":\"r\",\"proxy\":\"sip:p\",\"lease_id\":\"1\"}",
	  "\"lease_id\"" },
	{ "{\"uri\":\"sip:x@y\",\"impi\":\"x@y\",\"password\":\"p\","
	  "\"realm\":\"r\",\"proxy\":\"sip:p\",\"lease_id\":1}",
	  "\"expires_s\"" },
};

START_TEST(a_malformed_lease_is_not_taken)
{
	expect_ok("login");
	t.as->uri = (struct fake_reply){ .status = 200,
					 .body = no_leases[_i].body };
	expect_failure("request_uri", no_leases[_i].needle);
	expect_state("logged-in");
	expect_memory(false);
}
END_TEST

/* --- an account of its own --- */

static void add_account(const char *number, const char *uri, const char *pw)
{
	tell("add_account",
	     json_pack("{s:s, s:s, s:s, s:s}", "number", number, "uri", uri,
		       "password", pw, "proxy", t.ims->uri));
}

START_TEST(a_ue_with_an_account_registers_without_the_appserver)
{
	add_account("+2", "sip:bob@ims.test", t.ims->password);
	ck_assert_str_eq(t.error, "");
	tell("register", json_pack("{s:s}", "number", "+2"));
	ck_assert_str_eq(t.error, "");
	ck_assert_str_eq(t.ims->aor, "sip:bob@ims.test");
	ck_assert_str_eq(t.ims->user, "bob@ims.test");
	add_account("+3", "sip:eve@ims.test", "wrong");
	tell("register", json_pack("{s:s}", "number", "+3"));
	ck_assert_ptr_nonnull(strstr(t.error, "register refused by"));
}
END_TEST

START_TEST(an_account_that_cannot_be_is_told)
{
	add_account(ALICE, "sip:bob@ims.test", "pw");
	ck_assert_ptr_nonnull(strstr(t.error, ALICE));
	add_account("+2", "bob", "pw");
	ck_assert_ptr_nonnull(strstr(t.error, "\"bob\" is no SIP-URI"));
	tell("add_account", json_pack("{s:s, s:s, s:s}", "number", "+2", "uri",
				      "sip:bob@ims.test", "password", "pw"));
	ck_assert_ptr_nonnull(strstr(t.error, "--proxy"));
	tell("add_account", json_pack("{s:s}", "number", "+2"));
	ck_assert_ptr_nonnull(strstr(t.error, "uri"));
}
END_TEST

START_TEST(a_refused_registration_names_who_and_why)
{
	lease();
	t.ims->status = 403;
	expect_failure("register", "register refused by sip:127.0.0.1:");
	ck_assert_ptr_nonnull(strstr(t.error, "403 Forbidden"));
	expect_state("leased");
	expect_ok("release");
}
END_TEST

START_TEST(a_wrong_password_is_refused)
{
	lease();
	t.ims->password = "of a later lease";
	expect_failure("register", "401");
	expect_state("leased");
}
END_TEST

START_TEST(a_proxy_that_is_no_uri_is_refused)
{
	snprintf(t.as->proxy, sizeof(t.as->proxy), "not a URI");
	lease();
	expect_failure("register", "register refused by not a URI");
	expect_state("leased");
}
END_TEST

START_TEST(what_its_state_does_not_allow_is_refused)
{
	expect_failure("register", "it is logged-out");
	expect_failure("release", "it is logged-out");
	expect_ok("login");
	expect_failure("call_end", "it is logged-in");
}
END_TEST

START_TEST(what_nobody_knows_is_refused)
{
	tell("login", json_pack("{s:s}", "number", "+8613800138999"));
	ck_assert_ptr_nonnull(strstr(t.error, "+8613800138999"));
	tell("login", json_object());
	ck_assert_ptr_nonnull(strstr(t.error, "\"number\""));
	tell("add", json_pack("{s:s}", "number", "+8613800138999"));
	ck_assert_ptr_nonnull(strstr(t.error, "secret"));
	tell("add",
	     json_pack("{s:s, s:s}", "number", ALICE, "secret", "again"));
	ck_assert_ptr_nonnull(strstr(t.error, "already"));
}
END_TEST

START_TEST(a_release_that_fails_keeps_the_lease)
{
	lease();
	t.as->release =
		(struct fake_reply){ .status = 504,
				     .body = "{\"error\":\"no platform\"}" };
	expect_failure("release", "no platform");
	expect_state("leased");
	expect_memory(true);
	t.as->release = (struct fake_reply){ 0 };
	expect_ok("release");
	expect_memory(false);
}
END_TEST

static bool is_forgotten(const void *arg)
{
	const struct ue *ue = arg;

	return !ue_holds_secret(ue);
}

/* [0115]: the AS reclaims by itself; nobody tells the terminal */
START_TEST(after_call_end_it_forgets_when_the_time_is_over)
{
	const struct ue *ue = ue_find(t.terminal, ALICE);

	lease();
	expect_ok("register");
	expect_ok("call_end");
	expect_state("ended");
	expect_memory(true);
	clock_take_over();
	clock_advance_us(31LL * SECOND_US);
	ck_assert(loop_run_until(t.loop, is_forgotten, ue, PATIENCE_MS));
	expect_state("released");
}
END_TEST

START_TEST(a_lease_is_forgotten_at_its_limit)
{
	const struct ue *ue = ue_find(t.terminal, ALICE);

	t.as->expires_s = 60;
	lease();
	clock_take_over();
	clock_advance_us(61LL * SECOND_US);
	ck_assert(loop_run_until(t.loop, is_forgotten, ue, PATIENCE_MS));
	expect_state("released");
}
END_TEST

static bool has_refreshed(const void *arg)
{
	return ((const struct fake_pcscf *)arg)->registered == 2;
}

/* TS 24.229 5.1.1.4.1 */
START_TEST(a_registration_is_refreshed_before_it_ends)
{
	t.ims->expires_s = 100;
	lease();
	expect_ok("register");
	clock_take_over();
	clock_advance_us(51LL * SECOND_US);
	ck_assert(loop_run_until(t.loop, has_refreshed, t.ims, PATIENCE_MS));
	expect_ok("release");
	expect_state("released");
}
END_TEST

START_TEST(a_login_renewed_keeps_the_lease)
{
	lease();
	expect_ok("login");
	expect_state("leased");
}
END_TEST

START_TEST(what_is_under_way_fails_when_the_terminal_ends)
{
	expect_ok("login");
	t.as->uri.is_silent = true;
	json_decref(t.result);
	t.result = NULL;
	t.is_done = false;
	ctl_call(t.ctl, "request_uri", json_pack("{s:s}", "number", ALICE),
		 on_answer, NULL);
	while (!t.as->uris)
		(void)loop_run_until(t.loop, is_done, NULL, 1);
	t.terminal = terminal_free(t.terminal);
	ck_assert(loop_run_until(t.loop, is_done, NULL, PATIENCE_MS));
	ck_assert_str_eq(t.error, "the terminal ends");
}
END_TEST

static bool is_registered(const void *arg)
{
	(void)arg;

	return t.ims->registered > 0;
}

static bool is_released(const void *arg)
{
	(void)arg;

	return t.as->releases > 0 && !ue_holds_secret(t.terminal->hand);
}

static void start_by_hand(const char *secret)
{
	const struct terminal_cfg cfg = { .sip = "127.0.0.1:0",
					  .ca = t.ca,
					  .appserver = t.as->url,
					  .number = "+8613800138009",
					  .secret = secret };
	char *reason = NULL;

	t.terminal = terminal_free(t.terminal);
	ctl_free(t.el->ctl);
	t.el->ctl = NULL;
	ck_assert_msg(!terminal_new(&t.terminal, t.el, &cfg, &reason), "%s",
		      reason);
}

START_TEST(by_hand_it_registers_and_gives_back)
{
	start_by_hand("s");
	ck_assert(loop_run_until(t.loop, is_registered, NULL, PATIENCE_MS));
	/* the answer is on its way: what is under way ends first */
	while (!t.terminal->hand->sipreg || t.terminal->hand->done)
		(void)loop_run_until(t.loop, is_done, NULL, 1);
	terminal_hand_term(t.terminal);
	ck_assert(loop_run_until(t.loop, is_released, NULL, PATIENCE_MS));
	ck_assert_int_eq(terminal_exit_code(t.terminal), EXIT_PASS);
}
END_TEST

START_TEST(by_hand_a_refusal_ends_with_failure_and_gives_back)
{
	t.ims->status = 403;
	start_by_hand("s");
	ck_assert(loop_run_until(t.loop, is_released, NULL, PATIENCE_MS));
	ck_assert_int_eq(terminal_exit_code(t.terminal), EXIT_FAIL);
}
END_TEST

/* Command lines that cannot be, and what is said */
static const struct {
	struct terminal_cfg cfg;
	const char *needle;
} bad_cfgs[] = {
	{ { .sip = "127.0.0.1:0", .ca = "x" }, "--appserver" },
	{ { .sip = "127.0.0.1:0", .ca = "x", .appserver = "http://h" },
	  "--appserver http://h" },
	{ { .sip = "127.0.0.1:0", .appserver = "https://h:1" }, "--ca" },
	{ { .sip = "127.0.0.1:0",
	    .appserver = "https://h:1",
	    .ca = "/no/such/ca.pem" },
	  "/no/such/ca.pem" },
	{ { .sip = "127.0.0.1:0",
	    .appserver = "https://h:1",
	    .ca = "x",
	    .number = ALICE },
	  "--secret" },
	{ { .sip = "nonsense", .appserver = "https://h:1", .ca = "x" },
	  "nonsense" },
};

START_TEST(a_bad_command_line_is_told)
{
	struct terminal *terminal = NULL;
	char *reason = NULL;

	ck_assert_int_ne(
		terminal_new(&terminal, t.el, &bad_cfgs[_i].cfg, &reason), 0);
	ck_assert_ptr_null(terminal);
	ck_assert_msg(strstr(reason, bad_cfgs[_i].needle), "%s", reason);
	free(reason);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {
		the_whole_sequence_passes,
		after_release_it_can_ask_again,
		a_refused_login_names_who_and_why,
		a_ue_may_log_in_at_another_appserver,
		an_appserver_without_https_is_refused,
		an_unreachable_appserver_is_named,
		a_lost_answer_is_asked_for_again,
		a_silent_appserver_is_given_up,
		an_empty_pool_is_told_with_its_retry_after,
		a_ue_with_an_account_registers_without_the_appserver,
		an_account_that_cannot_be_is_told,
		a_refused_registration_names_who_and_why,
		a_wrong_password_is_refused,
		a_proxy_that_is_no_uri_is_refused,
		what_its_state_does_not_allow_is_refused,
		what_nobody_knows_is_refused,
		a_release_that_fails_keeps_the_lease,
		after_call_end_it_forgets_when_the_time_is_over,
		a_lease_is_forgotten_at_its_limit,
		a_registration_is_refreshed_before_it_ends,
		a_login_renewed_keeps_the_lease,
		what_is_under_way_fails_when_the_terminal_ends,
		by_hand_it_registers_and_gives_back,
		by_hand_a_refusal_ends_with_failure_and_gives_back,
		NULL,
	};
	Suite *s = suite_create("ue_sequence");
	TCase *tc = tcase_create("sequence");

	tcase_add_checked_fixture(tc, setup, teardown);
	for (size_t i = 0; tests[i]; i++)
		tcase_add_test(tc, tests[i]);
	tcase_add_loop_test(tc, a_malformed_lease_is_not_taken, 0,
			    sizeof(no_leases) / sizeof(*no_leases));
	tcase_add_loop_test(tc, a_bad_command_line_is_told, 0,
			    sizeof(bad_cfgs) / sizeof(*bad_cfgs));
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
