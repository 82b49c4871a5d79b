/* Offer and answer of the terminal (RFC 3264) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal/terminal_sdp.h"
#include "tests/suite.h"

#define HEAD                                                                   \
	"v=0\r\no=- 1 1 IN IP4 127.0.0.9\r\ns=-\r\n"                           \
	"c=IN IP4 127.0.0.9\r\nt=0 0\r\n"

static const struct ue_sdp_local local = {
	.host = "127.0.0.1", .port = 5004, .id = 7, .version = 3
};

static char *answer_to(const char *offer, struct ue_sdp_remote *remote)
{
	char *answer = NULL, *reason = NULL;
	int err = ue_sdp_answer(&answer, remote, &local, offer, strlen(offer),
				&reason);

	ck_assert_msg(!err, "%s", reason);

	return answer;
}

static void refuse(const char *offer, int err, const char *needle)
{
	struct ue_sdp_remote remote;
	char *answer = NULL, *reason = NULL;

	ck_assert_int_eq(ue_sdp_answer(&answer, &remote, &local, offer,
				       strlen(offer), &reason),
			 err);
	ck_assert_msg(strstr(reason, needle), "%s", reason);
	ck_assert_ptr_null(answer);
	free(reason);
}

static void expect(const char *text, const char *needle)
{
	ck_assert_msg(strstr(text, needle), "\"%s\" is not in\n%s", needle,
		      text);
}

START_TEST(an_offer_can_be_read_as_one)
{
	char *offer = ue_sdp_offer(&local);
	struct ue_sdp_remote remote = { 0 };
	char *answer = answer_to(offer, &remote);

	ck_assert_str_eq(remote.host, "127.0.0.1");
	ck_assert_int_eq(remote.port, 5004);
	ck_assert_int_eq(remote.payload, RTP_PCMA);
	ck_assert(remote.is_listening);
	expect(offer, "o=- 7 3 IN IP4 127.0.0.1\r\n");
	expect(offer, "b=RS:0\r\nb=RR:0\r\n");
	expect(answer, "m=audio 5004 RTP/AVP 8\r\n");
	free(offer);
	free(answer);
}
END_TEST

START_TEST(ipv6_is_said_to_be)
{
	const struct ue_sdp_local six = { .host = "::1", .port = 5004 };
	char *offer = ue_sdp_offer(&six);
	struct ue_sdp_remote remote = { 0 };
	char *answer = answer_to(offer, &remote);

	expect(offer, "c=IN IP6 ::1\r\n");
	ck_assert_str_eq(remote.host, "::1");
	free(offer);
	free(answer);
}
END_TEST

/* RFC 3264 6: a line for each line; the first audio that we can do */
START_TEST(what_is_not_taken_is_refused_by_port_0)
{
	struct ue_sdp_remote remote = { 0 };
	char *answer = answer_to(HEAD "m=video 4000 RTP/AVP 31 34\r\n"
				      "m=audio 4002 RTP/SAVP 8\r\n"
				      "m=audio 4004 RTP/AVP 18 0 8\r\n"
				      "m=audio 4006 RTP/AVP 8\r\n"
				      "m=image 4008 udptl t38\r\n",
				 &remote);

	ck_assert_int_eq(remote.port, 4004);
	ck_assert_int_eq(remote.payload, RTP_PCMU);
	expect(answer, "m=video 0 RTP/AVP 31 34\r\n"
		       "m=audio 0 RTP/SAVP 8\r\n"
		       "m=audio 5004 RTP/AVP 0\r\n");
	expect(answer, "m=audio 0 RTP/AVP 8\r\nm=image 0 udptl t38\r\n");
	free(answer);
}
END_TEST

START_TEST(modes_are_mirrored)
{
	static const char *const modes[][2] = { { "sendonly", "recvonly" },
						{ "recvonly", "sendonly" },
						{ "inactive", "inactive" },
						{ "sendrecv", "sendrecv" } };

	for (size_t i = 0; i < 4; i++) {
		struct ue_sdp_remote remote = { 0 };
		char offer[512];
		char *answer;

		snprintf(offer, sizeof(offer),
			 HEAD "m=audio 4000 RTP/AVP 8\r\na=%s\r\n",
			 modes[i][0]);
		answer = answer_to(offer, &remote);
		expect(answer, modes[i][1]);
		ck_assert_int_eq(remote.is_listening, i == 1 || i == 3);
		free(answer);
	}
}
END_TEST

START_TEST(the_address_of_the_line_goes_before_that_of_the_session)
{
	struct ue_sdp_remote remote = { 0 };

	free(answer_to(HEAD "m=audio 4000 RTP/AVP 8\r\n"
			    "c=IN IP4 127.0.0.8\r\n",
		       &remote));
	ck_assert_str_eq(remote.host, "127.0.0.8");
}
END_TEST

START_TEST(an_offer_without_our_codecs_is_refused)
{
	refuse(HEAD, ENOTSUP, "none of G.711");
	refuse(HEAD "m=audio 4000 RTP/AVP 18\r\n", ENOTSUP, "none of G.711");
	refuse(HEAD "m=audio 0 RTP/AVP 8\r\n", ENOTSUP, "none of G.711");
	refuse(HEAD "m=audio 70000 RTP/AVP 8\r\n", ENOTSUP, "none of G.711");
	refuse(HEAD "m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 X/16000\r\n", ENOTSUP,
	       "none of G.711");
}
END_TEST

START_TEST(an_offer_of_too_many_lines_is_refused)
{
	char offer[4096] = HEAD;
	size_t len = strlen(offer);

	for (int i = 0; i < 17; i++)
		len += (size_t)snprintf(offer + len, sizeof(offer) - len,
					"m=audio 4000 RTP/AVP 8\r\n");
	refuse(offer, ENOTSUP, "more than 16 media lines");
}
END_TEST

START_TEST(what_is_no_sdp_is_said_to_be_none)
{
	struct ue_sdp_remote remote;
	char *reason = NULL;

	refuse("", EBADMSG, "SDP cannot be read");
	refuse("nonsense", EBADMSG, "SDP cannot be read");
	refuse("v=0\r\nm=audio x RTP/AVP 8\r\n", EBADMSG, "cannot be read");
	ck_assert_int_eq(ue_sdp_read_answer(&remote, "x", 1, &reason), EBADMSG);
	free(reason);
}
END_TEST

START_TEST(an_answer_that_takes_nothing_is_said_to)
{
	static const char text[] = HEAD "m=audio 0 RTP/AVP 8\r\n";
	struct ue_sdp_remote remote;
	char *reason = NULL;

	ck_assert_int_eq(
		ue_sdp_read_answer(&remote, text, strlen(text), &reason),
		ENOTSUP);
	expect(reason, "takes none of G.711");
	free(reason);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("ue_sdp");
	TCase *tc = tcase_create("sdp");

	tcase_add_test(tc, an_offer_can_be_read_as_one);
	tcase_add_test(tc, ipv6_is_said_to_be);
	tcase_add_test(tc, what_is_not_taken_is_refused_by_port_0);
	tcase_add_test(tc, modes_are_mirrored);
	tcase_add_test(tc,
		       the_address_of_the_line_goes_before_that_of_the_session);
	tcase_add_test(tc, an_offer_without_our_codecs_is_refused);
	tcase_add_test(tc, an_offer_of_too_many_lines_is_refused);
	tcase_add_test(tc, what_is_no_sdp_is_said_to_be_none);
	tcase_add_test(tc, an_answer_that_takes_nothing_is_said_to);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
