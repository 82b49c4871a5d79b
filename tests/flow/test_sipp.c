/* A client that no one here wrote: SIPp, with users that the command line
 * provisioned. It registers over UDP and TCP, and then behaves badly: an old
 * password, Contact: *, requests sent twice, a foreign number, an identity of
 * its own, a made-up To tag, a second BYE */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

enum { USER_N = 3 };

/** An account */
struct user {
	char number[32], uri[128], password[128];
};

static struct {
	struct proc proc;
	json_t *up;
	struct user users[USER_N];
} t;

/* NUMBER SIP-URI PASSWORD a line */
static void read_users(void)
{
	const char *path = json_string_value(json_object_get(t.up, "accounts"));
	char line[512];
	FILE *in;
	int n = 0;

	ck_assert_msg(path != NULL, "no accounts file");
	in = fopen(path, "re");
	ck_assert_msg(in != NULL, "%s cannot be read", path);
	while (n < USER_N && fgets(line, sizeof(line), in)) {
		struct user *u = &t.users[n];

		if (line[0] != '#' &&
		    sscanf(line, "%31s %127s %127s", u->number, u->uri,
			   u->password) == 3)
			n++;
	}
	fclose(in);
	ck_assert_int_eq(n, USER_N);
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
	ck_assert_msg(proc_wait_text(&t.proc, "}\n", PATIENCE_MS),
		      "not up:\n%s", t.proc.text);
	t.up = proc_json(&t.proc, "{");
	read_users();
}

static void down(void)
{
	ck_assert_int_eq(proc_stop(&t.proc, SIGINT), 0);
	json_decref(t.up);
	free(t.proc.text);
}

/** A SIPp: who it plays, which scenario, how */
struct client {
	const char *scenario;             /* of tests/data/, without .xml */
	int first, n;                     /* of the users; each a call */
	const char *transport, *password; /* NULL: u1; the user's own */
	bool is_bare;                     /* SIPp repeats nothing by itself */
	bool is_called;                   /* it waits for a call */
};

static const char *pcscf(void)
{
	const json_t *el =
		json_object_get(json_object_get(t.up, "elements"), "pcscf");

	return json_string_value(json_object_get(el, "sip"));
}

/* An address of the run's own network, another one for each user, so that no
 * port is shared; to be freed */
static char *address(int user)
{
	const char *second = strchr(pcscf(), '.') + 1;
	int len = (int)(strchr(second, '.') - pcscf());

	return xasprintf("%.*s.9.%d", len, pcscf(), user + 1);
}

/* What SIPp fills its fields with; to be freed */
static char *write_csv(const struct client *c)
{
	char *path =
		xasprintf("%s/%s-%d.csv", temp_dir(), c->scenario, c->first);
	FILE *out = fopen(path, "we");

	ck_assert_ptr_nonnull(out);
	fputs("SEQUENTIAL\n", out);
	for (int i = c->first; i < c->first + c->n; i++)
		fprintf(out,
			"%s;ims.test;[authentication username=%s "
			"password=%s];%s;\n",
			t.users[i].number, t.users[i].uri + strlen("sip:"),
			c->password ? c->password : t.users[i].password,
			t.users[1].number);
	fclose(out);

	return path;
}

static void start(struct proc *p, const struct client *c)
{
	char *local = address(c->first), *csv = write_csv(c);
	char *file = xasprintf("tests/data/%s.xml", c->scenario);
	char *calls = xasprintf("%d", c->n);
	const char *argv[] = { "sipp",
			       "-sf",
			       file,
			       "-inf",
			       csv,
			       "-i",
			       local,
			       "-m",
			       calls,
			       "-r",
			       "50",
			       "-t",
			       c->transport ? c->transport : "u1",
			       "-nostdin",
			       "-timeout",
			       "100s",
			       "-timeout_error",
			       c->is_called ? NULL : pcscf(),
			       c->is_bare ? "-nr" : NULL,
			       NULL };

	proc_start(p, argv);
	free(local);
	free(csv);
	free(file);
	free(calls);
}

static void finish(struct proc *p, const char *scenario)
{
	int code = proc_wait_end(p, PATIENCE_MS);

	ck_assert_msg(code == 0, "sipp %s: exit %d:\n%s", scenario, code,
		      p->text);
	free(p->text);
}

static void sipp(const struct client *c)
{
	struct proc p;

	start(&p, c);
	finish(&p, c->scenario);
}

/* Whether some socket is bound to the address's port 5060, as the kernel says
 * it: bytes from the last to the first */
static bool is_bound(const char *addr)
{
	unsigned b[4];
	char hex[16], line[256];
	bool has = false;
	FILE *f = fopen("/proc/net/udp", "re");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(
		sscanf(addr, "%u.%u.%u.%u", &b[0], &b[1], &b[2], &b[3]), 4);
	snprintf(hex, sizeof(hex), "%02X%02X%02X%02X:13C4", b[3], b[2], b[1],
		 b[0]);
	while (fgets(line, sizeof(line), f))
		has = has || strstr(line, hex);
	fclose(f);

	return has;
}

static void wait_bound(int user)
{
	char *addr = address(user);
	int left_ms = PATIENCE_MS;

	while (!is_bound(addr) && left_ms--)
		(void)poll(NULL, 0, 1);
	ck_assert_msg(left_ms > 0, "nobody listens at %s", addr);
	free(addr);
}

/* --- registration --- */

static const char *const transports[] = { "u1", "t1" };

START_TEST(sipp_registers)
{
	sipp(&(struct client){ .scenario = "sipp_register",
			       .n = USER_N,
			       .transport = transports[_i] });
}
END_TEST

START_TEST(old_password_gets_403)
{
	sipp(&(struct client){ .scenario = "sipp_old_password",
			       .first = 2,
			       .n = 1,
			       .password = "earlier" });
}
END_TEST

START_TEST(star_deregisters_all_or_gets_400)
{
	sipp(&(struct client){ .scenario = "sipp_star", .first = 2, .n = 1 });
}
END_TEST

START_TEST(request_that_comes_twice_is_answered_once)
{
	sipp(&(struct client){ .scenario = "sipp_resent",
			       .first = 2,
			       .n = 1,
			       .is_bare = true });
}
END_TEST

/* --- a call --- */

START_TEST(bad_caller_is_shown_and_held_to_what_it_is)
{
	const struct client callee = {
		.scenario = "sipp_callee", .first = 1, .n = 1, .is_called = true
	};
	struct proc called;

	sipp(&(struct client){
		.scenario = "sipp_register", .first = 1, .n = 1 });
	start(&called, &callee);
	wait_bound(1);
	sipp(&(struct client){
		.scenario = "sipp_caller", .n = 1, .is_bare = true });
	finish(&called, callee.scenario);
}
END_TEST

static Suite *sipp_suite(void)
{
	Suite *suite = suite_create("sipp");
	TCase *tc = tcase_create("sipshare up");

	tcase_add_unchecked_fixture(tc, up, down);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, sipp_registers, 0,
			    sizeof(transports) / sizeof(*transports));
	tcase_add_test(tc, old_password_gets_403);
	tcase_add_test(tc, star_deregisters_all_or_gets_400);
	tcase_add_test(tc, request_that_comes_twice_is_answered_once);
	tcase_add_test(tc, bad_caller_is_shown_and_held_to_what_it_is);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(sipp_suite)
