#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

static const char *const level_names[] = { "error", "warn", "info", "debug" };

/* The process has one log; a role keeps none of this */
static struct {
	FILE *file; /* NULL: stderr */
	enum log_level level;
} the_log = { NULL, LOG_LEVEL_INFO };

/** Append to a file instead of stderr; 0 or errno */
int log_open(const char *path)
{
	FILE *f = fopen(path, "ae");

	if (!f)
		return errno;

	log_close();
	setvbuf(f, NULL, _IOLBF, 0);
	the_log.file = f;

	return 0;
}

/** Back to stderr */
void log_close(void)
{
	if (the_log.file)
		fclose(the_log.file);
	the_log.file = NULL;
}

/** Write this level and those above it: error, warn, info, debug; or EINVAL */
int log_set_level(const char *name)
{
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
		if (!strcmp(name, level_names[i])) {
			the_log.level = (enum log_level)i;
			return 0;
		}
	}

	return EINVAL;
}

/** One line: time in seconds, level, text. Control characters become '?' so
 * that no peer can forge a line */
void log_line(enum log_level level, const char *fmt, ...)
{
	FILE *f = the_log.file ? the_log.file : stderr;
	int64_t us = clock_wall_us();
	char text[2048];
	va_list ap;

	if (level > the_log.level)
		return;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	fprintf(f, "%lld.%06d %-5s %s\n", (long long)(us / 1000000),
		(int)(us % 1000000), level_names[level], text);
}
