#include "sim/sim_trace_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "sim/sim_label_msg.h"

/** What has been read so far */
struct reader {
	json_t *lines; /**< they hold the entries' strings */
	struct sim_entry *entries;
	size_t n, max;
	char *why; /**< of the line that is wrong */
};

static int need_int(struct reader *r, const json_t *line, const char *name,
		    int64_t *np)
{
	const json_t *value = json_object_get(line, name);

	if (!json_is_integer(value)) {
		r->why = xasprintf("the field \"%s\" must be an integer", name);
		return EINVAL;
	}
	*np = json_integer_value(value);

	return 0;
}

static int need_text(struct reader *r, const json_t *line, const char *name,
		     const char **textp)
{
	*textp = json_string_value(json_object_get(line, name));
	if (*textp)
		return 0;
	r->why = xasprintf("the field \"%s\" must be a string", name);

	return EINVAL;
}

static int need_proto(struct reader *r, const json_t *line,
		      enum trace_proto *protop)
{
	static const char *const names[] = { "sip", "diameter", "http" };
	const char *name;

	if (need_text(r, line, "proto", &name))
		return EINVAL;
	for (int i = 0; i < 3; i++) {
		if (!strcmp(name, names[i])) {
			*protop = (enum trace_proto)i;
			return 0;
		}
	}
	r->why = xstrdup("the field \"proto\" must be sip, diameter or http");

	return EINVAL;
}

static int nibble(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* The bytes take the place of the digits: the line is who owns them */
static int decode_hex(struct reader *r, json_t *line, const char *hex)
{
	size_t len = strlen(hex) / 2;
	char *bytes = xcalloc(len + 1, 1);
	bool is_bad = strlen(hex) % 2;

	for (size_t i = 0; i < len && !is_bad; i++) {
		int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);

		is_bad = high < 0 || low < 0;
		if (!is_bad)
			bytes[i] = (char)(high << 4 | low);
	}
	if (is_bad)
		r->why = xstrdup("the field \"hex\" must be pairs of 0-9a-f");
	else
		json_object_set_new_nocheck(line, "hex",
					    json_stringn_nocheck(bytes, len));
	free(bytes);

	return is_bad ? EINVAL : 0;
}

static int read_bytes(struct reader *r, json_t *line, struct sim_entry *e)
{
	const char *hex = json_string_value(json_object_get(line, "hex"));
	const json_t *data = json_object_get(line, "text");

	if (!json_is_string(data)) {
		if (!hex) {
			r->why = xstrdup("a message must have the field "
					 "\"text\" or \"hex\"");
			return EINVAL;
		}
		if (decode_hex(r, line, hex))
			return EINVAL;
		data = json_object_get(line, "hex");
	}
	e->data = json_string_value(data);
	e->len = json_string_length(data);

	return 0;
}

/* The first of the same bytes must be a message that was told before */
static int read_original(struct reader *r, const json_t *line,
			 struct sim_entry *e)
{
	int64_t first;

	if (!json_object_get(line, "retransmission_of"))
		return 0;
	if (need_int(r, line, "retransmission_of", &first))
		return EINVAL;
	if (first < 0 || (size_t)first >= r->n ||
	    r->entries[first].name != NULL) {
		r->why = xstrdup("the field \"retransmission_of\" must be the "
				 "number of a message before it");
		return EINVAL;
	}
	e->is_retransmission = true;
	e->original = (size_t)first;

	return 0;
}

static int read_message(struct reader *r, json_t *line, struct sim_entry *e)
{
	int64_t way_us = -1;

	if (need_text(r, line, "from", &e->from) ||
	    need_text(r, line, "to", &e->to) ||
	    need_proto(r, line, &e->proto) ||
	    need_text(r, line, "transport", &e->transport) ||
	    need_text(r, line, "src", &e->src) ||
	    need_text(r, line, "dst", &e->dst) || read_bytes(r, line, e) ||
	    read_original(r, line, e))
		return EINVAL;

	if (json_object_get(line, "recv_us") &&
	    need_int(r, line, "recv_us", &way_us))
		return EINVAL;
	e->send_us = e->t_us;
	e->recv_us = way_us < 0 ? -1 : e->t_us + way_us;
	e->is_lost = json_is_true(json_object_get(line, "lost"));

	return 0;
}

/* "impu" is the label's as well as an event's: it was the label's if the other
 * fields give the same */
static void drop_label(json_t *line, struct sim_entry e)
{
	const char *impu = json_string_value(json_object_get(line, "impu"));
	struct sim_facts facts;

	json_object_del(line, "n");
	json_object_del(line, "t_us");
	json_object_del(line, "steps");
	e.fields = json_copy(line);
	json_object_del(e.fields, "impu");
	sim_facts_read(&facts, &e);
	if (impu && facts.impu && !strcmp(facts.impu, impu))
		json_object_del(line, "impu");
	sim_facts_clear(&facts);
	json_decref(e.fields);
}

static int read_event(struct reader *r, json_t *line, struct sim_entry *e)
{
	if (need_text(r, line, "actor", &e->from) ||
	    need_text(r, line, "name", &e->name))
		return EINVAL;

	e->fields = line;
	e->send_us = e->recv_us = -1;
	drop_label(line, *e);

	return 0;
}

static int read_line(struct reader *r, json_t *line)
{
	struct sim_entry e = { 0 };
	const char *kind;
	int64_t n;

	if (!json_is_object(line)) {
		r->why = xstrdup("it must be a JSON object");
		return EINVAL;
	}
	if (need_int(r, line, "n", &n) || need_int(r, line, "t_us", &e.t_us) ||
	    need_text(r, line, "kind", &kind))
		return EINVAL;
	if (strcmp(kind, "msg") != 0 && strcmp(kind, "event") != 0) {
		r->why = xstrdup("the field \"kind\" must be msg or event");
		return EINVAL;
	}
	if (n != (int64_t)r->n) {
		r->why = xasprintf("the field \"n\" must be %zu: lines are "
				   "missing, or not in their order",
				   r->n);
		return EINVAL;
	}
	if (!strcmp(kind, "msg") ? read_message(r, line, &e)
				 : read_event(r, line, &e))
		return EINVAL;

	if (r->n == r->max) {
		r->max = r->max ? 2 * r->max : 256;
		r->entries = xrealloc(r->entries, r->max * sizeof(*r->entries));
	}
	r->entries[r->n++] = e;
	json_array_append(r->lines, line);

	return 0;
}

static int read_text(struct reader *r, const char *text, size_t len)
{
	json_error_t error;
	json_t *line = json_loadb(text, len, JSON_ALLOW_NUL, &error);
	int err = line ? read_line(r, line) : EINVAL;

	if (!line)
		r->why = xasprintf("%s%s",
				   text[len - 1] == '\n'
					   ? ""
					   : "the file is cut off there: ",
				   error.text);
	json_decref(line);

	return err;
}

static int read_file(struct reader *r, FILE *f, const char *path,
		     char **reasonp)
{
	char *text = NULL;
	size_t max = 0;
	ssize_t len;
	int err = 0;

	while (!err && (len = getline(&text, &max, f)) > 0)
		err = read_text(r, text, (size_t)len);
	free(text);
	if (err)
		*reasonp =
			xasprintf("%s, line %zu: %s", path, r->n + 1, r->why);
	if (!err && ferror(f)) {
		err = errno;
		*reasonp = xasprintf("cannot read %s: %s", path, strerror(err));
	}
	free(r->why);

	return err;
}

int sim_trace_read(struct sim_trace **trp, const char *path, char **reasonp)
{
	struct reader r = { .lines = json_array() };
	FILE *f = fopen(path, "re");
	int err;

	if (!f) {
		err = errno;
		*reasonp = xasprintf("cannot open %s: %s", path, strerror(err));
	} else {
		err = read_file(&r, f, path, reasonp);
		(void)fclose(f);
	}
	if (err) {
		json_decref(r.lines);
		free(r.entries);
		return err;
	}
	*trp = sim_trace_of(r.entries, r.n, r.lines);

	return 0;
}
