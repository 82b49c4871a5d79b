#include "tests/fake/dissect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/mem.h"
#include "tests/fake/proc.h"
#include "tests/patience.h"

struct dissect dissect;

static void expect_not(const char *text, const char *needle)
{
	const char *at = strstr(text, needle);

	ck_assert_msg(!at, "%.300s", at);
}

void dissect_play(const char *name, const char *kind)
{
	char *file = xasprintf("scenarios/%s.lua", name);
	const char *argv[] = { PROC_SIPSHARE, "run",       file, "--runs",
			       temp_dir(),    "--capture", kind, NULL };
	struct proc run;
	int code;

	proc_start(&run, argv);
	code = proc_wait_end(&run, PATIENCE_MS);
	ck_assert_msg(code == 0, "exit %d:\n…%s", code,
		      run.text + (run.len > 1500 ? run.len - 1500 : 0));
	/* down to the DPA that ends the last connection (RFC 6733 5.4) */
	expect_not(run.text, "(lost)");
	expect_not(run.text, "capture.pcapng is not whole");
	free(run.text);
	free(file);
	dissect.folder = xasprintf("%s/%s", temp_dir(), name);
	dissect.capture = xasprintf("%s/capture.pcapng", dissect.folder);
}

void dissect_forget(void)
{
	free(dissect.capture);
	free(dissect.folder);
	dissect = (struct dissect){ NULL, NULL };
}

const char *dissect_args(const char *const *args)
{
	const char *argv[40] = { "tshark", "-r", dissect.capture };
	static struct proc tshark;
	int n = 3, code;

	while (*args)
		argv[n++] = *args++;
	free(tshark.text);
	proc_start(&tshark, argv);
	code = proc_wait_end(&tshark, PATIENCE_MS);
	ck_assert_msg(code == 0, "tshark: exit %d:\n%.1500s", code,
		      tshark.text);

	return tshark.text;
}

void dissect_none(const char *filter)
{
	const char *text = DISSECT("-Y", filter, "-T", "fields", "-e",
				   "frame.number", "-e", "frame.protocols");

	/* tshark warns about root on its first line; frames begin so */
	for (const char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		ck_assert_msg(*p < '0' || *p > '9', "%s:\n%.1500s", filter,
			      text);
	}
}

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

void dissect_sequence(void)
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
		ck_assert_msg(p != NULL, "no %s (%s) in:\n%.1500s",
			      sequence[i].step, sequence[i].fields, text);
		p = strchr(p, '\n');
		p += p != NULL;
	}
}
