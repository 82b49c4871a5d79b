/* The SIP endpoint: listening, forwarding, tracing, holding, refusing */
#include "common/sipep.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>

#include "common/addr.h"
#include "common/digest.h"
#include "common/element.h"
#include "common/hold.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/sipreg.h"
#include "common/trace.h"
#include "tests/suite.h"

/** A proxy before a registrar, and what the test saw */
static struct {
	struct loop *loop;
	struct element *proxy_el, *ua_el;
	struct sipep *proxy, *ua, *client;
	char next_hop[ADDR_TEXT_LEN + 32];
	int requests, status, expires_s;
	char phrase[64], auth[512], nonce[64], path[128];
	int traced_send, traced_recv, has_exact_bytes;
	int challenges;
} t;

static bool has_status(const void *arg)
{
	(void)arg;

	return t.status != 0;
}

static void on_result(const struct sipreg_result *r, void *arg)
{
	(void)arg;
	t.status = r->status;
	t.expires_s = r->expires_s;
	snprintf(t.phrase, sizeof(t.phrase), "%s", r->phrase);
}

static void add_path(msg_t *msg, sip_t *sip, void *arg)
{
	(void)arg;
	sip_add_make(msg, sip, sip_path_class, "<sip:proxy;lr>");
}

static void on_proxy_request(nta_incoming_t *irq, const sip_t *sip, void *arg)
{
	struct sipep_route route = { .next_hop = t.next_hop,
				     .prepare = add_path };

	(void)sip;
	(void)arg;
	(void)sipep_forward(t.proxy, irq, &route);
}

/* A registrar that challenges t.challenges times, then says yes */
static void on_register(nta_incoming_t *irq, const sip_t *sip, void *arg)
{
	(void)arg;
	t.requests++;
	if (sip->sip_path)
		snprintf(t.path, sizeof(t.path), "%s",
			 sip->sip_path->r_url->url_host);
	if (t.challenges-- > 0) {
		nta_incoming_treply(
			irq, SIP_401_UNAUTHORIZED,
			SIPTAG_WWW_AUTHENTICATE_STR(
				"Digest realm=\"ims.test\", nonce=\"n1\", "
				"algorithm=SHA-256, qop=\"auth\""),
			SIPTAG_WWW_AUTHENTICATE_STR(
				"Digest realm=\"ims.test\", nonce=\"n2\", "
				"algorithm=MD5, qop=\"auth\""),
			TAG_END());
		return;
	}
	if (sip->sip_authorization)
		for (int i = 0; sip->sip_authorization->au_params[i]; i++)
			if (!strncmp(sip->sip_authorization->au_params[i],
				     "algorithm=", 10))
				snprintf(t.auth, sizeof(t.auth), "%s",
					 sip->sip_authorization->au_params[i]);
	nta_incoming_treply(irq, SIP_200_OK,
			    SIPTAG_CONTACT_STR("<sip:u@192.0.2.1>;expires=77"),
			    TAG_END());
}

static void on_trace(const char *line, size_t len, void *arg)
{
	(void)len;
	(void)arg;
	t.traced_send += strstr(line, "\"dir\":\"send\"") != NULL;
	t.traced_recv += strstr(line, "\"dir\":\"recv\"") != NULL;
	t.has_exact_bytes +=
		strstr(line, "\\r\\nTo: <sip:u@ims.test>\\r\\n") != NULL;
}

static struct sipep *endpoint(struct element *el, const char *supported,
			      sipep_request_cb *cb)
{
	struct sipep_cfg cfg = { .listen = "127.0.0.1:0",
				 .allow = "REGISTER, OPTIONS",
				 .supported = supported };
	struct sipep *ep = NULL;
	char *reason = NULL;

	ck_assert_msg(!sipep_new(&ep, el, &cfg, cb, NULL, &reason), "%s",
		      reason);

	return ep;
}

static void setup(void)
{
	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.proxy_el = element_new_on(t.loop, "proxy");
	t.ua_el = element_new_on(t.loop, "ua");
	t.proxy = endpoint(t.proxy_el, NULL, on_proxy_request);
	t.ua = endpoint(t.ua_el, "path", on_register);
	snprintf(t.next_hop, sizeof(t.next_hop), "sip:%s", sipep_addr(t.ua));
}

static void teardown(void)
{
	sipep_free(t.proxy);
	sipep_free(t.ua);
	element_free(t.proxy_el);
	element_free(t.ua_el);
	loop_free(t.loop);
}

static struct sipreg *start_register(const char *next_hop)
{
	struct sipreg_cfg cfg = { .registrar = "sip:ims.test",
				  .next_hop = next_hop,
				  .aor = "sip:u@ims.test",
				  .user = "u@ims.test",
				  .password = "secret",
				  .contact = "sip:u@192.0.2.1",
				  .expires_s = 600 };
	struct sipreg *reg = sipreg_new(t.ua, &cfg, on_result, NULL);

	sipreg_start(reg, 600);

	return reg;
}

static char *via_proxy(const char *transport)
{
	return xasprintf("sip:%s%s", sipep_addr(t.proxy), transport);
}

static void registers_over(const char *transport)
{
	char *hop = via_proxy(transport);
	struct sipreg *reg;

	t.challenges = 1;
	trace_set_sink(t.ua_el->trace, on_trace, NULL);
	reg = start_register(hop);
	ck_assert(loop_run_until(t.loop, has_status, NULL, PATIENCE_MS));
	ck_assert_int_eq(t.status, 200);
	ck_assert_int_eq(t.expires_s, 77);
	ck_assert_int_eq(t.requests, 2);
	ck_assert_str_eq(t.path, "proxy");
	/* the first challenge that is known: RFC 8760 2.4 */
	ck_assert_str_eq(t.auth, "algorithm=SHA-256");
	/* two requests sent and received, two answers sent and received */
	ck_assert_int_eq(t.traced_send, 4);
	ck_assert_int_eq(t.traced_recv, 4);
	ck_assert_int_ge(t.has_exact_bytes, 4);
	sipreg_free(reg);
	free(hop);
}

START_TEST(register_is_forwarded_over_udp)
{
	registers_over("");
}
END_TEST

START_TEST(register_is_forwarded_over_tcp)
{
	snprintf(t.next_hop, sizeof(t.next_hop), "sip:%s;transport=tcp",
		 sipep_addr(t.ua));
	registers_over(";transport=tcp");
}
END_TEST

START_TEST(second_refusal_is_final)
{
	struct sipreg *reg;

	t.challenges = 99;
	reg = start_register(t.next_hop);
	ck_assert(loop_run_until(t.loop, has_status, NULL, PATIENCE_MS));
	ck_assert_int_eq(t.status, 401);
	ck_assert_int_eq(t.requests, 2);
	sipreg_free(reg);
}
END_TEST

START_TEST(unreachable_neighbour_gives_504)
{
	char *hop = via_proxy("");
	struct sipreg *reg;

	snprintf(t.next_hop, sizeof(t.next_hop),
		 "sip:127.0.0.1:1;transport=tcp");
	reg = start_register(hop);
	ck_assert(loop_run_until(t.loop, has_status, NULL, PATIENCE_MS));
	ck_assert_int_eq(t.status, 504);
	sipreg_free(reg);
	free(hop);
}
END_TEST

START_TEST(hop_that_is_no_uri_fails_without_a_crash)
{
	struct sipreg *reg = start_register("http://nonsense:::");

	ck_assert(loop_run_until(t.loop, has_status, NULL, PATIENCE_MS));
	ck_assert_int_eq(t.status, 503);
	sipreg_free(reg);
}
END_TEST

static bool one_is_held(const void *arg)
{
	(void)arg;

	return hold_count(t.proxy_el->hold) == 1;
}

START_TEST(held_message_waits_until_released)
{
	char *hop = via_proxy("");
	struct sipreg *reg;

	hold_start(t.proxy_el->hold);
	reg = start_register(hop);
	ck_assert(loop_run_until(t.loop, one_is_held, NULL, PATIENCE_MS));
	ck_assert_int_eq(t.requests, 0);
	ck_assert_int_eq(hold_release(t.proxy_el->hold, 7), 2 /* ENOENT */);
	hold_stop(t.proxy_el->hold);
	ck_assert(loop_run_until(t.loop, has_status, NULL, PATIENCE_MS));
	ck_assert_int_eq(t.status, 200);
	sipreg_free(reg);
	free(hop);
}
END_TEST

START_TEST(endpoint_may_go_while_messages_are_held)
{
	char *hop = via_proxy(";transport=tcp");
	struct sipreg *reg;

	hold_start(t.proxy_el->hold);
	reg = start_register(hop);
	ck_assert(loop_run_until(t.loop, one_is_held, NULL, PATIENCE_MS));
	t.proxy = sipep_free(t.proxy);
	ck_assert_uint_eq(hold_count(t.proxy_el->hold), 0);
	sipreg_free(reg);
	free(hop);
}
END_TEST

/** Sends raw text from a socket of its own, and keeps what comes back */
struct raw {
	int fd;
	char answer[2048];
};

static void on_raw(void *arg)
{
	struct raw *raw = arg;

	(void)recv(raw->fd, raw->answer, sizeof(raw->answer) - 1, 0);
}

static bool raw_has_answer(const void *arg)
{
	return ((const struct raw *)arg)->answer[0] != 0;
}

static const char *cut_short; /* Content-Length to claim */

static const char *raw_send(struct raw *raw, const char *extra,
			    const char *method)
{
	struct loop_watch *watch;
	struct addr to;
	char *text = xasprintf("%s sip:ims.test SIP/2.0\r\n"
			       "Via: SIP/2.0/UDP 127.0.0.1:9;rport;"
			       "branch=z9hG4bK-%s\r\n"
			       "From: <sip:u@ims.test>;tag=1\r\n"
			       "To: <sip:u@ims.test>\r\nCall-ID: c1\r\n"
			       "CSeq: 1 %s\r\n%sContent-Length: %s\r\n\r\n",
			       method, extra[0] ? "a" : "b", method, extra,
			       cut_short ? cut_short : "0");

	ck_assert(!addr_parse(&to, sipep_addr(t.proxy)));
	raw->fd = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert(connect(raw->fd, (struct sockaddr *)&to.ss, to.len) == 0);
	ck_assert(send(raw->fd, text, strlen(text), 0) > 0);
	free(text);
	memset(raw->answer, 0, sizeof(raw->answer));
	watch = loop_watch_fd(t.loop, raw->fd, LOOP_READ, on_raw, raw);
	ck_assert_msg(loop_run_until(t.loop, raw_has_answer, raw, PATIENCE_MS),
		      "no answer");
	loop_unwatch(watch);
	close(raw->fd);

	return raw->answer;
}

/* The library ends the process when it copies such a message */
START_TEST(repeated_single_header_gets_400)
{
	struct raw raw;

	ck_assert_ptr_nonnull(strstr(raw_send(&raw,
					      "Max-Forwards: 70\r\n"
					      "Max-Forwards: 70\r\n",
					      "REGISTER"),
				     "SIP/2.0 400 "));
	ck_assert_ptr_nonnull(strstr(
		raw_send(&raw, "Subject: a\r\nSubject: b\r\n", "REGISTER"),
		"SIP/2.0 400 "));
	ck_assert_int_eq(t.requests, 0);
}
END_TEST

START_TEST(body_cut_short_gets_400)
{
	struct raw raw;
	const char *answer;

	cut_short = "5";
	answer = raw_send(&raw, "", "REGISTER");
	ck_assert_ptr_nonnull(strstr(answer, "SIP/2.0 400 "));
	ck_assert_int_eq(t.requests, 0);
}
END_TEST

START_TEST(max_forwards_of_0_gets_483)
{
	struct raw raw;

	ck_assert_ptr_nonnull(
		strstr(raw_send(&raw, "Max-Forwards: 0\r\n", "REGISTER"),
		       "SIP/2.0 483 "));
}
END_TEST

/* Each would be kept for the dialog: as many as a request has hops, and no
 * more */
START_TEST(more_record_routes_than_hops_get_483)
{
	static const char one[] = "Record-Route: <sip:a;lr>\r\n";
	enum { LEN = sizeof(one) - 1, N = SIPEP_HOPS_MAX + 1 };
	char lines[N * LEN + 1];
	struct raw raw;

	for (size_t len = 0; len < sizeof(lines) - 1; len += LEN)
		snprintf(lines + len, LEN + 1, "%s", one);
	ck_assert_ptr_nonnull(
		strstr(raw_send(&raw, lines, "REGISTER"), "SIP/2.0 483 "));
	ck_assert_int_eq(t.requests, 0);
}
END_TEST

START_TEST(unknown_proxy_require_gets_420_with_its_name)
{
	struct raw raw;
	const char *answer =
		raw_send(&raw, "Proxy-Require: sec-agree\r\n", "REGISTER");

	ck_assert_ptr_nonnull(strstr(answer, "SIP/2.0 420 "));
	ck_assert_ptr_nonnull(strstr(answer, "Unsupported: sec-agree"));
}
END_TEST

START_TEST(method_that_is_not_allowed_gets_405_with_allow)
{
	struct raw raw;
	const char *answer = raw_send(&raw, "", "PUBLISH");

	ck_assert_ptr_nonnull(strstr(answer, "SIP/2.0 405 "));
	ck_assert_ptr_nonnull(strstr(answer, "Allow: REGISTER, OPTIONS"));
}
END_TEST

START_TEST(address_in_use_is_an_error_that_names_it)
{
	struct sipep_cfg cfg = { .listen = sipep_addr(t.proxy) };
	struct sipep *ep = NULL;
	char *reason = NULL;

	ck_assert_int_ne(
		sipep_new(&ep, t.ua_el, &cfg, on_register, NULL, &reason), 0);
	ck_assert_ptr_nonnull(strstr(reason, sipep_addr(t.proxy)));
	free(reason);
	cfg.listen = "localhost";
	ck_assert_int_ne(
		sipep_new(&ep, t.ua_el, &cfg, on_register, NULL, &reason), 0);
	ck_assert_ptr_nonnull(strstr(reason, "localhost"));
	free(reason);
}
END_TEST

static Suite *sipep_suite(void)
{
	Suite *suite = suite_create("sipep");
	TCase *tc = tcase_create("endpoint");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, register_is_forwarded_over_udp);
	tcase_add_test(tc, register_is_forwarded_over_tcp);
	tcase_add_test(tc, second_refusal_is_final);
	tcase_add_test(tc, unreachable_neighbour_gives_504);
	tcase_add_test(tc, hop_that_is_no_uri_fails_without_a_crash);
	tcase_add_test(tc, held_message_waits_until_released);
	tcase_add_test(tc, endpoint_may_go_while_messages_are_held);
	tcase_add_test(tc, repeated_single_header_gets_400);
	tcase_add_test(tc, body_cut_short_gets_400);
	tcase_add_test(tc, max_forwards_of_0_gets_483);
	tcase_add_test(tc, more_record_routes_than_hops_get_483);
	tcase_add_test(tc, unknown_proxy_require_gets_420_with_its_name);
	tcase_add_test(tc, method_that_is_not_allowed_gets_405_with_allow);
	tcase_add_test(tc, address_in_use_is_an_error_that_names_it);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(sipep_suite)
