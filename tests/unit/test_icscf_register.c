/* REGISTER at the I-CSCF (TS 24.229 5.3.1), between bare peers and a fake
 * HSS: the UE's peer stands for the P-CSCF */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/hold.h"
#include "common/loop.h"
#include "common/timer.h"
#include "common/trace.h"
#include "ims_core/icscf/icscf.h"
#include "ims_core/icscf/icscf_core.h"
#include "tests/fake/fake_hss.h"
#include "tests/fake/fake_ue.h"
#include "tests/suite.h"

static struct {
	struct loop *loop;
	struct element *hss_el, *el;
	struct fake_hss *hss;
	struct icscf *icscf;
	struct fake_peer *pcscf, *scscf;
	struct fake_ue ue;
	char server_name[96], choices[2][128], selected[512];
} t;

static void on_trace(const char *line, size_t len, void *arg)
{
	(void)arg;
	if (strstr(line, "icscf.selected"))
		snprintf(t.selected, sizeof(t.selected), "%.*s", (int)len,
			 line);
}

static bool is_open(const void *arg)
{
	(void)arg;

	return cx_is_open(t.icscf->cx);
}

static bool is_asking(const void *arg)
{
	(void)arg;

	return t.icscf->registers != NULL;
}

static void start(enum fake_transport by)
{
	const char *choices[2] = { t.choices[0], t.choices[1] };
	struct icscf_cfg cfg = { .listen = "127.0.0.1:0",
				 .realm = "ims.test",
				 .origin_host = "icscf.ims.test",
				 .scscfs = choices,
				 .scscf_n = 2 };
	char *reason = NULL;

	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.hss_el = element_new_on(t.loop, "hss");
	t.el = element_new_on(t.loop, "icscf");
	trace_set_sink(t.el->trace, on_trace, NULL);
	t.hss = fake_hss_new(t.hss_el);
	t.scscf = fake_peer_new(t.loop, by);
	t.pcscf = fake_peer_new(t.loop, by);
	snprintf(t.server_name, sizeof(t.server_name), "sip:%s",
		 fake_peer_addr(t.scscf));
	snprintf(t.choices[0], sizeof(t.choices[0]), "sip:127.0.0.1:1,7");
	snprintf(t.choices[1], sizeof(t.choices[1]), "sip:%s,1,2",
		 fake_peer_addr(t.scscf));
	t.hss->uaa.server_name = t.server_name;
	cfg.hss = fake_hss_addr(t.hss);
	ck_assert_int_eq(icscf_new(&t.icscf, t.el, &cfg, &reason), 0);
	ck_assert(loop_run_until(t.loop, is_open, NULL, PATIENCE_MS));
	fake_ue_init(&t.ue, t.pcscf, icscf_addr(t.icscf));
	t.ue.extra = "P-Visited-Network-ID: \"visited.test\"\n";
}

static void setup(void)
{
	start(FAKE_UDP);
}

static void teardown(void)
{
	fake_peer_free(t.pcscf);
	fake_peer_free(t.scscf);
	icscf_free(t.icscf);
	fake_hss_free(t.hss);
	element_free(t.el);
	element_free(t.hss_el);
	loop_free(t.loop);
}

static void forwards(void)
{
	const char *text;
	char line[256];

	fake_ue_register(&t.ue);
	text = fake_peer_expect(t.scscf, "REGISTER");
	snprintf(line, sizeof(line), "REGISTER %s SIP/2.0\r\n", t.server_name);
	ck_assert_int_eq(strncmp(text, line, strlen(line)), 0);
	ck_assert_str_eq(fake_header(text, "Max-Forwards", 0), "69");
	ck_assert_ptr_nonnull(strstr(t.selected, t.server_name));
	ck_assert_str_eq(t.hss->seen.impu, t.ue.impu);
	ck_assert_str_eq(t.hss->seen.impi, t.ue.impi);
	ck_assert_str_eq(t.hss->seen.visited_network, "visited.test");
	ck_assert_int_eq(t.hss->seen.auth_type, CX_REGISTRATION);
	fake_peer_reply(t.scscf, 401, "X-Test: kept\n");
	text = fake_peer_expect_status(t.pcscf, 401);
	ck_assert_str_eq(fake_header(text, "X-Test", 0), "kept");
	ck_assert_str_eq(fake_header(text, "Via", 1), "");
}

START_TEST(register_goes_to_the_server_that_the_hss_names)
{
	forwards();
}
END_TEST

START_TEST(register_over_tcp_goes_on_over_tcp)
{
	teardown();
	start(FAKE_TCP);
	forwards();
}
END_TEST

START_TEST(capabilities_choose_the_server)
{
	t.hss->uaa.server_name = NULL;
	t.hss->uaa.mandatory_caps[0] = 2;
	t.hss->uaa.cap_n = 1;
	forwards();
}
END_TEST

START_TEST(capabilities_that_no_server_has_give_600)
{
	t.hss->uaa.server_name = NULL;
	t.hss->uaa.mandatory_caps[0] = 3;
	t.hss->uaa.cap_n = 1;
	fake_ue_register(&t.ue);
	ck_assert_ptr_nonnull(
		strstr(fake_peer_expect_status(t.pcscf, 600), "--scscf"));
}
END_TEST

/* Contact, Expires, and what the HSS is asked for */
static const struct {
	const char *contact, *expires;
	enum cx_auth_type type;
} kinds[] = {
	{ "*", "0", CX_DE_REGISTRATION },
	{ "<sip:ue@127.0.0.1>", "0", CX_DE_REGISTRATION },
	{ "<sip:ue@127.0.0.1>;expires=0", "600", CX_DE_REGISTRATION },
	{ "<sip:ue@127.0.0.1>;expires=60", "0", CX_REGISTRATION },
	{ "<sip:a@127.0.0.1>;expires=0, <sip:b@127.0.0.1>", "600",
	  CX_REGISTRATION },
	{ "<sip:ue@127.0.0.1>", NULL, CX_REGISTRATION },
	{ NULL, "0", CX_REGISTRATION },
};

START_TEST(taking_contacts_away_asks_for_de_registration)
{
	t.ue.contact = kinds[_i].contact;
	t.ue.expires = kinds[_i].expires;
	fake_ue_register(&t.ue);
	fake_peer_expect(t.scscf, "REGISTER");
	ck_assert_int_eq(t.hss->seen.auth_type, kinds[_i].type);
	fake_peer_reply(t.scscf, 200, "");
	fake_peer_expect_status(t.pcscf, 200);
}
END_TEST

/* The HSS's refusals and what the UE gets (5.3.1.3) */
static const struct {
	struct cx_result result;
	int status;
	const char *text;
} refusals[] = {
	{ { CX_ERROR_USER_UNKNOWN, true, NULL }, 403, "User unknown" },
	{ { CX_ERROR_IDENTITIES_DONT_MATCH, true, NULL },
	  403,
	  "does not belong" },
	{ { CX_ERROR_IDENTITY_NOT_REGISTERED, true, NULL },
	  403,
	  "Identity not registered" },
	{ { CX_ERROR_ROAMING_NOT_ALLOWED, true, NULL }, 403, "roam" },
	{ { 5003, false, NULL }, 403, "refused" },
	{ { CX_UNABLE_TO_COMPLY, false, NULL }, 480, "cannot answer" },
	{ { 3004, false, NULL }, 480, "cannot answer" },
};

START_TEST(refusal_of_the_hss_names_its_reason)
{
	const char *text;

	t.hss->uaa.result = refusals[_i].result;
	t.hss->uaa.server_name = NULL;
	fake_ue_register(&t.ue);
	text = fake_peer_expect_status(t.pcscf, refusals[_i].status);
	if (!strstr(text, refusals[_i].text))
		ck_abort_msg("no \"%s\" in:\n%s", refusals[_i].text, text);
	ck_assert_int_eq(fake_peer_pending(t.scscf), 0);
	ck_assert_ptr_null(t.icscf->registers);
}
END_TEST

START_TEST(silent_hss_gives_480_and_its_late_uaa_is_dropped)
{
	hold_start(t.hss_el->hold);
	fake_ue_register(&t.ue);
	ck_assert(loop_run_until(t.loop, is_asking, NULL, PATIENCE_MS));
	clock_take_over();
	clock_advance_us(timer_value_ms(TIMER_CX_ANSWER) * 1000 + 1000);
	ck_assert_ptr_nonnull(strstr(fake_peer_expect_status(t.pcscf, 480),
				     "no answer in time"));
	ck_assert_ptr_null(t.icscf->registers);

	hold_stop(t.hss_el->hold);
	forwards(); /* the late UAA has come meanwhile, and did nothing */
	ck_assert_int_eq(fake_peer_pending(t.scscf), 0);
}
END_TEST

START_TEST(hss_that_is_gone_gives_480_naming_it)
{
	t.hss = fake_hss_free(t.hss);
	fake_ue_register(&t.ue);
	ck_assert_ptr_nonnull(strstr(fake_peer_expect_status(t.pcscf, 480),
				     "the HSS at 127.0.0.1:"));
}
END_TEST

START_TEST(silent_scscf_gives_504_naming_it)
{
	const char *text;

	fake_ue_register(&t.ue);
	fake_peer_expect(t.scscf, "REGISTER");
	clock_take_over();
	clock_advance_us(timer_value_ms(TIMER_SIP_TRANSACTION) * 1000 + 1000);
	text = fake_peer_expect_status(t.pcscf, 504);
	ck_assert_ptr_nonnull(strstr(text, fake_peer_addr(t.scscf)));
	/* too late: nobody waits */
	fake_peer_reply(t.scscf, 200, "");
	ck_assert_int_eq(fake_peer_pending(t.pcscf), 0);
}
END_TEST

START_TEST(retransmitted_register_asks_the_hss_once)
{
	fake_ue_register(&t.ue);
	fake_ue_repeat(&t.ue);
	fake_peer_expect(t.scscf, "REGISTER");
	fake_ue_repeat(&t.ue);
	fake_peer_reply(t.scscf, 200, "");
	fake_peer_expect_status(t.pcscf, 200);
	ck_assert_int_eq(t.hss->uar_n, 1);
	ck_assert_int_eq(fake_peer_pending(t.scscf), 0);
}
END_TEST

START_TEST(to_without_a_user_is_400)
{
	t.ue.impu = "sip:ims.test";
	fake_ue_register(&t.ue);
	fake_peer_expect_status(t.pcscf, 400);
	ck_assert_int_eq(t.hss->uar_n, 0);
}
END_TEST

START_TEST(server_name_that_is_no_uri_gives_500)
{
	t.hss->uaa.server_name = "::not a uri::";
	fake_ue_register(&t.ue);
	fake_peer_expect_status(t.pcscf, 500);
}
END_TEST

START_TEST(unreadable_scscf_option_is_refused)
{
	const char *bad[] = { "sip:127.0.0.1:5060,x" };
	struct icscf_cfg cfg = { .listen = "127.0.0.1:0",
				 .hss = "127.0.0.1:1",
				 .realm = "ims.test",
				 .origin_host = "icscf.ims.test",
				 .scscfs = bad,
				 .scscf_n = 1 };
	struct icscf *icscf = NULL;
	char *reason = NULL;

	ck_assert_int_ne(icscf_new(&icscf, t.el, &cfg, &reason), 0);
	ck_assert_ptr_nonnull(strstr(reason, "sip:127.0.0.1:5060,x"));
	free(reason);
}
END_TEST

START_TEST(register_under_way_is_dropped_with_the_icscf)
{
	t.hss->is_silent = true;
	fake_ue_register(&t.ue);
	ck_assert(loop_run_until(t.loop, is_asking, NULL, PATIENCE_MS));
	ck_assert_ptr_nonnull(t.icscf->registers);
}
END_TEST

static Suite *icscf_register_suite(void)
{
	Suite *suite = suite_create("icscf_register");
	TCase *tc = tcase_create("5.3.1");
	int kind_n = sizeof(kinds) / sizeof(*kinds);
	int refusal_n = sizeof(refusals) / sizeof(*refusals);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 10);
	tcase_add_test(tc, register_goes_to_the_server_that_the_hss_names);
	tcase_add_test(tc, register_over_tcp_goes_on_over_tcp);
	tcase_add_test(tc, capabilities_choose_the_server);
	tcase_add_test(tc, capabilities_that_no_server_has_give_600);
	tcase_add_loop_test(tc, taking_contacts_away_asks_for_de_registration,
			    0, kind_n);
	tcase_add_loop_test(tc, refusal_of_the_hss_names_its_reason, 0,
			    refusal_n);
	tcase_add_test(tc, silent_hss_gives_480_and_its_late_uaa_is_dropped);
	tcase_add_test(tc, hss_that_is_gone_gives_480_naming_it);
	tcase_add_test(tc, silent_scscf_gives_504_naming_it);
	tcase_add_test(tc, retransmitted_register_asks_the_hss_once);
	tcase_add_test(tc, to_without_a_user_is_400);
	tcase_add_test(tc, server_name_that_is_no_uri_gives_500);
	tcase_add_test(tc, unreadable_scscf_option_is_refused);
	tcase_add_test(tc, register_under_way_is_dropped_with_the_icscf);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(icscf_register_suite)
