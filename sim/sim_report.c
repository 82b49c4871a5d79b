#include "sim/sim_report.h"

#include <errno.h>
#include <string.h>

#include "sim/sim_web_files.h"

/* --- data --- */

static size_t index_of(const struct sim_step *step)
{
	size_t i = 0;

	while (sim_steps_at(i) != step)
		i++;

	return i;
}

static json_t *steps_data(void)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < sim_steps_count(); i++) {
		const struct sim_step *s = sim_steps_at(i);

		json_array_append_new(
			rows,
			json_pack("{s:s, s:s*, s:s, s:s*, s:s, s:s*, s:s, "
				  "s:s, s:s*, s:s*}",
				  "id", s->id, "part", s->part, "from", s->from,
				  "to", s->to, "wire", sim_wire_name(s->wire),
				  "is", s->is, "en", s->en, "zh", s->zh,
				  "paragraph", s->paragraph, "clause",
				  s->clause));
	}

	return rows;
}

static json_t *entry_data(const struct sim_label *lb, size_t i)
{
	const struct sim_entry *e = sim_trace_entry(sim_label_trace(lb), i);
	const struct sim_step *step = sim_label_step(lb, i);
	json_t *item = json_pack("{s:o, s:s}", "entry", sim_label_json(lb, i),
				 "wire", sim_wire_name(sim_label_wire(lb, i)));

	if (step)
		json_object_set_new(item, "step",
				    json_integer((json_int_t)index_of(step)));
	if (!e->name && e->proto == TRACE_DIAMETER)
		json_object_set_new(item, "avps",
				    sim_report_avps(e->data, e->len));

	return item;
}

json_t *sim_report_data(const struct sim_report *report,
			const struct sim_label *lb)
{
	json_t *entries = json_array();
	size_t n = lb ? sim_trace_count(sim_label_trace(lb)) : 0;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(entries, entry_data(lb, i));

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "name",
			 sim_label_text_json(report->name), "file",
			 sim_label_text_json(report->file), "result",
			 sim_label_text_json(report->result), "reason",
			 report->reason ? sim_label_text_json(report->reason)
					: json_null(),
			 "steps", steps_data(), "entries", entries);
}

/* --- page --- */

/* Inside <script> only "</script" and "<!--" are special (HTML 4.12.1.3), and
 * outside of strings JSON has neither: no '<' is left, nor '&' and '>' for
 * whoever takes the data elsewhere */
static int put_json(const char *text, size_t len, void *arg)
{
	FILE *f = arg;

	for (size_t i = 0; i < len; i++) {
		if (strchr("<>&", text[i]) && text[i])
			(void)fprintf(f, "\\u%04x", (unsigned)text[i]);
		else
			(void)fputc(text[i], f);
	}

	return ferror(f) ? -1 : 0;
}

/* "<!--PART style.css-->": that file; its name's end, or NULL */
static const char *put_part(const char *mark, FILE *f)
{
	char name[32] = "";
	const char *end = strstr(mark, "-->");
	const char *text = NULL;

	if (end && (size_t)(end - mark) < sizeof(name)) {
		memcpy(name, mark, (size_t)(end - mark));
		text = sim_web_file(name);
	}
	if (!text)
		return NULL;

	(void)fputs(text, f);

	return end + 3;
}

int sim_report_write(json_t *data, FILE *f)
{
	static const char part[] = "<!--PART ", here[] = "<!--DATA-->";
	const char *p = sim_web_file("page.html");

	while (*p) {
		size_t plain = strcspn(p, "<");
		const char *next = NULL;

		(void)fwrite(p, 1, plain, f);
		p += plain;
		if (!strncmp(p, part, sizeof(part) - 1)) {
			next = put_part(p + sizeof(part) - 1, f);
		} else if (!strncmp(p, here, sizeof(here) - 1)) {
			next = p + sizeof(here) - 1;
			if (json_dump_callback(data, put_json, f, JSON_COMPACT))
				return errno ? errno : EIO;
		}
		if (!next && *p)
			(void)fputc(*p++, f);
		else if (next)
			p = next;
	}

	return fflush(f) || ferror(f) ? (errno ? errno : EIO) : 0;
}
