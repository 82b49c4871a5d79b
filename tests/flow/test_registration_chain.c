/* Registration through P-, I- and S-CSCF with a fake HSS, all on one loop:
 * S501 to S519 (TS 24.229 5.2.2, 5.3.1, 5.4.1), over UDP and over TCP */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/element.h"
#include "common/loop.h"
#include "common/trace.h"
#include "ims_core/icscf/icscf.h"
#include "ims_core/pcscf/pcscf.h"
#include "ims_core/scscf/scscf.h"
#include "tests/fake/fake_hss.h"
#include "tests/fake/fake_ue.h"
#include "tests/suite.h"

enum { ELEMENTS = 4, LADDER_MAX = 512 };

enum { PCSCF, ICSCF, SCSCF, HSS };

static const char *const names[ELEMENTS] = { "pcscf", "icscf", "scscf", "hss" };

static struct {
	struct loop *loop;
	struct element *el[ELEMENTS];
	struct fake_hss *hss;
	struct pcscf *pcscf;
	struct icscf *icscf;
	struct scscf *scscf;
	struct fake_peer *ue_peer;
	struct fake_ue ue;
	char server_name[96];
	int ready_n;
	/* who received what, in the order it came: "pcscf REGISTER\n…" */
	char ladder[4096];
} t;

static void add_rung(const char *line)
{
	const char *actor = strstr(line, "\"actor\":\"");
	const char *text = strstr(line, "\"text\":\"");
	size_t len = strlen(t.ladder);

	if (!actor || !text || !strstr(line, "\"dir\":\"recv\""))
		return;
	actor += strlen("\"actor\":\"");
	text += strlen("\"text\":\"");
	if (!strncmp(text, "SIP/2.0 ", 8))
		text += 8;
	snprintf(t.ladder + len, sizeof(t.ladder) - len, "%.*s %.*s\n",
		 (int)strcspn(actor, "\""), actor, (int)strcspn(text, " "),
		 text);
}

static void on_trace(const char *line, size_t len, void *arg)
{
	char *copy = strndup(line, len);

	(void)arg;
	if (strstr(copy, "\"name\":\"ready\""))
		t.ready_n++;
	add_rung(copy);
	free(copy);
}

static bool all_ready(const void *arg)
{
	(void)arg;

	return t.ready_n == 2;
}

static void must(int err, const char *reason)
{
	if (err)
		ck_abort_msg("%s", reason);
}

static void start_scscf(void)
{
	char *reason = NULL;
	struct scscf_cfg cfg = { .listen = "127.0.0.1:0",
				 .hss = fake_hss_addr(t.hss),
				 .realm = "ims.test",
				 .origin_host = "scscf.ims.test",
				 .digest = "both" };

	must(scscf_new(&t.scscf, t.el[SCSCF], &cfg, &reason), reason);
	snprintf(t.server_name, sizeof(t.server_name), "sip:%s",
		 scscf_addr(t.scscf));
	t.hss->uaa.server_name = t.server_name;
}

static void start_proxies(void)
{
	char *reason = NULL;
	struct icscf_cfg icfg = { .listen = "127.0.0.1:0",
				  .hss = fake_hss_addr(t.hss),
				  .realm = "ims.test",
				  .origin_host = "icscf.ims.test" };
	struct pcscf_cfg pcfg = { .listen = "127.0.0.1:0",
				  .realm = "ims.test" };

	must(icscf_new(&t.icscf, t.el[ICSCF], &icfg, &reason), reason);
	pcfg.icscf = icscf_addr(t.icscf);
	must(pcscf_new(&t.pcscf, t.el[PCSCF], &pcfg, &reason), reason);
}

static void start(enum fake_transport by)
{
	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	for (int i = 0; i < ELEMENTS; i++) {
		t.el[i] = element_new_on(t.loop, names[i]);
		trace_set_sink(t.el[i]->trace, on_trace, NULL);
	}
	t.hss = fake_hss_new(t.el[HSS]);
	start_scscf();
	start_proxies();
	ck_assert(loop_run_until(t.loop, all_ready, NULL, PATIENCE_MS));
	t.ue_peer = fake_peer_new(t.loop, by);
	fake_ue_init(&t.ue, t.ue_peer, pcscf_addr(t.pcscf));
	t.ladder[0] = '\0';
}

static void setup(void)
{
	start(FAKE_UDP);
}

static void teardown(void)
{
	fake_peer_free(t.ue_peer);
	pcscf_free(t.pcscf);
	icscf_free(t.icscf);
	scscf_free(t.scscf);
	fake_hss_free(t.hss);
	for (int i = 0; i < ELEMENTS; i++)
		element_free(t.el[i]);
	loop_free(t.loop);
}

/* SIP as each element receives it; Diameter is counted at the HSS */
static const char figure_5[] = "pcscf REGISTER\n" /* S501 */
			       "icscf REGISTER\n" /* S502 */
			       "scscf REGISTER\n" /* S505 */
			       "icscf 401\n"      /* S508 */
			       "pcscf 401\n"      /* S509 */
			       "pcscf REGISTER\n" /* S511 */
			       "icscf REGISTER\n" /* S512 */
			       "scscf REGISTER\n" /* S515 */
			       "icscf 200\n"      /* S517 */
			       "pcscf 200\n";     /* S518 */

static void registers(void)
{
	const char *text = fake_ue_register_through(&t.ue, 200);

	ck_assert_ptr_nonnull(
		strstr(fake_header(text, "Contact", 0), "expires=600"));
	ck_assert_ptr_nonnull(strstr(fake_header(text, "Service-Route", 0),
				     scscf_addr(t.scscf)));
	ck_assert_ptr_nonnull(
		strstr(fake_header(text, "Path", 0), pcscf_addr(t.pcscf)));
	/* what follows is the P-CSCF's subscription (TS 24.229 5.2.3) */
	if (strncmp(t.ladder, figure_5, strlen(figure_5)) != 0)
		ck_abort_msg("not Figure 5:\n%s", t.ladder);
	/* S503, S504, S513, S514; S506, S507; S516 */
	ck_assert_int_eq(t.hss->uar_n, 2);
	ck_assert_int_eq(t.hss->mar_n, 1);
	ck_assert_int_eq(t.hss->sar_n, 1);
	ck_assert_str_eq(t.hss->seen.server_name, t.server_name);
}

START_TEST(ue_registers_over_udp_as_figure_5_says)
{
	registers();
}
END_TEST

START_TEST(ue_registers_over_tcp_as_figure_5_says)
{
	teardown();
	start(FAKE_TCP);
	registers();
}
END_TEST

START_TEST(plain_client_that_knows_no_ims_registers)
{
	/* SIPp: no credentials at first, the P-CSCF's address as uri */
	char uri[96];

	snprintf(uri, sizeof(uri), "sip:%s", pcscf_addr(t.pcscf));
	t.ue.uri = uri;
	t.ue.is_plain = true;
	registers();
}
END_TEST

START_TEST(registered_ue_deregisters)
{
	fake_ue_register_through(&t.ue, 200);
	t.ue.contact = "*";
	t.ue.expires = "0";
	ck_assert_str_eq(
		fake_header(fake_ue_register_through(&t.ue, 200), "Contact", 0),
		"");
	ck_assert_int_eq(t.hss->seen.sat, CX_USER_DEREGISTRATION);
}
END_TEST

START_TEST(wrong_password_gets_403_through_all_of_them)
{
	t.ue.password = "stolen";
	ck_assert_ptr_nonnull(
		strstr(fake_ue_register_through(&t.ue, 403), "wrong digest"));
}
END_TEST

START_TEST(dead_scscf_gives_504_that_names_it)
{
	char addr[96];

	snprintf(addr, sizeof(addr), "%s", scscf_addr(t.scscf));
	t.scscf = scscf_free(t.scscf);
	fake_ue_register(&t.ue);
	ck_assert_ptr_nonnull(
		strstr(fake_peer_expect_status(t.ue_peer, 504), addr));
}
END_TEST

static Suite *registration_chain_suite(void)
{
	Suite *suite = suite_create("registration_chain");
	TCase *tc = tcase_create("figure 5");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 10);
	tcase_add_test(tc, ue_registers_over_udp_as_figure_5_says);
	tcase_add_test(tc, ue_registers_over_tcp_as_figure_5_says);
	tcase_add_test(tc, plain_client_that_knows_no_ims_registers);
	tcase_add_test(tc, registered_ue_deregisters);
	tcase_add_test(tc, wrong_password_gets_403_through_all_of_them);
	tcase_add_test(tc, dead_scscf_gives_504_that_names_it);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(registration_chain_suite)
