/* A foreign dissector's view of capture.pcapng: tshark sees the patent's
 * sequence in SIP, Diameter, HTTP and SOAP, in order, and nothing malformed */
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

enum { RUN_MS = 60000 };

static struct proc tshark;
static char *capture;

/* Plays the scenario once for all tests of the case */
static void play(const char *name)
{
	char *file = xasprintf("scenarios/%s.lua", name);
	const char *argv[] = { PROC_SIPSHARE, "run",      file,
			       "--runs",      temp_dir(), NULL };
	struct proc run;
	int code;

	proc_start(&run, argv);
	code = proc_wait_end(&run, RUN_MS);
	ck_assert_msg(code == 0, "exit %d:\n…%s", code,
		      run.text + (run.len > 1500 ? run.len - 1500 : 0));
	/* down to the DPA that ends the last connection (RFC 6733 5.4) */
	ck_assert_msg(!strstr(run.text, "(lost)"), "%s", run.text);
	free(run.text);
	free(file);
	capture = xasprintf("%s/%s/capture.pcapng", temp_dir(), name);
}

static void play_patent(void)
{
	play("patent");
}

static void play_call(void)
{
	play("call");
}

static void forget(void)
{
	free(capture);
}

static const char *dissect(const char *const *args)
{
	const char *argv[40] = { "tshark", "-r", capture };
	int n = 3, code;

	while (*args)
		argv[n++] = *args++;
	proc_start(&tshark, argv);
	code = proc_wait_end(&tshark, RUN_MS);
	ck_assert_msg(code == 0, "tshark: exit %d:\n%s", code, tshark.text);

	return tshark.text;
}

#define DISSECT(...) dissect((const char *const[]){ __VA_ARGS__, NULL })

START_TEST(nothing_is_malformed)
{
	const char *text = DISSECT("-Y", "_ws.malformed", "-T", "fields", "-e",
				   "frame.number", "-e", "frame.protocols");

	/* tshark warns about root on its first line; frames begin so */
	for (const char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		ck_assert_msg(*p < '0' || *p > '9', "malformed:\n%s", text);
	}
	free(tshark.text);
}
END_TEST

/** What must come, each after the one before it. Fields: SIP method, status,
 * CSeq's method, Diameter command and request flag, HTTP method, path, status;
 * those that a message has not are empty */
static const struct {
	const char *fields, *step;
} sequence[] = {
	{ "|||||POST|/provisioning|", "S401 SOAP" },
	{ "|||||PUT|/v1/pool|", "S401 to the platform" },
	{ "|||||POST|/v1/login|", "S402" },
	{ "|||||POST|/v1/sip-uri|", "S403" },
	{ "|||||POST|/v1/leases|", "S404" },
	{ "|||||||201", "S406" },
	{ "|||||||200", "S407" },
	{ "REGISTER||REGISTER|||||", "S501" },
	{ "REGISTER||REGISTER|||||", "S502" },
	{ "|||300|1|||", "S503" },
	{ "|||300|0|||", "S504" },
	{ "REGISTER||REGISTER|||||", "S505" },
	{ "|||303|1|||", "S506" },
	{ "|||303|0|||", "S507" },
	{ "|401|REGISTER|||||", "S508" },
	{ "|401|REGISTER|||||", "S509" },
	{ "|401|REGISTER|||||", "S510" },
	{ "REGISTER||REGISTER|||||", "S511" },
	{ "REGISTER||REGISTER|||||", "S512" },
	{ "|||300|1|||", "S513" },
	{ "|||300|0|||", "S514" },
	{ "REGISTER||REGISTER|||||", "S515" },
	{ "|||301|1|||", "S516 SAR" },
	{ "|||301|0|||", "S516 SAA" },
	{ "|200|REGISTER|||||", "S517" },
	{ "|200|REGISTER|||||", "S518" },
	{ "|200|REGISTER|||||", "S519" },
	{ "|||||POST|/v1/release|", "S409" },
	{ "|||||DELETE|/v1/leases/", "S410" },
	{ "|||||||200", "S411" },
	{ "|||||||200", "S412" },
	{ "REGISTER||REGISTER|||||", "S413" },
	{ "|200|REGISTER|||||", "S414" },
};

/* The next line at or after p that begins with the fields; NULL if none */
static const char *find_line(const char *p, const char *fields)
{
	size_t len = strlen(fields);

	while (p && *p) {
		const char *end = strchr(p, '\n');

		if (!strncmp(p, fields, len))
			return p;
		p = end ? end + 1 : NULL;
	}

	return NULL;
}

START_TEST(sequence_is_seen_in_order)
{
	const char *text =
		DISSECT("-T", "fields", "-E", "separator=|", "-e", "sip.Method",
			"-e", "sip.Status-Code", "-e", "sip.CSeq.method", "-e",
			"diameter.cmd.code", "-e", "diameter.flags.request",
			"-e", "http.request.method", "-e", "http.request.uri",
			"-e", "http.response.code");
	const char *p = text;

	for (size_t i = 0; i < sizeof(sequence) / sizeof(sequence[0]); i++) {
		p = find_line(p, sequence[i].fields);
		ck_assert_msg(p != NULL, "no %s (%s) in:\n%s", sequence[i].step,
			      sequence[i].fields, text);
		p = strchr(p, '\n');
		p += p != NULL;
	}
	free(tshark.text);
}
END_TEST

/* S501 to S519 have their addresses, so that columns mean something */
START_TEST(addresses_are_those_of_distinct_elements)
{
	const char *text =
		DISSECT("-Y", "diameter.cmd.code==300", "-T", "fields", "-E",
			"separator=|", "-e", "exported_pdu.ipv4_src", "-e",
			"exported_pdu.ipv4_dst");

	ck_assert_msg(strstr(text, ".1.2|") && strstr(text, ".1.4"),
		      "I-CSCF and HSS are not told apart:\n%s", text);
	free(tshark.text);
}
END_TEST

START_TEST(names_inside_are_read)
{
	const char *text = DISSECT("-Y", "diameter.Public-Identity", "-T",
				   "fields", "-e", "diameter.Public-Identity");

	ck_assert_ptr_nonnull(strstr(text, "sip:+86"));
	free(tshark.text);
	text = DISSECT("-Y", "xml", "-T", "fields", "-e", "frame.protocols");
	ck_assert_ptr_nonnull(strstr(text, "xml"));
	free(tshark.text);
	text = DISSECT("-Y", "json", "-T", "fields", "-e", "frame.protocols");
	ck_assert_ptr_nonnull(strstr(text, "json"));
	free(tshark.text);
}
END_TEST

/* Where each message of a kind went, hop by hop: the last two numbers of the
 * addresses, 3.1 the terminal, 1.1 P-CSCF, 1.3 S-CSCF, 2.1 AS */
static void assert_hops(const char *filter, const char *expected)
{
	const char *text =
		DISSECT("-Y", filter, "-T", "fields", "-E", "separator=|", "-e",
			"exported_pdu.ipv4_src", "-e", "exported_pdu.ipv4_dst");
	const char *p = strstr(text, "127.");
	char hops[256] = "";
	size_t len = 0;
	int a, b, c, d, end;

	while (p && len < strlen(expected) &&
	       sscanf(p, "127.%*d.%d.%d|127.%*d.%d.%d%n", &a, &b, &c, &d,
		      &end) == 4) {
		len += (size_t)snprintf(hops + len, sizeof(hops) - len,
					"%d.%d>%d.%d ", a, b, c, d);
		p = strstr(p + end, "127.");
	}
	ck_assert_msg(!strncmp(hops, expected, strlen(expected)),
		      "%s went\n%s, not\n%s", filter, hops, expected);
	free(tshark.text);
}

/* RFC 3261 12.2.1.1: along what the Record-Routes of the dialog say, through
 * the AS, which stands between two dialogs */
START_TEST(requests_of_a_dialog_follow_the_route_set)
{
	static const char route[] = "3.1>1.1 1.1>1.3 1.3>2.1 2.1>1.3 1.3>1.1 "
				    "1.1>3.1 ";

	assert_hops("sip.Method==ACK", route);
	assert_hops("sip.Method==BYE", route);
}
END_TEST

/* [0112] */
START_TEST(called_side_is_shown_the_real_number)
{
	const char *text = DISSECT(
		"-Y", "sip.Method==INVITE && sip.Via", "-T", "fields", "-E",
		"separator=|", "-e", "exported_pdu.ipv4_dst", "-e",
		"sip.from.display.info", "-e", "sip.P-Asserted-Identity");
	const char *shown = ".3.1|\"+8613800138000\"|";
	const char *to_ue = strstr(text, ".3.1|");

	ck_assert_msg(to_ue && !strncmp(to_ue, shown, strlen(shown)),
		      "no real number to the called side:\n%.1500s", text);
	free(tshark.text);
}
END_TEST

static Suite *capture_suite(void)
{
	Suite *suite = suite_create("capture");
	TCase *tc = tcase_create("tshark");

	tcase_add_unchecked_fixture(tc, play_patent, forget);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, nothing_is_malformed);
	tcase_add_test(tc, sequence_is_seen_in_order);
	tcase_add_test(tc, addresses_are_those_of_distinct_elements);
	tcase_add_test(tc, names_inside_are_read);
	suite_add_tcase(suite, tc);

	tc = tcase_create("a call");
	tcase_add_unchecked_fixture(tc, play_call, forget);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, requests_of_a_dialog_follow_the_route_set);
	tcase_add_test(tc, called_side_is_shown_the_real_number);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(capture_suite)
