#include "common/ctl.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/stream.h"

enum { LINE_MAX_LEN = 8 << 20, TABLES_MAX = 6 };

/** Commands and whom they are for */
struct table {
	const struct ctl_cmd *cmds;
	void *arg;
	bool is_of_questions;
};

/** A call of ours that waits for its answer */
struct pending {
	struct pending *next;
	json_int_t id;
	ctl_answer_cb *cb;
	void *arg;
};

/** One end of the channel */
struct ctl {
	struct loop *loop;
	struct stream *stream;
	struct table tables[TABLES_MAX];
	int table_n;
	ctl_line_cb *on_line;
	void *line_arg;
	ctl_end_cb *on_end;
	void *end_arg;
	struct pending *pending;
	struct ctl_req *reqs; /* unanswered commands */
	json_int_t last_id;
};

/** A command that waits for its answer; freed when answered. Its channel may
 * be gone by then (ctl NULL) */
struct ctl_req {
	struct ctl_req *next;
	struct ctl *ctl;
	json_int_t id;
};

static void unlink_req(struct ctl_req *req)
{
	struct ctl_req **p;

	if (!req->ctl)
		return;

	for (p = &req->ctl->reqs; *p && *p != req; p = &(*p)->next)
		;
	if (*p)
		*p = req->next;
}

static const struct ctl_cmd *find_command(const struct table *table,
					  const char *name)
{
	const struct ctl_cmd *cmd = table->cmds;

	while (cmd->name && strcmp(cmd->name, name) != 0)
		cmd++;

	return cmd->name ? cmd : NULL;
}

static void on_command(struct ctl *ctl, json_int_t id, const char *name,
		       json_t *args)
{
	struct ctl_req *req = xcalloc(1, sizeof(*req));

	req->ctl = ctl;
	req->id = id;
	req->next = ctl->reqs;
	ctl->reqs = req;
	for (int i = 0; i < ctl->table_n; i++) {
		const struct ctl_cmd *cmd = find_command(&ctl->tables[i], name);

		if (cmd) {
			if (!ctl->tables[i].is_of_questions)
				loop_count(ctl->loop);
			cmd->cb(req, args, ctl->tables[i].arg);
			return;
		}
	}
	ctl_fail(req, "no command \"%s\"", name);
}

static void on_answer(struct ctl *ctl, json_int_t id, json_t *msg)
{
	struct pending **p = &ctl->pending;
	struct pending *call;

	while (*p && (*p)->id != id)
		p = &(*p)->next;
	call = *p;
	if (!call)
		return;

	*p = call->next;
	if (call->cb)
		call->cb(json_object_get(msg, "result"),
			 json_string_value(json_object_get(msg, "error")),
			 call->arg);
	free(call);
}

static void on_message(struct ctl *ctl, json_t *msg)
{
	const char *cmd = json_string_value(json_object_get(msg, "cmd"));
	const json_t *id = json_object_get(msg, "id");

	if (cmd)
		on_command(ctl, json_integer_value(id), cmd,
			   json_object_get(msg, "args"));
	else if (id)
		on_answer(ctl, json_integer_value(id), msg);
	else if (ctl->on_line)
		ctl->on_line(msg, ctl->line_arg);
}

static ssize_t rx(const uint8_t *data, size_t len, void *arg)
{
	const uint8_t *newline = memchr(data, '\n', len);
	struct ctl *ctl = arg;
	json_error_t error;
	json_t *msg;

	if (!newline)
		return len > LINE_MAX_LEN ? -1 : 0;

	/* a traced message may hold a NUL byte */
	msg = json_loadb((const char *)data, (size_t)(newline - data),
			 JSON_ALLOW_NUL, &error);
	if (msg)
		on_message(ctl, msg);
	else
		log_error("control channel: not JSON at column %d",
			  error.column);
	json_decref(msg);

	return newline - data + 1;
}

static void fail_pending(struct ctl *ctl)
{
	while (ctl->pending) {
		struct pending *call = ctl->pending;

		ctl->pending = call->next;
		if (call->cb)
			call->cb(NULL, "the process ended", call->arg);
		free(call);
	}
}

static void on_end(int err, void *arg)
{
	struct ctl *ctl = arg;

	(void)err;
	fail_pending(ctl);
	if (ctl->on_end)
		ctl->on_end(ctl->end_arg);
}

static const struct stream_ops ops = { NULL, rx, on_end };

/** A channel on a connected socket, which it owns from now on */
struct ctl *ctl_new(struct loop *loop, int fd)
{
	struct ctl *ctl = xcalloc(1, sizeof(*ctl));

	ctl->loop = loop;
	ctl->stream = stream_new(loop, fd);
	stream_set_ops(ctl->stream, &ops, ctl);

	return ctl;
}

/** Close; calls that wait are forgotten, not called back */
struct ctl *ctl_free(struct ctl *ctl)
{
	if (!ctl)
		return NULL;

	while (ctl->pending) {
		struct pending *call = ctl->pending;

		ctl->pending = call->next;
		free(call);
	}
	for (struct ctl_req *r = ctl->reqs; r; r = r->next)
		r->ctl = NULL;
	stream_free(ctl->stream);
	free(ctl);

	return NULL;
}

/** Take the commands of one more table, which is borrowed */
void ctl_add_commands(struct ctl *ctl, const struct ctl_cmd *cmds, void *arg)
{
	assert(ctl->table_n < TABLES_MAX);
	ctl->tables[ctl->table_n++] = (struct table){ cmds, arg, false };
}

/** The same, of commands that have no consequence but their answer: they are
 * not counted by loop_acted() */
void ctl_add_questions(struct ctl *ctl, const struct ctl_cmd *cmds, void *arg)
{
	ctl_add_commands(ctl, cmds, arg);
	ctl->tables[ctl->table_n - 1].is_of_questions = true;
}

/** Who gets the lines that are neither command nor answer */
void ctl_on_line(struct ctl *ctl, ctl_line_cb *cb, void *arg)
{
	ctl->on_line = cb;
	ctl->line_arg = arg;
}

/** Who is told, once, that the other end is gone */
void ctl_on_end(struct ctl *ctl, ctl_end_cb *cb, void *arg)
{
	ctl->on_end = cb;
	ctl->end_arg = arg;
}

/** Send one line; msg is stolen */
void ctl_tx(struct ctl *ctl, json_t *msg)
{
	char *text = json_dumps(msg, JSON_COMPACT);

	json_decref(msg);
	if (!text)
		return;

	stream_write(ctl->stream, text, strlen(text));
	stream_write(ctl->stream, "\n", 1);
	free(text);
}

/** Send {"key":json} for JSON that is text already: the trace's fast way */
void ctl_tx_line(struct ctl *ctl, const char *key, const char *json, size_t len)
{
	stream_write(ctl->stream, "{\"", 2);
	stream_write(ctl->stream, key, strlen(key));
	stream_write(ctl->stream, "\":", 2);
	stream_write(ctl->stream, json, len);
	stream_write(ctl->stream, "}\n", 2);
}

/** Have all that was said leave this process before it goes on */
void ctl_flush(struct ctl *ctl)
{
	stream_flush(ctl->stream);
}

/** The channel's descriptor, to be told from others */
int ctl_fd(const struct ctl *ctl)
{
	return stream_fd(ctl->stream);
}

/** Send a command; args is stolen, cb (or NULL) gets the answer */
void ctl_call(struct ctl *ctl, const char *cmd, json_t *args, ctl_answer_cb *cb,
	      void *arg)
{
	struct pending *call = xcalloc(1, sizeof(*call));

	call->id = ++ctl->last_id;
	call->cb = cb;
	call->arg = arg;
	call->next = ctl->pending;
	ctl->pending = call;
	ctl_tx(ctl, json_pack("{s:I, s:s, s:o}", "id", call->id, "cmd", cmd,
			      "args", args ? args : json_object()));
}

static void answer(struct ctl_req *req, const char *key, json_t *value)
{
	unlink_req(req);
	if (req->ctl)
		ctl_tx(req->ctl,
		       json_pack("{s:I, s:o}", "id", req->id, key, value));
	else
		json_decref(value);
	free(req);
}

/** The command is done; result is stolen, NULL: {} */
void ctl_ok(struct ctl_req *req, json_t *result)
{
	answer(req, "result", result ? result : json_object());
}

/** The command failed: a sentence that says what and where */
void ctl_fail(struct ctl_req *req, const char *fmt, ...)
{
	va_list ap;
	char *text;
	json_t *value;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	value = json_string(text);
	answer(req, "error",
	       value ? value : json_string("(the error is not UTF-8)"));
	free(text);
}
