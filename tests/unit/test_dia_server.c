/* Diameter as its server: what a stranger may send (RFC 6733 3, 5, 7) */
#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/timer.h"
#include "tests/fake/dia_bed.h"
#include "tests/suite.h"

static void setup_server(void)
{
	dia_bed_setup();
	dia_bed.hss = fake_hss_new(dia_bed.el);
	dia_bed.peer =
		fake_dia_peer_connect(dia_bed.loop, fake_hss_addr(dia_bed.hss));
}

static void setup_open_server(void)
{
	setup_server();
	fake_dia_peer_tx_cer(dia_bed.peer);
	dia_bed_wait_for_n(dia_bed_has_message, 1);
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
	int before = dia_bed.peer->message_n;

	dia_bed_wait_for_n(dia_bed_has_message, before + 1);
	dia_bed_expect_result(dia_bed_last(), result, has_e_bit);
	ck_assert(!dia_is_request(dia_bed_last()));
	ck_assert_int_eq(dia_bed.malformed, 1);
	ck_assert_int_eq(dia_bed.hss->lir_n, 0);

	return dia_bed_last();
}

/* The connection outlives a message that was refused */
static void expect_alive(void)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	dia_put_text(&b, AVP_DESTINATION_REALM, "ims.test");
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	dia_bed_wait_for_n(dia_bed_has_message, dia_bed.peer->message_n + 1);
	ck_assert_int_eq(dia_bed.hss->lir_n, 1);
	ck_assert(!dia_bed.peer->is_closed);
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
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	dia_bed_wait_for_n(dia_bed_has_message, 2);
	dia_bed_expect_result(dia_bed_last(), DIA_SUCCESS, false);
	ck_assert_uint_eq(dia_bed_last()->hop_by_hop, 5);
	ck_assert_uint_eq(dia_bed_last()->end_to_end, 6);
	ck_assert_uint_eq(dia_bed_last()->flags, DIA_PROXIABLE);
	/* RFC 6733 8.8: right behind the header */
	ck_assert_mem_eq(dia_bed_last()->raw + DIA_HEADER_LEN, "\0\0\1\7", 4);
	ck_assert(dia_find(&avp, dia_iter_msg(dia_bed_last()), AVP_PROXY_INFO));
	ck_assert(dia_find(&avp, dia_iter_group(&avp), AVP_PROXY_STATE));
	ck_assert_mem_eq(avp.data, "\0\1\2", 3);
}
END_TEST

START_TEST(unknown_command_gets_command_unsupported)
{
	struct dia_build b = { 0 };

	start_lir(&b, 999, DIA_APP_CX);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	(void)expect_refusal(DIA_COMMAND_UNSUPPORTED, true);
	expect_alive();
}
END_TEST

START_TEST(command_of_the_other_side_gets_command_unsupported)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_RT, DIA_APP_CX);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	(void)expect_refusal(DIA_COMMAND_UNSUPPORTED, true);
}
END_TEST

START_TEST(other_application_gets_application_unsupported)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, 16777217); /* Sh */
	dia_put_text(&b, AVP_DESTINATION_REALM, "ims.test");
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	(void)expect_refusal(DIA_APPLICATION_UNSUPPORTED, true);
	expect_alive();
}
END_TEST

START_TEST(request_with_the_e_bit_gets_invalid_hdr_bits)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	b.data[4] |= DIA_ERROR;
	fake_dia_peer_tx_build(dia_bed.peer, &b);
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
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	ck_assert_uint_eq(
		failed_avp(expect_refusal(DIA_AVP_UNSUPPORTED, false)), 999);
	expect_alive();
}
END_TEST

START_TEST(missing_avp_comes_back_in_failed_avp)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
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
	fake_dia_peer_tx_build(dia_bed.peer, &b);
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
	fake_dia_peer_tx_build(dia_bed.peer, &b);
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
	fake_dia_peer_tx_build(dia_bed.peer, &b);
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
	fake_dia_peer_tx(dia_bed.peer, b.data, b.len);
	dia_build_clear(&b);
	(void)expect_refusal(DIA_UNSUPPORTED_VERSION, false);
	dia_bed_wait_for(dia_bed_is_closed);
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
	fake_dia_peer_tx(dia_bed.peer, b.data, DIA_HEADER_LEN);
	dia_build_clear(&b);
	(void)expect_refusal(DIA_INVALID_MESSAGE_LENGTH, false);
	dia_bed_wait_for(dia_bed_is_closed);
}
END_TEST

START_TEST(message_in_single_octets_is_put_together)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	dia_put_text(&b, AVP_DESTINATION_REALM, "ims.test");
	ck_assert_int_eq(dia_build_end(&b), 0);
	for (size_t i = 0; i < b.len; i++) {
		fake_dia_peer_tx(dia_bed.peer, b.data + i, 1);
		(void)loop_run_until(dia_bed.loop, dia_bed_is_closed, NULL, 0);
	}
	dia_build_clear(&b);
	dia_bed_wait_for_n(dia_bed_has_message, 2);
	dia_bed_expect_result(dia_bed_last(), DIA_SUCCESS, false);
}
END_TEST

START_TEST(messages_in_one_piece_are_taken_apart)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	dia_put_text(&b, AVP_DESTINATION_REALM, "ims.test");
	ck_assert_int_eq(dia_build_end(&b), 0);
	dia_put_raw(&b, b.data, b.len);
	fake_dia_peer_tx(dia_bed.peer, b.data, b.len);
	dia_build_clear(&b);
	dia_bed_wait_for_n(dia_bed_has_message, 3);
	ck_assert_int_eq(dia_bed.hss->lir_n, 2);
}
END_TEST

START_TEST(first_message_must_be_a_cer)
{
	struct dia_build b = { 0 };

	start_lir(&b, DIA_LI, DIA_APP_CX);
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	dia_bed_wait_for(dia_bed_is_closed);
	ck_assert_int_eq(dia_bed.peer->message_n, 0);
	ck_assert_int_eq(dia_bed.hss->lir_n, 0);
}
END_TEST

START_TEST(silent_connection_is_closed)
{
	fake_dia_peer_tx(dia_bed.peer, "\1", 1); /* a header that never ends */
	(void)loop_run_until(dia_bed.loop, dia_bed_is_closed, NULL, 20);
	clock_take_over();
	dia_bed_advance_ms(timer_value_ms(TIMER_DIAMETER_CER));
	dia_bed_wait_for(dia_bed_is_closed);
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
	fake_dia_peer_tx_build(dia_bed.peer, &b);
}

START_TEST(cer_without_cx_gets_no_common_application)
{
	tx_cer_with(4, true);
	dia_bed_wait_for(dia_bed_is_closed);
	dia_bed_expect_result(dia_bed_last(), DIA_NO_COMMON_APPLICATION, false);
	ck_assert_int_eq(dia_bed.malformed, 1);
}
END_TEST

START_TEST(cer_without_product_name_gets_missing_avp)
{
	tx_cer_with(DIA_APP_CX, false);
	dia_bed_wait_for(dia_bed_is_closed);
	dia_bed_expect_result(dia_bed_last(), DIA_MISSING_AVP, false);
	ck_assert_uint_eq(failed_avp(dia_bed_last()), 269);
}
END_TEST

START_TEST(malformed_watchdog_is_answered_and_the_link_lives)
{
	const struct dia_msg header = { .flags = DIA_REQUEST, .code = DIA_DW };
	struct dia_build b = { 0 };

	dia_build_start(&b, &header);
	dia_put_text(&b, AVP_ORIGIN_HOST, "scscf.ims.test");
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	dia_bed_wait_for_n(dia_bed_has_message, 2);
	dia_bed_expect_result(dia_bed_last(), DIA_MISSING_AVP, false);
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
	fake_dia_peer_tx_build(dia_bed.peer, &b);
	expect_alive();
	ck_assert_int_eq(dia_bed.unmatched, 1);
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

static Suite *suite(void)
{
	Suite *s = suite_create("dia_server");

	add_server(s);

	return s;
}

SUITE_MAIN(suite)
