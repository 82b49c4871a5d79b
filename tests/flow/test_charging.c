/* What runs over the real processes leave to charge by: cdr.csv and the bill
 * ([0087]) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

#define ALICE "+8613800138000"

enum { BOUND_MS = 30000, CSV_MAX = 16384 };

static struct proc run;

/* Play scenarios/NAME.lua to its end; text is the run's cdr.csv */
static void play(const char *name, const char *set, char text[static CSV_MAX])
{
	const char *dir = temp_dir();
	char *file = xasprintf("scenarios/%s.lua", name);
	char *csv = xasprintf("%s/%s/cdr.csv", dir, name);
	size_t n;
	FILE *f;

	proc_start(&run, (const char *[]){ PROC_SIPSHARE, "run", "--no-colour",
					   "--quiet", "--runs", dir, file,
					   set ? "--set" : NULL, set, NULL });
	ck_assert_msg(proc_wait_end(&run, BOUND_MS) == 0, "%s", run.text);
	f = fopen(csv, "re");
	ck_assert_msg(f, "there is no %s", csv);
	n = fread(text, 1, CSV_MAX - 1, f);
	text[n] = '\0';
	fclose(f);
	free(csv);
	free(file);
}

/* Records that hold needle */
static int count(const char *text, const char *needle)
{
	int n = 0;

	while ((text = strstr(text, needle))) {
		text += strlen(needle);
		n++;
	}

	return n;
}

static const struct {
	const char *name, *set, *needle;
	int n;
} records[] = {
	{ "spoofed-number", "refuse=no", ",normal,200,", 2 },
	{ "spoofed-number", "refuse=yes", ",0,refused-403,403,", 1 },
	{ "lease-limit", NULL, ",lease-limit,200,", 1 },
	{ "crash-as-call", NULL, ",as-restart,200,", 1 },
	{ "call-end-timer", NULL, "," ALICE ",", 1 },
};

START_TEST(a_call_leaves_a_record_under_the_real_number)
{
	char text[CSV_MAX];
	char *billed;

	play(records[_i].name, records[_i].set, text);
	ck_assert_msg(count(text, records[_i].needle) == records[_i].n, "%s",
		      text);
	/* lease, SIP-URI, real number: the caller's */
	ck_assert_int_gt(count(text, "@ims.test," ALICE ",sip:"), 0);
	billed = strstr(run.text, "Bill  ");
	ck_assert_msg(billed && strstr(billed, "\n" ALICE " "), "%s", run.text);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("charging");
	TCase *tc = tcase_create("records");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_call_leaves_a_record_under_the_real_number, 0,
			    sizeof(records) / sizeof(*records));
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
