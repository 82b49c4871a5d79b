#include "sim/sim_ladder_text.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/** One character as it will be shown */
struct glyph {
	char text[16];
	size_t width;
};

/* One character of UTF-8 (RFC 3629): its length, or 0 if it is none */
static size_t decode(const unsigned char *s, uint32_t *codep)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80             ? 1
		     : (s[0] & 0xe0) == 0xc0 ? 2
		     : (s[0] & 0xf0) == 0xe0 ? 3
		     : (s[0] & 0xf8) == 0xf0 ? 4
					     : 0;
	uint32_t code = len > 1 ? s[0] & (0x7fu >> len) : s[0];

	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (!len || code < least[len] || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000))
		return 0;
	*codep = code;

	return len;
}

/* Controls act on the terminal, and bidi marks turn its text around */
static bool is_hostile(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfff0 && c <= 0xfffb) || c == 0xfffe || c == 0xffff ||
	       c >= 0xe0000;
}

static bool is_wide(uint32_t c)
{
	return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
	       (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
	       (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
	       (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) ||
	       (c >= 0x20000 && c <= 0x3fffd);
}

/* The character at s; its length in bytes */
static size_t read_glyph(struct glyph *g, const char *s, bool is_ascii)
{
	uint32_t code = 0;
	size_t len = decode((const unsigned char *)s, &code);
	int n;

	if (!len)
		n = snprintf(g->text, sizeof(g->text), "\\x%02x",
			     (unsigned char)s[0]);
	else if (code == '\r' || code == '\n')
		n = snprintf(g->text, sizeof(g->text), "\\%c",
			     code == '\r' ? 'r' : 'n');
	else if (code < 0x80 && is_hostile(code))
		n = snprintf(g->text, sizeof(g->text), "\\x%02x", code);
	else if (is_hostile(code) || (is_ascii && code >= 0x80))
		n = snprintf(g->text, sizeof(g->text), "\\u{%x}", code);
	else
		n = snprintf(g->text, sizeof(g->text), "%.*s", (int)len, s);
	g->width = len > 1 && n == (int)len && g->text[0] != '\\'
			   ? (is_wide(code) ? 2 : 1)
			   : (size_t)n;

	return len ? len : 1;
}

/** Columns that s takes, hostile bytes escaped */
size_t sim_text_width(const char *s)
{
	struct glyph g;
	size_t width = 0;

	while (*s) {
		s += read_glyph(&g, s, false);
		width += g.width;
	}

	return width;
}

/**
 * Write text that may hold anything
 *
 * @param room Columns it may take; what does not fit ends in "…" (or "~")
 *
 * @return Columns it took
 */
size_t sim_text_put(FILE *f, const char *s, size_t room, bool is_ascii)
{
	struct glyph g;
	size_t width = 0;

	while (*s) {
		const char *rest = s + read_glyph(&g, s, is_ascii);

		/* the last column is for the mark, if more is to come */
		if (width + g.width > room ||
		    (*rest && width + g.width == room))
			break;
		fputs(g.text, f);
		width += g.width;
		s = rest;
	}
	if (*s && width < room) {
		fputs(is_ascii ? "~" : "…", f);
		width++;
	}

	return width;
}

/**
 * Write text that may hold anything but NUL, in lines of its own width
 *
 * @param width What is wider goes on in the next line; '\n' ends one, also
 *              after '\r', and a tab goes to the next multiple of 8
 */
void sim_text_wrap(FILE *f, const char *s, size_t width, bool is_ascii)
{
	struct glyph g;
	size_t at = 0;

	while (*s) {
		bool is_end = *s == '\n' || (*s == '\r' && s[1] == '\n');
		size_t len = 1;

		if (is_end) {
			s += *s == '\r' ? 2 : 1;
			fputc('\n', f);
			at = 0;
			continue;
		}
		if (*s == '\t')
			g = (struct glyph){ "        ", 8 - at % 8 };
		else
			len = read_glyph(&g, s, is_ascii);
		if (at && at + g.width > width) {
			fputc('\n', f);
			at = 0;
		}
		fprintf(f, "%.*s", *s == '\t' ? (int)g.width : INT_MAX, g.text);
		at += g.width;
		s += len;
	}
}

/** Text that may hold anything, with what is hostile in it shown; its lines
 * stay lines if they are wanted. The caller's to free */
char *sim_text_clean(const char *s, bool keeps_lines)
{
	struct glyph g;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort(); /* out of memory, as in common/mem.h */
	while (*s) {
		bool is_line = keeps_lines && *s == '\n';

		if (is_line) {
			fputc(*s++, f);
			continue;
		}
		s += read_glyph(&g, s, false);
		fputs(g.text, f);
	}
	(void)fclose(f);

	return text;
}
