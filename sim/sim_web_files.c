#include "sim/sim_web_files.h"

#include <stddef.h>
#include <string.h>

/* The page has one source, the files of sim/web/, and a program that is moved
 * elsewhere still has them: the assembler puts them in here */
#define FILES(X)                                                               \
	X(page, "html")                                                        \
	X(style, "css")                                                        \
	X(words, "js")                                                         \
	X(explain, "js")                                                       \
	X(state, "js")                                                         \
	X(message, "js")                                                       \
	X(select, "js")                                                        \
	X(ladder, "js")                                                        \
	X(export, "js")                                                        \
	X(live, "js")                                                          \
	X(app, "js")

#define PUT(name, kind)                                                        \
	__asm__(".pushsection .rodata\n"                                       \
		".globl sim_web_" #name "\n"                                   \
		"sim_web_" #name ":\n"                                         \
		".incbin \"sim/web/" #name "." kind "\"\n"                     \
		".byte 0\n"                                                    \
		".popsection\n");                                              \
	extern const char sim_web_##name[];
FILES(PUT)

const char *sim_web_file(const char *name)
{
#define ROW(name, kind) { #name "." kind, sim_web_##name },
	static const struct {
		const char *name, *text;
	} files[] = { FILES(ROW) };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (!strcmp(files[i].name, name))
			return files[i].text;
	}

	return NULL;
}
