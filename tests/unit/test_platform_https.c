/* The platform's HTTPS door: units 021 to 023, S401, S404 to S406, S410, S411,
 * and what bad input gets */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ctl.h"
#include "common/element.h"
#include "common/https.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/pki.h"
#include "tests/fake/fake_platform_bed.h"
#include "tests/fake/fake_registrar.h"
#include "tests/suite.h"

/** What the last call got */
struct answer {
	bool is_here;
	int status, retry_after_s;
	char text[1024];
	json_t *json;
};

static const char *const names[] = { "platform", "appserver",  "boss",
				     "terminal", "appserver2", NULL };
static const char *const hosts[] = { "127.0.0.1", NULL, NULL, NULL, NULL };

static struct {
	struct bed bed;
	struct https_client *as, *boss, *terminal;
	struct answer last, early, late;
} t;

static const char uri1[] = "{\"uri\":\"sip:+861@ims.test\"}";
static const char batch[] =
	"{\"accounts\":[{\"uri\":\"sip:+861@ims.test\","
	"\"impi\":\"+861@ims.test\",\"password\":\"pw1\","
	"\"realm\":\"ims.test\"},{\"uri\":\"sip:+862@ims.test\","
	"\"impi\":\"+862@ims.test\",\"password\":\"pw1\","
	"\"realm\":\"ims.test\"}]}";

static char *pem(const char *name)
{
	return xasprintf("%s/%s.pem", t.bed.dir, name);
}

static struct https_client *new_client(const char *name)
{
	char *cert = name ? pem(name) : NULL;
	char *ca = pem("ca");
	const struct https_client_cfg cfg = { .cert_file = cert,
					      .ca_file = ca };
	struct https_client *client = NULL;
	char *reason = NULL;

	ck_assert_int_eq(https_client_new(&client, t.bed.el, &cfg, &reason), 0);
	free(cert);
	free(ca);

	return client;
}

static void setup(void)
{
	char *reason = NULL;

	memset(&t, 0, sizeof(t));
	bed_timer("dereg-retry=10ms");
	bed_start(&t.bed);
	ck_assert_int_eq(pki_make(t.bed.dir, names, hosts, &reason), 0);
	t.bed.has_https = true;
	bed_platform(&t.bed);
	t.as = new_client("appserver");
	t.boss = new_client("boss");
	t.terminal = new_client("terminal");
}

static void teardown(void)
{
	json_decref(t.last.json);
	json_decref(t.early.json);
	json_decref(t.late.json);
	https_client_free(t.as);
	https_client_free(t.boss);
	https_client_free(t.terminal);
	ck_assert_int_eq(t.bed.bad_counts, 0);
	ck_assert_int_eq(t.bed.secrets, 0);
	bed_stop(&t.bed);
}

static void on_resp(const struct https_resp *resp, void *arg)
{
	struct answer *a = arg;

	a->is_here = true;
	a->status = resp->status;
	a->retry_after_s = resp->retry_after_s;
	snprintf(a->text, sizeof(a->text), "%s",
		 resp->status ? resp->body : resp->error);
	json_decref(a->json);
	a->json = resp->status ? json_loadb(resp->body, resp->len, 0, NULL)
			       : NULL;
}

static bool is_here(const void *arg)
{
	return ((const struct answer *)arg)->is_here;
}

/* "POST /v1/leases" with a body and a key, which may be NULL */
static void start_call(struct https_client *client, const char *what,
		       const char *body, const char *key, struct answer *a)
{
	const char *path = strchr(what, ' ') + 1;
	char *url =
		xasprintf("https://%s%s", plat_https_addr(t.bed.plat), path);
	char *method = xstrndup(what, (size_t)(path - 1 - what));
	struct https_call c = { .method = method,
				.url = url,
				.type = body ? "application/json" : NULL,
				.body = body,
				.len = body ? strlen(body) : 0 };

	if (key) {
		c.headers[0] = "Idempotency-Key";
		c.headers[1] = key;
	}
	a->is_here = false;
	https_client_call(client, &c, on_resp, a);
	free(url);
	free(method);
}

static int wait_answer(const struct answer *a)
{
	ck_assert(loop_run_until(t.bed.loop, is_here, a, PATIENCE_MS));

	return a->status;
}

/* The same, to its end; the status */
static int call(struct https_client *client, const char *what, const char *body,
		const char *key)
{
	start_call(client, what, body, key, &t.last);

	return wait_answer(&t.last);
}

static json_int_t number_of(const char *field)
{
	return json_integer_value(json_object_get(t.last.json, field));
}

static const char *text_of(const char *field)
{
	const char *s = json_string_value(json_object_get(t.last.json, field));

	return s ? s : "";
}

/* The last answer's sentence has these words */
static void expect_error(const char *words)
{
	ck_assert_msg(strstr(text_of("error"), words) != NULL, "%s",
		      t.last.text);
}

static void fill(void)
{
	ck_assert_int_eq(call(t.boss, "PUT /v1/pool", batch, NULL), 200);
}

START_TEST(batch_is_taken_once)
{
	fill();
	ck_assert_int_eq(number_of("added"), 2);
	ck_assert_int_eq(number_of("known"), 0);
	ck_assert_int_eq(number_of("total"), 2);
	fill();
	ck_assert_int_eq(number_of("added"), 0);
	ck_assert_int_eq(number_of("known"), 2);
	ck_assert_int_eq(number_of("total"), 2);
}
END_TEST

START_TEST(pool_is_shown_without_passwords)
{
	fill();
	ck_assert_int_eq(call(t.boss, "GET /v1/pool", NULL, NULL), 200);
	ck_assert_int_eq(number_of("size"), 2);
	ck_assert_ptr_null(strstr(t.last.text, "pw1"));
	ck_assert_ptr_nonnull(strstr(t.last.text, "sip:+862@ims.test"));
}
END_TEST

START_TEST(bad_item_is_named_and_nothing_is_taken)
{
	static const struct {
		const char *body, *words;
	} cases[] = {
		{ "", "empty" },
		{ "{\"accounts\":[", "not JSON" },
		{ "[]", "accounts" },
		{ "{\"accounts\":{}}", "\"accounts\" must be" },
		{ "{\"accounts\":[7]}", "accounts[0]" },
		{ "{\"accounts\":[{\"uri\":\"sip:a@b\",\"impi\":\"a@b\","
		  "\"password\":\"p\",\"realm\":\"r\"},{\"uri\":\"sip:c@d\","
		  "\"impi\":\"c@d\",\"password\":\"\",\"realm\":\"r\"}]}",
		  "accounts[1]: the field \"password\"" },
		{ "{\"accounts\":[{\"uri\":\"tel:+86\",\"impi\":\"a@b\","
		  "\"password\":\"p\",\"realm\":\"r\"}]}",
		  "accounts[0]: the field \"uri\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(
			call(t.boss, "PUT /v1/pool", cases[i].body, NULL), 400);
		expect_error(cases[i].words);
	}
	ck_assert_int_eq(t.bed.plat->lease_n, 0);
}
END_TEST

/* S404 to S406 */
START_TEST(empty_apply_message_gets_a_sip_uri_and_its_password)
{
	fill();
	ck_assert_int_eq(call(t.as, "POST /v1/leases", NULL, "k"), 201);
	ck_assert_int_eq(number_of("lease_id"), 1);
	ck_assert_str_eq(text_of("uri"), "sip:+861@ims.test");
	ck_assert_str_eq(text_of("impi"), "+861@ims.test");
	ck_assert_str_eq(text_of("password"), "pw1");
	ck_assert_str_eq(text_of("realm"), "ims.test");
	ck_assert_int_gt(number_of("expires_s"), 80000);
	ck_assert_int_eq(bed_state(&t.bed, 1), LEASE_OCCUPIED);
}
END_TEST

START_TEST(repeated_apply_message_gets_the_same_lease)
{
	fill();
	ck_assert_int_eq(call(t.as, "POST /v1/leases", NULL, "k"), 201);
	ck_assert_int_eq(call(t.as, "POST /v1/leases", NULL, "k"), 201);
	ck_assert_int_eq(number_of("lease_id"), 1);
	ck_assert_str_eq(text_of("uri"), "sip:+861@ims.test");
	ck_assert_str_eq(text_of("password"), "pw1");
	ck_assert_int_eq(call(t.as, "POST /v1/leases", NULL, "other"), 201);
	ck_assert_int_eq(number_of("lease_id"), 2);
}
END_TEST

START_TEST(apply_message_with_a_body_is_refused)
{
	fill();
	ck_assert_int_eq(call(t.as, "POST /v1/leases", "{}", "k"), 400);
	expect_error("must be empty");
	ck_assert_int_eq(call(t.as, "POST /v1/leases", NULL, "two words"), 400);
	expect_error("Idempotency-Key");
	ck_assert_int_eq(t.bed.plat->counts[LEASE_IDLE], 2);
}
END_TEST

START_TEST(retry_after_is_when_the_first_lease_ends)
{
	bed_timer("lease-limit=7s");
	bed_timer("cool-down=2s");
	fill();
	call(t.as, "POST /v1/leases", NULL, "a");
	bed_timer("lease-limit=20s");
	call(t.as, "POST /v1/leases", NULL, "b");
	ck_assert_int_eq(call(t.as, "POST /v1/leases", NULL, "c"), 503);
	ck_assert_int_eq(t.last.retry_after_s, 9);
}
END_TEST

static bool is_waiting(const void *arg)
{
	return t.bed.plat->waiter_n == *(const int *)arg;
}

/* Two hold all there is, two wait for it, in the order early, late */
static void fill_the_waiting_list(void)
{
	const int one = 1, two = 2;

	t.bed.plat->waiting_max = 2;
	fill();
	call(t.as, "POST /v1/leases", NULL, "a");
	call(t.as, "POST /v1/leases", NULL, "b");
	start_call(t.as, "POST /v1/leases", NULL, "c", &t.early);
	ck_assert(loop_run_until(t.bed.loop, is_waiting, &one, PATIENCE_MS));
	start_call(t.as, "POST /v1/leases", NULL, "d", &t.late);
	ck_assert(loop_run_until(t.bed.loop, is_waiting, &two, PATIENCE_MS));
}

START_TEST(who_waits_is_served_first_come_first)
{
	fill_the_waiting_list();
	/* the list is full; a repeat of what was given waits for nothing */
	ck_assert_int_eq(call(t.as, "POST /v1/leases", NULL, "e"), 503);
	ck_assert_int_eq(call(t.as, "POST /v1/leases", NULL, "b"), 201);
	ck_assert_int_eq(number_of("lease_id"), 2);
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/1", uri1, NULL), 200);
	ck_assert_int_eq(wait_answer(&t.early), 201);
	ck_assert_ptr_nonnull(strstr(t.early.text, "sip:+861@ims.test"));
	ck_assert_int_eq(t.late.is_here, false);
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/2",
			      "{\"uri\":\"sip:+862@ims.test\"}", NULL),
			 200);
	ck_assert_int_eq(wait_answer(&t.late), 201);
}
END_TEST

START_TEST(who_waits_too_long_is_told)
{
	bed_timer("waiting=80ms");
	fill_the_waiting_list();
	ck_assert_int_eq(wait_answer(&t.early), 503);
	ck_assert_int_ge(t.early.retry_after_s, 1);
	ck_assert_int_eq(wait_answer(&t.late), 503);
	ck_assert_int_eq(t.bed.plat->waiter_n, 0);
}
END_TEST

START_TEST(who_waits_and_leaves_gives_its_place_up)
{
	const int none = 0;

	fill_the_waiting_list();
	t.as = https_client_free(t.as);
	ck_assert(loop_run_until(t.bed.loop, is_waiting, &none, PATIENCE_MS));
	t.as = new_client("appserver");
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/1", uri1, NULL), 200);
	bed_wait(&t.bed, 1, LEASE_IDLE);
}
END_TEST

START_TEST(who_asks_again_by_the_same_key_keeps_its_place)
{
	fill_the_waiting_list();
	start_call(t.as, "POST /v1/leases", NULL, "c", &t.last);
	ck_assert_int_eq(wait_answer(&t.early), 503);
	ck_assert_int_eq(t.bed.plat->waiter_n, 2);
	start_call(t.as, "DELETE /v1/leases/1", uri1, NULL, &t.early);
	ck_assert_int_eq(wait_answer(&t.last), 201);
	ck_assert_int_eq(t.late.is_here, false);
}
END_TEST

START_TEST(exhausted_pool_gives_503_with_retry_after)
{
	ck_assert_int_eq(call(t.as, "POST /v1/leases", NULL, "a"), 503);
	fill();
	ck_assert_int_eq(call(t.as, "POST /v1/leases", NULL, "a"), 201);
	ck_assert_int_eq(call(t.as, "POST /v1/leases", NULL, "b"), 201);
	ck_assert_int_eq(call(t.as, "POST /v1/leases", NULL, "c"), 503);
	ck_assert_int_ge(t.last.retry_after_s, 1);
	expect_error("no SIP-URI is idle: of 2, 2 are occupied");
}
END_TEST

/* S410 to S414 */
START_TEST(reclaimed_lease_is_answered_first_and_idle_after_the_200)
{
	fake_registrar_set_status(t.bed.registrar, FAKE_SILENT);
	fill();
	call(t.as, "POST /v1/leases", NULL, "k");
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/1", uri1, NULL), 200);
	ck_assert_str_eq(text_of("state"), "reclaiming");
	ck_assert_int_eq(bed_state(&t.bed, 1), LEASE_RECLAIMING);
	bed_settle(&t.bed, 30);
	ck_assert_int_eq(bed_state(&t.bed, 1), LEASE_RECLAIMING);
	fake_registrar_set_status(t.bed.registrar, 200);
	(void)fake_registrar_answer_kept(t.bed.registrar, 200);
	bed_wait(&t.bed, 1, LEASE_IDLE);
}
END_TEST

START_TEST(repeated_reclaim_notice_gets_200_and_changes_nothing)
{
	fill();
	call(t.as, "POST /v1/leases", NULL, "k");
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/1", uri1, NULL), 200);
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/1", uri1, NULL), 200);
	bed_wait(&t.bed, 1, LEASE_IDLE);
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/1", uri1, NULL), 200);
	ck_assert_int_eq(fake_registrar_count(t.bed.registrar), 1);
}
END_TEST

START_TEST(older_lease_is_refused_with_409)
{
	ck_assert_int_eq(call(t.boss, "PUT /v1/pool",
			      "{\"accounts\":[{\"uri\":\"sip:+861@ims.test\","
			      "\"impi\":\"+861@ims.test\",\"password\":\"pw1\","
			      "\"realm\":\"ims.test\"}]}",
			      NULL),
			 200);
	call(t.as, "POST /v1/leases", NULL, "k");
	call(t.as, "DELETE /v1/leases/1", uri1, NULL);
	bed_wait(&t.bed, 1, LEASE_IDLE);
	call(t.as, "POST /v1/leases", NULL, "l");
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/1", uri1, NULL), 409);
	expect_error("is over: its present or last lease is 2");
	ck_assert_int_eq(bed_state(&t.bed, 1), LEASE_OCCUPIED);
}
END_TEST

START_TEST(uri_of_another_lease_is_refused_with_409)
{
	fill();
	call(t.as, "POST /v1/leases", NULL, "k");
	call(t.as, "POST /v1/leases", NULL, "l");
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/2", uri1, NULL), 409);
	expect_error("lease 2 is of sip:+862@ims.test, not of sip:+861@");
	ck_assert_int_eq(t.bed.plat->counts[LEASE_OCCUPIED], 2);
}
END_TEST

START_TEST(unknown_lease_or_uri_gets_404)
{
	fill();
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/7", uri1, NULL), 404);
	expect_error("there is no lease 7 of sip:+861@ims.test");
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/7",
			      "{\"uri\":\"sip:nobody@ims.test\"}", NULL),
			 404);
	expect_error("sip:nobody@ims.test is not in the pool");
}
END_TEST

START_TEST(malformed_reclaim_notice_gets_400)
{
	fill();
	call(t.as, "POST /v1/leases", NULL, "k");
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/x", uri1, NULL), 400);
	expect_error("does not end in a lease id");
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/1", NULL, NULL), 400);
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/1", "{\"uri\":", NULL),
			 400);
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/1", "{}", NULL), 400);
	expect_error("\"uri\"");
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/1", "{\"uri\":1}", NULL),
			 400);
	ck_assert_int_eq(bed_state(&t.bed, 1), LEASE_OCCUPIED);
}
END_TEST

START_TEST(each_route_is_for_its_own_client)
{
	ck_assert_int_eq(call(t.boss, "POST /v1/leases", NULL, "k"), 403);
	expect_error("\"boss\"");
	ck_assert_int_eq(call(t.boss, "DELETE /v1/leases/1", uri1, NULL), 403);
	ck_assert_int_eq(call(t.as, "PUT /v1/pool", batch, NULL), 403);
	ck_assert_int_eq(call(t.as, "POST /v1/quarantine/release", uri1, NULL),
			 403);
	ck_assert_int_eq(call(t.terminal, "GET /v1/pool", NULL, NULL), 403);
	ck_assert_int_eq(call(t.terminal, "POST /v1/leases", NULL, "k"), 403);
	ck_assert_int_eq(call(t.as, "GET /v1/pool", NULL, NULL), 200);
}
END_TEST

/* Two AS, each with keys of its own choice */
START_TEST(another_as_with_the_same_key_gets_another_lease)
{
	struct https_client *other = new_client("appserver2");

	fill();
	ck_assert_int_eq(call(t.as, "POST /v1/leases", NULL, "k"), 201);
	ck_assert_int_eq(call(other, "POST /v1/leases", NULL, "k"), 201);
	ck_assert_int_eq(number_of("lease_id"), 2);
	ck_assert_int_eq(call(t.as, "POST /v1/leases", NULL, "k"), 201);
	ck_assert_int_eq(number_of("lease_id"), 1);
	https_client_free(other);
}
END_TEST

START_TEST(client_without_a_certificate_is_turned_away)
{
	struct https_client *nobody = new_client(NULL);

	ck_assert_int_eq(call(nobody, "POST /v1/leases", NULL, "k"), 0);
	https_client_free(nobody);
	fill();
	ck_assert_int_eq(t.bed.plat->counts[LEASE_IDLE], 2);
}
END_TEST

START_TEST(operator_releases_what_is_quarantined)
{
	bed_timer("dereg-bound=20ms");
	fake_registrar_set_status(t.bed.registrar, 403);
	fill();
	call(t.as, "POST /v1/leases", NULL, "k");
	call(t.as, "DELETE /v1/leases/1", uri1, NULL);
	bed_wait(&t.bed, 1, LEASE_QUARANTINED);
	ck_assert_int_eq(
		call(t.boss, "POST /v1/quarantine/release", uri1, NULL), 200);
	ck_assert_str_eq(text_of("state"), "idle");
	ck_assert_int_eq(bed_state(&t.bed, 1), LEASE_IDLE);
	ck_assert_int_eq(
		call(t.boss, "POST /v1/quarantine/release", uri1, NULL), 409);
	expect_error("is not quarantined but idle");
	ck_assert_int_eq(call(t.boss, "POST /v1/quarantine/release",
			      "{\"uri\":\"sip:x@y\"}", NULL),
			 404);
	ck_assert_int_eq(call(t.boss, "POST /v1/quarantine/release", "7", NULL),
			 400);
}
END_TEST

/* The lease was on disk before it was answered */
START_TEST(answered_lease_outlives_a_restart)
{
	fill();
	call(t.as, "POST /v1/leases", NULL, "k");
	https_client_free(t.as);
	https_client_free(t.boss);
	https_client_free(t.terminal);
	t.boss = NULL;
	t.terminal = NULL;
	bed_restart(&t.bed);
	t.as = new_client("appserver");
	ck_assert_int_eq(call(t.as, "POST /v1/leases", NULL, "k"), 201);
	ck_assert_int_eq(number_of("lease_id"), 1);
	ck_assert_int_eq(call(t.as, "DELETE /v1/leases/1", uri1, NULL), 200);
	bed_wait(&t.bed, 1, LEASE_IDLE);
}
END_TEST

static void on_command(json_t *result, const char *error, void *arg)
{
	struct answer *a = arg;

	a->is_here = true;
	a->status = result ? 200 : 400;
	snprintf(a->text, sizeof(a->text), "%s", error ? error : "");
	json_decref(a->json);
	a->json = json_incref(result);
}

static int command(const char *cmd, json_t *args)
{
	t.last.is_here = false;
	ctl_call(t.bed.runner, cmd, args, on_command, &t.last);
	ck_assert(loop_run_until(t.bed.loop, is_here, &t.last, PATIENCE_MS));

	return t.last.status;
}

START_TEST(runner_sees_the_pool_and_each_uri)
{
	const json_t *counts;

	fill();
	call(t.as, "POST /v1/leases", NULL, "k");
	ck_assert_int_eq(command("pool", json_object()), 200);
	ck_assert_int_eq(number_of("size"), 2);
	counts = json_object_get(t.last.json, "counts");
	ck_assert_int_eq(json_integer_value(json_object_get(counts, "idle")),
			 1);
	ck_assert_int_eq(
		json_integer_value(json_object_get(counts, "occupied")), 1);
	ck_assert_int_eq(
		command("uri", json_pack("{s:s}", "uri", "sip:+861@ims.test")),
		200);
	ck_assert_str_eq(text_of("state"), "occupied");
	ck_assert_int_eq(number_of("lease_id"), 1);
	ck_assert_int_eq(command("uri", json_pack("{s:s}", "uri", "sip:x@y")),
			 400);
	ck_assert_ptr_nonnull(strstr(t.last.text, "sip:x@y is not in the"));
	ck_assert_int_eq(command("uri", json_object()), 400);
}
END_TEST

START_TEST(port_in_use_is_said)
{
	char *cert = pem("platform"), *ca = pem("ca"), *reason = NULL;
	struct plat *plat = NULL;
	struct plat_cfg cfg = { .https = plat_https_addr(t.bed.plat),
				.sip = "127.0.0.1:0",
				.store = "memory",
				.cert = cert,
				.ca = ca,
				.pcscf = "sip:127.0.0.1",
				.policy = "idle-queue",
				.realm = "ims.test" };

	ck_assert_int_eq(plat_new(&plat, t.bed.el, &cfg, &reason), EADDRINUSE);
	ck_assert_msg(strstr(reason, cfg.https) != NULL, "%s", reason);
	free(reason);
	reason = NULL;
	cfg.https = NULL;
	ck_assert_int_eq(plat_new(&plat, t.bed.el, &cfg, &reason), EINVAL);
	ck_assert_msg(strstr(reason, "--https") != NULL, "%s", reason);
	free(reason);
	free(cert);
	free(ca);
}
END_TEST

static Suite *https_suite(void)
{
	Suite *s = suite_create("platform_https");
	TCase *tc = tcase_create("batch");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, batch_is_taken_once);
	tcase_add_test(tc, pool_is_shown_without_passwords);
	tcase_add_test(tc, bad_item_is_named_and_nothing_is_taken);
	suite_add_tcase(s, tc);

	tc = tcase_create("apply message");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, empty_apply_message_gets_a_sip_uri_and_its_password);
	tcase_add_test(tc, repeated_apply_message_gets_the_same_lease);
	tcase_add_test(tc, apply_message_with_a_body_is_refused);
	tcase_add_test(tc, exhausted_pool_gives_503_with_retry_after);
	tcase_add_test(tc, retry_after_is_when_the_first_lease_ends);
	tcase_add_test(tc, who_waits_is_served_first_come_first);
	tcase_add_test(tc, who_waits_too_long_is_told);
	tcase_add_test(tc, who_waits_and_leaves_gives_its_place_up);
	tcase_add_test(tc, who_asks_again_by_the_same_key_keeps_its_place);
	tcase_add_test(tc, answered_lease_outlives_a_restart);
	suite_add_tcase(s, tc);

	tc = tcase_create("reclaim notice");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(
		tc, reclaimed_lease_is_answered_first_and_idle_after_the_200);
	tcase_add_test(tc,
		       repeated_reclaim_notice_gets_200_and_changes_nothing);
	tcase_add_test(tc, older_lease_is_refused_with_409);
	tcase_add_test(tc, uri_of_another_lease_is_refused_with_409);
	tcase_add_test(tc, unknown_lease_or_uri_gets_404);
	tcase_add_test(tc, malformed_reclaim_notice_gets_400);
	tcase_add_test(tc, operator_releases_what_is_quarantined);
	suite_add_tcase(s, tc);

	tc = tcase_create("who may ask");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_route_is_for_its_own_client);
	tcase_add_test(tc, another_as_with_the_same_key_gets_another_lease);
	tcase_add_test(tc, client_without_a_certificate_is_turned_away);
	tcase_add_test(tc, runner_sees_the_pool_and_each_uri);
	tcase_add_test(tc, port_in_use_is_said);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(https_suite)
