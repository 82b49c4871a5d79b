/* Addresses, options, trace lines, the hold queue */
#include <errno.h>
#include <string.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/hold.h"
#include "common/mem.h"
#include "common/opt.h"
#include "common/trace.h"
#include "tests/suite.h"

START_TEST(addresses_are_read_and_written_alike)
{
	static const char *const good[] = { "127.0.0.1:5060", "[::1]:5060",
					    "0.0.0.0:0", "127.9.1.4:65535" };
	char text[ADDR_TEXT_LEN];
	struct addr addr;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_int_eq(addr_parse(&addr, good[i]), 0);
		ck_assert_str_eq(addr_format(text, &addr), good[i]);
	}
	ck_assert_int_eq(addr_parse(&addr, "[::1]:5060"), 0);
	ck_assert_str_eq(addr_host(text, &addr), "::1");
	ck_assert_int_eq(addr_port(&addr), 5060);
}
END_TEST

START_TEST(bad_addresses_are_refused)
{
	static const char *const bad[] = { "",
					   ":",
					   ":5060",
					   "127.0.0.1",
					   "127.0.0.1:",
					   "1.2.3:5060",
					   "1.2.3.4:x",
					   "1.2.3.4:65536",
					   "1.2.3.4:-1",
					   "::1:5060",
					   "[::1:5060",
					   "localhost:5060",
					   "[127.0.0.1]:1",
					   "[]:1",
					   "1.2.3.4:5060 " };
	struct addr addr;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(addr_parse(&addr, bad[i]) == EINVAL, "\"%s\"",
			      bad[i]);
}
END_TEST

START_TEST(element_of_the_loopback_net_calls_from_its_own_host)
{
	char host[ADDR_TEXT_LEN];

	ck_assert_str_eq(
		addr_own_host(host, "127.1.2.1:5060", "127.1.1.4:3868"),
		"127.1.2.1");
	ck_assert_str_eq(addr_own_host(host, "127.1.2.1:5060",
				       "https://127.1.2.2:8443/x"),
			 "127.1.2.1");
	ck_assert_ptr_null(
		addr_own_host(host, "127.1.2.1:5060", "192.0.2.1:3868"));
	ck_assert_ptr_null(
		addr_own_host(host, "192.0.2.1:5060", "127.1.1.4:3868"));
}
END_TEST

static struct {
	const char *text;
	int number;
	bool flag;
	struct opt_list list;
	const char *called;
} o;

static const char *on_call(const char *value)
{
	o.called = value;

	return strcmp(value, "bad") ? NULL : "it is bad";
}

static enum opt_result parse(const char *const *words, int n, int *leftp)
{
	const struct opt opts[] = {
		{ OPT_STRING, "text", "T", "a text", &o.text, NULL, 0, 0 },
		{ OPT_INT, "number", "N", "a number", &o.number, NULL, 1, 9 },
		{ OPT_FLAG, "flag", NULL, "a flag", &o.flag, NULL, 0, 0 },
		{ OPT_LIST, "many", "M", "a list", &o.list, NULL, 0, 0 },
		{ OPT_CALL, "call", "C", "a call", NULL, on_call, 0, 0 },
		{ .type = OPT_END },
	};
	const struct opt *tables[] = { opts, NULL };
	static char *kept[16]; /* options borrow from them */
	char *argv[16] = { NULL };

	memset(&o, 0, sizeof(o));
	for (int i = 0; i < n; i++) {
		xstrset(&kept[i], words[i]);
		argv[i] = kept[i];
	}
	*leftp = n;

	return opt_parse(tables, "usage", leftp, argv);
}

#define PARSE(left, ...)                                                       \
	parse((const char *const[]){ "prog", __VA_ARGS__ },                    \
	      (int)(sizeof((const char *[]){ "prog", __VA_ARGS__ }) /          \
		    sizeof(char *)),                                           \
	      left)

START_TEST(options_are_read_from_the_table)
{
	int left;

	ck_assert_int_eq(PARSE(&left, "--text=x", "file", "--number", "7",
			       "--flag", "--many", "a", "--many", "b"),
			 OPT_OK);
	ck_assert_str_eq(o.text, "x");
	ck_assert_int_eq(o.number, 7);
	ck_assert(o.flag);
	ck_assert_int_eq(o.list.n, 2);
	ck_assert_str_eq(o.list.v[1], "b");
	ck_assert_int_eq(left, 2);
}
END_TEST

START_TEST(bad_options_are_refused)
{
	int left;

	ck_assert_int_eq(PARSE(&left, "--nonsense"), OPT_BAD);
	ck_assert_int_eq(PARSE(&left, "--text"), OPT_BAD);
	ck_assert_int_eq(PARSE(&left, "--number", "10"), OPT_BAD);
	ck_assert_int_eq(PARSE(&left, "--number", "7x"), OPT_BAD);
	ck_assert_int_eq(PARSE(&left, "--call", "bad"), OPT_BAD);
	ck_assert_int_eq(PARSE(&left, "--help"), OPT_HELP);
}
END_TEST

static char traced[1024];

static void on_line(const char *line, size_t len, void *arg)
{
	(void)arg;
	snprintf(traced, sizeof(traced), "%.*s", (int)len, line);
}

static void trace_bytes(enum trace_proto proto, const void *data, size_t len)
{
	struct trace *trace = trace_new("pcscf");
	const struct trace_msg msg = { .proto = proto,
				       .dir = TRACE_RECV,
				       .transport = "udp",
				       .local = "127.0.0.1:1",
				       .remote = "127.0.0.1:2",
				       .data = data,
				       .len = len };

	trace_set_sink(trace, on_line, NULL);
	trace_message(trace, &msg);
	trace_free(trace);
}

START_TEST(text_is_traced_as_text_and_bytes_as_hex)
{
	trace_bytes(TRACE_SIP, "a\r\n\"\x01", 5);
	ck_assert_ptr_nonnull(
		strstr(traced, "\"text\":\"a\\r\\n\\\"\\u0001\""));
	trace_bytes(TRACE_SIP, "\xff\x00z", 3);
	ck_assert_ptr_nonnull(strstr(traced, "\"hex\":\"ff007a\""));
	trace_bytes(TRACE_DIAMETER, "AB", 2);
	ck_assert_ptr_nonnull(strstr(traced, "\"hex\":\"4142\""));
}
END_TEST

START_TEST(event_cannot_overwrite_who_and_when)
{
	struct trace *trace = trace_new("hss");

	trace_set_sink(trace, on_line, NULL);
	trace_event(trace, "x",
		    json_pack("{s:s, s:i}", "actor", "liar", "n", 3));
	ck_assert_ptr_nonnull(strstr(traced, "\"actor\":\"hss\""));
	ck_assert_ptr_nonnull(strstr(traced, "\"n\":3"));
	trace_free(trace);
}
END_TEST

static char released[16];

static void on_release(bool is_dropped, void *arg)
{
	size_t len = strlen(released);

	snprintf(released + len, sizeof(released) - len, "%c%s",
		 is_dropped ? '-' : '+', (char *)arg);
}

static char a[] = "a", b[] = "b", c[] = "c";

START_TEST(messages_are_held_in_order_until_released)
{
	struct trace *trace = trace_new("x");
	struct hold *hold = hold_new(trace);

	released[0] = '\0';
	ck_assert(!hold_message(hold, "a", "127.0.0.1:1", on_release, a));
	hold_start(hold);
	ck_assert(hold_message(hold, "a", "127.0.0.1:1", on_release, a));
	ck_assert(hold_message(hold, "b", "127.0.0.1:1", on_release, b));
	ck_assert(hold_message(hold, "c", "127.0.0.1:1", on_release, c));
	ck_assert_uint_eq(hold_count(hold), 3);
	ck_assert_int_eq(hold_release(hold, 2), 0);
	ck_assert_int_eq(hold_release(hold, 2), ENOENT);
	hold_drop_of(hold, a);
	ck_assert_str_eq(released, "+b-a");
	hold_stop(hold);
	ck_assert_str_eq(released, "+b-a+c");
	ck_assert(!hold_message(hold, "a", "127.0.0.1:1", on_release, a));
	hold_start(hold);
	ck_assert(hold_message(hold, "a", "127.0.0.1:1", on_release, a));
	hold_free(hold);
	ck_assert_str_eq(released, "+b-a+c-a");
	trace_free(trace);
}
END_TEST

static Suite *basics_suite(void)
{
	Suite *suite = suite_create("basics");
	TCase *tc = tcase_create("basics");

	tcase_add_test(tc, addresses_are_read_and_written_alike);
	tcase_add_test(tc, bad_addresses_are_refused);
	tcase_add_test(tc, element_of_the_loopback_net_calls_from_its_own_host);
	tcase_add_test(tc, options_are_read_from_the_table);
	tcase_add_test(tc, bad_options_are_refused);
	tcase_add_test(tc, text_is_traced_as_text_and_bytes_as_hex);
	tcase_add_test(tc, event_cannot_overwrite_who_and_when);
	tcase_add_test(tc, messages_are_held_in_order_until_released);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(basics_suite)
