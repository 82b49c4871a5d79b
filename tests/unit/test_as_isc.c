/* ISC at the AS: third-party REGISTER (S520, S521; TS 24.229 5.7.1.1) */
#include <stdio.h>
#include <string.h>

#include "appserver/appserver_core.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/sipep.h"
#include "common/sipreg.h"
#include "tests/fake/as_bed.h"
#include "tests/suite.h"

#define URI "sip:+8657110000001@ims.test"

static struct {
	struct as_bed *bed;
	struct element *el;
	struct sipep *scscf;
	struct sipreg *reg;
	char next_hop[96];
	int status;
} t;

static void on_request(nta_incoming_t *irq, const sip_t *sip, void *arg)
{
	(void)sip;
	(void)arg;
	nta_incoming_treply(irq, 500, "Not Expected", TAG_END());
}

static void on_result(const struct sipreg_result *result, void *arg)
{
	(void)arg;
	t.status = result->status;
}

static bool has_result(const void *arg)
{
	(void)arg;

	return t.status;
}

static void setup(void)
{
	const struct sipep_cfg cfg = { .listen = "127.0.0.1:0" };
	char *reason = NULL;

	memset(&t, 0, sizeof(t));
	t.bed = as_bed_new();
	t.el = element_new_on(t.bed->loop, "scscf");
	ck_assert_msg(
		!sipep_new(&t.scscf, t.el, &cfg, on_request, NULL, &reason),
		"%s", reason);
	snprintf(t.next_hop, sizeof(t.next_hop), "sip:%s",
		 as_sip_addr(t.bed->as));
}

static void teardown(void)
{
	sipreg_free(t.reg);
	sipep_free(t.scscf);
	element_free(t.el);
	as_bed_free(t.bed);
}

/* What an S-CSCF sends: TS 24.229 5.4.1.7 */
static int tell(const char *aor, int expires_s)
{
	const struct sipreg_cfg cfg = { .registrar = t.next_hop,
					.aor = aor,
					.from = "sip:scscf.ims.test",
					.contact = "sip:scscf.ims.test",
					.expires_s = expires_s };

	t.reg = sipreg_free(t.reg);
	t.reg = sipreg_new(t.scscf, &cfg, on_result, NULL);
	t.status = 0;
	sipreg_start(t.reg, expires_s);
	ck_assert(loop_run_until(t.bed->loop, has_result, NULL, PATIENCE_MS));

	return t.status;
}

START_TEST(who_is_registered_is_remembered)
{
	ck_assert_int_eq(tell(URI, 3600), 200);
	ck_assert(as_isc_is_registered(t.bed->as->isc, URI));
	ck_assert_ptr_nonnull(strstr(t.bed->events, "as.registered "));
	ck_assert_int_eq(tell(URI, 3600), 200);
}
END_TEST

START_TEST(who_is_deregistered_is_forgotten)
{
	ck_assert_int_eq(tell(URI, 3600), 200);
	ck_assert_int_eq(tell(URI, 0), 200);
	ck_assert(!as_isc_is_registered(t.bed->as->isc, URI));
	ck_assert_int_eq(tell(URI, 0), 200);
}
END_TEST

START_TEST(a_to_without_user_is_refused)
{
	ck_assert_int_eq(tell("sip:ims.test", 3600), 400);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("as_isc");
	TCase *tc = tcase_create("isc");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, who_is_registered_is_remembered);
	tcase_add_test(tc, who_is_deregistered_is_forgotten);
	tcase_add_test(tc, a_to_without_user_is_refused);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
