/* A UE's calls on the wire: the P-CSCF and all behind it is a bare socket that
 * the test speaks for (RFC 3261 12 to 15, TS 24.229 5.1.3, 5.1.4) */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/ctl.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/pki.h"
#include "common/timer.h"
#include "terminal/terminal.h"
#include "terminal/terminal_core.h"
#include "tests/fake/fake_as.h"
#include "tests/fake/fake_peer.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

#define ALICE "+8613800138000"
#define URI "sip:+8657110000001@ims.test"
#define BOB "sip:+8657110000002@ims.test"
#define SDP_BODY                                                               \
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"                           \
	"c=IN IP4 127.0.0.1\r\nt=0 0\r\n"                                      \
	"m=audio 40000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\n"
#define WITH_SDP "Content-Type: application/sdp\n\n" SDP_BODY

enum { SHORT_MS = 60, TEXT_MAX = 4096 };

/** A control command under way */
struct told {
	json_t *result;
	char error[512];
	bool is_done;
};

static struct {
	struct loop *loop;
	struct element *el, *as_el;
	struct fake_as *as;
	struct fake_peer *net;
	struct terminal *terminal;
	struct ctl *ctl;
	char ca[96];
	struct told first, second;
	char invite[TEXT_MAX]; /* the one that came last */
	char contact[128];     /* the other end's header line: the test */
	char ok[TEXT_MAX];     /* with SDP: what a 200 brings */
} t;

static void on_answer(json_t *result, const char *error, void *arg)
{
	struct told *told = arg;

	told->is_done = true;
	told->result = json_incref(result);
	snprintf(told->error, sizeof(told->error), "%s", error ? error : "");
}

static bool is_done(const void *arg)
{
	return ((const struct told *)arg)->is_done;
}

static bool never(const void *arg)
{
	(void)arg;

	return false;
}

static void start(struct told *told, const char *cmd, json_t *args)
{
	json_decref(told->result);
	memset(told, 0, sizeof(*told));
	ctl_call(t.ctl, cmd, args, on_answer, told);
}

static void finish(struct told *told, const char *error)
{
	ck_assert_msg(loop_run_until(t.loop, is_done, told, PATIENCE_MS),
		      "the command was not answered");
	if (error)
		ck_assert_msg(strstr(told->error, error),
			      "\"%s\" is not in \"%s\"", error, told->error);
	else
		ck_assert_str_eq(told->error, "");
}

static json_t *alice(void)
{
	return json_pack("{s:s}", "number", ALICE);
}

static void tell(const char *cmd)
{
	start(&t.second, cmd, alice());
	finish(&t.second, NULL);
}

static void tell_fails(const char *cmd, const char *error)
{
	start(&t.second, cmd, alice());
	finish(&t.second, error);
}

static void dial(const char *to)
{
	start(&t.first, "call",
	      json_pack("{s:s, s:s}", "number", ALICE, "to", to));
}

static int result_int(const struct told *told, const char *name)
{
	return (int)json_integer_value(json_object_get(told->result, name));
}

static const char *result_text(const struct told *told, const char *name)
{
	const char *text =
		json_string_value(json_object_get(told->result, name));

	return text ? text : "";
}

static void set_mode(const char *mode)
{
	start(&t.second, "answer_mode",
	      json_pack("{s:s, s:s}", "number", ALICE, "mode", mode));
	finish(&t.second, NULL);
}

static void expect_call(const char *state)
{
	for (int i = 0; i < 50; i++) {
		tell("call_state");
		if (!strcmp(result_text(&t.second, "state"), state))
			return;
		(void)loop_run_until(t.loop, never, NULL, 5);
	}
	ck_abort_msg("the call is %s, not %s", result_text(&t.second, "state"),
		     state);
}

static void override(const char *assignment)
{
	const char *wrong = NULL;

	ck_assert_int_eq(timer_override(assignment, &wrong), 0);
}

static void setup(void)
{
	static const char *const names[] = { "appserver", NULL };
	static const char *const hosts[] = { "127.0.0.1", NULL };
	struct terminal_cfg cfg = { .sip = "127.0.0.1:0", .ca = t.ca };
	char *reason = NULL;
	int fds[2];

	memset(&t, 0, sizeof(t));
	ck_assert(!pki_make(temp_dir(), names, hosts, &reason));
	snprintf(t.ca, sizeof(t.ca), "%s/ca.pem", temp_dir());
	/* also 64*T1 of the library, which is read when it starts */
	override("sip-transaction=600ms");
	t.loop = loop_new();
	t.el = element_new_on(t.loop, "terminal");
	t.as_el = element_new_on(t.loop, "appserver");
	t.as = fake_as_new(t.as_el, temp_dir());
	t.net = fake_peer_new(t.loop, FAKE_UDP);
	snprintf(t.as->proxy, sizeof(t.as->proxy), "sip:%s",
		 fake_peer_addr(t.net));
	snprintf(t.contact, sizeof(t.contact), "Contact: <sip:bob@%s>\n",
		 fake_peer_addr(t.net));
	snprintf(t.ok, sizeof(t.ok), "%s%s", t.contact, WITH_SDP);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	t.el->ctl = ctl_new(t.loop, fds[0]);
	t.ctl = ctl_new(t.loop, fds[1]);
	cfg.appserver = t.as->url;
	ck_assert_msg(!terminal_new(&t.terminal, t.el, &cfg, &reason), "%s",
		      reason);
	start(&t.second, "add",
	      json_pack("{s:s, s:s}", "number", ALICE, "secret", "s3cret"));
	finish(&t.second, NULL);
	tell("login");
	tell("request_uri");
}

static void register_her(void)
{
	start(&t.second, "register", alice());
	fake_peer_expect(t.net, "REGISTER ");
	fake_peer_reply(t.net, 200,
			"Service-Route: <sip:orig@127.0.0.1:5063;lr>, "
			"<sip:127.0.0.1:5064;lr>\nExpires: 3600\n");
	finish(&t.second, NULL);
}

static void setup_registered(void)
{
	setup();
	register_her();
}

static void teardown(void)
{
	json_decref(t.first.result);
	json_decref(t.second.result);
	terminal_free(t.terminal);
	fake_as_free(t.as);
	fake_peer_free(t.net);
	ctl_free(t.ctl);
	element_free(t.el);
	element_free(t.as_el);
	loop_free(t.loop);
}

static const char *her_addr(void)
{
	return terminal_sip_addr(t.terminal);
}

/* --- she calls --- */

static void expect_invite(void)
{
	snprintf(t.invite, sizeof(t.invite), "%s",
		 fake_peer_expect(t.net, "INVITE "));
}

/* Answer a request, also when other messages came since */
static void reply(const char *request, int status, const char *headers)
{
	static const char *const copied[] = { "Via", "From", "Call-ID",
					      "CSeq" };
	char text[2 * TEXT_MAX];
	int n = snprintf(text, sizeof(text), "SIP/2.0 %d Said By The Test\n",
			 status);
	const char *to;

	for (int i = 0; i < 4; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s: %s\n",
			      copied[i], fake_header(request, copied[i], 0));
	to = fake_header(request, "To", 0);
	snprintf(text + n, sizeof(text) - (size_t)n, "To: %s%s\n%s", to,
		 strstr(to, ";tag=") ? "" : ";tag=bob", headers);
	fake_peer_tx(t.net, her_addr(), text);
}

static void answer(int status, const char *headers)
{
	reply(t.invite, status, headers);
}

static void answer_bye(void)
{
	reply(fake_peer_expect(t.net, "BYE "), 200, "");
}

static void call_is_up(void)
{
	dial(BOB);
	expect_invite();
	answer(200, t.ok);
	fake_peer_expect(t.net, "ACK ");
	finish(&t.first, NULL);
	ck_assert_int_eq(result_int(&t.first, "status"), 200);
}

/* [0112]; TS 24.229 5.1.2A.1.1 */
START_TEST(the_invite_carries_the_real_number_and_the_route_of_registration)
{
	const char *routes, *second, *third;
	char first[128];

	dial("tel:+8613900139000");
	expect_invite();
	ck_assert(!strncmp(t.invite, "INVITE tel:+8613900139000 SIP/2.0", 33));
	ck_assert(strstr(fake_header(t.invite, "From", 0),
			 "\"" ALICE "\" <" URI ">;tag="));
	ck_assert_str_eq(fake_header(t.invite, "To", 0),
			 "<tel:+8613900139000>");
	ck_assert_str_eq(fake_header(t.invite, "P-Preferred-Identity", 0),
			 "<" URI ">");
	snprintf(first, sizeof(first), "<sip:%s;lr>", fake_peer_addr(t.net));
	routes = strstr(t.invite, first);
	second = strstr(t.invite, "<sip:orig@127.0.0.1:5063;lr>");
	third = strstr(t.invite, "<sip:127.0.0.1:5064;lr>");
	ck_assert_msg(routes && second && third && routes < second &&
			      second < third,
		      "%s", t.invite);
	ck_assert(strstr(fake_header(t.invite, "Contact", 0), "<sip:ue1@"));
	ck_assert(strstr(t.invite, "m=audio "));
	ck_assert(strstr(t.invite, "RTP/AVP 8 0"));
	answer(486, "");
	fake_peer_expect(t.net, "ACK ");
	finish(&t.first, NULL);
	ck_assert_int_eq(result_int(&t.first, "status"), 486);
	ck_assert_str_eq(result_text(&t.first, "reason"), "Said By The Test");
	expect_call("terminated");
}
END_TEST

START_TEST(a_scenario_may_write_a_foreign_number)
{
	start(&t.first, "call",
	      json_pack("{s:s, s:s, s:s}", "number", ALICE, "to", BOB,
			"display", "+1\" <evil> \\"));
	expect_invite();
	ck_assert_msg(strstr(fake_header(t.invite, "From", 0),
			     "\"+1\\\" <evil> \\\\\" <" URI ">;tag="),
		      "%s", t.invite);
	answer(403, "");
	finish(&t.first, NULL);
	ck_assert_int_eq(result_int(&t.first, "status"), 403);
}
END_TEST

static void expect_route(const char *text)
{
	const char *near = strstr(text, ";lr;near>");
	const char *far = strstr(text, "<sip:127.0.0.1:9;lr;far>");

	ck_assert_msg(near && far && near < far, "%s", text);
	ck_assert_msg(strstr(text, " sip:bob@"), "%s", text);
}

/* RFC 3261 12.1.2: the Record-Route of the response, reversed */
START_TEST(ack_and_bye_follow_the_route_set)
{
	char headers[2 * TEXT_MAX];

	dial(BOB);
	expect_invite();
	answer(180, t.contact);
	snprintf(headers, sizeof(headers),
		 "Record-Route: <sip:127.0.0.1:9;lr;far>, "
		 "<sip:%s;lr;near>\n%s",
		 fake_peer_addr(t.net), t.ok);
	answer(200, headers);
	expect_route(fake_peer_expect(t.net, "ACK "));
	finish(&t.first, NULL);
	start(&t.first, "hangup", alice());
	snprintf(headers, sizeof(headers), "%s",
		 fake_peer_expect(t.net, "BYE "));
	expect_route(headers);
	reply(headers, 200, "");
	finish(&t.first, NULL);
	expect_call("terminated");
}
END_TEST

START_TEST(a_repeated_200_gets_its_ack_again)
{
	call_is_up();
	answer(200, t.ok);
	fake_peer_expect(t.net, "ACK ");
	expect_call("confirmed");
}
END_TEST

/* RFC 3261 9.1 */
START_TEST(cancel_waits_for_a_provisional_response)
{
	dial(BOB);
	expect_invite();
	start(&t.second, "cancel", alice());
	(void)loop_run_until(t.loop, never, NULL, SHORT_MS);
	ck_assert_int_eq(fake_peer_pending(t.net), 0);
	answer(100, "");
	reply(fake_peer_expect(t.net, "CANCEL "), 200, "");
	answer(487, "");
	fake_peer_expect(t.net, "ACK ");
	finish(&t.second, NULL);
	ck_assert_int_eq(result_int(&t.second, "status"), 487);
	finish(&t.first, NULL);
	ck_assert_int_eq(result_int(&t.first, "status"), 487);
}
END_TEST

START_TEST(a_200_that_crosses_the_cancel_is_acknowledged_and_ended)
{
	dial(BOB);
	expect_invite();
	answer(180, t.contact);
	expect_call("proceeding");
	start(&t.second, "cancel", alice());
	fake_peer_expect(t.net, "CANCEL ");
	answer(200, t.ok);
	fake_peer_expect(t.net, "ACK ");
	answer_bye();
	finish(&t.second, NULL);
	finish(&t.first, NULL);
	ck_assert_int_eq(result_int(&t.first, "status"), 487);
}
END_TEST

START_TEST(a_cancel_that_nobody_answers_ends_the_call_all_the_same)
{
	dial(BOB);
	expect_invite();
	answer(180, t.contact);
	expect_call("proceeding");
	start(&t.second, "cancel", alice());
	finish(&t.second, NULL);
	ck_assert_str_eq(result_text(&t.second, "state"), "terminated");
}
END_TEST

START_TEST(ringing_without_end_is_cancelled)
{
	override("call-no-answer=100ms");
	dial(BOB);
	expect_invite();
	answer(180, t.contact);
	reply(fake_peer_expect(t.net, "CANCEL "), 200, "");
	answer(487, "");
	finish(&t.first, NULL);
	ck_assert_int_eq(result_int(&t.first, "status"), 408);
}
END_TEST

START_TEST(silence_is_a_408)
{
	dial(BOB);
	finish(&t.first, NULL);
	ck_assert_int_eq(result_int(&t.first, "status"), 408);
}
END_TEST

START_TEST(an_answer_without_our_codecs_is_ended)
{
	char headers[TEXT_MAX];

	dial(BOB);
	expect_invite();
	snprintf(headers, sizeof(headers),
		 "%sContent-Type: application/sdp\n\n"
		 "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
		 "c=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		 "m=audio 40000 RTP/AVP 18\r\n",
		 t.contact);
	answer(200, headers);
	fake_peer_expect(t.net, "ACK ");
	answer_bye();
	finish(&t.first, NULL);
	ck_assert_int_eq(result_int(&t.first, "status"), 488);
}
END_TEST

START_TEST(a_200_without_sdp_is_ended)
{
	dial(BOB);
	expect_invite();
	answer(200, t.contact);
	fake_peer_expect(t.net, "ACK ");
	answer_bye();
	finish(&t.first, NULL);
	ck_assert_int_eq(result_int(&t.first, "status"), 488);
}
END_TEST

START_TEST(what_cannot_be_called_is_named)
{
	static const char *const wrong[] = { "bob",
					     "",
					     "mailto:bob@ims.test",
					     "sip:a>b@ims.test",
					     "tel:",
					     "sip:x@y\r\nEvil: 1" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		dial(wrong[i]);
		finish(&t.first, "cannot be called: give sip:USER@HOST");
	}
	start(&t.first, "call", alice());
	finish(&t.first, "to");
	expect_call("idle");
	ck_assert_int_eq(fake_peer_pending(t.net), 0);
}
END_TEST

START_TEST(what_the_user_tells_must_fit)
{
	tell_fails("hangup", "has nothing to hang up: it has no call");
	tell_fails("answer", "has nothing to answer");
	tell_fails("cancel", "has nothing to cancel");
	start(&t.second, "answer_mode",
	      json_pack("{s:s, s:s}", "number", ALICE, "mode", "maybe"));
	finish(&t.second, "\"maybe\" is none of auto, ring");
	call_is_up();
	tell_fails("cancel", "its call with " BOB " is confirmed");
	dial(BOB);
	finish(&t.first, "it has a call with " BOB);
}
END_TEST

START_TEST(who_is_not_registered_cannot_call)
{
	dial(BOB);
	finish(&t.first, "is not possible now: it is leased");
}
END_TEST

/* The AS's count-down ([0115]) is off when a call goes through */
START_TEST(a_call_after_call_end_takes_the_lease_into_use_again)
{
	t.as->max_use_s = 1;
	tell("call_end");
	dial(BOB);
	expect_invite();
	answer(180, t.contact);
	expect_call("proceeding");
	tell("state");
	ck_assert_str_eq(result_text(&t.second, "state"), "registered");
	(void)loop_run_until(t.loop, never, NULL, 1100);
	tell("state");
	ck_assert_str_eq(result_text(&t.second, "state"), "registered");
}
END_TEST

START_TEST(a_release_ends_the_call_first)
{
	call_is_up();
	tell("release");
	fake_peer_expect(t.net, "BYE ");
	expect_call("idle");
}
END_TEST

START_TEST(a_release_while_calling_cancels)
{
	dial(BOB);
	expect_invite();
	answer(180, t.contact);
	expect_call("proceeding");
	tell("release");
	fake_peer_expect(t.net, "CANCEL ");
	finish(&t.first, NULL);
	/* what crosses it is ended by the library: nobody is left to */
	answer(200, t.ok);
	fake_peer_expect(t.net, "ACK ");
	fake_peer_expect(t.net, "BYE ");
}
END_TEST

START_TEST(the_end_of_the_lease_ends_the_call)
{
	t.as->max_use_s = 0;
	call_is_up();
	tell("call_end");
	fake_peer_expect(t.net, "BYE ");
	expect_call("idle");
}
END_TEST

/* --- she is called --- */

struct request {
	const char *method;
	const char *call_id;
	const char *to_tag; /* or "" */
	int cseq;
	const char *rest; /* headers and body */
	const char *branch;
};

static void send_request(const struct request *r)
{
	char text[2 * TEXT_MAX];

	snprintf(text, sizeof(text),
		 "%s sip:ue1@%s SIP/2.0\n"
		 "Via: SIP/2.0/UDP %s;branch=z9hG4bK%s%s%d\n"
		 "From: \"+8613900139000\" <" BOB ">;tag=bob\n"
		 "To: <" URI ">%s%s\n"
		 "Call-ID: %s\nCSeq: %d %s\nMax-Forwards: 60\n%s",
		 r->method, her_addr(), fake_peer_addr(t.net), r->call_id,
		 r->branch ? r->branch : r->method, r->cseq,
		 *r->to_tag ? ";tag=" : "", r->to_tag, r->call_id, r->cseq,
		 r->method, r->rest);
	fake_peer_tx(t.net, her_addr(), text);
}

static void send_invite(const char *call_id, const char *rest)
{
	send_request(&(struct request){ .method = "INVITE",
					.call_id = call_id,
					.to_tag = "",
					.cseq = 1,
					.rest = rest,
					.branch = "i" });
}

static const char *her_tag(const char *response)
{
	const char *tag = strstr(fake_header(response, "To", 0), ";tag=");
	static char copy[128];

	ck_assert_msg(tag, "no To tag: %s", response);
	snprintf(copy, sizeof(copy), "%s", tag + 5);

	return copy;
}

static void send_in_dialog(const char *method, int cseq, const char *tag,
			   const char *rest)
{
	send_request(&(struct request){ .method = method,
					.call_id = "c1",
					.to_tag = tag,
					.cseq = cseq,
					.rest = rest });
}

static const char *called_and_up(void)
{
	static char tag[128];

	send_invite("c1", t.ok);
	snprintf(tag, sizeof(tag), "%s",
		 her_tag(fake_peer_expect_status(t.net, 200)));
	send_in_dialog("ACK", 1, tag, "");
	expect_call("confirmed");

	return tag;
}

START_TEST(a_call_rings_and_is_answered_and_shows_the_callers_number)
{
	char headers[2 * TEXT_MAX];
	const char *text;

	snprintf(headers, sizeof(headers),
		 "Record-Route: <sip:%s;lr>\nP-Asserted-Identity: "
		 "<sip:asserted@ims.test>\n%s",
		 fake_peer_addr(t.net), t.ok);
	send_invite("c1", headers);
	text = fake_peer_expect(t.net, "SIP/2.0 180");
	ck_assert(strstr(fake_header(text, "Contact", 0), "<sip:ue1@"));
	text = fake_peer_expect_status(t.net, 200);
	ck_assert(strstr(fake_header(text, "Record-Route", 0), ";lr>"));
	ck_assert_str_eq(fake_header(text, "Content-Type", 0),
			 "application/sdp");
	/* of the offer's order (RFC 3264 6.1) */
	ck_assert_msg(strstr(text, "RTP/AVP 0\r\n"), "%s", text);
	send_in_dialog("ACK", 1, her_tag(text), "");
	expect_call("confirmed");
	ck_assert_str_eq(result_text(&t.second, "peer"),
			 "sip:asserted@ims.test");
	ck_assert_str_eq(result_text(&t.second, "shown"), "+8613900139000");
	ck_assert_str_eq(result_text(&t.second, "direction"), "in");
	start(&t.first, "hangup", alice());
	text = fake_peer_expect(t.net, "BYE ");
	ck_assert(strstr(fake_header(text, "Route", 0), ";lr>"));
	reply(text, 200, "");
	finish(&t.first, NULL);
}
END_TEST

START_TEST(a_display_that_is_no_utf_8_is_shown_as_far_as_it_is)
{
	char text[2 * TEXT_MAX];

	set_mode("ring");
	snprintf(text, sizeof(text),
		 "INVITE sip:ue1@%s SIP/2.0\n"
		 "Via: SIP/2.0/UDP %s;branch=z9hG4bKx\n"
		 "From: \"a\\\"b\xff\" <" BOB ">;tag=bob\n"
		 "To: <" URI ">\nCall-ID: c\xfe\nCSeq: 1 INVITE\n"
		 "Max-Forwards: 60\n%s",
		 her_addr(), fake_peer_addr(t.net), t.contact);
	fake_peer_tx(t.net, her_addr(), text);
	fake_peer_expect(t.net, "SIP/2.0 180");
	expect_call("early");
	ck_assert_str_eq(result_text(&t.second, "shown"), "a\"b?");
}
END_TEST

START_TEST(the_peer_ends_the_call_and_a_second_bye_finds_none)
{
	const char *tag = called_and_up();

	send_in_dialog("BYE", 2, tag, "");
	fake_peer_expect_status(t.net, 200);
	expect_call("terminated");
	send_in_dialog("BYE", 3, tag, "");
	fake_peer_expect_status(t.net, 481);
	expect_call("terminated");
}
END_TEST

/* RFC 3326; what a Reason may hold, and what the user is told */
static const struct {
	const char *reason, *told;
} reasons[] = {
	{ "", "ended by the peer" },
	{ "Reason: SIP;cause=480;text=\"gone, \\\"for good\\\"\"\n",
	  "gone, \"for good\"" },
	{ "Reason: Q.850;cause=16\n", "ended by the peer" },
	{ "Reason: SIP;text=token\n", "token" },
	{ "Reason: SIP;text=\"\xff\"\n", "?" },
};

START_TEST(a_bye_says_why_the_call_has_ended)
{
	const char *tag = called_and_up();

	send_in_dialog("BYE", 2, tag, reasons[_i].reason);
	fake_peer_expect_status(t.net, 200);
	expect_call("terminated");
	ck_assert_str_eq(result_text(&t.second, "reason"), reasons[_i].told);
}
END_TEST

START_TEST(two_byes_that_cross_end_the_call_once)
{
	const char *tag = called_and_up();
	char bye[TEXT_MAX];

	start(&t.first, "hangup", alice());
	snprintf(bye, sizeof(bye), "%s", fake_peer_expect(t.net, "BYE "));
	send_in_dialog("BYE", 2, tag, "");
	fake_peer_expect_status(t.net, 200);
	reply(bye, 481, "");
	finish(&t.first, NULL);
	ck_assert_str_eq(result_text(&t.first, "state"), "terminated");
}
END_TEST

START_TEST(a_bye_that_nobody_answers_ends_the_call_all_the_same)
{
	(void)called_and_up();
	tell("hangup");
	ck_assert_str_eq(result_text(&t.second, "state"), "terminated");
}
END_TEST

/* RFC 3261 12.2.2 */
START_TEST(an_unknown_dialog_is_a_481)
{
	send_in_dialog("BYE", 2, "unknown", "");
	fake_peer_expect_status(t.net, 481);
	send_in_dialog("INVITE", 2, "unknown", t.ok);
	fake_peer_expect_status(t.net, 481);
	send_in_dialog("CANCEL", 2, "", "");
	fake_peer_expect_status(t.net, 481);
	expect_call("idle");
}
END_TEST

START_TEST(she_answers_when_told)
{
	set_mode("ring");
	send_invite("c1", t.ok);
	fake_peer_expect(t.net, "SIP/2.0 180");
	expect_call("early");
	start(&t.first, "answer", alice());
	send_in_dialog("ACK", 1, her_tag(fake_peer_expect_status(t.net, 200)),
		       "");
	finish(&t.first, NULL);
	ck_assert_str_eq(result_text(&t.first, "state"), "confirmed");
}
END_TEST

START_TEST(she_declines_by_hanging_up)
{
	set_mode("ring");
	send_invite("c1", t.ok);
	fake_peer_expect(t.net, "SIP/2.0 180");
	tell("hangup");
	fake_peer_expect_status(t.net, 603);
}
END_TEST

START_TEST(the_caller_cancels)
{
	set_mode("ring");
	send_invite("c1", t.ok);
	fake_peer_expect(t.net, "SIP/2.0 180");
	send_request(&(struct request){ .method = "CANCEL",
					.call_id = "c1",
					.to_tag = "",
					.cseq = 1,
					.rest = "",
					.branch = "i" });
	fake_peer_expect_status(t.net, 200);
	fake_peer_expect_status(t.net, 487);
	expect_call("terminated");
	ck_assert_int_eq(result_int(&t.second, "status"), 487);
}
END_TEST

START_TEST(a_bye_before_the_answer_ends_the_invite_too)
{
	const char *tag;

	set_mode("ring");
	send_invite("c1", t.ok);
	tag = her_tag(fake_peer_expect(t.net, "SIP/2.0 180"));
	send_in_dialog("BYE", 2, tag, "");
	fake_peer_expect_status(t.net, 487);
	fake_peer_expect_status(t.net, 200);
	expect_call("terminated");
}
END_TEST

START_TEST(who_rings_for_too_long_is_not_available)
{
	override("call-ring=50ms");
	set_mode("ring");
	send_invite("c1", t.ok);
	fake_peer_expect_status(t.net, 480);
	expect_call("terminated");
}
END_TEST

START_TEST(modes_refuse)
{
	set_mode("busy");
	send_invite("c1", t.ok);
	fake_peer_expect_status(t.net, 486);
	set_mode("decline");
	send_invite("c2", t.ok);
	fake_peer_expect_status(t.net, 603);
	expect_call("idle");
}
END_TEST

START_TEST(who_is_gone_says_nothing_at_all)
{
	set_mode("none");
	send_invite("c1", t.ok);
	(void)loop_run_until(t.loop, never, NULL, 300);
	ck_assert_int_eq(fake_peer_pending(t.net), 0);
}
END_TEST

START_TEST(a_second_call_is_busy)
{
	(void)called_and_up();
	send_invite("c2", t.ok);
	fake_peer_expect_status(t.net, 486);
	expect_call("confirmed");
}
END_TEST

START_TEST(who_calls_is_busy_for_the_one_who_calls_back)
{
	dial(BOB);
	expect_invite();
	send_invite("c2", t.ok);
	fake_peer_expect_status(t.net, 486);
	answer(486, "");
	finish(&t.first, NULL);
}
END_TEST

static const char *waiting_text(const char *name)
{
	const char *text = json_string_value(json_object_get(
		json_object_get(t.second.result, "waiting"), name));

	return text ? text : "";
}

/* TS 24.615 */
START_TEST(one_more_call_waits_and_a_third_is_busy)
{
	const char *text;

	set_mode("waiting");
	(void)called_and_up();
	send_invite("c2", t.ok);
	text = fake_peer_expect(t.net, "SIP/2.0 180");
	ck_assert(strstr(fake_header(text, "Alert-Info", 0),
			 "urn:alert:service:call-waiting"));
	expect_call("confirmed");
	ck_assert_str_eq(waiting_text("state"), "early");
	send_invite("c3", t.ok);
	fake_peer_expect_status(t.net, 486);
	start(&t.first, "answer", alice());
	answer_bye(); /* of the active one */
	text = fake_peer_expect_status(t.net, 200);
	ck_assert_str_eq(fake_header(text, "Call-ID", 0), "c2");
	send_request(&(struct request){ .method = "ACK",
					.call_id = "c2",
					.to_tag = her_tag(text),
					.cseq = 1,
					.rest = "" });
	finish(&t.first, NULL);
	ck_assert_str_eq(result_text(&t.first, "state"), "confirmed");
	ck_assert_str_eq(result_text(&t.first, "call"), "c2");
}
END_TEST

START_TEST(who_waits_rings_on_when_the_active_call_ends)
{
	const char *tag;

	set_mode("waiting");
	tag = called_and_up();
	send_invite("c2", t.ok);
	fake_peer_expect(t.net, "SIP/2.0 180");
	send_in_dialog("BYE", 2, tag, "");
	fake_peer_expect_status(t.net, 200);
	expect_call("early");
	ck_assert_str_eq(result_text(&t.second, "call"), "c2");
}
END_TEST

START_TEST(a_release_refuses_who_waits)
{
	set_mode("waiting");
	(void)called_and_up();
	send_invite("c2", t.ok);
	fake_peer_expect(t.net, "SIP/2.0 180");
	tell("release");
	fake_peer_expect_status(t.net, 480);
	fake_peer_expect(t.net, "BYE ");
}
END_TEST

START_TEST(a_repeated_invite_gets_the_same_answer)
{
	char tag[128];

	send_invite("c1", t.ok);
	snprintf(tag, sizeof(tag), "%s",
		 her_tag(fake_peer_expect_status(t.net, 200)));
	send_invite("c1", t.ok);
	ck_assert_str_eq(her_tag(fake_peer_expect_status(t.net, 200)), tag);
	send_in_dialog("ACK", 1, tag, "");
	expect_call("confirmed");
	/* and the ACK once more: nothing happens */
	send_in_dialog("ACK", 1, tag, "");
	expect_call("confirmed");
}
END_TEST

/* RFC 3261 13.3.1.4 */
START_TEST(a_200_is_repeated_and_without_an_ack_the_call_is_ended)
{
	send_invite("c1", t.ok);
	fake_peer_expect_status(t.net, 200);
	fake_peer_expect_status(t.net, 200);
	answer_bye();
	expect_call("terminated");
	ck_assert_str_eq(result_text(&t.second, "reason"), "no ACK in time");
}
END_TEST

/* RFC 3261 15: the callee sends no BYE before the ACK */
START_TEST(hanging_up_waits_for_the_ack)
{
	const char *tag;

	send_invite("c1", t.ok);
	tag = her_tag(fake_peer_expect_status(t.net, 200));
	start(&t.first, "hangup", alice());
	(void)loop_run_until(t.loop, never, NULL, SHORT_MS);
	ck_assert_int_eq(fake_peer_pending(t.net), 0);
	send_in_dialog("ACK", 1, tag, "");
	answer_bye();
	finish(&t.first, NULL);
}
END_TEST

START_TEST(an_invite_that_cannot_be_taken_is_refused)
{
	char video[TEXT_MAX], garbage[TEXT_MAX], text[TEXT_MAX];

	snprintf(video, sizeof(video),
		 "%sContent-Type: application/sdp\n\n"
		 "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
		 "c=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		 "m=video 40000 RTP/AVP 31\r\n",
		 t.contact);
	snprintf(garbage, sizeof(garbage),
		 "%sContent-Type: application/sdp\n\nnonsense", t.contact);
	snprintf(text, sizeof(text), "%sContent-Type: text/plain\n\nhello",
		 t.contact);
	send_invite("c1", video);
	fake_peer_expect_status(t.net, 488);
	send_invite("c2", garbage);
	fake_peer_expect_status(t.net, 400);
	send_invite("c3", text);
	fake_peer_expect_status(t.net, 415);
	send_invite("c4", WITH_SDP); /* no Contact */
	fake_peer_expect_status(t.net, 400);
	send_request(&(struct request){ .method = "REGISTER",
					.call_id = "c5",
					.to_tag = "",
					.cseq = 1,
					.rest = "" });
	fake_peer_expect_status(t.net, 405);
	expect_call("idle");
}
END_TEST

START_TEST(an_invite_without_an_offer_gets_one)
{
	const char *text;

	send_invite("c1", t.contact);
	text = fake_peer_expect_status(t.net, 200);
	ck_assert(strstr(text, "RTP/AVP 8 0"));
	send_in_dialog("ACK", 1, her_tag(text), WITH_SDP);
	expect_call("confirmed");
}
END_TEST

START_TEST(an_ack_without_the_answer_that_is_due_ends_the_call)
{
	const char *text;

	send_invite("c1", t.contact);
	text = fake_peer_expect_status(t.net, 200);
	send_in_dialog("ACK", 1, her_tag(text), "");
	answer_bye();
	expect_call("terminated");
}
END_TEST

/* RFC 3261 14.2 */
START_TEST(a_reinvite_is_answered)
{
	char headers[TEXT_MAX];
	const char *tag = called_and_up(), *text;

	snprintf(headers, sizeof(headers), "%s%sa=sendonly\r\n", t.contact,
		 WITH_SDP);
	send_in_dialog("INVITE", 2, tag, headers);
	text = fake_peer_expect_status(t.net, 200);
	ck_assert_msg(strstr(text, "a=recvonly"), "%s", text);
	/* its ACK is due: not yet another */
	send_in_dialog("INVITE", 3, tag, t.ok);
	fake_peer_expect_status(t.net, 491);
	send_in_dialog("ACK", 2, tag, "");
	(void)loop_run_until(t.loop, never, NULL, SHORT_MS);
	send_in_dialog("INVITE", 4, tag, "Content-Type: text/plain\n\nx");
	fake_peer_expect_status(t.net, 415);
	send_in_dialog("OPTIONS", 5, tag, "");
	fake_peer_expect_status(t.net, 200);
	send_in_dialog("INFO", 6, tag, "");
	fake_peer_expect_status(t.net, 405);
	send_in_dialog("INVITE", 7, tag, "Require: 100rel\n");
	fake_peer_expect_status(t.net, 420);
	expect_call("confirmed");
}
END_TEST

START_TEST(a_reinvite_before_the_answer_comes_too_soon)
{
	const char *tag;

	set_mode("ring");
	send_invite("c1", t.ok);
	tag = her_tag(fake_peer_expect(t.net, "SIP/2.0 180"));
	send_in_dialog("INVITE", 2, tag, t.ok);
	ck_assert_str_eq(fake_header(fake_peer_expect_status(t.net, 500),
				     "Retry-After", 0),
			 "5");
	expect_call("early");
}
END_TEST

START_TEST(who_has_no_lease_is_not_available)
{
	send_invite("c1", t.ok);
	fake_peer_expect_status(t.net, 480);
}
END_TEST

static void add_calling(TCase *tc)
{
	tcase_add_test(
		tc,
		the_invite_carries_the_real_number_and_the_route_of_registration);
	tcase_add_test(tc, a_scenario_may_write_a_foreign_number);
	tcase_add_test(tc, ack_and_bye_follow_the_route_set);
	tcase_add_test(tc, a_repeated_200_gets_its_ack_again);
	tcase_add_test(tc, cancel_waits_for_a_provisional_response);
	tcase_add_test(tc,
		       a_200_that_crosses_the_cancel_is_acknowledged_and_ended);
	tcase_add_test(tc,
		       a_cancel_that_nobody_answers_ends_the_call_all_the_same);
	tcase_add_test(tc, ringing_without_end_is_cancelled);
	tcase_add_test(tc, silence_is_a_408);
	tcase_add_test(tc, an_answer_without_our_codecs_is_ended);
	tcase_add_test(tc, a_200_without_sdp_is_ended);
	tcase_add_test(tc, what_cannot_be_called_is_named);
	tcase_add_test(tc, what_the_user_tells_must_fit);
	tcase_add_test(tc,
		       a_call_after_call_end_takes_the_lease_into_use_again);
	tcase_add_test(tc, a_release_ends_the_call_first);
	tcase_add_test(tc, a_release_while_calling_cancels);
	tcase_add_test(tc, the_end_of_the_lease_ends_the_call);
}

static void add_called(TCase *tc)
{
	tcase_add_test(
		tc, a_call_rings_and_is_answered_and_shows_the_callers_number);
	tcase_add_test(tc, a_display_that_is_no_utf_8_is_shown_as_far_as_it_is);
	tcase_add_test(tc, the_peer_ends_the_call_and_a_second_bye_finds_none);
	tcase_add_loop_test(tc, a_bye_says_why_the_call_has_ended, 0,
			    sizeof(reasons) / sizeof(*reasons));
	tcase_add_test(tc, two_byes_that_cross_end_the_call_once);
	tcase_add_test(tc,
		       a_bye_that_nobody_answers_ends_the_call_all_the_same);
	tcase_add_test(tc, an_unknown_dialog_is_a_481);
	tcase_add_test(tc, she_answers_when_told);
	tcase_add_test(tc, she_declines_by_hanging_up);
	tcase_add_test(tc, the_caller_cancels);
	tcase_add_test(tc, a_bye_before_the_answer_ends_the_invite_too);
	tcase_add_test(tc, who_rings_for_too_long_is_not_available);
	tcase_add_test(tc, modes_refuse);
	tcase_add_test(tc, who_is_gone_says_nothing_at_all);
	tcase_add_test(tc, a_second_call_is_busy);
	tcase_add_test(tc, who_calls_is_busy_for_the_one_who_calls_back);
	tcase_add_test(tc, one_more_call_waits_and_a_third_is_busy);
	tcase_add_test(tc, who_waits_rings_on_when_the_active_call_ends);
	tcase_add_test(tc, a_release_refuses_who_waits);
	tcase_add_test(tc, a_repeated_invite_gets_the_same_answer);
	tcase_add_test(tc,
		       a_200_is_repeated_and_without_an_ack_the_call_is_ended);
	tcase_add_test(tc, hanging_up_waits_for_the_ack);
	tcase_add_test(tc, an_invite_that_cannot_be_taken_is_refused);
	tcase_add_test(tc, an_invite_without_an_offer_gets_one);
	tcase_add_test(tc, an_ack_without_the_answer_that_is_due_ends_the_call);
	tcase_add_test(tc, a_reinvite_is_answered);
	tcase_add_test(tc, a_reinvite_before_the_answer_comes_too_soon);
}

static Suite *suite(void)
{
	Suite *s = suite_create("ue_call");
	TCase *calling = tcase_create("calling");
	TCase *called = tcase_create("called");
	TCase *leased = tcase_create("not registered");

	tcase_add_checked_fixture(calling, setup_registered, teardown);
	add_calling(calling);
	suite_add_tcase(s, calling);
	tcase_add_checked_fixture(called, setup_registered, teardown);
	add_called(called);
	suite_add_tcase(s, called);
	tcase_add_checked_fixture(leased, setup, teardown);
	tcase_add_test(leased, who_is_not_registered_cannot_call);
	tcase_add_test(leased, who_has_no_lease_is_not_available);
	suite_add_tcase(s, leased);

	return s;
}

SUITE_MAIN(suite)
