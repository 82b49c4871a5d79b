#include "sim/sim_message.h"

#include <stdlib.h>

#include "sim/sim_report.h"

/* What it is: summary, step, paragraph */
static void print_title(const struct sim_label *lb, size_t i,
			enum sim_lang lang, FILE *f)
{
	const struct sim_step *step = sim_label_step(lb, i);

	fprintf(f, "%s\n", sim_label_summary(lb, i));
	if (!step)
		return;
	fprintf(f, "%s: %s (%s%s%s)\n", sim_label_ids(lb, i),
		lang == SIM_CHINESE ? step->zh : step->en, step->paragraph,
		step->clause ? ", " : "", step->clause ? step->clause : "");
}

/* Between whom, and when */
static void print_way(const struct sim_label *lb, size_t i, FILE *f)
{
	const struct sim_trace *tr = sim_label_trace(lb);
	const struct sim_entry *e = sim_trace_entry(tr, i);
	int64_t us = e->t_us - sim_trace_entry(tr, 0)->t_us;

	fprintf(f, "%.3f ms: %s", (double)us / 1000.0, e->from);
	if (!e->name)
		fprintf(f, " %s -> %s %s, %s", e->src, e->to, e->dst,
			e->transport);
	if (e->send_us >= 0 && e->recv_us >= 0)
		fprintf(f, ", received %.3f ms later",
			(double)(e->recv_us - e->send_us) / 1000.0);
	if (e->is_lost)
		fputs(", never received", f);
	if (e->is_retransmission)
		fputs(", the same bytes once more", f);
	fputs("\n\n", f);
}

static void print_text(const struct sim_entry *e, FILE *f)
{
	const char *bytes = e->data;

	for (size_t i = 0; i < e->len; i++) {
		if (bytes[i])
			fputc(bytes[i], f);
		else
			fputs("\\x00", f);
	}
	if (!e->len || bytes[e->len - 1] != '\n')
		fputc('\n', f);
}

static void print_avps(const json_t *rows, int depth, FILE *f)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const json_t *group = json_object_get(row, "group");
		const char *name =
			json_string_value(json_object_get(row, "name"));
		json_t *value = json_object_get(row, "value");
		char *text = json_is_string(value)
				     ? NULL
				     : json_dumps(value, JSON_ENCODE_ANY);

		fprintf(f, "%*s%s (%d)", 2 * depth, "", name ? name : "AVP",
			(int)json_integer_value(json_object_get(row, "code")));
		if (value)
			fprintf(f, ": %s",
				text ? text : json_string_value(value));
		fputc('\n', f);
		print_avps(group, depth + 1, f);
		free(text);
	}
}

static void print_fields(const struct sim_entry *e, FILE *f)
{
	const char *key;
	json_t *value;

	json_object_foreach(e->fields, key, value)
	{
		char *text = json_is_string(value)
				     ? NULL
				     : json_dumps(value, JSON_ENCODE_ANY);

		fprintf(f, "%s: %s\n", key,
			text ? text : json_string_value(value));
		free(text);
	}
}

void sim_message_print(const struct sim_label *lb, size_t i, enum sim_lang lang,
		       FILE *f)
{
	const struct sim_entry *e = sim_trace_entry(sim_label_trace(lb), i);
	json_t *avps;

	print_title(lb, i, lang, f);
	print_way(lb, i, f);
	if (e->name) {
		print_fields(e, f);
	} else if (e->proto == TRACE_DIAMETER) {
		avps = sim_report_avps(e->data, e->len);
		print_avps(avps, 0, f);
		json_decref(avps);
	} else {
		print_text(e, f);
	}
}
