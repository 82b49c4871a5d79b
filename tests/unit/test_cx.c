#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/cx.h"
#include "common/element.h"
#include "common/hold.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "tests/fake/fake_hss.h"
#include "tests/suite.h"

enum { BOUND_MS = 2000 };

/* One S-CSCF and one HSS on one loop */
static struct {
	struct loop *loop;
	struct element *scscf, *hss_el;
	struct fake_hss *hss;
	struct cx *cx;
	int states, answers, err;
	bool is_open;
	struct cx_result result;
	char text[512];
	size_t item_n, cap_n;
	struct cx_req *rtr;
	int rtrs;
} t;

static void on_state(bool is_open, void *arg)
{
	(void)arg;
	t.states++;
	t.is_open = is_open;
}

static void on_rtr(struct cx_req *req, const struct cx_rtr *rtr, void *arg)
{
	(void)arg;
	t.rtrs++;
	t.rtr = req;
	(void)snprintf(t.text, sizeof(t.text), "%s %s %d %s", rtr->impi,
		       rtr->impu, rtr->reason,
		       rtr->reason_info ? rtr->reason_info : "-");
}

static struct cx *connect_to(const char *address, const char *bind)
{
	const struct cx_cfg cfg = { .address = address,
				    .bind = bind,
				    .origin_host = "scscf.ims.test",
				    .origin_realm = "ims.test",
				    .destination_realm = "ims.test" };
	struct cx *cx = NULL;
	char *reason = NULL;

	ck_assert_int_eq(cx_new(&cx, t.scscf, &cfg, &reason), 0);
	cx_on_state(cx, on_state, NULL);
	cx_on_rtr(cx, on_rtr, NULL);

	return cx;
}

static bool is_open(const void *arg)
{
	(void)arg;

	return t.cx && cx_is_open(t.cx);
}

static bool is_closed(const void *arg)
{
	return !is_open(arg);
}

static bool has_answer(const void *arg)
{
	return t.answers >= *(const int *)arg;
}

static bool has_uar(const void *arg)
{
	(void)arg;

	return t.hss->uar_n > 0;
}

static bool is_twice_told(const void *arg)
{
	(void)arg;

	return t.states == 2;
}

static void setup_alone(void)
{
	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.scscf = element_new_on(t.loop, "scscf");
	t.hss_el = element_new_on(t.loop, "hss");
}

static void setup(void)
{
	setup_alone();
	t.hss = fake_hss_new(t.hss_el);
	t.cx = connect_to(fake_hss_addr(t.hss), NULL);
	ck_assert(loop_run_until(t.loop, is_open, NULL, BOUND_MS));
}

static void teardown(void)
{
	t.cx = cx_free(t.cx);
	fake_hss_free(t.hss);
	element_free(t.scscf);
	element_free(t.hss_el);
	loop_free(t.loop);
}

static void expect_answers(int n)
{
	ck_assert(loop_run_until(t.loop, has_answer, &n, BOUND_MS));
	ck_assert_int_eq(t.answers, n);
}

static void on_uaa(int err, const struct cx_uaa *uaa, void *arg)
{
	(void)arg;
	t.answers++;
	t.err = err;
	if (!uaa)
		return;
	t.result = uaa->result;
	t.cap_n = uaa->cap_n;
	(void)snprintf(t.text, sizeof(t.text), "%s %s",
		       uaa->server_name ? uaa->server_name : "-",
		       uaa->result.text ? uaa->result.text : "-");
}

static void on_maa(int err, const struct cx_maa *maa, void *arg)
{
	(void)arg;
	t.answers++;
	t.err = err;
	ck_assert_ptr_nonnull(maa);
	t.result = maa->result;
	t.item_n = maa->item_n;
	(void)snprintf(t.text, sizeof(t.text), "%s %s %s %s %s %s", maa->impi,
		       maa->items[0].scheme, maa->items[0].realm,
		       maa->items[0].algorithm, maa->items[0].qop,
		       maa->items[0].ha1);
}

static void on_saa(int err, const struct cx_saa *saa, void *arg)
{
	(void)arg;
	t.answers++;
	t.err = err;
	if (!saa)
		return;
	t.result = saa->result;
	if (saa->user_data)
		ck_assert_uint_eq(strlen(saa->user_data), saa->user_data_len);
	(void)snprintf(t.text, sizeof(t.text), "%s %.20s", saa->impi,
		       saa->user_data ? saa->user_data : "-");
}

static void on_lia(int err, const struct cx_lia *lia, void *arg)
{
	(void)arg;
	t.answers++;
	t.err = err;
	ck_assert_ptr_nonnull(lia);
	t.result = lia->result;
	(void)snprintf(t.text, sizeof(t.text), "%s", lia->server_name);
}

static const struct cx_uar uar = { .impi = "a@ims.test",
				   .impu = "sip:a@ims.test",
				   .visited_network = "ims.test" };
static const struct cx_sar sar = { .impi = "a@ims.test",
				   .impu = "sip:a@ims.test",
				   .server_name = "sip:s1.ims.test:5060",
				   .type = CX_SAT_REGISTRATION,
				   .has_user_data = true };

/* TS 29.228 6.1.1 */
START_TEST(uar_carries_its_fields_and_its_answer_comes_back)
{
	struct cx_uar de = uar;

	de.type = CX_DE_REGISTRATION;
	cx_tx_uar(t.cx, &de, on_uaa, NULL);
	ck_assert_int_eq(t.answers, 0); /* never before the call returns */
	expect_answers(1);
	ck_assert_int_eq(t.err, 0);
	ck_assert_int_eq(t.hss->uar_n, 1);
	ck_assert_str_eq(t.hss->seen.impi, "a@ims.test");
	ck_assert_str_eq(t.hss->seen.impu, "sip:a@ims.test");
	ck_assert_str_eq(t.hss->seen.visited_network, "ims.test");
	ck_assert_int_eq(t.hss->seen.auth_type, CX_DE_REGISTRATION);
	ck_assert_uint_eq(t.result.code, CX_FIRST_REGISTRATION);
	ck_assert(t.result.is_experimental);
	ck_assert_str_eq(t.text, "sip:scscf.ims.test -");
	ck_assert_str_eq(cx_result_name(&t.result), "FIRST_REGISTRATION");
}
END_TEST

START_TEST(uaa_without_a_server_name_gives_capabilities)
{
	t.hss->uaa.server_name = NULL;
	t.hss->uaa.cap_n = 2;
	t.hss->uaa.mandatory_caps[0] = 7;
	t.hss->uaa.mandatory_caps[1] = 9;
	cx_tx_uar(t.cx, &uar, on_uaa, NULL);
	expect_answers(1);
	ck_assert_uint_eq(t.cap_n, 2);
	ck_assert_str_eq(t.text, "- -");
}
END_TEST

START_TEST(refusal_is_data_and_not_an_error)
{
	t.hss->uaa = (struct cx_uaa){ .result = { .code = CX_ERROR_USER_UNKNOWN,
						  .is_experimental = true,
						  .text = "no such user" } };
	cx_tx_uar(t.cx, &uar, on_uaa, NULL);
	expect_answers(1);
	ck_assert_int_eq(t.err, 0);
	ck_assert_uint_eq(t.result.code, CX_ERROR_USER_UNKNOWN);
	ck_assert_str_eq(t.text, "- no such user");
	ck_assert_str_eq(cx_result_name(&t.result), "ERROR_USER_UNKNOWN");
}
END_TEST

/* TS 29.228 6.3 */
START_TEST(mar_is_answered_with_the_digest_of_the_user)
{
	const struct cx_mar mar = { .impi = "a@ims.test",
				    .impu = "sip:a@ims.test",
				    .scheme = "SIP Digest",
				    .server_name = "sip:s1.ims.test:5060" };

	fake_hss_set_digest(t.hss, "ims.test", "SHA-256", "0123");
	t.hss->maa.item_n = 2;
	t.hss->maa.items[1] = t.hss->maa.items[0];
	cx_tx_mar(t.cx, &mar, on_maa, NULL);
	expect_answers(1);
	ck_assert_uint_eq(t.hss->seen.item_n, 1);
	ck_assert_str_eq(t.hss->seen.scheme, "SIP Digest");
	ck_assert_str_eq(t.hss->seen.server_name, "sip:s1.ims.test:5060");
	ck_assert_uint_eq(t.item_n, 2);
	ck_assert_str_eq(t.text,
			 "a@ims.test SIP Digest ims.test SHA-256 auth 0123");
}
END_TEST

START_TEST(sar_brings_the_profile)
{
	cx_tx_sar(t.cx, &sar, on_saa, NULL);
	expect_answers(1);
	ck_assert_int_eq(t.hss->seen.sat, CX_SAT_REGISTRATION);
	ck_assert(t.hss->seen.has_user_data);
	ck_assert_str_eq(t.text, "a@ims.test <?xml version=\"1.0\" ");
}
END_TEST

START_TEST(answer_too_long_for_a_message_becomes_unable_to_comply)
{
	enum { TOO_MUCH = 70000 };
	char *xml = xcalloc(1, TOO_MUCH + 1);

	memset(xml, 'x', TOO_MUCH);
	t.hss->saa.user_data = xml;
	t.hss->saa.user_data_len = TOO_MUCH;
	cx_tx_sar(t.cx, &sar, on_saa, NULL);
	expect_answers(1);
	free(xml);
	ck_assert_int_eq(t.err, 0);
	ck_assert_uint_eq(t.result.code, CX_UNABLE_TO_COMPLY);
}
END_TEST

START_TEST(request_too_long_for_a_message_fails_and_the_link_lives)
{
	enum { TOO_MUCH = 70000 };
	char *impu = xcalloc(1, TOO_MUCH + 1);
	struct cx_uar big = uar;

	memset(impu, 'x', TOO_MUCH);
	big.impu = impu;
	cx_tx_uar(t.cx, &big, on_uaa, NULL);
	expect_answers(1);
	free(impu);
	ck_assert_int_eq(t.err, EBADMSG);
	cx_tx_uar(t.cx, &uar, on_uaa, NULL);
	expect_answers(2);
	ck_assert_int_eq(t.err, 0);
}
END_TEST

/* TS 29.228 6.1.4 */
START_TEST(lir_asks_for_either_direction)
{
	struct cx_lir lir = { .impu = "sip:a@ims.test",
			      .is_originating = true };

	cx_tx_lir(t.cx, &lir, on_lia, NULL);
	expect_answers(1);
	ck_assert(t.hss->seen.is_originating);
	ck_assert_str_eq(t.text, "sip:scscf.ims.test");
	lir.is_originating = false;
	cx_tx_lir(t.cx, &lir, on_lia, NULL);
	expect_answers(2);
	ck_assert(!t.hss->seen.is_originating);
}
END_TEST

START_TEST(text_that_is_no_utf8_is_refused_by_the_server)
{
	struct cx_uar bad = uar;

	bad.impu = "sip:a\xff@ims.test";
	cx_tx_uar(t.cx, &bad, on_uaa, NULL);
	expect_answers(1);
	ck_assert_int_eq(t.err, 0);
	ck_assert_uint_eq(t.result.code, 5004);
	ck_assert_int_eq(t.hss->uar_n, 0);
	bad.impu = "sip:a@ims.test\r\nVia: x";
	cx_tx_uar(t.cx, &bad, on_uaa, NULL);
	expect_answers(2);
	ck_assert_uint_eq(t.result.code, 5004);
	ck_assert_int_eq(t.hss->uar_n, 0);
}
END_TEST

START_TEST(request_without_a_mandatory_field_is_refused_by_the_server)
{
	struct cx_uar bad = uar;

	bad.visited_network = NULL;
	cx_tx_uar(t.cx, &bad, on_uaa, NULL);
	expect_answers(1);
	ck_assert_uint_eq(t.result.code, CX_MISSING_AVP);
	ck_assert_ptr_nonnull(strstr(t.text, "Visited-Network-Identifier"));
	ck_assert_int_eq(t.hss->uar_n, 0);
}
END_TEST

/* TS 29.228 6.1.3: the S-CSCF is known by the name in its SAR */
static void rtr_to(const char *server_name)
{
	t.hss->lia.server_name = server_name;
	fake_hss_rtr(t.hss, "a@ims.test", "sip:a@ims.test",
		     CX_NEW_SERVER_ASSIGNED);
}

static bool has_rtr(const void *arg)
{
	(void)arg;

	return t.rtrs > 0;
}

static bool has_rta(const void *arg)
{
	(void)arg;

	return t.hss->rta_n > 0;
}

START_TEST(rtr_goes_to_the_peer_that_named_itself)
{
	const struct cx_rta ok = { { .code = CX_SUCCESS } };

	cx_tx_sar(t.cx, &sar, on_saa, NULL);
	expect_answers(1);
	rtr_to("sip:s1.ims.test:5060");
	ck_assert(loop_run_until(t.loop, has_rtr, NULL, BOUND_MS));
	ck_assert_str_eq(t.text, "a@ims.test sip:a@ims.test 1 -");
	cx_tx_rta(t.rtr, &ok);
	ck_assert(loop_run_until(t.loop, has_rta, NULL, BOUND_MS));
	ck_assert_int_eq(t.hss->rta_err, 0);
	ck_assert_uint_eq(t.hss->rta.code, CX_SUCCESS);
}
END_TEST

START_TEST(rtr_goes_to_the_host_of_the_name_before_anyone_named_itself)
{
	rtr_to("sip:scscf.ims.test:5060");
	ck_assert(loop_run_until(t.loop, has_rtr, NULL, BOUND_MS));
}
END_TEST

START_TEST(rtr_for_a_name_that_no_peer_serves_gives_enotconn)
{
	rtr_to("sip:other.ims.test");
	ck_assert_int_eq(t.hss->rta_n, 0);
	ck_assert(loop_run_until(t.loop, has_rta, NULL, BOUND_MS));
	ck_assert_int_eq(t.hss->rta_err, ENOTCONN);
}
END_TEST

START_TEST(rtr_to_a_client_that_takes_none_gets_unable_to_comply)
{
	cx_on_rtr(t.cx, NULL, NULL);
	rtr_to("sip:scscf.ims.test");
	ck_assert(loop_run_until(t.loop, has_rta, NULL, BOUND_MS));
	ck_assert_uint_eq(t.hss->rta.code, CX_UNABLE_TO_COMPLY);
}
END_TEST

START_TEST(rtr_that_is_never_answered_times_out)
{
	clock_take_over();
	rtr_to("sip:scscf.ims.test");
	ck_assert(loop_run_until(t.loop, has_rtr, NULL, BOUND_MS));
	clock_advance_us(timer_value_ms(TIMER_CX_ANSWER) * 1000);
	ck_assert(loop_run_until(t.loop, has_rta, NULL, BOUND_MS));
	ck_assert_int_eq(t.hss->rta_err, ETIMEDOUT);
}
END_TEST

START_TEST(rtr_pending_when_the_peer_dies_gives_enotconn)
{
	rtr_to("sip:scscf.ims.test");
	ck_assert(loop_run_until(t.loop, has_rtr, NULL, BOUND_MS));
	t.cx = cx_free(t.cx);
	ck_assert(loop_run_until(t.loop, has_rta, NULL, BOUND_MS));
	ck_assert_int_eq(t.hss->rta_err, ENOTCONN);
}
END_TEST

START_TEST(second_connection_of_a_host_takes_the_first_ones_place)
{
	struct cx *first = t.cx;

	rtr_to("sip:scscf.ims.test");
	ck_assert(loop_run_until(t.loop, has_rtr, NULL, BOUND_MS));
	t.cx = connect_to(fake_hss_addr(t.hss), NULL);
	ck_assert(loop_run_until(t.loop, has_rta, NULL, BOUND_MS));
	ck_assert_int_eq(t.hss->rta_err, ENOTCONN);
	ck_assert(loop_run_until(t.loop, is_open, NULL, BOUND_MS));
	cx_free(first);
}
END_TEST

START_TEST(silent_server_gives_etimedout)
{
	t.hss->is_silent = true;
	clock_take_over();
	cx_tx_uar(t.cx, &uar, on_uaa, NULL);
	ck_assert(loop_run_until(t.loop, has_uar, NULL, BOUND_MS));
	clock_advance_us(timer_value_ms(TIMER_CX_ANSWER) * 1000);
	expect_answers(1);
	ck_assert_int_eq(t.err, ETIMEDOUT);
}
END_TEST

START_TEST(forgotten_request_is_not_answered)
{
	int owner;

	cx_tx_uar(t.cx, &uar, on_uaa, &owner);
	cx_forget(t.cx, &owner);
	cx_tx_uar(t.cx, &uar, on_uaa, NULL);
	expect_answers(1);
	ck_assert_int_eq(t.hss->uar_n, 2);
}
END_TEST

START_TEST(server_that_dies_fails_what_is_pending_and_is_found_again)
{
	t.hss->is_silent = true;
	cx_tx_uar(t.cx, &uar, on_uaa, NULL);
	ck_assert(loop_run_until(t.loop, has_uar, NULL, BOUND_MS));
	fake_hss_free(t.hss);
	t.hss = NULL;
	expect_answers(1);
	ck_assert_int_eq(t.err, ENOTCONN);
	ck_assert(loop_run_until(t.loop, is_closed, NULL, BOUND_MS));
	ck_assert(!t.is_open);
	ck_assert_int_eq(t.states, 2);
}
END_TEST

START_TEST(request_while_the_peer_is_down_gives_enotconn_from_the_loop)
{
	t.cx = connect_to("127.0.0.1:1", NULL);
	cx_tx_uar(t.cx, &uar, on_uaa, NULL);
	ck_assert_int_eq(t.answers, 0);
	expect_answers(1);
	ck_assert_int_eq(t.err, ENOTCONN);
}
END_TEST

START_TEST(client_connects_from_the_address_it_is_told)
{
	t.hss = fake_hss_new(t.hss_el);
	t.cx = connect_to(fake_hss_addr(t.hss), "127.0.0.3");
	ck_assert(loop_run_until(t.loop, is_open, NULL, BOUND_MS));
}
END_TEST

START_TEST(address_that_cannot_be_read_is_named)
{
	const struct cx_cfg cfg = { .address = "hss:3868",
				    .origin_host = "scscf.ims.test",
				    .origin_realm = "ims.test" };
	char *reason = NULL;

	ck_assert_int_eq(cx_new(&t.cx, t.scscf, &cfg, &reason), EINVAL);
	ck_assert_ptr_nonnull(strstr(reason, "hss:3868"));
	free(reason);
}
END_TEST

START_TEST(port_in_use_is_named)
{
	const struct cx_server_ops ops = { NULL, NULL, NULL, NULL };
	struct cx_cfg cfg = { .origin_host = "hss.ims.test",
			      .origin_realm = "ims.test" };
	struct cx_server *server = NULL;
	char *reason = NULL;

	t.hss = fake_hss_new(t.hss_el);
	cfg.address = fake_hss_addr(t.hss);
	ck_assert_int_eq(
		cx_server_new(&server, t.scscf, &cfg, &ops, NULL, &reason),
		EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(reason, cfg.address));
	free(reason);
}
END_TEST

START_TEST(close_says_goodbye_and_stays_away)
{
	cx_close(t.cx);
	ck_assert(loop_run_until(t.loop, is_twice_told, NULL, BOUND_MS));
	ck_assert(!t.is_open);
	/* well over the first retry of a connection that was lost */
	ck_assert(!loop_run_until(t.loop, is_open, NULL, 120));
}
END_TEST

/* design: a received message can be held before its process acts on it */
static bool is_held(const void *arg)
{
	const struct element *el = arg;

	return hold_count(el->hold) > 0;
}

static bool are_two_held(const void *arg)
{
	const struct element *el = arg;

	return hold_count(el->hold) > 1;
}

START_TEST(held_answer_is_not_late)
{
	clock_take_over();
	hold_start(t.scscf->hold);
	cx_tx_uar(t.cx, &uar, on_uaa, NULL);
	ck_assert(loop_run_until(t.loop, is_held, t.scscf, BOUND_MS));
	clock_advance_us(20000000);
	cx_tx_uar(t.cx, &uar, on_uaa, NULL);
	ck_assert(loop_run_until(t.loop, are_two_held, t.scscf, BOUND_MS));
	ck_assert_int_eq(t.answers, 0);
	hold_stop(t.scscf->hold);
	ck_assert_int_eq(t.answers, 2);
	ck_assert_int_eq(t.err, 0);
}
END_TEST

START_TEST(held_answer_that_is_dropped_times_out)
{
	clock_take_over();
	hold_start(t.scscf->hold);
	cx_tx_uar(t.cx, &uar, on_uaa, NULL);
	ck_assert(loop_run_until(t.loop, is_held, t.scscf, BOUND_MS));
	t.scscf->hold = hold_free(t.scscf->hold);
	t.scscf->hold = hold_new(t.scscf->trace);
	clock_advance_us(timer_value_ms(TIMER_CX_ANSWER) * 1000);
	expect_answers(1);
	ck_assert_int_eq(t.err, ETIMEDOUT);
}
END_TEST

START_TEST(request_held_while_its_peer_went_is_dropped)
{
	hold_start(t.hss_el->hold);
	cx_tx_uar(t.cx, &uar, on_uaa, NULL);
	ck_assert(loop_run_until(t.loop, is_held, t.hss_el, BOUND_MS));
	t.cx = cx_free(t.cx);
	(void)loop_run_until(t.loop, is_open, NULL, 50);
	hold_stop(t.hss_el->hold);
	ck_assert_int_eq(t.hss->uar_n, 0);
	ck_assert_int_eq(t.answers, 0);
}
END_TEST

static void add(Suite *s, const char *name, const TTest *const *tests,
		SFun fixture)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, fixture, teardown);
	for (; *tests; tests++)
		tcase_add_test(tc, *tests);
	suite_add_tcase(s, tc);
}

static void add_commands(Suite *s)
{
	const TTest *const tests[] = {
		uar_carries_its_fields_and_its_answer_comes_back,
		uaa_without_a_server_name_gives_capabilities,
		refusal_is_data_and_not_an_error,
		mar_is_answered_with_the_digest_of_the_user,
		sar_brings_the_profile,
		lir_asks_for_either_direction,
		NULL,
	};

	add(s, "commands", tests, setup);
}

static void add_rtr(Suite *s)
{
	const TTest *const tests[] = {
		rtr_goes_to_the_peer_that_named_itself,
		rtr_goes_to_the_host_of_the_name_before_anyone_named_itself,
		rtr_for_a_name_that_no_peer_serves_gives_enotconn,
		rtr_to_a_client_that_takes_none_gets_unable_to_comply,
		rtr_that_is_never_answered_times_out,
		rtr_pending_when_the_peer_dies_gives_enotconn,
		second_connection_of_a_host_takes_the_first_ones_place,
		NULL,
	};

	add(s, "deregistration by the HSS", tests, setup);
}

static void add_faults(Suite *s)
{
	const TTest *const tests[] = {
		answer_too_long_for_a_message_becomes_unable_to_comply,
		request_too_long_for_a_message_fails_and_the_link_lives,
		text_that_is_no_utf8_is_refused_by_the_server,
		request_without_a_mandatory_field_is_refused_by_the_server,
		silent_server_gives_etimedout,
		forgotten_request_is_not_answered,
		server_that_dies_fails_what_is_pending_and_is_found_again,
		close_says_goodbye_and_stays_away,
		held_answer_is_not_late,
		held_answer_that_is_dropped_times_out,
		request_held_while_its_peer_went_is_dropped,
		NULL,
	};

	add(s, "refused, lost, late", tests, setup);
}

static void add_alone(Suite *s)
{
	const TTest *const tests[] = {
		request_while_the_peer_is_down_gives_enotconn_from_the_loop,
		client_connects_from_the_address_it_is_told,
		address_that_cannot_be_read_is_named,
		port_in_use_is_named,
		NULL,
	};

	add(s, "start", tests, setup_alone);
}

static Suite *cx_suite(void)
{
	Suite *s = suite_create("cx");

	add_commands(s);
	add_rtr(s);
	add_faults(s);
	add_alone(s);

	return s;
}

SUITE_MAIN(cx_suite)
