#include <stdlib.h>
#include <string.h>

#include <curses.h>

#include "common/mem.h"
#include "sim/sim_ladder_text.h"
#include "sim/sim_tui_core.h"

static const char list_help[] =
	"up down j k      one line         PgUp PgDn        a screenful\n"
	"Home End         first, last      / n N            look for a text\n"
	"Enter m          the pane, f over the whole screen; J K scroll it\n"
	"?                this help        q                leave\n\n";

/* --- text of the owner --- */

/** What is being written by a callback */
struct buffer {
	char *text;
	size_t len;
	FILE *f;
};

static void open_buffer(struct buffer *b)
{
	b->f = open_memstream(&b->text, &b->len);
	if (!b->f)
		abort(); /* out of memory, as in common/mem.h */
}

/* The text is the caller's */
static char *close_buffer(struct buffer *b)
{
	(void)fclose(b->f);

	return b->text;
}

static char *line_text(const struct sim_tui *tui, size_t i, int width)
{
	struct buffer b;

	open_buffer(&b);
	tui->ops->line(i, width, b.f, tui->arg);

	return close_buffer(&b);
}

/* The length of "ESC [ 36 m" at s, and its number; 0: it is none */
static size_t read_colour(const char *s, int *numberp)
{
	size_t digits;

	if (s[0] != '\033' || s[1] != '[')
		return 0;
	digits = strspn(s + 2, "0123456789");
	if (digits < 1 || digits > 2 || s[2 + digits] != 'm')
		return 0;
	*numberp = (int)strtol(s + 2, NULL, 10);

	return digits + 3;
}

/** A line's text without its colours, at any width; the caller's to free */
char *tui_plain_line(const struct sim_tui *tui, size_t i)
{
	enum { WIDE = 1000 };
	char *text = line_text(tui, i, WIDE), *to = text;

	for (const char *s = text; *s;) {
		int number;
		size_t len = read_colour(s, &number);

		if (len)
			s += len;
		else
			*to++ = *s++;
	}
	*to = '\0';

	return text;
}

/* --- drawing --- */

static attr_t colour_attr(attr_t attr, int number)
{
	if (number == 0)
		return A_NORMAL;
	if (number == 1)
		return attr | A_BOLD;
	if (number == 2)
		return attr | A_DIM;
	if (number >= 30 && number < 38 && has_colors())
		return (attr & ~(attr_t)A_COLOR) |
		       (attr_t)COLOR_PAIR(number - 29);

	return attr;
}

/* Text up to its next change of colour: columns it took */
static size_t put_run(const struct sim_tui *tui, const char *s, size_t len,
		      size_t room)
{
	char *run = xstrndup(s, len);
	struct buffer b;
	size_t width;

	open_buffer(&b);
	width = sim_text_put(b.f, run, room, tui->cfg.is_ascii);
	free(run);
	run = close_buffer(&b);
	(void)addstr(run);
	free(run);

	return width;
}

/* One row of the screen; base shines through the text's own colours */
static void put_row(const struct sim_tui *tui, int row, const char *s,
		    attr_t base)
{
	size_t room = (size_t)COLS, at = 0;
	attr_t attr = A_NORMAL;

	(void)move(row, 0);
	while (*s && at < room) {
		int number;
		size_t len = read_colour(s, &number);

		if (len) {
			attr = tui->cfg.no_colour ? A_NORMAL
						  : colour_attr(attr, number);
			s += len;
			continue;
		}
		len = 1 + strcspn(s + 1, "\033");
		(void)attr_set(attr | base, (short)PAIR_NUMBER(attr), NULL);
		at += put_run(tui, s, len, room - at);
		s += len;
	}
	(void)attr_set(base, 0, NULL);
	if (at < room)
		(void)hline(' ' | base, (int)(room - at));
	(void)attr_set(A_NORMAL, 0, NULL);
}

static int head_height(const struct sim_tui *tui)
{
	return tui->ops->head && LINES > 4 ? 1 : 0;
}

/** Rows of the pane's text */
int tui_pane_height(const struct sim_tui *tui)
{
	if (tui->pane_kind == SIM_TUI_NO_PANE)
		return 0;

	return tui->pane_kind == SIM_TUI_FULL ? LINES - 1 : (LINES - 2) / 2;
}

/** Rows of the list */
int tui_list_height(const struct sim_tui *tui)
{
	int height = LINES - 1 - head_height(tui);

	if (tui->pane_kind == SIM_TUI_BELOW)
		height -= tui_pane_height(tui) + 1;

	return height > 0 ? height : 1;
}

static void draw_head(const struct sim_tui *tui)
{
	struct buffer b;
	char *text;

	if (!head_height(tui))
		return;

	open_buffer(&b);
	tui->ops->head(COLS, b.f, tui->arg);
	text = close_buffer(&b);
	put_row(tui, 0, text, A_BOLD);
	free(text);
}

static void draw_list(struct sim_tui *tui)
{
	size_t height = (size_t)tui_list_height(tui);

	if (tui->cursor < tui->top)
		tui->top = tui->cursor;
	if (tui->cursor >= tui->top + height)
		tui->top = tui->cursor - height + 1;
	if (tui->top + height > tui->n)
		tui->top = tui->n > height ? tui->n - height : 0;
	for (size_t k = 0; k < height && tui->top + k < tui->n; k++) {
		size_t i = tui->top + k;
		char *text = line_text(tui, i, COLS);

		put_row(tui, head_height(tui) + (int)k, text,
			i == tui->cursor ? A_REVERSE : A_NORMAL);
		free(text);
	}
}

/* --- the pane --- */

void tui_pane_clear(struct sim_tui *tui)
{
	free(tui->pane.text);
	free(tui->pane.rows);
	tui->pane = (struct tui_pane){ .width = 0 };
}

static void cut_pane(struct sim_tui *tui, char *text)
{
	struct tui_pane *pane = &tui->pane;
	size_t top = pane->of == tui->cursor ? pane->top : 0;

	tui_pane_clear(tui);
	pane->text = text;
	pane->of = tui->cursor;
	pane->top = top;
	pane->width = COLS;
	for (char *row = text; *row;) {
		char *end = strchrnul(row, '\n');

		pane->rows = xrealloc(pane->rows,
				      (pane->n + 1) * sizeof(*pane->rows));
		pane->rows[pane->n++] = (size_t)(row - text);
		row = *end ? end + 1 : end;
		*end = '\0';
	}
}

static void read_pane(struct sim_tui *tui)
{
	struct buffer raw, cut;
	char *text;

	open_buffer(&raw);
	if (tui->cursor < tui->n)
		tui->ops->pane(tui->cursor, raw.f, tui->arg);
	text = close_buffer(&raw);
	open_buffer(&cut);
	sim_text_wrap(cut.f, text, (size_t)COLS, tui->cfg.is_ascii);
	free(text);
	cut_pane(tui, close_buffer(&cut));
}

static void draw_pane(struct sim_tui *tui)
{
	int height = tui_pane_height(tui), first = LINES - 1 - height;

	if (!height)
		return;

	read_pane(tui);
	if (tui->pane_kind == SIM_TUI_BELOW) {
		const char *line = tui->cfg.is_ascii ? "-" : "─";

		for (int x = 0; x < COLS; x++)
			(void)mvaddstr(first - 1, x, line);
	}
	for (int k = 0; k < height; k++) {
		size_t row = tui->pane.top + (size_t)k;

		if (row < tui->pane.n)
			put_row(tui, first + k,
				tui->pane.text + tui->pane.rows[row], A_NORMAL);
	}
}

/* --- the rest --- */

static void draw_help(const struct sim_tui *tui)
{
	char *text = xasprintf("%s%s", list_help,
			       tui->cfg.help ? tui->cfg.help : "");
	char *save = NULL;
	int row = 1;

	for (char *line = strtok_r(text, "\n", &save); line && row < LINES - 1;
	     line = strtok_r(NULL, "\n", &save))
		put_row(tui, row++, line, A_NORMAL);
	free(text);
}

static void write_status(const struct sim_tui *tui, FILE *f)
{
	if (tui->mode == TUI_ASK)
		fprintf(f, "%s%s", tui->label, tui->answer);
	else if (tui->mode == TUI_HELP)
		fputs("any key goes back", f);
	else if (tui->message)
		fputs(tui->message, f);
	else if (tui->ops->status)
		tui->ops->status(tui->cursor < tui->n ? tui->cursor : tui->n, f,
				 tui->arg);
}

static void draw_status(const struct sim_tui *tui)
{
	struct buffer b;
	char right[64];
	char *text;
	size_t width;

	open_buffer(&b);
	write_status(tui, b.f);
	text = close_buffer(&b);
	put_row(tui, LINES - 1, text, A_REVERSE);
	width = sim_text_width(text);
	free(text);
	(void)snprintf(right, sizeof(right), " %zu/%zu  %s? help  q leave ",
		       tui->n ? tui->cursor + 1 : 0, tui->n,
		       tui->ops->pane ? "Enter message  " : "");
	if (tui->mode == TUI_LIST && width + strlen(right) < (size_t)COLS) {
		(void)attr_set(A_REVERSE, 0, NULL);
		(void)mvaddstr(LINES - 1, COLS - (int)strlen(right), right);
		(void)attr_set(A_NORMAL, 0, NULL);
	}
}

/* The lines may have become more or fewer since the last look */
static void take_count(struct sim_tui *tui)
{
	size_t n = tui->ops->count(tui->arg);

	if (n && (tui->cursor >= n || (tui->cfg.follows && tui->was_last)))
		tui->cursor = n - 1;
	tui->was_last = tui->cursor + 1 >= n;
	tui->n = n;
}

void tui_draw(struct sim_tui *tui)
{
	take_count(tui);
	(void)erase();
	if (tui->mode == TUI_HELP) {
		draw_help(tui);
	} else if (tui->pane_kind == SIM_TUI_FULL) {
		draw_pane(tui);
	} else {
		draw_head(tui);
		draw_list(tui);
		draw_pane(tui);
	}
	draw_status(tui);
	(void)refresh();
}
