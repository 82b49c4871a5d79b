/* Diameter as its client: capabilities, watchdog, good-bye, and answers (RFC
 * 6733 5) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/timer.h"
#include "tests/fake/dia_bed.h"
#include "tests/suite.h"

enum { TW_MS = 30000 };

static bool is_open(const void *arg)
{
	(void)arg;

	return cx_is_open(dia_bed.cx);
}

static bool has_connection(const void *arg)
{
	return dia_bed.peer->connections >= *(const int *)arg;
}

static bool has_answer(const void *arg)
{
	return dia_bed.answers >= *(const int *)arg;
}

static bool has_received(const void *arg)
{
	return dia_bed.received >= *(const int *)arg;
}

static bool is_down(const void *arg)
{
	return dia_bed.downs >= *(const int *)arg;
}

static void start_client(const char *address)
{
	const struct cx_cfg cfg = { .address = address,
				    .origin_host = "scscf.ims.test",
				    .origin_realm = "ims.test",
				    .destination_realm = "ims.test" };
	char *reason = NULL;

	ck_assert_int_eq(cx_new(&dia_bed.cx, dia_bed.el, &cfg, &reason), 0);
}

static void setup_client(void)
{
	dia_bed_setup();
	dia_bed.peer = fake_dia_peer_listen(dia_bed.loop);
	start_client(dia_bed.peer->address);
	dia_bed_wait_for(is_open);
}

static void setup_mute(void)
{
	dia_bed_setup();
	dia_bed.peer = fake_dia_peer_listen(dia_bed.loop);
	dia_bed.peer->is_mute = true;
	start_client(dia_bed.peer->address);
	dia_bed_wait_for_n(dia_bed_has_message, 1);
}

static void on_uaa(int err, const struct cx_uaa *uaa, void *arg)
{
	(void)arg;
	dia_bed.answers++;
	dia_bed.err = err;
	dia_bed.result = uaa ? uaa->result.code : 0;
}

static void ask(void)
{
	const struct cx_uar uar = { .impi = "a@ims.test",
				    .impu = "sip:a@ims.test",
				    .visited_network = "ims.test" };

	cx_tx_uar(dia_bed.cx, &uar, on_uaa, NULL);
}

/* RFC 6733 5.3 */
START_TEST(cer_offers_cx_and_an_address)
{
	const struct dia_msg *cer =
		fake_dia_peer_find(dia_bed.peer, DIA_CE, true);
	struct dia_avp avp;

	ck_assert_uint_eq(cer->flags, DIA_REQUEST);
	ck_assert_uint_eq(cer->application, 0);
	ck_assert(dia_find(&avp, dia_iter_msg(cer),
			   AVP_VENDOR_SPECIFIC_APPLICATION_ID));
	ck_assert(dia_find(&avp, dia_iter_msg(cer), AVP_HOST_IP_ADDRESS));
	ck_assert_mem_eq(avp.data, "\0\1\x7f\0\0\1", 6);
	ck_assert_int_eq(dia_bed.sent, 1);
	ck_assert_int_eq(dia_bed.received, 1);
}
END_TEST

START_TEST(refused_connection_is_tried_again_and_backs_off)
{
	static const int after_ms[] = {
		50, 100, 200, 400, 800, 1600, 2000, 2000
	};
	char address[ADDR_TEXT_LEN];

	dia_bed.peer = fake_dia_peer_listen(dia_bed.loop);
	memcpy(address, dia_bed.peer->address, sizeof(address));
	dia_bed.peer = fake_dia_peer_free(
		dia_bed.peer); /* a port where nobody listens */
	clock_take_over();
	start_client(address);
	for (int i = 0; i < 8; i++) {
		dia_bed_wait_for_n(is_down, i + 1);
		ck_assert_int_eq(dia_bed.retry_ms, after_ms[i]);
		dia_bed_advance_ms(dia_bed.retry_ms);
	}
}
END_TEST

START_TEST(back_off_begins_anew_once_open)
{
	clock_take_over();
	for (int i = 1; i <= 3; i++) {
		fake_dia_peer_hang_up(dia_bed.peer);
		dia_bed_wait_for_n(is_down, i);
		ck_assert_int_eq(dia_bed.retry_ms, 50);
		dia_bed_advance_ms(50);
		dia_bed_wait_for(is_open);
	}
	ck_assert_int_eq(dia_bed.peer->connections, 4);
}
END_TEST

START_TEST(peer_that_sends_no_cea_is_given_up)
{
	int64_t cer_ms = timer_value_ms(TIMER_DIAMETER_CER);

	clock_take_over();
	dia_bed_advance_ms(cer_ms); /* it began a moment before */
	dia_bed_wait_for_n(is_down, 1);
	dia_bed_advance_ms(dia_bed.retry_ms);
	dia_bed_wait_for_n(has_connection, 2);
}
END_TEST

static void answer_cer(uint32_t result, uint32_t application)
{
	static const uint8_t ip[] = { 0, 1, 127, 0, 0, 1 };
	struct dia_build b = { 0 };

	fake_dia_peer_answer(&b, fake_dia_peer_find(dia_bed.peer, DIA_CE, true),
			     result);
	dia_put(&b, AVP_HOST_IP_ADDRESS, ip, sizeof(ip));
	dia_put_u32(&b, AVP_VENDOR_ID, 0);
	dia_put_text(&b, AVP_PRODUCT_NAME, "fake");
	dia_put_u32(&b, AVP_AUTH_APPLICATION_ID, application);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
}

START_TEST(cea_that_refuses_us_is_no_open_peer)
{
	answer_cer(DIA_NO_COMMON_APPLICATION, DIA_APP_CX);
	dia_bed_wait_for_n(is_down, 1);
	ck_assert(!cx_is_open(dia_bed.cx));
}
END_TEST

START_TEST(cea_without_cx_is_no_open_peer)
{
	answer_cer(DIA_SUCCESS, 4);
	dia_bed_wait_for_n(is_down, 1);
	ck_assert(!cx_is_open(dia_bed.cx));
}
END_TEST

START_TEST(cea_of_a_relay_is_an_open_peer)
{
	answer_cer(DIA_SUCCESS, 0xffffffff);
	dia_bed_wait_for(is_open);
}
END_TEST

START_TEST(other_answer_than_a_cea_is_no_open_peer)
{
	struct dia_msg dwa = *fake_dia_peer_find(dia_bed.peer, DIA_CE, true);
	struct dia_build b = { 0 };

	dwa.code = DIA_DW;
	fake_dia_peer_answer(&b, &dwa, DIA_SUCCESS);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	dia_bed_wait_for_n(is_down, 1);
}
END_TEST

/* RFC 3539 3.4.1 */
START_TEST(watchdog_asks_a_silent_peer_and_is_content_with_its_answer)
{
	clock_take_over();
	for (int i = 0; i < 3; i++) {
		dia_bed_advance_ms(TW_MS);
		dia_bed_wait_for_n(dia_bed_has_message, 2 + i);
		ck_assert_uint_eq(dia_bed_last()->code, DIA_DW);
		dia_bed_wait_for_n(has_received, 2 + i); /* the DWA is here */
	}
	ask();
	dia_bed_wait_for_n(dia_bed_has_message, 5);
	ck_assert(cx_is_open(dia_bed.cx));
	ck_assert_int_eq(dia_bed.downs, 0);
}
END_TEST

START_TEST(peer_that_does_not_answer_the_watchdog_is_dropped)
{
	dia_bed.peer->is_mute = true;
	clock_take_over();
	dia_bed_advance_ms(TW_MS);
	dia_bed_wait_for_n(dia_bed_has_message, 2);
	ck_assert_uint_eq(dia_bed_last()->code, DIA_DW);
	ask();
	dia_bed_wait_for_n(dia_bed_has_message,
			   3); /* suspected, and still used */
	dia_bed_advance_ms(TW_MS);
	dia_bed_wait_for_n(has_answer, 1);
	ck_assert_int_eq(dia_bed.err, ETIMEDOUT);
	dia_bed_advance_ms(TW_MS);
	dia_bed_wait_for_n(is_down, 1);
}
END_TEST

START_TEST(watchdog_of_the_peer_is_answered)
{
	const struct dia_msg header = { .flags = DIA_REQUEST,
					.code = DIA_DW,
					.hop_by_hop = 77,
					.end_to_end = 78 };
	struct dia_build b = { 0 };

	dia_build_start(&b, &header);
	dia_put_text(&b, AVP_ORIGIN_HOST, "fake.ims.test");
	dia_put_text(&b, AVP_ORIGIN_REALM, "ims.test");
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	dia_bed_wait_for_n(dia_bed_has_message, 2);
	dia_bed_expect_result(dia_bed_last(), DIA_SUCCESS, false);
	ck_assert_uint_eq(dia_bed_last()->hop_by_hop, 77);
	ck_assert_uint_eq(dia_bed_last()->end_to_end, 78);
}
END_TEST

static void tx_dpr(enum dia_disconnect_cause cause)
{
	const struct dia_msg header = { .flags = DIA_REQUEST, .code = DIA_DP };
	struct dia_build b = { 0 };

	dia_build_start(&b, &header);
	dia_put_text(&b, AVP_ORIGIN_HOST, "fake.ims.test");
	dia_put_text(&b, AVP_ORIGIN_REALM, "ims.test");
	dia_put_u32(&b, AVP_DISCONNECT_CAUSE, cause);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
}

/* RFC 6733 5.4 */
START_TEST(goodbye_of_the_peer_is_answered_and_it_may_close)
{
	ask();
	dia_bed_wait_for_n(dia_bed_has_message, 2);
	tx_dpr(DIA_REBOOTING);
	dia_bed_wait_for_n(dia_bed_has_message, 3);
	dia_bed_expect_result(dia_bed_last(), DIA_SUCCESS, false);
	ck_assert(!cx_is_open(dia_bed.cx));
	fake_dia_peer_hang_up(dia_bed.peer);
	dia_bed_wait_for_n(has_answer, 1);
	ck_assert_int_eq(dia_bed.err, ENOTCONN);
	ck_assert_int_eq(dia_bed.retry_ms, 50);
}
END_TEST

START_TEST(peer_that_does_not_want_us_is_not_bothered_soon)
{
	tx_dpr(DIA_DO_NOT_WANT_TO_TALK);
	dia_bed_wait_for_n(dia_bed_has_message, 2);
	fake_dia_peer_hang_up(dia_bed.peer);
	dia_bed_wait_for_n(is_down, 1);
	ck_assert_int_eq(dia_bed.retry_ms, 2000);
}
END_TEST

START_TEST(goodbye_is_said_when_freed)
{
	dia_bed.cx = cx_free(dia_bed.cx);
	dia_bed_wait_for(dia_bed_is_closed);
	ck_assert_uint_eq(dia_bed_last()->code, DIA_DP);
	ck_assert(dia_is_request(dia_bed_last()));
}
END_TEST

static void build_uaa(struct dia_build *b)
{
	fake_dia_peer_answer(b, fake_dia_peer_find(dia_bed.peer, DIA_UA, true),
			     DIA_SUCCESS);
}

START_TEST(second_answer_is_dropped)
{
	struct dia_build b = { 0 };

	ask();
	dia_bed_wait_for_n(dia_bed_has_message, 2);
	build_uaa(&b);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	build_uaa(&b);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	ask();
	dia_bed_wait_for_n(dia_bed_has_message, 3);
	build_uaa(&b);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	dia_bed_wait_for_n(has_answer, 2);
	ck_assert_int_eq(dia_bed.err, 0);
	ck_assert_int_eq(dia_bed.unmatched, 1);
}
END_TEST

START_TEST(late_answer_is_dropped)
{
	struct dia_build b = { 0 };

	clock_take_over();
	ask();
	dia_bed_wait_for_n(dia_bed_has_message, 2);
	dia_bed_advance_ms(timer_value_ms(TIMER_CX_ANSWER));
	dia_bed_wait_for_n(has_answer, 1);
	ck_assert_int_eq(dia_bed.err, ETIMEDOUT);
	build_uaa(&b);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	ask();
	dia_bed_wait_for_n(dia_bed_has_message, 3);
	build_uaa(&b);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	dia_bed_wait_for_n(has_answer, 2);
	ck_assert_int_eq(dia_bed.unmatched, 1);
}
END_TEST

START_TEST(answers_out_of_order_find_their_requests)
{
	struct dia_build b = { 0 };

	ask();
	ask();
	dia_bed_wait_for_n(dia_bed_has_message, 3);
	fake_dia_peer_answer(&b, &dia_bed.peer->messages[2], DIA_SUCCESS);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	dia_bed_wait_for_n(has_answer, 1);
	fake_dia_peer_answer(&b, &dia_bed.peer->messages[1],
			     DIA_UNABLE_TO_COMPLY);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	dia_bed_wait_for_n(has_answer, 2);
	ck_assert_uint_eq(dia_bed.result, DIA_UNABLE_TO_COMPLY);
}
END_TEST

START_TEST(answer_with_the_e_bit_is_a_result)
{
	struct dia_msg header;
	struct dia_build b = { 0 };

	ask();
	dia_bed_wait_for_n(dia_bed_has_message, 2);
	header = *fake_dia_peer_find(dia_bed.peer, DIA_UA, true);
	header.flags = DIA_ERROR;
	dia_build_start(&b, &header);
	dia_put_u32(&b, AVP_RESULT_CODE, DIA_UNABLE_TO_DELIVER);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	dia_bed_wait_for_n(has_answer, 1);
	ck_assert_int_eq(dia_bed.err, 0);
	ck_assert_uint_eq(dia_bed.result, DIA_UNABLE_TO_DELIVER);
}
END_TEST

START_TEST(answer_that_cannot_be_read_gives_ebadmsg)
{
	struct dia_build b = { 0 };

	ask();
	dia_bed_wait_for_n(dia_bed_has_message, 2);
	build_uaa(&b);
	b.data[DIA_HEADER_LEN + 7] = 11; /* a Result-Code of three octets */
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	dia_bed_wait_for_n(has_answer, 1);
	ck_assert_int_eq(dia_bed.err, EBADMSG);
	ck_assert_int_eq(dia_bed.malformed, 1);
	ck_assert(cx_is_open(dia_bed.cx));
}
END_TEST

START_TEST(answer_of_another_command_gives_ebadmsg)
{
	struct dia_msg other;
	struct dia_build b = { 0 };

	ask();
	dia_bed_wait_for_n(dia_bed_has_message, 2);
	other = *fake_dia_peer_find(dia_bed.peer, DIA_UA, true);
	other.code = DIA_MA;
	fake_dia_peer_answer(&b, &other, DIA_SUCCESS);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	dia_bed_wait_for_n(has_answer, 1);
	ck_assert_int_eq(dia_bed.err, EBADMSG);
}
END_TEST

START_TEST(octets_that_are_no_diameter_end_the_connection)
{
	static const char http[] = "GET / HTTP/1.1\r\nHost: hss\r\n\r\n";

	fake_dia_peer_tx(dia_bed.peer, http, sizeof(http) - 1);
	dia_bed_wait_for_n(is_down, 1);
	ck_assert_int_eq(dia_bed.malformed, 1);
	dia_bed.peer->is_mute = false;
	dia_bed_wait_for(is_open); /* and it comes back */
}
END_TEST

static TCase *add(Suite *s, const char *name, const TTest *const *tests,
		  SFun fixture)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, fixture, dia_bed_teardown);
	for (; *tests; tests++)
		tcase_add_test(tc, *tests);
	suite_add_tcase(s, tc);

	return tc;
}

static void add_client(Suite *s)
{
	const TTest *const alone[] = {
		refused_connection_is_tried_again_and_backs_off, NULL
	};
	const TTest *const mute[] = {
		peer_that_sends_no_cea_is_given_up,
		cea_that_refuses_us_is_no_open_peer,
		cea_without_cx_is_no_open_peer,
		cea_of_a_relay_is_an_open_peer,
		other_answer_than_a_cea_is_no_open_peer,
		octets_that_are_no_diameter_end_the_connection,
		NULL,
	};
	const TTest *const open[] = {
		cer_offers_cx_and_an_address,
		back_off_begins_anew_once_open,
		watchdog_asks_a_silent_peer_and_is_content_with_its_answer,
		peer_that_does_not_answer_the_watchdog_is_dropped,
		watchdog_of_the_peer_is_answered,
		goodbye_of_the_peer_is_answered_and_it_may_close,
		peer_that_does_not_want_us_is_not_bothered_soon,
		goodbye_is_said_when_freed,
		second_answer_is_dropped,
		late_answer_is_dropped,
		answers_out_of_order_find_their_requests,
		answer_with_the_e_bit_is_a_result,
		answer_that_cannot_be_read_gives_ebadmsg,
		answer_of_another_command_gives_ebadmsg,
		NULL,
	};

	(void)add(s, "nobody listens", alone, dia_bed_setup);
	(void)add(s, "capabilities, as client", mute, setup_mute);
	(void)add(s, "open, as client", open, setup_client);
}

static Suite *suite(void)
{
	Suite *s = suite_create("dia_client");

	add_client(s);

	return s;
}

SUITE_MAIN(suite)
