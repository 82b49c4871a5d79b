/* Fuzzes the cutting of a TLS stream into HTTP messages. The first byte says
 * into which pieces the stream comes: whatever they are, the cuts are the same,
 * and no byte is lost or doubled. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/https_framer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LEN_MAX = 4096, CUTS_MAX = 4096 };

/** Where the messages end */
struct cuts {
	const char *stream;
	size_t at, n;
	size_t ends[CUTS_MAX];
};

static void on_message(const char *data, size_t len, bool is_whole, void *arg)
{
	struct cuts *cuts = arg;

	(void)is_whole;
	if (!len || memcmp(data, cuts->stream + cuts->at, len) != 0)
		abort();
	cuts->at += len;
	if (cuts->n < CUTS_MAX)
		cuts->ends[cuts->n++] = cuts->at;
}

static void cut(struct cuts *cuts, const char *stream, size_t len, size_t piece)
{
	struct https_framer *f = https_framer_new(LEN_MAX, on_message, cuts);

	*cuts = (struct cuts){ .stream = stream };
	for (size_t at = 0; at < len; at += piece)
		https_framer_rx(f, stream + at,
				len - at < piece ? len - at : piece);
	https_framer_end(f);
	https_framer_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cuts whole, pieces;
	const char *stream = (const char *)data + 1;

	if (size < 2)
		return 0;

	cut(&whole, stream, size - 1, size);
	cut(&pieces, stream, size - 1, data[0] % 16 + 1u);
	if (whole.at != pieces.at || whole.n != pieces.n ||
	    memcmp(whole.ends, pieces.ends, whole.n * sizeof(*whole.ends)) != 0)
		abort();

	return 0;
}
