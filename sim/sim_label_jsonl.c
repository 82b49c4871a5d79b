#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sim/sim_label.h"

static const char *const proto_names[] = { "sip", "diameter", "http" };

/* The bytes: as the process traced them, text or hex */
static void put_bytes(json_t *line, const struct sim_entry *e)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *in = e->data;
	json_t *text = NULL;
	char *hex;

	if (e->proto != TRACE_DIAMETER)
		text = json_stringn(e->data, e->len);
	if (text) {
		json_object_set_new(line, "text", text);
		return;
	}

	hex = xcalloc(2, e->len + 1);
	for (size_t i = 0; i < e->len; i++) {
		hex[2 * i] = digits[in[i] >> 4];
		hex[2 * i + 1] = digits[in[i] & 15];
	}
	json_object_set_new(line, "hex", json_string(hex));
	free(hex);
}

/** s as UTF-8, or with a '?' for each byte that is none */
json_t *sim_label_text_json(const char *s)
{
	json_t *string = json_string(s);
	char *ascii;

	if (string)
		return string;

	ascii = xstrdup(s);
	for (char *p = ascii; *p; p++) {
		if (*p & 0x80)
			*p = '?';
	}
	string = json_string(ascii);
	free(ascii);

	return string;
}

static void put_message(json_t *line, const struct sim_label *lb, size_t i)
{
	const struct sim_entry *e = sim_trace_entry(sim_label_trace(lb), i);

	json_object_set_new(line, "from", sim_label_text_json(e->from));
	json_object_set_new(line, "to", sim_label_text_json(e->to));
	json_object_set_new(line, "proto", json_string(proto_names[e->proto]));
	json_object_set_new(line, "transport", json_string(e->transport));
	json_object_set_new(line, "src", json_string(e->src));
	json_object_set_new(line, "dst", json_string(e->dst));
	json_object_set_new(line, "summary",
			    sim_label_text_json(sim_label_summary(lb, i)));
	put_bytes(line, e);
	if (e->send_us >= 0 && e->recv_us >= 0)
		json_object_set_new(line, "recv_us",
				    json_integer(e->recv_us - e->send_us));
	if (e->is_lost)
		json_object_set_new(line, "lost", json_true());
	if (e->is_retransmission)
		json_object_set_new(line, "retransmission_of",
				    json_integer((json_int_t)e->original));
}

/* actor, name and the event's own fields */
static void put_event(json_t *line, const struct sim_entry *e)
{
	json_object_update_missing(line, e->fields);
	json_object_del(line, "t");
}

json_t *sim_label_json(const struct sim_label *lb, size_t i)
{
	const struct sim_trace *tr = sim_label_trace(lb);
	const struct sim_entry *e = sim_trace_entry(tr, i);
	const char *impu = sim_label_impu(lb, i);
	int64_t t_us = e->t_us - sim_trace_entry(tr, 0)->t_us;
	json_t *line =
		json_pack("{s:I, s:I, s:s}", "n", (json_int_t)i, "t_us",
			  (json_int_t)t_us, "kind", e->name ? "event" : "msg");

	if (sim_label_ids(lb, i)[0])
		json_object_set_new(line, "steps",
				    json_string(sim_label_ids(lb, i)));
	if (impu)
		json_object_set_new(line, "impu", sim_label_text_json(impu));
	if (e->name)
		put_event(line, e);
	else
		put_message(line, lb, i);

	return line;
}

int sim_label_write_jsonl(const struct sim_label *lb, FILE *f)
{
	for (size_t i = 0; i < sim_trace_count(sim_label_trace(lb)); i++) {
		json_t *line = sim_label_json(lb, i);

		json_dumpf(line, f, JSON_COMPACT);
		fputc('\n', f);
		json_decref(line);
	}

	return fflush(f) || ferror(f) ? (errno ? errno : EIO) : 0;
}
