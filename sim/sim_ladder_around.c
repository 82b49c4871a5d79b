#include <stdio.h>
#include <stdlib.h>

#include "sim/sim_ladder.h"

enum { TEXT_WIDTH = 120 };

/* The entry that has n drawn ones between it and entry at, or the last way off
 * in that direction */
static size_t walk(const struct sim_ladder *l, size_t at, size_t n, int by)
{
	size_t count = sim_ladder_count(l), found = at;

	for (size_t i = at; n && (by < 0 ? i > 0 : i + 1 < count);) {
		i = by < 0 ? i - 1 : i + 1;
		if (!sim_ladder_shows(l, i))
			continue;
		found = i;
		n--;
	}

	return found;
}

/**
 * The ladder around an entry, as plain text
 *
 * @param before How many lines before it, `after` after it
 *
 * @return The text, the caller's to free
 */
char *sim_ladder_around(const struct sim_label *lb, size_t at, size_t before,
			size_t after)
{
	const struct sim_ladder_cfg cfg = { .width = TEXT_WIDTH };
	struct sim_ladder *l = sim_ladder_new(lb, &cfg);
	char *text = NULL;
	size_t len = 0, last;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort(); /* out of memory, as in common/mem.h */
	sim_ladder_head(l, f);
	if (sim_ladder_has_head(l))
		fputc('\n', f);
	last = walk(l, at, after, 1);
	for (size_t i = walk(l, at, before, -1);
	     i <= last && i < sim_ladder_count(l); i++) {
		if (!sim_ladder_shows(l, i))
			continue;
		sim_ladder_line(l, i, f);
		fputc('\n', f);
	}
	(void)fclose(f);
	sim_ladder_free(l);

	return text;
}
