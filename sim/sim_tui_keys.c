#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <curses.h>

#include "common/mem.h"
#include "sim/sim_tui_core.h"

enum { BACKSPACE = 8, DELETE = 127, CTRL_L = 12, ANSWER_MAX = 200 };

/* --- the list --- */

static void move_by(struct sim_tui *tui, long by)
{
	size_t far = by < 0 ? (size_t)-by : (size_t)by;

	if (by < 0)
		sim_tui_go(tui, tui->cursor > far ? tui->cursor - far : 0);
	else
		sim_tui_go(tui, tui->cursor + far);
}

static void scroll_pane(struct sim_tui *tui, long by)
{
	size_t far = by < 0 ? (size_t)-by : (size_t)by;
	size_t height = (size_t)tui_pane_height(tui);
	size_t last = tui->pane.n > height ? tui->pane.n - height : 0;

	if (by < 0)
		tui->pane.top = tui->pane.top > far ? tui->pane.top - far : 0;
	else
		tui->pane.top += far;
	if (tui->pane.top > last)
		tui->pane.top = last;
}

/* Look from the line after the cursor (or before it) all the way round */
static void find_next(struct sim_tui *tui, bool is_back)
{
	size_t n = tui->ops->count(tui->arg);

	if (!tui->found) {
		sim_tui_say(tui, "nothing was looked for: type / and a text");
		return;
	}
	for (size_t k = 1; k <= n; k++) {
		size_t i = (tui->cursor + (is_back ? n - k : k)) % n;
		char *line = tui_plain_line(tui, i);
		bool is_found = strcasestr(line, tui->found) != NULL;

		free(line);
		if (is_found) {
			if (is_back ? i >= tui->cursor : i <= tui->cursor)
				sim_tui_say(tui, "from the other end on");
			sim_tui_go(tui, i);
			return;
		}
	}
	sim_tui_say(tui, "not found");
}

static void on_find(const char *text, void *arg)
{
	struct sim_tui *tui = arg;

	if (!text)
		return;
	if (*text)
		xstrset(&tui->found, text);
	find_next(tui, false);
}

static void toggle_pane(struct sim_tui *tui, enum sim_tui_pane pane)
{
	sim_tui_set_pane(tui, tui->pane_kind == pane ? SIM_TUI_NO_PANE : pane);
}

/** How far a key goes: in lines, and in heights of what it moves */
static const struct {
	int key;
	long lines, pages;
} moves[] = {
	{ TUI_KEY_CURSES + KEY_UP, -1, 0 },
	{ 'k', -1, 0 },
	{ TUI_KEY_CURSES + KEY_DOWN, 1, 0 },
	{ 'j', 1, 0 },
	{ TUI_KEY_CURSES + KEY_PPAGE, 0, -1 },
	{ TUI_KEY_CURSES + KEY_NPAGE, 0, 1 },
	{ TUI_KEY_CURSES + KEY_HOME, -TUI_FAR, 0 },
	{ TUI_KEY_CURSES + KEY_END, TUI_FAR, 0 },
};

/* Moves the cursor, or the pane where that is all there is to see */
static bool rx_move(struct sim_tui *tui, int key)
{
	bool is_full = tui->pane_kind == SIM_TUI_FULL;
	int height = is_full ? tui_pane_height(tui) : tui_list_height(tui);

	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		long by = moves[i].lines +
			  moves[i].pages * (height > 1 ? height - 1 : 1);

		if (moves[i].key != key)
			continue;
		if (is_full)
			scroll_pane(tui, by);
		else
			move_by(tui, by);
		return true;
	}

	return false;
}

static void leave(struct sim_tui *tui)
{
	if (tui->pane_kind == SIM_TUI_FULL)
		sim_tui_set_pane(tui, SIM_TUI_NO_PANE);
	else
		tui->ops->closed(tui->arg);
}

static void rx_list_key(struct sim_tui *tui, int key)
{
	if (tui->ops->key && tui->ops->key(key, tui->arg))
		return;
	if (rx_move(tui, key))
		return;

	switch (key) {
	case '/':
		sim_tui_ask(tui, "/", on_find, tui);
		break;
	case 'n':
	case 'N':
		find_next(tui, key == 'N');
		break;
	case SIM_TUI_ENTER:
	case 'm':
		toggle_pane(tui, SIM_TUI_BELOW);
		break;
	case 'f':
		toggle_pane(tui, SIM_TUI_FULL);
		break;
	case 'J':
	case 'K':
		scroll_pane(tui, key == 'J' ? 1 : -1);
		break;
	case SIM_TUI_ESCAPE:
		sim_tui_set_pane(tui, SIM_TUI_NO_PANE);
		break;
	case '?':
		tui->mode = TUI_HELP;
		break;
	case CTRL_L:
		(void)clearok(curscr, TRUE);
		break;
	case 'q':
		leave(tui);
		break;
	default:
		break;
	}
}

/* --- the question --- */

static void end_ask(struct sim_tui *tui, bool is_given_up)
{
	char *answer = tui->answer;

	tui->answer = NULL;
	tui->mode = TUI_LIST;
	tui->ask_cb(is_given_up ? NULL : answer, tui->ask_arg);
	free(answer);
}

static void rub_out(char *text)
{
	size_t len = strlen(text);

	/* the whole character: UTF-8's later bytes are 10xxxxxx */
	while (len && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
		len--;
	text[len ? len - 1 : 0] = '\0';
}

static void type(struct sim_tui *tui, int key)
{
	char bytes[16];
	mbstate_t state = { 0 };
	size_t n = key < ' ' || key >= SIM_TUI_LEFT
			   ? (size_t)-1
			   : wcrtomb(bytes, (wchar_t)key, &state);
	char *more;

	if (n == (size_t)-1 || strlen(tui->answer) + n > ANSWER_MAX)
		return;

	more = xasprintf("%s%.*s", tui->answer, (int)n, bytes);
	free(tui->answer);
	tui->answer = more;
}

static void rx_ask_key(struct sim_tui *tui, int key)
{
	if (key == SIM_TUI_ENTER || key == SIM_TUI_ESCAPE)
		end_ask(tui, key == SIM_TUI_ESCAPE);
	else if (key == BACKSPACE || key == DELETE ||
		 key == TUI_KEY_CURSES + KEY_BACKSPACE)
		rub_out(tui->answer);
	else
		type(tui, key);
}

void tui_rx_key(struct sim_tui *tui, int key)
{
	xstrset(&tui->message, NULL);
	if (tui->mode == TUI_HELP)
		tui->mode = TUI_LIST;
	else if (tui->mode == TUI_ASK)
		rx_ask_key(tui, key);
	else
		rx_list_key(tui, key);
}
