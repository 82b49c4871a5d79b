/* Several AS in the way of one call: which of them acts for whom, and what it
 * tells the next one in P-Charging-Vector (appserver_chain.c) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appserver/appserver_core.h"
#include "common/mem.h"
#include "tests/fake/as_bed.h"
#include "tests/fake/fake_peer.h"
#include "tests/suite.h"

#define URI "sip:+8657110000001@ims.test"   /* Alice's, while she has one */
#define OTHER "sip:+8657110000002@ims.test" /* another AS's, or nobody's */
#define CHARGED "icid-value=\"abc\";charged-by=\"127.1.2.1:5060\""
#define PASSED "icid-value=\"abc\";passed-by=\"127.1.2.1:5060\""
#define UNMARKED "icid-value=\"abc\""

static struct {
	struct as_bed *bed;
	struct fake_peer *near, *far; /* both are the S-CSCF's */
	char *invite;                 /* as the far side got it */
	int branch;
} t;

static void start(const char *chain)
{
	memset(&t, 0, sizeof(t));
	t.bed = as_bed_new();
	t.bed->chain = chain;
	as_bed_stop(t.bed);
	as_bed_start(t.bed);
	t.near = fake_peer_new(t.bed->loop, FAKE_UDP);
	t.far = fake_peer_new(t.bed->loop, FAKE_UDP);
	as_bed_login(t.bed, ALICE, "s3cret");
	ck_assert_int_eq(as_bed_ask(t.bed, "/v1/sip-uri", ALICE), 200);
}

static void setup_first(void)
{
	start("first");
}

static void setup_last(void)
{
	start("last");
}

static void teardown(void)
{
	free(t.invite);
	fake_peer_free(t.near);
	fake_peer_free(t.far);
	as_bed_free(t.bed);
}

static void tx_invite(const char *caller, const char *to, const char *vector)
{
	char *line = vector ? xasprintf("P-Charging-Vector: %s\n", vector)
			    : xstrdup("");
	char *text =
		xasprintf("INVITE %s SIP/2.0\n"
			  "Via: SIP/2.0/UDP %s;branch=z9hG4bK-i%d\n"
			  "Route: <sip:%s;lr>, <sip:%s;lr;odi=77>\n"
			  "Max-Forwards: 66\n"
			  "From: \"The Bank\" <%s>;tag=near\n"
			  "To: <%s>\nCall-ID: c1\nCSeq: 1 INVITE\n"
			  "Contact: <sip:alice@%s>\n"
			  "P-Asserted-Identity: <%s>\n%s\n",
			  to, fake_peer_addr(t.near), ++t.branch,
			  as_sip_addr(t.bed->as), fake_peer_addr(t.far), caller,
			  to, fake_peer_addr(t.near), caller, line);

	fake_peer_tx(t.near, as_sip_addr(t.bed->as), text);
	free(text);
	free(line);
}

static void invite(const char *caller, const char *to, const char *vector)
{
	tx_invite(caller, to, vector);
	xstrset(&t.invite, fake_peer_expect(t.far, "INVITE"));
}

static void expect_target(const char *uri)
{
	char *line = xasprintf("INVITE %s SIP/2.0", uri);

	ck_assert_msg(!strncmp(t.invite, line, strlen(line)), "%s", t.invite);
	free(line);
}

/* The far side refuses, and the near side is told */
static void refuse(void)
{
	fake_peer_reply(t.far, 486, "");
	fake_peer_expect(t.far, "ACK");
	fake_peer_expect_status(t.near, 486);
}

static const char *cdr_text(const char *field)
{
	const char *text =
		json_string_value(json_object_get(t.bed->cdr, field));

	return text ? text : "";
}

static void expect_record(const char *role, const char *number,
			  const char *callee)
{
	as_bed_turns(t.bed, &t.bed->cdrs, 1);
	ck_assert_str_eq(cdr_text("role"), role);
	ck_assert_str_eq(cdr_text("icid"), "abc");
	ck_assert_str_eq(cdr_text("number"), number);
	ck_assert_str_eq(cdr_text("callee_number"), callee);
}

static void expect_mark(const char *before, const char *mark)
{
	char *vector =
		xasprintf("%s%s\"%s\"", before, mark, as_sip_addr(t.bed->as));

	ck_assert_str_eq(fake_header(t.invite, "P-Charging-Vector", 0), vector);
	free(vector);
}

static void expect_from(const char *from)
{
	ck_assert_msg(
		!strncmp(fake_header(t.invite, "From", 0), from, strlen(from)),
		"%s", t.invite);
}

/* No record, no event about the number: as if this AS were not there */
static void expect_passed(const char *uri)
{
	expect_target(uri);
	expect_from("\"The Bank\" <" OTHER ">");
	refuse();
	as_bed_settle(t.bed, "bound");
	ck_assert_int_eq(t.bed->cdrs, 0);
	ck_assert_ptr_null(strstr(t.bed->events, "as.number-"));
}

/* --- its own caller --- */

START_TEST(its_own_caller_is_checked_charged_and_marked)
{
	invite(URI, OTHER, UNMARKED);
	expect_from("\"" ALICE "\" <" URI ">");
	expect_mark(UNMARKED, ";charged-by=");
	refuse();
	expect_record("originating", ALICE, "");
}
END_TEST

/* A foreign network may send none: then the mark needs one all the same */
START_TEST(a_call_without_a_charging_vector_is_marked_too)
{
	invite(URI, OTHER, NULL);
	ck_assert_ptr_nonnull(strstr(
		fake_header(t.invite, "P-Charging-Vector", 0), ";charged-by="));
}
END_TEST

/* The one who follows may have it bound */
START_TEST(the_first_passes_on_a_number_that_it_does_not_know)
{
	invite(URI, "tel:" BOB, UNMARKED);
	expect_target("tel:" BOB);
	refuse();
	expect_record("originating", ALICE, BOB);
	ck_assert_str_eq(cdr_text("callee_uri"), "tel:" BOB);
}
END_TEST

START_TEST(the_last_makes_an_unknown_number_an_account)
{
	invite(URI, "tel:" BOB, UNMARKED);
	expect_target("sip:" BOB "@ims.test");
}
END_TEST

/* --- another AS's caller --- */

START_TEST(the_first_passes_on_a_caller_that_it_does_not_know)
{
	invite(OTHER, "sip:bob@ims.test", UNMARKED);
	expect_mark(UNMARKED, ";passed-by=");
	expect_passed("sip:bob@ims.test");
}
END_TEST

/* ... and an unknown number with it */
START_TEST(the_first_passes_on_both_as_they_came)
{
	invite(OTHER, "tel:" BOB, UNMARKED);
	expect_passed("tel:" BOB);
}
END_TEST

/* A SIP-URI that it has leased is no account of its own, whoever has it now */
START_TEST(the_first_vouches_for_no_uri_that_it_has_leased)
{
	ck_assert_int_eq(as_bed_ask(t.bed, "/v1/release", ALICE), 200);
	invite(URI, "sip:bob@ims.test", UNMARKED);
	ck_assert_str_eq(fake_header(t.invite, "P-Charging-Vector", 0),
			 UNMARKED);
}
END_TEST

START_TEST(the_last_passes_on_a_caller_whom_another_charges)
{
	invite(OTHER, "sip:bob@ims.test", CHARGED);
	ck_assert_str_eq(fake_header(t.invite, "P-Charging-Vector", 0),
			 CHARGED);
	expect_passed("sip:bob@ims.test");
}
END_TEST

START_TEST(the_last_serves_an_account_that_the_first_does_not_know)
{
	invite(OTHER, "sip:bob@ims.test", PASSED);
	expect_from("\"+8657110000002\" <" OTHER ">");
	refuse();
	expect_record("originating", "+8657110000002", "");
}
END_TEST

static const char *const unclear[] = { UNMARKED,
				       NULL,
				       "icid-value=\"abc;charged-by=x",
				       "icid-value=\";charged-by=x;\"",
				       ";;;\"\\",
				       "charged-byx=\"y\"" };

/* The first AS is not there: nobody knows whom to charge */
START_TEST(the_last_refuses_a_caller_that_nobody_has_looked_at)
{
	tx_invite(OTHER, "sip:bob@ims.test", unclear[_i]);
	fake_peer_expect_status(t.near, 403);
	ck_assert_int_eq(fake_peer_pending(t.far), 0);
	ck_assert_ptr_null(t.bed->as->calls);
}
END_TEST

/* --- its own callee --- */

START_TEST(the_callee_of_another_as_s_caller_is_found_and_recorded)
{
	invite(OTHER, "tel:" ALICE, CHARGED);
	expect_target(URI);
	expect_from("\"The Bank\" <" OTHER ">");
	refuse();
	expect_record("terminating", "", ALICE);
	ck_assert_str_eq(cdr_text("callee_uri"), URI);
	ck_assert_str_eq(cdr_text("uri"), OTHER);
	ck_assert_ptr_null(strstr(t.bed->events, "as.number-"));
}
END_TEST

/* Its lease is this AS's to end, and so is the call under it */
START_TEST(the_end_of_the_callees_lease_ends_the_call)
{
	invite(OTHER, "tel:" ALICE, CHARGED);
	ck_assert_int_eq(as_bed_ask(t.bed, "/v1/release", ALICE), 200);
	fake_peer_expect_status(t.near, 480);
	expect_record("terminating", "", ALICE);
	ck_assert_str_eq(cdr_text("cause"), "lease-ended");
}
END_TEST

/* The record says so after a restart as well */
START_TEST(a_terminating_record_outlives_the_server)
{
	invite(OTHER, "tel:" ALICE, CHARGED);
	as_bed_stop(t.bed);
	as_bed_start(t.bed);
	expect_record("terminating", "", ALICE);
	ck_assert_str_eq(cdr_text("cause"), "as-restart");
}
END_TEST

static void add_both(TCase *tc)
{
	tcase_add_test(tc, its_own_caller_is_checked_charged_and_marked);
	tcase_add_test(tc, a_call_without_a_charging_vector_is_marked_too);
	tcase_add_test(tc,
		       the_callee_of_another_as_s_caller_is_found_and_recorded);
	tcase_add_test(tc, the_end_of_the_callees_lease_ends_the_call);
	tcase_add_test(tc, a_terminating_record_outlives_the_server);
}

static Suite *suite(void)
{
	Suite *s = suite_create("as_chain");
	TCase *tc = tcase_create("the first");

	tcase_add_checked_fixture(tc, setup_first, teardown);
	add_both(tc);
	tcase_add_test(tc, the_first_passes_on_a_number_that_it_does_not_know);
	tcase_add_test(tc, the_first_passes_on_a_caller_that_it_does_not_know);
	tcase_add_test(tc, the_first_passes_on_both_as_they_came);
	tcase_add_test(tc, the_first_vouches_for_no_uri_that_it_has_leased);
	suite_add_tcase(s, tc);

	tc = tcase_create("the last");
	tcase_add_checked_fixture(tc, setup_last, teardown);
	add_both(tc);
	tcase_add_test(tc, the_last_makes_an_unknown_number_an_account);
	tcase_add_test(tc, the_last_passes_on_a_caller_whom_another_charges);
	tcase_add_test(tc,
		       the_last_serves_an_account_that_the_first_does_not_know);
	tcase_add_loop_test(tc,
			    the_last_refuses_a_caller_that_nobody_has_looked_at,
			    0, sizeof(unclear) / sizeof(*unclear));
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
