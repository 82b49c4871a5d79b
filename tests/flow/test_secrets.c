/* No password, login secret or token is in any log, on the screen or in any
 * other file of a run, but for those that hold the messages' exact bytes: they
 * are the trace. What is secret is taken from the messages, at log level debug.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/digest.h"
#include "common/mem.h"
#include "tests/fake/play.h"
#include "tests/suite.h"

/* Every testbed's elements say all that they have to say */
static const char loudly[] =
	"local quiet = testbed\n"
	"function testbed(plan)\n"
	"  plan = plan or {}\n"
	"  plan.options = plan.options or {}\n"
	"  for _, actor in ipairs { 'hss', 'icscf', 'scscf', 'pcscf',\n"
	"      'platform', 'appserver', 'boss', 'terminal' } do\n"
	"    plan.options[actor] = plan.options[actor] or {}\n"
	"    plan.options[actor]['log-level'] = 'debug'\n"
	"  end\n"
	"  return quiet(plan)\n"
	"end\n";

/* What is refused, and so told about */
static const char refused[] =
	"local bed = testbed{}\n"
	"local uri = 'sip:+8657110000001@ims.test'\n"
	"bed.boss:open_accounts{ list = {\n"
	"  { number = '+8657110000001', uri = uri, password = 'first-word' } "
	"}}\n"
	"expect_error(function() bed.boss:open_accounts{ list = {\n"
	"  { number = '+8657110000002', uri = 'sip:2@ims.test',\n"
	"    password = 'first-word other-word' } }}\n"
	"end, 'fields')\n"
	"bed.boss:sync{ by = 'file' }\n"
	"bed.boss:change_password(uri)\n"
	"bed.boss:sync{ by = 'message' }\n"
	"local function login(number, secret, unknown)\n"
	"  local ue = bed:terminal{ number = number, secret = secret,\n"
	"    unknown = unknown }\n"
	"  return ue, (pcall(function() ue:login() end))\n"
	"end\n"
	"local alice, is_in = login('+8613800138000', 'right-secret')\n"
	"expect(is_in).is(true)\n"
	"local bob, is_too = login('+8613900139000', 'no-such-user', true)\n"
	"expect(is_too).is(false)\n"
	"alice:request_uri()\n"
	"local mallory = bed:account{ number = '+8613600136000', uri = uri,\n"
	"  password = 'first-word' }\n"
	"expect_error(function() mallory:register() end, '403')\n"
	"alice:register()\n"
	"bed.faults:kill{ actor = 'boss' }\n"
	"alice:release()\n"
	"bed.faults:restart{ actor = 'boss' }\n"
	"expect(function() return bed.platform:pool().counts.idle end)\n"
	"  :becomes(1, 5)\n"
	"bed.boss:close_account(uri)\n";

static const char *const scenarios[] = { "patent", "stale-password",
					 "crash-boss-opening", "refused" };

/* The trace, what a run is given, and what one actor gives another */
static const char *const no_logs[] = { "trace.jsonl",    "report.html",
				       "capture.pcapng", "users.txt",
				       "pool.txt",       "accounts-" };

/* The file's bytes and a NUL, the caller's */
static char *read_all(const char *path, size_t *lenp)
{
	FILE *f = fopen(path, "re"), *out;
	char *text = NULL, part[4096];
	size_t n;

	ck_assert_msg(f, "%s", path);
	out = open_memstream(&text, lenp);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		fwrite(part, 1, n, out);
	fclose(out);
	fclose(f);

	return text;
}

/* --- what is secret --- */

/** How a secret stands in a message */
static const struct {
	const char *before, *end;
} marks[] = {
	{ "\"password\":\"", "\"" }, { "\"secret\":\"", "\"" },
	{ "\"token\":\"", "\"" },    { "<password>", "<" },
	{ ":password>", "<" },       { "Bearer ", "\r" },
};

static void learn(json_t *secrets, const char *text)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const char *at = text;

		while ((at = strstr(at, marks[i].before))) {
			size_t len;

			at += strlen(marks[i].before);
			len = strcspn(at, marks[i].end);
			if (len)
				json_object_setn_new(secrets, at, len,
						     json_true());
		}
	}
}

/* What is as good as the password, and what the HSS keeps (RFC 7616 3.4.2) */
static void learn_hash(json_t *secrets, const json_t *account)
{
	const char *impi, *password, *realm;

	if (json_unpack((json_t *)account, "{s:s, s:s, s:s}", "impi", &impi,
			"password", &password, "realm", &realm))
		return;

	for (int alg = 0; alg < DIGEST_ALG_N; alg++) {
		char ha1[DIGEST_HEX_LEN];

		digest_ha1(ha1, (enum digest_alg)alg, impi, realm, password);
		json_object_set_new(secrets, ha1, json_true());
	}
}

static void learn_hashes(json_t *secrets, const char *text)
{
	const char *end = strstr(text, "\r\n\r\n");
	json_t *body = end ? json_loads(end + 4, 0, NULL) : NULL;
	const json_t *account;
	size_t i;

	learn_hash(secrets, body);
	json_array_foreach(json_object_get(body, "accounts"), i, account)
	{
		learn_hash(secrets, account);
	}
	json_decref(body);
}

static json_t *secrets_of(const char *run)
{
	char *path = xasprintf("%s/trace.jsonl", run), *line = NULL;
	json_t *secrets = json_object();
	FILE *f = fopen(path, "re");
	size_t room = 0;

	ck_assert_msg(f, "%s", path);
	while (getline(&line, &room, f) > 0) {
		json_t *message = json_loads(line, 0, NULL);
		const char *text =
			json_string_value(json_object_get(message, "text"));

		if (text) {
			learn(secrets, text);
			learn_hashes(secrets, text);
		}
		json_decref(message);
	}
	fclose(f);
	free(line);
	free(path);

	return secrets;
}

/* --- where it must not be --- */

/* The line that one of them is in, or NULL */
static const char *find(json_t *secrets, const char *text, size_t len)
{
	const char *secret, *at;
	json_t *value;

	json_object_foreach(secrets, secret, value)
	{
		at = memmem(text, len, secret, strlen(secret));
		while (at && at > text && at[-1] != '\n')
			at--;
		if (at)
			return at;
	}

	return NULL;
}

static void expect_none(json_t *secrets, const char *where, const char *text,
			size_t len)
{
	const char *line = find(secrets, text, len);

	ck_assert_msg(!line, "%s: %.*s", where,
		      line ? (int)strcspn(line, "\n") : 0, line);
}

static bool is_log(const char *path)
{
	const char *name = strrchr(path, '/') + 1;

	for (size_t i = 0; i < sizeof(no_logs) / sizeof(no_logs[0]); i++)
		if (!strncmp(name, no_logs[i], strlen(no_logs[i])))
			return false;

	return *name; /* a folder's ends with the slash */
}

/* Gives how many files it looked into */
static int expect_none_in_files(json_t *secrets, const char *run)
{
	char *pattern = xasprintf("%s/*", run);
	glob_t files;
	int n = 0;

	/* GLOB_MARK: folders (keys, stores) end with a slash */
	ck_assert_int_eq(glob(pattern, GLOB_MARK, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *path = files.gl_pathv[i];
		char *text;
		size_t len;

		if (!is_log(path))
			continue;
		text = read_all(path, &len);
		expect_none(secrets, path, text, len);
		free(text);
		n++;
	}
	globfree(&files);
	free(pattern);

	return n;
}

START_TEST(a_secret_is_in_the_messages_alone)
{
	enum { LOGS = 8, LADDER_AND_BILL = 2 };
	const char *dir = temp_dir(), *name = scenarios[_i];
	char *run = xasprintf("%s/%s", dir, name);
	char *file = xasprintf("scenarios/%s.lua", name);
	char *lua = xasprintf("%s.lua", name);
	struct proc *p = play_new();
	char *text = NULL, *all, *played;
	json_t *secrets;
	size_t len;

	if (strcmp(name, "refused") != 0)
		text = read_all(file, &len);
	all = xasprintf("%s%s", loudly, text ? text : refused);
	played = play_write_file(dir, lua, all);
	proc_start(p, (const char *[]){ PROC_SIPSHARE, "run", "--fast",
					"--all-events", "--runs", dir, played,
					NULL });
	ck_assert_msg(proc_wait_end(p, PATIENCE_MS) == 0, "%s", play_tail(p));

	secrets = secrets_of(run);
	/* a login's secret and token, an account's password and its hashes */
	ck_assert_uint_gt(json_object_size(secrets), 6);
	expect_none(secrets, "the output", p->text, p->len);
	ck_assert_int_ge(expect_none_in_files(secrets, run),
			 LOGS + LADDER_AND_BILL);
	json_decref(secrets);
	free(played);
	free(all);
	free(text);
	free(lua);
	free(file);
	free(run);
}
END_TEST

/* The test itself: were it in a log, it would be seen */
START_TEST(a_secret_in_a_log_would_be_found)
{
	static const char trace[] =
		"{\"text\":\"HTTP/1.1 201 Created\\r\\n\\r\\n{\\\"impi\\\":"
		"\\\"alice@ims.test\\\",\\\"password\\\":\\\"s3cret\\\","
		"\\\"realm\\\":\\\"ims.test\\\"}\"}\n"
		"{\"text\":\"POST / HTTP/1.1\\r\\nAuthorization: Bearer "
		"T0ken\\r\\n\\r\\n<h:password>p4ss</h:password>\"}\n";
	const char *dir = temp_dir();
	char ha1[DIGEST_HEX_LEN];
	json_t *secrets;

	free(play_write_file(dir, "trace.jsonl", trace));
	free(play_write_file(dir, "hss.log", "nothing of that\n"));
	secrets = secrets_of(dir);
	digest_ha1(ha1, DIGEST_MD5, "alice@ims.test", "ims.test", "s3cret");
	ck_assert_ptr_nonnull(json_object_get(secrets, "s3cret"));
	ck_assert_ptr_nonnull(json_object_get(secrets, "T0ken"));
	ck_assert_ptr_nonnull(json_object_get(secrets, "p4ss"));
	ck_assert_ptr_nonnull(json_object_get(secrets, ha1));
	ck_assert_uint_eq(json_object_size(secrets), 3 + DIGEST_ALG_N);
	ck_assert_int_eq(expect_none_in_files(secrets, dir), 1);
	ck_assert_str_eq(find(secrets, "a\nb p4ss c", 10), "b p4ss c");
	json_decref(secrets);
}
END_TEST

static Suite *secrets_suite(void)
{
	Suite *s = suite_create("secrets");
	TCase *tc = tcase_create("in no log");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_secret_is_in_the_messages_alone, 0,
			    (int)(sizeof(scenarios) / sizeof(scenarios[0])));
	tcase_add_test(tc, a_secret_in_a_log_would_be_found);
	suite_add_tcase(s, tc);

	return s;
}

SUITE_MAIN(secrets_suite)
