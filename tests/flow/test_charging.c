/* What runs over the real processes leave to charge by: cdr.csv and the bill
 * ([0087]) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

#define ALICE "+8613800138000"
#define CAROL "+8613700137000"

enum { CSV_MAX = 16384 };

static struct proc run;

/* A run's file of records, an AS's */
static void read_csv(const char *name, const char *cdr,
		     char text[static CSV_MAX])
{
	char *csv = xasprintf("%s/%s/%s", temp_dir(), name, cdr);
	FILE *f = fopen(csv, "re");
	size_t n;

	ck_assert_msg(f, "there is no %s", csv);
	n = fread(text, 1, CSV_MAX - 1, f);
	text[n] = '\0';
	fclose(f);
	free(csv);
}

/* Play scenarios/NAME.lua to its end; text is the run's cdr.csv */
static void play(const char *name, const char *set, char text[static CSV_MAX])
{
	const char *dir = temp_dir();
	char *file = xasprintf("scenarios/%s.lua", name);

	/* in virtual time: on a slow machine too all comes when it is due */
	proc_start(&run,
		   (const char *[]){ PROC_SIPSHARE, "run", "--fast",
				     "--no-colour", "--quiet", "--runs", dir,
				     file, set ? "--set" : NULL, set, NULL });
	ck_assert_msg(proc_wait_end(&run, PATIENCE_MS) == 0, "%s", run.text);
	read_csv(name, "cdr.csv", text);
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
	{ "deregistered-call", NULL, ",deregistered,200,", 2 },
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

/* The value of a column, from 0, of a line; a static buffer */
static const char *column(const char *line, int n)
{
	static char value[128];

	while (n-- && line)
		line = strchr(line, ',') ? strchr(line, ',') + 1 : NULL;
	ck_assert_ptr_nonnull(line);
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(line, ",\r\n"),
		 line);

	return value;
}

enum { CALLER = 9, CALLEE = 11, ICID = 14 };

/* A call from one AS's user to the other's: its caller's record is where the
 * caller is bound, its callee's where that is, and they are of one icid */
static void expect_pair(const char *caller_csv, const char *caller,
			const char *callee_csv, const char *callee)
{
	const char *line = caller_csv, *other;
	char icid[64], *needle;
	int pairs = 0;

	while ((line = strstr(line, "\r\n")) && line[2]) {
		line += 2;
		if (!strstr(line, ",originating,") ||
		    strcmp(column(line, CALLER), caller) != 0)
			continue;
		snprintf(icid, sizeof(icid), "%s", column(line, ICID));
		needle = xasprintf(",terminating,%s\r\n", icid);
		other = *icid ? strstr(callee_csv, needle) : NULL;
		while (other && other > callee_csv && other[-1] != '\n')
			other--;
		if (other && !strcmp(column(other, CALLEE), callee))
			pairs++;
		free(needle);
	}
	ck_assert_msg(pairs > 0, "%s to %s:\n%s\n%s", caller, callee,
		      caller_csv, callee_csv);
}

START_TEST(a_call_through_two_as_is_charged_at_the_callers)
{
	static char first[CSV_MAX], second[CSV_MAX];

	play("two-as", NULL, first);
	read_csv("two-as", "cdr2.csv", second);
	expect_pair(first, ALICE, second, CAROL);
	expect_pair(second, CAROL, first, ALICE);
	/* nobody is charged at another's AS */
	ck_assert_int_eq(count(first, "@ims.test," CAROL ",sip:"), 0);
	ck_assert_int_eq(count(second, "@ims.test," ALICE ",sip:"), 0);
	ck_assert_ptr_nonnull(strstr(run.text, "\n" CAROL " "));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("charging");
	TCase *tc = tcase_create("records");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_call_leaves_a_record_under_the_real_number, 0,
			    sizeof(records) / sizeof(*records));
	tcase_add_test(tc, a_call_through_two_as_is_charged_at_the_callers);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
