#include "common/https_framer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"

/* Where in a message the next byte belongs */
enum state {
	IN_START, /* request or status line */
	IN_HEADERS,
	IN_BODY, /* need bytes are to come */
	IN_CHUNK_SIZE,
	IN_CHUNK, /* need bytes are to come, then a line's end */
	IN_TRAILER,
	IN_UNTIL_CLOSE,
	IN_BROKEN /* no message's end will be found any more */
};

/** Owned by the wire it reads */
struct https_framer {
	enum state state;
	char *buf; /* the message so far */
	size_t len, room, len_max;
	size_t line; /* where the line that is being read begins */
	size_t need;
	bool is_response, is_bodiless, is_chunked, has_length;
	https_framer_cb *cb;
	void *arg;
};

/**
 * A framer at the beginning of a stream
 *
 * @param len_max A message longer than this is broken: its first len_max
 *                bytes are given at the stream's end
 * @param cb      Called with each message
 */
struct https_framer *https_framer_new(size_t len_max, https_framer_cb *cb,
				      void *arg)
{
	struct https_framer *f = xcalloc(1, sizeof(*f));

	f->len_max = len_max;
	f->cb = cb;
	f->arg = arg;

	return f;
}

/* A message may hold a secret: not left behind in memory that is not used */
static void wipe(struct https_framer *f)
{
	if (f->buf)
		explicit_bzero(f->buf, f->room);
}

struct https_framer *https_framer_free(struct https_framer *framer)
{
	if (framer) {
		wipe(framer);
		free(framer->buf);
		free(framer);
	}

	return NULL;
}

static void give(struct https_framer *f, bool is_whole)
{
	size_t len = f->len;

	f->len = f->line = f->need = 0;
	f->is_bodiless = f->is_chunked = f->has_length = false;
	if (f->state != IN_BROKEN)
		f->state = IN_START;
	f->cb(f->buf, len, is_whole, f->arg);
	explicit_bzero(f->buf, len);
}

/* 1xx, 204 and 304 have no body (RFC 9112 6.3) */
static void read_start(struct https_framer *f, const char *line, size_t len)
{
	long status;

	f->is_response = len > 9 && !strncmp(line, "HTTP/", 5);
	f->state = IN_HEADERS;
	if (!f->is_response)
		return;

	status = strtol(line + 9, NULL, 10);
	f->is_bodiless = status / 100 == 1 || status == 204 || status == 304;
}

static const char *value_of(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;

	return line + len + 1 + strspn(line + len + 1, " \t");
}

/* A number that fits, and nothing behind it but what may end it */
static bool read_size(size_t *np, const char *text, int base)
{
	char *end;
	unsigned long long n = strtoull(text, &end, base);

	if (end == text || *text == '-' || (*end && *end != ' ') ||
	    n > SIZE_MAX / 2)
		return false;
	*np = (size_t)n;

	return true;
}

static void read_header(struct https_framer *f, const char *line)
{
	const char *length = value_of(line, "Content-Length");
	const char *coding = value_of(line, "Transfer-Encoding");

	/* the first one counts; evhttp searches from the front */
	if (length && !f->has_length) {
		f->has_length = true;
		if (!read_size(&f->need, length, 10))
			f->state = IN_BROKEN;
	}
	if (coding && !strcasecmp(coding, "chunked"))
		f->is_chunked = true;
}

/* The empty line behind the headers: what follows? */
static void read_headers_end(struct https_framer *f)
{
	bool is_empty = !f->is_chunked && !f->need &&
			(f->has_length || !f->is_response);

	if (f->is_bodiless || is_empty)
		give(f, true);
	else if (f->is_chunked)
		f->state = IN_CHUNK_SIZE;
	else if (f->has_length)
		f->state = IN_BODY;
	else
		f->state = IN_UNTIL_CLOSE;
}

static void read_chunk_size(struct https_framer *f, const char *line)
{
	if (!*line)
		return;

	if (!read_size(&f->need, line, 16))
		f->state = IN_BROKEN;
	else
		f->state = f->need ? IN_CHUNK : IN_TRAILER;
}

static void read_line(struct https_framer *f, const char *line, size_t len)
{
	if (f->state == IN_START)
		read_start(f, line, len);
	else if (f->state == IN_HEADERS && *line)
		read_header(f, line);
	else if (f->state == IN_HEADERS)
		read_headers_end(f);
	else if (f->state == IN_CHUNK_SIZE)
		read_chunk_size(f, line);
	else if (!*line) /* trailer */
		give(f, true);
}

/* Takes up to a line's end, CR LF or LF alone as evhttp does */
static size_t take_line(struct https_framer *f, const char *data, size_t len)
{
	const char *lf = memchr(data, '\n', len);
	size_t n = lf ? (size_t)(lf - data) + 1 : len;
	size_t end;
	char *line;

	memcpy(f->buf + f->len, data, n);
	f->len += n;
	if (!lf)
		return n;

	end = f->len - 1;
	if (end > f->line && f->buf[end - 1] == '\r')
		end--;
	line = xmemdup(f->buf + f->line, end - f->line);
	end -= f->line;
	f->line = f->len;
	read_line(f, line, end);
	explicit_bzero(line, end);
	free(line);

	return n;
}

static size_t take_bytes(struct https_framer *f, const char *data, size_t len)
{
	size_t n = len < f->need || f->state == IN_UNTIL_CLOSE ? len : f->need;

	memcpy(f->buf + f->len, data, n);
	f->len += n;
	if (f->state == IN_UNTIL_CLOSE)
		return n;

	f->need -= n;
	f->line = f->len;
	if (!f->need && f->state == IN_BODY)
		give(f, true);
	else if (!f->need)
		f->state = IN_CHUNK_SIZE;

	return n;
}

static void make_room(struct https_framer *f, size_t len)
{
	size_t room;
	char *buf;

	if (f->len + len <= f->room)
		return;

	room = f->len + len + f->room / 2;
	buf = xcalloc(1, room);
	if (f->buf)
		memcpy(buf, f->buf, f->len);
	wipe(f);
	free(f->buf);
	f->buf = buf;
	f->room = room;
}

/** Take the next bytes of the stream; cb may be called, more than once */
void https_framer_rx(struct https_framer *framer, const void *data, size_t len)
{
	struct https_framer *f = framer;
	const char *p = data;

	while (len > 0 && f->state != IN_BROKEN) {
		size_t n;

		if (f->len + len > f->len_max && f->len == f->len_max) {
			f->state = IN_BROKEN;
			return;
		}
		n = f->len + len > f->len_max ? f->len_max - f->len : len;
		make_room(f, n);
		if (f->state == IN_BODY || f->state == IN_CHUNK ||
		    f->state == IN_UNTIL_CLOSE)
			n = take_bytes(f, p, n);
		else
			n = take_line(f, p, n);
		p += n;
		len -= n;
	}
	/* as evidence, what cannot be read is kept up to the bound */
	if (len > 0 && f->len < f->len_max) {
		size_t n =
			f->len + len > f->len_max ? f->len_max - f->len : len;

		make_room(f, n);
		memcpy(f->buf + f->len, p, n);
		f->len += n;
	}
}

/** The stream has ended: what was begun is given, a body until close as whole.
 * Further bytes are ignored. */
void https_framer_end(struct https_framer *framer)
{
	bool is_whole = framer->state == IN_UNTIL_CLOSE;

	framer->state = IN_BROKEN;
	framer->len_max = 0;
	if (framer->len)
		give(framer, is_whole);
}

/** Whether a message has begun and not ended */
bool https_framer_is_within(const struct https_framer *framer)
{
	return framer->len > 0;
}
