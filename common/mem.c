#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		abort();
	}

	return p;
}

/** Allocate n zeroed objects; never NULL. Owned by the caller: free() */
void *xcalloc(size_t n, size_t size)
{
	return check(calloc(n ? n : 1, size ? size : 1));
}

/** Resize; never NULL. The old pointer is gone */
void *xrealloc(void *p, size_t size)
{
	return check(realloc(p, size ? size : 1));
}

/** Copy len bytes and add a NUL that len does not count; p may be NULL */
void *xmemdup(const void *p, size_t len)
{
	char *copy = xcalloc(1, len + 1);

	if (len)
		memcpy(copy, p, len);

	return copy;
}

/** Copy a string; NULL gives NULL */
char *xstrdup(const char *s)
{
	return s ? check(strdup(s)) : NULL;
}

/** Copy at most len bytes of a string and end it with NUL */
char *xstrndup(const char *s, size_t len)
{
	return check(strndup(s, len));
}

/** Print into a new string of the caller's */
char *xvasprintf(const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;

	return check(s);
}

/** Print into a new string of the caller's */
char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);

	return s;
}

/** Replace an owned string by a copy of s (NULL: by nothing) */
void xstrset(char **sp, const char *s)
{
	char *copy = xstrdup(s);

	free(*sp);
	*sp = copy;
}
