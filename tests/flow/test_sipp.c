/* A client that no one here wrote: SIPp registers a user that the command
 * line provisioned, over UDP, then over TCP */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

enum { UP_MS = 20000, SIPP_MS = 20000 };

static struct {
	struct proc proc;
	json_t *up;
	char *csv;
} t;

/* NUMBER SIP-URI PASSWORD of each user becomes SIPp's CSV */
static void write_csv(void)
{
	const char *path = json_string_value(json_object_get(t.up, "accounts"));
	FILE *in, *out;
	char number[32], uri[128], password[128], line[512];
	int n = 0;

	ck_assert_msg(path != NULL, "no accounts file");
	in = fopen(path, "r");
	ck_assert_msg(in != NULL, "%s cannot be read", path);
	t.csv = xasprintf("%s/users.csv", temp_dir());
	out = fopen(t.csv, "w");
	ck_assert_ptr_nonnull(out);
	fputs("SEQUENTIAL\n", out);
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%31s %127s %127s", number, uri, password) !=
			    3 ||
		    line[0] == '#')
			continue;
		fprintf(out,
			"%s;ims.test;[authentication username=%s "
			"password=%s];\n",
			number, uri + 4, password);
		n++;
	}
	fclose(in);
	fclose(out);
	ck_assert_int_eq(n, 3);
}

static void up(void)
{
	const char *argv[] = { PROC_SIPSHARE,
			       "up",
			       "--json",
			       "--users",
			       "+8657110000001-+8657110000003",
			       "--runs",
			       temp_dir(),
			       NULL };

	proc_start(&t.proc, argv);
	ck_assert_msg(proc_wait_text(&t.proc, "}\n", UP_MS), "not up:\n%s",
		      t.proc.text);
	t.up = proc_json(&t.proc, "{");
	write_csv();
}

static void down(void)
{
	ck_assert_int_eq(proc_stop(&t.proc, SIGINT), 0);
	json_decref(t.up);
	free(t.csv);
	free(t.proc.text);
}

static void sipp(const char *transport)
{
	const json_t *pcscf =
		json_object_get(json_object_get(t.up, "elements"), "pcscf");
	const char *addr = json_string_value(json_object_get(pcscf, "sip"));
	/* an address of the run's own network, so that no port is shared */
	char *local = xasprintf(
		"%.*s.9.1", (int)(strchr(strchr(addr, '.') + 1, '.') - addr),
		addr);
	const char *argv[] = { "sipp",     addr,
			       "-sf",      "tests/data/sipp_register.xml",
			       "-inf",     t.csv,
			       "-i",       local,
			       "-t",       transport,
			       "-m",       "3",
			       "-r",       "50",
			       "-nostdin", "-timeout",
			       "15s",      "-timeout_error",
			       NULL };
	struct proc p;
	int code;

	proc_start(&p, argv);
	code = proc_wait_end(&p, SIPP_MS);
	ck_assert_msg(code == 0, "sipp -t %s: exit %d:\n%s", transport, code,
		      p.text);
	free(p.text);
	free(local);
}

START_TEST(sipp_registers_over_udp)
{
	sipp("u1");
}
END_TEST

START_TEST(sipp_registers_over_tcp)
{
	sipp("t1");
}
END_TEST

static Suite *sipp_suite(void)
{
	Suite *suite = suite_create("sipp");
	TCase *tc = tcase_create("sipshare up");

	tcase_add_unchecked_fixture(tc, up, down);
	tcase_set_timeout(tc, 40);
	tcase_add_test(tc, sipp_registers_over_udp);
	tcase_add_test(tc, sipp_registers_over_tcp);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(sipp_suite)
