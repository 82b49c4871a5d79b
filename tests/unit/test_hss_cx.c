/* The HSS at its Cx edge: requests of a CSCF, answers, and what is on disk */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cx.h"
#include "common/digest.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "ims_core/hss/hss_core.h"
#include "tests/fake/hss_bed.h"
#include "tests/suite.h"

#include "ims_core/hss/hss_accounts.h"

#define ALICE "sip:alice@ims.test"

static struct {
	struct hss_bed bed;
	struct cx *cx;
	int answers, closed, changed, change_err, rtrs, won, lost;
	struct cx_result result;
	char server[128], ha1[2][DIGEST_HEX_LEN];
	char algorithms[64], profile[4096], rtr[256];
} t;

static void on_rtr(struct cx_req *req, const struct cx_rtr *rtr, void *arg)
{
	const struct cx_rta rta = { { CX_SUCCESS, false, NULL } };

	(void)arg;
	snprintf(t.rtr, sizeof(t.rtr), "%s %s %d", rtr->impi, rtr->impu,
		 (int)rtr->reason);
	t.rtrs++;
	cx_tx_rta(req, &rta);
}

static bool is_open(const void *arg)
{
	(void)arg;

	return cx_is_open(t.cx);
}

static void connect_cx(void)
{
	const struct cx_cfg cfg = { .address = t.bed.diameter,
				    .origin_host = "scscf.ims.test",
				    .origin_realm = "ims.test",
				    .destination_realm = "ims.test" };
	char *reason = NULL;

	ck_assert_msg(!cx_new(&t.cx, t.bed.peer, &cfg, &reason), "%s",
		      reason ? reason : "no reason");
	cx_on_rtr(t.cx, on_rtr, NULL);
	ck_assert(loop_run_until(t.bed.loop, is_open, NULL, PATIENCE_MS));
}

static void setup(void)
{
	memset(&t, 0, sizeof(t));
	hss_bed_setup(&t.bed, "scscf");
	hss_bed_open(&t.bed, "alice", "+8613800138000", "s3cret");
	connect_cx();
}

static void teardown(void)
{
	cx_free(t.cx);
	hss_bed_teardown(&t.bed);
}

/* --- requests, each until its answer --- */

static void keep_result(int err, const struct cx_result *result)
{
	ck_assert_int_eq(err, 0);
	t.result = *result;
	t.result.text = NULL;
	t.answers++;
}

static void keep_server(const char *name)
{
	snprintf(t.server, sizeof(t.server), "%s", name ? name : "");
}

static void on_uaa(int err, const struct cx_uaa *uaa, void *arg)
{
	(void)arg;
	keep_result(err, &uaa->result);
	keep_server(uaa->server_name);
}

static void on_maa(int err, const struct cx_maa *maa, void *arg)
{
	(void)arg;
	keep_result(err, &maa->result);
	t.algorithms[0] = '\0';
	for (size_t i = 0; i < maa->item_n; i++) {
		size_t n = strlen(t.algorithms);

		snprintf(t.ha1[i], sizeof(t.ha1[i]), "%s", maa->items[i].ha1);
		snprintf(t.algorithms + n, sizeof(t.algorithms) - n, "%s ",
			 maa->items[i].algorithm);
	}
}

static void on_saa(int err, const struct cx_saa *saa, void *arg)
{
	(void)arg;
	keep_result(err, &saa->result);
	snprintf(t.profile, sizeof(t.profile), "%s",
		 saa->user_data ? saa->user_data : "");
}

static void on_lia(int err, const struct cx_lia *lia, void *arg)
{
	(void)arg;
	keep_result(err, &lia->result);
	keep_server(lia->server_name);
}

static void wait_answers(int n)
{
	hss_bed_wait(&t.bed, &t.answers, n);
	t.answers = 0;
}

static void expect(uint32_t code, bool is_experimental)
{
	wait_answers(1);
	ck_assert_uint_eq(t.result.code, code);
	ck_assert_int_eq(t.result.is_experimental, is_experimental);
}

static void tx_uar(const char *user, enum cx_auth_type type)
{
	char impu[64];
	struct cx_uar uar = { user, impu, "ims.test", type };

	snprintf(impu, sizeof(impu), "sip:%s", user);
	cx_tx_uar(t.cx, &uar, on_uaa, NULL);
}

static void tx_mar(uint32_t item_n)
{
	const struct cx_mar mar = { "alice@ims.test", ALICE, "SIP Digest",
				    BED_SCSCF, item_n };

	cx_tx_mar(t.cx, &mar, on_maa, NULL);
}

static void tx_sar(enum cx_sat type)
{
	const struct cx_sar sar = { "alice@ims.test", ALICE, BED_SCSCF, type,
				    false };

	cx_tx_sar(t.cx, &sar, on_saa, NULL);
}

static void tx_lir(void)
{
	const struct cx_lir lir = { ALICE, false };

	cx_tx_lir(t.cx, &lir, on_lia, NULL);
}

static void register_alice(void)
{
	tx_mar(1);
	expect(CX_SUCCESS, false);
	tx_sar(CX_SAT_REGISTRATION);
	expect(CX_SUCCESS, false);
}

/* --- tests --- */

START_TEST(a_user_registers_and_deregisters)
{
	tx_uar("alice@ims.test", CX_REGISTRATION);
	expect(CX_FIRST_REGISTRATION, true);
	ck_assert_str_eq(t.server, BED_SCSCF);

	tx_mar(2);
	expect(CX_SUCCESS, false);
	ck_assert_str_eq(hss_bed_user(&t.bed, ALICE),
			 "NOT_REGISTERED, auth pending " BED_SCSCF);

	tx_uar("alice@ims.test", CX_REGISTRATION);
	expect(CX_SUBSEQUENT_REGISTRATION, true);

	tx_sar(CX_SAT_REGISTRATION);
	expect(CX_SUCCESS, false);
	ck_assert_ptr_nonnull(strstr(t.profile, "<Identity>" ALICE "<"));
	ck_assert_str_eq(hss_bed_user(&t.bed, ALICE), "REGISTERED " BED_SCSCF);

	tx_lir();
	expect(CX_SUCCESS, false);
	ck_assert_str_eq(t.server, BED_SCSCF);

	tx_sar(CX_USER_DEREGISTRATION);
	expect(CX_SUCCESS, false);
	ck_assert_str_eq(t.profile, "");
	ck_assert_str_eq(hss_bed_user(&t.bed, ALICE), "NOT_REGISTERED -");
	ck_assert_uint_eq(hss_bed_count(&t.bed, "hss.registration-state"), 3);
}
END_TEST

START_TEST(the_hashes_are_of_impi_realm_and_password)
{
	char md5[DIGEST_HEX_LEN], sha256[DIGEST_HEX_LEN];

	digest_ha1(md5, DIGEST_MD5, "alice@ims.test", "ims.test", "s3cret");
	digest_ha1(sha256, DIGEST_SHA256, "alice@ims.test", "ims.test",
		   "s3cret");
	tx_mar(2);
	expect(CX_SUCCESS, false);
	ck_assert_str_eq(t.algorithms, "SHA-256 MD5 ");
	ck_assert_str_eq(t.ha1[0], sha256);
	ck_assert_str_eq(t.ha1[1], md5);
	tx_mar(1);
	expect(CX_SUCCESS, false);
	ck_assert_str_eq(t.algorithms, "MD5 ");
	ck_assert_str_eq(t.ha1[0], md5);
}
END_TEST

START_TEST(strangers_and_borrowed_identities_are_refused)
{
	const struct cx_uar uar = { "bob@ims.test", ALICE, "ims.test",
				    CX_REGISTRATION };

	tx_uar("bob@ims.test", CX_REGISTRATION);
	expect(CX_ERROR_USER_UNKNOWN, true);
	cx_tx_uar(t.cx, &uar, on_uaa, NULL);
	expect(CX_ERROR_USER_UNKNOWN, true);
	hss_bed_open(&t.bed, "bob", "+8613800138001", "x");
	cx_tx_uar(t.cx, &uar, on_uaa, NULL);
	expect(CX_ERROR_IDENTITIES_DONT_MATCH, true);
	tx_uar("' OR 1=1 --@ims.test", CX_REGISTRATION);
	expect(CX_ERROR_USER_UNKNOWN, true);
	tx_uar("alice@ims.test", CX_DE_REGISTRATION);
	expect(CX_ERROR_IDENTITY_NOT_REGISTERED, true);
	tx_lir();
	expect(CX_ERROR_IDENTITY_NOT_REGISTERED, true);
}
END_TEST

START_TEST(an_assignment_without_public_identity_goes_by_the_private_one)
{
	const struct cx_sar sar = { "alice@ims.test", NULL, BED_SCSCF,
				    CX_USER_DEREGISTRATION, false };

	register_alice();
	cx_tx_sar(t.cx, &sar, on_saa, NULL);
	expect(CX_SUCCESS, false);
	ck_assert_str_eq(hss_bed_user(&t.bed, ALICE), "NOT_REGISTERED -");
}
END_TEST

START_TEST(a_registration_outlives_a_restart)
{
	register_alice();
	cx_free(t.cx);
	hss_bed_restart(&t.bed);
	connect_cx();
	tx_lir();
	expect(CX_SUCCESS, false);
	ck_assert_str_eq(t.server, BED_SCSCF);
}
END_TEST

static void on_race(int err, const struct cx_saa *saa, void *arg)
{
	(void)arg;
	keep_result(err, &saa->result);
	if (!saa->result.is_experimental)
		t.won++;
	else if (saa->result.code == CX_ERROR_IDENTITY_ALREADY_REGISTERED)
		t.lost++;
}

/* both are read before either is written */
START_TEST(of_two_s_cscfs_that_take_a_user_at_once_one_wins)
{
	struct cx_sar sar = { "alice@ims.test", ALICE, BED_SCSCF,
			      CX_SAT_REGISTRATION, false };

	cx_tx_sar(t.cx, &sar, on_race, NULL);
	sar.server_name = "sip:other.ims.test";
	cx_tx_sar(t.cx, &sar, on_race, NULL);
	wait_answers(2);
	ck_assert_int_eq(t.won, 1);
	ck_assert_int_eq(t.lost, 1);
	ck_assert_str_eq(hss_bed_user(&t.bed, ALICE), "REGISTERED " BED_SCSCF);
	ck_assert_uint_eq(hss_bed_count(&t.bed, "hss.registration-state"), 1);
}
END_TEST

START_TEST(many_requests_that_cross_are_all_answered)
{
	enum { ROUNDS = 8 };

	register_alice();
	for (int i = 0; i < ROUNDS; i++) {
		tx_sar(CX_USER_DEREGISTRATION);
		tx_mar(1);
		tx_sar(CX_SAT_REGISTRATION);
	}
	wait_answers(3 * ROUNDS);
}
END_TEST

START_TEST(an_hss_that_ends_with_requests_waiting_leaves_nothing)
{
	tx_mar(1);
	/* whether the request is there yet or not: both must be clean */
	for (int i = 0; i < 3; i++)
		(void)loop_run_until(t.bed.loop, is_open, NULL, 0);
	t.bed.hss = hss_free(t.bed.hss);
	cx_forget(t.cx, NULL);
}
END_TEST

static void on_closed(int err, struct hss_batch *batch, void *arg)
{
	(void)arg;
	ck_assert_int_eq(err, 0);
	ck_assert_str_eq(batch->v[0].status, "closed");
	t.closed++;
}

START_TEST(closing_a_registered_account_deregisters_it_at_the_s_cscf)
{
	struct hss_batch *batch;

	register_alice();
	batch = hss_batch_new(t.bed.hss);
	hss_batch_add(batch)->uri = xstrdup(ALICE);
	hss_accounts_close(batch, on_closed, NULL);
	hss_bed_wait(&t.bed, &t.closed, 1);
	ck_assert_int_eq(t.rtrs, 1);
	ck_assert_str_eq(t.rtr, "alice@ims.test " ALICE " 0");
	tx_lir();
	expect(CX_ERROR_USER_UNKNOWN, true);
}
END_TEST

static void on_changed(int err, struct hss_batch *batch, void *arg)
{
	(void)arg;
	t.change_err = err;
	ck_assert_str_eq(batch->v[0].status, "changed");
	t.changed++;
}

static bool never(const void *arg)
{
	(void)arg;

	return false;
}

static void change_password(const char *password)
{
	struct hss_batch *batch = hss_batch_new(t.bed.hss);
	struct hss_account *a = hss_batch_add(batch);

	a->uri = xstrdup(ALICE);
	a->password = xstrdup(password);
	t.changed = 0;
	hss_accounts_change(batch, on_changed, NULL);
	hss_bed_wait(&t.bed, &t.changed, 1);
}

START_TEST(a_changed_password_puts_out_who_is_registered)
{
	register_alice();
	change_password("n3w");
	ck_assert_int_eq(t.change_err, 0);
	ck_assert_int_eq(t.rtrs, 1);
	ck_assert_str_eq(hss_bed_user(&t.bed, ALICE), "NOT_REGISTERED -");
	/* nobody has the user by now */
	change_password("n3wer");
	ck_assert_int_eq(t.rtrs, 1);
}
END_TEST

START_TEST(a_changed_password_ends_a_challenge_that_is_pending)
{
	tx_mar(1);
	expect(CX_SUCCESS, false);
	change_password("n3w");
	ck_assert_int_eq(t.rtrs, 1);
	ck_assert_str_eq(hss_bed_user(&t.bed, ALICE), "NOT_REGISTERED -");
}
END_TEST

START_TEST(an_s_cscf_that_is_gone_is_told_when_it_is_back)
{
	register_alice();
	t.cx = cx_free(t.cx);
	for (int i = 0; i < 20; i++)
		(void)loop_run_until(t.bed.loop, never, NULL, 1);
	change_password("n3w");
	ck_assert_int_eq(t.change_err, ENOTCONN);
	ck_assert_str_eq(hss_bed_user(&t.bed, ALICE), "REGISTERED " BED_SCSCF);
	connect_cx();
	change_password("n3w");
	ck_assert_int_eq(t.change_err, 0);
	ck_assert_int_eq(t.rtrs, 1);
	ck_assert_str_eq(hss_bed_user(&t.bed, ALICE), "NOT_REGISTERED -");
}
END_TEST

START_TEST(a_port_in_use_is_named)
{
	struct hss_cfg cfg = { .diameter = t.bed.diameter,
			       .soap = "127.0.0.1:0",
			       .store = "memory",
			       .realm = "ims.test",
			       .cert = hss_bed_cert(&t.bed, "hss"),
			       .ca = t.bed.ca,
			       .scscf = BED_SCSCF };
	struct hss *second = NULL;
	char *reason = NULL;

	ck_assert_int_ne(hss_new(&second, t.bed.peer, &cfg, &reason), 0);
	ck_assert_ptr_null(second);
	ck_assert_msg(strstr(reason, t.bed.diameter) != NULL, "%s", reason);
	free(reason);

	cfg.scscf = NULL;
	ck_assert_int_ne(hss_new(&second, t.bed.peer, &cfg, &reason), 0);
	ck_assert_str_eq(reason, "--scscf is missing; see --help");
	free(reason);
}
END_TEST

START_TEST(an_as_that_is_named_twice_is_refused)
{
	const struct hss_cfg cfg = {
		.diameter = "127.0.0.1:0",
		.soap = "127.0.0.1:0",
		.store = "memory",
		.realm = "ims.test",
		.cert = hss_bed_cert(&t.bed, "hss"),
		.ca = t.bed.ca,
		.scscf = BED_SCSCF,
		.appservers = { { "sip:a:1", "sip:b:1", "sip:a:1" }, 3 },
	};
	struct hss *second = NULL;
	char *reason = NULL;

	ck_assert_int_eq(hss_new(&second, t.bed.peer, &cfg, &reason), EINVAL);
	ck_assert_str_eq(reason, "--appserver sip:a:1 is given twice: name "
				 "each AS once");
	free(reason);
}
END_TEST

static Suite *hss_cx_suite(void)
{
	Suite *s = suite_create("hss_cx");
	TCase *tc = tcase_create("procedures over Cx");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_user_registers_and_deregisters);
	tcase_add_test(tc, the_hashes_are_of_impi_realm_and_password);
	tcase_add_test(tc, strangers_and_borrowed_identities_are_refused);
	tcase_add_test(
		tc,
		an_assignment_without_public_identity_goes_by_the_private_one);
	tcase_add_test(
		tc, closing_a_registered_account_deregisters_it_at_the_s_cscf);
	tcase_add_test(tc, a_changed_password_puts_out_who_is_registered);
	tcase_add_test(tc, a_changed_password_ends_a_challenge_that_is_pending);
	tcase_add_test(tc, an_s_cscf_that_is_gone_is_told_when_it_is_back);
	suite_add_tcase(s, tc);

	tc = tcase_create("what lasts");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_registration_outlives_a_restart);
	tcase_add_test(tc, of_two_s_cscfs_that_take_a_user_at_once_one_wins);
	tcase_add_test(tc, many_requests_that_cross_are_all_answered);
	tcase_add_test(tc,
		       an_hss_that_ends_with_requests_waiting_leaves_nothing);
	tcase_add_test(tc, a_port_in_use_is_named);
	tcase_add_test(tc, an_as_that_is_named_twice_is_refused);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(hss_cx_suite)
