#include "tests/fake/as_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "appserver/appserver_core.h"
#include "common/element.h"
#include "common/https.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/pki.h"
#include "common/trace.h"
#include "tests/fake/proc.h"
#include "tests/patience.h"

static void make_files(struct as_bed *bed)
{
	static const char *const names[] = { "appserver", "platform", NULL };
	static const char *const hosts[] = { "127.0.0.1", "127.0.0.1", NULL };
	char *reason = NULL;
	char path[96];
	FILE *f;

	snprintf(bed->dir, sizeof(bed->dir), "%s", temp_dir());
	ck_assert_msg(!pki_make(bed->dir, names, hosts, &reason), "%s", reason);
	snprintf(path, sizeof(path), "%s/users", bed->dir);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	fputs("# who may log in\n" ALICE " s3cret\n\n" BOB " b0b\n", f);
	fclose(f);
}

static void on_trace(const char *line, size_t len, void *arg)
{
	struct as_bed *bed = arg;
	size_t at = strlen(bed->events);
	json_t *event = json_loadb(line, len, 0, NULL);
	const char *name = json_string_value(json_object_get(event, "name"));

	if (name && !strcmp(name, "as.cdr")) {
		json_decref(bed->cdr);
		bed->cdr = json_incref(event);
		bed->cdrs++;
	}
	if (name && !strncmp(name, "as.", 3))
		snprintf(bed->events + at, sizeof(bed->events) - at, "%s ",
			 name);
	json_decref(event);
}

static bool is_ready(const void *arg)
{
	return as_is_ready(((const struct as_bed *)arg)->as);
}

/** Start the AS on the bed's store */
void as_bed_start(struct as_bed *bed)
{
	char cert[96], ca[96], users[96], store[96], cdr[96];
	struct appserver_cfg cfg = { .https = "127.0.0.1:0",
				     .sip = "127.0.0.1:0",
				     .store = store,
				     .cert = cert,
				     .ca = ca,
				     .platform = bed->platform_url,
				     .users = users,
				     .realm = "ims.test",
				     .proxy = "sip:127.0.0.1:5060",
				     .cdr = cdr,
				     .number_policy = bed->number_policy,
				     .chain = bed->chain,
				     .calls_max = 2 };
	char *reason = NULL;

	snprintf(cert, sizeof(cert), "%s/appserver.pem", bed->dir);
	snprintf(ca, sizeof(ca), "%s/ca.pem", bed->dir);
	snprintf(users, sizeof(users), "%s/users", bed->dir);
	snprintf(store, sizeof(store), "%s/as.db", bed->dir);
	snprintf(cdr, sizeof(cdr), "%s/cdr.csv", bed->dir);
	ck_assert_msg(!as_new(&bed->as, bed->as_el, &cfg, &reason), "%s",
		      reason);
	snprintf(bed->url, sizeof(bed->url), "https://%s",
		 as_https_addr(bed->as));
	ck_assert(loop_run_until(bed->loop, is_ready, bed, PATIENCE_MS));
}

/** Stop the AS; its store stays */
void as_bed_stop(struct as_bed *bed)
{
	bed->as = as_free(bed->as);
}

static struct https_client *client_new(const struct as_bed *bed)
{
	char *ca = xasprintf("%s/ca.pem", bed->dir);
	const struct https_client_cfg cfg = { .ca_file = ca };
	struct https_client *client = NULL;
	char *reason = NULL;

	ck_assert_msg(
		!https_client_new(&client, bed->terminal_el, &cfg, &reason),
		"%s", reason);
	free(ca);

	return client;
}

struct as_bed *as_bed_new(void)
{
	struct as_bed *bed = xcalloc(1, sizeof(*bed));

	make_files(bed);
	bed->loop = loop_new();
	bed->as_el = element_new_on(bed->loop, "appserver");
	bed->platform_el = element_new_on(bed->loop, "platform");
	bed->terminal_el = element_new_on(bed->loop, "terminal");
	trace_set_sink(bed->as_el->trace, on_trace, bed);
	bed->platform =
		fake_platform_new(bed->platform_el, bed->dir, "127.0.0.1:0");
	snprintf(bed->platform_url, sizeof(bed->platform_url), "%s",
		 bed->platform->url);
	bed->client = client_new(bed);
	as_bed_start(bed);

	return bed;
}

struct as_bed *as_bed_free(struct as_bed *bed)
{
	https_client_free(bed->client);
	as_bed_stop(bed);
	fake_platform_free(bed->platform);
	element_free(bed->as_el);
	element_free(bed->platform_el);
	element_free(bed->terminal_el);
	loop_free(bed->loop);
	json_decref(bed->last.body);
	json_decref(bed->cdr);
	free(bed->token);
	free(bed);

	return NULL;
}

static void on_answer(const struct https_resp *resp, void *arg)
{
	struct as_bed *bed = arg;
	struct as_answered *a = &bed->last;

	a->is_done = true;
	a->status = resp->status;
	a->retry_after_s = resp->retry_after_s;
	snprintf(a->text, sizeof(a->text), "%.*s", (int)resp->len,
		 resp->body ? resp->body : "");
	a->body = json_loads(a->text, 0, NULL);
}

/** Send a request, with the token if there is one, and go on */
void as_bed_send(struct as_bed *bed, const char *path, const char *body)
{
	char *url = xasprintf("%s%s", bed->url, path);
	char *bearer = xasprintf("Bearer %s", bed->token ? bed->token : "");
	struct https_call call = { .method = "POST",
				   .url = url,
				   .type = "application/json",
				   .body = body,
				   .len = strlen(body) };

	if (bed->token) {
		call.headers[0] = "Authorization";
		call.headers[1] = bearer;
	}
	json_decref(bed->last.body);
	bed->last = (struct as_answered){ 0 };
	https_client_call(bed->client, &call, on_answer, bed);
	free(bearer);
	free(url);
}

static bool is_answered(const void *arg)
{
	return ((const struct as_bed *)arg)->last.is_done;
}

/** Wait for the answer; its status */
int as_bed_wait(struct as_bed *bed)
{
	ck_assert_msg(loop_run_until(bed->loop, is_answered, bed, PATIENCE_MS),
		      "the application server did not answer");

	return bed->last.status;
}

/** The terminal closes its connections; the next request makes a new one */
void as_bed_hang_up(struct as_bed *bed)
{
	https_client_free(bed->client);
	bed->client = client_new(bed);
}

/** Send and wait; the status */
int as_bed_post(struct as_bed *bed, const char *path, const char *body)
{
	as_bed_send(bed, path, body);

	return as_bed_wait(bed);
}

/** Post {"number": number} and wait; the status */
int as_bed_ask(struct as_bed *bed, const char *path, const char *number)
{
	char body[64];

	snprintf(body, sizeof(body), "{\"number\":\"%s\"}", number);

	return as_bed_post(bed, path, body);
}

/** Log in; the bed keeps the token */
void as_bed_login(struct as_bed *bed, const char *number, const char *secret)
{
	char body[128];

	snprintf(body, sizeof(body), "{\"number\":\"%s\",\"secret\":\"%s\"}",
		 number, secret);
	xstrset(&bed->token, NULL);
	ck_assert_int_eq(as_bed_post(bed, "/v1/login", body), 200);
	xstrset(&bed->token, as_bed_field(bed, "token"));
}

/** A string of the last answer's body; "" if it is not there */
const char *as_bed_field(const struct as_bed *bed, const char *name)
{
	const char *text =
		json_string_value(json_object_get(bed->last.body, name));

	return text ? text : "";
}

/** A counter that is waited for */
struct awaited {
	const int *count;
	int wanted;
};

static bool has_come(const void *arg)
{
	const struct awaited *a = arg;

	return *a->count >= a->wanted;
}

/** Run until a counter has reached a number */
void as_bed_turns(struct as_bed *bed, const int *count, int wanted)
{
	const struct awaited a = { count, wanted };

	ck_assert(loop_run_until(bed->loop, has_come, &a, PATIENCE_MS));
}

/** A state that is waited for */
struct settled {
	const struct as_bed *bed;
	const char *state;
};

static bool has_state(const void *arg)
{
	const struct settled *s = arg;
	json_t *list = as_bindings_json(s->bed->as);
	const char *state = json_string_value(
		json_object_get(json_array_get(list, 0), "state"));
	bool is_it = !strcmp(state ? state : "none", s->state);

	json_decref(list);

	return is_it;
}

/** Run until the first number's binding is in a state; "none": no bindings */
void as_bed_settle(struct as_bed *bed, const char *state)
{
	const struct settled s = { bed, state };

	ck_assert_msg(loop_run_until(bed->loop, has_state, &s, PATIENCE_MS),
		      "the binding did not become %s", state);
}
