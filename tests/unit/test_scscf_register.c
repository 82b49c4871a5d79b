/* The S-CSCF's registrar (TS 24.229 5.4.1) against a fake HSS and a bare UE */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/fsm.h"
#include "common/hold.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/timer.h"
#include "common/trace.h"
#include "ims_core/scscf/scscf.h"
#include "ims_core/scscf/scscf_reg.h"
#include "tests/fake/fake_hss.h"
#include "tests/fake/fake_ue.h"
#include "tests/suite.h"

enum { BOUND_MS = 3000 };

#define IMPU "sip:+8657110000001@ims.test"

/** What each test has; its process is its own */
static struct {
	struct loop *loop;
	struct element *hss_el, *el;
	struct fake_hss *hss;
	struct scscf *scscf;
	struct fake_peer *ue_peer, *as;
	struct fake_ue ue;
	char profile[2048];
	int from_own_host;   /* Diameter messages at 127.0.0.3 */
	char last_auth[512]; /* last scscf.auth event */
} t;

static void on_trace(const char *line, size_t len, void *arg)
{
	(void)arg;
	if (strstr(line, "\"diameter\"") &&
	    strstr(line, "\"local\":\"127.0.0.3:"))
		t.from_own_host++;
	if (strstr(line, "\"scscf.auth\"") && strstr(line, "reason"))
		snprintf(t.last_auth, sizeof(t.last_auth), "%.*s", (int)len,
			 line);
}

static bool is_open(const void *arg)
{
	(void)arg;

	return cx_is_open(t.scscf->cx);
}

static void start(const char *digest, enum fake_transport by)
{
	struct scscf_cfg cfg = { .listen = "127.0.0.1:0",
				 .realm = "ims.test",
				 .origin_host = "scscf.ims.test",
				 .digest = digest };
	char *reason = NULL;

	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.hss_el = element_new_on(t.loop, "hss");
	t.el = element_new_on(t.loop, "scscf");
	trace_set_sink(t.el->trace, on_trace, NULL);
	t.hss = fake_hss_new(t.hss_el);
	t.hss->lia.server_name = "sip:scscf.ims.test";
	cfg.hss = fake_hss_addr(t.hss);
	ck_assert_int_eq(scscf_new(&t.scscf, t.el, &cfg, &reason), 0);
	ck_assert(loop_run_until(t.loop, is_open, NULL, BOUND_MS));
	t.ue_peer = fake_peer_new(t.loop, by);
	fake_ue_init(&t.ue, t.ue_peer, scscf_addr(t.scscf));
}

static void setup(void)
{
	start("md5", FAKE_UDP);
}

static void teardown(void)
{
	fake_peer_free(t.ue_peer);
	fake_peer_free(t.as);
	scscf_free(t.scscf);
	fake_hss_free(t.hss);
	element_free(t.el);
	element_free(t.hss_el);
	loop_free(t.loop);
}

static const struct scscf_reg *find_reg(void)
{
	return scscf_reg_find(t.scscf, IMPU);
}

static bool has_sar(const void *arg)
{
	return t.hss->sar_n >= *(const int *)arg;
}

static void expect_sar(int n, enum cx_sat type)
{
	ck_assert(loop_run_until(t.loop, has_sar, &n, BOUND_MS));
	ck_assert_int_eq(t.hss->sar_n, n);
	ck_assert_int_eq(t.hss->seen.sat, type);
}

static bool is_asking(const void *arg)
{
	(void)arg;

	return t.scscf->registers != NULL;
}

static bool has_request(const void *arg)
{
	return t.hss->uar_n + t.hss->mar_n + t.hss->sar_n >= *(const int *)arg;
}

/* The HSS has seen n requests, and the clock then passes its bound */
static void let_hss_time_out(int n)
{
	ck_assert(loop_run_until(t.loop, has_request, &n, BOUND_MS));
	clock_take_over();
	clock_advance_us(timer_value_ms(TIMER_CX_ANSWER) * 1000 + 1000);
}

START_TEST(register_without_credentials_is_challenged)
{
	const char *text;

	t.ue.is_plain = true;
	fake_ue_register(&t.ue);
	text = fake_peer_expect_status(t.ue_peer, 401);
	ck_assert_ptr_nonnull(strstr(text, "realm=\"ims.test\""));
	ck_assert_ptr_nonnull(strstr(text, "algorithm=MD5"));
	ck_assert_ptr_nonnull(strstr(text, "qop=\"auth\""));
	ck_assert_ptr_nonnull(strstr(text, "Warning: 399 scscf.ims.test"));
	ck_assert_ptr_null(strstr(text, "stale"));
	/* the private identity comes from To (TS 24.229 5.4.1.2.1) */
	ck_assert_str_eq(t.hss->seen.impi, "+8657110000001@ims.test");
	ck_assert_str_eq(t.hss->seen.impu, IMPU);
	ck_assert_str_eq(t.hss->seen.scheme, "SIP Digest");
	ck_assert_int_eq(t.hss->seen.item_n, 1);
	ck_assert_ptr_nonnull(strstr(t.last_auth, "challenged"));
}
END_TEST

START_TEST(right_digest_registers)
{
	const char *text;

	t.ue.extra = "Path: <sip:term@127.0.0.1:9;lr>\nRequire: path\n";
	text = fake_ue_register_through(&t.ue, 200);
	ck_assert_ptr_nonnull(strstr(text, ";expires=600"));
	ck_assert_str_eq(fake_header(text, "Path", 0),
			 "<sip:term@127.0.0.1:9;lr>");
	ck_assert_ptr_nonnull(
		strstr(fake_header(text, "Service-Route", 0), "<sip:orig@"));
	ck_assert_str_eq(fake_header(text, "P-Associated-URI", 0),
			 "<" IMPU ">");
	expect_sar(1, CX_SAT_REGISTRATION);
	ck_assert(!t.hss->seen.has_user_data);
	ck_assert(scscf_reg_is_registered(find_reg()));
}
END_TEST

START_TEST(plain_client_registers_over_tcp)
{
	teardown();
	start("both", FAKE_TCP);
	t.ue.is_plain = true;
	t.ue.expires = NULL; /* the default is granted */
	ck_assert_ptr_nonnull(
		strstr(fake_ue_register_through(&t.ue, 200), "expires=3600"));
}
END_TEST

START_TEST(uri_of_a_plain_client_is_where_it_sent_the_register)
{
	/* SIPp writes the P-CSCF's address, which stands in Path */
	t.ue.uri = "sip:127.0.0.7:5060";
	t.ue.extra = "Path: <sip:term@127.0.0.7:5060;lr>\n";
	fake_ue_register_through(&t.ue, 200);
}
END_TEST

START_TEST(both_algorithms_are_offered_the_strongest_first)
{
	char md5[DIGEST_HEX_LEN], sha[DIGEST_HEX_LEN];
	const char *text;

	teardown();
	start("both", FAKE_UDP);
	digest_ha1(md5, DIGEST_MD5, t.ue.impi, t.ue.realm, "secret");
	digest_ha1(sha, DIGEST_SHA256, t.ue.impi, t.ue.realm, "secret");
	fake_hss_set_digest(t.hss, "ims.test", "MD5", md5);
	t.hss->maa.items[1] = t.hss->maa.items[0];
	t.hss->maa.items[1].algorithm = "SHA-256";
	t.hss->maa.items[1].ha1 = sha;
	t.hss->maa.item_n = 2;

	fake_ue_register(&t.ue);
	text = fake_peer_expect_status(t.ue_peer, 401);
	ck_assert_ptr_nonnull(strstr(fake_header(text, "WWW-Authenticate", 0),
				     "algorithm=SHA-256"));
	ck_assert_ptr_nonnull(strstr(fake_header(text, "WWW-Authenticate", 1),
				     "algorithm=MD5"));
	ck_assert_int_eq(t.hss->seen.item_n, 2);
	fake_ue_take(&t.ue, text);
	t.ue.alg = DIGEST_SHA256;
	fake_ue_answer(&t.ue);
	fake_peer_expect_status(t.ue_peer, 200);
}
END_TEST

START_TEST(algorithm_that_was_not_offered_is_challenged_again)
{
	fake_ue_register(&t.ue);
	fake_ue_take(&t.ue, fake_peer_expect_status(t.ue_peer, 401));
	t.ue.alg = DIGEST_SHA256;
	fake_ue_answer(&t.ue);
	fake_peer_expect_status(t.ue_peer, 401);
	ck_assert_ptr_nonnull(strstr(t.last_auth, "other-algorithm"));
}
END_TEST

START_TEST(hss_without_the_offered_algorithm_gives_500)
{
	teardown();
	start("sha-256", FAKE_UDP);
	fake_ue_register(&t.ue);
	ck_assert_ptr_nonnull(
		strstr(fake_peer_expect_status(t.ue_peer, 500), "--digest"));
}
END_TEST

START_TEST(wrong_password_gets_403_and_may_try_again)
{
	const char *text;

	t.ue.password = "wrong";
	text = fake_ue_register_through(&t.ue, 403);
	ck_assert_ptr_nonnull(strstr(text, "wrong digest"));
	expect_sar(1, CX_AUTHENTICATION_FAILURE);
	ck_assert_ptr_nonnull(strstr(t.last_auth, "wrong-response"));
	ck_assert_ptr_null(find_reg());

	t.ue.password = "secret";
	fake_ue_register_through(&t.ue, 200);
}
END_TEST

START_TEST(failed_attempt_does_not_harm_a_registered_user)
{
	fake_ue_register_through(&t.ue, 200);
	t.ue.password = "wrong";
	t.ue.call_id = "attacker";
	fake_ue_register_through(&t.ue, 403);
	ck_assert(scscf_reg_is_registered(find_reg()));
	ck_assert_int_eq(t.hss->sar_n, 1);
}
END_TEST

/* Each mistake in the credentials has a status and a reason of its own */
static const struct {
	const char *impi, *realm, *uri;
	int status;
	const char *reason;
} mistakes[] = {
	{ "other@ims.test", "ims.test", "sip:ims.test", 403, "wrong-username" },
	{ "+8657110000001@ims.test", "foreign", "sip:ims.test", 403,
	  "wrong-realm" },
	{ "+8657110000001@ims.test", "ims.test", "sip:elsewhere.test", 400,
	  "wrong-uri" },
};

START_TEST(each_mistake_in_the_credentials_has_its_own_reason)
{
	fake_ue_register(&t.ue);
	fake_ue_take(&t.ue, fake_peer_expect_status(t.ue_peer, 401));
	t.ue.impi = mistakes[_i].impi;
	t.ue.realm = mistakes[_i].realm;
	t.ue.uri = mistakes[_i].uri;
	fake_ue_answer(&t.ue);
	fake_peer_expect_status(t.ue_peer, mistakes[_i].status);
	ck_assert_ptr_nonnull(strstr(t.last_auth, mistakes[_i].reason));
	ck_assert(!find_reg() || !scscf_reg_is_registered(find_reg()));
}
END_TEST

START_TEST(repeated_nonce_count_is_refused_as_stale)
{
	const char *text;

	fake_ue_register_through(&t.ue, 200);
	/* heard on the wire and sent again, in its own transaction */
	t.ue.nc = 1;
	fake_ue_answer(&t.ue);
	text = fake_peer_expect_status(t.ue_peer, 401);
	ck_assert_ptr_nonnull(strstr(text, "stale=true"));
	ck_assert_ptr_nonnull(strstr(t.last_auth, "replayed"));
	ck_assert_int_eq(t.hss->sar_n, 1);
}
END_TEST

START_TEST(higher_nonce_count_registers_again_without_a_challenge)
{
	fake_ue_register_through(&t.ue, 200);
	fake_ue_answer(&t.ue);
	fake_peer_expect_status(t.ue_peer, 200);
	expect_sar(2, CX_RE_REGISTRATION);
	ck_assert(t.hss->seen.has_user_data);
	ck_assert_int_eq(t.hss->mar_n, 1);
}
END_TEST

START_TEST(right_answer_to_an_old_nonce_is_stale)
{
	const char *text;

	fake_ue_register(&t.ue);
	fake_ue_take(&t.ue, fake_peer_expect_status(t.ue_peer, 401));
	clock_take_over();
	clock_advance_us(timer_value_ms(TIMER_REG_AWAIT_AUTH) * 1000 + 1000);
	expect_sar(1, CX_AUTHENTICATION_TIMEOUT);
	ck_assert_ptr_null(find_reg());

	fake_ue_answer(&t.ue);
	text = fake_peer_expect_status(t.ue_peer, 401);
	ck_assert_ptr_nonnull(strstr(text, "stale=true"));
	fake_ue_take(&t.ue, text);
	fake_ue_answer(&t.ue);
	fake_peer_expect_status(t.ue_peer, 200);
}
END_TEST

START_TEST(wrong_answer_to_an_unknown_nonce_is_not_called_stale)
{
	snprintf(t.ue.nonce, sizeof(t.ue.nonce), "0123456789abcdef");
	t.ue.password = "wrong";
	fake_ue_answer(&t.ue);
	ck_assert_ptr_null(
		strstr(fake_peer_expect_status(t.ue_peer, 401), "stale"));
}
END_TEST

START_TEST(retransmitted_register_draws_no_second_challenge)
{
	char first[4096];

	fake_ue_register(&t.ue);
	snprintf(first, sizeof(first), "%s",
		 fake_peer_expect_status(t.ue_peer, 401));
	fake_ue_repeat(&t.ue); /* same branch: the same transaction */
	ck_assert_str_eq(fake_peer_expect_status(t.ue_peer, 401), first);
	ck_assert_int_eq(t.hss->mar_n, 1);
}
END_TEST

START_TEST(unknown_user_gets_403_naming_the_hss_answer)
{
	t.hss->maa.result =
		(struct cx_result){ CX_ERROR_USER_UNKNOWN, true, NULL };
	fake_ue_register(&t.ue);
	ck_assert_ptr_nonnull(
		strstr(fake_peer_expect_status(t.ue_peer, 403), "5001"));
	ck_assert_ptr_null(find_reg());
}
END_TEST

START_TEST(silent_hss_gives_504_and_its_late_maa_is_dropped)
{
	hold_start(t.hss_el->hold);
	fake_ue_register(&t.ue);
	ck_assert(loop_run_until(t.loop, is_asking, NULL, BOUND_MS));
	clock_take_over();
	clock_advance_us(timer_value_ms(TIMER_CX_ANSWER) * 1000 + 1000);
	ck_assert_ptr_nonnull(strstr(fake_peer_expect_status(t.ue_peer, 504),
				     "no answer in time"));
	ck_assert_ptr_null(find_reg());

	hold_stop(t.hss_el->hold); /* the MAA comes now, to nobody */
	fake_ue_register_through(&t.ue, 200);
	ck_assert_int_eq(t.hss->mar_n, 2);
}
END_TEST

START_TEST(silent_hss_at_the_sar_gives_504_and_nothing_is_registered)
{
	fake_ue_register(&t.ue);
	fake_ue_take(&t.ue, fake_peer_expect_status(t.ue_peer, 401));
	t.hss->is_silent = true;
	fake_ue_answer(&t.ue);
	let_hss_time_out(2);
	fake_peer_expect_status(t.ue_peer, 504);
	ck_assert_ptr_null(find_reg());
}
END_TEST

START_TEST(register_while_the_sar_is_under_way_gets_500)
{
	fake_ue_register(&t.ue);
	fake_ue_take(&t.ue, fake_peer_expect_status(t.ue_peer, 401));
	t.hss->is_silent = true;
	fake_ue_answer(&t.ue);
	fake_ue_answer(&t.ue);
	fake_peer_expect_status(t.ue_peer, 500);
	expect_sar(1, CX_SAT_REGISTRATION);
}
END_TEST

START_TEST(refused_sar_gives_403)
{
	t.hss->saa.result =
		(struct cx_result){ CX_ERROR_IDENTITY_ALREADY_REGISTERED, true,
				    NULL };
	fake_ue_register_through(&t.ue, 403);
	ck_assert_ptr_null(find_reg());
}
END_TEST

START_TEST(unreadable_profile_gives_500_and_the_hss_is_told)
{
	t.hss->saa.user_data = "<IMSSubscription>";
	t.hss->saa.user_data_len = strlen(t.hss->saa.user_data);
	ck_assert_ptr_nonnull(
		strstr(fake_ue_register_through(&t.ue, 500), "User-Data"));
	expect_sar(2, CX_ADMINISTRATIVE_DEREGISTRATION);
}
END_TEST

START_TEST(too_short_a_time_gets_423_with_min_expires)
{
	const char *text;

	t.ue.expires = "5";
	text = fake_ue_register_through(&t.ue, 423);
	ck_assert_str_eq(fake_header(text, "Min-Expires", 0), "10");
	ck_assert_int_eq(t.hss->sar_n, 0);
	/* the same credentials may go on, counted */
	t.ue.expires = "10";
	fake_ue_answer(&t.ue);
	fake_peer_expect_status(t.ue_peer, 200);
}
END_TEST

START_TEST(expires_0_deregisters)
{
	const char *text;

	fake_ue_register_through(&t.ue, 200);
	t.ue.expires = "0";
	text = fake_ue_register_through(&t.ue, 200);
	ck_assert_str_eq(fake_header(text, "Contact", 0), "");
	expect_sar(2, CX_USER_DEREGISTRATION);
	ck_assert_ptr_null(find_reg());
}
END_TEST

START_TEST(star_deregisters_all_contacts)
{
	fake_ue_register_through(&t.ue, 200);
	t.ue.contact = "<sip:second@127.0.0.9:5062>";
	t.ue.call_id = "call-2";
	ck_assert_str_ne(
		fake_header(fake_ue_register_through(&t.ue, 200), "Contact", 1),
		"");
	t.ue.contact = "*";
	t.ue.expires = "0";
	fake_ue_register_through(&t.ue, 200);
	expect_sar(3, CX_USER_DEREGISTRATION);
	ck_assert_ptr_null(find_reg());
}
END_TEST

START_TEST(deregistering_one_of_two_contacts_keeps_the_other)
{
	const char *text;

	fake_ue_register_through(&t.ue, 200);
	t.ue.contact = "<sip:second@127.0.0.9:5062>";
	fake_ue_register_through(&t.ue, 200);
	t.ue.expires = "0";
	text = fake_ue_register_through(&t.ue, 200);
	ck_assert_ptr_nonnull(
		strstr(fake_header(text, "Contact", 0), "<sip:ue@"));
	ck_assert_str_eq(fake_header(text, "Contact", 1), "");
	ck_assert(scscf_reg_is_registered(find_reg()));
	ck_assert_int_eq(t.hss->sar_n, 2);
}
END_TEST

START_TEST(deregistering_twice_is_200_after_authentication)
{
	t.ue.contact = "*";
	t.ue.expires = "0";
	t.hss->saa.result =
		(struct cx_result){ CX_ERROR_IDENTITY_NOT_REGISTERED, true,
				    NULL };
	fake_ue_register_through(&t.ue, 200);
	expect_sar(1, CX_USER_DEREGISTRATION);
	ck_assert_ptr_null(find_reg());
}
END_TEST

START_TEST(star_with_an_expiry_is_400)
{
	t.ue.contact = "*";
	fake_ue_register(&t.ue);
	fake_peer_expect_status(t.ue_peer, 400);
	ck_assert_int_eq(t.hss->mar_n, 0);
}
END_TEST

START_TEST(to_without_a_user_is_400)
{
	t.ue.impu = "sip:ims.test";
	fake_ue_register(&t.ue);
	ck_assert_ptr_nonnull(strstr(fake_peer_expect_status(t.ue_peer, 400),
				     "public identity"));
}
END_TEST

START_TEST(older_cseq_of_the_same_call_is_refused)
{
	fake_ue_register_through(&t.ue, 200);
	t.ue.cseq = 0;
	fake_ue_register(&t.ue);
	fake_ue_take(&t.ue, fake_peer_expect_status(t.ue_peer, 401));
	t.ue.cseq = 0;
	t.ue.expires = "0";
	fake_ue_answer(&t.ue);
	ck_assert_ptr_nonnull(
		strstr(fake_peer_expect_status(t.ue_peer, 500), "CSeq"));
	ck_assert(scscf_reg_is_registered(find_reg()));
}
END_TEST

START_TEST(register_without_contact_lists_the_bindings)
{
	fake_ue_register_through(&t.ue, 200);
	t.ue.contact = NULL;
	ck_assert_ptr_nonnull(strstr(
		fake_header(fake_ue_register_through(&t.ue, 200), "Contact", 0),
		"<sip:ue@"));
	ck_assert_int_eq(t.hss->sar_n, 1);
}
END_TEST

START_TEST(registration_expires)
{
	fake_ue_register_through(&t.ue, 200);
	clock_take_over();
	clock_advance_us(599 * 1000000LL);
	fake_ue_answer(&t.ue); /* refreshed in time */
	fake_peer_expect_status(t.ue_peer, 200);
	clock_advance_us(601 * 1000000LL);
	expect_sar(3, CX_TIMEOUT_DEREGISTRATION);
	ck_assert_ptr_null(find_reg());
}
END_TEST

static bool has_rta(const void *arg)
{
	(void)arg;

	return t.hss->rta_n > 0;
}

START_TEST(rtr_deregisters_and_forgets_the_challenges)
{
	fake_ue_register_through(&t.ue, 200);
	fake_hss_rtr(t.hss, t.ue.impi, IMPU, CX_PERMANENT_TERMINATION);
	ck_assert(loop_run_until(t.loop, has_rta, NULL, BOUND_MS));
	ck_assert_int_eq(t.hss->rta_err, 0);
	ck_assert_uint_eq(t.hss->rta.code, CX_SUCCESS);
	ck_assert_ptr_null(find_reg());
	/* the nonce is of no use any more, whatever the password was */
	fake_ue_answer(&t.ue);
	fake_peer_expect_status(t.ue_peer, 403);
	ck_assert_ptr_nonnull(strstr(t.last_auth, "revoked"));
}
END_TEST

/* An old password, whose 401 was answered before it was changed */
START_TEST(rtr_between_challenge_and_answer_gives_403)
{
	fake_ue_register(&t.ue);
	fake_ue_take(&t.ue, fake_peer_expect_status(t.ue_peer, 401));
	fake_hss_rtr(t.hss, t.ue.impi, IMPU, CX_PERMANENT_TERMINATION);
	ck_assert(loop_run_until(t.loop, has_rta, NULL, BOUND_MS));
	ck_assert_uint_eq(t.hss->rta.code, CX_SUCCESS);
	ck_assert_ptr_null(find_reg());
	fake_ue_answer(&t.ue);
	fake_peer_expect_status(t.ue_peer, 403);
	ck_assert_int_eq(t.hss->sar_n, 0);
	/* who begins anew is challenged */
	fake_ue_register(&t.ue);
	fake_peer_expect_status(t.ue_peer, 401);
}
END_TEST

START_TEST(rtr_while_the_sar_is_under_way_takes_it_back)
{
	fake_ue_register(&t.ue);
	fake_ue_take(&t.ue, fake_peer_expect_status(t.ue_peer, 401));
	t.hss->is_silent = true;
	fake_ue_answer(&t.ue);
	expect_sar(1, CX_SAT_REGISTRATION);
	fake_hss_rtr(t.hss, t.ue.impi, IMPU, CX_PERMANENT_TERMINATION);
	fake_peer_expect_status(t.ue_peer, 403);
	expect_sar(2, CX_ADMINISTRATIVE_DEREGISTRATION);
	ck_assert_ptr_null(find_reg());
}
END_TEST

/* --- reg event package --- */

/* SUBSCRIBE to the registration, in the name of that identity */
static void subscribe(const char *asserted, const char *event)
{
	static int branch;
	char text[1024];

	branch++;
	snprintf(text, sizeof(text),
		 "SUBSCRIBE " IMPU " SIP/2.0\n"
		 "Via: SIP/2.0/UDP %s;branch=z9hG4bKsub%d\n"
		 "Max-Forwards: 70\nFrom: <sip:p@ims.test>;tag=p\n"
		 "To: <" IMPU ">\nCall-ID: sub\nCSeq: %d SUBSCRIBE\n"
		 "Contact: <sip:p@%s>\nEvent: %s\nExpires: 600\n"
		 "P-Asserted-Identity: <%s>\n\n",
		 fake_peer_addr(t.ue_peer), branch, branch,
		 fake_peer_addr(t.ue_peer), event, asserted);
	fake_peer_tx(t.ue_peer, scscf_addr(t.scscf), text);
}

static void expect_notify(const char *state, const char *event)
{
	const char *text = fake_peer_expect(t.ue_peer, "NOTIFY ");

	ck_assert_msg(strstr(fake_header(text, "Subscription-State", 0),
			     state) != NULL,
		      "%s", text);
	ck_assert_msg(strstr(text, event) != NULL, "%s", text);
	fake_peer_reply(t.ue_peer, 200, "");
}

START_TEST(who_subscribes_is_told_of_the_end_by_the_network)
{
	fake_ue_register_through(&t.ue, 200);
	subscribe(IMPU, "reg");
	fake_peer_expect_status(t.ue_peer, 200);
	expect_notify("active;expires=600", "event=\"registered\"");
	fake_hss_rtr(t.hss, t.ue.impi, IMPU, CX_PERMANENT_TERMINATION);
	expect_notify("terminated", "state=\"terminated\" event=\"rejected\"");
	ck_assert(loop_run_until(t.loop, has_rta, NULL, BOUND_MS));
	ck_assert_ptr_null(find_reg());
}
END_TEST

START_TEST(who_may_not_subscribe_is_told)
{
	subscribe(IMPU, "reg");
	fake_peer_expect_status(t.ue_peer, 404);
	fake_ue_register_through(&t.ue, 200);
	subscribe("sip:mallory@ims.test", "reg");
	fake_peer_expect_status(t.ue_peer, 403);
	/* another package is the subscribed UE's to refuse */
	subscribe(IMPU, "presence");
	fake_peer_expect(t.ue_peer, "SUBSCRIBE sip:ue@");
	fake_peer_reply(t.ue_peer, 489, "");
	fake_peer_expect_status(t.ue_peer, 489);
}
END_TEST

START_TEST(rtr_for_an_unknown_user_is_answered_so)
{
	fake_hss_rtr(t.hss, t.ue.impi, IMPU, CX_PERMANENT_TERMINATION);
	ck_assert(loop_run_until(t.loop, has_rta, NULL, BOUND_MS));
	ck_assert_uint_eq(t.hss->rta.code, CX_ERROR_USER_UNKNOWN);
}
END_TEST

static void use_as(int default_handling)
{
	t.as = fake_peer_new(t.loop, FAKE_UDP);
	snprintf(t.profile, sizeof(t.profile),
		 "<IMSSubscription><PrivateID>p</PrivateID><ServiceProfile>"
		 "<PublicIdentity><Identity>" IMPU
		 "</Identity></PublicIdentity><InitialFilterCriteria>"
		 "<Priority>0</Priority><TriggerPoint><ConditionTypeCNF>1"
		 "</ConditionTypeCNF><SPT><Group>0</Group><Method>REGISTER"
		 "</Method></SPT></TriggerPoint><ApplicationServer>"
		 "<ServerName>sip:%s</ServerName><DefaultHandling>%d"
		 "</DefaultHandling><ServiceInfo>a&lt;b</ServiceInfo>"
		 "</ApplicationServer></InitialFilterCriteria>"
		 "</ServiceProfile></IMSSubscription>",
		 fake_peer_addr(t.as), default_handling);
	t.hss->saa.user_data = t.profile;
	t.hss->saa.user_data_len = strlen(t.profile);
}

START_TEST(third_party_register_goes_to_the_as)
{
	const char *text;

	use_as(0);
	t.ue.extra = "P-Charging-Vector: icid-value=\"i1\"\n"
		     "P-Access-Network-Info: 3GPP-E-UTRAN-FDD\n";
	fake_ue_register_through(&t.ue, 200);
	text = fake_peer_expect(t.as, "REGISTER sip:127.0.0.1:");
	ck_assert_str_eq(fake_header(text, "To", 0), "<" IMPU ">");
	ck_assert_ptr_nonnull(
		strstr(fake_header(text, "From", 0), scscf_addr(t.scscf)));
	ck_assert_str_eq(fake_header(text, "Expires", 0), "600");
	ck_assert_str_eq(fake_header(text, "P-Charging-Vector", 0),
			 "icid-value=\"i1\"");
	ck_assert_str_eq(fake_header(text, "P-Access-Network-Info", 0),
			 "3GPP-E-UTRAN-FDD");
	ck_assert_str_eq(fake_header(text, "Content-Type", 0),
			 "application/3gpp-ims+xml");
	ck_assert_ptr_nonnull(
		strstr(text, "<service-info>a&lt;b</service-info>"));
	fake_peer_reply(t.as, 200, "");

	t.ue.expires = "0";
	fake_ue_register_through(&t.ue, 200);
	do
		text = fake_peer_expect(t.as, "REGISTER");
	while (strcmp(fake_header(text, "Expires", 0), "0") != 0);
	fake_peer_reply(t.as, 200, "");
}
END_TEST

static bool is_gone(const void *arg)
{
	(void)arg;

	return !find_reg();
}

static bool is_told(const void *arg)
{
	(void)arg;

	return !t.scscf->third_parties;
}

START_TEST(as_that_refuses_ends_the_registration_if_handling_says_so)
{
	use_as(1);
	fake_ue_register_through(&t.ue, 200);
	fake_peer_expect(t.as, "REGISTER");
	fake_peer_reply(t.as, 503, "");
	ck_assert(loop_run_until(t.loop, is_gone, NULL, BOUND_MS));
	expect_sar(2, CX_ADMINISTRATIVE_DEREGISTRATION);
}
END_TEST

START_TEST(as_that_refuses_changes_nothing_by_default)
{
	use_as(0);
	fake_ue_register_through(&t.ue, 200);
	fake_peer_expect(t.as, "REGISTER");
	fake_peer_reply(t.as, 403, "");
	ck_assert(loop_run_until(t.loop, is_told, NULL, BOUND_MS));
	ck_assert(scscf_reg_is_registered(find_reg()));
}
END_TEST

START_TEST(expiry_is_told_to_the_as)
{
	const char *text;

	use_as(0);
	fake_ue_register_through(&t.ue, 200);
	fake_peer_expect(t.as, "REGISTER");
	fake_peer_reply(t.as, 200, "");
	ck_assert(loop_run_until(t.loop, is_told, NULL, BOUND_MS));
	clock_take_over();
	clock_advance_us(601 * 1000000LL);
	text = fake_peer_expect(t.as, "REGISTER");
	ck_assert_str_eq(fake_header(text, "Expires", 0), "0");
	ck_assert_str_ne(fake_header(text, "P-Charging-Vector", 0), "");
}
END_TEST

START_TEST(registrations_are_listed)
{
	json_t *all, *one;

	fake_ue_register_through(&t.ue, 200);
	all = scscf_regs_json(t.scscf);
	one = json_array_get(all, 0);
	ck_assert_uint_eq(json_array_size(all), 1);
	ck_assert_str_eq(json_string_value(json_object_get(one, "impu")), IMPU);
	ck_assert_str_eq(json_string_value(json_object_get(one, "state")),
			 "REGISTERED");
	ck_assert_int_eq(json_integer_value(json_object_get(one, "expires_s")),
			 600);
	json_decref(all);
}
END_TEST

START_TEST(unknown_digest_option_is_refused)
{
	struct scscf_cfg cfg = { .listen = "127.0.0.1:0",
				 .hss = "127.0.0.1:1",
				 .realm = "ims.test",
				 .origin_host = "scscf.ims.test",
				 .digest = "md6" };
	struct scscf *scscf = NULL;
	char *reason = NULL;

	ck_assert_int_ne(scscf_new(&scscf, t.el, &cfg, &reason), 0);
	ck_assert_str_eq(reason, "--digest md6: not md5, sha-256 or both");
	free(reason);
}
END_TEST

START_TEST(ready_comes_without_the_hss_too)
{
	struct scscf_cfg cfg = { .listen = "127.0.0.1:0",
				 .hss = "127.0.0.1:1",
				 .realm = "ims.test",
				 .origin_host = "scscf.ims.test",
				 .digest = "both" };
	struct scscf *scscf = NULL;
	char *reason = NULL;

	ck_assert_int_eq(scscf_new(&scscf, t.el, &cfg, &reason), 0);
	clock_take_over();
	ck_assert(!scscf->is_ready);
	clock_advance_us(timer_value_ms(TIMER_READY) * 100 + 1000);
	(void)loop_run_until(t.loop, has_rta, NULL, 0);
	ck_assert(scscf->is_ready);
	scscf_free(scscf);
}
END_TEST

static bool is_seen_as_itself(const void *arg)
{
	(void)arg;

	return t.from_own_host > 0;
}

START_TEST(hss_sees_the_address_that_the_scscf_listens_at)
{
	struct scscf_cfg cfg = { .listen = "127.0.0.3:0",
				 .hss = fake_hss_addr(t.hss),
				 .realm = "ims.test",
				 .origin_host = "scscf.ims.test" };
	struct scscf *scscf = NULL;
	char *reason = NULL;

	ck_assert_int_eq(scscf_new(&scscf, t.el, &cfg, &reason), 0);
	ck_assert(loop_run_until(t.loop, is_seen_as_itself, NULL, BOUND_MS));
	scscf_free(scscf);
}
END_TEST

static void add_auth_tests(TCase *tc)
{
	tcase_add_test(tc, register_without_credentials_is_challenged);
	tcase_add_test(tc, right_digest_registers);
	tcase_add_test(tc, plain_client_registers_over_tcp);
	tcase_add_test(tc, uri_of_a_plain_client_is_where_it_sent_the_register);
	tcase_add_test(tc, both_algorithms_are_offered_the_strongest_first);
	tcase_add_test(tc, algorithm_that_was_not_offered_is_challenged_again);
	tcase_add_test(tc, hss_without_the_offered_algorithm_gives_500);
	tcase_add_test(tc, wrong_password_gets_403_and_may_try_again);
	tcase_add_test(tc, failed_attempt_does_not_harm_a_registered_user);
	tcase_add_loop_test(
		tc, each_mistake_in_the_credentials_has_its_own_reason, 0, 3);
	tcase_add_test(tc, repeated_nonce_count_is_refused_as_stale);
	tcase_add_test(tc,
		       higher_nonce_count_registers_again_without_a_challenge);
	tcase_add_test(tc, right_answer_to_an_old_nonce_is_stale);
	tcase_add_test(tc,
		       wrong_answer_to_an_unknown_nonce_is_not_called_stale);
	tcase_add_test(tc, retransmitted_register_draws_no_second_challenge);
}

static void add_hss_tests(TCase *tc)
{
	tcase_add_test(tc, unknown_user_gets_403_naming_the_hss_answer);
	tcase_add_test(tc, silent_hss_gives_504_and_its_late_maa_is_dropped);
	tcase_add_test(
		tc, silent_hss_at_the_sar_gives_504_and_nothing_is_registered);
	tcase_add_test(tc, register_while_the_sar_is_under_way_gets_500);
	tcase_add_test(tc, refused_sar_gives_403);
	tcase_add_test(tc, unreadable_profile_gives_500_and_the_hss_is_told);
	tcase_add_test(tc, rtr_deregisters_and_forgets_the_challenges);
	tcase_add_test(tc, rtr_between_challenge_and_answer_gives_403);
	tcase_add_test(tc, rtr_while_the_sar_is_under_way_takes_it_back);
	tcase_add_test(tc, who_subscribes_is_told_of_the_end_by_the_network);
	tcase_add_test(tc, who_may_not_subscribe_is_told);
	tcase_add_test(tc, rtr_for_an_unknown_user_is_answered_so);
	tcase_add_test(tc, unknown_digest_option_is_refused);
	tcase_add_test(tc, ready_comes_without_the_hss_too);
	tcase_add_test(tc, hss_sees_the_address_that_the_scscf_listens_at);
}

static void add_binding_tests(TCase *tc)
{
	tcase_add_test(tc, too_short_a_time_gets_423_with_min_expires);
	tcase_add_test(tc, expires_0_deregisters);
	tcase_add_test(tc, star_deregisters_all_contacts);
	tcase_add_test(tc, deregistering_one_of_two_contacts_keeps_the_other);
	tcase_add_test(tc, deregistering_twice_is_200_after_authentication);
	tcase_add_test(tc, star_with_an_expiry_is_400);
	tcase_add_test(tc, to_without_a_user_is_400);
	tcase_add_test(tc, older_cseq_of_the_same_call_is_refused);
	tcase_add_test(tc, register_without_contact_lists_the_bindings);
	tcase_add_test(tc, registration_expires);
	tcase_add_test(tc, registrations_are_listed);
}

static void add_as_tests(TCase *tc)
{
	tcase_add_test(tc, third_party_register_goes_to_the_as);
	tcase_add_test(
		tc, as_that_refuses_ends_the_registration_if_handling_says_so);
	tcase_add_test(tc, as_that_refuses_changes_nothing_by_default);
	tcase_add_test(tc, expiry_is_told_to_the_as);
}

static Suite *scscf_register_suite(void)
{
	static const struct {
		const char *name;
		void (*add)(TCase *tc);
	} cases[] = { { "authentication, 5.4.1.2", add_auth_tests },
		      { "the HSS", add_hss_tests },
		      { "bindings, RFC 3261 10.3", add_binding_tests },
		      { "third party, 5.4.1.7", add_as_tests } };
	Suite *suite = suite_create("scscf_register");

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		TCase *tc = tcase_create(cases[i].name);

		tcase_add_checked_fixture(tc, setup, teardown);
		tcase_set_timeout(tc, 10);
		cases[i].add(tc);
		suite_add_tcase(suite, tc);
	}

	return suite;
}

SUITE_MAIN(scscf_register_suite)
