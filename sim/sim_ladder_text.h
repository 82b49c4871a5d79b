/** @file sim_ladder_text.h  Foreign bytes on a terminal: safe, and in columns
 */
#ifndef SIPSHARE_SIM_LADDER_TEXT_H
#define SIPSHARE_SIM_LADDER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

size_t sim_text_put(FILE *f, const char *s, size_t room, bool is_ascii);
void sim_text_wrap(FILE *f, const char *s, size_t width, bool is_ascii);
char *sim_text_clean(const char *s, bool keeps_lines);
size_t sim_text_width(const char *s);

#endif
