#include "sim/sim_pcapng.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "tests/fake/fake_trace.h"
#include "tests/suite.h"

static char path[] = "/tmp/sipshare-pcapng-XXXXXX";

static void make_path(void)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void remove_path(void)
{
	unlink(path);
}

static void write_capture(json_t *lines)
{
	struct sim_trace *tr = fake_trace_load(lines);
	FILE *f = fopen(path, "we");

	/* 2023-11-14 22:13:20 UTC, when the trace's clock was 0 */
	ck_assert_int_eq(sim_pcapng_write(tr, 1700000000000000, f), 0);
	fclose(f);
	sim_trace_free(tr);
}

/* What a foreign dissector makes of the file; the caller's to free */
static char *tshark(const char *args)
{
	char *command = xasprintf("tshark -r %s %s 2>/dev/null", path, args);
	FILE *f = popen(command, "r"); /* NOLINT(cert-env33-c): a test */
	size_t room = 1 << 20, len;
	char *text = xcalloc(1, room);

	ck_assert_ptr_nonnull(f);
	len = fread(text, 1, room - 1, f);
	text[len] = '\0';
	ck_assert_int_eq(pclose(f), 0);
	free(command);

	return text;
}

static void check_tshark(const char *args, const char *expected)
{
	char *text = tshark(args);

	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(a_foreign_dissector_finds_nothing_malformed)
{
	char *text;

	write_capture(fake_trace_patent(NULL, NULL));
	check_tshark("-Y _ws.malformed", "");
	check_tshark("-Y '_ws.expert.severity >= 6291456'", ""); /* warnings */
	text = tshark("-T fields -e frame.number");
	/* the script without its four events */
	ck_assert_ptr_nonnull(strstr(text, "\n46\n"));
	ck_assert_ptr_null(strstr(text, "\n47\n"));
	free(text);
}
END_TEST

START_TEST(sip_diameter_and_http_are_dissected_in_order)
{
	write_capture(fake_trace_patent(NULL, NULL));
	check_tshark(
		"-Y 'sip.CSeq.seq < 3' -T fields -e sip.Method -e "
		"sip.Status-Code",
		"REGISTER\t\nREGISTER\t\nREGISTER\t\n\t401\n\t401\n\t401\n"
		"REGISTER\t\nREGISTER\t\nREGISTER\t\n\t200\n\t200\n\t200\n");
	check_tshark("-Y diameter -T fields -e diameter.cmd.code -e "
		     "diameter.flags.request",
		     "300\t1\n300\t0\n303\t1\n303\t0\n300\t1\n300\t0\n301\t1\n"
		     "301\t0\n300\t1\n300\t0\n");
	check_tshark(
		"-Y 'diameter.Public-Identity && diameter.cmd.code == 303' "
		"-T fields -e diameter.Public-Identity",
		FAKE_IMPU "\n");
	check_tshark("-Y http.request -T fields -e http.request.method -e "
		     "http.request.uri",
		     "POST\t/provisioning\nPOST\t/provisioning\n"
		     "PUT\t/v1/pool\nPOST\t/v1/login\nPOST\t/v1/sip-uri\n"
		     "POST\t/v1/leases\nPOST\t/v1/release\n"
		     "DELETE\t/v1/leases/1\n");
}
END_TEST

START_TEST(soap_is_dissected_as_xml)
{
	write_capture(fake_trace_patent(NULL, NULL));
	check_tshark("-Y 'xml && http.request' -T fields -e http.request.uri",
		     "/provisioning\n/provisioning\n");
}
END_TEST

START_TEST(http_answers_know_their_requests)
{
	write_capture(fake_trace_patent(NULL, NULL));
	check_tshark("-Y 'http.response && !http.request_in'", "");
	check_tshark("-Y 'http.response.code == 201' -T fields -e "
		     "http.request_in -e frame.number",
		     "10\t11\n");
}
END_TEST

START_TEST(addresses_ports_and_times_are_those_of_the_trace)
{
	write_capture(fake_trace_patent(NULL, NULL));
	check_tshark("-Y 'frame.number == 1' -T fields -e ip.src -e ip.dst "
		     "-e exported_pdu.src_port -e exported_pdu.dst_port -e "
		     "frame.time_epoch",
		     "127.1.2.3\t127.1.1.4\t40004\t8443\t"
		     "1700000001.000000000\n");
}
END_TEST

START_TEST(ipv6_and_cut_messages_are_written_too)
{
	static const char sip[] =
		"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP [::1]\r\n\r\n";
	json_t *lines = json_array();

	json_array_append_new(
		lines,
		json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "t",
			  1, "actor", "pcscf", "kind", "msg", "proto", "sip",
			  "dir", "recv", "transport", "udp", "local",
			  "[::1]:5060", "remote", "[2001:db8::1]:5062", "text",
			  sip));
	json_array_append_new(
		lines,
		json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "t",
			  2, "actor", "hss", "kind", "msg", "proto", "diameter",
			  "dir", "recv", "transport", "tcp", "local",
			  "not an address", "remote", "", "hex", "0100"));
	write_capture(lines);
	check_tshark("-Y sip -T fields -e ipv6.src -e ipv6.dst -e "
		     "exported_pdu.src_port",
		     "2001:db8::1\t::1\t5062\n");
	check_tshark("-T fields -e frame.number", "1\n2\n");
}
END_TEST

START_TEST(an_empty_trace_is_a_valid_file)
{
	write_capture(json_array());
	check_tshark("", "");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("sim_pcapng");
	TCase *tc = tcase_create("tshark");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, make_path, remove_path);
	tcase_add_test(tc, a_foreign_dissector_finds_nothing_malformed);
	tcase_add_test(tc, sip_diameter_and_http_are_dissected_in_order);
	tcase_add_test(tc, soap_is_dissected_as_xml);
	tcase_add_test(tc, http_answers_know_their_requests);
	tcase_add_test(tc, addresses_ports_and_times_are_those_of_the_trace);
	tcase_add_test(tc, ipv6_and_cut_messages_are_written_too);
	tcase_add_test(tc, an_empty_trace_is_a_valid_file);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
