/* From an element's trace over its control channel to what a run leaves: a
 * message comes through with its exact bytes, whatever they are */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/ctl.h"
#include "common/loop.h"
#include "common/trace.h"
#include "sim/sim_label.h"
#include "sim/sim_ladder.h"
#include "sim/sim_pcapng.h"
#include "tests/suite.h"

static const char message[] =
	"REGI\0STER sip:ims.test SIP/2.0\r\nTo: <sip:a\0b@ims.test>\r\n"
	"Call-ID: 1\0\r\nCSeq: 1 REGISTER\r\n\r\n\0\0";
enum { MESSAGE_LEN = sizeof(message) - 1 };

static struct {
	struct loop *loop;
	struct ctl *runner, *element;
	struct trace *trace;
	struct sim_trace *collected;
	struct sim_label *labels;
	int lines;
} t;

static void to_channel(const char *line, size_t len, void *arg)
{
	ctl_tx_line(arg, "trace", line, len);
}

static void on_line(json_t *msg, void *arg)
{
	(void)arg;
	ck_assert_int_eq(
		sim_trace_add(t.collected, json_object_get(msg, "trace")), 0);
	t.lines++;
}

static bool has_line(const void *arg)
{
	(void)arg;

	return t.lines > 0;
}

static void setup(void)
{
	const struct trace_msg msg = { .proto = TRACE_SIP,
				       .dir = TRACE_RECV,
				       .transport = "udp",
				       .local = "127.0.0.1:5060",
				       .remote = "127.0.0.2:5060",
				       .data = message,
				       .len = MESSAGE_LEN };
	int fds[2];

	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	t.runner = ctl_new(t.loop, fds[0]);
	t.element = ctl_new(t.loop, fds[1]);
	ctl_on_line(t.runner, on_line, NULL);
	t.collected = sim_trace_new();
	t.trace = trace_new("pcscf");
	trace_set_sink(t.trace, to_channel, t.element);
	trace_message(t.trace, &msg);
	ck_assert_msg(loop_run_until(t.loop, has_line, NULL, PATIENCE_MS),
		      "the message is lost on the channel");
	sim_trace_finish(t.collected);
	t.labels = sim_label_new(t.collected);
}

static void teardown(void)
{
	sim_label_free(t.labels);
	sim_trace_free(t.collected);
	trace_free(t.trace);
	ctl_free(t.runner);
	ctl_free(t.element);
	loop_free(t.loop);
}

START_TEST(the_jsonl_has_a_nul_byte_escaped)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	json_t *line;

	ck_assert_int_eq(sim_label_write_jsonl(t.labels, f), 0);
	fclose(f);
	ck_assert_uint_eq(strlen(text), len);
	ck_assert_ptr_nonnull(strstr(text, "REGI\\u0000STER"));
	line = json_loads(text, JSON_ALLOW_NUL, NULL);
	ck_assert_mem_eq(json_string_value(json_object_get(line, "text")),
			 message, MESSAGE_LEN);
	json_decref(line);
	free(text);
}
END_TEST

START_TEST(the_ladder_shows_a_nul_byte_and_no_register)
{
	const struct sim_ladder_cfg cfg = { .width = 120 };
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	sim_ladder_print(t.labels, &cfg, f);
	fclose(f);
	ck_assert_uint_eq(strlen(text), len);
	ck_assert_ptr_nonnull(strstr(text, "REGI\\x00STER"));
	ck_assert_ptr_null(sim_label_step(t.labels, 0));
	free(text);
}
END_TEST

START_TEST(the_capture_has_the_bytes_as_they_came)
{
	char *data = NULL;
	size_t len;
	FILE *f = open_memstream(&data, &len);

	ck_assert_int_eq(sim_pcapng_write(t.collected, 0, f), 0);
	fclose(f);
	ck_assert_ptr_nonnull(memmem(data, len, message, MESSAGE_LEN));
	free(data);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("trace_channel");
	TCase *tc = tcase_create("a NUL byte");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_jsonl_has_a_nul_byte_escaped);
	tcase_add_test(tc, the_ladder_shows_a_nul_byte_and_no_register);
	tcase_add_test(tc, the_capture_has_the_bytes_as_they_came);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
