#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/dia_check.h"
#include "common/mem.h"
#include "tests/suite.h"

/* A UAR written by hand (RFC 6733 3, 4; TS 29.229 6.1.1) */
static const uint8_t uar[] = {
	/* version 1, length 276; R P; 300; Cx; hop-by-hop, end-to-end */
	0x01, 0x00, 0x01, 0x14, 0xc0, 0x00, 0x01, 0x2c, 0x01, 0x00, 0x00, 0x00,
	0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
	/* Session-Id 263, M, 8+7, padded by 1 */
	0x00, 0x00, 0x01, 0x07, 0x40, 0x00, 0x00, 0x0f, 'a', ';', '1', ';', '2',
	';', '3', 0x00,
	/* Vendor-Specific-Application-Id 260 {266 10415}{258 16777216} */
	0x00, 0x00, 0x01, 0x04, 0x40, 0x00, 0x00, 0x20, 0x00, 0x00, 0x01, 0x0a,
	0x40, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x28, 0xaf, 0x00, 0x00, 0x01, 0x02,
	0x40, 0x00, 0x00, 0x0c, 0x01, 0x00, 0x00, 0x00,
	/* Auth-Session-State 277: NO_STATE_MAINTAINED */
	0x00, 0x00, 0x01, 0x15, 0x40, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x01,
	/* Origin-Host 264 "icscf.ims.test", padded by 2 */
	0x00, 0x00, 0x01, 0x08, 0x40, 0x00, 0x00, 0x16, 'i', 'c', 's', 'c', 'f',
	'.', 'i', 'm', 's', '.', 't', 'e', 's', 't', 0x00, 0x00,
	/* Origin-Realm 296 "ims.test" */
	0x00, 0x00, 0x01, 0x28, 0x40, 0x00, 0x00, 0x10, 'i', 'm', 's', '.', 't',
	'e', 's', 't',
	/* Destination-Realm 283 "ims.test" */
	0x00, 0x00, 0x01, 0x1b, 0x40, 0x00, 0x00, 0x10, 'i', 'm', 's', '.', 't',
	'e', 's', 't',
	/* User-Name 1 "bob@ims.test" */
	0x00, 0x00, 0x00, 0x01, 0x40, 0x00, 0x00, 0x14, 'b', 'o', 'b', '@', 'i',
	'm', 's', '.', 't', 'e', 's', 't',
	/* Public-Identity 601, V M, 10415, "sip:bob@ims.test" */
	0x00, 0x00, 0x02, 0x59, 0xc0, 0x00, 0x00, 0x1c, 0x00, 0x00, 0x28, 0xaf,
	's', 'i', 'p', ':', 'b', 'o', 'b', '@', 'i', 'm', 's', '.', 't', 'e',
	's', 't',
	/* Visited-Network-Identifier 600, "ims.test" */
	0x00, 0x00, 0x02, 0x58, 0xc0, 0x00, 0x00, 0x14, 0x00, 0x00, 0x28, 0xaf,
	'i', 'm', 's', '.', 't', 'e', 's', 't',
	/* User-Authorization-Type 623: REGISTRATION */
	0x00, 0x00, 0x02, 0x6f, 0xc0, 0x00, 0x00, 0x10, 0x00, 0x00, 0x28, 0xaf,
	0x00, 0x00, 0x00, 0x00,
	/* Supported-Features 628, no M, {266}{629 1}{630 0} */
	0x00, 0x00, 0x02, 0x74, 0x80, 0x00, 0x00, 0x38, 0x00, 0x00, 0x28, 0xaf,
	0x00, 0x00, 0x01, 0x0a, 0x40, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x28, 0xaf,
	0x00, 0x00, 0x02, 0x75, 0x80, 0x00, 0x00, 0x10, 0x00, 0x00, 0x28, 0xaf,
	0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x02, 0x76, 0x80, 0x00, 0x00, 0x10,
	0x00, 0x00, 0x28, 0xaf, 0x00, 0x00, 0x00, 0x00
};

enum { AT_VSAI = 36, AT_STATE = 68, AT_USER_NAME = 136, AT_TYPE = 204 };

static struct dia_build b;
static struct dia_fault fault;

static void setup(void)
{
	b = (struct dia_build){ 0 };
	fault = (struct dia_fault){ 0 };
}

static void teardown(void)
{
	dia_build_clear(&b);
}

static const struct dia_msg header = { .flags = DIA_REQUEST | DIA_PROXIABLE,
				       .code = DIA_UA,
				       .application = DIA_APP_CX,
				       .hop_by_hop = 0x11223344,
				       .end_to_end = 0x55667788 };

/* The same as uar[], but for what leave_out names */
static void build_uar(enum dia_avp_id leave_out)
{
	static const struct {
		enum dia_avp_id id;
		const char *text;
	} texts[] = { { AVP_ORIGIN_HOST, "icscf.ims.test" },
		      { AVP_ORIGIN_REALM, "ims.test" },
		      { AVP_DESTINATION_REALM, "ims.test" },
		      { AVP_USER_NAME, "bob@ims.test" },
		      { AVP_PUBLIC_IDENTITY, "sip:bob@ims.test" },
		      { AVP_VISITED_NETWORK_IDENTIFIER, "ims.test" } };
	size_t group;

	dia_build_start(&b, &header);
	dia_put_text(&b, AVP_SESSION_ID, "a;1;2;3");
	dia_put_cx_head(&b);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].id != leave_out)
			dia_put_text(&b, texts[i].id, texts[i].text);
	dia_put_u32(&b, AVP_USER_AUTHORIZATION_TYPE, 0);
	group = dia_group(&b, AVP_SUPPORTED_FEATURES);
	dia_put_u32(&b, AVP_VENDOR_ID, DIA_VENDOR_3GPP);
	dia_put_u32(&b, AVP_FEATURE_LIST_ID, 1);
	dia_put_u32(&b, AVP_FEATURE_LIST, 0);
	ck_assert(dia_group_end(&b, group));
}

static int check(const uint8_t *data, size_t len)
{
	struct dia_msg msg;

	ck_assert_int_eq(dia_msg_read(&msg, data, len), 0);

	return dia_check(&fault, &msg);
}

static int check_built(void)
{
	ck_assert_int_eq(dia_build_end(&b), 0);

	return check(b.data, b.len);
}

START_TEST(message_is_written_octet_by_octet_as_by_hand)
{
	build_uar(AVP_NONE);
	ck_assert_int_eq(dia_build_end(&b), 0);
	ck_assert_uint_eq(b.len, sizeof(uar));
	ck_assert_mem_eq(b.data, uar, sizeof(uar));
}
END_TEST

START_TEST(message_by_hand_is_read_and_found_right)
{
	struct dia_msg msg;
	char text[64];

	ck_assert_int_eq(dia_msg_read(&msg, uar, sizeof(uar)), 0);
	ck_assert_uint_eq(msg.code, 300);
	ck_assert_uint_eq(msg.hop_by_hop, 0x11223344);
	ck_assert_uint_eq(msg.end_to_end, 0x55667788);
	ck_assert(dia_is_request(&msg));
	ck_assert_str_eq(dia_msg_name(&msg), "UAR");
	ck_assert_int_eq(dia_check(&fault, &msg), 0);
	ck_assert(dia_text(text, sizeof(text), &msg, AVP_PUBLIC_IDENTITY));
	ck_assert_str_eq(text, "sip:bob@ims.test");
	ck_assert(dia_text(text, sizeof(text), &msg, AVP_SESSION_ID));
	ck_assert_str_eq(text, "a;1;2;3");
	ck_assert(dia_text(text, 6, &msg, AVP_PUBLIC_IDENTITY));
	ck_assert_str_eq(text, "sip:b");
	ck_assert(!dia_text(text, sizeof(text), &msg, AVP_SERVER_NAME));
}
END_TEST

/* A copy on the heap, so that ASan sees a read beyond the end */
START_TEST(every_truncation_is_refused)
{
	for (size_t len = 0; len < sizeof(uar); len++) {
		uint8_t *cut = malloc(len ? len : 1);
		struct dia_msg msg;

		memcpy(cut, uar, len);
		ck_assert_int_ne(dia_msg_read(&msg, cut, len), 0);
		free(cut);
	}
}
END_TEST

/* Its own length says that it ends there: an AVP is cut, or one is missing */
START_TEST(every_shortened_length_is_refused)
{
	/* the last two AVPs are optional */
	enum { WHOLE = sizeof(uar) - 56 };

	for (size_t len = DIA_HEADER_LEN; len < sizeof(uar); len += 4) {
		uint8_t *cut = malloc(len);
		int err;

		memcpy(cut, uar, len);
		cut[2] = (uint8_t)(len >> 8);
		cut[3] = (uint8_t)len;
		err = check(cut, len);
		free(cut);
		if (len != WHOLE && len != WHOLE - 16)
			ck_assert_int_eq(err, EBADMSG);
	}
}
END_TEST

START_TEST(frame_tells_what_is_wrong_with_a_header)
{
	uint8_t h[DIA_HEADER_LEN] = { 1, 0, 0, 20 };
	size_t frame = 0;

	ck_assert_int_eq(dia_frame(h, 19, &frame), EAGAIN);
	ck_assert_int_eq(dia_frame(h, 20, &frame), 0);
	ck_assert_uint_eq(frame, 20);
	h[3] = 16;
	ck_assert_int_eq(dia_frame(h, 20, &frame), EMSGSIZE);
	h[3] = 22;
	ck_assert_int_eq(dia_frame(h, 20, &frame), EMSGSIZE);
	h[1] = 1, h[2] = 0, h[3] = 0; /* 65536 */
	ck_assert_int_eq(dia_frame(h, 20, &frame), 0);
	h[3] = 4;
	ck_assert_int_eq(dia_frame(h, 20, &frame), EMSGSIZE);
	h[0] = 2;
	ck_assert_int_eq(dia_frame(h, 20, &frame), EPROTONOSUPPORT);
}
END_TEST

static void expect_fault(uint32_t result, uint32_t avp_code)
{
	ck_assert_uint_eq(fault.result, result);
	ck_assert_uint_eq(fault.avp.code, avp_code);
	ck_assert_str_ne(fault.text, "");
}

/* RFC 6733 7.1.5: 5014 */
START_TEST(bad_avp_lengths_are_refused)
{
	static const uint8_t lengths[] = { 0, 4, 7, 0xff };
	uint8_t msg[sizeof(uar)];

	for (size_t i = 0; i < sizeof(lengths); i++) {
		memcpy(msg, uar, sizeof(uar));
		msg[AT_USER_NAME + 7] = lengths[i];
		ck_assert_int_eq(check(msg, sizeof(msg)), EBADMSG);
		expect_fault(DIA_INVALID_AVP_LENGTH, 1);
	}
	memcpy(msg, uar, sizeof(uar)); /* three octets of 16 million */
	msg[AT_USER_NAME + 5] = 0xff;
	ck_assert_int_eq(check(msg, sizeof(msg)), EBADMSG);
	expect_fault(DIA_INVALID_AVP_LENGTH, 1);
	memcpy(msg, uar, sizeof(uar)); /* inside a group, beyond its end */
	msg[AT_VSAI + 20 + 7] = 0x20;
	ck_assert_int_eq(check(msg, sizeof(msg)), EBADMSG);
	expect_fault(DIA_INVALID_AVP_LENGTH, 258);
	memcpy(msg, uar, sizeof(uar)); /* too short for its vendor */
	msg[AT_TYPE + 7] = 8;
	ck_assert_int_eq(check(msg, sizeof(msg)), EBADMSG);
	expect_fault(DIA_INVALID_AVP_LENGTH, 623);
}
END_TEST

START_TEST(number_of_another_length_is_refused)
{
	uint8_t msg[sizeof(uar)];

	memcpy(msg, uar, sizeof(uar));
	msg[AT_STATE + 7] = 11; /* three octets and one of padding */
	ck_assert_int_eq(check(msg, sizeof(msg)), EBADMSG);
	expect_fault(DIA_INVALID_AVP_LENGTH, 277);
}
END_TEST

START_TEST(value_that_is_not_defined_is_refused)
{
	uint8_t msg[sizeof(uar)];

	memcpy(msg, uar, sizeof(uar));
	msg[AT_TYPE + 15] = 3;
	ck_assert_int_eq(check(msg, sizeof(msg)), EBADMSG);
	expect_fault(DIA_INVALID_AVP_VALUE, 623);
}
END_TEST

START_TEST(missing_avp_is_named_with_an_example)
{
	static const uint8_t failed[] = { 0,    0,    0x01, 0x17, 0x40, 0,    0,
					  0x14, 0,    0,    0x02, 0x59, 0xc0, 0,
					  0,    0x0c, 0,    0,    0x28, 0xaf };

	build_uar(AVP_PUBLIC_IDENTITY);
	ck_assert_int_eq(check_built(), EBADMSG);
	expect_fault(DIA_MISSING_AVP, 601);
	ck_assert_str_eq(fault.text, "Public-Identity is missing from UAR");
	b.len = 0;
	dia_put_failed(&b, &fault);
	ck_assert_uint_eq(b.len, sizeof(failed));
	ck_assert_mem_eq(b.data, failed, sizeof(failed));
}
END_TEST

START_TEST(avp_that_occurs_twice_is_refused)
{
	build_uar(AVP_NONE);
	dia_put_text(&b, AVP_USER_NAME, "eve@ims.test");
	ck_assert_int_eq(check_built(), EBADMSG);
	expect_fault(DIA_AVP_OCCURS_TOO_MANY_TIMES, 1);
}
END_TEST

/* 4.1: an AVP of another vendor is another AVP */
static void put_unknown(uint8_t flags)
{
	const uint8_t avp[] = { 0, 0, 0x02, 0x59, flags, 0,   0,   16,
				0, 0, 0x30, 0x39, 'e',   'v', 'i', 'l' };

	dia_put_raw(&b, avp, sizeof(avp));
}

START_TEST(unknown_mandatory_avp_in_a_request_is_refused_and_shown)
{
	build_uar(AVP_NONE);
	put_unknown(DIA_AVP_V | DIA_AVP_M);
	ck_assert_int_eq(check_built(), EBADMSG);
	expect_fault(DIA_AVP_UNSUPPORTED, 601);
	ck_assert_uint_eq(fault.avp.vendor, 12345);
	ck_assert_uint_eq(fault.avp.raw_len, 16);
}
END_TEST

START_TEST(unknown_avp_without_m_is_passed_over)
{
	build_uar(AVP_NONE);
	put_unknown(DIA_AVP_V);
	ck_assert_int_eq(check_built(), 0);
}
END_TEST

START_TEST(unknown_mandatory_avp_in_an_answer_is_passed_over)
{
	struct dia_msg answer = header;

	answer.flags = DIA_PROXIABLE;
	dia_build_start(&b, &answer);
	dia_put_u32(&b, AVP_RESULT_CODE, DIA_SUCCESS);
	put_unknown(DIA_AVP_V | DIA_AVP_M);
	ck_assert_int_eq(check_built(), 0);
}
END_TEST

START_TEST(known_avp_needs_no_m)
{
	uint8_t msg[sizeof(uar)];

	memcpy(msg, uar, sizeof(uar));
	msg[AT_USER_NAME + 4] = 0;
	ck_assert_int_eq(check(msg, sizeof(msg)), 0);
}
END_TEST

START_TEST(answer_needs_exactly_one_result)
{
	struct dia_msg answer = header, msg;
	char text[64];
	size_t group;

	answer.flags = DIA_PROXIABLE;
	dia_build_start(&b, &answer);
	ck_assert_int_eq(check_built(), EBADMSG);
	group = dia_group(&b, AVP_EXPERIMENTAL_RESULT);
	dia_put_u32(&b, AVP_VENDOR_ID, DIA_VENDOR_3GPP);
	dia_put_u32(&b, AVP_EXPERIMENTAL_RESULT_CODE, 5001);
	(void)dia_group_end(&b, group);
	ck_assert_int_eq(check_built(), 0);
	ck_assert_int_eq(dia_msg_read(&msg, b.data, b.len), 0);
	ck_assert(dia_result_text(text, sizeof(text), &msg));
	ck_assert_str_eq(text, "5001 ERROR_USER_UNKNOWN");
	dia_put_u32(&b, AVP_RESULT_CODE, DIA_SUCCESS);
	ck_assert_int_eq(check_built(), EBADMSG);
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
	size_t groups[1000];

	build_uar(AVP_NONE);
	for (int i = 0; i < 1000; i++)
		groups[i] = dia_group(&b, AVP_VENDOR_SPECIFIC_APPLICATION_ID);
	dia_put_u32(&b, AVP_VENDOR_ID, 1);
	for (int i = 999; i >= 0; i--)
		(void)dia_group_end(&b, groups[i]);
	ck_assert_int_eq(check_built(), EBADMSG);
	expect_fault(DIA_INVALID_AVP_VALUE, 260);
}
END_TEST

START_TEST(empty_group_is_not_sent)
{
	size_t group;

	dia_build_start(&b, &header);
	group = dia_group(&b, AVP_SERVER_CAPABILITIES);
	ck_assert(!dia_group_end(&b, group));
	ck_assert_uint_eq(b.len, DIA_HEADER_LEN);
}
END_TEST

START_TEST(message_over_64_kib_is_not_written)
{
	char *big = xcalloc(1, DIA_MSG_MAX);

	dia_build_start(&b, &header);
	dia_put(&b, AVP_USER_DATA, big, DIA_MSG_MAX - DIA_HEADER_LEN - 12);
	ck_assert_int_eq(dia_build_end(&b), 0);
	ck_assert_uint_eq(b.len, DIA_MSG_MAX);
	dia_put(&b, AVP_USER_DATA, "", 0);
	ck_assert_int_eq(dia_build_end(&b), EMSGSIZE);
	free(big);
}
END_TEST

/* What makes looking an AVP up quick is that the rows are in order */
START_TEST(every_row_of_the_dictionary_is_found)
{
	for (int id = 1; id < AVP_COUNT; id++) {
		const struct dia_avp_def *d = dia_avp_def((enum dia_avp_id)id);

		ck_assert_ptr_nonnull(d->name);
		ck_assert_int_eq((int)dia_avp_id(d->code, d->vendor), id);
	}
	ck_assert_int_eq((int)dia_avp_id(601, 0), AVP_NONE);
	ck_assert_int_eq((int)dia_avp_id(1, DIA_VENDOR_3GPP), AVP_NONE);
	ck_assert_int_eq((int)dia_avp_id(0xffffffff, 0xffffffff), AVP_NONE);
}
END_TEST

START_TEST(commands_and_results_have_the_standards_names)
{
	ck_assert_str_eq(dia_command_name(301, true), "SAR");
	ck_assert_str_eq(dia_command_name(303, false), "MAA");
	ck_assert_str_eq(dia_command_name(280, true), "DWR");
	ck_assert_str_eq(dia_command_name(999, true), "request");
	ck_assert_str_eq(dia_result_name(5001, false), "AVP_UNSUPPORTED");
	ck_assert_str_eq(dia_result_name(5001, true), "ERROR_USER_UNKNOWN");
	ck_assert_str_eq(dia_result_name(1, true), "unknown");
}
END_TEST

static void add(Suite *s, const char *name, const TTest *const *tests)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
	for (; *tests; tests++)
		tcase_add_test(tc, *tests);
	suite_add_tcase(s, tc);
}

static Suite *dia_msg_suite(void)
{
	const TTest *const right[] = {
		message_is_written_octet_by_octet_as_by_hand,
		message_by_hand_is_read_and_found_right,
		known_avp_needs_no_m,
		unknown_avp_without_m_is_passed_over,
		unknown_mandatory_avp_in_an_answer_is_passed_over,
		empty_group_is_not_sent,
		every_row_of_the_dictionary_is_found,
		commands_and_results_have_the_standards_names,
		NULL,
	};
	const TTest *const wrong[] = {
		every_truncation_is_refused,
		every_shortened_length_is_refused,
		frame_tells_what_is_wrong_with_a_header,
		bad_avp_lengths_are_refused,
		number_of_another_length_is_refused,
		value_that_is_not_defined_is_refused,
		missing_avp_is_named_with_an_example,
		avp_that_occurs_twice_is_refused,
		unknown_mandatory_avp_in_a_request_is_refused_and_shown,
		answer_needs_exactly_one_result,
		deep_nesting_is_refused,
		message_over_64_kib_is_not_written,
		NULL,
	};
	Suite *s = suite_create("dia_msg");

	add(s, "right", right);
	add(s, "wrong (RFC 6733 7)", wrong);

	return s;
}

SUITE_MAIN(dia_msg_suite)
