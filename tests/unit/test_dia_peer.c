#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/cx.h"
#include "common/dia_check.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/timer.h"
#include "common/trace.h"
#include "tests/fake/fake_dia_peer.h"
#include "tests/fake/fake_hss.h"
#include "tests/suite.h"

enum { BOUND_MS = 2000, TW_MS = 30000 };

/* A client of ours against a peer made of octets, or such a peer against a
 * server of ours */
static struct {
	struct loop *loop;
	struct element *el;
	struct fake_dia_peer *peer;
	struct cx *cx;
	struct fake_hss *hss;
	int answers, err;
	uint32_t result;
	int malformed, unmatched, downs;
	long retry_ms;
	int sent, received;
} t;

static bool is_open(const void *arg)
{
	(void)arg;

	return cx_is_open(t.cx);
}

static bool is_closed(const void *arg)
{
	(void)arg;

	return t.peer->is_closed;
}

static bool has_message(const void *arg)
{
	return t.peer->message_n >= *(const int *)arg;
}

static bool has_connection(const void *arg)
{
	return t.peer->connections >= *(const int *)arg;
}

static bool has_answer(const void *arg)
{
	return t.answers >= *(const int *)arg;
}

static bool has_received(const void *arg)
{
	return t.received >= *(const int *)arg;
}

static void wait_for(loop_pred *pred)
{
	ck_assert(loop_run_until(t.loop, pred, NULL, BOUND_MS));
}

static void wait_for_n(loop_pred *pred, int n)
{
	ck_assert(loop_run_until(t.loop, pred, &n, BOUND_MS));
}

static void advance_ms(int64_t ms)
{
	clock_advance_us(ms * 1000);
}

static bool is_down(const void *arg)
{
	return t.downs >= *(const int *)arg;
}

static void on_line(const char *line, size_t len, void *arg)
{
	const char *retry = strstr(line, "\"retry_ms\":");

	(void)len;
	(void)arg;
	if (retry) {
		t.downs++;
		t.retry_ms = strtol(retry + strlen("\"retry_ms\":"), NULL, 10);
	}
	t.malformed += strstr(line, "diameter.malformed") != NULL;
	t.unmatched += strstr(line, "diameter.unmatched") != NULL;
	t.sent += strstr(line, "\"dir\":\"send\"") != NULL;
	t.received += strstr(line, "\"dir\":\"recv\"") != NULL;
}

static void setup(void)
{
	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.el = element_new_on(t.loop, "scscf");
	trace_set_sink(t.el->trace, on_line, NULL);
}

static void start_client(const char *address)
{
	const struct cx_cfg cfg = { .address = address,
				    .origin_host = "scscf.ims.test",
				    .origin_realm = "ims.test",
				    .destination_realm = "ims.test" };
	char *reason = NULL;

	ck_assert_int_eq(cx_new(&t.cx, t.el, &cfg, &reason), 0);
}

static void setup_client(void)
{
	setup();
	t.peer = fake_dia_peer_listen(t.loop);
	start_client(t.peer->address);
	wait_for(is_open);
}

static void setup_mute(void)
{
	setup();
	t.peer = fake_dia_peer_listen(t.loop);
	t.peer->is_mute = true;
	start_client(t.peer->address);
	wait_for_n(has_message, 1);
}

static void setup_server(void)
{
	setup();
	t.hss = fake_hss_new(t.el);
	t.peer = fake_dia_peer_connect(t.loop, fake_hss_addr(t.hss));
}

static void setup_open_server(void)
{
	setup_server();
	fake_dia_peer_tx_cer(t.peer);
	wait_for_n(has_message, 1);
}

static void teardown(void)
{
	cx_free(t.cx);
	fake_hss_free(t.hss);
	fake_dia_peer_free(t.peer);
	element_free(t.el);
	loop_free(t.loop);
}

static void on_uaa(int err, const struct cx_uaa *uaa, void *arg)
{
	(void)arg;
	t.answers++;
	t.err = err;
	t.result = uaa ? uaa->result.code : 0;
}

static void ask(void)
{
	const struct cx_uar uar = { .impi = "a@ims.test",
				    .impu = "sip:a@ims.test",
				    .visited_network = "ims.test" };

	cx_tx_uar(t.cx, &uar, on_uaa, NULL);
}

static const struct dia_msg *last(void)
{
	ck_assert_int_gt(t.peer->message_n, 0);

	return &t.peer->messages[t.peer->message_n - 1];
}

static void expect_result(const struct dia_msg *msg, uint32_t result,
			  bool has_e_bit)
{
	struct dia_fault fault;
	struct dia_avp avp;

	ck_assert_ptr_nonnull(msg);
	ck_assert(dia_find(&avp, dia_iter_msg(msg), AVP_RESULT_CODE));
	ck_assert_uint_eq(dia_u32(&avp), result);
	ck_assert_int_eq((msg->flags & DIA_ERROR) != 0, has_e_bit);
	ck_assert_int_eq(dia_check(&fault, msg), 0);
}

static uint32_t failed_avp(const struct dia_msg *msg)
{
	struct dia_avp group, avp;
	struct dia_iter it;

	if (!dia_find(&group, dia_iter_msg(msg), AVP_FAILED_AVP))
		return 0;

	it = dia_iter_group(&group);

	return dia_next(&it, &avp) ? 0 : avp.code;
}

/* RFC 6733 5.3 */
START_TEST(cer_offers_cx_and_an_address)
{
	const struct dia_msg *cer = fake_dia_peer_find(t.peer, DIA_CE, true);
	struct dia_avp avp;

	ck_assert_uint_eq(cer->flags, DIA_REQUEST);
	ck_assert_uint_eq(cer->application, 0);
	ck_assert(dia_find(&avp, dia_iter_msg(cer),
			   AVP_VENDOR_SPECIFIC_APPLICATION_ID));
	ck_assert(dia_find(&avp, dia_iter_msg(cer), AVP_HOST_IP_ADDRESS));
	ck_assert_mem_eq(avp.data, "\0\1\x7f\0\0\1", 6);
	ck_assert_int_eq(t.sent, 1);
	ck_assert_int_eq(t.received, 1);
}
END_TEST

START_TEST(refused_connection_is_tried_again_and_backs_off)
{
	static const int after_ms[] = {
		50, 100, 200, 400, 800, 1600, 2000, 2000
	};
	char address[ADDR_TEXT_LEN];

	t.peer = fake_dia_peer_listen(t.loop);
	memcpy(address, t.peer->address, sizeof(address));
	t.peer = fake_dia_peer_free(t.peer); /* a port where nobody listens */
	clock_take_over();
	start_client(address);
	for (int i = 0; i < 8; i++) {
		wait_for_n(is_down, i + 1);
		ck_assert_int_eq(t.retry_ms, after_ms[i]);
		advance_ms(t.retry_ms);
	}
}
END_TEST

START_TEST(back_off_begins_anew_once_open)
{
	clock_take_over();
	for (int i = 1; i <= 3; i++) {
		fake_dia_peer_hang_up(t.peer);
		wait_for_n(is_down, i);
		ck_assert_int_eq(t.retry_ms, 50);
		advance_ms(50);
		wait_for(is_open);
	}
	ck_assert_int_eq(t.peer->connections, 4);
}
END_TEST

START_TEST(peer_that_sends_no_cea_is_given_up)
{
	int64_t cer_ms = timer_value_ms(TIMER_DIAMETER_CER);

	clock_take_over();
	advance_ms(cer_ms); /* it began a moment before */
	wait_for_n(is_down, 1);
	advance_ms(t.retry_ms);
	wait_for_n(has_connection, 2);
}
END_TEST

static void answer_cer(uint32_t result, uint32_t application)
{
	static const uint8_t ip[] = { 0, 1, 127, 0, 0, 1 };
	struct dia_build b = { 0 };

	fake_dia_peer_answer(&b, fake_dia_peer_find(t.peer, DIA_CE, true),
			     result);
	dia_put(&b, AVP_HOST_IP_ADDRESS, ip, sizeof(ip));
	dia_put_u32(&b, AVP_VENDOR_ID, 0);
	dia_put_text(&b, AVP_PRODUCT_NAME, "fake");
	dia_put_u32(&b, AVP_AUTH_APPLICATION_ID, application);
	fake_dia_peer_tx_build(t.peer, &b);
}

START_TEST(cea_that_refuses_us_is_no_open_peer)
{
	answer_cer(DIA_NO_COMMON_APPLICATION, DIA_APP_CX);
	wait_for_n(is_down, 1);
	ck_assert(!cx_is_open(t.cx));
}
END_TEST

START_TEST(cea_without_cx_is_no_open_peer)
{
	answer_cer(DIA_SUCCESS, 4);
	wait_for_n(is_down, 1);
	ck_assert(!cx_is_open(t.cx));
}
END_TEST

START_TEST(cea_of_a_relay_is_an_open_peer)
{
	answer_cer(DIA_SUCCESS, 0xffffffff);
	wait_for(is_open);
}
END_TEST

START_TEST(other_answer_than_a_cea_is_no_open_peer)
{
	struct dia_msg dwa = *fake_dia_peer_find(t.peer, DIA_CE, true);
	struct dia_build b = { 0 };

	dwa.code = DIA_DW;
	fake_dia_peer_answer(&b, &dwa, DIA_SUCCESS);
	fake_dia_peer_tx_build(t.peer, &b);
	wait_for_n(is_down, 1);
}
END_TEST

/* RFC 3539 3.4.1 */
START_TEST(watchdog_asks_a_silent_peer_and_is_content_with_its_answer)
{
	clock_take_over();
	for (int i = 0; i < 3; i++) {
		advance_ms(TW_MS);
		wait_for_n(has_message, 2 + i);
		ck_assert_uint_eq(last()->code, DIA_DW);
		wait_for_n(has_received, 2 + i); /* the DWA is here */
	}
	ask();
	wait_for_n(has_message, 5);
	ck_assert(cx_is_open(t.cx));
	ck_assert_int_eq(t.downs, 0);
}
END_TEST

START_TEST(peer_that_does_not_answer_the_watchdog_is_dropped)
{
	t.peer->is_mute = true;
	clock_take_over();
	advance_ms(TW_MS);
	wait_for_n(has_message, 2);
	ck_assert_uint_eq(last()->code, DIA_DW);
	ask();
	wait_for_n(has_message, 3); /* suspected, and still used */
	advance_ms(TW_MS);
	wait_for_n(has_answer, 1);
	ck_assert_int_eq(t.err, ETIMEDOUT);
	advance_ms(TW_MS);
	wait_for_n(is_down, 1);
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
	fake_dia_peer_tx_build(t.peer, &b);
	wait_for_n(has_message, 2);
	expect_result(last(), DIA_SUCCESS, false);
	ck_assert_uint_eq(last()->hop_by_hop, 77);
	ck_assert_uint_eq(last()->end_to_end, 78);
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
	fake_dia_peer_tx_build(t.peer, &b);
}

/* RFC 6733 5.4 */
START_TEST(goodbye_of_the_peer_is_answered_and_it_may_close)
{
	ask();
	wait_for_n(has_message, 2);
	tx_dpr(DIA_REBOOTING);
	wait_for_n(has_message, 3);
	expect_result(last(), DIA_SUCCESS, false);
	ck_assert(!cx_is_open(t.cx));
	fake_dia_peer_hang_up(t.peer);
	wait_for_n(has_answer, 1);
	ck_assert_int_eq(t.err, ENOTCONN);
	ck_assert_int_eq(t.retry_ms, 50);
}
END_TEST

START_TEST(peer_that_does_not_want_us_is_not_bothered_soon)
{
	tx_dpr(DIA_DO_NOT_WANT_TO_TALK);
	wait_for_n(has_message, 2);
	fake_dia_peer_hang_up(t.peer);
	wait_for_n(is_down, 1);
	ck_assert_int_eq(t.retry_ms, 2000);
}
END_TEST

START_TEST(goodbye_is_said_when_freed)
{
	t.cx = cx_free(t.cx);
	wait_for(is_closed);
	ck_assert_uint_eq(last()->code, DIA_DP);
	ck_assert(dia_is_request(last()));
}
END_TEST

static void build_uaa(struct dia_build *b)
{
	fake_dia_peer_answer(b, fake_dia_peer_find(t.peer, DIA_UA, true),
			     DIA_SUCCESS);
}

START_TEST(second_answer_is_dropped)
{
	struct dia_build b = { 0 };

	ask();
	wait_for_n(has_message, 2);
	build_uaa(&b);
	fake_dia_peer_tx_build(t.peer, &b);
	build_uaa(&b);
	fake_dia_peer_tx_build(t.peer, &b);
	ask();
	wait_for_n(has_message, 3);
	build_uaa(&b);
	fake_dia_peer_tx_build(t.peer, &b);
	wait_for_n(has_answer, 2);
	ck_assert_int_eq(t.err, 0);
	ck_assert_int_eq(t.unmatched, 1);
}
END_TEST

START_TEST(late_answer_is_dropped)
{
	struct dia_build b = { 0 };

	clock_take_over();
	ask();
	wait_for_n(has_message, 2);
	advance_ms(timer_value_ms(TIMER_CX_ANSWER));
	wait_for_n(has_answer, 1);
	ck_assert_int_eq(t.err, ETIMEDOUT);
	build_uaa(&b);
	fake_dia_peer_tx_build(t.peer, &b);
	ask();
	wait_for_n(has_message, 3);
	build_uaa(&b);
	fake_dia_peer_tx_build(t.peer, &b);
	wait_for_n(has_answer, 2);
	ck_assert_int_eq(t.unmatched, 1);
}
END_TEST

START_TEST(answers_out_of_order_find_their_requests)
{
	struct dia_build b = { 0 };

	ask();
	ask();
	wait_for_n(has_message, 3);
	fake_dia_peer_answer(&b, &t.peer->messages[2], DIA_SUCCESS);
	fake_dia_peer_tx_build(t.peer, &b);
	wait_for_n(has_answer, 1);
	fake_dia_peer_answer(&b, &t.peer->messages[1], DIA_UNABLE_TO_COMPLY);
	fake_dia_peer_tx_build(t.peer, &b);
	wait_for_n(has_answer, 2);
	ck_assert_uint_eq(t.result, DIA_UNABLE_TO_COMPLY);
}
END_TEST

START_TEST(answer_with_the_e_bit_is_a_result)
{
	struct dia_msg header;
	struct dia_build b = { 0 };

	ask();
	wait_for_n(has_message, 2);
	header = *fake_dia_peer_find(t.peer, DIA_UA, true);
	header.flags = DIA_ERROR;
	dia_build_start(&b, &header);
	dia_put_u32(&b, AVP_RESULT_CODE, DIA_UNABLE_TO_DELIVER);
	fake_dia_peer_tx_build(t.peer, &b);
	wait_for_n(has_answer, 1);
	ck_assert_int_eq(t.err, 0);
	ck_assert_uint_eq(t.result, DIA_UNABLE_TO_DELIVER);
}
END_TEST

START_TEST(answer_that_cannot_be_read_gives_ebadmsg)
{
	struct dia_build b = { 0 };

	ask();
	wait_for_n(has_message, 2);
	build_uaa(&b);
	b.data[DIA_HEADER_LEN + 7] = 11; /* a Result-Code of three octets */
	fake_dia_peer_tx_build(t.peer, &b);
	wait_for_n(has_answer, 1);
	ck_assert_int_eq(t.err, EBADMSG);
	ck_assert_int_eq(t.malformed, 1);
	ck_assert(cx_is_open(t.cx));
}
END_TEST

START_TEST(answer_of_another_command_gives_ebadmsg)
{
	struct dia_msg other;
	struct dia_build b = { 0 };

	ask();
	wait_for_n(has_message, 2);
	other = *fake_dia_peer_find(t.peer, DIA_UA, true);
	other.code = DIA_MA;
	fake_dia_peer_answer(&b, &other, DIA_SUCCESS);
	fake_dia_peer_tx_build(t.peer, &b);
	wait_for_n(has_answer, 1);
	ck_assert_int_eq(t.err, EBADMSG);
}
END_TEST

START_TEST(octets_that_are_no_diameter_end_the_connection)
{
	static const char http[] = "GET / HTTP/1.1\r\nHost: hss\r\n\r\n";

	fake_dia_peer_tx(t.peer, http, sizeof(http) - 1);
	wait_for_n(is_down, 1);
	ck_assert_int_eq(t.malformed, 1);
	t.peer->is_mute = false;
	wait_for(is_open); /* and it comes back */
}
END_TEST

/* The server's side: what a stranger may send */
static void start_lir(struct dia_build *b, uint32_t code, uint32_t application)
{
	const struct dia_msg header = { .flags = DIA_REQUEST | DIA_PROXIABLE,
					.code = code,
					.application = application,
					.hop_by_hop = 5,
					.end_to_end = 6 };

	dia_build_start(b, &header);
	dia_put_text(b, AVP_SESSION_ID, "s;1;2");
	dia_put_cx_head(b);
	dia_put_text(b, AVP_ORIGIN_HOST, "scscf.ims.test");
	dia_put_text(b, AVP_ORIGIN_REALM, "ims.test");
	dia_put_text(b, AVP_PUBLIC_IDENTITY, "sip:a@ims.test");
}

static const struct dia_msg *expect_refusal(uint32_t result, bool has_e_bit)
{
	int before = t.peer->message_n;

	wait_for_n(has_message, before + 1);
	expect_result(last(), result, has_e_bit);
	ck_assert(!dia_is_request(last()));
	ck_assert_int_eq(t.malformed, 1);
	ck_assert_int_eq(t.hss->lir_n, 0);

	return last();
}

/* The connection outlives a message that was refused */
static void expect_alive(void)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	dia_put_text(&b, AVP_DESTINATION_REALM, "ims.test");
	fake_dia_peer_tx_build(t.peer, &b);
	wait_for_n(has_message, t.peer->message_n + 1);
	ck_assert_int_eq(t.hss->lir_n, 1);
	ck_assert(!t.peer->is_closed);
}

START_TEST(request_is_answered_with_what_it_brought)
{
	struct dia_build b = { 0 };
	struct dia_avp avp;
	size_t group;

	start_lir(&b, DIA_LI, DIA_APP_CX);
	dia_put_text(&b, AVP_DESTINATION_REALM, "IMS.test");
	dia_put_text(&b, AVP_DESTINATION_HOST, "HSS.ims.test");
	group = dia_group(&b, AVP_PROXY_INFO);
	dia_put_text(&b, AVP_PROXY_HOST, "proxy.test");
	dia_put(&b, AVP_PROXY_STATE, "\0\1\2", 3);
	(void)dia_group_end(&b, group);
	fake_dia_peer_tx_build(t.peer, &b);
	wait_for_n(has_message, 2);
	expect_result(last(), DIA_SUCCESS, false);
	ck_assert_uint_eq(last()->hop_by_hop, 5);
	ck_assert_uint_eq(last()->end_to_end, 6);
	ck_assert_uint_eq(last()->flags, DIA_PROXIABLE);
	/* RFC 6733 8.8: right behind the header */
	ck_assert_mem_eq(last()->raw + DIA_HEADER_LEN, "\0\0\1\7", 4);
	ck_assert(dia_find(&avp, dia_iter_msg(last()), AVP_PROXY_INFO));
	ck_assert(dia_find(&avp, dia_iter_group(&avp), AVP_PROXY_STATE));
	ck_assert_mem_eq(avp.data, "\0\1\2", 3);
}
END_TEST

START_TEST(unknown_command_gets_command_unsupported)
{
	struct dia_build b = { 0 };

	start_lir(&b, 999, DIA_APP_CX);
	fake_dia_peer_tx_build(t.peer, &b);
	(void)expect_refusal(DIA_COMMAND_UNSUPPORTED, true);
	expect_alive();
}
END_TEST

START_TEST(command_of_the_other_side_gets_command_unsupported)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_RT, DIA_APP_CX);
	fake_dia_peer_tx_build(t.peer, &b);
	(void)expect_refusal(DIA_COMMAND_UNSUPPORTED, true);
}
END_TEST

START_TEST(other_application_gets_application_unsupported)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, 16777217); /* Sh */
	dia_put_text(&b, AVP_DESTINATION_REALM, "ims.test");
	fake_dia_peer_tx_build(t.peer, &b);
	(void)expect_refusal(DIA_APPLICATION_UNSUPPORTED, true);
	expect_alive();
}
END_TEST

START_TEST(request_with_the_e_bit_gets_invalid_hdr_bits)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	b.data[4] |= DIA_ERROR;
	fake_dia_peer_tx_build(t.peer, &b);
	(void)expect_refusal(DIA_INVALID_HDR_BITS, true);
	expect_alive();
}
END_TEST

START_TEST(unknown_mandatory_avp_comes_back_in_failed_avp)
{
	static const uint8_t avp[] = { 0, 0, 3,   0xe7, 0x40, 0,
				       0, 9, 'x', 0,    0,    0 };
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	dia_put_text(&b, AVP_DESTINATION_REALM, "ims.test");
	dia_put_raw(&b, avp, sizeof(avp));
	fake_dia_peer_tx_build(t.peer, &b);
	ck_assert_uint_eq(
		failed_avp(expect_refusal(DIA_AVP_UNSUPPORTED, false)), 999);
	expect_alive();
}
END_TEST

START_TEST(missing_avp_comes_back_in_failed_avp)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	fake_dia_peer_tx_build(t.peer, &b);
	ck_assert_uint_eq(failed_avp(expect_refusal(DIA_MISSING_AVP, false)),
			  283);
	expect_alive();
}
END_TEST

START_TEST(bad_avp_length_comes_back_in_failed_avp)
{
	struct dia_build b = { 0 };
	size_t at;

	start_lir(&b, DIA_LI, DIA_APP_CX);
	at = b.len;
	dia_put_text(&b, AVP_DESTINATION_REALM, "ims.test");
	b.data[at + 6] = 1; /* beyond the message's end */
	fake_dia_peer_tx_build(t.peer, &b);
	ck_assert_uint_eq(
		failed_avp(expect_refusal(DIA_INVALID_AVP_LENGTH, false)), 283);
	expect_alive();
}
END_TEST

START_TEST(other_realm_is_not_served)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	dia_put_text(&b, AVP_DESTINATION_REALM, "other.test");
	fake_dia_peer_tx_build(t.peer, &b);
	(void)expect_refusal(DIA_REALM_NOT_SERVED, true);
	expect_alive();
}
END_TEST

START_TEST(other_host_cannot_be_delivered_to)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	dia_put_text(&b, AVP_DESTINATION_REALM, "ims.test");
	dia_put_text(&b, AVP_DESTINATION_HOST, "hss2.ims.test");
	fake_dia_peer_tx_build(t.peer, &b);
	(void)expect_refusal(DIA_UNABLE_TO_DELIVER, true);
	expect_alive();
}
END_TEST

START_TEST(other_version_is_answered_and_closed)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	ck_assert_int_eq(dia_build_end(&b), 0);
	b.data[0] = 2;
	fake_dia_peer_tx(t.peer, b.data, b.len);
	dia_build_clear(&b);
	(void)expect_refusal(DIA_UNSUPPORTED_VERSION, false);
	wait_for(is_closed);
}
END_TEST

START_TEST(message_lengths_that_are_none_are_answered_and_closed)
{
	static const uint8_t lengths[][3] = {
		{ 0, 0, 16 }, { 0, 0, 22 }, { 1, 0, 4 }, { 0xff, 0xff, 0xfc }
	};
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	memcpy(b.data + 1, lengths[_i], 3);
	fake_dia_peer_tx(t.peer, b.data, DIA_HEADER_LEN);
	dia_build_clear(&b);
	(void)expect_refusal(DIA_INVALID_MESSAGE_LENGTH, false);
	wait_for(is_closed);
}
END_TEST

START_TEST(message_in_single_octets_is_put_together)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	dia_put_text(&b, AVP_DESTINATION_REALM, "ims.test");
	ck_assert_int_eq(dia_build_end(&b), 0);
	for (size_t i = 0; i < b.len; i++) {
		fake_dia_peer_tx(t.peer, b.data + i, 1);
		(void)loop_run_until(t.loop, is_closed, NULL, 0);
	}
	dia_build_clear(&b);
	wait_for_n(has_message, 2);
	expect_result(last(), DIA_SUCCESS, false);
}
END_TEST

START_TEST(messages_in_one_piece_are_taken_apart)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	dia_put_text(&b, AVP_DESTINATION_REALM, "ims.test");
	ck_assert_int_eq(dia_build_end(&b), 0);
	dia_put_raw(&b, b.data, b.len);
	fake_dia_peer_tx(t.peer, b.data, b.len);
	dia_build_clear(&b);
	wait_for_n(has_message, 3);
	ck_assert_int_eq(t.hss->lir_n, 2);
}
END_TEST

START_TEST(first_message_must_be_a_cer)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	fake_dia_peer_tx_build(t.peer, &b);
	wait_for(is_closed);
	ck_assert_int_eq(t.peer->message_n, 0);
	ck_assert_int_eq(t.hss->lir_n, 0);
}
END_TEST

START_TEST(silent_connection_is_closed)
{
	fake_dia_peer_tx(t.peer, "\1", 1); /* a header that never ends */
	(void)loop_run_until(t.loop, is_closed, NULL, 20);
	clock_take_over();
	advance_ms(timer_value_ms(TIMER_DIAMETER_CER));
	wait_for(is_closed);
}
END_TEST

static void tx_cer_with(uint32_t application, bool has_product)
{
	const struct dia_msg header = { .flags = DIA_REQUEST, .code = DIA_CE };
	static const uint8_t ip[] = { 0, 1, 127, 0, 0, 1 };
	struct dia_build b = { 0 };

	dia_build_start(&b, &header);
	dia_put_text(&b, AVP_ORIGIN_HOST, "scscf.ims.test");
	dia_put_text(&b, AVP_ORIGIN_REALM, "ims.test");
	dia_put(&b, AVP_HOST_IP_ADDRESS, ip, sizeof(ip));
	dia_put_u32(&b, AVP_VENDOR_ID, 0);
	if (has_product)
		dia_put_text(&b, AVP_PRODUCT_NAME, "x");
	dia_put_u32(&b, AVP_AUTH_APPLICATION_ID, application);
	fake_dia_peer_tx_build(t.peer, &b);
}

START_TEST(cer_without_cx_gets_no_common_application)
{
	tx_cer_with(4, true);
	wait_for(is_closed);
	expect_result(last(), DIA_NO_COMMON_APPLICATION, false);
	ck_assert_int_eq(t.malformed, 1);
}
END_TEST

START_TEST(cer_without_product_name_gets_missing_avp)
{
	tx_cer_with(DIA_APP_CX, false);
	wait_for(is_closed);
	expect_result(last(), DIA_MISSING_AVP, false);
	ck_assert_uint_eq(failed_avp(last()), 269);
}
END_TEST

START_TEST(malformed_watchdog_is_answered_and_the_link_lives)
{
	const struct dia_msg header = { .flags = DIA_REQUEST, .code = DIA_DW };
	struct dia_build b = { 0 };

	dia_build_start(&b, &header);
	dia_put_text(&b, AVP_ORIGIN_HOST, "scscf.ims.test");
	fake_dia_peer_tx_build(t.peer, &b);
	wait_for_n(has_message, 2);
	expect_result(last(), DIA_MISSING_AVP, false);
	expect_alive();
}
END_TEST

START_TEST(answer_that_nobody_asked_for_is_dropped)
{
	const struct dia_msg header = { .flags = DIA_PROXIABLE,
					.code = DIA_RT,
					.application = DIA_APP_CX,
					.hop_by_hop = 9 };
	struct dia_build b = { 0 };

	dia_build_start(&b, &header);
	dia_put_u32(&b, AVP_RESULT_CODE, DIA_SUCCESS);
	fake_dia_peer_tx_build(t.peer, &b);
	expect_alive();
	ck_assert_int_eq(t.unmatched, 1);
}
END_TEST

static TCase *add(Suite *s, const char *name, const TTest *const *tests,
		  SFun fixture)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, fixture, teardown);
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

	(void)add(s, "nobody listens", alone, setup);
	(void)add(s, "capabilities, as client", mute, setup_mute);
	(void)add(s, "open, as client", open, setup_client);
}

static void add_server(Suite *s)
{
	const TTest *const closed[] = {
		first_message_must_be_a_cer,
		silent_connection_is_closed,
		cer_without_cx_gets_no_common_application,
		cer_without_product_name_gets_missing_avp,
		NULL,
	};
	const TTest *const open[] = {
		request_is_answered_with_what_it_brought,
		unknown_command_gets_command_unsupported,
		command_of_the_other_side_gets_command_unsupported,
		other_application_gets_application_unsupported,
		request_with_the_e_bit_gets_invalid_hdr_bits,
		unknown_mandatory_avp_comes_back_in_failed_avp,
		missing_avp_comes_back_in_failed_avp,
		bad_avp_length_comes_back_in_failed_avp,
		other_realm_is_not_served,
		other_host_cannot_be_delivered_to,
		other_version_is_answered_and_closed,
		message_in_single_octets_is_put_together,
		messages_in_one_piece_are_taken_apart,
		malformed_watchdog_is_answered_and_the_link_lives,
		answer_that_nobody_asked_for_is_dropped,
		NULL,
	};
	TCase *tc = add(s, "open, as server", open, setup_open_server);

	tcase_add_loop_test(
		tc, message_lengths_that_are_none_are_answered_and_closed, 0,
		4);
	(void)add(s, "capabilities, as server", closed, setup_server);
}

static Suite *dia_peer_suite(void)
{
	Suite *s = suite_create("dia_peer");

	add_client(s);
	add_server(s);

	return s;
}

SUITE_MAIN(dia_peer_suite)
