/* sipshare run --capture wire: tshark, given no key and no option, sees the
 * patent's sequence in packets, HTTPS in clear, each packet once; the keys are
 * in the capture alone. Where packets may not be captured, its refusal. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/prctl.h>

#include "common/mem.h"
#include "tests/fake/dissect.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

enum { LINES_MAX = 4096 };

static void play_patent(void)
{
	dissect_play("patent", "wire");
}

static void play_call(void)
{
	dissect_play("call", "wire");
}

static void play_messages(void)
{
	dissect_play("patent", "messages");
}

START_TEST(nothing_is_malformed_or_missing)
{
	dissect_none("_ws.malformed || tcp.analysis.lost_segment || "
		     "tcp.analysis.ack_lost_segment");
}
END_TEST

START_TEST(sequence_is_seen_in_order)
{
	dissect_sequence();
}
END_TEST

/* Frames are told apart by layers */
static void expect_layers(const char *layers)
{
	const char *text = DISSECT("-T", "fields", "-e", "frame.protocols");
	char *line = xasprintf("\n%s\n", layers);

	ck_assert_msg(strstr(text, line) != NULL, "no %s in:\n%.1500s", layers,
		      text);
	free(line);
}

START_TEST(https_is_in_clear_inside_tls)
{
	const char *text = DISSECT("-Y", "tls && http.request", "-T", "fields",
				   "-e", "http.request.uri");

	ck_assert_msg(strstr(text, "\n/v1/login\n") != NULL, "%.1500s", text);
	dissect_none("http && !tls");
}
END_TEST

START_TEST(sip_goes_by_udp_and_diameter_by_tcp)
{
	expect_layers("eth:ethertype:ip:udp:sip");
	expect_layers("eth:ethertype:ip:tcp:diameter");
	dissect_none("(sip || diameter) && tls");
}
END_TEST

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* At lo each packet passes twice. TCP's own repetitions are packets of their
 * own, with another identification (RFC 6864): the kernel does so, when a peer
 * is slow on a busy machine */
START_TEST(no_packet_is_seen_twice)
{
	const char *text = DISSECT("-Y", "tcp.len > 0", "-T", "fields", "-E",
				   "separator=|", "-e", "ip.id", "-e", "ip.src",
				   "-e", "tcp.srcport", "-e", "ip.dst", "-e",
				   "tcp.dstport", "-e", "tcp.seq_raw");
	char *copy = xstrdup(text), *save = NULL;
	char *lines[LINES_MAX] = { NULL };
	size_t n = 0;

	for (char *l = strtok_r(copy, "\n", &save); l && n < LINES_MAX;
	     l = strtok_r(NULL, "\n", &save))
		lines[n++] = l;
	ck_assert_uint_gt(n, 50);
	qsort(lines, n, sizeof(lines[0]), by_text);
	for (size_t i = 1; i < n; i++)
		ck_assert_str_ne(lines[i - 1], lines[i]);
	free(copy);
}
END_TEST

START_TEST(sound_of_the_call_is_among_the_packets)
{
	dissect_none("_ws.malformed");
	expect_layers("eth:ethertype:ip:udp:rtp");
}
END_TEST

/* The files of the run's folder that hold the text, a line each */
static char *files_with(const char *text)
{
	const char *argv[] = {
		"grep", "-rlaF", "--", text, dissect.folder, NULL
	};
	struct proc grep;

	proc_start(&grep, argv);
	ck_assert_int_le(proc_wait_end(&grep, PATIENCE_MS), 1);

	return grep.text;
}

/* Of a line "CLIENT_TRAFFIC_SECRET_0 RANDOM SECRET" */
static char *find_secret(void)
{
	static const char label[] = "CLIENT_TRAFFIC_SECRET_0 ";
	FILE *f = fopen(dissect.capture, "re");
	char *line = NULL, *secret;
	const char *p = NULL;
	size_t room = 0;

	ck_assert_ptr_nonnull(f);
	while (!p && getline(&line, &room, f) >= 0)
		p = strstr(line, label);
	fclose(f);
	ck_assert_msg(p != NULL, "no %s in %s", label, dissect.capture);
	p = strrchr(p, ' ') + 1;
	secret = xstrndup(p, strcspn(p, "\n"));
	ck_assert_uint_ge(strlen(secret), 64);
	free(line);

	return secret;
}

static void expect_only_in_capture(const char *text)
{
	char *files = files_with(text);
	char *expected = xasprintf("%s\n", dissect.capture);

	ck_assert_msg(!strcmp(files, expected), "%.1500s", files);
	free(expected);
	free(files);
}

START_TEST(keys_are_in_the_capture_and_nowhere_else)
{
	char *secret = find_secret();

	expect_only_in_capture(secret);
	expect_only_in_capture("TRAFFIC_SECRET_0");
	free(secret);
}
END_TEST

START_TEST(no_key_is_left_unless_packets_are_captured)
{
	char *files = files_with("TRAFFIC_SECRET_0");

	ck_assert_str_eq(files ? files : "", "");
	free(files);
	files = files_with("tls-secrets");
	ck_assert_str_eq(files ? files : "", "");
	free(files);
}
END_TEST

/* Also as root: what is executed does not get the capability */
START_TEST(without_the_right_it_is_refused_before_anything_starts)
{
	const char *argv[] = { PROC_SIPSHARE,        "run",       "--runs",
			       temp_dir(),           "--capture", "wire",
			       "scenarios/fig1.lua", NULL };
	char *made = xasprintf("%s/fig1", temp_dir());
	struct proc run;

	(void)prctl(PR_CAPBSET_DROP, CAP_NET_RAW, 0, 0, 0);
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	proc_start(&run, argv);
	ck_assert_int_eq(proc_wait_end(&run, PATIENCE_MS), 2);
	ck_assert_msg(strstr(run.text, "sipshare run: --capture wire: "
				       "capturing packets needs CAP_NET_RAW"),
		      "%s", run.text);
	ck_assert_int_eq(access(made, F_OK), -1);
	free(run.text);
	free(made);
}
END_TEST

START_TEST(another_word_for_a_capture_is_refused)
{
	const char *argv[] = { PROC_SIPSHARE,        "run", "--capture", "both",
			       "scenarios/fig1.lua", NULL };
	struct proc run;

	proc_start(&run, argv);
	ck_assert_int_eq(proc_wait_end(&run, PATIENCE_MS), 2);
	ck_assert_msg(strstr(run.text, "--capture both: must be messages or "
				       "wire"),
		      "%s", run.text);
	free(run.text);
}
END_TEST

/* As sipshare itself says it, before there is a test that could fail */
static bool may_capture(void)
{
	char *command = xasprintf("%s doctor", PROC_SIPSHARE);
	FILE *p = popen(command, "r"); /* NOLINT(cert-env33-c): a test */
	char line[1024];
	bool may = false;

	while (p && fgets(line, sizeof(line), p))
		may = may || strstr(line, "packets can be captured");
	if (p)
		(void)pclose(p);
	free(command);

	return may;
}

static void add_captures(Suite *suite)
{
	TCase *tc = tcase_create("the patent's sequence");

	tcase_add_unchecked_fixture(tc, play_patent, dissect_forget);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, nothing_is_malformed_or_missing);
	tcase_add_test(tc, sequence_is_seen_in_order);
	tcase_add_test(tc, https_is_in_clear_inside_tls);
	tcase_add_test(tc, sip_goes_by_udp_and_diameter_by_tcp);
	tcase_add_test(tc, no_packet_is_seen_twice);
	tcase_add_test(tc, keys_are_in_the_capture_and_nowhere_else);
	suite_add_tcase(suite, tc);

	tc = tcase_create("a call");
	tcase_add_unchecked_fixture(tc, play_call, dissect_forget);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, sound_of_the_call_is_among_the_packets);
	suite_add_tcase(suite, tc);
}

static Suite *capture_wire_suite(void)
{
	Suite *suite = suite_create("capture_wire");
	TCase *tc = tcase_create("refusals");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc,
		       without_the_right_it_is_refused_before_anything_starts);
	tcase_add_test(tc, another_word_for_a_capture_is_refused);
	suite_add_tcase(suite, tc);

	tc = tcase_create("messages");
	tcase_add_unchecked_fixture(tc, play_messages, dissect_forget);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, no_key_is_left_unless_packets_are_captured);
	suite_add_tcase(suite, tc);

	if (may_capture())
		add_captures(suite);
	else
		puts("packets may not be captured here: only the refusal of it "
		     "is tested");

	return suite;
}

SUITE_MAIN(capture_wire_suite)
