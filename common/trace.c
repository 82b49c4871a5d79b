#include "common/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"

/** Owned by the element */
struct trace {
	char *actor;
	int fd; /* of the file; -1: none */
	trace_sink_cb *sink;
	void *sink_arg;
	trace_watch_cb *watch;
	void *watch_arg;
};

static const char *const proto_names[] = { "sip", "diameter", "http" };
static const char *const dir_names[] = { "send", "recv" };

/** A trace that goes nowhere yet; actor is copied */
struct trace *trace_new(const char *actor)
{
	struct trace *trace = xcalloc(1, sizeof(*trace));

	trace->actor = xstrdup(actor);
	trace->fd = -1;

	return trace;
}

struct trace *trace_free(struct trace *trace)
{
	if (trace) {
		if (trace->fd >= 0)
			close(trace->fd);
		free(trace->actor);
		free(trace);
	}

	return NULL;
}

/** Append lines to a file; 0 or errno */
int trace_open(struct trace *trace, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0)
		return errno;

	if (trace->fd >= 0)
		close(trace->fd);
	trace->fd = fd;

	return 0;
}

/** Give each line to cb too, as it is made */
void trace_set_sink(struct trace *trace, trace_sink_cb *cb, void *arg)
{
	trace->sink = cb;
	trace->sink_arg = arg;
}

/** Have cb look at each event, in the midst of what it tells of; NULL: none */
void trace_set_watch(struct trace *trace, trace_watch_cb *cb, void *arg)
{
	trace->watch = cb;
	trace->watch_arg = arg;
}

/* Not by stdio: what a message says would stay in its buffers */
static void write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
}

/* text has room for a line end behind it */
static void write_text(struct trace *trace, char *text, size_t len)
{
	if (trace->fd >= 0) {
		text[len] = '\n';
		write_all(trace->fd, text, len + 1);
		text[len] = '\0';
	}
	if (trace->sink)
		trace->sink(text, len, trace->sink_arg);
	/* a message may hold a secret, which must not stay in freed memory */
	explicit_bzero(text, len);
	free(text);
}

static void write_line(struct trace *trace, json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);

	json_decref(line);
	if (text)
		write_text(trace, text, strlen(text));
}

/* The fields that every line begins with */
static json_t *begin_line(const struct trace *trace, const char *kind)
{
	json_t *line = json_pack("{s:I}", "t", (json_int_t)clock_now_us());

	if (!clock_is_real())
		json_object_set_new(line, "w",
				    json_integer((json_int_t)clock_real_us()));
	json_object_set_new(line, "actor", json_string(trace->actor));
	json_object_set_new(line, "kind", json_string(kind));

	return line;
}

static json_t *hex(const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *in = data;
	char *out = xcalloc(2, len + 1);
	json_t *text;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	text = json_stringn(out, 2 * len);
	free(out);

	return text;
}

/* The characters of a JSON string, as jansson escapes them: at most six for
 * each; the end of what was written */
static char *put_escaped(char *out, const char *in, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";
	static const char *const raw = "\"\\\b\f\n\r\t", *const letter =
								 "\"\\bfnrt";

	for (size_t i = 0; i < len; i++) {
		char c = in[i];
		const char *special = c ? strchr(raw, c) : NULL;

		if (special) {
			*out++ = '\\';
			*out++ = letter[special - raw];
		} else if ((c & 0xe0) == 0) {
			const char code[] = {
				'\\',           'u',           '0', '0',
				digits[c >> 4], digits[c & 15]
			};

			memcpy(out, code, sizeof(code));
			out += sizeof(code);
		} else {
			*out++ = c;
		}
	}

	return out;
}

static bool is_ascii(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] & 0x80)
			return false;

	return true;
}

/* The line of a message of ASCII, the common case, without a tree of JSON
 * objects: that took a sixth of a proxy's time (perf) */
static void write_message(struct trace *trace, const struct trace_msg *msg)
{
	char *text, *end;
	int head_len;

	text = xcalloc(6, msg->len + 128 + strlen(trace->actor) +
				  strlen(msg->transport) + strlen(msg->local) +
				  strlen(msg->remote));
	head_len = sprintf(text, "{\"t\":%lld,", (long long)clock_now_us());
	if (!clock_is_real())
		head_len += sprintf(text + head_len, "\"w\":%lld,",
				    (long long)clock_real_us());
	head_len += sprintf(text + head_len,
			    "\"actor\":\"%s\",\"kind\":\"msg\","
			    "\"proto\":\"%s\",\"dir\":\"%s\","
			    "\"transport\":\"%s\",\"local\":\"%s\","
			    "\"remote\":\"%s\",\"text\":\"",
			    trace->actor, proto_names[msg->proto],
			    dir_names[msg->dir], msg->transport, msg->local,
			    msg->remote);
	end = put_escaped(text + head_len, msg->data, msg->len);
	memcpy(end, "\"}", sizeof("\"}"));
	write_text(trace, text, (size_t)(end - text) + 2);
}

/** Trace a message at the wire, at the moment it was sent or received */
void trace_message(struct trace *trace, const struct trace_msg *msg)
{
	json_t *line, *head, *text = NULL;

	if (trace->fd < 0 && !trace->sink)
		return;
	if (msg->proto != TRACE_DIAMETER && is_ascii(msg->data, msg->len)) {
		write_message(trace, msg);
		return;
	}

	line = begin_line(trace, "msg");
	head = json_pack("{s:s, s:s, s:s, s:s, s:s}", "proto",
			 proto_names[msg->proto], "dir", dir_names[msg->dir],
			 "transport", msg->transport, "local", msg->local,
			 "remote", msg->remote);
	json_object_update(line, head);
	json_decref(head);
	/* jansson refuses what is not UTF-8: such bytes go as hex */
	if (msg->proto != TRACE_DIAMETER)
		text = json_stringn(msg->data, msg->len);
	if (text)
		json_object_set_new(line, "text", text);
	else
		json_object_set_new(line, "hex", hex(msg->data, msg->len));
	write_line(trace, line);
}

/**
 * Trace a decision
 *
 * @param name   "lease.state": what changed, in the vocabulary of its module
 * @param fields Object with the particulars, stolen; NULL: none
 */
void trace_event(struct trace *trace, const char *name, json_t *fields)
{
	json_t *line;

	if (trace->fd < 0 && !trace->sink) {
		json_decref(fields);
		return;
	}

	line = begin_line(trace, "event");
	json_object_set_new(line, "name", json_string(name));
	if (fields)
		json_object_update_missing(line, fields);
	json_decref(fields);
	write_line(trace, json_incref(line));
	if (trace->watch)
		trace->watch(line, trace->watch_arg);
	json_decref(line);
}
