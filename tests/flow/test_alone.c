/* Each element started alone from its command line, as one would to put a
 * foreign one in another's place: bad options, a port in use, a neighbour
 * that is not there */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "common/pki.h"
#include "tests/fake/proc.h"
#include "tests/fake/raw.h"
#include "tests/suite.h"

enum { ARGS_MAX = 40 };

static char cert[128], ca[128];

static const char *bin(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/bin/%s", BUILD_DIR, name);

	return path;
}

/* Splits words; %C and %A stand for certificate and CA */
static void start(struct proc *p, const char *name, const char *options)
{
	const char *argv[ARGS_MAX] = { bin(name) };
	char *words = xstrdup(options);
	char *save = NULL;
	int n = 1;

	for (char *w = strtok_r(words, " ", &save); w;
	     w = strtok_r(NULL, " ", &save)) {
		argv[n] = w;
		if (!strcmp(w, "%C"))
			argv[n] = cert;
		if (!strcmp(w, "%A"))
			argv[n] = ca;
		ck_assert_int_lt(++n, ARGS_MAX);
	}
	proc_start(p, argv);
	free(words);
}

static void setup(void)
{
	static const char *const names[] = { "element", NULL };
	static const char *const hosts[] = { "127.0.0.1", NULL };
	char *reason = NULL;

	ck_assert_msg(!pki_make(temp_dir(), names, hosts, &reason), "%s",
		      reason);
	snprintf(cert, sizeof(cert), "%s/element.pem", temp_dir());
	snprintf(ca, sizeof(ca), "%s/ca.pem", temp_dir());
}

/** A way to start each element alone; %s is its first address */
static const struct {
	const char *name, *options, *kind;
} elements[] = {
	{ "hss",
	  "--diameter %s --soap 127.0.0.1:0 --cert %C --ca %A --scscf "
	  "sip:127.0.0.1:9 --appserver sip:127.0.0.1:9",
	  "diameter" },
	{ "icscf", "--listen %s --hss 127.0.0.1:1 --timer ready=50ms", "sip" },
	{ "scscf", "--listen %s --hss 127.0.0.1:1 --timer ready=50ms", "sip" },
	{ "pcscf", "--listen %s --icscf 127.0.0.1:1", "sip" },
	{ "platform",
	  "--sip %s --https 127.0.0.1:0 --cert %C --ca %A --pcscf "
	  "sip:127.0.0.1:9",
	  "sip" },
	{ "appserver",
	  "--sip %s --https 127.0.0.1:0 --cert %C --ca %A --platform "
	  "https://127.0.0.1:1 --proxy sip:127.0.0.1:9",
	  "sip" },
	{ "terminal", "--sip %s --appserver https://127.0.0.1:1 --ca %A",
	  "sip" },
};
enum { ELEMENT_N = sizeof(elements) / sizeof(elements[0]) };

static void start_at(struct proc *p, int i, const char *addr)
{
	const char *options = elements[i].options;
	const char *mark = strstr(options, "%s");
	char *text = xasprintf("%.*s%s%s", (int)(mark - options), options, addr,
			       mark + 2);

	start(p, elements[i].name, text);
	free(text);
}

static char *ready_address(struct proc *p, const char *name, const char *kind)
{
	char *line = xasprintf("%s ready ", name);
	json_t *addresses;
	char *addr;

	ck_assert_msg(proc_wait_text(p, line, PATIENCE_MS) &&
			      proc_wait_text(p, "}\n", PATIENCE_MS),
		      "%s is not ready:\n%s", name, p->text);
	addresses = proc_json(p, line);
	addr = xstrdup(json_string_value(json_object_get(addresses, kind)));
	ck_assert_msg(addr != NULL, "%s says no %s address:\n%s", name, kind,
		      p->text);
	json_decref(addresses);
	free(line);

	return addr;
}

START_TEST(starts_alone_and_ends_on_sigterm)
{
	struct proc p;
	char *addr;
	int code;

	start_at(&p, _i, "127.0.0.1:0");
	addr = ready_address(&p, elements[_i].name, elements[_i].kind);
	code = proc_stop(&p, SIGTERM);
	ck_assert_msg(code == 0, "%s: exit %d:\n%s", elements[_i].name, code,
		      p.text);
	free(addr);
	free(p.text);
}
END_TEST

START_TEST(port_in_use_is_said_with_its_address)
{
	struct proc first, second;
	char *addr;
	int code;

	start_at(&first, _i, "127.0.0.1:0");
	addr = ready_address(&first, elements[_i].name, elements[_i].kind);
	start_at(&second, _i, addr);
	code = proc_wait_end(&second, PATIENCE_MS);
	ck_assert_msg(code == 3, "%s: exit %d:\n%s", elements[_i].name, code,
		      second.text);
	ck_assert_msg(strstr(second.text, addr) != NULL,
		      "%s does not name %s:\n%s", elements[_i].name, addr,
		      second.text);
	ck_assert_int_eq(proc_stop(&first, SIGTERM), 0);
	free(addr);
	free(first.text);
	free(second.text);
}
END_TEST

START_TEST(help_names_every_option_and_exits_0)
{
	struct proc p;

	start(&p, elements[_i].name, "--help");
	ck_assert_int_eq(proc_wait_end(&p, PATIENCE_MS), 0);
	ck_assert_ptr_nonnull(strstr(p.text, "--log-level"));
	ck_assert_ptr_nonnull(strstr(p.text, "Options:"));
	free(p.text);
}
END_TEST

START_TEST(misspelt_option_exits_2)
{
	struct proc p;

	start(&p, elements[_i].name, "--lissten 127.0.0.1:0");
	ck_assert_int_eq(proc_wait_end(&p, PATIENCE_MS), 2);
	ck_assert_ptr_nonnull(strstr(p.text, "lissten"));
	ck_assert_ptr_nonnull(strstr(p.text, "--help"));
	free(p.text);
}
END_TEST

START_TEST(bad_address_is_said_with_its_form)
{
	struct proc p;

	start_at(&p, _i, "localhost:5060");
	ck_assert_int_ne(proc_wait_end(&p, PATIENCE_MS), 0);
	ck_assert_msg(strstr(p.text, "localhost:5060") != NULL, "%s: %s",
		      elements[_i].name, p.text);
	free(p.text);
}
END_TEST

START_TEST(keys_are_not_revealed_where_others_may_read_them)
{
	struct proc p;

	start_at(&p, _i, "127.0.0.1:0 --reveal-tls-secrets /dev/null");
	ck_assert_int_eq(proc_wait_end(&p, PATIENCE_MS), 2);
	ck_assert_msg(strstr(p.text, "--reveal-tls-secrets /dev/null: must"),
		      "%s", p.text);
	free(p.text);
}
END_TEST

static void register_at(struct raw_answer *a, const char *addr)
{
	static const char text[] =
		"REGISTER sip:ims.test SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK-1\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:a@ims.test>;tag=1\r\n"
		"To: <sip:a@ims.test>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n"
		"Contact: <sip:a@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n";

	raw_udp(a, addr, text, sizeof(text) - 1);
}

START_TEST(pcscf_without_icscf_says_who_cannot_be_reached)
{
	struct raw_answer *a = xcalloc(1, sizeof(*a));
	struct proc p;
	char *addr;

	start(&p, "pcscf", "--listen 127.0.0.1:0 --icscf 127.0.0.1:1");
	addr = ready_address(&p, "pcscf", "sip");
	register_at(a, addr);
	ck_assert_msg(!strncmp(a->data, "SIP/2.0 504 ", 12), "%s", a->data);
	ck_assert_ptr_nonnull(strstr(a->data, "127.0.0.1:1"));
	ck_assert_int_eq(proc_stop(&p, SIGTERM), 0);
	free(addr);
	free(p.text);
	free(a);
}
END_TEST

START_TEST(icscf_without_hss_says_who_cannot_be_reached)
{
	struct raw_answer *a = xcalloc(1, sizeof(*a));
	struct proc p;
	char *addr;

	start(&p, "icscf",
	      "--listen 127.0.0.1:0 --hss 127.0.0.1:1 --timer ready=50ms");
	addr = ready_address(&p, "icscf", "sip");
	register_at(a, addr);
	ck_assert_msg(!strncmp(a->data, "SIP/2.0 4", 9) ||
			      !strncmp(a->data, "SIP/2.0 5", 9),
		      "%s", a->data);
	ck_assert_msg(strstr(a->data, "HSS") != NULL, "%s", a->data);
	ck_assert_int_eq(proc_stop(&p, SIGTERM), 0);
	free(addr);
	free(p.text);
	free(a);
}
END_TEST

START_TEST(terminal_without_as_says_who_cannot_be_reached)
{
	struct proc p;

	start(&p, "terminal",
	      "--sip 127.0.0.1:0 --appserver https://127.0.0.1:1 --ca %A "
	      "--number +8613800138000 --secret x");
	ck_assert_int_eq(proc_wait_end(&p, PATIENCE_MS), 1);
	ck_assert_msg(strstr(p.text, "https://127.0.0.1:1") != NULL, "%s",
		      p.text);
	free(p.text);
}
END_TEST

START_TEST(boss_without_hss_says_who_cannot_be_reached)
{
	struct proc p;

	start(&p, "boss",
	      "--hss https://127.0.0.1:1 --platform https://127.0.0.1:1 "
	      "--cert %C --ca %A --open-range +861-+862 "
	      "--rule sip:{number}@ims.test");
	ck_assert_int_eq(proc_wait_end(&p, PATIENCE_MS), 1);
	ck_assert_msg(strstr(p.text, "https://127.0.0.1:1") != NULL, "%s",
		      p.text);
	free(p.text);
}
END_TEST

static Suite *alone_suite(void)
{
	Suite *suite = suite_create("alone");
	TCase *tc = tcase_create("each element");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 40);
	tcase_add_loop_test(tc, starts_alone_and_ends_on_sigterm, 0, ELEMENT_N);
	tcase_add_loop_test(tc, port_in_use_is_said_with_its_address, 0,
			    ELEMENT_N);
	tcase_add_loop_test(tc, help_names_every_option_and_exits_0, 0,
			    ELEMENT_N);
	tcase_add_loop_test(tc, misspelt_option_exits_2, 0, ELEMENT_N);
	tcase_add_loop_test(tc, bad_address_is_said_with_its_form, 0,
			    ELEMENT_N);
	tcase_add_loop_test(tc,
			    keys_are_not_revealed_where_others_may_read_them, 0,
			    ELEMENT_N);
	tcase_add_test(tc, pcscf_without_icscf_says_who_cannot_be_reached);
	tcase_add_test(tc, icscf_without_hss_says_who_cannot_be_reached);
	tcase_add_test(tc, terminal_without_as_says_who_cannot_be_reached);
	tcase_add_test(tc, boss_without_hss_says_who_cannot_be_reached);
	suite_add_tcase(suite, tc);

	return suite;
}

SUITE_MAIN(alone_suite)
