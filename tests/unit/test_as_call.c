/* Calls through the AS: both legs, the number that is shown, charging, and what
 * leases and calls are to each other */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appserver/appserver_core.h"
#include "common/clock.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "tests/fake/as_bed.h"
#include "tests/fake/fake_peer.h"
#include "tests/suite.h"

#define URI "sip:+8657110000001@ims.test"
#define OWN "sip:+8657110000009@ims.test"
#define SDP                                                                    \
	"v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n"      \
	"m=audio 4000 RTP/AVP 8\n"

enum { SECOND_US = 1000000 };

static struct {
	struct as_bed *bed;
	struct fake_peer *near, *far; /* both are the S-CSCF's */
	char as[64];
	char to_tag[128]; /* of the caller's dialog */
	char *invite;     /* as the callee's side got it */
	int branch, cseq;
} t;

static void setup(void)
{
	const char *reason = NULL;

	memset(&t, 0, sizeof(t));
	ck_assert_int_eq(timer_override("https-request=1500ms", &reason), 0);
	ck_assert_int_eq(timer_override("retry=20ms", &reason), 0);
	ck_assert_int_eq(timer_override("sip-transaction=2s", &reason), 0);
	t.bed = as_bed_new();
	t.near = fake_peer_new(t.bed->loop, FAKE_UDP);
	t.far = fake_peer_new(t.bed->loop, FAKE_UDP);
	snprintf(t.as, sizeof(t.as), "%s", as_sip_addr(t.bed->as));
	as_bed_login(t.bed, ALICE, "s3cret");
}

static void teardown(void)
{
	free(t.invite);
	fake_peer_free(t.near);
	fake_peer_free(t.far);
	as_bed_free(t.bed);
}

static void lease(void)
{
	ck_assert_int_eq(as_bed_ask(t.bed, "/v1/sip-uri", ALICE), 200);
}

static void restart(void)
{
	as_bed_stop(t.bed);
	as_bed_start(t.bed);
	snprintf(t.as, sizeof(t.as), "%s", as_sip_addr(t.bed->as));
}

/* What a test may vary in its INVITE */
struct invite {
	const char *caller, *display, *to, *more, *call_id;
};

static void tx_invite(const struct invite *v)
{
	const char *caller = v->caller ? v->caller : URI;
	char *text = xasprintf(
		"INVITE %s SIP/2.0\n"
		"Via: SIP/2.0/UDP %s;branch=z9hG4bK-i%d\n"
		"Record-Route: <sip:%s;lr>\n"
		"Route: <sip:%s;lr>, <sip:%s;lr;odi=77>\n"
		"Max-Forwards: 66\n"
		"From: %s <%s>;tag=near\n"
		"To: <%s>\n"
		"Call-ID: %s\n"
		"CSeq: 1 INVITE\n"
		"Contact: <sip:alice@%s>\n"
		"P-Asserted-Identity: <%s>\n"
		"P-Charging-Vector: icid-value=abc\n"
		"Supported: 100rel, timer\n"
		"Content-Type: application/sdp\n%s\n" SDP,
		v->to ? v->to : "sip:bob@ims.test", fake_peer_addr(t.near),
		++t.branch, fake_peer_addr(t.near), t.as, fake_peer_addr(t.far),
		v->display ? v->display : "\"" ALICE "\"", caller,
		v->to ? v->to : "sip:bob@ims.test",
		v->call_id ? v->call_id : "c1", fake_peer_addr(t.near), caller,
		v->more ? v->more : "");

	t.cseq = 1;
	fake_peer_tx(t.near, t.as, text);
	free(text);
}

static void rx_invite(void)
{
	xstrset(&t.invite, fake_peer_expect(t.far, "INVITE"));
}

static const struct invite plain;

static void invite(void)
{
	tx_invite(&plain);
	rx_invite();
}

/* A response of the callee to one of its requests */
static void tx_response(const char *request, int status, const char *more)
{
	char *text, *via = xstrdup(fake_header(request, "Via", 0));
	char *from = xstrdup(fake_header(request, "From", 0));
	char *to = xstrdup(fake_header(request, "To", 0));
	char *id = xstrdup(fake_header(request, "Call-ID", 0));

	text = xasprintf("SIP/2.0 %d Said By The Test\nVia: %s\n"
			 "Record-Route: <sip:%s;lr>\n"
			 "From: %s\nTo: %s%s\nCall-ID: %s\nCSeq: %s\n%s",
			 status, via, fake_peer_addr(t.far), from, to,
			 strstr(to, "tag=") ? "" : ";tag=far", id,
			 fake_header(request, "CSeq", 0), more);
	fake_peer_tx(t.far, t.as, text);
	free(text);
	free(via);
	free(from);
	free(to);
	free(id);
}

static void answer(void)
{
	char *more = xasprintf("Contact: <sip:bob@%s>\n"
			       "Content-Type: application/sdp\n\n" SDP,
			       fake_peer_addr(t.far));

	tx_response(t.invite, 200, more);
	free(more);
}

static void keep_tag(const char *response)
{
	const char *tag = strstr(fake_header(response, "To", 0), "tag=");

	ck_assert_ptr_nonnull(tag);
	snprintf(t.to_tag, sizeof(t.to_tag), "%s", tag + 4);
}

/* A request of the caller inside its dialog */
static void tx_near(const char *method, const char *more)
{
	bool is_ack = !strcmp(method, "ACK");
	char *text = xasprintf(
		"%s sip:%s SIP/2.0\nVia: SIP/2.0/UDP %s;branch=z9hG4bK-n%d\n"
		"From: \"" ALICE "\" <" URI ">;tag=near\n"
		"To: <sip:bob@ims.test>;tag=%s\nCall-ID: c1\nCSeq: %d %s\n"
		"Max-Forwards: 70\n%s",
		method, t.as, fake_peer_addr(t.near), ++t.branch, t.to_tag,
		is_ack ? t.cseq : ++t.cseq, method, more);

	fake_peer_tx(t.near, t.as, text);
	free(text);
}

/* A request of the callee inside its dialog */
static void tx_far(const char *method, int cseq)
{
	char *from = xstrdup(fake_header(t.invite, "To", 0));
	char *to = xstrdup(fake_header(t.invite, "From", 0));
	char *text = xasprintf(
		"%s sip:%s SIP/2.0\nVia: SIP/2.0/UDP %s;branch=z9hG4bK-f%d\n"
		"From: %s;tag=far\nTo: %s\nCall-ID: %s\nCSeq: %d %s\n"
		"Max-Forwards: 70\n",
		method, t.as, fake_peer_addr(t.far), ++t.branch, from, to,
		fake_header(t.invite, "Call-ID", 0), cseq, method);

	fake_peer_tx(t.far, t.as, text);
	free(text);
	free(from);
	free(to);
}

static void call(void)
{
	invite();
	answer();
	keep_tag(fake_peer_expect_status(t.near, 200));
	tx_near("ACK", "");
	fake_peer_expect(t.far, "ACK");
}

static const char *cdr_text(const char *field)
{
	const char *text =
		json_string_value(json_object_get(t.bed->cdr, field));

	return text ? text : "";
}

static json_int_t cdr_int(const char *field)
{
	return json_integer_value(json_object_get(t.bed->cdr, field));
}

static void expect_cdr(int n, const char *cause, int status)
{
	as_bed_turns(t.bed, &t.bed->cdrs, n);
	ck_assert_str_eq(cdr_text("cause"), cause);
	ck_assert_int_eq(cdr_int("status"), status);
}

/* ---- a call and its end ---- */

START_TEST(a_call_crosses_with_both_bodies)
{
	lease();
	invite();
	ck_assert_str_eq(fake_header(t.invite, "Route", 0) + 5 +
				 strlen(fake_peer_addr(t.far)),
			 ";lr;odi=77>");
	ck_assert_str_eq(fake_header(t.invite, "Max-Forwards", 0), "65");
	ck_assert_str_eq(fake_header(t.invite, "P-Charging-Vector", 0),
			 "icid-value=abc");
	ck_assert_str_eq(fake_header(t.invite, "P-Asserted-Identity", 0),
			 "<" URI ">");
	ck_assert_str_eq(fake_header(t.invite, "Supported", 0), "timer");
	ck_assert_str_ne(fake_header(t.invite, "Call-ID", 0), "c1");
	ck_assert_str_eq(fake_header(t.invite, "Via", 1), "");
	ck_assert_ptr_nonnull(strstr(t.invite, "m=audio 4000"));
	tx_response(t.invite, 180, "");
	ck_assert_ptr_nonnull(
		strstr(fake_peer_expect(t.near, "SIP/2.0 180"), "tag="));
	answer();
	keep_tag(fake_peer_expect_status(t.near, 200));
	tx_near("ACK", "");
	fake_peer_expect(t.far, "ACK sip:bob@");
	tx_near("BYE", "Reason: SIP;cause=200\n");
	fake_peer_expect_status(t.near, 200);
	ck_assert_str_eq(
		fake_header(fake_peer_expect(t.far, "BYE"), "Reason", 0),
		"SIP;cause=200");
	expect_cdr(1, "normal", 200);
	ck_assert_str_eq(cdr_text("number"), ALICE);
	ck_assert_str_eq(cdr_text("uri"), URI);
	ck_assert_str_eq(cdr_text("call_id"), "c1");
	ck_assert_str_eq(cdr_text("callee_uri"), "sip:bob@ims.test");
	ck_assert_int_eq(cdr_int("lease_id"), 1);
}
END_TEST

/* RFC 3264 4: an offer in the 2xx has its answer in the ACK */
START_TEST(the_acks_body_crosses)
{
	invite();
	answer();
	keep_tag(fake_peer_expect_status(t.near, 200));
	tx_near("ACK", "Content-Type: application/sdp\n\nv=late\n");
	ck_assert_ptr_nonnull(strstr(fake_peer_expect(t.far, "ACK"), "v=late"));
}
END_TEST

/* RFC 3261 13.2.2.4 */
START_TEST(a_2xx_that_is_repeated_is_acknowledged_again)
{
	call();
	answer();
	fake_peer_expect(t.far, "ACK sip:bob@");
	ck_assert_int_eq(fake_peer_pending(t.near), 0);
}
END_TEST

START_TEST(the_callee_hangs_up)
{
	call();
	tx_far("BYE", 5);
	fake_peer_expect_status(t.far, 200);
	ck_assert_ptr_nonnull(fake_peer_expect(t.near, "BYE sip:alice@"));
	fake_peer_reply(t.near, 200, "");
	expect_cdr(1, "normal", 200);
}
END_TEST

/* TS 24.229 5.4.5.1.2: the S-CSCF, in the name of either side */
START_TEST(a_released_call_says_so_in_its_record)
{
	static const char reason[] = "SIP;cause=480;text=\"gone\"";

	call();
	tx_near("BYE", "Reason: SIP;cause=480;text=\"gone\"\n");
	fake_peer_expect_status(t.near, 200);
	ck_assert_str_eq(
		fake_header(fake_peer_expect(t.far, "BYE"), "Reason", 0),
		reason);
	expect_cdr(1, "deregistered", 200);
}
END_TEST

START_TEST(both_hang_up_at_once)
{
	call();
	tx_near("BYE", "");
	tx_far("BYE", 5);
	fake_peer_expect_status(t.near, 200);
	fake_peer_expect(t.far, "BYE");
	fake_peer_expect_status(t.far, 200);
	expect_cdr(1, "normal", 200);
	ck_assert_int_eq(t.bed->cdrs, 1);
}
END_TEST

static bool has_no_calls(const void *arg)
{
	(void)arg;

	return !t.bed->as->calls;
}

START_TEST(a_bye_that_is_never_answered_ends_all_the_same)
{
	call();
	tx_near("BYE", "");
	fake_peer_expect(t.far, "BYE");
	ck_assert(loop_run_until(t.bed->loop, has_no_calls, NULL, PATIENCE_MS));
	tx_near("BYE", "");
	fake_peer_expect_status(t.near, 200);
	fake_peer_expect_status(t.near, 481);
}
END_TEST

static void tx_cancel(void)
{
	char *text = xasprintf("CANCEL sip:bob@ims.test SIP/2.0\n"
			       "Via: SIP/2.0/UDP %s;branch=z9hG4bK-i%d\n"
			       "From: <" URI ">;tag=near\n"
			       "To: <sip:bob@ims.test>\nCall-ID: c1\n"
			       "CSeq: 1 CANCEL\nMax-Forwards: 70\n",
			       fake_peer_addr(t.near), t.branch);

	fake_peer_tx(t.near, t.as, text);
	free(text);
}

START_TEST(the_caller_cancels)
{
	invite();
	tx_response(t.invite, 180, "");
	fake_peer_expect(t.near, "SIP/2.0 180");
	tx_cancel();
	fake_peer_expect_status(t.near, 200);
	fake_peer_expect_status(t.near, 487);
	fake_peer_expect(t.far, "CANCEL");
	expect_cdr(1, "cancelled", 487);
	/* and the callee answered meanwhile */
	answer();
	fake_peer_expect(t.far, "ACK");
	fake_peer_expect(t.far, "BYE");
}
END_TEST

static const struct {
	int status;
	const char *cause;
} refusals[] = { { 486, "busy" },      { 480, "unavailable" },
		 { 404, "not-found" }, { 408, "no-answer" },
		 { 603, "declined" },  { 403, "refused-403" },
		 { 500, "failed" } };

START_TEST(a_refusal_is_passed_on_with_its_reason)
{
	invite();
	tx_response(t.invite, refusals[_i].status,
		    "Reason: Q.850;cause=17\nWarning: 399 x \"why\"\n");
	ck_assert_str_eq(fake_header(fake_peer_expect_status(
					     t.near, refusals[_i].status),
				     "Reason", 0),
			 "Q.850;cause=17");
	fake_peer_expect(t.far, "ACK");
	expect_cdr(1, refusals[_i].cause, refusals[_i].status);
	ck_assert_int_eq(cdr_int("duration_ms"), 0);
}
END_TEST

START_TEST(a_next_hop_that_is_silent_is_504)
{
	invite();
	fake_peer_expect_status(t.near, 504);
	expect_cdr(1, "unreachable", 504);
}
END_TEST

/* RFC 3261 13.3.1.4 */
START_TEST(a_caller_that_never_acks_is_hung_up_on)
{
	invite();
	answer();
	fake_peer_expect_status(t.near, 200);
	fake_peer_expect(t.near, "BYE");
	fake_peer_expect(t.far, "ACK");
	fake_peer_expect(t.far, "BYE");
	expect_cdr(1, "no-ack", 200);
}
END_TEST

static const char *const crossing[] = { "UPDATE", "INFO" };

START_TEST(a_request_inside_the_call_crosses)
{
	call();
	tx_near(crossing[_i], "Contact: <sip:alice@127.0.0.1:9>\n"
			      "Content-Type: text/plain\n\nhello\n");
	tx_response(fake_peer_expect(t.far, crossing[_i]), 200, "X-Far: 1\n");
	ck_assert_str_eq(
		fake_header(fake_peer_expect_status(t.near, 200), "X-Far", 0),
		"1");
}
END_TEST

START_TEST(a_reinvite_crosses_with_its_ack)
{
	char *again;

	call();
	tx_near("INVITE", "Contact: <sip:alice@127.0.0.1:9>\n");
	again = xstrdup(fake_peer_expect(t.far, "INVITE sip:bob@"));
	ck_assert_ptr_nonnull(strstr(fake_header(again, "To", 0), "tag=far"));
	tx_response(again, 200, "Contact: <sip:bob@127.0.0.1:9>\n");
	fake_peer_expect_status(t.near, 200);
	tx_near("ACK", "");
	fake_peer_expect(t.far, "ACK sip:bob@127.0.0.1:9");
	free(again);
}
END_TEST

START_TEST(a_second_reinvite_at_once_is_491)
{
	call();
	tx_near("INVITE", "Contact: <sip:alice@127.0.0.1:9>\n");
	fake_peer_expect(t.far, "INVITE");
	tx_far("UPDATE", 5);
	fake_peer_expect_status(t.far, 491);
}
END_TEST

/* ---- who calls, whom, and what is shown ---- */

static const struct {
	const char *display, *shown, *event;
} shown[] = {
	{ "\"" ALICE "\"", "\"" ALICE "\" <" URI ">", "as.cdr-not" },
	{ "\"+86 138-0013-8000\"", "\"" ALICE "\" <" URI ">", "as.cdr-not" },
	{ "", "\"" ALICE "\" <" URI ">", "as.number-filled " },
	{ "\"" BOB "\"", "\"" ALICE "\" <" URI ">", "as.number-replaced " },
	{ "\"The Bank\"", "\"" ALICE "\" <" URI ">", "as.number-replaced " },
};

/* [0112] */
START_TEST(the_callee_sees_the_number_that_is_bound)
{
	const struct invite v = { .display = shown[_i].display };
	size_t len = strlen(shown[_i].shown);

	lease();
	tx_invite(&v);
	rx_invite();
	ck_assert_int_eq(
		strncmp(fake_header(t.invite, "From", 0), shown[_i].shown, len),
		0);
	ck_assert(_i < 2 || strstr(t.bed->events, shown[_i].event));
	ck_assert(_i >= 2 || !strstr(t.bed->events, "as.number-"));
}
END_TEST

START_TEST(a_foreign_number_is_refused_by_policy)
{
	const struct invite v = { .display = "\"" BOB "\"" };

	t.bed->number_policy = "refuse";
	restart();
	lease();
	tx_invite(&v);
	fake_peer_expect_status(t.near, 403);
	expect_cdr(1, "refused-403", 403);
	ck_assert_str_eq(cdr_text("number"), ALICE);
	ck_assert_ptr_nonnull(strstr(t.bed->events, "as.number-refused "));
	ck_assert_int_eq(fake_peer_pending(t.far), 0);
}
END_TEST

START_TEST(an_account_of_its_own_shows_its_own_number)
{
	const struct invite v = { .caller = OWN };

	tx_invite(&v);
	rx_invite();
	ck_assert_int_eq(strncmp(fake_header(t.invite, "From", 0),
				 "\"+8657110000009\"", 16),
			 0);
}
END_TEST

START_TEST(a_uri_that_is_lent_to_nobody_may_not_call)
{
	lease();
	ck_assert_int_eq(as_bed_ask(t.bed, "/v1/release", ALICE), 200);
	restart();
	tx_invite(&plain);
	fake_peer_expect_status(t.near, 403);
}
END_TEST

static const char *const dialled[] = { "tel:" ALICE, "tel:+86-138-0013-8000",
				       "sip:" ALICE "@ims.test;user=phone",
				       "tel:13800138000;phone-context=+86" };

START_TEST(a_real_number_is_whoever_has_it)
{
	const struct invite v = { .caller = OWN, .to = dialled[_i] };

	lease();
	tx_invite(&v);
	rx_invite();
	ck_assert_ptr_eq(strstr(t.invite, "INVITE " URI " SIP/2.0"), t.invite);
	tx_response(t.invite, 486, "");
	expect_cdr(1, "busy", 486);
	ck_assert_str_eq(cdr_text("callee_number"), ALICE);
	ck_assert_int_eq(cdr_int("callee_lease_id"), 1);
}
END_TEST

/* The HSS knows whether there is such an account */
START_TEST(a_real_number_that_nobody_has_goes_on_as_an_account)
{
	const struct invite v = { .caller = OWN, .to = "tel:" BOB };

	tx_invite(&v);
	rx_invite();
	ck_assert_ptr_eq(strstr(t.invite, "INVITE sip:" BOB "@ims.test SIP"),
			 t.invite);
}
END_TEST

static const struct {
	const char *to, *more;
	int status;
} bad[] = { { "tel:911", "", 484 },
	    { "sips:bob@ims.test", "", 416 },
	    { "sip:bob@ims.test", "Require: 100rel\n", 420 },
	    { "sip:bob@ims.test", "Proxy-Require: x\nRequire: x\n", 420 } };

START_TEST(what_cannot_be_called_is_refused)
{
	const struct invite v = { .to = bad[_i].to, .more = bad[_i].more };

	tx_invite(&v);
	fake_peer_expect_status(t.near, bad[_i].status);
	ck_assert_ptr_null(t.bed->as->calls);
}
END_TEST

START_TEST(a_number_makes_only_so_many_calls)
{
	const struct invite second = { .call_id = "c2" };
	const struct invite third = { .call_id = "c3" };

	invite();
	tx_invite(&second);
	rx_invite();
	tx_invite(&third);
	fake_peer_expect_status(t.near, 403);
}
END_TEST

/* ---- charging ---- */

static void read_csv(char *text, size_t size)
{
	char path[128];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/cdr.csv", t.bed->dir);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	fclose(f);
}

START_TEST(a_record_has_a_line_in_the_file)
{
	char text[4096];

	lease();
	call();
	tx_near("BYE", "");
	expect_cdr(1, "normal", 200);
	read_csv(text, sizeof(text));
	ck_assert_int_eq(strncmp(text, "call_id,start,answer,end,", 25), 0);
	ck_assert_ptr_nonnull(
		strstr(text, ",normal,200,1," URI "," ALICE ",sip:bob@"));
	restart();
	read_csv(text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "\nc1,"));
	ck_assert_ptr_null(strstr(strstr(text, "\nc1,") + 1, "\nc1,"));
}
END_TEST

START_TEST(a_call_that_is_up_when_the_server_dies_is_charged_till_then)
{
	lease();
	call();
	restart();
	expect_cdr(1, "as-restart", 200);
	ck_assert_str_eq(cdr_text("number"), ALICE);
	/* its other requests meet nobody */
	tx_near("BYE", "");
	fake_peer_expect_status(t.near, 481);
	restart();
	ck_assert_int_eq(t.bed->cdrs, 1);
}
END_TEST

START_TEST(a_ringing_call_when_the_server_dies_costs_nothing)
{
	invite();
	restart();
	expect_cdr(1, "as-restart", 0);
	ck_assert_int_eq(cdr_int("duration_ms"), 0);
}
END_TEST

static const struct {
	const char *cdr, *policy, *chain, *needle;
} settings[] = {
	{ "/nowhere/cdr.csv", "replace", NULL,
	  "--cdr /nowhere/cdr.csv: No such" },
	{ NULL, "accept", NULL,
	  "--number-policy accept: must be replace or refuse" },
	{ NULL, "replace", "second",
	  "--chain second: must be alone, first or last" },
};

START_TEST(a_bad_setting_is_named)
{
	struct appserver_cfg cfg = { .https = "127.0.0.1:0",
				     .sip = "127.0.0.1:0",
				     .store = "memory",
				     .cert = "x",
				     .ca = "x",
				     .platform = t.bed->platform_url,
				     .realm = "ims.test",
				     .proxy = "sip:127.0.0.1:5060" };
	struct appserver *as;
	char *reason = NULL;

	cfg.cdr = settings[_i].cdr;
	cfg.number_policy = settings[_i].policy;
	cfg.chain = settings[_i].chain;
	ck_assert_int_ne(as_new(&as, t.bed->as_el, &cfg, &reason), 0);
	ck_assert_msg(strstr(reason, settings[_i].needle), "%s", reason);
	free(reason);
}
END_TEST

/* ---- leases ---- */

static void expect_lease_ended(const char *cause)
{
	const char *reason = "SIP;cause=503;text=\"lease ended\"";

	ck_assert_str_eq(
		fake_header(fake_peer_expect(t.near, "BYE"), "Reason", 0),
		reason);
	fake_peer_reply(t.near, 200, "");
	ck_assert_str_eq(
		fake_header(fake_peer_expect(t.far, "BYE"), "Reason", 0),
		reason);
	fake_peer_reply(t.far, 200, "");
	expect_cdr(1, cause, 200);
	as_bed_settle(t.bed, "none");
	ck_assert_int_eq(t.bed->platform->reclaims, 1);
}

START_TEST(the_leases_limit_ends_the_call)
{
	t.bed->platform->expires_s = 1;
	lease();
	call();
	expect_lease_ended("lease-limit");
}
END_TEST

START_TEST(a_release_ends_the_call)
{
	lease();
	call();
	as_bed_send(t.bed, "/v1/release", "{\"number\":\"" ALICE "\"}");
	expect_lease_ended("lease-ended");
	ck_assert_int_eq(as_bed_wait(t.bed), 200);
}
END_TEST

START_TEST(the_end_of_the_lease_cancels_a_call_that_rings)
{
	lease();
	invite();
	tx_response(t.invite, 180, "");
	fake_peer_expect(t.near, "SIP/2.0 180");
	ck_assert_int_eq(as_bed_ask(t.bed, "/v1/release", ALICE), 200);
	fake_peer_expect_status(t.near, 480);
	fake_peer_expect(t.far, "CANCEL");
	expect_cdr(1, "lease-ended", 480);
}
END_TEST

START_TEST(the_end_of_the_lease_waits_for_the_callers_ack)
{
	lease();
	invite();
	answer();
	keep_tag(fake_peer_expect_status(t.near, 200));
	ck_assert_int_eq(as_bed_ask(t.bed, "/v1/release", ALICE), 200);
	fake_peer_expect(t.far, "ACK");
	fake_peer_expect(t.far, "BYE");
	ck_assert_int_eq(fake_peer_pending(t.near), 0);
	tx_near("ACK", "");
	fake_peer_expect(t.near, "BYE");
}
END_TEST

START_TEST(a_new_call_cancels_the_call_end_timer)
{
	lease();
	ck_assert_int_eq(as_bed_ask(t.bed, "/v1/call-end", ALICE), 200);
	call();
	ck_assert_ptr_nonnull(strstr(t.bed->events, "as.timer-cancelled "));
	tx_near("BYE", "");
	expect_cdr(1, "normal", 200);
	ck_assert_int_eq(t.bed->as->is_stopping, 0);
	clock_take_over();
	clock_advance_us(31LL * SECOND_US);
	ck_assert_int_eq(as_bed_ask(t.bed, "/v1/none", ALICE), 404);
	as_bed_settle(t.bed, "bound");
}
END_TEST

START_TEST(a_call_end_in_a_call_waits_for_its_end)
{
	lease();
	call();
	ck_assert_int_eq(as_bed_ask(t.bed, "/v1/call-end", ALICE), 200);
	ck_assert_int_eq(json_integer_value(json_object_get(t.bed->last.body,
							    "max_use_s")),
			 30);
	ck_assert_ptr_null(strstr(t.bed->events, "as.timer-started "));
	tx_near("BYE", "");
	expect_cdr(1, "normal", 200);
	ck_assert_ptr_nonnull(strstr(t.bed->events, "as.timer-started "));
	clock_take_over();
	clock_advance_us(31LL * SECOND_US);
	as_bed_settle(t.bed, "none");
}
END_TEST

START_TEST(a_call_end_in_a_call_outlives_a_restart)
{
	lease();
	call();
	ck_assert_int_eq(as_bed_ask(t.bed, "/v1/call-end", ALICE), 200);
	restart();
	ck_assert_ptr_nonnull(strstr(t.bed->events, "as.timer-started "));
}
END_TEST

/* S520 with Expires 0: TS 24.229 5.4.1.7 */
static void tell(int expires_s)
{
	char *text =
		xasprintf("REGISTER sip:%s SIP/2.0\n"
			  "Via: SIP/2.0/UDP %s;branch=z9hG4bK-r%d\n"
			  "From: <sip:scscf.ims.test>;tag=s\nTo: <" URI ">\n"
			  "Call-ID: reg\nCSeq: %d REGISTER\nMax-Forwards: 70\n"
			  "Contact: <sip:scscf.ims.test>\nExpires: %d\n",
			  t.as, fake_peer_addr(t.near), t.branch + 1,
			  t.branch + 1, expires_s);

	t.branch++;
	fake_peer_tx(t.near, t.as, text);
	free(text);
	fake_peer_expect_status(t.near, 200);
}

START_TEST(a_terminal_that_vanishes_loses_its_lease)
{
	lease();
	tell(3600);
	tell(0);
	as_bed_settle(t.bed, "none");
	ck_assert_int_eq(t.bed->platform->reclaims, 1);
}
END_TEST

START_TEST(a_late_notice_about_an_earlier_lease_ends_nothing)
{
	lease();
	tell(0);
	as_bed_settle(t.bed, "bound");
	ck_assert_int_eq(t.bed->platform->reclaims, 0);
}
END_TEST

START_TEST(a_vanished_terminal_keeps_its_lease_while_its_call_is_up)
{
	lease();
	tell(3600);
	call();
	tell(0);
	as_bed_settle(t.bed, "bound");
	tx_far("BYE", 5);
	expect_cdr(1, "normal", 200);
	as_bed_settle(t.bed, "none");
}
END_TEST

START_TEST(a_terminal_that_vanished_in_a_call_loses_its_lease_by_a_restart)
{
	lease();
	tell(3600);
	call();
	tell(0);
	restart();
	as_bed_settle(t.bed, "none");
}
END_TEST

static void add(TCase *tc, const TTest *const *tests)
{
	for (size_t i = 0; tests[i]; i++)
		tcase_add_test(tc, tests[i]);
}

static TCase *tcase(Suite *s, const char *name, const TTest *const *tests)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	add(tc, tests);
	suite_add_tcase(s, tc);

	return tc;
}

static void add_leases(Suite *s)
{
	const TTest *const leases[] = {
		the_leases_limit_ends_the_call,
		a_release_ends_the_call,
		the_end_of_the_lease_cancels_a_call_that_rings,
		the_end_of_the_lease_waits_for_the_callers_ack,
		a_new_call_cancels_the_call_end_timer,
		a_call_end_in_a_call_waits_for_its_end,
		a_call_end_in_a_call_outlives_a_restart,
		a_terminal_that_vanishes_loses_its_lease,
		a_late_notice_about_an_earlier_lease_ends_nothing,
		a_vanished_terminal_keeps_its_lease_while_its_call_is_up,
		a_terminal_that_vanished_in_a_call_loses_its_lease_by_a_restart,
		NULL,
	};

	tcase(s, "lease", leases);
}

static Suite *suite(void)
{
	const TTest *const calls[] = {
		a_call_crosses_with_both_bodies,
		the_acks_body_crosses,
		a_2xx_that_is_repeated_is_acknowledged_again,
		the_callee_hangs_up,
		a_released_call_says_so_in_its_record,
		both_hang_up_at_once,
		a_bye_that_is_never_answered_ends_all_the_same,
		the_caller_cancels,
		a_next_hop_that_is_silent_is_504,
		a_caller_that_never_acks_is_hung_up_on,
		a_reinvite_crosses_with_its_ack,
		a_second_reinvite_at_once_is_491,
		NULL,
	};
	const TTest *const numbers[] = {
		a_foreign_number_is_refused_by_policy,
		an_account_of_its_own_shows_its_own_number,
		a_uri_that_is_lent_to_nobody_may_not_call,
		a_real_number_that_nobody_has_goes_on_as_an_account,
		a_number_makes_only_so_many_calls,
		NULL,
	};
	const TTest *const charging[] = {
		a_record_has_a_line_in_the_file,
		a_call_that_is_up_when_the_server_dies_is_charged_till_then,
		a_ringing_call_when_the_server_dies_costs_nothing,
		NULL,
	};
	Suite *s = suite_create("as_call");
	TCase *tc = tcase(s, "call", calls);

	tcase_add_loop_test(tc, a_refusal_is_passed_on_with_its_reason, 0,
			    sizeof(refusals) / sizeof(*refusals));
	tcase_add_loop_test(tc, a_request_inside_the_call_crosses, 0, 2);
	tc = tcase(s, "number", numbers);
	tcase_add_loop_test(tc, the_callee_sees_the_number_that_is_bound, 0,
			    sizeof(shown) / sizeof(*shown));
	tcase_add_loop_test(tc, a_real_number_is_whoever_has_it, 0,
			    sizeof(dialled) / sizeof(*dialled));
	tcase_add_loop_test(tc, what_cannot_be_called_is_refused, 0,
			    sizeof(bad) / sizeof(*bad));
	tc = tcase(s, "charging", charging);
	tcase_add_loop_test(tc, a_bad_setting_is_named, 0,
			    sizeof(settings) / sizeof(*settings));
	add_leases(s);

	return s;
}

SUITE_MAIN(suite)
