/* The P-CSCF (TS 24.229 5.2) between a bare UE and a bare I-CSCF */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/timer.h"
#include "common/trace.h"
#include "ims_core/pcscf/pcscf.h"
#include "ims_core/pcscf/pcscf_core.h"
#include "tests/fake/fake_ue.h"
#include "tests/suite.h"

#define IMPU "sip:+8657110000001@ims.test"

static struct {
	struct loop *loop;
	struct element *el;
	struct pcscf *pcscf;
	struct fake_peer *ue_peer, *icscf;
	struct fake_ue ue;
	int events;
	char ok[256], event[512];
} t;

static void on_trace(const char *line, size_t len, void *arg)
{
	(void)arg;
	if (!strstr(line, "\"pcscf.registration\""))
		return;
	t.events++;
	snprintf(t.event, sizeof(t.event), "%.*s", (int)len, line);
}

static void start(enum fake_transport by)
{
	struct pcscf_cfg cfg = { .listen = "127.0.0.1:0",
				 .realm = "ims.test",
				 .visited_network = "visited.test" };
	char *reason = NULL;

	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.el = element_new_on(t.loop, "pcscf");
	trace_set_sink(t.el->trace, on_trace, NULL);
	t.icscf = fake_peer_new(t.loop, by);
	t.ue_peer = fake_peer_new(t.loop, by);
	cfg.icscf = fake_peer_addr(t.icscf);
	ck_assert_int_eq(pcscf_new(&t.pcscf, t.el, &cfg, &reason), 0);
	fake_ue_init(&t.ue, t.ue_peer, pcscf_addr(t.pcscf));
	snprintf(t.ok, sizeof(t.ok),
		 "Contact: %s;expires=600\nService-Route: <sip:orig@s;lr>\n",
		 t.ue.contact);
}

static void setup(void)
{
	start(FAKE_UDP);
}

static void teardown(void)
{
	fake_peer_free(t.ue_peer);
	fake_peer_free(t.icscf);
	pcscf_free(t.pcscf);
	element_free(t.el);
	loop_free(t.loop);
}

static const char *forwarded(void)
{
	return fake_peer_expect(t.icscf, "REGISTER");
}

static void register_with(const char *headers)
{
	fake_ue_register(&t.ue);
	forwarded();
	fake_peer_reply(t.icscf, 200, headers);
	fake_peer_expect_status(t.ue_peer, 200);
}

static bool is_known(void)
{
	return pcscf_reg_is_known(t.pcscf, IMPU, fake_peer_addr(t.ue_peer));
}

static void forwards(void)
{
	char path[128];
	const char *text;

	t.ue.extra = "P-Access-Network-Info: 3GPP-E-UTRAN-FDD\n";
	fake_ue_register(&t.ue);
	text = forwarded();
	snprintf(path, sizeof(path), "<sip:term@%s;lr>", pcscf_addr(t.pcscf));
	ck_assert_str_eq(fake_header(text, "Path", 0), path);
	ck_assert_str_eq(fake_header(text, "Require", 0), "path");
	ck_assert_str_eq(fake_header(text, "P-Visited-Network-ID", 0),
			 "\"visited.test\"");
	ck_assert_ptr_nonnull(strstr(fake_header(text, "P-Charging-Vector", 0),
				     "icid-value="));
	ck_assert_str_eq(fake_header(text, "P-Access-Network-Info", 0),
			 "3GPP-E-UTRAN-FDD");
	ck_assert_str_eq(fake_header(text, "Max-Forwards", 0), "69");
	fake_peer_reply(t.icscf, 401, "X-Test: kept\n");
	text = fake_peer_expect_status(t.ue_peer, 401);
	ck_assert_str_eq(fake_header(text, "X-Test", 0), "kept");
	ck_assert(!is_known());
	ck_assert_ptr_null(t.pcscf->registers);
}

START_TEST(register_is_forwarded_with_what_the_network_adds)
{
	forwards();
}
END_TEST

START_TEST(register_over_tcp_is_answered_on_its_connection)
{
	teardown();
	start(FAKE_TCP);
	forwards();
}
END_TEST

START_TEST(each_register_has_a_charging_identity_of_its_own)
{
	char first[256];

	fake_ue_register(&t.ue);
	snprintf(first, sizeof(first), "%s",
		 fake_header(forwarded(), "P-Charging-Vector", 0));
	ck_assert_str_ne(first, "");
	fake_ue_register(&t.ue);
	ck_assert_str_ne(fake_header(forwarded(), "P-Charging-Vector", 0),
			 first);
}
END_TEST

START_TEST(what_a_ue_says_in_the_networks_name_is_removed)
{
	const char *text;

	t.ue.extra = "P-Asserted-Identity: <sip:boss@ims.test>\n"
		     "P-Charging-Vector: icid-value=\"forged\"\n"
		     "P-Visited-Network-ID: \"forged\"\n"
		     "Path: <sip:forged;lr>\n"
		     "Route: <sip:forged;lr>\n";
	fake_ue_register(&t.ue);
	text = forwarded();
	ck_assert_ptr_null(strstr(text, "forged"));
	ck_assert_ptr_null(strstr(text, "P-Asserted-Identity"));
	ck_assert_str_ne(fake_header(text, "P-Charging-Vector", 0), "");
	ck_assert_str_eq(fake_header(text, "P-Charging-Vector", 1), "");
}
END_TEST

START_TEST(integrity_protected_of_the_ue_is_replaced)
{
	t.ue.is_plain = true;
	t.ue.extra = "Authorization: Digest username=\"u\", realm=\"r\", "
		     "integrity-protected=\"yes\", nonce=\"\", uri=\"sip:r\", "
		     "response=\"\"\n";
	fake_ue_register(&t.ue);
	ck_assert_ptr_nonnull(
		strstr(fake_header(forwarded(), "Authorization", 0),
		       "integrity-protected=\"no\""));
}
END_TEST

START_TEST(integrity_protected_says_how_far_the_address_is_known)
{
	const char *text;

	fake_ue_answer(&t.ue);
	text = forwarded();
	ck_assert_ptr_nonnull(strstr(text, "\"ip-assoc-pending\""));
	fake_peer_reply(t.icscf, 200, t.ok);
	fake_peer_expect_status(t.ue_peer, 200);
	fake_ue_answer(&t.ue);
	ck_assert_ptr_nonnull(strstr(forwarded(), "\"ip-assoc-yes\""));
}
END_TEST

START_TEST(two_hundred_is_remembered_until_it_expires)
{
	register_with(t.ok);
	ck_assert(is_known());
	ck_assert_ptr_nonnull(strstr(t.event, "\"to\":\"REGISTERED\""));
	clock_take_over();
	clock_advance_us(599 * 1000000LL);
	register_with(t.ok); /* refreshed */
	clock_advance_us(599 * 1000000LL);
	register_with(t.ok);
	ck_assert_int_eq(t.events, 1);
	clock_advance_us(601 * 1000000LL);
	fake_peer_tx(t.ue_peer, pcscf_addr(t.pcscf), "\n"); /* a turn */
	fake_ue_register(&t.ue);
	forwarded();
	ck_assert(!is_known());
	ck_assert_ptr_nonnull(strstr(t.event, "\"to\":\"NOT_REGISTERED\""));
}
END_TEST

START_TEST(contact_that_the_200_lacks_is_forgotten)
{
	register_with(t.ok);
	t.ue.expires = "0";
	register_with("");
	ck_assert(!is_known());
	ck_assert_int_eq(t.events, 2);
}
END_TEST

START_TEST(star_forgets_every_contact)
{
	register_with(t.ok);
	t.ue.contact = "<sip:second@127.0.0.1:9>";
	register_with("Contact: <sip:second@127.0.0.1:9>;expires=60\n");
	t.ue.contact = "*";
	t.ue.expires = "0";
	register_with("");
	ck_assert(!is_known());
	ck_assert_int_eq(t.events, 4);
}
END_TEST

START_TEST(refused_register_changes_nothing_that_is_remembered)
{
	register_with(t.ok);
	t.ue.expires = "0";
	fake_ue_register(&t.ue);
	forwarded();
	fake_peer_reply(t.icscf, 403, "");
	fake_peer_expect_status(t.ue_peer, 403);
	ck_assert(is_known());
}
END_TEST

START_TEST(silent_icscf_gives_504_naming_it)
{
	fake_ue_register(&t.ue);
	forwarded();
	clock_take_over();
	clock_advance_us(timer_value_ms(TIMER_SIP_TRANSACTION) * 1000 + 1000);
	ck_assert_ptr_nonnull(strstr(fake_peer_expect_status(t.ue_peer, 504),
				     fake_peer_addr(t.icscf)));
	ck_assert_ptr_null(t.pcscf->registers);
	fake_peer_reply(t.icscf, 200, t.ok); /* too late */
	ck_assert(!is_known());
}
END_TEST

START_TEST(retransmitted_register_is_forwarded_once)
{
	fake_ue_register(&t.ue);
	fake_ue_repeat(&t.ue);
	forwarded();
	fake_ue_repeat(&t.ue);
	fake_peer_reply(t.icscf, 200, t.ok);
	fake_peer_expect_status(t.ue_peer, 200);
	ck_assert_int_eq(fake_peer_pending(t.icscf), 0);
}
END_TEST

static void tx_request(const char *method, const char *uri)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "%s %s SIP/2.0\n"
		 "Via: SIP/2.0/UDP %s;branch=z9hG4bK-%s\n"
		 "From: <" IMPU ">;tag=1\nTo: <sip:b@ims.test>\n"
		 "Call-ID: c-%s\nCSeq: 1 %s\nMax-Forwards: 70\n",
		 method, uri, fake_peer_addr(t.ue_peer), method, method,
		 method);
	fake_peer_tx(t.ue_peer, pcscf_addr(t.pcscf), text);
}

START_TEST(request_of_an_unregistered_ue_gets_403)
{
	tx_request("INVITE", "sip:+8657110000002@ims.test");
	ck_assert_ptr_nonnull(strstr(fake_peer_expect_status(t.ue_peer, 403),
				     "REGISTER first"));
}
END_TEST

START_TEST(options_without_a_user_gets_200)
{
	tx_request("OPTIONS", "sip:ims.test");
	fake_peer_expect_status(t.ue_peer, 200);
}
END_TEST

START_TEST(to_without_a_user_is_400)
{
	t.ue.impu = "sip:ims.test";
	fake_ue_register(&t.ue);
	fake_peer_expect_status(t.ue_peer, 400);
	ck_assert_int_eq(fake_peer_pending(t.icscf), 0);
}
END_TEST

START_TEST(port_in_use_is_named)
{
	struct pcscf_cfg cfg = { .listen = pcscf_addr(t.pcscf),
				 .icscf = "127.0.0.1:1",
				 .realm = "ims.test" };
	struct pcscf *pcscf = NULL;
	char *reason = NULL;

	ck_assert_int_ne(pcscf_new(&pcscf, t.el, &cfg, &reason), 0);
	ck_assert_ptr_nonnull(strstr(reason, pcscf_addr(t.pcscf)));
	free(reason);
}
END_TEST

static void add_register_tests(TCase *tc)
{
	tcase_add_test(tc, register_is_forwarded_with_what_the_network_adds);
	tcase_add_test(tc, register_over_tcp_is_answered_on_its_connection);
	tcase_add_test(tc, each_register_has_a_charging_identity_of_its_own);
	tcase_add_test(tc, what_a_ue_says_in_the_networks_name_is_removed);
	tcase_add_test(tc, integrity_protected_of_the_ue_is_replaced);
	tcase_add_test(tc,
		       integrity_protected_says_how_far_the_address_is_known);
	tcase_add_test(tc, two_hundred_is_remembered_until_it_expires);
	tcase_add_test(tc, contact_that_the_200_lacks_is_forgotten);
	tcase_add_test(tc, star_forgets_every_contact);
	tcase_add_test(tc, refused_register_changes_nothing_that_is_remembered);
	tcase_add_test(tc, silent_icscf_gives_504_naming_it);
	tcase_add_test(tc, retransmitted_register_is_forwarded_once);
	tcase_add_test(tc, to_without_a_user_is_400);
}

/* --- reg event package, with the I-CSCF's peer as S-CSCF --- */

/** The dialog of the P-CSCF's SUBSCRIBE */
static struct {
	char from[256], call_id[256];
} dialog;

static void expect_subscribe(void)
{
	char headers[256];
	const char *text;

	snprintf(headers, sizeof(headers),
		 "Contact: %s;expires=600\nService-Route: <sip:orig@%s;lr>\n",
		 t.ue.contact, fake_peer_addr(t.icscf));
	register_with(headers);
	text = fake_peer_expect(t.icscf, "SUBSCRIBE " IMPU);
	ck_assert_str_eq(fake_header(text, "Event", 0), "reg");
	ck_assert_str_eq(fake_header(text, "Expires", 0), "600000");
	snprintf(headers, sizeof(headers), "<sip:%s>", pcscf_addr(t.pcscf));
	ck_assert_str_eq(fake_header(text, "P-Asserted-Identity", 0), headers);
	snprintf(dialog.from, sizeof(dialog.from), "%s",
		 fake_header(text, "From", 0));
	snprintf(dialog.call_id, sizeof(dialog.call_id), "%s",
		 fake_header(text, "Call-ID", 0));
}

static void accept_subscribe(void)
{
	char headers[256];

	expect_subscribe();
	snprintf(headers, sizeof(headers),
		 "Expires: 600000\nContact: <sip:%s>\n",
		 fake_peer_addr(t.icscf));
	fake_peer_reply(t.icscf, 200, headers);
}

/* NOTIFY in that dialog; the status that it must get */
static void notify(const char *state, const char *body, int status)
{
	static int cseq;
	char text[2048];

	cseq++;
	snprintf(text, sizeof(text),
		 "NOTIFY sip:%s SIP/2.0\n"
		 "Via: SIP/2.0/UDP %s;branch=z9hG4bKnotify%d\n"
		 "Max-Forwards: 70\nFrom: <" IMPU ">;tag=fake\nTo: %s\n"
		 "Call-ID: %s\nCSeq: %d NOTIFY\nContact: <sip:%s>\n"
		 "Event: reg\nSubscription-State: %s\n"
		 "Content-Type: application/reginfo+xml\n\n%s",
		 pcscf_addr(t.pcscf), fake_peer_addr(t.icscf), cseq,
		 dialog.from, dialog.call_id, cseq, fake_peer_addr(t.icscf),
		 state, body);
	fake_peer_tx(t.icscf, pcscf_addr(t.pcscf), text);
	fake_peer_expect_status(t.icscf, status);
}

#define REGINFO(state)                                                         \
	"<?xml version=\"1.0\"?><reginfo xmlns=\"urn:ietf:params:xml:ns:"      \
	"reginfo\" version=\"0\" state=\"full\"><registration aor=\"" IMPU     \
	"\" id=\"a\" state=\"" state "\"/></reginfo>"

START_TEST(a_registration_that_the_network_ends_is_forgotten)
{
	accept_subscribe();
	notify("active;expires=600", REGINFO("active"), 200);
	ck_assert(is_known());
	notify("terminated;reason=noresource", REGINFO("terminated"), 200);
	ck_assert(!is_known());
	/* and the next registration subscribes anew */
	expect_subscribe();
}
END_TEST

START_TEST(a_notify_that_cannot_be_read_changes_nothing)
{
	accept_subscribe();
	notify("active;expires=600", "<reginfo", 400);
	notify("active;expires=600", "<other/>", 400);
	ck_assert(is_known());
}
END_TEST

START_TEST(a_subscribe_that_is_refused_leaves_the_registration)
{
	expect_subscribe();
	fake_peer_reply(t.icscf, 403, "");
	register_with(t.ok);
	ck_assert(is_known());
}
END_TEST

static Suite *pcscf_register_suite(void)
{
	Suite *suite = suite_create("pcscf_register");
	TCase *reg = tcase_create("REGISTER, 5.2.2");
	TCase *other = tcase_create("other requests, 5.2.6");

	tcase_add_checked_fixture(reg, setup, teardown);
	tcase_add_checked_fixture(other, setup, teardown);
	tcase_set_timeout(reg, 10);
	add_register_tests(reg);
	tcase_add_test(other, request_of_an_unregistered_ue_gets_403);
	tcase_add_test(other,
		       a_registration_that_the_network_ends_is_forgotten);
	tcase_add_test(other, a_notify_that_cannot_be_read_changes_nothing);
	tcase_add_test(other,
		       a_subscribe_that_is_refused_leaves_the_registration);
	tcase_add_test(other, options_without_a_user_gets_200);
	tcase_add_test(other, port_in_use_is_named);
	suite_add_tcase(suite, reg);
	suite_add_tcase(suite, other);

	return suite;
}

SUITE_MAIN(pcscf_register_suite)
