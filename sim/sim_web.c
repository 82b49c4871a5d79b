#include "sim/sim_web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "sim/sim_report.h"
#include "sim/sim_steps.h"
#include "sim/sim_web_conn.h"
#include "sim/sim_web_files.h"

/** Owned by the runner */
struct sim_web {
	struct sim_web_conns *conns;
	const struct sim_web_ops *ops;
	void *arg;
	char *url;
	json_t *data; /* as it was shown last */
	long long run, shown_n;
};

/* --- events --- */

/* Which state of which run this is: a page that has it already ignores it */
static char *id_of(const struct sim_web *web)
{
	return xasprintf("%lld.%lld", web->run, web->shown_n);
}

static size_t first_difference(const json_t *was, const json_t *is)
{
	size_t i = 0;

	while (i < json_array_size(was) && i < json_array_size(is) &&
	       json_equal(json_array_get(was, i), json_array_get(is, i)))
		i++;

	return i;
}

/* What the page needs to get from `was` to what is; NULL: from nothing */
static json_t *changes(const json_t *was, const json_t *is)
{
	static const char *const rare[] = { "name", "file", "steps" };
	static const char *const always[] = { "live", "result", "reason" };
	const json_t *entries = json_object_get(is, "entries");
	size_t from =
		first_difference(json_object_get(was, "entries"), entries);
	json_t *late = json_array();
	json_t *out;

	for (size_t i = from; i < json_array_size(entries); i++)
		json_array_append(late, json_array_get(entries, i));
	out = json_pack("{s:I, s:o}", "from", (json_int_t)from, "entries",
			late);
	for (size_t i = 0; i < sizeof(rare) / sizeof(*rare); i++) {
		json_t *value = json_object_get(is, rare[i]);

		if (value && !json_equal(value, json_object_get(was, rare[i])))
			json_object_set(out, rare[i], value);
	}
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++) {
		if (json_object_get(is, always[i]))
			json_object_set(out, always[i],
					json_object_get(is, always[i]));
	}

	return out;
}

static char *event_of(const struct sim_web *web, const json_t *was)
{
	json_t *json = changes(was, web->data);
	char *data = json_dumps(json, JSON_COMPACT);
	char *id = id_of(web);
	char *text = xasprintf("id: %s\nevent: trace\ndata: %s\n\n", id, data);

	json_decref(json);
	free(data);
	free(id);

	return text;
}

void sim_web_show(struct sim_web *web, json_t *data)
{
	json_t *was = web->data;
	char *text;

	web->data = data;
	web->shown_n++;
	text = event_of(web, was);
	sim_web_conns_send(web->conns, text, strlen(text));
	free(text);
	json_decref(was);
}

size_t sim_web_client_count(const struct sim_web *web)
{
	return sim_web_conns_stream_count(web->conns);
}

/* --- what is asked --- */

/** What a path gives */
struct route {
	const char *method, *path;
	void (*cb)(struct sim_web *web, struct sim_web_conn *conn,
		   const struct sim_web_request *req);
};

static void get_page(struct sim_web *web, struct sim_web_conn *conn,
		     const struct sim_web_request *req)
{
	struct sim_web_answer a = { .status = 200,
				    .type = "text/html; charset=utf-8" };
	json_t *data = json_copy(web->data);
	char *text = NULL, *id = id_of(web);
	FILE *f = open_memstream(&text, &a.len);
	int err = f ? 0 : errno;

	(void)req;
	json_object_set_new(data, "shown", json_string(id));
	if (!json_object_get(data, "live"))
		json_object_set_new(data, "live", json_object());
	if (f) {
		err = sim_report_write(data, f);
		(void)fclose(f);
	}
	a.body = text;
	if (err)
		sim_web_answer_error(conn, 500, NULL, strerror(err));
	else
		sim_web_answer(conn, &a);
	json_decref(data);
	free(text);
	free(id);
}

static void get_events(struct sim_web *web, struct sim_web_conn *conn,
		       const struct sim_web_request *req)
{
	char *all = event_of(web, NULL);
	char *text = xasprintf("retry: 1000\n\n%s", all);

	(void)req;
	sim_web_conn_stream(conn, text, strlen(text));
	free(all);
	free(text);
}

static char *read_all(const char *path, size_t *lenp)
{
	char *bytes = NULL;
	FILE *f = fopen(path, "re");
	long len = -1;

	if (f && !fseek(f, 0, SEEK_END))
		len = ftell(f);
	if (len >= 0 && !fseek(f, 0, SEEK_SET)) {
		bytes = xcalloc(1, (size_t)len + 1);
		*lenp = fread(bytes, 1, (size_t)len, f);
	}
	if (f)
		(void)fclose(f);

	return bytes;
}

static void get_capture(struct sim_web *web, struct sim_web_conn *conn,
			const struct sim_web_request *req)
{
	struct sim_web_answer a = {
		.status = 200,
		.type = "application/octet-stream",
		.extra = "Content-Disposition: attachment; "
			 "filename=\"capture.pcapng\"\r\n",
	};
	const char *path = web->ops->capture(web->arg);
	char *bytes = path ? read_all(path, &a.len) : NULL;

	(void)req;
	a.body = bytes;
	if (!path)
		sim_web_answer_error(conn, 404, NULL,
				     "the capture is written when the run is "
				     "over");
	else if (!bytes)
		sim_web_answer_error(conn, 500, NULL,
				     "the capture cannot be read");
	else
		sim_web_answer(conn, &a);
	free(bytes);
}

static int status_of(int err)
{
	switch (err) {
	case EINVAL:
		return 400;
	case EBUSY:
	case ENOENT:
		return 409;
	default:
		return 500;
	}
}

/* The step that "until" names, or NULL with the reason */
static const char *read_step(const json_t *json, char **reasonp)
{
	const char *ref = json_need_string(json, "step", reasonp);

	if (ref && !sim_steps_find(ref, strlen(ref))) {
		*reasonp = xasprintf("\"%.20s\" is no step; the steps are S401 "
				     "to S414, S501 to S521",
				     ref);
		return NULL;
	}

	return ref;
}

static void act(struct sim_web *web, struct sim_web_conn *conn,
		const struct sim_web_request *req, const char *command)
{
	static const struct sim_web_answer done = { .status = 200,
						    .type = "application/json",
						    .body = "{}",
						    .len = 2 };
	char *reason = NULL;
	json_t *json = json_read(req->body, req->body_len, &reason);
	const char *ref = NULL;
	int err = json ? 0 : EINVAL;

	if (!err && !strcmp(command, "until")) {
		ref = read_step(json, &reason);
		err = ref ? 0 : EINVAL;
	} else if (!err && !json_is_object(json)) {
		reason = xstrdup("the body must be a JSON object, like {}");
		err = EINVAL;
	}
	if (!err)
		err = web->ops->command(command, ref, web->arg, &reason);
	if (err)
		sim_web_answer_error(conn, status_of(err), NULL,
				     reason ? reason : strerror(err));
	else
		sim_web_answer(conn, &done);
	json_decref(json);
	free(reason);
}

static const char commands[] = "/v1/";

static void post_command(struct sim_web *web, struct sim_web_conn *conn,
			 const struct sim_web_request *req)
{
	struct sim_web_refusal no;

	if (sim_web_request_may_act(req, &no))
		act(web, conn, req, req->path + sizeof(commands) - 1);
	else
		sim_web_answer_error(conn, no.status, NULL, no.error);
}

static const struct route routes[] = {
	{ "GET", "/", get_page },
	{ "GET", "/events", get_events },
	{ "GET", "/capture.pcapng", get_capture },
	{ "POST", "/v1/next", post_command },
	{ "POST", "/v1/until", post_command },
	{ "POST", "/v1/end", post_command },
	{ "POST", "/v1/quit", post_command },
};

static void on_request(struct sim_web_conn *conn,
		       const struct sim_web_request *req, void *arg)
{
	const struct route *r = routes;
	const struct route *end = routes + sizeof(routes) / sizeof(*routes);
	char *allow;

	while (r < end && strcmp(r->path, req->path) != 0)
		r++;
	if (r == end) {
		sim_web_answer_error(conn, 404, NULL,
				     "there is nothing of that name here");
	} else if (strcmp(r->method, req->method) != 0) {
		allow = xasprintf("Allow: %s\r\n", r->method);
		sim_web_answer_error(conn, 405, allow,
				     "this path does not know the method");
		free(allow);
	} else {
		r->cb(arg, conn, req);
	}
}

/* --- the whole --- */

/* The page's own policy; and nobody may put the page into a frame, which a
 * <meta> cannot say (CSP3 6.4.2) */
static char *find_policy(void)
{
	static const char mark[] =
		"http-equiv=\"Content-Security-Policy\" content=\"";
	const char *at = strstr(sim_web_file("page.html"), mark);

	at += sizeof(mark) - 1;

	return xasprintf("%.*s; frame-ancestors 'none'", (int)strcspn(at, "\""),
			 at);
}

int sim_web_new(struct sim_web **wp, struct loop *loop, const char *listen,
		const struct sim_web_ops *ops, void *arg, char **reasonp)
{
	const struct sim_report nothing = { "", "", "", NULL };
	struct sim_web_conns *conns;
	char *policy = find_policy();
	int err = sim_web_conns_new(&conns, loop, listen, policy, reasonp);
	struct sim_web *web;

	free(policy);
	if (err)
		return err;

	web = xcalloc(1, sizeof(*web));
	web->conns = conns;
	web->ops = ops;
	web->arg = arg;
	web->run = clock_wall_us();
	web->data = sim_report_data(&nothing, NULL);
	web->url = xasprintf("http://%s/", sim_web_conns_addr(conns));
	sim_web_conns_on_request(conns, on_request, web);
	*wp = web;

	return 0;
}

struct sim_web *sim_web_free(struct sim_web *web)
{
	if (!web)
		return NULL;

	sim_web_conns_free(web->conns);
	json_decref(web->data);
	free(web->url);
	free(web);

	return NULL;
}

const char *sim_web_url(const struct sim_web *web)
{
	return web->url;
}
