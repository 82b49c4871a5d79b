#include "common/wipe.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <jansson.h>
#include <openssl/crypto.h>

static void wiping_free(void *p)
{
	if (p)
		OPENSSL_cleanse(p, malloc_usable_size(p));
	free(p);
}

/* realloc(3) may leave the old block's bytes behind */
static void *wiping_realloc(void *p, size_t size)
{
	size_t old = p ? malloc_usable_size(p) : 0;
	void *moved;

	if (!size) {
		wiping_free(p);
		return NULL;
	}
	if (p && size <= old && size > old / 2)
		return p;

	moved = malloc(size);
	if (!moved)
		return NULL;

	if (p)
		memcpy(moved, p, old < size ? old : size);
	wiping_free(p);

	return moved;
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;

	return malloc(size);
}

static void *crypto_realloc(void *p, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;

	return wiping_realloc(p, size);
}

static void crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	wiping_free(p);
}

/**
 * From now on libevent, OpenSSL and jansson overwrite what they free, by the
 * hook that each has for its allocator. First thing in main(): OpenSSL takes
 * none once it has allocated. Blocks stay malloc()'s, so free() may still be
 * given them. (libevent is named here, and not in loop.c alone, because all
 * three are one subject.)
 */
void wipe_freed_memory(void)
{
	json_set_alloc_funcs(malloc, wiping_free);
	event_set_mem_functions(malloc, wiping_realloc, wiping_free);
	(void)CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc,
				       crypto_free);
}
