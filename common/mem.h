/** @file mem.h  Allocation that cannot fail: out of memory ends the process */
#ifndef SIPSHARE_MEM_H
#define SIPSHARE_MEM_H

#include <stdarg.h>
#include <stddef.h>

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
void *xmemdup(const void *p, size_t len);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap)
	__attribute__((format(printf, 1, 0)));
void xstrset(char **sp, const char *s);

#endif
