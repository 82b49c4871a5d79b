#include "sim/sim_ladder.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sim/sim_ladder_text.h"

enum {
	TIME_WIDTH = 10,
	IDS_WIDTH = 10,
	CAPTION_WIDTH = 36, /* at least */
	WIDE_COLUMN = 11,
	NARROW_COLUMN = 6,
	WIDTH_DEFAULT = 120
};

/** How a wire is drawn: told apart by its line too, not by colour alone */
struct style {
	const char *line, *ascii, *colour;
};

static const struct style styles[] = {
	[SIM_SIP] = { "─", "-", "\033[36m" },
	[SIM_CX] = { "═", "=", "\033[35m" },
	[SIM_HTTPS] = { "·", ".", "\033[32m" },
	[SIM_SOAP] = { "≈", "~", "\033[33m" },
	[SIM_EVENT] = { "●", "*", "\033[1m" },
};
static const struct style state_style = { "○", "o", "\033[2m" };
static const char plain[] = "\033[0m";

/* As they stand beside each other in figures 4 and 5, so that most arrows are
 * short */
static const struct {
	const char *name, *brief;
} order[] = { { "terminal", "UE" },   { "pcscf", "P" },  { "icscf", "I" },
	      { "scscf", "S" },       { "hss", "HSS" },  { "appserver", "AS" },
	      { "platform", "PLAT" }, { "boss", "BOSS" } };
enum { ORDER_N = sizeof(order) / sizeof(*order) };

/** One drawing */
struct ladder {
	const struct sim_label *lb;
	const struct sim_trace *tr;
	struct sim_ladder_cfg cfg;
	const char **actors; /**< a column each */
	size_t actor_n;
	int column; /**< width of one; 0: none, one line "a -> b" */
	FILE *f;
};

/* --- what is drawn --- */

/** Events that tell what another line tells too, or what no reader of the
 * sequence asks for. They stay in trace.jsonl. */
static const struct {
	const char *name;    /**< ends with '.': begins so */
	const char *machine; /**< of "fsm" */
} housekeeping[] = {
	{ "ready", NULL },
	{ "message.", NULL },
	{ "diameter.down", NULL },
	{ "fsm", "diameter.peer" },
	{ "fsm", "diameter.watchdog" },
	{ "lease.state", NULL },        /* platform.lease changes */
	{ "pcscf.registration", NULL }, /* pcscf.reg changes */
	{ "scscf.registration", NULL }, /* scscf.reg changes */
};

static bool is_housekeeping(const struct sim_entry *e)
{
	const char *machine =
		json_string_value(json_object_get(e->fields, "machine"));

	for (size_t i = 0; i < sizeof(housekeeping) / sizeof(*housekeeping);
	     i++) {
		const char *name = housekeeping[i].name;
		size_t len = strlen(name);

		bool is_named = name[len - 1] == '.'
					? !strncmp(e->name, name, len)
					: !strcmp(e->name, name);

		if (!is_named)
			continue;
		if (!housekeeping[i].machine ||
		    (machine && !strcmp(machine, housekeeping[i].machine)))
			return true;
	}

	return false;
}

static bool is_shown(const struct ladder *l, size_t i)
{
	const struct sim_entry *e = sim_trace_entry(l->tr, i);

	if (l->cfg.wants && !l->cfg.wants(e, l->cfg.arg))
		return false;
	if (sim_label_step(l->lb, i))
		return true;
	if (l->cfg.is_steps_only)
		return false;

	return !e->name || l->cfg.has_all_events || !is_housekeeping(e);
}

static size_t find_actor(const struct ladder *l, const char *name)
{
	size_t i = 0;

	while (i < l->actor_n && strcmp(l->actors[i], name) != 0)
		i++;

	return i;
}

static void add_actor(struct ladder *l, const char *name)
{
	if (!name || find_actor(l, name) < l->actor_n)
		return;
	l->actors = xrealloc(l->actors, (l->actor_n + 1) * sizeof(char *));
	l->actors[l->actor_n++] = name;
}

static bool takes_part(const struct ladder *l, const char *name)
{
	for (size_t i = 0; i < sim_trace_count(l->tr); i++) {
		const struct sim_entry *e = sim_trace_entry(l->tr, i);

		if (is_shown(l, i) &&
		    (!strcmp(e->from, name) || (e->to && !strcmp(e->to, name))))
			return true;
	}

	return false;
}

/* The known ones in their order, then whoever else takes part */
static void find_actors(struct ladder *l)
{
	for (size_t i = 0; i < ORDER_N; i++) {
		if (takes_part(l, order[i].name))
			add_actor(l, order[i].name);
	}
	for (size_t i = 0; i < sim_trace_count(l->tr); i++) {
		const struct sim_entry *e = sim_trace_entry(l->tr, i);

		if (!is_shown(l, i))
			continue;
		add_actor(l, e->from);
		add_actor(l, e->to);
	}
}

static int choose_column(const struct ladder *l)
{
	int rest = l->cfg.width - TIME_WIDTH - IDS_WIDTH - CAPTION_WIDTH;
	int n = l->actor_n < 1000 ? (int)l->actor_n : 1000;

	if (n * WIDE_COLUMN <= rest)
		return WIDE_COLUMN;

	return n * NARROW_COLUMN <= rest ? NARROW_COLUMN : 0;
}

/* --- drawing --- */

static const char *column_name(const struct ladder *l, size_t i)
{
	for (size_t k = 0; l->column == NARROW_COLUMN && k < ORDER_N; k++) {
		if (!strcmp(l->actors[i], order[k].name))
			return order[k].brief;
	}

	return l->actors[i];
}

static void pad(FILE *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fputc(' ', f);
}

static void print_names(const struct ladder *l)
{
	if (!l->column)
		return;

	fprintf(l->f, "%*s%-*s", TIME_WIDTH, "ms  ", IDS_WIDTH, "step");
	for (size_t i = 0; i < l->actor_n; i++) {
		const char *name = column_name(l, i);
		size_t room = (size_t)l->column - 1, width;
		size_t left = sim_text_width(name);

		left = left < room ? (room - left) / 2 : 0;
		pad(l->f, left);
		width = sim_text_put(l->f, name, room - left, l->cfg.is_ascii);
		pad(l->f, room - left - width + 1);
	}
	fputc('\n', l->f);
}

static void print_legend(const struct ladder *l)
{
	static const char *const names[] = { "SIP", "Diameter Cx", "HTTPS",
					     "SOAP", "inside" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct style *s = &styles[i];
		const char *line = l->cfg.is_ascii ? s->ascii : s->line;

		fprintf(l->f, "%s%s%s%s %s%s",
			l->cfg.is_colour ? s->colour : "", line,
			i == SIM_EVENT ? "" : line, i == SIM_EVENT ? "" : ">",
			names[i], l->cfg.is_colour ? plain : "");
		fputs(i + 1 < sizeof(names) / sizeof(*names) ? "   " : "\n",
		      l->f);
	}
}

static const struct style *style_of(const struct ladder *l, size_t i)
{
	enum sim_wire wire = sim_label_wire(l->lb, i);

	if (wire == SIM_EVENT && !sim_label_step(l->lb, i))
		return &state_style;

	return &styles[wire];
}

static const char *glyph(const struct ladder *l, const struct style *s)
{
	return l->cfg.is_ascii ? s->ascii : s->line;
}

/* One character of the lifelines' part of a line: x columns from its left */
static const char *cell(const struct ladder *l, size_t i, int x)
{
	const struct sim_entry *e = sim_trace_entry(l->tr, i);
	const struct style *s = style_of(l, i);
	int half = (l->column - 1) / 2;
	int from = (int)find_actor(l, e->from) * l->column + half;
	int to = e->to ? (int)find_actor(l, e->to) * l->column + half : from;
	int head = to > from ? to - 1 : to + 1;

	if (!e->to && x == from)
		return glyph(l, s);
	if (e->to && from == to && x == from + 1)
		return glyph(l, s); /* to itself: a stub */
	if (from != to && x == head)
		return e->is_lost ? "x" : to > from ? ">" : "<";
	if ((x > from && x < to) || (x < from && x > to))
		return glyph(l, s);
	if (x % l->column == half)
		return l->cfg.is_ascii ? "|" : "│";

	return " ";
}

static void print_lines(const struct ladder *l, size_t i)
{
	const char *colour = l->cfg.is_colour ? style_of(l, i)->colour : "";
	bool is_on = false;

	for (int x = 0; x < (int)l->actor_n * l->column; x++) {
		const char *c = cell(l, i, x);
		bool is_line = strcmp(c, " ") != 0 && strcmp(c, "|") != 0 &&
			       strcmp(c, "│") != 0;

		if (is_line != is_on && l->cfg.is_colour)
			fputs(is_line ? colour : plain, l->f);
		is_on = is_line;
		fputs(c, l->f);
	}
	if (is_on && l->cfg.is_colour)
		fputs(plain, l->f);
}

/* "terminal --> pcscf": columns it took */
static size_t print_brief(const struct ladder *l, size_t i)
{
	const struct sim_entry *e = sim_trace_entry(l->tr, i);
	const struct style *s = style_of(l, i);
	size_t width;

	if (!e->to) {
		fprintf(l->f, "%s ", glyph(l, s));
		width = 2 + sim_text_put(l->f, e->from, 12, l->cfg.is_ascii);
	} else {
		width = sim_text_put(l->f, e->from, 12, l->cfg.is_ascii);
		fprintf(l->f, " %s%s%s ", glyph(l, s), glyph(l, s),
			e->is_lost ? "x" : ">");
		width += 5 + sim_text_put(l->f, e->to, 12, l->cfg.is_ascii);
	}
	pad(l->f, width < 24 ? 24 - width : 0);
	fputc(' ', l->f);

	return (width < 24 ? 24 : width) + 1;
}

static char *make_caption(const struct ladder *l, size_t i)
{
	const struct sim_entry *e = sim_trace_entry(l->tr, i);
	const struct sim_step *step = sim_label_step(l->lb, i);
	const char *impu = sim_label_impu(l->lb, i);
	bool is_zh = l->cfg.lang == SIM_CHINESE && !l->cfg.is_ascii;
	const char *mark = e->is_lost             ? "(lost) "
			   : e->is_retransmission ? "(again) "
						  : "";

	if (!step)
		return xasprintf("%s%s", mark, sim_label_summary(l->lb, i));

	/* of an event its fields follow; its name alone is in the table */
	return xasprintf("%s%s: %s%s%s", mark,
			 e->name ? e->name : sim_label_summary(l->lb, i),
			 is_zh ? step->zh : step->en,
			 e->name && impu ? ", " : "",
			 e->name && impu ? impu : "");
}

static void print_entry(const struct ladder *l, size_t i)
{
	const struct sim_entry *e = sim_trace_entry(l->tr, i);
	int64_t us = e->t_us - sim_trace_entry(l->tr, 0)->t_us;
	int left = TIME_WIDTH + IDS_WIDTH;
	const struct style *s = style_of(l, i);
	char *caption = make_caption(l, i);

	fprintf(l->f, "%*.3f %-*s", TIME_WIDTH - 1, (double)us / 1000.0,
		IDS_WIDTH, sim_label_ids(l->lb, i));
	if (l->column) {
		print_lines(l, i);
		left += (int)l->actor_n * l->column;
	} else {
		left += (int)print_brief(l, i);
	}
	if (l->cfg.is_colour)
		fputs(s->colour, l->f);
	sim_text_put(l->f, caption,
		     l->cfg.width > left + 8 ? (size_t)(l->cfg.width - left)
					     : 8,
		     l->cfg.is_ascii);
	fprintf(l->f, "%s\n", l->cfg.is_colour ? plain : "");
	free(caption);
}

/** Draw a labelled trace, from its first entry to its last */
void sim_ladder_print(const struct sim_label *lb,
		      const struct sim_ladder_cfg *cfg, FILE *f)
{
	struct ladder l = {
		.lb = lb, .tr = sim_label_trace(lb), .cfg = *cfg, .f = f
	};

	if (!l.cfg.width)
		l.cfg.width = WIDTH_DEFAULT;
	find_actors(&l);
	l.column = choose_column(&l);
	print_legend(&l);
	print_names(&l);
	for (size_t i = 0; i < sim_trace_count(l.tr); i++) {
		if (is_shown(&l, i))
			print_entry(&l, i);
	}
	print_names(&l);
	free((void *)l.actors);
}
