#include "tests/fake/https_bench.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "common/clock.h"
#include "common/element.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/pki.h"
#include "common/trace.h"
#include "tests/patience.h"

struct bench bench;

static void on_line(const char *line, size_t len, void *arg)
{
	json_array_append_new(arg, json_loadb(line, len, 0, NULL));
}

static void make_pki(char *dir, char **certp, char **cap)
{
	static const char *const names[] = { "platform", "boss", NULL };
	static const char *const hosts[] = { "127.0.0.1", "127.0.0.1" };
	char *reason = NULL;

	snprintf(dir, sizeof(bench.dir), "/tmp/sipshare-https-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_msg(!pki_make(dir, names, hosts, &reason), "%s", reason);
	*certp = xasprintf("%s/platform.pem", dir);
	*cap = xasprintf("%s/ca.pem", dir);
}

static void remove_dir(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	while ((e = readdir(d)))
		(void)unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	(void)rmdir(dir);
}

void bench_setup(void)
{
	memset(&bench, 0, sizeof(bench));
	make_pki(bench.dir, &bench.cert, &bench.ca);
	make_pki(bench.other_dir, &bench.other_cert, &bench.other_ca);
	bench.loop = loop_new();
	bench.server_el = element_new_on(bench.loop, "platform");
	bench.client_el = element_new_on(bench.loop, "boss");
	bench.server_lines = json_array();
	bench.client_lines = json_array();
	trace_set_sink(bench.server_el->trace, on_line, bench.server_lines);
	trace_set_sink(bench.client_el->trace, on_line, bench.client_lines);
}

void bench_teardown(void)
{
	https_client_free(bench.client);
	https_server_free(bench.server);
	element_free(bench.server_el);
	element_free(bench.client_el);
	loop_free(bench.loop);
	json_decref(bench.server_lines);
	json_decref(bench.client_lines);
	for (int i = 0; i < bench.answer_n; i++) {
		free(bench.answers[i].error);
		free(bench.answers[i].body);
	}
	remove_dir(bench.dir);
	remove_dir(bench.other_dir);
	free(bench.cert);
	free(bench.ca);
	free(bench.other_cert);
	free(bench.other_ca);
}

/* ---- the server's routes ---- */

static void on_echo(struct https_req *req, void *arg)
{
	size_t len;
	const char *body = https_req_body(req, &len);

	(void)arg;
	bench.requests++;
	https_req_add_header(req, "Retry-After", "7");
	https_reply(req, 200, "text/plain", body, len);
}

static void on_json(struct https_req *req, void *arg)
{
	json_t *body = https_req_json(req);

	(void)arg;
	bench.requests++;
	if (body)
		https_reply_json(req, 201, body);
}

static void on_who(struct https_req *req, void *arg)
{
	const char *name = https_req_peer_name(req);
	const char *token = https_req_header(req, "authorization");

	(void)arg;
	https_reply_json(req, 200,
			 json_pack("{s:s?, s:s?, s:s}", "name", name, "token",
				   token, "path", https_req_path(req)));
}

static void on_keep(struct https_req *req, void *arg)
{
	(void)arg;
	bench.requests++;
	bench.kept = req;
}

static void on_gone(void *arg)
{
	(*(int *)arg)++;
	bench.kept = NULL;
}

static void on_keep_told(struct https_req *req, void *arg)
{
	on_keep(req, arg);
	https_req_on_gone(req, on_gone, &bench.gone);
}

static const struct https_route routes[] = {
	{ "GET", "/echo", on_echo },  { "POST", "/echo", on_echo },
	{ "PUT", "/echo", on_echo },  { "DELETE", "/items/", on_who },
	{ "GET", "/items/", on_who }, { "POST", "/json", on_json },
	{ "POST", "/keep", on_keep }, { "POST", "/told", on_keep_told },
	{ NULL, NULL, NULL },
};

/** Start the server; is_mutual: it demands a certificate of its CA */
void bench_serve(bool is_mutual, size_t body_max)
{
	struct https_server_cfg cfg = { .listen = "127.0.0.1:0",
					.cert_file = bench.cert,
					.ca_file = is_mutual ? bench.ca : NULL,
					.body_max = body_max };
	char *reason = NULL;

	ck_assert_msg(!https_server_new(&bench.server, bench.server_el, &cfg,
					routes, NULL, &reason),
		      "%s", reason);
}

/** Start the client; cert NULL: it shows none */
void bench_client(const char *cert, const char *ca)
{
	struct https_client_cfg cfg = { .cert_file = cert,
					.ca_file = ca,
					.bind = "127.0.0.1" };
	char *reason = NULL;

	ck_assert_msg(!https_client_new(&bench.client, bench.client_el, &cfg,
					&reason),
		      "%s", reason);
}

static void on_answer(const struct https_resp *resp, void *arg)
{
	struct answer *a = &bench.answers[bench.answer_n];

	(void)arg;
	ck_assert_int_lt(bench.answer_n, ANSWERS_MAX);
	a->status = resp->status;
	a->retry_after_s = resp->retry_after_s;
	a->error = xstrdup(resp->error);
	a->body = xstrndup(resp->body ? resp->body : "", resp->len);
	bench.answer_n++;
}

void bench_send_url(const char *method, const char *url, const char *body)
{
	struct https_call call = { .method = method,
				   .url = url,
				   .type = body ? "text/plain" : NULL,
				   .headers = { "Authorization", "Bearer t" },
				   .body = body,
				   .len = body ? strlen(body) : 0 };
	int before = bench.answer_n;

	https_client_call(bench.client, &call, on_answer, NULL);
	/* never before the call that armed it has returned */
	ck_assert_int_eq(bench.answer_n, before);
}

/** Send a request to the server under test */
void bench_send(const char *method, const char *path, const char *body)
{
	char *url = xasprintf("https://%s%s", https_server_addr(bench.server),
			      path);

	bench_send_url(method, url, body);
	free(url);
}

static bool has_answers(const void *arg)
{
	return bench.answer_n >= *(const int *)arg;
}

/** Run until a fact holds; check's own bound ends a test that waits in vain */
void bench_run_until(bool (*fact)(const void *arg), const void *arg)
{
	ck_assert_msg(loop_run_until(bench.loop, fact, arg, PATIENCE_MS),
		      "waited in vain; platform traced %s\nboss traced %s",
		      json_dumps(bench.server_lines, JSON_INDENT(1)),
		      json_dumps(bench.client_lines, JSON_INDENT(1)));
}

/** Run until n answers came in all; gives the last */
const struct answer *bench_wait(int n)
{
	bench_run_until(has_answers, &n);
	ck_assert_int_eq(bench.answer_n, n);

	return &bench.answers[n - 1];
}

/** Send a request and wait for its answer */
const struct answer *bench_call(const char *method, const char *path,
				const char *body)
{
	bench_send(method, path, body);

	return bench_wait(bench.answer_n + 1);
}

/** The first event of a name, or NULL */
json_t *bench_event(json_t *lines, const char *name)
{
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		const char *is =
			json_string_value(json_object_get(line, "name"));

		if (is && !strcmp(is, name))
			return line;
	}

	return NULL;
}

/** The text of the nth message in a direction, 0 the first; NULL: not there */
const char *bench_msg(json_t *lines, const char *dir, int nth)
{
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		const char *is =
			json_string_value(json_object_get(line, "dir"));

		if (is && !strcmp(is, dir) && nth-- == 0)
			return json_string_value(json_object_get(line, "text"));
	}

	return NULL;
}
