#include "sim/sim_ladder.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sim/sim_ladder_text.h"

enum {
	GAP = 3,
	TIME_WIDTH = 10,
	IDS_WIDTH = 10,
	CAPTION_WIDTH = 36, /* at least */
	WIDE_COLUMN = 11,
	NARROW_COLUMN = 6,
	WIDTH_DEFAULT = 120,
	PAIR_WIDTH = 24,
	NAME_WIDTH = 12,
	PAIRS_LEAST = 72, /* columns for those two, and a caption */
	BRIEF_IDS_WIDTH = 5,
	BRIEF_PAIR_WIDTH = 11,
	BRIEF_NAME_WIDTH = 4
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
} order[] = { { "terminal", "UE" },    { "pcscf", "P" },
	      { "icscf", "I" },        { "scscf", "S" },
	      { "hss", "HSS" },        { "appserver", "AS" },
	      { "appserver2", "AS2" }, { "platform", "PLAT" },
	      { "boss", "BOSS" } };
enum { ORDER_N = sizeof(order) / sizeof(*order) };

/** One drawing; owned by who asked */
struct sim_ladder {
	const struct sim_label *lb;
	const struct sim_trace *tr;
	struct sim_ladder_cfg cfg;
	const char **actors; /**< a column each */
	size_t actor_n;
	int column; /**< width of one; 0: none, one line "a -> b" */
	int time_width, ids_width;
	int pair_width; /**< of "a -> b", where there are no columns */
	int name_width; /**< of one name in it */
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
	{ "fsm", "dialog" },            /* its requests tell it */
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

/** Is entry i drawn at all? */
bool sim_ladder_shows(const struct sim_ladder *l, size_t i)
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

static size_t find_actor(const struct sim_ladder *l, const char *name)
{
	size_t i = 0;

	while (i < l->actor_n && strcmp(l->actors[i], name) != 0)
		i++;

	return i;
}

static void add_actor(struct sim_ladder *l, const char *name)
{
	if (!name || find_actor(l, name) < l->actor_n)
		return;
	l->actors = xrealloc(l->actors, (l->actor_n + 1) * sizeof(char *));
	l->actors[l->actor_n++] = name;
}

static bool takes_part(const struct sim_ladder *l, const char *name)
{
	for (size_t i = 0; i < sim_label_count(l->lb); i++) {
		const struct sim_entry *e = sim_trace_entry(l->tr, i);

		if (sim_ladder_shows(l, i) &&
		    (!strcmp(e->from, name) || (e->to && !strcmp(e->to, name))))
			return true;
	}

	return false;
}

/* All but the second AS, which few testbeds have: where there is one, it has
 * said something by the time that it is ready */
static bool is_there(const struct sim_ladder *l, const char *actor)
{
	if (strcmp(actor, "appserver2") != 0)
		return true;
	for (size_t i = 0; i < sim_label_count(l->lb); i++)
		if (!strcmp(sim_trace_entry(l->tr, i)->from, actor))
			return true;

	return false;
}

/* The known ones in their order, then whoever else takes part */
static void find_actors(struct sim_ladder *l)
{
	for (size_t i = 0; i < ORDER_N; i++) {
		if ((l->cfg.has_all_actors && is_there(l, order[i].name)) ||
		    takes_part(l, order[i].name))
			add_actor(l, order[i].name);
	}
	for (size_t i = 0; i < sim_label_count(l->lb); i++) {
		const struct sim_entry *e = sim_trace_entry(l->tr, i);

		if (!sim_ladder_shows(l, i))
			continue;
		add_actor(l, e->from);
		add_actor(l, e->to);
	}
}

/* By the width: columns, or pairs of names, or pairs of short ones */
static void choose_form(struct sim_ladder *l)
{
	int rest = l->cfg.width - TIME_WIDTH - IDS_WIDTH - CAPTION_WIDTH;
	int n = l->actor_n < 1000 ? (int)l->actor_n : 1000;

	l->time_width = TIME_WIDTH;
	l->ids_width = IDS_WIDTH;
	l->pair_width = PAIR_WIDTH;
	l->name_width = NAME_WIDTH;
	l->column = n * WIDE_COLUMN <= rest     ? WIDE_COLUMN
		    : n * NARROW_COLUMN <= rest ? NARROW_COLUMN
						: 0;
	if (!l->column && l->cfg.width < PAIRS_LEAST) {
		l->ids_width = BRIEF_IDS_WIDTH;
		l->pair_width = BRIEF_PAIR_WIDTH;
		l->name_width = BRIEF_NAME_WIDTH;
	}
}

/* --- drawing --- */

static const char *shown_name(const struct sim_ladder *l, const char *name)
{
	bool is_brief = l->column == NARROW_COLUMN ||
			(!l->column && l->name_width == BRIEF_NAME_WIDTH);

	for (size_t k = 0; is_brief && k < ORDER_N; k++) {
		if (!strcmp(name, order[k].name))
			return order[k].brief;
	}

	return name;
}

static void pad(FILE *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fputc(' ', f);
}

/** Write the actors' names above their columns, without the newline; nothing
 * where there are no columns */
void sim_ladder_head(const struct sim_ladder *l, FILE *f)
{
	if (!l->column)
		return;

	fprintf(f, "%*s%-*s", l->time_width, "ms  ", l->ids_width, "step");
	for (size_t i = 0; i < l->actor_n; i++) {
		const char *name = shown_name(l, l->actors[i]);
		size_t room = (size_t)l->column - 1, width;
		size_t left = sim_text_width(name);

		left = left < room ? (room - left) / 2 : 0;
		pad(f, left);
		width = sim_text_put(f, name, room - left, l->cfg.is_ascii);
		pad(f, room - left - width + 1);
	}
}

/** Does the head stand above columns? */
bool sim_ladder_has_head(const struct sim_ladder *l)
{
	return l->column > 0;
}

/** Write the line that says which line is which protocol */
void sim_ladder_legend(const struct sim_ladder *l, FILE *f)
{
	static const char *const names[] = { "SIP", "Diameter Cx", "HTTPS",
					     "SOAP", "inside" };

	size_t at = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct style *s = &styles[i];
		const char *line = l->cfg.is_ascii ? s->ascii : s->line;
		bool is_event = i == SIM_EVENT;
		size_t width = strlen(names[i]) + 3;

		if (at && at + GAP + width > (size_t)l->cfg.width)
			at = 0;
		if (i)
			fprintf(f, "%*s", at ? GAP : 1, at ? "" : "\n");
		fprintf(f, "%s%s%s%s %s%s", l->cfg.is_colour ? s->colour : "",
			line, is_event ? "" : line, is_event ? "" : ">",
			names[i], l->cfg.is_colour ? plain : "");
		at += at ? GAP + width : width;
	}
	fputc('\n', f);
}

static const struct style *style_of(const struct sim_ladder *l, size_t i)
{
	enum sim_wire wire = sim_label_wire(l->lb, i);

	if (wire == SIM_EVENT && !sim_label_step(l->lb, i))
		return &state_style;

	return &styles[wire];
}

static const char *glyph(const struct sim_ladder *l, const struct style *s)
{
	return l->cfg.is_ascii ? s->ascii : s->line;
}

/* One character of the lifelines' part of a line: x columns from its left */
static const char *cell(const struct sim_ladder *l, size_t i, int x)
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

static void print_lines(const struct sim_ladder *l, size_t i, FILE *f)
{
	const char *colour = l->cfg.is_colour ? style_of(l, i)->colour : "";
	bool is_on = false;

	for (int x = 0; x < (int)l->actor_n * l->column; x++) {
		const char *c = cell(l, i, x);
		bool is_line = strcmp(c, " ") != 0 && strcmp(c, "|") != 0 &&
			       strcmp(c, "│") != 0;

		if (is_line != is_on && l->cfg.is_colour)
			fputs(is_line ? colour : plain, f);
		is_on = is_line;
		fputs(c, f);
	}
	if (is_on && l->cfg.is_colour)
		fputs(plain, f);
}

/* "terminal --> pcscf", or "UE->P": columns it took */
static size_t print_pair(const struct sim_ladder *l, size_t i, FILE *f)
{
	const struct sim_entry *e = sim_trace_entry(l->tr, i);
	const struct style *s = style_of(l, i);
	bool is_brief = l->name_width == BRIEF_NAME_WIDTH;
	size_t room = (size_t)l->name_width, width = 2;
	size_t all = (size_t)l->pair_width;
	const char *line = glyph(l, s), *gap = is_brief ? "" : " ";

	if (!e->to)
		fprintf(f, "%s ", line);
	width += sim_text_put(f, shown_name(l, e->from), room, l->cfg.is_ascii);
	if (e->to) {
		fprintf(f, "%s%s%s%s%s", gap, line, is_brief ? "" : line,
			e->is_lost ? "x" : ">", gap);
		width += is_brief ? 0 : 3;
		width += sim_text_put(f, shown_name(l, e->to), room,
				      l->cfg.is_ascii);
	}
	pad(f, 1 + (width < all ? all - width : 0));

	return 1 + (width < all ? all : width);
}

static char *make_caption(const struct sim_ladder *l, size_t i)
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

/* The text at the line's end, in what is left of its width */
static void print_caption(const struct sim_ladder *l, size_t i, size_t left,
			  FILE *f)
{
	enum { LEAST = 8 };
	int room = l->cfg.width - (int)left;
	char *caption = make_caption(l, i);

	if (l->cfg.is_colour)
		fputs(style_of(l, i)->colour, f);
	sim_text_put(f, caption, room > LEAST ? (size_t)room : LEAST,
		     l->cfg.is_ascii);
	if (l->cfg.is_colour)
		fputs(plain, f);
	free(caption);
}

/** Write the line of entry i, without the newline */
void sim_ladder_line(const struct sim_ladder *l, size_t i, FILE *f)
{
	const struct sim_entry *e = sim_trace_entry(l->tr, i);
	int64_t us = e->t_us - sim_trace_entry(l->tr, 0)->t_us;
	size_t left = (size_t)l->time_width + (size_t)l->ids_width;

	/* from a hundred seconds on whole milliseconds will do */
	fprintf(f, "%*.*f %-*.*s", l->time_width - 1, us < 100000000 ? 3 : 0,
		(double)us / 1000.0, l->ids_width, l->ids_width - 1,
		sim_label_ids(l->lb, i));
	if (l->column)
		print_lines(l, i, f);
	left += l->column ? l->actor_n * (size_t)l->column
			  : print_pair(l, i, f);
	print_caption(l, i, left, f);
}

/**
 * A drawing of a labelled trace, which must outlive it
 *
 * @param cfg Copied
 */
struct sim_ladder *sim_ladder_new(const struct sim_label *lb,
				  const struct sim_ladder_cfg *cfg)
{
	struct sim_ladder *l = xcalloc(1, sizeof(*l));

	l->lb = lb;
	l->tr = sim_label_trace(lb);
	l->cfg = *cfg;
	find_actors(l);
	sim_ladder_resize(l, cfg->width);

	return l;
}

struct sim_ladder *sim_ladder_free(struct sim_ladder *l)
{
	if (!l)
		return NULL;

	free((void *)l->actors);
	free(l);

	return NULL;
}

/** Draw for another width from now on; 0: 120 */
void sim_ladder_resize(struct sim_ladder *l, int width)
{
	l->cfg.width = width ? width : WIDTH_DEFAULT;
	choose_form(l);
}

/** How many entries there are, drawn or not */
size_t sim_ladder_count(const struct sim_ladder *l)
{
	return sim_label_count(l->lb);
}

static void print_head(const struct sim_ladder *l, FILE *f)
{
	sim_ladder_head(l, f);
	if (sim_ladder_has_head(l))
		fputc('\n', f);
}

/** Draw a labelled trace, from its first entry to its last */
void sim_ladder_print(const struct sim_label *lb,
		      const struct sim_ladder_cfg *cfg, FILE *f)
{
	struct sim_ladder *l = sim_ladder_new(lb, cfg);

	sim_ladder_legend(l, f);
	print_head(l, f);
	for (size_t i = 0; i < sim_label_count(l->lb); i++) {
		if (!sim_ladder_shows(l, i))
			continue;
		sim_ladder_line(l, i, f);
		fputc('\n', f);
	}
	print_head(l, f);
	sim_ladder_free(l);
}
