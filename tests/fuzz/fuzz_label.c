/* Fuzzes the reader of traced messages and what a ladder shows of them. The
 * first byte is the protocol. Whatever came, there is a summary, and nothing
 * of it acts on a terminal. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_label_msg.h"
#include "sim/sim_ladder_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 80 };

static void show(const char *summary)
{
	char text[4 * ROOM + 1] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");

	if (!f || sim_text_put(f, summary, ROOM, false) > ROOM)
		abort();
	fclose(f);
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sim_entry e = { .from = "terminal",
			       .to = "pcscf",
			       .transport = "tcp",
			       .src = "127.0.0.1:1",
			       .dst = "127.0.0.2:2" };
	struct sim_facts facts;

	if (!size)
		return 0;

	e.proto = data[0] == 'S'   ? TRACE_SIP
		  : data[0] == 'H' ? TRACE_HTTP
				   : TRACE_DIAMETER;
	e.data = (const char *)data + 1;
	e.len = size - 1;
	sim_facts_read(&facts, &e);
	if (!facts.summary)
		abort();
	show(facts.summary);
	sim_facts_clear(&facts);

	return 0;
}
