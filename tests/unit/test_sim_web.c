/* The live page's server: whom it lets in, what it gives, what it bears */
#include "sim/sim_web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/stream.h"
#include "common/timer.h"
#include "sim/sim_web_request.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

enum { HUGE = 64 << 10 };

/** A client that sends what the test says */
struct guest {
	struct stream *stream;
	char *text; /* what came back */
	size_t len;
	bool is_closed;
};

static struct loop *loop;
static struct sim_web *web;
static char at[ADDR_TEXT_LEN]; /* "127.0.0.1:PORT" */
static struct guest guest, other;
static struct {
	char command[16], ref[16];
	int n, err;
	const char *reason, *capture;
} asked;

/* --- the runner --- */

static int on_command(const char *command, const char *ref, void *arg,
		      char **reasonp)
{
	ck_assert_ptr_eq(arg, &asked);
	asked.n++;
	(void)snprintf(asked.command, sizeof(asked.command), "%s", command);
	(void)snprintf(asked.ref, sizeof(asked.ref), "%s", ref ? ref : "");
	if (asked.err && asked.reason)
		*reasonp = xstrdup(asked.reason);

	return asked.err;
}

static const char *on_capture(void *arg)
{
	ck_assert_ptr_eq(arg, &asked);

	return asked.capture;
}

static const struct sim_web_ops ops = { on_command, on_capture };

static json_t *entries_of(int n)
{
	json_t *list = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:i}", "entry", i));

	return list;
}

/* n entries, the one at `mark` differing by its label */
static void show(int n, int mark, const char *label)
{
	json_t *list = entries_of(n);

	if (mark < n)
		json_object_set_new(json_array_get(list, (size_t)mark), "label",
				    json_string(label));
	sim_web_show(web, json_pack("{s:s, s:s, s:[s], s:o, s:{s:s}}", "name",
				    "patent", "result", "", "steps", "S401",
				    "entries", list, "live", "state", "held"));
}

static void open_web(void)
{
	char *reason = NULL;

	ck_assert_msg(
		!sim_web_new(&web, loop, "127.0.0.1:0", &ops, &asked, &reason),
		"%s", reason);
	ck_assert_int_eq(sscanf(sim_web_url(web), "http://%63[^/]/", at), 1);
}

static void setup(void)
{
	memset(&asked, 0, sizeof(asked));
	memset(&guest, 0, sizeof(guest));
	memset(&other, 0, sizeof(other));
	loop = loop_new();
	open_web();
}

static void leave(struct guest *g)
{
	stream_free(g->stream);
	free(g->text);
	*g = (struct guest){ .stream = NULL };
}

static void teardown(void)
{
	leave(&guest);
	leave(&other);
	web = sim_web_free(web);
	loop = loop_free(loop);
}

/* --- the guest --- */

static ssize_t on_rx(const uint8_t *data, size_t len, void *arg)
{
	struct guest *g = arg;

	g->text = xrealloc(g->text, g->len + len + 1);
	memcpy(g->text + g->len, data, len);
	g->len += len;
	g->text[g->len] = '\0';

	return (ssize_t)len;
}

static void on_end(int err, void *arg)
{
	struct guest *g = arg;

	(void)err;
	g->is_closed = true;
}

static const struct stream_ops guest_ops = { NULL, on_rx, on_end };

static void tx(struct guest *g, const void *data, size_t len)
{
	struct addr addr;

	ck_assert(!addr_parse(&addr, at));
	if (!g->stream)
		ck_assert_int_eq(
			stream_connect(&g->stream, loop, &addr, &guest_ops, g),
			0);
	stream_write(g->stream, data, len);
}

/* '@' stands for our address */
static char *with_address(const char *text)
{
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	ck_assert_ptr_nonnull(f);
	for (; *text; text++)
		(void)(*text == '@' ? fputs(at, f) : fputc(*text, f));
	fclose(f);

	return out;
}

static void tx_text(struct guest *g, const char *text)
{
	char *whole = with_address(text);

	tx(g, whole, strlen(whole));
	free(whole);
}

static bool is_whole(const void *arg)
{
	const struct guest *g = arg;
	const char *end = g->text ? strstr(g->text, "\r\n\r\n") : NULL;
	const char *length = end ? strstr(g->text, "Content-Length: ") : NULL;

	return g->is_closed ||
	       (length && length < end &&
		g->text + g->len >= end + 4 + strtoul(length + 16, NULL, 10));
}

static void forget(struct guest *g)
{
	free(g->text);
	g->text = NULL;
	g->len = 0;
}

/* One request, and its answer's status */
static int ask(const char *request)
{
	forget(&guest);
	tx_text(&guest, request);
	ck_assert_msg(loop_run_until(loop, is_whole, &guest, PATIENCE_MS),
		      "no answer to %s", request);
	ck_assert_msg(guest.text && !strncmp(guest.text, "HTTP/1.1 ", 9),
		      "%s: %s", request, guest.text);

	return (int)strtol(guest.text + 9, NULL, 10);
}

static void has(const struct guest *g, const char *wanted)
{
	ck_assert_msg(g->text && strstr(g->text, wanted),
		      "\"%s\" is not in \"%.900s\"", wanted, g->text);
}

static int post(const char *path, const char *body)
{
	char *text = xasprintf("POST %s HTTP/1.1\r\nHost: @\r\n"
			       "Origin: http://@\r\n"
			       "Content-Type: application/json\r\n"
			       "Content-Length: %zu\r\n\r\n%s",
			       path, strlen(body), body);
	int status = ask(text);

	free(text);

	return status;
}

/* Its timers go by the machine's clock, as a run's that is stepped stands: what
 * is waited for in a test is made short, before anything begins */
static void shorten(const char *timer)
{
	const char *reason;

	ck_assert_int_eq(timer_override(timer, &reason), 0);
	web = sim_web_free(web);
	open_web();
}

static bool has_closed(const void *arg)
{
	return ((const struct guest *)arg)->is_closed;
}

/** What a guest is to have been sent */
struct wait {
	const struct guest *guest;
	const char *text;
};

static bool has_come(const void *arg)
{
	const struct wait *w = arg;

	return w->guest->text && strstr(w->guest->text, w->text);
}

static void wait_for(const struct guest *g, const char *text)
{
	const struct wait w = { g, text };

	ck_assert_msg(loop_run_until(loop, has_come, &w, PATIENCE_MS),
		      "\"%s\" did not come: %.500s", text, g->text);
}

static void listen_to_events(struct guest *g)
{
	tx_text(g, "GET /events HTTP/1.1\r\nHost: @\r\n\r\n");
	wait_for(g, "data: ");
}

/* --- where it listens --- */

static const char *const foreign[] = {
	"0.0.0.0:0",           "[::]:0",          "192.0.2.1:0",
	"128.0.0.1:0",         "[2001:db8::1]:0", "126.255.255.255:0",
	"[::ffff:127.0.0.1]:0"
};

START_TEST(it_listens_for_this_machine_alone)
{
	struct sim_web *more = NULL;
	char *reason = NULL;

	ck_assert_int_eq(
		sim_web_new(&more, loop, foreign[_i], &ops, NULL, &reason),
		EINVAL);
	ck_assert_ptr_null(more);
	ck_assert_ptr_nonnull(strstr(reason, "this machine alone"));
	ck_assert_ptr_nonnull(strstr(reason, foreign[_i]));
	free(reason);
}
END_TEST

START_TEST(a_text_that_is_no_address_is_told)
{
	struct sim_web *more = NULL;
	char *reason = NULL;

	ck_assert_int_eq(
		sim_web_new(&more, loop, "localhost", &ops, NULL, &reason),
		EINVAL);
	ck_assert_str_eq(reason, "\"localhost\" is no address for the page; "
				 "write IP:PORT, like 127.0.0.1:0");
	free(reason);
}
END_TEST

START_TEST(a_port_in_use_is_told)
{
	struct sim_web *more = NULL;
	char *reason = NULL;

	ck_assert_int_eq(sim_web_new(&more, loop, at, &ops, NULL, &reason),
			 EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(reason, "Address already in use"));
	free(reason);
}
END_TEST

/* Any of 127.0.0.0/8, and then its own name is right too */
START_TEST(it_listens_at_another_loopback_address)
{
	char *reason = NULL;

	sim_web_free(web);
	ck_assert(
		!sim_web_new(&web, loop, "127.0.0.5:0", &ops, &asked, &reason));
	ck_assert_int_eq(sscanf(sim_web_url(web), "http://%63[^/]/", at), 1);
	ck_assert(!strncmp(at, "127.0.0.5:", 10));
	ck_assert_int_eq(ask("GET / HTTP/1.1\r\nHost: @\r\n\r\n"), 200);
}
END_TEST

START_TEST(a_peer_is_of_this_machine_or_not)
{
	static const struct {
		const char *addr;
		bool is_loopback;
	} rows[] = { { "127.0.0.1:1", true },  { "127.255.0.9:1", true },
		     { "[::1]:1", true },      { "10.0.0.1:1", false },
		     { "128.0.0.1:1", false }, { "[::2]:1", false },
		     { "[fe80::1]:1", false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct addr addr;

		ck_assert(!addr_parse(&addr, rows[i].addr));
		ck_assert_msg(sim_web_is_loopback(&addr) == rows[i].is_loopback,
			      "%s", rows[i].addr);
	}
}
END_TEST

/* --- what is refused --- */

#define HEAD(first) first " HTTP/1.1\r\nHost: @\r\n"
#define POST HEAD("POST /v1/next")
#define JSON "Content-Type: application/json\r\n"
#define OWN "Origin: http://@\r\n"

static const struct {
	int status;
	const char *request, *error;
} refusals[] = {
	/* other names, other sites */
	{ 403, "GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n", "no other name" },
	{ 403, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "no other name" },
	{ 403, "GET / HTTP/1.1\r\nHost: @.evil.test\r\n\r\n", "other name" },
	{ 403, "GET / HTTP/1.1\r\nHost: evil.test@\r\n\r\n", "other name" },
	{ 403, "GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", "other name" },
	{ 403, "GET / HTTP/1.1\r\nHost:\r\n\r\n", "no other name" },
	{ 400, "GET / HTTP/1.1\r\n\r\n", "Host is missing" },
	{ 400, HEAD("GET /") "host: @\r\n\r\n", "Host comes twice" },
	{ 403, HEAD("GET /") "Origin: http://evil.test\r\n\r\n", "origin" },
	{ 403, HEAD("GET /events") "Origin: null\r\n\r\n", "other origin" },
	{ 403, HEAD("GET /events") "Origin: https://@\r\n\r\n", "origin" },
	{ 403, HEAD("GET /events") "Origin: http://@@\r\n\r\n", "origin" },
	{ 403, HEAD("GET /events") "Sec-Fetch-Site: cross-site\r\n\r\n",
	  "another site" },
	{ 403, HEAD("GET /capture.pcapng") "Sec-Fetch-Site: same-site\r\n\r\n",
	  "another site" },
	{ 403, POST JSON "Origin: http://evil.test\r\n\r\n", "another origin" },
	{ 403, POST JSON "Origin: null\r\n\r\n", "another origin" },
	{ 403, POST JSON "Content-Length: 2\r\n\r\n{}", "our page asks" },
	{ 403, POST JSON "Sec-Fetch-Site: none\r\n\r\n", "our page asks" },
	{ 403, POST JSON "Sec-Fetch-Site: cross-site\r\n\r\n", "another site" },
	/* what is not there */
	{ 404, HEAD("GET /../../etc/passwd") "\r\n", "nothing of that name" },
	{ 404, HEAD("GET //etc/passwd") "\r\n", "nothing of that name" },
	{ 404, HEAD("GET /%2e%2e/etc/passwd") "\r\n", "nothing of that name" },
	{ 404, HEAD("GET /capture.pcapng/../x") "\r\n", "nothing" },
	{ 404, HEAD("GET /capture.pcapng") "\r\n", "when the run is over" },
	{ 404, HEAD("GET /?x") "\r\n", "nothing of that name" },
	{ 404, HEAD("GET http://@/") "\r\n", "nothing of that name" },
	{ 404, HEAD("POST /v1/stop") "\r\n", "nothing of that name" },
	{ 404, HEAD("OPTIONS *") "\r\n", "nothing of that name" },
	{ 404, HEAD("GET /\xff\x1b") "\r\n", "nothing of that name" },
	/* other methods */
	{ 405, HEAD("POST /") "\r\n", "Allow: GET\r\n" },
	{ 405, HEAD("HEAD /") "\r\n", "Allow: GET\r\n" },
	{ 405, HEAD("DELETE /events") "\r\n", "Allow: GET\r\n" },
	{ 405, HEAD("GET /v1/next") "\r\n", "Allow: POST\r\n" },
	{ 405, HEAD("OPTIONS /v1/next") "\r\n", "Allow: POST\r\n" },
	/* bodies */
	{ 415, POST OWN "Content-Type: text/plain\r\n\r\n",
	  "application/json" },
	{ 415, POST OWN "Content-Type: application/jsonx\r\n\r\n", "json" },
	{ 415, POST OWN "\r\n", "application/json" },
	{ 400, POST OWN JSON "\r\n", "the body is empty" },
	{ 400, POST OWN JSON "Content-Length: 5\r\n\r\n{\"a\":", "not JSON" },
	{ 400, POST OWN JSON "Content-Length: 2\r\n\r\n[]", "JSON object" },
	{ 400, POST OWN JSON "Content-Length: 2\r\n\r\n\xff\xfe", "not JSON" },
	/* what cannot be read: it is said, and the connection ends */
	{ 413, POST OWN JSON "Content-Length: 4097\r\n\r\n", "4096 bytes" },
	{ 413, POST OWN JSON "Content-Length: 99999999999999999999\r\n\r\n",
	  "4096 bytes" },
	{ 400, POST OWN JSON "Content-Length: -1\r\n\r\n", "not a number" },
	{ 400, POST OWN JSON "Content-Length: \r\n\r\n", "not a number" },
	{ 400, POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "twice" },
	{ 501, POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	  "Content-Length" },
	{ 505, "GET / HTTP/1.0\r\nHost: @\r\n\r\n", "only HTTP/1.1" },
	{ 505, "GET / HTTP/2\r\n\r\n", "only HTTP/1.1" },
	{ 400, "GET /\r\nHost: @\r\n\r\n", "no request" },
	{ 400, " / HTTP/1.1\r\nHost: @\r\n\r\n", "no request" },
	{ 400, "GET  HTTP/1.1\r\nHost: @\r\n\r\n", "no request" },
	{ 400, "\r\n\r\n", "no request" },
	{ 400, "GET / HTTP/1.1\nHost: @\n\n", "CR LF" },
	{ 400, HEAD("GET /") "a\r\n\r\n", "NAME: VALUE" },
	{ 400, HEAD("GET /") "a : b\r\n\r\n", "NAME: VALUE" },
	{ 400, HEAD("GET /") " folded: b\r\n\r\n", "NAME: VALUE" },
	{ 400, HEAD("GET /") ": b\r\n\r\n", "NAME: VALUE" },
	{ 400, HEAD("GET /") "a: b\nc: d\r\n\r\n", "NAME: VALUE" },
	{ 400, "\x16\x03\x01\n", "CR LF" },
};

START_TEST(it_is_refused)
{
	ck_assert_int_eq(ask(refusals[_i].request), refusals[_i].status);
	has(&guest, refusals[_i].error);
	has(&guest, "\r\n\r\n{\"error\":\"");
	has(&guest, "\r\nContent-Type: application/json\r\n");
	ck_assert_int_eq(asked.n, 0);
	ck_assert_ptr_null(strstr(guest.text, "root:"));
}
END_TEST

START_TEST(a_nul_in_the_head_is_refused)
{
	static const char bad[] = "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n";

	tx(&guest, bad, sizeof(bad) - 1);
	ck_assert(loop_run_until(loop, is_whole, &guest, PATIENCE_MS));
	has(&guest, "HTTP/1.1 400 ");
}
END_TEST

/* All of it is sent before the answer is read: it must arrive all the same */
START_TEST(a_header_of_64_kb_is_refused)
{
	char *huge = xcalloc(1, HUGE + 1);
	char *text;

	memset(huge, 'a', HUGE);
	text = xasprintf("GET / HTTP/1.1\r\nHost: @\r\nX: %s\r\n\r\n", huge);
	ck_assert_int_eq(ask(text), 431);
	has(&guest, "Connection: close\r\n");
	has(&guest, "longer than 32768 bytes");
	free(text);
	free(huge);
}
END_TEST

START_TEST(nothing_is_answered_behind_what_cannot_be_read)
{
	shorten("web-idle=100ms");
	(void)ask("GET / HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\nHost: @\r\n\r\n");
	tx_text(&guest, "GET / HTTP/1.1\r\nHost: @\r\n\r\n");
	ck_assert(loop_run_until(loop, has_closed, &guest, PATIENCE_MS));
	ck_assert_ptr_null(strstr(guest.text, "200 OK"));
}
END_TEST

/* --- what is given --- */

START_TEST(each_of_our_names_is_right)
{
	static const char *const names[] = { "127.0.0.1", "localhost",
					     "[::1]" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *text = xasprintf("GET / HTTP/1.1\r\nHost: %s%s\r\n\r\n",
				       names[i], strchr(at, ':'));

		ck_assert_int_eq(ask(text), 200);
		free(text);
	}
}
END_TEST

START_TEST(the_page_has_the_data_of_now)
{
	show(3, 9, "");
	ck_assert_int_eq(ask(HEAD("GET /") "\r\n"), 200);
	has(&guest, "\"entries\":[{\"entry\":0},{\"entry\":1},{\"entry\":2}]");
	has(&guest, "\"live\":{\"state\":\"held\"}");
	has(&guest, "\"shown\":\"");
	has(&guest, "Content-Type: text/html; charset=utf-8\r\n");
}
END_TEST

START_TEST(the_page_is_live_before_anything_is_shown)
{
	ck_assert_int_eq(ask(HEAD("GET /") "\r\n"), 200);
	has(&guest, "\"live\":{}");
}
END_TEST

/* A link from elsewhere may lead to the page; it is no more than looked at */
START_TEST(a_link_from_another_site_leads_to_the_page)
{
	ck_assert_int_eq(
		ask(HEAD("GET /") "Sec-Fetch-Site: cross-site\r\n\r\n"), 200);
}
END_TEST

START_TEST(every_answer_is_for_our_page_alone)
{
	static const char *const requests[] = {
		HEAD("GET /") "\r\n", HEAD("GET /x") "\r\n",
		"GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n"
	};

	for (size_t i = 0; i < 3; i++) {
		(void)ask(requests[i]);
		has(&guest,
		    "\r\nContent-Security-Policy: default-src 'none'; ");
		has(&guest, "; frame-ancestors 'none'\r\n");
		has(&guest, "\r\nX-Content-Type-Options: nosniff\r\n");
		has(&guest, "\r\nCache-Control: no-store\r\n");
		has(&guest,
		    "\r\nCross-Origin-Resource-Policy: same-origin\r\n");
	}
}
END_TEST

START_TEST(the_capture_is_the_runs)
{
	char *path = xasprintf("%s/c.pcapng", temp_dir());
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite("\x0a\0\x0d", 1, 3, f), 3);
	fclose(f);
	asked.capture = path;
	ck_assert_int_eq(ask(HEAD("GET /capture.pcapng") "\r\n"), 200);
	has(&guest, "Content-Length: 3\r\n");
	has(&guest, "filename=\"capture.pcapng\"");
	ck_assert_mem_eq(guest.text + guest.len - 3, "\x0a\0\x0d", 3);
	asked.capture = "/nonexistent";
	ck_assert_int_eq(ask(HEAD("GET /capture.pcapng") "\r\n"), 500);
	has(&guest, "cannot be read");
	free(path);
}
END_TEST

/* In pieces, and two at once */
START_TEST(requests_follow_one_another)
{
	static const char two[] = HEAD("GET /x") "\r\n" HEAD("GET /") "\r\n";
	char *text = with_address(two);

	for (const char *p = text; *p; p++) {
		tx(&guest, p, 1);
		stream_flush(guest.stream);
	}
	wait_for(&guest, "HTTP/1.1 404 ");
	wait_for(&guest, "HTTP/1.1 200 ");
	free(text);
}
END_TEST

/* --- commands --- */

START_TEST(a_command_reaches_the_runner)
{
	static const char *const commands[] = { "next", "end", "quit" };

	for (size_t i = 0; i < 3; i++) {
		char *path = xasprintf("/v1/%s", commands[i]);

		ck_assert_int_eq(post(path, "{}"), 200);
		ck_assert_str_eq(asked.command, commands[i]);
		ck_assert_str_eq(asked.ref, "");
		free(path);
	}
	ck_assert_int_eq(post("/v1/until", "{\"step\": \"S407\"}"), 200);
	ck_assert_str_eq(asked.command, "until");
	ck_assert_str_eq(asked.ref, "S407");
	ck_assert_int_eq(asked.n, 4);
}
END_TEST

START_TEST(sec_fetch_site_proves_our_page_too)
{
	ck_assert_int_eq(ask(POST "Sec-Fetch-Site: same-origin\r\n" JSON
				  "Content-Length: 2\r\n\r\n{}"),
			 200);
	ck_assert_int_eq(asked.n, 1);
}
END_TEST

static const struct {
	const char *body, *error;
} bad_steps[] = {
	{ "{\"step\": \"S999\"}", "\\\"S999\\\" is no step" },
	{ "{\"step\": \"\"}", "must not be empty" },
	{ "{\"step\": \"\\u001b[2J\"}", "is no step" },
	{ "{\"step\": 407}", "must be a string" },
	{ "{}", "the field \\\"step\\\"" },
	{ "[\"S407\"]", "JSON object" },
	{ "{\"step\": \"S407\", \"step\": \"S408\"}", "duplicate" },
};

START_TEST(a_step_that_is_none_is_told)
{
	ck_assert_int_eq(post("/v1/until", bad_steps[_i].body), 400);
	has(&guest, bad_steps[_i].error);
	ck_assert_int_eq(asked.n, 0);
}
END_TEST

START_TEST(the_runners_refusal_is_told)
{
	static const struct {
		int err, status;
	} rows[] = {
		{ EINVAL, 400 }, { EBUSY, 409 }, { ENOENT, 409 }, { EIO, 500 }
	};

	for (size_t i = 0; i < 4; i++) {
		asked.err = rows[i].err;
		asked.reason = "it runs \"already\" \xff";
		ck_assert_int_eq(post("/v1/next", "{}"), rows[i].status);
		has(&guest, "{\"error\":\"it runs \\\"already\\\" ?\"}");
	}
	asked.reason = NULL;
	ck_assert_int_eq(post("/v1/next", "{}"), 500);
	has(&guest, "{\"error\":\"Input/output error\"}");
}
END_TEST

/* --- events --- */

START_TEST(a_page_that_comes_gets_everything)
{
	show(2, 9, "");
	listen_to_events(&guest);
	has(&guest, "Content-Type: text/event-stream\r\n");
	has(&guest,
	    "event: trace\ndata: {\"from\":0,\"entries\":[{\"entry\":0},"
	    "{\"entry\":1}],\"name\":\"patent\",\"steps\":[\"S401\"],"
	    "\"live\":{\"state\":\"held\"},\"result\":\"\"}\n\n");
	ck_assert_uint_eq(sim_web_client_count(web), 1);
}
END_TEST

START_TEST(only_what_has_changed_is_sent)
{
	show(2, 9, "");
	listen_to_events(&guest);
	listen_to_events(&other);
	ck_assert_uint_eq(sim_web_client_count(web), 2);
	forget(&guest);
	show(3, 9, "");
	wait_for(&guest,
		 "data: {\"from\":2,\"entries\":[{\"entry\":2}],\"live\"");
	wait_for(&other,
		 "data: {\"from\":2,\"entries\":[{\"entry\":2}],\"live\"");
	/* a later entry has changed an earlier one's label */
	show(4, 1, "S401");
	wait_for(&guest,
		 "data: {\"from\":1,\"entries\":[{\"entry\":1,\"label\":"
		 "\"S401\"},{\"entry\":2},{\"entry\":3}],\"live\"");
	ck_assert_ptr_null(strstr(guest.text, "steps"));
	/* fewer */
	show(1, 9, "");
	wait_for(&guest, "data: {\"from\":1,\"entries\":[],\"live\"");
}
END_TEST

/* The id of an event is that of the page with the same data */
START_TEST(the_page_knows_which_event_it_has)
{
	char id[64] = "";

	show(2, 9, "");
	listen_to_events(&other);
	ck_assert_int_eq(sscanf(strstr(other.text, "id: "), "id: %63s", id), 1);
	(void)ask(HEAD("GET /") "\r\n");
	has(&guest, id);
}
END_TEST

static bool is_alone(const void *arg)
{
	(void)arg;

	return !sim_web_client_count(web);
}

START_TEST(a_page_that_goes_is_forgotten)
{
	listen_to_events(&guest);
	leave(&guest);
	ck_assert(loop_run_until(loop, is_alone, NULL, PATIENCE_MS));
}
END_TEST

/* For longer than a request may take */
START_TEST(a_page_that_is_still_there_is_told_so)
{
	shorten("web-idle=50ms");
	shorten("web-keep-alive=50ms");
	listen_to_events(&guest);
	for (int i = 0; i < 3; i++) {
		wait_for(&guest, "\n: still here\n\n");
		forget(&guest);
		show(i, 9, "");
		wait_for(&guest, "data: ");
	}
}
END_TEST

static int connect_blind(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct addr addr;

	ck_assert(!addr_parse(&addr, at));
	ck_assert(!connect(fd, (struct sockaddr *)&addr.ss, addr.len));

	return fd;
}

static bool has_client(const void *arg)
{
	(void)arg;

	return sim_web_client_count(web) == 2;
}

/* What it is sent stays within a bound; others go on */
START_TEST(a_page_that_does_not_read_is_dropped)
{
	enum { PIECE = 256 << 10, PIECES_MAX = 64 };
	char *text = with_address(HEAD("GET /events") "\r\n");
	char *label = xcalloc(1, PIECE + 1);
	int fd = connect_blind(), n = 0;

	ck_assert_int_eq(send(fd, text, strlen(text), 0), (int)strlen(text));
	listen_to_events(&guest);
	ck_assert(loop_run_until(loop, has_client, NULL, PATIENCE_MS));
	while (sim_web_client_count(web) == 2 && n < PIECES_MAX) {
		memset(label, 'a' + n++ % 2, PIECE);
		forget(&guest);
		show(1, 0, label);
		wait_for(&guest, "\n\n");
	}
	ck_assert_uint_eq(sim_web_client_count(web), 1);
	/* the kernel's buffers, and ours */
	ck_assert_int_gt(n, 4);
	close(fd);
	free(text);
	free(label);
}
END_TEST

/* One more request a turn, until the other end has closed */
static bool is_dropped(const void *arg)
{
	char *text = with_address(HEAD("GET /") "\r\n");
	ssize_t n = send(*(const int *)arg, text, strlen(text),
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	free(text);

	return n < 0 && errno != EAGAIN;
}

START_TEST(who_asks_and_does_not_read_is_dropped)
{
	int fd = connect_blind();

	ck_assert(loop_run_until(loop, is_dropped, &fd, PATIENCE_MS));
	close(fd);
}
END_TEST

/* --- silence --- */

START_TEST(a_request_that_is_not_finished_is_given_up)
{
	shorten("web-idle=50ms");
	tx_text(&guest, "GET / HTTP/1.1\r\nHost:");
	wait_for(&guest, "HTTP/1.1 408 ");
	ck_assert(loop_run_until(loop, has_closed, &guest, PATIENCE_MS));
}
END_TEST

START_TEST(a_silent_connection_is_closed)
{
	shorten("web-idle=50ms");
	(void)ask(HEAD("GET /") "\r\n");
	ck_assert(loop_run_until(loop, has_closed, &guest, PATIENCE_MS));
}
END_TEST

START_TEST(there_is_a_bound_on_connections)
{
	enum { MAX = 64 };
	struct guest many[MAX] = { { .len = 0 } };

	for (size_t i = 0; i < MAX; i++) {
		tx_text(&many[i], "GET /x HTTP/1.1\r\nHost: @\r\n\r\n");
		wait_for(&many[i], "404");
	}
	ck_assert_int_eq(ask(HEAD("GET /") "\r\n"), 503);
	has(&guest, "too many connections");
	ck_assert(loop_run_until(loop, has_closed, &guest, PATIENCE_MS));
	for (size_t i = 0; i < MAX; i++)
		leave(&many[i]);
}
END_TEST

static void add_requests(Suite *s)
{
	TCase *tc = tcase_create("requests");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, it_is_refused, 0,
			    sizeof(refusals) / sizeof(*refusals));
	tcase_add_test(tc, a_nul_in_the_head_is_refused);
	tcase_add_test(tc, a_header_of_64_kb_is_refused);
	tcase_add_test(tc, nothing_is_answered_behind_what_cannot_be_read);
	tcase_add_test(tc, each_of_our_names_is_right);
	tcase_add_test(tc, the_page_has_the_data_of_now);
	tcase_add_test(tc, the_page_is_live_before_anything_is_shown);
	tcase_add_test(tc, a_link_from_another_site_leads_to_the_page);
	tcase_add_test(tc, every_answer_is_for_our_page_alone);
	tcase_add_test(tc, the_capture_is_the_runs);
	tcase_add_test(tc, requests_follow_one_another);
	tcase_add_test(tc, a_command_reaches_the_runner);
	tcase_add_test(tc, sec_fetch_site_proves_our_page_too);
	tcase_add_loop_test(tc, a_step_that_is_none_is_told, 0,
			    sizeof(bad_steps) / sizeof(*bad_steps));
	tcase_add_test(tc, the_runners_refusal_is_told);
	suite_add_tcase(s, tc);
}

static Suite *suite(void)
{
	Suite *s = suite_create("sim_web");
	TCase *tc = tcase_create("listening");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, it_listens_for_this_machine_alone, 0,
			    sizeof(foreign) / sizeof(*foreign));
	tcase_add_test(tc, a_text_that_is_no_address_is_told);
	tcase_add_test(tc, a_port_in_use_is_told);
	tcase_add_test(tc, it_listens_at_another_loopback_address);
	tcase_add_test(tc, a_peer_is_of_this_machine_or_not);
	suite_add_tcase(s, tc);

	add_requests(s);

	tc = tcase_create("events");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_page_that_comes_gets_everything);
	tcase_add_test(tc, only_what_has_changed_is_sent);
	tcase_add_test(tc, the_page_knows_which_event_it_has);
	tcase_add_test(tc, a_page_that_goes_is_forgotten);
	tcase_add_test(tc, a_page_that_is_still_there_is_told_so);
	tcase_add_test(tc, a_page_that_does_not_read_is_dropped);
	tcase_add_test(tc, who_asks_and_does_not_read_is_dropped);
	suite_add_tcase(s, tc);

	tc = tcase_create("silence");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_request_that_is_not_finished_is_given_up);
	tcase_add_test(tc, a_silent_connection_is_closed);
	tcase_add_test(tc, there_is_a_bound_on_connections);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
