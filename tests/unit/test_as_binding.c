/* A real number and its SIP-URI at the AS: S403 to S407, S409 to S412 */
#include <stdio.h>
#include <string.h>

#include "appserver/appserver_core.h"
#include "common/clock.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "tests/fake/as_bed.h"
#include "tests/suite.h"

enum { SECOND_US = 1000000 };

static struct as_bed *bed;

static void setup(void)
{
	const char *reason = NULL;

	/* what is lost, is lost soon */
	ck_assert_int_eq(timer_override("https-request=2s", &reason), 0);
	ck_assert_int_eq(timer_override("platform-answer=700ms", &reason), 0);
	ck_assert_int_eq(timer_override("retry=20ms", &reason), 0);
	bed = as_bed_new();
	as_bed_login(bed, ALICE, "s3cret");
}

static void teardown(void)
{
	bed = as_bed_free(bed);
}

static void expect_error(int status, const char *needle)
{
	ck_assert_int_eq(bed->last.status, status);
	ck_assert_msg(strstr(bed->last.text, needle), "\"%s\" is not in %s",
		      needle, bed->last.text);
}

static void lease(void)
{
	ck_assert_int_eq(as_bed_ask(bed, "/v1/sip-uri", ALICE), 200);
}

/* It is still the same one, and nothing was given back meanwhile */
static void lease_is_kept(void)
{
	int reclaims = bed->platform->reclaims;

	ck_assert_int_eq(as_bed_ask(bed, "/v1/release-not", ALICE), 404);
	ck_assert_int_eq(bed->platform->reclaims, reclaims);
	as_bed_settle(bed, "bound");
}

/* As a terminal does whose request was not answered */
static void ask_until_answered(const char *path)
{
	for (int i = 0; i < 20 && as_bed_ask(bed, path, ALICE) != 200; i++)
		ck_assert(!bed->last.status || bed->last.status == 504);
	ck_assert_int_eq(bed->last.status, 200);
}

static size_t bindings(void)
{
	json_t *list = as_bindings_json(bed->as);
	size_t n = json_array_size(list);

	json_decref(list);

	return n;
}

START_TEST(a_use_request_gives_what_registering_needs)
{
	lease();
	ck_assert_str_eq(as_bed_field(bed, "uri"),
			 "sip:+8657110000001@ims.test");
	ck_assert_str_eq(as_bed_field(bed, "impi"), "+8657110000001@ims.test");
	ck_assert_str_eq(as_bed_field(bed, "password"), "pw-1");
	ck_assert_str_eq(as_bed_field(bed, "realm"), "ims.test");
	ck_assert_str_eq(as_bed_field(bed, "proxy"), "sip:127.0.0.1:5060");
	ck_assert_int_eq(
		json_integer_value(json_object_get(bed->last.body, "lease_id")),
		1);
	ck_assert_ptr_nonnull(strstr(bed->events, "as.bound "));
}
END_TEST

/* S404: [0080] */
START_TEST(the_platform_is_asked_with_an_empty_body)
{
	lease();
	ck_assert_uint_eq(bed->platform->last_body_len, 0);
	ck_assert_str_eq(bed->platform->last_peer, "appserver");
}
END_TEST

START_TEST(asking_twice_gives_the_same)
{
	lease();
	lease();
	ck_assert_str_eq(as_bed_field(bed, "password"), "pw-1");
	ck_assert_int_eq(bed->platform->leases, 1);
}
END_TEST

START_TEST(asking_again_before_the_answer_makes_one_lease)
{
	bed->platform->lease.is_lost = true;
	as_bed_ask(bed, "/v1/sip-uri", ALICE);
	expect_error(504, bed->platform_url);
	bed->platform->lease.is_lost = false;
	ask_until_answered("/v1/sip-uri");
	ck_assert_str_eq(as_bed_field(bed, "password"), "pw-1");
	ck_assert_int_eq(bed->platform->lent, 1);
}
END_TEST

START_TEST(two_numbers_have_two_uris)
{
	lease();
	as_bed_login(bed, BOB, "b0b");
	ck_assert_int_eq(as_bed_ask(bed, "/v1/sip-uri", BOB), 200);
	ck_assert_str_eq(as_bed_field(bed, "password"), "pw-2");
	ck_assert_uint_eq(bindings(), 2);
}
END_TEST

START_TEST(an_empty_pool_is_passed_on_with_retry_after)
{
	bed->platform->lease =
		(struct fake_reply){ .status = 503,
				     .body = "{\"error\":\"no idle SIP-URI\"}",
				     .retry_after_s = 7 };
	as_bed_ask(bed, "/v1/sip-uri", ALICE);
	expect_error(503, "no idle SIP-URI");
	ck_assert_int_eq(bed->last.retry_after_s, 7);
	ck_assert_uint_eq(bindings(), 0);
}
END_TEST

/* What a platform may say that is no lease, and what the terminal is told */
static const struct {
	int status;
	const char *body, *needle;
} no_leases[] = {
	{ 500, "{\"error\":\"broken\"}", "500" },
	{ 404, "", "404" },
	{ 409, "{}", "409" },
	{ 201, "nonsense", "not JSON" },
	{ 201, "", "empty" },
	{ 201, "[1]", "JSON object" },
	{ 201, "{\"uri\":\"sip:x@y\"}", "\\\"password\\\"" },
	{ 201, "{\"uri\":7}", "\\\"uri\\\"" },
	{ 201, "{\"uri\":\"http://x\",\"password\":\"p\"}", "\\\"uri\\\"" },
	{ 201, "{\"uri\":\"sip:x@y\",\"password\":\"p\",\"lease_id\":0}",
	  "\\\"lease_id\\\"" },
	{ 201, "{\"uri\":\"sip:x@y\",\"password\":\"p\",\"lease_id\":1}",
	  "\\\"expires_s\\\"" },
};

START_TEST(no_lease_from_the_platform_leaves_nothing_half_bound)
{
	bed->platform->lease =
		(struct fake_reply){ .status = no_leases[_i].status,
				     .body = no_leases[_i].body };
	as_bed_ask(bed, "/v1/sip-uri", ALICE);
	expect_error(502, no_leases[_i].needle);
	expect_error(502, bed->platform_url);
	ck_assert_uint_eq(bindings(), 0);

	bed->platform->lease = (struct fake_reply){ 0 };
	lease();
}
END_TEST

START_TEST(an_unreachable_platform_is_named_and_asked_again)
{
	char listen[64];

	snprintf(listen, sizeof(listen), "%s", bed->platform_url + 8);
	bed->platform = fake_platform_free(bed->platform);
	as_bed_ask(bed, "/v1/sip-uri", ALICE);
	expect_error(504, bed->platform_url);

	bed->platform = fake_platform_new(bed->platform_el, bed->dir, listen);
	as_bed_settle(bed, "bound");
	lease();
	ck_assert_int_eq(bed->platform->lent, 1);
}
END_TEST

START_TEST(release_gives_back_with_the_uri)
{
	lease();
	ck_assert_int_eq(as_bed_ask(bed, "/v1/release", ALICE), 200);
	ck_assert_str_eq(bed->platform->last_path, "/v1/leases/1");
	ck_assert_ptr_nonnull(strstr(bed->platform->last_body,
				     "sip:+8657110000001@ims.test"));
	ck_assert_ptr_nonnull(strstr(bed->events, "as.bound as.unbound "));
	ck_assert_uint_eq(bindings(), 0);
}
END_TEST

/* S412 is S411 passed on: [0120] */
START_TEST(release_is_answered_after_the_platform_has)
{
	lease();
	bed->platform->reclaim.is_silent = true;
	as_bed_ask(bed, "/v1/release", ALICE);
	expect_error(504, "has not answered yet");
	bed->platform->reclaim.is_silent = false;
	as_bed_settle(bed, "none");
	ck_assert_int_eq(as_bed_ask(bed, "/v1/release", ALICE), 200);
}
END_TEST

START_TEST(release_can_be_repeated)
{
	lease();
	ck_assert_int_eq(as_bed_ask(bed, "/v1/release", ALICE), 200);
	ck_assert_int_eq(as_bed_ask(bed, "/v1/release", ALICE), 200);
	ck_assert_int_eq(bed->platform->reclaims, 1);
	lease();
	ck_assert_str_eq(as_bed_field(bed, "password"), "pw-2");
}
END_TEST

START_TEST(a_lease_the_platform_has_ended_is_released_all_the_same)
{
	lease();
	bed->platform->reclaim =
		(struct fake_reply){ .status = _i ? 409 : 404,
				     .body = "{\"error\":\"gone\"}" };
	ck_assert_int_eq(as_bed_ask(bed, "/v1/release", ALICE), 200);
	ck_assert_uint_eq(bindings(), 0);
}
END_TEST

START_TEST(a_reclaim_the_platform_refuses_is_tried_again)
{
	lease();
	bed->platform->reclaim = (struct fake_reply){ .status = 500 };
	as_bed_ask(bed, "/v1/release", ALICE);
	expect_error(502, "reclaim notice");
	as_bed_ask(bed, "/v1/sip-uri", ALICE);
	expect_error(409, "giving its SIP-URI back");
	bed->platform->reclaim = (struct fake_reply){ 0 };
	as_bed_settle(bed, "none");
}
END_TEST

START_TEST(release_while_it_is_asked_for_ends_it)
{
	bed->platform->lease.is_lost = true;
	as_bed_ask(bed, "/v1/sip-uri", ALICE);
	expect_error(504, "has not answered yet");
	bed->platform->lease.is_lost = false;
	ask_until_answered("/v1/release");
	ck_assert_int_eq(bed->platform->reclaims, 1);
	ck_assert_uint_eq(bindings(), 0);
}
END_TEST

/* [0115]: 30 s by default */
START_TEST(call_end_reclaims_when_the_time_is_over)
{
	lease();
	ck_assert_int_eq(as_bed_ask(bed, "/v1/call-end", ALICE), 200);
	ck_assert_int_eq(json_integer_value(
				 json_object_get(bed->last.body, "max_use_s")),
			 30);
	ck_assert_ptr_nonnull(strstr(bed->events, "as.timer-started "));
	clock_take_over();
	clock_advance_us(29LL * SECOND_US);
	lease_is_kept();
	clock_advance_us(1LL * SECOND_US);
	as_bed_settle(bed, "none");
	ck_assert_int_eq(bed->platform->reclaims, 1);
}
END_TEST

START_TEST(call_end_repeated_does_not_begin_anew)
{
	lease();
	ck_assert_int_eq(as_bed_ask(bed, "/v1/call-end", ALICE), 200);
	clock_take_over();
	clock_advance_us(20LL * SECOND_US);
	ck_assert_int_eq(as_bed_ask(bed, "/v1/call-end", ALICE), 200);
	ck_assert_int_le(json_integer_value(
				 json_object_get(bed->last.body, "max_use_s")),
			 10);
}
END_TEST

START_TEST(release_cancels_the_call_end_timer)
{
	lease();
	ck_assert_int_eq(as_bed_ask(bed, "/v1/call-end", ALICE), 200);
	ck_assert_int_eq(as_bed_ask(bed, "/v1/release", ALICE), 200);
	lease();
	clock_take_over();
	clock_advance_us(31LL * SECOND_US);
	lease_is_kept();
	ck_assert_int_eq(bed->platform->reclaims, 1);
}
END_TEST

START_TEST(call_end_without_uri_is_refused)
{
	as_bed_ask(bed, "/v1/call-end", ALICE);
	expect_error(404, ALICE " uses no SIP-URI");
}
END_TEST

START_TEST(a_lease_ends_at_its_limit)
{
	bed->platform->expires_s = 100;
	lease();
	clock_take_over();
	clock_advance_us(101LL * SECOND_US);
	as_bed_settle(bed, "none");
	ck_assert_int_eq(bed->platform->reclaims, 1);
}
END_TEST

START_TEST(a_uri_lent_anew_is_the_newer_leases)
{
	char body[] = "{\"uri\":\"sip:+8657110000001@ims.test\",\"password\":"
		      "\"pw-9\",\"lease_id\":9,\"expires_s\":60}";

	lease();
	bed->platform->lease =
		(struct fake_reply){ .status = 201, .body = body };
	as_bed_login(bed, BOB, "b0b");
	ck_assert_int_eq(as_bed_ask(bed, "/v1/sip-uri", BOB), 200);
	ck_assert_ptr_nonnull(
		strstr(bed->events, "as.bound as.login as.unbound as.bound "));
	ck_assert_uint_eq(bindings(), 1);
}
END_TEST

START_TEST(a_uri_of_an_older_lease_is_not_bound_to_two)
{
	char body[] = "{\"uri\":\"sip:+8657110000001@ims.test\",\"password\":"
		      "\"pw-9\",\"lease_id\":1,\"expires_s\":60}";

	lease();
	bed->platform->lease =
		(struct fake_reply){ .status = 201, .body = body };
	as_bed_login(bed, BOB, "b0b");
	as_bed_ask(bed, "/v1/sip-uri", BOB);
	expect_error(502, "which another number uses");
	as_bed_login(bed, ALICE, "s3cret");
	lease();
	ck_assert_str_eq(as_bed_field(bed, "password"), "pw-1");
}
END_TEST

START_TEST(a_binding_outlives_a_restart)
{
	lease();
	as_bed_stop(bed);
	as_bed_start(bed);
	lease();
	ck_assert_str_eq(as_bed_field(bed, "password"), "pw-1");
	ck_assert_int_eq(bed->platform->leases, 1);
}
END_TEST

START_TEST(a_request_under_way_is_resumed_after_a_restart)
{
	bed->platform->lease.is_lost = true;
	as_bed_ask(bed, "/v1/sip-uri", ALICE);
	expect_error(504, "has not answered yet");
	as_bed_stop(bed);
	bed->platform->lease.is_lost = false;
	as_bed_start(bed);
	as_bed_settle(bed, "bound");
	lease();
	ck_assert_int_eq(bed->platform->lent, 1);
}
END_TEST

START_TEST(a_lease_that_nobody_took_is_reclaimed_after_a_restart)
{
	bed->platform->lease.is_lost = true;
	as_bed_ask(bed, "/v1/sip-uri", ALICE);
	as_bed_stop(bed);
	bed->platform->lease.is_lost = false;
	as_bed_start(bed);
	as_bed_settle(bed, "bound");
	as_bed_ask(bed, "/v1/call-end", ALICE);
	clock_take_over();
	clock_advance_us(31LL * SECOND_US);
	as_bed_settle(bed, "none");
}
END_TEST

START_TEST(a_release_under_way_is_resumed_after_a_restart)
{
	lease();
	bed->platform->reclaim.is_silent = true;
	as_bed_ask(bed, "/v1/release", ALICE);
	as_bed_stop(bed);
	bed->platform->reclaim.is_silent = false;
	as_bed_start(bed);
	as_bed_settle(bed, "none");
	ck_assert_int_ge(bed->platform->reclaims, 2);
}
END_TEST

START_TEST(the_call_end_deadline_outlives_a_restart)
{
	lease();
	ck_assert_int_eq(as_bed_ask(bed, "/v1/call-end", ALICE), 200);
	as_bed_stop(bed);
	clock_take_over();
	clock_advance_us(31LL * SECOND_US);
	as_bed_start(bed);
	as_bed_settle(bed, "none");
	ck_assert_int_eq(bed->platform->reclaims, 1);
}
END_TEST

START_TEST(a_terminal_that_goes_away_breaks_nothing)
{
	bed->platform->lease.is_silent = true;
	as_bed_send(bed, "/v1/sip-uri", "{\"number\":\"" ALICE "\"}");
	as_bed_turns(bed, &bed->platform->leases, 1);
	as_bed_hang_up(bed);
	bed->platform->lease.is_silent = false;
	as_bed_settle(bed, "bound");
	lease();
	ck_assert_str_eq(as_bed_field(bed, "password"), "pw-1");
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {
		a_use_request_gives_what_registering_needs,
		the_platform_is_asked_with_an_empty_body,
		asking_twice_gives_the_same,
		asking_again_before_the_answer_makes_one_lease,
		two_numbers_have_two_uris,
		an_empty_pool_is_passed_on_with_retry_after,
		an_unreachable_platform_is_named_and_asked_again,
		release_gives_back_with_the_uri,
		release_is_answered_after_the_platform_has,
		release_can_be_repeated,
		a_reclaim_the_platform_refuses_is_tried_again,
		release_while_it_is_asked_for_ends_it,
		call_end_reclaims_when_the_time_is_over,
		call_end_repeated_does_not_begin_anew,
		release_cancels_the_call_end_timer,
		call_end_without_uri_is_refused,
		a_lease_ends_at_its_limit,
		a_uri_lent_anew_is_the_newer_leases,
		a_uri_of_an_older_lease_is_not_bound_to_two,
		a_binding_outlives_a_restart,
		a_request_under_way_is_resumed_after_a_restart,
		a_lease_that_nobody_took_is_reclaimed_after_a_restart,
		a_release_under_way_is_resumed_after_a_restart,
		the_call_end_deadline_outlives_a_restart,
		a_terminal_that_goes_away_breaks_nothing,
		NULL,
	};
	Suite *s = suite_create("as_binding");
	TCase *tc = tcase_create("binding");

	tcase_add_checked_fixture(tc, setup, teardown);
	for (size_t i = 0; tests[i]; i++)
		tcase_add_test(tc, tests[i]);
	tcase_add_loop_test(
		tc, no_lease_from_the_platform_leaves_nothing_half_bound, 0,
		sizeof(no_leases) / sizeof(*no_leases));
	tcase_add_loop_test(
		tc, a_lease_the_platform_has_ended_is_released_all_the_same, 0,
		2);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
