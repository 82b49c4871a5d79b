#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sim/sim_ladder_text.h"
#include "sim/sim_result.h"

/* As GitHub's toolkit escapes: these in a message, and in a property also ':'
 * and ',' */
static void put(FILE *f, const char *text, const char *special)
{
	char *clean = sim_text_clean(text, true);

	for (const char *s = clean; *s; s++) {
		if (strchr(special, *s))
			fprintf(f, "%%%02X", (unsigned char)*s);
		else
			fputc(*s, f);
	}
	free(clean);
}

static void put_property(FILE *f, const char *text)
{
	put(f, text, "%\r\n:,");
}

static void put_message(FILE *f, const char *text)
{
	put(f, text, "%\r\n");
}

/* "FILE:12: what": the line, or 0 */
static long line_of(const char *file, const char *message)
{
	size_t len = strlen(file);

	if (!message || strncmp(message, file, len) != 0 || message[len] != ':')
		return 0;

	return strtol(message + len + 1, NULL, 10);
}

static void put_case(const struct sim_suite *suite, const struct sim_case *c,
		     FILE *f)
{
	long line = line_of(suite->file, c->message);

	fputs("::error file=", f);
	put_property(f, suite->file);
	if (line > 0)
		fprintf(f, ",line=%ld", line);
	fputs(",title=", f);
	put_property(f, c->name);
	fputs("::", f);
	put_message(f, c->message ? c->message : c->name);
	if (c->expected && c->got) {
		put_message(f, "\nexpected: ");
		put_message(f, c->expected);
		put_message(f, "\ngot: ");
		put_message(f, c->got);
	}
	fputc('\n', f);
}

void sim_annotate(const struct sim_suite *suite, FILE *f)
{
	for (size_t i = 0; i < suite->n; i++) {
		if (suite->cases[i].result == SIM_FAILED ||
		    suite->cases[i].result == SIM_BROKEN)
			put_case(suite, &suite->cases[i], f);
	}
	(void)fflush(f);
}
