/* S412, [0137]: after the release the password is nowhere in the terminal's
 * memory. The test looks: it reads all of its own writable memory. The AS and
 * the registrar, which know the password too, are another process, and the
 * test itself holds it masked. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/pki.h"
#include "common/trace.h"
#include "common/wipe.h"
#include "terminal/terminal.h"
#include "terminal/terminal_call.h"
#include "terminal/terminal_core.h"
#include "tests/fake/fake_as.h"
#include "tests/fake/fake_pcscf.h"
#include "tests/fake/proc.h"
#include "tests/suite.h"

#define ALICE "+8613800138000"
#define BOB "+8613900139000"

enum {
	SECRET_LEN = 32,
	TAIL_LEN = 12,
	MASK = 0x5a,
	CHUNK = 1 << 16,
	REGION_MAX = 1 << 28
};

/** What the other process tells */
struct told {
	char url[64];
	unsigned char masked[SECRET_LEN]; /**< the password */
};

static struct {
	struct told told;
	pid_t pid;
	struct loop *loop;
	struct element *el;
	struct terminal *terminal;
	struct ue *ue;
	bool is_done;
	char error[256];
} t;

static bool never(const void *arg)
{
	(void)arg;

	return false;
}

static void serve(int fd, const char *dir)
{
	static const char *const names[] = { "appserver", NULL };
	static const char *const hosts[] = { "127.0.0.1", NULL };
	static char password[DIGEST_HEX_LEN];
	struct told told = { .url = "" };
	struct fake_pcscf *ims;
	char *reason = NULL;
	struct fake_as *as;
	struct loop *loop;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	digest_nonce(password);
	password[SECRET_LEN] = '\0';
	for (int i = 0; i < SECRET_LEN; i++)
		told.masked[i] = (unsigned char)password[i] ^ MASK;
	ck_assert(!pki_make(dir, names, hosts, &reason));
	loop = loop_new();
	as = fake_as_new(element_new_on(loop, "appserver"), dir);
	ims = fake_pcscf_new(element_new_on(loop, "pcscf"));
	as->password = ims->password = password;
	snprintf(as->proxy, sizeof(as->proxy), "%s", ims->uri);
	snprintf(told.url, sizeof(told.url), "%s", as->url);
	ck_assert_int_eq(write(fd, &told, sizeof(told)), sizeof(told));
	for (;;)
		(void)loop_run_until(loop, never, NULL, PATIENCE_MS);
}

static void start_others(void)
{
	const char *dir = temp_dir();
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	t.pid = fork();
	if (!t.pid)
		serve(fds[1], dir);
	close(fds[1]);
	ck_assert_int_eq(read(fds[0], &t.told, sizeof(t.told)), sizeof(t.told));
	close(fds[0]);
}

static void setup(void)
{
	struct terminal_cfg cfg = { .sip = "127.0.0.1:0" };
	char path[128], ca[128];
	char *reason = NULL;

	wipe_freed_memory();
	start_others();
	t.loop = loop_new();
	t.el = element_new_on(t.loop, "terminal");
	/* the trace sees the password too */
	snprintf(path, sizeof(path), "%s/trace.jsonl", temp_dir());
	ck_assert_int_eq(trace_open(t.el->trace, path), 0);
	snprintf(ca, sizeof(ca), "%s/ca.pem", temp_dir());
	cfg.ca = ca;
	cfg.appserver = t.told.url;
	ck_assert_msg(!terminal_new(&t.terminal, t.el, &cfg, &reason), "%s",
		      reason);
	t.ue = ue_new(t.terminal, ALICE, "s3cret");
}

static void teardown(void)
{
	terminal_free(t.terminal);
	element_free(t.el);
	loop_free(t.loop);
	kill(t.pid, SIGKILL);
	waitpid(t.pid, NULL, 0);
}

static void on_done(json_t *result, const char *error, void *arg)
{
	(void)result;
	(void)arg;
	t.is_done = true;
	snprintf(t.error, sizeof(t.error), "%s", error ? error : "");
}

static bool is_done(const void *arg)
{
	(void)arg;

	return t.is_done;
}

static void tell(enum ue_event op)
{
	t.is_done = false;
	ck_assert_int_eq(ue_start(t.ue, op, on_done, NULL), 0);
	ck_assert(loop_run_until(t.loop, is_done, NULL, PATIENCE_MS));
	ck_assert_msg(!*t.error, "%s", t.error);
}

/* Only the password's tail is looked for: free() writes over a block's first
 * bytes, which would hide that the rest was left */
static int count_in(const unsigned char *data, size_t len)
{
	const unsigned char *tail = t.told.masked + SECRET_LEN - TAIL_LEN;
	int found = 0;

	for (size_t i = 0; i + TAIL_LEN <= len; i++) {
		size_t n = 0;

		while (n < TAIL_LEN && (data[i + n] ^ MASK) == tail[n])
			n++;
		found += n == TAIL_LEN;
	}

	return found;
}

/* Reads one region in pieces that overlap by the password's length; the
 * buffer is cleared, so that it is not found itself */
static int look_in_region(FILE *mem, unsigned long from, unsigned long to)
{
	static unsigned char buf[CHUNK];
	int found = 0;

	for (; from < to; from += CHUNK - TAIL_LEN + 1) {
		size_t len = to - from < CHUNK ? to - from : CHUNK;
		ssize_t n = pread(fileno(mem), buf, len, (off_t)from);

		if (n <= 0)
			break;
		found += count_in(buf, (size_t)n);
		explicit_bzero(buf, sizeof(buf));
	}

	return found;
}

/* How often the password stands in the writable memory of this process: heap,
 * stacks, data, anonymous mappings */
static int look(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	FILE *mem = fopen("/proc/self/mem", "re");
	unsigned long from, to;
	char line[512], perms[8];
	int found = 0;

	ck_assert(maps && mem);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, perms) != 3 ||
		    perms[0] != 'r' || perms[1] != 'w' ||
		    to - from > REGION_MAX)
			continue;
		found += look_in_region(mem, from, to);
	}
	fclose(maps);
	fclose(mem);

	return found;
}

START_TEST(the_password_is_nowhere_after_release)
{
	tell(UE_EV_LOGIN);
	tell(UE_EV_REQUEST);
	tell(UE_EV_REGISTER);
	ck_assert_int_ge(look(), 1);
	tell(UE_EV_RELEASE);
	ck_assert(!ue_holds_secret(t.ue));
	ck_assert_int_eq(look(), 0);
}
END_TEST

static void on_call(const struct ue_call *call, void *arg)
{
	(void)arg;
	t.is_done = true;
	ck_assert_ptr_nonnull(call);
	snprintf(t.error, sizeof(t.error), "%s %d", call->peer, call->status);
}

static void call_bob(void)
{
	struct ue_call *call = NULL;
	char *reason = NULL, to[96];

	snprintf(to, sizeof(to), "sip:ue2@%s", terminal_sip_addr(t.terminal));
	t.is_done = false;
	ck_assert_msg(!ue_call_dial(&call, t.ue, to, NULL, &reason), "%s",
		      reason);
	ue_call_wait(call, false, on_call, NULL);
	ck_assert(loop_run_until(t.loop, is_done, NULL, PATIENCE_MS));
	ck_assert_msg(strstr(t.error, " 200"), "%s", t.error);
}

/* Both ends hold the one password that this AS gives */
START_TEST(the_password_is_nowhere_after_a_call_and_release)
{
	struct ue *alice = t.ue, *bob;

	tell(UE_EV_LOGIN);
	tell(UE_EV_REQUEST);
	tell(UE_EV_REGISTER);
	bob = t.ue = ue_new(t.terminal, BOB, "hush");
	tell(UE_EV_LOGIN);
	tell(UE_EV_REQUEST);
	tell(UE_EV_REGISTER);
	t.ue = alice;
	call_bob();
	ck_assert_int_eq(look(), 4); /* no more copies than without a call */
	tell(UE_EV_RELEASE);
	ck_assert_ptr_null(alice->call);
	ck_assert_ptr_null(alice->ended);
	ck_assert_ptr_null(alice->service_route);
	t.ue = bob;
	tell(UE_EV_RELEASE);
	ck_assert_int_eq(look(), 0);
}
END_TEST

START_TEST(while_it_is_held_it_stands_where_it_should_alone)
{
	tell(UE_EV_LOGIN);
	tell(UE_EV_REQUEST);
	ck_assert_int_eq(look(), 1); /* the lease */
	tell(UE_EV_REGISTER);
	ck_assert_int_eq(look(), 2); /* and the digest client */
}
END_TEST

START_TEST(the_password_is_nowhere_after_the_terminal_ended)
{
	tell(UE_EV_LOGIN);
	tell(UE_EV_REQUEST);
	t.terminal = terminal_free(t.terminal);
	ck_assert_int_eq(look(), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("ue_memory");
	TCase *tc = tcase_create("memory");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_password_is_nowhere_after_release);
	tcase_add_test(tc, the_password_is_nowhere_after_a_call_and_release);
	tcase_add_test(tc, while_it_is_held_it_stands_where_it_should_alone);
	tcase_add_test(tc, the_password_is_nowhere_after_the_terminal_ended);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(suite)
